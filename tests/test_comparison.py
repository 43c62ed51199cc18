"""Comparing systems: every pair, corrected for their number, never across signatures."""

from __future__ import annotations

from random import Random

import pytest
from ovmer_bench.errors import InputError
from ovmer_bench.metrics.comparison import compare
from ovmer_bench.metrics.scoring import SCORES, Evaluation, evaluate
from ovmer_bench.metrics.significance import false_discovery
from random_corpora import random_lists, rich_world, similar_lists

WORLD = rich_world(3)
GOLD = random_lists(Random(0), WORLD, 120, least=1)


def system(name: str, noise: float, seed: int = 1) -> Evaluation:
    said = similar_lists(Random(seed), WORLD, GOLD, noise)
    predictions = {f"c{i}": labels for i, labels in enumerate(said)}
    gold = {f"c{i}": labels for i, labels in enumerate(GOLD)}
    return evaluate(predictions, gold, lexicon=WORLD.lexicon, system=name)


def test_every_pair_in_the_order_given() -> None:
    systems = [system("poor", 0.9), system("fair", 0.5, 2), system("like", 0.45, 3)]
    result = compare(systems, ["S1", "M1"], draws=200)
    pairs = [(p.score, p.a, p.b) for p in result.pairs]
    names = [("poor", "fair"), ("poor", "like"), ("fair", "like")]
    assert pairs == [(score, a, b) for score in ("S1", "M1") for a, b in names]
    for pair in result.pairs:
        values = result.values
        difference = values[pair.b][pair.score] - values[pair.a][pair.score]
        assert pair.test.difference == pytest.approx(difference, abs=1e-12)
        assert pair.significant == (pair.p_corrected < 0.05) == ("poor" in (pair.a, pair.b))
    assert result.signature == systems[0].signature.text("S1")


def test_p_values_are_corrected_within_each_score() -> None:
    systems = [system("a", 0.6), system("b", 0.52, 2), system("c", 0.5, 3)]
    result = compare(systems, ["S1", "M1"], draws=200)
    for score in ("S1", "M1"):
        rows = [p for p in result.pairs if p.score == score]
        raw = [p.test.p_randomisation for p in rows]
        corrected = [p.p_corrected for p in rows]
        assert corrected == false_discovery(raw)
        assert corrected != raw


def test_the_main_score_and_its_skill_by_default() -> None:
    result = compare([system("a", 0.5), system("b", 0.4, 2)], draws=20)
    assert [p.score for p in result.pairs] == ["S1", "S1/skill"]
    assert set(result.values["a"]) == {"S1", "S1/skill"}


def test_a_system_does_not_differ_from_itself() -> None:
    result = compare([system("a", 0.5), system("twin", 0.5)], draws=50)
    for pair in result.pairs:
        assert (pair.test.difference, pair.p_corrected, pair.significant) == (0.0, 1.0, False)


def test_order_turns_the_sign() -> None:
    a, b = system("a", 0.6), system("b", 0.3, 2)
    forth, back = (compare(order, draws=100).pairs for order in ([a, b], [b, a]))
    for x, y in zip(forth, back, strict=True):
        assert x.test.difference == -y.test.difference
        assert x.test.p_randomisation == y.test.p_randomisation


def test_every_score_can_be_compared_and_a_skill_that_cannot_be_drawn_is_refused() -> None:
    a, b = system("a", 0.6), system("b", 0.5, 2)
    names = [*SCORES["open"], "S1/skill", "M3-W3-L1/skill", "S2/precision"]
    result = compare([a, b], names, draws=20)
    assert [pair.score for pair in result.pairs] == names
    for name in ("S2/skill", "M1/skill"):
        assert name in a.values
        with pytest.raises(InputError, match=f"no test for score '{name}'"):
            compare([a, b], [name])


def test_alpha_decides() -> None:
    a, b = system("a", 0.6), system("b", 0.5, 5)
    (pair,) = compare([a, b], ["S1"], draws=200, alpha=1.0).pairs
    assert pair.significant == (pair.p_corrected < 1)
    (pair,) = compare([a, b], ["S1"], draws=200, alpha=0.0).pairs
    assert not pair.significant


def test_what_cannot_be_compared_is_refused() -> None:
    a = system("a", 0.5)
    with pytest.raises(InputError, match="at least two"):
        compare([a])
    with pytest.raises(InputError, match="one name"):
        compare([a, system("a", 0.4)])
    with pytest.raises(InputError, match="no test for score 'S9'"):
        compare([a, system("b", 0.4)], ["S9"])
    other = evaluate({"x": ["qux"]}, {"x": ["qux"]}, lexicon=WORLD.lexicon, system="other")
    with pytest.raises(InputError, match="different signatures"):
        compare([a, other])
    gold = {f"c{i}": labels for i, labels in enumerate(GOLD)}
    partial = evaluate({}, gold, lexicon=WORLD.lexicon, system="none", allow_missing=True)
    with pytest.raises(InputError, match="different signatures"):
        compare([a, partial])
