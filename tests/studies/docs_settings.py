"""The reference of a run's settings, from the models that check them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from affectgpt_rl.config import RunConfig
from affectgpt_rl.config.sections import Section
from affectgpt_rl.rewards.config import KINDS

from .docs_text import code, listed, table

_ENTRY = re.compile(r"^(\w+(?:, \w+)*): ")
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_PLAIN = {bool: "true or false", int: "whole number", float: "number", str: "text"}
_TITLES = {"": "Top level", "data.cold_start": "`data.cold_start`, `data.rl`, `data.held_out`"}
_REWARDS = "name -> weight and settings, see [your own reward](own-reward.md)"


def reference() -> str:
    """Every group of settings: what it is, and each key with what it takes and means.

    Raises:
        ValueError: a setting that its model does not describe.
    """
    parts = []
    for path, model in _sections(RunConfig):
        about, meanings = _described(model)
        fields = model.model_fields
        unsaid = [
            name
            for name, field in fields.items()
            if name not in meanings and _section_in(field.annotation) is None
        ]
        if unsaid:
            raise ValueError(f"{model.__name__} does not say what {', '.join(unsaid)} is")
        rows = [
            (code(name), *_row(path, name, field, meanings.get(name, "")))
            for name, field in fields.items()
        ]
        heads = ("key", "takes", "what")
        title = _TITLES.get(path, code(path))
        parts.append(f"## {title}\n\n{about}\n\n{table(heads, rows)}\n")
    return "\n".join(parts)


def _sections(model: type[Section], path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Dotted path and model of every group, those within a group right behind it."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = _section_in(field.annotation)
        # The three sources of clips are one group of settings.
        if inner is not None and inner.__name__ != "Source":
            yield from _sections(inner, f"{path}.{name}" if path else name)
        elif inner is not None and name == "cold_start":
            yield from _sections(inner, f"{path}.{name}")


def _row(path: str, name: str, field: Any, meaning: str) -> tuple[str, str]:
    inner = _section_in(field.annotation)
    if inner is None:
        if name == "rewards":
            return f"group; kinds {listed(KINDS)}", _REWARDS
        return _bounded(_takes(field.annotation), field.metadata), meaning
    here = f"{path}.cold_start" if inner.__name__ == "Source" else f"{path}.{name}".lstrip(".")
    anchor = re.sub(r"[^a-z0-9_ ]", "", _TITLES.get(here, here)).replace(" ", "-")
    nothing = " or `null`" if NoneType in get_args(field.annotation) else ""
    first = (inner.__doc__ or "").strip().split("\n\n")[0]
    return f"[group](#{anchor}){nothing}", meaning or _plain(first)


def _described(model: type[Section]) -> tuple[str, Mapping[str, str]]:
    """What a docstring says of the group, and of each of its keys."""
    about, _, attributes = (model.__doc__ or "").partition("Attributes:")
    meanings: dict[str, str] = {}
    names: list[str] = []
    for line in attributes.splitlines():
        text = line.strip()
        entry = _ENTRY.match(text)
        if entry and all(name in model.model_fields for name in entry[1].split(", ")):
            names = entry[1].split(", ")
            text = text[entry.end() :]
            meanings |= dict.fromkeys(names, "")
        for name in names:
            meanings[name] = f"{meanings[name]} {text}".strip()
    meanings = {
        name: _plain(text)
        for name, text in meanings.items()
        if _section_in(model.model_fields[name].annotation) is None or model is not RunConfig
    }
    return _plain(about), meanings


def _plain(text: str) -> str:
    """Markdown of a docstring's text; paragraphs are kept, lines are not."""
    text = re.sub(r":\w+:`[~.]*([\w.]*)`", lambda m: f"`{m[1].rpartition('.')[2]}`", text)
    text = text.replace("``", "`").strip()
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text))


def _takes(annotation: Any) -> str:
    """What values a key takes, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = [one for part in inner[1:] for one in getattr(part, "metadata", [part])]
        return _bounded(_takes(inner[0]), bounds)
    if origin is Literal:
        return listed(str(value) for value in inner)
    if origin in (Union, UnionType):
        said = [_takes(one) for one in inner if one is not NoneType]
        return " or ".join([*said, *(["`null`"] if NoneType in inner else [])])
    if origin is tuple:
        return f"list of {_takes(inner[0])}"
    return "group" if origin is dict else _PLAIN[annotation]


def _bounded(takes: str, metadata: Any) -> str:
    """``takes`` with the bounds that stand beside a type."""
    said = [
        f"{word} {getattr(one, name):,}".removesuffix(".0")
        for one in metadata
        for name, word in _BOUNDS.items()
        if getattr(one, name, None) is not None
    ]
    return ", ".join([takes, *said])


def _section_in(annotation: Any) -> type[Section] | None:
    choices = (
        get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    )
    models = [c for c in choices if isinstance(c, type) and issubclass(c, Section)]
    return models[0] if models else None
