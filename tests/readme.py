"""README.md's console blocks: run them, compare what they print, or write it anew.

A block is fenced as ``console`` and follows a comment that says how it is run:

* ``<!-- run: embedded -->``: needs nothing but the package;
* ``<!-- run: reference -->``: needs ``$OVMER_REFERENCE``;
* ``<!-- run: setup -->``: sets up tox; its environments are checked to be part of ``tox``.

All blocks of a kind run in order in one folder, which starts empty but for the files that
blocks fenced as ``jsonl`` show under ``<!-- file: NAME -->``. ``python tests/readme.py`` runs
every block and writes what it printed into README.md.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
KINDS = ("embedded", "reference", "setup")
_BLOCK = re.compile(r"<!-- run: (\w+) -->\n```console\n(.*?)```\n", re.DOTALL)
_FILE = re.compile(r"<!-- file: ([\w.-]+) -->\n```jsonl\n(.*?)```\n", re.DOTALL)
_FENCE = re.compile(r"^```console$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One command and what README says it prints."""

    command: str
    output: str


def steps(block: str) -> list[Step]:
    """Commands of a block, each with the lines that follow it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    pairs = (part.partition("\n") for part in parts)
    return [Step(command, output) for command, _, output in pairs]


def blocks(kind: str) -> list[str]:
    """Texts of the blocks of one kind, in README's order."""
    return [text for found, text in _BLOCK.findall(README.read_text("utf-8")) if found == kind]


def all_blocks_are_marked() -> bool:
    """Whether every console block says how it is run."""
    text = README.read_text("utf-8")
    marked = [kind for kind, _ in _BLOCK.findall(text)]
    return len(marked) == len(_FENCE.findall(text)) and set(marked) <= set(KINDS)


def prepare(folder: Path) -> None:
    """Write the files that README shows."""
    for name, text in _FILE.findall(README.read_text("utf-8")):
        (folder / name).write_text(text, "utf-8")


def run(command: str, folder: Path) -> str:
    """What ``command`` prints on both streams; it must succeed."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OVMER_HOME": str(folder / ".home"),
        "COLUMNS": "110",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"{command} exits {done.returncode}: {done.stdout}")
    return tidy(done.stdout)


def tidy(text: str) -> str:
    """``text`` without blanks at line ends and without empty lines at its ends."""
    lines = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return lines + "\n" if lines else ""


def write() -> None:
    """Run every block and put what it prints into README.md."""
    text = README.read_text("utf-8")
    for kind in ("embedded", "reference"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            prepare(folder)
            for block in blocks(kind):
                printed = [f"$ {s.command}\n{run(s.command, folder)}" for s in steps(block)]
                text = text.replace(block, "".join(printed))
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
