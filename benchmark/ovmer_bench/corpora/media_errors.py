"""What can be wrong with a file of pictures or sound, and the libraries that read them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from ..errors import OvmerError

MediaProblem = Literal["missing", "empty", "corrupt", "large", "library"]

_PACKAGES = {"av": "PyAV", "soundfile": "soundfile", "PIL": "Pillow"}


class MediaError(OvmerError):
    """A picture, a video or a sound cannot be had.

    Args:
        message: what was wrong.
        problem: ``missing`` (no such file, or no such stream in it), ``empty`` (a stream or a
            folder that holds nothing), ``corrupt`` (cannot be decoded, or breaks off),
            ``large`` (above a limit), or ``library`` (what would read it is not installed).
        file, accepted, hint: as in :class:`OvmerError`.
    """

    def __init__(
        self,
        message: str,
        *,
        problem: MediaProblem,
        file: str | Path | None = None,
        accepted: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, file=file, accepted=accepted, hint=hint)
        self.problem: MediaProblem = problem


def library(name: str) -> Any:
    """The module ``name`` of the extra ``media``.

    Raises:
        MediaError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise MediaError(
            f"{_PACKAGES[name.partition('.')[0]]} is not installed",
            problem="library",
            hint="Run: pip install 'ovmer-bench[media]'",
        ) from None


def regular_file(path: Path) -> Path:
    """``path`` where it names a regular file that is not empty, as an absolute path.

    Raises:
        MediaError: it does not.
    """
    try:
        if path.is_file():
            if path.stat().st_size:
                return path.absolute()
            raise MediaError("is empty", problem="empty", file=path)
        what = "is not a regular file" if path.exists() else "no such file"
    except (OSError, ValueError) as error:
        what = f"cannot be read: {error}"
    raise MediaError(what, problem="missing", file=path, hint="Check the path.")
