"""A run folder as a run of the mini configuration leaves it, in a second and without a model."""

from __future__ import annotations

import math
import random
from pathlib import Path

from affectgpt_rl.config import RunConfig, load_config
from affectgpt_rl.runs import metric_names as m
from affectgpt_rl.runs.folder import Moment, RunFolder, Sample
from ovmer_bench import score
from ovmer_bench.corpora.ovmer_mini.generate import samples

MINI = Path(__file__).parents[2] / "baselines" / "configs" / "mini.yaml"
FIXED = (
    *("policy.freeze=[]", "seed=0", "data.cold_start.clips=2000", "data.rl.clips=800"),
    *("data.held_out.start=100000", "data.held_out.clips=200"),
    *("data.modalities=[frames, audio, subtitle]", "sft.subtitle_dropout=0.3"),
    *("sft.lr_scheduler=cosine", "sft.warmup_ratio=0.05", "warm_up.steps=300"),
    *("grpo.steps=200", "grpo.save_every=20", "grpo.num_iterations=1", "grpo.beta=0.04"),
    *("grpo.prompts_per_step=8", "grpo.num_generations=8", "grpo.gradient_accumulation=1"),
    *("grpo.lr_scheduler=constant_with_warmup", "grpo.warmup_steps=10", "judge=null"),
    "rewards={accuracy: {weight: 1.0}, format: {weight: 0.1, mode: answer}}",
    "guards.no_signal={patience: 30, share: 1.0}",
)
"""What tests rely on, whatever numbers the configuration ships with."""
GUESSES = {"cold_start": ["happy"], "final": ["happy", "sad", "angry"]}


def mini(output: Path, *overrides: str) -> RunConfig:
    """The configuration that ships, writing to ``output``."""
    return load_config(MINI, [*FIXED, f"output='{output}'", *overrides])


def finished_run(output: Path, steps: int = 120, seed: int = 0) -> RunFolder:
    """A run through all stages, with scores and samples."""
    folder = RunFolder.open(mini(output))
    draw = random.Random(seed)
    folder.start("warm_up", resume=False)
    for step in range(1, 61):
        folder.log("warm_up", step, {m.LOSS: 2 * math.exp(-step / 20) + 0.1 * draw.random()})
    folder.finish("warm_up", 60)
    folder.start("sft", resume=False)
    for step in range(1, 91):
        folder.log("sft", step, {m.LOSS: 3 * math.exp(-step / 25) + 0.6 + 0.1 * draw.random()})
        if step % 15 == 0:
            folder.log("sft", step, {m.HELD_OUT_LOSS: 3 * math.exp(-step / 25) + 0.7})
    folder.finish("sft", 90)
    folder.start("rl", resume=False)
    for step in range(steps + 1):
        _rl_step(folder, step, step / steps, draw)
    rows = [
        {"media_id": "mini-rl-000001", "gold": ["joyful", "proud"], "text": said, m.REWARD: 0.5}
        for said in ("<answer>happy</answer>", "<answer>happy, proud</answer>")
    ]
    folder.write_completions(steps, rows)
    folder.finish("rl", steps)
    moments: tuple[Moment, ...] = ("cold_start", "final")
    for moment in moments:
        write_scores(folder, moment)
    return folder


def write_scores(folder: RunFolder, moment: Moment) -> None:
    """Answers of a policy that always says the same, scored by the ruler."""
    clips = samples("test", 24)
    said = {clip.id: GUESSES[moment] for clip in clips}
    report = score(said, {clip.id: list(clip.labels or ()) for clip in clips}, draws=50)
    report.write(folder.scores_file(moment))
    text = f"<answer>{', '.join(GUESSES[moment])}</answer>"
    folder.write_samples(
        moment,
        [Sample(c.id, list(c.labels or ()), text, c.subtitle.get("en", "")) for c in clips[:5]],
    )


def _rl_step(folder: RunFolder, step: int, done: float, draw: random.Random) -> None:
    def noisy(value: float, by: float = 0.04) -> float:
        return value + by * (draw.random() - 0.5)

    if step % 20 == 0:
        held_out = {
            m.HELD_OUT_EW_F: 0.45 + 0.12 * done,
            m.HELD_OUT_SKILL: 0.2 + 0.1 * done,
            m.HELD_OUT_LABELS_PER_CLIP: 2.1 + 0.3 * done,
            m.HELD_OUT_FORMAT_RATE: 0.97 + 0.02 * done,
        }
        folder.log("rl", step, held_out)
    if step:
        values = {
            m.LOSS: noisy(0.0),
            m.REWARD: noisy(0.5 + 0.15 * done, 0.1),
            m.reward_mean("accuracy"): noisy(0.42 + 0.15 * done, 0.1),
            m.reward_mean("format"): noisy(0.93 + 0.05 * done),
            m.REWARD_STD: noisy(0.25),
            m.ZERO_STD: abs(noisy(0.1 * done)),
            m.KL: noisy(0.05 * done, 0.01),
            m.ENTROPY: noisy(0.9 - 0.4 * done, 0.08),
            m.LABELS_PER_CLIP: noisy(2.3 + 0.4 * done, 0.3),
            m.FORMAT_RATE: noisy(0.93 + 0.05 * done),
            m.OOV_RATE: abs(noisy(0.02)),
            m.CUT_OFF: abs(noisy(0.01)),
            m.COMPLETION_LENGTH: noisy(12 + 2 * done, 2),
            m.CLIPS_PER_SECOND: 20.0,
        }
        folder.log("rl", step, values)
