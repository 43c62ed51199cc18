"""Going on exactly where a run stopped.

Two things would make a resumed run another one. TRL's sampler replays the order of the first
epoch in every later one: :class:`EpochSampler` derives the order from the epoch. Completions that
wait in a buffer are not saved: :func:`check_boundaries` refuses saves between two samplings.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ovmer_bench import OvmerError
from trl.trainer.utils import RepeatSampler


class EpochSampler(RepeatSampler):  # type: ignore[misc]
    """TRL's sampler whose order depends on seed and epoch alone, not on how often it was begun.

    An uninterrupted run sees the rows in the order in which TRL alone would show them.

    Args:
        epoch: gives the current epoch, from 0; its fraction does not matter.
    """

    def __init__(self, *args: Any, epoch: Callable[[], float], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        if self.shuffle:
            self.generator.manual_seed(self.seed)
            for _ in range(int(self._epoch())):
                torch.randperm(self.num_samples, generator=self.generator)
        yield from super().__iter__()


@dataclass(frozen=True)
class Rhythm:
    """When completions are sampled, counted in updates of the weights.

    Attributes:
        batches: batches of an epoch.
        accumulation: batches of one update.
        sampled_every: batches that one sampling serves.
    """

    batches: int
    accumulation: int
    sampled_every: int

    @property
    def updates(self) -> int:
        """Updates of an epoch."""
        return math.ceil(self.batches / self.accumulation)

    def is_boundary(self, update: int) -> bool:
        """Whether no completion waits in the buffer after so many updates."""
        return update % self.updates * self.accumulation % self.sampled_every == 0


def rhythm_of(args: Any, rows: int) -> Rhythm:
    """The rhythm of a run with TRL's ``args`` on so many rows.

    Raises:
        OvmerError: there are fewer rows than prompts of one sampling.
    """
    prompts = args.generation_batch_size // args.num_generations
    if rows < prompts:
        raise OvmerError(
            f"{rows} rows are too few: one sampling takes {prompts} prompts", field="data.rl"
        )
    sampled_every = args.steps_per_generation * args.num_iterations
    return Rhythm(rows // prompts * sampled_every, args.gradient_accumulation_steps, sampled_every)


def check_boundaries(args: Any, rows: int) -> None:
    """Refuse a run that would save while completions wait to be used.

    Raises:
        OvmerError: ``save_steps``, or the last step, does not fall between two samplings.
    """
    if args.save_strategy != "steps":
        return
    every = args.save_steps
    if every != int(every) or every < 1:
        raise OvmerError(f"is {every}", field="save_steps", accepted="a whole number of steps")
    rhythm = rhythm_of(args, rows)
    last = args.max_steps
    if last < 1:
        last = math.ceil(args.num_train_epochs * rhythm.updates)
    for step in [*range(int(every), last + 1, int(every)), last]:
        if not rhythm.is_boundary(step):
            unit = rhythm.sampled_every // math.gcd(rhythm.sampled_every, rhythm.accumulation)
            raise OvmerError(
                f"step {step} would be saved while sampled completions wait to be used, and they"
                " would be lost",
                field="save_steps" if step % every == 0 else "max_steps",
                accepted=f"multiples of {unit} (steps_per_generation x num_iterations /"
                f" gradient_accumulation_steps), and an epoch of whole steps",
            )


def check_checkpoint(checkpoint: str | Path, processes: int) -> None:
    """Refuse a checkpoint that so many processes cannot go on from exactly.

    Raises:
        OvmerError: it is not whole, or the number of processes differs.
    """
    path = Path(checkpoint)
    if not _is_whole(path):
        raise OvmerError("is not a whole checkpoint", file=path)
    saved = len(list(path.glob("rng_state*.pth")))
    if saved != processes:
        raise OvmerError(
            f"was saved by {saved} processes, and {processes} train now",
            file=path,
            hint=f"Go on with {saved}, or begin a new run.",
        )


def _is_whole(path: Path) -> bool:
    """Whether the state, which is written last, is there, and all torch files are whole."""
    try:
        state = json.loads((path / "trainer_state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    torch_files = [file for end in ("*.pt", "*.pth") for file in path.glob(end)]
    return (
        isinstance(state, dict)
        and "global_step" in state
        and any(path.glob("rng_state*.pth"))
        and all(zipfile.is_zipfile(file) for file in torch_files)
    )
