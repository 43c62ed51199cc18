"""The files of an emotion-wheel release -> the three maps of the published protocol.

A release holds ``format.csv`` (forms), ``synonym.xlsx`` (wheel words) and ``wheel1.xlsx`` to
``wheel5.xlsx`` (sectors), or the same maps precomputed in ``wheel_mapping.npz``. Both roads end
in the same :class:`Maps` (docs/metrics.md). The files come from elsewhere and are read as
such: sizes are bounded before anything is unpacked, and every fault is one named error.
"""

from __future__ import annotations

import csv
import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import ParseError

from ..errors import InputError
from ..files import read_text
from ..reading.label_field import split_labels
from . import N_WHEELS, Wheel

FORMS_FILE = "format.csv"
SYNONYMS_FILE = "synonym.xlsx"
WHEEL_FILES = tuple(f"wheel{k}.xlsx" for k in range(1, N_WHEELS + 1))
SHEET_FILES = (FORMS_FILE, SYNONYMS_FILE, *WHEEL_FILES)
MAPPING_FILE = "wheel_mapping.npz"
WHEEL_NAMES = (
    "The Feelings Wheel (Calm)",
    "Emotional Word Wheel (Roberts 2015)",
    "The Feeling Wheel (PositivePsychology.com)",
    "Emotion wheel (VanMuijen)",
    "The Feeling Wheel (Willcox 1982)",
)
"""Titles of the five wheels, for people; no score depends on them."""

N_RUNS = 8
MAX_FILE_BYTES = 8 << 20
"""A release file is about 0.1 MB; a hundred times that is not one."""
_MAX_UNPACKED_BYTES = 32 << 20
_MAX_ZIP_MEMBERS = 200
_MAX_ROWS = 5_000
_MAX_COLUMNS = 64
_CSV_COLUMNS = ("name", "format")
_SYNONYM_COLUMNS = tuple(
    f"{kind}_run{n}" for n in range(1, N_RUNS + 1) for kind in ("word", "synonym")
)
_WHEEL_COLUMNS = ("level1", "level2", "level3")
_WORKBOOK_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ParseError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class Maps:
    """form -> bases, base -> wheel words, both alphabetical, and the five wheels."""

    forms: dict[str, tuple[str, ...]]
    wheel_words: dict[str, tuple[str, ...]]
    wheels: tuple[Wheel, ...]

    def counts(self) -> dict[str, int]:
        """Forms, bases and wheel words, the numbers by which a release is known."""
        return {
            "forms": len(self.forms),
            "bases": len({base for bases in self.forms.values() for base in bases}),
            "wheel_words": len({word for wheel in self.wheels for word in wheel.level1}),
        }


def read_sheets(folder: Path) -> Maps:
    """The maps of ``format.csv``, ``synonym.xlsx`` and the five ``wheelK.xlsx`` in ``folder``.

    Raises:
        InputError: a file is missing, too large, damaged, or lacks a column.
    """
    return Maps(
        forms=_read_forms(folder / FORMS_FILE),
        wheel_words=_read_synonyms(folder / SYNONYMS_FILE),
        wheels=tuple(
            _read_wheel(folder / file, name)
            for file, name in zip(WHEEL_FILES, WHEEL_NAMES, strict=True)
        ),
    )


def read_mapping(path: Path) -> Maps:
    """The maps of a ``wheel_mapping.npz``, read without running what pickles can run.

    Raises:
        InputError: the file is missing, too large, damaged, or holds something else.
    """
    from ..reading.npz import read_npz

    check_size(path)
    arrays = read_npz(path)
    whole = _dictionary(_member(arrays, "wheel_map_whole", path), "wheel_map_whole", path)
    wheels = []
    for k, name in enumerate(WHEEL_NAMES, start=1):
        field = f"wheel_map_whole[wheel{k}]"
        levels = _dictionary(_member(whole, f"wheel{k}", path), field, path)
        level1, level2 = (
            _word_map(_member(levels, level, path), f"{field}[{level}]", path)
            for level in ("level1", "level2")
        )
        if level1.keys() != level2.keys():
            raise InputError("level1 and level2 hold different words", file=path, field=field)
        wheels.append(_printed(name, level1, level2))
    return Maps(
        forms=_word_lists(_member(arrays, "format_mapping", path), "format_mapping", path),
        wheel_words=_word_lists(_member(arrays, "raw_mapping", path), "raw_mapping", path),
        wheels=tuple(wheels),
    )


def content_sha256(maps: Maps) -> str:
    """Hash of the maps, the same for every road by which they were read.

    The maps are in canonical order (words alphabetical, sectors as printed), so their compact
    JSON is canonical too.
    """
    text = json.dumps(payload(maps), separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def payload(maps: Maps) -> dict[str, object]:
    """The maps as the plain containers that are stored and hashed."""
    return {
        "forms": maps.forms,
        "wheel_words": maps.wheel_words,
        "wheels": [{"level1": wheel.level1, "level2": wheel.level2} for wheel in maps.wheels],
    }


def check_size(path: Path) -> None:
    """Refuse a file too large to be part of a release before reading it."""
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        return  # The reader that comes next says what is wrong.
    if size > MAX_FILE_BYTES:
        raise InputError(
            f"{size} bytes are too many for a lexicon file",
            file=path,
            accepted=f"at most {MAX_FILE_BYTES} bytes",
        )


def _read_forms(path: Path) -> dict[str, tuple[str, ...]]:
    check_size(path)
    reader = csv.reader(read_text(path).splitlines(keepends=True))
    forms: dict[str, set[str]] = {}
    try:
        name_at, format_at = _columns(next(reader, []), _CSV_COLUMNS, path)
        for row in reader:
            if not row:
                continue
            if len(row) <= max(name_at, format_at):
                raise InputError(
                    f"row has {len(row)} fields",
                    file=path,
                    line=reader.line_num,
                    accepted="name,format",
                )
            base = row[name_at].strip().lower()
            if not base:
                raise InputError("empty base", file=path, line=reader.line_num, field="name")
            for form in (base, *split_labels(row[format_at])):
                forms.setdefault(form, set()).add(base)
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", file=path, line=reader.line_num) from None
    if not forms:
        raise InputError("holds no forms", file=path)
    return _sorted(forms)


def _read_synonyms(path: Path) -> dict[str, tuple[str, ...]]:
    words: dict[str, set[str]] = {}
    for row in _rows(path, _SYNONYM_COLUMNS):
        for word, synonyms in zip(row[::2], row[1::2], strict=True):
            wheel_word = word.strip().lower()
            if not wheel_word:
                continue
            for base in (wheel_word, *split_labels(synonyms)):
                words.setdefault(base, set()).add(wheel_word)
    if not words:
        raise InputError("holds no wheel words", file=path)
    return _sorted(words)


def _read_wheel(path: Path, name: str) -> Wheel:
    level1: dict[str, str] = {}
    level2: dict[str, str] = {}
    middle: dict[str, set[str]] = {}
    above = ["", "", ""]
    for number, row in enumerate(_rows(path, _WHEEL_COLUMNS), start=2):
        cells = [cell.strip().lower() for cell in row]
        if not any(cells):
            continue
        above = [cell or last for cell, last in zip(cells, above, strict=True)]
        if not all(above):
            raise InputError(
                "the first row leaves a level blank",
                file=path,
                line=number,
                field=_WHEEL_COLUMNS[above.index("")],
            )
        inner, ring, _ = above
        middle.setdefault(inner, set()).add(ring)
        for word in above:
            level1[word] = inner
        level2.setdefault(inner, "")
        for word in above[1:]:
            level2[word] = ring
    if not level1:
        raise InputError("holds no wheel", file=path)
    for inner, rings in middle.items():
        level2[inner] = min(rings)
    return _printed(name, level1, level2)


def _printed(name: str, level1: Mapping[str, str], level2: Mapping[str, str]) -> Wheel:
    """The wheel with its words in an order that gives its sectors in printed order.

    A word that stands in two places is kept under the later one, so the order of the words
    alone would print sectors out of turn: each sector counts from where it itself stands.
    """

    def ordered(level: Mapping[str, str]) -> dict[str, str]:
        place = {word: index for index, word in enumerate(level1)}
        end = len(place)
        return dict(
            sorted(level.items(), key=lambda item: (place.get(item[1], end), item[1], item[0]))
        )

    return Wheel(name, ordered(level1), ordered(level2))


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The rows of the first sheet as text in the order of ``columns``, blanks as ''."""
    table = _sheet(path)
    places = _columns([str(cell or "") for cell in table[0]] if table else [], columns, path)
    for number, row in enumerate(table[1:], start=2):
        cells = []
        for place, column in zip(places, columns, strict=True):
            cell = row[place] if place < len(row) else None
            if cell is not None and not isinstance(cell, str):
                raise InputError(
                    f"{cell!r} is not text", file=path, line=number, field=column, accepted="words"
                )
            cells.append(cell or "")
        yield tuple(cells)


def _sheet(path: Path) -> list[tuple[object, ...]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _check_workbook(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            rows = book.worksheets[0].iter_rows(
                max_row=_MAX_ROWS, max_col=_MAX_COLUMNS, values_only=True
            )
            return [tuple(row) for row in rows]
        finally:
            book.close()
    except (InvalidFileException, *_WORKBOOK_FAULTS) as error:
        raise _not_a_workbook(path, f"{type(error).__name__}: {error}") from None


def _check_workbook(path: Path) -> None:
    """Bound what unpacking can yield: a member never gives more than it declares."""
    check_size(path)
    if not path.is_file():
        raise InputError("no such file", file=path, hint="Check the folder.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, struct.error) as error:
        raise _not_a_workbook(path, str(error)) from None
    unpacked = sum(member.file_size for member in members)
    if len(members) > _MAX_ZIP_MEMBERS or unpacked > _MAX_UNPACKED_BYTES:
        raise InputError(
            f"unpacks to {unpacked} bytes in {len(members)} parts",
            file=path,
            accepted=f"at most {_MAX_UNPACKED_BYTES} bytes in {_MAX_ZIP_MEMBERS} parts",
        )


def _not_a_workbook(path: Path, why: str) -> InputError:
    return InputError(
        f"is not a readable Excel workbook ({why.rstrip('.')})",
        file=path,
        accepted="an .xlsx file",
        hint="Fetch the file again.",
    )


def _columns(header: Iterable[str], wanted: tuple[str, ...], path: Path) -> list[int]:
    names = [name.strip() for name in header]
    missing = [column for column in wanted if column not in names]
    if missing:
        raise InputError("no such column", file=path, line=1, field=missing[0], accepted=wanted)
    return [names.index(column) for column in wanted]


def _member(mapping: Mapping[_Key, object], key: _Key, path: Path) -> object:
    if key not in mapping:
        raise InputError("no such entry", file=path, field=str(key))
    return mapping[key]


def _dictionary(value: object, field: str, path: Path) -> dict[object, object]:
    if getattr(value, "shape", None) == ():
        value = value.item()  # type: ignore[attr-defined]  # NumPy keeps a dict as a 0-d array.
    if not isinstance(value, dict) or not value:
        raise InputError("is not a filled dictionary", file=path, field=field)
    return value


def _word_map(value: object, field: str, path: Path) -> dict[str, str]:
    words: dict[str, str] = {}
    for word, sector in _dictionary(value, field, path).items():
        words[_word(word, field, path)] = _word(sector, field, path)
    return words


def _word_lists(value: object, field: str, path: Path) -> dict[str, tuple[str, ...]]:
    lists: dict[str, set[str]] = {}
    for word, targets in _dictionary(value, field, path).items():
        if not isinstance(targets, (list, tuple, set)) or not targets:
            raise InputError(f"{word!r} has no list of words", file=path, field=field)
        lists[_word(word, field, path)] = {_word(target, field, path) for target in targets}
    return _sorted(lists)


def _word(value: object, field: str, path: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{value!r} is not a word", file=path, field=field)
    return str(value)


def _sorted(sets: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {word: tuple(sorted(sets[word])) for word in sorted(sets)}
