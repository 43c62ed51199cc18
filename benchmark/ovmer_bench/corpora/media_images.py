"""Pictures of a clip from image files: a list of them, or the folder that holds them."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .media_errors import MediaError, library, regular_file

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
IMAGE_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
MAX_PIXELS = 2**25
"""Of one picture or video frame, which is more than 8K video has; above it nothing is decoded."""

_BROKEN = (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError)
"""How Pillow's readers fail on bytes that are not what they should be."""


def folder_images(folder: Path) -> list[Path]:
    """Image files of a folder, numbers in their names in numeric order.

    Raises:
        MediaError: it cannot be listed, or holds none.
    """
    try:
        found = [
            path
            for path in folder.iterdir()
            if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
        ]
    except OSError as error:
        raise MediaError(
            f"cannot be listed: {error.strerror}", problem="missing", file=folder
        ) from None
    if not found:
        raise MediaError(
            "holds no pictures", problem="empty", file=folder, accepted=", ".join(IMAGE_SUFFIXES)
        )
    return sorted(found, key=_in_order)


def image_frames(paths: Sequence[Path], count: int, longest: int | None) -> NDArray[np.uint8]:
    """``count`` of the pictures, those in the middles of equal parts of the list.

    All get the size of the first one chosen. A list shorter than ``count`` repeats pictures.
    """
    chosen = [paths[(2 * i + 1) * len(paths) // (2 * count)] for i in range(count)]
    size: tuple[int, int] | None = None
    read: dict[Path, NDArray[np.uint8]] = {}
    for path in chosen:
        if path not in read:
            read[path] = _read(path, size, longest)
            size = size or (read[path].shape[1], read[path].shape[0])
    return np.stack([read[path] for path in chosen])


def shrunk(width: float, height: float, longest: int | None) -> tuple[int, int]:
    """Width and height with the longer side at most ``longest``, at least one pixel each."""
    factor = 1.0 if longest is None else min(1.0, longest / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))


def check_pixels(width: int, height: int, path: Path) -> None:
    """:class:`MediaError` where a picture is too large to be decoded."""
    if width * height > MAX_PIXELS:
        raise MediaError(
            f"has {width:,} x {height:,} pixels",
            problem="large",
            file=path,
            accepted=f"at most {MAX_PIXELS:,} pixels",
            hint="Make it smaller.",
        )


def _read(path: Path, size: tuple[int, int] | None, longest: int | None) -> NDArray[np.uint8]:
    pillow = library("PIL.Image")
    path = regular_file(path)
    try:
        with pillow.open(path, formats=IMAGE_FORMATS) as image:
            check_pixels(image.width, image.height, path)
            upright = library("PIL.ImageOps").exif_transpose(image)
            colour = _eight_bit(upright, pillow).convert("RGB")
            wanted = size or shrunk(colour.width, colour.height, longest)
            if colour.size != wanted:
                colour = colour.resize(wanted, pillow.Resampling.BICUBIC)
            return np.asarray(colour, np.uint8)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise MediaError(
            f"has more than {MAX_PIXELS:,} pixels", problem="large", file=path
        ) from None
    except (*_BROKEN, struct.error) as error:
        raise MediaError(
            f"is no picture that can be read: {error}",
            problem="corrupt",
            file=path,
            accepted=", ".join(IMAGE_FORMATS),
        ) from None


def _eight_bit(image: Any, pillow: Any) -> Any:
    """``image``, its samples of 16 bits scaled to 8: a conversion would cut them off."""
    if not image.mode.startswith("I"):
        return image
    return pillow.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))


def _in_order(path: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"([0-9]+)", path.name)
    return [(0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts]
