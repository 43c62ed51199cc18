"""What a run says while it trains: a line of numbers to files, TensorBoard and the terminal.

On a terminal a progress bar stands below the last numbers; elsewhere each logged step is one
plain line. :class:`.training.callbacks.LogCallback` brings it to a trainer.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .folder import RunFolder, Stage
from .metric_names import (
    CLIPS_PER_SECOND,
    FORMAT_RATE,
    HELD_OUT_EW_F,
    HELD_OUT_LOSS,
    KL,
    LABELS_PER_CLIP,
    LOSS,
    REWARD,
    SECONDS,
    reward_of,
)

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live
    from typing_extensions import Self

_WINDOW = 20
"""Steps over which speed is averaged."""
_PERCENT = {HELD_OUT_EW_F: "held-out EW-F", FORMAT_RATE: "in format"}
_PLAIN = {LOSS: "loss", HELD_OUT_LOSS: "held-out loss", REWARD: "reward", KL: "KL"}


class RunLog:
    """Takes the numbers of each step of one stage.

    Args:
        folder: gets ``metrics.jsonl`` and ``timings.jsonl``.
        stage: of the run.
        steps: of the whole stage.
        clips_per_step: all processes together, for the speed.
        tensorboard: whether numbers also go there.
        start: steps made before, by the run that goes on.
        console: where progress is shown; default: standard error.
        clock: seconds.
    """

    def __init__(
        self,
        folder: RunFolder,
        stage: Stage,
        *,
        steps: int,
        clips_per_step: int,
        tensorboard: bool = False,
        start: int = 0,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._stage = folder, stage
        self._steps, self._clips = steps, clips_per_step
        self._clock = clock
        self._ends: deque[tuple[int, float]] = deque([(start, clock())], maxlen=_WINDOW + 1)
        self._latest: dict[str, float] = {}
        self._reported: set[str] = set()
        self._writer = _writer(folder, stage, start) if tensorboard and folder.main else None
        self._screen = _Screen(stage, steps, start, console) if folder.main else None

    def step(self, step: int) -> None:
        """A step is done: the bar moves on."""
        self._ends.append((step, self._clock()))
        if self._screen is not None:
            self._screen.show(step, line(self._latest), self._speed())

    def write(self, step: int, values: Mapping[str, Any]) -> None:
        """Numbers of a step, to all places; what is no number is left out.

        What is not finite is written as ``null``, and said once for each name.
        """
        numbers = {name: value for name, value in values.items() if _is_number_or_none(value)}
        speed = self.clips_per_second()
        if step and speed is not None:
            numbers |= {CLIPS_PER_SECOND: round(speed, 3), SECONDS: round(self._seconds(), 3)}
        self._folder.log(self._stage, step, numbers)
        broken = [n for n, v in numbers.items() if v is None or not math.isfinite(v)]
        good = {name: value for name, value in numbers.items() if name not in broken}
        self._latest |= good
        if self._writer is not None:
            for name, value in good.items():
                self._writer.add_scalar(name, value, step)
        if self._screen is None:
            return
        for name in broken:
            if name not in self._reported:
                self._reported.add(name)
                self._screen.say(f"{name} is not finite at step {step} (said once)")
        self._screen.show(step, line(self._latest), self._speed())
        if said := line(good):
            self._screen.log(step, said, self._speed())

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._screen is not None:
            self._screen.say(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar, flush what is open."""
        if self._screen is not None:
            self._screen.close()
        if self._writer is not None:
            self._writer.close()

    def clips_per_second(self) -> float | None:
        """Speed over the last steps; ``None`` before there is one."""
        seconds = self._ends[-1][1] - self._ends[0][1]
        done = self._ends[-1][0] - self._ends[0][0]
        return done * self._clips / seconds if done > 0 and seconds > 0 else None

    def seconds_left(self) -> float | None:
        """Time that the steps left will take at that speed."""
        speed = self.clips_per_second()
        if speed is None:
            return None
        return max(0, self._steps - self._ends[-1][0]) * self._clips / speed

    def _seconds(self) -> float:
        """Of the last step."""
        (before, began), (after, ended) = list(self._ends)[-2:]
        return (ended - began) / max(1, after - before)

    def _speed(self) -> str:
        """Clips a second and time left, in words; empty before they are known."""
        speed, left = self.clips_per_second(), self.seconds_left()
        if speed is None or left is None:
            return ""
        return f"{speed:.1f} clips/s  {_duration(left)} left"


def line(values: Mapping[str, float]) -> str:
    """The numbers a reader watches, in words: rewards by component, loss, scores, format."""
    parts = [f"{word} {values[name]:.3f}" for name, word in _PLAIN.items() if name in values]
    parts += [
        f"{reward} {value:.3f}"
        for name, value in sorted(values.items())
        if (reward := reward_of(name)) is not None
    ]
    parts += [f"{word} {100 * values[n]:.1f} %" for n, word in _PERCENT.items() if n in values]
    if LABELS_PER_CLIP in values:
        parts.append(f"labels {values[LABELS_PER_CLIP]:.2f}")
    return "  ".join(parts)


class _Screen:
    """The last numbers above a bar on a terminal, plain lines elsewhere."""

    def __init__(self, stage: str, steps: int, start: int, console: Console | None) -> None:
        from rich.console import Console

        self._console = console or Console(stderr=True)
        self._stage, self._steps = stage, steps
        self._live: Live | None = None
        if self._console.is_terminal:
            self._live = _live(self._console)
            self._live.start()
            self.show(start, "", "")

    def show(self, step: int, numbers: str, speed: str) -> None:
        """The state of the run, on a terminal."""
        if self._live is not None:
            self._live.update(
                _picture(self._stage, step, self._steps, numbers, speed), refresh=True
            )

    def log(self, step: int, numbers: str, speed: str) -> None:
        """The state of the run, as a line where there is no terminal."""
        if self._live is None:
            said = "  ".join(part for part in (numbers, speed) if part)
            self.say(f"{self._stage} {step}/{self._steps}  {said}")

    def say(self, text: str) -> None:
        """A line of its own."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def close(self) -> None:
        """Leave the last picture, give the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _live(console: Console) -> Live:
    from rich.live import Live

    return Live(console=console, auto_refresh=False)


def _picture(stage: str, step: int, steps: int, numbers: str, speed: str) -> Group:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    row = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=steps, completed=step, width=24)
    row.add_row(Text(stage, style="bold"), bar, Text(f"{step}/{steps}"), Text(speed))
    return Group(Text(numbers), row) if numbers else Group(row)


def _writer(folder: RunFolder, stage: Stage, start: int) -> Any:
    """TensorBoard's writer; what stands there of later steps is hidden."""
    from torch.utils.tensorboard import SummaryWriter

    purge = start + 1 if start else None
    return SummaryWriter(str(folder.tensorboard_dir(stage)), purge_step=purge)


def _is_number_or_none(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _duration(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
