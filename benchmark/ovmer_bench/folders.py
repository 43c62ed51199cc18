"""Folders that take the place of earlier ones whole or not at all, even when the writer is killed.

A folder is written in a scratch folder beside its place and exchanged with the one that stands
there in one step. Where the system offers no such step, the earlier one steps aside into the
scratch folder; if the writer is killed just then, the next one puts it back. The writer holds a
lock on its scratch folder, which ends with it, so that what was left behind is told from what
is being written.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NEW, _EARLIER = "new", "earlier"
_AT_CWD, _EXCHANGE = -100, 2
_ABANDONED = 3600.0
"""Seconds after which a scratch folder counts as left behind where there are no locks."""


@contextmanager
def folder_written_whole(target: Path, prefix: str, suffix: str = "") -> Iterator[Path]:
    """Yield an empty folder of ``target``'s name that takes its place at the end.

    On any error it is removed and what was at ``target`` stays. What killed writers left beside
    ``target`` is cleared first.

    Args:
        target: its parent is made where it is missing.
        prefix, suffix: of the name of the scratch folder, and of what is cleared.

    Raises:
        OSError: it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_unfinished(target.parent, prefix, suffix)
    with _scratch(target.parent, prefix, suffix) as scratch:
        made = scratch / _NEW / target.name
        made.mkdir(parents=True)
        yield made
        _put(made, target, scratch / _EARLIER / target.name)


def clear_unfinished(parent: Path, prefix: str, suffix: str = "") -> None:
    """Remove what killed writers left in ``parent``, and put back what had stepped aside.

    Raises:
        OSError: ``parent`` cannot be read, or a folder cannot be put back.
    """
    for scratch in _scratches(parent, prefix, suffix):
        with _claimed(scratch) as ours:
            if not ours:
                continue
            for earlier in stepped_aside(scratch):
                earlier.rename(parent / earlier.name)
            shutil.rmtree(scratch, ignore_errors=True)


def unfinished(parent: Path, prefix: str, suffix: str = "") -> list[Path]:
    """Folders in ``parent`` that had stepped aside for another, and for which none came."""
    return [
        earlier
        for scratch in _scratches(parent, prefix, suffix)
        for earlier in stepped_aside(scratch)
    ]


def stepped_aside(scratch: Path) -> list[Path]:
    """Folders in a scratch folder that nothing has taken the place of."""
    try:
        aside = sorted((scratch / _EARLIER).iterdir())
    except FileNotFoundError:
        return []  # None did, or the writer has just ended.
    return [path for path in aside if not (scratch.parent / path.name).exists()]


def _scratches(parent: Path, prefix: str, suffix: str) -> list[Path]:
    """Scratch folders of this kind: the name is as :mod:`tempfile` makes it."""
    name = re.compile(rf"{re.escape(prefix)}[a-z0-9_]{{8}}{re.escape(suffix)}")
    return [
        path
        for path in sorted(parent.iterdir())
        if name.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    ]


@contextmanager
def _scratch(parent: Path, prefix: str, suffix: str) -> Iterator[Path]:
    """A new folder, locked while it is in use, removed at the end."""
    while True:
        scratch = Path(tempfile.mkdtemp(dir=parent, prefix=prefix, suffix=suffix))
        # Before the lock is ours, another writer may take it for one left behind.
        with suppress(FileNotFoundError):
            lock = _opened(scratch)
            if lock is None or _is_ours(scratch, lock):
                break
            os.close(lock)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _is_ours(scratch: Path, lock: int) -> bool:
    """Wait for the lock; whether the folder is still there then."""
    _locked(lock, wait=True)
    try:
        return os.path.samestat(os.fstat(lock), scratch.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _claimed(scratch: Path) -> Iterator[bool]:
    """Whether a scratch folder was left behind; if so, it is ours in the meantime."""
    try:
        lock = _opened(scratch)
    except OSError:
        yield False  # Just gone.
        return
    try:
        held = None if lock is None else _locked(lock, wait=False)
        yield _is_old(scratch) if held is None else held
    finally:
        if lock is not None:
            os.close(lock)


def _opened(folder: Path) -> int | None:
    """A descriptor that can be locked; ``None`` where folders cannot be."""
    return None if sys.platform == "win32" else os.open(folder, os.O_RDONLY)


def _locked(descriptor: int, *, wait: bool) -> bool | None:
    """Whether the lock is ours now; ``None`` where the file system has none."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > _ABANDONED
    except OSError:
        return False


def _put(made: Path, target: Path, aside: Path) -> None:
    """Rename ``made`` to ``target``; what stood there is put back if that fails."""
    if not target.exists():
        made.rename(target)
        return
    if _exchanged(made, target):
        return
    aside.parent.mkdir()
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
