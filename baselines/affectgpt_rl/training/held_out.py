"""A look at held-out clips every few steps of GRPO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..config import RunConfig
from ..data.clips import TrainingClip
from ..data.inputs import PolicyInputs
from ..runs.log import RunLog
from .evaluation import answers_of_all, held_out_metrics


class HeldOutCallback(TrainerCallback):  # type: ignore[misc]
    """Answers the held-out clips and logs EW-F, skill, format rate and labels a clip.

    Args:
        trainer: whose model is looked at, wrapped as it is.
        inputs: prepares the clips.
        clips: never trained on.
        config: how often, how many at once, how long.
        log: gets the numbers.
    """

    def __init__(
        self,
        trainer: Any,
        inputs: PolicyInputs,
        clips: Sequence[TrainingClip],
        config: RunConfig,
        log: RunLog,
    ) -> None:
        self._trainer, self._inputs, self._clips = trainer, inputs, clips
        self._config, self._log = config, log

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Look before the first step."""
        if state.global_step == 0:
            self._look(0)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Look every few steps, and at the end."""
        step = state.global_step
        if step % self._config.evaluation.every_steps == 0 or step == args.max_steps:
            self._look(step)

    def _look(self, step: int) -> None:
        settings = self._config.evaluation
        said = answers_of_all(
            self._trainer.model_wrapped,
            self._inputs,
            self._clips,
            accelerator=self._trainer.accelerator,
            batch_size=settings.batch_size,
            max_new_tokens=settings.max_new_tokens,
        )
        found = held_out_metrics(
            self._clips, said, mode=self._config.prompt.mode, lexicon=self._config.lexicon
        )
        self._log.write(step, found)
