"""One clip scored by hand, for the page that explains a task."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ovmer_bench.lexicon import Lexicon, load_lexicon

from .board import Answer, Board, Clip, System, Table


@dataclass(frozen=True)
class OnWheel:
    """Both sides of a clip as level-1 sectors of one wheel; ``f`` is ``None`` without gold."""

    number: int
    name: str
    gold: tuple[str, ...]
    said: tuple[str, ...]
    common: tuple[str, ...]
    f: float | None


@dataclass(frozen=True)
class Example:
    """A clip, an answer to it, and how the answer's score comes about.

    Attributes:
        lost: labels of either side that stand on no wheel.
        f: mean F over the wheels on which gold stands, as in the tables of clips.
    """

    clip: Clip
    system: System
    lexicon: str
    labels: tuple[str, ...]
    wheels: tuple[OnWheel, ...]
    lost: tuple[str, ...]
    f: float


def worked_example(board: Board, table: Table) -> Example | None:
    """The most telling clip of the best system of ``table``: neither all right nor all wrong.

    ``None`` where clips are not ours to show or gold is not words.
    """
    task = board.task(table.task)
    best = table.best
    result = board.result(best.system, task.name, table.lexicon) if best else None
    if best is None or result is None or not result.answers:
        return None
    clips = {clip.id: clip for clip in task.clips}
    lexicon = load_lexicon(table.lexicon)
    found = [
        _example(clips[answer.clip], answer, board.system(best.system), lexicon)
        for answer in sorted(result.answers, key=_dullness)[:20]
        if answer.clip in clips
    ]
    # Of the clips near the middle, one on which the wheels disagree.
    return max(found, key=lambda e: (len({w.f for w in e.wheels}), e.clip.id), default=None)


def _dullness(answer: Answer) -> tuple[float, int, str]:
    middle = 1.0 if answer.f is None or answer.more else abs(answer.f - 0.5)
    return round(middle, 1), abs(len(answer.labels) - 3), answer.clip


def _example(clip: Clip, answer: Answer, system: System, lexicon: Lexicon) -> Example:
    wheels = []
    for number, wheel in enumerate(lexicon.wheels, start=1):
        gold, said = (_sectors(side, number, lexicon) for side in (clip.gold, answer.labels))
        common = tuple(name for name in gold if name in said)
        f = 2 * len(common) / (len(gold) + len(said)) if gold else None
        wheels.append(OnWheel(number, wheel.name, gold, said, common, f))
    known = [wheel.f for wheel in wheels if wheel.f is not None]
    lost = [
        label
        for label in dict.fromkeys((*clip.gold, *answer.labels))
        if not any(level1 for level1, _ in lexicon.lookup(label.strip().lower()).sectors)
    ]
    mean = sum(known) / len(known) if known else 0.0
    return Example(clip, system, lexicon.id, answer.labels, tuple(wheels), tuple(lost), mean)


def _sectors(labels: Iterable[str], wheel: int, lexicon: Lexicon) -> tuple[str, ...]:
    """Level-1 sectors of the labels, in printed order."""
    found = {lexicon.lookup(label.strip().lower()).sectors[wheel - 1][0] for label in labels}
    return tuple(name for name in lexicon.sectors(wheel, 1) if name in found)
