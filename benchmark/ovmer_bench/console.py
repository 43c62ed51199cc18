"""Printing: one console and one table style for all commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

PIPE_WIDTH = 110


def show(*parts: RenderableType) -> None:
    """Print rich renderables: in colour on a terminal, plain text in a pipe or file.

    Text is printed as it is: brackets and colons in a label are no markup.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    with console.capture() as printed:
        for part in parts:
            console.print(part, crop=False)
    # Not by rich itself: it ends the program when the reader of a pipe is gone.
    click.echo(printed.get(), nl=False)


def say(text: str) -> None:
    """Print one plain line."""
    click.echo(text)


def plain_table(*columns: str, title: str | None = None) -> Table:
    """An empty rich table; a column named ``>NAME`` is set flush right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column[0] == ">" else "left")
    return made
