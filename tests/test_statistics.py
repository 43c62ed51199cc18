"""Statistics: what every label becomes, and how many of them a clip shares with gold."""

from __future__ import annotations

from itertools import chain
from random import Random

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.errors import InputError
from ovmer_bench.lexicon import Lexicon, Wheel
from ovmer_bench.metrics.statistics import (
    EW_METRICS,
    M3_METRICS,
    STATUSES,
    bits,
    clip_statistics,
    encode,
    wheel_and_level,
)
from random_corpora import random_lists, random_world, steady

label_lists = st.lists(st.lists(st.text("abc", max_size=2), max_size=4), max_size=6)


@steady
@given(st.randoms(use_true_random=False), st.integers(1, 7))
def test_set_sizes_equal_the_oracle_under_every_metric(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, predicted = random_lists(rng, world, n), random_lists(rng, world, n)
    statistics = clip_statistics(gold, predicted, world.lexicon)
    assert tuple(EW_METRICS) == oracle.METRICS
    for metric in EW_METRICS:
        counts = statistics.counts(metric)
        for i in range(n):
            g, p = (oracle.mapped_set(x[i], metric, world.maps) for x in (gold, predicted))
            assert counts.gold[i] == len(g)
            assert counts.predicted[i] == len(p)
            assert counts.common[i] == len(g & p)
            assert counts.kept[i] == bool(g)
            if g:
                expected = oracle.clip_scores(g, p)
                assert (counts.precision[i], counts.recall[i]) == pytest.approx(expected, abs=1e-15)


@steady
@given(st.randoms(use_true_random=False), st.integers(1, 7))
def test_masks_hold_the_sectors_by_name(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold = random_lists(rng, world, n)
    statistics = clip_statistics(gold, gold[::-1], world.lexicon)
    for metric in M3_METRICS:
        names = statistics.sectors(metric)
        for masks, lists in zip(statistics.masks(metric), (gold, gold[::-1]), strict=True):
            for row, labels in zip(bits(masks, len(names)), lists, strict=True):
                said = {name for name, on in zip(names, row, strict=True) if on}
                assert said == oracle.mapped_set(labels, metric, world.maps)


@steady
@given(label_lists, label_lists)
def test_encode_keeps_every_label_in_its_place(a: list[list[str]], b: list[list[str]]) -> None:
    vocabulary, sides = encode(a, b)
    assert list(vocabulary) == list(dict.fromkeys(chain.from_iterable([*a, *b])))
    for lists, rows in zip((a, b), sides, strict=True):
        assert len(rows) == len(lists)
        assert rows.lengths.tolist() == [len(labels) for labels in lists]
        decoded: list[list[str]] = [[] for _ in lists]
        for clip, code in zip(rows.clips, rows.codes, strict=True):
            decoded[clip].append(vocabulary[code])
        assert decoded == lists


def test_sides_of_different_length_are_refused() -> None:
    world = random_world(Random(1))
    with pytest.raises(InputError, match="2 gold clips and 1 predicted"):
        clip_statistics([["a"], []], [["a"]], world.lexicon)


def lexicon_with_sectors(n: int) -> Lexicon:
    words = {f"w{i}": f"s{i}" for i in range(n)}
    wheel = Wheel("wide", words, words)
    return Lexicon(
        id="wide",
        sha256="0" * 64,
        forms={word: (word,) for word in words},
        wheel_words={word: (word,) for word in words},
        wheels=(wheel,) * 5,
    )


def test_sixty_four_sectors_fit_and_one_more_is_refused() -> None:
    widest = [f"w{i}" for i in range(64)]
    full = clip_statistics([widest, ["w63"]], [["w63"], widest], lexicon_with_sectors(64))
    counts = full.counts("M3-W1-L1")
    assert counts.gold.tolist() == [64, 1]
    assert counts.common.tolist() == [1, 1]
    assert bits(full.masks("M3-W1-L1")[0], 64)[1].tolist() == [0.0] * 63 + [1.0]
    beyond = clip_statistics([["w64"]], [["w0"]], lexicon_with_sectors(65))
    with pytest.raises(InputError, match="more than 64 sectors"):
        beyond.counts("M3-W1-L1")


def test_clips_without_any_label_count_nothing() -> None:
    world = random_world(Random(2))
    statistics = clip_statistics([[], []], [[], []], world.lexicon)
    for metric in EW_METRICS:
        counts = statistics.counts(metric)
        assert not counts.kept.any()
        assert counts.precision.tolist() == counts.recall.tolist() == [0.0, 0.0]


def test_status_of_every_label() -> None:
    world = random_world(Random(3))
    homeless = {base for base, words in world.maps[1].items() if not words}
    statistics = clip_statistics([list(world.labels)], [[]], world.lexicon)
    for label, status in zip(statistics.vocabulary, statistics.status_of, strict=True):
        bases = world.maps[0].get(label)
        if bases is None:
            expected = "no-feeling" if label == "table" else "unknown"
        else:
            expected = "neutral" if bases <= homeless else "feeling"
        assert STATUSES[status] == expected


def test_a_metric_names_its_wheel_and_level() -> None:
    assert wheel_and_level("M3-W4-L2") == (4, 2)
    assert len(M3_METRICS) == 10
    assert {wheel_and_level(metric) for metric in M3_METRICS} == {
        (k, level) for k in range(1, 6) for level in (1, 2)
    }


@steady
@given(st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_bits_spell_the_mask(masks: list[int]) -> None:
    rows = bits(np.array(masks, np.uint64), 64)
    back = [sum(1 << i for i, bit in enumerate(row) if bit) for row in rows]
    assert back == masks
