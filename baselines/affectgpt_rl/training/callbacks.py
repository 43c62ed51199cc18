"""The trainer's side of log, guards and checkpoints: callbacks for any Hugging Face trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import (
    PrinterCallback,
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from ..runs.folder import RunFolder, Stage
from ..runs.guards import Verdict, Watch
from ..runs.lines import Row
from ..runs.log import RunLog


def attach(trainer: Any, *callbacks: TrainerCallback) -> None:
    """Add callbacks to a trainer in the place of its own bar and printer."""
    for own in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(own)
    for callback in callbacks:
        trainer.add_callback(callback)


class LogCallback(TrainerCallback):
    """Gives every step and every logged number to a :class:`.runs.log.RunLog`."""

    def __init__(self, log: RunLog) -> None:
        self.log = log

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move the bar."""
        self.log.step(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write the numbers."""
        self.log.write(state.global_step, logs or {})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """End the bar."""
        self.log.close()


class GuardCallback(TrainerCallback):
    """Ends training, with a last checkpoint, once a guard has a verdict.

    Args:
        watch: the guards.
        boundary: steps between samplings. Training ends on a multiple of it: elsewhere a
            checkpoint would lose the completions at hand.
        history: rows of ``metrics.jsonl`` of the run that goes on.
    """

    def __init__(
        self, watch: Watch, *, boundary: int = 1, history: list[Row] | None = None
    ) -> None:
        self._watch, self._boundary = watch, boundary
        watch.replay(history or [])

    @property
    def verdict(self) -> Verdict | None:
        """Why training was stopped, if it was."""
        return self._watch.verdict

    @property
    def blind(self) -> list[str]:
        """Guards whose number was never logged."""
        return self._watch.blind

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Look at the numbers."""
        self._watch.see(state.global_step, logs or {})
        self._stop(state, control)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop for a verdict that came between two samplings."""
        self._stop(state, control)

    def _stop(self, state: TrainerState, control: TrainerControl) -> None:
        if self._watch.verdict is not None and state.global_step % self._boundary == 0:
            control.should_training_stop = True
            control.should_save = True


class CheckpointCallback(TrainerCallback):
    """Marks a checkpoint as complete when every process has written its part."""

    def __init__(self, folder: RunFolder, stage: Stage) -> None:
        self._folder, self._stage = folder, stage

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Mark ``checkpoint-STEP``."""
        PartialState().wait_for_everyone()
        self._folder.mark_complete(Path(args.output_dir) / f"checkpoint-{state.global_step}")
