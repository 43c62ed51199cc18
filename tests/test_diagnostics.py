"""Diagnostics by hand: three sectors, four clips, every count worked out on paper."""

from __future__ import annotations

from random import Random

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.lexicon import Lexicon, Wheel
from ovmer_bench.metrics.clip_scores import ClipScorer
from ovmer_bench.metrics.scoring import Evaluation, evaluate
from ovmer_bench.metrics.statistics import clip_statistics
from ovmer_bench.reading.schema import Sample
from ovmer_bench.reports.diagnostics import (
    Confusion,
    confusion,
    label_counts,
    sector_health,
    worst_clips,
    worst_confusions,
)
from random_corpora import random_lists, random_world, steady

PLACES = {"red": "warm", "orange": "warm", "blue": "cold", "green": "mild"}
LEXICON = Lexicon(
    id="colours",
    sha256="0" * 64,
    forms={word: (word,) for word in PLACES},
    wheel_words={word: (word,) for word in PLACES},
    wheels=(Wheel("colours", PLACES, {word: word for word in PLACES}),) * 5,
)
GOLD = [["red"], ["red", "blue"], ["blue"], ["unknown"], ["green"]]
SAID = [["orange"], ["blue", "green"], ["red", "green"], ["red"], []]
STATISTICS = clip_statistics(GOLD, SAID, LEXICON)


def evaluation() -> Evaluation:
    ids = ("c1", "c2", "c3", "c4", "c5")
    gold = [
        Sample(id=clip, labels=labels, subtitle={"en": f"said {clip}"})
        for clip, labels in zip(ids, GOLD, strict=True)
    ]
    return evaluate(dict(zip(ids, SAID, strict=True)), gold, lexicon=LEXICON)


def test_sectors_by_hand() -> None:
    """The fourth clip's gold vanishes, so its prediction does not count."""
    found = {s.name: (s.gold, s.predicted, s.common) for s in sector_health(STATISTICS, 1, 1)}
    assert found == {"warm": (2, 2, 1), "cold": (2, 1, 1), "mild": (1, 2, 0)}
    warm, cold, mild = sector_health(STATISTICS, 1, 1)
    assert (warm.precision, warm.recall) == (0.5, 0.5)
    assert (cold.precision, cold.recall) == (1.0, 0.5)
    assert (mild.precision, mild.recall) == (0.0, 0.0)
    orange = sector_health(STATISTICS, 1, 2)[1]
    assert (orange.name, orange.gold, orange.predicted) == ("orange", 0, 1)
    assert orange.recall is None
    blue = sector_health(STATISTICS, 1, 2)[2]
    assert (blue.precision, blue.recall) == (1.0, 0.5)


def test_precision_of_a_sector_nobody_predicts_is_unsaid() -> None:
    statistics = clip_statistics([["red"]], [["blue"]], LEXICON)
    warm, cold, _ = sector_health(statistics, 1, 1)
    assert (warm.precision, warm.recall) == (None, 0.0)
    assert (cold.precision, cold.recall) == (0.0, None)


def test_confusion_by_hand() -> None:
    """Clip 2: warm was missed, mild was extra. Clip 3: cold missed; warm and mild extra."""
    warm, cold, mild = range(3)
    expected = np.zeros((3, 3), int)
    expected[warm, warm] = expected[cold, cold] = 1
    expected[warm, mild] = expected[cold, warm] = expected[cold, mild] = 1
    assert confusion(STATISTICS, 1).tolist() == expected.tolist()
    assert worst_confusions(STATISTICS, 1) == [
        Confusion(1, "cold", "mild", 1),
        Confusion(1, "cold", "warm", 1),
        Confusion(1, "warm", "mild", 1),
    ]
    assert worst_confusions(STATISTICS, 1, most=1) == [Confusion(1, "cold", "mild", 1)]


@steady
@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(1, 5))
def test_confusion_equals_plain_counting(rng: Random, n: int, wheel: int) -> None:
    world = random_world(rng)
    gold, said = random_lists(rng, world, n), random_lists(rng, world, n)
    table = confusion(clip_statistics(gold, said, world.lexicon), wheel)
    names = world.lexicon.sectors(wheel, 1)
    pairs = oracle.kept_sets(gold, said, f"M3-W{wheel}-L1", world.maps)
    for i, meant in enumerate(names):
        for j, said_instead in enumerate(names):
            if i == j:
                clips = sum(meant in g and meant in p for g, p in pairs)
            else:
                clips = sum(meant in g - p and said_instead in p - g for g, p in pairs)
            assert table[i, j] == clips


def test_worst_clips_come_first() -> None:
    """c1 scores 1; c2 1 of {warm, cold} and {cold, mild}, 1/2; c3 and c5 0, ties by gold
    labels and then by id; c4 has no score."""
    cases = worst_clips(evaluation())
    assert [(case.id, case.score) for case in cases] == [
        ("c3", 0.0),
        ("c5", 0.0),
        ("c2", pytest.approx(0.5)),
        ("c1", 1.0),
    ]
    assert cases[0].gold == ("blue",)
    assert cases[0].predicted == ("red", "green")
    assert cases[0].subtitle == "said c3"
    assert [case.id for case in worst_clips(evaluation(), most=2)] == ["c3", "c5"]


def test_of_equally_bad_clips_the_one_with_most_gold_comes_first() -> None:
    gold = {"a": ["red"], "b": ["red", "green"], "c": ["green"]}
    cases = worst_clips(evaluate({c: ["blue"] for c in gold}, gold, lexicon=LEXICON))
    assert [case.id for case in cases] == ["b", "a", "c"]


def test_clip_scores_by_hand() -> None:
    """Gold {warm, cold}, said {cold, mild}: precision 1/2, recall 1/2."""
    scorer = ClipScorer(LEXICON)
    assert scorer(["blue", "green"], ["red", "blue"]) == pytest.approx(1 / 2)
    # Gold {warm}, said {warm, cold, mild}: precision 1/3, recall 1, F = 1/2.
    assert scorer(["red", "blue", "green"], ["orange"]) == pytest.approx(1 / 2)


def test_label_counts_by_hand() -> None:
    lists = [[], ["a"], ["a", "b"], ["c"], ["x"] * 9]
    assert label_counts(lists, most=4) == [1, 2, 1, 0, 1]
    assert sum(label_counts(lists)) == len(lists)
