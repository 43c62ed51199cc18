"""Scores of one clip at a time: for rewards, per-clip tables and worst-clip lists."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..lexicon import BUILTIN_ID, N_WHEELS, Lexicon, load_lexicon
from .measures import L1
from .statistics import ClipStatistics, Floats


class ClipScorer:
    """EW-F of single clips at level 1, made for many calls with few distinct labels.

    A label becomes one integer, its sectors on the five wheels side by side; a set of labels
    is the OR of its integers.

    Args:
        lexicon: the lexicon that maps labels.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._codes: dict[str, int] = {}
        self._bits: list[dict[str, int]] = []
        self._fields: list[int] = []
        first = 0
        for wheel in range(1, N_WHEELS + 1):
            sectors = lexicon.sectors(wheel, 1)
            self._bits.append({s: 1 << (first + i) for i, s in enumerate(sectors)})
            self._fields.append(((1 << len(sectors)) - 1) << first)
            first += len(sectors)

    def __call__(self, predicted: Iterable[str], gold: Iterable[str]) -> float:
        """Mean over wheels of the clip's F at level 1, in [0, 1].

        Wheels on which no gold label stands are left out, as the corpus score leaves out such
        clips; 0 where no wheel is left. Source: docs/metrics.md, One clip.
        """
        p, g = self._set(predicted), self._set(gold)
        total, wheels = 0.0, 0
        for field in self._fields:
            g_k = g & field
            if not g_k:
                continue
            wheels += 1
            # F = 2|G∩P| / (|G| + |P|), the harmonic mean of |G∩P|/|P| and |G∩P|/|G|.
            total += 2 * (g_k & p).bit_count() / (g_k.bit_count() + (p & field).bit_count())
        return total / wheels if wheels else 0.0

    def _set(self, labels: Iterable[str]) -> int:
        result = 0
        for label in labels:
            code = self._codes.get(label)
            result |= self._encode(label) if code is None else code
        return result

    def _encode(self, label: str) -> int:
        sectors = self.lexicon.lookup(label.strip().lower()).sectors
        code = sum(
            table[level1]
            for table, (level1, _) in zip(self._bits, sectors, strict=True)
            if level1 is not None
        )
        self._codes[label] = code
        return code


def sample_f(
    predicted: Iterable[str], gold: Iterable[str], lexicon: str | Lexicon = BUILTIN_ID
) -> float:
    """EW-F of one clip: :meth:`ClipScorer.__call__` with a lexicon given by id."""
    if isinstance(lexicon, str):
        lexicon = load_lexicon(lexicon)
    return ClipScorer(lexicon)(predicted, gold)


def clip_f(statistics: ClipStatistics) -> Floats:
    """:class:`ClipScorer`'s score for every clip, shape (N,); NaN where no wheel holds gold."""
    total = np.zeros(len(statistics))
    wheels = np.zeros(len(statistics))
    for metric in L1:
        counts = statistics.counts(metric)
        sizes = np.maximum(counts.gold.astype(np.int64) + counts.predicted, 1)
        total += np.where(counts.kept, 2 * counts.common.astype(np.int64) / sizes, 0)
        wheels += counts.kept
    nowhere = np.full(len(statistics), np.nan)
    return np.asarray(np.divide(total, wheels, out=nowhere, where=wheels > 0))
