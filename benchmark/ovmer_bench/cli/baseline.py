"""``ovmer baseline``: predictions of systems that need no language model."""

from __future__ import annotations

from pathlib import Path

import click

from ..metrics.gold import as_gold
from ..reading.readers import write_predictions
from ..reference_systems import SYSTEMS, predict
from .options import FILE, gold_of, gold_options, keep_inputs


@click.command("baseline")
@click.argument("name", type=click.Choice(list(SYSTEMS)))
@gold_options
@click.option("--out", required=True, type=FILE, help="Prediction file to write (JSONL).")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of shuffled, and of the folds of classifiers.",
)
def command(name: str, task: str | None, gold: Path | None, out: Path, seed: int) -> None:
    """Write the predictions of reference system NAME."""
    keep_inputs([out], [gold])
    corpus = as_gold(gold_of(task, gold))
    predictions = predict(name, corpus, seed)
    write_predictions(out, predictions)
    click.echo(f"wrote {out}: {len(predictions)} clips", err=True)
