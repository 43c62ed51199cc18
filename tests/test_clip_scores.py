"""Scores of single clips: the scorer, the table and the oracle agree."""

from __future__ import annotations

from random import Random

import numpy as np
import oracle_extra
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.metrics.clip_scores import ClipScorer, clip_f, sample_f
from ovmer_bench.metrics.statistics import clip_statistics
from random_corpora import random_lists, random_world, rich_world, steady

rngs = st.randoms(use_true_random=False)
any_labels = st.lists(
    st.one_of(st.text(max_size=12), st.sampled_from(["happy", "sad", " ANGRY ", "fear"])),
    max_size=6,
)


@steady
@given(rngs, st.integers(1, 8))
def test_scorer_table_and_oracle_agree(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    scorer = ClipScorer(world.lexicon)
    table = clip_f(clip_statistics(gold, predicted, world.lexicon))
    for g, p, value in zip(gold, predicted, table, strict=True):
        expected = oracle_extra.clip_score(g, p, world.maps)
        assert np.isnan(value) == (expected is None)
        if expected is not None:
            assert value == pytest.approx(expected, abs=1e-15)
        assert scorer(p, g) == pytest.approx(expected or 0.0, abs=1e-15)
        assert sample_f(p, g, world.lexicon) == scorer(p, g)


@steady
@given(rngs)
def test_order_repeats_case_and_blanks_change_nothing(rng: Random) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, 2)
    scorer = ClipScorer(world.lexicon)
    shouted = [f" {label.upper()} " for label in reversed(predicted * 2)]
    assert scorer(shouted, gold[::-1]) == scorer(predicted, gold)


@steady
@given(rngs)
def test_a_clip_is_its_own_best_answer(rng: Random) -> None:
    world = random_world(rng)
    (gold,) = random_lists(rng, world, 1)
    known = oracle_extra.clip_score(gold, gold, world.maps) is not None
    assert ClipScorer(world.lexicon)(gold, gold) == pytest.approx(1.0 if known else 0.0)


@steady
@given(any_labels, any_labels)
def test_anything_scores_between_0_and_1(predicted: list[str], gold: list[str]) -> None:
    assert 0 <= sample_f(predicted, gold) <= 1
    assert sample_f(predicted, gold) == sample_f(iter(predicted), iter(gold))


def test_nothing_known_scores_nothing() -> None:
    world = rich_world()
    scorer = ClipScorer(world.lexicon)
    assert scorer([], []) == 0.0
    assert scorer(["qux"], ["zz"]) == 0.0
    known = next(label for label in world.labels if scorer([label], [label]) == 1.0)
    assert scorer([], [known]) == 0.0
    assert scorer([known], []) == 0.0
    assert scorer([known, "qux"], [known, "zz"]) == 1.0


def test_the_built_in_lexicon_is_the_default() -> None:
    assert sample_f(["joyful"], ["happy"]) == 1.0
    assert sample_f(["furious"], ["happy"]) == 0.0
    half = sample_f(["happy", "furious"], ["happy"])
    assert half == pytest.approx(2 / 3)
