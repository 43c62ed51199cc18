"""Model output -> labels; the only reader of raw model text.

:func:`parse_output` reads whatever a model wrote: answer tags, JSON, lists, a template
sentence, or prose, from which an extractor takes the feelings. What a file offers as a label
list is read to the letter instead, by :mod:`.reading.label_field`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from ..errors import InputError
from ..reading.label_field import lowered
from .label_items import labels_of
from .label_lists import plain_text, read_list

if TYPE_CHECKING:
    from ..lexicon import Lexicon

PARSER_VERSION = "1"

Kind = Literal["empty", "refusal", "answer", "list", "json", "comma", "sentence", "prose"]

MAX_PROSE = 100_000
"""Of longer prose only the beginning and the end are read, half of this each."""


_REFUSAL = re.compile(
    r"\b(?:i(?:['’]m| am) (?:sorry|unable|not able)|as an ai|as a (?:large )?language model|"
    r"(?:can(?:not|['’]t| not)|could(?: not|n['’]t)|unable to|impossible to|difficult to|"
    r"not possible to|hard to|not able to) (?:\w+ ){0,3}?(?:determine|tell|say|infer|assist|"
    r"help|identify|provide|answer|see|hear|view|access|analy[sz]e|judge|know|ascertain|"
    r"recogni[sz]e|describe)|apologi[sz]e|not enough (?:information|context)|"
    r"insufficient (?:information|context)|no (?:video|audio|image)|cannot be determined)"
    r"|无法|不能确定|抱歉",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s+\S|[\u4e00-\u9fff])")


class Extractor(Protocol):
    """Finds the feelings that prose ascribes to its subject."""

    @property
    def id(self) -> str:
        """Goes into the signature of every score that depends on it."""

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        """One list of labels for each text, lower case, in order of first mention."""


@dataclass(frozen=True)
class ParsedOutput:
    """What was read from one model output.

    Attributes:
        labels: lower-case labels without repeats, in order of first mention.
        kind: the form in which they were found; ``answer`` where tags held them.
        format_kept: the whole output is a label list and nothing else: a list, JSON, or
            ``<answer>`` around one, after at most one ``<think>`` block.
        duplicates: how many further times a label was listed.
    """

    labels: list[str]
    kind: Kind
    format_kept: bool
    duplicates: int = 0


def parse_output(
    text: str, lexicon: Lexicon | None, extract: Extractor | None = None
) -> ParsedOutput:
    """Labels of one raw model output.

    Where ``<answer>`` tags exist, only what stands in the last complete pair (or behind an
    unclosed one) counts; what stands in ``<think>`` never counts. Items of an explicit list
    are labels as they are; prose yields only what the extractor finds.

    Args:
        text: anything a model wrote.
        lexicon: tells feelings from other words in prose; ``None``: lists only.
        extract: reads prose in place of the rules of ``extraction``.
    """
    return parse_outputs([text], lexicon, extract)[0]


def parse_outputs(
    texts: Sequence[str], lexicon: Lexicon | None, extract: Extractor | None = None
) -> list[ParsedOutput]:
    """:func:`parse_output` of many texts, with one call of the extractor for all prose."""
    readings = [_read(text, lexicon) for text in texts]
    open_ends = [i for i, reading in enumerate(readings) if reading.prose is not None]
    if extract is None and lexicon is not None:
        from .extraction import RulesExtractor

        extract = RulesExtractor(lexicon)
    prose = [readings[i].prose or "" for i in open_ends]
    found = extract(prose) if extract is not None and prose else [[] for _ in prose]
    if len(found) != len(prose):
        raise InputError(f"the extractor answered {len(found)} of {len(prose)} texts")
    results = [reading.parsed for reading in readings]
    for i, labels in zip(open_ends, found, strict=True):
        results[i] = _with_extracted(readings[i], labels)
    return results


@dataclass(frozen=True)
class _Reading:
    """What could be read without an extractor, and the prose that is left for one."""

    parsed: ParsedOutput
    prose: str | None = None


def _read(text: str, lexicon: Lexicon | None) -> _Reading:
    body, tagged, template = _answer_body(_SPECIAL_TOKEN.sub(" ", text))
    reading = _read_body(body, lexicon)
    parsed = reading.parsed
    if tagged and parsed.kind not in ("empty", "refusal"):
        parsed = replace(parsed, kind="answer", format_kept=template and parsed.format_kept)
    elif not template:
        parsed = replace(parsed, format_kept=False)
    return replace(reading, parsed=parsed)


def _read_body(body: str, lexicon: Lexicon | None) -> _Reading:
    found = read_list(body, lexicon)
    if found is not None and found.prose:
        body = found.prose
    elif found is not None:
        labels = labels_of(found.items)
        unique = list(dict.fromkeys(labels))
        if not unique:
            return _Reading(ParsedOutput([], "empty", False))
        return _Reading(ParsedOutput(unique, found.kind, found.whole, len(labels) - len(unique)))
    prose = plain_text(body)
    if len(prose) > MAX_PROSE:
        prose = prose[: MAX_PROSE // 2] + "\n" + prose[-MAX_PROSE // 2 :]
    short = len(prose) <= 300 and "\n" not in prose and len(_SENTENCE_END.findall(prose)) < 2
    return _Reading(ParsedOutput([], "sentence" if short else "prose", False), prose)


def _with_extracted(reading: _Reading, labels: Iterable[str]) -> ParsedOutput:
    unique = list(dict.fromkeys(lowered(labels)))
    parsed = replace(reading.parsed, labels=unique)
    if not unique and _REFUSAL.search(reading.prose or ""):
        return replace(parsed, kind="refusal")
    return parsed


# --- Tags ------------------------------------------------------------------------------

_TAG = re.compile(r"[<\[][ ]{0,3}(/?)[ ]{0,3}(think|thinking|answer)[ ]{0,3}[>\]]", re.IGNORECASE)
_SPECIAL_TOKEN = re.compile(r"<\|[A-Za-z0-9_]{1,40}\|>|</?s>|\u200b|\ufeff")


def _answer_body(text: str) -> tuple[str, bool, bool]:
    """The part that counts, whether tags mark it, and whether nothing stands beside it."""
    tags = [(m.start(), m.end(), m[2].lower()[0], m[1] == "/") for m in _TAG.finditer(text)]
    tags, begin, end, think_blocks = _without_thoughts(tags, text)
    pair: tuple[int, int] | None = None
    opened: int | None = None
    answers = 0
    for start, stop, kind, closing in tags:
        if kind != "a":
            continue
        if not closing:
            opened, answers = stop, answers + 1
        elif opened is not None:
            pair, opened = (opened, start), None
        elif pair is None:  # the prompt may have opened the tag
            pair, answers = (begin, start), answers + 1
    if pair is None and opened is not None:
        return text[opened:end], True, False
    if pair is None:
        return text[begin:end], False, think_blocks <= 1
    beside = text[begin : pair[0]], text[pair[1] :]
    alone = all(not _TAG.sub("", part).strip() for part in beside)
    return text[pair[0] : pair[1]], True, alone and answers == 1 and think_blocks <= 1


_Tag = tuple[int, int, str, bool]


def _without_thoughts(tags: list[_Tag], text: str) -> tuple[list[_Tag], int, int, int]:
    """Tags outside thought, where the rest begins and ends, and the number of thoughts."""
    thoughts = [i for i, tag in enumerate(tags) if tag[2] == "t"]
    closed = [i for i in thoughts if tags[i][3]]
    begin, rest = 0, tags
    if closed:  # text before the last close is thought, opened here or in the prompt
        begin, rest = tags[closed[-1]][1], tags[closed[-1] + 1 :]
    blocks = max(len(closed), len(thoughts) - len(closed))
    still_open = [tag for tag in rest if tag[2] == "t"]
    if still_open and not any(tag[2] == "a" for tag in rest):
        return [], begin, still_open[0][0], blocks + 1
    return rest, begin, len(text), blocks
