"""Videos, sounds and pictures made for tests: every frame shows its own number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image

BITS, STRIPE, HEIGHT = 12, 16, 48
WIDTH = BITS * STRIPE
TONE = 440.0


def numbered(number: int) -> NDArray[np.uint8]:
    """A frame that shows its number in black and white stripes, the lowest bit leftmost."""
    bits = [(number >> bit) & 1 for bit in range(BITS)]
    row = np.repeat(np.array(bits, np.uint8) * 255, STRIPE)
    return np.repeat(np.tile(row, (HEIGHT, 1))[:, :, None], 3, axis=2)


def number_in(frame: NDArray[np.uint8]) -> int:
    """The number that a frame shows, whatever its size."""
    width = frame.shape[1] / BITS
    middle = frame[frame.shape[0] // 2].mean(axis=1)
    return sum(int(middle[int((bit + 0.5) * width)] > 127) << bit for bit in range(BITS))


def tone(seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    """A sine at half of full scale, the same in every channel, shape (samples, channels)."""
    times = np.arange(round(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * TONE * times)).astype(np.float32)
    return np.repeat(wave[:, None], channels, axis=1)


def save_video(
    path: Path,
    n: int = 50,
    *,
    codec: str = "mpeg4",
    rate: int = 25,
    times: Sequence[int] | None = None,
    gop: int = 12,
    sound: float = 0.0,
    options: dict[str, str] | None = None,
    pixel: Fraction | None = None,
) -> Path:
    """A video of ``n`` numbered frames; ``times`` are theirs in milliseconds."""
    with av.open(str(path), "w", options=options or {}) as container:
        video = container.add_stream(codec, rate=rate)
        video.width, video.height = WIDTH, HEIGHT
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.gop_size = gop
        if pixel is not None:
            video.codec_context.sample_aspect_ratio = pixel
        if times is not None:
            video.codec_context.time_base = Fraction(1, 1000)
        track = _track(container) if sound else None
        container.start_encoding()
        for number in range(n):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, rate) if times is None else Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if track is not None:
            _mux_tone(container, track, sound)
    return path


def save_track(path: Path, seconds: float, codec: str = "aac") -> Path:
    """A file with a sound track and no video."""
    with av.open(str(path), "w") as container:
        _mux_tone(container, _track(container, codec), seconds)
    return path


def _track(container: Any, codec: str = "aac") -> Any:
    return container.add_stream(codec, rate=44_100, layout="stereo")


def _mux_tone(container: Any, track: Any, seconds: float) -> None:
    samples = np.ascontiguousarray(tone(seconds, 44_100, 2).T)
    for start in range(0, samples.shape[1], 1024):
        part = np.ascontiguousarray(samples[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 44_100, start, Fraction(1, 44_100)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def save_tone(path: Path, seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> Path:
    """A sine as a sound file; the format is that of the name."""
    soundfile.write(path, tone(seconds, rate, channels), rate)
    return path


def save_picture(path: Path, number: int, mode: str = "RGB") -> Path:
    """A numbered picture."""
    Image.fromarray(numbered(number)).convert(mode).save(path)
    return path


def turned(path: Path, degrees: int) -> Path:
    """The MP4 file with the matrix of its track saying that it be turned clockwise."""
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = (cos, sin, 0, -sin, cos, 0, 0, 0, 2**14)
    words = [(value * 2**16 if value != 2**14 else 2**30) for value in matrix]
    raw = bytearray(path.read_bytes())
    start = raw.index(b"tkhd") + 4 + 40
    raw[start : start + 36] = np.array(words, ">i4").tobytes()
    path.write_bytes(raw)
    return path
