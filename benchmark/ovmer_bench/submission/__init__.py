"""A submission: predictions and where they come from. Numbers are never part of it.

A submission is a folder::

    NAME/meta.yaml                  provenance (submission_meta)
    NAME/predictions/CORPUS.jsonl   one object a line: id, and labels or output; where that is
                                    long, CORPUS.jsonl.gz
    NAME/reports/CORPUS.LEXICON.json  score reports, where gold may not be shared

:func:`read_submission` reads one, :func:`check_submission` also holds its predictions against
the corpora on this machine. ``submission_pack`` makes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..corpora.registry import CORPORA
from ..corpora.store import imported
from ..errors import InputError, OvmerError, did_you_mean
from ..folders import unfinished
from ..reading.readers import PredictionFile, read_predictions
from ..reading.schema import PREDICTION_FIELDS
from .meta import META_FILE, SubmissionMeta, read_meta
from .safety import MAX_FILE, check_distinct, check_name, plain_files

PREDICTIONS = "predictions"
REPORTS = "reports"
UNFINISHED = ".ovmer-"
"""Folders whose name begins so were being written when their writer was stopped."""
BESIDE = ("README.md",)
"""Files that may stand beside the submissions."""

_REPORT_NAME = re.compile(r"(?P<task>[a-z0-9_]+)\.(?P<lexicon>[a-z0-9][a-z0-9-]*)\.json")
_ABSOLUTE = re.compile(r"/|\\|~|[A-Za-z]:[/\\]|file:", re.IGNORECASE)


@dataclass(frozen=True)
class Submission:
    """A submission as read.

    Attributes:
        name: of its folder.
        meta: its provenance.
        predictions: by corpus, in registry order.
        reports: score reports by corpus and lexicon id; not read, and believed only where
            somebody signed them off.
    """

    name: str
    folder: Path
    meta: SubmissionMeta
    predictions: Mapping[str, PredictionFile]
    reports: Mapping[tuple[str, str], Path]


@dataclass(frozen=True)
class TaskCheck:
    """What was checked of one corpus; ``against_gold`` is false where only counts could be."""

    task: str
    clips: int
    against_gold: bool


def read_submission(folder: str | Path) -> Submission:
    """Read a submission and check everything that needs no gold.

    Raises:
        InputError: naming file, line and field: a name or a file that does not belong there, a
            link, a file over the limit, wrong provenance, wrong predictions.
    """
    folder = Path(folder)
    name = check_name(folder.name, file=folder)
    meta_file: Path | None = None
    found: dict[str, Path] = {}
    reports: dict[tuple[str, str], Path] = {}
    for place, path in plain_files(folder).items():
        match place.parts:
            case ("meta.yaml",):
                meta_file = path
            case ("predictions", file) if file.endswith((".jsonl", ".jsonl.gz")):
                task = _corpus(file.removesuffix(".gz").removesuffix(".jsonl"), path)
                if task in found:
                    raise InputError(f"a second file for {task}", file=path)
                found[task] = path
            case ("reports", file) if match := _REPORT_NAME.fullmatch(file):
                reports[_corpus(match["task"], path), match["lexicon"]] = path
            case _:
                _refuse_place(place, path)
    if meta_file is None:
        raise InputError("missing", file=folder / META_FILE, hint="Write down its provenance.")
    if not found:
        raise InputError(
            "holds no predictions", file=folder, accepted=f"{PREDICTIONS}/CORPUS.jsonl"
        )
    return Submission(
        name=name,
        folder=folder,
        meta=read_meta(meta_file),
        predictions={task: _predictions(found[task]) for task in CORPORA if task in found},
        reports=reports,
    )


def check_submission(submission: Submission) -> list[TaskCheck]:
    """Hold the predictions against the corpora: every clip once, no other clip.

    Where gold is not on this machine, the number of clips is checked.

    Raises:
        InputError: naming file and line: unknown, missing or too few clips.
    """
    return [check_clips(task, file) for task, file in submission.predictions.items()]


def check_clips(task: str, predictions: PredictionFile) -> TaskCheck:
    """Hold one file against its corpus, as :func:`check_submission` does with all."""
    info, n, missing = CORPORA[task], len(predictions.predictions), ""
    against_gold = has_gold(task)
    if against_gold:
        from ..metrics.gold import as_gold
        from ..metrics.scoring import evaluate, first_few

        gold = as_gold(task)
        evaluate(predictions, gold, allow_missing=True)
        said = {prediction.id for prediction in predictions.predictions}
        if left := [clip for clip in gold.ids if clip not in said]:
            missing = f"no prediction for {len(left):,} of {len(gold):,} clips: {first_few(left)}"
    elif n != info.n:
        missing = f"holds {n:,} clips where {info.title} has {info.n:,}"
    if missing:
        raise InputError(
            missing,
            file=predictions.path,
            hint="Predict every clip; an empty answer is an empty list of labels.",
        )
    return TaskCheck(task, n, against_gold)


def has_gold(task: str) -> bool:
    """Whether the gold of a corpus is on this machine."""
    return CORPORA[task].embedded or task in imported()


def submission_folders(folder: str | Path) -> Iterator[Path]:
    """Folders of the submissions in ``folder``, by name; unfinished ones are passed over.

    Raises:
        InputError: a link, a stray file, names that differ only by case, or a submission that
            stepped aside for one that never came.
    """
    folder = Path(folder)
    if folder.is_symlink() or not folder.is_dir():
        raise InputError("is no folder", file=folder, accepted="a folder with submissions")
    for aside in unfinished(folder, UNFINISHED):
        raise InputError(
            f"was being replaced when that was stopped, and stands in {aside.parent}",
            file=folder / aside.name,
            hint="The next ovmer submit to this folder puts it back.",
        )
    entries = sorted(folder.iterdir(), key=lambda path: path.name)
    entries = [path for path in entries if not path.name.startswith(UNFINISHED)]
    check_distinct([path.name for path in entries], folder)
    for path in entries:
        if path.is_symlink():
            raise InputError("is a link", file=path, accepted="a folder")
        if path.is_dir():
            yield path
        elif path.name not in BESIDE:
            raise InputError("does not belong among submissions", file=path)


def check_folder(folder: str | Path) -> Iterator[tuple[Path, list[TaskCheck] | OvmerError]]:
    """Check one submission, or every submission of a folder: what was checked, or what is wrong."""
    folder = Path(folder).absolute()
    is_one = (folder / META_FILE).is_file() or (folder / PREDICTIONS).is_dir()
    for path in [folder] if is_one else submission_folders(folder):
        try:
            yield path, check_submission(read_submission(path))
        except OvmerError as error:
            yield path, error


def task_called(name: str) -> str | None:
    """The corpus that a file or task name stands for: its own, or one that begins with it.

    ``mer_unibench_meld`` is ``meld``, ``ovmer_scenes_clues_think`` is ``ovmer_scenes``.
    """
    asked = name.lower().removeprefix("mer_unibench_")
    spellings = {s: info.name for info in CORPORA.values() for s in (info.name, *info.aliases)}
    if asked in spellings:
        return spellings[asked]
    fitting = [s for s in spellings if asked.startswith(s) and asked[len(s)] in "_-."]
    return spellings[max(fitting, key=len)] if fitting else None


def _corpus(name: str, path: Path) -> str:
    if name not in CORPORA:
        raise InputError(
            f"{name[:80]!r} is no corpus",
            file=path,
            accepted=CORPORA,
            hint=did_you_mean(name, CORPORA) or "Run: ovmer data list",
        )
    return name


def _refuse_place(place: PurePosixPath, path: Path) -> None:
    raise InputError(
        f"{str(place)[:120]!r} does not belong in a submission",
        file=path,
        accepted=f"{META_FILE}, {PREDICTIONS}/CORPUS.jsonl, {REPORTS}/CORPUS.LEXICON.json",
        hint="Let ovmer submit write the folder.",
    )


def _predictions(path: Path) -> PredictionFile:
    """A packed prediction file: JSON Lines of nothing but id and labels or output."""
    predictions = read_predictions(path, unpacked=MAX_FILE)
    for line, prediction in zip(predictions.lines, predictions.predictions, strict=True):
        if predictions.format != "jsonl" or prediction.extra:
            raise InputError(
                f"holds {', '.join(sorted(prediction.extra))}"
                if prediction.extra
                else f"is of format {predictions.format}",
                file=path,
                line=line,
                accepted=f"nothing but {', '.join(PREDICTION_FIELDS)}",
                hint="Let ovmer submit write the folder: it drops prompts, gold and paths.",
            )
        check_clip_id(prediction.id, path, line)
    return predictions


def check_clip_id(clip: str, path: Path, line: int | None) -> None:
    """Refuse the path of a file where the id of a clip should stand."""
    if _ABSOLUTE.match(clip):
        raise InputError(
            f"{clip[:80]!r} is the path of a file", file=path, line=line, field="id",
            accepted="the id of a clip",
        )  # fmt: skip
