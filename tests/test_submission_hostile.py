"""Submissions that mean harm: each is refused in one line, or does none."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import re
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import listing, run
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.errors import InputError, OvmerError
from ovmer_bench.reading.readers import read_predictions
from ovmer_bench.submission import check_folder, check_submission, read_submission
from ovmer_bench.submission.meta import read_meta
from ovmer_bench.submission.pack import pack, prediction_files
from ovmer_bench.submission.safety import (
    MAX_FILE,
    MAX_INPUT,
    MAX_META,
    MAX_SHOWN_LABEL,
    check_name,
    harmless,
    harmless_label,
)
from submissions import META, noisy, submission, write_lines, write_meta

BIDI = "\u202e"
ZERO_WIDTH = "\u200b"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return submission(tmp_path / "out" / "good", {"ovmer_scenes": noisy("ovmer_scenes", 0.5)})


def refused(path: Path) -> InputError:
    """The error that reading and checking ``path`` gives."""
    with pytest.raises(InputError) as caught:
        check_submission(read_submission(path))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1200
    return caught.value


# --- Names --------------------------------------------------------------------------------

BAD_NAMES = [
    *(
        "",
        ".",
        "..",
        "a/b",
        "../up",
        "/root",
        "a\\b",
        "c:",
        "a b",
        " a",
        "a.",
        "-a",
        ".git",
        "a..b",
    ),
    *("Mine", "ümlaut", "а-cyrillic", f"a{BIDI}b", f"a{ZERO_WIDTH}b", "a\nb", "a\x00b", "x" * 65),
    *("<script>", "a&b", 'a"b', "a'b", "a%2fb", "a?b", "a#b", "~a", "$(id)", "`id`", "a;b"),
    *("con", "nul", "com1", "lpt9", "aux.jsonl", "prn"),
    "paper-affectgpt",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_mean_something_else_are_refused(tmp_path: Path, name: str) -> None:
    source = write_lines(tmp_path / "in" / "ovmer_scenes.jsonl", noisy("ovmer_scenes", 0.5))
    meta = write_meta(tmp_path / "meta.yaml")
    before = listing(tmp_path)
    with pytest.raises(InputError, match=r"name|reserved"):
        pack(name, [source], meta, tmp_path / "out")
    assert listing(tmp_path) == before


@given(st.text(max_size=12))
def test_a_name_that_passes_is_plain(name: str) -> None:
    try:
        check_name(name)
    except InputError:
        return
    assert re.fullmatch(r"[a-z0-9._-]+", name) and name == Path(name).name
    assert not name.startswith(".") and not name.endswith(".")


def test_names_that_differ_by_case_are_refused(good: Path) -> None:
    upper = good.with_name("GOOD")
    submission(upper, {"ovmer_scenes": noisy("ovmer_scenes", 0.5)})
    with pytest.raises(InputError, match="differ only by case"):
        list(check_folder(good.parent))


def test_case_is_checked_when_packing(tmp_path: Path, good: Path) -> None:
    good.rename(good.with_name("Good"))
    source = write_lines(tmp_path / "in" / "ovmer_scenes.jsonl", noisy("ovmer_scenes", 0.5))
    with pytest.raises(InputError, match="differ only by case"):
        pack("good", [source], write_meta(tmp_path / "meta.yaml"), good.parent)


@pytest.mark.parametrize(
    "name",
    ["..\\x.jsonl", "...jsonl", "unknown.jsonl", "OVMER_SCENES.jsonl", "ovmer_scenes.jsonl.gz"],
)
def test_task_names_are_those_of_the_registry(good: Path, name: str) -> None:
    place = good / "predictions" / name
    source = good / "predictions" / "ovmer_scenes.jsonl"
    place.write_bytes(source.read_bytes())
    assert refused(good)


@pytest.mark.parametrize("task", ["../../etc/passwd", "..", "a/b", "/abs"])
def test_task_names_given_to_the_command_go_nowhere(tmp_path: Path, task: str) -> None:
    source = write_lines(tmp_path / "x.jsonl", [{"id": "a", "labels": []}])
    meta = write_meta(tmp_path / "meta.yaml")
    before = listing(tmp_path)
    done = run(
        *("submit", "--name", "a", "--predictions", f"{task}={source}", "--meta", meta),
        *("--to", tmp_path / "out"),
        cwd=tmp_path,
    )
    assert done.code == 2 and done.err.startswith("error: ")
    assert listing(tmp_path) == before


# --- Files --------------------------------------------------------------------------------


def link_file(good: Path) -> None:
    secret = good.parent.parent / "secret.jsonl"
    secret.write_bytes((good / "predictions/ovmer_scenes.jsonl").read_bytes())
    (good / "predictions/ovmer_scenes.jsonl").unlink()
    (good / "predictions/ovmer_scenes.jsonl").symlink_to(secret)


def link_folder(good: Path) -> None:
    (good / "predictions").rename(good.parent.parent / "elsewhere")
    (good / "predictions").symlink_to(good.parent.parent / "elsewhere")


def pipe(good: Path) -> None:
    os.mkfifo(good / "predictions" / "ovmer_mini.jsonl")


def huge(good: Path) -> None:
    with (good / "predictions" / "ovmer_mini.jsonl").open("wb") as file:
        file.truncate(200 * 2**20)


def crowd(good: Path) -> None:
    for i in range(200):
        (good / "reports" / f"x{i}.json").parent.mkdir(exist_ok=True)
        (good / "reports" / f"x{i}.json").write_text("{}", "utf-8")


def pickled(good: Path) -> None:
    (good / "predictions" / "ovmer_mini.npz").write_bytes(pickle.dumps(Bomb("x")))


def pickle_as_jsonl(good: Path) -> None:
    (good / "predictions" / "ovmer_scenes.jsonl").write_bytes(pickle.dumps(Bomb("x")))


def hidden_file(good: Path) -> None:
    (good / ".git").mkdir()
    (good / ".git" / "config").write_text("[core]", "utf-8")


def page(good: Path) -> None:
    (good / "index.html").write_text("<script>alert(1)</script>", "utf-8")


def archive(good: Path) -> None:
    """An archive whose members climb out of their folder, in the place of predictions."""
    with zipfile.ZipFile(good / "predictions" / "ovmer_scenes.jsonl", "w") as file:
        file.writestr("../../../escaped.txt", "out")


class Bomb:
    """Unpickling this makes a folder."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (link_file, "is a link"),
        (link_folder, "is a link"),
        (pipe, "is not a regular file"),
        (huge, "has 209,715,200 bytes"),
        (crowd, "more than 100 files"),
        (pickled, "does not belong"),
        (pickle_as_jsonl, "not UTF-8|not JSON"),
        (hidden_file, "does not belong"),
        (page, "does not belong"),
        (archive, "holds the arrays|filenames|NUL|npz|not"),
    ],
)
def test_files_that_do_not_belong_are_refused(
    good: Path, harm: Callable[[Path], None], message: str
) -> None:
    harm(good)
    before = listing(good.parent.parent)
    assert re.search(message, str(refused(good)))
    assert listing(good.parent.parent) == before


def test_a_linked_submission_is_refused(good: Path, tmp_path: Path) -> None:
    good.rename(tmp_path / "real")
    good.symlink_to(tmp_path / "real")
    with pytest.raises(InputError, match="is a link"):
        list(check_folder(good.parent))
    with pytest.raises(InputError, match="not a link"):
        read_submission(good)


def test_stray_files_among_submissions_are_refused(good: Path) -> None:
    (good.parent / "run.sh").write_text("id", "utf-8")
    with pytest.raises(InputError, match="does not belong among submissions"):
        list(check_folder(good.parent))


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tgz"])
def test_archives_are_not_unpacked(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ovmer_scenes{suffix}"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../../escaped.jsonl", "{}")
    with pytest.raises(InputError, match="is an archive"):
        pack("mine", [path], write_meta(tmp_path / "meta.yaml"), tmp_path / "out")
    assert not list(tmp_path.parent.glob("escaped*"))


def test_npz_with_code_in_it_runs_nothing(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = tmp_path / "ovmer_scenes.npz"
    items = np.array([Bomb(str(ran))], object)
    np.savez(path, filenames=np.array(["scene_001"]), fileitems=items, allow_pickle=True)
    with pytest.raises(InputError):
        pack("mine", [path], write_meta(tmp_path / "meta.yaml"), tmp_path / "out")
    assert not ran.exists() and not (tmp_path / "out" / "mine").exists()


def test_large_input_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ovmer_scenes.jsonl"
    with path.open("wb") as file:
        file.truncate(MAX_INPUT + 1)
    with pytest.raises(InputError, match=f"has {MAX_INPUT + 1:,} bytes"):
        pack("mine", [path], write_meta(tmp_path / "meta.yaml"), tmp_path / "out")


def test_large_output_is_refused_and_not_left_behind(tmp_path: Path) -> None:
    said = noisy("ovmer_scenes", 0.5)
    path = tmp_path / "ovmer_scenes.jsonl"
    write_lines(path, [{"id": i["id"], "output": "x" * (MAX_FILE // 400)} for i in said])
    with pytest.raises(InputError, match="bytes"):
        pack("mine", [path], write_meta(tmp_path / "meta.yaml"), tmp_path / "out")
    assert listing(tmp_path / "out") == {}


# --- Predictions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "scene_001", "labels": [NaN]}', "NaN"),
        ('{"id": "scene_001", "labels": ["a"], "score": Infinity}', "Infinity"),
        ('{"id": "scene_001", "labels": ' + "[" * 5000 + "]" * 5000 + "}", "nested too deeply"),
        ('{"id": "scene_001", "labels": ' + "[" * 200_000, "nested|not JSON"),
        ('{"id": "scene_001", "labels": ["a"], "labels": ["b"]}', "twice"),
        ('{"id": "scene_001", "labels": ["a"], "gold": ["b"]}', "holds gold"),
        ('{"id": "scene_001", "labels": ["a"], "prompt": "b"}', "holds prompt"),
        ('{"id": "/data/me/scene_001.mp4", "labels": ["a"]}', "path of a file"),
        ('{"id": "C:\\\\clips\\\\scene_001", "labels": ["a"]}', "path of a file"),
        ('{"id": "file:scene_001", "labels": ["a"]}', "path of a file"),
        ('{"id": "scene\\u202e_001", "labels": ["a"]}', "cannot be shown"),
        ('{"id": "scene_001", "labels": ["\\ud800"]}', "surrogate"),
        ('{"id": "scene_001", "labels": ["a\\u0000"]}', "NUL"),
        ('{"id": "scene_001", "labels": {"a": 1}}', "labels"),
        ("[]", "array"),
    ],
)
def test_lines_that_are_no_predictions_are_refused(good: Path, line: str, message: str) -> None:
    (good / "predictions/ovmer_scenes.jsonl").write_text(line + "\n", "utf-8")
    assert re.search(message, str(refused(good)))


def test_labels_are_scored_as_they_are_and_shown_harmless(good: Path) -> None:
    evil = [f"{BIDI}yppah", f"hap{ZERO_WIDTH}py", "<script>alert(1)</script>", "z" + "\u0301" * 40]
    said = noisy("ovmer_scenes", 1.0)
    said[0]["labels"] = evil
    write_lines(good / "predictions/ovmer_scenes.jsonl", said)
    (check,) = check_submission(read_submission(good))
    assert check.clips == 420
    shown = [harmless_label(label) for label in evil]
    assert shown[:3] == ["\\u202eyppah", "hap\\u200bpy", "<script>alert(1)</script>"]
    assert len(shown[3]) <= MAX_SHOWN_LABEL


@given(st.text(max_size=200))
def test_shown_text_hides_nothing(text: str) -> None:
    shown = harmless(text)
    assert shown.isprintable()
    assert harmless(shown) == shown
    assert len(harmless_label(text)) <= MAX_SHOWN_LABEL


# --- Provenance ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["title", "model", "decoding", "licence", "authors", "notes"])
@pytest.mark.parametrize(
    "character", [BIDI, ZERO_WIDTH, "\u2066", "\ufeff", "\u00ad", "\u3164", "\x1b", "\U000e0041"]
)
def test_hidden_characters_in_provenance_are_refused(
    tmp_path: Path, field: str, character: str
) -> None:
    path = tmp_path / "meta.yaml"
    path.write_text(json.dumps({**META, field: f"good{character}bad"}, ensure_ascii=False), "utf-8")
    with pytest.raises(InputError) as caught:
        read_meta(path)
    assert f"U+{ord(character):04X}" in str(caught.value) or "not YAML" in str(caught.value)
    assert str(caught.value).isprintable()


def test_piled_up_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="COMBINING"):
        read_meta(write_meta(tmp_path / "meta.yaml", title="Z" + "\u0301" * 20))


@pytest.mark.parametrize("field", ["code", "paper"])
@pytest.mark.parametrize(
    "address",
    [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.org"),
        *('https://a.org/"onclick="x', "https://a.org/<b>", "https://me:pw@a.org", "file:///x"),
        *("https://", "https://a.org\n", "ftp://a.org", "https://а.org"),
    ],
)
def test_addresses_are_plain_https(tmp_path: Path, field: str, address: str) -> None:
    path = write_meta(tmp_path / "meta.yaml", **{field: address})
    if address == "https://a.org\n":
        assert getattr(read_meta(path), field) == "https://a.org"
        return
    with pytest.raises(InputError) as caught:
        read_meta(path)
    assert caught.value.field == field


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "anchors and aliases"),
        ("title: &x a\nmodel: *x\n", "anchors and aliases"),
        ("a: &a [*a]\n", "anchors and aliases"),
        ("!!python/object/apply:os.system [id]\n", "tags"),
        ("title: !!python/name:os.system\n", "tags"),
        ("title: !custom x\n", "tags"),
        ("title: a\ntitle: b\n", "stands twice"),
        ("[" * 1000 + "]" * 1000, "nested deeper"),
        ("- " * 1000 + "x", "nested deeper"),
        ("{a: {a: {a: {a: " * 10 + "b" + "}}}}" * 10, "nested deeper"),
        ("1: a\n", "is no text"),
        ("? [a, b]\n: c\n", "is no text"),
        ("title: 'unclosed\n", "not YAML"),
        ("a: b: c\n", "not YAML"),
        ("--- a\n--- b\n", "not YAML"),
        ("size: " + "9" * 5000, "not YAML|unknown|missing|is "),
        ("size: .nan\n", "missing|is "),
        ("", "is no mapping"),
        ("just text", "is no mapping"),
        ("title: \x00", "NUL"),
        ("x" * (MAX_META + 1), "bytes"),
    ],
)
def test_yaml_that_does_more_than_say_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "meta.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_meta(path)
    assert len(str(caught.value)) < 1200 and str(caught.value).isprintable()


@given(st.text(max_size=300))
def test_any_yaml_gives_meta_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("meta") / "meta.yaml"
    path.write_text(text.encode("utf-8", "ignore").decode(), "utf-8")
    with pytest.raises(OvmerError):
        read_meta(path)


def test_markup_in_a_title_stays_text(tmp_path: Path) -> None:
    """Angle brackets are not refused, models have them in their names; pages escape them."""
    title = "<img src=x onerror=alert(1)>"
    assert read_meta(write_meta(tmp_path / "meta.yaml", title=title)).title == title


# --- Compressed predictions -----------------------------------------------------------------


def packed(folder: Path, raw: bytes) -> Path:
    """The submission with ``raw`` in the place of its predictions, under the compressed name."""
    plain = folder / "predictions" / "ovmer_scenes.jsonl"
    plain.unlink(missing_ok=True)
    plain.with_suffix(".jsonl.gz").write_bytes(raw)
    return folder


def test_a_file_that_unfolds_without_end_is_refused(good: Path) -> None:
    """A megabyte of zeros that would be a gigabyte; what is held stays below the limit."""
    line = b'{"id": "scene_001", "labels": []}\n'
    bomb = gzip.compress(line + b" " * 2**30)
    assert len(bomb) < MAX_FILE
    tracemalloc.start()
    error = refused(packed(good, bomb))
    assert f"unfolds to more than {MAX_FILE:,} bytes" in str(error)
    assert tracemalloc.get_traced_memory()[1] < 4 * MAX_FILE
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw[:-9], "is cut short"),
        (lambda raw: raw[:5], "is cut short"),
        (lambda raw: b"", "is cut short"),
        (lambda raw: raw + b"more", "is no gzip file, or damaged"),
        (lambda raw: b"{}", "is no gzip file, or damaged"),
        (lambda raw: raw[:-8] + bytes(8), "is no gzip file, or damaged"),
        (lambda raw: gzip.compress(raw), "is not UTF-8"),
        (lambda raw: gzip.compress(b"\x80\x04"), "is not UTF-8"),
    ],
)
def test_damaged_compression_is_refused(
    good: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    raw = gzip.compress((good / "predictions" / "ovmer_scenes.jsonl").read_bytes())
    assert message in str(refused(packed(good, change(raw))))


def test_two_files_for_one_corpus_are_refused(good: Path) -> None:
    plain = good / "predictions" / "ovmer_scenes.jsonl"
    plain.with_suffix(".jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert "a second file for ovmer_scenes" in str(refused(good))


def test_only_lines_may_be_compressed(tmp_path: Path) -> None:
    for name in ("ovmer_scenes.csv.gz", "ovmer_scenes.tar.gz", "ovmer_scenes.gz"):
        (tmp_path / name).write_bytes(gzip.compress(b"name,labels\n"))
        with pytest.raises(InputError, match="is compressed"):
            read_predictions(tmp_path / name)
        with pytest.raises(InputError, match="is an archive"):
            prediction_files([tmp_path / name])
