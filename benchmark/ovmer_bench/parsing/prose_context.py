"""One sentence, asked about one mention of a feeling at a time: whose, how firmly, denied?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

from .prose_rules import Rules


class Evidence(IntEnum):
    """How firmly a sentence ascribes a feeling."""

    DENIED = 0
    """The person does not feel it."""
    HINT = 1
    """A word that may mean something else is said of a voice or a face (``a neutral tone``)."""
    SIGN = 2
    """A face, a voice or a gesture suggests it."""
    ASCRIBED = 3
    """The person feels it, is it, seems it."""
    STATED = 4
    """It is named as the emotional state."""


NEGATION_REACH = 7
"""Tokens over which a negation reaches."""

MAX_COMPLEMENT = 5
"""Tokens that may stand between a feeling and the next for what it is about."""

_PREPOSITIONS = frozenset({"of", "at", "about", "by", "with", "for", "over", "towards"})
_JOINING = frozenset(
    {",", "/", "and", "or", "nor", "yet", "as", "well", "any", "even", "also", "of", "a", "an"}
    | {"the", "very", "so", "more", "quite", "rather", "bit", "little", "somewhat", "both"}
    | {"perhaps", "maybe", "touch", "tad", "hint", "trace", "tinge", "too", "still", "almost"}
)
_TURNING = frozenset(
    {"but", "yet", "rather", "simply", "merely", "actually", "really", "mostly", "instead", "then"}
    | {"just", "only", "_"}
)
"""Join two feelings (``sad but also proud``), not a denied one and the next."""
_LATER = frozenset({"then", "later", "finally", "eventually", "next", "end", "last", "into", "to"})
_BESIDE_LATER = frozenset({"in", "the", "at", "first", "a", "_", "and", ",", "now", "of"})
_CONTRAST = frozenset({"than", "rather", "instead", "not", "over", "but"})
_SUBJECTS = frozenset({"he", "she", "they", "it", "the", "his", "her", "there"})


class Context:
    """One sentence, and the places of all mentions in it.

    Args:
        tokens: of the sentence, with the characters where each begins.
        inside: for every token whether it is part of a mention.
    """

    def __init__(
        self, rules: Rules, sentence: str, tokens: list[str], begins: list[int], inside: list[bool]
    ) -> None:
        self._words, self._patterns = rules.words, rules.patterns
        self._sentence, self._tokens, self._begins = sentence, tokens, begins
        self._inside = inside
        self.concluding = self._patterns["concluding"].search(sentence) is not None
        self._predicates = [m.end() for m in self._patterns["stated"].finditer(sentence)]
        self._generic = self._patterns["generic"].search(sentence) is not None
        self._undecided = [
            *self._clauses("undecided", "undecided_end"),
            *self._clauses("conceded", "conceded_end"),
        ]
        self._others = self._clauses("other_subject", "clause_end")
        self._bare = self._bare_lists()
        self._asked = sentence.rstrip(" \"')").endswith("?")

    def text(self, first: int, last: int) -> str:
        """The mention as written."""
        return " ".join(self._tokens[first:last])

    # --- Beside another mention -----------------------------------------------------------

    def coordinated(self, last: int, first: int) -> bool:
        """Whether only commas, conjunctions and degrees stand between two mentions."""
        between = self._without_complement(self._tokens[last:first])
        if _LATER.isdisjoint(between):
            joining = _JOINING | _TURNING
        elif "to" in between and "from" not in self._tokens[max(0, last - 5) : last]:
            return False
        else:
            joining = _JOINING | _TURNING | _LATER | _BESIDE_LATER
        return all(token in joining or token.endswith("ly") for token in between)

    def shares_denial(self, last: int, first: int) -> bool:
        """Whether a negation of one mention is one of the next, which is joined with it."""
        return _TURNING.isdisjoint(self._tokens[last:first]) and not self._before("affirmed", first)

    def listed(self, first: int, last: int) -> bool:
        """Whether only a comma or a conjunction parts the mention from another one."""
        before, after = first - 1, last
        while before >= 0 and self._tokens[before] in _JOINING:
            before -= 1
        while after < len(self._tokens) and self._tokens[after] in _JOINING:
            after += 1
        if "of" in self._tokens[before + 1 : first] or "of" in self._tokens[last:after]:
            return False  # ``a smile of satisfaction``
        return (before < first - 1 and before >= 0 and self._inside[before]) or (
            after > last and self._inside[after]
        )

    def contrasted(self, first: int, last: int) -> bool:
        """Whether the mention is set against another one: ``acceptance rather than joy``."""
        tokens, after, before = self._tokens, last, first - 1
        while after < len(tokens) and tokens[after] in _CONTRAST:
            after += 1
        while before >= 0 and tokens[before] in _CONTRAST:
            before -= 1
        return (after > last and self._inside[after]) or (
            0 <= before < first - 1 and self._inside[before]
        )

    def adjoins(self, last: int) -> bool:
        """Whether the next word is a mention too."""
        return self._inside[last]

    def direct(self, first: int, last: int) -> bool:
        """Whether a person is said to be or feel it: ``she becomes calm``, not ``is asking``."""
        if self._bare[first] or self.felt(first):
            return True
        gerund = self._tokens[last - 1].endswith("ing")
        return not gerund and self._before("direct", first) is not None

    def of_display(self, last: int) -> bool:
        """Whether a voice, a face or a manner is described with it."""
        return self._described(last) in self._words["display"]

    def felt(self, first: int) -> bool:
        """Whether a person is said to feel it."""
        return self._before("felt", first) is not None

    # --- Denied, another person's, or how firmly ascribed -----------------------------------

    def negated(self, first: int, last: int) -> bool:
        """Whether a negation before or behind the mention reaches it."""
        if self._before("negated_phrase", first, 60):
            return True
        after = self._sentence[self._end(last) : self._end(last) + 60]
        if self._patterns["negated_after"].match(after):
            return True
        if self._before("less", first) and re.match(r" than\b", after):
            return True
        if self._before("affirmed", first, 60):
            return False
        tokens, crossed = self._tokens, False
        for i in range(first - 1, max(-1, first - 1 - NEGATION_REACH), -1):
            token = tokens[i]
            if token in self._words["negators"]:
                if not (crossed and self._bounded(i)):
                    return True
            elif token in self._words["breaks"]:
                return i > 0 and token in {"because", "so", "that"} and tokens[i - 1] == "not"
            elif token in {",", "and", "or"} and self._begins_clause(i + 1):
                return False
            crossed = crossed or token in self._words["assertions"]
        return False

    def of_others(self, first: int) -> bool:
        """Whether somebody else feels it."""
        if self._before("caused", first):
            return False
        return (
            _within(self._others, self._begins[first]) or self._before("others", first) is not None
        )

    def evidence(self, first: int, last: int) -> Evidence | None:
        """How firmly the mention is ascribed; ``None`` where it is no feeling of the person."""
        if _within(self._undecided, self._begins[first]) or self._before("pretended", first):
            return None
        described = self._described(last)
        if described in self._words["things"] or self._of_surroundings(first):
            return None
        if self._generic or self._asked or self._before("attempted", first):
            return Evidence.SIGN
        if described in self._words["state_nouns"] or self._in_predicate(self._begins[first]):
            return Evidence.STATED
        ascribed = self._bare[first] or self._before("caused", first)
        if ascribed or self._before("ascribed", first) or self._owned(first, described):
            return Evidence.ASCRIBED
        return Evidence.SIGN

    # --- Details ----------------------------------------------------------------------------

    def _before(self, pattern: str, first: int, reach: int = 80) -> re.Match[str] | None:
        start = self._begins[first]
        return self._patterns[pattern].search(self._sentence[max(0, start - reach) : start])

    def _end(self, last: int) -> int:
        """The character behind the mention that ends before token ``last``."""
        return self._begins[last - 1] + len(self._tokens[last - 1])

    def _clauses(self, begin: str, end: str) -> list[tuple[int, int]]:
        clauses = []
        for match in self._patterns[begin].finditer(self._sentence):
            stop = self._patterns[end].search(self._sentence, match.end())
            clauses.append((match.end(), stop.start() if stop else len(self._sentence)))
        return clauses

    def _bare_lists(self) -> list[bool]:
        """For every token whether it is part of nothing but feelings: ``Calm at first, he``.

        At the beginning up to a comma, or from there or a colon to the end.
        """
        bare = [False] * len(self._tokens)
        for begin in (0, *(i + 1 for i, token in enumerate(self._tokens) if token == ":")):
            i = begin
            while i < len(self._tokens) and (
                self._inside[i] or self._tokens[i] in _JOINING or self._tokens[i].endswith("ly")
            ):
                i += 1
            if i == len(self._tokens) or (begin == 0 < i and self._tokens[i - 1] == ","):
                bare[begin:i] = [True] * (i - begin)
        return bare

    def _owned(self, first: int, described: str) -> bool:
        """``her worry grows``, not ``her worried eyes``."""
        told = not described or described in self._words["after_nouns"]
        return told and self._before("owner", first) is not None

    def _without_complement(self, between: list[str]) -> list[str]:
        """``tired of waiting and sad``: what stands between, without ``of waiting``."""
        joint = next((i for i, token in enumerate(between) if token in {",", "and", "or"}), 0)
        if joint == 0 or joint > MAX_COMPLEMENT or between[0] not in _PREPOSITIONS:
            return between
        verbs = self._words["assertions"] | self._words["breaks"]
        return between if verbs & set(between[:joint]) else between[joint:]

    def _begins_clause(self, i: int) -> bool:
        """Whether something new is said from the token behind a comma or ``and``."""
        if self._tokens[i - 1] == "," and not self._inside[i - 2]:
            return True
        token = self._tokens[i]
        return token in self._words["assertions"] or token in _SUBJECTS or token in _TURNING

    def _bounded(self, i: int) -> bool:
        """Whether the negator at ``i`` reaches only as far as the next verb."""
        if self._tokens[i] == "no":
            return self._tokens[i + 1] not in self._words["asserted_nouns"]
        return self._tokens[i] in self._words["bounded_negators"]

    def _of_surroundings(self, first: int) -> bool:
        """``the atmosphere is tense``."""
        i = first - 1
        while i >= 0 and (
            self._inside[i] or self._tokens[i] in _JOINING or self._tokens[i].endswith("ly")
        ):
            i -= 1
        if i < 1 or self._tokens[i] not in self._words["copulas"]:
            return False
        return self._tokens[i - 1] in self._words["surroundings"]

    def _described(self, last: int) -> str:
        """The noun that the mention stands before, across other adjectives."""
        i = last
        while i < min(len(self._tokens), last + 8):
            token = self._tokens[i]
            if token == "of":  # ``afraid of the consequences``
                return ""
            if not (self._inside[i] or token in _JOINING or token == "emotional"):
                return token
            i += 1
        return ""

    def _in_predicate(self, start: int) -> bool:
        begin = max((end for end in self._predicates if end <= start), default=-1)
        if begin < 0:
            return False
        return self._patterns["predicate_end"].search(self._sentence, begin, start) is None


def _within(clauses: Sequence[tuple[int, int]], start: int) -> bool:
    return any(begin <= start < end for begin, end in clauses)
