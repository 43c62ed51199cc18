"""YAML that means what it looks like: plain values, each written out where it stands.

What a scalar is (a number, a date, a truth value) is the business of who derives a loader.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import yaml

from ..errors import InputError

MAX_DEPTH = 16
TAG = "tag:yaml.org,2002:"


class StrictLoader(yaml.SafeLoader):
    """Without tags, merge keys and repeated keys, and without anchors and aliases, from which a
    few lines can unfold into gigabytes."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            _refuse("anchors and aliases are not read", event)
        if getattr(event, "tag", None) is not None:
            _refuse(f"tags such as {str(event.tag)[:40]!r} are not read", event)
        if self.depth >= MAX_DEPTH:
            _refuse(f"nested deeper than {MAX_DEPTH} levels", event)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_whole_map(self, node: Any) -> dict[str, Any]:
        """A mapping with each key once, all of them text."""
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                _refuse(f"key {key!r} is no text", key_node)
            if key in made:
                _refuse(f"key {key[:80]!r} stands twice", key_node)
            made[key] = self.construct_object(value_node, deep=True)
        return made


StrictLoader.add_constructor(TAG + "map", StrictLoader.construct_whole_map)


def load(text: str, loader: type[StrictLoader], *, file: str | Path | None) -> Any:
    """The value of a YAML text.

    Raises:
        InputError: naming file and line: not YAML, a key twice in one mapping, a key that is no
            text, a tag, an anchor or alias, or nesting deeper than :data:`MAX_DEPTH`.
    """
    try:
        return yaml.load(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(
            f"not YAML that is read here: {said}",
            file=file,
            line=None if mark is None else mark.line + 1,
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not YAML that is read here: {error}", file=file) from None


def _refuse(problem: str, where: Any) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)
