"""What can be measured about the quality of ``ovmer_scenes``: leaks, twins, coverage.

Each function measures; what is good enough is said where the numbers are judged, in
``test_ovmer_scenes.py``, and printed on the data card by :mod:`.scenes_card`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from nltk.stem import PorterStemmer
from ovmer_bench.lexicon import N_WHEELS, Lexicon
from ovmer_bench.reading.schema import Sample
from sklearn.feature_extraction.text import TfidfVectorizer

NGRAM = 5
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class Leak(NamedTuple):
    """A gold label that the scene itself says."""

    clip: str
    label: str
    word: str


class Twins(NamedTuple):
    """The two most similar scenes in one respect."""

    similarity: float
    first: str
    second: str


def english(sample: Sample) -> dict[str, str]:
    """Everything English that a system may be shown."""
    return {"subtitle": sample.subtitle["en"], **sample.clues}


def subtitle(sample: Sample) -> str:
    """The English subtitle."""
    return sample.subtitle["en"]


def clues(sample: Sample) -> str:
    """Both clues in one text."""
    return " ".join(sample.clues.values())


def gold(sample: Sample) -> Sequence[str]:
    """Gold labels."""
    return sample.labels or ()


def words(text: str) -> list[str]:
    """Lower-case words, apostrophes kept."""
    return _WORD.findall(text.lower())


def leaks(samples: Sequence[Sample], lexicon: Lexicon) -> list[Leak]:
    """Gold labels whose word, any form of whose bases, or whose stem stands in the scene."""
    forms_of: dict[str, set[str]] = {}
    for form, bases in lexicon.forms.items():
        for base in bases:
            forms_of.setdefault(base, {base}).add(form)
    stem = PorterStemmer().stem
    found = []
    for sample in samples:
        said = words(" ".join(english(sample).values()))
        stems = {stem(word) for word in said}
        running = f" {' '.join(said)} "
        for label in gold(sample):
            bases = lexicon.lookup(label).bases
            wanted = {label}.union(*(forms_of.get(base, {base}) for base in bases))
            hits = sorted(w for w in wanted if f" {' '.join(words(w))} " in running)
            if not hits and stem(label) in stems:
                hits = [f"{stem(label)}-"]
            if hits:
                found.append(Leak(sample.id, label, hits[0]))
    return found


def most_alike(ids: Sequence[str], texts: Sequence[str]) -> Twins:
    """The pair with the highest cosine of character 3- to 5-gram TF-IDF vectors."""
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    matrix = vectors.fit_transform(texts)
    cosine = (matrix @ matrix.T).toarray()
    np.fill_diagonal(cosine, 0.0)
    first, second = np.unravel_index(int(cosine.argmax()), cosine.shape)
    pair = sorted((ids[int(first)], ids[int(second)]))
    return Twins(float(cosine.max()), pair[0], pair[1])


def most_shared(ids: Sequence[str], texts: Sequence[str], n: int = NGRAM) -> Twins:
    """The pair with the highest Jaccard index of word ``n``-grams."""
    grams = [{tuple(run) for run in _runs(words(text), n)} for text in texts]
    best = Twins(0.0, "", "")
    for i, j in combinations(range(len(texts)), 2):
        if shared := len(grams[i] & grams[j]):
            best = max(best, Twins(shared / len(grams[i] | grams[j]), ids[i], ids[j]))
    return best


def sector_counts(samples: Sequence[Sample], lexicon: Lexicon) -> list[dict[str, int]]:
    """For each wheel, in how many scenes each level-1 sector is gold, in printed order."""
    tables = []
    for wheel in range(N_WHEELS):
        counts: Counter[str] = Counter()
        for sample in samples:
            counts.update({s for s in (_sector(x, lexicon, wheel) for x in gold(sample)) if s})
        tables.append({sector: counts[sector] for sector in lexicon.sectors(wheel + 1, 1)})
    return tables


def label_counts(samples: Sequence[Sample]) -> list[tuple[str, int]]:
    """Gold labels by number of scenes, most frequent first."""
    counts = Counter(label for sample in samples for label in gold(sample))
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _sector(label: str, lexicon: Lexicon, wheel: int) -> str | None:
    return lexicon.lookup(label).sectors[wheel][0]


def _runs(said: Sequence[str], n: int) -> list[Sequence[str]]:
    return [said[i : i + n] for i in range(len(said) - n + 1)]
