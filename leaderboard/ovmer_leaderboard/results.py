"""Results: one system on one task, its numbers and what they are made of.

All scores are fractions of 1. ``None`` means not known, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

AS_PUBLISHED = "as-published"
"""Stands where a lexicon id stands, for numbers that were only reported."""
MOST_LABELS = 16
"""Labels of one answer that are kept to be shown."""

Evidence = Literal["rescored", "verified", "reported"]


@dataclass(frozen=True)
class Score:
    """One number of one system on one task; what was not measured is ``None``.

    Attributes:
        low, high: 95 % bootstrap interval of ``value``.
        expected: ``value`` expected when predictions are shuffled over clips.
        skill: (value - expected) / (1 - expected), with its interval where it was drawn.
        signature: what the number depends on; ``None`` for reported numbers.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    expected: float | None = None
    skill: float | None = None
    skill_low: float | None = None
    skill_high: float | None = None
    precision: float | None = None
    recall: float | None = None
    signature: str | None = None


@dataclass(frozen=True)
class SideVocabulary:
    """Labels of gold or of a system; rates are shares of 1, ``oov`` is out of vocabulary."""

    tokens: int
    types: int
    oov_tokens: float
    oov_types: float
    unknown_words: tuple[tuple[str, int], ...]
    labels_per_clip: float
    labels_per_clip_p95: float
    empty_clips: int
    duplicate_labels: int


@dataclass(frozen=True)
class Vocabulary:
    """Vocabulary health; ``gold`` and ``verbosity`` are ``None`` where gold is not words."""

    gold: SideVocabulary | None
    predicted: SideVocabulary
    verbosity: float | None


@dataclass(frozen=True)
class Sector:
    """One sector of one wheel: clips whose gold, prediction, both hold it.

    ``parent`` is the level-1 sector of a level-2 sector.
    """

    wheel: int
    level: int
    name: str
    parent: str | None
    gold: int
    predicted: int
    common: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class Confusion:
    """Sectors of one wheel at level 1: ``counts[meant][said]`` clips, the diagonal right."""

    wheel: int
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Answer:
    """What was said of one clip of an embedded corpus.

    Attributes:
        clip: id; answers of a result stand in the order of ``Task.clips``.
        f: mean F over the wheels at level 1; ``None`` where the clip does not count.
        labels: at most :data:`MOST_LABELS` of them.
        more: how many further labels there are.
    """

    clip: str
    f: float | None
    labels: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True, eq=False)
class Result:
    """One system on one task with one lexicon.

    Attributes:
        lexicon: id, or :data:`AS_PUBLISHED`.
        extractor: what read labels from raw text; ``none`` where labels were submitted.
        native: as ``ovmer score`` scores the submission. Where a task has submissions of raw
            text, label lists are also scored as text (``native`` false), so that all stand in
            one column under one signature.
        evidence: ``rescored`` on this machine now, ``verified`` before (a signed-off report),
            ``reported`` in a paper.
        scores: by name, in report order, main first. All twelve metrics and the averages for
            rescored and verified results.
        citation: of a reported result.
        vocabulary, sectors, confusion, gold_counts, predicted_counts: ``None`` or empty where
            predictions were not scored now. ``*_counts[n]`` is the number of clips with n
            labels, the last entry that of clips with as many or more.
        answers: clip by clip, embedded corpora only.
        worst, best: indices into ``answers``, worst and best first.
    """

    system: str
    task: str
    lexicon: str
    evidence: Evidence
    scores: Mapping[str, Score]
    extractor: str = "none"
    native: bool = True
    n_scored: int | None = None
    n_total: int | None = None
    version: str | None = None
    predictions_sha256: str | None = None
    citation: str | None = None
    vocabulary: Vocabulary | None = None
    sectors: tuple[Sector, ...] = ()
    confusion: tuple[Confusion, ...] = ()
    gold_counts: tuple[int, ...] = ()
    predicted_counts: tuple[int, ...] = ()
    answers: tuple[Answer, ...] = ()
    worst: tuple[int, ...] = ()
    best: tuple[int, ...] = ()
