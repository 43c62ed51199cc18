"""``ovmer compare``: which differences are real."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import click

from ..console import show
from ..files import write_text
from ..metrics.comparison import DEFAULT_ALPHA, compare
from ..metrics.gold import as_gold
from ..metrics.scoring import evaluate
from ..reading.readers import read_predictions
from ..reports.text import render_comparison
from .options import (
    FILE,
    extractor_of,
    extractor_options,
    gold_of,
    gold_options,
    keep_inputs,
    scoring_options,
)


@click.command("compare")
@click.argument("files", nargs=-1, required=True, type=FILE)
@gold_options
@scoring_options
@extractor_options
@click.option("--score", "scores", multiple=True, help="Score to compare (repeatable).")
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=DEFAULT_ALPHA,
    show_default=True,
    help="Level after correction.",
)
@click.option("--json", "json_file", type=FILE, help="Write the comparison as JSON.")
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
    scores: tuple[str, ...],
    alpha: float,
    json_file: Path | None,
) -> None:
    """Compare systems, whose predictions stand in FILES, one each, on the same corpus.

    Every pair is tested by a paired bootstrap and by approximate randomisation; p-values are
    corrected for the number of pairs.
    """
    if draws == 0:
        raise click.UsageError("comparing needs --draws of at least 1")
    if math.isnan(alpha):
        raise click.UsageError("--alpha is no number")
    reader = extractor_of(extractor, server_url, model)
    keep_inputs([json_file], (*files, gold))
    source = as_gold(gold_of(task, gold))
    evaluations = [
        evaluate(
            read_predictions(file),
            source,
            lexicon=lexicon,
            extractor=reader,
            allow_missing=allow_missing,
            system=name,
        )
        for file, name in zip(files, _names(files), strict=True)
    ]
    comparison = compare(evaluations, scores or None, alpha=alpha, draws=draws, seed=seed)
    if json_file is not None:
        text = json.dumps(dataclasses.asdict(comparison), indent=2, ensure_ascii=False)
        write_text(json_file, text + "\n")
        click.echo(f"wrote {json_file}", err=True)
    show(render_comparison(comparison))


def _names(files: tuple[Path, ...]) -> list[str]:
    """Stems where they tell the files apart, else whole paths."""
    stems = [file.stem for file in files]
    return stems if len(set(stems)) == len(stems) else [str(file) for file in files]
