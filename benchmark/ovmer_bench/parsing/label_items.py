"""One item of a label list: where it ends, what is dropped from it, what score it carries.

Every pattern here is bounded, so that reading takes time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MAX_LABEL_CHARS = 60
"""Longer items of a list are sentences gone astray, not labels."""
MAX_LABEL_WORDS = 5
LEAST_SHARE = 0.1
"""Models that score a fixed list of emotions give the absent ones zero or next to it: an item
scored below this share of the highest score is none of the answer."""

TOPIC = (
    r"(?:emotions?|emotional[ ](?:states?|responses?|labels?|tones?)|feelings?|moods?|"
    r"labels?|answers?|sentiments?|情[绪感](?:状态|标签)?|心情|感受|答案|标签)"
)
SEPARATOR = re.compile(
    r"[,，、;；|/\n\"“”「」『』>→]+|(?:\s|^)(?:and|or|as well as|&|\+)\s|"
    r"(?:\s|^)(?:#(?=\w)|[(（]?\d{1,2}[.)]\s)|"
    r"(?<=[\u4e00-\u9fff]{2})(?:以及|和|与|及)(?=[\u4e00-\u9fff]{2})",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?。！？](?=\s+\S|[\u4e00-\u9fff])")
EDGE = " \t\r\n\f\v'\"‘’“”「」『』《》*_`#.。!！?？:：;；,，、…~-–—+=<>()（）[]［］【】{}\\"
_PICTURE = re.compile(r"[\u2190-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]")
_PARENTHESIS = re.compile(r"\s*[(（][^()（）]*[)）]?")
_LEADING = re.compile(
    r"^(?:(?:and|or|also|but|both|either|possibly|perhaps|maybe|probably|likely|mainly|mostly|"
    r"primarily|overall|somewhat|slightly|rather|quite|very|extremely|fairly|really|so|too|"
    r"a bit|a little|a little bit|kind of|sort of|a sense of|a feeling of|feelings of|"
    r"a mix of|a mixture of|feeling|even|then|some|a|an|the)\s+)+(?=\S)"
)
SENTENCE_WORD = re.compile(
    r"(?:^|\s)(?:i|you|he|she|it|we|they|his|her|its|their|my|your|our|this|that|these|those|is|"
    r"are|was|were|be|been|being|am|has|have|had|do|does|did|can|cannot|could|may|might|will|"
    r"would|should|because|since|while|when|which|who|what|there|here|as|if|however|overall|"
    r"based|seems?|appears?|feels|looks|sounds|shows|expresses|conveys|says|said|sorry|please|"
    r"not|though|although|despite|trying|"
    r"man|woman|person|character|speaker|(?:i|he|she|it|they|you|we)'\w{1,3}|\w{2,6}n't)(?:\s|$)"
    r"|无法|不能|无从|抱歉|[我你他她这那是]"
)
NO_LABEL = re.compile(
    r"none|n/?a|nil|null|nan|un(?:known|clear|determined|defined)|"
    r"(?:not|cannot be|cannot|unable to) (?:sure|clear|applicable|available|specified|"
    r"determined?)|no emotions?|无|未知|不确定"
)
_SCORE = r"\d{1,3}(?:\.\d{1,6})?"
_SCORED = re.compile(
    rf"(?P<before>{_SCORE})[ ]?%[ ]{{0,2}}(?P<tail>\D{{1,60}})|"
    rf"(?P<head>\D{{1,60}}?)[ ]{{0,2}}[:：=(（-]?[ ]{{0,2}}(?P<after>{_SCORE})[ ]?%?[)）]?"
)
_SCORE_REMARK = re.compile(rf"\s*[(（][ ]?{_SCORE}[ ]?%?[ ]?[)）]")
_OUT_OF = re.compile(r"/100?\b")


def clean(item: str) -> str:
    """``item`` in lower case without quotes, remarks in parentheses and outer punctuation."""
    item = _PICTURE.sub("", item.replace("’", "'")).strip(EDGE)
    if "(" in item or "（" in item:
        item = _PARENTHESIS.sub("", item).strip(EDGE)
    return " ".join(item.lower().split())


def labels_of(items: Iterable[str]) -> list[str]:
    """Items cleaned; without empty ones, overlong ones and words for "none"."""
    labels = (clean(item) for item in items)
    return [x for x in labels if x and len(x) <= MAX_LABEL_CHARS and not NO_LABEL.fullmatch(x)]


def split_items(text: str) -> list[str] | None:
    """``text`` split into labels, or ``None`` where it reads like a sentence.

    Scores (``joy (80%), fear: 0.1``) are dropped, and with them what they rule out.
    """
    if _SENTENCE_END.search(_PARENTHESIS.sub("", text)):
        return None
    scored: list[tuple[str, float | None]] = []
    for part in _parts(text):
        part, score = _score_of(part.strip())
        whole = clean(part)
        item = _LEADING.sub("", whole)
        if not item:
            continue
        if not is_short(item) or ":" in item or "：" in item or SENTENCE_WORD.search(whole):
            return None
        scored.append((item, score))
    return felt(scored) or None


def felt(scored: Sequence[tuple[str, float | None]]) -> list[str]:
    """Items without those that their score rules out (see :data:`LEAST_SHARE`)."""
    highest = max((score for _, score in scored if score is not None), default=0.0)
    return [x for x, score in scored if score is None or score >= LEAST_SHARE * highest > 0]


def is_short(label: str) -> bool:
    """Whether ``label`` is short enough to be one."""
    longest = 10 if "\u4e00" <= label[:1] <= "\u9fff" else MAX_LABEL_CHARS
    return len(label) <= longest and label.count(" ") < MAX_LABEL_WORDS


def _parts(text: str) -> list[str]:
    """``text`` between separators; of remarks in parentheses only scores stay."""
    kept = _PARENTHESIS.sub(lambda m: m[0] if _SCORE_REMARK.fullmatch(m[0]) else "", text)
    return SEPARATOR.split(_OUT_OF.sub("%", kept))


def _score_of(part: str) -> tuple[str, float | None]:
    match = _SCORED.fullmatch(part) if any(c.isdigit() for c in part[:80]) else None
    if match is None:
        return part, None
    return match["tail"] or match["head"], float(match["before"] or match["after"])
