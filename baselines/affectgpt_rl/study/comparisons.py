"""Is one arm above another? Differences over clips and seeds, and when they count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from ovmer_bench.metrics.measures import point
from ovmer_bench.metrics.significance import (
    CONFIDENCE,
    DEFAULT_SEED,
    bootstrap_values,
    false_discovery,
    paired_tests,
)

from .config import Claim, Pair, Score, Verdict
from .scores import RunMeasure, SeedsMeasure

ALPHA = 0.05
_SEEDS_STREAM = 7

Key = tuple[str, str, Score]


@dataclass(frozen=True)
class Difference:
    """Score of ``more`` less score of ``less``, run by run of the same seed.

    Attributes:
        more, less, score: what is compared.
        by_seed: difference of each seed.
        low, high: 95 % bootstrap interval of their mean; clips are drawn for all runs at once,
            and so are the seeds.
        p: two-sided, by approximate randomisation over clips: all answers to a clip, of all
            seeds, change sides together.
        p_corrected: for all comparisons of the study (Benjamini-Hochberg).
    """

    more: str
    less: str
    score: Score
    by_seed: tuple[float, ...]
    low: float
    high: float
    p: float
    p_corrected: float

    @property
    def mean(self) -> float:
        """The difference."""
        return float(np.mean(self.by_seed))

    @property
    def sign(self) -> int:
        """+1 or -1 where the difference counts, 0 where it does not.

        It counts where the interval leaves out 0, every seed agrees on the sign, and the
        corrected p is below 0.05.
        """
        if self.p_corrected >= ALPHA:
            return 0
        if self.low > 0 and min(self.by_seed) > 0:
            return 1
        return -1 if self.high < 0 and max(self.by_seed) < 0 else 0


def differences(
    wanted: Sequence[Key],
    runs: Mapping[str, Sequence[RunMeasure]],
    *,
    draws: int,
    seed: int = DEFAULT_SEED,
) -> list[Difference]:
    """Compare arms that have been run, those with a run missing aside.

    Args:
        wanted: (more, less, score).
        runs: name -> its runs, in the order of the seeds; those of all names are equally many.
        draws: of bootstrap and randomisation.
        seed: of both.
    """
    asked = [key for key in dict.fromkeys(wanted) if key[0] in runs and key[1] in runs]
    pairs: dict[tuple[str, str], list[Score]] = {}
    for more, less, score in asked:
        pairs.setdefault((more, less), []).append(score)
    found = [
        one
        for (more, less), scores in pairs.items()
        for one in _compared((more, less), scores, runs, draws, seed)
    ]
    corrected = false_discovery([one.p for one in found])
    return [replace(one, p_corrected=p) for one, p in zip(found, corrected, strict=True)]


def verdict(claim: Claim, known: Mapping[Key, Difference]) -> Verdict:
    """Judge a claim by the rule of :class:`Claim`.

    ``reproduced``: every comparison counts, in the direction claimed and by as much as asked;
    ``contradicted``: one counts in the other direction; ``not reproduced``: anything else.
    """
    found = [known.get((pair.more, pair.less, pair.score)) for pair in claim.pairs]
    if any(one is None for one in found):
        return "not run"
    pairs = [(pair, one) for pair, one in zip(claim.pairs, found, strict=True) if one is not None]
    if any(one.sign < 0 for _, one in pairs):
        return "contradicted"
    return "reproduced" if all(_holds(pair, one) for pair, one in pairs) else "not reproduced"


def in_points(score: Score, value: float) -> float:
    """A value as it is shown: scores in percent, labels as they are."""
    return value if score == "labels" else 100 * value


def _holds(pair: Pair, one: Difference) -> bool:
    return one.sign > 0 and in_points(pair.score, one.mean) >= pair.at_least


def _compared(
    names: tuple[str, str],
    scores: Sequence[Score],
    runs: Mapping[str, Sequence[RunMeasure]],
    draws: int,
    seed: int,
) -> list[Difference]:
    """Two arms in several scores, p not yet corrected."""
    more, less = (tuple(runs[name]) for name in names)
    n = len(more)
    both = SeedsMeasure((*more, *less), apart=True)
    drawn = bootstrap_values(both, draws=draws, seed=seed)
    total = point(both)
    tests = paired_tests(
        SeedsMeasure(less, apart=False),
        SeedsMeasure(more, apart=False),
        scores,
        draws=draws,
        seed=seed,
    )
    picked = np.random.default_rng([seed, _SEEDS_STREAM]).integers(n, size=(draws, n))
    made = []
    for score in scores:
        by_seed = [total[f"{score}@{i}"] - total[f"{score}@{n + i}"] for i in range(n)]
        each = np.stack([drawn[f"{score}@{i}"] - drawn[f"{score}@{n + i}"] for i in range(n)], 1)
        means = np.take_along_axis(each, picked, axis=1).mean(axis=1)
        tail = (1 - CONFIDENCE) / 2
        low, high = map(float, np.quantile(means, [tail, 1 - tail]))
        p = tests[score].p_randomisation
        made.append(Difference(*names, score, tuple(by_seed), low, high, p, p))
    return made
