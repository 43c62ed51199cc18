"""Word forms by WordNet derivation and regular inflection; build time of the lexicon only."""

from __future__ import annotations

from pathlib import Path

from .lexicon_wordnet import WordNet

WORDNET_FOLDER = Path("/usr/share/wordnet")

# Steps of derivation from a base: anger -> angry is one (grave -> gravity -> gravitate, two,
# has left the meaning).
MAX_STEPS = 1

# Endings that turn a meaning round: a derivation neither gains nor loses one. Prefixes need
# no list, since forms of a word share its beginning.
_TURNING_SUFFIXES = ("less", "lessly", "lessness")

_VOWELS = frozenset("aeiou")


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
                (lemma, pos) for lemma, pos in reached - seen if _same_word(word, lemma)
            )
            seen.update(front)
        return found

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
        """Regular inflections, and the irregular ones that WordNet lists."""
        regular = {"v": _verb_forms, "n": _plural, "a": _degrees}
        if pos not in regular:
            return []
        forms = regular[pos](word) + self._wordnet.irregular(word, pos)
        return [form for form in forms if self._wordnet.lemma(form, pos) in (word, form)]


def _same_word(one: str, other: str) -> bool:
    """Whether two words can be forms of one word: a shared beginning, no turned meaning."""
    if _turns(one) != _turns(other):
        return False
    shared = 0
    for a, b in zip(one, other):
        if a != b:
            break
        shared += 1
    return shared >= max(3, min(len(one), len(other)) - 3)


def _turns(word: str) -> bool:
    return word.endswith(_TURNING_SUFFIXES)


def _verb_forms(verb: str) -> list[str]:
    stem = verb[:-1] if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")) else verb
    past = verb + "d" if verb.endswith("e") else verb + "ed"
    forms = _plural(verb) + [past, stem + "ing"]
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        forms.append(verb[:-1] + "ied")
    if _doubles(verb):
        forms += [verb + verb[-1] + "ed", verb + verb[-1] + "ing"]
        if not verb.endswith("l"):
            forms = [form for form in forms if form not in (past, stem + "ing")]
    return forms


def _doubles(verb: str) -> bool:
    """Whether the last consonant is doubled (stop, upset; l in British spelling)."""
    ends = len(verb) > 2 and verb[-1] not in "aeiouwxy" and verb[-2] in _VOWELS
    if not ends or verb[-3] in _VOWELS:
        return False
    vowels = sum(a in _VOWELS and b not in _VOWELS for a, b in zip(verb, verb[1:]))
    return vowels == 1 or verb[-1] == "l" or verb.endswith(("set", "get", "fer", "mit"))


def _plural(noun: str) -> list[str]:
    if noun.endswith(("ness", "ity", "ism")):
        return []
    if noun.endswith("y") and len(noun) > 1 and noun[-2] not in _VOWELS:
        return [noun[:-1] + "ies"]
    return [noun + "es"] if noun.endswith(("s", "x", "z", "ch", "sh")) else [noun + "s"]


def _degrees(adjective: str) -> list[str]:
    if adjective.endswith("y") and len(adjective) < 10:
        return [adjective[:-1] + "ier", adjective[:-1] + "iest"]
    if len(adjective) > 6 or adjective.endswith(("ed", "ing", "ful", "ous")):
        return []
    if adjective.endswith("e"):
        return [adjective + "r", adjective + "st"]
    if _doubles(adjective):
        return [adjective + adjective[-1] + "er", adjective + adjective[-1] + "est"]
    return [adjective + "er", adjective + "est"]


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

