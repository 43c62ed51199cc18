"""What a completion says: its thought, its answer, and the labels of either.

The template is ``<think>...</think><answer>a, b</answer>``, or ``<answer>a, b</answer>`` alone.
Labels of an answer are those that the ruler reads from it (``ovmer_bench.parse_output``), so that
what is rewarded is what will be scored. One rule is stricter here: without a complete pair of
answer tags there is no answer. The ruler is lenient with models that were never taught the
template; a policy that is being taught it must not live by the leniency.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from ovmer_bench import extract_labels, load_lexicon, parse_output, split_labels

Mode = Literal["think", "answer"]
MODES: tuple[Mode, ...] = ("think", "answer")

# Inside, nothing that the ruler takes for a tag, whatever its case and brackets.
_NO_TAG = r"(?!(?i:[<\[][ ]{0,3}/?[ ]{0,3}(?:think|thinking|answer)[ ]{0,3}[>\]]))"
_BODY = rf"\s*{_NO_TAG}\S(?:{_NO_TAG}.)*"
_TEMPLATES: Mapping[Mode, re.Pattern[str]] = {
    "think": re.compile(rf"<think>{_BODY}</think>\s*<answer>{_BODY}</answer>", re.DOTALL),
    "answer": re.compile(rf"<answer>{_BODY}</answer>", re.DOTALL),
}
_OPEN_THINK, _CLOSE_THINK = "<think>", "</think>"
_OPEN_ANSWER, _CLOSE_ANSWER = "<answer>", "</answer>"
_PLAIN_ITEM = re.compile(r"[A-Za-z][A-Za-z' -]{0,59}")
_KNOWN_ITEMS = 200_000


def text_of(completion: object) -> str:
    """The text of a completion, plain or conversational (its last message); else empty."""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Sequence) and completion:
        message = completion[-1]
        content = message.get("content") if isinstance(message, Mapping) else None
        if isinstance(content, str):
            return content
        if isinstance(content, Sequence):
            return "".join(_part_text(part) for part in content)
    return ""


def follows_template(text: str, mode: Mode) -> bool:
    """Whether the whole text is the template of ``mode``: nothing before it, nothing behind.

    Thought and answer hold something other than blanks, and no further tag. Blanks and line
    ends are free between the two, nowhere else.
    """
    return _TEMPLATES[mode].fullmatch(text) is not None


def answer_of(text: str) -> str | None:
    """What stands in the last complete pair of answer tags behind all thought, or ``None``."""
    tail = text[_end_of_thought(text) :]
    start = tail.rfind(_OPEN_ANSWER, 0, max(0, tail.rfind(_CLOSE_ANSWER)))
    if start < 0:
        return None
    start += len(_OPEN_ANSWER)
    return tail[start : tail.index(_CLOSE_ANSWER, start)]


def thought_of(text: str) -> str:
    """What stands before the last ``</think>``, its tags aside; empty where thought never ends.

    The opening tag may be missing: some prompts end with it.
    """
    end = _end_of_thought(text)
    thought = text[: max(0, end - len(_CLOSE_THINK))]
    return thought.replace(_OPEN_THINK, " ").replace(_CLOSE_THINK, " ").strip()


def answer_labels(text: str) -> list[str]:
    """Distinct labels of the answer, as the ruler reads them; none where there is no answer."""
    body = answer_of(text)
    if body is None:
        return []
    labels: dict[str, None] = {}
    for item in body.split(","):
        label = _ITEMS.get(item)
        if label is None:
            label = _plain_label(item)
        if not label:  # one item that is no plain label can change how all are read
            return list(_read_by_ruler(body))
        labels[label] = None
    return list(labels)


@lru_cache(maxsize=8192)
def thought_labels(text: str) -> tuple[str, ...]:
    """Feelings that the thought ascribes to the person, found by the ruler's extractor."""
    return tuple(extract_labels(thought_of(text), load_lexicon()))


def gold_labels(gold: object) -> list[str]:
    """Labels of one row's gold: a list, or the text of one."""
    return split_labels(gold)


_ITEMS: dict[str, str] = {}
"""Item of a comma list -> its label; empty where it is no plain label."""


def _plain_label(item: str) -> str:
    """The one label that the ruler reads from an item of plain words, else empty."""
    label = ""
    if _PLAIN_ITEM.fullmatch(item.strip(" ")):
        parsed = parse_output(item, load_lexicon())
        if parsed.kind == "comma" and parsed.format_kept and not parsed.duplicates:
            label = parsed.labels[0] if len(parsed.labels) == 1 else ""
    if len(_ITEMS) >= _KNOWN_ITEMS:
        _ITEMS.clear()
    _ITEMS[item] = label
    return label


@lru_cache(maxsize=8192)
def _read_by_ruler(body: str) -> tuple[str, ...]:
    return tuple(parse_output(body, load_lexicon()).labels)


def _end_of_thought(text: str) -> int:
    at = text.rfind(_CLOSE_THINK)
    return 0 if at < 0 else at + len(_CLOSE_THINK)


def _part_text(part: Any) -> str:
    text = part.get("text") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else ""
