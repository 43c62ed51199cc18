"""Predictions and gold -> scores: the one pipeline behind command line, API and harness.

:func:`evaluate` aligns predictions with gold, reads their labels and maps them through a
lexicon; the :class:`Evaluation` it returns is what reports, comparisons and pictures consume.
:func:`score` is :func:`evaluate` followed by :meth:`Evaluation.report`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InputError, did_you_mean, printable
from ..lexicon import BUILTIN_ID, Lexicon, load_lexicon
from ..parsing import PARSER_VERSION, Extractor, parse_outputs
from ..reading.label_field import split_labels
from ..reading.readers import PredictionFile
from ..reading.schema import Prediction
from .gold import Gold, GoldLike, as_gold, as_list
from .measures import (
    AVERAGES,
    BasicMeasure,
    EwMeasure,
    Measure,
    SentimentMeasure,
    expected_f,
    point,
    skill,
)
from .score_report import Score, ScoreReport
from .sentiment import sentiment
from .signature import Signature
from .significance import DEFAULT_DRAWS, DEFAULT_SEED, bootstrap
from .statistics import EW_METRICS, ClipStatistics, clip_statistics
from .vocabulary import vocabulary_health

PredictionsLike = PredictionFile | Iterable[Prediction] | Mapping[str, Sequence[str] | str]

_OPEN_SCORES = ("S1", "S2", "MER-FG", "M-avg", *EW_METRICS)
_BASIC_SCORES = tuple(
    f"{name}{wheel}"
    for name in ("hit_rate", "mscore")
    for wheel in ("", *(f"-W{k}" for k in range(1, 6)))
)
SCORES: Mapping[str, tuple[str, ...]] = {
    "open": _OPEN_SCORES,
    "basic": _BASIC_SCORES,
    "sentiment": ("WAF", "ACC"),
}
"""Scores that a report of each kind holds, main score first."""

NO_EXTRACTOR = "none"


@dataclass(frozen=True)
class Evaluation:
    """One system on one corpus: aligned, parsed and mapped.

    Attributes:
        system: name of the system.
        gold: the corpus side.
        labels: predicted labels, clip by clip in corpus order.
        statistics: per-clip statistics of both sides.
        measure: the scores as functions of the statistics.
        extractor: id of what read prose, ``none`` where no raw text was read.
        missing: clips without a prediction, scored as empty.
    """

    system: str
    gold: Gold
    labels: list[list[str]]
    statistics: ClipStatistics
    measure: Measure
    extractor: str
    missing: int

    @cached_property
    def values(self) -> dict[str, float]:
        """Every score, with ``/precision``, ``/recall``, ``/expected`` and ``/skill``."""
        values = point(self.measure)
        if self.gold.kind == "open":
            unknown = [m for m in EW_METRICS if f"{m}/expected" not in values]
            values |= {f"{m}/expected": expected_f(self.statistics, m) for m in unknown}
            for name, parts in AVERAGES.items():
                values[f"{name}/expected"] = float(
                    np.mean([values[f"{p}/expected"] for p in parts])
                )
            for name in _OPEN_SCORES:
                s, s0 = (np.asarray(values[key]) for key in (name, f"{name}/expected"))
                values[f"{name}/skill"] = float(skill(s, s0))
        return values

    @cached_property
    def n_scored(self) -> int:
        """Clips that count: gold on at least one wheel, or a gold valence that is not 0."""
        if self.gold.kind == "sentiment":
            return int(np.count_nonzero(self.gold.valence))
        kept = [self.statistics.masks(f"M3-W{k}-L1")[0] > 0 for k in range(1, 6)]
        return int(np.any(kept, axis=0).sum())

    @property
    def signature(self) -> Signature:
        """What the numbers depend on."""
        lexicon = self.statistics.lexicon
        return Signature(
            lexicon_id=lexicon.id,
            lexicon_sha256=lexicon.sha256,
            parser=PARSER_VERSION,
            extractor=self.extractor,
            corpus=self.gold.name,
            corpus_sha256=self.gold.sha256,
            scored=self.n_scored,
            total=len(self.gold),
            missing=self.missing,
        )

    def report(self, *, draws: int = DEFAULT_DRAWS, seed: int = DEFAULT_SEED) -> ScoreReport:
        """All scores with intervals from ``draws`` bootstrap draws (0: without intervals)."""
        intervals = bootstrap(self.measure, draws=draws, seed=seed) if draws else {}
        signature = self.signature
        scores = {
            name: Score(
                name=name,
                value=self.values[name],
                expected=self.values[f"{name}/expected"],
                skill=self.values[f"{name}/skill"],
                signature=signature.text(name),
                precision=self.values.get(f"{name}/precision"),
                recall=self.values.get(f"{name}/recall"),
                interval=intervals.get(name),
                skill_interval=intervals.get(f"{name}/skill"),
            )
            for name in SCORES[self.gold.kind]
        }
        return ScoreReport(
            system=self.system,
            kind=self.gold.kind,
            main=self.measure.main,
            scores=scores,
            corpus=self.gold.name,
            corpus_sha256=self.gold.sha256,
            lexicon=signature.lexicon_id,
            lexicon_sha256=signature.lexicon_sha256,
            parser=PARSER_VERSION,
            extractor=self.extractor,
            n_total=len(self.gold),
            n_scored=self.n_scored,
            n_missing=self.missing,
            vocabulary=vocabulary_health(self.statistics, self.gold.kind != "sentiment"),
            predictions_sha256=_labels_sha256(self.gold.ids, self.labels),
            draws=draws,
            seed=seed,
        )


def evaluate(
    predictions: PredictionsLike,
    gold: GoldLike,
    *,
    lexicon: str | Lexicon = BUILTIN_ID,
    extractor: Extractor | None = None,
    allow_missing: bool = False,
    system: str = "system",
) -> Evaluation:
    """Align, parse and map the predictions of one system.

    Args:
        predictions: what :func:`read_predictions` gives (errors then name file and line),
            :class:`Prediction` records, or a mapping from clip id to labels (a list) or to raw
            model output (a string).
        gold: corpus name, corpus, samples, or a mapping from clip id to gold labels.
        lexicon: a lexicon or the id of one.
        extractor: reads labels from prose; default: the rules of ``extraction``.
        allow_missing: score clips without a prediction as empty instead of failing.
        system: name of the system in reports.

    Raises:
        InputError: unknown, repeated or missing ids.
        CorpusError, LexiconError: corpus or lexicon not to be had.
    """
    corpus = as_gold(gold)
    mapped_by = load_lexicon(lexicon) if isinstance(lexicon, str) else lexicon
    if corpus.kind == "sentiment" and not mapped_by.valences:
        # Official lexicons carry no valence, so signs come from the built-in one.
        mapped_by = load_lexicon(BUILTIN_ID)
    by_id = _by_id(predictions, corpus)
    missing = [clip for clip in corpus.ids if clip not in by_id]
    if missing and not allow_missing:
        file = predictions.path if isinstance(predictions, PredictionFile) else None
        raise InputError(
            f"no prediction for {len(missing)} of {len(corpus)} clips of {corpus.name}:"
            f" {first_few(missing)}",
            file=file,
            hint="Add them, or score them as empty with --allow-missing.",
        )
    empty = [Prediction(id=clip, labels=[]) for clip in missing]
    by_id |= {prediction.id: prediction for prediction in empty}
    labels, read_by = labels_of([by_id[clip] for clip in corpus.ids], extractor)
    statistics = clip_statistics(corpus.labels, labels, mapped_by)
    return Evaluation(
        system=printable(system),
        gold=corpus,
        labels=labels,
        statistics=statistics,
        measure=_measure(corpus, labels, statistics),
        extractor=read_by,
        missing=len(missing),
    )


def score(
    predictions: PredictionsLike,
    gold: GoldLike,
    *,
    lexicon: str | Lexicon = BUILTIN_ID,
    extractor: Extractor | None = None,
    allow_missing: bool = False,
    system: str = "system",
    draws: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
) -> ScoreReport:
    """Score the predictions of one system: :func:`evaluate`, then :meth:`Evaluation.report`.

    >>> from ovmer_bench import score
    >>> report = score({"a": ["joyful"]}, {"a": ["happy"]}, draws=0)
    >>> report.scores["S1"].value
    1.0
    """
    evaluation = evaluate(
        predictions,
        gold,
        lexicon=lexicon,
        extractor=extractor,
        allow_missing=allow_missing,
        system=system,
    )
    return evaluation.report(draws=draws, seed=seed)


def _measure(corpus: Gold, labels: list[list[str]], statistics: ClipStatistics) -> Measure:
    if corpus.kind == "open":
        return EwMeasure(statistics)
    if corpus.kind == "basic":
        return BasicMeasure(statistics)
    signs = [sentiment(clip, statistics.lexicon) for clip in labels]
    return SentimentMeasure(corpus.valence, np.array(signs, np.float64))


def _by_id(predictions: PredictionsLike, corpus: Gold) -> dict[str, Prediction]:
    file, lines = None, None
    if isinstance(predictions, PredictionFile):
        file, lines = predictions.path, predictions.lines
        predictions = predictions.predictions
    elif isinstance(predictions, Mapping):
        predictions = [
            Prediction(id=clip, output=said)
            if isinstance(said, str)
            else Prediction(id=clip, labels=as_list(said))
            for clip, said in predictions.items()
        ]
    by_id: dict[str, Prediction] = {}
    for prediction in predictions:
        if prediction.id in by_id:
            raise InputError(f"two predictions for clip {prediction.id[:80]!r}", field="id")
        by_id[prediction.id] = prediction
    known = set(corpus.ids)
    unknown = [clip for clip in by_id if clip not in known]
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(by_id)} predictions are for clips that {corpus.name} does"
            f" not hold: {first_few(unknown)}",
            file=file,
            line=lines[list(by_id).index(unknown[0])] if lines else None,
            field="id",
            hint=did_you_mean(unknown[0], corpus.ids) if len(known) < 5000 else None,
        )
    return by_id


def labels_of(
    predictions: Sequence[Prediction], extractor: Extractor | None
) -> tuple[list[list[str]], str]:
    """Labels of every prediction, and the id of what read raw text (``none``: none was read).

    Args:
        predictions: label lists, raw outputs, or both.
        extractor: reads labels from prose; default: the rules of ``extraction``.
    """
    labels: list[list[str]] = [split_labels(p.labels) for p in predictions]
    raw = [i for i, prediction in enumerate(predictions) if prediction.output is not None]
    if not raw:
        return labels, NO_EXTRACTOR
    if extractor is None:
        from ..parsing.extraction import RulesExtractor

        extractor = RulesExtractor(load_lexicon(BUILTIN_ID))
    texts = [predictions[i].output or "" for i in raw]
    # Whatever lexicon scores, feelings are found in text through the built-in one.
    parsed = parse_outputs(texts, load_lexicon(BUILTIN_ID), extractor)
    for i, result in zip(raw, parsed, strict=True):
        labels[i] = result.labels
    return labels, extractor.id


def _labels_sha256(ids: Sequence[str], labels: Sequence[Sequence[str]]) -> str:
    pairs = sorted(zip(ids, labels, strict=True))  # ids differ, so labels are never compared
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def first_few(ids: Sequence[str]) -> str:
    """Some ids of many, as an error names them."""
    more = f" and {len(ids) - 5:,} more" if len(ids) > 5 else ""
    return ", ".join(repr(clip[:80]) for clip in ids[:5]) + more
