"""YAML of configurations: plain values, each written once, numbers as people write them.

Scalars are read by the core schema of YAML 1.2. By YAML 1.1, which PyYAML follows, ``1e-5`` is a
text, ``010`` is eight, ``1:30`` is ninety and ``no`` is false; here they are a number, ten and
two texts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NoReturn

import yaml
from ovmer_bench import OvmerError
from ovmer_bench.files import read_text

MAX_DEPTH = 16
_TAG = "tag:yaml.org,2002:"
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
)


def read_yaml(path: str | Path) -> Any:
    """The value of a YAML file.

    Raises:
        OvmerError: naming file and line: not YAML, a key twice in one mapping, a tag, an anchor
            or alias, or nesting deeper than :data:`MAX_DEPTH`.
    """
    return parse_yaml(read_text(path), file=path)


def parse_yaml(text: str, *, file: str | Path | None = None) -> Any:
    """The value of a YAML text; errors as of :func:`read_yaml`."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise OvmerError(
            f"not YAML that is read here: {said}",
            file=file,
            line=None if mark is None else mark.line + 1,
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise OvmerError(f"not YAML that is read here: {error}", file=file) from None


def write_yaml(value: Any) -> str:
    """YAML text that :func:`parse_yaml`, and any other YAML reader, reads back as ``value``."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text


class _Loader(yaml.SafeLoader):
    """Without tags, anchors, aliases, merge keys and repeated keys."""

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

    def construct_decimal(self, node: Any) -> int:
        """An integer, leading zeros or not."""
        return int(node.value)


def _refuse(problem: str, where: Any) -> NoReturn:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)


class _Dumper(yaml.SafeDumper):
    """Quotes what either schema would read as something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value again where it occurs again."""
        return True

    def represent_text(self, text: str) -> Any:
        """Text with escapes where it holds what cannot be seen; PyYAML loses some of that."""
        style = None if text.isprintable() else '"'
        return self.represent_scalar(f"{_TAG}str", text, style=style)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand further right than the list's key."""
        super().increase_indent(flow, False)


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)
    _Dumper.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)
_Loader.add_constructor(_TAG + "map", _Loader.construct_whole_map)
_Loader.add_constructor(_TAG + "int", _Loader.construct_decimal)
_Dumper.add_representer(str, _Dumper.represent_text)
