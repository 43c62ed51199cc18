"""Systems that need no language model: answers free of content, keywords, words learnt.

They frame every score: a ruler on which a constant answer does well measures nothing, and a
model that does not beat keywords has read nothing between the lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from .errors import InputError, did_you_mean
from .lexicon import load_lexicon
from .metrics.gold import Gold
from .parsing.extraction import extract_labels
from .reading.schema import Prediction, Sample
from .word_classifier import classify

ONE_PER_SECTOR = ("happy", "sad", "angry", "scared", "surprised", "disgusted")
"""A word for each sector of wheel 1: the constant answer of docs/published-ruler.md."""
_FREQUENT = 3

System = Callable[[Gold, int], list[list[str]]]


def constant(gold: Gold, seed: int) -> list[list[str]]:
    """The three most frequent gold labels, for every clip."""
    return [_most_frequent(gold)[:_FREQUENT]] * len(gold)


def one_per_sector(gold: Gold, seed: int) -> list[list[str]]:
    """:data:`ONE_PER_SECTOR`, for every clip."""
    return [list(ONE_PER_SECTOR)] * len(gold)


def all_labels(gold: Gold, seed: int) -> list[list[str]]:
    """Every gold label of the corpus, for every clip."""
    return [sorted(_most_frequent(gold))] * len(gold)


def shuffled(gold: Gold, seed: int) -> list[list[str]]:
    """The gold of another clip, drawn by a seeded permutation."""
    order = np.random.default_rng(seed).permutation(len(gold))
    return [gold.labels[i] for i in order]


def keywords_subtitle(gold: Gold, seed: int) -> list[list[str]]:
    """Feelings that the rules of ``extraction`` find in the English subtitle."""
    return _keywords(gold, _subtitle)


def keywords_clues(gold: Gold, seed: int) -> list[list[str]]:
    """Feelings that the rules find in the audio and visual clues."""
    return _keywords(gold, _clues)


def classifier_subtitle(gold: Gold, seed: int) -> list[list[str]]:
    """What a linear classifier learns from the words of the English subtitle, on other clips."""
    _check_texts(gold, _subtitle)
    return classify(gold, _subtitle, seed)


def classifier_clues(gold: Gold, seed: int) -> list[list[str]]:
    """What it learns from the words of the audio and visual clues."""
    _check_texts(gold, _clues)
    return classify(gold, _clues, seed)


SYSTEMS: Mapping[str, System] = {
    "constant": constant,
    "one-per-sector": one_per_sector,
    "all-labels": all_labels,
    "shuffled": shuffled,
    "keywords-subtitle": keywords_subtitle,
    "keywords-clues": keywords_clues,
    "classifier-subtitle": classifier_subtitle,
    "classifier-clues": classifier_clues,
}


def predict(name: str, gold: Gold, seed: int = 0) -> list[Prediction]:
    """Predictions of reference system ``name`` for every clip of ``gold``.

    Raises:
        InputError: unknown system, or a corpus that lacks what the system reads or learns.
        OvmerError: a classifier, and scikit-learn is not installed.
    """
    if name not in SYSTEMS:
        raise InputError(
            f"unknown reference system {name!r}",
            accepted=SYSTEMS,
            hint=did_you_mean(name, SYSTEMS),
        )
    if gold.kind == "sentiment" and not name.startswith("keywords") and name != "one-per-sector":
        raise InputError(f"{name} answers with gold labels, and {gold.name} has none")
    said = SYSTEMS[name](gold, seed)
    return [Prediction(id=clip, labels=ls) for clip, ls in zip(gold.ids, said, strict=True)]


def _most_frequent(gold: Gold) -> list[str]:
    counts = Counter(label for labels in gold.labels for label in dict.fromkeys(labels))
    return sorted(counts, key=lambda label: (-counts[label], label))


def _subtitle(sample: Sample) -> str:
    return sample.subtitle.get("en", "")


def _clues(sample: Sample) -> str:
    return " ".join(sample.clues.values())


def _keywords(gold: Gold, text_of: Callable[[Sample], str]) -> list[list[str]]:
    _check_texts(gold, text_of)
    lexicon = load_lexicon()
    return [extract_labels(text_of(sample), lexicon) for sample in gold.samples]


def _check_texts(gold: Gold, text_of: Callable[[Sample], str]) -> None:
    if not any(text_of(sample) for sample in gold.samples):
        what = "written clues" if text_of is _clues else "English subtitles"
        raise InputError(
            f"corpus {gold.name} holds no {what}",
            accepted="a corpus with them, ovmer_scenes for example",
        )
