"""Reads ``.npz`` and ``.npy`` files that nobody vouches for.

NumPy keeps object arrays as pickles, and a pickle can name anything to be run. Here arrays of
numbers and text are read from their bytes, object arrays by :mod:`.unpickle`, which runs
nothing. Sizes are checked before memory is taken: what a file declares must fit what it
holds, and stay within limits.
"""

from __future__ import annotations

import ast
import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import InputError
from ..files import read_bytes

if TYPE_CHECKING:
    import numpy as np

MAX_FILE = 2**30
MAX_TOTAL = 2**31
MAX_PICKLE = 2**28
MAX_MEMBERS = 1_000
MAX_RATIO = 500
RATIO_MATTERS_FROM = 2**28
"""A few megabytes of padded text compress further than any ratio worth naming."""

_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 10_000
_DTYPE = re.compile(r"(?:[<>|=]?(?:[biufc]\d{1,2}|[?SUO]\d{0,9}))")
_ACCEPTED = "an .npz file as numpy.savez writes it"
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, struct.error),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, MemoryError, IndexError),
)


def read_npz(path: str | Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of an ``.npz`` file by name; the one array of an ``.npy`` file as ``arr_0``.

    Equal to what ``numpy.load(path, allow_pickle=True)`` gives, for arrays of numbers, text
    and plain Python values; arrays of numbers and text may be read-only.

    Raises:
        InputError: naming the file and the array: not such a file, damaged, encrypted, sizes
            that do not agree or pass the limits, structured dtypes, or a pickle that names
            anything but data.
    """
    path = Path(path)
    _check_file_size(path)
    raw = read_bytes(path)
    if raw.startswith(_MAGIC):
        return {"arr_0": _array(raw, "arr_0", path)}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = _members(archive, path)
            return {name: _array(_unpacked(archive, m, path), name, path) for name, m in members}
    except InputError:
        raise
    except _DAMAGED as error:
        raise InputError(
            f"damaged or no .npz file: {str(error)[:200]}", file=path, accepted=_ACCEPTED
        ) from None


def _check_file_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except (OSError, ValueError):
        return  # read_bytes says what is wrong
    if size > MAX_FILE:
        raise InputError(f"{size:,} bytes", file=path, accepted=f"at most {MAX_FILE:,} bytes")


def _members(archive: zipfile.ZipFile, path: Path) -> list[tuple[str, zipfile.ZipInfo]]:
    """Array names and members, after checking all that the directory declares."""
    infos = archive.infolist()
    if not infos:
        raise InputError("holds no arrays", file=path, accepted=_ACCEPTED)
    if len(infos) > MAX_MEMBERS:
        raise InputError(f"{len(infos):,} members", file=path, accepted=f"at most {MAX_MEMBERS:,}")
    total = sum(info.file_size for info in infos)
    packed = max(1, sum(info.compress_size for info in infos))
    if total > MAX_TOTAL or (total > RATIO_MATTERS_FROM and total > MAX_RATIO * packed):
        raise InputError(
            f"unpacks from {packed:,} to {total:,} bytes",
            file=path,
            accepted=f"at most {MAX_TOTAL:,} bytes, {MAX_RATIO} times the packed size",
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name == info.filename:
            _fail("is no .npy array", info.filename, path)
        if info.flag_bits & 0x1:
            _fail("is encrypted", name, path)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            _fail(f"compression method {info.compress_type}", name, path)
        if name in members:
            _fail("stands twice in the file", name, path)
        members[name] = info
    return list(members.items())


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    """The bytes of a member, exactly as many as declared."""
    with archive.open(info) as member:
        raw = member.read(info.file_size + 1)
    if len(raw) != info.file_size:
        _fail(f"{len(raw):,} bytes where {info.file_size:,} are declared", info.filename, path)
    return raw


def _array(raw: bytes, name: str, path: Path) -> np.ndarray[Any, Any]:
    """The array in the bytes of an ``.npy`` file."""
    from .bounds import array_from_bytes, count_items
    from .unpickle import load_array

    dtype, fortran, shape, start = _header(raw, name, path)
    try:
        items = count_items(shape)
        if dtype.kind != "O":
            return array_from_bytes(raw[start:], dtype, shape, fortran=fortran)
    except ValueError as error:
        _fail(f"holds {error}", name, path)
    if len(raw) - start > MAX_PICKLE:
        _fail(f"a pickle of {len(raw) - start:,} bytes", name, path)
    try:
        content = load_array(raw[start:])
    except InputError as error:
        raise InputError(
            error.message, file=path, field=name, accepted=error.accepted, hint=error.hint
        ) from None
    if content.size != items or content.dtype != dtype:
        _fail(f"holds {content.size:,} items where {items:,} are declared", name, path)
    shaped: np.ndarray[Any, Any] = content.reshape(shape)
    return shaped


def _header(raw: bytes, name: str, path: Path) -> tuple[np.dtype[Any], bool, Any, int]:
    """Dtype, order, shape, and where the content begins (NumPy's format, versions 1 to 3)."""
    import numpy as np

    version = raw[6:8]
    width = 2 if version == b"\x01\x00" else 4
    if raw[:6] != _MAGIC or version not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        _fail("is no .npy array", name, path)
    length = int.from_bytes(raw[8 : 8 + width], "little")
    start = 8 + width + length
    if length > _MAX_HEADER or start > len(raw):
        _fail(f"a header of {length:,} bytes", name, path)
    try:
        header = ast.literal_eval(raw[8 + width : start].decode("utf-8").strip())
        descr, fortran, shape = (header[key] for key in ("descr", "fortran_order", "shape"))
        if len(header) != 3 or type(fortran) is not bool:
            raise ValueError("other fields")
        if not isinstance(descr, str) or not _DTYPE.fullmatch(descr):
            _fail(f"dtype {str(descr)[:80]}", name, path)
        return np.dtype("O" if "O" in descr else descr), fortran, shape, start
    except (ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError) as error:
        _fail(f"damaged header: {str(error)[:100]}", name, path)


def _fail(message: str, name: str, path: Path) -> NoReturn:
    raise InputError(message, file=path, field=name, accepted=_ACCEPTED)
