"""Seeded resampling over clips: bootstrap intervals and paired tests.

All of it works on column sums (``measures``): a bootstrap draw weighs every clip by the number
of times it was drawn, a randomisation draw swaps the two systems' columns of half the clips.
Clips are visited in chunks with a random stream of their own, so memory does not grow with
draws times clips, and the result depends on nothing but the data and the seed.

Sources: Efron & Tibshirani 1993 (percentile bootstrap); Noreen 1989 (approximate
randomisation); Benjamini & Hochberg 1995 (false discovery rate).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .measures import Measure, Values, chunks, total
from .statistics import Floats

DEFAULT_DRAWS = 1000
DEFAULT_SEED = 12345
CONFIDENCE = 0.95
_THREADS = 2

ChunkSums = Callable[[int, slice], tuple[Floats, ...]]


@dataclass(frozen=True)
class Interval:
    """A percentile interval at :data:`CONFIDENCE`."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """Difference B - A of one score of two systems on the same clips.

    Attributes:
        difference: of the point estimates.
        interval: bootstrap interval of the difference, clips drawn for both systems at once.
        p_bootstrap: two-sided, from the bootstrap distribution shifted to the null.
        p_randomisation: two-sided, by approximate randomisation.
    """

    difference: float
    interval: Interval
    p_bootstrap: float
    p_randomisation: float


def bootstrap(
    measure: Measure, *, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED
) -> dict[str, Interval]:
    """Bootstrap interval of every score of ``measure``."""
    drawn = bootstrap_values(measure, draws=draws, seed=seed)
    return {name: _interval(values) for name, values in drawn.items()}


def bootstrap_values(
    measure: Measure, *, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED
) -> Values:
    """Every score of ``measure`` under each bootstrap draw, shape (draws,) each."""
    (sums,) = _bootstrap_sums([measure], draws, seed)
    return measure.combine(sums)


def paired_tests(
    a: Measure,
    b: Measure,
    names: Sequence[str],
    *,
    draws: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
) -> dict[str, PairedTest]:
    """Paired bootstrap and approximate randomisation for the scores ``names``.

    ``a`` and ``b`` must hold the same clips in the same order.
    """
    total_a, total_b = total(a), total(b)
    point = _difference(a.combine(total_a), b.combine(total_b))
    drawn_a, drawn_b = _bootstrap_sums([a, b], draws, seed)
    drawn = _difference(a.combine(drawn_a), b.combine(drawn_b))
    (moved,) = _swapped_sums(a, b, draws, seed)
    null = _difference(a.combine(total_a + moved), b.combine(total_b - moved))
    tests = {}
    for name in names:
        observed = float(point[name])
        shifted = np.abs(drawn[name] - drawn[name].mean())
        tests[name] = PairedTest(
            difference=observed,
            interval=_interval(drawn[name]),
            p_bootstrap=_p_value(shifted, observed),
            p_randomisation=_p_value(np.abs(null[name]), observed),
        )
    return tests


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for the number of comparisons (Benjamini-Hochberg)."""
    from scipy.stats import false_discovery_control

    if not p_values:
        return []
    return [float(p) for p in false_discovery_control(p_values)]


def _difference(a: Mapping[str, Floats], b: Mapping[str, Floats]) -> Values:
    return {name: b[name] - a[name] for name in a}


def _bootstrap_sums(measures: Sequence[Measure], draws: int, seed: int) -> list[Floats]:
    """Column sums of every measure under the same ``draws`` resamples, (draws, columns) each."""
    n = len(measures[0])
    sizes = [part.stop - part.start for part in chunks(n)]
    # Drawing n clips of n is drawing each chunk's number first, then clips within the chunk.
    rng = np.random.default_rng([seed, 0])
    taken = rng.multinomial(n, np.array(sizes) / n, size=draws)

    def chunk_sums(index: int, part: slice) -> tuple[Floats, ...]:
        rng = np.random.default_rng([seed, 1, index])
        size = sizes[index]
        weights = np.empty((draws, size))
        for row, count in zip(weights, taken[:, index], strict=True):
            row[:] = np.bincount(rng.integers(size, size=count), minlength=size)
        return tuple(weights @ measure.columns(part) for measure in measures)

    return _add_up(chunk_sums, n)


def _swapped_sums(a: Measure, b: Measure, draws: int, seed: int) -> list[Floats]:
    """What the sums of ``a`` gain, and those of ``b`` lose, when half the clips are swapped."""

    def chunk_sums(index: int, part: slice) -> tuple[Floats, ...]:
        rng = np.random.default_rng([seed, 2, index])
        swap = rng.integers(2, size=(draws, part.stop - part.start), dtype=np.int8)
        return (swap.astype(np.float64) @ (b.columns(part) - a.columns(part)),)

    return _add_up(chunk_sums, len(a))


def _add_up(chunk_sums: ChunkSums, n: int) -> list[Floats]:
    from threadpoolctl import threadpool_limits

    parts = list(enumerate(chunks(n)))
    added: list[Floats] = []
    # One BLAS thread in each of ours: twice as many would spin and wait for each other.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(_THREADS, len(parts))) as pool:
        for sums in pool.map(lambda task: chunk_sums(*task), parts):
            added = [x + y for x, y in zip(added, sums, strict=True)] if added else list(sums)
    return added


def _interval(values: Floats) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _p_value(null: Floats, observed: float) -> float:
    return float((1 + np.sum(null >= abs(observed) - 1e-12)) / (1 + len(null)))
