"""Random integers and sines that are the same on every machine, in every library version.

Everything that ends up in a pixel, a sample or a word of a clip comes from here, from integer
arithmetic alone: no floating point, no generator whose stream a library may change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
Ints = NDArray[np.int32]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_MIX1 = 0xBF58476D1CE4E5B9
_MIX2 = 0x94D049BB133111EB

SINE_SIZE = 1024
SINE_PEAK = 1 << 14
_PI_BITS = 80
_PI = 3797952473636338580787994  # pi * 2**80, rounded


class Draws:
    """A stream of random integers that a path of names and numbers determines (SplitMix64).

    Args:
        path: what is drawn, for example ``("test", 7, "face")``. Other paths give streams that
            have nothing to do with this one, so that adding draws to one changes no other.
    """

    def __init__(self, *path: str | int) -> None:
        digest = hashlib.sha256("/".join(map(str, path)).encode("ascii")).digest()
        self._state = int.from_bytes(digest[:8], "little")

    def below(self, n: int) -> int:
        """An integer of 0..n-1."""
        self._state = (self._state + _STEP) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * _MIX1) & _MASK
        z = ((z ^ (z >> 27)) * _MIX2) & _MASK
        return ((z ^ (z >> 31)) * n) >> 64

    def between(self, low: int, high: int) -> int:
        """An integer of low..high, both included."""
        return low + self.below(high - low + 1)

    def spread(self, size: int) -> int:
        """An integer around 0, of a triangular shape, at most ``size`` away."""
        return self.below(size + 1) - self.below(size + 1)

    def chance(self, percent: int) -> bool:
        """True in ``percent`` of 100 cases."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``, all equally likely."""
        return choices[self.below(len(choices))]

    def some(self, choices: Sequence[T], n: int) -> list[T]:
        """``n`` different ones of ``choices`` (all, if fewer), in random order."""
        left = list(choices)
        return [left.pop(self.below(len(left))) for _ in range(min(n, len(left)))]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """A key, as likely as its weight says."""
        at = self.below(sum(weights.values()))
        for choice, weight in weights.items():
            at -= weight
            if at < 0:
                return choice
        raise ValueError("no positive weight")

    def octets(self, n: int) -> NDArray[np.uint8]:
        """``n`` random bytes."""
        words = (n + 7) // 8
        z = np.arange(1, words + 1, dtype=np.uint64) * np.uint64(_STEP) + np.uint64(self._state)
        self._state = (self._state + words * _STEP) & _MASK
        z = (z ^ (z >> np.uint64(30))) * np.uint64(_MIX1)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(_MIX2)
        return (z ^ (z >> np.uint64(31))).astype("<u8").view(np.uint8)[:n]


@lru_cache(maxsize=1)
def sine_table() -> Ints:
    """One period of a sine in 1,024 steps, peak 16,384, each value rounded exactly."""
    one = 1 << _PI_BITS
    quarter = SINE_SIZE // 4
    values = []
    for i in range(quarter + 1):
        x = _PI * i // (2 * quarter)
        term = total = x
        for k in range(1, 16):
            term = -(term * x >> _PI_BITS) * x // (one * (2 * k) * (2 * k + 1))
            total += term
        values.append((total * SINE_PEAK * 2 + one) // (2 * one))
    half = values + values[-2::-1]
    return np.array(half[:-1] + [-v for v in half[:-1]], np.int32)
