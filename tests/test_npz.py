"""Files that nobody vouches for: they read equal to NumPy, or they are refused and run nothing."""

from __future__ import annotations

import builtins
import collections
import io
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from growth import growth
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.errors import InputError
from ovmer_bench.reading import npz, unpickle
from ovmer_bench.reading.npz import read_npz
from ovmer_bench.reading.unpickle import load_array

MODULES = ("numpy.core", "numpy._core")


def npy(content: bytes, descr: str = "|O", shape: str = "()", fortran: str = "False") -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + content


def write_npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def refused(path: Path, needle: str = "") -> InputError:
    with pytest.raises(InputError) as caught:
        read_npz(path)
    shown = str(caught.value)
    assert "\n" not in shown and len(shown) <= 1000
    assert path.name in shown
    assert needle in shown, shown
    return caught.value


# --- what is read ---------------------------------------------------------------------------


def test_every_reference_file_equals_numpy(reference: Path) -> None:
    files = sorted(reference.rglob("*.npz"))
    assert len(files) >= 17
    for file in files:
        ours = read_npz(file)
        with np.load(file, allow_pickle=True) as theirs:
            assert list(ours) == theirs.files
            for name in theirs.files:
                same(ours[name], theirs[name])


def same(a: object, b: object) -> None:
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert a.dtype == b.dtype and a.shape == b.shape
        same(a.tolist(), b.tolist())
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    else:
        assert a == b or (a != a and b != b)


ARRAYS = {
    "floats": np.linspace(0, 1, 7).reshape(7, 1),
    "fortran": np.asfortranarray(np.arange(12, dtype=">i4").reshape(3, 4)),
    "text": np.array(["happy", "", "难过"]),
    "bytes": np.array([b"a", b"bc"]),
    "flags": np.array([[True, False]]),
    "complex": np.array([1 + 2j]),
    "empty": np.zeros((0, 3)),
    "scalar": np.array(3.5),
    "dict": np.array({"a": {"emo": 3, "val": np.float64(-0.5)}, "b": {"emo": "sad"}}, object),
    "list": np.array([["a", "b"], ["c"], []], dtype=object),
    "grid": np.array([[1, "x"], [None, 2.5]], dtype=object),
    "nested": np.array([{"x": np.arange(3), "y": np.array(["u", "v"])}], dtype=object),
    "generics": np.array(
        [np.str_("word"), np.int8(3), np.float32(0.5), np.bool_(True), np.bytes_(b"z")], object
    ),
    "values": np.array([(1, 2), {3, 4}, b"raw", float("nan"), 2**62, -1, True, ""], object),
    "shared": np.array([["x"]] * 2 + [("y", ("z",))], dtype=object),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_saves_reads_equal(tmp_path: Path, save: Callable[..., None]) -> None:
    path = tmp_path / "a.npz"
    save(path, **ARRAYS)
    ours = read_npz(path)
    with np.load(path, allow_pickle=True) as theirs:
        for name in ARRAYS:
            same(ours[name], theirs[name])


def test_plain_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    assert read_npz(tmp_path / "a.npy")["arr_0"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("protocol", range(6))
def test_all_protocols_and_both_module_names(protocol: int, module: str) -> None:
    content = {"a": {"emo": 1, "val": np.float64(0.25)}, "b": collections.OrderedDict(c={1})}
    array = np.array([content, [np.arange(4), b"", b"\xff", frozenset({"x"})]], object)
    data = pickle.dumps(array, protocol)
    if protocol < 4:  # names are written with their length from protocol 4 on
        for other in MODULES:
            data = data.replace(other.encode(), module.encode())
    ours = load_array(data)
    assert ours[0] == {"a": {"emo": 1, "val": 0.25}, "b": {"c": {1}}}
    assert ours[1][0].tolist() == [0, 1, 2, 3]
    assert ours[1][1:] == [b"", b"\xff", {"x"}]


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(st.lists(plain, max_size=5), st.integers(2, 5))
def test_plain_values_survive(values: list[object], protocol: int) -> None:
    array = np.fromiter(values, object, count=len(values))
    same(load_array(pickle.dumps(array, protocol)).tolist(), array.tolist())


def test_speed_is_linear(tmp_path: Path) -> None:
    written: dict[int, dict[str, object]] = {}
    for size in (3_000, 30_000):
        written[size] = {f"clip_{i:06d}": {"emo": i % 7, "val": -10} for i in range(size)}
        np.savez_compressed(tmp_path / f"{size}.npz", test_corpus=np.array(written[size], object))

    def read(size: int) -> None:
        assert read_npz(tmp_path / f"{size}.npz")["test_corpus"].item() == written[size]

    assert growth(read, 3_000, 30_000) < 30


# --- what tries to run ----------------------------------------------------------------------


class Call:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


class WithState:
    def __init__(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.call = (function, arguments, {"__code__": 1, "x": Call(os.system, "true")})

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


def touch(marker: Path) -> str:
    return f"open({str(marker)!r}, 'w').close()"


def payloads(marker: Path) -> dict[str, object]:
    code = touch(marker)
    return {
        "posix.system": Call(os.system, f"touch '{marker}'"),
        "builtins.eval": Call(builtins.eval, code),
        "builtins.exec": Call(builtins.exec, code),
        "builtins.__import__": Call(builtins.__import__, "evil_module"),
        "builtins.getattr": Call(getattr, Call(builtins.__import__, "os"), "system"),
        "subprocess.Popen": Call(subprocess.Popen, ["touch", str(marker)]),
        "io.open": Call(io.open, str(marker), "w"),
        "numpy.testing._private.utils.runstring": Call(np.testing.runstring, code, {}),
        "builtins.list": [Call(list, Call(map, Call(eval, "eval"), [code]))],
    }


NAMES = sorted(payloads(Path("x")))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", NAMES)
def test_nothing_named_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, protocol: int
) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "evil_module.py").write_text(touch(marker))
    monkeypatch.syspath_prepend(str(tmp_path))
    array = np.array({"clip": payloads(marker)[name]}, object)
    path = write_npz(tmp_path / "evil.npz", a=npy(pickle.dumps(array, protocol)))
    error = refused(path, "refused: the file asks for")
    assert not marker.exists() and "evil_module" not in sys.modules
    named = name.rpartition(".")[2]
    assert named in error.message or name == "builtins.getattr"
    np.load(path, allow_pickle=True)["a"]  # the payload is a live one: NumPy runs it
    for _ in range(100):  # Popen does not wait
        if marker.exists() or named == "getattr":
            break
        time.sleep(0.05)
    assert marker.exists() or named == "getattr"
    sys.modules.pop("evil_module", None)


RAW = {
    "global": b"cos\nsystem\n(S'true'\ntR.",
    "instance": b"(S'true'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'true'\no.",
    "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "dotted": b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93)R.",
    "dotted module": b"cnumpy.core.multiarray\nscalar.__class__\n)R.",
    "f2py": b"cnumpy.f2py\ncompile\n(S'x'\ntR.",
    "runstring": b"cnumpy.testing\nrunstring\n(S'x'\n}tR.",
    "ctypeslib": b"cnumpy.ctypeslib\nload_library\n(S'libc.so.6'\nS'/'\ntR.",
    "numpy load": b"cnumpy\nload\n(S'x'\ntR.",
    "frompyfunc": b"cnumpy\nfrompyfunc\n(cos\nsystem\nI1\nI1\ntR.",
    "own module": b"covmer_bench.unpickle\nload_array\n(C\x01.tR.",
    "copyreg": b"ccopyreg\n_reconstructor\n(cbuiltins\nobject\ncbuiltins\nobject\nNtR.",
    "extension": b"\x80\x02\x82\x01.",
    "persistent": b"Pos.system\n.",
    "new object": b"\x80\x02cnumpy\nndarray\n(I3\ntt\x81.",
    "next buffer": b"\x80\x05\x97.",
    "build on name": b"cnumpy\nndarray\n}S'x'\nI1\nsb.",
    "build on dict": b"}}S'x'\nI1\nsb.",
    "call of a value": b"S'x'\n)R.",
    "ndarray itself": b"cnumpy\nndarray\n((I1\ntcnumpy\ndtype\n(S'O'\nI0\nI1\ntRtR.",
    "codec": b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
    "getattr": b"cbuiltins\ngetattr\n(S''\nS'x'\ntR.",
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_handwritten_attacks_are_refused(tmp_path: Path, raw: bytes) -> None:
    before = set(sys.modules)
    refused(write_npz(tmp_path / "evil.npz", a=npy(raw)))
    assert not {m for m in set(sys.modules) - before if m.startswith(("numpy.f2py", "ctypes"))}


def state_of(dtype: bytes, content: bytes, state: bytes = b"") -> bytes:
    """A pickled array of one item: dtype code, its state, its content."""
    kind = b"cnumpy\ndtype\n(S'" + dtype + b"'\nI0\nI1\ntR" + state
    shell = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return shell + b"(I1\n(I1\nt" + kind + b"I00\n" + content + b"tb."


MEMORY = {
    "object dtype with bytes": state_of(b"O", b"S'AAAAAAAA'\n"),
    "structured dtype": state_of(b"V8", b"S'AAAAAAAA'\n"),
    "fields in the state": state_of(
        b"f8",
        b"S'AAAAAAAA'\n",
        b"(I3\nS'|'\nN(S'a'\nt}S'a'\n(cnumpy\ndtype\n(S'O'\nI0\nI1\ntRI0\ntsI8\nI1\nI0\ntb",
    ),
    "subarray in the state": state_of(
        b"f8", b"S'AAAAAAAA'\n", b"(I3\nS'<'\n(S'f8'\n(I9\ntttNNI8\nI1\nI0\ntb"
    ),
    "short content": state_of(b"f8", b"S'AAAA'\n"),
    "long content": state_of(b"f8", b"S'AAAAAAAAAAAA'\n"),
    "list for numbers": state_of(b"f8", b"(lI1\na"),
}


@pytest.mark.parametrize("raw", MEMORY.values(), ids=MEMORY)
def test_states_that_lie_about_memory_are_refused(tmp_path: Path, raw: bytes) -> None:
    assert load_array(state_of(b"f8", b"S'AAAAAAAA'\n")).shape == (1,)
    refused(write_npz(tmp_path / "evil.npz", a=npy(raw, shape="(1,)")))


# --- bombs ----------------------------------------------------------------------------------


def array_with(value: bytes) -> bytes:
    """A pickled object array whose one item is made by the opcodes ``value``."""
    return state_of(b"O8", b"(l" + value + b"a")


LAUGHS = b"(lp1000\nS'ha'\na" + b"".join(
    b"(lp%d\n" % (1001 + i) + b"g%d\na" % (1000 + i) * 10 for i in range(30)
)
TUPLES = b"S'ha'\n" + b"".join(b"p%d\ng%d\n\x86" % (i, i) for i in range(60))
BOMBS = {
    "billion laughs": (array_with(b"(" + LAUGHS + b"t"), "spreads"),
    "tuple as a key": (array_with(b"}" + TUPLES + b"I1\ns"), "key"),
    "tuple in a set": (array_with(b"\x80\x04\x8f(" + TUPLES + b"\x90"), "key"),
    "tuple as a byte order": (
        state_of(b"f8", b"S'AAAAAAAA'\n", b"(I3\n" + TUPLES + b"NNNI8\nI1\nI0\ntb"),
        "byte order",
    ),
    "tuple as a name": (array_with(b"\x80\x04" + TUPLES + TUPLES + b"\x93"), "name"),
    "wide tuples": (array_with(b"(l" + TUPLES + b"a"), "spreads"),
    "deep lists": (array_with(b"(l" * 100_000 + b"a" * 99_999), "deep"),
    "cycle": (array_with(b"(lp9\ng9\na"), "itself"),
    "long text shared": (
        array_with(b"(lV" + b"x" * 2**20 + b"\np9\na" + b"g9\na" * 2000),
        "spreads",
    ),
    "long": (array_with(b"\x80\x02\x8b" + struct.pack("<i", 2**20) + b"\x7f" * 2**20), "bits"),
    "long as text": (array_with(b"L" + b"9" * 1_000_000 + b"L\n"), ""),
    "huge bytes": (array_with(b"\x80\x04\x8e" + struct.pack("<Q", 2**60)), ""),
    "huge shape": (
        state_of(b"f8", b"S''\n").replace(b"(I1\n(I1\nt", b"(I1\n(I1\x30" + b"0" * 12 + b"\nt"),
        "",
    ),
    "endless zero size": (
        state_of(b"U0", b"S''\n").replace(b"(I1\n(I1\nt", b"(I1\n(I999999999999\nt"),
        "",
    ),
    "memo miss": (b"g5\n.", ""),
    "stack underflow": (b"tR.", ""),
    "only a mark": (b"(.", ""),
    "no end": (b"]", ""),
    "unknown opcode": (b"\xff.", ""),
    "nothing": (b"", ""),
    "no array": (b"I1\n.", "not an array"),
    "rest": (pickle.dumps(np.array([None])) + b"cos\nsystem\n.", "behind the end"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("raw", "needle"), BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_quickly(tmp_path: Path, raw: bytes, needle: str) -> None:
    path = write_npz(tmp_path / "bomb.npz", a=npy(raw, shape="(1,)"))
    refused(path, needle)


def test_opcodes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle, "MAX_OPCODES", 1000)
    with pytest.raises(InputError, match="1,000 steps"):
        load_array(b"N0" * 1000 + b"N.")


# --- files that are not what they say --------------------------------------------------------


def good(path: Path) -> Path:
    np.savez_compressed(path, filenames=np.array(["a", "b"]), x=np.array({"k": [1]}, object))
    return path


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_file_is_an_input_error_or_still_reads(data: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = good(Path(folder) / "a.npz")
        raw = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(
            raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
        )
        try:
            read_npz(path)
        except InputError as error:
            assert "\n" not in str(error)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_pickle_is_an_input_error_or_still_reads(data: st.DataObject) -> None:
    raw = bytearray(pickle.dumps(ARRAYS["values"], data.draw(st.integers(0, 5))))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        load_array(bytes(raw))
    except InputError as error:
        assert "\n" not in str(error)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_as_a_pickle(raw: bytes) -> None:
    with pytest.raises(InputError):
        load_array(raw)


def test_not_an_archive(tmp_path: Path) -> None:
    for content in (b"", b"name,openset\n", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x00" * 99):
        path = tmp_path / "a.npz"
        path.write_bytes(content)
        refused(path)
    with pytest.raises(InputError, match="no such file"):
        read_npz(tmp_path / "absent.npz")
    with pytest.raises(InputError, match="folder"):
        read_npz(tmp_path)


def test_truncated(tmp_path: Path) -> None:
    raw = good(tmp_path / "a.npz").read_bytes()
    for length in range(0, len(raw), 7):
        (tmp_path / "a.npz").write_bytes(raw[:length])
        refused(tmp_path / "a.npz")


def test_nested_and_foreign_members(tmp_path: Path) -> None:
    inner = good(tmp_path / "inner.npz").read_bytes()
    path = tmp_path / "a.npz"
    for name, content in (("inner.zip", inner), ("inner.npy", inner), ("x.txt", b"x")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, content)
        refused(path, "is no .npy array")


def test_encrypted(tmp_path: Path) -> None:
    path = good(tmp_path / "a.npz")
    raw = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = raw.find(signature)
        raw[at + offset] |= 1
    path.write_bytes(raw)
    refused(path, "encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("a.npy", npy(b""))
    refused(tmp_path / "a.npz", "compression")


def test_one_name_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", npy(b""))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", npy(b""))
    refused(tmp_path / "a.npz", "twice")


def test_zip_bomb_by_ratio_and_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_npz(tmp_path / "a.npz", a=npy(bytes(8 * 2**20), "<f8", f"({2**20},)"))
    assert read_npz(path)["a"].size == 2**20
    monkeypatch.setattr(npz, "RATIO_MATTERS_FROM", 2**20)
    refused(path, "unpacks from")
    monkeypatch.setattr(npz, "MAX_RATIO", 10**6)
    monkeypatch.setattr(npz, "MAX_TOTAL", 2**20)
    refused(path, "unpacks from")
    monkeypatch.setattr(npz, "MAX_FILE", 100)
    refused(path, "at most 100 bytes")


def test_zip_bomb_that_lies(tmp_path: Path) -> None:
    """Declared sizes smaller or larger than what the members unpack to."""
    path = write_npz(tmp_path / "a.npz", a=npy(bytes(10**6), "<u1", f"({10**6},)"))
    raw = path.read_bytes()
    true = struct.pack("<I", len(npy(bytes(10**6), "<u1", f"({10**6},)")))
    assert raw.count(true) == 2
    for lie in (1000, 2**31 - 1):
        path.write_bytes(raw.replace(true, struct.pack("<I", lie)))
        refused(path)


def test_too_many_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for i in range(npz.MAX_MEMBERS + 1):
            archive.writestr(f"{i}.npy", b"")
    refused(tmp_path / "a.npz", "members")


HEADERS = {
    "huge shape": npy(b"", "<f8", f"({10**12},)"),
    "huge zero-size shape": npy(b"", "<U0", f"({10**12},)"),
    "overflowing shape": npy(b"", "<f8", f"({2**32}, {2**32})"),
    "many dimensions": npy(bytes(8), "<f8", f"({'1,' * 60})"),
    "negative": npy(b"", "<f8", "(-1,)"),
    "true as a length": npy(bytes(8), "<f8", "(True,)"),
    "short": npy(bytes(8), "<f8", "(2,)"),
    "long": npy(bytes(24), "<f8", "(2,)"),
    "shape of text": npy(bytes(8), "<f8", "'x'"),
    "structured": npy(bytes(8), "V8", "(1,)"),
    "list dtype": npy(bytes(8)).replace(b"'|O'", b"[('a', '<f8')]"),
    "object inside": npy(bytes(8)).replace(b"'|O'", b"[('a', '|O')]"),
    "no such dtype": npy(bytes(3), "<f3", "(1,)"),
    "wide text": npy(b"", "<U9999999999", "(1,)"),
    "bad code point": npy(b"\xff\xff\xff\x7f", "<U1", "(1,)"),
    "other objects": npy(pickle.dumps(np.array([1, 2], object)), shape="(3,)"),
    "no fields": npy(b"").replace(b"'descr'", b"'d' 'x'"),
    "code": npy(b"").replace(b"False", b"exit()"),
    "nested": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"(" * 9000,
    "minus": b"\x93NUMPY\x01\x00" + struct.pack("<H", 9000) + b"-" * 9000,
    "header too long": b"\x93NUMPY\x02\x00" + struct.pack("<I", 10**6) + b" " * 10**6,
    "header beyond the end": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b" ",
    "version 9": b"\x93NUMPY\x09\x00" + npy(b"")[8:],
    "no magic": b"x" * 100,
    "empty": b"",
}


@pytest.mark.parametrize("member", HEADERS.values(), ids=HEADERS)
def test_headers_that_lie(tmp_path: Path, member: bytes) -> None:
    refused(write_npz(tmp_path / "a.npz", a=member))


def test_the_name_of_the_array_is_in_the_error(tmp_path: Path) -> None:
    path = write_npz(
        tmp_path / "a.npz", good=npy(bytes(8), "<f8", "(1,)"), bad=npy(b"cos\nsystem\n.")
    )
    error = refused(path, "'os.system'")
    assert error.field == "bad"
