"""What pydantic found wrong, said to the person who wrote the file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from ovmer_bench import OvmerError
from ovmer_bench.errors import did_you_mean
from pydantic import BaseModel, ValidationError

_SHOWN = 80
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "tuple": "a list",
    "dict": "a group of settings",
    "model": "a group of settings",
    "finite_number": "a finite number",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def readable(error: ValidationError, model: type[BaseModel]) -> OvmerError:
    """The first problem of ``error``; an unknown key before what it leaves missing."""
    problems = error.errors(include_url=False)
    first = min(problems, key=lambda p: p["type"] != "extra_forbidden")
    loc = first["loc"]
    message, accepted, hint = _said(first, _keys_at(model, loc[:-1]))
    if len(problems) > 1:
        hint = f"{hint} {len(problems) - 1} more to be put right.".strip()
    return OvmerError(
        message, field=".".join(map(str, loc)) or None, accepted=accepted, hint=hint or None
    )


def _said(
    problem: Mapping[str, Any], siblings: Sequence[str]
) -> tuple[str, str | Sequence[str] | None, str]:
    """Message, what is accepted, hint."""
    kind: str = problem["type"]
    context: Mapping[str, Any] = problem.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", siblings, did_you_mean(str(problem["loc"][-1]), siblings)
    if kind == "missing":
        return "missing", None, "Every key is written out, with null where nothing is meant."
    value = problem["input"]
    message = f"is {shown(value)}"
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return message, known, did_you_mean(str(value), known)
    if kind in ("string_too_short", "too_short"):
        return "is empty", "something", ""
    if kind == "string_pattern_mismatch":
        return message, "letters, digits and . _ + -, at most 80", ""
    bounds = [f"{_BOUNDS[name]} {context[name]}" for name in _BOUNDS if name in context]
    if bounds:
        return message, bounds, ""
    stem = kind.removesuffix("_type").removesuffix("_from_float")
    return message, _TYPES.get(stem, problem["msg"]), ""


def shown(value: object) -> str:
    """``value`` as it would be written, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _keys_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Keys of the settings to which ``loc`` leads from ``model``; none where it leaves them."""
    here: Any = model
    for step in loc:
        field = here.model_fields.get(step)
        if field is None:
            return []
        here = _model_in(field.annotation)
        if here is None:
            return []
    return list(here.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings that an annotation allows, ``X`` of ``X | None``."""
    choices = (
        get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    )
    models = [c for c in choices if isinstance(c, type) and issubclass(c, BaseModel)]
    return models[0] if models else None
