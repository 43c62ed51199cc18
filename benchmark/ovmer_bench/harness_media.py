"""Pictures and sound of a clip as the harness hands them to models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .corpora.ovmer_mini.generate import NAME as MINI
from .corpora.ovmer_mini.generate import SAMPLE_RATE, clip_of, samples
from .corpora.registry import CorpusInfo
from .errors import CorpusError
from .schema import Sample

N_FRAMES = 8
FEW_SHOT_CLIPS = 64
_PEAK = 2**15


def check_media(info: CorpusInfo, evidence: Sequence[str]) -> None:
    """Make sure that a corpus can be seen or heard where a task shows or plays it.

    Raises:
        CorpusError: it cannot.
    """
    if info.name != MINI and {"frames", "audio"} & set(evidence):
        raise CorpusError(f"{info.name} holds no pictures and no sound", accepted=MINI)


def few_shot_samples(info: CorpusInfo) -> Sequence[Sample]:
    """Clips that may stand as examples, of a split that is never scored; empty where a corpus
    has no such split."""
    return samples("sft", FEW_SHOT_CLIPS) if info.name == MINI else ()


def clip_frames(clip: str) -> list[Any]:
    """Frames of a clip, in order, as Pillow images."""
    from PIL import Image

    return [Image.fromarray(frame) for frame in clip_of(clip).frames]


def clip_audio(clip: str) -> dict[str, Any]:
    """Sound of a clip: ``array``, floats in [-1, 1), and ``sampling_rate`` in Hz."""
    return {
        "array": clip_of(clip).audio.astype(np.float32) / _PEAK,
        "sampling_rate": SAMPLE_RATE,
    }
