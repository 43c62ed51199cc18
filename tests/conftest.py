"""Fixtures shared by all tests, and the rule that continuous integration skips nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from shell import Shell

ONCE = {
    *("test_bad_input", "test_cli", "test_data_download", "test_docs", "test_harness"),
    *("test_harness_install", "test_harness_media"),
    *("test_lexicon_builtin", "test_llm_extractor", "test_ovmer_mini", "test_ovmer_scenes"),
    *("test_parity", "test_readme"),
    *("test_report_html", "test_site", "test_site_browser", "test_submission_hostile"),
    "test_terminal",
}
"""Modules that start browsers, servers, installers or many processes, or draw a whole corpus:
what they find does not depend on the Python version, so tox runs them under one of the three."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in ONCE:
            item.add_marker("once")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Released predictions, labels and lexicons; absent from the project for licence reasons."""
    folder = os.environ.get("OVMER_REFERENCE")
    if not folder:
        pytest.skip("OVMER_REFERENCE does not name the folder with the released data")
    path = Path(folder).expanduser().resolve()
    if not (path / "expected.json").is_file():
        pytest.fail(f"OVMER_REFERENCE={folder} holds no expected.json")
    return path


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """A folder with gold of every kind and predictions for it."""
    from shell import Shell

    monkeypatch.setenv("OVMER_HOME", str(tmp_path / "home"))
    made = Shell(tmp_path, monkeypatch, capsys)
    made.fill()
    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder for lexicons and corpora, in place of the user's own."""
    from ovmer_bench.lexicon import load_lexicon

    folder = tmp_path / "home"
    monkeypatch.setenv("OVMER_HOME", str(folder))
    load_lexicon.cache_clear()
    yield folder
    load_lexicon.cache_clear()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """With OVMER_NO_SKIPS set, a skipped test fails the run: nobody would see it there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("OVMER_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("OVMER_NO_SKIPS is set and tests were skipped", red=True)
        session.exitstatus = max(int(exitstatus), 1)
