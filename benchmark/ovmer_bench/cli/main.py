"""Entry point: the command group, and the one place where errors become exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from .. import __version__
from ..errors import OvmerError

_COMMANDS = {
    "baseline": ".baseline",
    "compare": ".compare",
    "data": ".data",
    "doctor": ".doctor",
    "extract": ".extract",
    "lexicon": ".lexicon",
    "lm-eval": ".lm_eval",
    "score": ".score",
    "submit": ".submit",
    "tasks-dir": ".tasks_dir",
}


class _OutputError(Exception):
    """Standard output cannot be written; click would take an ``OSError`` for its own."""


class _LazyGroup(click.Group):
    """Imports a command when it is run or asked for help, so that each starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = import_module(_COMMANDS[name], __package__)
        command: click.Command = module.command
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ovmer")
def group() -> None:
    """Emotion-wheel scores for open-vocabulary emotion recognition (OV-MER)."""


def main() -> None:
    """Run ``ovmer``."""
    run(group, "ovmer")


def run(commands: click.Command, name: str) -> None:
    """Run a command line; bad input ends in one line on standard error and exit code 2."""
    _show_any_text()
    commands.invoke = _telling_output_errors(commands.invoke)  # type: ignore[assignment, method-assign]
    try:
        commands.main(prog_name=name, standalone_mode=False)
    except OvmerError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except _OutputError as wrapped:
        _drop_output()
        if isinstance(wrapped.__cause__, BrokenPipeError):
            # The reader of our output went away (ovmer ... | head): nothing is wrong.
            sys.exit(0)
        click.echo(f"error: {OvmerError(str(wrapped.__cause__))}", err=True)
        sys.exit(OvmerError.exit_code)


def _telling_output_errors(
    invoke: Callable[[click.Context], Any],
) -> Callable[[click.Context], Any]:
    """Files name themselves in errors, so what else the system refuses is the output."""

    def told(context: click.Context) -> Any:
        try:
            return invoke(context)
        except OSError as error:
            raise _OutputError from error

    return told


def _show_any_text() -> None:
    """Escape what a terminal's or pipe's encoding cannot show, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Let what is still in the buffer go nowhere, or Python would fail on it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
