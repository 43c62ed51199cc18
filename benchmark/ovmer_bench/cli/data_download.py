"""``ovmer data download``: annotation files of gated data sets, with the user's own token."""

from __future__ import annotations

import click

from ..console import say
from .data_text import described


@click.command("download")
@click.argument("name")
@click.option("--allow-count", is_flag=True, help="Accept another number of clips.")
@click.option("--replace", is_flag=True, help="Replace an import that has more texts.")
def command(name: str, allow_count: bool, replace: bool) -> None:
    """Fetch the annotation files of corpus NAME from Hugging Face and import them.

    The data sets are gated: ask for access on their page, signed in, and give your own token as
    HF_TOKEN or by hf auth login. It is sent to Hugging Face alone (HF_ENDPOINT, where set).
    """
    from ..corpora.download import download_corpus

    done = download_corpus(name, allow_count=allow_count, replace=replace)
    say(f"fetched {', '.join(done.files)} from {done.repository}")
    for file in done.missing:
        say(f"{done.repository} holds no {file}")
    say(f"imported {described(done.corpus)}")
