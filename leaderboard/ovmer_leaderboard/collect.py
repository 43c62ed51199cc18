"""Submissions, signed-off reports and published rows -> the board."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovmer_bench import __version__
from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.lexicon import BUILTIN_ID, Lexicon, load_lexicon
from ovmer_bench.lexicon.releases import RELEASES
from ovmer_bench.lexicon.upstream import installed_ids
from ovmer_bench.metrics.gold import Gold, as_gold
from ovmer_bench.metrics.significance import DEFAULT_DRAWS, DEFAULT_SEED
from ovmer_bench.submission import Submission, has_gold, read_submission, submission_folders
from ovmer_bench.submission.safety import harmless

from .board import Board, Result, System
from .changes import CHANGES, changes
from .published import Published, published
from .scoring import Scored, is_raw, lexicon_info, result_of, score_now
from .signed_off import LEDGER, Ledger
from .tables import tables
from .tasks import tasks, tracks


@dataclass(frozen=True)
class _Bench:
    """What everything is scored with."""

    gold: Mapping[str, Gold]
    lexicons: Sequence[Lexicon]
    known: Sequence[str]
    ledger: Ledger
    raw_tasks: frozenset[str]
    draws: int
    seed: int


def collect(
    submissions: str | Path,
    *,
    lexicons: Sequence[str] | None = None,
    signed: Path | None = None,
    changes_file: Path | None = None,
    with_published: bool = True,
    draws: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
) -> Board:
    """The board of all submissions in a folder.

    Args:
        submissions: folder of submissions.
        lexicons: ids; default: the built-in one and the official ones that are installed.
        signed: ledger of signed-off reports; default: ``signed-off.txt`` beside the folder.
        changes_file: feed entries; default: ``changes.yaml`` beside the folder.
        with_published: whether to show rows that papers report.
        draws, seed: of the bootstrap.

    Raises:
        InputError: a submission that ``ovmer submit --check`` refuses, naming file and line.
        LexiconError, CorpusError: not to be had, or damaged.
    """
    folder = Path(submissions).absolute()
    read = [read_submission(path) for path in submission_folders(folder)]
    bench = _bench(read, lexicons, signed or folder.parent / LEDGER, draws, seed)
    scored: list[Scored] = []
    systems: list[System] = []
    for submission in read:
        reasons: dict[str, str] = {}
        scored += _scored(submission, bench, reasons)
        systems.append(_system(submission, reasons))
    papers = published() if with_published else ()
    return _assembled(bench, systems, scored, papers, read, changes_file or folder.parent / CHANGES)


def _bench(
    read: Sequence[Submission],
    lexicons: Sequence[str] | None,
    ledger: Path,
    draws: int,
    seed: int,
) -> _Bench:
    if lexicons is None:
        installed = installed_ids()
        lexicons = (BUILTIN_ID, *(name for name in RELEASES if name in installed))
    shown = {name for name, info in CORPORA.items() if info.embedded}
    asked = shown | {task for submission in read for task in submission.predictions}
    loaded = [load_lexicon(name) for name in lexicons]
    signed = {lexicon for submission in read for _, lexicon in submission.reports}
    raw = (task for s in read for task, file in s.predictions.items() if is_raw(file))
    return _Bench(
        gold={task: as_gold(task) for task in CORPORA if task in asked and has_gold(task)},
        lexicons=loaded,
        known=(*lexicons, *sorted(signed - set(lexicons))),
        ledger=Ledger(ledger),
        raw_tasks=frozenset(raw),
        draws=draws,
        seed=seed,
    )


def _assembled(
    bench: _Bench,
    systems: Sequence[System],
    scored: Sequence[Scored],
    papers: Sequence[Published],
    read: Sequence[Submission],
    changes_file: Path,
) -> Board:
    listed = tasks(bench.gold)
    order = {task.name: i for i, task in enumerate(listed)}
    reported = [result for paper in papers for result in paper.results]
    everyone = sorted(
        [*systems, *(paper.system for paper in papers)],
        key=lambda system: (system.title.casefold(), system.name),
    )
    by_name = {system.name: system for system in everyone}
    used = [name for name in bench.known if any(s.result.lexicon == name for s in scored)]

    def place(result: Result) -> tuple[int, int, str, bool]:
        lexicon = used.index(result.lexicon) if result.lexicon in used else len(used)
        return order[result.task], lexicon, result.system, not result.native

    return Board(
        version=__version__,
        tracks=tracks(listed),
        tasks=listed,
        lexicons=tuple(lexicon_info(lexicon) for lexicon in bench.lexicons),
        systems=tuple(everyone),
        results=tuple(sorted([*(s.result for s in scored), *reported], key=place)),
        tables=tables(listed, used, by_name, scored, reported),
        changes=changes(read, changes_file),
    )


def _scored(submission: Submission, bench: _Bench, reasons: dict[str, str]) -> Iterator[Scored]:
    """All results of a submission; ``reasons`` gains the tasks that have none."""
    for task, predictions in submission.predictions.items():
        found = False
        gold = bench.gold.get(task)
        here = {lexicon.id: lexicon for lexicon in bench.lexicons} if gold is not None else {}
        for name in bench.known:
            if gold is not None and name in here:
                for native in (True, False) if _both_ways(submission, task, bench) else (True,):
                    one = score_now(
                        submission.name,
                        predictions,
                        gold,
                        here[name],
                        embedded=CORPORA[task].embedded,
                        native=native,
                        draws=bench.draws,
                        seed=bench.seed,
                    )
                    if one is not None:
                        found = True
                        yield one
                continue
            report = bench.ledger.report(submission, task, name)
            if isinstance(report, str):
                reasons.setdefault(task, report)
            elif report.lexicon == name:
                found = True
                yield Scored(result_of(report, submission.name, "verified"), report)
        if found:
            reasons.pop(task, None)


def _both_ways(submission: Submission, task: str, bench: _Bench) -> bool:
    """Whether label lists must also be read as text, to stand beside raw answers."""
    return task in bench.raw_tasks and not is_raw(submission.predictions[task])


def _system(submission: Submission, reasons: Mapping[str, str]) -> System:
    meta = submission.meta
    return System(
        name=submission.name,
        title=harmless(meta.title),
        role=meta.kind,
        model=meta.model,
        size=None if meta.size in ("none", "unknown") else meta.size,
        parameters=meta.parameters,
        modalities=meta.modalities,
        training_data=meta.training_data,
        checkpoint_chosen_on_test=meta.checkpoint_chosen_on_test,
        code=meta.code,
        paper=meta.paper,
        command=meta.command,
        decoding=meta.decoding,
        licence=meta.licence,
        date=meta.date,
        authors=meta.authors,
        notes=meta.notes,
        unscored=tuple(reasons.items()),
    )
