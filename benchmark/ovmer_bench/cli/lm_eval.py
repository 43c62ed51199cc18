"""``ovmer lm-eval``: the harness with our tasks and models, wherever it is installed."""

from __future__ import annotations

import click

from ..harness.setup import run_harness


@click.command(
    "lm-eval",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run lm_eval with ARGUMENTS, our tasks and the model ovmer-replay known to it."""
    run_harness(arguments)
