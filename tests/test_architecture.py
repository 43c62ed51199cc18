"""Imports run in one direction, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "ovmer_bench": ROOT / "benchmark" / "ovmer_bench",
    "affectgpt_rl": ROOT / "baselines" / "affectgpt_rl",
    "ovmer_leaderboard": ROOT / "leaderboard" / "ovmer_leaderboard",
}
FORBIDDEN = {
    "ovmer_bench": {"affectgpt_rl", "ovmer_leaderboard"},
    "affectgpt_rl": {"ovmer_leaderboard"},
    "ovmer_leaderboard": {"affectgpt_rl"},
}
HEAVY = {"torch", "transformers", "trl", "lm_eval"}
HARNESS_PLUGINS = {
    "harness/models": {"lm_eval"},
    "harness/audio_models": {"lm_eval", "transformers"},
}
"""Loaded by the harness alone, through its registry; a model must derive from its base class."""
LAZY_ONLY = HEAVY | {
    *("matplotlib", "scipy", "pandas", "rich", "jinja2", "openpyxl", "httpx", "nltk"),
    *("huggingface_hub", "sklearn"),
}


def modules(package: str) -> list[Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


def place(path: Path) -> str:
    """A module of the ruler by its path in the package, such as ``harness/audio``."""
    return path.relative_to(PACKAGES["ovmer_bench"]).with_suffix("").as_posix()


def imported(tree: ast.AST) -> set[str]:
    """Absolute names of the modules that a tree imports, wherever it does so."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module)
    return names


def at_import_time(tree: ast.Module) -> set[str]:
    """Top-level packages imported by running the module, ``TYPE_CHECKING`` blocks left out."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names |= {name.split(".")[0] for name in imported(node)}
    return names


@pytest.mark.parametrize("package", [name for name, folder in PACKAGES.items() if folder.is_dir()])
def test_packages_import_in_one_direction(package: str) -> None:
    for path in modules(package):
        used = {name.split(".")[0] for name in imported(ast.parse(path.read_text("utf-8")))}
        assert not used & FORBIDDEN[package], path


def test_the_ruler_never_imports_heavy_packages_at_import_time() -> None:
    for path in modules("ovmer_bench"):
        allowed = HARNESS_PLUGINS.get(place(path), set())
        found = at_import_time(ast.parse(path.read_text("utf-8"))) & LAZY_ONLY - allowed
        assert not found, f"{path} imports {found} when it is imported"


def test_only_harness_modules_know_the_harness() -> None:
    for path in modules("ovmer_bench"):
        used = {name.split(".")[0] for name in imported(ast.parse(path.read_text("utf-8")))}
        if not place(path).startswith("harness/"):
            assert not used & {"lm_eval", "datasets"}, path
        plugins = {name.rpartition("/")[2] for name in HARNESS_PLUGINS}
        siblings = relative_imports(path, beside=True) if path.parent.name == "harness" else set()
        assert place(path) in HARNESS_PLUGINS or not siblings & plugins, path


def relative_imports(path: Path, *, beside: bool = False) -> set[str]:
    """Parts of the package that a module imports when it is run; ``beside``: of its own part."""
    package = PACKAGES["ovmer_bench"]
    depth = 1 if beside else len(path.relative_to(package).parts)
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found |= {node.module.split(".")[0]} if node.module else {a.name for a in node.names}
    return found - {"__version__"}


def test_parts_import_without_cycles() -> None:
    package = PACKAGES["ovmer_bench"]
    graph: dict[str, set[str]] = {}
    for path in modules("ovmer_bench"):
        name = path.relative_to(package).parts[0].removesuffix(".py")
        if name != "__init__":
            graph.setdefault(name, set()).update(relative_imports(path) - {name})
    order = list(TopologicalSorter(graph).static_order())
    assert order[-1] in ("cli", "__main__")


def test_scoring_imports_nothing_heavy() -> None:
    code = (
        "import sys; import ovmer_bench; assert 'numpy' not in sys.modules;"
        "ovmer_bench.score({'a': ['joyful']}, {'a': ['happy']});"
        f"print(sorted({LAZY_ONLY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_module_is_called_utils() -> None:
    for package, folder in PACKAGES.items():
        if folder.is_dir():
            assert not [path for path in modules(package) if path.stem == "utils"]
