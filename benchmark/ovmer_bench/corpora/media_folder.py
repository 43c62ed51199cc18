"""Finding the media of clips in a folder, by the ids of the clips.

Names of files are compared with ids; no path is ever made from an id. What a link would take
out of the folder is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import did_you_mean
from .media_errors import MediaError
from .media_images import IMAGE_SUFFIXES
from .media_sound import SOUND_SUFFIXES

VIDEO_SUFFIXES = (".avi", ".mkv", ".mov", ".mp4", ".webm")

Kind = Literal["video", "frames", "audio"]
KINDS: tuple[Kind, ...] = ("video", "frames", "audio")

_ALIGNED = "_aligned"
"""What OpenFace adds to the name of a video for the folder of its face crops."""

_SHOWN = 5


@dataclass(frozen=True)
class Found:
    """Media below a folder.

    Attributes:
        root: the folder, absolute, links resolved.
        clips: id -> kind -> path below the root, with forward slashes; for ``frames`` that of
            the folder that holds them.
    """

    root: Path
    clips: Mapping[str, Mapping[Kind, str]]


def find_media(
    ids: Iterable[str], root: str | Path, *, kinds: Sequence[Kind] | None = None
) -> Found:
    """Look below ``root`` for ``ID.mp4`` and the like, ``ID.wav`` and the like, and folders
    ``ID/`` of pictures.

    Args:
        ids: of the clips.
        root: searched recursively.
        kinds: what to take; ``None``: everything, where no clip has both video and pictures.

    Raises:
        MediaError: no such folder, an id that is no name of a file, several files for one clip,
            a link out of the folder, or nothing found.
    """
    wanted = tuple(ids)
    _check_ids(wanted)
    given = Path(root)
    if not given.is_dir():
        raise MediaError("no such folder", problem="missing", file=given, hint="Check the path.")
    place = given.resolve()
    candidates = _candidates(place, set(wanted), kinds or KINDS)
    _check_unique(candidates, given)
    if not candidates:
        raise _nothing(place, wanted)
    order = {clip: i for i, clip in enumerate(wanted)}
    clips: dict[str, dict[Kind, str]] = {}
    for clip, kind in sorted(candidates, key=lambda key: (order[key[0]], KINDS.index(key[1]))):
        clips.setdefault(clip, {})[kind] = candidates[clip, kind][0]
    if kinds is None:
        _check_one_view(clips, given)
    return Found(place, clips)


def kind_of(name: str) -> tuple[str, Kind] | None:
    """The id and the kind that the name of a file speaks of."""
    stem, dot, suffix = name.rpartition(".")
    if stem and f"{dot}{suffix}".lower() in VIDEO_SUFFIXES:
        return stem, "video"
    if stem and f"{dot}{suffix}".lower() in SOUND_SUFFIXES:
        return stem, "audio"
    return None


_Candidates = dict[tuple[str, Kind], list[str]]


def _candidates(root: Path, wanted: set[str], kinds: Sequence[Kind]) -> _Candidates:
    """Paths below the root by clip and kind."""
    found: _Candidates = {}
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in [*folders]:
            path = Path(folder, name)
            _check_inside(path, root)
            clip = name if name in wanted else name.removesuffix(_ALIGNED)
            if clip in wanted and "frames" in kinds and _holds_pictures(path):
                found.setdefault((clip, "frames"), []).append(path.relative_to(root).as_posix())
                folders.remove(name)
        for name in sorted(names):
            said = kind_of(name)
            if said is None or said[0] not in wanted or said[1] not in kinds:
                continue
            path = Path(folder, name)
            _check_inside(path, root)
            if path.is_file():
                found.setdefault(said, []).append(path.relative_to(root).as_posix())
    return found


def _check_ids(ids: Sequence[str]) -> None:
    """An id is to be the name of a file; one that leads elsewhere is refused."""
    strange = [clip for clip in ids if ".." in clip.replace("\\", "/").split("/")]
    if strange:
        raise MediaError(
            f"clip ids that lead out of a folder: {_some(map(repr, strange), len(strange))}",
            problem="missing",
            accepted="ids that are names of files",
        )


def _check_inside(path: Path, root: Path) -> None:
    if not path.is_symlink():
        return
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        raise MediaError(
            f"is a link that leads out of {root}",
            problem="missing",
            file=path,
            hint=f"Put the files there, or name the folder itself: --root {_folder_of(target)}",
        )


def _folder_of(target: Path) -> Path:
    return target if target.is_dir() else target.parent


def _holds_pictures(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(Path(entry.name).suffix.lower() in IMAGE_SUFFIXES for entry in entries)
    except OSError:
        return False


def _check_unique(candidates: _Candidates, root: Path) -> None:
    several = {key[0]: paths for key, paths in candidates.items() if len(paths) > 1}
    if several:
        listed = (f"{clip}: {', '.join(paths[:4])}" for clip, paths in several.items())
        raise MediaError(
            f"{len(several):,} clips have several files: {_some(listed, len(several), '; ')}",
            problem="missing",
            file=root,
            hint="Name the folder that holds the ones that are meant.",
        )


def _check_one_view(clips: Mapping[str, Mapping[Kind, str]], root: Path) -> None:
    both = [clip for clip, files in clips.items() if "video" in files and "frames" in files]
    if both:
        listed = (f"{clip}: {clips[clip]['video']}, {clips[clip]['frames']}/" for clip in both)
        raise MediaError(
            f"{len(both):,} clips have a video and a folder of pictures:"
            f" {_some(listed, len(both), '; ')}",
            problem="missing",
            file=root,
            hint="Say what to take: --only video --only audio, or --only frames --only audio.",
        )


def _nothing(root: Path, ids: Sequence[str]) -> MediaError:
    names = sorted(path.name for path in root.rglob("*"))[:2000]
    stems = [name.rpartition(".")[0] or name for name in names]
    near = next((hint for clip in ids[:20] if (hint := did_you_mean(clip, stems))), "")
    shown = _some(names[:_SHOWN], len(names)) if names else "nothing"
    return MediaError(
        f"holds no media of these clips; it holds {shown}",
        problem="missing",
        file=root,
        accepted=f"{ids[0]}.mp4, {ids[0]}.wav, a folder {ids[0]}/ of pictures, and the like"
        if ids
        else None,
        hint=near or "Check the path, and that names of files are ids of clips.",
    )


def _some(things: Iterable[str], total: int, between: str = ", ") -> str:
    listed = [thing for thing, _ in zip(things, range(_SHOWN), strict=False)]
    more = f"{between}and {total - _SHOWN:,} more" if total > _SHOWN else ""
    return f"{between.join(listed)}{more}"
