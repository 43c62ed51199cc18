"""Files of one JSON object a line that a run appends to, and that a kill may tear."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ovmer_bench import OvmerError
from ovmer_bench.files import read_bytes, write_text

Row = dict[str, Any]


def append_line(path: Path, row: Mapping[str, Any]) -> None:
    """Append ``row`` in one write; numbers that are not finite become ``null``."""
    text = json.dumps(finite(row), ensure_ascii=False, allow_nan=False) + "\n"
    try:
        with path.open("ab") as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise OvmerError(f"cannot be written: {error.strerror}", file=path) from None


def read_lines(path: Path) -> list[Row]:
    """All rows; none where there is no file. A last line without an end is left out.

    Raises:
        OvmerError: naming the line that is no JSON object.
    """
    if not path.is_file():
        return []
    *whole, _torn = read_bytes(path).split(b"\n")
    rows = []
    for number, line in enumerate(whole, 1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise OvmerError("is no JSON object", file=path, line=number)
        rows.append(row)
    return rows


def keep_first(path: Path, count: int, counted: Callable[[Row], bool]) -> None:
    """Leave the first ``count`` rows of those that are ``counted``, all others, and no torn line.

    The file is replaced whole.
    """
    if path.is_file():
        kept = []
        for row in read_lines(path):
            count -= counted(row)
            if count >= 0 or not counted(row):
                kept.append(row)
        write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))


def mend(path: Path) -> None:
    """Remove a last line that a kill has torn; the file is replaced whole."""
    keep_first(path, 0, lambda row: False)


def finite(value: Any) -> Any:
    """``value`` with ``None`` in the place of numbers that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value
