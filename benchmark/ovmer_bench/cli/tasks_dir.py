"""``ovmer tasks-dir``: where the task files are."""

from __future__ import annotations

import click

from ..console import say
from ..harness import tasks_dir


@click.command("tasks-dir")
def command() -> None:
    """Print the folder of the task files, for `lm_eval --include_path`."""
    say(str(tasks_dir()))
