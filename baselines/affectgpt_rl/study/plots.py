"""Plots of a study: runs as dots, arms as means, as SVG text that follows the page in colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from ovmer_bench.reports.svg import picture

from ..runs.plots import COLOURS, GRID, bare_axis
from .comparisons import in_points
from .config import Question, Score
from .results import Results, RunResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES: dict[Score, str] = {
    "S1": "EW-F",
    "S1/skill": "skill",
    "labels": "labels per clip",
    "hits": "hit rate, open gold",
    "hit_rate": "hit rate, one feeling",
    "hit_rate/skill": "skill of the hit rate",
    "WAF": "sentiment, WAF",
    "WAF/skill": "skill of WAF",
}
"""Of the scores, as tables and plots call them."""
_WIDTH = 6.2
_ROW, _AROUND = 0.26, 0.75
_HEIGHT = 3.2


def plot(question: Question, results: Results, name: str) -> str | None:
    """The plot of a question, or ``None``: none is asked for, or nothing has been run.

    Args:
        question: what to draw.
        results: of the study.
        name: letters and dashes, unique on the page.
    """
    arms = [(arm, results.of(arm)) for arm in question.arms]
    arms = [(arm, runs) for arm, runs in arms if runs]
    if not question.plot or not arms:
        return None
    if len(question.plot) == 2:
        return _over(name, arms, question.plot[0], question.plot[1])
    return _rows(name, arms, question.plot[0], set(results.study.cold_starts))


def _rows(
    name: str, arms: Sequence[tuple[str, list[RunResult]]], score: Score, cold: set[str]
) -> str:
    """One row for each arm: its runs as dots, their mean as a line."""

    def draw(figure: Figure) -> None:
        axis = bare_axis(figure)
        for row, (arm, runs) in enumerate(arms):
            values = _values(runs, score)
            colour = COLOURS[1] if arm in cold else COLOURS[0]
            axis.plot([np.mean(values)] * 2, [row - 0.3, row + 0.3], color=colour, linewidth=2.5)
            axis.plot(values, [row] * len(values), "o", color=colour, markersize=4, alpha=0.7)
        axis.set_yticks(range(len(arms)), [arm for arm, _ in arms])
        axis.set_ylim(len(arms) - 0.5, -0.5)
        axis.set_xlabel(TITLES[score])
        axis.grid(axis="x", **GRID)
        axis.tick_params(axis="y", length=0)

    return picture(name, (_WIDTH, _AROUND + _ROW * len(arms)), draw)


def _over(name: str, arms: Sequence[tuple[str, list[RunResult]]], across: Score, up: Score) -> str:
    """One score over another: a dot for each run, the arm's name beside its mean."""

    def draw(figure: Figure) -> None:
        axis = bare_axis(figure)
        for i, (arm, runs) in enumerate(arms):
            x, y = _values(runs, across), _values(runs, up)
            colour: Any = COLOURS[i % len(COLOURS)]
            axis.plot(x, y, "o", color=colour, markersize=5, alpha=0.75, label=arm)
        axis.set_xlabel(TITLES[across])
        axis.set_ylabel(TITLES[up])
        axis.grid(**GRID)
        axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))

    return picture(name, (_WIDTH, _HEIGHT), draw)


def _values(runs: Sequence[RunResult], score: Score) -> list[float]:
    return [in_points(score, run.scores[score]) for run in runs]
