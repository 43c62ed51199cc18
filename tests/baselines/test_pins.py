"""What the extra ``train`` pins is what these tests run with."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.train
def test_the_pinned_versions_are_installed() -> None:
    extra = re.search(r"^train = \[(.*?)^\]", PYPROJECT.read_text("utf-8"), re.M | re.S)
    assert extra is not None
    pins = dict(re.findall(r'"([\w-]+)==([\w.]+)"', extra[1]))
    assert set(pins) == {"transformers", "trl"}
    assert {name: version(name) for name in pins} == pins
