"""What the templates need besides the board: numbers as text, marks, meters, what a row says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .board import Board, Pair, Result, Row, System, Table

DASH = "–"
MANY_LABELS = 1.5
"""Verbosity from which a row is marked: half as many labels again as gold has."""
MANY_UNKNOWN = 0.10
"""Share of unknown labels from which a row is marked."""
SIZES: Mapping[str, float] = {
    "no model": 1,
    "below 1B": 10**9,
    "1B to 4B": 4 * 10**9,
    "4B to 10B": 10**10,
    "10B and more": float("inf"),
    "unknown": 0,
}
"""Classes of size with the number of parameters that they stay below."""
_LONGEST = 120


@dataclass(frozen=True)
class Meter:
    """A score drawn on a rail from 0 to 100; all places are percentages."""

    value: float
    low: float | None
    high: float | None
    chance: float | None


@dataclass(frozen=True)
class Line:
    """A row of a table as it is printed."""

    row: Row
    system: System
    meter: Meter | None
    chance: float | None
    sizes: str
    marks: tuple[str, ...]
    first_of_group: bool


@dataclass(frozen=True)
class Glance:
    """What a table says in three sentences.

    Attributes:
        leaders: rows that share the first rank, highest first.
        next: the first row behind them, and the test of the leader against it.
        runner_up: the second row, and the test of the leader against it.
        fooled: the highest content-free row.
        below_fooled: ranked rows whose value lies below it, of ``ranked``.
        above_fooled: ranked rows that are significantly above every content-free one.
    """

    leaders: tuple[Row, ...]
    next: Row | None
    next_pair: Pair | None
    runner_up: Row | None
    runner_up_pair: Pair | None
    fooled: Row | None
    below_fooled: int
    above_fooled: int
    ranked: int


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction as a percentage without the sign, a dash where there is none."""
    return DASH if value is None else _minus(f"{100 * value:.{digits}f}")


def signed(value: float, digits: int = 2) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return _minus(f"{100 * value:+.{digits}f}")


def _minus(text: str) -> str:
    """A number with a typographic minus, and no sign on a zero."""
    if not text.strip("+-0."):
        return text.lstrip("+-")
    return text.replace("-", "−")


def number(value: float | None, digits: int = 2) -> str:
    """A plain number, a dash where there is none."""
    return DASH if value is None else f"{value:.{digits}f}"


def p_value(p: float) -> str:
    """A p-value, which is never 0."""
    return "< 0.001" if p < 0.0005 else f"{p:.3f}"


def thousands(value: int | None) -> str:
    """A whole number with commas."""
    return DASH if value is None else f"{value:,}"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """An interval of fractions, or nothing."""
    if low is None or high is None:
        return ""
    return f"{percent(low, digits)} to {percent(high, digits)}"


def short(text: str) -> str:
    """Text at the length that a page has room for."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def lines(board: Board, table: Table) -> list[Line]:
    """The rows of a table as they are printed."""
    made, rank = [], None
    for row in table.rows:
        new = row.rank is not None and rank is not None and row.rank != rank
        rank = row.rank if row.rank is not None else rank
        system = board.system(row.system)
        # The mean skill of several corpora says nothing of the mean chance.
        chance = chance_of(row) if table.signature and not row.parts else None
        made.append(Line(row, system, _meter(row, chance), chance, size_class(system), marks(row),
                         new))  # fmt: skip
    return made


def chance_of(row: Row) -> float | None:
    """The score expected by chance, from value and skill."""
    if row.value is None or row.skill is None or row.skill >= 1:
        return None
    return max(0.0, (row.value - row.skill) / (1 - row.skill))


def marks(row: Row) -> tuple[str, ...]:
    """Warnings about how a score came about."""
    found = []
    if row.verbosity is not None and row.verbosity >= MANY_LABELS:
        found.append("verbose")
    if row.oov is not None and row.oov >= MANY_UNKNOWN:
        found.append("unknown words")
    return tuple(found)


def size_class(system: System) -> str:
    """Size as the filter knows it."""
    if system.parameters is None:
        return "unknown" if system.role in ("system", "published") else "no model"
    return next((n for n, limit in SIZES.items() if system.parameters < limit), "10B and more")


def _meter(row: Row, chance: float | None) -> Meter | None:
    if row.value is None:
        return None
    ends = [None if x is None else round(100 * x, 1) for x in (row.low, row.high, chance)]
    return Meter(round(100 * row.value, 1), *ends)


def glance(table: Table) -> Glance | None:
    """The leader, whether the lead is real, and how far the ruler is fooled."""
    ranked = [row for row in table.rows if row.rank is not None and row.value is not None]
    if not ranked:
        return None
    leaders = tuple(row for row in ranked if row.rank == ranked[0].rank)
    behind = next((row for row in ranked if row.rank != ranked[0].rank), None)
    runner_up = ranked[1] if len(ranked) > 1 else None
    fooled = table.best_content_free
    below = [r for r in ranked if fooled and fooled.value and (r.value or 0) < fooled.value]
    return Glance(
        leaders=leaders,
        next=behind,
        next_pair=pair_of(table, behind, ranked[0]),
        runner_up=runner_up,
        runner_up_pair=pair_of(table, runner_up, ranked[0]),
        fooled=fooled,
        below_fooled=len(below),
        above_fooled=sum(row.beats_content_free is True for row in ranked),
        ranked=len(ranked),
    )


def pair_of(table: Table, a: Row | None, b: Row | None) -> Pair | None:
    """The test of ``b`` against ``a`` in ``table``, where it was made."""
    if a is None or b is None or table.pairs is None:
        return None
    if not {a.system, b.system} <= set(table.pairs.systems):
        return None
    return table.pairs.pair(a.system, b.system)


def neighbours(table: Table, name: str, reach: int = 3) -> list[tuple[Row, Pair]]:
    """Rows near ``name`` in ``table`` and the tests of ``name`` against them."""
    rows = [row for row in table.rows if row.value is not None]
    at = next((i for i, row in enumerate(rows) if row.system == name), None)
    if at is None:
        return []
    near = [*rows[:1], *rows[max(at - reach, 1) : at + reach + 1]]
    if table.best_content_free and table.best_content_free not in near:
        near.append(table.best_content_free)
    found = [(row, pair_of(table, row, rows[at])) for row in near if row.system != name]
    return [(row, pair) for row, pair in found if pair is not None]


def warnings(system: System, rows: Sequence[Row]) -> list[str]:
    """What a reader should know before the scores."""
    found = []
    if system.checkpoint_chosen_on_test:
        found.append("A checkpoint or a setting of this system was chosen on test data.")
    loud = [row.verbosity for row in rows if "verbose" in marks(row)]
    if loud:
        most = max(x for x in loud if x is not None)
        found.append(f"It says up to {most:.2f} labels for each label of gold.")
    lost = [row.oov for row in rows if "unknown words" in marks(row)]
    if lost:
        most = max(x for x in lost if x is not None)
        found.append(f"Up to {100 * most:.0f} % of its labels are words that a lexicon lacks.")
    if system.role in ("system", "reference") and any(r.beats_content_free is False for r in rows):
        found.append("On at least one corpus it is not above every content-free answer.")
    return found


def system_facts(system: System) -> list[tuple[str, str]]:
    """What is known of a system, as terms and texts."""
    trained = system.training_data
    chosen = {True: "yes", False: "no", None: ""}[system.checkpoint_chosen_on_test]
    facts = [
        ("Name", system.name),
        ("Model", system.model),
        ("Size", system.size or ""),
        ("Reads", ", ".join(system.modalities)),
        ("Trained on", "" if trained is None else ", ".join(trained) or "nothing"),
        ("Checkpoint chosen on test data", chosen),
        ("Decoding", system.decoding or ""),
        ("Command", system.command or ""),
        ("Code", system.code or ""),
        ("Paper", system.paper or ""),
        ("Citation", system.citation or ""),
        ("Authors", system.authors or ""),
        ("Licence of the predictions", system.licence or ""),
        ("Submitted", system.date or ""),
        ("Notes", system.notes or ""),
    ]
    return [(term, text) for term, text in facts if text]


def histogram(result: Result) -> dict[str, Any] | None:
    """Clips by number of labels, gold beside answers; bars as shares of the longest."""
    if not result.predicted_counts:
        return None
    sides = [counts for counts in (result.gold_counts, result.predicted_counts) if counts]
    longest = max(max(counts) for counts in sides) or 1
    most = len(result.predicted_counts) - 1
    last = max(n for counts in sides for n, count in enumerate(counts) if count or n == 0)
    rows = [
        {
            "labels": f"{n} and more" if n == most else str(n),
            "sides": [(counts[n], round(100 * counts[n] / longest, 1)) for counts in sides],
        }
        for n in range(last + 1)
    ]
    return {"gold": bool(result.gold_counts), "rows": rows}
