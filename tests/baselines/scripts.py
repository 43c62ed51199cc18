"""The scripts of the trainer with tiny numbers, as processes of their own or within this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from affectgpt_rl.commands import predict, rl, sft

BASELINES = Path(__file__).parents[2] / "baselines"
FINISHES = 240
COMMANDS: Mapping[str, click.Command] = {"sft_train": sft, "rl_train": rl, "predict": predict}
TINY: Mapping[str, object] = {
    "data.cold_start.clips": 32,
    "data.rl.clips": 8,
    "data.held_out.clips": 6,
    "sft.epochs": 2,
    "sft.batch_size": 8,
    "sft.eval_every": 4,
    "sft.warmup_ratio": 0.1,
    "grpo.steps": 4,
    "grpo.prompts_per_step": 2,
    "grpo.num_generations": 4,
    "grpo.max_completion_length": 8,
    "grpo.warmup_steps": 1,
    "grpo.save_every": 2,
    "grpo.log_completions_every": 2,
    "evaluation.every_steps": 2,
    "evaluation.max_new_tokens": 8,
    "evaluation.task": "null",
    "guards.media": "null",
    "guards.no_signal": "null",
    "guards.format": "null",
}
OF_A_FOLDER: Mapping[str, object] = {
    "policy.build": "path",
    "policy.fusion": "null",
    "policy.freeze": "[]",
    "warm_up": "null",
    "prompt.images": 2,
}
"""What else a policy needs that is not new."""


def words(config: str, output: Path, settings: Mapping[str, object]) -> list[str]:
    """Options of a script that trains."""
    given = {**TINY, "output": output, **settings}
    options = [f"--set={key}={value}" for key, value in given.items()]
    return ["--config", str(BASELINES / "configs" / f"{config}.yaml"), *options]


def started(script: str, *options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A script as a user starts it, offline and on one core."""
    return subprocess.run(
        [sys.executable, str(BASELINES / f"{script}.py"), *options],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=FINISHES,
    )


def within(script: str, *options: str) -> None:
    """The same in this process, where everything is imported already."""
    COMMANDS[script].main(list(options), standalone_mode=False)


def metrics(output: Path, stage: str, name: str) -> list[float]:
    """What a run logged under a name, in order."""
    logged = [row for row in rows(output / "metrics.jsonl") if row["stage"] == stage]
    return [row[name] for row in logged if name in row]


def rows(path: Path) -> list[dict[str, Any]]:
    """Of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
