"""The words and patterns by which ``prose`` reads English; they stand in ``rules.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from ..errors import LexiconError


@dataclass(frozen=True)
class Rules:
    """What decides whether a word names a feeling of the person described.

    Words: ``never`` (name no feeling in prose, whatever a lexicon says), ``felt_only`` (name
    one only where it is felt: ``feels down``), ``state_only`` (only where a state is stated),
    ``vague`` (say whether, not what, a person feels), ``things`` (what an adjective may describe
    instead of a person), ``surroundings`` (things that are tense or sad in place of a person),
    ``display`` (what shows a feeling: a voice, a face), ``negators`` and, among them,
    ``bounded_negators`` (reach as far as the next verb), ``asserted_nouns`` (``no sign`` reaches
    farther), ``breaks`` (end a negation), ``assertions`` (verbs that begin a new statement),
    ``copulas``, ``after_nouns`` (follow a noun, not an adjective), ``state_nouns``, ``frames``
    (other words that say how a feeling shows).
    Patterns: the others; those that end in ``$`` are held against what stands before a mention.
    Idioms: a pattern, and the plain words to read in its place.
    """

    words: Mapping[str, frozenset[str]]
    patterns: Mapping[str, re.Pattern[str]]
    idioms: tuple[tuple[re.Pattern[str], str], ...]

    def plain(self, sentence: str) -> str:
        """``sentence`` with the idioms put in plain words and what names no feeling blanked."""
        for pattern, words in self.idioms:
            sentence = pattern.sub(words, sentence)
        return self.patterns["blanks"].sub(" _ ", sentence)


_WORD_LISTS = (
    "never",
    "felt_only",
    "state_only",
    "vague",
    "things",
    "surroundings",
    "negators",
    "bounded_negators",
    "asserted_nouns",
    "breaks",
    "assertions",
    "copulas",
    "display",
    "after_nouns",
    "state_nouns",
    "frames",
)


@lru_cache(maxsize=1)
def load_rules() -> Rules:
    """The rules shipped with the package.

    Raises:
        LexiconError: the installation lacks the file, or it is damaged.
    """
    try:
        resource = files("ovmer_bench") / "resources" / "extraction" / "rules.json"
        raw: dict[str, list[str]] = json.loads(resource.read_text(encoding="utf-8"))
        words = {key: frozenset(" ".join(raw.pop(key)).split()) for key in _WORD_LISTS}
        idioms = tuple(
            (re.compile(rf"\b(?:{pattern})\b"), plain)
            for pattern, plain in (line.split(" => ") for line in raw.pop("idioms"))
        )
        patterns = {key: re.compile("".join(parts)) for key, parts in raw.items()}
        return Rules(words, patterns, idioms)
    except (OSError, ValueError, KeyError, re.error) as error:
        raise LexiconError(
            f"the extraction rules are damaged: {error}", hint="Install ovmer-bench again."
        ) from None
