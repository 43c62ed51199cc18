"""Without the extra ``train`` tests that import torch cannot be collected; the header says so."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

WITHOUT_TRAIN = find_spec("torch") is None


def _needs_train(file: Path) -> bool:
    """Whether a test module is marked as needing the extra."""
    return "pytest.mark.train" in file.read_text("utf-8")


collect_ignore = (
    [file.name for file in sorted(Path(__file__).parent.glob("test_*.py")) if _needs_train(file)]
    if WITHOUT_TRAIN
    else []
)


def pytest_report_header() -> str:
    """One line about what runs."""
    if WITHOUT_TRAIN:
        return f"trainer: {len(collect_ignore)} files left out, extra train is missing"
    spread = "FSDP and ZeRO-3" if find_spec("deepspeed") else "FSDP, not ZeRO-3 (tox -e zero3)"
    return f"trainer: tested, weights spread by {spread}"
