"""The oracle against itself and against hand-counted values."""

from __future__ import annotations

import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

WHEEL = ({"a": "up", "b": "up", "c": "down"}, {"a": "a", "b": "b", "c": "c"})
MAPS: oracle.Maps = (
    {word: {word} for word in "abc"},
    {word: {word} for word in "abc"},
    [WHEEL] * 5,
)
labels = st.lists(st.sampled_from(["a", "b", "c", "unknown"]), max_size=3)
clips = st.lists(st.tuples(labels, labels), min_size=1, max_size=5)


def test_label_lists_are_read_as_metrics_says() -> None:
    for written in ("[happy, joyful]", "['happy', 'joyful']", '"Happy",, joyful ', "happy,joyful"):
        assert oracle.labels_of(written) == ["happy", "joyful"]
    assert oracle.labels_of("") == oracle.labels_of("[]") == []


def test_corpus_f_by_hand() -> None:
    gold = [["a", "c"], ["b"], ["unknown"], ["c"]]
    said = [["a"], ["a", "c"], ["a"], []]
    # Kept are clips 1, 2 and 4; P = (1 + 1/2 + 0)/3, R = (1/2 + 1 + 0)/3.
    assert oracle.corpus_f(gold, said, "M3-W1-L1", MAPS) == pytest.approx((0.5, 0.5, 0.5))
    # Under M1 clip 2 has nothing in common.
    assert oracle.corpus_f(gold, said, "M1", MAPS) == pytest.approx(
        (2 * 1 / 18 / 0.5, 1 / 3, 1 / 6)
    )


def test_basic_by_hand() -> None:
    gold, said = ["a", "unknown", "c"], [["b", "c"], ["a"], ["a"]]
    assert oracle.basic(gold, said, 1, MAPS) == (0.5, 0.25)


def test_sentiment_by_hand() -> None:
    # Right: 2 of 3 positive, 1 of 1 negative; the clip with gold 0 is out.
    waf, accuracy = oracle.sentiment([1.5, 0.2, 3.0, 0.0, -1.0], [1, 1, 0, 1, -1])
    assert accuracy == 0.75
    assert waf == pytest.approx(0.75 * 0.8 + 0.25 * 2 / 3)


@settings(deadline=None)
@given(clips)
def test_expectation_over_pairs_shuffles_and_in_closed_form(
    rows: list[tuple[list[str], list[str]]],
) -> None:
    gold, said = [g for g, _ in rows], [p for _, p in rows]
    for metric in ("M1", "M3-W1-L1"):
        over_pairs = oracle.expected_f_over_pairs(gold, said, metric, MAPS)
        over_shuffles = oracle.expected_f_over_shuffles(gold, said, metric, MAPS)
        assert over_pairs == pytest.approx(over_shuffles)
        pairs = oracle.kept_sets(gold, said, metric, MAPS)
        n = len(pairs)
        values = set("abc") | {"up", "down"}
        precision = recall = 0.0
        for value in values if n else ():
            in_gold = sum(value in g for g, _ in pairs) / n
            in_said = sum(value in p for _, p in pairs) / n
            precision += in_gold * sum(1 / len(p) for _, p in pairs if value in p) / n
            recall += in_said * sum(1 / len(g) for g, _ in pairs if value in g) / n
        closed = (oracle.harmonic(precision, recall), precision, recall)
        assert over_pairs == pytest.approx(closed)


@settings(deadline=None)
@given(clips, labels)
def test_a_constant_scores_its_own_expectation(
    rows: list[tuple[list[str], list[str]]], constant: list[str]
) -> None:
    gold = [g for g, _ in rows]
    said = [constant] * len(gold)
    for metric in ("M1", "M2", "M3-W1-L1"):
        score = oracle.corpus_f(gold, said, metric, MAPS)
        assert score == pytest.approx(oracle.expected_f_over_pairs(gold, said, metric, MAPS))
    words = [g[0] if g else "unknown" for g in gold]
    assert oracle.basic(words, said, 1, MAPS) == pytest.approx(
        oracle.expected_basic_over_pairs(words, said, 1, MAPS)
    )
