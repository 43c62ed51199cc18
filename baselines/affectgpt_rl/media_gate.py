"""Media that cannot be read are found before a run begins, not hours into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Literal

from ovmer_bench import OvmerError
from ovmer_bench.corpora.media_check import MediaReport, Part, check_media

from .clips import TrainingClip

OnMissing = Literal["fail", "skip"]
_HARMLESS = ("silent", "short")
_SHOWN = 10


def readable(clips: Sequence[TrainingClip], on_missing: OnMissing) -> list[TrainingClip]:
    """The clips whose media can all be read.

    Every file is read once. Sound that is silent or very short is sound all the same, and is
    only reported; so are clips that are left out.

    Args:
        clips: with files, or drawn ones, which need no look.
        on_missing: ``fail``: the first files that cannot be read are an error; ``skip``: their
            clips are left out.

    Raises:
        OvmerError: naming clips and reasons, or that no clip is left.
    """
    bad: dict[str, str] = {}
    for parts in (("video",), ("audio",), ("video", "audio")):
        chosen = [clip for clip in clips if clip.sample.media and _parts(clip) == parts]
        if chosen:
            bad |= _unreadable(check_media([c.sample for c in chosen], parts=parts, jobs=_jobs()))
    if not bad:
        return list(clips)
    listed = "; ".join(f"{clip}: {why}" for clip, why in list(bad.items())[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    if on_missing == "fail" or len(bad) == len(clips):
        raise OvmerError(
            f"{len(bad)} of {len(clips)} clips have media that cannot be read: {listed}{more}",
            field="data.on_missing",
            hint="Mend the files, or leave these clips out with on_missing: skip.",
        )
    print(f"left out {len(bad)} of {len(clips)} clips: {listed}{more}", file=sys.stderr)
    return [clip for clip in clips if clip.id not in bad]


def _unreadable(report: MediaReport) -> dict[str, str]:
    """Clip -> why, for what stops a run; the rest is said and let through."""
    bad = {f.clip: f.text for f in report.findings if f.problem not in _HARMLESS}
    odd = [f.clip for f in report.findings if f.problem in _HARMLESS]
    if odd:
        print(f"{len(odd)} clips are silent or very short, such as {odd[0]}", file=sys.stderr)
    return bad


def _parts(clip: TrainingClip) -> tuple[Part, ...]:
    found: list[Part] = []
    if clip.has_frames:
        found.append("video")
    if clip.has_audio:
        found.append("audio")
    return tuple(found)


def _jobs() -> int:
    return min(8, os.cpu_count() or 1)
