"""The path of a word: form -> base -> wheel word -> sector, on five wheels and two levels.

Terms (docs/metrics.md): a *form* is any spelling of a word, a *base* the word it belongs
to, a *wheel word* a word printed on an emotion wheel, a *sector* the inner-ring (level 1) or
middle-ring (level 2) word that a wheel word is grouped under.

A :class:`Lexicon` is data and one algorithm. Where the data come from is the business of
``lexicon_builtin`` (the project's own) and ``lexicon_upstream`` (the AffectGPT releases);
:func:`load_lexicon` finds either by id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, get_args

from ..errors import LexiconError, did_you_mean

N_WHEELS = 5
LEVELS = (1, 2)
BUILTIN_ID = "ovmer"

Status = Literal["feeling", "neutral", "no-feeling", "unknown"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Wheel:
    """One emotion wheel: every wheel word on it with its level-1 and level-2 sector."""

    name: str
    level1: Mapping[str, str]
    level2: Mapping[str, str]

    def sectors(self, level: int) -> tuple[str, ...]:
        """Distinct sectors of ``level``, in the order in which the wheel prints them."""
        return tuple(dict.fromkeys((self.level1 if level == 1 else self.level2).values()))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a lexicon knows of one label.

    Attributes:
        label: the label as asked for.
        form: the form under which it was found, ``None`` where unknown.
        status: ``feeling``: stands on a wheel; ``neutral``: known, and on no wheel on
            purpose (``neutral``, ``calm tone of voice``); ``no-feeling``: known to name no
            feeling; ``unknown``: out of vocabulary.
        bases: bases of the form, in order of precedence; the first is mapping M1.
        wheel_word: mapping M2.
        sectors: ``sectors[k - 1][level - 1]`` is mapping M3-Wk-Ll, ``None`` where the label
            has no place on that wheel.
        valence: -1, 0 or +1; ``None`` where the lexicon does not say.
    """

    label: str
    form: str | None
    status: Status
    bases: tuple[str, ...]
    wheel_word: str | None
    sectors: tuple[tuple[str | None, str | None], ...]
    valence: int | None

    @property
    def base(self) -> str | None:
        """Mapping M1: the first base."""
        return self.bases[0] if self.bases else None


_NOWHERE: tuple[tuple[None, None], ...] = ((None, None),) * N_WHEELS


@dataclass(frozen=True, eq=False)
class Lexicon:
    """An emotion-wheel lexicon.

    Args:
        id: name by which reports and signatures know it.
        sha256: hash of everything a score can depend on.
        forms: form -> its bases, in order of precedence.
        wheel_words: base -> its wheel words, in order of precedence.
        wheels: the five wheels.
        alphabetical: merge the wheel words of several bases in alphabetical order (the
            published protocol) instead of in order of precedence (the built-in lexicon).
        valences: base -> -1, 0, +1; empty where the lexicon carries none.
        no_feeling: forms known to name no feeling.
        canonical: label -> the form to look up, for spellings that the form table does not
            list (``very sad`` -> ``sad``); called only when a label is not itself a form.
        source: where the data come from, for people.
    """

    id: str
    sha256: str
    forms: Mapping[str, tuple[str, ...]]
    wheel_words: Mapping[str, tuple[str, ...]]
    wheels: tuple[Wheel, ...]
    alphabetical: bool = False
    valences: Mapping[str, int] = field(default_factory=dict)
    no_feeling: frozenset[str] = frozenset()
    canonical: Callable[[str], str | None] | None = None
    source: str = ""
    _entries: dict[str, Entry] = field(default_factory=dict, repr=False)

    def lookup(self, label: str) -> Entry:
        """The entry of ``label`` (lower case, stripped, as ``parsing`` returns it).

        Never fails: a label the lexicon does not know has status ``unknown``.
        """
        entry = self._entries.get(label)
        if entry is None:
            entry = self._entries[label] = self._resolve(label)
        return entry

    def sectors(self, wheel: int, level: int) -> tuple[str, ...]:
        """Sectors of wheel 1..5 at level 1 or 2, in printed order."""
        return self.wheels[wheel - 1].sectors(level)

    def statistics(self) -> dict[str, int]:
        """Counts of forms, bases, wheel words and forms that name no feeling."""
        words = {word for wheel in self.wheels for word in wheel.level1}
        return {
            "forms": len(self.forms),
            "bases": len({base for bases in self.forms.values() for base in bases}),
            "wheel_words": len(words),
            "no_feeling": len(self.no_feeling),
        }

    def _resolve(self, label: str) -> Entry:
        form: str | None = label
        if label not in self.forms and label not in self.no_feeling:
            form = self.canonical(label) if self.canonical else None
        bases = self.forms.get(form, ()) if form is not None else ()
        if not bases:
            known = form is not None and form in self.no_feeling
            status: Status = "no-feeling" if known else "unknown"
            return Entry(label, form if known else None, status, (), None, _NOWHERE, None)
        words = list(dict.fromkeys(self._words_of(bases)))
        if self.alphabetical:
            words.sort()
        first = self.wheel_words.get(bases[0], ())
        return Entry(
            label=label,
            form=form,
            status="feeling" if words else "neutral",
            bases=bases,
            wheel_word=first[0] if first else None,
            sectors=tuple(_place(wheel, words) for wheel in self.wheels),
            valence=self.valences.get(bases[0]),
        )

    def _words_of(self, bases: tuple[str, ...]) -> Iterator[str]:
        for base in bases:
            yield from self.wheel_words.get(base, ())


def _place(wheel: Wheel, words: list[str]) -> tuple[str | None, str | None]:
    for word in words:
        if word in wheel.level1:
            return wheel.level1[word], wheel.level2[word]
    return None, None


@lru_cache(maxsize=8)
def load_lexicon(lexicon_id: str = BUILTIN_ID) -> Lexicon:
    """The built-in lexicon ``ovmer``, or one that ``ovmer lexicon install`` compiled.

    Raises:
        LexiconError: unknown id, not installed, or a compiled file that was altered.
    """
    if lexicon_id == BUILTIN_ID:
        from . import builtin as lexicon_builtin

        return lexicon_builtin.load()
    from . import upstream as lexicon_upstream

    installed = lexicon_upstream.installed_ids()
    if lexicon_id in installed:
        return lexicon_upstream.load_installed(lexicon_id)
    if lexicon_id in lexicon_upstream.RELEASES:
        raise LexiconError(
            f"lexicon {lexicon_id!r} is not installed",
            hint=f"Run: ovmer lexicon install --id {lexicon_id} --from DIR (or --download)",
        )
    known = [BUILTIN_ID, *lexicon_upstream.RELEASES, *installed]
    raise LexiconError(
        f"unknown lexicon {lexicon_id!r}",
        accepted=dict.fromkeys(known),
        hint=did_you_mean(lexicon_id, known),
    )
