"""Labels -> per-clip statistics: the only thing that scores, tests and reports consume.

Label lists are encoded once as integers in compressed rows; a lexicon turns each distinct label
into its codes once; from then on a clip is, per metric, a set of small integers. Sets of
sectors (M3) are bit masks, sets of bases (M1) and of wheel words (M2) are sorted pairs, so
that a million clips fit in memory and every count is a vectorised operation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..lexicon import LEVELS, N_WHEELS, STATUSES, Lexicon

Ints = NDArray[np.int64]
Masks = NDArray[np.uint64]
Sizes = NDArray[np.integer]
Floats = NDArray[np.float64]

M3_METRICS = tuple(f"M3-W{k}-L{level}" for k in range(1, N_WHEELS + 1) for level in LEVELS)
EW_METRICS = ("M1", "M2", *M3_METRICS)
_MASK_BITS = 64


@dataclass(frozen=True)
class LabelRows:
    """Label lists of N clips as compressed rows: clip i holds ``codes[start[i]:start[i + 1]]``."""

    codes: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    @cached_property
    def lengths(self) -> Ints:
        """Labels per clip, repeats counted, shape (N,)."""
        return np.diff(self.start)

    @cached_property
    def clips(self) -> Ints:
        """Clip index of every label, shape (total labels,)."""
        return np.repeat(np.arange(len(self)), self.lengths)


def encode(*sides: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], tuple[LabelRows, ...]]:
    """Encode several equally long lists of label lists over one shared vocabulary."""
    ids = _numbering()
    rows = []
    for lists in sides:
        start = np.zeros(len(lists) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)), out=start[1:])
        labels = chain.from_iterable(lists)
        codes = np.fromiter(map(ids.__getitem__, labels), np.int64, int(start[-1]))
        rows.append(LabelRows(codes, start))
    return tuple(ids), tuple(rows)


@dataclass(frozen=True)
class SetCounts:
    """Sizes of the mapped sets of every clip under one metric, each of shape (N,)."""

    gold: Sizes
    predicted: Sizes
    common: Sizes

    def of(self, part: slice) -> SetCounts:
        """The same for a run of clips."""
        return SetCounts(self.gold[part], self.predicted[part], self.common[part])

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Clips whose mapped gold is not empty: the ones that count."""
        return self.gold > 0

    @property
    def precision(self) -> Floats:
        """|G∩P|/|P|, 0 where P is empty."""
        return self.common / np.maximum(self.predicted, 1)

    @property
    def recall(self) -> Floats:
        """|G∩P|/|G|, 0 where G is empty."""
        return self.common / np.maximum(self.gold, 1)


@dataclass(frozen=True)
class CodeSets:
    """The sets of one side under M1 or M2 as sorted, distinct (clip, code) pairs."""

    clips: Ints
    codes: Ints
    n_codes: int

    @property
    def keys(self) -> Ints:
        """One number a pair, ascending."""
        return self.clips * self.n_codes + self.codes


@dataclass(frozen=True)
class ClipStatistics:
    """Everything a score may depend on, for N clips of gold and predicted labels.

    Attributes:
        lexicon: the lexicon that mapped the labels.
        vocabulary: distinct labels of both sides, in order of first use.
        gold, predicted: label rows over ``vocabulary``.
    """

    lexicon: Lexicon
    vocabulary: tuple[str, ...]
    gold: LabelRows
    predicted: LabelRows

    def __len__(self) -> int:
        return len(self.gold)

    def sectors(self, metric: str) -> tuple[str, ...]:
        """Names of the bits of an M3 metric's masks, lowest bit first."""
        wheel, level = wheel_and_level(metric)
        return self.lexicon.sectors(wheel, level)

    def masks(self, metric: str) -> tuple[Masks, Masks]:
        """Gold and predicted sector sets of an M3 metric as bit masks, each of shape (N,)."""
        return self._masks[metric]

    def code_sets(self, metric: str) -> tuple[CodeSets, CodeSets]:
        """Gold and predicted sets of M1 (bases) or M2 (wheel words)."""
        return self._code_sets[metric]

    def counts(self, metric: str) -> SetCounts:
        """Set sizes of every clip under ``metric``."""
        return self._counts[metric]

    @cached_property
    def _masks(self) -> dict[str, tuple[Masks, Masks]]:
        # Many labels share their places: each set of places is turned into bits once.
        places = _numbering()
        lookup = self.lexicon.lookup
        kind = np.array([places[lookup(label).sectors] for label in self.vocabulary], np.int64)
        result = {}
        for metric in M3_METRICS:
            wheel, level = wheel_and_level(metric)
            bit = {sector: 1 << i for i, sector in enumerate(self.sectors(metric))}
            if len(bit) > _MASK_BITS:
                raise InputError(f"wheel {wheel} has more than {_MASK_BITS} sectors")
            masks = [bit.get(place[wheel - 1][level - 1] or "", 0) for place in places]
            table = np.array(masks, np.uint64)[kind]
            result[metric] = (_union(table, self.gold), _union(table, self.predicted))
        return result

    @cached_property
    def _code_sets(self) -> dict[str, tuple[CodeSets, CodeSets]]:
        entries = [self.lexicon.lookup(label) for label in self.vocabulary]
        named = {"M1": [e.base for e in entries], "M2": [e.wheel_word for e in entries]}
        result = {}
        for metric, names in named.items():
            code = {name: i for i, name in enumerate(dict.fromkeys(filter(None, names)))}
            table = np.array([code[name] if name else -1 for name in names], np.int64)
            n_codes = max(len(code), 1)
            result[metric] = (
                _distinct(table, self.gold, n_codes),
                _distinct(table, self.predicted, n_codes),
            )
        return result

    @cached_property
    def _counts(self) -> dict[str, SetCounts]:
        result = {}
        for metric, (gold, predicted) in self._code_sets.items():
            common = np.intersect1d(gold.keys, predicted.keys, assume_unique=True)
            clips = (gold.clips, predicted.clips, common // gold.n_codes)
            sizes = (np.bincount(c, minlength=len(self)).astype(np.int32) for c in clips)
            result[metric] = SetCounts(*sizes)
        for metric, (g, p) in self._masks.items():
            result[metric] = SetCounts(*(np.bitwise_count(x) for x in (g, p, g & p)))
        return result

    @cached_property
    def status_of(self) -> NDArray[np.int8]:
        """Index into :data:`STATUSES` of every label of the vocabulary."""
        index = {status: i for i, status in enumerate(STATUSES)}
        statuses = (index[self.lexicon.lookup(label).status] for label in self.vocabulary)
        return np.fromiter(statuses, np.int8, len(self.vocabulary))


def clip_statistics(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], lexicon: Lexicon
) -> ClipStatistics:
    """Statistics of N clips from their gold and predicted label lists, in the same order.

    Raises:
        InputError: the two lists differ in length.
    """
    if len(gold) != len(predicted):
        raise InputError(f"{len(gold)} gold clips and {len(predicted)} predicted clips")
    vocabulary, (gold_rows, predicted_rows) = encode(gold, predicted)
    return ClipStatistics(lexicon, vocabulary, gold_rows, predicted_rows)


def wheel_and_level(metric: str) -> tuple[int, int]:
    """``(k, l)`` of the metric ``M3-Wk-Ll``."""
    _, wheel, level = metric.split("-")
    return int(wheel[1:]), int(level[1:])


def bits(masks: Masks, n_sectors: int) -> Floats:
    """0/1 indicator rows of bit masks, shape (N, n_sectors)."""
    shifts = np.arange(n_sectors, dtype=np.uint64)
    return ((masks >> shifts[:, None]) & np.uint64(1)).astype(np.float64).T


def distinct(keys: Ints) -> Ints:
    """Sorted without repeats: ``np.unique``, which hashes and is many times slower here."""
    keys = np.sort(keys)
    is_new = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    return keys[is_new]


def _numbering() -> defaultdict[Any, int]:
    """Numbers things from 0 in the order in which they are first asked for."""
    numbers: defaultdict[Any, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    return numbers


def _union(table: Masks, rows: LabelRows) -> Masks:
    """OR of the labels' masks, clip by clip; an empty clip has no bit set."""
    masks = np.zeros(len(rows), np.uint64)
    filled = rows.lengths > 0
    if filled.any():
        masks[filled] = np.bitwise_or.reduceat(table[rows.codes], rows.start[:-1][filled])
    return masks


def _distinct(table: Ints, rows: LabelRows, n_codes: int) -> CodeSets:
    codes = table[rows.codes] if len(table) else np.zeros(0, np.int64)
    found = codes >= 0
    keys = distinct(rows.clips[found] * n_codes + codes[found])
    return CodeSets(keys // n_codes, keys % n_codes, n_codes)
