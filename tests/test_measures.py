"""Measures: every score equals the slow oracle, and behaves as a score must."""

from __future__ import annotations

import math
from itertools import permutations
from random import Random

import numpy as np
import oracle
import oracle_extra
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ovmer_bench.metrics import measures
from ovmer_bench.metrics.measures import (
    AVERAGES,
    BasicMeasure,
    EwMeasure,
    Measure,
    SentimentMeasure,
    expected_f,
    point,
    skill,
)
from ovmer_bench.metrics.statistics import EW_METRICS, clip_statistics
from random_corpora import Lists, World, random_lists, random_world, rich_world, steady

TOLERANCE = 1e-12
rngs = st.randoms(use_true_random=False)
valences = st.lists(
    st.tuples(st.sampled_from([-3.0, -0.2, 0.0, 0.4, 3.0]), st.sampled_from([-1, 0, 1])),
    min_size=1,
    max_size=12,
)


def open_values(gold: Lists, predicted: Lists, world: World) -> dict[str, float]:
    """Every open score with the expectation of all twelve metrics and of the averages."""
    statistics = clip_statistics(gold, predicted, world.lexicon)
    values = point(EwMeasure(statistics))
    values |= {f"{m}/expected": expected_f(statistics, m) for m in EW_METRICS}
    for name, parts in AVERAGES.items():
        values[f"{name}/expected"] = float(np.mean([values[f"{p}/expected"] for p in parts]))
    for name in (*AVERAGES, *EW_METRICS):
        pair = (np.asarray(values[key]) for key in (name, f"{name}/expected"))
        values[f"{name}/skill"] = float(skill(*pair))
    return values


def basic_values(gold: list[str], predicted: Lists, world: World) -> dict[str, float]:
    statistics = clip_statistics([[word] for word in gold], predicted, world.lexicon)
    return point(BasicMeasure(statistics))


def sentiment_values(gold: list[float], predicted: list[int]) -> dict[str, float]:
    return point(SentimentMeasure(np.array(gold), np.array(predicted, np.float64)))


def words(rng: Random, world: World, n: int) -> list[str]:
    return [rng.choice(world.labels) for _ in range(n)]


# Equal to the oracle


@steady
@given(rngs, st.integers(1, 7))
def test_open_scores_equal_the_oracle(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    expected = oracle_extra.open_scores(gold, predicted, world.maps)
    assert open_values(gold, predicted, world) == pytest.approx(expected, abs=TOLERANCE)


@steady
@given(rngs, st.integers(1, 7))
def test_skill_that_is_drawn_equals_skill_that_is_reported(rng: Random, n: int) -> None:
    """The measure's own expectation of level 1 (for intervals) is the exact one."""
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    drawn = point(EwMeasure(clip_statistics(gold, predicted, world.lexicon)))
    expected = oracle_extra.open_scores(gold, predicted, world.maps)
    for name in ("S1", *measures.L1):
        for suffix in ("expected", "skill"):
            key = f"{name}/{suffix}"
            assert drawn[key] == pytest.approx(expected[key], abs=TOLERANCE)


@steady
@given(rngs, st.integers(1, 9))
def test_basic_scores_equal_the_oracle(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = words(rng, world, n), random_lists(rng, world, n)
    expected = oracle_extra.basic_scores(gold, predicted, world.maps)
    assert basic_values(gold, predicted, world) == pytest.approx(expected, abs=TOLERANCE)


@steady
@given(valences)
def test_sentiment_scores_equal_the_oracle_and_scikit_learn(
    clips: list[tuple[float, int]],
) -> None:
    gold, predicted = [g for g, _ in clips], [p for _, p in clips]
    values = sentiment_values(gold, predicted)
    expected = oracle_extra.sentiment_scores(gold, predicted)
    assert values == pytest.approx(expected, abs=TOLERANCE)
    if any(gold):
        theirs = oracle_extra.sentiment_by_sklearn(gold, predicted)
        assert (values["WAF"], values["ACC"]) == pytest.approx(theirs, abs=TOLERANCE)


# Expectation


@steady
@given(rngs, st.integers(1, 5))
def test_expectation_is_the_mean_over_all_shuffles(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    statistics = clip_statistics(gold, predicted, world.lexicon)
    for metric in EW_METRICS:
        expected, _, _ = oracle.expected_f_over_shuffles(gold, predicted, metric, world.maps)
        assert expected_f(statistics, metric) == pytest.approx(expected, abs=TOLERANCE)


@steady
@given(rngs, st.integers(1, 5))
def test_expected_hit_rate_is_the_mean_over_all_shuffles(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = words(rng, world, n), random_lists(rng, world, n)
    values = basic_values(gold, predicted, world)
    for k, metric in enumerate(measures.L1, 1):
        kept = [i for i in range(n) if oracle.mapped(gold[i], metric, world.maps)]
        golds = [gold[i] for i in kept]
        orders = list(permutations([predicted[i] for i in kept]))
        found = [oracle.basic(golds, list(order), k, world.maps) for order in orders]
        for i, name in enumerate(("hit_rate", "mscore")):
            mean = sum(pair[i] for pair in found) / len(found)
            assert values[f"{name}-W{k}/expected"] == pytest.approx(mean, abs=TOLERANCE)


@steady
@given(valences.filter(lambda clips: len(clips) <= 6))
def test_expected_sentiment_is_the_mean_over_all_shuffles(clips: list[tuple[float, int]]) -> None:
    gold, predicted = [g for g, _ in clips if g], [p for g, p in clips if g]
    assume(gold)
    values = sentiment_values(gold, predicted)
    found = [oracle.sentiment(gold, list(order)) for order in permutations(predicted)]
    for i, name in enumerate(("WAF", "ACC")):
        mean = sum(pair[i] for pair in found) / len(found)
        assert values[f"{name}/expected"] == pytest.approx(mean, abs=TOLERANCE)


def test_expectation_by_hand() -> None:
    """Gold {a}, {a, b}; predictions {a}, {b}: E[P] = (1 + 1/2)/2 = E[R] on four pairs:
    precision 1, 0, 1, 1 and recall 1, 0, 1/2, 1/2."""
    shares = measures.ShuffleSums(
        n=np.array(2.0),
        gold=np.array([2.0, 1.0]),
        gold_share=np.array([1.5, 0.5]),
        predicted=np.array([1.0, 1.0]),
        predicted_share=np.array([1.0, 1.0]),
    )
    p, r = 3 / 4, 2 / 4
    assert shares.expected_f() == pytest.approx(2 * p * r / (p + r), abs=1e-15)


# Skill


@steady
@given(rngs, st.integers(1, 9))
def test_a_constant_answer_has_no_skill_in_open_scores(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold = random_lists(rng, world, n)
    answer = random_lists(rng, world, 1, most=8)[0]
    values = open_values(gold, [answer] * n, world)
    for name in (*AVERAGES, *EW_METRICS):
        assert abs(values[f"{name}/skill"]) < TOLERANCE, name


@steady
@given(rngs, st.integers(1, 9))
def test_a_constant_answer_has_no_skill_in_basic_scores(rng: Random, n: int) -> None:
    world = random_world(rng)
    answer = random_lists(rng, world, 1, most=8)[0]
    values = basic_values(words(rng, world, n), [answer] * n, world)
    for name, value in values.items():
        if name.endswith("/skill"):
            assert abs(value) < TOLERANCE, name


@steady
@given(valences, st.sampled_from([-1, 0, 1]))
def test_a_constant_answer_has_no_skill_in_sentiment(
    clips: list[tuple[float, int]], answer: int
) -> None:
    values = sentiment_values([g for g, _ in clips], [answer] * len(clips))
    assert abs(values["WAF/skill"]) < TOLERANCE
    assert abs(values["ACC/skill"]) < TOLERANCE


@steady
@given(rngs, st.integers(1, 9))
def test_gold_against_itself_is_perfect(rng: Random, n: int) -> None:
    """Score 1; skill 1 unless gold is constant on every clip kept, where chance is perfect
    too, nothing can be shown, and skill is 0."""
    world = random_world(rng)
    gold = random_lists(rng, world, n)
    values = open_values(gold, gold, world)
    for metric in EW_METRICS:
        sets = [s for s, _ in oracle.kept_sets(gold, gold, metric, world.maps)]
        varied = any(s != sets[0] for s in sets)
        assert values[metric] == pytest.approx(1.0 if sets else 0.0, abs=TOLERANCE)
        assert values[f"{metric}/skill"] == pytest.approx(1.0 if varied else 0.0, abs=TOLERANCE)


@steady
@given(rngs, st.integers(1, 9))
def test_basic_gold_against_itself_is_perfect(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold = words(rng, world, n)
    values = basic_values(gold, [[word] for word in gold], world)
    for k, metric in enumerate(measures.L1, 1):
        kept = {oracle.mapped(word, metric, world.maps) for word in gold} - {None}
        for name in (f"hit_rate-W{k}", f"mscore-W{k}"):
            assert values[name] == pytest.approx(1.0 if kept else 0.0, abs=TOLERANCE)
            expected = 1.0 if len(kept) > 1 else 0.0
            assert values[f"{name}/skill"] == pytest.approx(expected, abs=TOLERANCE)


@steady
@given(valences)
def test_sentiment_gold_against_itself_is_perfect(clips: list[tuple[float, int]]) -> None:
    gold = [g for g, _ in clips]
    values = sentiment_values(gold, [(g > 0) - (g < 0) for g in gold])
    signs = {g > 0 for g in gold if g}
    for name in ("WAF", "ACC"):
        assert values[name] == pytest.approx(1.0 if signs else 0.0, abs=TOLERANCE)
        expected = 1.0 if len(signs) > 1 else 0.0
        assert values[f"{name}/skill"] == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("n", [1, 3, 7, 10, 49, 1000])
def test_skill_of_a_constant_gold_does_not_hang_on_the_last_bits(n: int) -> None:
    """Shares such as 1/3 do not add up to whole numbers, so chance comes out as 1 - 1e-16."""
    world = rich_world()
    known = [x for x in world.labels if x not in ("qux", "no such word", "zz", "table")]
    gold = [known] * n
    values = open_values(gold, gold, world)
    for name in (*AVERAGES, *EW_METRICS):
        assert values[f"{name}/skill"] == 0.0, name


# Bounds and invariance


def assert_proper(values: dict[str, float]) -> None:
    for name, value in values.items():
        assert math.isfinite(value), name
        assert value <= 1 + TOLERANCE, name
        if not name.endswith("/skill"):
            assert value >= 0, name


@steady
@given(rngs, st.integers(1, 9))
def test_scores_are_finite_and_between_0_and_1(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    assert_proper(open_values(gold, predicted, world))
    assert_proper(basic_values(words(rng, world, n), predicted, world))


@steady
@given(valences)
def test_sentiment_is_finite_and_between_0_and_1(clips: list[tuple[float, int]]) -> None:
    assert_proper(sentiment_values([g for g, _ in clips], [p for _, p in clips]))


@steady
@given(rngs, st.integers(1, 9))
def test_order_and_repeats_change_nothing(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    before = open_values(gold, predicted, world)
    order = rng.sample(range(n), n)

    def disturbed(lists: Lists) -> Lists:
        return [rng.sample(lists[i] * 2, 2 * len(lists[i])) for i in order]

    after = open_values(disturbed(gold), disturbed(predicted), world)
    assert after == pytest.approx(before, abs=TOLERANCE)


@steady
@given(rngs, st.integers(1, 9))
def test_order_of_clips_changes_no_basic_score(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = words(rng, world, n), random_lists(rng, world, n)
    order = rng.sample(range(n), n)
    before = basic_values(gold, predicted, world)
    after = basic_values([gold[i] for i in order], [predicted[i] for i in order], world)
    assert after == pytest.approx(before, abs=TOLERANCE)


@steady
@given(rngs, st.integers(1, 9))
def test_unknown_labels_change_nothing(rng: Random, n: int) -> None:
    """How the field does it: what the lexicon does not know vanishes on both sides."""
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    before = open_values(gold, predicted, world)
    after = open_values([[*g, "qux"] for g in gold], [["zz", *p] for p in predicted], world)
    assert after == pytest.approx(before, abs=TOLERANCE)


# One implementation for point, draws and tests


def measures_of(seed: int, n: int) -> list[Measure]:
    rng = Random(seed)
    world = rich_world(seed)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    single = [[word] for word in words(rng, world, n)]
    signs = np.random.default_rng(seed).integers(-1, 2, (2, n)).astype(np.float64)
    return [
        EwMeasure(clip_statistics(gold, predicted, world.lexicon)),
        BasicMeasure(clip_statistics(single, predicted, world.lexicon)),
        SentimentMeasure(*signs),
    ]


@pytest.mark.parametrize("size", [1, 3, 20, 21])
def test_chunks_change_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [point(measure) for measure in measures_of(5, 20)]
    monkeypatch.setattr(measures, "CHUNK", size)
    parts = [point(measure) for measure in measures_of(5, 20)]
    for a, b in zip(whole, parts, strict=True):
        assert b == pytest.approx(a, abs=TOLERANCE)


def test_combine_works_on_many_draws_at_once() -> None:
    for measure in measures_of(6, 12):
        columns = measure.columns(slice(0, 12))
        weights = np.random.default_rng(0).integers(0, 3, (4, 12)).astype(np.float64)
        together = measure.combine(weights @ columns)
        for row, weight in enumerate(weights):
            alone = measure.combine(weight @ columns)
            for name, value in alone.items():
                assert together[name][row] == pytest.approx(value, abs=TOLERANCE), name


def test_combine_of_nothing_is_finite() -> None:
    """A draw may hold only clips that do not count."""
    for measure in measures_of(7, 5):
        sums = np.zeros_like(measure.columns(slice(0, 1))[0])
        for name, value in measure.combine(sums).items():
            assert value == 0.0, name


def test_the_main_score_is_among_the_scores() -> None:
    for measure in measures_of(8, 5):
        values = point(measure)
        assert {measure.main, f"{measure.main}/expected", f"{measure.main}/skill"} <= set(values)
