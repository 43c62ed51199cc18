"""Bad input of every kind: one line that says what is wrong and where, and nothing is written.

Every case runs the command on a small folder. Those marked ``real`` run it in a process of its
own, the others in this one, which is the same code without the start of an interpreter.
"""

from __future__ import annotations

import ctypes
import gzip
import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import small_release
from command import Result, command, listing, run, run_here
from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.corpora.store import save_corpus
from ovmer_bench.reading.schema import Sample

MEGABYTES_10 = 10_000_000
GOLD = '{"id": "clip_a", "labels": ["happy"]}\n{"id": "clip_b", "labels": ["sad"]}\n'
LINE_A = '{"id": "clip_a", "labels": ["joyful"]}\n'
LINE_B = '{"id": "clip_b", "labels": ["gloomy"]}\n'
KEPT = "what an earlier run wrote\n"
"""Content of ``kept.json``, to which every case that can write is told to write."""


@dataclass(frozen=True)
class Case:
    """Arguments of the command, words of its error, and what to put into the folder first."""

    arguments: tuple[str, ...]
    says: tuple[str, ...]
    prepare: Callable[[Path], object] = lambda folder: None
    real: bool = False
    usage: bool = False


def check(folder: Path, before: dict[str, str], done: Result, case: Case) -> None:
    assert done.code == 2, done
    assert "Traceback" not in done.err and not done.out, done
    lines = done.err.splitlines()
    if case.usage:
        assert lines[0].startswith("Usage: ovmer") and "Error: " in done.err, done.err
    else:
        assert len(lines) == 1 and done.err.endswith("\n"), done.err
        assert done.err.startswith("error: ") and len(done.err) <= 1010, done.err
    shown = " ".join(done.err.split())
    for words in case.says:
        assert words in shown, done.err
    assert listing(folder) == before


def filled(folder: Path, case: Case, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Make the folder of a case; returns its listing."""
    monkeypatch.setenv("OVMER_HOME", str(folder / "home"))
    (folder / "gold.jsonl").write_text(GOLD, "utf-8")
    (folder / "good.jsonl").write_text(LINE_A + LINE_B, "utf-8")
    (folder / "kept.json").write_text(KEPT, "utf-8")
    case.prepare(folder)
    return listing(folder)


# --- prediction files -----------------------------------------------------------------------


def line(**fields: object) -> str:
    return json.dumps(fields) + "\n"


def npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def array(*items: object) -> np.ndarray:
    """An array of objects, which NumPy keeps as a pickle."""
    made = np.empty(len(items), object)
    made[:] = items
    return made


class Bomb:
    """A pickle of it runs a command when it is loaded the usual way."""

    def __reduce__(self):
        return os.system, ("touch bomb-went-off",)


def gzip_bomb() -> bytes:
    """300 MB of blanks in 300 kB."""
    return gzip.compress(LINE_A.encode() + b" " * 300_000_000, mtime=0)


def zip_bomb() -> bytes:
    """300 MB of zeros in 300 kB, with the header of an array before them."""
    buffer = io.BytesIO()
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (300000000,), }\n"
    block = bytes(2**20)
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("filenames.npy", "w", force_zip64=True) as member,
    ):
        member.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        for _ in range(300):
            member.write(block)
    return buffer.getvalue()


def altered(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


PAIR = {"filenames": np.array(["clip_a", "clip_b"]), "fileitems": array("joyful", "gloomy")}
RAW_PAIR = {k: v for k, v in PAIR.items() if k == "filenames"}
STORED = io.BytesIO()
np.savez(STORED, filenames=np.array(["clip_a"]), fileitems=np.array(["joyful"]))
AT_2 = "p.jsonl:2"
AT_1 = "p.jsonl:1"
NOT_UTF8 = "is not UTF-8"
A_LIST = "a list of strings"


def lm_eval(**fields: object) -> str:
    return line(doc={"id": "clip_a"}, **fields)


PREDICTIONS: dict[str, tuple[str, str | bytes | Callable[[], bytes], tuple[str, ...]]] = {
    # JSON that is none
    "cut JSON": ("p.jsonl", LINE_A + LINE_B[:20], (AT_2, "not JSON")),
    "cut in a character": ("p.jsonl", LINE_A.encode() + '{"id": "é'.encode()[:-1], (AT_2,)),
    "latin-1": ("p.jsonl", LINE_A + '{"id": "clip_é"}', (AT_2, "byte 0xe9", NOT_UTF8)),
    "UTF-16": ("p.jsonl", (LINE_A + LINE_B).encode("utf-16"), (AT_1, "byte 0xff", NOT_UTF8)),
    "UTF-16 without mark": ("p.jsonl", LINE_A.encode("utf-16-le"), (AT_1, "not JSON")),
    "UTF-32": ("p.jsonl", LINE_A.encode("utf-32"), (AT_1, NOT_UTF8)),
    "two marks": ("p.jsonl", b"\xef\xbb\xbf" * 2 + LINE_A.encode(), (AT_1, "not JSON")),
    "mark in the middle": ("p.jsonl", LINE_A + "\ufeff" + LINE_B, (AT_2, "not JSON")),
    "mark alone": ("p.jsonl", b"\xef\xbb\xbf", ("p.jsonl", "holds no records")),
    "NUL byte": ("p.jsonl", LINE_A + '{"id": "\0"}', (AT_2, "not JSON")),
    "NUL padding": ("p.jsonl", LINE_A + LINE_B + "\0" * 512, ("p.jsonl:3", "not JSON")),
    "NUL escaped": ("p.jsonl", line(id="clip_a", labels=["a\0"]), (AT_1, "'labels'", "NUL")),
    "half a pair": ("p.jsonl", line(id="clip_a", output="\ud83d"), (AT_1, "'output'", "U+D83D")),
    "10 MB of letters": ("p.jsonl", LINE_A + "x" * MEGABYTES_10, (AT_2, "not JSON")),
    "10 MB of brackets": ("p.jsonl", LINE_A + "[" * MEGABYTES_10, (AT_2, "too deep")),
    "deep": ("p.jsonl", '{"id":' + "[" * 99 + "]" * 99 + "}", (AT_1, "nested too deeply")),
    "key twice": ("p.jsonl", '{"id": "a", "id": "b", "labels": []}', (AT_1, "'id' stands twice")),
    "NaN": ("p.jsonl", '{"id": "a", "labels": [], "x": NaN}', (AT_1, "NaN is not JSON")),
    "Infinity": ("p.jsonl", '{"id": "a", "labels": Infinity}', (AT_1, "Infinity is not JSON")),
    "minus Infinity": ("p.jsonl", '{"id": "a", "labels": [-Infinity]}', (AT_1, "-Infinity")),
    "1e999": ("p.jsonl", '{"id": "a", "labels": [], "x": 1e999}', (AT_1, "too large")),
    "huge integer": ("p.jsonl", '{"id": ' + "9" * 100_000 + "}", (AT_1, "100000 digits")),
    "Python, not JSON": ("p.jsonl", "{'id': 'clip_a', 'labels': []}", (AT_1, "not JSON")),
    "empty": ("p.jsonl", "", ("p.jsonl", "holds no records")),
    "blank": ("p.jsonl", " \n\t\n\r\n", ("p.jsonl", "holds no records")),
    "an array": ("p.jsonl", f"[{LINE_A}]", (AT_1, "JSON array", "one object a line")),
    "a string a line": ("p.jsonl", '"happy"', (AT_1, "is a string, not an object")),
    "a number a line": ("p.jsonl", LINE_A + "3", (AT_2, "is a number, not an object")),
    "null a line": ("p.jsonl", "null", (AT_1, "is null, not an object")),
    # records
    "same id": ("p.jsonl", LINE_A + LINE_A, (AT_2, "field 'id'", "'clip_a'", "first on line 1")),
    "unknown id": (
        "p.jsonl",
        LINE_A + LINE_B + line(id="clip_aa", labels=[]),
        ("p.jsonl:3", "field 'id'", "1 of 3", "does not hold: 'clip_aa'", "Did you mean 'clip_a'"),
    ),
    "missing id": ("p.jsonl", LINE_A, ("p.jsonl", "1 of 2 clips", "'clip_b'", "--allow-missing")),
    "huge id": ("p.jsonl", line(id="x" * MEGABYTES_10, labels=[]), (AT_1, "'id'", "'xxxxx")),
    "many unknown ids": (
        "p.jsonl",
        "".join(line(id=f"c{i}", labels=[]) for i in range(3000)),
        (AT_1, "3000 of 3000", "'c0', 'c1', 'c2', 'c3', 'c4' and 2,995 more"),
    ),
    "no id": ("p.jsonl", line(labels=[]), (AT_1, "field 'id': missing")),
    "name for id": ("p.jsonl", line(name="a", labels=[]), (AT_1, "Rename 'name' to 'id'")),
    "id a number": ("p.jsonl", line(id=3, labels=[]), (AT_1, "'id': is a number", "a string")),
    "id null": ("p.jsonl", line(id=None, labels=[]), (AT_1, "'id': is null")),
    "id a list": ("p.jsonl", line(id=["a"], labels=[]), (AT_1, "'id': is a list")),
    "id empty": ("p.jsonl", line(id="", labels=[]), (AT_1, "'id'", "empty")),
    "id blank": ("p.jsonl", line(id=" \t", labels=[]), (AT_1, "'id'", "empty")),
    "id with line break": ("p.jsonl", line(id="a\nb", labels=[]), (AT_1, "'a\\nb'", "be shown")),
    "id with escape": ("p.jsonl", line(id="\x1b[2J", labels=[]), (AT_1, "'\\x1b[2J'", "be shown")),
    "labels nested": (
        "p.jsonl",
        line(id="clip_a", labels=[["happy"]]),
        (AT_1, "'labels[0]': is a list", "a string"),
    ),
    "labels a number": ("p.jsonl", line(id="a", labels=3), (AT_1, "'labels': is a num", A_LIST)),
    "labels null": ("p.jsonl", line(id="a", labels=None), (AT_1, "'labels': is null")),
    "labels an object": ("p.jsonl", line(id="a", labels={}), (AT_1, "is an object", A_LIST)),
    "labels true": ("p.jsonl", line(id="a", labels=True), (AT_1, "is true or false", A_LIST)),
    "labels a string": ("p.jsonl", line(id="a", labels="sad"), (AT_1, "is a string", "'output'")),
    "a label null": ("p.jsonl", line(id="a", labels=["x", None]), (AT_1, "'labels[1]': is null")),
    "a label a number": ("p.jsonl", line(id="a", labels=[1.5]), (AT_1, "'labels[0]': is a num")),
    "a label false": ("p.jsonl", line(id="a", labels=[False]), (AT_1, "'labels[0]': is true or")),
    "a label an object": ("p.jsonl", line(id="a", labels=[{}]), (AT_1, "is an object")),
    "output a number": ("p.jsonl", line(id="a", output=0), (AT_1, "'output': is a number")),
    "output null": ("p.jsonl", line(id="a", output=None), (AT_1, "'output'", "null")),
    "output a list": ("p.jsonl", line(id="a", output=["sad"]), (AT_1, "'output': is a list")),
    "both": ("p.jsonl", line(id="a", labels=[], output=""), (AT_1, "both 'labels' and 'output'")),
    "neither": ("p.jsonl", line(id="a"), (AT_1, "neither 'labels' nor 'output'")),
    "misspelt": ("p.jsonl", line(id="a", lables=[]), (AT_1, "'lables'", "Did you mean 'labels'")),
    # lm-eval
    "lm-eval without id": ("p.jsonl", line(doc={}, resps=[]), (AT_1, "doc.id", "missing")),
    "lm-eval without response": ("p.jsonl", lm_eval(resps=[]), (AT_1, "'filtered_resps'")),
    "lm-eval likelihoods": (
        "p.jsonl",
        lm_eval(filtered_resps=[["-1.5", "False"]], resps=[]),
        (AT_1, "'filtered_resps'", "2 responses", "generate_until"),
    ),
    "lm-eval filters": (
        "p.jsonl",
        lm_eval(filtered_resps=["sad"], filter="x") + lm_eval(filtered_resps=["sad"], filter="y"),
        (AT_2, "field 'filter'", "'y' after filter 'x'"),
    ),
    "lm-eval mixed": ("p.jsonl", lm_eval(filtered_resps=["sad"]) + LINE_B, (AT_2, "no lm-eval")),
    # CSV
    "CSV header only": ("p.csv", "name,openset\n", ("p.csv", "holds no records")),
    "CSV empty": ("p.csv", "", ("p.csv", "is empty")),
    "CSV without id": (
        "p.csv",
        "nmae,openset\nclip_a,sad\n",
        ("p.csv:1", "'id or name'", "'nmae'"),
    ),
    "CSV without labels": ("p.csv", "name,x\nclip_a,sad\n", ("p.csv:1", "openset", "'x'")),
    "CSV with two ids": ("p.csv", "name,id,openset\na,b,sad\n", ("p.csv:1", "'name' and 'id'")),
    "CSV ragged": ("p.csv", "name,openset\nclip_a,joyful,sad\n", ("p.csv:2", "3 cells", "has 2")),
    "CSV short row": ("p.csv", "name,openset\nclip_a,sad\nclip_b\n", ("p.csv:3", "1 cells")),
    "CSV open quote": (
        "p.csv",
        f'name,openset\nclip_a,"{"x" * MEGABYTES_10}\n',
        ("p.csv:2", "not CSV"),
    ),
    "CSV giant id": ("p.csv", f"name,openset\n{'x' * MEGABYTES_10},sad\n", ("p.csv:2", "'xxxxx")),
    "CSV semicolons": ("p.csv", "name;openset\nclip_a;sad\n", ("p.csv:1", "'name;openset'")),
    "CSV latin-1": ("p.csv", "name,openset\nclip_a,d\xe9\xe7u\n", ("p.csv:2", NOT_UTF8)),
    "CSV NUL": ("p.csv", "name,openset\nclip_a,s\0d\n", ("p.csv:2", "NUL")),
    "CSV same id": ("p.csv", "name,openset\nclip_a,sad\nclip_a,sad\n", ("p.csv:3", "duplicate")),
    "CSV blank id": ("p.csv", "name,openset\n ,sad\n", ("p.csv:2", "field 'id'", "empty")),
    # npz
    "npz cut": ("p.npz", npz(**PAIR)[:-30], ("p.npz", "damaged")),
    "npz in the middle cut": ("p.npz", npz(**PAIR)[40:], ("p.npz", "damaged")),
    "npz changed": (
        "p.npz",
        altered(STORED.getvalue(), b"j\0\0\0o", b"k\0\0\0o"),
        ("p.npz", "CRC"),
    ),
    "npz is text": ("p.npz", LINE_A, ("p.npz", "no .npz file")),
    "npz empty": ("p.npz", "", ("p.npz", "no .npz file")),
    "npz without members": ("p.npz", b"PK\x05\x06" + bytes(18), ("p.npz", "no arrays")),
    "npz other arrays": ("p.npz", npz(x=np.arange(3)), ("p.npz", "arrays x", "filenames or name2")),
    "npz half a pair": ("p.npz", npz(**RAW_PAIR), ("p.npz", "'fileitems': missing")),
    "npz lengths": (
        "p.npz",
        npz(**(PAIR | {"fileitems": array("sad")})),
        ("p.npz", "(2,)", "(1,)", "one item for each name"),
    ),
    "npz names are numbers": (
        "p.npz",
        npz(**(PAIR | {"filenames": np.array([1, 2])})),
        ("p.npz", "'filenames[0]'", "no text"),
    ),
    "npz labels are numbers": (
        "p.npz",
        npz(**(PAIR | {"fileitems": array("sad", [3])})),
        ("p.npz", "'fileitems[1]'"),
    ),
    "npz same id": (
        "p.npz",
        npz(**(PAIR | {"filenames": np.array(["clip_a", "clip_a"])})),
        ("p.npz", "duplicate id 'clip_a'"),
    ),
    "npz text by number": ("p.npz", npz(name2reason=array({3: "sad"})[0]), ("p.npz", "'name2rea")),
    "npz bomb in labels": (
        "p.npz",
        npz(**(PAIR | {"fileitems": array("sad", Bomb())})),
        ("p.npz", "'fileitems'", "system"),
    ),
    "npz bomb in texts": ("p.npz", npz(name2reason=array(Bomb())), ("p.npz", "'name2reason'")),
    "npz bomb beside": ("p.npz", npz(**PAIR, other=array(Bomb())), ("p.npz", "'other'", "system")),
    "zip bomb": ("p.npz", zip_bomb, ("p.npz", "unpacks", "bytes")),
    # other files
    "gzip": ("p.csv.gz", gzip.compress(LINE_A.encode(), mtime=0), ("p.csv.gz", ".jsonl.gz")),
    "gzip bomb": ("p.jsonl.gz", gzip_bomb, ("p.jsonl.gz", "unfolds to more than", "bytes")),
    "gzip of nothing": ("p.jsonl.gz", b"", ("p.jsonl.gz", "is cut short")),
    "gzip in name only": ("p.jsonl.gz", LINE_A, ("p.jsonl.gz", "is no gzip file")),
    "gzip cut": ("p.csv", gzip.compress(LINE_A.encode(), mtime=0)[:-9], ("p.csv:1", NOT_UTF8)),
    "binary": ("p.jsonl", bytes(range(255, -1, -1)), (AT_1, "byte 0xff", NOT_UTF8)),
    "binary without suffix": ("p", bytes(range(255, -1, -1)), ("no format", "JSON Lines")),
    "text": ("p.txt", "happy, sad\n", ("p.txt", "no format", "CSV with a header")),
}
REAL_PREDICTIONS = (
    *("cut JSON", "latin-1", "UTF-16", "10 MB of brackets", "huge integer", "unknown id"),
    *("missing id", "huge id", "id with escape", "half a pair", "both", "CSV open quote"),
    *("npz cut", "npz bomb in labels", "npz bomb in texts", "zip bomb", "gzip cut"),
)


def prediction_case(name: str) -> Case:
    file, content, says = PREDICTIONS[name]

    def write(folder: Path) -> None:
        raw = content() if callable(content) else content
        if isinstance(raw, str):
            raw = raw.encode("latin-1" if "latin-1" in name else "utf-8")
        (folder / file).write_bytes(raw)

    arguments = ("score", file, "--gold", "gold.jsonl", "--json", "kept.json")
    return Case(arguments, says, write, real=name in REAL_PREDICTIONS)


# --- files that are none, gold, corpora, lexicons, outputs, options --------------------------


def puts(name: str, content: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content, "utf-8")


def link(folder: Path) -> None:
    (folder / "p.jsonl").symlink_to(folder / "q.jsonl")
    (folder / "q.jsonl").symlink_to(folder / "p.jsonl")


def gold_case(content: str, *says: str, name: str = "g.jsonl", real: bool = False) -> Case:
    arguments = ("score", "good.jsonl", "--gold", name, "--json", "kept.json")
    return Case(arguments, (name, *says), puts(name, content), real)


def file_case(name: str, prepare: Callable[[Path], object], *says: str, real: bool = False) -> Case:
    arguments = ("score", name, "--gold", "gold.jsonl", "--json", "kept.json")
    return Case(arguments, says, prepare, real)


def task_case(
    task: str, *says: str, prepare: Callable[[Path], object] = lambda folder: None
) -> Case:
    return Case(("score", "good.jsonl", "--task", task, "--json", "kept.json"), says, prepare)


def output_case(
    *options: str, says: tuple[str, ...], prepare: Callable[[Path], object] = lambda folder: None
) -> Case:
    arguments = ("score", "good.jsonl", "--gold", "gold.jsonl", "--draws", "1", *options)
    return Case(arguments, says, prepare)


def imported_corpus(folder: Path) -> Path:
    """OV-MERD as it would be stored after an import, with two clips."""
    samples = [Sample(id="clip_a", labels=["happy"]), Sample(id="clip_b", labels=["sad"])]
    save_corpus(CORPORA["ovmerd"], samples, [])
    return folder / "home" / "corpora" / "ovmerd"


def corpus_with(pattern: str, change: Callable[[str], str | None]) -> Callable[[Path], object]:
    def prepare(folder: Path) -> None:
        (path,) = imported_corpus(folder).glob(pattern)
        text = change(path.read_text("utf-8"))
        path.unlink()
        if text is not None:
            path.write_text(text, "utf-8")

    return prepare


def lexicon_with(change: Callable[[str], str]) -> Callable[[Path], object]:
    """The lexicon ``weather``, installed and then damaged."""

    def prepare(folder: Path) -> None:
        small_release.write_sheets(folder / "sheets")
        done = run(
            *("lexicon", "install", "--from", "sheets", "--accept-unknown", "--as", "weather"),
            cwd=folder,
        )
        assert done.code == 0, done.err
        path = folder / "home" / "lexicons" / "weather.json"
        path.write_text(change(path.read_text("utf-8")), "utf-8")

    return prepare


def two_files_of_meld(folder: Path) -> None:
    (folder / "runs").mkdir()
    (folder / "runs" / "meld.csv").touch()
    (folder / "runs" / "meld.jsonl").touch()


SCORE = ("score", "good.jsonl", "--gold", "gold.jsonl")
BOTH_OUTPUTS = ("--json", "new.json", "--html")
WEATHER = (*SCORE, "--lexicon", "weather", "--json", "kept.json")
SAME = ("is also read", "Name another file")

OTHERS: dict[str, Case] = {
    # files that are none
    "folder": file_case("p", lambda f: (f / "p").mkdir(), "p: is a folder"),
    "pipe": file_case(
        "p.jsonl", lambda f: os.mkfifo(f / "p.jsonl"), "p.jsonl: is not a regular", real=True
    ),
    "device": file_case("/dev/null", lambda f: None, "/dev/null: is not a regular file"),
    "absent": file_case("nowhere.jsonl", lambda f: None, "nowhere.jsonl: no such file", real=True),
    "below a file": file_case(
        "good.jsonl/x", lambda f: None, "good.jsonl/x: cannot be read", "Not a directory"
    ),
    "links in a circle": file_case("p.jsonl", link, "p.jsonl: cannot be read", real=True),
    "link to nothing": file_case(
        "p.jsonl", lambda f: (f / "p.jsonl").symlink_to(f / "gone"), "p.jsonl: no such file"
    ),
    "name too long": file_case("x" * 300, lambda f: None, "cannot be read", "too long"),
    # gold
    "gold of two kinds": gold_case(
        line(id="clip_a", labels=["sad"]) + line(id="clip_b", label="sad"),
        *(":2", "'basic' after gold of kind 'open'", "one kind"),
        real=True,
    ),
    "gold with labels and label": gold_case(
        line(id="clip_a", labels=[], label="sad"), ":1", "labels and label"
    ),
    "gold without gold": gold_case(line(id="clip_a"), ":1", "no gold", "labels, label, valence"),
    "gold of another field": gold_case(
        line(id="clip_a", valance=1), ":1", "'valance'", "Did you mean 'valence'"
    ),
    "gold NaN": gold_case('{"id": "clip_a", "valence": NaN}', ":1", "NaN is not JSON"),
    "gold valence a string": gold_case(
        line(id="clip_a", valence="1"), ":1", "'valence': is a string"
    ),
    "gold valence true": gold_case(
        line(id="clip_a", valence=True), ":1", "'valence': is true or false"
    ),
    "gold label empty": gold_case(
        line(id="clip_a", label=" "), ":1", "'label': is an empty string"
    ),
    "gold labels a string": gold_case(
        line(id="clip_a", labels="sad"), ":1", "'labels': is a string"
    ),
    "gold is predictions": gold_case(line(id="clip_a", output="sad"), ":1", "'output'"),
    "gold same id": gold_case(LINE_A + LINE_A, ":2", "duplicate id 'clip_a'"),
    "gold empty": gold_case("", "holds no records"),
    "gold subtitle": gold_case(
        line(id="a", labels=[], subtitle={"fr": ""}), ":1", "'subtitle'", "'fr'", "en, zh"
    ),
    "gold CSV NaN": gold_case("id,valence\nclip_a,nan\n", ":2", "'valence'", "nan", name="g.csv"),
    "gold CSV infinite": gold_case(
        "id,valence\nclip_a,inf\n", ":2", "'valence'", "inf", name="g.csv"
    ),
    "gold CSV word": gold_case(
        "id,valence\nclip_a,good\n", ":2", "'valence'", "'good' is no number", name="g.csv"
    ),
    "gold CSV two kinds": gold_case(
        "id,label,valence\na,sad,1\n", ":1", "'label' and 'valence'", name="g.csv"
    ),
    "gold absent": Case((*SCORE[:3], "gone.jsonl"), ("gone.jsonl: no such file",)),
    # corpora
    "unknown corpus": task_case("ovmerdd", "'ovmerdd'", "Did you mean 'ovmerd'?"),
    "corpus not imported": task_case(
        "meld", "'meld' is not imported", "ovmer data import meld --from DIR"
    ),
    "corpus altered": task_case(
        "ovmerd",
        *("samples-", "does not match its manifest", "ovmer data import ovmerd"),
        prepare=corpus_with("samples-*.jsonl", lambda text: text.replace("sad", "mad")),
    ),
    "corpus without samples": task_case(
        "ovmerd",
        *("samples-", "damaged", "no such file", "ovmer data import ovmerd"),
        prepare=corpus_with("samples-*.jsonl", lambda text: None),
    ),
    "corpus manifest cut": task_case(
        "ovmerd",
        *("manifest.json", "damaged", "not JSON", "ovmer data import ovmerd"),
        prepare=corpus_with("manifest.json", lambda text: text[:40]),
    ),
    "corpus of another version": task_case(
        "ovmerd",
        *("manifest.json", "another version"),
        prepare=corpus_with(
            "manifest.json", lambda text: text.replace('"schema_version": 1', '"schema_version": 9')
        ),
    ),
    "corpus clip": Case(
        ("data", "show", "ovmer_scenes", "scene_01"), ("'scene_01'", "Did you mean")
    ),
    "corpus verify": Case(("data", "verify", "meld"), ("'meld' is not imported",)),
    "import from nowhere": Case(
        ("data", "import", "ovmerd", "--from", "gone"), ("gone: no such folder",)
    ),
    "import of nothing": Case(
        ("data", "import", "ovmerd", "--from", "."), ("no label file fits", "openset", "332 clips")
    ),
    "import of embedded": Case(
        ("data", "import", "ovmer_scenes", "--from", "."), ("part of the package",)
    ),
    "UniBench of a file": task_case("mer_unibench", "good.jsonl", "one folder", "mer2023.jsonl"),
    "UniBench of nothing": Case(
        ("score", "runs", "--task", "mer_unibench", "--json", "kept.json"),
        ("runs: holds no prediction file", "meld.jsonl"),
        lambda folder: (folder / "runs").mkdir(),
    ),
    "UniBench of two": Case(
        ("score", "runs", "--task", "mer_unibench"),
        ("runs: holds two files for meld",),
        two_files_of_meld,
    ),
    # lexicons
    "unknown lexicon": Case((*SCORE, "--lexicon", "ovmr"), ("'ovmr'", "ovmer")),
    "lexicon not installed": Case(
        (*SCORE, "--lexicon", "affectgpt-2025", "--json", "kept.json"),
        ("'affectgpt-2025'", "not installed", "ovmer lexicon install"),
        real=True,
    ),
    "lexicon called a path": Case((*SCORE, "--lexicon", "../x"), ("'../x'", "accepted: ovmer")),
    "lexicon cut": Case(
        WEATHER, ("weather.json", "ovmer lexicon install"), lexicon_with(lambda text: text[:300])
    ),
    "lexicon altered": Case(
        WEATHER,
        ("weather.json", "ovmer lexicon install"),
        lexicon_with(lambda text: text.replace("sunniest", "sunniast")),
    ),
    "lexicon blank": Case(WEATHER, ("weather.json",), lexicon_with(lambda text: "")),
    "lexicon of other files": Case(("lexicon", "install", "--from", "."), ("format.csv",)),
    "lexicon diff": Case(("lexicon", "diff", "ovmer", "omver"), ("'omver'", "ovmer")),
    "coverage of text": Case(
        ("lexicon", "coverage", "p.txt"), ("p.txt: is in no format",), puts("p.txt", "sad")
    ),
    # outputs
    "output below a file": output_case(
        "--json", "good.jsonl/x.json", says=("good.jsonl/x.json: cannot be written",)
    ),
    "output is a folder": output_case(
        "--json",
        "there",
        says=("there: cannot be written",),
        prepare=lambda f: (f / "there").mkdir(),
    ),
    "output is a pipe": output_case(
        "--json", "pipe", says=("pipe: cannot be written",), prepare=lambda f: os.mkfifo(f / "pipe")
    ),
    "output is a device": output_case(
        "--json", "/dev/full", says=("/dev/full: cannot be written",)
    ),
    "output links in a circle": output_case(
        "--json", "p.jsonl", says=("p.jsonl: cannot",), prepare=link
    ),
    "output name too long": output_case(
        "--json", "x" * 300, says=("cannot be written", "too long")
    ),
    "second output": output_case(*BOTH_OUTPUTS, "good.jsonl/x", says=("good.jsonl/x: cannot be",)),
    "one output for two": output_case(
        *BOTH_OUTPUTS, "./new.json", says=("new.json: would be wri",)
    ),
    "output over predictions": output_case("--json", "./good.jsonl", says=("good.jsonl", *SAME)),
    "output over gold": output_case("--html", "gold.jsonl", says=("gold.jsonl", *SAME)),
    "compare below a file": Case(
        ("compare", "good.jsonl", "more.jsonl", *SCORE[2:], "--json", "good.jsonl/x"),
        ("good.jsonl/x: cannot be written",),
        puts("more.jsonl", LINE_A + LINE_B),
    ),
    "extract to CSV": Case(("extract", "good.jsonl", "out.csv"), ("out.csv", ".jsonl")),
    "extract in place": Case(("extract", "good.jsonl", "./good.jsonl"), ("good.jsonl", *SAME)),
    "extract below a file": Case(
        ("extract", "good.jsonl", "gold.jsonl/x.jsonl"), ("cannot be written",)
    ),
    "extract bad": Case(
        ("extract", "p.jsonl", "kept.jsonl"), (AT_1, "not JSON"), puts("p.jsonl", "happy\n")
    ),
    "baseline below a file": Case(
        ("baseline", "constant", "--gold", "gold.jsonl", "--out", "good.jsonl/x"),
        ("cannot be written",),
    ),
    "baseline over gold": Case(
        ("baseline", "constant", "--gold", "gold.jsonl", "--out", "gold.jsonl"),
        ("gold.jsonl", *SAME),
    ),
    "baseline without labels": Case(
        ("baseline", "shuffled", "--gold", "g.jsonl", "--out", "kept.json"),
        ("shuffled", "gold labels"),
        puts("g.jsonl", line(id="a", valence=1)),
    ),
    "baseline without text": Case(
        ("baseline", "keywords-clues", "--gold", "gold.jsonl", "--out", "kept.json"),
        ("no written clues",),
    ),
    # runs that cannot be put together
    "runs of other kinds": Case(
        (
            "score",
            "good.jsonl",
            "less.jsonl",
            *SCORE[2:],
            "--allow-missing",
            *("--json", "kept.json"),
        ),
        ("different signatures", "missing:1"),
        puts("less.jsonl", LINE_A),
    ),
    "compare one": Case(
        ("compare", "good.jsonl", "--gold", "gold.jsonl"), ("at least two systems",)
    ),
    "compare with itself": Case(
        ("compare", "good.jsonl", "good.jsonl", "--gold", "gold.jsonl"), ("one name",)
    ),
    "compare unknown score": Case(
        ("compare", "good.jsonl", "more.jsonl", "--gold", "gold.jsonl", "--score", "S3"),
        ("'S3'", "M-avg", "S1/skill"),
        puts("more.jsonl", LINE_A + LINE_B),
    ),
}

USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "neither task nor gold": (("score", "good.jsonl"), "--task NAME and --gold FILE"),
    "task and gold": ((*SCORE, "--task", "ovmer_scenes"), "--task NAME and --gold FILE"),
    "UniBench and gold": ((*SCORE, "--task", "mer_unibench"), "--task NAME and --gold FILE"),
    "no files": (("score", "--gold", "gold.jsonl"), "FILES"),
    "draws below 0": ((*SCORE, "--draws", "-1"), "--draws"),
    "draws no number": ((*SCORE, "--draws", "many"), "--draws"),
    "draws too many": ((*SCORE, "--draws", "999999999999"), "--draws"),
    "seed below 0": ((*SCORE, "--seed", "-1"), "--seed"),
    "html of two": ((*SCORE, "good.jsonl", "--html", "new.html"), "--html"),
    "server without address": ((*SCORE, "--extractor", "server", "--model", "m"), "--server-url"),
    "server without model": ((*SCORE, "--extractor", "server"), "--model"),
    "model without extractor": ((*SCORE, "--model", "m"), "--extractor"),
    "unknown extractor": ((*SCORE, "--extractor", "magic"), "'magic'"),
    "compare without draws": (("compare", *SCORE[1:], "--draws", "0"), "--draws"),
    "alpha 0": (("compare", *SCORE[1:], "--alpha", "0"), "--alpha"),
    "alpha no number": (("compare", *SCORE[1:], "--alpha", "nan"), "--alpha"),
    "baseline unknown": (("baseline", "magic", *SCORE[2:], "--out", "new.jsonl"), "'magic'"),
    "baseline seed": (
        ("baseline", "shuffled", *SCORE[2:], "--out", "new.jsonl", "--seed", "-1"),
        "--seed",
    ),
    "baseline without out": (("baseline", "shuffled", *SCORE[2:]), "--out"),
    "install from two": (("lexicon", "install", "--from", ".", "--download"), "--from DIR"),
    "install from none": (("lexicon", "install"), "--from DIR"),
    "download of what": (("lexicon", "install", "--download"), "--id"),
    "explain nothing": (("lexicon", "explain"), "WORDS"),
    "unknown command": (("scor",), "scor"),
    "unknown option": ((*SCORE, "--jsn", "x"), "--json"),
}

CASES: dict[str, Case] = {
    **{name: prediction_case(name) for name in PREDICTIONS},
    **OTHERS,
    **{
        name: Case(arguments, (says,), usage=True, real=name in ("draws below 0", "task and gold"))
        for name, (arguments, says) in USAGE.items()
    },
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_in_one_line_and_nothing_is_written(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = CASES[name]
    before = filled(tmp_path, case, monkeypatch)
    if case.real:
        done = run(*case.arguments, cwd=tmp_path)
    else:
        done = run_here(*case.arguments, cwd=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
    check(tmp_path, before, done, case)


def test_the_table_is_long_enough() -> None:
    assert len(CASES) == len(PREDICTIONS) + len(OTHERS) + len(USAGE) >= 150
    assert sum(case.real for case in CASES.values()) >= 20


def test_the_bomb_would_have_gone_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = np.load(io.BytesIO(npz(x=array(Bomb()))), allow_pickle=True)
    assert content["x"].tolist() == [0]
    assert (tmp_path / "bomb-went-off").exists()


# --- the world around -----------------------------------------------------------------------


def small_files() -> None:
    """As a full disk: no file of this process grows beyond a kilobyte."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case((*SCORE, "--draws", "1", "--json", "kept.json"), ("kept.json: cannot be written",))
    before = filled(tmp_path, case, monkeypatch)
    done = subprocess.run(
        command(*case.arguments),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=small_files,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    check(tmp_path, before, Result(done.returncode, done.stdout, done.stderr), case)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_that_cannot_be_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case((*SCORE, "--draws", "1"), ("No space left on device",))
    before = filled(tmp_path, case, monkeypatch)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*case.arguments), cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True
        )
    check(tmp_path, before, Result(done.returncode, "", done.stderr), case)


def test_a_home_that_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(("data", "list"), ("OVMER_HOME", "'~nobody-of-this-name'"))
    before = filled(tmp_path, case, monkeypatch)
    done = run(*case.arguments, cwd=tmp_path, OVMER_HOME="~nobody-of-this-name")
    check(tmp_path, before, done, case)


def test_a_home_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "official").mkdir()
    rows = "".join(f"clip{i},[happy]\n" for i in range(332))
    (tmp_path / "official" / "ovmerd.csv").write_text(f"name,openset\n{rows}", "utf-8")
    case = Case(("data", "import", "ovmerd", "--from", "official"), ("cannot be written",))
    before = filled(tmp_path, case, monkeypatch)
    done = run(*case.arguments, cwd=tmp_path, OVMER_HOME=str(tmp_path / "good.jsonl"))
    check(tmp_path, before, done, case)


def obey_permissions() -> None:
    """Let root be refused what file modes refuse to others (Linux: give up two capabilities)."""
    if os.geteuid() == 0:
        drop, override, search = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, _READ_SEARCH
        for capability in (override, search):
            if ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0):
                raise OSError("prctl")


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_what_cannot_be_read_or_written_without_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(folder: Path) -> None:
        (folder / "p.jsonl").write_text(LINE_A + LINE_B, "utf-8")
        (folder / "locked").mkdir()

    score = ("score", "p.jsonl", "--gold", "gold.jsonl")
    locked = (*SCORE, "--draws", "0", "--json", "locked/new.json")
    for arguments, says in (
        (score, "p.jsonl: permission denied. Make it readable."),
        (locked, "locked/new.json: cannot be written: Permission denied"),
    ):
        folder = tmp_path / says[0]
        folder.mkdir()
        case = Case(arguments, (says,), prepare)
        before = filled(folder, case, monkeypatch)
        (folder / "p.jsonl").chmod(0o200)
        (folder / "locked").chmod(0o500)
        done = subprocess.run(
            command(*arguments),
            cwd=folder,
            capture_output=True,
            text=True,
            preexec_fn=obey_permissions,
        )
        (folder / "p.jsonl").chmod(0o600)
        check(folder, before, Result(done.returncode, done.stdout, done.stderr), case)
