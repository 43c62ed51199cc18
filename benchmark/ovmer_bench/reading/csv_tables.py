"""CSV files with a header, read strictly: every row has a line, every column a name."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, did_you_mean
from ..files import read_text
from .strict_json import check_text

_LONGEST_FIELD = 2**31 - 1


@dataclass(frozen=True)
class Table:
    """Rows of a CSV file, each with the line on which it begins.

    Attributes:
        path: the file.
        columns: names in lower case, stripped.
        rows: ``(line, cells)``, as many cells as there are columns.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]

    def find(self, names: Sequence[str]) -> int | None:
        """Index of the one column called any of ``names``; ``None`` where there is none.

        Raises:
            InputError: several columns fit.
        """
        found = [i for i, column in enumerate(self.columns) if column in names]
        if len(found) > 1:
            columns = " and ".join(repr(self.columns[i]) for i in found)
            raise InputError(
                f"has columns {columns}, which mean the same",
                file=self.path,
                line=1,
                accepted=f"one of {', '.join(names)}",
                hint="Keep the one that counts.",
            )
        return found[0] if found else None

    def index(self, names: Sequence[str]) -> int:
        """Index of the one column called any of ``names``; an error where there is none."""
        found = self.find(names)
        if found is None:
            near = (did_you_mean(column, names) for column in self.columns)
            raise InputError(
                f"missing; the columns are {', '.join(map(repr, self.columns))}",
                file=self.path,
                line=1,
                field=" or ".join(names),
                accepted=names,
                hint=next((hint for hint in near if hint), None),
            )
        return found


def read_table(path: str | Path) -> Table:
    """The table in a CSV file (UTF-8, comma, double quotes, a header in the first row).

    Raises:
        InputError: bad UTF-8, NUL, no header, broken quotes, or a row with more or fewer cells
            than the header.
    """
    path = Path(path)
    text = read_text(path)
    if "\x00" in text:
        check_text(text, file=path, line=text.count("\n", 0, text.index("\x00")) + 1)
    rows = _rows(path, text)
    header = next(rows, None)
    if header is None:
        raise InputError("is empty", file=path, accepted="CSV with a header row")
    columns = tuple(name.strip().lower() for name in header[1])
    kept = tuple(rows)
    for line, cells in kept:
        if len(cells) != len(columns):
            raise InputError(
                f"{len(cells)} cells where the header has {len(columns)}",
                file=path,
                line=line,
                hint='Quote cells that hold commas: "happy, sad".',
            )
    return Table(path, columns, kept)


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        line = 1
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"not CSV: {error}",
            file=path,
            line=line,
            hint="Quote cells with double quotes, and double those inside them.",
        ) from None
    finally:
        csv.field_size_limit(before)
