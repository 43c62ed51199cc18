"""The built-in lexicon ``ovmer``: the project's own words, on the five wheels as published.

Reads ``resources/lexicon`` (``PROVENANCE.md`` there says where each file comes from). A base
has one feeling family; a family lists wheel words by closeness of meaning, and on each wheel
the first that stands there gives the sector. A base whose own word is printed on a wheel
stands, on that wheel, where it is printed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files

from ..errors import LexiconError
from . import BUILTIN_ID, LEVELS, N_WHEELS, Lexicon, Wheel, normalise
from . import spelling as label_spelling

WHEEL_NAMES = (
    "The Feelings Wheel (Calm)",
    "Emotional Word Wheel (Geoffrey Roberts, 2015)",
    "The Feeling Wheel (PositivePsychology.com)",
    "Emotion wheel (Abby VanMuijen)",
    "The Feeling Wheel (Gloria Willcox, 1982)",
)

# Everything a score can depend on, in the order in which it is hashed.
RESOURCES = (
    "wheels.tsv",
    "choices.tsv",
    "sectors.tsv",
    "families.tsv",
    "forms.tsv",
    "forms_zh.tsv",
    "negations.tsv",
    "no_feeling.tsv",
    "plain.tsv",
    "real_words.tsv",
)


@dataclass(frozen=True)
class Family:
    """A fine-grained feeling: its valence and its wheel words, the closest in meaning first."""

    name: str
    valence: int
    wheel_words: tuple[str, ...]


def read_resources(*names: str) -> dict[str, str]:
    """Texts of files of ``resources/lexicon``.

    Raises:
        LexiconError: the installation lacks one of the files.
    """
    folder = files("ovmer_bench") / "resources" / "lexicon"
    texts = {}
    for name in names:
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError) as error:
            raise LexiconError(
                f"the built-in lexicon is damaged: {error}",
                file=name,
                hint="Install ovmer-bench again.",
            ) from None
    return texts


def rows(text: str) -> Iterator[list[str]]:
    """Fields of the tab-separated lines of ``text``; comments and empty lines are skipped."""
    for line in text.split("\n"):
        if line and line[0] != "#":
            yield line.split("\t")


def read_families(text: str) -> dict[str, Family]:
    """The feeling families of ``families.tsv``."""
    families = {}
    for name, valence, words, *_ in rows(text):
        families[name] = Family(name, int(valence), tuple(words.split(", ")) if words else ())
    return families


def read_wheels(wheels: str, choices: str) -> tuple[Wheel, ...]:
    """The five wheels from the printed rings and the choices for words with several places."""
    level1: list[dict[str, str]] = [{} for _ in range(N_WHEELS)]
    level2: list[dict[str, str]] = [{} for _ in range(N_WHEELS)]
    chosen = {(int(row[0]) - 1, row[1]): (row[2], row[3]) for row in rows(choices)}
    for number, inner, middle, outer in rows(wheels):
        k = int(number) - 1
        for word in (inner, middle, outer):
            level1[k][word], level2[k][word] = chosen.get((k, word), (inner, middle))
    return tuple(map(Wheel, WHEEL_NAMES, level1, level2))


def read_sector_valences(text: str, wheels: tuple[Wheel, ...]) -> dict[tuple[int, int, str], int]:
    """(wheel 1..5, level, sector) -> -1, 0, +1 for every sector of every wheel."""
    listed = {(int(k), int(level), sector): int(v) for k, level, sector, v in rows(text)}
    valences = {}
    for k, wheel in enumerate(wheels, 1):
        for word, inner in wheel.level1.items():
            valences[k, 1, inner] = listed[k, 1, inner]
            middle = wheel.level2[word]
            valences[k, 2, middle] = listed.get((k, 2, middle), listed[k, 1, inner])
    return valences


@lru_cache(maxsize=1)
def _sector_valences() -> Mapping[tuple[int, int, str], int]:
    texts = read_resources("wheels.tsv", "choices.tsv", "sectors.tsv")
    wheels = read_wheels(texts["wheels.tsv"], texts["choices.tsv"])
    return read_sector_valences(texts["sectors.tsv"], wheels)


def sector_valence(wheel: int, level: int, sector: str) -> int:
    """Valence of a sector: -1, 0 or +1.

    Args:
        wheel: 1..5.
        level: 1 or 2.
        sector: a sector of that wheel and level.

    Raises:
        LexiconError: there is no such sector.
    """
    valences = _sector_valences()
    if (wheel, level, sector) not in valences:
        known = [name for k, lev, name in valences if (k, lev) == (wheel, level)]
        raise LexiconError(
            f"no sector {sector!r} at level {level} of wheel {wheel}",
            accepted=known or f"wheels 1 to {N_WHEELS}, levels {LEVELS[0]} and {LEVELS[-1]}",
        )
    return valences[wheel, level, sector]


def load() -> Lexicon:
    """The built-in lexicon.

    Raises:
        LexiconError: the installation lacks one of its files.
    """
    texts = read_resources(*RESOURCES)
    wheels = read_wheels(texts["wheels.tsv"], texts["choices.tsv"])
    families = read_families(texts["families.tsv"])
    places = _places(wheels, read_sector_valences(texts["sectors.tsv"], wheels))
    forms: dict[str, tuple[str, ...]] = {}
    family_of: dict[str, str] = {}
    for base, name, spelled in rows(texts["forms.tsv"]):
        entry = (base,)
        forms[base] = entry
        family_of[base] = name
        if spelled:
            forms.update(dict.fromkeys(spelled.split(", "), entry))
    forms.update(_chinese(texts["forms_zh.tsv"], forms))
    wheel_words = {base: families[name].wheel_words for base, name in family_of.items()}
    valences = {base: families[name].valence for base, name in family_of.items()}
    for base, printed in _printed(places, forms, valences).items():
        wheel_words[base] = tuple(dict.fromkeys((*printed, *wheel_words[base])))
    no_feeling = _first_fields(texts["no_feeling.tsv"]) - forms.keys()
    denials = {family: form for family, form, *_ in rows(texts["negations.tsv"])}
    spellings = label_spelling.Spellings(
        feelings=forms,
        no_feeling=no_feeling,
        opposite=partial(_opposite, forms, family_of, denials),
        plain=_first_fields(texts["plain.tsv"]),
        real=_first_fields(texts["real_words.tsv"]),
    )
    return Lexicon(
        id=BUILTIN_ID,
        sha256=_digest(texts),
        forms=forms,
        wheel_words=wheel_words,
        wheels=wheels,
        alphabetical=False,
        valences=valences,
        no_feeling=no_feeling,
        canonical=partial(normalise.canonical, spellings=spellings),
        source="built in; resources/lexicon/PROVENANCE.md names the sources",
    )


def _first_fields(text: str) -> frozenset[str]:
    listed = (line.partition("\t")[0] for line in text.split("\n"))
    return frozenset(word for word in listed if word and word[0] != "#")


def _chinese(text: str, forms: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Chinese words -> the bases of the English form that their row gives."""
    found: dict[str, tuple[str, ...]] = {}
    for form, words, *_ in rows(text):
        if form not in forms:
            raise LexiconError(f"no form {form!r}", file="forms_zh.tsv", hint="Rebuild forms.tsv.")
        found.update(dict.fromkeys(words.split(), forms[form]))
    return found


def _places(
    wheels: tuple[Wheel, ...], valences: Mapping[tuple[int, int, str], int]
) -> dict[str, int]:
    """Wheel word -> valence of the sectors it is printed in.

    A word with several places has the valence of the non-neutral ones; where they disagree,
    0, so that its base decides.
    """
    seen: dict[str, set[int]] = {}
    for k, wheel in enumerate(wheels, 1):
        for word, sector in wheel.level1.items():
            found = {valences[k, 1, sector], valences[k, 2, wheel.level2[word]]} - {0}
            seen.setdefault(word, set()).update(found)
    return {word: min(found) if len(found) == 1 else 0 for word, found in seen.items()}


def _printed(
    places: Mapping[str, int],
    forms: Mapping[str, tuple[str, ...]],
    valences: Mapping[str, int],
) -> dict[str, list[str]]:
    """Base -> those of its forms that a wheel prints, the base itself first.

    A word that a wheel prints in a sector of opposite valence (``loyal``, in a sector of
    anger) is left out: there its family decides.
    """
    printed: dict[str, list[str]] = {}
    for word, valence in places.items():
        base = forms[word][0] if word in forms else None
        if base is not None and valence * valences[base] >= 0:
            known = printed.setdefault(base, [])
            known.insert(0 if word == base else len(known), word)
    return printed


def _opposite(
    forms: Mapping[str, tuple[str, ...]],
    family_of: Mapping[str, str],
    denials: Mapping[str, str],
    form: str,
) -> str:
    family = family_of[forms[form][0]]
    return denials.get(family, label_spelling.NEUTRAL_FORM)


def _digest(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(f"rules {normalise.RULES_VERSION}\n".encode())
    for name in RESOURCES:
        data = texts[name].encode("utf-8")
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()
