"""Is B better than A? Paired tests between systems scored on the same clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ..errors import InputError
from .measures import point
from .scoring import Evaluation
from .significance import DEFAULT_DRAWS, DEFAULT_SEED, PairedTest, false_discovery, paired_tests

DEFAULT_ALPHA = 0.05


@dataclass(frozen=True)
class PairComparison:
    """System ``b`` against system ``a`` in one score.

    Attributes:
        score: name of the score, for example ``S1`` or ``S1/skill``.
        test: difference b - a with its interval and p-values.
        p_corrected: the randomisation p-value, corrected for all pairs compared in this
            score (Benjamini-Hochberg).
        significant: whether ``p_corrected`` is below the level asked for.
    """

    a: str
    b: str
    score: str
    test: PairedTest
    p_corrected: float
    significant: bool


@dataclass(frozen=True)
class Comparison:
    """All pairs of systems on one corpus, score by score, in the order given."""

    corpus: str
    values: dict[str, dict[str, float]]
    pairs: tuple[PairComparison, ...]
    signature: str
    alpha: float
    draws: int
    seed: int


def compare(
    evaluations: Sequence[Evaluation],
    scores: Sequence[str] | None = None,
    *,
    alpha: float = DEFAULT_ALPHA,
    draws: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
) -> Comparison:
    """Compare every pair of systems that :func:`ovmer_bench.evaluate` prepared.

    Args:
        evaluations: two or more systems on the same corpus with the same lexicon.
        scores: names of scores; default: the main score and its skill.
        alpha: level at which a difference counts as real after correction.
        draws: bootstrap and randomisation draws.
        seed: of both.

    Raises:
        InputError: fewer than two systems, two of one name, or systems whose scores are not
            comparable because their signatures differ.
    """
    if len(evaluations) < 2:
        raise InputError("comparing takes at least two systems", hint="Give another file.")
    names = [evaluation.system for evaluation in evaluations]
    if len(set(names)) < len(names):
        raise InputError(f"two systems have one name: {', '.join(names)}")
    main = evaluations[0].measure.main
    scores = list(scores or (main, f"{main}/skill"))
    signatures = {evaluation.signature.text(main) for evaluation in evaluations}
    if len(signatures) > 1:
        raise InputError(
            "scores with different signatures cannot be compared: "
            + " and ".join(sorted(signatures)),
            hint="Score all files with the same options.",
        )
    # Skill of some averages is exact but cannot be drawn, so it has no test.
    testable = point(evaluations[0].measure)
    for score in scores:
        if score not in testable:
            raise InputError(f"no test for score {score!r}", accepted=sorted(testable))
    values = [evaluation.values for evaluation in evaluations]
    pairs = list(combinations(range(len(names)), 2))
    tests = [
        paired_tests(evaluations[i].measure, evaluations[j].measure, scores, draws=draws, seed=seed)
        for i, j in pairs
    ]
    rows = []
    for score in scores:
        corrected = false_discovery([test[score].p_randomisation for test in tests])
        for (i, j), test, p in zip(pairs, tests, corrected, strict=True):
            rows.append(PairComparison(names[i], names[j], score, test[score], p, p < alpha))
    return Comparison(
        corpus=evaluations[0].gold.name,
        values={n: {s: v[s] for s in scores} for n, v in zip(names, values, strict=True)},
        pairs=tuple(rows),
        signature=signatures.pop(),
        alpha=alpha,
        draws=draws,
        seed=seed,
    )
