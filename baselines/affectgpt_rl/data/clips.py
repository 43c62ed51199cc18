"""Clips to train on: gold, texts, and media that are loaded when they are looked at."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from ovmer_bench import OvmerError, Sample, load_corpus
from ovmer_bench.corpora.media_files import sample_audio, sample_frames
from ovmer_bench.corpora.ovmer_mini import generate
from ovmer_bench.reading.readers import read_samples

from ..config.sections import Data, Modality, Source

Array = NDArray[Any]
Media = tuple[Array | None, Array | None]


@dataclass(frozen=True)
class TrainingClip:
    """One clip.

    Attributes:
        sample: id, gold and texts.
        modalities: what of it the policy may see.
        media: loads frames, uint8 (T, H, W, 3), and sound, one channel; ``None`` where there
            are none. Called each time, so whoever looks twice keeps what was loaded.
    """

    sample: Sample
    modalities: frozenset[Modality]
    media: Callable[[frozenset[Modality]], Media] = field(compare=False)

    @property
    def id(self) -> str:
        """Id of the clip."""
        return self.sample.id

    @property
    def has_frames(self) -> bool:
        """Whether the policy is shown frames of it."""
        return "frames" in self.modalities

    @property
    def has_audio(self) -> bool:
        """Whether the policy hears it."""
        return "audio" in self.modalities

    def frames(self) -> Array | None:
        """The frames, if it has any and they may be seen."""
        return self.media(frozenset({"frames"}))[0] if self.has_frames else None

    def audio(self) -> Array | None:
        """The sound, if it has any and it may be heard."""
        return self.media(frozenset({"audio"}))[1] if self.has_audio else None


def load_clips(source: Source, modalities: Iterable[Modality]) -> list[TrainingClip]:
    """Clips ``start`` to ``start + clips`` of a split, those with gold.

    Raises:
        OvmerError: the corpus is unknown, not imported, or has too few clips.
    """
    shown = frozenset(modalities)
    if source.corpus == generate.NAME:
        return _generated(source, shown)
    samples = _stored(source)
    if source.seed:
        random.Random(source.seed).shuffle(samples)
    end = None if source.clips is None else source.start + source.clips
    if end is not None and end > len(samples):
        raise OvmerError(
            f"{source.corpus} has {len(samples):,} clips with gold, not {end:,}",
            field="clips",
            accepted=f"at most {max(0, len(samples) - source.start):,} from {source.start:,} on",
        )
    return [_with_files(sample, shown) for sample in samples[source.start : end]]


def load_data(data: Data) -> Mapping[str, list[TrainingClip]]:
    """The clips of ``cold_start``, ``rl`` and ``held_out``.

    Raises:
        OvmerError: as :func:`load_clips`, or clips held out are trained on.
    """
    loaded = {
        name: load_clips(getattr(data, name), data.modalities)
        for name in ("cold_start", "rl", "held_out")
    }
    check_apart(
        loaded,
        "held_out",
        "are held out and trained on",
        "Choose another split, or other clips of it.",
    )
    return loaded


def check_apart(
    data: Mapping[str, Sequence[TrainingClip]], kept: str, problem: str, hint: str
) -> None:
    """No clip of ``data[kept]`` may be one of ``cold_start`` or ``rl``.

    Raises:
        OvmerError: saying ``problem`` of how many clips, and of one of them by id.
    """
    ids = {clip.id for clip in data[kept]}
    for name in ("cold_start", "rl"):
        shared = [clip.id for clip in data[name] if clip.id in ids]
        if shared:
            raise OvmerError(
                f"{len(shared)} clips {problem}, such as {shared[0]}",
                field=f"data.{name}",
                hint=hint,
            )


def clips_of(samples: Sequence[Sample], modalities: Iterable[Modality]) -> list[TrainingClip]:
    """Clips of a corpus that is scored, in its order."""
    shown = frozenset(modalities)
    return [
        _drawn(generate.clip_of(sample.id), shown)
        if sample.corpus == generate.NAME
        else _with_files(sample, shown)
        for sample in samples
    ]


def _generated(source: Source, shown: frozenset[Modality]) -> list[TrainingClip]:
    if source.clips is None:
        raise OvmerError(
            "a generated corpus has no last clip", field="clips", accepted="a number of clips"
        )
    return [
        _drawn(generate.make_clip(source.split, index, source.seed), shown)
        for index in range(source.start, source.start + source.clips)
    ]


def _drawn(made: generate.Clip, shown: frozenset[Modality]) -> TrainingClip:
    """The clip is drawn anew whenever it is looked at, or thousands would stay in memory."""
    split, index, seed = made.split, made.index, made.seed

    def draw(wanted: frozenset[Modality]) -> Media:
        clip = generate.make_clip(split, index, seed)
        return (
            clip.frames if "frames" in wanted else None,
            clip.audio if "audio" in wanted else None,
        )

    return TrainingClip(made.sample, shown, draw)


def _with_files(sample: Sample, shown: frozenset[Modality]) -> TrainingClip:
    """Files that were attached to the clip; what it has no file of is not shown."""
    pictures = bool(sample.media.get("frames") or sample.media.get("video"))
    sounds = bool(sample.media.get("audio") or sample.media.get("video"))
    there = {"subtitle": True, "frames": pictures, "audio": sounds}

    def load(wanted: frozenset[Modality]) -> Media:
        return (
            sample_frames(sample) if "frames" in wanted else None,
            sample_audio(sample) if "audio" in wanted else None,
        )

    return TrainingClip(sample, frozenset(name for name in shown if there[name]), load)


def _stored(source: Source) -> list[Sample]:
    if source.corpus.endswith(".jsonl"):
        samples = read_samples(source.corpus, split=source.split)
    else:
        corpus = load_corpus(source.corpus)
        if corpus.info.split != source.split:
            raise OvmerError(
                f"{source.corpus} has no split {source.split!r}",
                field="split",
                accepted=(corpus.info.split,),
            )
        samples = corpus.samples
    return [sample for sample in samples if sample.labels]
