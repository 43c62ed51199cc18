"""Every published value of the reference data, through the real command line.

``expected.json`` holds what the field's own code computes on the released files. The printed
figures are those of the papers: AffectGPT on MER2023, MELD and CMU-MOSI (arXiv 2501.16566,
Table 3).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOLERANCE = 1e-9
SYSTEMS = ("Chat-UniVi", "Otter", "Qwen-Audio")
OPENSET = "output-reason-7b-nosubtitle-addsub-eng-openset.npz"
BASIC = {
    "meld": "meld/checkpoint_000030_loss_0.602-openset.npz",
    "mer2023": "mer2023/checkpoint_000050_loss_0.527-openset.npz",
}
SENTIMENT = "cmumosi/checkpoint_000040_loss_0.569-openset-sentiment.npz"
YEARS = ("2025", "2026")


@dataclass(frozen=True)
class Machine:
    """A data home with both official lexicons and the four released corpora."""

    reference: Path
    folder: Path

    def __call__(self, *arguments: str | Path) -> str:
        command = [sys.executable, "-m", "ovmer_bench", *map(str, arguments)]
        environment = os.environ | {"OVMER_HOME": str(self.folder / "home")}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def report(self, file: str, task: str, lexicon: str) -> dict:
        """Scores by name, from the JSON that the command writes."""
        source = self.reference / "predictions" / file
        options = ("--lexicon", lexicon, "--draws", "0", "--json", "out.json")
        self("score", source, "--task", task, *options)
        data = json.loads((self.folder / "out.json").read_text("utf-8"))
        return {score["name"]: score for score in data["scores"]}


@pytest.fixture(scope="module")
def ovmer(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(reference, tmp_path_factory.mktemp("parity"))
    for year in YEARS:
        machine("lexicon", "install", "--from", reference / f"emotion_wheel_{year}")
    for name in ("ovmerd", "mer2023", "meld", "cmumosi"):
        machine("data", "import", name, "--from", reference)
    yield machine


@pytest.fixture(scope="module")
def expected(reference: Path) -> dict:
    return json.loads((reference / "expected.json").read_text("utf-8"))


def metric_of(case: str) -> str:
    """``case3_wheel2_level1`` -> ``M3-W2-L1``."""
    if case in ("case1", "case2"):
        return f"M{case[-1]}"
    _, wheel, level = case.split("_")
    return f"M3-W{wheel[-1]}-L{level[-1]}"


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_open_vocabulary(ovmer: Machine, expected: dict, system: str, year: str) -> None:
    scores = ovmer.report(f"ovmerd/{system}/{OPENSET}", "ovmerd", f"affectgpt-{year}")
    cases = expected["ovmerd"][f"{system}/{OPENSET}"][year]
    assert len(cases) == 12
    for case, values in cases.items():
        score = scores[metric_of(case)]
        found = [score["value"], score["precision"], score["recall"]]
        assert found == pytest.approx(values, abs=TOLERANCE), case
    means = {
        "S1": [v for c, v in cases.items() if c.endswith("level1")],
        "S2": [v for c, v in cases.items() if c.endswith("level2")],
        "M-avg": list(cases.values()),
    }
    for name, parts in means.items():
        for key, column in zip(
            ("value", "precision", "recall"), zip(*parts, strict=True), strict=True
        ):
            assert scores[name][key] == pytest.approx(sum(column) / len(column), abs=TOLERANCE)


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("task", BASIC)
def test_basic_emotions(ovmer: Machine, expected: dict, task: str, year: str) -> None:
    scores = ovmer.report(BASIC[task], task, f"affectgpt-{year}")
    for wheel, (hit_rate, mscore) in enumerate(expected["basic"][BASIC[task]][year], start=1):
        assert scores[f"hit_rate-W{wheel}"]["value"] == pytest.approx(hit_rate, abs=TOLERANCE)
        assert scores[f"mscore-W{wheel}"]["value"] == pytest.approx(mscore, abs=TOLERANCE)


def test_sentiment(ovmer: Machine, expected: dict) -> None:
    scores = ovmer.report(SENTIMENT, "cmumosi", "ovmer")
    found = [scores["WAF"]["value"], scores["ACC"]["value"]]
    assert found == pytest.approx(expected["sentiment"][SENTIMENT], abs=TOLERANCE)


@pytest.mark.parametrize(
    ("file", "task", "lexicon", "score", "printed"),
    [
        (BASIC["mer2023"], "mer2023", "affectgpt-2025", "hit_rate", "78.54"),
        (BASIC["meld"], "meld", "affectgpt-2025", "hit_rate", "55.65"),
        (SENTIMENT, "cmumosi", "ovmer", "WAF", "81.30"),
        (f"ovmerd/Chat-UniVi/{OPENSET}", "ovmerd", "affectgpt-2025", "M1", "28.43"),
        (f"ovmerd/Chat-UniVi/{OPENSET}", "ovmerd", "affectgpt-2025", "M-avg", "47.22"),
    ],
)
def test_printed_figures(
    ovmer: Machine, file: str, task: str, lexicon: str, score: str, printed: str
) -> None:
    value = ovmer.report(file, task, lexicon)[score]["value"]
    assert f"{100 * value:.2f}" == printed


def test_the_constant_answer_of_the_findings(ovmer: Machine) -> None:
    """docs/published-ruler.md: a constant answer beats every system on the published ruler, and its
    skill is 0."""
    published = {"meld": "98.3", "mer2023": "100.0", "ovmerd": "41.5"}
    for task, printed in published.items():
        ovmer("baseline", "one-per-sector", "--task", task, "--out", "constant.jsonl")
        main = "S1" if task == "ovmerd" else "hit_rate"
        for lexicon in ("affectgpt-2025",):
            source = ovmer.folder / "constant.jsonl"
            scores = ovmer.report(str(source), task, lexicon)
            assert f"{100 * scores[main]['value']:.1f}" == printed
            assert abs(scores[main]["skill"]) < 1e-12


def test_skill_keeps_the_order_of_systems(ovmer: Machine) -> None:
    skills = [
        ovmer.report(f"ovmerd/{system}/{OPENSET}", "ovmerd", "affectgpt-2025")["S1"]["skill"]
        for system in SYSTEMS
    ]
    assert skills == sorted(skills, reverse=True)
    assert all(value > 0.2 for value in skills)
