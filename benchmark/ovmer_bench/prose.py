"""English prose -> sentences -> mentions of feelings, each with the evidence around it.

A *mention* is a form of the lexicon in a sentence. What decides whether it is a feeling of
the person described, and how firmly the text commits to it, stands around it: a negation, a
thing it describes instead of a person, somebody else it belongs to, the statement it is part
of. The words that decide are in ``resources/extraction/rules.json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib.resources import files

from .errors import LexiconError

MAX_FORM_TOKENS = 5
MAX_SENTENCE = 1_500
"""Text without a full stop for longer than this is cut, to keep reading linear."""


class Evidence(IntEnum):
    """How firmly a sentence ascribes a feeling."""

    SIGN = 1
    """A face, a voice or a gesture suggests it."""
    ASCRIBED = 2
    """The person feels it, is it, seems it."""
    STATED = 3
    """It is named as the emotional state."""


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


@dataclass(frozen=True)
class Rules:
    """The words and patterns of ``rules.json``.

    Words: ``never`` (name no feeling in prose, whatever a lexicon says), ``state_only`` (name
    one only where a state is stated), ``things`` (what an adjective may describe instead of a
    person), ``negators``, ``breaks`` (end a negation), ``state_nouns``, ``frames`` (other
    words that say how a feeling shows), ``vague`` (say whether, not what, a person feels).
    Patterns: the others; those that end in ``$`` are held against what stands before a mention.
    """

    words: Mapping[str, frozenset[str]]
    patterns: Mapping[str, re.Pattern[str]]


_WORD_LISTS = (
    "never",
    "state_only",
    "things",
    "negators",
    "breaks",
    "state_nouns",
    "frames",
    "vague",
)


@lru_cache(maxsize=1)
def load_rules() -> Rules:
    """The rules shipped with the package.

    Raises:
        LexiconError: the installation lacks the file, or it is damaged.
    """
    try:
        resource = files(__package__) / "resources" / "extraction" / "rules.json"
        raw: dict[str, list[str]] = json.loads(resource.read_text(encoding="utf-8"))
        words = {key: frozenset(" ".join(raw.pop(key)).split()) for key in _WORD_LISTS}
        return Rules(words, {key: re.compile("".join(parts)) for key, parts in raw.items()})
    except (OSError, ValueError, KeyError, re.error) as error:
        raise LexiconError(
            f"the extraction rules are damaged: {error}", hint="Install ovmer-bench again."
        ) from None


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
        """All mentions of ``text`` that are feelings of the person described."""
        parts = sentences(text)
        speech = self._rules.patterns["speech"]
        turn = next((i for i, part in enumerate(parts) if speech.search(part)), 0)
        return [m for i, part in enumerate(parts) for m in self._in_sentence(part, i, i >= turn)]

    def _in_sentence(self, sentence: str, number: int, joint: bool) -> Iterator[Mention]:
        rules = self._rules.patterns
        sentence = rules["blanks"].sub(" _ ", sentence)
        spans = [(m[0], m.start(), m.end()) for m in _TOKEN.finditer(sentence)]
        tokens = [token for token, _, _ in spans]
        found = list(self._forms(tokens))
        if not found:
            return
        inside = [False] * (len(tokens) + 1)
        for first, last in found:
            inside[first:last] = [True] * (last - first)
        context = _Context(self._rules, sentence, tokens, inside)
        previous, carried, denied = 0, None, False
        for first, last in found:
            label = " ".join(tokens[first:last])
            start = spans[first][1]
            chained = previous > 0 and context.coordinated(previous, first, denied)
            previous = last
            denied = context.negated(first, start) or (denied and chained)
            evidence = None if denied else context.evidence(first, last, start)
            if evidence is not None and chained and carried is not None:
                evidence = max(evidence, carried)
            carried = evidence
            if evidence is None or (
                evidence < Evidence.STATED
                and label in self._rules.words["state_only"]
                and not context.direct(label, start)
            ):
                continue
            listed = context.listed(first, last)
            yield Mention(label, number, evidence, context.concluding, listed, joint)

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
_JOINING = frozenset(
    {",", "/", "and", "or", "nor", "yet", "as", "well", "any", "even", "also", "of", "a", "an"}
    | {"the", "very", "so", "more", "quite", "rather", "bit", "little", "somewhat", "both"}
)


class _Context:
    """One sentence, asked about one mention at a time."""

    def __init__(self, rules: Rules, sentence: str, tokens: list[str], inside: list[bool]) -> None:
        self._words, self._patterns = rules.words, rules.patterns
        self._sentence, self._tokens, self._inside = sentence, tokens, inside
        self.concluding = self._patterns["concluding"].search(sentence) is not None
        self._predicates = [m.end() for m in self._patterns["stated"].finditer(sentence)]
        self._generic = self._patterns["generic"].search(sentence) is not None
        undecided = self._patterns["undecided"].search(sentence)
        self._undecided = undecided.end() if undecided else len(sentence) + 1

    def coordinated(self, last: int, first: int, denied: bool) -> bool:
        """Whether only commas, conjunctions and degrees stand between two mentions.

        ``but`` joins two feelings (``sad but also proud``), not a denied one and the next.
        """
        between = self._tokens[last:first]
        return all(
            token in _JOINING or token.endswith("ly") or (token == "but" and not denied)
            for token in between
        )

    def listed(self, first: int, last: int) -> bool:
        """Whether only a comma or a conjunction parts the mention from another one."""
        before, after = first - 1, last
        while before >= 0 and self._tokens[before] in _JOINING:
            before -= 1
        while after < len(self._tokens) and self._tokens[after] in _JOINING:
            after += 1
        return (before < first - 1 and before >= 0 and self._inside[before]) or (
            after > last and self._inside[after]
        )

    def direct(self, label: str, start: int) -> bool:
        """Whether a person is said to be or feel it: ``she becomes calm``, not ``is asking``."""
        before = self._sentence[max(0, start - 60) : start]
        return not label.endswith("ing") and self._patterns["direct"].search(before) is not None

    def negated(self, first: int, start: int) -> bool:
        """Whether a negation before the mention reaches it."""
        before = self._sentence[max(0, start - 60) : start]
        if self._patterns["negated_phrase"].search(before):
            return True
        for i in range(first - 1, max(-1, first - 8), -1):
            token = self._tokens[i]
            if token in self._words["breaks"] or (token == "," and not self._inside[i - 1]):
                return False
            if token in self._words["negators"]:
                return self._patterns["affirmed"].search(before) is None
        return False

    def evidence(self, first: int, last: int, start: int) -> Evidence | None:
        """How firmly the mention is ascribed; ``None`` where it is no feeling of the person."""
        if start > self._undecided:
            return None
        before = self._sentence[max(0, start - 80) : start]
        if self._patterns["others"].search(before):
            return None
        described = self._described(last)
        if described in self._words["things"]:
            return None
        if self._generic:
            return Evidence.SIGN
        if described in self._words["state_nouns"] or self._in_predicate(start):
            return Evidence.STATED
        if self._patterns["ascribed"].search(before):
            return Evidence.ASCRIBED
        return Evidence.SIGN

    def _described(self, last: int) -> str:
        """The noun that the mention stands before, across other adjectives."""
        i = last
        while i < min(len(self._tokens), last + 8):
            token = self._tokens[i]
            if not (self._inside[i] or token in _JOINING or token == "emotional"):
                return token
            i += 1
        return ""

    def _in_predicate(self, start: int) -> bool:
        begin = max((end for end in self._predicates if end <= start), default=-1)
        if begin < 0:
            return False
        return self._patterns["predicate_end"].search(self._sentence, begin, start) is None
