"""Corpus scores for the lm-eval harness: its lists of items -> the one pipeline -> a number.

The harness collects, for every metric, one item a document and calls the metric's aggregation
with all of them. Here the item is the :class:`Answer` itself, the same for every metric, and
every aggregation reads its number off one evaluation of all answers, which is what ``ovmer
score`` and the Python API compute. Each public function below is an aggregation, called as the
task files call it; the harness prints a function's ``NAME_stderr`` beside ``NAME``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..corpora.registry import CorpusInfo, corpus_info
from ..corpora.store import load_corpus, sample_set_sha256
from ..metrics.gold import Gold, as_gold
from ..metrics.scoring import Evaluation, evaluate
from ..metrics.significance import bootstrap_values
from ..metrics.vocabulary import vocabulary_health
from ..reading.schema import Prediction

# Below the logger of the harness, which shows its own children only.
log = logging.getLogger("lm_eval.ovmer")

_ALL = ("verbosity", "kept_format", "oov")
METRICS: dict[str, tuple[str, ...]] = {
    "open": (
        *("S1", "S1_stderr", "S1_skill", "S1_skill_stderr", "S2", "S2_stderr"),
        *("precision", "recall", "m_avg", "m_avg_stderr", *_ALL),
    ),
    "basic": (
        *("hit_rate", "hit_rate_stderr", "hit_rate_skill", "hit_rate_skill_stderr"),
        *("mscore", "mscore_stderr", *_ALL),
    ),
    "sentiment": (
        *("WAF", "WAF_stderr", "WAF_skill", "WAF_skill_stderr"),
        *("accuracy", "accuracy_stderr", *_ALL[1:]),
    ),
}
"""Metrics of a task by the kind of its gold. The order is the harness's: a score must come before
its standard error, or the harness writes "N/A" over it."""

MAIN = ("main_score", "main_score_stderr")
"""Further metrics of imported corpora: the score that the field ranks systems by, under one name
so that a group can average over corpora of several kinds."""

FIRST = {"open": "S1", "basic": "hit_rate", "sentiment": "WAF"}


@dataclass(frozen=True)
class Answer:
    """What a model said of one clip.

    Attributes:
        corpus, clip: which clip.
        lexicon: id of the lexicon that scores it.
        output: text of the model that is scored.
        labels: read from it.
        kept: whether the format that was asked for was kept.
    """

    corpus: str
    clip: str
    lexicon: str
    output: str
    labels: tuple[str, ...]
    kept: bool

    def __str__(self) -> str:
        """The labels, which is what a log of samples shows for every metric."""
        return ", ".join(self.labels)


def metric_names(info: CorpusInfo) -> tuple[str, ...]:
    """Metrics of the tasks on a corpus, in the order in which the harness must get them."""
    return METRICS[info.kind] if info.embedded else (*METRICS[info.kind], *MAIN)


def evaluation_of(answers: Sequence[Answer]) -> Evaluation:
    """The evaluation of all answers of a task, over the clips that were asked for."""
    return _evaluated(tuple(answers))


@lru_cache(maxsize=1)
def _evaluated(answers: tuple[Answer, ...]) -> Evaluation:
    first = answers[0]
    gold = _part(as_gold(load_corpus(first.corpus)), {answer.clip for answer in answers})
    predictions = [Prediction(id=answer.clip, output=answer.output) for answer in answers]
    evaluation = evaluate(predictions, gold, lexicon=first.lexicon)
    log.info("signature: %s", evaluation.signature.text(FIRST[gold.kind]))
    return evaluation


def _part(gold: Gold, clips: set[str]) -> Gold:
    """``gold`` itself, or the part of it that a run with a limit asked for."""
    if len(clips) == len(gold):
        return gold
    samples = tuple(sample for sample in gold.samples if sample.id in clips)
    return Gold(gold.name, gold.kind, samples, sample_set_sha256(samples))


@lru_cache(maxsize=1)
def _standard_errors(answers: tuple[Answer, ...]) -> dict[str, float]:
    """Bootstrap standard error of every score that the measure knows, and of its skill."""
    drawn = bootstrap_values(_evaluated(answers).measure)
    return {name: float(np.std(values, ddof=1)) for name, values in drawn.items()}


Aggregation = Callable[[Sequence[Answer]], float]


def _score(name: str) -> Aggregation:
    def score(answers: Sequence[Answer]) -> float:
        return evaluation_of(answers).values[name]

    return score


def _error(name: str) -> Aggregation:
    def standard_error(answers: Sequence[Answer]) -> float:
        return _standard_errors(tuple(answers))[name]

    return standard_error


S1, S1_stderr = _score("S1"), _error("S1")
S1_skill, S1_skill_stderr = _score("S1/skill"), _error("S1/skill")
S2, S2_stderr = _score("S2"), _error("S2")
precision, recall = _score("S1/precision"), _score("S1/recall")
m_avg, m_avg_stderr = _score("M-avg"), _error("M-avg")
hit_rate, hit_rate_stderr = _score("hit_rate"), _error("hit_rate")
hit_rate_skill, hit_rate_skill_stderr = _score("hit_rate/skill"), _error("hit_rate/skill")
mscore, mscore_stderr = _score("mscore"), _error("mscore")
WAF, WAF_stderr = _score("WAF"), _error("WAF")
WAF_skill, WAF_skill_stderr = _score("WAF/skill"), _error("WAF/skill")
accuracy, accuracy_stderr = _score("ACC"), _error("ACC")


def main_score(answers: Sequence[Answer]) -> float:
    """The score that the field ranks systems by on this corpus."""
    return evaluation_of(answers).values[corpus_info(answers[0].corpus).main_score]


def main_score_stderr(answers: Sequence[Answer]) -> float:
    """Its bootstrap standard error."""
    return _standard_errors(tuple(answers))[corpus_info(answers[0].corpus).main_score]


def kept_format(answers: Sequence[Answer]) -> float:
    """Share of answers in the format that the prompt asked for."""
    return float(np.mean([answer.kept for answer in answers]))


def verbosity(answers: Sequence[Answer]) -> float:
    """Predicted labels a clip over gold labels a clip; 0 where gold has none."""
    return vocabulary_health(evaluation_of(answers).statistics, True).verbosity or 0.0


def oov(answers: Sequence[Answer]) -> float:
    """Share of the predicted labels that the lexicon does not know."""
    return vocabulary_health(evaluation_of(answers).statistics, False).predicted.oov_tokens
