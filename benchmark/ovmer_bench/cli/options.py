"""Options that several commands share, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import InputError
from ..lexicon import BUILTIN_ID
from ..metrics.gold import GoldLike
from ..metrics.significance import DEFAULT_DRAWS, DEFAULT_SEED
from ..parsing import Extractor

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, readable=False)
"""Any path: what is wrong with it, reading and writing say in one line."""


def _together(*options: Callable[[F], F]) -> Callable[[F], F]:
    def apply(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


gold_options = _together(
    click.option("--task", "-t", help="Corpus to score against (see: ovmer data list)."),
    click.option("--gold", type=FILE, help="Gold file instead of a corpus: JSONL, CSV or npz."),
)

scoring_options = _together(
    click.option("--lexicon", default=BUILTIN_ID, show_default=True, help="Lexicon id."),
    click.option("--allow-missing", is_flag=True, help="Score missing predictions as empty."),
    click.option(
        "--draws",
        type=click.IntRange(0, 100_000),
        default=DEFAULT_DRAWS,
        show_default=True,
        help="Bootstrap draws.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0, 2**32 - 1),
        default=DEFAULT_SEED,
        show_default=True,
        help="Seed of the draws.",
    ),
)

extractor_options = _together(
    click.option(
        "--extractor",
        type=click.Choice(["rules", "server", "local"]),
        default="rules",
        show_default=True,
        help="What reads labels from prose: the built-in rules, a language model behind an "
        "OpenAI-compatible server, or a local Hugging Face model.",
    ),
    click.option("--server-url", help="Base address of the server, for example http://host/v1."),
    click.option("--model", help="Model name at the server, or folder of the local model."),
)


def gold_of(task: str | None, gold: Path | None) -> GoldLike:
    """The gold that ``--task`` or ``--gold`` names; exactly one must be given."""
    if (task is None) == (gold is None):
        raise click.UsageError("give one of --task NAME and --gold FILE")
    if task is not None:
        return task
    return Path(gold) if gold is not None else ""


def keep_inputs(written: Sequence[Path | None], read: Sequence[Path | None]) -> None:
    """Make sure that no file to be written is one that is read, or is written twice."""
    inputs = {os.path.realpath(path) for path in filter(None, read)}
    outputs: set[str] = set()
    for path in filter(None, written):
        place = os.path.realpath(path)
        if place in inputs | outputs:
            role = "is also read" if place in inputs else "would be written twice"
            raise InputError(role, file=path, hint="Name another file to write.")
        outputs.add(place)


def extractor_of(extractor: str, server_url: str | None, model: str | None) -> Extractor | None:
    """The extractor that the options name; ``None`` for the built-in rules."""
    if extractor == "rules":
        if server_url or model:
            raise click.UsageError("--server-url and --model go with --extractor server or local")
        return None
    if not model:
        raise click.UsageError(f"--extractor {extractor} needs --model")
    if extractor == "local":
        from ..parsing.llm_extractor import LocalExtractor

        return LocalExtractor(model)
    if not server_url:
        raise click.UsageError("--extractor server needs --server-url")
    from ..parsing.llm_extractor import ServerExtractor

    return ServerExtractor(server_url, model)
