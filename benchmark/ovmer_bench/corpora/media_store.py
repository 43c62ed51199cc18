"""Which media belong to an imported corpus: a file of its own beside the corpus.

``media.json`` names folders of the user and paths below them. It is replaced whole, and an
import that is made anew leaves it alone. Nothing is copied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ..errors import CorpusError, InputError
from ..files import read_text, write_text
from ..reading.schema import SCHEMA_VERSION, Sample
from ..reading.strict_json import parse_json
from .media_folder import KINDS, Found, Kind

MEDIA_FILE = "media.json"

Place = tuple[int, str]
"""Number of a folder, and a path below it."""


@dataclass(frozen=True)
class MediaIndex:
    """Media of the clips of a corpus.

    Attributes:
        roots: absolute folders.
        clips: id -> kind -> where.
    """

    roots: tuple[str, ...] = ()
    clips: Mapping[str, Mapping[Kind, Place]] = field(default_factory=dict)

    def with_found(self, found: Found) -> MediaIndex:
        """This index and what was found; for a clip and kind that both know, the latter.

        Pictures take the place of a video, and the other way round.
        """
        roots = [*self.roots]
        if str(found.root) not in roots:
            roots.append(str(found.root))
        number = roots.index(str(found.root))
        clips = {clip: dict(files) for clip, files in self.clips.items()}
        for clip, files in found.clips.items():
            kept = clips.setdefault(clip, {})
            if "video" in files or "frames" in files:
                kept.pop("video", None)
                kept.pop("frames", None)
            kept.update({kind: (number, path) for kind, path in files.items()})
        return MediaIndex(tuple(roots), clips).compact()

    def compact(self) -> MediaIndex:
        """Without folders that nothing lies in."""
        used = sorted({place[0] for files in self.clips.values() for place in files.values()})
        clips = {
            clip: {kind: (used.index(n), path) for kind, (n, path) in files.items()}
            for clip, files in self.clips.items()
        }
        return MediaIndex(tuple(self.roots[n] for n in used), clips)

    def attached(self, sample: Sample) -> Sample:
        """The sample with its media, as absolute paths."""
        files = self.clips.get(sample.id)
        if not files:
            return sample
        media: dict[str, object] = {}
        for kind in KINDS:
            if kind in files:
                number, below = files[kind]
                path = str(Path(self.roots[number], below))
                media[kind] = [path] if kind == "frames" else path
        return replace(sample, media=media)


def read_index(folder: Path, name: str) -> MediaIndex:
    """The media of the corpus ``name`` that is kept in ``folder``; empty where none are.

    Raises:
        CorpusError: the file is damaged.
    """
    path = folder / MEDIA_FILE
    if not path.is_file():
        return MediaIndex()
    try:
        said = parse_json(read_text(path), file=path)
        return _index(said, name)
    except InputError as error:
        raise CorpusError(
            f"damaged: {error.message}",
            file=path,
            hint=f"Run: ovmer data media {name} --root DIR --replace",
        ) from None


def write_index(folder: Path, name: str, index: MediaIndex) -> None:
    """Replace the media of a corpus; the same index gives the same bytes."""
    said = {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "roots": index.roots,
        "clips": {
            clip: {kind: index.clips[clip][kind] for kind in KINDS if kind in index.clips[clip]}
            for clip in sorted(index.clips)
        },
    }
    write_text(folder / MEDIA_FILE, json.dumps(said, ensure_ascii=False, indent=1) + "\n")


def _index(said: object, name: str) -> MediaIndex:
    if not isinstance(said, dict) or said.get("schema_version") != SCHEMA_VERSION:
        raise InputError("is of another version")
    if said.get("name") != name:
        raise InputError(f"is of {said.get('name')!r}")
    roots, clips = said.get("roots"), said.get("clips")
    if not isinstance(roots, list) or not all(isinstance(root, str) for root in roots):
        raise InputError("roots are no list of folders")
    if not isinstance(clips, dict):
        raise InputError("clips are no object")
    return MediaIndex(
        tuple(roots), {clip: _places(files, len(roots)) for clip, files in clips.items()}
    )


def _places(files: object, n_roots: int) -> dict[Kind, Place]:
    if not isinstance(files, dict) or not set(files) <= set(KINDS):
        raise InputError("a clip's files are no object of video, frames, audio")
    return {kind: _place(files[kind], n_roots) for kind in KINDS if kind in files}


def _place(said: object, n_roots: int) -> Place:
    if isinstance(said, list) and len(said) == 2:
        number, path = said
        if isinstance(number, int) and 0 <= number < n_roots and _is_below(path):
            return number, path
    raise InputError("a path does not lie below its folder")


def _is_below(path: object) -> bool:
    if not isinstance(path, str):
        return False
    below = PurePosixPath(path)
    return not below.is_absolute() and ".." not in below.parts
