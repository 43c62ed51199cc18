"""The study: a grid of trainings, then tables, plots and claims of its page."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from ovmer_bench.files import write_text

from .config import load_study
from .jobs import Failure, Jobs
from .kept import keep, kept_runs
from .page import page
from .plan import plan
from .plots import plot
from .progress import StudyProgress
from .results import Results, collect


def run_study(path: Path, *, jobs: int, only: Collection[str]) -> list[Failure]:
    """Run what is not done of a study.

    Args:
        path: of its file.
        jobs: runs at a time.
        only: names of arms; just these and what they begin with.

    Returns:
        The runs that failed.

    Raises:
        OvmerError: the configuration, or a run folder of other settings.
    """
    study = load_study(path)
    runs = plan(study, path.parent, only)
    output = Path(study.output)
    output.mkdir(parents=True, exist_ok=True)
    done = sum(run.done() for run in runs)
    progress: StudyProgress
    made = Jobs(output, lambda run, event: progress.tell(run, event))
    progress = StudyProgress(len(runs), done, jobs, made.log_of)
    # Told to end, it ends its processes first, as it does at the keyboard's word.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress.shown():
            return made.run_all(runs, jobs)
    finally:
        signal.signal(signal.SIGTERM, before)


def write_study(path: Path, *, draws: int) -> list[Path]:
    """Score what is done of a study, keep its answers, and write page, plots and numbers.

    Runs whose folders are not here count by the answers that were kept of them.

    Args:
        path: of its file.
        draws: of bootstrap and randomisation.

    Returns:
        What was written, of the answers their folder.

    Raises:
        OvmerError: the configuration, or a run folder that cannot be read.
    """
    study = load_study(path)
    runs = plan(study, path.parent)
    target = (path.parent / study.page).resolve()
    folder = (path.parent / study.answers).resolve()
    numbers = target.with_suffix(".json")
    before = Results.read(numbers) if numbers.is_file() else None
    answers = {r.key: r.predictions for r in runs if r.done() and r.predictions.is_file()}
    kept = kept_runs(before, folder, runs)
    results = collect(study, runs, answers, kept, draws=draws)
    if before is not None and not answers:  # nothing was run with what is installed here
        results = replace(results, versions=before.versions)
    keep(answers, folder)
    return [*write_page(results, target, path), *([folder] if answers else [])]


def write_page(results: Results, target: Path, config: Path) -> list[Path]:
    """Write page, plots and numbers of results; those of one make of the same bytes.

    Args:
        results: of a study.
        target: the page; plots go to ``images/`` beside it, numbers to a JSON file.
        config: the study's file.
    """
    # As read again from the file, where numbers are rounded: it alone makes the page.
    results = Results.parse(results.to_json())
    files: dict[Path, str] = {}
    pictures: list[str | None] = []
    for number, question in enumerate(results.study.questions, 1):
        name = f"{target.stem}-{number}"
        drawn = plot(question, results, name)
        picture = target.parent / "images" / f"{name}.svg"
        pictures.append(_from_root(picture, target) if drawn is not None else None)
        if drawn is not None:
            files[picture] = drawn
    files[target.with_suffix(".json")] = results.to_json()
    files[target] = page(results, pictures, config=_from_root(config.resolve(), target))
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, text)
    return list(files)


def _from_root(file: Path, target: Path) -> str:
    """Path from the folder above that of the page, where a project has its root."""
    return Path(os.path.relpath(file, target.parent.parent)).as_posix()


def said_of(failure: Failure) -> str:
    """A failure, for people: why, and what its log ends with."""
    lines = "".join(f"\n    {line}" for line in failure.log)
    return f"{failure.run.title}: {failure.reason}{lines}"
