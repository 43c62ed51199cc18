"""``ovmer data make``: write a split of a generated corpus to a folder."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..console import say
from ..corpora.registry import corpus_info
from ..errors import CorpusError
from .options import FILE

_MOST_JOBS = 4


@click.command("make")
@click.argument("name")
@click.option("--split", default="test", show_default=True, help="sft, rl or test.")
@click.option("--n", type=int, default=500, show_default=True, help="Number of clips.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the world.")
@click.option("--out", "folder", required=True, type=FILE, help="New, empty or unfinished folder.")
@click.option("--jobs", type=int, help="Processes that draw. Default: one a core, at most 4.")
def command(name: str, split: str, n: int, seed: int, folder: Path, jobs: int | None) -> None:
    """Draw clips of the generated corpus NAME (mini) and write them to a folder.

    The same split, seed and number give the same bytes. A run that was stopped is taken up.
    """
    from ..corpora.ovmer_mini.generate import NAME

    if corpus_info(name).name != NAME:
        raise CorpusError(
            f"{corpus_info(name).name} is not generated",
            accepted="mini",
            hint="Run: ovmer data list",
        )
    if jobs is None:
        jobs = min(os.cpu_count() or 1, _MOST_JOBS)
    say(_write(split, n, seed, folder, jobs))


def _write(split: str, n: int, seed: int, folder: Path, jobs: int) -> str:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from ..corpora.ovmer_mini.write import write_split

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A bar that cannot be redrawn in place would fill a log with its copies.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"mini {split}", total=max(n, 0))
        done = write_split(
            folder, split, n, seed=seed, jobs=jobs, progress=lambda k: bar.advance(task, k)
        )
    kept = f" ({done.n - done.made:,} were there)" if done.made < done.n else ""
    return f"{done.folder}: {done.n:,} clips{kept}, sample set {done.sha256[:12]}"
