"""Going through the media of a corpus before anything long begins, and what to do about gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import InputError
from ..reading.schema import Sample
from .media_errors import MediaError
from .media_files import SAMPLE_RATE, sample_audio, sample_frames

Part = Literal["video", "audio"]
OnMissing = Literal["skip", "fail"]
PARTS: tuple[Part, ...] = ("video", "audio")
SOURCES: Mapping[Part, tuple[str, ...]] = {
    "video": ("video", "frames"),
    "audio": ("audio", "video"),
}
"""Part -> the files that give it, by their names in the media of a clip."""

SILENCE = 1e-3
"""Peak below which sound is called silent: 60 dB below full scale."""

SHORTEST_SOUND = 0.1
"""Seconds below which sound is too short for any model that hears."""

REMARKS = ("silent",)
"""Problems that are reported and keep no clip from use."""

_CHECKED_SIDE = 64


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with one part of a clip.

    Attributes:
        clip: its id.
        part: ``video`` (pictures of any kind) or ``audio``.
        problem: ``missing``, ``empty``, ``corrupt``, ``large``, ``short`` or ``silent``.
        text: what is wrong, for people.
    """

    clip: str
    part: Part
    problem: str
    text: str

    @property
    def fatal(self) -> bool:
        """Whether the part cannot be used."""
        return self.problem not in REMARKS


@dataclass(frozen=True)
class MediaReport:
    """What :func:`check_media` saw.

    Attributes:
        clips: ids of the clips that were looked at, in order.
        parts: what was looked at of each.
        findings: in the order of the clips.
    """

    clips: tuple[str, ...]
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]

    def having(self, part: Part) -> frozenset[str]:
        """Ids of the clips of which a part can be used."""
        if part not in self.parts:
            raise InputError(f"was not checked for {part}", accepted=", ".join(self.parts))
        lacking = {f.clip for f in self.findings if f.part == part and f.fatal}
        return frozenset(clip for clip in self.clips if clip not in lacking)

    def problems(self) -> dict[tuple[Part, str], tuple[str, ...]]:
        """Ids by part and problem."""
        found: dict[tuple[Part, str], list[str]] = {}
        for finding in self.findings:
            found.setdefault((finding.part, finding.problem), []).append(finding.clip)
        return {key: tuple(clips) for key, clips in sorted(found.items())}


@dataclass(frozen=True)
class Usable:
    """Clips to go on with.

    Attributes:
        samples: in the order given.
        skipped: why, by id, for the others.
    """

    samples: tuple[Sample, ...]
    skipped: Mapping[str, str]


def check_media(
    samples: Iterable[Sample],
    *,
    root: str | Path = "",
    parts: Sequence[Part] = PARTS,
    jobs: int = 1,
    progress: Callable[[int], object] | None = None,
) -> MediaReport:
    """Read pictures and sound of every clip as a model would get them.

    Args:
        samples: clips with ``media``.
        root: where relative paths start.
        parts: what to look at.
        jobs: threads.
        progress: called with the number of clips that have come to be looked at.

    Raises:
        MediaError: only where a library is missing; all else is in the report.
    """
    samples = tuple(samples)
    check = partial(_findings, root=root, parts=tuple(parts))
    findings: list[Finding] = []
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        for found in pool.map(check, samples):
            findings += found
            if progress is not None:
                progress(1)
    return MediaReport(tuple(sample.id for sample in samples), tuple(parts), tuple(findings))


def damaged(samples: Iterable[Sample], report: MediaReport) -> tuple[str, ...]:
    """Ids of the clips with a file that cannot be used, in order.

    A part that no file was given for is a gap, which may be meant, and no damage.
    """
    media = {sample.id: sample.media for sample in samples}
    found = [
        finding.clip
        for finding in report.findings
        if finding.fatal and not media[finding.clip].keys().isdisjoint(SOURCES[finding.part])
    ]
    return tuple(dict.fromkeys(found))


def usable(
    samples: Iterable[Sample],
    report: MediaReport,
    on_missing: OnMissing = "fail",
    *,
    needs: Sequence[Part] = PARTS,
) -> Usable:
    """The clips of which every part that is needed can be used.

    Args:
        samples: clips that the report is about.
        report: of :func:`check_media`.
        on_missing: ``fail`` raises where a clip lacks something, ``skip`` leaves it out.
        needs: parts that a clip must have.

    Raises:
        MediaError: clips lack something under ``fail``, or all do.
        InputError: another ``on_missing``, or clips that the report does not know.
    """
    if on_missing not in ("skip", "fail"):
        raise InputError(f"is {on_missing!r}", field="on_missing", accepted="skip, fail")
    samples = tuple(samples)
    known = set(report.clips)
    if strange := [sample.id for sample in samples if sample.id not in known]:
        raise InputError(f"the media of {listed(strange)} were not checked")
    having = [report.having(part) for part in needs]
    kept = tuple(s for s in samples if all(s.id in clips for clips in having))
    skipped: dict[str, str] = {}
    lost = {sample.id for sample in samples} - {sample.id for sample in kept}
    for finding in report.findings:
        if finding.clip in lost and finding.fatal and finding.part in needs:
            skipped.setdefault(finding.clip, f"{finding.part} {finding.problem}: {finding.text}")
    if skipped and (on_missing == "fail" or not kept):
        first = next(iter(skipped))
        raise MediaError(
            f"{len(skipped):,} of {len(samples):,} clips cannot be used:"
            f" {listed(list(skipped))}; {first}: {skipped[first]}",
            problem="missing",
            hint="Mend or attach them (ovmer data media NAME --root DIR)"
            + ("." if not kept else ", or skip them (on_missing: skip)."),
        )
    return Usable(kept, skipped)


def _findings(sample: Sample, root: str | Path, parts: Sequence[Part]) -> list[Finding]:
    found = []
    for part in parts:
        try:
            if part == "video":
                sample_frames(sample, root=root, longest=_CHECKED_SIDE)
            elif problem := _problem(sample_audio(sample, root=root)):
                found.append(Finding(sample.id, part, *problem))
        except MediaError as error:
            if error.problem == "library":
                raise
            found.append(Finding(sample.id, part, error.problem, str(error)))
    return found


def _problem(sound: np.ndarray[tuple[int], np.dtype[np.float32]]) -> tuple[str, str] | None:
    seconds = len(sound) / SAMPLE_RATE
    if seconds < SHORTEST_SOUND:
        return "short", f"{seconds:.3f} s of sound"
    peak = float(np.abs(sound).max())
    return ("silent", f"peak {peak:.1e}") if peak < SILENCE else None


def listed(clips: Sequence[str], most: int = 10) -> str:
    """Ids in one line, the first ``most`` of them."""
    more = f" and {len(clips) - most:,} more" if len(clips) > most else ""
    return f"{', '.join(clips[:most])}{more}"
