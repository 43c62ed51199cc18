"""The path of a label through a lexicon, whatever the lexicon holds."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.errors import LexiconError
from ovmer_bench.lexicon import BUILTIN_ID, N_WHEELS, Lexicon, Wheel, load_lexicon

RINGS = Wheel(
    "rings",
    level1={"blue": "sad", "low": "sad", "glad": "happy", "merry": "happy"},
    level2={"blue": "low", "low": "low", "glad": "glad", "merry": "glad"},
)
EMPTY = Wheel("empty", {}, {})


def lexicon_of(**fields: object) -> Lexicon:
    given_fields: dict[str, object] = {
        "id": "test",
        "sha256": "0" * 64,
        "forms": {
            "glee": ("glee",),
            "torn": ("woe", "glee"),
            "still": ("still",),
            "bare": (),
        },
        "wheel_words": {"glee": ("merry", "glad"), "woe": ("low", "blue"), "still": ()},
        "wheels": (RINGS, RINGS, RINGS, RINGS, EMPTY),
    }
    return Lexicon(**{**given_fields, **fields})  # type: ignore[arg-type]


# Lookup


def test_bases_and_words_in_order_of_precedence() -> None:
    entry = lexicon_of().lookup("torn")
    assert (entry.status, entry.form, entry.base) == ("feeling", "torn", "woe")
    assert entry.bases == ("woe", "glee")
    assert entry.wheel_word == "low"
    assert entry.sectors == (("sad", "low"),) * 4 + ((None, None),)


def test_alphabetical_order_merges_the_words_of_all_bases() -> None:
    """``blue`` of the second base comes before ``merry`` of the first."""
    forms = {"torn": ("glee", "woe")}
    precedence = lexicon_of(forms=forms).lookup("torn")
    alphabetical = lexicon_of(forms=forms, alphabetical=True).lookup("torn")
    assert precedence.sectors[0] == ("happy", "glad")
    assert alphabetical.sectors[0] == ("sad", "low")
    # M1 and M2 are the business of the first base alone.
    assert (alphabetical.base, alphabetical.wheel_word) == ("glee", "merry")


def test_a_word_off_one_wheel_gives_way_to_the_next() -> None:
    narrow = Wheel("narrow", {"glad": "joy"}, {"glad": "bright"})
    wheels = (RINGS, narrow, EMPTY, RINGS, RINGS)
    entry = lexicon_of(wheels=wheels).lookup("torn")
    assert [level1 for level1, _ in entry.sectors] == ["sad", "joy", None, "sad", "sad"]


def test_known_word_on_no_wheel_is_neutral() -> None:
    entry = lexicon_of(valences={"still": 0}).lookup("still")
    assert (entry.status, entry.bases, entry.wheel_word) == ("neutral", ("still",), None)
    assert entry.sectors == ((None, None),) * N_WHEELS
    assert entry.valence == 0


def test_word_that_names_no_feeling() -> None:
    entry = lexicon_of(no_feeling=frozenset({"umbrella"})).lookup("umbrella")
    assert (entry.status, entry.form, entry.base) == ("no-feeling", "umbrella", None)
    assert entry.valence is None


@pytest.mark.parametrize(
    "label", ["hail", "", "Glee", " glee", "glee ", "\x00", "🙂", "x" * 10_000]
)
def test_unknown_label(label: str) -> None:
    entry = lexicon_of().lookup(label)
    assert (entry.label, entry.status, entry.form) == (label, "unknown", None)
    assert (entry.bases, entry.base, entry.wheel_word, entry.valence) == ((), None, None, None)
    assert entry.sectors == ((None, None),) * N_WHEELS


def test_form_without_a_base_is_unknown() -> None:
    assert lexicon_of().lookup("bare").status == "unknown"


def test_valence_is_that_of_the_first_base() -> None:
    lexicon = lexicon_of(valences={"woe": -1, "glee": 1})
    assert lexicon.lookup("torn").valence == -1
    assert lexicon_of().lookup("torn").valence is None


# Spellings


def test_canonical_is_asked_for_other_spellings_only() -> None:
    asked: list[str] = []

    def canonical(label: str) -> str | None:
        asked.append(label)
        return label.removeprefix("very ") if label.startswith("very ") else None

    lexicon = lexicon_of(canonical=canonical, no_feeling=frozenset({"umbrella"}))
    very = lexicon.lookup("very torn")
    assert (very.label, very.form, very.status) == ("very torn", "torn", "feeling")
    assert very.sectors == lexicon.lookup("torn").sectors
    assert lexicon.lookup("very umbrella").status == "no-feeling"
    assert lexicon.lookup("very umbrella").form == "umbrella"
    assert lexicon.lookup("very hail").status == "unknown"
    assert lexicon.lookup("very hail").form is None
    assert lexicon.lookup("hail").status == "unknown"
    lexicon.lookup("umbrella")
    assert asked == ["very torn", "very umbrella", "very hail", "hail"]  # Each once.


# What lexicons are made of


def test_sectors_in_printed_order() -> None:
    lexicon = lexicon_of()
    assert lexicon.sectors(1, 1) == ("sad", "happy")
    assert lexicon.sectors(1, 2) == ("low", "glad")
    assert lexicon.sectors(5, 1) == ()


def test_statistics_count() -> None:
    lexicon = lexicon_of(no_feeling=frozenset({"umbrella", "table"}))
    assert lexicon.statistics() == {"forms": 4, "bases": 3, "wheel_words": 4, "no_feeling": 2}


def test_lexicons_do_not_share_what_they_looked_up() -> None:
    first, second = lexicon_of(), lexicon_of(forms={"glee": ("woe",)})
    assert first.lookup("glee").base == "glee"
    assert second.lookup("glee").base == "woe"


def test_lexicons_and_entries_cannot_be_changed() -> None:
    lexicon = lexicon_of()
    with pytest.raises(FrozenInstanceError):
        lexicon.id = "other"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        lexicon.lookup("glee").valence = 1  # type: ignore[misc]


# Any lexicon at all, against the oracle

words = st.sampled_from([f"w{n}" for n in range(8)])
sectors = st.sampled_from(["s1", "s2", "s3"])
levels = st.dictionaries(words, st.tuples(sectors, sectors), max_size=8)


def ordered_sets(elements: st.SearchStrategy[str]) -> st.SearchStrategy[set[str]]:
    return st.sets(elements, min_size=1, max_size=4)


@settings(deadline=None)
@given(
    forms=st.dictionaries(
        st.sampled_from([f"f{n}" for n in range(6)]),
        ordered_sets(st.sampled_from([f"b{n}" for n in range(5)])),
    ),
    base_words=st.dictionaries(st.sampled_from([f"b{n}" for n in range(5)]), ordered_sets(words)),
    wheels=st.lists(levels, min_size=N_WHEELS, max_size=N_WHEELS),
)
def test_every_mapping_is_the_published_one(
    forms: dict[str, set[str]],
    base_words: dict[str, set[str]],
    wheels: list[dict[str, tuple[str, str]]],
) -> None:
    plain = [
        ({w: a for w, (a, _) in level.items()}, {w: b for w, (_, b) in level.items()})
        for level in wheels
    ]
    lexicon = lexicon_of(
        forms={form: tuple(sorted(bases)) for form, bases in forms.items()},
        wheel_words={base: tuple(sorted(found)) for base, found in base_words.items()},
        wheels=tuple(Wheel(f"wheel {k}", *level) for k, level in enumerate(plain)),
        alphabetical=True,
    )
    maps = (forms, base_words, plain)
    for label in [*forms, "unheard of"]:
        entry = lexicon.lookup(label)
        assert entry.base == oracle.mapped(label, "M1", maps)
        assert entry.wheel_word == oracle.mapped(label, "M2", maps)
        for k in range(N_WHEELS):
            for level in (1, 2):
                expected = oracle.mapped(label, f"M3-W{k + 1}-L{level}", maps)
                assert entry.sectors[k][level - 1] == expected


# Loading by id


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVMER_HOME", str(tmp_path))
    load_lexicon.cache_clear()


@pytest.mark.usefixtures("empty_home")
def test_official_lexicon_that_is_not_installed() -> None:
    with pytest.raises(LexiconError, match="ovmer lexicon install --id affectgpt-2025"):
        load_lexicon("affectgpt-2025")


@pytest.mark.usefixtures("empty_home")
@pytest.mark.parametrize("lexicon_id", ["affectgpt2025", "", "../x", "OVMER", "a\nb"])
def test_unknown_lexicon(lexicon_id: str) -> None:
    with pytest.raises(LexiconError, match="unknown lexicon") as caught:
        load_lexicon(lexicon_id)
    assert BUILTIN_ID in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("empty_home")
def test_near_miss_is_named() -> None:
    with pytest.raises(LexiconError, match="Did you mean 'affectgpt-2025'"):
        load_lexicon("affectgpt2025")


def test_builtin_lexicon_is_the_default_and_loaded_once() -> None:
    lexicon = load_lexicon()
    assert lexicon.id == BUILTIN_ID
    assert load_lexicon(BUILTIN_ID) is load_lexicon(BUILTIN_ID)
    assert len(lexicon.wheels) == N_WHEELS
    for wheel in lexicon.wheels:
        assert wheel.level1.keys() == wheel.level2.keys()
    assert lexicon.lookup("happy").valence == 1
    assert replace(lexicon, _entries={}).lookup("happy") == lexicon.lookup("happy")
