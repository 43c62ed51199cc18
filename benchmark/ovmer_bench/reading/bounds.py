"""What data that nobody vouches for may grow to: shapes, bytes, depth, number of values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from ..errors import InputError

MAX_DEPTH = 64
MAX_WEIGHT = 2**30
"""Values, and characters of text, that a structure with shared parts may spread out to."""
MAX_ITEMS = 10**8
MAX_DIMENSIONS = 32


def count_items(shape: Any) -> int:
    """Number of items of an array of ``shape``.

    Raises:
        ValueError: not a shape, or more than :data:`MAX_ITEMS`.
    """
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("no shape")
    items = 1
    for length in shape:
        if type(length) is not int or not 0 <= length <= MAX_ITEMS:
            raise ValueError(f"a length of {shown(length)}")
        items *= length
    if items > MAX_ITEMS:
        raise ValueError(f"{items:,} items")
    return items


def array_from_bytes(
    raw: Any, dtype: np.dtype[Any], shape: Any, *, fortran: bool = False
) -> np.ndarray[Any, Any]:
    """An array of numbers or text from exactly its bytes.

    Raises:
        ValueError: another number of bytes than ``shape`` and ``dtype`` ask for, or text with
            a code point that does not exist.
    """
    items = count_items(shape)
    if not isinstance(raw, bytes) or dtype.hasobject:
        raise ValueError("bytes of numbers or text expected")
    if len(raw) != items * dtype.itemsize:
        raise ValueError(f"{len(raw):,} bytes for {items:,} items of dtype {dtype}")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype)
    if dtype.kind == "U" and raw:
        codes = np.frombuffer(raw, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
        if int(codes.max()) > 0x10FFFF:
            raise ValueError(f"text with code point {int(codes.max()):#x}")
    flat = np.frombuffer(raw, dtype)
    shaped: np.ndarray[Any, Any] = flat.reshape(shape, order="F" if fortran else "C")
    return shaped


def check_size(root: object) -> None:
    """Refuse cycles, deep nesting and what would spread out to more than the data."""
    open_ids: set[int] = set()
    known: dict[int, tuple[int, int]] = {}  # id -> weight, depth
    todo = [root]
    while todo:
        node = todo[-1]
        if id(node) in known:
            todo.pop()
            continue
        inside = [item for item in _items(node) if isinstance(item, _CONTAINERS)]
        if id(node) not in open_ids:
            open_ids.add(id(node))
            if any(id(item) in open_ids for item in inside):
                raise InputError("pickle holds something that contains itself")
            todo.extend(item for item in inside if id(item) not in known)
            continue
        weight = sum(map(_weight, _items(node))) + sum(known[id(item)][0] for item in inside)
        depth = 1 + max((known[id(item)][1] for item in inside), default=0)
        if depth > MAX_DEPTH:
            raise InputError(f"pickle is nested more than {MAX_DEPTH} deep")
        if weight > MAX_WEIGHT:
            raise InputError(f"pickle spreads out to more than {MAX_WEIGHT:,} values")
        known[id(node)] = weight, depth
        open_ids.discard(id(node))
        todo.pop()


_CONTAINERS = (list, tuple, dict, set, np.ndarray)


def _items(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        return chain(node, node.values())
    if isinstance(node, np.ndarray):
        return iter(node.flat) if node.dtype.hasobject else iter(())
    return iter(node) if isinstance(node, (list, tuple, set)) else iter(())


def _weight(item: object) -> int:
    if isinstance(item, np.ndarray):
        return item.size
    return len(item) + 1 if isinstance(item, (str, bytes)) else 1


def shown(value: object) -> str:
    """A value for a message: text and numbers shortened, of other things the type."""
    if isinstance(value, (str, int)):
        return repr(value)[:120] if isinstance(value, str) else str(value)[:40]
    return type(value).__name__
