"""Pairwise preferences -> strengths (Bradley and Terry) -> the better half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR = 0.1
"""Wins that everybody has over everybody beforehand. Without them somebody who lost every
comparison has no finite strength."""
_SWEEPS = 1000
_CLOSE = 1e-10
_DIGITS = 6


def strengths(wins: Floats, prior: float = PRIOR) -> Floats:
    """Log strengths with mean 0: i is preferred to j with probability 1 / (1 + exp(s_j - s_i)).

    The maximum of the likelihood, found by Hunter's minorisation (MM algorithms for generalized
    Bradley-Terry models, 2004), which converges from any start where ``prior`` is positive.

    Args:
        wins: shape (n, n), how often i was preferred to j; a tie counts a half for either.
            The diagonal is not looked at.
        prior: added to every win off the diagonal.
    """
    n = len(wins)
    if n < 2:
        return np.zeros(n)
    games = np.array(wins, np.float64) + prior
    np.fill_diagonal(games, 0.0)
    won, played = games.sum(axis=1), games + games.T
    strength = np.ones(n)
    for _ in range(_SWEEPS):
        pairs = strength[:, None] + strength[None, :]
        better = won / (played / pairs).sum(axis=1)
        better /= np.exp(np.log(better).mean())
        done = np.abs(better - strength).max() < _CLOSE
        strength = better
        if done:
            break
    return np.asarray(np.log(strength))


def better_half(values: Floats) -> list[float]:
    """1 for the floor(n / 2) greatest of ``values``, 0 for the others.

    Those that tie for the last places share them, so that the result depends on no order and a
    group without differences gets the same throughout.
    """
    rounded = np.round(np.asarray(values, np.float64), _DIGITS)
    places = len(rounded) // 2
    above = (rounded[None, :] > rounded[:, None]).sum(axis=1)
    level = (rounded[None, :] == rounded[:, None]).sum(axis=1)
    return [float(x) for x in np.clip((places - above) / level, 0.0, 1.0)]
