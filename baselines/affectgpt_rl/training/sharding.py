"""Policies whose weights are spread over the processes: FSDP 2 and DeepSpeed ZeRO-3.

A part of such a policy cannot be called alone: every process has to take part in every pass.
"""

from __future__ import annotations

from typing import Any

from accelerate.utils import parse_flag_from_env
from ovmer_bench import OvmerError
from transformers.integrations.deepspeed import (
    is_deepspeed_zero3_enabled,
    unset_hf_deepspeed_config,
)

from ..data.media_bank import MediaBank
from .policy_pass import speaker_of

_LAUNCHERS = {"ACCELERATE_USE_FSDP": "FSDP", "ACCELERATE_USE_DEEPSPEED": "DeepSpeed"}


def refuse_to_warm_up() -> None:
    """Stop where weights would be spread while encoders are taught.

    Raises:
        OvmerError: the launcher asks for FSDP or DeepSpeed.
    """
    for name, what in _LAUNCHERS.items():
        if parse_flag_from_env(name):
            raise OvmerError(
                f"encoders are warmed up whole, and {what} spreads weights over processes",
                field="warm_up",
                hint="Make the cold start first, with the same configuration, by python or"
                " torchrun baselines/sft_train.py ...; rl_train.py then finds it.",
            )


def prepare_sharding(trainer: Any, bank: Any) -> None:
    """What a trainer's policy and media need before its weights are spread; else no effect.

    Under FSDP, features of frozen encoders are made now, by each process for its part where a
    folder is shared. Under ZeRO-3, pixels and samples are sent, and encoders called in every
    pass.

    Args:
        trainer: made, and not training yet.
        bank: of the rows' media, if there are any.
    """
    if not isinstance(bank, MediaBank):
        return
    if is_deepspeed_zero3_enabled():
        bank.keep_raw()
    elif trainer.is_fsdp_enabled and bank.caches():
        accelerator = trainer.accelerator
        ids = list(bank.clips)
        if bank.shared:
            ids = ids[accelerator.process_index :: accelerator.num_processes]
        bank.fill(ids, device=accelerator.device)
        accelerator.wait_for_everyone()
        bank.seal()


def prepare_fused_head(trainer: Any) -> None:
    """Under ZeRO-3, keep the head whole during a pass; else no effect.

    TRL's fused head multiplies with the weight without calling the layer that owns it, so
    DeepSpeed has to be told that the policy itself uses it, or the backward pass meets an
    empty weight.
    """
    if is_deepspeed_zero3_enabled():
        import deepspeed

        policy = speaker_of(trainer.model)
        deepspeed.zero.register_external_parameter(policy, policy.get_output_embeddings().weight)


def load_whole_again() -> None:
    """End what a trainer under ZeRO-3 leaves on: models that are loaded come in pieces."""
    unset_hf_deepspeed_config()
