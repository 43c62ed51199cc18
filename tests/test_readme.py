"""README.md is the product's front door: every command in it runs and prints what it says."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import readme

ROOT = Path(__file__).parent.parent


def check(kind: str, folder: Path) -> None:
    readme.prepare(folder)
    found = [step for block in readme.blocks(kind) for step in readme.steps(block)]
    assert found
    for step in found:
        assert readme.run(step.command, folder) == readme.tidy(step.output), step.command


def test_every_block_says_how_it_runs() -> None:
    assert readme.all_blocks_are_marked()


def test_commands_on_embedded_data(tmp_path: Path) -> None:
    check("embedded", tmp_path)


def test_commands_on_real_data(tmp_path: Path, reference: Path) -> None:
    check("reference", tmp_path)


def test_setup_commands_are_what_tox_runs() -> None:
    """``tox`` itself runs this test, so its environments are read here instead of run."""
    config = configparser.ConfigParser()
    config.read(ROOT / "tox.ini", "utf-8")
    environments = re.split(r"[,\s]+", config["tox"]["envlist"].strip())
    commands = [step.command for block in readme.blocks("setup") for step in readme.steps(block)]
    assert any(command.endswith("tox") for command in commands)
    for command in commands:
        for name in re.findall(r"tox -e (\S+)", command):
            assert name in environments, f"tox does not run {name}"


def test_python_examples_run(tmp_path: Path) -> None:
    """Blocks fenced as python print what their comments say."""
    text = readme.README.read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        printed: list[object] = []
        exec(compile(example, "README.md", "exec"), {"print": printed.append})
        promised = re.findall(r"print\(.*\)  # (.*)", example)
        assert [str(value) for value in printed] == promised


def test_links_lead_somewhere() -> None:
    text = readme.README.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_no_absolute_paths() -> None:
    assert not re.search(r"(?<![\w.<:/])/(?:home|root|tmp|work)/", readme.README.read_text("utf-8"))
