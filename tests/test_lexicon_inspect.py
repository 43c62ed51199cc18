"""Coverage, the path of a word, and the difference of two lexicons."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.lexicon import N_WHEELS, Lexicon, Wheel
from ovmer_bench.lexicon.inspect import (
    SECTOR_VALENCE,
    STATUSES,
    StatusCounts,
    coverage,
    diff,
    explain,
)
from ovmer_bench.lexicon.upstream import compile_folder

WHEEL = Wheel(
    "rings",
    level1={"glad": "happy", "merry": "happy", "blue": "sad", "gloomy": "sad"},
    level2={"glad": "merry", "merry": "merry", "blue": "gloomy", "gloomy": "gloomy"},
)
NARROW = Wheel("narrow", level1={"gloomy": "bad"}, level2={"gloomy": "gloomy"})
LEXICON = Lexicon(
    id="small",
    sha256="0" * 64,
    forms={
        "glee": ("glee",),
        "gleeful": ("glee",),
        "mixed": ("woe", "glee"),
        "woe": ("woe",),
        "plain": ("plain",),
    },
    wheel_words={"glee": ("merry", "glad"), "woe": ("gloomy", "blue")},
    wheels=(WHEEL, WHEEL, WHEEL, WHEEL, NARROW),
    valences={"glee": 1, "woe": -1, "plain": 0},
    no_feeling=frozenset({"raincoat"}),
)


def test_coverage_counts_tokens_and_types() -> None:
    lists = [["glee", "plain", "odd"], ["glee", "raincoat", "odd", "ends"], [], ["mixed"]]
    found = coverage(lists, LEXICON)
    assert found.clips == 4
    assert found.tokens == StatusCounts(feeling=3, neutral=1, no_feeling=1, unknown=3)
    assert found.types == StatusCounts(feeling=2, neutral=1, no_feeling=1, unknown=2)
    assert found.unknown_words == (("odd", 2), ("ends", 1))
    assert found.tokens.rate("no-feeling") == 1 / 8
    assert found.types.rate("unknown") == 2 / 6
    assert coverage(lists, LEXICON, top=1).unknown_words == (("odd", 2),)


def test_coverage_of_nothing() -> None:
    found = coverage([], LEXICON)
    assert found.tokens.total == 0
    assert [found.tokens.rate(status) for status in STATUSES] == [0.0] * 4


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([*LEXICON.forms, "raincoat", "odd", "ends"]))))
def test_coverage_adds_up_in_any_order(lists: list[list[str]]) -> None:
    found = coverage(lists, LEXICON)
    assert found.tokens.total == sum(map(len, lists))
    assert found.types.total == len({label for labels in lists for label in labels})
    assert sum(count for _, count in found.unknown_words) == found.tokens.unknown
    rates = sum(found.tokens.rate(status) for status in STATUSES)
    assert rates == pytest.approx(1.0 if any(lists) else 0.0)
    assert found == coverage([labels[::-1] for labels in lists[::-1]], LEXICON)
    json.dumps(found.to_dict(), allow_nan=False)


def test_explain_shows_what_decides() -> None:
    (path,) = explain(" Mixed ", [LEXICON]).paths
    assert (path.status, path.form, path.valence) == ("feeling", "mixed", -1)
    assert path.bases == (("woe", ("gloomy", "blue")), ("glee", ("merry", "glad")))
    first, last = path.wheels[0], path.wheels[4]
    # In order of precedence: the first wheel word of the first base.
    assert (first.wheel_word, first.via, first.level1, first.level2) == (
        "gloomy",
        ("woe",),
        "sad",
        "gloomy",
    )
    assert first.passed_over == ("blue", "merry", "glad")
    assert (last.wheel_word, last.level1, last.passed_over) == ("gloomy", "bad", ())
    # In alphabetical order: blue.
    (path,) = explain("mixed", [replace(LEXICON, alphabetical=True, _entries={})]).paths
    assert (path.wheels[0].wheel_word, path.wheels[0].level2) == ("blue", "gloomy")


def test_explain_an_unknown_word() -> None:
    (path,) = explain("gleefull", [LEXICON]).paths
    assert (path.status, path.form, path.bases) == ("unknown", None, ())
    assert path.near[0] == "gleeful"
    assert all(place.wheel_word is None and place.via == () for place in path.wheels)


def test_explain_agrees_with_lookup_for_every_official_form(reference: Path) -> None:
    lexicon = compile_folder(reference / "emotion_wheel_2025", "affectgpt-2025")
    for form in lexicon.forms:
        (path,) = explain(form, [lexicon]).paths
        entry = lexicon.lookup(form)
        assert tuple((w.level1, w.level2) for w in path.wheels) == entry.sectors
        assert (path.wheel_word, path.status) == (entry.wheel_word, entry.status)


def test_explain_fear_in_both_official_lexicons(reference: Path) -> None:
    lexicons = [
        compile_folder(reference / f"emotion_wheel_{year}", f"affectgpt-{year}")
        for year in ("2025", "2026")
    ]
    old, new = explain("fear", lexicons).paths
    assert [place.level1 for place in old.wheels[1:]] == ["happy", "joyful", "genius", "joyful"]
    assert {base for place in old.wheels[1:] for base in place.via} == {"fearless"}
    assert [place.level1 for place in new.wheels[1:]] == ["fearful", "scared", "fear", "scared"]
    json.dumps(explain("fear", lexicons).to_dict(), allow_nan=False)


def changed(**fields: object) -> Lexicon:
    return replace(LEXICON, id="changed", _entries={}, **fields)  # type: ignore[arg-type]


def test_diff_names_what_changed() -> None:
    other = changed(
        forms={
            "glee": ("woe",),
            "mixed": ("woe", "glee"),
            "woe": ("woe",),
            "plain": ("glee",),
            "new": ("glee",),
        }
    )
    found = diff(LEXICON, other)
    assert (found.a, found.b) == ("small", "changed")
    assert (found.only_a, found.only_b) == (("gleeful",), ("new",))
    assert (found.lost, found.gained) == (("gleeful",), ("new", "plain"))
    assert found.moved_forms() == ("glee", "plain")
    moves = {(m.form, m.wheel): (m.before, m.after, m.opposite) for m in found.moved}
    assert moves["glee", 1] == ("happy", "sad", True)
    assert moves["glee", 5] == (None, "bad", False)
    assert moves["plain", 2] == (None, "happy", False)
    assert {m.form for m in found.opposite} == {"glee"}
    assert found.moved_forms(5) == ("glee",)
    json.dumps(found.to_dict(), allow_nan=False)


def test_diff_of_a_lexicon_with_itself_is_empty() -> None:
    found = diff(LEXICON, changed())
    assert found.to_dict() == {
        "a": "small",
        "b": "changed",
        **dict.fromkeys(("only_a", "only_b", "moved", "lost", "gained"), ()),
    }


def test_diff_asks_for_the_spelling_too() -> None:
    """A form that the other finds under another spelling is not lost."""
    forms = {form: bases for form, bases in LEXICON.forms.items() if form != "gleeful"}
    other = changed(forms=forms, canonical=lambda label: label.removesuffix("ful"))
    found = diff(LEXICON, other)
    assert (found.only_a, found.lost, found.moved) == ((), (), ())


bases = st.sampled_from(["glee", "woe", "plain"])
form_tables = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(bases, min_size=1, unique=True).map(tuple)
)


@settings(deadline=None)
@given(form_tables, form_tables)
def test_diff_is_symmetric(a: dict[str, tuple[str, ...]], b: dict[str, tuple[str, ...]]) -> None:
    first, second = changed(forms=a), changed(forms=b)
    there, back = diff(first, second), diff(second, first)
    assert (there.only_a, there.only_b) == (back.only_b, back.only_a)
    assert (there.lost, there.gained) == (back.gained, back.lost)
    assert [(m.form, m.wheel, m.before, m.after, m.opposite) for m in there.moved] == [
        (m.form, m.wheel, m.after, m.before, m.opposite) for m in back.moved
    ]
    assert set(there.moved_forms()) <= a.keys() & b.keys()


def test_official_difference(reference: Path) -> None:
    old, new = (
        compile_folder(reference / f"emotion_wheel_{year}", f"affectgpt-{year}")
        for year in ("2025", "2026")
    )
    found = diff(old, new)
    assert (len(found.only_a), len(found.only_b)) == (7386 - 7356, 0)
    assert "fear" in {move.form for move in found.opposite}
    # The same by the oracle.
    maps_a, maps_b = (oracle.read_maps(reference / f"emotion_wheel_{y}") for y in (2025, 2026))
    for wheel in range(1, N_WHEELS + 1):
        metric = f"M3-W{wheel}-L1"
        expected = sorted(
            form
            for form in new.forms
            if oracle.mapped(form, metric, maps_a) != oracle.mapped(form, metric, maps_b)
        )
        assert list(found.moved_forms(wheel)) == expected


def test_sector_valences_know_every_official_sector(reference: Path) -> None:
    lexicon = compile_folder(reference / "emotion_wheel_2025", "affectgpt-2025")
    for wheel in range(1, N_WHEELS + 1):
        assert set(lexicon.sectors(wheel, 1)) <= SECTOR_VALENCE.keys()


def test_official_coverage_of_gold(reference: Path) -> None:
    """docs/published-ruler.md: 28 % of distinct gold labels and 13 % of all are unknown."""
    with (reference / "labels/ovmerd.csv").open(encoding="utf-8", newline="") as file:
        gold = [oracle.labels_of(row["openset"]) for row in csv.DictReader(file)]
    found = coverage(gold, compile_folder(reference / "emotion_wheel_2025", "affectgpt-2025"))
    assert round(100 * found.types.rate("unknown")) == 28
    assert round(100 * found.tokens.rate("unknown")) == 13
