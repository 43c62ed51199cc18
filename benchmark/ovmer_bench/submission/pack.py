"""Making a submission: prediction files in any format in, one checked folder out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..corpora.registry import CORPORA
from ..errors import InputError, did_you_mean
from ..folders import clear_unfinished, folder_written_whole
from ..reading.gzipped import SUFFIX as GZIP
from ..reading.gzipped import gzipped
from ..reading.readers import read_predictions
from ..reading.schema import Prediction
from . import (
    PREDICTIONS,
    UNFINISHED,
    Submission,
    TaskCheck,
    check_clip_id,
    check_clips,
    read_submission,
    task_called,
)
from .meta import META_FILE, SubmissionMeta, read_meta
from .safety import MAX_FILE, MAX_INPUT, check_distinct, check_name, check_plain_file, plain_files

SUFFIXES = (".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".csv", ".npz")
LONG = 256 * 2**10
"""Bytes of predictions from which on they are compressed."""
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_LM_EVAL = re.compile(r"samples_(.+?)_\d{4}-\d{2}-\d{2}T[\d.:-]+")


def prediction_files(given: Sequence[str | Path]) -> dict[str, Path]:
    """The prediction file of each corpus among what was given.

    Args:
        given: files named after their corpus (``ovmer_scenes.jsonl``, the harness's
            ``samples_ovmer_scenes_clues_*.jsonl``), folders of such files, or ``CORPUS=FILE``.

    Raises:
        InputError: a file whose corpus is not clear, two for one corpus, a link, an archive.
    """
    found: dict[str, Path] = {}
    for item in given:
        for task, path in _named(item):
            if task in found:
                raise InputError(
                    f"a second file for {task}, after {found[task]}",
                    file=path,
                    hint="One submission answers each clip once; send the other as its own.",
                )
            found[task] = path
    if not found:
        raise InputError("no prediction file was given", accepted=", ".join(SUFFIXES))
    return {task: found[task] for task in CORPORA if task in found}


def pack(
    name: str,
    predictions: Sequence[str | Path],
    meta: str | Path,
    to: str | Path,
    *,
    replace: bool = False,
) -> tuple[Submission, list[TaskCheck]]:
    """Write the submission ``name`` below the folder ``to``, whole or not at all.

    Of every prediction only the clip's id and the answer are kept: prompts, gold, paths and
    whatever else a log carries stay behind.

    Args:
        predictions: as :func:`prediction_files` takes them.
        meta: the file with the provenance.
        replace: put it in the place of an earlier submission of that name.

    Raises:
        InputError: as :func:`~.read_submission` and
            :func:`~.check_submission`, or ``name`` is taken.
    """
    target = Path(to) / check_name(name)
    try:
        if target.parent.is_dir():
            clear_unfinished(target.parent, UNFINISHED)
        if not replace and target.exists():
            raise InputError("exists already", file=target, hint="Add --replace, or name it anew.")
        provenance = read_meta(Path(meta))
        files = prediction_files(predictions)
        target.parent.mkdir(parents=True, exist_ok=True)
        check_distinct([name, *_others(target)], target.parent)
        with folder_written_whole(target, UNFINISHED) as made:
            checks = _write(made, provenance, files)
            read_submission(made)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", file=target, hint="Give another folder --to."
        ) from None
    return read_submission(target), checks


def _named(item: str | Path) -> Iterable[tuple[str, Path]]:
    head, equals, tail = str(item).partition("=")
    if equals and (task := task_called(head)) and tail:
        check_plain_file(Path(tail), MAX_INPUT)
        return [(task, Path(tail))]
    path = Path(item)
    if equals and Path(tail).is_file() and not path.exists():
        raise InputError(
            f"no corpus is called {head[:80]!r}",
            file=tail,
            accepted=CORPORA,
            hint=did_you_mean(head, CORPORA) or "Run: ovmer data list",
        )
    if path.is_dir():
        files = plain_files(path, most=MAX_INPUT).values()
        return [(_task_of(file), file) for file in files if not _is_summary(file)]
    check_plain_file(path, MAX_INPUT)
    return [(_task_of(path), path)]


def _is_summary(path: Path) -> bool:
    """The harness's own scores stand beside its samples; numbers are not submitted."""
    return path.name.startswith("results") and path.suffix == ".json"


def _task_of(path: Path) -> str:
    suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
    if suffix is None:
        if path.suffix.lower() in _ARCHIVES:
            raise InputError("is an archive", file=path, hint="Unpack it and give the folder.")
        raise InputError("is no prediction file", file=path, accepted=SUFFIXES)
    stem = path.name[: -len(suffix)]
    match = _LM_EVAL.fullmatch(stem)
    task = task_called(match[1] if match else stem)
    if task is None:
        raise InputError(
            f"no corpus is called {stem[:80]!r}",
            file=path,
            accepted=CORPORA,
            hint=f"Rename the file, or give it as CORPUS={path.name}",
        )
    return task


def _others(target: Path) -> list[str]:
    names = [path.name for path in target.parent.iterdir()]
    return [name for name in names if name != target.name and not name.startswith(UNFINISHED)]


def _write(folder: Path, meta: SubmissionMeta, files: dict[str, Path]) -> list[TaskCheck]:
    """Write the files of a submission; what is wrong is told of the file that was given."""
    (folder / PREDICTIONS).mkdir()
    _write_text(folder / META_FILE, meta.to_yaml())
    checks = []
    for task, source in files.items():
        read = read_predictions(source)
        for line, prediction in zip(read.lines, read.predictions, strict=True):
            check_clip_id(prediction.id, source, line)
        checks.append(check_clips(task, read))
        ordered = sorted(read.predictions, key=lambda prediction: prediction.id)
        data = "".join(_line(prediction) for prediction in ordered).encode("utf-8")
        if len(data) > MAX_FILE:
            raise InputError(
                f"its ids and answers alone have {len(data):,} bytes",
                file=source,
                accepted=f"at most {MAX_FILE:,} bytes",
            )
        _write_predictions(folder / PREDICTIONS / f"{task}.jsonl", data)
    return checks


def _write_predictions(path: Path, data: bytes) -> None:
    """Write predictions, compressed where they are long."""
    if len(data) < LONG:
        path.write_bytes(data)
    else:
        path.with_name(path.name + GZIP).write_bytes(gzipped(data))


def _line(prediction: Prediction) -> str:
    bare = Prediction(prediction.id, prediction.labels, prediction.output)
    return json.dumps(bare.to_dict(), ensure_ascii=False, allow_nan=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
