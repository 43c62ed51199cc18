"""What a submission may be called and may hold: it is written by strangers and shown to all.

Names become folders and addresses, texts become pages, files are read by everybody who builds
the site. So names are plain, folders hold plain files of bounded size, and text that would look
other than it is is refused (:func:`check_shown`) or shown for what it is (:func:`harmless`).
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from ..errors import InputError

MAX_INPUT = 100 * 2**20
"""Bytes of a prediction file as given; lm-eval logs carry every prompt."""
MAX_FILE = 20 * 2**20
"""Bytes of a file of a packed submission."""
MAX_META = 64 * 2**10
MAX_FILES = 100
MAX_NAME = 64
MAX_SHOWN_LABEL = 80

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_NAME_SHAPE = "lower-case letters, digits and - . _ between them, at most 64"
PAPERS = "paper-"
"""Names of systems that only a paper reports begin so; those of submissions do not."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
"""Letters, signs and marks that show as nothing."""
_MARKS = 2
"""Combining marks that may follow one another; more climb over the lines above and below."""


def check_name(name: str, *, file: str | Path | None = None, field: str = "name") -> str:
    """``name`` where it can be a folder on every system and part of an address.

    Raises:
        InputError: another shape, or a name that Windows or the leaderboard keeps for itself.
    """
    if len(name) > MAX_NAME or not _NAME.fullmatch(name) or ".." in name:
        raise InputError(
            f"{name[:80]!r} is no name for a submission",
            file=file,
            field=field,
            accepted=_NAME_SHAPE,
            hint="Put the name for people under 'title' of meta.yaml.",
        )
    if _RESERVED.fullmatch(name):
        raise InputError(
            f"{name!r} is reserved by Windows", file=file, field=field, accepted="another name"
        )
    if name.startswith(PAPERS):
        raise InputError(
            f"{name!r} begins with {PAPERS!r}, kept for papers", file=file, field=field,
            accepted="another name",
        )  # fmt: skip
    return name


def check_distinct(names: Iterable[str], folder: Path) -> None:
    """Refuse names that some file system or reader takes for one another."""
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFKC", name).casefold()
        if key in seen:
            raise InputError(
                f"{seen[key]!r} and {name!r} differ only by case or spelling", file=folder
            )
        seen[key] = name


def check_shown(text: str, field: str, *, lines: bool = False) -> str:
    """``text``, stripped, where it looks like what it is.

    Args:
        text: to be shown to people.
        field: named in errors.
        lines: whether it may have several lines.

    Raises:
        InputError: a control, invisible, direction-changing or unassigned character, or marks
            piled up.
    """
    text = text.strip()
    for position, character in enumerate(text):
        if not (lines and character == "\n") and _is_hidden(text, position):
            raise InputError(
                f"character {position + 1} is U+{ord(character):04X}"
                f" ({unicodedata.name(character, 'without a name')})",
                field=field,
                accepted="text that shows what it holds",
                hint="Take it out.",
            )
    return text


def harmless(text: str) -> str:
    """``text`` with what cannot be seen, or moves other text, written as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii") if _is_hidden(text, i) else character
        for i, character in enumerate(text)
    )


def harmless_label(label: str) -> str:
    """:func:`harmless`, and cut to a length that fits a page."""
    shown = harmless(label[: MAX_SHOWN_LABEL + 1])
    return shown if len(shown) <= MAX_SHOWN_LABEL else shown[: MAX_SHOWN_LABEL - 1] + "…"


def plain_files(folder: Path, *, most: int = MAX_FILE) -> dict[PurePosixPath, Path]:
    """Every file below ``folder`` by its place there, in order of that.

    Raises:
        InputError: no folder, a link, what is no regular file, a file over ``most`` bytes, more
            than :data:`MAX_FILES` files, or names that differ only by case.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise InputError("is no folder", file=folder, accepted="a folder, not a link to one")
    found: dict[PurePosixPath, Path] = {}
    for path in _walk(folder):
        check_plain_file(path, most)
        found[PurePosixPath(path.relative_to(folder).as_posix())] = path
        if len(found) > MAX_FILES:
            raise InputError(f"holds more than {MAX_FILES} files", file=folder)
    check_distinct(map(str, found), folder)
    return dict(sorted(found.items()))


def check_plain_file(path: Path, most: int) -> None:
    """Refuse links, what is no regular file, and more than ``most`` bytes."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        raise InputError("no such file", file=path, hint="Check the path.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from None
    if stat.S_ISLNK(status.st_mode):
        raise InputError("is a link", file=path, accepted="a file", hint="Copy what it points to.")
    if not stat.S_ISREG(status.st_mode):
        raise InputError("is not a regular file", file=path, accepted="a file")
    if status.st_size > most:
        raise InputError(
            f"has {status.st_size:,} bytes", file=path, accepted=f"at most {most:,} bytes"
        )


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below that is no folder, links not followed."""
    todo = [folder]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    todo.append(Path(entry.path))
                else:
                    yield Path(entry.path)


def _is_hidden(text: str, position: int) -> bool:
    character = text[position]
    if not character.isprintable() or character in _BLANKS:
        return True
    if not unicodedata.combining(character) or position < _MARKS:
        return False
    return all(unicodedata.combining(c) for c in text[position - _MARKS : position])
