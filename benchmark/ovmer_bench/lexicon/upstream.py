"""The official lexicons: known releases, their check by hash, installing and loading them.

The AffectGPT and MER2026 lexicons are not part of this package. A user who has a copy of the
upstream files installs it: the files are checked against the sha256 of the release, compiled
to one JSON file under :func:`~ovmer_bench.files.data_home`, and loaded from there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, LexiconError
from ..files import data_home, read_bytes, write_text
from . import BUILTIN_ID, N_WHEELS, Lexicon, Wheel
from .releases import RELEASES, FileCheck, FolderCheck, Release, UnverifiedLexicon
from .tables import (
    MAPPING_FILE,
    SHEET_FILES,
    WHEEL_NAMES,
    Maps,
    check_size,
    content_sha256,
    payload,
    read_mapping,
    read_sheets,
)

__all__ = [
    "RELEASES",
    "FileCheck",
    "FolderCheck",
    "InstallReport",
    "Release",
    "UnverifiedLexicon",
    "check_folder",
    "compile_folder",
    "install",
    "installed_ids",
    "load_installed",
]

SCHEMA_VERSION = 1
_SAFE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class InstallReport:
    """What :func:`install` did.

    Attributes:
        changed: whether a file was written; installing the same files again writes none.
        official: whether the files are those of the release, by hash.
    """

    lexicon_id: str
    path: Path
    sha256: str
    statistics: Mapping[str, int]
    files: tuple[FileCheck, ...]
    official: bool
    changed: bool


def compile_folder(folder: str | Path, lexicon_id: str) -> Lexicon:
    """The lexicon that the files in ``folder`` define, under the published protocol.

    Reads ``format.csv``, ``synonym.xlsx`` and the five wheels; or ``wheel_mapping.npz`` where
    it is all there is. Where both are there they must agree. No hash is checked here.

    Raises:
        InputError: a file is missing or damaged.
        LexiconError: the two roads lead to different maps.
    """
    folder = Path(folder)
    mapping = folder / MAPPING_FILE
    sheets = [name for name in SHEET_FILES if (folder / name).exists()]
    if len(sheets) == len(SHEET_FILES) or not mapping.exists():
        maps = read_sheets(folder)
        if mapping.exists() and content_sha256(read_mapping(mapping)) != content_sha256(maps):
            raise LexiconError(
                f"{MAPPING_FILE} and the other files define different lexicons",
                file=folder,
                hint="Keep the files of one release in the folder.",
            )
    else:
        maps = read_mapping(mapping)
    release = RELEASES.get(lexicon_id)
    source = f"{release.repository}, {release.folder}" if release else folder.name
    return _lexicon(lexicon_id, content_sha256(maps), maps, source)


def check_folder(folder: str | Path, lexicon_id: str | None = None) -> FolderCheck:
    """Hold the files in ``folder`` against a release, by default the one they look like.

    Raises:
        InputError: no such folder, or none of the files is in it.
        LexiconError: ``lexicon_id`` is not a known release.
    """
    folder = Path(folder)
    if lexicon_id is not None and lexicon_id not in RELEASES:
        raise LexiconError(f"no known release {lexicon_id!r}", accepted=RELEASES)
    if not folder.is_dir():
        raise InputError("no such folder", file=folder, hint="Check the path.")
    candidates = [lexicon_id] if lexicon_id is not None else list(RELEASES)
    names = dict.fromkeys(name for known in candidates for name in RELEASES[known].files)
    actual = {name: _file_sha256(folder / name) for name in names}
    if not any(actual.values()):
        inner = folder / "emotion_wheel"
        raise InputError(
            "holds no file of a lexicon release",
            file=folder,
            accepted=names,
            hint=f"Try {inner}" if inner.is_dir() else "Name the folder that holds them.",
        )
    checks = [_held_against(known, actual) for known in candidates]
    # A release that is complete comes first, then the one with most of its files there.
    best = max(
        checks, key=lambda check: (check.verified, sum(f.status == "verified" for f in check.files))
    )
    return best if best.verified else _with_counts(best, folder)


def install(
    folder: str | Path,
    lexicon_id: str | None = None,
    accept_unknown: bool = False,
    as_id: str | None = None,
) -> InstallReport:
    """Check, compile and keep the lexicon whose upstream files lie in ``folder``.

    Args:
        folder: the folder with the upstream files.
        lexicon_id: the release they should be; by default it is found by their hashes.
        accept_unknown: keep files that are no known release, under an id of their own.
        as_id: that id; by default the nearest release's id and the first digits of the hash.

    Raises:
        UnverifiedLexicon: a file differs from the release or is missing.
        LexiconError: the id is not allowed, or taken by another lexicon.
        InputError: the folder or a file in it cannot be read.
    """
    check = check_folder(folder, lexicon_id)
    if check.verified:
        if as_id not in (None, check.lexicon_id):
            raise LexiconError(
                f"these files are the release {check.lexicon_id!r}",
                field="as_id",
                accepted=check.lexicon_id,
                hint="Install them without another id.",
            )
        lexicon = compile_folder(folder, check.lexicon_id)
        if lexicon.sha256 != RELEASES[check.lexicon_id].sha256:
            raise LexiconError("the files changed while they were read", file=folder)
    else:
        if not accept_unknown:
            raise _unverified(check, Path(folder))
        lexicon = compile_folder(folder, as_id or check.lexicon_id)
        wanted = as_id or f"{check.lexicon_id}-{lexicon.sha256[:8]}"
        lexicon = _renamed(lexicon, _own_id(wanted), f"unverified copy of {check.lexicon_id}")
    return _keep(lexicon, check)


def installed_ids() -> list[str]:
    """Ids of the lexicons compiled under the data folder, in alphabetical order."""
    folder = _home()
    if not folder.is_dir():
        return []
    return sorted(file.stem for file in folder.glob("*.json") if _SAFE_ID.fullmatch(file.stem))


def load_installed(lexicon_id: str) -> Lexicon:
    """A lexicon that :func:`install` compiled, checked against the hash stored with it.

    Raises:
        LexiconError: not installed, damaged, altered, or of another schema version.
    """
    path = _path_of(lexicon_id)
    if not path.exists():
        raise LexiconError(f"lexicon {lexicon_id!r} is not installed", accepted=installed_ids())
    try:
        stored = json.loads(read_bytes(path))
        version = stored["schema_version"]
        if version != SCHEMA_VERSION:
            raise _damaged(path, f"schema version {version!r} is not {SCHEMA_VERSION}")
        maps = _maps_from(stored["maps"])
        sha256, named, source = str(stored["sha256"]), stored["id"], str(stored["source"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, f"unreadable ({type(error).__name__})") from None
    if content_sha256(maps) != sha256 or named != lexicon_id:
        raise _damaged(path, "does not match its own hash and id")
    release = RELEASES.get(lexicon_id)
    if release is not None and release.sha256 != sha256:
        raise _damaged(path, f"is not the release {lexicon_id!r}")
    return _lexicon(lexicon_id, sha256, maps, source)


def _maps_from(payload: dict[str, dict[str, list[str]]]) -> Maps:
    wheels: list[dict[str, dict[str, str]]] = list(payload["wheels"])  # type: ignore[arg-type]
    if len(wheels) != N_WHEELS:
        raise ValueError("not five wheels")
    return Maps(
        forms={form: tuple(bases) for form, bases in payload["forms"].items()},
        wheel_words={base: tuple(words) for base, words in payload["wheel_words"].items()},
        wheels=tuple(
            Wheel(name, dict(wheel["level1"]), dict(wheel["level2"]))
            for name, wheel in zip(WHEEL_NAMES, wheels, strict=True)
        ),
    )


def _lexicon(lexicon_id: str, sha256: str, maps: Maps, source: str) -> Lexicon:
    return Lexicon(
        id=lexicon_id,
        sha256=sha256,
        forms=maps.forms,
        wheel_words=maps.wheel_words,
        wheels=maps.wheels,
        alphabetical=True,
        source=source,
    )


def _renamed(lexicon: Lexicon, lexicon_id: str, source: str) -> Lexicon:
    maps = Maps(dict(lexicon.forms), dict(lexicon.wheel_words), lexicon.wheels)
    return _lexicon(lexicon_id, lexicon.sha256, maps, source)


def _keep(lexicon: Lexicon, check: FolderCheck) -> InstallReport:
    path = _path_of(lexicon.id)
    changed = True
    if path.exists():
        try:
            existing = load_installed(lexicon.id)
        except (LexiconError, InputError):
            pass  # A damaged file is what installing again mends.
        else:
            changed = existing.sha256 != lexicon.sha256
            if changed:
                raise LexiconError(
                    f"lexicon {lexicon.id!r} is installed with other content",
                    file=path,
                    hint="Choose another id, or remove the file.",
                )
    if changed:
        stored = {
            "schema_version": SCHEMA_VERSION,
            "id": lexicon.id,
            "sha256": lexicon.sha256,
            "source": lexicon.source,
            "files": {file.name: file.actual for file in check.files if file.actual},
            "maps": payload(Maps(dict(lexicon.forms), dict(lexicon.wheel_words), lexicon.wheels)),
        }
        write_text(path, json.dumps(stored, indent=0) + "\n")
    return InstallReport(
        lexicon_id=lexicon.id,
        path=path,
        sha256=lexicon.sha256,
        statistics=lexicon.statistics(),
        files=check.files,
        official=check.verified,
        changed=changed,
    )


def _held_against(lexicon_id: str, actual: Mapping[str, str | None]) -> FolderCheck:
    files = RELEASES[lexicon_id].files
    return FolderCheck(
        lexicon_id, tuple(FileCheck(name, sha256, actual[name]) for name, sha256 in files.items())
    )


def _with_counts(check: FolderCheck, folder: Path) -> FolderCheck:
    try:
        statistics = compile_folder(folder, check.lexicon_id).statistics()
    except (InputError, LexiconError) as error:
        return FolderCheck(check.lexicon_id, check.files, fault=str(error))
    counts = {name: statistics[name] for name in RELEASES[check.lexicon_id].counts}
    return FolderCheck(check.lexicon_id, check.files, counts=counts)


def _unverified(check: FolderCheck, folder: Path) -> UnverifiedLexicon:
    error = UnverifiedLexicon(
        f"not the release {check.lexicon_id!r}: " + "; ".join(check.differences()),
        file=folder,
        hint="Fetch the files again, or accept them as an unknown lexicon under another id.",
    )
    error.check = check
    return error


def _file_sha256(path: Path) -> str | None:
    if not path.exists():
        return None
    check_size(path)
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _own_id(lexicon_id: str) -> str:
    if lexicon_id == BUILTIN_ID or lexicon_id in RELEASES:
        raise LexiconError(
            f"the id {lexicon_id!r} is kept for the lexicon of that name",
            field="as_id",
            hint="Choose another id.",
        )
    return _checked_id(lexicon_id)


def _checked_id(lexicon_id: str) -> str:
    if not _SAFE_ID.fullmatch(lexicon_id):
        raise LexiconError(
            f"{lexicon_id!r} cannot be a lexicon id",
            accepted="up to 64 of a-z, 0-9, '.', '_', '-', starting with a letter or digit",
        )
    return lexicon_id


def _home() -> Path:
    return data_home() / "lexicons"


def _path_of(lexicon_id: str) -> Path:
    return _home() / f"{_checked_id(lexicon_id)}.json"


def _damaged(path: Path, why: str) -> LexiconError:
    return LexiconError(
        why, file=path, hint="Install the lexicon again: ovmer lexicon install --from DIR"
    )
