"""What a file offers as a label list -> labels, by the rules of docs/metrics.md, to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from ..errors import InputError

_QUOTE_OR_COMMA = re.compile(r"['\",]")


def split_labels(value: object) -> list[str]:
    """Labels of a field that holds a label list (docs/metrics.md, section 1).

    A string loses one leading ``[`` and one trailing ``]`` and is split at quotes and
    commas; the elements of a list, tuple or array stay whole. ``None``, NaN and empty
    strings give no label. Repeats and order are kept.

    Raises:
        InputError: the value is something else, or an element is not a string.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return []
    if isinstance(value, str):
        return lowered(_QUOTE_OR_COMMA.split(value.removeprefix("[").removesuffix("]")))
    if not isinstance(value, (list, tuple)):
        raise InputError(
            f"{_shown(value)} is no label list", accepted="a string or a list of strings"
        )
    for item in value:
        if not isinstance(item, str):
            raise InputError(f"{_shown(item)} in a label list is no string", accepted="strings")
    return lowered(value)


def lowered(items: Iterable[str]) -> list[str]:
    """Items in lower case without blanks around them, empty ones left out."""
    stripped = (item.strip().lower().strip() for item in items)
    return [item for item in stripped if item]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
