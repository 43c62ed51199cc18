"""Media of real files: pictures and sound of a clip, as arrays, from whatever people keep.

Every failure is a :class:`~.media_errors.MediaError` that names the file. Nothing is decoded
beyond what is asked for, and what is decoded is bounded (:data:`~.media_images.MAX_PIXELS`,
:data:`~.media_video.MAX_DECODED`, :data:`LONGEST_SIDE`, :data:`LONGEST_SOUND`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..reading.schema import Sample
from .media_errors import MediaError
from .media_images import IMAGE_SUFFIXES, folder_images, image_frames
from .media_sound import RATES, sound
from .media_video import video_frames

N_FRAMES = 8
SAMPLE_RATE = 16_000
MAX_FRAMES = 1_024

LONGEST_SIDE = 1_024
"""Pixels of the longer side of a frame, unless another limit or none is asked for."""

LONGEST_SOUND = 600.0
"""Seconds of sound that are read, unless another limit is asked for; the rest is left out."""

Source = str | Path | Sequence[str | Path]


def load_frames(
    source: Source, *, count: int = N_FRAMES, longest: int | None = LONGEST_SIDE
) -> NDArray[np.uint8]:
    """Pictures of a clip, evenly over its time, shape (count, height, width, 3).

    Args:
        source: a video file, a folder of image files (face crops, say; numbers in their names
            count as numbers), one image file, or a list of image files in order.
        count: pictures; those in the middles of as many equal parts. A source with fewer
            repeats them.
        longest: pixels of the longer side, to which larger pictures are shrunk; ``None``: as
            large as they are.

    Raises:
        MediaError: there is nothing, it cannot be decoded, or is above a limit.
        InputError: a count or limit that makes no sense.
    """
    _check("count", count, 1, MAX_FRAMES)
    if longest is not None:
        _check("longest", longest, 1, 2**16)
    if not isinstance(source, (str, Path)):
        paths = [Path(path) for path in source]
        if len(paths) == 1:
            return load_frames(paths[0], count=count, longest=longest)
        if not paths:
            raise MediaError("an empty list of pictures", problem="empty")
        return image_frames(paths, count, longest)
    path = Path(source)
    if _is_folder(path):
        return image_frames(folder_images(path), count, longest)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return image_frames([path], count, longest)
    return video_frames(path, count, longest)


def load_audio(
    source: str | Path, *, rate: int = SAMPLE_RATE, longest: float = LONGEST_SOUND
) -> NDArray[np.float32]:
    """Sound of a clip, one channel of floats in [-1, 1].

    Silence is sound. A file that breaks off gives what it holds.

    Args:
        source: a sound file (wav, flac, ogg, mp3, m4a) or a video file with a sound track.
        rate: samples a second of what is returned, whatever the file has.
        longest: seconds; what comes later is not read.

    Raises:
        MediaError: no such file, no sound in it, or it cannot be decoded.
        InputError: a rate or limit that makes no sense.
    """
    _check("rate", rate, *RATES)
    _check("longest", longest, 1e-3, 86_400.0)
    if not isinstance(source, (str, Path)):
        raise InputError(f"is a {type(source).__name__}", field="source", accepted="a path")
    return sound(Path(source), rate, longest)


def sample_frames(
    sample: Sample,
    *,
    root: str | Path = "",
    count: int = N_FRAMES,
    longest: int | None = LONGEST_SIDE,
) -> NDArray[np.uint8]:
    """Pictures of a clip from the ``video`` or ``frames`` of its media (:func:`load_frames`).

    Paths that are relative start at ``root``.
    """
    video, frames = sample.media.get("video"), sample.media.get("frames")
    if isinstance(video, str):
        return load_frames(Path(root, video), count=count, longest=longest)
    if isinstance(frames, (list, tuple)) and frames:
        paths = [Path(root, str(path)) for path in frames]
        return load_frames(paths, count=count, longest=longest)
    raise MediaError(f"clip {sample.id} has no video and no pictures", problem="missing")


def sample_audio(
    sample: Sample,
    *,
    root: str | Path = "",
    rate: int = SAMPLE_RATE,
    longest: float = LONGEST_SOUND,
) -> NDArray[np.float32]:
    """Sound of a clip from the ``audio`` of its media, else its video's (:func:`load_audio`)."""
    source = sample.media.get("audio") or sample.media.get("video")
    if not isinstance(source, str):
        raise MediaError(f"clip {sample.id} has no sound and no video", problem="missing")
    return load_audio(Path(root, source), rate=rate, longest=longest)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise InputError(f"is {value}", field=name, accepted=f"{low:,} to {high:,}")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
