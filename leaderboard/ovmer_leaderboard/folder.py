"""The folder of a site: written whole or not at all, in the place of the one before."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ovmer_bench.errors import InputError
from ovmer_bench.folders import folder_written_whole

MARK = "manifest.json"
"""Every site holds this file; a folder that has others and not this one is no site."""


def write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Make ``folder`` hold ``files`` (relative path, content) and nothing else.

    The files are written beside it and take its place in one step, so that a build that
    fails or is killed leaves the folder as it was. What a killed build left is removed.

    Raises:
        InputError: ``folder`` holds something that is no site, or cannot be written.
    """
    target = Path(os.path.realpath(folder))
    try:
        _check_target(target, folder)
        with folder_written_whole(target, f".{target.name}-", ".part") as made:
            for name, content in files:
                path = made / PurePosixPath(name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
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
