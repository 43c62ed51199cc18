"""Tasks and tracks: the corpora of the registry as the board lists them."""

from __future__ import annotations

from collections.abc import Mapping

from ovmer_bench.corpora.registry import CORPORA, MER_UNIBENCH, CorpusInfo
from ovmer_bench.metrics.gold import Gold
from ovmer_bench.reports.text import TITLES

from .board import UNIBENCH, Clip, ScoreInfo, Task, Track
from .published import main_score
from .scoring import RANKED

_LEVELS = {"S1": 1, "S2": 2, "hit_rate": 1, "mscore": 1}
_TRACKS = (
    (
        "open",
        "Open vocabulary",
        "Any words for what a person feels, compared on five emotion wheels.",
    ),
    ("basic", "Basic emotions", "One gold word a clip: is its sector among the answers?"),
    ("sentiment", "Sentiment", "Is the person's feeling positive or negative?"),
    (UNIBENCH, "MER-UniBench", "The mean of nine corpora; only for systems that cover all nine."),
)


def tasks(gold: Mapping[str, Gold]) -> tuple[Task, ...]:
    """Every corpus that is tested on, and the mean of nine.

    Args:
        gold: of the corpora on this machine, by name.
    """
    tested = (info for info in CORPORA.values() if info.split != "train")
    return (*(_task(info, gold.get(info.name)) for info in tested), _unibench())


def tracks(listed: tuple[Task, ...]) -> tuple[Track, ...]:
    """The tracks with the names of their tasks."""
    return tuple(
        Track(name, title, text, tuple(task.name for task in listed if task.track == name))
        for name, title, text in _TRACKS
    )


def _task(info: CorpusInfo, gold: Gold | None) -> Task:
    names = (info.main_score, *(s for s in RANKED[info.kind] if s != info.main_score))
    shown = gold is not None and info.embedded
    return Task(
        name=info.name,
        title=info.title,
        track=info.kind,
        n=info.n,
        main=info.main_score,
        scores=tuple(ScoreInfo(name, TITLES[name], _LEVELS.get(name)) for name in names),
        language=info.language,
        split=info.split,
        licence=info.licence,
        paper=info.paper,
        published=info.published,
        embedded=info.embedded,
        gold_at_hand=gold is not None,
        corpus_sha256=None if gold is None else gold.sha256,
        clips=_clips(gold) if gold is not None and shown else (),
    )


def _unibench() -> Task:
    return Task(
        name=UNIBENCH,
        title="MER-UniBench, mean of nine",
        track=UNIBENCH,
        n=sum(CORPORA[name].n for name in MER_UNIBENCH),
        main=main_score(UNIBENCH),
        scores=(ScoreInfo(main_score(UNIBENCH), "mean of the nine main scores"),),
        paper=CORPORA["ovmerdplus"].paper,
        parts=MER_UNIBENCH,
    )


def _clips(gold: Gold) -> tuple[Clip, ...]:
    return tuple(
        Clip(sample.id, tuple(labels), dict(sample.subtitle), dict(sample.clues))
        for sample, labels in zip(gold.samples, gold.labels, strict=True)
    )
