"""Random small lexicons and corpora, each as the package sees it and as the oracle sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import settings
from oracle import Maps
from ovmer_bench.lexicon import N_WHEELS, Lexicon, Wheel

steady = settings(deadline=None, max_examples=60)
"""For every property: the time of one example says nothing on a busy machine."""

UNKNOWN = ("qux", "no such word", "zz")
"""Labels that no random lexicon knows."""

Lists = list[list[str]]


@dataclass(frozen=True)
class World:
    """One lexicon, its maps for the oracle, and every label that may be said in it."""

    lexicon: Lexicon
    maps: Maps
    labels: tuple[str, ...]


def random_world(rng: Random) -> World:
    """A lexicon of the published kind: forms of several bases, bases without a wheel word,
    wheel words that stand on some wheels only, wheels that may be empty."""
    bases = [f"base{i}" for i in range(rng.randint(1, 7))]
    words = [f"word{i}" for i in range(rng.randint(1, 8))]
    forms = {base: {base} for base in bases if rng.random() < 0.8}
    for i in range(rng.randint(0, 8)):
        forms[f"form{i}"] = set(_some(rng, bases, 1, 3))
    meanings = {base: set(_some(rng, words, 0, 3)) for base in bases}
    wheels = [_random_wheel(rng, words) for _ in range(N_WHEELS)]
    lexicon = Lexicon(
        id="random",
        sha256="0" * 64,
        forms={form: tuple(sorted(of)) for form, of in forms.items()},
        wheel_words={base: tuple(sorted(of)) for base, of in meanings.items()},
        wheels=tuple(Wheel(f"wheel {k}", *levels) for k, levels in enumerate(wheels, 1)),
        alphabetical=True,
        no_feeling=frozenset({"table"}),
    )
    return World(lexicon, (forms, meanings, wheels), (*sorted(forms), *UNKNOWN, "table"))


def random_lists(rng: Random, world: World, n: int, least: int = 0, most: int = 5) -> Lists:
    """``n`` label lists; labels repeat, and some lists are empty where ``least`` is 0."""
    sizes = [rng.randint(least, most) for _ in range(n)]
    return [[rng.choice(world.labels) for _ in range(size)] for size in sizes]


def similar_lists(rng: Random, world: World, lists: Sequence[list[str]], noise: float) -> Lists:
    """``lists`` with every label replaced by a random one with probability ``noise``."""
    return [
        [rng.choice(world.labels) if rng.random() < noise else label for label in labels]
        for labels in lists
    ]


def rich_world(seed: int = 0) -> World:
    """The first random lexicon of a seed in which every wheel has two sectors or more."""
    rng = Random(seed)
    while True:
        world = random_world(rng)
        sizes = [len(world.lexicon.sectors(k, 1)) for k in range(1, N_WHEELS + 1)]
        if min(sizes) >= 2 and len(world.maps[0]) >= 8 and all(world.maps[1].values()):
            return world


def _random_wheel(rng: Random, words: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    level1: dict[str, str] = {}
    level2: dict[str, str] = {}
    for word in _some(rng, words, 0, len(words)):
        inner = f"inner{rng.randint(0, 3)}"
        level1[word] = inner
        level2[word] = f"{inner} middle{rng.randint(0, 1)}"
    return level1, level2


def _some(rng: Random, items: list[str], least: int, most: int) -> list[str]:
    return rng.sample(items, rng.randint(least, min(most, len(items))))
