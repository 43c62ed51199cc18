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
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

RULES_VERSION = "1"

# A label is a word or a phrase. What is longer is prose, which `parsing` reads.
MAX_CHARACTERS = 120
MAX_WORDS = 10

# Length of a word whose spelling may be mended by one letter; a short one has neighbours.
MIN_MISTYPED = 8
MAX_MISTYPED = 24


@dataclass(frozen=True)
class Spellings:
    """The vocabulary that the rules lead back to.

    Attributes:
        feelings: forms with a base.
        no_feeling: forms known to name no feeling.
        opposite: feeling form -> the form that its denial means.
    """

    feelings: Collection[str]
    no_feeling: Collection[str]
    opposite: Callable[[str], str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words before the feeling that leave it the same feeling: degree, certainty, frame.
_BEFORE = _words(
    """
    a an the his her their its my your our this that such some any both one of as to at by
    in on with and or but yet very really so too quite extremely highly deeply intensely
    slightly mildly somewhat rather fairly pretty bit little lot lots kind sort moderately
    moderate strong strongly mild deep intense slight extreme great greatly big huge immense
    profound profoundly severe severely serious seriously considerable considerably pure
    sheer utter utterly absolute absolutely total totally complete completely entirely
    incredibly terribly awfully genuinely truly true real clear clearly obvious obviously
    evident evidently visible visibly seemingly apparent apparently possible possibly perhaps
    maybe likely probably potential potentially subtle subtly faint faintly hint hints touch
    trace traces tinge full filled more most much many still again just only even also
    increasingly increasing growing rising general generally overall underlying inner
    internal inward inwardly outward outwardly emotionally mentally psychologically
    emotional mental psychological temporary constant constantly continued initial initially
    momentary momentarily sudden suddenly light lightly low high heightened elevated bitterly
    occasional occasionally frequent certain particularly especially overly almost nearly
    partly partially partial fully barely-concealed suppressed repressed restrained hidden
    concealed masked subdued controlled contained mounting lingering
    feeling feelings feel feels felt sense senses sensing sensation state states expression
    expressions expresses expressing expressed look looks looking tone mood air attitude
    emotion emotions moment moments mix mixture combination blend level degree sign signs
    display displays displaying show shows showing shown wave burst outburst act attempt
    being be is are was were am been i he she they it you we appears appearing appear
    appearance seems seeming seem sounds sounding sound getting get gets becoming become
    becomes acting acts experiencing experiences having has have had himself herself
    themselves oneself person speaker character man woman subject individual tendency trying
    tries effort desire-to wanting-to attempting attempts beginning starting starts
    """
)

# Words after the feeling that only say what shows it.
_AFTER = _words(
    """
    feeling feelings emotion emotions emotional mood moods state states expression
    expressions tone tones voice attitude attitudes look looks looking sounding face faces
    faced facial manner manners behaviour behavior behaviours behaviors demeanour demeanor
    reaction reactions response responses vibe vibes atmosphere sentiment sentiments
    disposition mindset outlook temperament gesture gestures posture smile smiles smiling
    laugh laughs laughter tears cry eyes gaze glance stare stance affect undertone undertones
    overtones nature person people speaker man woman character individual moment moments
    level remark remarks words word mode energy spirit spirits mentality mind thoughts
    experience experiences situation speech speaking inside overall though too now again
    somewhat slightly very bit little much all intention intentions sense sensation
    inquiry question questioning questions comment comments statement
    """
)

_DENIALS = _words(
    """
    not no non never without lack lacks lacking absence absent devoid isnt arent wasnt doesnt
    dont didnt cant cannot hardly barely scarcely less nothing neither nor zero insufficient
    little-to-no
    """
)
# Between a denial and what it denies: `lack of trust`, `not very happy`, `no longer angry`.
_AFTER_DENIAL = _words("of longer at all any really very too so quite that much the a an in")
_LOSS = _words("loss losing lost")

# A complement says what the feeling is about: `fear of failure`, `worried about her`.
_COMPLEMENT = _words(
    """
    about at towards toward for over from by to with in on of because due when that against
    regarding upon after before into despite while than as if between among without behind
    """
)

_JOINTS = re.compile(
    r"\s*(?:[/&+|;,:，、；：→>]|\s-+\s|\b(?:and|or|but|yet|nor|mixed with|plus|then)\b)\s*"
)
_BRACKETS = re.compile(r"[(\[{<（【][^)\]}>）】]*[)\]}>）】]?")
_NOT_TEXT = re.compile(r"[^\w\s'/&+|;,:，、；：→>-]+")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´′＇", "'") | dict.fromkeys("‐‑‒–—−_", "-"))

_NEGATIVE_PREFIXES = ("un", "in", "dis", "im", "ir", "non", "non-")
# Those that can be taken off an unknown word without finding a chance word (`in-tense`).
_REMOVABLE_PREFIXES = ("un", "dis", "non")
_STRENGTHENING_PREFIXES = ("over", "hyper", "ultra", "super", "semi", "half", "quasi", "extra")

# British and American: one is tried for the other.
_NATIONAL = """
    isation:ization ise:ize ising:izing yse:yze our:or lled:led lling:ling llment:lment
    ence:ense sceptic:skeptic dgement:dgment grey:gray aes:es
"""
_SPELLINGS = tuple((one, other) for one, _, other in (p.partition(":") for p in _NATIONAL.split()))

# Ending : what may stand in its place in the word it was formed from (`.`: nothing). No
# ending that turns a meaning round (-less) is among them.
_RULES = """
    iness:y edness:ed,e,. fulness:ful,. ness:. ingly:ing,e,. edly:ed,e,. fully:ful,.
    ically:ic,ical,y ily:y,. bly:ble ly:.,e ied:y ies:y ing:.,e,ed ed:.,e,ing ment:.,ed,ing
    ation:e,ed,. ion:ed,e,. ful:. ish:.,e ity:.,e es:.,e s:. y:.,e d:.
"""
_ENDINGS = tuple(
    (ending, tuple(stems.replace(".", "").split(",")))
    for ending, _, stems in (rule.partition(":") for rule in _RULES.split())
)


def canonical(label: str, spellings: Spellings) -> str | None:
    """The listed form that ``label`` stands for, or ``None``.

    A feeling is preferred to a word that names none; a label that is a form is its own answer.
    """
    if label in spellings.feelings or label in spellings.no_feeling:
        return label
    if len(label) > MAX_CHARACTERS:
        return None
    text = _plain(label)
    for vocabulary in (spellings.feelings, spellings.no_feeling):
        found = _spelled(text, vocabulary)
        if found:
            return found
    parts = [part for part in (p.strip() for p in _JOINTS.split(text)) if part]
    phrases = [words for words in (_split(part) for part in parts) if words]
    for words in phrases:
        found = _feeling(words, spellings)
        if found:
            return found
    for words in phrases:
        found = _no_feeling(words, spellings)
        if found:
            return found
    return _mistyped(text, spellings.feelings)


def _plain(label: str) -> str:
    """Lower case, one kind of apostrophe and hyphen, no brackets, Markdown, quotes, emoji."""
    text = unicodedata.normalize("NFKC", label).translate(_APOSTROPHES).lower()
    text = _BRACKETS.sub(" ", text).strip() or text
    text = _NOT_TEXT.sub(" ", text)
    return " ".join(text.split()).strip(" '-/&+|;,:")


def _split(part: str) -> list[str]:
    """Words of a phrase; empty where it is too long to be a label."""
    words = [word.strip("'-") for word in part.split()]
    words = [word for word in words if word]
    return words if len(words) <= MAX_WORDS else []


def _feeling(words: list[str], spellings: Spellings) -> str | None:
    """The feeling that a phrase names: whole, framed, denied, or by its most telling words."""
    found = _framed(words, spellings)
    if found:
        return found
    if any("-" in word for word in words):
        return _feeling([w for word in words for w in word.split("-") if w], spellings)
    for position, word in enumerate(words[1:], 1):
        if word in _COMPLEMENT:
            found = _framed(words[:position], spellings)
            if found:
                return found
    return _within(words, spellings)


def _framed(words: list[str], spellings: Spellings) -> str | None:
    """Drop framing words from both ends, one at a time, until a form or a denial is left."""
    start, end = 0, len(words)
    while start < end:
        found = _known(words[start:end], spellings)
        if found:
            return found
        rest = words[start:end]
        denied = _denied(rest, spellings)
        if denied:
            return denied
        if words[start] in _BEFORE or _is_degree(words[start]):
            start += 1
        elif words[end - 1] in _AFTER:
            end -= 1
        else:
            break
    start, end = 0, len(words)
    while end - start > 1 and words[end - 1] in _AFTER:
        end -= 1
        found = _known(words[start:end], spellings)
        if found:
            return found
    return None


def _is_degree(word: str) -> bool:
    """Adverbs of degree are an open class (``overwhelmingly``, ``undeniably``)."""
    return len(word) > 5 and word.endswith("ly")


def _denied(words: list[str], spellings: Spellings) -> str | None:
    """``not happy``, ``lack of trust``, ``loss of hope`` (a loss is denial of good only)."""
    head, rest = words[0].replace("'", ""), words[1:]
    loss = head in _LOSS and rest[:1] in (["of"], ["all"])
    if not loss and head not in _DENIALS:
        return None
    while rest and rest[0] in _AFTER_DENIAL:
        rest = rest[1:]
    if not rest:
        return None
    if not loss:
        word = "-".join(rest) if len(rest) == 1 else ""
        for prefix in _NEGATIVE_PREFIXES:
            if word and prefix + word in spellings.feelings:
                return prefix + word
    found = _framed(rest, spellings) or _before_complement(rest, spellings)
    return spellings.opposite(found) if found else None


def _before_complement(words: list[str], spellings: Spellings) -> str | None:
    for position, word in enumerate(words[1:], 1):
        if word in _COMPLEMENT:
            return _framed(words[:position], spellings)
    return None


def _within(words: list[str], spellings: Spellings) -> str | None:
    """The longest form at the end of a phrase, else at its start, else inside it."""
    count = len(words)
    if any(word.replace("'", "") in _DENIALS for word in words):
        return _denied_within(words, spellings)
    spans = [(start, count) for start in range(1, count)]
    spans += [(0, end) for end in range(count - 1, 0, -1)]
    spans += [(start, start + 2) for start in range(1, count - 2)]
    spans += [(start, start + 1) for start in range(count - 2, 0, -1)]
    for start, end in spans:
        chosen = words[start:end]
        if len(chosen) == 1 and (chosen[0] in _BEFORE or chosen[0] in _AFTER):
            continue
        found = _known(chosen, spellings)
        if found:
            return found
    return None


def _denied_within(words: list[str], spellings: Spellings) -> str | None:
    for position, word in enumerate(words):
        if word.replace("'", "") in _DENIALS:
            before = _framed(words[:position], spellings) if position else None
            return before or _denied(words[position:], spellings)
    return None


def _no_feeling(words: list[str], spellings: Spellings) -> str | None:
    """The form that names no feeling which a phrase ends with, or starts with."""
    count = len(words)
    spans = [(start, count) for start in range(count)] + [(0, end) for end in range(1, count)]
    for start, end in spans:
        found = _spelled(" ".join(words[start:end]), spellings.no_feeling)
        if found:
            return found
    return None


def _known(words: list[str], spellings: Spellings) -> str | None:
    """The form of exactly these words, their spelling and inflection aside."""
    text = " ".join(words)
    found = _spelled(text, spellings.feelings)
    if found or len(words) > 1:
        return found
    return _inflected(text, spellings.feelings) or _prefixed(text, spellings)


def _spelled(text: str, vocabulary: Collection[str]) -> str | None:
    """``text`` or a variant of it in hyphens, apostrophes or national spelling."""
    for joined in _joined(text):
        if joined in vocabulary:
            return joined
    for one, other in _SPELLINGS:
        for old, new in ((one, other), (other, one)):
            if old in text:
                variant = text.replace(old, new)
                if variant in vocabulary:
                    return variant
    return None


def _joined(text: str) -> Iterator[str]:
    yield text
    spaced = text.replace("-", " ")
    yield spaced
    if " " in spaced:
        yield spaced.replace(" ", "-")
        yield spaced.replace(" ", "")
    if "'" in text:
        yield text.replace("'", "")
        yield text.partition("'")[0]


def _inflected(word: str, vocabulary: Collection[str]) -> str | None:
    """The form from which ``word`` is regularly formed (``gloominess``: ``gloomy``)."""
    for ending, replacements in _ENDINGS:
        if not word.endswith(ending) or len(word) < len(ending) + 3:
            continue
        stem = word[: -len(ending)]
        for replacement in replacements:
            if stem + replacement in vocabulary:
                return stem + replacement
        if stem[-1] == stem[-2] and stem[:-1] in vocabulary:
            return stem[:-1]
        found = _spelled(stem, vocabulary)
        if found:
            return found
    return None


def _mistyped(text: str, vocabulary: Collection[str]) -> str | None:
    """The one form that a long word misses by a letter left out, added or swapped.

    A letter changed for another is not mended: that is as often another word. The first
    letter counts as right.
    """
    if not MIN_MISTYPED <= len(text) <= MAX_MISTYPED or not text.isascii() or not text.isalpha():
        return None
    found: set[str] = set()
    for i in range(1, len(text) + 1):
        head, tail = text[:i], text[i:]
        candidates = [head + letter + tail for letter in "abcdefghijklmnopqrstuvwxyz"]
        candidates += [head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]]
        found.update(word for word in candidates if word in vocabulary)
    return found.pop() if len(found) == 1 else None


def _prefixed(word: str, spellings: Spellings) -> str | None:
    """``overexcited``: the feeling, stronger; ``unamused``: its denial."""
    for prefix in _STRENGTHENING_PREFIXES:
        rest = word.removeprefix(prefix).lstrip("-")
        if len(rest) > 3 and rest != word:
            found = _spelled(rest, spellings.feelings) or _inflected(rest, spellings.feelings)
            if found:
                return found
    for prefix in _REMOVABLE_PREFIXES:
        rest = word.removeprefix(prefix).lstrip("-")
        if len(rest) > 5 and rest != word and rest in spellings.feelings:
            return spellings.opposite(rest)
    return None
