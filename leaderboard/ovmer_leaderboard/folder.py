"""A folder written whole or not at all, in the place of the one before."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ovmer_bench.errors import InputError

MARK = "manifest.json"
"""Every site holds this file; a folder that has others and not this one is no site."""
_AT_CWD = -100
_EXCHANGE = 2


def write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Make ``folder`` hold ``files`` (relative path, content) and nothing else.

    The files are written beside it and take its place in one step, so that a build that
    fails or is killed leaves the folder as it was.

    Raises:
        InputError: ``folder`` holds something that is no site, or cannot be written.
    """
    target = Path(os.path.realpath(folder))
    try:
        _check_target(target, folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-", suffix=".part")
        made = Path(scratch) / "site"
        try:
            made.mkdir()
            for name, content in files:
                path = made / PurePosixPath(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            _replace(made, target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=folder) from None


def _check_target(target: Path, shown: Path) -> None:
    if not os.path.lexists(target):
        return
    if not target.is_dir():
        raise InputError("is not a folder", file=shown, hint="Give another --out.")
    if any(target.iterdir()) and not (target / MARK).is_file():
        raise InputError(
            "holds files that are no site",
            file=shown,
            accepted="a new folder, an empty one, or a site built before",
            hint="Give another --out; nothing was changed.",
        )


def _replace(made: Path, target: Path) -> None:
    if not target.exists():
        made.rename(target)
        return
    if _exchanged(made, target):
        return
    # Where the system cannot exchange two folders: the old one steps aside and comes back
    # when the new one cannot take its place.
    aside = made.with_name("before")
    target.rename(aside)
    try:
        made.rename(target)
    except OSError:
        aside.rename(target)
        raise


def _exchanged(a: Path, b: Path) -> bool:
    """Exchange two folders in one step; False where the system offers no such thing."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    done: int = rename(_AT_CWD, os.fsencode(a), _AT_CWD, os.fsencode(b), _EXCHANGE)
    return done == 0
