"""The command ``ovmer`` as tests run it: a process of its own, or this one."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from ovmer_bench.cli import main
from ovmer_bench.lexicon import load_lexicon

TIMEOUT = 60


@dataclass(frozen=True)
class Result:
    """What a run of the command left."""

    code: int
    out: str
    err: str


def command(*arguments: str | Path) -> list[str]:
    """The command line of a real process."""
    return [sys.executable, "-m", "ovmer_bench", *map(str, arguments)]


def run(*arguments: str | Path, cwd: Path, **environment: str) -> Result:
    """Run the command in a process of its own; its data home is ``cwd / "home"``."""
    environment = {"OVMER_HOME": str(cwd / "home"), **environment}
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def run_here(
    *arguments: str | Path,
    cwd: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Result:
    """Run the command in this process, as :func:`run` does in another."""
    monkeypatch.chdir(cwd)
    monkeypatch.setenv("OVMER_HOME", str(cwd / "home"))
    monkeypatch.setattr(sys, "argv", ["ovmer", *map(str, arguments)])
    load_lexicon.cache_clear()
    capsys.readouterr()
    code = 0
    try:
        main()
    except SystemExit as done:
        code = int(done.code or 0)
    out, err = capsys.readouterr()
    return Result(code, out, err)


def listing(folder: Path) -> dict[str, str]:
    """Everything below a folder: files by their hash, the rest by its kind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = f"{stat.S_IFMT(mode):o}"
        if stat.S_ISREG(mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[path.relative_to(folder).as_posix()] = content
    return found
