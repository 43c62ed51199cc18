"""What each face does: brows, eyes, mouth and head, frame by frame.

Lengths are in 1/16 pixel, openings and strengths in percent. :mod:`.faces` draws the result.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .draws import Draws, sine_table
from .world import Latent

N_FRAMES = 8

NEUTRAL: Mapping[str, int] = {
    "brow": 0,  # both brows up
    "inner": 0,  # inner ends of the brows up
    "lop": 0,  # one brow up, the other down
    "open": 100,  # eyes open, percent
    "squint": 0,  # lower lids up, percent
    "gaze_x": 0,  # to the right
    "gaze_y": 0,  # down
    "corner": 0,  # corners of the mouth up
    "gape": 0,  # mouth open
    "width": 100,  # of the mouth, percent
    "skew": 0,  # one corner up, the other down
    "press": 0,  # lips thinned, percent
    "teeth": 0,  # shown, percent
    "wrinkle": 0,  # nose, percent
    "cheek": 0,  # cheeks raised, percent
    "flush": 0,  # red in the face; negative: pale
    "nod": 0,  # head down
    "turn": 0,  # head to the right
    "roll": 0,  # head to one shoulder, 1/256
    "shake": 0,  # head from side to side, frame by frame
    "bob": 0,  # head up and down, frame by frame
}

_SHAPES: Mapping[str, Mapping[str, int]] = {
    "smile": {
        "brow": 8,
        "open": 88,
        "squint": 46,
        "corner": 58,
        "gape": 20,
        "width": 128,
        "teeth": 100,
        "cheek": 100,
        "nod": -6,
        "bob": 14,
        "flush": 12,
    },
    "down": {
        "brow": 2,
        "inner": 46,
        "open": 66,
        "gaze_y": 26,
        "corner": -48,
        "width": 86,
        "press": 20,
        "nod": 54,
        "bob": 5,
    },
    "hard": {
        "brow": -34,
        "inner": -56,
        "open": 84,
        "squint": 30,
        "corner": -18,
        "gape": 8,
        "width": 104,
        "press": 60,
        "teeth": 70,
        "flush": 22,
        "nod": 14,
        "shake": 16,
    },
    "wide": {
        "brow": 56,
        "inner": 12,
        "open": 172,
        "gape": 88,
        "width": 72,
        "flush": -22,
        "nod": -24,
        "shake": 5,
    },
    "heavy": {
        "brow": 6,
        "open": 36,
        "gaze_y": 8,
        "corner": -6,
        "gape": 10,
        "width": 88,
        "nod": 22,
        "roll": 26,
    },
    "askance": {
        "lop": 44,
        "open": 82,
        "squint": 36,
        "gaze_x": -30,
        "corner": -8,
        "skew": 40,
        "width": 84,
        "wrinkle": 100,
        "turn": 52,
        "roll": -16,
        "press": 20,
    },
    "blank": {},
}
_SMILE_MASK = {"corner": 54, "gape": 14, "width": 124, "teeth": 80}
_UPPER = ("brow", "inner", "lop", "open", "squint", "gaze_x", "gaze_y")

_AMOUNT = (62, 84, 106)  # percent of the shape, by level of intensity
_ONSET = (50, 90, 106, 96, 100, 92, 100, 96)  # percent, by frame of a phase
_LEAK = 30  # percent of the true upper face that shows under a mask


def motion(latent: Latent, draws: Draws) -> dict[str, NDArray[np.int32]]:
    """Every parameter of :data:`NEUTRAL` over the eight frames, each of shape (8,)."""
    frames: list[dict[str, int]] = []
    mirror = draws.pick((1, -1))
    for number, phase in enumerate(latent.phases):
        begin, end = phase_bounds(N_FRAMES, len(latent.phases), number)
        habit = {name: draws.between(85, 115) for name in NEUTRAL}
        # Drawn without a mask too, so that a mask changes the face and nothing else. Not the
        # first frame, in which the expression has only begun.
        flash = begin + 1 + draws.below(end - begin - 1)
        for t in range(begin, end):
            amount = _AMOUNT[phase.level] * _ONSET[t - begin] // 100
            true = _scaled(phase.face, amount, habit)
            frames.append(true if t == flash or not latent.mask else _masked(latent.mask, true))
    blink = draws.below(3 * N_FRAMES)
    swing = draws.below(1024)
    sine = sine_table()
    for t, frame in enumerate(frames):
        wave = int(sine[(swing + 340 * t) % 1024])
        frame["turn"] += frame["shake"] * wave >> 14
        frame["nod"] += frame["bob"] * wave >> 14
        frame["turn"] += draws.spread(6)
        frame["nod"] += draws.spread(6)
        if t == blink:
            frame["open"] = 8
        for name in ("lop", "gaze_x", "skew", "turn", "roll"):
            frame[name] *= mirror
    return {name: np.array([frame[name] for frame in frames], np.int32) for name in NEUTRAL}


def phase_bounds(n: int, n_phases: int, number: int) -> tuple[int, int]:
    """First and past-last of the ``n`` steps that phase ``number`` takes."""
    return n * number // n_phases, n * (number + 1) // n_phases


def _scaled(face: str, amount: int, habit: Mapping[str, int]) -> dict[str, int]:
    shape = _SHAPES[face]
    return {
        name: rest + (shape.get(name, rest) - rest) * amount * habit[name] // 10_000
        for name, rest in NEUTRAL.items()
    }


def _masked(mask: str, true: Mapping[str, int]) -> dict[str, int]:
    """The face put on: an empty or smiling one, through which the upper face leaks."""
    shown = dict(NEUTRAL)
    for name in _UPPER:
        shown[name] += (true[name] - shown[name]) * _LEAK // 100
    if mask == "smile":
        shown.update(_SMILE_MASK)
    return shown
