"""Records, strict JSON, CSV, and the formats in which predictions and gold arrive."""

from __future__ import annotations

import csv
import hashlib
import json
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.errors import InputError
from ovmer_bench.reading.csv_tables import read_table
from ovmer_bench.reading.readers import read_gold, read_predictions, write_predictions
from ovmer_bench.reading.schema import SCHEMA_VERSION, Prediction, Sample
from ovmer_bench.reading.strict_json import MAX_DEPTH, parse_json

GOOD = '{"id": "a", "labels": ["happy", "难过"]}\n{"id": "b", "output": "<answer>sad</answer>"}\n'


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def refused(path: Path, *needles: str, gold: bool = False) -> InputError:
    """The one-line error with which a file is refused; it must hold every needle."""
    with pytest.raises(InputError) as caught:
        (read_gold if gold else read_predictions)(path)
    shown = str(caught.value)
    assert shown.startswith(str(path)) and "\n" not in shown and len(shown) <= 1000
    for needle in needles:
        assert needle in shown, shown
    return caught.value


# --- strict JSON ----------------------------------------------------------------------------

NOT_JSON = {
    "NaN": "NaN",
    "Infinity": "[Infinity]",
    "minus infinity": '{"a": -Infinity}',
    "float overflow": "1e999",
    "int of 25 digits": "9" * 25,
    "int of a million digits": "9" * 1_000_000,
    "just beyond 64 bits": str(2**63),
    "duplicate key": '{"a": 1, "b": 2, "a": 3}',
    "duplicate key inside": '[{"a": {"x": 1, "x": 1}}]',
    "deep": "[" * 1000 + "]" * 1000,
    "very deep": "[" * 200_000 + "]" * 200_000,
    "deep objects": '{"a":' * 100_000,
    "just too deep": "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
    "NUL escape": '"a\\u0000b"',
    "NUL in a key": '{"a\\u0000": 1}',
    "surrogate": '"\\ud800"',
    "surrogate in a key": '[{"\\udfff": 1}]',
    "raw control character": '"a\x01"',
    "raw NUL": '"\x00"',
    "single quotes": "{'a': 1}",
    "trailing comma": "[1,]",
    "two values": "1 2",
    "empty": "",
    "comment": "{} // x",
    "cut": '{"a": "b',
}


@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_strict_json(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(text, file="x.jsonl", line=7)
    assert str(caught.value).startswith("x.jsonl:7") and len(str(caught.value)) <= 1000


def test_what_is_strict_json() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    for text in (deep, '"\\ud83d\\ude00"', str(2**63 - 1), str(-(2**63)), "1e308", '{"a":{"a":1}}'):
        assert parse_json(text) == json.loads(text)
    wide = json.dumps([[]] * 10_000)
    assert parse_json(wide) == [[]] * 10_000


# --- records --------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
clip_ids = texts.filter(lambda t: bool(t.strip()) and t.isprintable())


@given(clip_ids, st.lists(texts, max_size=4) | texts, st.dictionaries(texts, texts, max_size=3))
def test_predictions_survive(clip: str, said: list[str] | str, extra: dict[str, str]) -> None:
    extra = {k: v for k, v in extra.items() if k not in ("id", "labels", "output")}
    field = "output" if isinstance(said, str) else "labels"
    made = Prediction(clip, **{field: said}, extra=extra)  # type: ignore[arg-type]
    line = json.dumps(made.to_dict())
    again = Prediction.from_dict(parse_json(line))
    assert again == made
    assert pickle.loads(pickle.dumps(again)) == made


def test_samples_survive() -> None:
    full = {
        "id": "a",
        "corpus": "c",
        "split": "test",
        "subtitle": {"en": "Well.", "zh": "好。"},
        "clues": {"audio": "low", "visual": "smiles"},
        "description": {"en": "glad"},
        "media": {"frames": ["1.png", "2.png"], "audio": "a.wav"},
        "tags": {"setting": "bus", "intensity": 3},
        "labels": ["happy"],
    }
    sample = Sample.from_dict(full)
    assert sample.to_dict() == full and Sample.from_dict(sample.to_dict()) == sample
    assert (sample.kind, sample.gold) == ("open", ("happy",))
    assert pickle.loads(pickle.dumps(sample)) == sample
    basic = Sample("b", label="sad")
    assert (basic.kind, basic.gold, basic.to_dict()) == (
        "basic",
        "sad",
        {"id": "b", "label": "sad"},
    )
    neutral = Sample("c", valence=0)
    assert (neutral.kind, neutral.gold, neutral.to_dict()["valence"]) == ("sentiment", 0.0, 0.0)
    empty = Sample("d", labels=[])
    assert (empty.kind, empty.gold, empty.to_dict()["labels"]) == ("open", (), [])
    assert SCHEMA_VERSION == 1


WRONG_PREDICTIONS = {
    '["a"]': "not an object",
    '{"labels": []}': "field 'id': missing",
    '{"name": "a", "labels": []}': "Rename 'name' to 'id'",
    '{"id": 1, "labels": []}': "field 'id': is a number",
    '{"id": "", "labels": []}': "field 'id': is empty",
    '{"id": "  ", "labels": []}': "field 'id': is empty",
    '{"id": "a\\nb", "labels": []}': "cannot be shown",
    '{"id": null, "labels": []}': "field 'id': is null",
    '{"id": "a"}': "neither 'labels' nor 'output'",
    '{"id": "a", "label": ["x"]}': "Found 'label'. Did you mean 'labels'?",
    '{"id": "a", "outputs": "x"}': "Did you mean 'output'?",
    '{"id": "a", "labels": [], "output": ""}': "both 'labels' and 'output'",
    '{"id": "a", "labels": "happy, sad"}': "Write a list of labels, or put raw text under 'output'",
    '{"id": "a", "labels": null}': "field 'labels': is null",
    '{"id": "a", "labels": {"happy": 1}}': "field 'labels': is an object",
    '{"id": "a", "labels": ["x", 3]}': "field 'labels[1]': is a number",
    '{"id": "a", "labels": [["x"]]}': "field 'labels[0]': is a list",
    '{"id": "a", "output": ["x"]}': "field 'output': is a list",
    '{"id": "a", "output": null}': "field 'output': is null",
    '{"id": "a", "output": true}': "field 'output': is true or false",
}


@pytest.mark.parametrize(("line", "needle"), WRONG_PREDICTIONS.items())
def test_wrong_predictions_name_file_line_and_field(tmp_path: Path, line: str, needle: str) -> None:
    path = put(tmp_path / "p.jsonl", '{"id": "first", "labels": []}\n\n' + line + "\n")
    assert refused(path, needle).line == 3


def test_records_made_in_code_are_checked_too() -> None:
    for wrong in (
        lambda: Prediction("a"),
        lambda: Prediction("a", labels=["x"], output="y"),
        lambda: Prediction("a", labels="happy"),
        lambda: Prediction("", labels=[]),
        lambda: Prediction("a", output=3),  # type: ignore[arg-type]
        lambda: Sample("a"),
        lambda: Sample("a", labels=["x"], label="y"),
        lambda: Sample("a", valence=float("nan")),
        lambda: Sample("a", valence=True),
        lambda: Sample("a", label=" "),
        lambda: Sample("a", labels=[], subtitle={"fr": "x"}),
        lambda: Sample("a", labels=[], media={"frames": [], "video": "v"}),
    ):
        with pytest.raises(InputError):
            wrong()


WRONG_GOLD = {
    '{"id": "a"}': "has no gold (accepted: exactly one of labels, label, valence)",
    '{"id": "a", "labels": [], "valence": 1}': "has labels and valence",
    '{"id": "a", "valence": "1"}': "field 'valence': is a string",
    '{"id": "a", "label": ["x"]}': "field 'label': is a list",
    '{"id": "a", "label": null}': "field 'label': is null",
    '{"id": "a", "labels": [], "subtitel": {}}': "Did you mean 'subtitle'?",
    '{"id": "a", "labels": [], "prompt": ""}': "Other facts belong in 'tags'",
    '{"id": "a", "labels": [], "subtitle": "hello"}': "field 'subtitle': is a string",
    '{"id": "a", "labels": [], "subtitle": {"en": 1}}': "field 'subtitle.en': is a number",
    '{"id": "a", "labels": [], "clues": {"audo": "x"}}': "Did you mean 'audio'?",
    '{"id": "a", "labels": [], "media": {"frames": "x"}}': "field 'media.frames'",
    '{"id": "a", "labels": [], "tags": {"x": [1]}}': "field 'tags.x': is a list",
    '{"id": "a", "labels": [], "split": 3}': "field 'split': is a number",
}


@pytest.mark.parametrize(("line", "needle"), WRONG_GOLD.items())
def test_wrong_gold_names_file_line_and_field(tmp_path: Path, line: str, needle: str) -> None:
    path = put(tmp_path / "g.jsonl", line)
    assert refused(path, needle, gold=True).line == 1


# --- prediction files -----------------------------------------------------------------------


def test_json_lines(tmp_path: Path) -> None:
    path = put(tmp_path / "p.jsonl", GOOD)
    read = read_predictions(path)
    assert (read.path, read.format) == (path, "jsonl")
    assert read.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()
    assert [p.id for p in read.predictions] == ["a", "b"]
    assert read.predictions[0].labels == ("happy", "难过")
    assert read.predictions[1].output == "<answer>sad</answer>"


@pytest.mark.parametrize("name", ["p.jsonl", "p.ndjson", "p.json", "p.txt", "p", "p.JSONL"])
def test_json_lines_under_other_names(tmp_path: Path, name: str) -> None:
    for content in (GOOD, GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, "\n\n" + GOOD, GOOD[:-1]):
        assert len(read_predictions(put(tmp_path / name, content)).predictions) == 2


def test_line_separators_inside_strings_end_no_line(tmp_path: Path) -> None:
    said = "a\u2028b\u0085c\x0bd\x0ce"
    path = put(tmp_path / "p.jsonl", json.dumps({"id": "a", "output": said}, ensure_ascii=False))
    assert read_predictions(path).predictions[0].output == said


def test_extra_fields_are_kept(tmp_path: Path) -> None:
    path = put(tmp_path / "p.jsonl", '{"id": "a", "model": "m", "output": "x", "n": [1, {}]}')
    prediction = read_predictions(path).predictions[0]
    assert prediction.extra == {"model": "m", "n": [1, {}]}
    write_predictions(path, [prediction])
    assert read_predictions(path).predictions == (prediction,)


def test_duplicate_ids_name_both_lines(tmp_path: Path) -> None:
    path = put(tmp_path / "p.jsonl", GOOD + '{"id": "a", "labels": []}')
    error = refused(path, "duplicate id 'a', first on line 1")
    assert (error.line, error.field) == (3, "id")


def test_files_that_hold_nothing(tmp_path: Path) -> None:
    for name in ("p.jsonl", "p.csv", "p.npz", "p.txt", "p"):
        refused(put(tmp_path / name, b""))
    refused(put(tmp_path / "p.jsonl", "\n \n"), "holds no records")
    refused(put(tmp_path / "p.csv", "id,labels\n"), "holds no records")


def test_bad_utf8_names_the_line(tmp_path: Path) -> None:
    for name in ("p.jsonl", "p.csv"):
        content = GOOD.encode() if name == "p.jsonl" else b"id,labels\na,happy\n"
        error = refused(put(tmp_path / name, content + b"\xff\xfe"), "is not UTF-8")
        assert error.line == 3
    gbk = "id,labels\na,难过\n".encode("gbk")
    refused(put(tmp_path / "p.csv", gbk), "is not UTF-8")


def test_places_that_are_no_files(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")
    refused(tmp_path / "absent.jsonl", "no such file")


def test_a_json_array_is_explained(tmp_path: Path) -> None:
    refused(put(tmp_path / "p.jsonl", '[{"id": "a", "labels": []}]'), "one object a line", "jq")


def test_unknown_content_is_explained(tmp_path: Path) -> None:
    refused(put(tmp_path / "p.jsnl", "hello\n"), "JSON Lines, CSV", "Did you mean '.jsonl'?")
    refused(put(tmp_path / "p.parquet", b"PAR1"), "in no format that can be read")
    refused(put(tmp_path / "p.jsonl", "id,labels\na,b\n"), "not JSON")
    np.save(tmp_path / "p.npy", np.array(["a"]))
    refused(tmp_path / "p.npy")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(["jsonl", "csv", "npz", "x"]), st.booleans())
def test_any_bytes_read_or_are_refused(raw: bytes, suffix: str, gold: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = put(Path(folder) / f"p.{suffix}", raw)
        try:
            (read_gold if gold else read_predictions)(path)
        except InputError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_long_lines_and_many_lines(tmp_path: Path) -> None:
    path = put(tmp_path / "p.jsonl", json.dumps({"id": "a", "output": "x" * 10_000_000}))
    assert len(read_predictions(path).predictions[0].output or "") == 10_000_000
    path = put(tmp_path / "p.csv", 'id,output\na,"' + "x," * 5_000_000 + '"\n')
    before = csv.field_size_limit()
    assert len(read_predictions(path).predictions[0].output or "") == 10_000_000
    assert csv.field_size_limit() == before
    lines = "".join(f'{{"id": "c{i}", "labels": ["happy", "sad"]}}\n' for i in range(100_000))
    start = time.perf_counter()
    assert len(read_predictions(put(tmp_path / "p.jsonl", lines)).predictions) == 100_000
    assert time.perf_counter() - start < 20  # about 0.7 s; quadratic would be minutes


def test_writing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    predictions = [Prediction("a", labels=["难过"]), Prediction("b", output="x\ny")]
    write_predictions(path, predictions)
    assert path.read_bytes().count(b"\n") == 2 and "难过".encode() in path.read_bytes()
    assert read_predictions(path).predictions == tuple(predictions)
    before = path.read_bytes()
    with pytest.raises(ValueError):
        write_predictions(path, [Prediction("a", labels=[], extra={"x": float("nan")})])
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


# --- CSV ------------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", ["name", "id", "NAME", " id "])
@pytest.mark.parametrize("said", ["openset", "labels"])
def test_csv_of_labels(tmp_path: Path, clip: str, said: str) -> None:
    rows = f"{clip},note,{said}\r\na,x,\"['happy', 'Sad']\"\r\n\r\nb,\"y\nz\",\r\nc,,happy\r\n"
    read = read_predictions(put(tmp_path / "p.csv", "\ufeff" + rows))
    assert read.format == "csv"
    assert [(p.id, p.labels) for p in read.predictions] == [
        ("a", ("happy", "sad")),
        ("b", ()),
        ("c", ("happy",)),
    ]


def test_csv_of_raw_output(tmp_path: Path) -> None:
    path = put(tmp_path / "p.txt", 'id,output\na,"He is ""glad"", I think"\n')
    assert read_predictions(path).predictions[0].output == 'He is "glad", I think'


WRONG_CSV = {
    "id,label\na,b\n": ("field 'labels or openset or output'", "Did you mean 'labels'?"),
    "clip,labels\na,b\n": ("field 'id or name': missing; the columns are 'clip', 'labels'",),
    "id,name,labels\na,b,c\n": ("'id' and 'name', which mean the same",),
    "id,labels,output\na,b,c\n": ("'labels' and 'output'",),
    "id,labels\na,happy, sad\n": (":2: 3 cells where the header has 2", "Quote cells"),
    "id,labels\na\n": (":2: 1 cells where the header has 2",),
    'id,labels\na,"happy\nb,sad\n': (":2: not CSV",),
    'id,labels\na,"happy"x\n': (":2: not CSV",),
    "id,labels\na,x\n,y\n": (":3, field 'id': is empty",),
    "id,labels\na,x\na,y\n": (":3, field 'id': duplicate id 'a', first on line 2",),
    "id,labels\na,x\nb,\x00\n": (":3: text holds a NUL",),
}


@pytest.mark.parametrize(("content", "needles"), WRONG_CSV.items())
def test_wrong_csv(tmp_path: Path, content: str, needles: tuple[str, ...]) -> None:
    refused(put(tmp_path / "p.csv", content), *needles)


def test_lines_count_through_quoted_line_breaks(tmp_path: Path) -> None:
    table = read_table(put(tmp_path / "t.csv", 'id,labels\n"a","x\ny\nz"\n\nb,c\n'))
    assert [line for line, _ in table.rows] == [2, 6]


# --- upstream npz ---------------------------------------------------------------------------


def test_npz_pairs_and_reasons(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    np.savez(path, filenames=["a", "b", "c"], fileitems=["['happy', 'sad']", "[Glad]", ""])
    read = read_predictions(path)
    assert read.format == "npz"
    assert [(p.id, p.labels) for p in read.predictions] == [
        ("a", ("happy", "sad")),
        ("b", ("glad",)),
        ("c", ()),
    ]
    items = np.empty(2, object)
    items[:] = [["Happy", "a, b"], "sad, glad"]
    np.savez(path, filenames=["a", "b"], fileitems=items)
    assert read_predictions(path).predictions[1].labels == ("sad", "glad")
    np.savez(path, name2reason=np.array({"a": "He is sad.", "b": ""}, object))
    assert [p.output for p in read_predictions(path).predictions] == ["He is sad.", ""]
    assert read_predictions(path.rename(tmp_path / "p.jsonl")).format == "npz"


WRONG_NPZ: dict[str, tuple[dict[str, object], str]] = {
    "other arrays": ({"x": [1]}, "holds the arrays x (accepted: filenames or name2reason)"),
    "a label file": ({"test_corpus": np.array({}, object)}, "ovmer data import"),
    "no items": ({"filenames": ["a"]}, "field 'fileitems': missing"),
    "other lengths": ({"filenames": ["a", "b"], "fileitems": ["x"]}, "shape (2,)"),
    "numbers as names": ({"filenames": [1], "fileitems": ["x"]}, "filenames[0]"),
    "numbers as items": ({"filenames": ["a"], "fileitems": [1]}, "fileitems[0]"),
    "twice": ({"filenames": ["a", "a"], "fileitems": ["x", "y"]}, "duplicate id 'a'"),
    "no dictionary": ({"name2reason": ["a"]}, "field 'name2reason': is no dictionary"),
    "lists as text": ({"name2reason": np.array({"a": ["x"]}, object)}, "not text"),
    "number as name": ({"name2reason": np.array({1: "x"}, object)}, "not text"),
    "surrogate": ({"name2reason": np.array({"a": "\ud800"}, object)}, "surrogate"),
    "NUL": ({"name2reason": np.array({"a": "x\0y"}, object)}, "NUL"),
    "nothing": ({"filenames": np.array([], str), "fileitems": np.array([], str)}, "no records"),
}


@pytest.mark.parametrize(("arrays", "needle"), WRONG_NPZ.values(), ids=WRONG_NPZ)
def test_wrong_npz(tmp_path: Path, arrays: dict[str, object], needle: str) -> None:
    np.savez(tmp_path / "p.npz", **arrays)  # type: ignore[arg-type]
    refused(tmp_path / "p.npz", needle)


def test_reference_predictions(reference: Path) -> None:
    counts = {}
    for file in sorted((reference / "predictions").rglob("*.npz")):
        read = read_predictions(file)
        counts[file.parent.name] = len(read.predictions)
        with np.load(file, allow_pickle=True) as arrays:
            if "name2reason" in arrays:
                theirs = arrays["name2reason"].item()
                assert {p.id: p.output for p in read.predictions} == theirs
            else:
                assert [p.id for p in read.predictions] == arrays["filenames"].tolist()
                assert all(p.labels is not None for p in read.predictions)
    assert counts == {
        **{"Chat-UniVi": 332, "Otter": 332, "Qwen-Audio": 332},
        **{"mer2023": 411, "meld": 2610, "cmumosi": 686},
    }


# --- lm-eval --------------------------------------------------------------------------------


def logged(clip: object = "a", response: object = "happy, sad", **other: object) -> str:
    """A line as lm-eval 0.4.13 writes it with --log_samples."""
    line = {
        "doc_id": 0,
        "doc": {"id": clip, "subtitle": {"en": "x"}, "labels": ["glad"]},
        "target": "glad",
        "arguments": {"gen_args_0": {"arg_0": "prompt", "arg_1": {"until": []}}},
        "resps": [["<think>x</think>" + str(response)]],
        "filtered_resps": [response],
        "filter": "none",
        "metrics": ["S1"],
        "doc_hash": "0" * 64,
        "prompt_hash": "0" * 64,
        "target_hash": "0" * 64,
        "S1": "(array([1]), 0.5)",
    }
    return json.dumps({**line, **other}, ensure_ascii=False) + "\n"


def test_lm_eval_samples(tmp_path: Path) -> None:
    path = put(
        tmp_path / "samples_ovmer_scenes_2026-01-01T00-00-00.000000.jsonl",
        logged("b") + logged("a", "") + logged("c", ["only one"]),
    )
    read = read_predictions(path)
    assert read.format == "lm-eval"
    assert [(p.id, p.output) for p in read.predictions] == [
        ("b", "happy, sad"),
        ("a", ""),
        ("c", "only one"),
    ]
    named = logged().replace('"id"', '"name"')
    assert read_predictions(put(path, named)).predictions[0].id == "a"


WRONG_LM_EVAL = {
    "no id": (logged().replace('"id"', '"idx"'), "field 'doc.id': missing"),
    "number as id": (logged(3), "field 'id': is a number"),
    "repeats": (logged("a", ["x", "y"]), "2 responses"),
    "choices": (logged(filtered_resps=[["-1", "True"], ["-2", "False"]]), "2 responses"),
    "none": (logged(filtered_resps=[]), "0 responses"),
    "unfiltered": (logged(filtered_resps=None), "no response"),
    "two filters": (
        logged("a") + logged("b", filter="strict"),
        "filter 'strict' after filter 'none'",
    ),
    "twice": (logged("a") + logged("a"), "duplicate id 'a', first on line 1"),
    "mixed": (logged("a") + GOOD, "is no lm-eval sample"),
}


@pytest.mark.parametrize(("content", "needle"), WRONG_LM_EVAL.values(), ids=WRONG_LM_EVAL)
def test_wrong_lm_eval_samples(tmp_path: Path, content: str, needle: str) -> None:
    refused(put(tmp_path / "samples.jsonl", content), needle)


# --- gold -----------------------------------------------------------------------------------


def test_gold_files(tmp_path: Path) -> None:
    path = put(tmp_path / "g.jsonl", '{"id": "a", "valence": -1}\n{"id": "b", "valence": 0.5}\n')
    assert [s.valence for s in read_gold(path)] == [-1.0, 0.5]
    path = put(tmp_path / "g.csv", "name,openset\na,\"['glad', 'Calm']\"\nb,[]\n")
    assert [s.labels for s in read_gold(path)] == [("glad", "calm"), ()]
    assert [s.label for s in read_gold(put(path, "id,label\na, sad \n"))] == ["sad"]
    assert [s.valence for s in read_gold(put(path, "id,valence\na,-2.5\n"))] == [-2.5]
    np.savez(tmp_path / "g.npz", filenames=["a"], fileitems=["[sad]"])
    assert [s.labels for s in read_gold(tmp_path / "g.npz")] == [("sad",)]


def test_wrong_gold_files(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    refused(put(path, "id,valence\na,high\n"), ":2, field 'valence'", "'high'", gold=True)
    for number in ("nan", "inf", "1e999"):
        refused(put(path, f"id,valence\na,{number}\n"), ":2, field 'valence'", gold=True)
    refused(put(path, "id,label\na,\n"), ":2, field 'label'", gold=True)
    refused(put(path, "id,output\na,x\n"), "labels or openset or label or valence", gold=True)
    mixed = '{"id": "a", "label": "sad"}\n{"id": "b", "labels": []}\n'
    refused(put(tmp_path / "g.jsonl", mixed), ":2: gold of kind 'open'", gold=True)
    np.savez(tmp_path / "g.npz", name2reason=np.array({"a": "x"}, object))
    refused(tmp_path / "g.npz", "accepted: filenames", gold=True)


def test_reference_gold(reference: Path) -> None:
    gold = read_gold(reference / "labels" / "ovmerd.csv")
    assert len(gold) == 332 and gold[1].labels == ("excited", "joyful", "happy")
