"""How the work for an input grows with its size, in CPU time: other load does not count."""

from __future__ import annotations

import time
from collections.abc import Callable

TRIES = 3


def growth(work: Callable[[int], object], small: int, large: int) -> float:
    """CPU time for ``large`` over that for ``small``, the best of some tries each.

    What is linear grows by about ``large / small``, what is quadratic by its square.
    """
    work(small)
    return _least(work, large) / _least(work, small)


def _least(work: Callable[[int], object], size: int) -> float:
    times = []
    for _ in range(TRIES):
        begin = time.process_time()
        work(size)
        times.append(time.process_time() - begin)
    return min(times)
