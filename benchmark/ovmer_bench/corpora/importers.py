"""Importers of the official file formats.

A corpus is found by what its files hold, not by where a user unpacked them: every label file
that might be meant is opened, and the one with the right array or column, the right number of
clips and readable gold is taken. If none or several fit, the error says what was seen and
what was expected.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CorpusError, InputError
from ..files import read_bytes
from ..reading.csv_tables import Table, read_table
from ..reading.label_field import split_labels
from ..reading.npz import read_npz
from ..reading.schema import Sample
from ..reading.strict_json import check_text
from .registry import CorpusInfo, corpus_info
from .store import Corpus, imported, load_corpus, save_corpus

if TYPE_CHECKING:
    import numpy as np

_ID = ("name", "id")
_OPENSET = ("openset", "labels")
_ENGLISH = ("english", "sentence", "reason")
_CHINESE = ("chinese",)
_GENERIC_LABELS = re.compile(r"labels?(?:[-_].*)?\.npz")
_LARGEST_CSV = 2**29


def import_corpus(
    name: str, folder: str | Path, *, allow_count: bool = False, replace: bool = False
) -> Corpus:
    """Read a corpus from its official files and store it in the data home.

    Args:
        name: a corpus of the registry.
        folder: searched recursively; a single label file does as well.
        allow_count: accept another number of clips than the official one, and record it. The
            label file must then name the corpus, by its own name or a folder's.
        replace: replace an earlier import even where this one has fewer texts.

    Raises:
        CorpusError: unknown or embedded corpus, no label file that fits, several, or an
            earlier import whose subtitles or descriptions would be lost.
        InputError: a transcript or description file that cannot be read.
    """
    info = corpus_info(name)
    if info.embedded:
        raise CorpusError(f"{info.name} is part of the package; there is nothing to import")
    found = _Folder(Path(folder), info)
    label_file, gold = _find_gold(found, allow_count)
    wanted = set(gold)
    subtitles = _find_texts(found, info.transcript_files, wanted, by_corpus_name=True)
    descriptions = _find_texts(found, info.description_files, wanted)
    samples = [
        Sample.from_dict(
            {
                "id": clip,
                _GOLD_FIELD[info.kind]: content,
                "subtitle": subtitles.texts.get(clip, {}),
                "description": descriptions.texts.get(clip, {}),
            },
            file=label_file,
            corpus=info.name,
            split=info.split,
        )
        for clip, content in gold.items()
    ]
    parts = (("labels", label_file), ("transcript", subtitles.path))
    sources = [
        {"role": role, "file": found.shown(path), "sha256": _sha256(path)}
        for role, path in (*parts, ("description", descriptions.path))
        if path is not None
    ]
    if not replace:
        _refuse_loss(info, samples)
    return save_corpus(info, samples, sources)


def _refuse_loss(info: CorpusInfo, samples: Sequence[Sample]) -> None:
    """An import of labels alone must not silently drop the texts of an earlier one."""
    if info.name not in imported():
        return
    try:
        earlier = load_corpus(info.name).samples
    except CorpusError:
        return  # What is damaged is what an import is there to mend.
    for field in ("subtitle", "description"):
        before, now = (sum(bool(getattr(s, field)) for s in each) for each in (earlier, samples))
        if now < before:
            raise CorpusError(
                f"{info.name} is imported with {before} {field}s, and these files hold {now}",
                hint="Name a folder that holds them too, or give --replace.",
            )


_GOLD_FIELD = {"open": "labels", "basic": "label", "sentiment": "valence"}


@dataclass(frozen=True)
class _Texts:
    """Texts by clip and language, and the file they came from."""

    path: Path | None
    texts: Mapping[str, Mapping[str, str]]


class _Folder:
    """The files of a folder, and how plainly each of them names a corpus."""

    def __init__(self, root: Path, info: CorpusInfo) -> None:
        self.root = root
        self.info = info
        self.single = root.is_file()
        if not self.single and not root.is_dir():
            raise CorpusError("no such folder", file=root, hint="Check the path.")
        self.files = [root] if self.single else _files_below(root)

    def shown(self, path: Path) -> str:
        """``path`` relative to the folder, with forward slashes."""
        return path.name if self.single else path.relative_to(self.root).as_posix()

    def names_corpus(self, path: Path) -> bool:
        """Whether the file or a folder above it, from the root on, is called after it."""
        parts = (self.root.resolve().name, *self.shown(path).split("/"))
        known = {self.info.name, *self.info.aliases}
        plain = {_plain(name) for name in known}
        for part in parts:
            stem = part.lower().removesuffix(path.suffix.lower())
            words = {stem, *re.split(r"[-_. ]+", stem), stem.removesuffix("-process")}
            if not known.isdisjoint(words) or _plain(stem) in plain:
                return True
        return False

    def rank(self, path: Path, official: Sequence[str]) -> int | None:
        """0: called after the corpus, 1: official name, in a place named after the corpus,
        2: official name, 3: a name for labels at large; ``None``: not meant."""
        if self.single or _plain(path.stem) in {
            _plain(name) for name in (self.info.name, *self.info.aliases)
        }:
            return 0
        if path.name in official:
            return 1 if self.names_corpus(path) else 2
        return 3 if _GENERIC_LABELS.fullmatch(path.name) else None


def _files_below(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):
        folders.sort()
        found += [
            Path(folder, name)
            for name in sorted(names)
            if name.lower().endswith((".csv", ".npz")) and not name.startswith(".")
        ]
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_. ]", "", name.lower()).replace("+", "plus")


def _find_gold(found: _Folder, allow_count: bool) -> tuple[Path, dict[str, object]]:
    """The one label file that fits, and gold by clip in its order."""
    info = found.info
    suffix = ".csv" if info.kind == "open" else ".npz"
    ranked: dict[int, list[Path]] = {}
    for path in found.files:
        rank = found.rank(path, info.label_files)
        if path.suffix.lower() == suffix and rank is not None:
            ranked.setdefault(rank, []).append(path)
    seen: list[str] = []
    for rank in sorted(ranked):
        fitting: list[tuple[Path, dict[str, object]]] = []
        for path in ranked[rank]:
            try:
                gold = _read_gold(path, info)
                _check_count(gold, info, allow_count, named=rank <= 1)
                fitting.append((path, gold))
            except InputError as error:
                seen.append(_problem(error, found.shown(path)))
        if any(gold != fitting[0][1] for _, gold in fitting):
            names = ", ".join(found.shown(path) for path, _ in fitting)
            raise CorpusError(
                f"{info.name}: several label files fit: {names}",
                file=found.root,
                hint="Give the one that is meant: --from FILE.",
            )
        if fitting:
            return fitting[0]
    raise CorpusError(
        f"{info.name}: no label file fits; seen: {'; '.join(seen[:6]) or _overview(found)}",
        file=found.root,
        accepted=_expectation(info),
        hint=f"The official files are published at {info.published[0]}.",
    )


def _problem(error: InputError, file: str) -> str:
    """File, line, field and what is wrong; what would be right is said once, of all files."""
    return str(InputError(error.message, file=file, line=error.line, field=error.field))


def _overview(found: _Folder) -> str:
    names = [found.shown(path) for path in found.files]
    more = ", ..." if len(names) > 5 else ""
    return f"{', '.join(names[:5])}{more}" if names else "no .csv or .npz file"


def _expectation(info: CorpusInfo) -> str:
    files = " or ".join((*info.label_files, f"{info.name}{Path(info.label_files[0]).suffix}"))
    if info.kind == "open":
        return f"{files} with columns name, openset and {info.n:,} clips"
    content = "'val' a number" if info.kind == "sentiment" else "'emo' a word"
    if info.label_order:
        content = f"'emo' an index into {' '.join(info.label_order)}"
    clips = f"{info.n:,} clips" + (f" {info.id_prefix}..." if info.id_prefix else "")
    return f"{files} with {' or '.join(info.corpus_keys)} of {clips}, {content}"


def _check_count(
    gold: Mapping[str, object], info: CorpusInfo, allowed: bool, *, named: bool
) -> None:
    if not gold:
        raise InputError("holds no clips")
    if len(gold) != info.n and not (allowed and named):
        why = "in a file that does not name the corpus" if allowed else "see --allow-count"
        raise InputError(f"{len(gold):,} clips, not {info.n:,} ({why})")


def _read_gold(path: Path, info: CorpusInfo) -> dict[str, object]:
    """Gold by clip, in file order; :class:`InputError` says why a file does not fit."""
    if info.kind == "open":
        return _gold_of_table(read_table(path))
    arrays = read_npz(path)
    key = next((key for key in info.corpus_keys if key in arrays), None)
    if key is None:
        raise InputError(f"arrays {', '.join(arrays)}", file=path)
    clips = _dictionary(arrays[key])
    if clips is None:
        raise InputError("is no dictionary of clips", file=path, field=key)
    return {
        clip: _gold_of_entry(entry, info, f"{key}[{clip[:80]}]")
        for clip, entry in clips.items()
        if clip.startswith(info.id_prefix)
    }


def _dictionary(array: np.ndarray[Any, Any]) -> dict[str, object] | None:
    content = array.item() if array.ndim == 0 else None
    if not isinstance(content, dict) or not all(isinstance(clip, str) for clip in content):
        return None
    return {str(clip): entry for clip, entry in content.items()}


def _gold_of_table(table: Table) -> dict[str, object]:
    clip, openset = table.index(_ID), table.index(_OPENSET)
    gold: dict[str, object] = {}
    for line, cells in table.rows:
        if cells[clip] in gold:
            raise InputError(
                f"duplicate id {cells[clip]!r}", file=table.path, line=line, field="name"
            )
        gold[cells[clip]] = split_labels(cells[openset])
    return gold


def _gold_of_entry(entry: object, info: CorpusInfo, place: str) -> str | float:
    """A word or a valence from ``{"emo": ..., "val": ...}``."""
    field = "val" if info.kind == "sentiment" else "emo"
    if not isinstance(entry, Mapping) or field not in entry:
        raise InputError(f"has no {field!r}", field=place)
    content = entry[field]
    if isinstance(content, str) and info.kind == "basic":
        check_text(content, field=place)
        word = str(content).strip().lower()
        if word and (not info.label_order or word in info.label_order):
            return word
        raise InputError(f"emo is {word[:40]!r}", field=place)
    number = _as_number(content)
    if number is None:
        raise InputError(f"{field} is {type(content).__name__}", field=place)
    if info.kind == "sentiment":
        if not math.isfinite(number):
            raise InputError(f"val is {number}", field=place)
        return number
    if number != int(number) or not 0 <= number < len(info.label_order):
        raise InputError(f"emo is {number:g}", field=place)
    return info.label_order[int(number)]


def _as_number(value: object) -> float | None:
    """A Python or NumPy number (also one in a 0-d or 1-item array) as a float."""
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "size", 1) == 1:
        value = item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value)


def _find_texts(
    found: _Folder, official: Sequence[str], wanted: set[str], by_corpus_name: bool = False
) -> _Texts:
    """Texts for the wanted clips: the file named most plainly, then the one with most clips.

    ``by_corpus_name`` also admits a file that is called after the corpus.
    """
    best: tuple[int, int] | None = None
    chosen = _Texts(None, {})
    for path in found.files:
        rank = found.rank(path, official)
        meant = path.name in official or (rank == 0 and by_corpus_name)
        if path.suffix.lower() != ".csv" or rank is None or not meant:
            continue
        if path.stat().st_size > _LARGEST_CSV:
            raise InputError("is too large", file=path, accepted=f"at most {_LARGEST_CSV:,} bytes")
        texts = _texts_of_table(read_table(path), wanted)
        standing = (rank, -len(texts))
        if texts and (best is None or standing < best):
            best, chosen = standing, _Texts(path, texts)
    return chosen


def _texts_of_table(table: Table, wanted: set[str]) -> dict[str, dict[str, str]]:
    """Texts by clip and language; empty where the table is of another kind."""
    clip = table.find(_ID)
    columns = {"en": table.find(_ENGLISH), "zh": table.find(_CHINESE)}
    texts: dict[str, dict[str, str]] = {}
    if clip is None or table.find(_OPENSET) is not None:
        return texts
    for _, cells in table.rows:
        if cells[clip] in wanted:
            said = {
                language: cells[column].strip()
                for language, column in columns.items()
                if column is not None and cells[column].strip()
            }
            if said:
                texts[cells[clip]] = said
    return texts


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()
