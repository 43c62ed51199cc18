"""YAML from strangers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..files import read_text
from ..reading.strict_json import check_text
from ..reading.strict_yaml import TAG, StrictLoader, load
from .safety import check_plain_file


def read_yaml(path: Path, *, most: int) -> Any:
    """The value of a YAML file: mappings, lists, strings, numbers, true, false, null.

    Dates stay strings.

    Raises:
        InputError: naming file and line: as of :func:`~ovmer_bench.reading.strict_yaml.load`, or
            more than ``most`` bytes.
    """
    check_plain_file(path, most)
    text = read_text(path)
    check_text(text, file=path)
    return load(text, _Loader, file=path)


class _Loader(StrictLoader):
    """Without dates."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != TAG + "timestamp"]
    for first, known in StrictLoader.yaml_implicit_resolvers.items()
}
