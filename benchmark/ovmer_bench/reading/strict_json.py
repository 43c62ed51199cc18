"""JSON without the liberties: what two readers could understand differently is refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import NoReturn

from ..errors import InputError

MAX_DEPTH = 64


def parse_json(text: str, *, file: str | Path | None = None, line: int | None = None) -> object:
    """The value of one JSON text.

    Raises:
        InputError: not JSON, ``NaN`` or ``Infinity`` (also as ``1e999``), a key twice in one
            object, an integer beyond 64 bits, nesting deeper than :data:`MAX_DEPTH`, NUL or
            half a surrogate pair in a string.
    """
    try:
        value: object = _DECODER.decode(text)
    except RecursionError:
        _too_deep(file, line)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if line is not None else f"line {error.lineno}"
        raise InputError(
            f"not JSON: {error.msg} at {place}", file=file, line=line, accepted="one JSON value"
        ) from None
    except ValueError as refused:
        raise InputError(str(refused), file=file, line=line) from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value, file, line)
    if "\\u" in text:
        _check_strings(value, file, line)
    return value


def check_text(
    text: str,
    *,
    file: str | Path | None = None,
    line: int | None = None,
    field: str | None = None,
) -> None:
    """Refuse text that cannot be shown or stored: NUL, half a surrogate pair."""
    if "\x00" in text:
        raise InputError("text holds a NUL character", file=file, line=line, field=field)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"text holds half a surrogate pair (U+{ord(text[error.start]):04X})",
            file=file,
            line=line,
            field=field,
        ) from None


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"key {twice[:80]!r} stands twice in one object")
    return made


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"number {digits[:40]} is too large")
    return number


def _bounded(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise ValueError(f"integer {digits[:40]} ({len(digits)} digits) does not fit 64 bits")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; numbers are finite")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_float=_finite,
    parse_int=_bounded,
    parse_constant=_no_constant,
)


def _check_depth(value: object, file: str | Path | None, line: int | None) -> None:
    layer = [value]
    for _ in range(MAX_DEPTH + 1):
        parents = [item for item in layer if isinstance(item, (dict, list))]
        if not parents:
            return
        layer = [
            child
            for parent in parents
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    _too_deep(file, line)


def _too_deep(file: str | Path | None, line: int | None) -> NoReturn:
    raise InputError(
        "JSON is nested too deeply", file=file, line=line, accepted=f"at most {MAX_DEPTH} levels"
    )


def _check_strings(value: object, file: str | Path | None, line: int | None) -> None:
    todo: list[tuple[str | None, object]] = [(None, value)]
    while todo:
        name, item = todo.pop()
        if isinstance(item, str):
            check_text(item, file=file, line=line, field=name)
        elif isinstance(item, dict):
            for key, child in item.items():
                check_text(key, file=file, line=line, field=name)
                todo.append((name or key, child))
        elif isinstance(item, list):
            todo.extend((name, child) for child in item)
