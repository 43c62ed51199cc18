"""Examples in Markdown pages: run them, compare what they print, or write it anew.

A block is fenced as ``console`` and follows a comment that says how it is run:

* ``<!-- run: embedded -->``: needs nothing but the package;
* ``<!-- run: reference -->``: needs ``$OVMER_REFERENCE``;
* ``<!-- run: harness -->``: needs lm-eval;
* ``<!-- run: train -->``: needs the extra ``train``; ``baselines`` is the project's own folder;
* ``<!-- run: long -->``: takes minutes; tests run it with less of everything, and what it prints
  was printed by a whole run;
* ``<!-- run: setup -->``: sets up tox; its environments are checked to be part of ``tox``;
* ``<!-- run: elsewhere -->``: needs a model, the network or files of the reader. It shows no
  output, and its commands are checked to exist with the options they are given.

A word behind the kind changes what is asked: ``fails`` (every command exits with code 2) or
``quiet`` (what is printed names the machine, and the page shows none of it).

All blocks of a kind in one page run in order in one folder, which starts empty but for the
files that the page shows under ``<!-- file: NAME -->``. Blocks fenced as ``python`` run in
order in one namespace; behind ``print(...)`` stands what it prints, as a comment. With
``<!-- python: train -->`` in the page they need the extra ``train``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RUN_KINDS = ("embedded", "reference", "harness", "train")
KINDS = (*RUN_KINDS, "long", "setup", "elsewhere")
MODIFIERS = ("", "fails", "quiet")

_BLOCK = re.compile(r"<!-- run: (\w+)(?: (\w+))? -->\n```console\n(.*?)```\n", re.DOTALL)
_FILE = re.compile(r"<!-- file: ([\w.-]+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
_PYTHON_NEEDS_TRAIN = "<!-- python: train -->"
_FENCE = re.compile(r"^```console$", re.MULTILINE)
_PYTHON = re.compile(r"```python\n(.*?)```\n", re.DOTALL)
_PRINT = re.compile(r"^( *)(print\(.*\))  # (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One command and what the page says it prints."""

    command: str
    output: str


@dataclass(frozen=True)
class Block:
    """A console block as it stands in a page."""

    kind: str
    modifier: str
    text: str

    @property
    def steps(self) -> list[Step]:
        """Commands, each with the lines that follow it."""
        parts = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        pairs = (part.partition("\n") for part in parts)
        return [Step(command, output) for command, _, output in pairs]

    def printed(self, step: Step, folder: Path) -> str:
        """What the page is to say that a step prints; :class:`AssertionError` if it misbehaves."""
        code, output = run(step.command, folder)
        expected = 2 if self.modifier == "fails" else 0
        if code != expected:
            raise AssertionError(f"{step.command} exits with {code}: {output}")
        return "" if self.modifier == "quiet" else output


@dataclass(frozen=True)
class Page:
    """A Markdown page with examples."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def blocks(self, kind: str) -> list[Block]:
        """Blocks of one kind, in order."""
        found = [Block(*fields) for fields in _BLOCK.findall(self.text)]
        return [block for block in found if block.kind == kind]

    def unmarked(self) -> int:
        """Number of console blocks that do not say, or not rightly, how they are run."""
        marked = _BLOCK.findall(self.text)
        right = [m for m in marked if m[0] in KINDS and m[1] in MODIFIERS]
        return len(_FENCE.findall(self.text)) - len(right)

    def prepare(self, folder: Path) -> None:
        """Write the files that the page shows, and put what its blocks need beside them."""
        for name, text in _FILE.findall(self.text):
            (folder / name).write_text(text, "utf-8")
        if self.blocks("train") or self.blocks("long"):
            (folder / "baselines").symlink_to(ROOT / "baselines")

    @property
    def python_needs_train(self) -> bool:
        """Whether the python blocks need the extra ``train``."""
        return _PYTHON_NEEDS_TRAIN in self.text

    def differences(self, kind: str, folder: Path) -> list[str]:
        """Run the blocks of a kind; what is not printed as the page says, for people."""
        self.prepare(folder)
        wrong = []
        for block in self.blocks(kind):
            for step in block.steps:
                printed = block.printed(step, folder)
                if printed != tidy(step.output):
                    wrong.append(f"$ {step.command}\n{printed}")
        return wrong

    def python_differences(self) -> list[str]:
        """Run the python blocks; prints whose comments say something else."""
        promised = [said for _, _, said in _PRINT.findall("".join(_PYTHON.findall(self.text)))]
        printed = self._python_prints()
        return [] if printed == promised else [f"prints {printed}, page says {promised}"]

    def _python_prints(self) -> list[str]:
        printed: list[str] = []

        def record(*values: object) -> None:
            printed.append(" ".join(map(str, values)))

        namespace: dict[str, object] = {"print": record}
        for example in _PYTHON.findall(self.text):
            exec(compile(example, self.path.name, "exec"), namespace)
        return printed

    def rewritten(self, kinds: Iterable[str] = RUN_KINDS) -> str:
        """The page with what its examples print now."""
        text = self.text
        kinds = tuple(kinds)
        for kind in kinds:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                self.prepare(folder)
                for block in self.blocks(kind):
                    steps = [f"$ {s.command}\n{block.printed(s, folder)}" for s in block.steps]
                    text = text.replace(block.text, "".join(steps), 1)
        if self.python_needs_train and "train" not in kinds:
            return text
        printed = iter(self._python_prints())
        for example in _PYTHON.findall(text):
            new = _PRINT.sub(lambda m: f"{m[1]}{m[2]}  # {next(printed)}", example)
            text = text.replace(example, new, 1)
        return text


def runnable_kinds() -> tuple[str, ...]:
    """Kinds of blocks whose needs are met here."""
    met: Mapping[str, bool] = {
        "embedded": True,
        "reference": bool(os.environ.get("OVMER_REFERENCE")),
        "harness": find_spec("lm_eval") is not None,
        "train": find_spec("torch") is not None and find_spec("trl") is not None,
    }
    return tuple(kind for kind in RUN_KINDS if met[kind])


def run(command: str, folder: Path) -> tuple[int, str]:
    """Exit code of ``command``, and what it prints on both streams."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OVMER_HOME": str(folder / ".home"),
        "COLUMNS": "110",
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, tidy(done.stdout)


def tidy(text: str) -> str:
    """``text`` without blanks at line ends and without empty lines at its ends."""
    lines = "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
    return lines + "\n" if lines else ""
