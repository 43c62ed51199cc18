"""Length penalties: a factor in (0, 1] on the reward of an answer with more labels than gold.

With |o| labels in the answer and |y| in gold, each is 1 where |o| <= |y|, so an answer that is
too short pays with its recall alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping


def p1(answered: int, gold: int) -> float:
    """1 / (|o| - |y| + 1): each label too many costs, whatever the size of gold."""
    return 1.0 if answered <= gold else 1.0 / (answered - gold + 1)


def p2(answered: int, gold: int) -> float:
    """|y| / |o|; 0 where gold is empty."""
    return 1.0 if answered <= gold else gold / answered


def p3(answered: int, gold: int) -> float:
    """log(|y| + 1) / log(|o| + 1), the mildest of the three; 0 where gold is empty.

    Published as log|y| / log|o|. That is 0 at |y| = 1: on a clip with one gold label, an answer
    of two labels would earn nothing, and no more for being right. Hence the + 1.
    """
    return 1.0 if answered <= gold else math.log(gold + 1) / math.log(answered + 1)


LENGTH_PENALTIES: Mapping[str, Callable[[int, int], float]] = {"P1": p1, "P2": p2, "P3": p3}
