"""The trainer uses the ruler's public names, and rewards stay free of what is heavy."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import ovmer_bench

PACKAGE = Path(__file__).parents[2] / "baselines" / "affectgpt_rl"
PUBLIC_MODULES = {
    f"ovmer_bench.{name}"
    for name in (
        *("chat_client", "errors", "files", "prompts", "cli.main"),
        *("corpora.media_check", "corpora.media_files", "corpora.ovmer_mini"),
        *("corpora.ovmer_mini.generate", "corpora.registry", "reading.readers", "reading.schema"),
        *("metrics.measures", "metrics.score_report", "metrics.scoring", "metrics.sentiment"),
        *(
            "metrics.significance",
            "metrics.statistics",
            "reading.gzipped",
            "reading.strict_yaml",
            "reports.svg",
        ),
        "reports.text",
    )
}
"""What the trainer shares with the ruler, beside the names of the package itself."""
LIGHT = {"rewards", "config", "runs", "study", "commands"}
"""Parts that work without torch: what is imported to read a configuration or to write a page."""
HEAVY = {"torch", "transformers", "trl", "peft", "accelerate", "httpx"}


def trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text("utf-8"))) for path in sorted(PACKAGE.rglob("*.py"))]


def test_only_public_names_of_the_ruler_are_used() -> None:
    public = set(ovmer_bench.__all__)
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not any(a.name.startswith("ovmer_bench.") for a in node.names), path
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ovmer_bench"):
                names = {alias.name for alias in node.names}
                assert node.module in PUBLIC_MODULES or not names - public, (path, names - public)


def test_configuration_rewards_and_reports_need_no_torch() -> None:
    for path, tree in trees():
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") not in LIGHT:
            continue
        for node in tree.body:
            if isinstance(node, ast.Import):
                assert not {a.name.split(".")[0] for a in node.names} & HEAVY, path
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] not in HEAVY, path


def test_modules_are_small() -> None:
    for path, tree in trees():
        assert len(path.read_text("utf-8").splitlines()) < 400, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, (path, node.name)


def test_parts_import_without_cycles() -> None:
    graph: dict[str, set[str]] = {}
    for path, tree in trees():
        place = path.relative_to(PACKAGE).parts
        part = place[0].removesuffix(".py")
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.level == len(place) and node.module:
                graph.setdefault(part, set()).add(node.module.split(".")[0])
    graph = {part: used - {part} for part, used in graph.items()}
    assert list(TopologicalSorter(graph).static_order())
