"""Running a study: what fails, what is not run again, what another has left running; and one
whole small study with real trainings, killed on the way."""

from __future__ import annotations

import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from affectgpt_rl.config.yaml import read_yaml, write_yaml
from affectgpt_rl.runs.checkpoints import COMPLETE
from affectgpt_rl.study import jobs as study_jobs
from affectgpt_rl.study.config import load_study
from affectgpt_rl.study.jobs import Jobs, costs, last_lines
from affectgpt_rl.study.plan import StudyRun, plan
from affectgpt_rl.study.progress import StudyProgress
from affectgpt_rl.study.results import Results
from rich.console import Console

BASELINES = Path(__file__).parents[2] / "baselines"
CONFIGS = BASELINES / "configs"
GRPO = {"train": "grpo", "compute_of": None, "set": {}}

# Leaves in a run folder what the real scripts leave, in no time.
STAND_IN = """
import json, os, pathlib, shutil, sys, time, yaml
script = pathlib.Path(sys.argv[0]).stem
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if script == "predict":
    out = pathlib.Path(given["--out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("")
    sys.exit()
assert sys.argv[-1] == "--resume" and os.environ["OMP_NUM_THREADS"] == "1"
config = yaml.safe_load(pathlib.Path(given["--config"]).read_text())
folder = pathlib.Path(config["output"])
stage = {"sft_train": "sft", "rl_train": "rl"}[script]
if stage == "rl":
    assert pathlib.Path(config["policy"]["path"]).is_dir()
(folder / stage / "checkpoint-3").mkdir(parents=True)
shutil.copy(given["--config"], folder / "config.yaml")
if os.environ.get("SLEEPS"):
    time.sleep(60)
if os.environ.get("FAILS") == config["name"]:
    print("one line\\nthe reason")
    sys.exit(1)
(folder / stage / "final").mkdir()
stages = {stage: {"state": "finished", "step": 3, "verdict": None}}
(folder / "run.json").write_text(json.dumps({"schema_version": 1, "stages": stages}))
if stage == "rl":
    for moment in ("cold_start", "final"):
        out = folder / "predictions" / f"{moment}.jsonl"
        out.parent.mkdir(exist_ok=True)
        out.write_text("")
    sys.exit(3)  # a guard ended it early, which is a result
"""


def question(**changed: object) -> dict[str, object]:
    return {
        "title": "Is it better?",
        "asks": "As it says.",
        "against": "cold",
        "arms": ["cold", "rl"],
        "scores": ["S1", "labels"],
        "plot": ["S1"],
        "sample": True,
        "published": {},
        "claims": [
            {
                "says": "It is",
                "published": None,
                "pairs": [{"more": "rl", "less": "cold", "score": "S1", "at_least": 0.0}],
            }
        ],
        **changed,
    }


def write_study_file(folder: Path, **changed: object) -> Path:
    cold = {"about": "cold start", "warm_up_of": None, "set": {}}
    made = {
        "title": "Small study",
        "intro": "It is small.",
        "limits": ["All of them."],
        "output": str(folder / "runs"),
        "base": str(CONFIGS / "mini.yaml"),
        "page": str(folder / "docs" / "study.md"),
        "answers": str(folder / "answers"),
        "seeds": [0, 1],
        "set": {},
        "cold_starts": {"cold": cold},
        "arms": {"rl": {"about": "GRPO", "cold_start": "cold", **GRPO}},
        "questions": [question()],
        **changed,
    }
    file = folder / "study.yaml"
    file.write_text(write_yaml(made), "utf-8")
    return file


# --- Jobs -------------------------------------------------------------------------------------


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[StudyRun]:
    """Two arms and a control on one cold start, two seeds, with scripts that only pretend."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name in ("sft_train.py", "rl_train.py", "predict.py"):
        (scripts / name).write_text(STAND_IN, "utf-8")
    monkeypatch.setattr(study_jobs, "SCRIPTS", scripts)
    rl = {"about": "GRPO", "cold_start": "cold", **GRPO}
    more = {**rl, "train": "sft", "compute_of": "rl"}
    file = write_study_file(tmp_path, arms={"rl": rl, "more": more})
    return plan(load_study(file), file.parent)


def run_all(
    runs: list[StudyRun], tmp_path: Path, told: list[tuple[str, str]], jobs: int = 2
) -> list[study_jobs.Failure]:
    output = tmp_path / "runs"
    output.mkdir(exist_ok=True)
    return Jobs(output, lambda run, event: told.append((run.title, event))).run_all(runs, jobs)


def test_all_is_run_once_in_order(
    runs: list[StudyRun], tmp_path: Path, told: list[tuple[str, str]]
) -> None:
    assert run_all(runs, tmp_path, told, jobs=1) == []
    begun = [title for title, event in told if event == "begins"]
    assert begun == [run.title for run in runs]
    assert all(run.done() and run.predictions.is_file() for run in runs)
    assert not list(tmp_path.glob("runs/**/checkpoint-*"))
    cold = runs[0]
    assert cold.predictions.name == "cold_start.jsonl" and "rl" in cold.predictions.parts
    took = costs(tmp_path / "runs")
    assert set(took) == {(run.name, run.seed) for run in runs}
    assert all(0 < one.cpu_seconds < one.seconds + 1 for one in took.values())
    told.clear()
    assert run_all(runs, tmp_path, told) == []
    assert told == [] and costs(tmp_path / "runs") == took


def test_what_fails_is_said_and_stops_only_what_needs_it(
    runs: list[StudyRun],
    tmp_path: Path,
    told: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAILS", "cold-0")
    failures = {one.run.title: one for one in run_all(runs, tmp_path, told)}
    assert set(failures) == {"cold seed 0", "rl seed 0", "more seed 0"}
    assert failures["cold seed 0"].log[-2:] == ("one line", "the reason")
    assert "exit code 1" in failures["cold seed 0"].reason
    assert failures["rl seed 0"].reason == "cold failed"
    assert all(run.done() for run in runs if run.seed == 1)
    assert ("rl seed 0", "begins") not in told
    # Once what was wrong is mended, only the failed ones are run.
    monkeypatch.delenv("FAILS")
    for checkpoint in tmp_path.glob("runs/**/checkpoint-3"):
        checkpoint.rmdir()
    told.clear()
    assert run_all(runs, tmp_path, told) == []
    assert {title for title, _ in told} == set(failures)


def held(lock: Path) -> int:
    """Hold the lock of a run, as another study does; closing the descriptor lets it go."""
    lock.parent.mkdir(parents=True)
    holder = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    return holder


def test_a_run_that_another_study_has_left_running_is_waited_for(
    runs: list[StudyRun], tmp_path: Path, told: list[tuple[str, str]]
) -> None:
    holder = held(tmp_path / "runs" / "logs" / "cold-seed0.lock")
    threading.Timer(0.5, os.close, [holder]).start()
    assert run_all(runs[:1], tmp_path, told) == []
    assert told == [("cold seed 0", "waits"), ("cold seed 0", "begins"), ("cold seed 0", "ends")]


def test_a_study_that_waits_can_be_ended(
    runs: list[StudyRun], tmp_path: Path, told: list[tuple[str, str]]
) -> None:
    holder = held(tmp_path / "runs" / "logs" / "cold-seed0.lock")
    threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT]).start()
    release = threading.Timer(60, os.close, [holder])
    release.start()
    with pytest.raises(KeyboardInterrupt):
        run_all(runs[:1], tmp_path, told)
    assert release.is_alive(), "it ended only once the other had let go"
    release.cancel()
    os.close(holder)
    assert told == [("cold seed 0", "waits")]
    assert not runs[0].done()


def test_what_runs_is_ended_with_the_study(
    runs: list[StudyRun],
    tmp_path: Path,
    told: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLEEPS", "1")
    threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        run_all(runs, tmp_path, told)
    assert not any(run.done() for run in runs)
    rows = (tmp_path / "runs" / "times.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(row)["exit"] for row in rows] == [-signal.SIGTERM] * 2


def test_a_torn_line_of_the_times_costs_no_study(
    runs: list[StudyRun], tmp_path: Path, told: list[tuple[str, str]]
) -> None:
    run_all(runs[:1], tmp_path, told)
    with (tmp_path / "runs" / "times.jsonl").open("a") as file:
        file.write('{"run": "co')
    run_all(runs[:2], tmp_path, told)
    assert set(costs(tmp_path / "runs")) == {("cold", 0), ("cold", 1)}


def test_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log, 3) == []
    log.write_bytes(b"x" * 100_000 + b"\n\xff one\n\n  \ntwo\n")
    assert last_lines(log, 2) == ["� one", "two"]


def test_progress_says_how_far_it_is_and_how_long_it_will_be(
    runs: list[StudyRun], tmp_path: Path
) -> None:
    ticks = iter(range(0, 1000, 10))
    out = io.StringIO()
    progress = StudyProgress(
        6, 1, 2, lambda run: tmp_path, console=Console(file=out), clock=lambda: float(next(ticks))
    )
    with progress.shown():
        progress.tell(runs[0], "begins")
        progress.tell(runs[0], "ends")
        progress.tell(runs[1], "fails")
    first, second, third = out.getvalue().splitlines()
    assert first == "1/6  cold seed 0: begins"
    assert second == "2/6  cold seed 0: done in 0:10  0:20 left"
    assert third == "3/6  cold seed 1: FAILED  0:15 left"


# --- A whole study ----------------------------------------------------------------------------

TINY = {
    "data.cold_start.clips": 16,
    "data.rl.clips": 4,
    "data.held_out.clips": 4,
    "sft.epochs": 2,
    "sft.batch_size": 8,
    "sft.eval_every": 2,
    "grpo.steps": 8,
    "grpo.prompts_per_step": 2,
    "grpo.num_generations": 2,
    "grpo.max_completion_length": 4,
    "grpo.warmup_steps": 1,
    "grpo.save_every": 2,
    "evaluation.every_steps": 8,
    "evaluation.max_new_tokens": 4,
    "evaluation.draws": 0,
    "evaluation.batch_size": 250,
    "prompt.clues": False,
    "logging.tensorboard": False,
    "guards.no_signal": None,
    "guards.format": None,
}


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A study of a policy that only reads, and the command that runs it."""
    base = read_yaml(CONFIGS / "text.yaml")
    assert base["policy"]["kind"] == "text"
    file = write_study_file(tmp_path, base=str(CONFIGS / "text.yaml"), set=TINY)
    command = [sys.executable, str(BASELINES / "study.py"), "--config", str(file)]
    yield file, [*command, "--draws", "50"]


@pytest.mark.train
def test_a_small_study_survives_a_kill_and_writes_its_page(
    small: tuple[Path, list[str]], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    _, command = small
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    log = tmp_path / "runs" / "logs" / "rl-seed0.log"
    first = subprocess.Popen(
        command, cwd=tmp_path, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    saved = tmp_path / "runs" / "arms" / "rl" / "seed0" / "rl" / "checkpoint-2" / COMPLETE
    try:
        until = time.monotonic() + 200
        while not saved.is_file():
            assert first.poll() is None and time.monotonic() < until
            time.sleep(0.05)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        _, said = first.communicate()
    assert b"cold seed 1: done" in said
    before = (tmp_path / "runs" / "times.jsonl").read_text("utf-8").splitlines()
    assert len(before) == 2

    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert "cold" not in done.stderr, "what was done is not run again"
    after = (tmp_path / "runs" / "times.jsonl").read_text("utf-8").splitlines()
    assert after[:2] == before
    assert [json.loads(line)["seed"] for line in after[2:]] == [0, 1]
    assert log.read_text("utf-8").count("rl 1/8 ") == 1, "it went on from its checkpoint"

    results = Results.read(tmp_path / "docs" / "study.json")
    assert [(run.name, run.seed) for run in results.runs] == [
        ("cold", 0), ("cold", 1), ("rl", 0), ("rl", 1),
    ]  # fmt: skip
    assert {(d.more, d.less, d.score) for d in results.differences} == {("rl", "cold", "S1")}
    assert all(run.cpu_seconds and run.steps in (4, 8) for run in results.runs)
    page = (tmp_path / "docs" / "study.md").read_text("utf-8")
    assert "Unfinished" not in page and "What each says of clip" in page
    assert (tmp_path / "docs" / "images" / "study-1.svg").is_file()
    assert f"wrote {tmp_path / 'docs' / 'study.md'}" in done.stdout

    # The page is worked out again from the answers alone.
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    (tmp_path / "docs" / "study.md").unlink()
    numbers = (tmp_path / "docs" / "study.json").read_bytes()
    subprocess.run([*command, "--page-only"], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "docs" / "study.md").read_text("utf-8") == page
    assert (tmp_path / "docs" / "study.json").read_bytes() == numbers
