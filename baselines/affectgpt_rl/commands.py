"""The command lines of the trainer; each script beside this package runs one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from ovmer_bench.significance import DEFAULT_DRAWS

if TYPE_CHECKING:
    from .config_sections import Modality
    from .media_gate import OnMissing

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
    from .run_report import write_report
    from .stages import cold_start

    folder = cold_start(run)
    if run.folder.main:
        click.echo(f"wrote {folder}")
        click.echo(f"wrote {write_report(run.folder.path)}")
        click.echo(f"next: python baselines/rl_train.py --config {path}")


@click.command("rl_train.py", context_settings={"help_option_names": ["-h", "--help"]})
@_of_a_run
def rl(path: Path, overrides: tuple[str, ...], resume: bool) -> None:
    """GRPO with emotion-wheel rewards, on the cold start of the run; made first if need be."""
    run = _opened(path, overrides, resume)
    from .guards import EXIT_CODE
    from .run_report import write_report
    from .stages import reinforce

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
              help="Show only this of each clip, again for more (default: as trained).")  # fmt: skip
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
    from .prediction import predict_task

    count = predict_task(
        checkpoint,
        task,
        out,
        batch_size=batch_size,
        modalities=modalities or None,
        on_missing=on_missing,
    )
    click.echo(f"wrote {out}: {count} clips")
    click.echo(f"next: ovmer score {out} --task {task}")


@click.command("study.py", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "path", type=_PATH, required=True, help="YAML file of the study.")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True,
              help="Runs at a time.")  # fmt: skip
@click.option("--only", multiple=True, help="Only this arm, again for more.")
@click.option("--draws", type=click.IntRange(1), default=DEFAULT_DRAWS, show_default=True,
              help="Bootstrap draws of the paired tests.")  # fmt: skip
def study(path: Path, jobs: int, only: tuple[str, ...], draws: int) -> None:
    """Run a grid of trainings, those that are not done yet, and write tables and plots."""
    from .study import run_study

    for written in run_study(path, jobs=jobs, only=only, draws=draws):
        click.echo(f"wrote {written}")


def _opened(path: Path, overrides: tuple[str, ...], resume: bool) -> Any:
    """The run; torch is imported only once the configuration is known to be good."""
    from .config import load_config

    config = load_config(path, overrides)
    from transformers.utils import logging

    from .stages import Run

    logging.disable_progress_bar()  # ours says more
    return Run.open(config, resume=resume)
