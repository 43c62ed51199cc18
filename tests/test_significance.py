"""Resampling: the right distribution, the same from the same seed, honest under the null."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from ovmer_bench.metrics import significance
from ovmer_bench.metrics.measures import (
    CHUNK,
    BasicMeasure,
    EwMeasure,
    Measure,
    SentimentMeasure,
    Values,
    point,
)
from ovmer_bench.metrics.significance import Interval, bootstrap, false_discovery, paired_tests
from ovmer_bench.metrics.statistics import Floats, clip_statistics
from random_corpora import random_lists, rich_world, similar_lists


@dataclass(frozen=True)
class Means:
    """The plainest measure: the mean of every column, and the number of clips drawn."""

    table: Floats
    main: str = "mean0"

    def __len__(self) -> int:
        return len(self.table)

    def columns(self, part: slice) -> Floats:
        table = self.table[part]
        return np.concatenate([np.ones((len(table), 1)), table], axis=1)

    def combine(self, sums: Floats) -> Values:
        means = {f"mean{j}": sums[..., j + 1] / len(self) for j in range(self.table.shape[1])}
        return {"drawn": sums[..., 0], **means}


def draws_of(measure: Measure, name: str, draws: int, seed: int) -> Floats:
    """Every draw of one score: the quantiles of ``bootstrap`` are not enough to test with."""
    found: list[Floats] = []

    class Spy:
        main = name

        def __len__(self) -> int:
            return len(measure)

        def columns(self, part: slice) -> Floats:
            return measure.columns(part)

        def combine(self, sums: Floats) -> Values:
            values = measure.combine(sums)
            found.append(values[name])
            return values

    bootstrap(Spy(), draws=draws, seed=seed)
    return found[-1]


def open_pair(seed: int, n: int, noise_a: float, noise_b: float) -> tuple[EwMeasure, EwMeasure]:
    """Two systems that replace a share of the gold labels by random ones."""
    rng = Random(seed)
    world = rich_world(1)
    gold = random_lists(rng, world, n, least=1)
    systems = [similar_lists(rng, world, gold, noise) for noise in (noise_a, noise_b)]
    a, b = (EwMeasure(clip_statistics(gold, said, world.lexicon)) for said in systems)
    return a, b


def sentiment_pair(
    rng: np.random.Generator, n: int, right_a: float, right_b: float
) -> tuple[SentimentMeasure, SentimentMeasure]:
    """Two systems that are right on their own random share of the clips."""
    gold = rng.choice([-1.0, 1.0], n)
    a, b = (
        SentimentMeasure(gold, np.where(rng.random(n) < right, gold, -gold))
        for right in (right_a, right_b)
    )
    return a, b


def basic_measure(seed: int, n: int) -> BasicMeasure:
    rng = Random(seed)
    world = rich_world(2)
    gold = [[rng.choice(world.labels)] for _ in range(n)]
    return BasicMeasure(clip_statistics(gold, random_lists(rng, world, n), world.lexicon))


# The bootstrap


def test_every_draw_holds_as_many_clips_as_the_corpus() -> None:
    for n in (1, 2, CHUNK, CHUNK + 1, 2 * CHUNK + 5):
        drawn = draws_of(Means(np.zeros((n, 1))), "drawn", draws=50, seed=3)
        assert drawn.tolist() == [n] * 50


@pytest.mark.parametrize("n", [50, 2 * CHUNK + 3000])
def test_draws_are_distributed_as_plain_resampling(n: int) -> None:
    """Within one chunk and over several; the plain way draws n indices out of n."""
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(8)
    table = rng.gamma(0.5, size=(n, 1))
    table[: n // 4] += 3  # chunks differ, so how many clips each gives must vary too
    draws = 2000
    ours = draws_of(Means(table), "mean0", draws, seed=11)
    plain = np.array([table[rng.integers(n, size=n), 0].mean() for _ in range(draws)])
    assert ks_2samp(ours, plain).pvalue > 0.01
    assert abs(ours.mean() - plain.mean()) < 4 * plain.std() * np.sqrt(2 / draws)
    assert ours.std() == pytest.approx(plain.std(), rel=0.08)
    for q in (0.025, 0.25, 0.75, 0.975):
        assert abs(np.quantile(ours, q) - np.quantile(plain, q)) < 0.25 * plain.std()


def test_chunks_share_the_draw_as_clips_do() -> None:
    """Clips drawn from a chunk are binomial, and two chunks compete for them."""
    n = 2 * CHUNK
    halves = np.repeat(np.eye(2), CHUNK, axis=0)
    first = draws_of(Means(halves), "mean0", 3000, seed=4) * n
    second = draws_of(Means(halves), "mean1", 3000, seed=4) * n
    np.testing.assert_allclose(first + second, n)
    assert first.var() == pytest.approx(n / 4, rel=0.1)
    assert abs(first.mean() - n / 2) < 4 * np.sqrt(n / 4 / 3000)


def test_neighbours_in_different_chunks_are_drawn_independently() -> None:
    """Chunks have random streams of their own: the same place in two chunks is not tied."""
    n = 2 * CHUNK
    table = np.zeros((n, 2))
    table[:100, 0] = table[CHUNK : CHUNK + 100, 1] = 1
    first = draws_of(Means(table), "mean0", 2000, seed=6)
    second = draws_of(Means(table), "mean1", 2000, seed=6)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.08


def test_the_same_seed_gives_the_same_intervals_and_another_others() -> None:
    measure, _ = open_pair(1, 80, 0.4, 0.4)
    assert bootstrap(measure, draws=200, seed=5) == bootstrap(measure, draws=200, seed=5)
    assert bootstrap(measure, draws=200, seed=5) != bootstrap(measure, draws=200, seed=6)


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 3 * CHUNK + 17
    measure = SentimentMeasure(*np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (2, n)))
    other = SentimentMeasure(measure.gold, -measure.predicted)
    found = []
    for threads in (1, 2, 7):
        monkeypatch.setattr(significance, "_THREADS", threads)
        tests = paired_tests(measure, other, ["WAF", "ACC/skill"], draws=40, seed=1)
        found.append((bootstrap(measure, draws=40, seed=1), tests))
    assert found[0] == found[1] == found[2]


def test_intervals_cover_the_scores() -> None:
    for measure in (*open_pair(3, 200, 0.3, 0.6), basic_measure(3, 200)):
        values = point(measure)
        intervals = bootstrap(measure, draws=400, seed=0)
        assert set(intervals) == set(values)
        for name, interval in intervals.items():
            assert interval.low - 1e-12 <= values[name] <= interval.high + 1e-12, name
            assert interval.low < interval.high or values[name] in (0.0, 1.0), name


def test_intervals_shrink_with_the_root_of_the_corpus() -> None:
    rng = np.random.default_rng(2)
    widths = []
    for n in (400, 1600, 6400):
        measure, _ = sentiment_pair(rng, n, 0.7, 0.7)
        interval = bootstrap(measure, draws=2000, seed=0)["ACC"]
        widths.append(interval.high - interval.low)
        normal = 2 * 1.96 * np.sqrt(0.7 * 0.3 / n)
        assert widths[-1] == pytest.approx(normal, rel=0.12)
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.15)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.15)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """95 % intervals of 200 samples: 182 to 198 hits is the 99.8 % range."""
    rng = np.random.default_rng(9)
    hits = 0
    for i in range(200):
        measure, _ = sentiment_pair(rng, 250, 0.7, 0.7)
        interval = bootstrap(measure, draws=300, seed=i)["ACC"]
        hits += interval.low <= 0.7 <= interval.high
    assert 178 <= hits <= 198


def test_a_corpus_of_one_clip_has_an_interval_of_no_width() -> None:
    measure, _ = open_pair(4, 1, 0.5, 0.5)
    values = point(measure)
    for name, interval in bootstrap(measure, draws=20, seed=0).items():
        assert interval == Interval(values[name], values[name])


# Paired tests


def test_identical_systems_do_not_differ() -> None:
    a, _ = open_pair(5, 60, 0.5, 0.5)
    for test in paired_tests(a, a, ["S1", "S1/skill", "M-avg"], draws=100, seed=0).values():
        assert test.difference == 0
        assert test.interval == Interval(0.0, 0.0)
        assert test.p_bootstrap == test.p_randomisation == 1


def test_swapping_the_systems_turns_the_sign_and_nothing_else() -> None:
    a, b = open_pair(6, 120, 0.3, 0.45)
    names = ["S1", "S2", "M1", "S1/skill"]
    forth = paired_tests(a, b, names, draws=300, seed=2)
    back = paired_tests(b, a, names, draws=300, seed=2)
    for name in names:
        x, y = forth[name], back[name]
        assert y.difference == -x.difference != 0
        ends = (-x.interval.high, -x.interval.low)
        assert (y.interval.low, y.interval.high) == pytest.approx(ends, abs=1e-12)
        assert y.p_bootstrap == x.p_bootstrap
        assert y.p_randomisation == x.p_randomisation


def test_the_difference_is_that_of_the_scores() -> None:
    a, b = open_pair(7, 50, 0.2, 0.6)
    scores_a, scores_b = point(a), point(b)
    for name, test in paired_tests(a, b, list(scores_a), draws=20, seed=0).items():
        assert test.difference == pytest.approx(scores_b[name] - scores_a[name], abs=1e-12)


def test_a_large_difference_is_found() -> None:
    a, b = open_pair(8, 150, 0.9, 0.1)
    for test in paired_tests(a, b, ["S1", "S1/skill"], draws=999, seed=0).values():
        assert test.difference > 0.2
        assert test.interval.low > 0
        assert test.p_bootstrap == test.p_randomisation == pytest.approx(1 / 1000)


def test_two_systems_can_be_far_more_alike_than_their_intervals_say() -> None:
    """Why the test is paired: B mends a tenth of A's errors and nothing else."""
    rng = np.random.default_rng(3)
    gold = rng.choice([-1.0, 1.0], 600)
    said = np.where(rng.random(600) < 0.6, gold, -gold)
    wrong = np.flatnonzero(said != gold)[::10]
    better = said.copy()
    better[wrong] = gold[wrong]
    a, b = SentimentMeasure(gold, said), SentimentMeasure(gold, better)
    alone_a, alone_b = (bootstrap(m, draws=500, seed=0)["ACC"] for m in (a, b))
    assert alone_a.high > alone_b.low
    test = paired_tests(a, b, ["ACC"], draws=500, seed=0)["ACC"]
    assert test.p_randomisation < 0.01
    assert test.interval.low > 0


@pytest.mark.parametrize("kind", ["sentiment", "open"])
def test_false_alarms_are_as_rare_as_the_level_says(kind: str) -> None:
    """Two equal systems, 200 times: about ten p-values below 5 %, and 3 to 20 nearly always."""
    alarms = np.zeros(2, int)
    for i in range(200):
        if kind == "sentiment":
            a, b = sentiment_pair(np.random.default_rng([7, i]), 120, 0.65, 0.65)
            name = "ACC"
        else:
            a, b = open_pair(1000 + i, 40, 0.5, 0.5)
            name = "S1"
        test = paired_tests(a, b, [name], draws=199, seed=i)[name]
        alarms += [test.p_bootstrap < 0.05, test.p_randomisation < 0.05]
    assert all(3 <= count <= 20 for count in alarms), alarms


def test_randomisation_agrees_with_all_swaps() -> None:
    """Eight clips have 256 swaps: the exact p-value, against the drawn one."""
    gold = np.ones(8)
    a = SentimentMeasure(gold, np.array([1, 1, 1, 0, 0, 0, 0, 0.0]))
    b = SentimentMeasure(gold, np.array([1, 1, 1, 1, 1, 1, 1, 0.0]))
    test = paired_tests(a, b, ["ACC"], draws=20_000, seed=0)["ACC"]
    assert test.difference == 0.5
    # Four clips differ, so only the two of sixteen that swap all or none are as extreme.
    assert test.p_randomisation == pytest.approx(2 / 16, abs=0.01)


# Corrections


def test_false_discovery_by_hand() -> None:
    """Benjamini-Hochberg: p times m over rank, then never above that of a larger p."""
    p = [0.01, 0.04, 0.03, 0.005, 0.5]
    # Sorted: 0.005*5/1, 0.01*5/2, 0.03*5/3, 0.04*5/4, 0.5*5/5 = 0.025, 0.025, 0.05, 0.05, 0.5
    assert false_discovery(p) == pytest.approx([0.025, 0.05, 0.05, 0.025, 0.5])
    # Sorted: 0.06, 0.05, 0.04: the last and smallest holds for all.
    assert false_discovery([0.02, 0.04, 0.03]) == pytest.approx([0.04, 0.04, 0.04])
    assert false_discovery([0.2]) == [0.2]
    assert false_discovery([]) == []


def test_corrected_p_values_stay_p_values_in_the_same_order() -> None:
    p = np.random.default_rng(0).random(40).tolist()
    corrected = false_discovery(p)
    assert all(raw <= q <= 1 for raw, q in zip(p, corrected, strict=True))
    order = np.argsort(p)
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)
