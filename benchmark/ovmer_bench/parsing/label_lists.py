"""The forms in which models write a label list: records, brackets, bullets, commas, a template.

:func:`read_list` recognises a list and splits it; it returns ``None`` for what is prose.
Every pattern here is bounded, so that reading takes time linear in the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .label_items import EDGE, NO_LABEL, SENTENCE_WORD, TOPIC, clean, is_short, split_items
from .label_records import (
    CONCLUSION,
    Found,
    from_elements,
    from_fields,
    from_json,
    from_table,
    names_labels,
)

if TYPE_CHECKING:
    from ..lexicon import Lexicon

MAX_LINE = 2_000
"""Longer lines are never read as a header with labels behind it."""

MAX_NEIGHBOURS = 30
"""``[sad], [angry] and [afraid]``: so many bracketed labels are read together."""

_FENCE = re.compile(r"```[A-Za-z0-9]{0,12}[ \t]*\n?")
_BOXED = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]{0,2000})\}")
_BRACKETS = re.compile(r"[\[［【]([^\[\]［］【】]*)[\]］】]")
_NEIGHBOUR = re.compile(r"\[([^\[\]]{1,100})\]\s?(?:,|and|or|&)?\s?$")
_MARKUP = re.compile(r"\*\*|__|`|^[ \t]{0,8}(?:#{1,6}|>)[ \t]", re.MULTILINE)
_ELEMENT_MARK = re.compile(r"</?[A-Za-z_]{1,24}>")
_BULLET = re.compile(r"^[ \t]{0,16}(?:[-*+•·–—◦▪]+[ \t]*|[(（]?\d{1,2}[.)、）．][ \t]*)(?=\S)(.*)$")
_HEAD_END = re.compile(r"[:：(（–—]|\s-\s")
_DENIAL = re.compile(r"(?:no|not|without|none)\b", re.IGNORECASE)
_TOPIC_WORD = re.compile(TOPIC, re.IGNORECASE)
_HEADER = re.compile(
    r"(?:[\w'’\-]{1,30}[ ]){0,8}?(?:[\u4e00-\u9fff]{0,10}?)" + TOPIC + r"(?:[ ][\w'’\-]{1,20})"
    r"{0,6}?[ ]{0,2}(?:(?P<colon>[:：])|\b(?:is|are|include|includes|seems?[ ]to[ ]be|"
    r"appears?[ ]to[ ]be|(?:may|might|could|would|can)[ ]be(?:[ ]described[ ]as)?)\b[ ]?[:：]?"
    r"(?![ ](?:seen|observed|detected|identified|inferred|determined|present|visible|evident|"
    r"shown|expressed|conveyed|apparent)\b)|是|为|包括|有)[ ]{0,4}(?P<rest>.+)",
    re.IGNORECASE,
)
_CONCLUDED = re.compile(CONCLUSION.pattern + r"[ ]{0,2}[:：][ ]{0,4}(?P<rest>.+)", re.IGNORECASE)
_LIST_SEPARATOR = re.compile(r"['\",，、;；“”「」]")
_REMARK = re.compile(r"[(（]([^()（）]{1,300})[)）]")


def plain_text(text: str) -> str:
    """``text`` without code fences, Markdown marks and tags."""
    return _ELEMENT_MARK.sub("\n", _MARKUP.sub("", _FENCE.sub("\n", text))).strip()


def read_list(text: str, lexicon: Lexicon | None) -> Found | None:
    """The list of labels that ``text`` is or announces; ``None`` where it is prose.

    Args:
        text: a whole output, or the part of one that counts.
        lexicon: where given, bulleted items with remarks (``- Sad: she weeps``) are read as
            labels if it knows every one of them, and labels in another language give way to
            their translation in parentheses.
    """
    boxed = _BOXED.findall(text) if "\\boxed" in text else []
    plain = _FENCE.sub("\n", boxed[-1] if boxed else text).strip()
    if not (core := clean(plain)) or NO_LABEL.fullmatch(core):
        return Found([], "empty", False)
    found = from_json(plain) or from_elements(plain)
    if found is None:
        plain = _ELEMENT_MARK.sub("\n", _MARKUP.sub("", plain)).strip()
        found = _first_that_reads(plain, lexicon)
    if found is not None and lexicon is not None:
        found = _translated(found, plain, lexicon)
    return replace(found, whole=False) if found is not None and boxed else found


def _first_that_reads(text: str, lexicon: Lexicon | None) -> Found | None:
    readers: tuple[Callable[[str], Found | None], ...] = (
        from_table,
        _from_brackets,
        lambda plain: _from_bullets(plain, lexicon),
        from_fields,
        _from_items,
        _from_header,
    )
    return next((found for read in readers if (found := read(text)) is not None), None)


def _from_items(text: str) -> Found | None:
    items = split_items(text)
    return None if items is None else Found(items, "comma", True)


def _from_brackets(text: str) -> Found | None:
    """A bracketed list with at most a short remark beside it."""
    if text.startswith("[") and "]" not in text:  # cut off while it was written
        inner, remark = text, "cut"
        if text.count('"') % 2:  # and so was its last item
            inner = text[: text.rindex('"')]
    else:
        matches = deque(_BRACKETS.finditer(text), maxlen=1)  # the last one counts
        if not matches:
            return None
        match = matches[0]
        inner, begin = match[1], match.start()
        for _ in range(MAX_NEIGHBOURS):
            before = _NEIGHBOUR.search(text, max(0, begin - 120), begin)
            if before is None:
                break
            inner, begin = f"{before[1]},{inner}", before.start()
        remark = (text[:begin] + " " + text[match.end() :]).strip(EDGE)
    if len(remark) > 200 or len(remark.split()) > 14:
        return None
    items = [item for item in _LIST_SEPARATOR.split(inner) if clean(item)]
    too_long = sum(1 for item in items if not is_short(clean(item)))
    return None if 2 * too_long > len(items) else Found(items, "list", not remark)


# --- Bullets ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """Bulleted lines that follow each other, and the line before them."""

    heading: str
    bullets: list[str]


def _from_bullets(text: str, lexicon: Lexicon | None) -> Found | None:
    """A bulleted or numbered list of labels, with or without remarks behind them.

    Under a heading that announces emotions the last such list counts; without one only a list
    with nothing beside it, or one of words that the lexicon knows.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    runs = _runs(lines)
    alone = len(runs) == 1 and len(runs[0].bullets) == len(lines)
    for run in reversed(runs):
        announced = names_labels(run.heading) or _TOPIC_WORD.search(run.heading[-MAX_LINE:])
        parts = [split_items(item) for item in run.bullets]
        if (alone or announced) and all(part is not None for part in parts):
            return Found([item for part in parts for item in part or ()], "list", alone)
        heads = [clean(_HEAD_END.split(item, maxsplit=1)[0]) for item in run.bullets]
        if lexicon is not None and heads and all(_is_feeling(head, lexicon) for head in heads):
            return Found(heads, "list", False)
    return None


def _runs(lines: list[str]) -> list[_Run]:
    runs: list[_Run] = []
    before, open_run = "", False
    for line in lines:
        match = _BULLET.match(line)
        if match is None:
            before, open_run = line, False
            continue
        if not open_run:
            runs.append(_Run(before, []))
            open_run = True
        if not _DENIAL.match(match[1]):
            runs[-1].bullets.append(match[1])
    return runs


def _is_feeling(head: str, lexicon: Lexicon) -> bool:
    if not is_short(head) or SENTENCE_WORD.search(head):
        return False
    return lexicon.lookup(head).status in ("feeling", "neutral")


# --- Headers and translations -----------------------------------------------------------


def _from_header(text: str) -> Found | None:
    """Labels behind ``Emotions:`` or ``The character's emotional state is``.

    The last line of that kind counts; a template sentence only if it is all there is.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for line in reversed(lines):
        if len(line) > MAX_LINE:
            continue
        concluded = _CONCLUDED.fullmatch(line)
        match = concluded or _HEADER.fullmatch(line)
        if match is None:
            continue
        template = concluded is None and match["colon"] is None
        if template and len(lines) > 1:
            continue
        items = split_items(match["rest"])
        if items is not None:
            return Found(items, "sentence" if template else "comma", False)
        if concluded:  # in a sentence
            return None
    return None


def _translated(found: Found, text: str, lexicon: Lexicon) -> Found:
    """``愤怒、失望 (angry, disappointed)``: of two languages the one that the lexicon knows."""
    known = ("feeling", "neutral")
    if any(
        item[:1] < "\u4e00" or lexicon.lookup(clean(item)).status in known for item in found.items
    ):
        return found
    remarks = [item for m in _REMARK.finditer(text) for item in split_items(m[1]) or ()]
    items = [item for item in remarks if lexicon.lookup(item).status in known]
    return replace(found, items=items) if items else found
