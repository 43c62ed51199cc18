"""Who is ahead, and whether the difference is real.

All systems of a table were drawn with the same bootstrap weights, so the difference of two
systems' draws is a paired bootstrap (Efron & Tibshirani 1993); p-values are two-sided, from the
draws shifted to the null, and corrected over all pairs of the table (Benjamini & Hochberg 1995).
Where only signed-off reports are at hand, the standard errors of two intervals are added as if
the systems had been scored on different clips, which finds fewer differences, not more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from ovmer_bench.metrics.comparison import DEFAULT_ALPHA
from ovmer_bench.metrics.significance import CONFIDENCE, false_discovery

from .board import Matrix, Method, Pairs, Row
from .scoring import Drawn

Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
_TIE = 1e-12


@dataclass(frozen=True)
class Tests:
    """Tests of all pairs of a table, and by which method."""

    method: Method
    pairs: Pairs | None


def in_order(rows: Sequence[Row]) -> list[Row]:
    """Highest value first, ties by name; rows without value last."""
    return sorted(rows, key=lambda row: (row.value is None, -(row.value or 0), row.system))


def compare_rows(
    rows: Sequence[Row], drawn: Mapping[str, Drawn], alpha: float = DEFAULT_ALPHA
) -> Tests:
    """Test all pairs of rows that have a value.

    Args:
        rows: of one table.
        drawn: scores of each system under every draw; where one is missing, intervals are
            compared instead.
    """
    tested = [row for row in rows if row.value is not None]
    if len(tested) < 2:
        return Tests("none", None)
    if all(row.system in drawn for row in tested):
        return Tests("paired", _paired(tested, drawn, alpha))
    if all(row.low is not None for row in tested):
        return Tests("unpaired", _unpaired(tested, alpha))
    return Tests("none", None)


def ranked(rows: Sequence[Row], tests: Tests) -> tuple[Row, ...]:
    """Rows in order with ranks, and with how they stand against content-free answers.

    Going down, a system shares the rank of the highest one from which it does not differ
    significantly; the first that does differ opens the next rank.
    """
    ordered = in_order(rows)
    if tests.pairs is None:
        alone = [row for row in ordered if _competes(row)]
        only = alone[0].system if len(alone) == 1 else None
        return tuple(replace(row, rank=1) if row.system == only else row for row in ordered)
    index = {system: i for i, system in enumerate(tests.pairs.systems)}
    differs = tests.pairs.p_corrected < tests.pairs.alpha
    free = [row for row in ordered if row.role == "content-free" and row.value is not None]
    done: list[Row] = []
    leader, rank, place = -1, 0, 0
    for row in ordered:
        if _competes(row):
            place += 1
            if leader < 0 or differs[leader, index[row.system]]:
                leader, rank = index[row.system], place
            row = replace(row, rank=rank, beats_content_free=_beats(row, free, differs, index))
        done.append(row)
    return tuple(done)


def half_width(row: Row) -> float:
    """Standard error behind a row's interval."""
    return ((row.high or 0) - (row.low or 0)) / (2 * Z)


def _competes(row: Row) -> bool:
    return row.value is not None and row.role in ("system", "reference")


def _beats(
    row: Row, free: Sequence[Row], differs: np.ndarray, index: Mapping[str, int]
) -> bool | None:
    if not free:
        return None
    i = index[row.system]
    return all((row.value or 0) > (f.value or 0) and differs[i, index[f.system]] for f in free)


def _paired(rows: Sequence[Row], drawn: Mapping[str, Drawn], alpha: float) -> Pairs:
    draws = np.stack([drawn[row.system] for row in rows])
    values = np.array([row.value for row in rows], np.float64)
    n = len(rows)
    low, high, p = np.zeros((n, n)), np.zeros((n, n)), np.ones((n, n))
    tail = (1 - CONFIDENCE) / 2
    for i in range(n - 1):
        later = slice(i + 1, n)
        moved = draws[later] - draws[i]
        low[i, later], high[i, later] = np.quantile(moved, [tail, 1 - tail], axis=1)
        moved -= moved.mean(axis=1, keepdims=True)
        observed = np.abs(values[later] - values[i])
        beyond = (np.abs(moved) >= observed[:, None] - _TIE).sum(axis=1)
        p[i, later] = (1 + beyond) / (1 + draws.shape[1])
    return _pairs(rows, values, low, high, p, alpha)


def _unpaired(rows: Sequence[Row], alpha: float) -> Pairs:
    values = np.array([row.value for row in rows], np.float64)
    errors = np.array([half_width(row) for row in rows])
    spread = np.hypot(errors[:, None], errors[None, :])
    difference = values[None, :] - values[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(difference == 0, 0.0, np.abs(difference) / spread)
    p = np.vectorize(math.erfc, otypes=[np.float64])(z / math.sqrt(2))
    return _pairs(rows, values, difference - Z * spread, difference + Z * spread, p, alpha)


def _pairs(
    rows: Sequence[Row],
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    p: np.ndarray,
    alpha: float,
) -> Pairs:
    """Matrices from their upper triangles."""
    upper = np.triu_indices(len(rows), 1)
    corrected = np.ones_like(p)
    corrected[upper] = false_discovery(p[upper].tolist())

    def mirrored(matrix: np.ndarray) -> Matrix:
        triangle = np.triu(matrix, 1)
        return np.asarray(triangle + triangle.T + np.eye(len(rows)), np.float32)

    low, high = np.triu(low, 1), np.triu(high, 1)
    return Pairs(
        systems=tuple(row.system for row in rows),
        difference=np.asarray(values[None, :] - values[:, None], np.float32),
        low=np.asarray(low - high.T, np.float32),
        high=np.asarray(high - low.T, np.float32),
        p=mirrored(p),
        p_corrected=mirrored(corrected),
        alpha=alpha,
    )
