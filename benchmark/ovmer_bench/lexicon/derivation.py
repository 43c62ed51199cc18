"""Word forms by WordNet derivation and regular inflection; build time of the lexicon only."""

from __future__ import annotations

import re
from pathlib import Path

from .wordnet import WordNet

WORDNET_FOLDER = Path("/usr/share/wordnet")

# Steps of derivation from a base: anger -> angry is one (grave -> gravity -> gravitate, two,
# has left the meaning).
MAX_STEPS = 1

# Endings that turn a meaning round: a derivation neither gains nor loses one. Prefixes need
# no list, since forms of a word share its beginning.
_TURNING_SUFFIXES = ("less", "lessly", "lessness")

# Endings of derivations that name something else than the feeling.
_OTHER_MEANING = ("er", "or", "ant", "ist", "able", "ible", "ator", "ee", "ative", "age", "ize")

_VOWELS = frozenset("aeiou")
_SYLLABLE = re.compile(r"[aeiou]+|y(?![aeiou])")
# Endings that are a syllable of their own after a vowel (joyous, fluent, stoic).
_UNSTRESSED = ("yous", "uent", "iant", "oic")

# One vowel and one consonant after it: sad, mad, glum.
_DOUBLING = re.compile(r"[^aeiou]*[aeiou][bdgmnpt]")

# Adjectives of two syllables with degrees of their own, whose endings do not tell it.
_SHORT = frozenset(
    ["bitter", "clever", "cruel", "mellow", "polite", "quiet", "severe", "sincere", "tender"]
)


class Derivations:
    """Forms of a word: derivations that WordNet records, and their regular inflections.

    Args:
        folder: WordNet 3.0 database folder.
        blocked: words never to be given (they are known to name no feeling).

    Raises:
        LexiconError: the folder holds no WordNet database.
    """

    def __init__(self, folder: Path, blocked: frozenset[str] = frozenset()) -> None:
        self._blocked = blocked
        self._wordnet = WordNet(folder)

    def of(self, word: str) -> dict[str, int]:
        """Form -> how many steps it is away from ``word`` (inflections count half a step).

        Steps are doubled to stay whole: inflections of ``word`` are at 1, derivations at 2,
        their inflections at 3, and so on.
        """
        found: dict[str, int] = {}
        seen = set(self._roots(word))
        front = sorted(seen)
        for step in range(MAX_STEPS + 1):
            for lemma, pos in front:
                self._add(found, word, lemma, 2 * step)
                for form in self._inflections(lemma, pos):
                    self._add(found, word, form, 2 * step + 1)
            reached = {near for item in front for near in self._neighbours(*item)}
            front = sorted(
                (near, pos)
                for near, pos in reached - seen
                if _same_word(word, near) and _same_meaning(word, near)
            )
            seen.update(front)
        return found

    def close(self, word: str) -> dict[str, int]:
        """Forms of an adjective that cannot leave its meaning: degrees, adverb, noun in -ness."""
        found = (
            dict.fromkeys(self._inflections(word, "a"), 1) if self._wordnet.has(word, "a") else {}
        )
        regular = [(form, "r") for form in _adverbs(word)] + [(_ness(word), "n")]
        found.update((form, 2) for form, pos in regular if self._wordnet.has(form, pos))
        return {form: steps for form, steps in found.items() if form not in self._blocked}

    def _add(self, found: dict[str, int], word: str, form: str, distance: int) -> None:
        if form != word and form not in self._blocked and _same_word(word, form):
            found[form] = min(distance, found.get(form, distance))

    def _roots(self, word: str) -> list[tuple[str, str]]:
        """The word in its leading part of speech, and the verb whose participle it is."""
        verb = self._wordnet.lemma(word, "v")
        if self._wordnet.has(word, "a"):
            participle = verb and verb != word and word.endswith(("ed", "ing"))
            return [(word, "a"), (verb, "v")] if verb and participle else [(word, "a")]
        for pos in ("n", "v", "r"):
            if self._wordnet.has(word, pos):
                return [(word, pos)]
        return [(verb, "v")] if verb else []

    def _neighbours(self, word: str, pos: str) -> set[tuple[str, str]]:
        near = {item for item in self._wordnet.derived(word, pos) if "_" not in item[0]}
        if pos == "a":
            near.update((form, "r") for form in _adverbs(word) if self._wordnet.has(form, "r"))
            if self._wordnet.has(_ness(word), "n"):
                near.add((_ness(word), "n"))
        return near

    def _inflections(self, word: str, pos: str) -> list[str]:
        """Inflections: the irregular ones that WordNet lists, else the regular ones.

        Plurals of nouns are left to the rules for spellings: no label needs a table for them.
        """
        if pos == "v":
            return self._conjugated(word)
        if pos == "a" and not self._participle(word.removeprefix("un")):
            return _degrees(word)
        return []

    def _conjugated(self, verb: str) -> list[str]:
        """Third person, past and participles; what WordNet lists stands for the regular form.

        Where it lists a doubled present and no past (``besetting``), the past is the verb.
        """
        irregular = self._wordnet.irregular(verb, "v")
        present = [form for form in irregular if form.endswith("ing")]
        past = [form for form in irregular if not form.endswith(("ing", "s"))]
        if verb.endswith("l"):
            return [_third(verb), *_past(verb), _present(verb), *past, *present]
        if not past and not present:
            past = _past(verb)
        return [_third(verb), *past, *(present or [_present(verb)])]

    def _participle(self, word: str) -> bool:
        """Whether an adjective is the irregular participle of a verb (``beaten``, ``torn``)."""
        verb = self._wordnet.lemma(word, "v")
        return bool(verb) and verb != word


def _same_word(one: str, other: str) -> bool:
    """Whether two words can be forms of one word: a shared beginning, no turned meaning."""
    if _turns(one) != _turns(other):
        return False
    shared = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        shared += 1
    return shared >= max(3, min(len(one), len(other)) - 3)


def _same_meaning(word: str, derived: str) -> bool:
    """Whether a derivation still names the feeling.

    It does not where it names a person or a thing that does it (``stalker``), what it can be
    done to (``breakable``), or the thing that the word was taken from (``volcano``).
    """
    if derived.endswith(_OTHER_MEANING) and not word.endswith(_OTHER_MEANING):
        return False
    return word == derived or not word.startswith(derived) or word.endswith(("ed", "ing"))


def _turns(word: str) -> bool:
    return word.endswith(_TURNING_SUFFIXES)


def _past(verb: str) -> list[str]:
    if verb.endswith("e"):
        return [verb + "d"]
    return [verb[:-1] + "ied" if _consonant_y(verb) else verb + "ed"]


def _present(verb: str) -> str:
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    drops = verb.endswith("e") and not verb.endswith(("ee", "oe", "ye"))
    return (verb[:-1] if drops else verb) + "ing"


def _third(verb: str) -> str:
    if _consonant_y(verb):
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "do", "go", "to")) else "s")


def _degrees(adjective: str) -> list[str]:
    """Comparative and superlative of a short adjective; a long one takes ``more``.

    Short are one syllable, two that end in ``y`` after a consonant or in a consonant and
    ``le`` (with a prefix ``un`` besides), and those few that ``_SHORT`` names. No adjective in
    ``a-`` (``afraid``, ``alive``) has degrees.
    """
    stem = adjective.removeprefix("un")
    syllables = len(_SYLLABLE.findall(stem.removesuffix("e"))) + stem.endswith(_UNSTRESSED)
    if _consonant_y(stem):
        return [adjective[:-1] + "ier", adjective[:-1] + "iest"] if syllables <= 2 else []
    if stem.endswith("le") and stem[-3:-2] not in _VOWELS and syllables == 1:
        return [adjective + "r", adjective + "st"] if not stem.startswith("a") else []
    if syllables != 1 and stem not in _SHORT:
        return []
    if _DOUBLING.fullmatch(stem):
        adjective += adjective[-1]
    root = adjective.removesuffix("e")
    return [root + "er", root + "est"]


def _consonant_y(word: str) -> bool:
    return len(word) > 1 and word.endswith("y") and word[-2] not in _VOWELS


def _adverbs(adjective: str) -> list[str]:
    forms = [adjective + "ly"]
    if adjective.endswith("y"):
        forms.append(adjective[:-1] + "ily")
    if adjective.endswith("ic"):
        forms.append(adjective + "ally")
    if adjective.endswith("le"):
        forms.append(adjective[:-1] + "y")
    return forms


def _ness(adjective: str) -> str:
    return (adjective[:-1] + "i" if adjective.endswith("y") else adjective) + "ness"
