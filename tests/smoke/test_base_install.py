"""The package as a newcomer installs it: no extras, every command, from another folder.

This file runs in an environment of its own (``tox -e base``) that holds the package's own
requirements and pytest; it imports nothing from the rest of the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HEAVY = ("torch", "transformers", "lm_eval", "trl")


@pytest.fixture
def ovmer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run ``ovmer ARGS`` in an empty folder with an empty data home; returns its output."""
    monkeypatch.setenv("OVMER_HOME", str(tmp_path / "home"))

    def run(*arguments: str, code: int = 0) -> str:
        command = [str(Path(sys.executable).with_name("ovmer")), *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


def test_the_main_job_on_embedded_data(ovmer, tmp_path: Path) -> None:
    ovmer("baseline", "keywords-clues", "--task", "ovmer_scenes", "--out", "keywords.jsonl")
    ovmer("baseline", "constant", "--task", "ovmer_scenes", "--out", "constant.jsonl")
    shown = ovmer(
        "score", "keywords.jsonl", "--task", "ovmer_scenes", "--json", "r.json", "--html", "r.html"
    )
    assert "signature: metric:S1" in shown
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert report["main"] == "S1"
    assert "<svg" in (tmp_path / "r.html").read_text("utf-8")
    assert "Paired differences" in ovmer(
        "compare", "constant.jsonl", "keywords.jsonl", "--task", "ovmer_scenes"
    )


def test_raw_text_is_read(ovmer, tmp_path: Path) -> None:
    lines = [{"id": "a", "output": "<answer>joyful, relieved</answer>"}]
    (tmp_path / "raw.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    ovmer("extract", "raw.jsonl", "labels.jsonl")
    read = json.loads((tmp_path / "labels.jsonl").read_text("utf-8"))
    assert read == {"id": "a", "labels": ["joyful", "relieved"]}


def test_a_submission_is_packed(ovmer, tmp_path: Path) -> None:
    ovmer("baseline", "constant", "--task", "ovmer_scenes", "--out", "constant.jsonl")
    fields = {
        **{"title": "Constant", "model": "none", "size": "none", "modalities": []},
        **{"training_data": [], "code": None, "command": None, "decoding": "none"},
        **{"checkpoint_chosen_on_test": False, "licence": "CC BY 4.0", "date": "2026-11-28"},
    }
    (tmp_path / "meta.yaml").write_text(json.dumps(fields), "utf-8")
    files = ("--predictions", "ovmer_scenes=constant.jsonl", "--meta", "meta.yaml")
    ovmer("submit", "--name", "constant", *files, "--to", "submissions")
    assert "420 clips" in ovmer("submit", "--check", "submissions/constant")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("score", "--help"),
        ("data", "list"),
        ("lexicon", "list"),
        ("lexicon", "explain", "wistful"),
        ("data", "show", "ovmer_scenes", "scene_001"),
    ],
    ids=" ".join,
)
def test_commands_answer(ovmer, arguments: tuple[str, ...]) -> None:
    assert ovmer(*arguments).strip()


def test_what_is_not_there_is_named(ovmer) -> None:
    assert "ovmer lexicon install" in ovmer(
        "lexicon", "explain", "joy", "--lexicon", "affectgpt-2026", code=2
    )
    assert "ovmer data import ovmerd" in ovmer("data", "show", "ovmerd", "x", code=2)


def test_nothing_heavy_is_needed() -> None:
    code = (
        "import sys, ovmer_bench; ovmer_bench.score({'a': ['sad']}, {'a': ['happy']});"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here")
def test_a_missing_extra_is_named(ovmer, tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_text('{"id": "a", "output": "so glad"}\n', "utf-8")
    shown = ovmer("extract", "raw.jsonl", "o.jsonl", "--extractor", "local", "--model", ".", code=2)
    assert "ovmer-bench[train]" in shown
