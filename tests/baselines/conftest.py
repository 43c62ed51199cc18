"""Without the extra ``train`` the policy's tests cannot be collected; the header says so."""

from __future__ import annotations

from importlib.util import find_spec

WITHOUT_TRAIN = find_spec("torch") is None
collect_ignore = ["test_policy.py", "test_processing.py"] if WITHOUT_TRAIN else []


def pytest_report_header() -> str:
    """One line about what runs."""
    return "policy: tests left out, extra train is missing" if WITHOUT_TRAIN else "policy: tested"
