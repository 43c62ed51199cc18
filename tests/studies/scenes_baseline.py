"""What a classifier of words learns from the scenes, with and without the clues.

TF-IDF and one logistic regression for each inner sector of wheel 1, trained and tested on the
scenes themselves by shuffled five-fold cross-validation. It answers with the most frequent
training label of every sector it finds, at least one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from ovmer_bench import load_corpus, load_lexicon, score
from ovmer_bench.lexicon import Lexicon
from ovmer_bench.reading.schema import Sample
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from .scenes_quality import clues, gold, subtitle

FOLDS = 5
SEEDS = (0, 1, 2, 3, 4)
VIEWS: dict[str, Callable[[Sample], str]] = {
    "subtitle": subtitle,
    "clues": clues,
    "subtitle and clues": lambda sample: f"{subtitle(sample)} {clues(sample)}",
}


@dataclass(frozen=True)
class Learned:
    """Scores of one view, one value for each seed of :data:`SEEDS`."""

    s1: tuple[float, ...]
    skill: tuple[float, ...]


@lru_cache(maxsize=1)
def learned() -> dict[str, Learned]:
    """S1 and skill of the classifier for each of :data:`VIEWS`."""
    corpus, lexicon = load_corpus("ovmer_scenes"), load_lexicon()
    results = {}
    for view, text_of in VIEWS.items():
        texts = [text_of(sample) for sample in corpus.samples]
        runs = []
        for seed in SEEDS:
            said = held_out(corpus.samples, texts, lexicon, seed)
            report = score(dict(zip(corpus.ids, said, strict=True)), corpus, draws=0)
            runs.append(report.scores["S1"])
        results[view] = Learned(tuple(r.value for r in runs), tuple(r.skill for r in runs))
    return results


def held_out(
    samples: Sequence[Sample], texts: Sequence[str], lexicon: Lexicon, seed: int
) -> list[list[str]]:
    """Labels for every scene from classifiers that never saw it."""
    sectors = lexicon.sectors(1, 1)
    truth = np.array([[any(_in(lexicon, x, s) for x in gold(c)) for s in sectors] for c in samples])
    said: list[list[str]] = [[] for _ in samples]
    for train, test in _folds(len(samples), seed):
        words = [_usual_label([samples[i] for i in train], lexicon, s) for s in sectors]
        model = make_pipeline(
            TfidfVectorizer(sublinear_tf=True, min_df=2),
            OneVsRestClassifier(LogisticRegression(max_iter=1000, class_weight="balanced")),
        )
        model.fit([texts[i] for i in train], truth[train])
        chances = model.predict_proba([texts[i] for i in test])
        for i, chance in zip(test, chances, strict=True):
            chosen = np.flatnonzero(chance >= 0.5)
            said[i] = [words[k] for k in (chosen if len(chosen) else [chance.argmax()])]
    return said


def _folds(n: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from KFold(FOLDS, shuffle=True, random_state=seed).split(np.zeros(n))


def _in(lexicon: Lexicon, label: str, sector: str) -> bool:
    return lexicon.lookup(label).sectors[0][0] == sector


def _usual_label(train: Sequence[Sample], lexicon: Lexicon, sector: str) -> str:
    counts = Counter(x for s in train for x in gold(s) if _in(lexicon, x, sector))
    return min(counts, key=lambda label: (-counts[label], label))
