"""Labels in records that name what they hold: JSON, tags, tables, ``Emotion: sad; Cause: ...``.

Each reader returns ``None`` where the text is not of its form.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from .label_items import EDGE, SENTENCE_WORD, SEPARATOR, TOPIC, clean, felt, split_items

ListKind = Literal["empty", "list", "json", "comma", "sentence"]


@dataclass(frozen=True)
class Found:
    """Items of a list as written, its form, and whether nothing else stood beside it.

    Where a sentence stands in place of the items, it is ``prose`` and there are none.
    """

    items: list[str]
    kind: ListKind
    whole: bool
    prose: str = ""


# --- Names of what holds labels -----------------------------------------------------------

CONCLUSION = re.compile(
    r"(?:(?:my|the|in)[ ])?(?:final|conclusions?|verdict|predictions?|result)", re.IGNORECASE
)
_OTHER_ASPECT = re.compile(
    r"\b(?:intensity|valence|arousal|reasons?|reasoning|evidence|causes?|analysis|clues?|cues?|"
    r"explanations?|confidence|triggers?|change|context|level|score)\b"
)
_TOPIC_NAME = re.compile(rf"(?:^|[\s\u4e00-\u9fff]){TOPIC}(?:$|\s)", re.IGNORECASE)
_RANK = re.compile(
    r"\b(?:primary|secondary|tertiary|main|dominant|other|additional|further|first|second|third|"
    r"underlying|mixed|possible|minor)\b"
)


def names_labels(name: str) -> bool:
    """Whether what stands under the heading or key ``name`` are the labels."""
    name = " ".join(name.lower().replace("_", " ").strip(EDGE).split())[-200:]
    if _OTHER_ASPECT.search(name):
        return False
    return bool(_TOPIC_NAME.search(name) or CONCLUSION.fullmatch(name))


# --- JSON ---------------------------------------------------------------------------------

_KEYS = (
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
_SCORE_KEYS = ("score", "confidence", "probability", "intensity", "value")
_LEVELS = {"none": 0.0, "no": 0.0, "absent": 0.0, "false": 0.0, "very low": 0.0, "low": 0.3}
_LEVELS |= {"medium": 0.6, "moderate": 0.6, "high": 1.0, "very high": 1.0, "strong": 1.0}
_LEVELS |= {"yes": 1.0, "present": 1.0, "true": 1.0}
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%?")
_MEASURES = frozenset({"valence", "arousal", "dominance", *_SCORE_KEYS})


def from_json(text: str) -> Found | None:
    """A JSON list of labels, a record with a key for them, or a record of their scores."""
    decoder = json.JSONDecoder()
    places = {text.find("{"), text.rfind("{"), text.find("["), text.rfind("[")} - {-1}
    for place in sorted(places):
        try:
            value, stop = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        items = _strings_of(value)
        whole = not (text[:place] + text[stop:]).strip()
        if items is not None:
            told = any(SENTENCE_WORD.search(clean(item)) for item in items)
            return Found(items, "json", whole, ". ".join(items) if told else "")
        if whole and isinstance(value, dict):  # of something else
            sentences = [item for item in value.values() if isinstance(item, str)]
            return Found([], "empty", False, ". ".join(sentences))
    return None


def _strings_of(value: object) -> list[str] | None:
    """Strings of a decoded value: a list, or what stands under a key for labels."""
    scored: list[tuple[str, float | None]] = []
    seen = False
    stack: list[tuple[object, bool, float | None]] = [(value, isinstance(value, list), None)]
    while stack:
        node, labelled, score = stack.pop()
        if isinstance(node, str) and labelled:
            seen = True
            told = SENTENCE_WORD.search(clean(node)) is not None
            parts = [node] if told else SEPARATOR.split(node)
            scored.extend((part, score) for part in parts if part)
        elif isinstance(node, list) and labelled:
            stack.extend((item, True, score) for item in reversed(node))
        elif isinstance(node, dict) and (scores := _scores(node)):
            seen = True
            scored.extend(scores)
        elif isinstance(node, dict):
            keys = {str(key).strip().lower().replace(" ", "_"): key for key in node}
            own = next((s for k in _SCORE_KEYS if (s := _number(node.get(keys.get(k))))), None)
            held = _holding(list(keys))
            seen = seen or bool(held)
            stack.extend((node[keys[key]], True, own) for key in reversed(held))
    return felt(scored) if seen else None


def _holding(keys: list[str]) -> list[str]:
    """The key that holds the labels; or several (``primary_emotion``, ``other_emotions``)."""
    known = next((key for key in _KEYS if key in keys), None)
    return [known] if known else [key for key in keys if names_labels(key)]


def _scores(node: dict[str, object]) -> list[tuple[str, float | None]]:
    """``{"joy": 0.8, "fear": 0}``: every value a number, every key a label."""
    names = {str(key): _number(value) for key, value in node.items()}
    if None in names.values():
        return []
    if any(name.strip().lower() in _MEASURES or names_labels(name) for name in names):
        return []
    return list(names.items())


def _number(value: object) -> float | None:
    """A score that is a number, a per cent, a level, or a record of one."""
    if isinstance(value, dict):
        value = next((value[key] for key in _SCORE_KEYS if key in value), None)
    if isinstance(value, (bool, int, float)):
        return float(value) if abs(value) < 1e6 else None
    if isinstance(value, str) and value.strip().lower() in _LEVELS:
        return _LEVELS[value.strip().lower()]
    match = _PERCENT.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(match[1]) if match else None


# --- Tags, tables, fields -----------------------------------------------------------------

_ELEMENT = re.compile(
    r"<(emotions?|emotional_states?|feelings?|labels?|moods?)>([^<>]{0,2000})</\1>", re.IGNORECASE
)
_FIELD = re.compile(r"([^:：=|\n]{1,60}?)(?:[ ]?[:：=][ ]{0,4}|[ ][-–—][ ])(.+)")
_FIELD_END = re.compile(r"\n|(?<=\w)[.。;；] (?=\w[^:：=;.\n]{0,40}(?:[:：=]|[ ][-–—][ ]))")


def from_elements(text: str) -> Found | None:
    """``<emotion>sad</emotion>``, once or many times."""
    items = [item for m in _ELEMENT.finditer(text) for item in split_items(m[2]) or ()]
    return Found(items, "list", not _ELEMENT.sub("", text).strip()) if items else None


def from_table(text: str) -> Found | None:
    """A table with a column or a row for emotions; cells parted by bars or tabs."""
    lines = [line for line in text.split("\n") if line.strip()]
    ruled = any("|" in line and _is_ruler(line) for line in lines)
    bar = "|" if ruled or sum(line.lstrip().startswith("|") for line in lines) > 1 else "\t"
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split(bar)]
        for line in lines
        if bar in line.strip() and not _is_ruler(line)
    ]
    if len(rows) < 2:
        return None
    column = next((i for i, name in enumerate(rows[0]) if names_labels(name)), None)
    if column is not None and (ruled or not names_labels(rows[0][0])):
        cells = [row[column] for row in rows[1:] if column < len(row)]
    elif column is not None or any(names_labels(row[0]) for row in rows):
        cells = [cell for row in rows if names_labels(row[0]) for cell in row[1:]]
    else:
        return None
    items = [item for cell in cells for item in split_items(cell) or ()]
    return Found(items, "list", False) if items else None


def _is_ruler(line: str) -> bool:
    return "--" in line and not line.strip(" \t|:-")


def from_fields(text: str) -> Found | None:
    """``Emotion: sad. Reason: ...``, in lines or in one; ranked fields (primary, other) add up."""
    fields: list[tuple[str, str]] = []
    for part in _FIELD_END.split(text):
        match = _FIELD.fullmatch(part.strip(" \t-*•·+#").strip()) if len(part) < 2_000 else None
        if match is not None and len(match[1].split()) <= 6:
            fields.append((match[1].lower(), match[2]))
    if len(fields) < 2:
        return None
    read = [(key, split_items(value)) for key, value in fields if names_labels(key)]
    if not all(_RANK.search(key) for key, _ in read):
        read = read[-1:]
    found: list[str] = []
    for _, items in read:
        if items is None:  # a sentence: prose
            return None
        found.extend(items)
    return Found(found, "comma", False) if found else None
