"""What a score is made of: sectors, confusions, label counts, and the clips that went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..metrics.clip_scores import clip_f
from ..metrics.scoring import Evaluation
from ..metrics.statistics import ClipStatistics, Floats, Ints, bits


@dataclass(frozen=True)
class SectorHealth:
    """One sector of one wheel over the clips kept.

    Attributes:
        gold, predicted, common: clips whose gold, prediction, both hold the sector.
    """

    wheel: int
    level: int
    name: str
    gold: int
    predicted: int
    common: int

    @property
    def recall(self) -> float | None:
        """common / gold; ``None`` where gold never holds the sector."""
        return self.common / self.gold if self.gold else None

    @property
    def precision(self) -> float | None:
        """common / predicted; ``None`` where the sector is never predicted."""
        return self.common / self.predicted if self.predicted else None


def sector_health(statistics: ClipStatistics, wheel: int, level: int) -> list[SectorHealth]:
    """Gold, predicted and common counts of every sector, in printed order."""
    metric = f"M3-W{wheel}-L{level}"
    gold, predicted = _indicators(statistics, metric)
    counts = (gold.sum(0), predicted.sum(0), (gold * predicted).sum(0))
    names = statistics.sectors(metric)
    return [
        SectorHealth(wheel, level, name, *(int(c[i]) for c in counts))
        for i, name in enumerate(names)
    ]


def confusion(statistics: ClipStatistics, wheel: int) -> Ints:
    """Which sector was said where another was meant, at level 1, shape (sectors, sectors).

    Entry (i, j), i != j: clips whose gold holds i and not j while the prediction holds j and
    not i. Entry (i, i): clips where both hold i. Rows are gold, columns predictions.
    """
    gold, predicted = _indicators(statistics, f"M3-W{wheel}-L1")
    missed, extra = gold * (1 - predicted), predicted * (1 - gold)
    table: Ints = (missed.T @ extra).astype(np.int64)
    np.fill_diagonal(table, (gold * predicted).sum(0).astype(np.int64))
    return table


@dataclass(frozen=True)
class Confusion:
    """``said`` was predicted where ``meant`` was gold, in ``clips`` clips."""

    wheel: int
    meant: str
    said: str
    clips: int


def worst_confusions(statistics: ClipStatistics, wheel: int, most: int = 8) -> list[Confusion]:
    """The most frequent off-diagonal entries of :func:`confusion`."""
    table = confusion(statistics, wheel)
    names = statistics.sectors(f"M3-W{wheel}-L1")
    found = [
        Confusion(wheel, names[i], names[j], int(table[i, j]))
        for i in range(len(names))
        for j in range(len(names))
        if i != j and table[i, j]
    ]
    return sorted(found, key=lambda c: (-c.clips, c.meant, c.said))[:most]


@dataclass(frozen=True)
class ClipCase:
    """One clip with its score and both label lists; ``score`` as :func:`clip_f` gives it."""

    id: str
    score: float
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    subtitle: str


def worst_clips(evaluation: Evaluation, most: int = 20) -> list[ClipCase]:
    """The clips that cost most: lowest score first, then most gold labels, then by id."""
    scores = clip_f(evaluation.statistics)
    order = [i for i in range(len(evaluation.gold)) if not np.isnan(scores[i])]
    gold, ids = evaluation.gold.labels, evaluation.gold.ids
    order.sort(key=lambda i: (scores[i], -len(gold[i]), ids[i]))
    return [_case(evaluation, i, float(scores[i])) for i in order[:most]]


def _case(evaluation: Evaluation, i: int, score: float) -> ClipCase:
    sample = evaluation.gold.samples[i]
    subtitle = sample.subtitle.get("en") or sample.subtitle.get("zh") or ""
    labels = tuple(evaluation.gold.labels[i]), tuple(evaluation.labels[i])
    return ClipCase(sample.id, score, *labels, subtitle)


def label_counts(lists: Sequence[Sequence[str]], most: int = 12) -> list[int]:
    """Clips with 0, 1, ... labels; the last entry holds ``most`` and more."""
    counts = Counter(min(len(labels), most) for labels in lists)
    return [counts[n] for n in range(most + 1)]


def _indicators(statistics: ClipStatistics, metric: str) -> tuple[Floats, Floats]:
    kept = statistics.counts(metric).kept
    n_sectors = len(statistics.sectors(metric))
    gold, predicted = (bits(masks[kept], n_sectors) for masks in statistics.masks(metric))
    return gold, predicted
