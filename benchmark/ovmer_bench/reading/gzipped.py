"""Gzip with bounds: what unfolds is never more than was asked for."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from ..errors import InputError

SUFFIX = ".gz"
_WITH_HEADER = zlib.MAX_WBITS | 16


def gunzip(raw: bytes, most: int, file: str | Path) -> bytes:
    """The content of gzip bytes, of one or several members.

    Raises:
        InputError: not gzip, damaged, cut short, or more than ``most`` bytes.
    """
    parts: list[bytes] = []
    size = 0
    while raw or not parts:
        stream = zlib.decompressobj(_WITH_HEADER)
        try:
            part = stream.decompress(raw, most + 1 - size)
        except zlib.error:
            raise InputError(
                "is no gzip file, or damaged", file=file, hint="Compress it again, with gzip."
            ) from None
        parts.append(part)
        size += len(part)
        if size > most:
            raise InputError(
                f"unfolds to more than {most:,} bytes", file=file, accepted=f"at most {most:,}"
            )
        if not stream.eof:
            raise InputError("is cut short", file=file, hint="Copy it again.")
        raw = stream.unused_data
    return b"".join(parts)


def gzipped(content: bytes) -> bytes:
    """``content`` as gzip bytes that hold neither a name nor a time."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as to:
        to.write(content)
    return packed.getvalue()
