"""The board as a folder of files: pages, data, assets; the same board gives the same bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from ovmer_bench.errors import InputError

from .assets import asset_files
from .board import Board
from .compare_data import compare_files
from .data_files import data_files, json_bytes
from .folder import MARK, write_folder
from .pages import pages
from .wheels import style_sheet

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,120}")


def build(board: Board, folder: str | Path) -> None:
    """Write the site of ``board`` to ``folder``, whole or not at all.

    Raises:
        InputError: a name that is no file name, or a folder that cannot be written.
    """
    write_folder(Path(folder), site_files(board))


def site_files(board: Board) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file of the site; the last lists the others by their hash."""
    _check_names(board)
    hashes = {}
    for path, content in _files(board):
        hashes[path] = hashlib.sha256(content).hexdigest()
        yield path, content
    about = {"schema_version": board.schema_version, "version": board.version}
    yield MARK, json_bytes({**about, "files": dict(sorted(hashes.items()))})


def _files(board: Board) -> Iterator[tuple[str, bytes]]:
    for path, text in pages(board):
        yield path, text.encode("utf-8")
    yield from data_files(board)
    yield from compare_files(board)
    for name, content in asset_files().items():
        yield f"assets/{name}", content
    yield "assets/scale.css", style_sheet().encode("utf-8")
    # A host that runs pages through Jekyll leaves the files alone when it finds this one.
    yield ".nojekyll", b""


def _check_names(board: Board) -> None:
    """Names become paths and addresses; what made them promises that they can."""
    names = [
        *(system.name for system in board.systems),
        *(task.name for task in board.tasks),
        *(table.id for table in board.tables),
        *(lexicon.id for lexicon in board.lexicons),
    ]
    for name in names:
        if not _SAFE.fullmatch(name):
            raise InputError(f"{name!r} is no name for a file", accepted="letters, digits, ._+-")
    seen: dict[str, str] = {}
    for name in (*(s.name for s in board.systems), *(f"table {t.id}" for t in board.tables)):
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise InputError(f"{name!r} and {other!r} differ by case alone")
