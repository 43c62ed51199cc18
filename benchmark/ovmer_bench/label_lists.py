"""The forms in which models write a label list: JSON, brackets, bullets, commas, a template.

:func:`read_list` recognises a list and splits it; it returns ``None`` for what is prose.
Every pattern here is bounded, so that reading takes time linear in the text.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .lexicon import Lexicon

ListKind = Literal["empty", "list", "json", "comma", "sentence"]

MAX_LABEL_CHARS = 60
"""Longer items of a list are sentences gone astray, not labels."""
MAX_LABEL_WORDS = 5
MAX_LINE = 2_000
"""Longer lines are never read as a header with labels behind it."""


@dataclass(frozen=True)
class Found:
    """Items of a list as written, its form, and whether nothing else stood beside it."""

    items: list[str]
    kind: ListKind
    whole: bool


_FENCE = re.compile(r"```[A-Za-z0-9]{0,12}[ \t]*\n?")
_BOXED = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]{0,2000})\}")
_BRACKETS = re.compile(r"[\[［【]([^\[\]［］【】]*)[\]］】]")
_MARKUP = re.compile(r"\*\*|__|`|^[ \t]{0,8}(?:#{1,6}|>)[ \t]", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]{0,16}(?:[-*+•·–—◦▪]+[ \t]*|[(（]?\d{1,2}[.)、）．][ \t]*)(?=\S)(.*)$")
_HEAD_END = re.compile(r"[:：(（–—]|\s-\s")
_TOPIC = (
    r"(?:emotions?|emotional[ ](?:states?|responses?|labels?|tones?)|feelings?|moods?|"
    r"labels?|answers?|sentiments?|情[绪感](?:状态|标签)?|心情|感受|答案|标签)"
)
_TOPIC_WORD = re.compile(_TOPIC, re.IGNORECASE)
_HEADER = re.compile(
    r"(?:[\w'’\-]{1,30}[ ]){0,8}?(?:[\u4e00-\u9fff]{0,10}?)" + _TOPIC + r"(?:[ ][\w'’\-]{1,20})"
    r"{0,6}?[ ]{0,2}(?:(?P<colon>[:：])|\b(?:is|are|include|includes|seems?[ ]to[ ]be|"
    r"appears?[ ]to[ ]be|(?:may|might|could|would|can)[ ]be(?:[ ]described[ ]as)?)\b[ ]?[:：]?"
    r"|是|为|包括|有)[ ]{0,4}(?P<rest>.+)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"[,，、;；|/\n\"“”「」『』]+|(?:\s|^)(?:and|or|as well as|&|\+)\s|"
    r"(?<=[\u4e00-\u9fff]{2})(?:以及|和|与|及)(?=[\u4e00-\u9fff]{2})",
    re.IGNORECASE,
)
_LIST_SEPARATOR = re.compile(r"['\",，、;；“”「」]")
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s+\S|[\u4e00-\u9fff])")
_EDGE = " \t\r\n\f\v'\"‘’“”「」『』《》*_`#.。!！?？:：;；,，、…~-–—+=<>()（）[]［］【】{}\\"
_PARENTHESIS = re.compile(r"\s*[(（][^()（）]*[)）]?")
_LEADING = re.compile(
    r"^(?:(?:and|or|also|but|both|either|possibly|perhaps|maybe|probably|likely|mainly|mostly|"
    r"primarily|overall|somewhat|slightly|rather|quite|very|extremely|fairly|really|so|too|"
    r"a bit|a little|a little bit|kind of|sort of|a sense of|a feeling of|feelings of|"
    r"a mix of|a mixture of|feeling|even|then|some|a|an|the)\s+)+(?=\S)"
)
_SENTENCE_WORD = re.compile(
    r"(?:^|\s)(?:i|you|he|she|it|we|they|his|her|its|their|my|your|our|this|that|these|those|is|"
    r"are|was|were|be|been|being|am|has|have|had|do|does|did|can|cannot|could|may|might|will|"
    r"would|should|because|since|while|when|which|who|what|there|here|as|if|however|overall|"
    r"based|seems?|appears?|feels|looks|sounds|shows|expresses|conveys|says|said|sorry|please|"
    r"man|woman|person|character|speaker|(?:i|he|she|it|they|you|we)'\w{1,3}|\w{2,6}n't)(?:\s|$)"
    r"|无法|不能|无从|抱歉|[我你他她这那是]"
)
_NO_LABEL = re.compile(
    r"none|n/?a|nil|null|nan|un(?:known|clear|determined|defined)|"
    r"(?:not|cannot be|cannot|unable to) (?:sure|clear|applicable|available|specified|"
    r"determined?)|no emotions?|无|未知|不确定"
)
_JSON_KEYS = (
    "emotions",
    "emotion",
    "labels",
    "label",
    "feelings",
    "feeling",
    "emotion_labels",
    "emotional_states",
    "emotional_state",
    "openset",
    "answer",
    "answers",
    "states",
    "state",
    "predictions",
    "prediction",
    "result",
    "name",
)


def plain_text(text: str) -> str:
    """``text`` without code fences and Markdown marks."""
    return _MARKUP.sub("", _FENCE.sub("\n", text)).strip()


def read_list(text: str, lexicon: Lexicon | None) -> Found | None:
    """The list of labels that ``text`` is or announces; ``None`` where it is prose.

    Args:
        text: a whole output, or the part of one that counts.
        lexicon: where given, bulleted items with remarks (``- Sad: she weeps``) are read as
            labels if it knows every one of them.
    """
    boxed = _BOXED.findall(text) if "\\boxed" in text else []
    plain = _FENCE.sub("\n", boxed[-1] if boxed else text).strip()
    if not (core := clean(plain)) or _NO_LABEL.fullmatch(core):
        return Found([], "empty", False)
    found = _from_json(plain)
    if found is None:
        plain = _MARKUP.sub("", plain).strip()
        found = _from_brackets(plain) or _from_bullets(plain, lexicon)
    if found is None and (items := _items(plain)) is not None:
        found = Found(items, "comma", True)
    found = found or _from_header(plain)
    if found is not None and boxed:
        return Found(found.items, found.kind, False)
    return found


def clean(item: str) -> str:
    """``item`` in lower case without quotes, remarks in parentheses and outer punctuation."""
    item = item.replace("’", "'").strip(_EDGE)
    if "(" in item or "（" in item:
        item = _PARENTHESIS.sub("", item).strip(_EDGE)
    return " ".join(item.lower().split())


def labels_of(items: Iterable[str]) -> list[str]:
    """Items cleaned; without empty ones, overlong ones and words for "none"."""
    labels = (clean(item) for item in items)
    return [x for x in labels if x and len(x) <= MAX_LABEL_CHARS and not _NO_LABEL.fullmatch(x)]


def _from_json(text: str) -> Found | None:
    decoder = json.JSONDecoder()
    places = {text.find("{"), text.rfind("{"), text.find("["), text.rfind("[")} - {-1}
    for place in sorted(places):
        try:
            value, stop = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        items = _strings_of(value)
        if items is not None:
            return Found(items, "json", not (text[:place] + text[stop:]).strip())
    return None


def _strings_of(value: object) -> list[str] | None:
    """Strings of a decoded value: a list, or what stands under a key for labels."""
    found: list[str] = []
    seen = False
    stack: list[tuple[object, bool]] = [(value, isinstance(value, list))]
    while stack:
        node, labelled = stack.pop()
        if isinstance(node, str) and labelled:
            seen = True
            found.extend(part for part in _SEPARATOR.split(node) if part)
        elif isinstance(node, list) and labelled:
            stack.extend((item, True) for item in reversed(node))
        elif isinstance(node, dict):
            keys = {str(key).strip().lower().replace(" ", "_"): key for key in node}
            key = next((name for name in _JSON_KEYS if name in keys), None)
            if key is not None:
                seen = True
                stack.append((node[keys[key]], True))
    return found if seen else None


def _from_brackets(text: str) -> Found | None:
    """A bracketed list with at most a short remark beside it."""
    if text.startswith("[") and "]" not in text:  # cut off while it was written
        inner, remark = text, "cut"
    else:
        matches = deque(_BRACKETS.finditer(text), maxlen=1)  # the last one counts
        if not matches:
            return None
        match = matches[0]
        inner = match[1]
        remark = (text[: match.start()] + " " + text[match.end() :]).strip(_EDGE)
    if len(remark) > 200 or len(remark.split()) > 14:
        return None
    items = [item for item in _LIST_SEPARATOR.split(inner) if clean(item)]
    too_long = sum(1 for item in items if not _short(clean(item)))
    return None if 2 * too_long > len(items) else Found(items, "list", not remark)


def _from_bullets(text: str, lexicon: Lexicon | None) -> Found | None:
    """A bulleted or numbered list of labels, with or without remarks behind them."""
    lines = [line for line in text.split("\n") if line.strip()]
    marked = [(i, m[1]) for i, line in enumerate(lines) if (m := _BULLET.match(line))]
    if not marked:
        return None
    before = " ".join(lines[: marked[0][0]])[-MAX_LINE:]
    if not before or _TOPIC_WORD.search(before):
        parts = [_items(item) for _, item in marked]
        if all(part is not None for part in parts):
            items = [item for part in parts for item in part or ()]
            return Found(items, "list", len(marked) == len(lines))
    heads = [clean(_HEAD_END.split(item, maxsplit=1)[0]) for _, item in marked]
    if lexicon is not None and all(
        _short(head) and lexicon.lookup(head).status in ("feeling", "neutral") for head in heads
    ):
        return Found(heads, "list", False)
    return None


def _from_header(text: str) -> Found | None:
    """Labels behind ``Emotions:`` or ``The character's emotional state is``.

    The last line of that kind counts; a template sentence only if it is all there is.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    for line in reversed(lines):
        match = _HEADER.fullmatch(line) if len(line) <= MAX_LINE else None
        if match is None or (match["colon"] is None and len(lines) > 1):
            continue
        items = _items(match["rest"])
        if items is not None:
            return Found(items, "sentence" if match["colon"] is None else "comma", False)
    return None


def _items(text: str) -> list[str] | None:
    """``text`` split into labels, or ``None`` where it reads like a sentence."""
    text = _PARENTHESIS.sub("", text).strip()
    if _SENTENCE_END.search(text):
        return None
    items: list[str] = []
    for part in _SEPARATOR.split(text):
        whole = clean(part)
        item = _LEADING.sub("", whole)
        if not item:
            continue
        if not _short(item) or ":" in item or "：" in item or _SENTENCE_WORD.search(whole):
            return None
        items.append(item)
    return items or None


def _short(label: str) -> bool:
    longest = 10 if "\u4e00" <= label[:1] <= "\u9fff" else MAX_LABEL_CHARS
    return len(label) <= longest and label.count(" ") < MAX_LABEL_WORDS
