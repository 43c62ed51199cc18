"""Errors written for the person who reads them.

Every error that bad input can cause is an :class:`OvmerError`. The command line prints
``str(error)``, one line, and exits with :attr:`OvmerError.exit_code`; nothing is written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class OvmerError(Exception):
    """What was wrong, where, what is accepted, and what to do next.

    Args:
        message: what was wrong, naming the offending value.
        file: the file in which it was found.
        line: 1-based line in ``file``.
        field: name of the field or column.
        accepted: the values or the shape that would have been accepted.
        hint: what to do next, a sentence or a command.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        accepted: str | Iterable[str] | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.field = field
        if accepted is not None and not isinstance(accepted, str):
            accepted = ", ".join(accepted)
        self.accepted = accepted
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}" if place else f"line {self.line}"
        if self.field is not None:
            place += f"{', ' if place else ''}field {self.field!r}"
        text = f"{place}: {self.message}" if place else self.message
        if self.accepted:
            text += f" (accepted: {self.accepted})"
        if self.hint:
            text = f"{text.rstrip('.')}. {self.hint}"
        return _one_line(text)

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return _rebuild, (type(self), self.__dict__)


class InputError(OvmerError):
    """A file given by the user cannot be read as what it should be."""


class LexiconError(OvmerError):
    """A lexicon is unknown, missing, damaged, or not the one it claims to be."""


class CorpusError(OvmerError):
    """A corpus is unknown, not imported, damaged, or used where it must not be."""


class DownloadError(OvmerError):
    """A file could not be fetched whole and unaltered."""


class ChatError(OvmerError):
    """A language model behind a server gave no usable answer."""


class ExtractorError(OvmerError):
    """An extractor (a language model behind a server, say) did not give an answer."""


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """``"Did you mean 'x'?"`` for the nearest of ``known``, or an empty string."""
    near = difflib.get_close_matches(value, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def printable(text: str) -> str:
    """``text`` with what a terminal would obey or cannot show written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _one_line(text: str) -> str:
    """``text`` without characters that would break a terminal line, at most 1,000 long."""
    shown = printable(text[:1001])
    return shown if len(shown) <= 1000 else shown[:997] + "..."


def _rebuild(kind: type[OvmerError], state: dict[str, object]) -> OvmerError:
    error = kind.__new__(kind)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error
