"""Reading and writing files so that a bad one is named and a good one is never lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from .errors import InputError


def data_home() -> Path:
    """The user's data folder: ``$OVMER_HOME``, else the platform's own place."""
    home = os.environ.get("OVMER_HOME")
    return Path(home).expanduser() if home else Path(platformdirs.user_data_dir("ovmer"))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a regular file; :class:`InputError` says why they cannot be had."""
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError("is a folder, not a file", file=path)
        if path.exists() and not path.is_file():
            raise InputError("is not a regular file", file=path)
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError("no such file", file=path, hint="Check the path.") from None
    except PermissionError:
        raise InputError("permission denied", file=path, hint="Make it readable.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from None


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, byte-order mark dropped; errors name the line."""
    raw = read_bytes(path)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.object[error.start]:#04x} is not UTF-8",
            file=path,
            line=raw.count(b"\n", 0, error.start) + 1,
            accepted="UTF-8 text",
            hint="Convert the file, for example with iconv -t utf-8.",
        ) from None


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` and rename it into place on success.

    On any error the temporary file is removed and what was at ``path`` stays as it was.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=path) from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        try:
            temporary.replace(path)
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", file=path) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
