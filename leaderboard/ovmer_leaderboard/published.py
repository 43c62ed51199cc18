"""Numbers that papers report: shown with their citation, never ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.errors import InputError
from ovmer_bench.submission.safety import PAPERS
from ovmer_bench.submission.yaml import read_yaml

from .board import AS_PUBLISHED, UNIBENCH, Result, Score, System

_MOST = 2**20
_DIGITS = 6


@dataclass(frozen=True)
class Published:
    """A system of a paper and its reported results."""

    system: System
    results: tuple[Result, ...]


def published() -> tuple[Published, ...]:
    """All reported systems, in the order of ``resources/published.yaml``."""
    with resources.as_file(resources.files(__package__) / "resources" / "published.yaml") as file:
        data = read_yaml(file, most=_MOST)
    return tuple(_published(item) for item in data["systems"])


def main_score(task: str) -> str:
    """Name of the score that ranks on a corpus, or of the mean of nine."""
    return "mean" if task == UNIBENCH else CORPORA[task].main_score


def _published(item: Mapping[str, Any]) -> Published:
    name, citation = item["name"], item["citation"]
    if not name.startswith(PAPERS):
        raise InputError(f"{name!r} does not begin with {PAPERS}", field="name")
    system = System(
        name=name,
        title=item["title"],
        role="published",
        modalities=tuple(item.get("modalities", ())),
        paper=item["paper"],
        citation=citation,
    )
    results = []
    for task, percent in item["scores"].items():
        score = main_score(task)
        value = Score(score, round(percent / 100, _DIGITS))
        results.append(
            Result(name, task, AS_PUBLISHED, "reported", {score: value}, citation=citation)
        )
    return Published(system, tuple(results))
