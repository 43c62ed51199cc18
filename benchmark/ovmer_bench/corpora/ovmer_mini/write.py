"""Writes a split to a folder: pictures, sound and ``samples.jsonl``.

A clip's files appear all at once (a folder is filled under another name and renamed), and the
samples last. A run that was stopped, however it was, is taken up by the next one, and what
comes out is, byte for byte, what one run would have written.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CorpusError, InputError
from ...files import read_text, write_text
from ...reading.schema import SCHEMA_VERSION, Sample
from ...reading.strict_json import parse_json
from .expressions import N_FRAMES
from .faces import SIZE
from .generate import NAME, SAMPLE_RATE, check_place, clip_id, make_clip
from .media import png_bytes, wav_bytes
from .speech import N_SAMPLES
from .world import MINI_VERSION

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

SAMPLES_FILE = "samples.jsonl"
MANIFEST_FILE = "manifest.json"
MEDIA_FOLDER = "media"
_FRAMES = tuple(f"frame-{t}.png" for t in range(N_FRAMES))
_VOICE = "voice.wav"
_PARTIAL = ".partial-"
_PNG_SIZE = 8 + 25 + 12 + 2 + 5 + SIZE * (1 + 3 * SIZE) + 4 + 12
_SIZES = {**dict.fromkeys(_FRAMES, _PNG_SIZE), _VOICE: 44 + 2 * N_SAMPLES}

Progress = Callable[[int], object]


@dataclass(frozen=True)
class Written:
    """What :func:`write_split` left in the folder.

    Attributes:
        folder: where.
        n: clips in it.
        made: clips that this run made; the others were there.
        sha256: sample-set hash, as the store computes it.
    """

    folder: Path
    n: int
    made: int
    sha256: str


def write_split(
    folder: str | Path,
    split: str = "test",
    n: int = 500,
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Written:
    """Write the first ``n`` clips of a split, with their media, to a folder.

    Args:
        folder: new, empty, or left by an earlier call with the same split and seed and no
            larger ``n``, which is then completed.
        split: ``sft``, ``rl`` or ``test``.
        n: number of clips.
        seed: of the world.
        jobs: processes that draw.
        progress: called with the number of clips that have come to be there.

    Raises:
        CorpusError: unknown split, ``n`` or ``jobs`` below 1, or a bad seed.
        InputError: the folder holds something else, or cannot be written.
    """
    check_place(split, 0, seed)
    for name, value in (("n", n), ("jobs", jobs)):
        if value < 1:
            raise CorpusError(f"{name} is {value}", accepted="1 or more")
    folder = Path(folder)
    try:
        _claim(folder, split, n, seed)
        _sweep(folder)
        media = folder / MEDIA_FOLDER
        missing = [i for i in range(n) if not _is_whole(media / clip_id(split, i, seed))]
        if progress:
            progress(n - len(missing))
        for _ in _made(_Work(str(folder), split, seed), missing, jobs):
            if progress:
                progress(1)
        sha256 = _finish(folder, split, n, seed)
    except OSError as error:
        place = error.filename or folder
        raise InputError(f"cannot be written: {error.strerror or error}", file=place) from None
    return Written(folder, n, len(missing), sha256)


def _claim(folder: Path, split: str, n: int, seed: int) -> None:
    """Make sure that the folder is ours to write to, and write in it whose it is."""
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file, not a folder", file=folder)
    manifest = folder / MANIFEST_FILE
    if manifest.exists():
        _check_same(manifest, split, n, seed)
    elif folder.is_dir():
        # Temporary files of a first manifest are what a run killed at its very start leaves.
        foreign = [p.name for p in folder.iterdir() if not _is_temporary(p)]
        if foreign:
            raise InputError(
                f"is not empty and holds no {MANIFEST_FILE}: {sorted(foreign)[0]}",
                file=folder,
                hint="Give a new folder.",
            )
    (folder / MEDIA_FOLDER).mkdir(parents=True, exist_ok=True)
    _write_manifest(folder, _manifest(split, n, seed))


def _check_same(path: Path, split: str, n: int, seed: int) -> None:
    hint = "Give a new folder."
    found = parse_json(read_text(path), file=path)
    if not isinstance(found, dict) or found.get("name") != NAME:
        raise InputError(f"is not of {NAME}", file=path, hint=hint)
    expected = _manifest(split, n, seed)
    for name in ("schema_version", "world", "split", "seed"):
        if found.get(name) != expected[name]:
            raise InputError(
                f"is {found.get(name)!r}, not {expected[name]!r}", file=path, field=name, hint=hint
            )
    held = found.get("n")
    if not isinstance(held, int) or held > n:
        raise InputError(f"is {held!r}, more than {n}", file=path, field="n", hint=hint)


def _manifest(split: str, n: int, seed: int) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "name": NAME,
        "world": MINI_VERSION,
        "split": split,
        "seed": seed,
        "n": n,
        "complete": False,
    }


def _write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    write_text(folder / MANIFEST_FILE, json.dumps(manifest, indent=2) + "\n")


def _is_temporary(path: Path) -> bool:
    names = (MANIFEST_FILE, SAMPLES_FILE)
    return path.is_file() and path.name.startswith(tuple(f".{name}." for name in names))


def _sweep(folder: Path) -> None:
    """Remove what a stopped run left half done."""
    for path in folder.iterdir():
        if _is_temporary(path):
            path.unlink()
    for path in (folder / MEDIA_FOLDER).iterdir():
        if path.name.startswith(_PARTIAL):
            shutil.rmtree(path)


def _is_whole(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries} == _SIZES
    except (FileNotFoundError, NotADirectoryError):
        return False


@dataclass(frozen=True)
class _Work:
    """What a process needs to know to make the clips it is given."""

    folder: str
    split: str
    seed: int

    def make(self, index: int) -> None:
        """Make one clip's folder, all at once."""
        clip = make_clip(self.split, index, self.seed)
        media = Path(self.folder) / MEDIA_FOLDER
        partial = media / f"{_PARTIAL}{clip.sample.id}"
        partial.mkdir()
        for name, frame in zip(_FRAMES, clip.frames, strict=True):
            (partial / name).write_bytes(png_bytes(frame))
        (partial / _VOICE).write_bytes(wav_bytes(clip.audio, SAMPLE_RATE))
        whole = media / clip.sample.id
        if whole.exists():
            shutil.rmtree(whole)
        partial.rename(whole)


def _made(work: _Work, indices: Sequence[int], jobs: int) -> Iterator[int]:
    """Make clips, and yield the number of each as it is there."""
    jobs = min(jobs, len(indices))
    if jobs <= 1:
        for index in indices:
            work.make(index)
            yield index
        return
    # Spawned, not forked: the caller may have threads.
    context = multiprocessing.get_context("spawn")
    ends: list[Connection[Any, Any]] = []
    processes = []
    try:
        for job in range(jobs):
            here, there = context.Pipe(duplex=False)
            process = context.Process(
                target=_serve, args=(work, indices[job::jobs], there), daemon=True
            )
            process.start()
            there.close()
            ends.append(here)
            processes.append(process)
        yield from _received(ends, len(indices))
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _received(ends: list[Connection[Any, Any]], n: int) -> Iterator[int]:
    left = n
    while ends:
        ready = wait(ends)
        for end in [end for end in ends if end in ready]:
            try:
                said: int | OSError = end.recv()
            except EOFError:
                ends.remove(end)
                continue
            if isinstance(said, OSError):
                raise said
            left -= 1
            yield said
    if left:
        raise InputError("a process that draws clips was stopped", hint="Run it again.")


def _serve(work: _Work, indices: Sequence[int], end: Connection[Any, Any]) -> None:
    """In another process: make clips and say so, until done or left alone."""
    try:
        for index in indices:
            work.make(index)
            end.send(index)
    except BrokenPipeError:
        return  # who asked is gone
    except KeyboardInterrupt:
        return  # who asked is told as well
    except OSError as error:
        end.send(error)


def _finish(folder: Path, split: str, n: int, seed: int) -> str:
    """Write the samples, then the manifest that says all is there."""
    from ..store import sample_set_sha256

    samples = [_with_media(make_clip(split, i, seed).sample) for i in range(n)]
    text = "".join(json.dumps(s.to_dict(), ensure_ascii=False) + "\n" for s in samples)
    sha256 = sample_set_sha256(samples)
    write_text(folder / SAMPLES_FILE, text)
    manifest = _manifest(split, n, seed) | {
        "complete": True,
        "sha256": sha256,
        "samples_sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
    }
    _write_manifest(folder, manifest)
    return sha256


def _with_media(sample: Sample) -> Sample:
    """The sample with its files, relative to the folder of ``samples.jsonl``."""
    place = f"{MEDIA_FOLDER}/{sample.id}"
    frames = [f"{place}/{name}" for name in _FRAMES]
    return replace(sample, media={"frames": frames, "audio": f"{place}/{_VOICE}"})
