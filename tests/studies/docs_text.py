"""Pieces of Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence


def code(text: str) -> str:
    """``text`` set as code."""
    return f"`{text}`"


def listed(names: Iterable[str], last: str = "") -> str:
    """Names set as code, separated by commas, or by ``last`` before the last one."""
    shown = [code(name) for name in names]
    if last and len(shown) > 1:
        return f"{', '.join(shown[:-1])} {last} {shown[-1]}"
    return ", ".join(shown)


def fenced(text: str, kind: str = "text") -> str:
    """A code block."""
    return f"```{kind}\n{text.rstrip()}\n```\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int] = ()) -> str:
    """A table; columns in ``right`` are set flush right."""
    rules = ["---:" if i in right else "---" for i in range(len(heads))]
    lines = [heads, rules, *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def percent(value: float, digits: int = 2) -> str:
    """A fraction as percent without the sign."""
    return f"{round(100 * value, digits) + 0.0:.{digits}f}"  # + 0.0: never -0.00
