"""Names of the numbers of a run, as TRL and this package log them.

TRL averages each over the processes and over the steps since the last log.
"""

from __future__ import annotations

LOSS = "loss"
GRAD_NORM = "grad_norm"
LEARNING_RATE = "learning_rate"
HELD_OUT_LOSS = "eval_loss"
SHIFTED_LOSS = "eval_loss_shifted"
"""Held-out loss with the media of another clip."""

REWARD = "reward"
REWARD_STD = "reward_std"
ZERO_STD = "frac_reward_zero_std"
"""Share of the completions whose whole group earned the same."""
KL = "kl"
ENTROPY = "entropy"
CLIP_RATIO = "clip_ratio/region_mean"
COMPLETION_LENGTH = "completions/mean_length"
CUT_OFF = "completions/clipped_ratio"

FORMAT_RATE = "answers/format_rate"
"""Share of the sampled completions that follow the template of ``prompt.mode``."""
LABELS_PER_CLIP = "answers/labels_per_clip"
OOV_RATE = "answers/oov_rate"
"""Share of the sampled labels that the lexicon does not know."""

HELD_OUT_EW_F = "held_out/ew_f"
HELD_OUT_SKILL = "held_out/skill"
HELD_OUT_FORMAT_RATE = "held_out/format_rate"
HELD_OUT_LABELS_PER_CLIP = "held_out/labels_per_clip"

CLIPS_PER_SECOND = "clips_per_second"
SECONDS = "seconds"

_REWARD_PREFIX, _REWARD_SUFFIX = "rewards/", "/mean"
_OF_THE_CLOCK = frozenset(
    (
        *("step_time", "total_flos", CLIPS_PER_SECOND, SECONDS),
        *("train_runtime", "train_samples_per_second", "train_steps_per_second"),
        *("eval_runtime", "eval_samples_per_second", "eval_steps_per_second"),
        "train_loss",  # the mean since the last start, so it tells where a run was interrupted
    )
)


def reward_mean(name: str) -> str:
    """Where the mean of the reward called ``name`` is logged."""
    return f"{_REWARD_PREFIX}{name}{_REWARD_SUFFIX}"


def reward_of(metric: str) -> str | None:
    """The reward whose mean ``metric`` is, or ``None``."""
    if metric.startswith(_REWARD_PREFIX) and metric.endswith(_REWARD_SUFFIX):
        return metric[len(_REWARD_PREFIX) : -len(_REWARD_SUFFIX)]
    return None


def is_of_the_clock(metric: str) -> bool:
    """Whether equal runs differ in a number, since it tells of speed or of interruptions."""
    return metric in _OF_THE_CLOCK
