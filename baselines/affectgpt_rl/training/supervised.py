"""Warm-up and cold start as Hugging Face trainers: order, dropout and settings of both."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from ovmer_bench import OvmerError
from torch import Tensor
from torch.utils.data import Dataset
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments

from ..config.sections import Sft
from ..config.sections import WarmUp as WarmUpSettings
from ..data.clips import TrainingClip
from ..data.inputs import ALL, PolicyInputs, Shown
from ..data.media_bank import MediaBank
from .sharding import prepare_sharding
from .warm_up import WarmUp, WordTargets

Visit = tuple[TrainingClip, Shown]

KEPT_CHECKPOINTS = 2
_WARM_UP_SAVES = 4


class Visits(Dataset[Visit]):  # type: ignore[misc]
    """Every pass over the clips in an order of its own, one after the other.

    What a visit shows follows from its number alone, so that a run that goes on sees what it
    would have seen.

    Args:
        clips: to be visited.
        passes: how often each is.
        seed: of order and dropout.
        subtitle_dropout, media_dropout: share of the visits that hide the one or the other;
            never both.
    """

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        *,
        passes: int,
        seed: int,
        subtitle_dropout: float = 0.0,
        media_dropout: float = 0.0,
    ) -> None:
        self._clips, self._passes, self._seed = clips, passes, seed
        self._dropout = subtitle_dropout, media_dropout
        self._order = lru_cache(maxsize=2)(self._order_of)

    def __len__(self) -> int:
        return len(self._clips) * self._passes

    def __getitem__(self, number: int) -> Visit:
        turn, place = divmod(number, len(self._clips))
        drawn = random.Random(f"{self._seed} {number}").random()
        subtitle, media = self._dropout
        shown = Shown(subtitle=drawn >= subtitle, media=drawn < 1 - media)
        return self._clips[self._order(turn)[place]], shown

    def _order_of(self, turn: int) -> list[int]:
        order = list(range(len(self._clips)))
        random.Random(f"{self._seed} order {turn}").shuffle(order)
        return order


def warm_up_trainer(
    policy: Any,
    bank: MediaBank,
    clips: Sequence[TrainingClip],
    targets: WordTargets,
    settings: WarmUpSettings,
    *,
    seed: int,
    output: Path,
    logging_steps: int,
) -> Trainer:
    """Trains encoders, branches and fusion of ``policy`` in place; its ``model`` is a WarmUp."""
    if settings.batch_size > len(clips):
        raise OvmerError(
            f"a batch of {settings.batch_size} clips, and only {len(clips)} to choose from",
            field="warm_up.batch_size",
        )
    torch.manual_seed(seed)

    def collate(visits: Sequence[Visit]) -> dict[str, Any]:
        # A clip may come twice where one pass ends and the next begins.
        seen = list({clip.id: clip for clip, _ in visits}.values())
        media = bank.inputs([clip.id for clip in seen])
        del media["clip_index"]
        return {"targets": targets.of(seen), "media": media}

    passes = -(-settings.steps * settings.batch_size // len(clips))
    return Trainer(
        model=WarmUp(policy.model, targets),
        args=_arguments(
            output,
            max_steps=settings.steps,
            batch=settings.batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            lr_scheduler_type="cosine",
            warmup_steps=min(50, settings.steps // 5),
            max_grad_norm=1.0,
            save_steps=max(1, settings.steps // _WARM_UP_SAVES),
            seed=seed,
            logging_steps=logging_steps,
        ),
        train_dataset=Visits(clips, passes=passes, seed=seed),
        data_collator=collate,
    )


def cold_start_trainer(
    model: Any,
    inputs: PolicyInputs,
    clips: Sequence[TrainingClip],
    held_out: Sequence[TrainingClip],
    settings: Sft,
    *,
    seed: int,
    output: Path,
    logging_steps: int,
) -> Trainer:
    """Next-token training on the targets, ended when the held-out loss has stopped falling.

    At the end the model of the lowest held-out loss is loaded again.
    """
    torch.manual_seed(seed)
    visits = Visits(
        clips,
        passes=settings.epochs,
        seed=seed,
        subtitle_dropout=settings.subtitle_dropout,
        media_dropout=settings.media_dropout,
    )
    steps = -(-len(visits) // settings.batch_size)

    def collate(items: Sequence[Visit]) -> dict[str, Tensor]:
        return inputs.batch([clip for clip, _ in items], [how for _, how in items], answers=True)

    trainer = Trainer(
        model=model,
        args=_arguments(
            output,
            max_steps=steps,
            batch=settings.batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            lr_scheduler_type=settings.lr_scheduler,
            warmup_steps=round(settings.warmup_ratio * steps),
            max_grad_norm=settings.max_grad_norm,
            gradient_accumulation_steps=settings.gradient_accumulation,
            gradient_checkpointing=settings.gradient_checkpointing,
            save_steps=settings.eval_every,
            eval_strategy="steps",
            eval_steps=settings.eval_every,
            prediction_loss_only=True,
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            greater_is_better=False,
            seed=seed,
            logging_steps=logging_steps,
        ),
        train_dataset=visits,
        eval_dataset=[(clip, ALL) for clip in held_out],
        data_collator=collate,
        callbacks=[EarlyStoppingCallback(early_stopping_patience=settings.patience)],
    )
    prepare_sharding(trainer, inputs.bank)
    return trainer


def _arguments(output: Path, *, batch: int, **settings: Any) -> TrainingArguments:
    gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(output),
        save_strategy="steps",
        save_total_limit=KEPT_CHECKPOINTS,
        restore_callback_states_from_checkpoint=True,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        use_cpu=not gpu,
        bf16=gpu and torch.cuda.is_bf16_supported(),
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=True,
        **settings,
    )
    parts = arguments.world_size * arguments.gradient_accumulation_steps
    if batch % parts:
        raise OvmerError(
            f"a batch of {batch} cannot be cut into {parts} equal parts, one for each of"
            f" {arguments.world_size} processes and each accumulated gradient",
            field="batch_size",
            accepted=f"a multiple of {parts}",
        )
    arguments.per_device_train_batch_size = batch // parts
    arguments.per_device_eval_batch_size = batch // parts
    return arguments
