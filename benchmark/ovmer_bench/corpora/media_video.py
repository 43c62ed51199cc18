"""Pictures of a clip from a video file, decoded by PyAV.

Frames are chosen by time, so that a variable frame rate does not shift them. Only what leads up
to the chosen ones is decoded, and one decoded frame at a time is held.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .media_errors import MediaError, library, regular_file
from .media_images import MAX_PIXELS, check_pixels, shrunk

CONTAINERS = (
    *("mov", "mp4", "matroska", "webm", "avi", "asf", "flv", "mpeg", "mpegts", "ogg"),
    *("wav", "w64", "mp3", "flac", "aac", "aiff", "au", "amr"),
)
"""Formats that are opened. Playlists and lists of files are not: they name other files."""

MAX_DECODED = 50_000
"""Frames that are decoded at most to get at the ones that are wanted."""

MAX_PACKETS = 2**22
"""Packets that are read at most to find out how long a video is (a day at 48 a second)."""

_BY_HEADER = ("mov", "avi")
"""Formats whose headers say how long each stream is; of others the packets are counted."""

_INDEXED = ("mov", "avi", "matroska")
"""Formats in which seeking lands where it is told to; others are decoded from their start."""

_GUESSED = ("mpeg", "mpegts")
"""Formats whose whole length is a guess of the library's."""

_SEEK_AFTER = 10.0
"""Seconds to the next wanted frame from which on seeking is tried; below, decoding goes on."""

_EARLY = 1.0
"""Seconds by which a video may end before it says it does; the last frame stands for the rest."""


def video_frames(path: Path, count: int, longest: int | None) -> NDArray[np.uint8]:
    """``count`` frames: those on show in the middles of equal parts of the video's time.

    Shown upright, as the file's rotation says, in the shape of its pixels, with the longer side
    at most ``longest``. A video with fewer frames repeats them.

    Raises:
        MediaError: missing, no video in it, corrupt, broken off early, or above a limit.
    """
    path = regular_file(path)
    with opened(path) as container:
        stream = _video_stream(container, path)
        span = _declared(container, stream)
    if span is None:
        with opened(path) as container:
            span = _measured(container, _video_stream(container, path), path)
    wanted = [span.start + (2 * i + 1) * span.length // (2 * count) for i in range(count)]
    return np.stack(_Shown(path, span, longest).at(wanted))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A PyAV container of a local file; what PyAV raises becomes a :class:`MediaError`."""
    av = library("av")
    # Not as options: those go to the streams too, where PyAV before 18 can crash over them.
    guards = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"}
    try:
        with av.open(str(path), container_options=guards, metadata_errors="ignore") as container:
            yield container
    except (av.FFmpegError, ValueError, OverflowError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MediaError(
            f"cannot be decoded: {reason}",
            problem="corrupt",
            file=path,
            hint="Play it, and fetch it again if it is damaged.",
        ) from None


@dataclass(frozen=True)
class _Span:
    """When a video begins and how long it lasts, in units of its time base."""

    start: int
    length: int
    unit: Fraction
    step: int


def _video_stream(container: Any, path: Path) -> Any:
    """The first video stream that is no cover picture."""
    cover = library("av.stream").Disposition.attached_pic
    stream = next((s for s in container.streams.video if not s.disposition & cover), None)
    if stream is None:
        raise MediaError("holds no video", problem="missing", file=path)
    context = stream.codec_context
    if context is None:
        raise MediaError("is coded in a way that is not known", problem="corrupt", file=path)
    check_pixels(context.width, context.height, path)
    context.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def _step(stream: Any) -> int:
    """The usual time of a frame, at least one unit."""
    seconds = Fraction(1) / (stream.average_rate or 25)
    return max(1, round(seconds / Fraction(stream.time_base)))


def _declared(container: Any, stream: Any) -> _Span | None:
    if not _is_any(container, _BY_HEADER) or not stream.duration or stream.duration < 0:
        return None
    return _Span(stream.start_time or 0, stream.duration, stream.time_base, _step(stream))


def _is_any(container: Any, formats: tuple[str, ...]) -> bool:
    return not set(formats).isdisjoint(container.format.name.split(","))


def _measured(container: Any, stream: Any, path: Path) -> _Span:
    """From the times of all packets; nothing is decoded."""
    step, first, end, last = _step(stream), None, 0, 0.0
    for number, packet in enumerate(container.demux()):
        if number > MAX_PACKETS:
            raise MediaError(
                f"holds more than {MAX_PACKETS:,} packets and does not say how long it is",
                problem="large",
                file=path,
                hint="Cut it into clips.",
            )
        if packet.pts is None:
            continue
        ends = packet.pts + (packet.duration or 0)
        last = max(last, float(ends * packet.time_base))
        if packet.stream.index == stream.index:
            first = packet.pts if first is None else min(first, packet.pts)
            end = max(end, ends if packet.duration else packet.pts + step)
    if first is None:
        raise _without_frames(path)
    span = _Span(first, max(1, end - first), Fraction(stream.time_base), step)
    if container.duration and not _is_any(container, _GUESSED):
        whole = (container.duration + (container.start_time or 0)) / 1e6
        if whole - last > _EARLY:
            raise _broken_off(path, last, whole)
    return span


class _Shown:
    """Frames of a file by time."""

    def __init__(self, path: Path, span: _Span, longest: int | None) -> None:
        self._path = path
        self._span = span
        self._longest = longest
        self._size: tuple[int, int] | None = None
        self._pixel = 1.0
        self._left = MAX_DECODED

    def at(self, wanted: list[int]) -> list[NDArray[np.uint8]]:
        """Pictures on show at ascending times."""
        pictures: list[NDArray[np.uint8]] = []
        before = last = None
        with opened(self._path) as container:
            stream = _video_stream(container, self._path)
            self._pixel = _pixel_shape(stream.sample_aspect_ratio)
            frames = self._decoded(container, stream)
            ahead = next(frames, None)
            for time in wanted:
                far = ahead is not None and (time - ahead[0]) * self._span.unit > _SEEK_AFTER
                if far and _is_any(container, _INDEXED):
                    frames, before = self._sought(container, stream, time), None
                    ahead = next(frames, None)
                while ahead is not None and (before is None or ahead[0] <= time):
                    before, ahead = ahead, next(frames, None)
                if before is None:
                    raise self._ends(time)
                if ahead is None:
                    self._check_end(before, time)
                pictures.append(pictures[-1] if before is last else self._picture(before[1]))
                last = before
        return pictures

    def _decoded(self, container: Any, stream: Any) -> Iterator[tuple[int, Any]]:
        """Frames with their times, from where the container stands."""
        following = self._span.start
        for frame in container.decode(stream):
            self._left -= 1
            if self._left < 0:
                raise MediaError(
                    f"needs more than {MAX_DECODED:,} frames decoded",
                    problem="large",
                    file=self._path,
                    hint="Cut it into clips, or encode it with more key frames.",
                )
            time = following if frame.pts is None else frame.pts
            following = time + self._span.step
            yield time, frame

    def _sought(self, container: Any, stream: Any, time: int) -> Iterator[tuple[int, Any]]:
        """Frames from one at or before ``time`` on; where a seek lands late, one further back."""
        back = 0
        while time - back > self._span.start:
            container.seek(time - back, stream=stream)
            frames = self._decoded(container, stream)
            first = next(frames, None)
            if first is not None and first[0] <= time:
                return _again(first, frames)
            back = 2 * back or max(1, int(_SEEK_AFTER / self._span.unit))
        container.seek(self._span.start, stream=stream)
        return self._decoded(container, stream)

    def _check_end(self, last: tuple[int, Any], time: int) -> None:
        """The last frame stands for what follows, unless too much is missing."""
        shown = last[1].duration or self._span.step
        if (time - last[0] - shown) * self._span.unit > _EARLY:
            raise self._ends(last[0] + shown)

    def _ends(self, time: int) -> MediaError:
        span = self._span
        if time <= span.start:
            return _without_frames(self._path)
        return _broken_off(
            self._path, float((time - span.start) * span.unit), float(span.length * span.unit)
        )

    def _picture(self, frame: Any) -> NDArray[np.uint8]:
        """A frame in colour, upright, in the size of the first one."""
        if self._size is None:
            self._size = shrunk(frame.width * self._pixel, frame.height, self._longest)
        width, height = self._size
        scaled = frame.reformat(width=width, height=height, format="rgb24")
        turns = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), turns), np.uint8)


def _without_frames(path: Path) -> MediaError:
    return MediaError("holds a video without frames", problem="empty", file=path)


def _broken_off(path: Path, end: float, whole: float) -> MediaError:
    return MediaError(
        f"breaks off: nothing after {end:.1f} s of {whole:.1f} s",
        problem="corrupt",
        file=path,
        hint="Fetch it again.",
    )


def _again(first: tuple[int, Any], rest: Iterator[Any]) -> Iterator[tuple[int, Any]]:
    yield first
    yield from rest


def _pixel_shape(shape: Fraction | None) -> float:
    """Width of a pixel over its height; 1 where nothing sensible is said."""
    return float(shape) if shape and Fraction(1, 4) <= shape <= 4 else 1.0
