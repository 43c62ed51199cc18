"""The feelings that English prose ascribes to the person it describes, by rules.

Deterministic, without a model. ``prose`` finds the mentions and weighs each; here the choice
is made. Model prose first describes (a face, a voice), then reasons, then concludes. A
conclusion overrides what led to it, and a conclusion from all clues one from a single clue. So
the firmest level of commitment that names a feeling gives all labels, and what lies below it
gives none. What the text denies in the end is none of them, whatever it said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ..lexicon import Lexicon
from .prose import Mention, MentionFinder
from .prose_context import Evidence
from .prose_rules import load_rules

RULES_ID = "rules-1"


def extract_labels(text: str, lexicon: Lexicon) -> list[str]:
    """Feelings of the person that ``text`` describes, as written, in order of first mention.

    Args:
        text: English prose; any string is accepted.
        lexicon: tells feelings from other words. Extraction should not depend on the lexicon
            that scores: give the built-in one.
    """
    finder = _finder(lexicon)
    mentions = _upheld(finder(text), lexicon)
    if not mentions:
        return []
    levels = list(_levels(mentions))
    vague = load_rules().words["vague"]
    for level in levels:
        exact = _distinct((m for m in level if m.listed or m.label not in vague), lexicon)
        if any(label not in vague for label in exact):
            return exact
        if level and level[0].evidence is Evidence.STATED and level[0].concluding:
            said = _distinct((m for m in level if m.label not in _META), lexicon)
            if said:
                return said
    return next((_distinct(level, lexicon) for level in levels if level), [])


class RulesExtractor:
    """:func:`extract_labels` behind the interface that all extractors share.

    Args:
        lexicon: as for :func:`extract_labels`.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    @property
    def id(self) -> str:
        """``rules-1``: the version of the rules."""
        return RULES_ID

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        """Labels of every text."""
        return [extract_labels(text, self._lexicon) for text in texts]


# Said of what the writer knows as often as of what the person feels.
_META = frozenset({"uncertain", "unsure"})


def _upheld(mentions: list[Mention], lexicon: Lexicon) -> list[Mention]:
    """Mentions without the denials and without what is denied in the end."""
    last = {lexicon.lookup(m.label).base or m.label: m.evidence for m in mentions}
    denied = {base for base, evidence in last.items() if evidence is Evidence.DENIED}
    return [
        m
        for m in mentions
        if m.evidence is not Evidence.DENIED
        and (lexicon.lookup(m.label).base or m.label) not in denied
    ]


def _levels(mentions: list[Mention]) -> Iterator[list[Mention]]:
    """Mentions by firmness: concluded; stated or ascribed otherwise; suggested; hinted at."""
    firm = [m for m in mentions if m.evidence >= Evidence.ASCRIBED]
    concluded = [m for m in firm if m.concluding]
    joint = [m for m in concluded if m.joint]
    if any(m.evidence is Evidence.STATED for m in joint):
        yield joint
    yield concluded
    yield [m for m in firm if not m.concluding]
    yield [m for m in mentions if m.evidence is Evidence.SIGN]
    yield [m for m in mentions if m.evidence is Evidence.HINT]


def _distinct(mentions: Iterable[Mention], lexicon: Lexicon) -> list[str]:
    """Labels in order of first mention, one for each base (``sad``, not also ``sadness``)."""
    chosen: dict[str, str] = {}
    for mention in mentions:
        chosen.setdefault(lexicon.lookup(mention.label).base or mention.label, mention.label)
    return list(chosen.values())


@lru_cache(maxsize=4)
def _finder(lexicon: Lexicon) -> MentionFinder:
    return MentionFinder(lexicon.forms)
