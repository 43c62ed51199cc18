"""Answers of runs, kept beside the sources: from them anybody works out the page's numbers again,
in seconds and without the runs, and a study may be run in parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ovmer_bench import OvmerError
from ovmer_bench.files import read_bytes, written_whole
from ovmer_bench.reading.gzipped import gunzip, gzipped

from .plan import RunKey, StudyRun
from .results import Kept, Results

_MOST = 1 << 26


def kept_runs(
    results: Results | None, folder: Path, runs: Sequence[StudyRun]
) -> dict[RunKey, Kept]:
    """What is kept of runs.

    Args:
        results: of an earlier page; what each run took stands there.
        folder: of the answers.
        runs: all that are planned.

    Raises:
        OvmerError: a run was made with other settings than are planned now.
    """
    if results is None:
        return {}
    before = {(run.name, run.seed): run for run in results.runs}
    found = {}
    for run in runs:
        result, answers = before.get(run.key), _file(folder, run.key)
        if result is None or not answers.is_file():
            continue
        if result.settings != run.settings:
            raise OvmerError(
                f"holds the answers of {run.title} as trained with other settings",
                file=answers,
                hint="Remove the file and train it again, or go back to the settings of then.",
            )
        found[run.key] = Kept(result, answers)
    return found


def keep(answers: Mapping[RunKey, Path], folder: Path) -> None:
    """Write answers as gzipped prediction files, those that stand there as they are aside.

    Args:
        answers: run -> its prediction file.
        folder: where to.
    """
    for key, file in answers.items():
        target, content = _file(folder, key), read_bytes(file)
        # Compressors differ; what is the same when unpacked stays as it is.
        if target.is_file() and gunzip(read_bytes(target), _MOST, target) == content:
            continue
        with written_whole(target) as temporary:
            temporary.write_bytes(gzipped(content))


def _file(folder: Path, key: RunKey) -> Path:
    name, seed = key
    return folder / f"{name}-seed{seed}.jsonl.gz"
