"""A classifier of words: what a linear model learns from the text of a clip alone.

TF-IDF of single words and one ridge regression for each label; a label is answered where its
value reaches a threshold, and the one with the highest value where none does. The threshold is
the one with most skill on held-out folds of the training clips. A clip is never answered by a
model that saw it: a corpus with a training split is learnt from that, any other in folds.

scikit-learn is needed (extra ``baselines``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError, OvmerError
from .metrics.gold import Gold, as_gold
from .metrics.scoring import evaluate
from .reading.schema import Prediction, Sample

FOLDS = 5
INNER_FOLDS = 4
MOST_LABELS, MOST_WORDS = 500, 2_000
TRAINING_CLIPS = 2_000
"""Clips of a generated training split that are learnt from."""
THRESHOLDS = (0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
_FEWEST = 2 * FOLDS
# Equal columns come out of a linear solver equal up to the last digits, which depend on the
# machine. Rounded, ties are ties everywhere, and go to the more frequent label.
_DIGITS = 6

TextOf = Callable[[Sample], str]


def classify(gold: Gold, text_of: TextOf, seed: int) -> list[list[str]]:
    """Answers for every clip of ``gold``, in its order.

    Args:
        gold: corpus to answer, with labels or basic emotions.
        text_of: what the classifier reads of a clip.
        seed: of the folds.

    Raises:
        InputError: too few clips, no label that two clips share, or no words.
        OvmerError: scikit-learn is not installed.
    """
    _needed()
    train = _training_split(gold)
    if train is not None:
        return _trained(_Clips.of(train, text_of), gold, seed)(_texts(gold, text_of))
    if len(gold) < _FEWEST:
        raise InputError(
            f"corpus {gold.name} holds {len(gold)} clips",
            accepted=f"at least {_FEWEST}: some are learnt from, the others answered",
        )
    clips = _Clips.of(gold, text_of)
    said: list[list[str]] = [[] for _ in range(len(gold))]
    for held_out in _folds(len(gold), FOLDS, seed):
        answer = _trained(clips.without(held_out), gold, seed)
        for i, labels in zip(held_out, answer(clips.only(held_out).texts), strict=True):
            said[i] = labels
    return said


@dataclass(frozen=True)
class _Clips:
    """Texts and labels of clips."""

    texts: Sequence[str]
    labels: Sequence[Sequence[str]]

    @classmethod
    def of(cls, gold: Gold, text_of: TextOf) -> _Clips:
        return cls(_texts(gold, text_of), gold.labels)

    def only(self, chosen: NDArray[np.int64]) -> _Clips:
        return _Clips([self.texts[i] for i in chosen], [self.labels[i] for i in chosen])

    def without(self, left_out: NDArray[np.int64]) -> _Clips:
        return self.only(np.setdiff1d(np.arange(len(self.texts)), left_out))


def _texts(gold: Gold, text_of: TextOf) -> list[str]:
    return [text_of(sample) for sample in gold.samples]


def _training_split(gold: Gold) -> Gold | None:
    """Clips to learn from, where the corpus has some that are not scored."""
    from .corpora.ovmer_mini.generate import NAME, samples

    return as_gold(samples("sft", TRAINING_CLIPS)) if gold.name == NAME else None


def _folds(n: int, k: int, seed: int) -> list[NDArray[np.int64]]:
    order = np.random.default_rng(seed).permutation(n)
    return [np.sort(order[i::k]) for i in range(k)]


def _trained(clips: _Clips, gold: Gold, seed: int) -> Callable[[Sequence[str]], list[list[str]]]:
    """What answers texts after training on ``clips``, by their best threshold."""
    values: dict[int, tuple[list[str], NDArray[np.float64]]] = {}
    for held_out in _folds(len(clips.texts), INNER_FOLDS, seed):
        model = _Model(clips.without(held_out), gold.name)
        rows = model(clips.only(held_out).texts)
        values |= {int(i): (model.labels, row) for i, row in zip(held_out, rows, strict=True)}
    ordered = [values[i] for i in range(len(clips.texts))]

    def skill(threshold: float) -> float:
        return _skill([_chosen(labels, row, threshold) for labels, row in ordered], clips)

    best = max(THRESHOLDS, key=skill)  # The lowest of equals.
    model = _Model(clips, gold.name)
    return lambda texts: [_chosen(model.labels, row, best) for row in model(texts)]


def _skill(said: Sequence[list[str]], clips: _Clips) -> float:
    """Skill of S1; a basic emotion counts as a list of one label."""
    truth = as_gold({str(i): labels for i, labels in enumerate(clips.labels)})
    predictions = [Prediction(str(i), labels=labels) for i, labels in enumerate(said)]
    return round(evaluate(predictions, truth).values["S1/skill"], _DIGITS)


def _chosen(labels: Sequence[str], row: NDArray[np.float64], threshold: float) -> list[str]:
    above: list[int] = np.flatnonzero(row >= threshold).tolist()
    return [labels[i] for i in above or [int(row.argmax())]]


class _Model:
    """Label values of texts; ``labels`` in the order of their columns, most frequent first."""

    def __init__(self, clips: _Clips, corpus: str) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import Ridge

        self.labels = _learnable(clips.labels)
        if not self.labels:
            raise InputError(f"corpus {corpus} has no label that two clips share")
        truth = np.array([[word in said for word in self.labels] for said in clips.labels], float)
        self._vectors: Any = TfidfVectorizer(
            sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=MOST_WORDS
        )
        try:
            words = self._vectors.fit_transform(clips.texts)
        except ValueError:
            raise InputError(f"corpus {corpus} holds no words to learn from") from None
        self._usual = truth.mean(axis=0)
        self._ridge: Any = Ridge(alpha=1.0, fit_intercept=False, solver="cholesky")
        self._ridge.fit(words, truth - self._usual)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        learnt = self._ridge.predict(self._vectors.transform(texts))
        values: NDArray[np.float64] = np.round(
            self._usual + learnt.reshape(len(texts), len(self.labels)), _DIGITS
        )
        return values


def _learnable(lists: Sequence[Sequence[str]]) -> list[str]:
    """Labels of at least two clips, the most frequent first."""
    counts = Counter(label for labels in lists for label in dict.fromkeys(labels))
    shared = [label for label, count in counts.items() if count > 1]
    return sorted(shared, key=lambda label: (-counts[label], label))[:MOST_LABELS]


def _needed() -> None:
    from importlib import import_module

    try:
        import_module("sklearn")
    except ImportError:
        raise OvmerError(
            "scikit-learn is not installed", hint="Run: pip install 'ovmer-bench[baselines]'"
        ) from None
