"""Settings of GRPO, all of them explicit, as TRL's ``GRPOConfig``.

TRL's defaults differ from what papers mean by GRPO, and between its versions; a run should not
depend on them. :data:`EXPLICIT` has to be given, whatever else TRL knows may be.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovmer_bench import OvmerError
from ovmer_bench.errors import did_you_mean

if TYPE_CHECKING:
    from ..config.sections import Grpo

EXPLICIT = (
    "num_generations",
    "beta",
    "epsilon",
    "epsilon_high",
    "loss_type",
    "scale_rewards",
    "temperature",
    "top_p",
    "top_k",
    "num_iterations",
    "steps_per_generation",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "max_completion_length",
    "mask_truncated_completions",
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "max_grad_norm",
    "max_steps",
    "seed",
    "bf16",
    "gradient_checkpointing",
    "disable_dropout",
    "use_vllm",
    "vllm_mode",
    "save_steps",
    "save_total_limit",
)
"""Names are TRL's. ``save_steps`` 0: no checkpoints."""

_OWNED: Mapping[str, object] = {
    "remove_unused_columns": False,  # rewards and media need them
    "save_only_model": False,  # or nothing could be resumed
    "ignore_data_skip": False,
    "log_completions": False,  # tables of ours hold media id and gold
}
_DEFAULTS: Mapping[str, object] = {
    "logging_steps": 1,
    "report_to": "none",
    "disable_tqdm": True,
    "data_seed": None,
}
_ELSEWHERE = ("output_dir", "reward_weights", "save_strategy", "generation_batch_size")


def settings_of(grpo: Grpo, *, seed: int, processes: int) -> dict[str, object]:
    """The section ``grpo`` of a configuration in TRL's names, for :func:`grpo_config`.

    Completions are sampled for the rows of one step and used for ``num_iterations`` steps.

    Raises:
        OvmerError: the rows of a step cannot be dealt to so many processes.
    """
    return {
        "num_generations": grpo.num_generations,
        "beta": grpo.beta,
        "epsilon": grpo.epsilon,
        "epsilon_high": grpo.epsilon_high,
        "loss_type": grpo.loss_type,
        "scale_rewards": grpo.scale_rewards,
        "temperature": grpo.temperature,
        "top_p": grpo.top_p,
        "top_k": grpo.top_k,
        "num_iterations": grpo.num_iterations,
        "steps_per_generation": grpo.gradient_accumulation,
        "per_device_train_batch_size": grpo.rows_per_device(processes),
        "gradient_accumulation_steps": grpo.gradient_accumulation,
        "max_completion_length": grpo.max_completion_length,
        "mask_truncated_completions": grpo.mask_truncated_completions,
        "learning_rate": grpo.learning_rate,
        "lr_scheduler_type": grpo.lr_scheduler,
        "warmup_steps": grpo.warmup_steps,
        "weight_decay": grpo.weight_decay,
        "max_grad_norm": grpo.max_grad_norm,
        "max_steps": grpo.steps,
        "seed": seed,
        "bf16": grpo.bf16,
        "gradient_checkpointing": grpo.gradient_checkpointing,
        "disable_dropout": True,
        "use_vllm": grpo.use_vllm,
        "vllm_mode": grpo.vllm_mode,
        "save_steps": grpo.save_every,
        "save_total_limit": grpo.save_total_limit,
    }


def grpo_config(settings: Mapping[str, object], *, output_dir: str | Path) -> Any:
    """TRL's ``GRPOConfig`` with every setting of :data:`EXPLICIT` as given.

    Without a GPU it runs on the CPU. Other settings of TRL may be given too.

    Raises:
        OvmerError: a setting is missing, unknown, not to be set here, or not accepted.
    """
    import torch
    from trl import GRPOConfig

    accepted = {field.name for field in fields(GRPOConfig)} - set(_OWNED) - set(_ELSEWHERE)
    for key in settings:
        if key not in accepted:
            near = did_you_mean(key, accepted)
            raise OvmerError(f"unknown setting {key!r}", field=f"grpo.{key}", hint=near or None)
    missing = [key for key in EXPLICIT if key not in settings]
    if missing:
        raise OvmerError(
            f"{missing[0]} is not given", field=f"grpo.{missing[0]}", hint="Every setting is."
        )
    given = {**_DEFAULTS, "use_cpu": not torch.cuda.is_available(), **settings}
    if given["use_cpu"] and given["bf16"]:
        raise OvmerError(
            "bf16 on a CPU parts the log-probabilities of training from those of sampling",
            field="grpo.bf16",
            accepted="false where there is no GPU",
        )
    if given["vllm_mode"] is None:
        del given["vllm_mode"]
    saves = bool(given["save_steps"])
    if not saves:
        del given["save_steps"]
    try:
        with warnings.catch_warnings():  # TRL's own name is to go from transformers
            warnings.filterwarnings("ignore", "`gradient_checkpointing`", FutureWarning)
            return GRPOConfig(
                output_dir=str(output_dir),
                save_strategy="steps" if saves else "no",
                **{**given, **_OWNED},
            )
    except (TypeError, ValueError) as error:
        raise OvmerError(f"not accepted by TRL: {error}", field="grpo") from None
