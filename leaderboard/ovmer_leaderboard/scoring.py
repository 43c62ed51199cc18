"""Predictions of a submission -> results: scored by the ruler, taken apart for the pages."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ovmer_bench.lexicon import LEVELS, N_WHEELS, Lexicon
from ovmer_bench.metrics.clip_scores import clip_f
from ovmer_bench.metrics.gold import Gold
from ovmer_bench.metrics.measures import Measure, Values
from ovmer_bench.metrics.score_report import Score as ReportScore
from ovmer_bench.metrics.score_report import ScoreReport
from ovmer_bench.metrics.scoring import SCORES, Evaluation, evaluate
from ovmer_bench.metrics.statistics import Floats
from ovmer_bench.metrics.vocabulary import SideHealth, VocabularyHealth
from ovmer_bench.reading.readers import PredictionFile
from ovmer_bench.reading.schema import Prediction
from ovmer_bench.reports.diagnostics import confusion, label_counts, sector_health
from ovmer_bench.submission.safety import harmless_label

from .board import (
    MOST_LABELS,
    Answer,
    Confusion,
    Evidence,
    LexiconInfo,
    Result,
    Score,
    Sector,
    SideVocabulary,
    Vocabulary,
)

MOST_CASES = 12
RANKED: Mapping[str, tuple[str, ...]] = {
    "open": ("S1", "S2", "MER-FG", "M-avg"),
    "basic": ("hit_rate", "mscore"),
    "sentiment": ("WAF", "ACC"),
}
"""Scores that have a table, by kind of gold."""

Drawn = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """A result with what ranking needs.

    Attributes:
        drawn: the ranked scores under every bootstrap draw, the same draws for all systems on
            a corpus; empty where predictions were not scored now.
    """

    result: Result
    report: ScoreReport
    drawn: Mapping[str, Drawn] = field(default_factory=dict)


@dataclass(frozen=True)
class _Recorded:
    """A measure that keeps what its scores were under every draw."""

    measure: Measure
    keep: tuple[str, ...]
    drawn: dict[str, Drawn] = field(default_factory=dict)

    @property
    def main(self) -> str:
        return self.measure.main

    def __len__(self) -> int:
        return len(self.measure)

    def columns(self, part: slice) -> Floats:
        return self.measure.columns(part)

    def combine(self, sums: Floats) -> Values:
        values = self.measure.combine(sums)
        if sums.ndim > 1:
            self.drawn.update({name: values[name] for name in self.keep})
        return values


def is_raw(predictions: PredictionFile) -> bool:
    """Whether any prediction is raw text, to be read by an extractor."""
    return any(prediction.output is not None for prediction in predictions.predictions)


def as_text(predictions: PredictionFile) -> list[Prediction]:
    """Label lists written out, so that they are read as the answers of a model are."""
    return [
        p if p.output is not None else Prediction(p.id, output=json.dumps(list(p.labels or ())))
        for p in predictions.predictions
    ]


def score_now(
    system: str,
    predictions: PredictionFile,
    gold: Gold,
    lexicon: Lexicon,
    *,
    embedded: bool,
    native: bool = True,
    draws: int,
    seed: int,
) -> Scored | None:
    """Score predictions; ``None`` where another lexicon would do it (signs of sentiment)."""
    source = predictions if native else as_text(predictions)
    evaluation = evaluate(source, gold, lexicon=lexicon, system=system)
    if evaluation.statistics.lexicon.id != lexicon.id:
        return None
    recorded = _Recorded(evaluation.measure, RANKED[gold.kind])
    report = dataclasses.replace(evaluation, measure=recorded).report(draws=draws, seed=seed)
    result = result_of(report, system, "rescored", native=native)
    if native:
        result = _with_details(result, evaluation, embedded)
    return Scored(result, report, recorded.drawn)


def result_of(
    report: ScoreReport, system: str, evidence: Evidence, *, native: bool = True
) -> Result:
    """What a score report says, as a result."""
    return Result(
        system=system,
        task=report.corpus,
        lexicon=report.lexicon,
        evidence=evidence,
        scores={name: _score(report.scores[name]) for name in SCORES[report.kind]},
        extractor=report.extractor,
        native=native,
        n_scored=report.n_scored,
        n_total=report.n_total,
        version=report.version,
        predictions_sha256=report.predictions_sha256,
        vocabulary=_vocabulary(report.vocabulary),
    )


def lexicon_info(lexicon: Lexicon) -> LexiconInfo:
    """Names of wheels and sectors of a lexicon."""
    return LexiconInfo(
        id=lexicon.id,
        sha256=lexicon.sha256,
        wheels=tuple(wheel.name for wheel in lexicon.wheels),
        sectors=tuple((wheel.sectors(1), wheel.sectors(2)) for wheel in lexicon.wheels),
        parents=tuple(_parents(lexicon, k) for k in range(1, N_WHEELS + 1)),
    )


def _parents(lexicon: Lexicon, wheel: int) -> dict[str, str]:
    """The level-1 sector of every level-2 sector of one wheel."""
    printed = lexicon.wheels[wheel - 1]
    return {level2: printed.level1[word] for word, level2 in printed.level2.items()}


def _with_details(result: Result, evaluation: Evaluation, embedded: bool) -> Result:
    """``result`` with sectors, confusions and clips, as far as its corpus has them."""
    predicted_counts = tuple(label_counts(evaluation.labels))
    if evaluation.gold.kind == "sentiment":
        return dataclasses.replace(result, predicted_counts=predicted_counts)
    statistics = evaluation.statistics
    lexicon = statistics.lexicon
    sectors = []
    for k in range(1, N_WHEELS + 1):
        parents = _parents(lexicon, k)
        for level in LEVELS:
            for s in sector_health(statistics, k, level):
                counts = (s.gold, s.predicted, s.common, s.recall, s.precision)
                parent = parents[s.name] if level > 1 else None
                sectors.append(Sector(k, level, s.name, parent, *counts))
    answers = _answers(evaluation) if embedded else ()
    worst, best = _cases(answers, evaluation.gold.labels)
    return dataclasses.replace(
        result,
        sectors=tuple(sectors),
        confusion=tuple(_confusion(evaluation, k) for k in range(1, N_WHEELS + 1)),
        gold_counts=tuple(label_counts(evaluation.gold.labels)),
        predicted_counts=predicted_counts,
        answers=answers,
        worst=worst,
        best=best,
    )


def _confusion(evaluation: Evaluation, wheel: int) -> Confusion:
    table = confusion(evaluation.statistics, wheel).tolist()
    names = evaluation.statistics.lexicon.sectors(wheel, 1)
    return Confusion(wheel, names, tuple(tuple(row) for row in table))


def _answers(evaluation: Evaluation) -> tuple[Answer, ...]:
    scores = clip_f(evaluation.statistics).tolist()
    answers = []
    for clip, f, labels in zip(evaluation.gold.ids, scores, evaluation.labels, strict=True):
        shown = tuple(harmless_label(label) for label in labels[:MOST_LABELS])
        more = max(len(labels) - MOST_LABELS, 0)
        answers.append(Answer(clip, None if math.isnan(f) else f, shown, more))
    return tuple(answers)


def _cases(
    answers: tuple[Answer, ...], gold: list[list[str]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Worst and best clips: by score, then the more gold labels the more telling."""
    known = [(a.f, -len(gold[i]), a.clip, i) for i, a in enumerate(answers) if a.f is not None]
    worst = sorted(known)[:MOST_CASES]
    best = sorted((-f, size, clip, i) for f, size, clip, i in known)[:MOST_CASES]
    return tuple(case[3] for case in worst), tuple(case[3] for case in best)


def _score(score: ReportScore) -> Score:
    interval, skill_interval = score.interval, score.skill_interval
    return Score(
        name=score.name,
        value=score.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        expected=score.expected,
        skill=score.skill,
        skill_low=skill_interval.low if skill_interval else None,
        skill_high=skill_interval.high if skill_interval else None,
        precision=score.precision,
        recall=score.recall,
        signature=score.signature,
    )


def _vocabulary(health: VocabularyHealth) -> Vocabulary:
    gold = None if health.gold is None else _side(health.gold)
    return Vocabulary(gold, _side(health.predicted), health.verbosity)


def _side(side: SideHealth) -> SideVocabulary:
    return SideVocabulary(
        tokens=side.tokens,
        types=side.types,
        oov_tokens=side.oov_tokens,
        oov_types=side.oov_types,
        unknown_words=tuple((harmless_label(word), n) for word, n in side.unknown_words),
        labels_per_clip=side.labels_per_clip,
        labels_per_clip_p95=side.labels_per_clip_p95,
        empty_clips=side.empty_clips,
        duplicate_labels=side.duplicate_labels,
    )
