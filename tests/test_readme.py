"""README.md is the product's front door: every command in it runs and prints what it says."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from console_blocks import README, ROOT, Page

PAGE = Page(README)


def check(kind: str, folder: Path) -> None:
    assert PAGE.blocks(kind)
    assert not PAGE.differences(kind, folder)


def test_every_block_says_how_it_runs() -> None:
    assert PAGE.unmarked() == 0


def test_commands_on_embedded_data(tmp_path: Path) -> None:
    check("embedded", tmp_path)


def test_commands_on_real_data(tmp_path: Path, reference: Path) -> None:
    check("reference", tmp_path)


def test_setup_commands_are_what_tox_runs() -> None:
    """``tox`` itself runs this test, so its environments are read here instead of run."""
    config = configparser.ConfigParser()
    config.read(ROOT / "tox.ini", "utf-8")
    environments = re.split(r"[,\s]+", config["tox"]["envlist"].strip())
    commands = [step.command for block in PAGE.blocks("setup") for step in block.steps]
    assert any(command.endswith("tox") for command in commands)
    for command in commands:
        for name in re.findall(r"tox -e (\S+)", command):
            assert name in environments, f"tox does not run {name}"


def test_python_examples_run() -> None:
    """Blocks fenced as python print what their comments say."""
    assert "```python" in PAGE.text
    assert not PAGE.python_differences()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE.text):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_no_absolute_paths() -> None:
    assert not re.search(r"(?<![\w.<:/])/(?:home|root|tmp|work)/", PAGE.text)
