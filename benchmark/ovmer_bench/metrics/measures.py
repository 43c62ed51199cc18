"""Statistics -> scores, written once for point estimates, resampling and paired tests.

A *measure* is a set of scores that are smooth functions of sums over clips. It gives, for any
run of clips, one row of columns a clip, and combines column sums into scores. The point
estimate combines the plain sums, a bootstrap draw combines the sums under that draw's
weights, a randomisation test combines sums in which clips were swapped between two systems.
There is no other implementation of any score.

Definitions: docs/metrics.md, sections 1 and 3. Names of scores: ``M1``, ``M2``,
``M3-Wk-Ll``, ``S1``, ``S2``, ``M-avg``, ``MER-FG`` (open vocabulary); ``hit_rate``,
``hit_rate-Wk``, ``mscore``,
``mscore-Wk`` (basic emotions); ``WAF``, ``ACC`` (sentiment). ``NAME/precision``,
``NAME/recall``, ``NAME/expected`` and ``NAME/skill`` belong to score ``NAME``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..lexicon import N_WHEELS
from .statistics import EW_METRICS, ClipStatistics, CodeSets, Floats, bits

CHUNK = 8192
"""Clips whose columns are held at once."""

L1 = tuple(f"M3-W{k}-L1" for k in range(1, N_WHEELS + 1))
L2 = tuple(f"M3-W{k}-L2" for k in range(1, N_WHEELS + 1))
AVERAGES: Mapping[str, tuple[str, ...]] = {
    "S1": L1,
    "S2": L2,
    "MER-FG": (*L1, *L2),
    "M-avg": EW_METRICS,
}
"""Averages of F (and of precision and recall) over metrics. S1 and S2 average five wheels each,
so the mean of the two, the MER-FG score, is the mean over all ten."""

_ROUNDING = 1e-10
"""Sums of shares such as 1/3 are off by less than this, and no real corpus comes this close."""

Values = dict[str, Floats]


class Measure(Protocol):
    """Scores of one system as functions of column sums over its clips."""

    @property
    def main(self) -> str:
        """Name of the score that ranks systems."""

    def __len__(self) -> int:
        """Number of clips."""

    def columns(self, part: slice) -> Floats:
        """Columns of a run of clips, shape (clips, columns)."""

    def combine(self, sums: Floats) -> Values:
        """Scores from column sums of shape (..., columns); every value has shape (...)."""


def chunks(n: int) -> Iterator[slice]:
    """Consecutive runs of at most :data:`CHUNK` of ``n`` clips."""
    for first in range(0, n, CHUNK):
        yield slice(first, min(first + CHUNK, n))


def total(measure: Measure) -> Floats:
    """Column sums over all clips, shape (columns,)."""
    parts = [measure.columns(part).sum(axis=0) for part in chunks(len(measure))]
    return np.asarray(np.sum(parts, axis=0))


def point(measure: Measure) -> dict[str, float]:
    """The scores themselves."""
    return {name: float(value) for name, value in measure.combine(total(measure)).items()}


def harmonic(p: Floats, r: Floats) -> Floats:
    """2pr/(p+r), 0 where both are 0."""
    both = p + r
    return np.divide(2 * p * r, both, out=np.zeros_like(both), where=both > 0)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part/whole, 0 where whole is 0."""
    shape = np.broadcast_shapes(np.shape(part), np.shape(whole))
    return np.divide(part, whole, out=np.zeros(shape), where=np.asarray(whole) != 0)


def skill(score: Floats, expected: Floats) -> Floats:
    """Chance-corrected score (S - S0)/(1 - S0); 0 where chance is already perfect."""
    room = 1 - expected
    return ratio(score - expected, np.where(room > _ROUNDING, room, 0))


@dataclass(frozen=True)
class ShuffleSums:
    """Sums over the kept clips that fix the expected score of shuffled predictions.

    ``n`` has shape (...), the others (..., sectors): ``gold`` of g_i, ``gold_share`` of
    g_i/|g_i|, ``predicted`` of p_j, ``predicted_share`` of p_j/|p_j|, a clip without a
    prediction being a row of zeros.
    """

    n: Floats
    gold: Floats
    gold_share: Floats
    predicted: Floats
    predicted_share: Floats

    def expected_f(self) -> Floats:
        """F of the expected precision and recall (docs/metrics.md, Skill)."""
        pairs = self.n**2
        precision = ratio((self.gold * self.predicted_share).sum(-1), pairs)
        recall = ratio((self.gold_share * self.predicted).sum(-1), pairs)
        return harmonic(precision, recall)


@dataclass(frozen=True)
class EwMeasure:
    """Open-vocabulary emotion-wheel scores: twelve F, their averages, and skill of level 1."""

    statistics: ClipStatistics
    main: str = "S1"

    def __len__(self) -> int:
        return len(self.statistics)

    def columns(self, part: slice) -> Floats:
        rows = []
        for metric in EW_METRICS:
            counts = self.statistics.counts(metric).of(part)
            rows.append(np.stack([counts.kept, counts.precision, counts.recall]) * counts.kept)
        rows += [_share_rows(self.statistics, metric, part) for metric in L1]
        return np.concatenate(rows).T

    def combine(self, sums: Floats) -> Values:
        values: Values = {}
        for i, metric in enumerate(EW_METRICS):
            n, p, r = (sums[..., 3 * i + j] for j in range(3))
            values[f"{metric}/precision"] = ratio(p, n)
            values[f"{metric}/recall"] = ratio(r, n)
            values[metric] = harmonic(values[f"{metric}/precision"], values[f"{metric}/recall"])
        first = 3 * len(EW_METRICS)
        for metric in L1:
            n_sectors = len(self.statistics.sectors(metric))
            block = sums[..., first : first + 4 * n_sectors]
            first += 4 * n_sectors
            n = sums[..., 3 * EW_METRICS.index(metric)]
            shares = ShuffleSums(n, *np.split(block, 4, axis=-1))
            values[f"{metric}/expected"] = shares.expected_f()
        for average, parts in AVERAGES.items():
            for suffix in ("", "/precision", "/recall"):
                terms = [values[f"{part}{suffix}"] for part in parts]
                values[f"{average}{suffix}"] = np.mean(terms, axis=0)
        values["S1/expected"] = np.mean([values[f"{m}/expected"] for m in L1], axis=0)
        for name in ("S1", *L1):
            values[f"{name}/skill"] = skill(values[name], values[f"{name}/expected"])
        return values


def _share_rows(statistics: ClipStatistics, metric: str, part: slice) -> Floats:
    """The four parts of :class:`ShuffleSums`, clip by clip, shape (4 * sectors, clips)."""
    n_sectors = len(statistics.sectors(metric))
    counts = statistics.counts(metric).of(part)
    gold, predicted = (bits(masks[part], n_sectors).T for masks in statistics.masks(metric))
    predicted *= counts.kept
    gold_share = gold / np.maximum(counts.gold, 1)
    predicted_share = predicted / np.maximum(counts.predicted, 1)
    return np.concatenate([gold, gold_share, predicted, predicted_share])


def expected_f(statistics: ClipStatistics, metric: str) -> float:
    """Expectation of the corpus F under ``metric`` when predictions are shuffled over clips.

    Exact, for any of the twelve metrics; source: docs/metrics.md, Skill.
    """
    counts = statistics.counts(metric)
    if metric in ("M1", "M2"):
        gold, predicted = statistics.code_sets(metric)
        g, g_share = _code_sums(gold, counts.gold, counts.kept)
        p, p_share = _code_sums(predicted, counts.predicted, counts.kept)
    else:
        n_sectors = len(statistics.sectors(metric))
        gold_masks, predicted_masks = statistics.masks(metric)
        g, g_share = _mask_sums(gold_masks[counts.kept], n_sectors)
        p, p_share = _mask_sums(predicted_masks[counts.kept], n_sectors)
    n = np.asarray(float(counts.kept.sum()))
    return float(ShuffleSums(n, g, g_share, p, p_share).expected_f())


def _code_sums(
    sets: CodeSets, sizes: NDArray[np.integer], kept: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    weight = kept[sets.clips].astype(np.float64)
    plain = np.bincount(sets.codes, weights=weight, minlength=sets.n_codes)
    shares = np.bincount(sets.codes, weight / sizes[sets.clips], sets.n_codes)
    return plain.astype(np.float64), shares.astype(np.float64)


def _mask_sums(masks: NDArray[np.uint64], n_sectors: int) -> tuple[Floats, Floats]:
    distinct, uses = np.unique(masks, return_counts=True)
    rows, times = bits(distinct, n_sectors), uses.astype(np.float64)
    return times @ rows, (times / np.maximum(np.bitwise_count(distinct), 1)) @ rows


@dataclass(frozen=True)
class BasicMeasure:
    """Hit rate and mscore of basic-emotion corpora: gold is one word, level 1, five wheels."""

    statistics: ClipStatistics
    main: str = "hit_rate"

    def __len__(self) -> int:
        return len(self.statistics)

    @cached_property
    def _candidates(self) -> dict[str, np.uint64]:
        """Sectors of all gold words of the corpus, by metric."""
        return {m: np.bitwise_or.reduce(self.statistics.masks(m)[0]) for m in L1}

    def columns(self, part: slice) -> Floats:
        return np.concatenate([self._wheel(metric, part) for metric in L1], axis=1)

    def _wheel(self, metric: str, part: slice) -> Floats:
        gold_masks, predicted_masks = self.statistics.masks(metric)
        n_sectors = len(self.statistics.sectors(metric))
        gold = bits(gold_masks[part], n_sectors)
        kept = gold.any(1, keepdims=True).astype(np.float64)
        predicted = bits(predicted_masks[part], n_sectors) * kept
        said_candidates = predicted_masks[part] & self._candidates[metric]
        among = np.bitwise_count(said_candidates)[:, None]
        share = ratio(predicted, among)
        hit = (gold * predicted).sum(1, keepdims=True)
        return np.concatenate([kept, hit, ratio(hit, among), gold, predicted, share], axis=1)

    def combine(self, sums: Floats) -> Values:
        values: Values = {}
        first = 0
        for k, metric in enumerate(L1, start=1):
            n_sectors = len(self.statistics.sectors(metric))
            n, hit, mscore = (sums[..., first + j] for j in range(3))
            block = sums[..., first + 3 : first + 3 + 3 * n_sectors]
            first += 3 + 3 * n_sectors
            gold, predicted, share = np.split(block, 3, axis=-1)
            values[f"hit_rate-W{k}"] = ratio(hit, n)
            values[f"hit_rate-W{k}/expected"] = ratio((gold * predicted).sum(-1), n**2)
            values[f"mscore-W{k}"] = ratio(mscore, n)
            values[f"mscore-W{k}/expected"] = ratio((gold * share).sum(-1), n**2)
        for name in ("hit_rate", "mscore"):
            wheels = [f"{name}-W{k}" for k in range(1, N_WHEELS + 1)]
            for suffix in ("", "/expected"):
                values[f"{name}{suffix}"] = np.mean([values[w + suffix] for w in wheels], axis=0)
            for score in (name, *wheels):
                values[f"{score}/skill"] = skill(values[score], values[f"{score}/expected"])
        return values


@dataclass(frozen=True)
class SentimentMeasure:
    """Weighted F1 (WAF) and accuracy of (value > 0); clips whose gold valence is 0 are left out.

    Args:
        gold: gold valences, shape (N,).
        predicted: predicted signs in {-1, 0, +1}, shape (N,).
    """

    gold: Floats
    predicted: Floats
    main: str = "WAF"

    def __len__(self) -> int:
        return len(self.gold)

    def columns(self, part: slice) -> Floats:
        gold, predicted = self.gold[part], self.predicted[part] > 0
        cells = [(gold > 0) & predicted, (gold > 0) & ~predicted]
        cells += [(gold < 0) & predicted, (gold < 0) & ~predicted]
        return np.stack(cells, axis=1).astype(np.float64)

    def combine(self, sums: Floats) -> Values:
        pp, pn, np_, nn = (sums[..., j] for j in range(4))
        n = pp + pn + np_ + nn
        positive, said_positive = pp + pn, pp + np_
        chance_pp = ratio(positive * said_positive, n)
        chance_nn = ratio((n - positive) * (n - said_positive), n)
        values = {
            "WAF": _waf(pp, nn, positive, said_positive, n),
            "WAF/expected": _waf(chance_pp, chance_nn, positive, said_positive, n),
            "ACC": ratio(pp + nn, n),
            "ACC/expected": ratio(chance_pp + chance_nn, n),
        }
        for name in ("WAF", "ACC"):
            values[f"{name}/skill"] = skill(values[name], values[f"{name}/expected"])
        return values


def _waf(pp: Floats, nn: Floats, positive: Floats, said_positive: Floats, n: Floats) -> Floats:
    """F1 of both classes weighted by gold share. Linear in ``pp`` and ``nn`` for fixed margins,
    so its expectation under shuffling is its value at the expected cells."""
    f_positive = ratio(2 * pp, positive + said_positive)
    f_negative = ratio(2 * nn, (n - positive) + (n - said_positive))
    return ratio(positive * f_positive + (n - positive) * f_negative, n)
