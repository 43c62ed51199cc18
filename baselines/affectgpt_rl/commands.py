"""The command lines of the trainer; each script beside this package runs one."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .config.sections import Modality
    from .data.media_gate import OnMissing

_PATH = click.Path(path_type=Path)


def _of_a_run(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that trains."""
    for option in (
        click.option("--resume", is_flag=True,
                     help="Go on where an interrupted run stopped."),
        click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE",
                     help="Another value for a setting, such as grpo.beta=0; again for more."),
        click.option("--config", "path", type=_PATH, required=True,
                     help="YAML file with every setting of the run."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command("sft_train.py", context_settings={"help_option_names": ["-h", "--help"]})
@_of_a_run
def sft(path: Path, overrides: tuple[str, ...], resume: bool) -> None:
    """Cold start: warm up new encoders, then train on descriptions and gold."""
    run = _opened(path, overrides, resume)
    from .runs.report import write_report
    from .training.stages import cold_start

    folder = cold_start(run)
    if run.folder.main:
        click.echo(f"wrote {folder}")
        click.echo(f"wrote {write_report(run.folder.path)}")
        again = " ".join(f"--set {shlex.quote(one)}" for one in overrides)
        click.echo(f"next: python baselines/rl_train.py --config {path} {again}".rstrip())


@click.command("rl_train.py", context_settings={"help_option_names": ["-h", "--help"]})
@_of_a_run
def rl(path: Path, overrides: tuple[str, ...], resume: bool) -> None:
    """GRPO with emotion-wheel rewards, on the cold start of the run; made first if need be."""
    run = _opened(path, overrides, resume)
    from .runs.guards import EXIT_CODE
    from .runs.report import write_report
    from .training.stages import reinforce

    verdict = reinforce(run)
    if not run.folder.main:
        return
    click.echo(f"wrote {run.folder.final_dir('rl')}")
    click.echo(f"wrote {write_report(run.folder.path)}")
    if verdict is not None:
        click.echo(f"stopped early: {verdict.reason}", err=True)
        sys.exit(EXIT_CODE)


@click.command("predict.py", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--checkpoint", type=_PATH, required=True,
              help="A trained policy: sft/final or rl/final of a run folder.")  # fmt: skip
@click.option("--task", required=True, help="Corpus to answer, or a JSONL file of samples.")
@click.option("--out", type=_PATH, required=True, help="Prediction file to write.")
@click.option("--batch-size", type=click.IntRange(1), default=50, show_default=True,
              help="Clips answered at once.")  # fmt: skip
@click.option("--modality", "modalities", multiple=True,
              type=click.Choice(["frames", "audio", "subtitle"]),
              help="Show only this of a clip, again for more (default: as trained).")  # fmt: skip
@click.option("--on-missing", type=click.Choice(["fail", "skip"]), default="fail",
              show_default=True, help="Clips whose media cannot be read.")  # fmt: skip
def predict(
    checkpoint: Path,
    task: str,
    out: Path,
    batch_size: int,
    modalities: tuple[Modality, ...],
    on_missing: OnMissing,
) -> None:
    """Answer every clip of a task greedily, and write a prediction file for `ovmer score`."""
    from transformers.utils import logging

    from .training.prediction import predict_task

    logging.disable_progress_bar()

    count = predict_task(
        checkpoint,
        task,
        out,
        batch_size=batch_size,
        modalities=modalities or None,
        on_missing=on_missing,
    )
    click.echo(f"wrote {out}: {count} clips")
    option = "--gold" if task.endswith(".jsonl") else "--task"
    click.echo(f"next: ovmer score {out} {option} {task}")


@click.command("study.py", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "path", type=_PATH, required=True, help="YAML file of the study.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Runs at a time.")  # fmt: skip
@click.option("--only", multiple=True, metavar="ARM",
              help="Only this arm and what it begins with, again for more.")  # fmt: skip
@click.option("--page-only", is_flag=True, help="Run nothing, write the page of what is done.")
@click.option("--draws", type=click.IntRange(1), default=5000, show_default=True,
              help="Bootstrap draws of the paired tests.")  # fmt: skip
def study(path: Path, jobs: int, only: tuple[str, ...], page_only: bool, draws: int) -> None:
    """Run a grid of trainings, those that are not done yet, and write tables and plots.

    Each training is a process of its own on one core. A study that was interrupted goes on when
    it is started again.
    """
    from .study import run_study, said_of, write_study

    failures = [] if page_only else run_study(path, jobs=jobs, only=only)
    for written in write_study(path, draws=draws):
        click.echo(f"wrote {written}")
    for failure in failures:
        click.echo(said_of(failure), err=True)
    if failures:
        click.echo(f"{len(failures)} runs failed", err=True)
        sys.exit(1)


@click.command("measure.py", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--shape", "shapes", multiple=True,
              type=click.Choice(["tiny", "narrow-7b", "shallow-7b"]),
              help="Again for more (default: tiny, narrow-7b; on a GPU shallow-7b).")  # fmt: skip
@click.option("--precision", "precisions", multiple=True, type=click.Choice(["fp32", "bf16"]),
              help="Again for more (default: fp32, and bf16 on a GPU).")  # fmt: skip
@click.option("--device", type=click.Choice(["cpu", "cuda"]),
              help="Default: the GPU where there is one.")  # fmt: skip
@click.option("--prompts", type=click.IntRange(1), default=8, show_default=True,
              help="Clips of a step.")  # fmt: skip
@click.option("--generations", type=click.IntRange(2), default=8, show_default=True,
              help="Answers to each.")  # fmt: skip
@click.option("--tokens", type=click.IntRange(1), default=64, show_default=True,
              help="Longest answer.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), default=5, show_default=True,
              help="Measured steps, after two that are not.")  # fmt: skip
@click.option("--layers", type=click.IntRange(1), default=4, show_default=True,
              help="Layers of each part of shallow-7b.")  # fmt: skip
@click.option("--json", "out", type=_PATH, help="File to write the results to.")
def measure(
    shapes: tuple[str, ...],
    precisions: tuple[str, ...],
    device: str | None,
    out: Path | None,
    **load: int,
) -> None:
    """Measure tokens and clips a second, where a step's time goes, and peak memory."""
    import torch
    from rich.console import Console

    from .runs.environment import environment
    from .training.measure import Load, check_device, measure_all, table_of, write_results

    gpu = torch.cuda.is_available()
    device = device or ("cuda" if gpu else "cpu")
    on_gpu = device == "cuda"
    precisions = precisions or (("fp32", "bf16") if on_gpu else ("fp32",))
    shapes = shapes or ("tiny", "shallow-7b" if on_gpu else "narrow-7b")
    check_device(device, precisions)
    console = Console(stderr=True)
    found = measure_all(
        shapes,
        precisions,
        Load(**load),
        device=device,
        on_result=lambda one: console.print(f"{one.shape} {one.precision}: done"),
    )
    Console().print(table_of(found))
    if out is not None:
        write_results(out, found, Load(**load), environment())
        click.echo(f"wrote {out}")


def _opened(path: Path, overrides: tuple[str, ...], resume: bool) -> Any:
    """The run; torch is imported only once the configuration is known to be good."""
    from .config import load_config

    config = load_config(path, overrides)
    from transformers.utils import logging

    from .training.stages import Run

    logging.disable_progress_bar()  # ours says more
    return Run.open(config, resume=resume)
