"""Chinese labels: frames, degrees and denials cut off, back to a listed word."""

from __future__ import annotations

import re

from .spelling import Spellings

_HAN = re.compile(r"[\u4e00-\u9fff]+")
_HAN_BEFORE = re.compile(
    "(?:有一点点?|有一?些|有点儿?|一点点?|一丝|非常|十分|特别|相当|极度|极其|极为|略微|略带|略显|略"
    "|稍微|稍|比较|轻微|轻度|强烈|深深|感到|感觉|觉得|显得|充满|表现出|表达|内心|情绪|心情|语气|神情|表情"
    "|很|太|好|极|更|带着)+"
)
_HAN_AFTER = re.compile(
    "(?:的|地|了|之情|之意|感|情绪|心情|心理|状态|语气|神情|表情|态度|情感|感觉|感受|样子|着|极了)+$"
)
_HAN_DENIALS = ("没有", "毫无", "并不", "并非", "不太", "不是", "不", "没", "无")


def is_chinese(text: str) -> bool:
    """Whether a label holds Chinese characters."""
    return _HAN.search(text) is not None


def chinese(text: str, spellings: Spellings) -> str | None:
    """The first Chinese feeling word of a label, its frame, degree and denial aside."""
    for part in _HAN.findall(text):
        found = _chinese_word(part, spellings)
        if found:
            return found
    return None


def _chinese_word(part: str, spellings: Spellings) -> str | None:
    bare = _HAN_BEFORE.sub("", part, count=1) if _HAN_BEFORE.match(part) else part
    for word in (part, bare, _HAN_AFTER.sub("", part), _HAN_AFTER.sub("", bare)):
        if word in spellings.feelings or word in spellings.no_feeling:
            return word
        for denial in _HAN_DENIALS:
            rest = word.removeprefix(denial)
            rest = _HAN_BEFORE.sub("", rest, count=1) if _HAN_BEFORE.match(rest) else rest
            if word.startswith(denial) and rest in spellings.feelings:
                return spellings.opposite(rest)
    # Several words in one: the first counts.
    starts = (bare[:end] for end in range(len(bare) - 1, 1, -1))
    return next((word for word in starts if word in spellings.feelings), None)
