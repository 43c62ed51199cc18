"""Numbers of a run reach the files, TensorBoard and the terminal, each once and as they are."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from affectgpt_rl.runs import metric_names as m
from affectgpt_rl.runs.folder import RunFolder
from affectgpt_rl.runs.log import RunLog, line
from rich.console import Console
from synthetic_run import mini

STEP: dict[str, Any] = {
    m.LOSS: 0.25,
    m.REWARD: 0.5,
    m.reward_mean("accuracy"): 0.4,
    m.reward_mean("format"): 1.0,
    m.LABELS_PER_CLIP: 2.5,
    m.FORMAT_RATE: 0.975,
}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.open(mini(tmp_path / "run"))
    made.start("rl", resume=False)
    return made


def run(
    folder: RunFolder, *, terminal: bool, steps: int = 3, width: int = 160, **settings: Any
) -> str:
    """What is shown of a few steps of half a second, 8 clips each, of 100."""
    out, clock = io.StringIO(), Clock()
    console = Console(file=out, force_terminal=terminal, width=width, color_system=None)
    with RunLog(
        folder, "rl", steps=100, clips_per_step=8, console=console, clock=clock, **settings
    ) as log:
        for step in range(1, steps + 1):
            clock.now += 0.5
            log.step(step)
            log.write(step, STEP | ({m.HELD_OUT_EW_F: 0.461} if step == 2 else {}))
    return out.getvalue()


def test_a_pipe_gets_one_plain_line_a_step(folder: RunFolder) -> None:
    lines = run(folder, terminal=False).splitlines()
    assert lines[0] == (
        "rl 1/100  loss 0.250  reward 0.500  accuracy 0.400  format 1.000  in format 97.5 %"
        "  labels 2.50  16.0 clips/s  0:50 left"
    )
    assert len(lines) == 3
    assert "held-out EW-F 46.1 %" in lines[1]
    assert "held-out" not in lines[2]


def test_a_terminal_gets_a_bar_that_keeps_the_latest_numbers(folder: RunFolder) -> None:
    shown = run(folder, terminal=True)
    last = shown.rsplit("\x1b[2K", 1)[1]
    assert "held-out EW-F 46.1 %" in last
    assert "3/100" in last
    assert "16.0 clips/s  0:48 left" in last
    assert shown.endswith("\x1b[?25h")
    assert "labels 2.50" in run(folder, terminal=True, width=40)


def test_all_numbers_reach_the_files(folder: RunFolder) -> None:
    run(folder, terminal=False)
    rows = folder.metrics("rl")
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert rows[0] == {"stage": "rl", "step": 1, **STEP}
    assert folder.timings()[1] == {
        "stage": "rl", "step": 2, m.CLIPS_PER_SECOND: 16.0, m.SECONDS: 0.5,
    }  # fmt: skip


def test_metrics_are_the_same_however_long_the_steps_took(tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        folder = RunFolder.open(mini(tmp_path / name))
        folder.start("rl", resume=False)
        out, clock = Console(file=io.StringIO()), Clock()
        log = RunLog(folder, "rl", steps=9, clips_per_step=2, console=out, clock=clock)
        for step in range(1, 4):
            clock.now += len(made) + 1 / 3
            log.step(step)
            log.write(step, {**STEP, "train_runtime": clock.now})
        made.append(folder)
    assert made[0].metrics_file.read_bytes() == made[1].metrics_file.read_bytes()
    assert made[0].timings_file.read_bytes() != made[1].timings_file.read_bytes()


def test_what_is_not_finite_is_null_and_said_once(folder: RunFolder) -> None:
    out = io.StringIO()
    console = Console(file=out, width=120)
    log = RunLog(folder, "rl", steps=9, clips_per_step=1, console=console)
    for step in (1, 2, 3):
        values = {m.LOSS: 0.5, m.KL: float("nan"), m.ENTROPY: float("-inf"), m.GRAD_NORM: None}
        log.write(step, {**values, "note": "text", "flag": True})
    said = out.getvalue()
    for name in (m.KL, m.ENTROPY, m.GRAD_NORM):
        assert said.count(f"{name} is not finite at step 1 (said once)") == 1
    assert said.count("not finite") == 3
    for row in map(json.loads, folder.metrics_file.read_text("utf-8").splitlines()):
        assert row[m.KL] is row[m.ENTROPY] is row[m.GRAD_NORM] is None
        assert row[m.LOSS] == 0.5
        assert "note" not in row and "flag" not in row


def test_names_and_texts_are_no_markup(folder: RunFolder) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, color_system=None)
    log = RunLog(folder, "rl", steps=9, clips_per_step=1, console=console)
    log.say("[bold]as it is[/bold] :smile:")
    log.write(1, {m.reward_mean("[red]x"): 0.5})
    assert "[bold]as it is[/bold] :smile:" in out.getvalue()
    assert "[red]x 0.500" in out.getvalue()


def test_speed_and_time_left_after_going_on(folder: RunFolder) -> None:
    clock = Clock()
    log = RunLog(
        folder, "rl", steps=100, clips_per_step=4, start=60, clock=clock,
        console=Console(file=io.StringIO()),
    )  # fmt: skip
    assert log.clips_per_second() is None
    assert log.seconds_left() is None
    clock.now += 2
    log.step(61)
    assert log.clips_per_second() == 2.0
    assert log.seconds_left() == 78.0
    log.close()


def test_other_processes_show_and_write_nothing(folder: RunFolder) -> None:
    other = RunFolder(folder.path, main=False)
    assert run(other, terminal=True) == ""
    assert not folder.metrics_file.exists()


def test_the_words_of_a_line() -> None:
    assert line({}) == ""
    assert line({"unknown": 1.0, m.KL: 0.0123}) == "KL 0.012"


def scalars(folder: RunFolder) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder.tensorboard_dir("rl")))
    events.Reload()
    return {
        name: [(event.step, round(event.value, 4)) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


@pytest.mark.train
def test_tensorboard_gets_the_same_and_forgets_what_is_done_again(folder: RunFolder) -> None:
    run(folder, terminal=False, tensorboard=True)
    assert scalars(folder)[m.LOSS] == [(1, 0.25), (2, 0.25), (3, 0.25)]
    out = Console(file=io.StringIO())
    with RunLog(
        folder, "rl", steps=9, clips_per_step=1, start=1, tensorboard=True, console=out
    ) as log:
        log.write(2, {m.LOSS: 0.125, m.KL: float("nan")})
    assert scalars(folder)[m.LOSS] == [(1, 0.25), (2, 0.125)]
    assert m.KL not in scalars(folder)


@pytest.fixture
def callbacks(folder: RunFolder) -> Callable[[], list[Any]]:
    from affectgpt_rl.training.callbacks import CheckpointCallback, LogCallback

    def make() -> list[Any]:
        console = Console(file=io.StringIO())
        log = RunLog(folder, "rl", steps=12, clips_per_step=1, console=console)
        return [LogCallback(log), CheckpointCallback(folder, "rl")]

    return make


@pytest.mark.train
def test_a_trainer_that_goes_on_leaves_the_same_metrics(
    folder: RunFolder, tmp_path: Path, callbacks: Callable[[], list[Any]], capsys: Any
) -> None:
    from affectgpt_rl.training.callbacks import attach
    from tiny_trainer import tiny_trainer

    def train(resume: Path | None) -> None:
        trainer = tiny_trainer(
            folder.stage_dir("rl"), steps=12, save_strategy="steps", save_steps=4,
            save_total_limit=2,
        )  # fmt: skip
        attach(trainer, *callbacks())
        trainer.train(resume_from_checkpoint=None if resume is None else str(resume))

    train(None)
    whole = folder.metrics_file.read_bytes()
    assert [row["step"] for row in folder.metrics() if m.LOSS in row] == list(range(1, 13))
    assert folder.metrics()[0][m.LOSS] > folder.metrics()[11][m.LOSS]
    last = folder.last_checkpoint("rl")
    assert last is not None
    assert last.name == "checkpoint-12"
    (last / "optimizer.pt").unlink()  # as if the process had been killed while it saved
    resumed = folder.start("rl", resume=True)
    assert resumed is not None
    assert resumed.name == "checkpoint-8"
    train(resumed)
    assert folder.metrics_file.read_bytes() == whole
    assert capsys.readouterr().out == ""
