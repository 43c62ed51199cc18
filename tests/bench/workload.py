"""Seeded synthetic clips: label lists as models and annotators write them, of any number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ovmer_bench.lexicon import Lexicon
from ovmer_bench.metrics.gold import Gold
from ovmer_bench.metrics.measures import EwMeasure
from ovmer_bench.metrics.scoring import NO_EXTRACTOR, Evaluation
from ovmer_bench.metrics.statistics import clip_statistics
from ovmer_bench.metrics.vocabulary import vocabulary_health

MOST_LABELS = 8
_UNKNOWN_WORDS = 2_000
_UNKNOWN_SHARE = 0.1

Lists = list[list[str]]


def synthetic_clips(n: int, lexicon: Lexicon, seed: int = 0) -> tuple[Lists, Lists]:
    """Gold and predicted lists of 1 to 8 labels: forms of the lexicon, the first ones far more
    often than the last, and one label in ten that no lexicon knows."""
    rng = np.random.default_rng([seed, n])
    forms = np.array(sorted(lexicon.forms), object)
    rng.shuffle(forms)
    unknown = np.array([f"unheard-of {i}" for i in range(_UNKNOWN_WORDS)], object)
    gold, predicted = (_lists(rng, n, forms, unknown) for _ in range(2))
    return gold, predicted


def published_kind(lexicon: Lexicon) -> Lexicon:
    """The same words under the published protocol, which is all that the oracle speaks."""
    return replace(
        lexicon,
        id="bench",
        forms={form: tuple(sorted(bases)) for form, bases in lexicon.forms.items()},
        wheel_words={base: tuple(sorted(w)) for base, w in lexicon.wheel_words.items()},
        alphabetical=True,
        canonical=None,
        _entries={},
    )


def all_metrics(
    gold: Lists, predicted: Lists, lexicon: Lexicon
) -> tuple[Evaluation, dict[str, float]]:
    """Statistics, every score with skill, and vocabulary health: labels to all numbers."""
    statistics = clip_statistics(gold, predicted, lexicon)
    evaluation = Evaluation(
        system="bench",
        gold=Gold("bench", "open", (), ""),
        labels=predicted,
        statistics=statistics,
        measure=EwMeasure(statistics),
        extractor=NO_EXTRACTOR,
        missing=0,
    )
    vocabulary_health(statistics, has_gold_labels=True)
    return evaluation, evaluation.values


def _lists(rng: np.random.Generator, n: int, forms: np.ndarray, unknown: np.ndarray) -> Lists:
    sizes = rng.integers(1, MOST_LABELS + 1, n)
    total = int(sizes.sum())
    ranks = (len(forms) ** rng.random(total)).astype(np.int64) - 1
    labels = forms[ranks]
    strange = rng.random(total) < _UNKNOWN_SHARE
    labels[strange] = unknown[rng.integers(0, len(unknown), int(strange.sum()))]
    flat = labels.tolist()
    ends = np.cumsum(sizes).tolist()
    return [flat[end - size : end] for end, size in zip(ends, sizes.tolist(), strict=True)]
