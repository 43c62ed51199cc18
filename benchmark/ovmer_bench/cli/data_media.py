"""``ovmer data media``: a user's folder of media, attached to an imported corpus."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..console import plain_table, say, show
from ..corpora.media_check import MediaReport, check_media, damaged, listed
from ..corpora.media_errors import MediaError
from ..corpora.media_folder import KINDS, Kind
from ..corpora.registry import corpus_info
from ..corpora.store import Attached, attach_media, load_corpus
from ..errors import CorpusError, InputError, printable
from ..reading.schema import Sample
from .options import FILE

_MOST_JOBS = 4


@click.command("media")
@click.argument("name")
@click.option("--root", type=FILE, help="Folder with ID.mp4, ID.wav, ID/*.jpg and the like.")
@click.option(
    "--only",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="Take videos, folders of frames, or sound files alone (repeatable).",
)
@click.option("--replace", is_flag=True, help="Forget what was attached before.")
@click.option(
    "--check", is_flag=True, help="Read every file, list what cannot be used; exit code 2 if any."
)
def command(
    name: str, root: Path | None, kinds: tuple[Kind, ...], replace: bool, check: bool
) -> None:
    """Attach the media of corpus NAME, found by the ids of its clips, or check them.

    Files stay where they are. Without --root, what is attached is listed or checked.
    """
    info = corpus_info(name)
    if root is None:
        if kinds or replace:
            raise InputError("missing", field="--root", accepted="a folder of media")
        if info.embedded:
            raise CorpusError(f"{info.name} is part of the package; it takes no media")
        samples = load_corpus(name).samples
        if not any(sample.media for sample in samples):
            raise MediaError(
                f"no media are attached to {info.name}",
                problem="missing",
                hint=f"Run: ovmer data media {info.name} --root DIR",
            )
        say(f"{info.name}: {_counted(samples)}")
    else:
        done = attach_media(name, root, kinds=kinds or None, replace_all=replace)
        samples = done.corpus.samples
        say(_described(done))
    if check:
        having = [sample for sample in samples if sample.media]
        report = _checked(having)
        _show_report(report)
        if bad := damaged(having, report):
            raise MediaError(
                f"{info.name}: files of {len(bad):,} of {len(having):,} clips cannot be used:"
                f" {listed(bad)}",
                problem="corrupt",
                hint=f"Mend them, or attach others: ovmer data media {info.name} --root DIR",
            )


def _described(done: Attached) -> str:
    files = [kind for found in done.found.clips.values() for kind in found]
    found = ", ".join(f"{files.count(kind):,} {kind}" for kind in KINDS if kind in files)
    info = done.corpus.info
    return f"{info.name}: found {found}; attached: {_counted(done.corpus.samples)}"


def _counted(samples: tuple[Sample, ...]) -> str:
    view = [sample.media.keys() & {"video", "frames"} for sample in samples]
    sound = ["audio" in sample.media for sample in samples]
    pairs = list(zip(view, sound, strict=True))
    both = sum(bool(v) and s for v, s in pairs)
    counts = {
        "both": both,
        "pictures only": sum(map(bool, view)) - both,
        "sound only": sum(sound) - both,
        "neither": sum(not v and not s for v, s in pairs),
    }
    said = ", ".join(f"{what} {n:,}" for what, n in counts.items())
    return f"{len(samples):,} clips ({said})"


def _checked(samples: list[Sample]) -> MediaReport:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # A bar that cannot be redrawn in place would fill a log with its copies.
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("clips", total=len(samples))
        jobs = min(os.cpu_count() or 1, _MOST_JOBS)
        return check_media(samples, jobs=jobs, progress=lambda k: bar.advance(task, k))


def _show_report(report: MediaReport) -> None:
    n = len(report.clips)
    usable = ", ".join(f"{part} of {len(report.having(part)):,}" for part in report.parts)
    say(f"checked {n:,} clips with media; can be used: {usable}")
    if report.findings:
        rows = plain_table("clip", "part", "problem", "what")
        for finding in report.findings:
            rows.add_row(finding.clip, finding.part, finding.problem, printable(finding.text))
        show(rows)
