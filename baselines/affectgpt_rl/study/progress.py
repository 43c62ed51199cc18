"""What a study says while it runs: how many runs are done, and what each running one is at."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .jobs import Event, last_lines
from .plan import StudyRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console, RenderableType

_SAID = {
    "waits": "waits for another process",
    "begins": "begins",
    "ends": "done",
    "fails": "FAILED",
}
_REFRESHES_A_SECOND = 1


class StudyProgress:
    """A bar over the last line of each running log on a terminal, plain lines elsewhere.

    Args:
        runs: how many there are; ``done``: of them, before anything is run.
        jobs: how many run at a time.
        log_of: where a run prints.
        console: default: standard error.
        clock: seconds.
    """

    def __init__(
        self,
        runs: int,
        done: int,
        jobs: int,
        log_of: Callable[[StudyRun], Path],
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console

        self._runs, self._done, self._jobs = runs, done, jobs
        self._log_of, self._clock = log_of, clock
        self._console = console or Console(stderr=True)
        self._began: dict[str, float] = {}
        self._running: dict[str, StudyRun] = {}
        self._took: list[float] = []
        self._lock = threading.Lock()

    def tell(self, run: StudyRun, event: Event) -> None:
        """Take note of what happens to a run."""
        with self._lock:
            took = ""
            if event == "begins":
                self._began[run.title], self._running[run.title] = self._clock(), run
            elif event in ("ends", "fails"):
                self._running.pop(run.title, None)
                self._done += 1
                if run.title in self._began:
                    seconds = self._clock() - self._began.pop(run.title)
                    self._took.append(seconds)
                    took = f" in {_duration(seconds)}"
            said = f"{self._done}/{self._runs}  {run.title}: {_SAID[event]}{took}"
            left = f"  {_duration(self.seconds_left())} left" if self._took else ""
        self._console.print(said + left, soft_wrap=True, markup=False, highlight=False)

    def seconds_left(self) -> float:
        """By the mean of the runs that ended."""
        mean = sum(self._took) / len(self._took)
        return mean * (self._runs - self._done) / self._jobs

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the picture while runs run, where there is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        from rich.live import Live

        with Live(
            console=self._console,
            get_renderable=self._picture,
            refresh_per_second=_REFRESHES_A_SECOND,
        ):
            yield

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            running, done = dict(self._running), self._done
        rows = Table.grid(padding=(0, 1))
        for title, run in running.items():
            said = last_lines(self._log_of(run), 1)
            rows.add_row(Text(title, style="bold"), Text(said[0] if said else "", no_wrap=True))
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=self._runs, completed=done, width=24),
            Text(f"{done}/{self._runs} runs"),
        )
        return Group(rows, bar)


def _duration(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
