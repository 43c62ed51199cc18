"""The word lists written by hand: words of pleasant feeling, and words that name no feeling."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from ovmer_bench.lexicon.builtin import Family, read_families, read_resources, rows

CATEGORIES = {
    "speech_act",
    "cognition",
    "behaviour",
    "appearance",
    "attribute",
    "role",
    "communication",
    "situation",
    "object",
    "media",
    "meta",
    "intensity",
    "time",
    "quantity",
    "topic",
}
POSITIVE = "bases_positive.tsv"
NEGATIVE = "bases_negative.tsv"


def base_rows(name: str) -> list[tuple[str, str, list[str]]]:
    """Base, family and listed forms of each line of a base file."""
    found = []
    for base, family, *rest in rows(read_resources(name)[name]):
        listed = rest[0].split(",") if rest else []
        found.append((base, family, [form.strip() for form in listed if form.strip()]))
    return found


def words_of(name: str) -> list[str]:
    return [word for base, _, forms in base_rows(name) for word in (base, *forms)]


@pytest.fixture(scope="module")
def families() -> dict[str, Family]:
    return read_families(read_resources("families.tsv")["families.tsv"])


@pytest.fixture(scope="module")
def no_feeling() -> dict[str, str]:
    return dict(rows(read_resources("no_feeling.tsv")["no_feeling.tsv"]))


def test_no_word_stands_twice_among_the_positive_bases() -> None:
    counts = Counter(words_of(POSITIVE))
    assert [word for word, count in counts.items() if count > 1] == []


def test_no_word_stands_twice_among_the_words_of_no_feeling() -> None:
    counts = Counter(word for word, _ in rows(read_resources("no_feeling.tsv")["no_feeling.tsv"]))
    assert [word for word, count in counts.items() if count > 1] == []


def test_words_are_written_as_labels_are_read() -> None:
    words = words_of(POSITIVE) + [
        word for word, _ in rows(read_resources("no_feeling.tsv")["no_feeling.tsv"])
    ]
    assert [word for word in words if word != " ".join(word.lower().split())] == []


def test_words_of_no_feeling_are_sorted(no_feeling: dict[str, str]) -> None:
    assert [(a, b) for a, b in pairwise(no_feeling) if a >= b] == []


def test_positive_bases_are_sorted_by_family_then_word(families: dict[str, Family]) -> None:
    order = {name: place for place, name in enumerate(families)}
    keys = [(order[family], base) for base, family, _ in base_rows(POSITIVE)]
    assert [(a, b) for a, b in pairwise(keys) if a >= b] == []


def test_every_family_exists(families: dict[str, Family]) -> None:
    assert {family for _, family, _ in base_rows(POSITIVE)} <= families.keys()


def test_positive_bases_are_not_unpleasant(families: dict[str, Family]) -> None:
    sour = [base for base, family, _ in base_rows(POSITIVE) if families[family].valence < 0]
    assert sour == []


def test_a_word_is_a_feeling_or_none(no_feeling: dict[str, str]) -> None:
    assert sorted(no_feeling.keys() & set(words_of(POSITIVE) + words_of(NEGATIVE))) == []


def test_a_word_has_one_place_in_the_two_base_files() -> None:
    assert sorted(set(words_of(POSITIVE)) & set(words_of(NEGATIVE))) == []


def test_wheel_words_are_no_words_of_no_feeling(no_feeling: dict[str, str]) -> None:
    printed = {
        word for _, *places in rows(read_resources("wheels.tsv")["wheels.tsv"]) for word in places
    }
    assert sorted(printed & no_feeling.keys()) == []


def test_categories_are_known_and_used(no_feeling: dict[str, str]) -> None:
    assert set(no_feeling.values()) == CATEGORIES


def test_lists_are_broad(no_feeling: dict[str, str]) -> None:
    assert len(no_feeling) >= 1500
    assert len(base_rows(POSITIVE)) >= 1200


@pytest.mark.parametrize(
    "word",
    [
        "advice",
        "explanation",
        "no obvious emotion",
        "active participation",
        "emotional fluctuation",
        "subtitle",
        "cannot be determined",
        "elderly",
        "eye contact",
    ],
)
def test_what_recognisers_emit_is_known_to_be_no_feeling(
    word: str, no_feeling: dict[str, str]
) -> None:
    assert word in no_feeling


@pytest.mark.parametrize(
    ("word", "valence"),
    [
        ("grateful", 1),
        ("over the moon", 1),
        ("humorous", 1),
        ("relief", 1),
        ("polite", 1),
        ("surprised", 0),
        ("nostalgic", 0),
        ("longing", 0),
        ("serious", 0),
        ("matter-of-fact", 0),
        ("disbelief", 0),
    ],
)
def test_valence_is_what_people_mean(word: str, valence: int, families: dict[str, Family]) -> None:
    family = {
        form: family for base, family, forms in base_rows(POSITIVE) for form in (base, *forms)
    }
    assert families[family[word]].valence == valence
