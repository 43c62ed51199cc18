"""Answers of a study that are kept: the page can be worked out again from them alone."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from affectgpt_rl.study.config import load_study
from affectgpt_rl.study.kept import keep, kept_runs
from affectgpt_rl.study.plan import StudyRun, plan
from affectgpt_rl.study.results import Results, RunResult, collect
from affectgpt_rl.study.scores import SCORES
from ovmer_bench import OvmerError
from ovmer_bench.reading.readers import read_predictions

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "baselines" / "configs" / "study.yaml"


@pytest.fixture(scope="module")
def runs() -> list[StudyRun]:
    return plan(load_study(STUDY), STUDY.parent)


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    file = tmp_path / "final.jsonl"
    file.write_text('{"id": "a", "output": "<answer>glad</answer>"}\n', "utf-8")
    return file


def results_of(run: StudyRun) -> Results:
    study = load_study(STUDY)
    result = RunResult(
        *(run.name, run.seed, run.settings),
        scores=dict.fromkeys(SCORES, 0.5),
        steps=3,
        passes=9,
        seconds=1.0,
        cpu_seconds=1.0,
        stopped=None,
        best_step=None,
        best_loss=None,
        last_step=None,
    )
    return Results(study, 1, (result,), (), (), 1, 1, {})


def test_what_is_kept_is_a_prediction_file(
    runs: list[StudyRun], answers: Path, tmp_path: Path
) -> None:
    run, folder = runs[0], tmp_path / "kept"
    keep({run.key: answers}, folder)
    (file,) = folder.iterdir()
    assert file.name == f"{run.name}-seed{run.seed}.jsonl.gz"
    assert [one.output for one in read_predictions(file).predictions] == ["<answer>glad</answer>"]
    found = kept_runs(results_of(run), folder, runs)
    assert found.keys() == {run.key} and found[run.key].answers == file
    assert kept_runs(None, folder, runs) == {}
    assert kept_runs(results_of(run), tmp_path / "nowhere", runs) == {}


def test_the_same_answers_are_not_written_again(
    runs: list[StudyRun], answers: Path, tmp_path: Path
) -> None:
    run, folder = runs[0], tmp_path / "kept"
    keep({run.key: answers}, folder)
    (file,) = folder.iterdir()
    packed = gzip.compress(answers.read_bytes(), 1)  # as another compressor writes it
    file.write_bytes(packed)
    keep({run.key: answers}, folder)
    assert file.read_bytes() == packed
    answers.write_text('{"id": "a", "output": "<answer>sad</answer>"}\n', "utf-8")
    keep({run.key: answers}, folder)
    assert b"sad" in gzip.decompress(file.read_bytes())


def test_answers_of_other_settings_are_refused(
    runs: list[StudyRun], answers: Path, tmp_path: Path
) -> None:
    run, folder = runs[0], tmp_path / "kept"
    keep({run.key: answers}, folder)
    other = run.config.model_copy(update={"lexicon": "affectgpt-2025"})
    with pytest.raises(OvmerError, match=f"{run.title} as trained with other settings"):
        kept_runs(results_of(run), folder, [replace(run, config=other)])


def test_settings_have_a_hash_of_their_own(runs: list[StudyRun]) -> None:
    assert len({run.settings for run in runs}) == len(runs)


def test_the_published_numbers_follow_from_the_kept_answers(runs: list[StudyRun]) -> None:
    """Nobody types them, and nobody has to train anything to check them."""
    study = load_study(STUDY)
    published = Results.read(ROOT / "docs" / "study.json")
    kept = kept_runs(published, (STUDY.parent / study.answers).resolve(), runs)
    assert kept.keys() == {(run.name, run.seed) for run in published.runs}
    again = Results.parse(collect(study, runs, {}, kept, draws=1).to_json())
    assert again.runs == published.runs
    assert again.samples == published.samples
    seeds = {(d.more, d.less, d.score): d.by_seed for d in published.differences}
    assert {(d.more, d.less, d.score): d.by_seed for d in again.differences} == seeds
