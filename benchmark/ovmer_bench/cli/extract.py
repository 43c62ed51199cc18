"""``ovmer extract``: raw model text in, labels out."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import InputError
from ..lexicon import load_lexicon
from ..parsing import parse_outputs
from ..reading.label_field import split_labels
from ..reading.readers import read_predictions, write_predictions
from ..reading.schema import Prediction
from .options import FILE, extractor_of, extractor_options, keep_inputs


@click.command("extract")
@click.argument("source", metavar="IN", type=FILE)
@click.argument("target", metavar="OUT", type=FILE)
@extractor_options
def command(
    source: Path,
    target: Path,
    extractor: str,
    server_url: str | None,
    model: str | None,
) -> None:
    """Read labels from the raw outputs in IN and write them to OUT (JSONL)."""
    if target.suffix != ".jsonl":
        raise InputError(
            f"{target.suffix or 'no suffix'} is not a format to write",
            file=target,
            accepted=".jsonl",
        )
    keep_inputs([target], [source])
    reader = extractor_of(extractor, server_url, model)
    predictions = read_predictions(source).predictions
    raw = [p for p in predictions if p.output is not None]
    parsed = parse_outputs([p.output or "" for p in raw], load_lexicon(), reader)
    read = {p.id: result for p, result in zip(raw, parsed, strict=True)}
    labels = [read[p.id].labels if p.id in read else split_labels(p.labels) for p in predictions]
    write_predictions(
        target, [Prediction(id=p.id, labels=ls) for p, ls in zip(predictions, labels, strict=True)]
    )
    kept = sum(result.format_kept for result in parsed)
    empty = sum(not said for said in labels)
    click.echo(
        f"{len(predictions)} clips, {sum(map(len, labels))} labels, {empty} empty; "
        f"{len(raw)} raw outputs, {kept} of them nothing but a label list",
        err=True,
    )
    click.echo(f"wrote {target}", err=True)
