"""The leaderboard as data: what :mod:`.collect` makes and the pages show.

All scores are fractions of 1. ``None`` means not known, never 0. Texts that came with a
submission are harmless to print: control, invisible and direction characters are written as
escapes. They are plain text all the same, and a page must escape them as HTML.

    board = collect(submissions, published=True)
    for table in board.tables_of("ovmer_scenes"):
        for row in table.rows:
            row.rank, board.system(row.system).title, row.value
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from ovmer_bench.errors import OvmerError, did_you_mean

from .results import (
    AS_PUBLISHED,
    MOST_LABELS,
    Answer,
    Confusion,
    Evidence,
    Result,
    Score,
    Sector,
    SideVocabulary,
    Vocabulary,
)

__all__ = [
    "AS_PUBLISHED",
    "BOARD_SCHEMA_VERSION",
    "MOST_LABELS",
    "UNIBENCH",
    "Answer",
    "Board",
    "Change",
    "Clip",
    "Confusion",
    "Evidence",
    "LexiconInfo",
    "Matrix",
    "Method",
    "Pair",
    "Pairs",
    "Result",
    "Role",
    "Row",
    "Score",
    "ScoreInfo",
    "Sector",
    "SideVocabulary",
    "System",
    "Table",
    "Task",
    "Track",
    "Vocabulary",
]

BOARD_SCHEMA_VERSION = 1
UNIBENCH = "mer_unibench"
"""Id of the task and of the track that is the mean of nine corpora."""

Role = Literal["system", "reference", "content-free", "published"]
Method = Literal["paired", "unpaired", "none"]
Matrix = NDArray[np.float32]
_Named = TypeVar("_Named")


@dataclass(frozen=True)
class System:
    """One system: a submission, or a row of a paper.

    Attributes:
        name: unique, lower-case, safe in a path and in an address.
        title: for people.
        role: ``system``; ``reference`` (reads the clip with word lists or a linear model);
            ``content-free`` (answers without looking at the clip); ``published`` (only
            reported, with a citation).
        model: what it is built on.
        size: as given, ``7B``; ``None`` where not known or where there is no model.
        parameters: ``size`` as a number.
        modalities: of ``audio``, ``visual``, ``text``.
        training_data: names of corpora; empty where it was not trained; ``None`` where unknown.
        checkpoint_chosen_on_test: whether a checkpoint or a setting was chosen on test data;
            ``None`` where unknown.
        code, paper: addresses beginning with https://.
        command, decoding: how the predictions were made.
        licence: of the predictions.
        date: of the submission, YYYY-MM-DD; ``None`` for published rows.
        citation: where a published number stands, for example ``arXiv 2501.16566``.
        unscored: tasks whose predictions could not be scored on this machine, with the reason.
    """

    name: str
    title: str
    role: Role
    model: str = ""
    size: str | None = None
    parameters: int | None = None
    modalities: tuple[str, ...] = ()
    training_data: tuple[str, ...] | None = None
    checkpoint_chosen_on_test: bool | None = None
    code: str | None = None
    paper: str | None = None
    command: str | None = None
    decoding: str | None = None
    licence: str | None = None
    date: str | None = None
    authors: str | None = None
    notes: str | None = None
    citation: str | None = None
    unscored: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Clip:
    """One clip of a corpus that is ours to show.

    ``subtitle`` and ``clues`` are by language (``en``, ``zh``) and by channel (``audio``,
    ``visual``).
    """

    id: str
    gold: tuple[str, ...]
    subtitle: Mapping[str, str] = field(default_factory=dict)
    clues: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreInfo:
    """One kind of number: ``name`` as in reports (``S1``), ``title`` for people.

    ``level`` is 1 or 2 where the score reads one level of the wheels only.
    """

    name: str
    title: str
    level: int | None = None


@dataclass(frozen=True)
class Task:
    """One corpus, or the mean of nine.

    Attributes:
        name: id of the corpus, or :data:`UNIBENCH`.
        track: ``open``, ``basic``, ``sentiment`` or :data:`UNIBENCH`.
        n: number of clips.
        main: name of the score that ranks by default.
        scores: that have a table, main first.
        gold_at_hand: whether gold was on this machine, so that predictions were rescored.
        corpus_sha256: sample-set hash, where gold was at hand.
        clips: in corpus order; empty unless the corpus is embedded.
        parts: the nine corpora of :data:`UNIBENCH`.
    """

    name: str
    title: str
    track: str
    n: int
    main: str
    scores: tuple[ScoreInfo, ...]
    language: str = ""
    split: str = ""
    licence: str = ""
    paper: str = ""
    published: tuple[str, ...] = ()
    embedded: bool = False
    gold_at_hand: bool = False
    corpus_sha256: str | None = None
    clips: tuple[Clip, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Track:
    """Tasks that are listed together, in the order of the registry."""

    name: str
    title: str
    text: str
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class LexiconInfo:
    """A lexicon that scores on this board; ``sectors[wheel - 1][level - 1]`` in printed order.

    ``parents[wheel - 1]`` names the level-1 sector of every level-2 sector.
    """

    id: str
    sha256: str
    wheels: tuple[str, ...]
    sectors: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    parents: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Row:
    """One system in one table.

    Attributes:
        rank: shared by systems that are not significantly different; counted as in sport
            (1, 1, 3). ``None`` for content-free answers, for reported rows, and without value.
        value: ``None`` where the task is not covered in full.
        parts: scores of the nine corpora, in a table of :data:`UNIBENCH`.
        beats_content_free: whether the value is significantly above every content-free answer
            in the table; ``None`` where there is none or no test.
        verbosity, oov: predicted labels per gold label; out-of-vocabulary share of predicted
            labels.
    """

    system: str
    role: Role
    evidence: Evidence
    rank: int | None
    value: float | None
    low: float | None = None
    high: float | None = None
    skill: float | None = None
    skill_low: float | None = None
    skill_high: float | None = None
    verbosity: float | None = None
    oov: float | None = None
    beats_content_free: bool | None = None
    citation: str | None = None
    parts: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """System ``b`` against ``a``: difference b - a, its 95 % interval, p-values.

    ``p_corrected`` is corrected for all pairs of the table (Benjamini-Hochberg).
    """

    a: str
    b: str
    difference: float
    low: float
    high: float
    p: float
    p_corrected: float
    significant: bool


@dataclass(frozen=True, eq=False)
class Pairs:
    """All pairs of a table; entry (i, j) of a matrix belongs to systems[j] - systems[i]."""

    systems: tuple[str, ...]
    difference: Matrix
    low: Matrix
    high: Matrix
    p: Matrix
    p_corrected: Matrix
    alpha: float

    def pair(self, a: str, b: str) -> Pair:
        """``b`` against ``a``."""
        i, j = self.systems.index(a), self.systems.index(b)
        corrected = float(self.p_corrected[i, j])
        return Pair(
            a,
            b,
            difference=float(self.difference[i, j]),
            low=float(self.low[i, j]),
            high=float(self.high[i, j]),
            p=float(self.p[i, j]),
            p_corrected=corrected,
            significant=corrected < self.alpha,
        )


@dataclass(frozen=True, eq=False)
class Table:
    """Rows whose numbers may be compared: one task, one lexicon, one score, one signature.

    Attributes:
        id: unique, safe in a path: ``ovmer_scenes.ovmer.S1``.
        signature: of every row's number; ``None`` where rows were only reported.
        primary: the one with most rows among tables that differ in nothing but the signature.
        rows: highest value first, rows without value last.
        method: of the tests behind ranks: ``paired`` (bootstrap over the same clips),
            ``unpaired`` (from the intervals of signed-off reports), ``none``.
        pairs: all pairs of rows that were tested; ``None`` where ``method`` is ``none``.
    """

    id: str
    task: str
    track: str
    lexicon: str
    score: str
    title: str
    signature: str | None
    primary: bool
    rows: tuple[Row, ...]
    method: Method
    pairs: Pairs | None = None

    @property
    def best(self) -> Row | None:
        """The highest row that is not content-free."""
        found = (row for row in self.rows if row.role != "content-free" and row.value is not None)
        return next(found, None)

    @property
    def best_content_free(self) -> Row | None:
        """The highest content-free row: how far the ruler can be fooled."""
        found = (row for row in self.rows if row.role == "content-free" and row.value is not None)
        return next(found, None)


@dataclass(frozen=True)
class Change:
    """An entry of the feed; ``system`` where it is about one."""

    date: str
    title: str
    text: str
    system: str | None = None


@dataclass(frozen=True, eq=False)
class Board:
    """Everything the site shows.

    Attributes:
        version: of ovmer_bench, part of every signature made now.
        systems: by title.
        results: by task, lexicon and system.
        tables: by track, task, lexicon and score; main score first, built-in lexicon first.
        changes: newest first.
    """

    version: str
    tracks: tuple[Track, ...]
    tasks: tuple[Task, ...]
    lexicons: tuple[LexiconInfo, ...]
    systems: tuple[System, ...]
    results: tuple[Result, ...]
    tables: tuple[Table, ...]
    changes: tuple[Change, ...]
    schema_version: int = BOARD_SCHEMA_VERSION

    @cached_property
    def _systems(self) -> dict[str, System]:
        return {system.name: system for system in self.systems}

    @cached_property
    def _tasks(self) -> dict[str, Task]:
        return {task.name: task for task in self.tasks}

    def system(self, name: str) -> System:
        """The system called ``name``; :class:`OvmerError` where there is none."""
        return _found(self._systems, name, "system")

    def task(self, name: str) -> Task:
        """The task called ``name``; :class:`OvmerError` where there is none."""
        return _found(self._tasks, name, "task")

    def tables_of(self, task: str, lexicon: str | None = None) -> tuple[Table, ...]:
        """Tables of one task, of one lexicon if given."""
        return tuple(
            table
            for table in self.tables
            if table.task == task and lexicon in (None, table.lexicon)
        )

    def results_of(self, system: str) -> tuple[Result, ...]:
        """Results of one system, as submitted (``native``)."""
        return tuple(r for r in self.results if r.system == system and r.native)

    def result(self, system: str, task: str, lexicon: str) -> Result | None:
        """The native result of a system, ``None`` where there is none."""
        found = (r for r in self.results_of(system) if (r.task, r.lexicon) == (task, lexicon))
        return next(found, None)

    def tables_with(self, system: str) -> tuple[Table, ...]:
        """Tables in which a system stands."""
        return tuple(t for t in self.tables if any(row.system == system for row in t.rows))


def _found(known: Mapping[str, _Named], name: str, what: str) -> _Named:
    if name not in known:
        raise OvmerError(f"unknown {what} {name!r}", hint=did_you_mean(name, known))
    return known[name]
