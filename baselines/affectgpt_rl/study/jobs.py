"""Running the trainings of a study: each a process of its own, several at a time, resumable.

A run that is done is not run again, one that was interrupted goes on from its last checkpoint,
one that fails is reported and keeps only those from running that begin with it. A process holds
a lock on its run folder for as long as it lives, so that a study that is started again waits for
what the one before, killed, has left running.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ovmer_bench import OvmerError
from ovmer_bench.files import write_text

from ..config import dump_config
from ..runs.folder import STAGES
from ..runs.guards import EXIT_CODE as STOPPED_BY_A_GUARD
from ..runs.lines import append_line, mend, read_lines
from .plan import RunKey, StudyRun

SCRIPTS = Path(__file__).parents[2]
_LOOK_AGAIN = 0.2
"""Seconds between two looks at a lock."""
LAST_LINES = 12
"""Of a failed run's log, that are shown."""
_TAIL = 1 << 14
_SCRIPT = {"sft": "sft_train.py", "rl": "rl_train.py"}
_NICE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

Event = Literal["waits", "begins", "ends", "fails"]
Tell = Callable[[StudyRun, Event], None]


@dataclass(frozen=True)
class Failure:
    """A run that did not end well.

    Attributes:
        run: which.
        reason: in one line.
        log: the last lines that it wrote.
    """

    run: StudyRun
    reason: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What a run took so far.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all its threads.
    """

    seconds: float
    cpu_seconds: float


class Jobs:
    """Runs trainings.

    Args:
        output: folder of the study; gets logs, configurations and times.
        tell: is told what happens to each run; from several threads.
    """

    def __init__(self, output: Path, tell: Tell) -> None:
        self._output = output
        mend(_times_file(output))
        self._tell = tell
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._writing = threading.Lock()
        self._stopped = False

    def run_all(self, runs: Sequence[StudyRun], jobs: int) -> list[Failure]:
        """Run what is not done, ``jobs`` at a time, first things first; what failed.

        Raises:
            KeyboardInterrupt: processes are ended before it is passed on.
        """
        failures: dict[RunKey, Failure] = {}
        waiting = [run for run in runs if not run.done()]
        undone = {run.key for run in waiting}
        running: dict[Future[Failure | None], StudyRun] = {}
        pool = ThreadPoolExecutor(jobs)
        try:
            while waiting or running:
                for run in list(waiting):
                    needed = (run.needs or "", run.seed)
                    if needed in failures:
                        waiting.remove(run)
                        failures[run.key] = Failure(run, f"{run.needs} failed")
                        self._tell(run, "fails")
                    elif needed not in undone and len(running) < jobs:
                        waiting.remove(run)
                        running[pool.submit(self._run, run)] = run
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    run = running.pop(future)
                    failure = _outcome(run, future)
                    undone.discard(run.key)
                    if failure is not None:
                        failures[run.key] = failure
                    self._tell(run, "ends" if failure is None else "fails")
        finally:
            self._stop()
            pool.shutdown()
        return list(failures.values())

    def log_of(self, run: StudyRun) -> Path:
        """What its processes print."""
        return self._output / "logs" / f"{run.name}-seed{run.seed}.log"

    def _run(self, run: StudyRun) -> Failure | None:
        log = self.log_of(run)
        log.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._alone(run, log.with_suffix(".lock")) as lock,
            log.open("ab") as said,
        ):
            if self._stopped:
                return Failure(run, "was not begun")
            # Another study may have done it while this one waited for the lock.
            if run.done():
                return None
            self._tell(run, "begins")
            for words in self._steps(run):
                code = self._process(run, words, said, lock)
                if code not in (0, STOPPED_BY_A_GUARD):
                    lines = tuple(last_lines(log, LAST_LINES))
                    return Failure(run, f"{words[0]} ended with exit code {code}", lines)
            if not run.done():
                return Failure(run, "ended well and left nothing", tuple(last_lines(log, 1)))
            _remove_checkpoints(run)
        return None

    def _steps(self, run: StudyRun) -> Iterator[list[str]]:
        """Command lines, one after the other, each made once those before it have run."""
        config = self._output / "configs" / f"{run.name}-seed{run.seed}.yaml"
        write_text(config, dump_config(run.config))
        if not run.trained():
            yield [_SCRIPT[run.stage], "--config", str(config), "--resume"]
        if run.trained() and run.to_be_asked():
            yield [
                *("predict.py", "--checkpoint", str(run.final), "--out", str(run.predictions)),
                *("--task", run.config.evaluation.task or ""),
                *("--batch-size", str(run.config.evaluation.batch_size)),
            ]

    def _process(self, run: StudyRun, words: Sequence[str], said: IO[bytes], lock: int) -> int:
        """Run one script to its end; its exit code."""
        command = [sys.executable, str(SCRIPTS / words[0]), *words[1:]]
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_NICE, "COLUMNS": "110"},
            pass_fds=(lock,),
        )
        with self._writing:
            self._processes.add(process)
            stopped = self._stopped
        if stopped:
            process.terminate()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        row = {
            "run": run.name,
            "seed": run.seed,
            "script": words[0],
            "exit": process.returncode,
            "seconds": round(time.monotonic() - began, 2),
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        }
        with self._writing:
            self._processes.discard(process)
            append_line(_times_file(self._output), row)
        return process.returncode

    @contextmanager
    def _alone(self, run: StudyRun, file: Path) -> Iterator[int]:
        """Hold the lock of a run; processes that inherit the descriptor hold it, too."""
        try:
            import fcntl
        except ImportError:
            raise OvmerError(
                "a study runs on Linux and macOS, where folders can be locked"
            ) from None
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            said = False
            while not self._stopped:  # asked again and again: a stopped study waits for nobody
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not said:
                        self._tell(run, "waits")
                    said = True
                    time.sleep(_LOOK_AGAIN)
            yield descriptor
        finally:
            os.close(descriptor)

    def _stop(self) -> None:
        """End what still runs, which is something only where this process was told to end."""
        with self._writing:
            self._stopped = True
            for process in self._processes:
                process.terminate()


def costs(output: Path) -> dict[RunKey, Cost]:
    """What each run took, all its processes together."""
    sums: dict[RunKey, Cost] = {}
    for row in read_lines(_times_file(output)):
        key = (str(row["run"]), int(row["seed"]))
        before = sums.get(key, Cost(0.0, 0.0))
        sums[key] = Cost(before.seconds + row["seconds"], before.cpu_seconds + row["cpu_seconds"])
    return sums


def last_lines(log: Path, most: int) -> list[str]:
    """The last lines of a log that are not empty."""
    if not log.is_file():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        text = file.read().decode("utf-8", errors="replace")
    return [line for line in text.splitlines() if line.strip()][-most:]


def _outcome(run: StudyRun, future: Future[Failure | None]) -> Failure | None:
    try:
        return future.result()
    except OvmerError as error:
        return Failure(run, str(error))


def _times_file(output: Path) -> Path:
    return output / "times.jsonl"


def _remove_checkpoints(run: StudyRun) -> None:
    """They are for going on, and dozens of runs leave gigabytes of them."""
    for stage in STAGES:
        for checkpoint in run.folder.stage_dir(stage).glob("checkpoint-*"):
            shutil.rmtree(checkpoint)
