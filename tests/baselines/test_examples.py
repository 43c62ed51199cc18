"""The examples of the trainer's page run, one after the other, in one process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "baselines" / "README.md"


@pytest.mark.train
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(README), "exec"), {})
    said = capsys.readouterr().out
    assert "[1.0]" in said
    assert re.search(r"fusion +[\d,]+ of +[\d,]+ trained", said)
