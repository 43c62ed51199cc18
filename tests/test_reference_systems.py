"""Reference systems: what they answer, and that answers free of content have no skill."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.errors import InputError
from ovmer_bench.lexicon import load_lexicon
from ovmer_bench.metrics.gold import Gold, as_gold
from ovmer_bench.metrics.scoring import evaluate
from ovmer_bench.parsing.extraction import extract_labels
from ovmer_bench.reading.schema import Sample
from ovmer_bench.reference_systems import ONE_PER_SECTOR, SYSTEMS, predict

CONSTANTS = ("constant", "one-per-sector", "all-labels")
OPEN = {
    "a": ["sad", "lonely", "sad"],
    "b": ["happy", "sad"],
    "c": ["happy"],
    "d": ["angry", "happy"],
    "e": ["angry"],
}


@pytest.fixture(scope="module")
def scenes() -> Gold:
    return as_gold("ovmer_scenes")


def said(name: str, gold: Gold, seed: int = 0) -> list[list[str]]:
    return [list(prediction.labels or ()) for prediction in predict(name, gold, seed)]


def skills(name: str, gold: Gold, seed: int = 0) -> dict[str, float]:
    values = evaluate(predict(name, gold, seed), gold).values
    return {key: value for key, value in values.items() if key.endswith("/skill")}


def test_every_system_answers_every_clip_in_order(scenes: Gold) -> None:
    for name in SYSTEMS:
        predictions = predict(name, scenes)
        assert [prediction.id for prediction in predictions] == list(scenes.ids)
        assert predictions == predict(name, scenes)


def test_constants_say_the_same_of_every_clip() -> None:
    gold = as_gold(OPEN)
    # Counted by clip, not by mention; ties go to the alphabet.
    assert said("constant", gold) == [["happy", "angry", "sad"]] * 5
    assert said("one-per-sector", gold) == [list(ONE_PER_SECTOR)] * 5
    assert said("all-labels", gold) == [["angry", "happy", "lonely", "sad"]] * 5


def test_one_word_stands_in_each_sector_of_wheel_1() -> None:
    lexicon = load_lexicon()
    sectors = [lexicon.lookup(word).sectors[0][0] for word in ONE_PER_SECTOR]
    assert sorted(map(str, sectors)) == sorted(lexicon.wheels[0].sectors(1))


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_have_no_skill_on_scenes(scenes: Gold, name: str) -> None:
    found = skills(name, scenes)
    assert {"S1/skill", "M-avg/skill"} <= set(found)
    assert all(abs(value) < 1e-12 for value in found.values()), found


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants_have_no_skill_on_basic_gold(name: str) -> None:
    words = ["happy", "sad", "happy", "angry", "surprised", "fear"]
    gold = as_gold([Sample(id=str(i), label=word) for i, word in enumerate(words)])
    assert all(abs(value) < 1e-12 for value in skills(name, gold).values())


def test_a_constant_has_no_skill_on_valences() -> None:
    gold = as_gold([Sample(id=str(i), valence=v) for i, v in enumerate((1.0, -2.0, 0.5, 0.0))])
    assert all(abs(value) < 1e-12 for value in skills("one-per-sector", gold).values())


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.lists(st.sampled_from(["happy", "sad", "angry", "fear", "tired", "xyzzy"]), max_size=4),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(CONSTANTS),
)
def test_constants_have_no_skill_on_any_gold(lists: list[list[str]], name: str) -> None:
    gold = as_gold({str(i): labels for i, labels in enumerate(lists)})
    evaluation = evaluate(predict(name, gold), gold)
    for key, value in evaluation.values.items():
        if key.endswith("/skill"):
            score = evaluation.values[key.removesuffix("/skill")]
            # Where chance leaves no room above it, a full score counts as full skill.
            assert abs(value) < 1e-9 or (abs(score - 1) < 1e-9 and abs(value - 1) < 1e-9), key


def test_all_labels_misses_nothing(scenes: Gold) -> None:
    values = evaluate(predict("all-labels", scenes), scenes).values
    for wheel in range(1, 6):
        assert values[f"M3-W{wheel}-L1/recall"] == pytest.approx(1)
    assert values["M1/recall"] == pytest.approx(1)


def test_shuffled_is_a_seeded_permutation(scenes: Gold) -> None:
    def bag(lists: list[list[str]]) -> Counter[tuple[str, ...]]:
        return Counter(map(tuple, lists))

    orders = [said("shuffled", scenes, seed) for seed in (0, 0, 1, 2**32 - 1)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2] != orders[3]
    for order in orders:
        assert bag(order) == bag(scenes.labels)
        assert order != scenes.labels
    moved = sum(a != b for a, b in zip(orders[0], scenes.labels, strict=True))
    assert moved > 0.95 * len(scenes)


def test_shuffled_gold_has_no_skill_on_average(scenes: Gold) -> None:
    found = [skills("shuffled", scenes, seed)["S1/skill"] for seed in range(20)]
    assert abs(sum(found) / len(found)) < 0.02
    assert max(map(abs, found)) < 0.1


def test_keywords_are_what_the_rules_find(scenes: Gold) -> None:
    lexicon = load_lexicon()
    subtitle, clues = said("keywords-subtitle", scenes), said("keywords-clues", scenes)
    for i in range(0, len(scenes), 60):
        sample = scenes.samples[i]
        assert subtitle[i] == extract_labels(sample.subtitle["en"], lexicon)
        assert clues[i] == extract_labels(" ".join(sample.clues.values()), lexicon)
    assert any(subtitle) and any(clues) and subtitle != clues


def test_keywords_of_known_text() -> None:
    gold = as_gold(
        [
            Sample(
                id="a",
                labels=["happy"],
                subtitle={"en": "I am so happy."},
                clues={"visual": "She looks sad."},
            ),
            Sample(id="b", labels=["calm"], subtitle={"zh": "好。"}),
        ]
    )
    assert said("keywords-subtitle", gold) == [["happy"], []]
    assert said("keywords-clues", gold) == [["sad"], []]


@pytest.mark.parametrize(
    ("name", "gold", "words"),
    [
        ("shufled", OPEN, ("'shufled'", "Did you mean 'shuffled'?", "constant")),
        ("keywords-clues", OPEN, ("custom", "no written clues", "ovmer_scenes")),
        ("keywords-subtitle", OPEN, ("custom", "no English subtitles")),
        ("shuffled", None, ("shuffled", "gold labels")),
        ("constant", None, ("constant", "gold labels")),
        ("all-labels", None, ("all-labels", "gold labels")),
    ],
)
def test_what_cannot_be_answered(
    name: str, gold: dict[str, list[str]] | None, words: tuple[str, ...]
) -> None:
    corpus = as_gold(gold if gold else [Sample(id="a", valence=1.0)])
    with pytest.raises(InputError) as caught:
        predict(name, corpus)
    for word in words:
        assert word in str(caught.value)
