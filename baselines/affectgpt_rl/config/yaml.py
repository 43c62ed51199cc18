"""YAML of configurations: plain values, each written once, numbers as people write them.

Scalars are read by the core schema of YAML 1.2. By YAML 1.1, which PyYAML follows, ``1e-5`` is a
text, ``010`` is eight, ``1:30`` is ninety and ``no`` is false; here they are a number, ten and
two texts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from ovmer_bench.files import read_text
from ovmer_bench.reading.strict_yaml import TAG, StrictLoader, load

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
        InputError: naming file and line, as of :func:`~ovmer_bench.reading.strict_yaml.load`.
    """
    return parse_yaml(read_text(path), file=path)


def parse_yaml(text: str, *, file: str | Path | None = None) -> Any:
    """The value of a YAML text; errors as of :func:`read_yaml`."""
    return load(text, _Loader, file=file)


def write_yaml(value: Any) -> str:
    """YAML text that :func:`parse_yaml`, and any other YAML reader, reads back as ``value``."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )
    return text


class _Loader(StrictLoader):
    """With scalars of the core schema."""

    def construct_decimal(self, node: Any) -> int:
        """An integer, leading zeros or not."""
        return int(node.value)


class _Dumper(yaml.SafeDumper):
    """Quotes what either schema would read as something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write a value again where it occurs again."""
        return True

    def represent_text(self, text: str) -> Any:
        """Text with escapes where it holds what cannot be seen; PyYAML loses some of that."""
        style = None if text.isprintable() else '"'
        return self.represent_scalar(f"{TAG}str", text, style=style)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand further right than the list's key."""
        super().increase_indent(flow, False)


_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)
    _Dumper.add_implicit_resolver(TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)
_Loader.add_constructor(TAG + "int", _Loader.construct_decimal)
_Dumper.add_representer(str, _Dumper.represent_text)
