"""Reported rows: exactly the numbers of the papers, each with its citation."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest
from ovmer_bench.corpora.registry import CORPORA, MER_UNIBENCH
from ovmer_leaderboard.board import AS_PUBLISHED, UNIBENCH, Table
from ovmer_leaderboard.collect import collect
from ovmer_leaderboard.published import Published, published

UNIBENCH_ROWS = """
AffectGPT 78.54 78.80 55.65 60.54 81.30 80.90 88.49 86.18 62.52 74.77
Emotion-LLaMA 59.38 73.62 46.76 55.47 66.13 67.66 78.32 77.23 52.97 64.17
PandaGPT 40.21 51.89 37.88 44.04 61.92 67.61 68.38 67.23 37.12 52.92
"""
OVMERD_ROWS = (
    "Qwen-Audio 31.84, Otter 39.41, Video-LLaMA 40.31, VideoChat 37.58, SECap 42.43,"
    " Video-LLaVA 43.27, SALMONN 43.53, VideoChat2 42.65, Video-ChatGPT 46.02, LLaMA-VID 45.81,"
    " mPLUG-Owl 45.63, Chat-UniVi 46.75"
)


@pytest.fixture(scope="module")
def rows() -> dict[str, Published]:
    return {paper.system.title: paper for paper in published()}


def values(paper: Published) -> dict[str, str]:
    """Percent as printed, by task."""
    return {
        result.task: f"{100 * score.value:.2f}"
        for result in paper.results
        for score in result.scores.values()
    }


@pytest.mark.parametrize("line", UNIBENCH_ROWS.strip().splitlines())
def test_unibench_rows(rows: dict[str, Published], line: str) -> None:
    title, *numbers = line.split()
    paper = rows[title]
    assert values(paper) == dict(zip((*MER_UNIBENCH, UNIBENCH), numbers, strict=True))
    assert paper.system.citation == "arXiv 2501.16566"
    assert paper.system.modalities == ("audio", "visual", "text")
    assert fmean(map(float, numbers[:-1])) == pytest.approx(float(numbers[-1]), abs=0.005)


def test_ovmerd_rows(rows: dict[str, Published]) -> None:
    stated = dict(item.strip().rsplit(" ", 1) for item in OVMERD_ROWS.split(","))
    found = {t: p for t, p in rows.items() if p.system.citation == "arXiv 2410.01495"}
    assert {title: values(paper) for title, paper in found.items()} == {
        title: {"ovmerd": number} for title, number in stated.items()
    }


def test_affectgpt_r1_rows(rows: dict[str, Published]) -> None:
    found = {t: values(p) for t, p in rows.items() if p.system.citation == "arXiv 2508.01318"}
    assert found == {
        "AffectGPT-R1": {UNIBENCH: "79.48"},
        "AffectGPT-R1, without thinking": {"ovmerdplus": "68.39"},
        "AffectGPT-R1, with thinking": {"ovmerdplus": "66.49"},
    }


def test_nothing_else_is_reported(rows: dict[str, Published]) -> None:
    assert len(published()) == len(rows) == 3 + 12 + 3


def test_every_row_is_cited_and_only_reported(rows: dict[str, Published]) -> None:
    for paper in rows.values():
        assert paper.system.role == "published"
        assert paper.system.name.startswith("paper-")
        assert (paper.system.paper or "").endswith((paper.system.citation or "").split()[-1])
        for result in paper.results:
            assert (result.lexicon, result.evidence) == (AS_PUBLISHED, "reported")
            assert result.citation == paper.system.citation
            (score,) = result.scores.values()
            assert score.signature is None and score.low is None and score.skill is None
            if result.task != UNIBENCH:
                assert score.name == CORPORA[result.task].main_score


def test_reported_rows_stand_in_order_without_rank(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    board = collect(tmp_path / "submissions")
    assert board.tables and all(table.lexicon == AS_PUBLISHED for table in board.tables)
    for table in board.tables:
        assert (table.signature, table.method, table.pairs) == (None, "none", None)
        shown = [row.value for row in table.rows]
        assert shown == sorted(shown, reverse=True)  # type: ignore[type-var]
        assert {row.rank for row in table.rows} == {None}
        assert all(row.citation for row in table.rows)


def test_a_reported_mean_without_parts_says_so(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    table: Table
    (table,) = collect(tmp_path / "submissions").tables_of(UNIBENCH)
    rows = {row.system: row for row in table.rows}
    assert set(rows["paper-affectgpt-r1"].parts.values()) == {None}
    assert rows["paper-affectgpt"].parts["meld"] == 0.5565


def test_reported_rows_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    board = collect(tmp_path / "submissions", with_published=False)
    assert (board.systems, board.tables, board.results) == ((), (), ())
