"""English prose -> sentences -> mentions of feelings, each with the evidence around it.

A *mention* is a form of the lexicon in a sentence. What decides whether it is a feeling of
the person described, and how firmly the text commits to it, stands around it: a negation, a
thing it describes instead of a person, somebody else it belongs to, the statement it is part
of (``prose_context``). The words that decide are those of ``prose_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from .prose_context import Context, Evidence
from .prose_rules import load_rules

MAX_FORM_TOKENS = 5
MAX_SENTENCE = 1_500
"""Text without a full stop for longer than this is cut, to keep reading linear."""
MAX_HEADING_TOKENS = 6


@dataclass(frozen=True, slots=True)
class Mention:
    """A feeling named in a text, and what the text makes of it."""

    label: str
    sentence: int
    evidence: Evidence
    concluding: bool
    listed: bool
    """Other feelings stand beside it: ``positive, friendly and happy``."""
    joint: bool
    """The text has come to what is said (the subtitle), or never does: from here on it
    concludes from everything, before from the picture or the sound alone."""


# --- Sentences -------------------------------------------------------------------------

_QUOTED = re.compile(r"[\"“「]([^\"“”「」\n]{0,800})[\"”」]")
_SUBTITLE = re.compile(
    r"\b(?:subtitles?|line|dialogue|caption)(?: content| text)?"
    r"(?: (?:says?|reads?|states?|is|are))?\s?(?::|says,|reads,|states,)[^.!?\n]{0,400}(?:[.!?]|$)"
)
_SENTENCE = re.compile(r"(?<=[.!?;。！？])[\s\"”]+|\n+|\s(?=[(]?\d{1,2}[.)]\s)")
_TOKEN = re.compile(r"[a-z]+(?:['-][a-z]+)*|[,;:()/_]")


def sentences(text: str) -> list[str]:
    """Lower-case sentences without the speech that the text quotes."""
    text = text.lower().replace("’", "'")
    text = _QUOTED.sub(_unquoted, text)
    text = _SUBTITLE.sub("subtitle. ", text)
    parts = [part for part in _SENTENCE.split(text) if part.strip()]
    return [
        part[at : at + MAX_SENTENCE] for part in parts for at in range(0, len(part), MAX_SENTENCE)
    ]


def _unquoted(match: re.Match[str]) -> str:
    """A quoted word or two is a term and stays; more is speech."""
    inner = match[1].strip()
    ended = inner[-1:] if inner[-1:] in ".!?" else ""
    return f" {inner} " if inner.count(" ") < 2 and not ended else f" _{ended} "


@dataclass(frozen=True, slots=True)
class _Weighed:
    """The tokens of a mention, and what its sentence makes of it."""

    first: int
    last: int
    evidence: Evidence | None
    plain: bool
    """It names a feeling here, whatever stands beside it."""
    denied: bool
    theirs: bool


def _shared(weighed: _Weighed, group: list[_Weighed], shows: bool) -> Evidence | None:
    """The evidence of a mention among those that it is joined with."""
    if weighed.evidence is None:
        return None
    firmest = max((w.evidence for w in group if w.plain and w.evidence), default=Evidence.HINT)
    if weighed.plain or firmest > Evidence.SIGN:
        return firmest
    return Evidence.HINT if shows else None


# --- Mentions --------------------------------------------------------------------------


class MentionFinder:
    """Finds mentions in one sentence after the other.

    Args:
        forms: everything that names a feeling.
    """

    def __init__(self, forms: Collection[str]) -> None:
        self._rules = load_rules()
        never = self._rules.words["never"]
        self._words = frozenset(form for form in forms if form not in never)
        self._phrases = frozenset(form for form in forms if " " in form and self._whole(form))
        self._longest: dict[str, int] = {}
        for phrase in self._phrases:
            first, *rest = phrase.split(" ")
            length = min(1 + len(rest), MAX_FORM_TOKENS)
            self._longest[first] = max(self._longest.get(first, 0), length)

    def __call__(self, text: str) -> list[Mention]:
        """All mentions of ``text`` that are, or explicitly are not, feelings of the person."""
        parts = sentences(text)
        patterns = self._rules.patterns
        turn = next((i for i, part in enumerate(parts) if patterns["speech"].search(part)), 0)
        found: list[Mention] = []
        section = False
        for i, part in enumerate(parts):
            if self._is_heading(part):
                section = patterns["concluding_heading"].search(part) is not None
            found.extend(self._in_sentence(part, i, i >= turn, section))
        return found

    def _in_sentence(
        self, sentence: str, number: int, joint: bool, concluding: bool
    ) -> Iterator[Mention]:
        sentence = self._rules.plain(sentence)
        spans = [(m[0], m.start()) for m in _TOKEN.finditer(sentence)]
        tokens = [token for token, _ in spans]
        found = list(self._forms(tokens))
        if not found:
            return
        inside = [False] * (len(tokens) + 1)
        for first, last in found:
            inside[first:last] = [True] * (last - first)
        context = Context(self._rules, sentence, tokens, [begin for _, begin in spans], inside)
        concluding = concluding or context.concluding
        for group in self._groups(context, found):
            for weighed in group:
                first, last = weighed.first, weighed.last
                evidence = _shared(weighed, group, context.of_display(last))
                if evidence is not None:
                    evidence = Evidence.DENIED if weighed.denied else evidence
                    label, listed = context.text(first, last), context.listed(first, last)
                    yield Mention(label, number, evidence, concluding, listed, joint)

    def _groups(self, context: Context, found: list[tuple[int, int]]) -> list[list[_Weighed]]:
        """All mentions of a sentence, those together that are joined."""
        groups: list[list[_Weighed]] = []
        for first, last in found:
            group = groups[-1] if groups else []
            joined = bool(group) and context.coordinated(group[-1].last, first)
            if self._is_modifier(context, first, last):
                if joined:
                    group[-1] = replace(group[-1], last=last)
                continue
            if not joined:
                group = []
                groups.append(group)
            group.append(self._weigh(context, first, last, group[-1] if group else None))
        return groups

    def _weigh(self, context: Context, first: int, last: int, before: _Weighed | None) -> _Weighed:
        denied = context.negated(first, last)
        theirs = context.of_others(first)
        if before is not None:
            shared = before.denied and context.shares_denial(before.last, first)
            denied, theirs = denied or shared, theirs or before.theirs
        evidence = None if theirs else context.evidence(first, last)
        plain = evidence is not None and self._names_a_feeling(context, first, last, evidence)
        return _Weighed(first, last, evidence, plain, denied, theirs)

    def _is_modifier(self, context: Context, first: int, last: int) -> bool:
        """``cold`` in ``cold determination``."""
        if context.text(first, last) not in self._rules.words["state_only"]:
            return False
        return context.adjoins(last)

    def _names_a_feeling(self, context: Context, first: int, last: int, evidence: Evidence) -> bool:
        """Whether a word that may also mean something else names a feeling here."""
        label = context.text(first, last)
        if label in self._rules.words["felt_only"]:
            return context.felt(first)
        if label not in self._rules.words["state_only"] or evidence is Evidence.STATED:
            return True
        return context.direct(first, last) or context.contrasted(first, last)

    def _is_heading(self, part: str) -> bool:
        tokens = _TOKEN.findall(part)
        return (
            0 < len(tokens) <= MAX_HEADING_TOKENS
            and part.rstrip()[-1] not in ".!?,;"
            and self._words.isdisjoint(tokens)
        )

    def _whole(self, phrase: str) -> bool:
        """Whether a phrase says more than a feeling in it (``sad and angry``, ``happy mood``)."""
        tokens = phrase.split(" ")
        if "and" in tokens or "or" in tokens or tokens[-1] in _GENERAL:
            return False
        frames = self._rules.words["state_nouns"] | self._rules.words["frames"]
        return frames.isdisjoint(tokens) or self._words.isdisjoint(tokens)

    def _forms(self, tokens: list[str]) -> Iterator[tuple[int, int]]:
        i = 0
        while i < len(tokens):
            token = tokens[i]
            for n in range(min(self._longest.get(token, 1), len(tokens) - i), 1, -1):
                if " ".join(tokens[i : i + n]) in self._phrases:
                    yield i, i + n
                    i += n
                    break
            else:
                if token in self._words:
                    yield i, i + 1
                i += 1


_GENERAL = frozenset({"emotion", "emotions", "feeling", "feelings"})
