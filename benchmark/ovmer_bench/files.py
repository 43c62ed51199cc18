"""Reading and writing files so that a bad one is named and a good one is never lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import platformdirs

from .errors import InputError


def data_home() -> Path:
    """The user's data folder: ``$OVMER_HOME``, else the platform's own place."""
    home = os.environ.get("OVMER_HOME")
    try:
        return Path(home).expanduser() if home else Path(platformdirs.user_data_dir("ovmer"))
    except RuntimeError:
        raise InputError(
            f"{home!r} names no user's home", field="OVMER_HOME", accepted="the path of a folder"
        ) from None


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
    return as_text(read_bytes(path), path)


def as_text(raw: bytes, path: str | Path) -> str:
    """The text of the bytes of a file, as :func:`read_text` gives it."""
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

    On any error the temporary file is removed and what was at ``path`` stays as it was. A link
    is followed; what is no regular file (a folder, a device, a pipe) is left alone.

    Raises:
        InputError: ``path`` cannot be written, or no space is left.
    """
    path = Path(path)
    try:
        # Renaming would put a file in the place of the link, not of what it stands for.
        target = Path(os.path.realpath(path))
        if os.path.lexists(target) and not target.is_file():
            raise InputError("cannot be written: is not a regular file", file=path)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".ovmer-", suffix=".part")
        os.close(handle)
    except (OSError, ValueError) as error:
        raise _not_written(error, path) from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise _not_written(error, path) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends, whole or not at all."""
    write_texts({Path(path): text})


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write several files as :func:`write_text` does: all of them, or none."""
    with ExitStack() as stack:
        for path, text in texts.items():
            temporary = stack.enter_context(written_whole(path))
            temporary.write_text(text, encoding="utf-8", newline="\n")


def _not_written(error: OSError | ValueError, path: Path) -> InputError:
    reason = error.strerror if isinstance(error, OSError) else error
    return InputError(f"cannot be written: {reason}", file=path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
