"""Spellings of a label that the form table does not list, brought back to a listed form.

Pure rules over a fixed vocabulary: punctuation and Markdown, hyphens and spaces, British and
American spelling, regular inflection, intensifiers and hedges (``very sad``), frames (``a
feeling of loss``, ``angry tone``), denial (``not happy``), several feelings in one label (the
first counts). Total and deterministic: any string has an answer, ``None`` where no rule helps;
the work is bounded whatever the length, and a form is its own answer.

What counts as a denial of a feeling is data (``negations.tsv``); the absence of a bad feeling
is ``neutral``, not its opposite: somebody who is not angry need not be glad.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from . import frames as frames
from .chinese import chinese, is_chinese
from .spelling import NEUTRAL_FORM, Spellings, inflected, mistyped, prefixed, spelled

RULES_VERSION = "3"

# A label is a word or a phrase. What is longer is prose, which `parsing` reads.
MAX_CHARACTERS = 120
MAX_WORDS = 10

LONGING_FORM = "longing"
_NEGATIVE_PREFIXES = ("un", "in", "dis", "im", "ir", "non", "non-")

_JOINTS = re.compile(
    r"\s*(?:[/&+|;,:，、；：→>]|\s-+\s|\b(?:and|or|but|yet|nor|mixed with|plus|then)\b)\s*"
)
_BRACKETS = re.compile(r"[(\[{<（【][^)\]}>）】]*[)\]}>）】]?")
_NOT_TEXT = re.compile(r"[^\w\s'/&+|;,:，、；：→>-]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´′＇", "'") | dict.fromkeys("‐‑‒–—−_", "-"))


def canonical(label: str, spellings: Spellings) -> str | None:
    """The listed form that ``label`` stands for, or ``None``.

    A feeling is preferred to a word that names none; a label that is a form is its own answer.
    """
    if label in spellings.feelings or label in spellings.no_feeling:
        return label
    if len(label) > MAX_CHARACTERS:
        return None
    text = _plain(label)
    if is_chinese(text):
        return chinese(text, spellings)
    for vocabulary in (spellings.feelings, spellings.no_feeling):
        found = spelled(text, vocabulary)
        if found:
            return found
    parts = [part for part in (p.strip() for p in _JOINTS.split(text)) if part]
    phrases = [words for words in (_split(part) for part in parts) if words]
    for named in (_feeling, _no_feeling):
        for words in sorted(phrases, key=_on_the_surface):
            found = named(words, spellings)
            if found:
                return found
    return _mended(phrases, spellings)


def _on_the_surface(words: list[str]) -> bool:
    """Whether a phrase says how somebody seems (``happy on the surface but sad inside``)."""
    return any(word in frames.SURFACE for word in words)


def _plain(label: str) -> str:
    """Lower case, one kind of apostrophe and hyphen, no brackets, Markdown, quotes, emoji."""
    text = unicodedata.normalize("NFKC", label).translate(_APOSTROPHES).lower()
    text = _BRACKETS.sub(" ", text).strip() or text
    text = _NOT_TEXT.sub(" ", text)
    return " ".join(text.split()).strip(" '-/&+|;,:")


def _split(part: str) -> list[str]:
    """Words of a phrase; empty where it is too long to be a label."""
    words = [word.strip("'-") for word in part.split()]
    words = [word for word in words if word and not word.isdecimal()]
    return words if len(words) <= MAX_WORDS else []


def _feeling(words: list[str], spellings: Spellings) -> str | None:
    """The feeling that a phrase names: whole, framed, denied, or by its most telling words."""
    found = _framed(words, spellings) or _wanted(words, spellings)
    if found:
        return found
    if any("-" in word for word in words):
        return _feeling([w for word in words for w in word.split("-") if w], spellings)
    for position, word in enumerate(words[1:], 1):
        if word in frames.COMPLEMENT:
            if word == "with":
                # `shaking with anger`; but `angry with her`.
                found = _framed(words[position + 1 :], spellings)
                if found and found not in spellings.plain:
                    return found
            found = _framed(words[:position], spellings) or _within(words[:position], spellings)
            if found:
                return found
            if word not in frames.HOLDING and words[position - 1] not in frames.BEFORE:
                # The head of the phrase stands before this word, and is no feeling.
                return _denied_within(words, spellings)
    return _within(words, spellings)


def _wanted(words: list[str], spellings: Spellings) -> str | None:
    """``need for approval``: longing, since what is wanted is missing; of a bad feeling, it.

    ``want to cry`` is what one wants to do.
    """
    if words[0] in frames.DESIRING and words[1:2] == ["to"]:
        return _framed(words[2:], spellings)
    if words[0] not in frames.WANTING or LONGING_FORM not in spellings.feelings:
        return None
    rest = words[1:]
    while rest and rest[0] in frames.COMPLEMENT:
        rest = rest[1:]
    found = _framed(rest, spellings) if rest else None
    if found is None or words[0] in spellings.feelings:
        return None
    return LONGING_FORM if spellings.opposite(found) != NEUTRAL_FORM else found


def _framed(words: list[str], spellings: Spellings) -> str | None:
    """Drop framing words from both ends, as few as will do, until a form or a denial is left."""
    if words and words[0] in frames.FEIGNED:
        return _known(words[:1], spellings)
    count = len(words)
    before = next((i for i, word in enumerate(words) if not _opens(word)), count)
    after = next(
        (i for i, word in enumerate(reversed(words)) if not _closes(word, spellings)), count
    )
    for start, end in _cuts(before, after):
        rest = words[start : count - end]
        if not rest:
            continue
        found = _known(rest, spellings) or _denied(rest, spellings)
        if found and not (found in spellings.plain and frames.BEARERS & set(words[count - end :])):
            return found
    return None


def _cuts(before: int, after: int) -> Iterator[tuple[int, int]]:
    """How many words to drop at the start and the end, fewest in all first."""
    for total in range(before + after + 1):
        both = [(start, total - start) for start in range(1, total)]
        for start, end in (*both, (0, total), (total, 0)) if total else ((0, 0),):
            if start <= before and end <= after:
                yield start, end


def _opens(word: str) -> bool:
    return word in frames.BEFORE or frames.is_degree(word)


def _closes(word: str, spellings: Spellings) -> bool:
    if word in frames.AFTER or word in frames.BEARERS:
        return True
    # In `smile bitterly` the adverb is the feeling.
    return frames.is_degree(word) and _known([word], spellings) is None


def _denied(words: list[str], spellings: Spellings) -> str | None:
    """``not happy``, ``lack of trust``, ``loss of hope`` (a loss is denial of good only)."""
    head, rest = words[0].replace("'", ""), words[1:]
    loss = head in frames.LOSS and rest[:1] in (["of"], ["all"])
    hard = head in frames.HARD and rest[:1] == ["to"]
    spoiled = head in frames.SPOILED and not loss
    if hard:
        rest = rest[1:]
    elif not (loss or spoiled or head in frames.DENIALS):
        return None
    while rest and rest[0] in frames.AFTER_DENIAL:
        rest = rest[1:]
    if not rest:
        return None
    if rest[0] in frames.CONTAINED and head not in ("not", "no"):
        return _framed(rest, spellings)
    if not loss and not spoiled:
        word = "-".join(rest) if len(rest) == 1 else ""
        for prefix in _NEGATIVE_PREFIXES:
            if word and prefix + word in spellings.feelings:
                return prefix + word
    found = _framed(rest, spellings) or _before_complement(rest, spellings)
    denied = spellings.opposite(found) if found else None
    return None if spoiled and denied == NEUTRAL_FORM else denied


def _before_complement(words: list[str], spellings: Spellings) -> str | None:
    for position, word in enumerate(words[1:], 1):
        if word in frames.COMPLEMENT:
            return _framed(words[:position], spellings)
    return None


def _within(words: list[str], spellings: Spellings) -> str | None:
    """The longest form that a phrase ends with, which is its head (``righteous anger``).

    What it begins with is not: a ``happy birthday`` is no happiness. A form with another sense
    is none beside words of unknown meaning.
    """
    if any(word.replace("'", "") in frames.DENIALS for word in words):
        return _denied_within(words, spellings)
    count = len(words)
    for start in range(1, count):
        chosen = words[start:]
        if len(chosen) == 1 and (chosen[0] in frames.BEFORE or chosen[0] in frames.AFTER):
            continue
        found = _known(chosen, spellings)
        if found and found not in spellings.plain:
            return found
    return None


def _denied_within(words: list[str], spellings: Spellings) -> str | None:
    for position, word in enumerate(words):
        if word.replace("'", "") in frames.DENIALS:
            before = _framed(words[:position], spellings) if position else None
            return before or _denied(words[position:], spellings)
    return None


def _no_feeling(words: list[str], spellings: Spellings) -> str | None:
    """The form that names no feeling which is the head of a phrase: at its end, or before
    what completes it (``talking to his mother``)."""
    for position, word in enumerate(words[1:], 1):
        if word in frames.COMPLEMENT:
            words = words[:position]
            break
    count = len(words)
    for start in range(count):
        found = spelled(" ".join(words[start:]), spellings.no_feeling)
        if found and not (start == count - 1 > 0 and words[-1] in frames.FRAMES):
            return found
    return None


def _known(words: list[str], spellings: Spellings) -> str | None:
    """The form of exactly these words, their spelling and inflection aside."""
    text = " ".join(words)
    found = spelled(text, spellings.feelings)
    if found or len(words) > 1:
        return found
    return inflected(text, spellings.feelings) or prefixed(text, spellings)


def _mended(phrases: list[list[str]], spellings: Spellings) -> str | None:
    """The first feeling that a phrase names once its words of unknown spelling are mended."""
    for words in phrases:
        mended = [word if _opens(word) else mistyped(word, spellings) or word for word in words]
        if mended != words:
            found = _feeling(mended, spellings)
            if found:
                return found
    return None
