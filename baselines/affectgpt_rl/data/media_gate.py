"""Media that cannot be read are found before a run begins, not hours into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Literal

from accelerate import PartialState
from accelerate.utils import gather_object
from ovmer_bench import OvmerError
from ovmer_bench.corpora.media_check import Finding, Part, check_media

from .clips import TrainingClip

OnMissing = Literal["fail", "skip"]
_HARMLESS = ("silent", "short")
_SHOWN = 10


def readable(clips: Sequence[TrainingClip], on_missing: OnMissing) -> list[TrainingClip]:
    """The clips whose media can all be read.

    Every file is read once, by one of the processes. Sound that is silent or very short is
    sound all the same, and is only reported; so are clips that are left out.

    Args:
        clips: with files, or drawn ones, which need no look.
        on_missing: ``fail``: files that cannot be read are an error; ``skip``: their clips are
            left out.

    Raises:
        OvmerError: naming clips and reasons, or that no clip is left.
    """
    findings = _findings([clip for clip in clips if clip.sample.media])
    odd = {f.clip: f"{f.part} {f.problem}: {f.text}" for f in findings if f.problem in _HARMLESS}
    bad: dict[str, str] = {}
    for one in findings:
        if one.problem not in _HARMLESS:
            bad.setdefault(one.clip, f"{one.part} {one.problem}: {one.text}")
    _say("kept, though it can hardly be heard", odd)
    return _without(clips, bad, "media that cannot be read", on_missing)


def with_frames(clips: Sequence[TrainingClip], on_missing: OnMissing) -> list[TrainingClip]:
    """The clips that have frames to show: TRL takes no rows without images beside rows with.

    Raises:
        OvmerError: as :func:`readable`.
    """
    bad = {clip.id: "no pictures and no video" for clip in clips if not clip.has_frames}
    return _without(clips, bad, "no frames, which a policy of kind vision needs", on_missing)


def _without(
    clips: Sequence[TrainingClip], bad: Mapping[str, str], what: str, on_missing: OnMissing
) -> list[TrainingClip]:
    if not bad:
        return list(clips)
    listed = "; ".join(f"{clip}: {why}" for clip, why in list(bad.items())[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    left = [clip for clip in clips if clip.id not in bad]
    if on_missing == "fail" or not left:
        raise OvmerError(
            f"{len(bad)} of {len(clips)} clips have {what}: {listed}{more}",
            field="data.on_missing",
            hint="Mend the files, or leave these clips out with on_missing: skip."
            if left
            else "Attach media that can be read (ovmer data media).",
        )
    _say("left out", bad)
    return left


def readable_data(
    data: Mapping[str, Sequence[TrainingClip]], on_missing: OnMissing
) -> dict[str, list[TrainingClip]]:
    """As :func:`readable`, for lists of clips by name, all of them looked at together.

    Raises:
        OvmerError: likewise, or a list that is left without clips.
    """
    every = [clip for clips in data.values() for clip in clips]
    kept = {clip.id for clip in readable(every, on_missing)}
    left = {name: [clip for clip in clips if clip.id in kept] for name, clips in data.items()}
    empty = next((name for name, clips in left.items() if data[name] and not clips), None)
    if empty is not None:
        raise OvmerError("has no clip whose media can be read", field=f"data.{empty}")
    return left


def _findings(clips: Sequence[TrainingClip]) -> list[Finding]:
    """What is wrong with what is shown of the clips, in their order."""
    state = PartialState()
    share = clips[state.process_index :: state.num_processes]
    found: list[Finding] = []
    for parts in (("video",), ("audio",), ("video", "audio")):
        samples = [clip.sample for clip in share if _parts(clip) == parts]
        if samples:
            found += check_media(samples, parts=parts, jobs=_jobs()).findings
    if state.num_processes > 1:
        found = gather_object(found)
    place = {clip.id: number for number, clip in enumerate(clips)}
    return sorted(found, key=lambda one: place[one.clip])


def _say(what: str, clips: Mapping[str, str]) -> None:
    """A line for each clip."""
    if PartialState().is_main_process:
        for clip, why in clips.items():
            print(f"clip {clip}: {what}: {why}", file=sys.stderr)


def _parts(clip: TrainingClip) -> tuple[Part, ...]:
    found: list[Part] = []
    if clip.has_frames:
        found.append("video")
    if clip.has_audio:
        found.append("audio")
    return tuple(found)


def _jobs() -> int:
    return min(8, os.cpu_count() or 1)
