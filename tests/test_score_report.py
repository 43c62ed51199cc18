"""Score reports: there and back through JSON, and errors for anything that is none."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.errors import InputError
from ovmer_bench.metrics.score_report import ScoreReport, reports_json
from ovmer_bench.metrics.scoring import score
from ovmer_bench.reading.schema import Sample
from random_corpora import steady

GOLD = {"a": ["happy", "relieved"], "b": ["angry", "xyzzy"], "c": ["sad"]}
SAID = {"a": ["joyful"], "b": ["furious", "sad"], "c": []}
LISTS = {"a": ["happy"], "b": ["sad"]}

OPEN = score(SAID, GOLD, draws=20)
REPORTS = {
    "open": OPEN,
    "open, no draws": score(SAID, GOLD, draws=0),
    "basic": score(LISTS, [Sample(id="a", label="joy"), Sample(id="b", label="fear")], draws=20),
    "sentiment": score(LISTS, [Sample(id="a", valence=1), Sample(id="b", valence=-2)], draws=20),
}


@pytest.mark.parametrize("name", REPORTS)
def test_there_and_back(name: str, tmp_path: Path) -> None:
    report = REPORTS[name]
    data = report.to_dict()
    assert next(iter(data)) == "schema_version"
    back = ScoreReport.from_dict(data)
    assert back.to_dict() == data
    assert ScoreReport.from_dict(back.to_dict()) == back
    path = tmp_path / "deep" / "report.json"
    report.write(path)
    assert ScoreReport.read(path) == back
    assert path.read_text(encoding="utf-8") == back.to_json() == report.to_json()
    assert back.main_score.value == pytest.approx(report.main_score.value, abs=1e-12)
    assert back.signature == report.signature


def test_several_reports_stand_in_one_file_with_their_summary() -> None:
    data = json.loads(reports_json([OPEN, OPEN], {"mean": 1 / 3}))
    assert data["summary"] == {"mean": round(1 / 3, 12)}
    assert [ScoreReport.from_dict(item).to_dict() for item in data["reports"]] == [
        OPEN.to_dict()
    ] * 2


def test_numbers_are_rounded_where_the_last_bits_hang_on_the_order_of_sums() -> None:
    for found in OPEN.to_dict()["scores"]:
        assert found["value"] == round(found["value"], 12)


def test_what_is_no_report_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    good = OPEN.to_json()
    bad = [
        "",
        "[]",
        "3",
        "null",
        "{}",
        good[:-20],
        good.replace('"value"', '"worth"'),
        '{"schema_version": 1}',
        good.replace('"schema_version": 1', '"schema_version": 2'),
        good.replace('"schema_version": 1', '"schema_version": "1"'),
        "[" * 100_000,
    ]
    for text in bad:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as error:
            ScoreReport.read(path)
        assert str(path) in str(error.value)
    with pytest.raises(InputError, match="no such file"):
        ScoreReport.read(tmp_path / "none.json")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 400, '"0.5"', "null"])
@pytest.mark.parametrize("field", ["value", "expected", "skill"])
def test_numbers_must_be_finite(number: str, field: str, tmp_path: Path) -> None:
    data = OPEN.to_dict()
    data["scores"][0][field] = "HERE"
    path = tmp_path / "report.json"
    path.write_text(json.dumps(data).replace('"HERE"', number), encoding="utf-8")
    with pytest.raises(InputError):
        ScoreReport.read(path)


@pytest.mark.parametrize("field", ["precision", "recall", "interval", "skill_interval"])
def test_numbers_that_may_be_absent_must_be_finite_too(field: str, tmp_path: Path) -> None:
    data = OPEN.to_dict()
    huge = "HERE" if field in ("precision", "recall") else {"low": "HERE", "high": 1}
    data["scores"][0][field] = huge
    path = tmp_path / "report.json"
    path.write_text(json.dumps(data).replace('"HERE"', "1e999"), encoding="utf-8")
    with pytest.raises(InputError):
        ScoreReport.read(path)
    data["scores"][0][field] = None
    path.write_text(json.dumps(data), encoding="utf-8")
    assert getattr(ScoreReport.read(path).scores["S1"], field) is None


junk = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.just([]), st.just({}))


@steady
@given(st.sampled_from(sorted(OPEN.to_dict())), junk)
def test_a_spoilt_field_never_ends_in_a_traceback(field: str, value: object) -> None:
    data = copy.deepcopy(OPEN.to_dict())
    data[field] = value
    with suppress(InputError):
        ScoreReport.from_dict(data)
    del data[field]
    with suppress(InputError):
        ScoreReport.from_dict(data)


def test_fields_nobody_knows_are_refused() -> None:
    with pytest.raises(InputError):
        ScoreReport.from_dict({**OPEN.to_dict(), "colour": "red"})


def test_a_report_must_hold_its_main_score() -> None:
    with pytest.raises(InputError):
        ScoreReport.from_dict({**OPEN.to_dict(), "main": "S9"})
