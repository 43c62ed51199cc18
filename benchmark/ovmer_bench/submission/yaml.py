"""YAML from strangers: plain values only, each written out where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InputError, OvmerError
from ..files import read_text
from ..reading.strict_json import check_text
from .safety import check_plain_file

MAX_DEPTH = 16
NEEDED = "pip install 'ovmer-bench[leaderboard]'"


def read_yaml(path: Path, *, most: int) -> Any:
    """The value of a YAML file: mappings, lists, strings, numbers, true, false, null.

    Dates stay strings. Anchors and aliases, from which a few lines can unfold into gigabytes,
    tags, repeated keys and deep nesting are refused.

    Raises:
        InputError: naming file and line: not such YAML, or more than ``most`` bytes.
        OvmerError: PyYAML is not installed.
    """
    check_plain_file(path, most)
    text = read_text(path)
    check_text(text, file=path)
    yaml = needed("yaml")
    try:
        return yaml.load(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            f"not YAML that is read here: {error.problem or error.context}",
            file=path,
            line=None if mark is None else mark.line + 1,
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not YAML that is read here: {error}", file=path) from None


def needed(module: str) -> Any:
    """A module of the extra ``leaderboard``; an error that says how to install it."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError:
        raise OvmerError(f"{module} is not installed", hint=f"Run: {NEEDED}") from None


def _loader() -> type[Any]:
    """A safe loader without aliases, tags, dates and repeated keys."""
    yaml = needed("yaml")
    dates = "tag:yaml.org,2002:timestamp"

    class Plain(yaml.SafeLoader):  # type: ignore[misc,name-defined]
        depth = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            event = self.peek_event()
            if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
                _refuse("anchors and aliases are not read", event)
            if getattr(event, "tag", None) is not None:
                _refuse("tags are not read", event)
            if self.depth >= MAX_DEPTH:
                _refuse(f"nested deeper than {MAX_DEPTH} levels", event)
            self.depth += 1
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            made = {}
            for key_node, value_node in node.value:
                key = self.construct_object(key_node, deep=True)
                if not isinstance(key, str):
                    _refuse(f"key {key!r} is no string", key_node)
                if key in made:
                    _refuse(f"key {key[:80]!r} stands twice", key_node)
                made[key] = self.construct_object(value_node, deep=True)
            return made

        def construct_yaml_map(self, node: Any) -> Any:
            return self.construct_mapping(node)

    def _refuse(problem: str, where: Any) -> None:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)

    Plain.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != dates]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Plain.add_constructor("tag:yaml.org,2002:map", Plain.construct_yaml_map)
    return Plain
