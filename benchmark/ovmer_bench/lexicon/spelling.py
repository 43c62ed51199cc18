"""Spellings of a single word or listed phrase: variants, inflection, prefixes, misspellings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

NEUTRAL_FORM = "neutral"

# Length of a word whose spelling may be mended, in its letters, in its vowels; a short one has
# neighbours.
MIN_MISTYPED = 6
MIN_VOWELS_MIXED = 8
MAX_MISTYPED = 24


@dataclass(frozen=True)
class Spellings:
    """The vocabulary that the rules lead back to.

    Attributes:
        feelings: forms with a base.
        no_feeling: forms known to name no feeling.
        opposite: feeling form -> the form that its denial means.
        plain: forms that name a feeling only where nothing else is named (``close``: not
            ``close-up``; ``loss``: not ``hair loss``).
        real: words of the language that a rule for misspellings or prefixes would take for
            a feeling (``desert``: not ``dessert``).
    """

    feelings: Collection[str]
    no_feeling: Collection[str]
    opposite: Callable[[str], str]
    plain: Collection[str] = frozenset()
    real: Collection[str] = frozenset()


_VOWELS = tuple("aeiou")

# Those that can be taken off an unknown word without finding a chance word (`in-tense`).
_REMOVABLE_PREFIXES = ("un", "dis", "non")
_STRENGTHENING_PREFIXES = ("over", "hyper", "ultra", "super", "semi", "half", "quasi", "extra")

# British and American: one is tried for the other.
_NATIONAL = """
    isation:ization ise:ize ising:izing yse:yze our:or lled:led lling:ling llment:lment
    ence:ense sceptic:skeptic dgement:dgment grey:gray aes:es
"""
_SPELLINGS = tuple((one, other) for one, _, other in (p.partition(":") for p in _NATIONAL.split()))

# Ending : what may stand in its place in the word it was formed from (`.`: nothing). Only
# endings that cannot leave the meaning: verbs and their nouns are in the form table.
_RULES = """
    iness:y edness:ed,e,. fulness:ful,. ness:. ingly:ing,e,. edly:ed,e,. fully:ful,.
    ically:ic,ical ily:y bly:ble ly:.,e ies:y s:.
"""
_ENDINGS = tuple(
    (ending, tuple(stems.replace(".", "").split(",")))
    for ending, _, stems in (rule.partition(":") for rule in _RULES.split())
)
# Nouns of feeling end so; other words in -s need not be plurals (`goods`, `wits`).
_PLURALS = (
    *("ions", "ments", "nesses", "ances", "ences", "isms"),
    *("ors", "ours", "iefs", "ures", "ties", "cies"),
)


def mended(word: str, spellings: Spellings) -> str | None:
    """The form for which a rule for misspellings or prefixes takes a single unknown word."""
    return prefixed(word, spellings) or mistyped(word, spellings)


def spelled(text: str, vocabulary: Collection[str]) -> str | None:
    """``text`` or a variant of it in hyphens, apostrophes or national spelling."""
    for joined in _joined(text):
        if joined in vocabulary:
            return joined
    for one, other in _SPELLINGS:
        for old, new in ((one, other), (other, one)):
            if old in text:
                variant = text.replace(old, new)
                if variant in vocabulary:
                    return variant
    return None


def _joined(text: str) -> Iterator[str]:
    yield text
    spaced = text.replace("-", " ")
    yield spaced
    if " " in spaced:
        yield spaced.replace(" ", "-")
        yield spaced.replace(" ", "")
    if "'" in text:
        yield text.replace("'", "")
        yield text.partition("'")[0]


def inflected(word: str, vocabulary: Collection[str]) -> str | None:
    """The form from which ``word`` is regularly formed (``gloominess``: ``gloomy``)."""
    for ending, replacements in _ENDINGS:
        if not word.endswith(ending) or len(word) < len(ending) + 3:
            continue
        stem = word[: -len(ending)]
        if ending in ("s", "ies") and not word.endswith(_PLURALS):
            return None
        for replacement in replacements:
            if stem + replacement in vocabulary:
                return stem + replacement
        found = spelled(stem, vocabulary)
        if found:
            return found
    return None


def mistyped(word: str, spellings: Spellings) -> str | None:
    """The one form that a long word misses by a slip of the pen; the first letter is right.

    Letters doubled or not, one letter left out, added or swapped with the next, and in longer
    words a vowel taken for another. Another consonant is as often another word.
    """
    if not MIN_MISTYPED <= len(word) <= MAX_MISTYPED or not word.isascii() or not word.isalpha():
        return None
    if any(word in known for known in (spellings.no_feeling, spellings.real)):
        return None
    found = _doubled(word, spellings.feelings)
    if not found:
        found = _slipped(word, spellings.feelings)
    return found.pop() if len(found) == 1 else None


def _slipped(word: str, vocabulary: Collection[str]) -> set[str]:
    found: set[str] = set()
    for i in range(1, len(word) + 1):
        head, tail = word[:i], word[i:]
        candidates = [head + letter + tail for letter in "abcdefghijklmnopqrstuvwxyz"]
        candidates += [head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]]
        if len(word) >= MIN_VOWELS_MIXED and tail[:1] in _VOWELS:
            candidates += [head + vowel + tail[1:] for vowel in _VOWELS]
        found.update(form for form in candidates if form in vocabulary)
    return found


def _doubled(word: str, vocabulary: Collection[str]) -> set[str]:
    """Forms that differ by at most two doubled letters (``dissapointment``)."""
    near = {word}
    for _ in range(2):
        near |= {other for one in near for other in _doubled_once(one)}
        found = {one for one in near if one in vocabulary}
        if found:
            return found
    return set()


def _doubled_once(word: str) -> Iterator[str]:
    for i in range(1, len(word)):
        if word[i] == word[i - 1]:
            yield word[:i] + word[i + 1 :]
        elif word[i] not in "aiu":
            yield word[: i + 1] + word[i:]


def prefixed(word: str, spellings: Spellings) -> str | None:
    """``overexcited``: the feeling, stronger; ``unamused``: its denial."""
    if word in spellings.real:
        return None
    for prefix in _STRENGTHENING_PREFIXES:
        rest = word.removeprefix(prefix).lstrip("-")
        if len(rest) > 3 and rest != word:
            found = spelled(rest, spellings.feelings) or inflected(rest, spellings.feelings)
            if found:
                return found
    for prefix in _REMOVABLE_PREFIXES:
        rest = word.removeprefix(prefix).lstrip("-")
        if len(rest) > 5 and rest != word and rest in spellings.feelings:
            denied = spellings.opposite(rest)
            # What `un-` says of a bad feeling is its own word: `unharmed` is no mood.
            return denied if denied != NEUTRAL_FORM or prefix == "non" else None
    return None
