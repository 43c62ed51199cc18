"""Clips of the world, made when asked for: ``make_clip``, ``clip_of``, ``samples``.

A clip is a function of split, index and seed: the same three give the same bytes on every
machine, and the first n clips of a split are the same whatever the n.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import CorpusError
from ...reading.schema import Sample
from . import faces, subtitles, voices
from .speech import RATE
from .world import LEVELS, MINI_VERSION, Latent, draw_latent

NAME = "ovmer_mini"
SPLITS = ("sft", "rl", "test")
"""Cold start, reinforcement learning, and the split that is scored."""

SAMPLE_RATE = RATE
MAX_SEED = 2**32 - 1
_ID = re.compile(r"mini(?:-s(?P<seed>[1-9]\d{0,9}))?-(?P<split>[a-z]+)-(?P<index>\d{6,12})")


@dataclass(frozen=True)
class Clip:
    """One clip: what a system may see, what it is asked for, and what is behind it.

    Attributes:
        sample: id, texts and gold; its ``media`` is empty, for they are drawn when looked at.
        latent: what is felt, and how it shows. For analysis, never for a prompt.
        split, index, seed: where it stands.
    """

    sample: Sample
    latent: Latent
    split: str
    index: int
    seed: int

    @cached_property
    def frames(self) -> NDArray[np.uint8]:
        """The face, eight RGB frames, shape (8, 64, 64, 3)."""
        return faces.draw_frames(self.latent, self.seed, self.split, self.index)

    @cached_property
    def audio(self) -> NDArray[np.int16]:
        """The voice, two seconds at 16 kHz, shape (32000,)."""
        return voices.sound(self.latent, self.seed, self.split, self.index)


def make_clip(split: str, index: int, seed: int = 0) -> Clip:
    """Clip ``index`` of a split; media are drawn when they are first looked at.

    Raises:
        CorpusError: unknown split, negative index, or seed outside 0..2**32-1.
    """
    check_place(split, index, seed)
    latent = draw_latent(seed, split, index)
    written = subtitles.write(latent, seed, split, index)
    sample = Sample(
        id=clip_id(split, index, seed),
        labels=latent.labels,
        corpus=NAME,
        split=split,
        subtitle={"en": written.subtitle},
        clues={"audio": written.audio, "visual": written.visual},
        description={"en": written.description},
        tags={
            "feelings": len(latent.phases),
            "intensity": LEVELS[max(phase.level for phase in latent.phases)],
            "mask": latent.mask or "none",
            "world": MINI_VERSION,
        },
    )
    return Clip(sample, latent, split, index, seed)


def clip_of(clip: str) -> Clip:
    """The clip with this id.

    Raises:
        CorpusError: not an id of this corpus.
    """
    found = _ID.fullmatch(clip)
    if found is None:
        raise CorpusError(f"{clip!r} is no clip of {NAME}", accepted="ids like mini-test-000123")
    made = make_clip(found["split"], int(found["index"]), int(found["seed"] or 0))
    if made.sample.id != clip:
        raise CorpusError(f"{clip!r} is no clip of {NAME}; it would be {made.sample.id!r}")
    return made


def samples(split: str, n: int, seed: int = 0) -> tuple[Sample, ...]:
    """The first ``n`` clips of a split, without their media.

    Raises:
        CorpusError: unknown split, ``n`` below 1, or a bad seed.
    """
    if n < 1:
        raise CorpusError(f"n is {n}", accepted="1 or more")
    return tuple(make_clip(split, index, seed).sample for index in range(n))


def clip_id(split: str, index: int, seed: int = 0) -> str:
    """Id of a clip; names the seed where it is not 0."""
    return f"mini-{f's{seed}-' if seed else ''}{split}-{index:06d}"


def check_place(split: str, index: int, seed: int, splits: Iterable[str] = SPLITS) -> None:
    """Make sure that there is such a clip; :class:`CorpusError` where there is not."""
    if split not in splits:
        raise CorpusError(f"{NAME} has no split {split!r}", accepted=splits)
    if index < 0:
        raise CorpusError(f"clip number {index} of {NAME}", accepted="0 or more")
    if not 0 <= seed <= MAX_SEED:
        raise CorpusError(f"seed {seed}", accepted=f"0 to {MAX_SEED}")
