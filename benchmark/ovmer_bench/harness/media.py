"""Pictures and sound of a clip as the harness hands them to models."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..corpora.media_check import SOURCES, OnMissing, Part, check_media, usable
from ..corpora.media_files import SAMPLE_RATE as FILE_RATE
from ..corpora.media_files import sample_audio, sample_frames
from ..corpora.ovmer_mini.generate import NAME as MINI
from ..corpora.ovmer_mini.generate import SAMPLE_RATE, clip_of, samples
from ..corpora.registry import CorpusInfo
from ..corpora.store import Corpus, load_corpus
from ..errors import CorpusError
from ..files import data_home
from ..reading.schema import Sample

# Below the logger of the harness, which shows its own children only.
log = logging.getLogger("lm_eval.ovmer")

N_FRAMES = 8
LONGEST_SIDE = 448
"""Of pictures from files, in pixels. The harness holds those of all clips at once."""

FEW_SHOT_CLIPS = 64
_PEAK = 2**15
_PARTS: Mapping[str, tuple[Part, str]] = {
    "frames": ("video", "pictures"),
    "audio": ("audio", "sound"),
}
"""Evidence of a task -> the part of the media it needs, and its name."""


def shown_samples(
    corpus: Corpus, evidence: Sequence[str], on_missing: OnMissing
) -> Sequence[Sample]:
    """The clips that a task can show and play as it says.

    Args:
        corpus: what the task is on.
        evidence: what it shows.
        on_missing: ``fail``: every clip must have its media. ``skip``: all are read, and those
            that cannot be used are left out, named in the log; the score is then one over the
            others, and its signature says so.

    Raises:
        OvmerError: the corpus cannot be seen or heard, or clips lack media under ``fail``.
    """
    needed = [kind for kind in _PARTS if kind in evidence]
    info = corpus.info
    if not needed or info.name == MINI:
        return corpus.samples
    if info.embedded:
        raise CorpusError(f"{info.name} holds no pictures and no sound", accepted=MINI)
    attach = f"ovmer data media {info.name} --root DIR"
    if not any(sample.media for sample in corpus.samples):
        raise CorpusError(f"no media are attached to {info.name}", hint=f"Run: {attach}")
    _samples_by_id.cache_clear()
    if on_missing == "skip":
        return _usable(corpus, [_PARTS[kind][0] for kind in needed])
    for kind in needed:
        part, name = _PARTS[kind]
        lacking = [s.id for s in corpus.samples if s.media.keys().isdisjoint(SOURCES[part])]
        if lacking:
            more = f" and {len(lacking) - 5:,} more" if len(lacking) > 5 else ""
            raise CorpusError(
                f"{len(lacking):,} of {len(corpus):,} clips of {info.name} have no {name}"
                f" attached: {', '.join(lacking[:5])}{more}",
                hint=f"Run: {attach}; or leave these clips out:"
                """ --metadata '{"ovmer_on_missing": "skip"}'""",
            )
    return corpus.samples


def few_shot_samples(info: CorpusInfo) -> Sequence[Sample]:
    """Clips that may stand as examples, of a split that is never scored; empty where a corpus
    has no such split."""
    return samples("sft", FEW_SHOT_CLIPS) if info.name == MINI else ()


def clip_frames(clip: str, corpus: str = MINI) -> list[Any]:
    """Frames of a clip, in order, as Pillow images.

    Raises:
        MediaError: its files cannot be read.
    """
    from PIL import Image

    if corpus == MINI:
        frames = clip_of(clip).frames
    else:
        sample = _samples_by_id(corpus, str(data_home()))[clip]
        frames = sample_frames(sample, count=N_FRAMES, longest=LONGEST_SIDE)
    return [Image.fromarray(frame) for frame in frames]


def clip_audio(clip: str, corpus: str = MINI) -> dict[str, Any]:
    """Sound of a clip: ``array``, floats in [-1, 1], and ``sampling_rate`` in Hz.

    Raises:
        MediaError: its files cannot be read.
    """
    if corpus == MINI:
        sound = clip_of(clip).audio.astype(np.float32) / _PEAK
        return {"array": sound, "sampling_rate": SAMPLE_RATE}
    sample = _samples_by_id(corpus, str(data_home()))[clip]
    return {"array": sample_audio(sample), "sampling_rate": FILE_RATE}


@lru_cache(maxsize=2)
def _samples_by_id(corpus: str, home: str) -> Mapping[str, Sample]:
    """Clips of a corpus; ``home`` is where it lies, and part of the key only."""
    return {sample.id: sample for sample in load_corpus(corpus).samples}


def _usable(corpus: Corpus, parts: Sequence[Part]) -> Sequence[Sample]:
    log.info("%s: reading the media of %d clips", corpus.info.name, len(corpus))
    kept = usable(corpus.samples, check_media(corpus.samples, parts=parts), "skip", needs=parts)
    for clip, why in kept.skipped.items():
        log.warning("%s: clip %s is left out: %s", corpus.info.name, clip, why)
    return kept.samples
