"""``ovmer data``: corpora, imported from their official files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..console import plain_table, say, show
from ..corpora.importers import import_corpus
from ..corpora.registry import CORPORA, corpus_info
from ..corpora.store import imported, load_corpus, verify
from .data_download import command as download_command
from .data_make import command as make_command
from .data_media import command as media_command
from .data_text import described
from .options import FILE


@click.group("data")
def command() -> None:
    """List, fetch, import, verify, show and make corpora, and attach their media."""


command.add_command(download_command)
command.add_command(make_command)
command.add_command(media_command)


@command.command("list")
def list_command() -> None:
    """List all corpora and whether they are here."""
    here = imported()
    rows = plain_table("corpus", "kind", ">clips", "split", "here", "title")
    for info in CORPORA.values():
        state = "embedded" if info.embedded else "imported" if info.name in here else "-"
        rows.add_row(info.name, info.kind, f"{info.n:,}", info.split, state, info.title)
    show(rows)


@command.command("info")
@click.argument("name")
def info_command(name: str) -> None:
    """Say where corpus NAME is published, under which terms, and how to import it."""
    info = corpus_info(name)
    facts = {
        "title": info.title,
        "gold": f"{info.kind}, {info.n:,} clips, split {info.split}, language {info.language}",
        "main score": info.main_score,
        "published": ", ".join(info.published),
        "licence": info.licence,
        "paper": info.paper,
        "files": ", ".join((*info.label_files, *info.transcript_files, *info.description_files)),
        "fetch": f"ovmer data download {info.name}" if info.hub else "",
        "import": "" if info.embedded else f"ovmer data import {info.name} --from DIR",
    }
    say(info.name)
    for key, value in facts.items():
        if value:
            say(f"  {key}: {value}")


@command.command("import")
@click.argument("name")
@click.option("--from", "folder", required=True, type=FILE, help="Folder with official files.")
@click.option("--allow-count", is_flag=True, help="Accept another number of clips.")
@click.option("--replace", is_flag=True, help="Replace an import that has more texts.")
def import_command(name: str, folder: Path, allow_count: bool, replace: bool) -> None:
    """Read the official files of corpus NAME, check them, and keep what scoring needs."""
    corpus = import_corpus(name, folder, allow_count=allow_count, replace=replace)
    say(f"imported {described(corpus)}")


@command.command("verify")
@click.argument("names", nargs=-1)
def verify_command(names: tuple[str, ...]) -> None:
    """Check the imported corpora NAMES (default: all) against their manifests."""
    for name in names or imported():
        say(f"ok {described(verify(name))}")
    if not names and not imported():
        say("no corpus is imported")


@command.command("show")
@click.argument("name")
@click.argument("clip")
def show_command(name: str, clip: str) -> None:
    """Print clip CLIP of corpus NAME as JSON."""
    sample = load_corpus(name).sample(clip)
    say(json.dumps(sample.to_dict(), indent=2, ensure_ascii=False))
