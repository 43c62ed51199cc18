"""Vocabulary health: what a lexicon lost of gold and of predictions, and who talks too much."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from ..lexicon import STATUSES
from .statistics import ClipStatistics, LabelRows, distinct

TOP_WORDS = 10


@dataclass(frozen=True)
class SideHealth:
    """Labels of one side, gold or prediction.

    Attributes:
        tokens: labels, repeats counted.
        types: distinct labels.
        token_status, type_status: how many of each are ``feeling``, ``neutral``,
            ``no-feeling`` and ``unknown``; only ``feeling`` stands on a wheel.
        unknown_words: the most frequent unknown labels with their counts.
        labels_per_clip, labels_per_clip_p95: mean and 95th percentile.
        empty_clips: clips without a label.
        duplicate_labels: labels repeated within their own clip.
    """

    tokens: int
    types: int
    token_status: dict[str, int]
    type_status: dict[str, int]
    unknown_words: tuple[tuple[str, int], ...]
    labels_per_clip: float
    labels_per_clip_p95: float
    empty_clips: int
    duplicate_labels: int

    @property
    def oov_tokens(self) -> float:
        """Out-of-vocabulary rate of labels, in [0, 1]."""
        return self.token_status["unknown"] / self.tokens if self.tokens else 0.0

    @property
    def oov_types(self) -> float:
        """Out-of-vocabulary rate of distinct labels, in [0, 1]."""
        return self.type_status["unknown"] / self.types if self.types else 0.0


@dataclass(frozen=True)
class VocabularyHealth:
    """Both sides, and *verbosity*: predicted labels per clip over gold labels per clip."""

    gold: SideHealth | None
    predicted: SideHealth
    verbosity: float | None


def vocabulary_health(statistics: ClipStatistics, has_gold_labels: bool) -> VocabularyHealth:
    """Health of both sides; gold is ``None`` where gold is not words (sentiment corpora)."""
    predicted = _side(statistics, statistics.predicted)
    if not has_gold_labels:
        return VocabularyHealth(None, predicted, None)
    gold = _side(statistics, statistics.gold)
    verbosity = predicted.labels_per_clip / gold.labels_per_clip if gold.tokens else None
    return VocabularyHealth(gold, predicted, verbosity)


def _side(statistics: ClipStatistics, rows: LabelRows) -> SideHealth:
    uses = np.bincount(rows.codes, minlength=len(statistics.vocabulary))
    present = uses > 0
    status = statistics.status_of
    n = len(STATUSES)
    tokens = np.bincount(status, weights=uses, minlength=n).astype(int).tolist()
    types = np.bincount(status[present], minlength=n).tolist()
    unknown = np.flatnonzero(present & (status == STATUSES.index("unknown")))
    counted = Counter({statistics.vocabulary[i]: int(uses[i]) for i in unknown})
    top = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:TOP_WORDS]
    keys = rows.clips * max(len(statistics.vocabulary), 1) + rows.codes
    return SideHealth(
        tokens=len(rows.codes),
        types=int(present.sum()),
        token_status=dict(zip(STATUSES, tokens, strict=True)),
        type_status=dict(zip(STATUSES, types, strict=True)),
        unknown_words=tuple(top),
        labels_per_clip=float(rows.lengths.mean()) if len(rows) else 0.0,
        labels_per_clip_p95=float(np.quantile(rows.lengths, 0.95)) if len(rows) else 0.0,
        empty_clips=int((rows.lengths == 0).sum()),
        duplicate_labels=len(rows.codes) - len(distinct(keys)),
    )
