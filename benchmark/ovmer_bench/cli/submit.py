"""``ovmer submit``: predictions and their provenance become a submission."""

from __future__ import annotations

from pathlib import Path

import click

from ..console import say
from ..errors import InputError, OvmerError
from ..submission import TaskCheck, check_folder
from .options import FILE

DEFAULT_TO = Path("leaderboard/submissions")


@click.command("submit")
@click.option("--name", help="Name of the submission: lower-case letters, digits, - . _")
@click.option(
    "--predictions",
    multiple=True,
    metavar="PATH",
    help="Folder, file named after its corpus, lm-eval samples, or CORPUS=FILE; repeatable.",
)
@click.option("--meta", type=FILE, help="YAML file with the provenance.")
@click.option(
    "--to", type=FILE, default=DEFAULT_TO, show_default=True, help="Folder of the submissions."
)
@click.option("--replace", is_flag=True, help="Put it in the place of an earlier one.")
@click.option(
    "--check", "checked", type=FILE, help="Check a submission, or a folder of them; write nothing."
)
def command(
    name: str | None,
    predictions: tuple[str, ...],
    meta: Path | None,
    to: Path,
    replace: bool,
    checked: Path | None,
) -> None:
    """Check predictions and pack them as a submission to the leaderboard.

    Numbers are not submitted: the leaderboard scores the predictions. Of lm-eval samples only
    the answers are kept.
    """
    if checked is not None:
        if name or predictions or meta:
            raise click.UsageError("--check goes with no other option")
        _check(checked)
        return
    if not (name and predictions and meta):
        raise click.UsageError("give --name, --predictions and --meta, or --check")
    from ..submission.pack import pack

    submission, checks = pack(name, predictions, meta, to, replace=replace)
    for line in _told(checks):
        say(line)
    click.echo(f"wrote {submission.folder}", err=True)


def _check(folder: Path) -> None:
    """Say what was checked of every submission, then fail if one was refused."""
    total = refused = 0
    for path, outcome in check_folder(folder):
        total += 1
        if isinstance(outcome, OvmerError):
            refused += 1
            say(f"refused {path.name}: {outcome}")
            continue
        say(f"ok      {path.name}")
        for line in _told(outcome):
            say(f"        {line}")
    if refused:
        raise InputError(f"{refused} of {total} submissions refused", file=folder)
    if not total:
        say("no submission")


def _told(checks: list[TaskCheck]) -> list[str]:
    how = {True: "ids checked against gold", False: "gold is not here; clips counted"}
    return [f"{c.task}: {c.clips:,} clips, {how[c.against_gold]}" for c in checks]
