"""Where the time of a training step goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from .grpo import AffectGPTGRPOTrainer

PARTS = ("generation", "encoders", "log_probabilities", "backward_and_optimizer", "rest")
"""Of a step; ``rest`` is rewards, tokens and batches. The forward pass with gradient counts as
log-probabilities, and encoders wherever they are called."""


class Stopwatch:
    """Seconds by name. Of spans within spans, each second counts for the innermost.

    Args:
        synchronise: waits until the device has done what was asked of it.
    """

    def __init__(self, synchronise: Callable[[], object]) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._synchronise = synchronise
        self._open: list[str] = []
        self._since = 0.0

    def begin(self, name: str) -> None:
        """Open a span."""
        self._settle()
        self._open.append(name)

    def end(self) -> None:
        """Close the innermost span."""
        self._settle()
        self._open.pop()

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Count what happens within."""
        self.begin(name)
        try:
            yield
        finally:
            self.end()

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Count all calls of a method of one object."""
        original = getattr(owner, method)

        @wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.span(name):
                return original(*args, **kwargs)

        setattr(owner, method, timed)

    def forget(self) -> None:
        """Begin at 0, in the spans that are open."""
        self._settle()
        self.seconds.clear()

    def _settle(self) -> None:
        self._synchronise()
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


class StepTimer(TrainerCallback):  # type: ignore[misc]
    """Counts steps and where their time goes, from when the first ones are over.

    Args:
        watch: gets the times.
        skipped: first steps, in which memory is found and kernels are made.
        on_start: called once those are over.
    """

    def __init__(self, watch: Stopwatch, skipped: int, on_start: Callable[[], object]) -> None:
        self._watch, self._skipped, self._on_start = watch, skipped, on_start
        self.steps = 0

    def attach(self, trainer: AffectGPTGRPOTrainer, backbone: Any) -> None:
        """Time the parts of a trainer's steps."""
        watch = self._watch
        watch.watch(trainer, "_generate_single_turn", "generation")
        watch.watch(trainer, "_get_per_token_logps_and_entropies", "log_probabilities")
        watch.watch(backbone, "encode_media", "encoders")
        watch.watch(trainer.accelerator, "backward", "backward_and_optimizer")
        trainer.add_callback(self)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """A step begins."""
        if state.global_step == self._skipped:
            self._watch.forget()
            self._on_start()
        self._watch.begin("rest")

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Gradients are there."""
        self._watch.begin("backward_and_optimizer")

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Weights are new."""
        self._watch.end()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """A step is over."""
        self._watch.end()
        self.steps += state.global_step > self._skipped
