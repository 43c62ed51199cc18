"""Whole runs of the scripts, as a user starts them: finished, repeated, killed and resumed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ovmer_bench.corpora.ovmer_mini.generate import samples

pytestmark = pytest.mark.train

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

BASELINES = Path(__file__).parents[2] / "baselines"
TINY = {
    "data.cold_start.clips": 24,
    "data.rl.clips": 8,
    "data.held_out.clips": 6,
    "warm_up.steps": 4,
    "warm_up.batch_size": 8,
    "sft.epochs": 2,
    "sft.batch_size": 8,
    "sft.eval_every": 2,
    "grpo.steps": 6,
    "grpo.prompts_per_step": 2,
    "grpo.num_generations": 2,
    "grpo.max_completion_length": 8,
    "grpo.warmup_steps": 1,
    "grpo.save_every": 2,
    "grpo.log_completions_every": 2,
    "evaluation.every_steps": 3,
    "evaluation.max_new_tokens": 8,
    "evaluation.task": "null",
    "guards.media": "null",
    "guards.no_signal": "null",
    "guards.format": "null",
    "rewards.length": "{kind: format, weight: 0.0, mode: think}",
}
FINISHES = 240


def command(script: str, output: Path, *more: str, **changed: object) -> list[str]:
    settings = {**TINY, "output": output, **changed}
    options = [f"--set={key}={value}" for key, value in settings.items()]
    config = BASELINES / "configs" / "mini.yaml"
    return [sys.executable, str(BASELINES / script), "--config", str(config), *options, *more]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def run(words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=FINISHES
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
        if kills < 2 and _reaches(
            process, draws.choice(["warm_up 3/", "sft 4/", "rl 3/", "rl 5/"])
        ):
            time.sleep(draws.random())
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, said = process.communicate(timeout=FINISHES)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
    assert process.returncode == 0
    first, second = weights(whole / "rl" / "final"), weights(output / "rl" / "final")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (output / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


def _reaches(process: subprocess.Popen[str], words: str) -> bool:
    """Read what a run says until it says ``words``; false where it ended before."""
    assert process.stderr is not None
    return any(words in line for line in process.stderr)


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
    words = [sys.executable, str(BASELINES / "predict.py"), "--task", "task.jsonl"]
    words += ["--out", "predictions.jsonl", "--batch-size", "2"]
    for more in ([], ["--modality", "audio"], ["--modality", "subtitle"]):
        done = run([*words, "--checkpoint", str(whole / "rl" / "final"), *more], tmp_path)
        assert done.returncode == 0, done.stderr
        assert len((tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()) == 5
    score = Path(sys.executable).with_name("ovmer")
    done = run([str(score), "score", "predictions.jsonl", "--gold", "task.jsonl"], tmp_path)
    assert done.returncode == 0, done.stderr
    done = run([*words, "--checkpoint", str(whole)], tmp_path)
    assert done.returncode == 2 and "sft/final or rl/final" in done.stderr


def test_a_policy_that_does_not_look_is_no_cold_start(tmp_path: Path) -> None:
    done = run(
        command("sft_train.py", tmp_path / "blind", **{"guards.media": "{minimum_gap: 0.5}"}),
        tmp_path,
    )
    assert done.returncode == 2
    assert "does not use the media" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "blind" / "sft" / "final").exists()
