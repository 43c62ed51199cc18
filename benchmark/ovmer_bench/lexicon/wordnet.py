"""A reader for the WordNet 3.0 database files: which words are derived from which.

Only what the lexicon's builder asks for, from the format that the manual page wndb(5WN)
describes: lemmas by part of speech, lexical pointers, lists of irregular inflections.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import LexiconError
from ..files import read_text

Word = tuple[str, str]
"""A lemma and its part of speech: n, v, a, r."""

_FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}

# Pointers between words: derivationally related, pertainym (or adverb of), participle of.
_LEXICAL = frozenset(("+", "\\", "<"))

_REGULAR = {
    "n": (("ies", "y"), ("es", ""), ("s", "")),
    "v": (
        ("ies", "y"),
        ("ied", "y"),
        ("es", "e"),
        ("es", ""),
        ("ed", "e"),
        ("ed", ""),
        ("ing", "e"),
        ("ing", ""),
        ("s", ""),
    ),
    "a": (("iest", "y"), ("ier", "y"), ("est", "e"), ("er", "e"), ("est", ""), ("er", "")),
    "r": (),
}


class WordNet:
    """Lemmas, derivations and inflections of a WordNet database.

    Args:
        folder: where ``data.noun``, ``noun.exc`` and the others lie.

    Raises:
        LexiconError: the folder holds no WordNet database.
    """

    def __init__(self, folder: Path) -> None:
        for name in _FILES.values():
            if not (folder / f"data.{name}").is_file():
                raise LexiconError(
                    "no WordNet database here",
                    file=folder,
                    accepted="a folder with data.noun, data.verb, data.adj, data.adv",
                    hint="Debian and Ubuntu have it in the package wordnet-base.",
                )
        self._irregular = {pos: _exceptions(folder, name) for pos, name in _FILES.items()}
        synsets: dict[tuple[str, int], list[str]] = {}
        pointers: list[tuple[Word, tuple[str, int], int]] = []
        for pos, name in _FILES.items():
            for offset, words, lexical in _read(folder / f"data.{name}"):
                synsets[pos, offset] = words
                pointers += [((words[i], pos), target, j) for i, target, j in lexical]
        self._lemmas = {pos: set[str]() for pos in _FILES}
        for (pos, _), words in synsets.items():
            self._lemmas[pos].update(words)
        self._near: dict[Word, set[Word]] = {}
        for word, target, number in pointers:
            other = (synsets[target][number], target[0])
            self._near.setdefault(word, set()).add(other)
            self._near.setdefault(other, set()).add(word)

    def has(self, word: str, pos: str) -> bool:
        """Whether ``word`` is a lemma of that part of speech."""
        return word in self._lemmas[pos]

    def words(self) -> set[str]:
        """Single words in lower-case letters: lemmas, plurals of nouns, inflections of verbs."""
        found = {word for lemmas in self._lemmas.values() for word in lemmas}
        for pos, table in self._irregular.items():
            found.update(
                form
                for form, words in table.items()
                if any(map(self._lemmas[pos].__contains__, words))
            )
        for word in self._lemmas["n"] | self._lemmas["v"]:
            found.add(word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s"))
        for word in self._lemmas["v"]:
            stem = word.removesuffix("e")
            found.update((stem + "ed", stem + "ing"))
        return {word for word in found if word.isascii() and word.isalpha() and word.islower()}

    def lemma(self, form: str, pos: str) -> str | None:
        """The lemma of an inflected form; of a lemma, itself."""
        if self.has(form, pos):
            return form
        for word in self._irregular[pos].get(form, ()):
            if self.has(word, pos):
                return word
        for ending, replacement in _REGULAR[pos]:
            if form.endswith(ending):
                stem = form[: -len(ending)]
                if self.has(stem + replacement, pos):
                    return stem + replacement
                if len(stem) > 2 and stem[-1] == stem[-2] and self.has(stem[:-1], pos):
                    return stem[:-1]
        return None

    def irregular(self, word: str, pos: str) -> list[str]:
        """Irregular inflections of a lemma."""
        return [form for form, words in self._irregular[pos].items() if word in words]

    def derived(self, word: str, pos: str) -> set[Word]:
        """Words that WordNet links to this one by derivation, either way."""
        return self._near.get((word, pos), set())


def _exceptions(folder: Path, name: str) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for line in read_text(folder / f"{name}.exc").split("\n"):
        form, *words = line.split() or [""]
        if form:
            table.setdefault(form, []).extend(words)
    return table


def _read(path: Path) -> Iterator[tuple[int, list[str], list[tuple[int, tuple[str, int], int]]]]:
    """Offset, lower-case words, and lexical pointers (word, target synset, target word)."""
    for line in read_text(path).split("\n"):
        if not line or line[0] == " ":
            continue
        fields = line.partition(" | ")[0].split()
        count = int(fields[3], 16)
        words = [fields[4 + 2 * i].partition("(")[0].lower() for i in range(count)]
        at = 4 + 2 * count
        lexical = []
        for i in range(at + 1, at + 1 + 4 * int(fields[at]), 4):
            symbol, offset, pos, ends = fields[i : i + 4]
            if symbol in _LEXICAL and ends != "0000":
                target = ("a" if pos == "s" else pos, int(offset))
                lexical.append((int(ends[:2], 16) - 1, target, int(ends[2:], 16) - 1))
        yield int(fields[0]), words, lexical
