"""Frames and sound of real files: the right ones from good files, one clean error from bad ones."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media_made import (
    HEIGHT,
    TONE,
    WIDTH,
    number_in,
    numbered,
    save_picture,
    save_tone,
    save_track,
    save_video,
    tone,
    turned,
)
from ovmer_bench.corpora import media_video
from ovmer_bench.corpora.media_check import PARTS, check_media, usable
from ovmer_bench.corpora.media_errors import MediaError
from ovmer_bench.corpora.media_files import load_audio, load_frames, sample_audio, sample_frames
from ovmer_bench.errors import InputError
from ovmer_bench.reading.schema import Sample
from PIL import Image

MIDDLES = [3, 9, 15, 21, 28, 34, 40, 46]
"""Frames on show in the middles of eight equal parts of fifty."""


def refused(call: object, *arguments: object, problem: str) -> str:
    with pytest.raises(MediaError) as caught:
        call(*arguments)  # type: ignore[operator]
    shown = str(caught.value)
    assert caught.value.problem == problem, shown
    assert "\n" not in shown
    return shown


def numbers(path: object, **options: object) -> list[int]:
    return [number_in(frame) for frame in load_frames(path, **options)]  # type: ignore[arg-type]


# --- Frames of videos -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *(("a.mp4", "mpeg4"), ("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.avi", "mjpeg")),
        *(("a.mkv", "ffv1"), ("a.mkv", "libx264"), ("a.webm", "libvpx-vp9"), ("a.mov", "mpeg4")),
        *(("a.ts", "libx264"), ("a.mpg", "mpeg2video")),
    ],
)
def test_frames_stand_in_the_middles_of_equal_parts(tmp_path: Path, name: str, codec: str) -> None:
    frames = load_frames(save_video(tmp_path / name, codec=codec))
    assert frames.shape == (8, HEIGHT, WIDTH, 3)
    assert frames.dtype == np.uint8 and frames.flags.c_contiguous
    assert [number_in(frame) for frame in frames] == MIDDLES


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "mpeg4")])
def test_seeking_finds_the_same_frames(
    tmp_path: Path, name: str, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With key frames far apart and with frames that depend on later ones."""
    path = save_video(tmp_path / name, 600, codec=codec, gop=100)
    expected = [(2 * i + 1) * 600 // 16 for i in range(8)]
    assert numbers(path) == expected
    decoded: list[int] = []
    inner = media_video._Shown._decoded

    def counted(self: object, container: object, stream: object):  # type: ignore[no-untyped-def]
        for pair in inner(self, container, stream):  # type: ignore[arg-type]
            decoded.append(1)
            yield pair

    monkeypatch.setattr(media_video._Shown, "_decoded", counted)
    monkeypatch.setattr(media_video, "_SEEK_AFTER", 0.5)
    assert numbers(path) == expected
    assert numbers(path, count=2) == [150, 450]
    decoded.clear()
    assert numbers(path, count=1) == [300]
    assert len(decoded) < 120


@pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
def test_formats_without_an_index_are_decoded_from_their_start(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_video(tmp_path / name, 300, codec="mpeg2video", gop=60)
    monkeypatch.setattr(media_video, "_SEEK_AFTER", 0.5)
    assert numbers(path) == [(2 * i + 1) * 300 // 16 for i in range(8)]


def test_a_variable_frame_rate_counts_time_not_frames(tmp_path: Path) -> None:
    """Ten frames in the first second, and ten in the nine seconds after it."""
    times = [*range(0, 1000, 100), *range(1000, 10_000, 900)]
    path = save_video(tmp_path / "a.mkv", 20, times=times, codec="libx264")
    on_show = [
        max(i for i, time in enumerate(times) if time <= moment)
        for moment in ((2 * i + 1) * (times[-1] + 40) // 16 for i in range(8))
    ]
    assert numbers(path) == on_show


def test_a_video_that_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    """As browsers record it: no duration, no index."""
    path = save_video(tmp_path / "a.webm", codec="libvpx", options={"live": "1"})
    assert numbers(path) == MIDDLES
    assert numbers(save_video(tmp_path / "s.mp4", options={"movflags": "frag_keyframe"})) == MIDDLES


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_honoured(tmp_path: Path, degrees: int) -> None:
    upright = load_frames(save_video(tmp_path / "a.mp4"))[0].astype(int)
    shown = load_frames(turned(save_video(tmp_path / "b.mp4"), degrees))[0]
    assert np.array_equal(shown, np.rot90(upright, -degrees // 90))


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mkv", pixel=Fraction(3, 2))
    assert load_frames(path).shape == (8, HEIGHT, WIDTH * 3 // 2, 3)


def test_counts_and_sizes(tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mp4", 3)
    assert numbers(path) == [0, 0, 0, 1, 1, 2, 2, 2]
    assert numbers(path, count=1) == [1]
    assert load_frames(path, longest=96).shape == (8, 24, 96, 3)
    assert numbers(path, longest=96, count=3) == [0, 1, 2]
    assert numbers(save_video(tmp_path / "one.mp4", 1)) == [0] * 8
    for bad in ({"count": 0}, {"count": 10**6}, {"longest": 0}):
        with pytest.raises(InputError, match="accepted"):
            load_frames(path, **bad)  # type: ignore[arg-type]


def test_videos_that_cannot_be_used(tmp_path: Path) -> None:
    assert "Check the path" in refused(load_frames, tmp_path / "gone.mp4", problem="missing")
    (tmp_path / "empty.mp4").touch()
    refused(load_frames, tmp_path / "empty.mp4", problem="empty")
    (tmp_path / "text.mp4").write_text("not a video " * 100)
    refused(load_frames, tmp_path / "text.mp4", problem="corrupt")
    shown = refused(load_frames, save_track(tmp_path / "sound.mp4", 0.5), problem="missing")
    assert "holds no video" in shown
    refused(load_frames, save_tone(tmp_path / "tone.wav"), problem="missing")
    refused(load_frames, save_video(tmp_path / "none.mp4", 0), problem="missing")
    refused(load_frames, save_video(tmp_path / "none.avi", 0), problem="empty")
    refused(load_frames, "nul\0.mp4", problem="missing")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "regular" in refused(load_frames, tmp_path / "pipe.mp4", problem="missing")


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.mkv", {}), ("a.mp4", {"movflags": "faststart"}), ("a.avi", {}), ("b.mp4", {})],
)
def test_videos_that_break_off(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    path = save_video(tmp_path / name, 250, codec="mpeg4", options=options)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(load_frames, path, problem="corrupt")


def test_a_playlist_is_no_video(tmp_path: Path) -> None:
    """It could name any address or file."""
    save_video(tmp_path / "real.mp4")
    for name, text in {
        "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2.0,\nreal.mp4\n#EXT-X-ENDLIST\n",
        "concat.mp4": "ffconcat version 1.0\nfile real.mp4\n",
    }.items():
        (tmp_path / name).write_text(text)
        refused(load_frames, tmp_path / name, problem="corrupt")


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_video(tmp_path / "a.mp4")
    monkeypatch.setattr(media_video, "MAX_DECODED", 20)
    assert "more than 20" in refused(load_frames, path, problem="large")
    live = save_video(tmp_path / "a.webm", codec="libvpx", options={"live": "1"})
    monkeypatch.setattr(media_video, "MAX_PACKETS", 10)
    assert "packets" in refused(load_frames, live, problem="large")
    monkeypatch.setattr("ovmer_bench.corpora.media_images.MAX_PIXELS", WIDTH * HEIGHT - 1)
    assert "pixels" in refused(load_frames, path, problem="large")


# --- Pictures -------------------------------------------------------------------------------


def test_folders_and_lists_of_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(20):
        save_picture(folder / f"frame_{number}.bmp", number)
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("no picture")
    middles = [1, 3, 6, 8, 11, 13, 16, 18]
    assert numbers(folder) == numbers([str(folder)]) == middles
    listed = [folder / f"frame_{number}.bmp" for number in (7, 5)]
    assert numbers(listed, count=4) == [7, 7, 5, 5]
    assert numbers(folder / "frame_9.bmp", count=2) == [9, 9]


def test_pictures_of_many_kinds(tmp_path: Path) -> None:
    for name, mode in (("a.png", "L"), ("b.png", "RGBA"), ("c.png", "1"), ("d.jpg", "CMYK")):
        assert numbers(save_picture(tmp_path / name, 0b101, mode), count=1) == [5]
    deep = (numbered(0b110)[:, :, 0].astype(np.uint16)) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.array_equal(load_frames(tmp_path / "deep.png")[0], numbered(0b110))
    upright = Image.fromarray(numbered(0b10))
    exif = upright.getexif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    upright.rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(load_frames(tmp_path / "turned.png")[0], numbered(0b10))


def test_pictures_of_several_sizes_get_that_of_the_first(tmp_path: Path) -> None:
    first = save_picture(tmp_path / "a.png", 3)
    second = tmp_path / "b.png"
    Image.fromarray(numbered(6)).resize((2 * WIDTH, 3 * HEIGHT)).save(second)
    assert numbers([first, second], count=2) == [3, 6]
    assert load_frames([second, first], count=2, longest=100).shape == (2, 38, 100, 3)


def png(width: int, height: int) -> bytes:
    """A picture of one colour, of any size, in few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = zlib.compress(bytes(1 + width // 8) * min(height, 100))
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_pictures_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    refused(load_frames, tmp_path / "none", problem="empty")
    refused(load_frames, [], problem="empty")
    refused(load_frames, [tmp_path / "a.png", tmp_path / "b.png"], problem="missing")
    whole = save_picture(tmp_path / "a.png", 77).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    refused(load_frames, tmp_path / "cut.png", problem="corrupt")
    (tmp_path / "text.jpg").write_text("no picture")
    refused(load_frames, tmp_path / "text.jpg", problem="corrupt")
    for side in (2**13, 2**14, 2**16):
        (tmp_path / "bomb.png").write_bytes(png(side, side))
        tracemalloc.start()
        assert "pixels" in refused(load_frames, tmp_path / "bomb.png", problem="large")
        assert tracemalloc.get_traced_memory()[1] < 2**24
        tracemalloc.stop()


# --- Sound ----------------------------------------------------------------------------------


def assert_is_the_tone(sound: np.ndarray, rate: int, seconds: float = 1.0) -> None:
    """A sine of the right length, pitch and level."""
    assert sound.dtype == np.float32 and sound.ndim == 1
    assert abs(len(sound) / rate - seconds) < 0.08
    middle = sound[len(sound) // 4 : 3 * len(sound) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(spectrum.argmax() * rate / len(middle) - TONE) < 5
    assert abs(np.sqrt(2 * np.mean(middle**2)) - 0.5) < 0.02


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "A.WAV"])
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_sound_files(tmp_path: Path, name: str, rate: int) -> None:
    assert_is_the_tone(load_audio(save_tone(tmp_path / name, rate=rate)), 16_000)


def test_rates_and_channels(tmp_path: Path) -> None:
    same = load_audio(save_tone(tmp_path / "a.wav"))
    assert np.abs(same - tone(1.0, 16_000)[:, 0]).max() < 1e-4
    for rate, channels in ((96_000, 1), (11_111, 2), (48_000, 6), (192_000, 1)):
        path = save_tone(tmp_path / "b.wav", rate=rate, channels=channels)
        assert_is_the_tone(load_audio(path), 16_000)
    assert_is_the_tone(load_audio(path, rate=8_000), 8_000)
    left = tone(1.0, 16_000, 2) * np.array([1, 0], np.float32)
    soundfile.write(tmp_path / "left.wav", left, 16_000)
    assert np.abs(load_audio(tmp_path / "left.wav") - left.mean(axis=1)).max() < 1e-4


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_both_libraries_hear_the_same(tmp_path: Path, subtype: str) -> None:
    """A WAV file is read by soundfile, and by PyAV where its name does not say what it is."""
    soundfile.write(tmp_path / "a.wav", tone(0.5, 16_000, 2), 16_000, subtype=subtype)
    (tmp_path / "a.m4a").write_bytes((tmp_path / "a.wav").read_bytes())
    sounds = [load_audio(tmp_path / name) for name in ("a.wav", "a.m4a")]
    assert np.abs(sounds[0] - sounds[1]).max() < 1e-6


def test_sound_tracks(tmp_path: Path) -> None:
    for name, codec in (("a.mp4", "mpeg4"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")):
        assert_is_the_tone(
            load_audio(save_video(tmp_path / name, 25, codec=codec, sound=1)), 16_000
        )
    assert_is_the_tone(load_audio(save_track(tmp_path / "a.m4a", 1.0)), 16_000)
    hidden = save_track(tmp_path / "hidden.mp4", 1.0).rename(tmp_path / "named.wav")
    assert_is_the_tone(load_audio(hidden), 16_000)


def test_only_what_is_asked_for_is_decoded(tmp_path: Path) -> None:
    path = save_tone(tmp_path / "long.flac", 120.0, 8_000)
    tracemalloc.start()
    assert len(load_audio(path, longest=2.0)) == 32_000
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()
    assert len(load_audio(path)) == 120 * 16_000


def test_silence_is_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8_000), 8_000)
    silent = load_audio(tmp_path / "a.wav")
    assert silent.shape == (16_000,) and not silent.any()


def test_sounds_that_cannot_be_used(tmp_path: Path) -> None:
    refused(load_audio, tmp_path / "none.wav", problem="missing")
    (tmp_path / "empty.wav").touch()
    refused(load_audio, tmp_path / "empty.wav", problem="empty")
    soundfile.write(tmp_path / "zero.wav", np.zeros(0), 16_000)
    refused(load_audio, tmp_path / "zero.wav", problem="empty")
    (tmp_path / "text.mp3").write_text("no sound " * 500)
    refused(load_audio, tmp_path / "text.mp3", problem="corrupt")
    shown = refused(load_audio, save_video(tmp_path / "mute.mp4"), problem="missing")
    assert "no sound track" in shown
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), 16_000, subtype="FLOAT")
    refused(load_audio, tmp_path / "nan.wav", problem="corrupt")
    soundfile.write(tmp_path / "slow.wav", np.zeros(100), 10)
    assert "10 Hz" in refused(load_audio, tmp_path / "slow.wav", problem="corrupt")
    with pytest.raises(InputError, match="'rate'"):
        load_audio(tmp_path / "slow.wav", rate=0)


def test_a_sound_that_breaks_off_gives_what_it_holds(tmp_path: Path) -> None:
    whole = save_tone(tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[: len(whole) // 2])
    assert_is_the_tone(load_audio(tmp_path / "a.wav"), 16_000, 0.5)
    whole = save_tone(tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(whole[: len(whole) // 2])
    assert 0.2 < len(load_audio(tmp_path / "a.mp3")) / 16_000 < 0.6


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.wav", "a.flac", "a.mp3", "a.png"])
def test_damaged_bytes_give_an_array_or_a_clean_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("png"):
        save_picture(path, 7)
    elif name in ("a.mp4", "a.mkv", "a.avi"):
        save_video(path, 12, sound=0.3)
    else:
        save_tone(path, 0.3)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), 1 + random.integers(20)):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged[: random.integers(1, len(whole) + 1)])
        for load in (load_frames, load_audio):
            try:
                assert load(path).size
            except MediaError as error:
                assert "\n" not in str(error)


# --- Whole corpora --------------------------------------------------------------------------


def clip(name: str, **media: object) -> Sample:
    return Sample(id=name, labels=["happy"], media=media)


@pytest.fixture
def clips(tmp_path: Path) -> list[Sample]:
    """One clip for everything that can be the matter."""
    (tmp_path / "faces").mkdir()
    save_picture(tmp_path / "faces" / "1.png", 1)
    save_video(tmp_path / "good.mp4", 10, sound=0.5)
    save_video(tmp_path / "mute.mp4", 10)
    save_tone(tmp_path / "tone.wav")
    save_tone(tmp_path / "short.wav", 0.05)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    (tmp_path / "bad.mp4").write_text("bad" * 100)
    return [
        clip("good", video="good.mp4"),
        clip("pair", frames=["faces"], audio="tone.wav"),
        clip("mute", video="mute.mp4"),
        clip("silent", video="mute.mp4", audio="silent.wav"),
        clip("short", video="mute.mp4", audio="short.wav"),
        clip("bad", video="bad.mp4"),
        clip("gone", video="gone.mp4", audio="tone.wav"),
        clip("words"),
    ]


def test_a_corpus_is_gone_through(tmp_path: Path, clips: list[Sample]) -> None:
    seen: list[int] = []
    report = check_media(clips, root=tmp_path, jobs=2, progress=seen.append)
    assert sum(seen) == len(clips)
    assert report == check_media(clips, root=tmp_path)
    assert report.problems() == {
        ("audio", "corrupt"): ("bad",),
        ("audio", "missing"): ("mute", "words"),
        ("audio", "short"): ("short",),
        ("audio", "silent"): ("silent",),
        ("video", "corrupt"): ("bad",),
        ("video", "missing"): ("gone", "words"),
    }
    assert report.having("audio") == {"good", "pair", "silent", "gone"}
    assert report.having("video") == {"good", "pair", "mute", "silent", "short"}


def test_what_is_missing_is_skipped_or_fails(tmp_path: Path, clips: list[Sample]) -> None:
    report = check_media(clips, root=tmp_path)
    with pytest.raises(MediaError, match=r"5 of 8 clips cannot be used: mute, short, bad, gone, w"):
        usable(clips, report)
    kept = usable(clips, report, "skip")
    assert [sample.id for sample in kept.samples] == ["good", "pair", "silent"]
    assert list(kept.skipped) == ["mute", "short", "bad", "gone", "words"]
    assert kept.skipped["mute"].startswith("audio missing: ")
    heard = usable(clips, report, "skip", needs=["audio"])
    assert [sample.id for sample in heard.samples] == ["good", "pair", "silent", "gone"]
    assert usable(clips[:2], report) == usable(clips[:2], report, "skip")
    with pytest.raises(MediaError, match="1 of 1"):
        usable(clips[-1:], report, "skip")
    with pytest.raises(InputError, match="accepted: skip, fail"):
        usable(clips, report, "maybe")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not checked"):
        usable([clip("other")], report)
    with pytest.raises(InputError, match="not checked for video"):
        usable(clips, check_media(clips, root=tmp_path, parts=["audio"]), needs=PARTS)


def test_media_of_a_sample(tmp_path: Path, clips: list[Sample]) -> None:
    assert sample_frames(clips[1], root=tmp_path, count=2).shape == (2, HEIGHT, WIDTH, 3)
    assert_is_the_tone(sample_audio(clips[1], root=tmp_path), 16_000)
    assert "words" in refused(sample_frames, clips[-1], problem="missing")
    assert "words" in refused(sample_audio, clips[-1], problem="missing")


# --- Without the libraries ------------------------------------------------------------------


def test_without_the_extra_an_error_names_it(tmp_path: Path) -> None:
    """The package imports, and says what to install when media are asked for."""
    save_picture(tmp_path / "a.png", 1)
    save_tone(tmp_path / "a.wav")
    code = """
import sys
for name in ("av", "soundfile", "PIL"):
    sys.modules[name] = None
import ovmer_bench.corpora.store
from ovmer_bench.corpora.media_files import load_audio, load_frames
from ovmer_bench.corpora.media_check import check_media
from ovmer_bench.reading.schema import Sample
for call in (
    lambda: load_frames("a.png"),
    lambda: load_audio("a.wav"),
    lambda: load_frames("a.wav"),
    lambda: check_media([Sample(id="x", labels=[], media={"audio": "a.wav"})], parts=["audio"]),
):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    libraries = ("Pillow", "soundfile", "PyAV", "soundfile")
    for line, library in zip(lines, libraries, strict=True):
        assert line.startswith("MediaError ")
        assert f"{library} is not installed" in line
        assert line.endswith("Run: pip install 'ovmer-bench[media]'")
