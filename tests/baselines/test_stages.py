"""Whole runs of the scripts, as a user starts them: finished, repeated, killed and resumed."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from console_blocks import README, Page
from ovmer_bench.corpora.ovmer_mini.generate import samples
from scripts import BASELINES, FINISHES, words

pytestmark = pytest.mark.train

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

MOMENTS = ("warm_up 3/", "sft 4/", "rl 3/", "rl 6/")
TINY = {
    "data.cold_start.clips": 24,
    "warm_up.steps": 4,
    "warm_up.batch_size": 8,
    "sft.eval_every": 2,
    "grpo.steps": 6,
    "grpo.num_generations": 2,
    "evaluation.every_steps": 3,
}


def command(script: str, output: Path, *more: str, **changed: object) -> list[str]:
    return [
        sys.executable,
        str(BASELINES / script),
        *words("mini", output, {**TINY, **changed}),
        *more,
    ]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def run(said: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        said, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=FINISHES
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupted, from warm-up to the end of GRPO."""
    folder = tmp_path_factory.mktemp("runs")
    done = run(command("rl_train.py", folder / "whole"), folder)
    assert done.returncode == 0, done.stderr
    assert "rl/final" in done.stdout
    return folder / "whole"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = safetensors.load_file(folder / "model.safetensors")
    return loaded


def test_a_run_folder_holds_all_that_was_promised(whole: Path) -> None:
    facts = json.loads((whole / "run.json").read_text("utf-8"))
    assert {stage: one["state"] for stage, one in facts["stages"].items()} == {
        "warm_up": "finished",
        "sft": "finished",
        "rl": "finished",
    }
    rows = [json.loads(line) for line in (whole / "metrics.jsonl").read_text("utf-8").splitlines()]
    seen = {key for row in rows if row["stage"] == "rl" for key in row}
    for name in (
        *("reward", "rewards/accuracy/mean", "rewards/format/mean", "kl", "entropy"),
        *("clip_ratio/region_mean", "completions/mean_length", "answers/labels_per_clip"),
        *("answers/format_rate", "answers/oov_rate", "held_out/ew_f", "held_out/skill"),
    ):
        assert name in seen, name
    assert any("explained/frames" in row for row in rows if row["stage"] == "warm_up")
    assert any("eval_loss_shifted" in row for row in rows if row["stage"] == "sft")
    first = (whole / "completions" / "step-000000.jsonl").read_text("utf-8").splitlines()
    assert {"media_id", "gold", "completion", "rewards"} <= set(json.loads(first[0]))
    assert "<html" in (whole / "report.html").read_text("utf-8")
    assert list((whole / "tensorboard" / "rl").iterdir())


def test_the_same_seed_gives_the_same_run(whole: Path, tmp_path: Path) -> None:
    done = run(command("sft_train.py", tmp_path / "again"), tmp_path)
    assert done.returncode == 0, done.stderr
    done = run(command("rl_train.py", tmp_path / "again"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "metrics.jsonl").read_bytes() == (
        whole / "metrics.jsonl"
    ).read_bytes()
    for stage in ("sft", "rl"):
        first, second = (
            weights(whole / stage / "final"),
            weights(tmp_path / "again/" / stage / "final"),
        )
        assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_killed_run_goes_on_as_if_nothing_had_been(
    whole: Path, tmp_path: Path, seed: int
) -> None:
    """kill -9 at random moments, until it is through."""
    draws = random.Random(seed)
    output = tmp_path / "killed"
    kills = 0
    for attempt in range(12):
        resume = ["--resume"] if attempt else []
        process = subprocess.Popen(
            command("rl_train.py", output, *resume),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        heard: list[str] = []
        if kills < 2 and _reaches(process, draws.choice(MOMENTS), heard):
            time.sleep(draws.random())
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, said = process.communicate(timeout=FINISHES)
        said = "".join(heard) + said
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
    assert process.returncode == 0
    first, second = weights(whole / "rl" / "final"), weights(output / "rl" / "final")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (output / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


def _reaches(process: subprocess.Popen[str], text: str, heard: list[str]) -> bool:
    """Hear what a run says until it says ``text``; false where it ended before."""
    assert process.stderr is not None
    for line in process.stderr:
        heard.append(line)
        if text in line:
            return True
    return False


def test_a_begun_run_is_not_begun_again_in_silence(whole: Path, tmp_path: Path) -> None:
    done = run(command("rl_train.py", whole), tmp_path)
    assert done.returncode == 2
    assert "finished" in done.stderr and "output=" in done.stderr
    done = run(command("rl_train.py", whole, **{"grpo.beta": 0.0}), tmp_path)
    assert done.returncode == 2
    assert "grpo.beta" in done.stderr and "Traceback" not in done.stderr


def test_predictions_of_a_trained_policy_are_scored(whole: Path, tmp_path: Path) -> None:
    task = tmp_path / "task.jsonl"
    lines = [json.dumps(sample.to_dict()) + "\n" for sample in samples("test", 5)]
    task.write_text("".join(lines), "utf-8")
    asked = [sys.executable, str(BASELINES / "predict.py"), "--task", "task.jsonl"]
    asked += ["--out", "predictions.jsonl", "--batch-size", "2"]
    for more in ([], ["--modality", "audio"], ["--modality", "subtitle"]):
        done = run([*asked, "--checkpoint", str(whole / "rl" / "final"), *more], tmp_path)
        assert done.returncode == 0, done.stderr
        assert len((tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()) == 5
    score = Path(sys.executable).with_name("ovmer")
    done = run([str(score), "score", "predictions.jsonl", "--gold", "task.jsonl"], tmp_path)
    assert done.returncode == 0, done.stderr
    done = run([*asked, "--checkpoint", str(whole)], tmp_path)
    assert done.returncode == 2 and "sft/final or rl/final" in done.stderr


def test_a_policy_that_does_not_look_is_no_cold_start(tmp_path: Path) -> None:
    done = run(
        command("sft_train.py", tmp_path / "blind", **{"guards.media": "{minimum_gap: 0.5}"}),
        tmp_path,
    )
    assert done.returncode == 2
    assert "does not use the media" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "blind" / "sft" / "final").exists()


def test_two_processes_train_one_policy(whole: Path, tmp_path: Path) -> None:
    """Every stage on gloo; the same first losses as one process, and one policy at the end."""
    script, *options = command("rl_train.py", tmp_path / "two")[1:]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = run([*launcher, "--nproc_per_node", "2", script, *options], tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    facts = json.loads((tmp_path / "two" / "run.json").read_text("utf-8"))
    assert facts["environments"][0]["world_size"] == 2
    assert {one["state"] for one in facts["stages"].values()} == {"finished"}
    for stage in ("warm_up", "sft"):
        one, two = (_losses(folder, stage)[0] for folder in (whole, tmp_path / "two"))
        assert two == pytest.approx(one, rel=1e-4), stage
    first, second = weights(whole / "rl" / "final"), weights(tmp_path / "two/rl/final")
    assert {name: one.shape for name, one in first.items()} == {
        name: two.shape for name, two in second.items()
    }


def _losses(folder: Path, stage: str) -> list[float]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [row["loss"] for row in rows if row["stage"] == stage and "loss" in row]


def test_clips_that_are_scored_are_not_trained_on(tmp_path: Path) -> None:
    task = [json.dumps(sample.to_dict()) + "\n" for sample in samples("test", 40)]
    (tmp_path / "leak.jsonl").write_text("".join(task), "utf-8")
    leak = f"{{corpus: {tmp_path / 'leak.jsonl'}, split: mine, start: 0, clips: 24, seed: 0}}"
    changed = {"data.cold_start": leak, "evaluation.task": "ovmer_mini"}
    said = {key: value for key, value in TINY.items() if not key.startswith("data.cold_start")}
    options = words("mini", tmp_path / "leaks", {**said, **changed})
    options = [one for one in options if not one.startswith("--set=data.cold_start.clips")]
    done = run([sys.executable, str(BASELINES / "sft_train.py"), *options], tmp_path)
    assert done.returncode == 2, done.stderr
    assert "are trained on" in done.stderr and "data.cold_start" in done.stderr


def test_the_commands_of_the_readme_run_with_less_of_everything(tmp_path: Path) -> None:
    page = Page(README)
    page.prepare(tmp_path)
    less = words("mini", Path("runs/mini"), {**TINY, "evaluation.task": "ovmer_mini"})[2:]
    shorter = " ".join(shlex.quote(one) for one in less)
    steps = [step for block in page.blocks("long") for step in block.steps]
    assert len(steps) == 4
    for step in steps:
        text = step.command.replace(" 2> ", f" {shorter} 2> ")
        done = subprocess.run(
            ["bash", "-c", text], cwd=tmp_path, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        wrote = [line for line in step.output.splitlines() if line.startswith("wrote ")]
        assert [line for line in done.stdout.splitlines() if line.startswith("wrote ")] == wrote
