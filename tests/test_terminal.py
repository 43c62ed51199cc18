"""The command line on terminals and pipes, and when it is stopped."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import command, listing
from ovmer_bench import __version__
from ovmer_bench.files import write_text, write_texts, written_whole
from shell import Shell


def on_a_terminal(folder: Path, *arguments: str, columns: int, **environment: str) -> str:
    """What the command shows on a terminal of that width."""
    main_end, terminal = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns)} | environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    try:
        while part := os.read(main_end, 65536):
            shown += part
    except OSError:
        pass  # Linux: the other end is closed.
    os.close(main_end)
    assert process.wait(timeout=60) == 0, shown
    return shown.decode("utf-8").replace("\r\n", "\n")


COLOUR = re.compile(r"\x1b\[[\d;]*m")
SCORE = ("score", "half.jsonl", "--gold", "open.jsonl", "--draws", "0")


@pytest.fixture
def terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return shell.folder


@pytest.mark.parametrize("columns", [24, 60, 200])
def test_a_terminal_may_be_narrow(terminal: Path, columns: int) -> None:
    shown = on_a_terminal(terminal, *SCORE, columns=columns)
    assert COLOUR.search(shown)
    plain = COLOUR.sub("", shown)
    (signature,) = [line for line in plain.splitlines() if line.startswith("signature: ")]
    assert signature.endswith(f"|version:{__version__}")
    table = [line for line in plain.splitlines() if not line.startswith(("signature", "half on"))]
    assert max(map(len, table)) <= columns
    if columns >= 60:
        assert "50.00" in plain and "33.33" in plain


def test_no_color_means_none(terminal: Path) -> None:
    shown = on_a_terminal(terminal, *SCORE, columns=100, NO_COLOR="1")
    codes = {code for found in COLOUR.findall(shown) for code in found[2:-1].split(";")}
    assert codes <= {"", "0", "1", "2"}  # Bold and dim are no colours.
    assert not COLOUR.search(on_a_terminal(terminal, *SCORE, columns=100, TERM="dumb"))


def test_a_pipe_gets_plain_text_whatever_the_terminal(shell: Shell) -> None:
    wide = shell.real(*SCORE, COLUMNS="300").out
    narrow = shell.real(*SCORE, COLUMNS="20").out
    assert wide == narrow == shell(*SCORE) and "\x1b" not in wide


@pytest.mark.parametrize(
    "arguments",
    [
        ("data", "list"),
        ("score", "half.jsonl", "--gold", "open.jsonl", "--json", "out.json"),
        ("lexicon", "explain", *["happy", "sad", "angry"] * 300),
    ],
    ids=["short", "score", "long"],
)
def test_a_reader_may_go_away(shell: Shell, arguments: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        command(*arguments),
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if arguments[0] == "lexicon":
        process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=60)) == ("", 0)
    assert (shell.folder / "out.json").exists() == (arguments[0] == "score")


@pytest.mark.parametrize("name", ["group", "one command"])
def test_a_reader_may_go_away_from_any_command_line(tmp_path: Path, name: str) -> None:
    """Scripts of single commands and other groups end as ``ovmer`` does."""
    program = """
import sys
import click
from ovmer_bench.cli.main import run

@click.command("talk")
def talk():
    click.echo("first")
    sys.stdin.read()
    click.echo("second")

group = click.Group("group", commands=[talk])
run(group if sys.argv[1:] else talk, "talk")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *(["talk"] if name == "group" else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "first\n"
    process.stdout.close()
    process.stdin.close()
    assert (process.stderr.read(), process.wait(timeout=60)) == ("", 0)


def test_a_stopped_command_leaves_nothing(shell: Shell) -> None:
    shell("baseline", "shuffled", "--task", "ovmer_scenes", "--out", "p.jsonl")
    before = listing(shell.folder)
    many = ("--draws", "100000", "--json", "out.json")
    process = subprocess.Popen(
        command("score", *["p.jsonl"] * 60, "--task", "ovmer_scenes", *many),
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2.5)
    assert process.poll() is None, "the command ended before it could be stopped"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "stopped")
    assert listing(shell.folder) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_writing_that_is_stopped_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    (tmp_path / "a").write_text("old", "utf-8")
    with pytest.raises(error), written_whole(tmp_path / "a") as temporary:
        temporary.write_text("half of the new", "utf-8")
        raise error
    assert {p.name: p.read_text("utf-8") for p in tmp_path.iterdir()} == {"a": "old"}
    write_text(tmp_path / "a", "new\n")
    write_texts({tmp_path / "b" / "c": "1", tmp_path / "d": "2"})
    assert listing(tmp_path).keys() == {"a", "b", "b/c", "d"}
    assert (tmp_path / "a").read_bytes() == b"new\n"
