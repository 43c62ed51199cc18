"""Vocabulary health: counted by hand, and equal to plain counting on random corpora."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.metrics.statistics import STATUSES, clip_statistics
from ovmer_bench.metrics.vocabulary import TOP_WORDS, vocabulary_health
from random_corpora import random_lists, random_world, rich_world, steady


def test_health_by_hand() -> None:
    world = rich_world()
    known = next(label for label in world.labels if world.lexicon.lookup(label).status == "feeling")
    gold = [[known, "qux"], [known], ["qux", "qux", "zz"], []]
    predicted = [[known], ["table", known], [], ["zz"]]
    health = vocabulary_health(clip_statistics(gold, predicted, world.lexicon), True)
    assert health.gold is not None
    assert health.gold.tokens == 6
    assert health.gold.types == 3
    statuses = {"feeling": 2, "neutral": 0, "no-feeling": 0, "unknown": 4}
    assert health.gold.token_status == statuses
    assert health.gold.type_status == {**statuses, "feeling": 1, "unknown": 2}
    assert health.gold.unknown_words == (("qux", 3), ("zz", 1))
    assert health.gold.oov_tokens == pytest.approx(4 / 6)
    assert health.gold.oov_types == pytest.approx(2 / 3)
    assert health.gold.labels_per_clip == pytest.approx(6 / 4)
    assert health.gold.empty_clips == 1
    assert health.gold.duplicate_labels == 1
    assert health.predicted.token_status == {**statuses, "no-feeling": 1, "unknown": 1}
    assert health.predicted.labels_per_clip == pytest.approx(1.0)
    assert health.predicted.labels_per_clip_p95 == pytest.approx(np.quantile([1, 2, 0, 1], 0.95))
    assert health.verbosity == pytest.approx(4 / 6)


@steady
@given(st.randoms(use_true_random=False), st.integers(1, 8))
def test_health_equals_plain_counting(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    health = vocabulary_health(clip_statistics(gold, predicted, world.lexicon), True)
    for side, lists in ((health.gold, gold), (health.predicted, predicted)):
        assert side is not None
        uses = Counter(label for labels in lists for label in labels)
        status = {label: world.lexicon.lookup(label).status for label in uses}
        assert side.tokens == uses.total()
        assert side.types == len(uses)
        for name in STATUSES:
            of = [label for label in uses if status[label] == name]
            assert side.type_status[name] == len(of)
            assert side.token_status[name] == sum(uses[label] for label in of)
        unknown = {label: count for label, count in uses.items() if status[label] == "unknown"}
        assert dict(side.unknown_words) == unknown
        assert side.empty_clips == lists.count([])
        assert side.duplicate_labels == sum(len(x) - len(set(x)) for x in lists)
        assert side.labels_per_clip == pytest.approx(np.mean([len(x) for x in lists]))
        assert 0 <= side.oov_tokens <= 1
        assert 0 <= side.oov_types <= 1


def test_the_most_frequent_unknown_words_come_first_and_ties_by_alphabet() -> None:
    world = rich_world()
    names = [f"strange{i:02d}" for i in range(15)]
    gold = [[name] * (3 if name == "strange14" else 1) for name in reversed(names)]
    health = vocabulary_health(clip_statistics(gold, gold, world.lexicon), True)
    words = [word for word, _ in health.predicted.unknown_words]
    assert words == ["strange14", *names[: TOP_WORDS - 1]]


def test_gold_that_is_no_words_has_no_health() -> None:
    world = rich_world()
    statistics = clip_statistics([[], []], [["qux"], []], world.lexicon)
    health = vocabulary_health(statistics, has_gold_labels=False)
    assert health.gold is None
    assert health.verbosity is None
    assert health.predicted.tokens == 1


def test_verbosity_is_unsaid_where_gold_is_empty() -> None:
    world = rich_world()
    health = vocabulary_health(clip_statistics([[]], [["qux"]], world.lexicon), True)
    assert health.gold is not None
    assert health.gold.oov_tokens == health.gold.oov_types == 0.0
    assert health.verbosity is None
