"""Looking into lexicons: what one covers, how it maps a word, where two of them differ."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from . import N_WHEELS, STATUSES, Lexicon, Status

SECTOR_VALENCE: Mapping[str, int] = {
    **dict.fromkeys(("happy", "joy", "joyful", "peaceful", "powerful", "genius"), +1),
    **dict.fromkeys(("mad", "angry", "anger", "disgusted", "disgust", "sad"), -1),
    **dict.fromkeys(("scared", "fearful", "fear", "bad"), -1),
    "surprised": 0,
}
"""Valence of the inner-ring words of the five wheels. Lexicons without valences have only
this; two lexicons are compared by it so that both are held to the same."""


@dataclass(frozen=True)
class StatusCounts:
    """How many labels have each status."""

    feeling: int
    neutral: int
    no_feeling: int
    unknown: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.feeling + self.neutral + self.no_feeling + self.unknown

    def rate(self, status: Status) -> float:
        """Share of ``status`` in [0, 1]; 0 where there are no labels."""
        count: int = getattr(self, status.replace("-", "_"))
        return count / self.total if self.total else 0.0

    def to_dict(self) -> dict[str, object]:
        """Counts, total and rates, ready for JSON."""
        rates = {status.replace("-", "_"): self.rate(status) for status in STATUSES}
        return {**asdict(self), "total": self.total, "rates": rates}


@dataclass(frozen=True)
class Coverage:
    """What a lexicon makes of label lists.

    Attributes:
        lexicon_id: the lexicon.
        clips: label lists.
        tokens: labels by status, repeats counted.
        types: distinct labels by status.
        unknown_words: unknown labels and how often they stand, most frequent first.
    """

    lexicon_id: str
    clips: int
    tokens: StatusCounts
    types: StatusCounts
    unknown_words: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, object]:
        """Plain containers, ready for JSON."""
        return {
            "lexicon_id": self.lexicon_id,
            "clips": self.clips,
            "tokens": self.tokens.to_dict(),
            "types": self.types.to_dict(),
            "unknown_words": [list(pair) for pair in self.unknown_words],
        }


@dataclass(frozen=True)
class WheelPlace:
    """Where a word stands on one wheel.

    Attributes:
        wheel: 1 to 5.
        name: title of the wheel.
        wheel_word: the wheel word that decides; ``None`` where the word has no place here.
        via: the bases that lead to it.
        level1, level2: its sectors, mappings M3-Wk-L1 and M3-Wk-L2.
        passed_over: further wheel words of the label on this wheel, which do not count.
    """

    wheel: int
    name: str
    wheel_word: str | None
    via: tuple[str, ...]
    level1: str | None
    level2: str | None
    passed_over: tuple[str, ...]


@dataclass(frozen=True)
class WordPath:
    """The path of a word through one lexicon.

    Attributes:
        form: the form under which it was found, ``None`` where unknown.
        bases: its bases in order of precedence, each with its wheel words.
        wheel_word: mapping M2.
        near: for an unknown word, the forms spelt most like it.
    """

    lexicon_id: str
    status: Status
    form: str | None
    bases: tuple[tuple[str, tuple[str, ...]], ...]
    wheel_word: str | None
    valence: int | None
    wheels: tuple[WheelPlace, ...]
    near: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """A word and its path through each lexicon asked."""

    word: str
    paths: tuple[WordPath, ...]

    def to_dict(self) -> dict[str, object]:
        """Plain containers, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Move:
    """A form whose inner-ring sector differs between two lexicons on one wheel.

    Attributes:
        before, after: the sectors; ``None`` where the form has no place on the wheel.
        opposite: one sector is pleasant, the other unpleasant.
    """

    form: str
    wheel: int
    before: str | None
    after: str | None
    opposite: bool


@dataclass(frozen=True)
class LexiconDiff:
    """Where lexicon ``b`` differs from lexicon ``a``.

    Attributes:
        only_a, only_b: forms that one knows and the other does not.
        moved: forms of both whose level-1 sector differs, by form and wheel.
        lost, gained: forms that stand on a wheel in ``a`` and on none in ``b``, and the
            other way round; a form that a lexicon does not know stands on none.
    """

    a: str
    b: str
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    moved: tuple[Move, ...]
    lost: tuple[str, ...]
    gained: tuple[str, ...]

    @property
    def opposite(self) -> tuple[Move, ...]:
        """The moves between a pleasant and an unpleasant sector."""
        return tuple(move for move in self.moved if move.opposite)

    def moved_forms(self, wheel: int | None = None) -> tuple[str, ...]:
        """Forms that moved on ``wheel``, or on any."""
        moves = (move.form for move in self.moved if wheel in (None, move.wheel))
        return tuple(dict.fromkeys(moves))

    def to_dict(self) -> dict[str, object]:
        """Plain containers, ready for JSON."""
        return asdict(self)


def coverage(label_lists: Iterable[Sequence[str]], lexicon: Lexicon, top: int = 20) -> Coverage:
    """Count what ``lexicon`` knows of labels (lower case, as ``parsing`` returns them).

    Args:
        label_lists: one list of labels a clip.
        lexicon: the lexicon.
        top: at most this many unknown words are named.
    """
    clips = 0
    uses: Counter[str] = Counter()
    for labels in label_lists:
        clips += 1
        uses.update(labels)
    tokens: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for label, count in uses.items():
        status = lexicon.lookup(label).status
        tokens[status] += count
        types[status] += 1
    unknown = [(w, n) for w, n in uses.items() if lexicon.lookup(w).status == "unknown"]
    unknown.sort(key=lambda pair: (-pair[1], pair[0]))
    return Coverage(
        lexicon_id=lexicon.id,
        clips=clips,
        tokens=StatusCounts(*(tokens[status] for status in STATUSES)),
        types=StatusCounts(*(types[status] for status in STATUSES)),
        unknown_words=tuple(unknown[:top]),
    )


def explain(word: str, lexicons: Iterable[Lexicon]) -> Explanation:
    """The path of ``word``, stripped and lower-cased, through each lexicon."""
    label = word.strip().lower()
    return Explanation(label, tuple(_path(label, lexicon) for lexicon in lexicons))


def diff(a: Lexicon, b: Lexicon) -> LexiconDiff:
    """What changes for a user who goes from lexicon ``a`` to lexicon ``b``.

    A form counts as known where looking it up finds it, under whatever spelling.
    """
    only_a, only_b, moved, lost, gained = [], [], [], [], []
    for form in sorted({*a.forms, *a.no_feeling, *b.forms, *b.no_feeling}):
        before, after = a.lookup(form), b.lookup(form)
        if after.status == "unknown":
            only_a.append(form)
        if before.status == "unknown":
            only_b.append(form)
        if before.status == "feeling" and after.status != "feeling":
            lost.append(form)
        if after.status == "feeling" and before.status != "feeling":
            gained.append(form)
        if "unknown" in (before.status, after.status):
            continue
        for k in range(N_WHEELS):
            old, new = before.sectors[k][0], after.sectors[k][0]
            if old != new:
                moved.append(Move(form, k + 1, old, new, _opposite(old, new)))
    return LexiconDiff(
        a.id, b.id, tuple(only_a), tuple(only_b), tuple(moved), tuple(lost), tuple(gained)
    )


def _opposite(before: str | None, after: str | None) -> bool:
    return SECTOR_VALENCE.get(before or "", 0) * SECTOR_VALENCE.get(after or "", 0) < 0


def _path(label: str, lexicon: Lexicon) -> WordPath:
    entry = lexicon.lookup(label)
    near: list[str] = []
    if entry.status == "unknown":
        near = difflib.get_close_matches(label, sorted(lexicon.forms), n=3, cutoff=0.75)
    return WordPath(
        lexicon_id=lexicon.id,
        status=entry.status,
        form=entry.form,
        bases=tuple((base, tuple(lexicon.wheel_words.get(base, ()))) for base in entry.bases),
        wheel_word=entry.wheel_word,
        valence=entry.valence,
        wheels=tuple(_wheel_place(lexicon, entry.bases, k) for k in range(1, N_WHEELS + 1)),
        near=tuple(near),
    )


def _wheel_place(lexicon: Lexicon, bases: tuple[str, ...], k: int) -> WheelPlace:
    wheel = lexicon.wheels[k - 1]
    via: dict[str, list[str]] = {}
    for base in bases:
        for word in lexicon.wheel_words.get(base, ()):
            if word in wheel.level1:
                via.setdefault(word, []).append(base)
    words = sorted(via) if lexicon.alphabetical else list(via)
    first = words[0] if words else None
    return WheelPlace(
        wheel=k,
        name=wheel.name,
        wheel_word=first,
        via=tuple(via[first]) if first else (),
        level1=wheel.level1[first] if first else None,
        level2=wheel.level2[first] if first else None,
        passed_over=tuple(words[1:]),
    )
