"""PNG and WAV files that are the same bytes on every machine.

A compressor is free to compress differently in its next version, so pictures are stored in a
PNG without compression; a clip takes about 160 KiB.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_STORED = 0xFFFF


def png_bytes(image: NDArray[np.uint8]) -> bytes:
    """An RGB picture, shape (height, width, 3), as a PNG file."""
    height, width, _ = image.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter, none
    rows[:, 1:] = image.reshape(height, 3 * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = _chunk(b"IDAT", _stored(rows.tobytes()))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + pixels + _chunk(b"IEND", b"")


def wav_bytes(samples: NDArray[np.int16], rate: int) -> bytes:
    """One channel of 16-bit samples as a WAV file."""
    data = samples.astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _stored(data: bytes) -> bytes:
    """``data`` as a zlib stream of stored blocks (RFC 1950, RFC 1951)."""
    blocks = [data[i : i + _STORED] for i in range(0, len(data), _STORED)]
    parts = [b"\x78\x01"]
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        parts += [struct.pack("<BHH", last, len(block), len(block) ^ _STORED), block]
    return b"".join(parts) + struct.pack(">I", zlib.adler32(data))
