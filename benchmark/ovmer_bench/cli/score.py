"""``ovmer score``: predictions in, trusted numbers out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ..console import say, show
from ..corpora.registry import MER_UNIBENCH
from ..errors import InputError
from ..files import write_texts
from ..metrics.gold import GoldLike, as_gold
from ..metrics.runs import RunSummary, UniBench, summarise, unibench
from ..metrics.score_report import ScoreReport, reports_json
from ..metrics.scoring import Evaluation, evaluate
from ..reading.readers import read_predictions
from ..reports.text import (
    latex,
    markdown,
    markdown_runs,
    markdown_unibench,
    render,
    render_runs,
    render_unibench,
)
from .options import (
    FILE,
    extractor_of,
    extractor_options,
    gold_of,
    gold_options,
    keep_inputs,
    scoring_options,
)

UNIBENCH_TASK = "mer_unibench"
_SUFFIXES = (".jsonl", ".csv", ".npz")


@click.command("score")
@click.argument("files", nargs=-1, required=True, type=FILE)
@gold_options
@scoring_options
@extractor_options
@click.option("--system", help="Name of the system (default: the file's name).")
@click.option("--json", "json_file", type=FILE, help="Write the report as JSON.")
@click.option("--html", "html_file", type=FILE, help="Write the report as one HTML page.")
@click.option("--latex", "as_latex", is_flag=True, help="Print a LaTeX table row.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print a Markdown table.")
def command(
    files: tuple[Path, ...],
    task: str | None,
    gold: Path | None,
    lexicon: str,
    allow_missing: bool,
    draws: int,
    seed: int,
    extractor: str,
    server_url: str | None,
    model: str | None,
    system: str | None,
    json_file: Path | None,
    html_file: Path | None,
    as_latex: bool,
    as_markdown: bool,
) -> None:
    """Score prediction FILES: JSONL, CSV, npz or lm-eval samples.

    Several files are runs of one system: each is scored, then mean and standard deviation.
    With --task mer_unibench, FILES is one folder that holds a file for each of the nine
    corpora, named after them.
    """
    reader = extractor_of(extractor, server_url, model)
    keep_inputs((json_file, html_file), (*files, gold))

    def run(file: Path, source: GoldLike, name: str) -> Evaluation:
        return evaluate(
            read_predictions(file),
            source,
            lexicon=lexicon,
            extractor=reader,
            allow_missing=allow_missing,
            system=name,
        )

    pairs: list[tuple[Path, GoldLike]]
    if task == UNIBENCH_TASK and gold is None:
        pairs = _unibench_files(files)
    else:
        source = as_gold(gold_of(task, gold))
        pairs = [(file, source) for file in files]
    if html_file is not None and len(pairs) > 1:
        raise click.UsageError("--html takes one prediction file")
    evaluations = [run(file, source, system or file.stem) for file, source in pairs]
    reports = [evaluation.report(draws=draws, seed=seed) for evaluation in evaluations]
    summary = _summary(reports, is_unibench=task == UNIBENCH_TASK)
    texts: dict[Path, str] = {}
    if json_file is not None:
        texts[json_file] = _json(reports, summary)
    if html_file is not None:
        from ..reports.html import html

        texts[html_file] = html(evaluations[0], reports[0])
    write_texts(texts)
    _print(reports, summary, as_latex, as_markdown)
    for written in texts:
        click.echo(f"wrote {written}", err=True)


def _summary(reports: list[ScoreReport], is_unibench: bool) -> RunSummary | UniBench | None:
    if is_unibench:
        return unibench(reports)
    return summarise(reports) if len(reports) > 1 else None


def _json(reports: list[ScoreReport], summary: RunSummary | UniBench | None) -> str:
    if summary is None:
        return reports[0].to_json()
    return reports_json(reports, dataclasses.asdict(summary))


def _print(
    reports: list[ScoreReport],
    summary: RunSummary | UniBench | None,
    as_latex: bool,
    as_markdown: bool,
) -> None:
    if as_latex:
        say(latex(reports).rstrip("\n"))
        return
    for report in reports:
        if as_markdown:
            say(markdown(report))
        else:
            show(render(report))
    if isinstance(summary, UniBench):
        if as_markdown:
            say(markdown_unibench(summary))
        else:
            show(render_unibench(summary))
    elif summary is not None:
        if as_markdown:
            say(markdown_runs(summary))
        else:
            show(render_runs(summary))


def _unibench_files(files: tuple[Path, ...]) -> list[tuple[Path, GoldLike]]:
    """The prediction file of each corpus of MER-UniBench that the folder holds."""
    if len(files) != 1 or not files[0].is_dir():
        raise InputError(
            "mer_unibench is scored from one folder",
            file=files[0],
            accepted=", ".join(f"{name}.jsonl" for name in MER_UNIBENCH),
        )
    found: list[tuple[Path, GoldLike]] = []
    for name in MER_UNIBENCH:
        present = [f for s in _SUFFIXES if (f := files[0] / f"{name}{s}").is_file()]
        if len(present) > 1:
            raise InputError(f"holds two files for {name}", file=files[0])
        found += [(file, name) for file in present]
    if not found:
        raise InputError(
            "holds no prediction file of MER-UniBench",
            file=files[0],
            accepted=", ".join(f"{name}.jsonl" for name in MER_UNIBENCH),
        )
    return found
