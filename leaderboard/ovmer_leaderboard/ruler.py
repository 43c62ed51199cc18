"""Live numbers for the page about the ruler: where scores mislead on this very board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from .board import Board, Row, Table
from .svg import INK, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEANINGS = {
    "metric": "the score",
    "level": "ring of the wheels: 1 inner, 2 middle",
    "wheels": "which of the five wheels",
    "lexicon": "what turns words into sectors, with a hash of all its content",
    "parser": "version of the code that reads label lists",
    "extractor": "what read labels out of prose, none where labels were given",
    "corpus": "the clips, with a hash of their ids and gold",
    "n": "clips that count, of all clips",
    "version": "of the scoring package",
    "missing": "clips without a prediction, scored as empty",
}
_COLOURS = {"content-free": "#c4622d", "reference": "#7d8590"}
_SYSTEM = "#8e5aab"


@dataclass(frozen=True)
class Duel:
    """The best content-free answer of a table against its best system."""

    table: Table
    free: Row
    best: Row | None
    below: int
    ranked: int


@dataclass(frozen=True)
class Lost:
    """Labels of one corpus that a lexicon does not know, as shares of 1."""

    task: str
    lexicon: str
    tokens: float
    types: float
    predicted: float
    words: tuple[tuple[str, int], ...]


def ruler_numbers(board: Board, home: Table) -> dict[str, Any]:
    """Context of the page about the ruler."""
    tables = [
        table
        for table in board.tables
        if table.primary and table.signature and table.score == board.task(table.task).main
    ]
    parts = [part.partition(":") for part in (home.signature or "").split("|") if part]
    return {
        "duels": [duel for duel in map(_duel, tables) if duel],
        "lost": _lost(board),
        "widths": _widths(board, tables),
        "scatter": _scatter(home),
        "scatter_title": f"{board.task(home.task).title}, {home.title}",
        "signature": home.signature,
        "signature_parts": [(key, value) for key, _, value in parts],
        "meanings": MEANINGS,
    }


def _duel(table: Table) -> Duel | None:
    free = table.best_content_free
    if free is None:
        return None
    ranked = [row for row in table.rows if row.rank is not None and row.value is not None]
    below = sum((row.value or 0) < (free.value or 0) for row in ranked)
    return Duel(table, free, table.best, below, len(ranked))


def _lost(board: Board) -> list[Lost]:
    made = []
    places = dict.fromkeys((r.task, r.lexicon) for r in board.results if r.vocabulary and r.native)
    for task, lexicon in places:
        found = [
            r.vocabulary
            for r in board.results
            if r.vocabulary and r.native and (r.task, r.lexicon) == (task, lexicon)
        ]
        gold = found[0].gold
        if gold is None:
            continue
        predicted = median(side.predicted.oov_tokens for side in found)
        made.append(
            Lost(
                task,
                lexicon,
                gold.oov_tokens,
                gold.oov_types,
                predicted,
                # The words of a corpus are shown only where the corpus is ours to show.
                gold.unknown_words if board.task(task).embedded else (),
            )
        )
    return made


def _widths(board: Board, tables: Sequence[Table]) -> list[tuple[str, float]]:
    made: dict[str, float] = {}
    for table in tables:
        rows = [
            (row.high - row.low) / 2
            for row in table.rows
            if row.low is not None and row.high is not None and row.role != "content-free"
        ]
        if rows:
            made.setdefault(board.task(table.task).title, median(rows))
    return list(made.items())


def _scatter(table: Table) -> str | None:
    points = [row for row in table.rows if row.value is not None and row.skill is not None]
    if len(points) < 2:
        return None

    def plot(figure: Figure) -> None:
        axis = figure.subplots()
        for role, title in (("system", "systems"), ("reference", "references"),
                            ("content-free", "content-free answers")):  # fmt: skip
            rows = [row for row in points if row.role == role]
            colour = _COLOURS.get(role, _SYSTEM)
            x = [100 * (row.value or 0) for row in rows]
            y = [100 * (row.skill or 0) for row in rows]
            shape = "s" if role == "content-free" else "o"
            if rows:
                axis.plot(x, y, shape, color=colour, markersize=6, alpha=0.75, label=title)
        axis.axhline(0, color=INK, linewidth=0.8, linestyle=(0, (3, 3)))
        axis.set_xlabel("published score")
        axis.set_ylabel("skill")
        axis.set_xlim(left=0)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, loc="upper left")

    return draw(plot, (5.4, 3.4))
