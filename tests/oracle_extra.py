"""More of the slow oracle: whole tables of scores, and the same numbers from scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence

import oracle
from oracle import METRICS, Maps

L1 = tuple(m for m in METRICS if m.endswith("L1"))
L2 = tuple(m for m in METRICS if m.endswith("L2"))
PARTS = {"S1": L1, "S2": L2, "M-avg": METRICS, "MER-FG": L1 + L2}

Lists = Sequence[list[str]]


def skill(score: float, expected: float) -> float:
    """(S - S0)/(1 - S0); nothing is left to gain, and skill is 0, where chance is perfect."""
    return 0.0 if 1 - expected < 1e-9 else oracle.skill(score, expected)


def open_scores(gold: Lists, predicted: Lists, maps: Maps) -> dict[str, float]:
    """All sixteen open-vocabulary scores with precision, recall, expectation and skill."""
    scores: dict[str, float] = {}
    for metric in METRICS:
        f, p, r = oracle.corpus_f(list(gold), list(predicted), metric, maps)
        expected, _, _ = oracle.expected_f_over_pairs(list(gold), list(predicted), metric, maps)
        scores |= {metric: f, f"{metric}/precision": p, f"{metric}/recall": r}
        scores[f"{metric}/expected"] = expected
    for name, parts in PARTS.items():
        for suffix in ("", "/precision", "/recall", "/expected"):
            scores[name + suffix] = sum(scores[part + suffix] for part in parts) / len(parts)
    return _with_skill(scores)


def basic_scores(gold: Sequence[str], predicted: Lists, maps: Maps) -> dict[str, float]:
    """Hit rate and mscore, on each wheel and on average, with expectation and skill."""
    scores: dict[str, float] = {}
    for k in range(1, 6):
        for suffix, rule in _BASIC_RULES.items():
            hit, mscore = rule(list(gold), list(predicted), k, maps)
            scores[f"hit_rate-W{k}{suffix}"], scores[f"mscore-W{k}{suffix}"] = hit, mscore
    for name in ("hit_rate", "mscore"):
        for suffix in _BASIC_RULES:
            scores[name + suffix] = sum(scores[f"{name}-W{k}{suffix}"] for k in range(1, 6)) / 5
    return _with_skill(scores)


def sentiment_scores(gold: Sequence[float], predicted: Sequence[int]) -> dict[str, float]:
    """WAF and accuracy with expectation and skill."""
    waf, accuracy = oracle.sentiment(list(gold), list(predicted))
    waf0, accuracy0 = oracle.expected_sentiment_over_pairs(list(gold), list(predicted))
    scores = {"WAF": waf, "ACC": accuracy, "WAF/expected": waf0, "ACC/expected": accuracy0}
    return _with_skill(scores)


def sentiment_by_sklearn(gold: Sequence[float], predicted: Sequence[int]) -> tuple[float, float]:
    """WAF and accuracy as scikit-learn computes them; gold must hold a value that is not 0."""
    from sklearn.metrics import accuracy_score, f1_score

    pairs = [(g > 0, p > 0) for g, p in zip(gold, predicted, strict=True) if g != 0]
    truth, said = zip(*pairs, strict=True)
    waf = f1_score(truth, said, average="weighted", zero_division=0.0)
    return float(waf), float(accuracy_score(truth, said))


def clip_score(gold: list[str], predicted: list[str], maps: Maps) -> float | None:
    """Mean over wheels of one clip's F at level 1; ``None`` where gold stands on no wheel."""
    values = []
    for metric in L1:
        g, p = (oracle.mapped_set(labels, metric, maps) for labels in (gold, predicted))
        if g:
            values.append(oracle.harmonic(*oracle.clip_scores(g, p)))
    return sum(values) / len(values) if values else None


_BASIC_RULES = {"": oracle.basic, "/expected": oracle.expected_basic_over_pairs}


def _with_skill(scores: dict[str, float]) -> dict[str, float]:
    names = [name for name in scores if "/" not in name]
    return scores | {f"{n}/skill": skill(scores[n], scores[f"{n}/expected"]) for n in names}
