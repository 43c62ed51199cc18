"""Sound of a clip: from a sound file by soundfile, from a video's track by PyAV.

Samples are mixed down to one channel as they are decoded, a block at a time, and decoding ends
where enough has been read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .media_errors import MediaError, library, regular_file
from .media_video import opened

SOUND_SUFFIXES = (".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav")
_BY_SOUNDFILE = (".flac", ".ogg", ".opus", ".wav")  # its MP3 reader talks to standard error
RATES = (1_000, 768_000)
"""Lowest and highest sampling rate that is believed, in Hz."""

MAX_CHANNELS = 64
_BLOCK = 2**18
_FULL_SCALE = {"u": 2**7, "i2": 2**15, "i4": 2**31, "i8": 2**63}

Mono = NDArray[np.float32]


def sound(path: Path, rate: int, longest: float) -> Mono:
    """The first ``longest`` seconds of a file's sound, one channel at ``rate`` Hz, in [-1, 1].

    Channels are averaged. Resampling is by SciPy's polyphase filter.

    Raises:
        MediaError: missing, no sound in it, corrupt, or an unbelievable rate.
    """
    path = regular_file(path)
    samples, own_rate = _read(path, longest)
    if not samples.size:
        raise MediaError("holds no sound, not even silence", problem="empty", file=path)
    if not np.isfinite(samples).all():
        raise MediaError("holds samples that are no numbers", problem="corrupt", file=path)
    if own_rate != rate:
        samples = _resampled(samples, own_rate, rate)
    return np.clip(samples, -1.0, 1.0)


def _read(path: Path, longest: float) -> tuple[Mono, int]:
    if path.suffix.lower() in _BY_SOUNDFILE:
        soundfile = library("soundfile")
        try:
            with soundfile.SoundFile(str(path)) as file:
                _check_form(file.samplerate, file.channels, path)
                return _joined(_blocks(file), file.samplerate, longest), file.samplerate
        except (soundfile.LibsndfileError, RuntimeError, ValueError):
            pass  # A name may lie, and a .wav may hold what only the other library decodes.
    with opened(path) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            raise MediaError("holds no sound track", problem="missing", file=path)
        if stream.codec_context is None:
            raise MediaError("is coded in a way that is not known", problem="corrupt", file=path)
        rate = stream.codec_context.sample_rate or 0
        _check_form(rate, stream.codec_context.channels, path)
        return _joined(_track(container, stream, rate, path), rate, longest), rate


def _check_form(rate: int, channels: int, path: Path) -> None:
    if not RATES[0] <= rate <= RATES[1] or not 1 <= channels <= MAX_CHANNELS:
        raise MediaError(
            f"says it has {channels} channels of {rate:,} Hz",
            problem="corrupt",
            file=path,
            accepted=f"1 to {MAX_CHANNELS} channels of {RATES[0]:,} to {RATES[1]:,} Hz",
        )


def _joined(blocks: Iterator[Mono], rate: int, longest: float) -> Mono:
    """Blocks in one piece, up to ``longest`` seconds."""
    wanted = math.ceil(longest * rate)
    parts: list[Mono] = [np.zeros(0, np.float32)]
    for block in blocks:
        parts.append(block[:wanted])
        wanted -= len(parts[-1])
        if not wanted:
            break
    return np.concatenate(parts)


def _blocks(file: Any) -> Iterator[Mono]:
    size = max(1, _BLOCK // file.channels)
    while len(block := file.read(size, dtype="float32", always_2d=True)):
        yield block.mean(axis=1, dtype=np.float32)


def _track(container: Any, stream: Any, rate: int, path: Path) -> Iterator[Mono]:
    for frame in container.decode(stream):
        if frame.sample_rate != rate:
            raise MediaError(
                f"changes from {rate:,} to {frame.sample_rate:,} Hz", problem="corrupt", file=path
            )
        channels = len(frame.layout.channels)
        _check_form(rate, channels, path)
        samples = frame.to_ndarray()
        if not frame.format.is_planar:
            samples = samples.reshape(-1, channels).T
        yield _as_float(samples).mean(axis=0, dtype=np.float32)


def _as_float(samples: NDArray[Any]) -> Mono:
    """Samples of any type with full scale at 1."""
    kind = samples.dtype.kind
    if kind == "f":
        return samples.astype(np.float32)
    scale = _FULL_SCALE[kind if kind == "u" else f"i{samples.dtype.itemsize}"]
    middle = scale if kind == "u" else 0
    return (samples.astype(np.float32) - np.float32(middle)) / np.float32(scale)


def _resampled(samples: Mono, own_rate: int, rate: int) -> Mono:
    from scipy.signal import resample_poly

    shared = math.gcd(own_rate, rate)
    made = resample_poly(samples, rate // shared, own_rate // shared)
    return np.asarray(made, np.float32)
