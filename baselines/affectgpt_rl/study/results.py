"""All numbers of a study in one place: collected from the run folders, kept as JSON.

The page is a function of these results and nothing else, so that it can be made again from the
file beside it, without the runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ovmer_bench import OvmerError
from ovmer_bench.files import read_text
from ovmer_bench.metrics.score_report import rounded
from ovmer_bench.reading.readers import read_predictions

from ..runs.environment import versions
from ..runs.metric_names import HELD_OUT_LOSS, SHIFTED_LOSS
from .comparisons import Difference, Key, differences
from .config import Question, Score, StudyConfig
from .jobs import Cost, costs
from .plan import RunKey, StudyRun
from .scores import RunMeasure, TaskGold, measure_of, values_of

RESULTS_SCHEMA_VERSION = 2
_DIGITS = 6


@dataclass(frozen=True)
class RunResult:
    """One run that is done.

    Attributes:
        name, seed: which.
        settings: hash of all settings, see :attr:`.plan.StudyRun.settings`.
        scores: what was measured.
        steps: updates of its last stage.
        passes: rows through the policy, see :meth:`.plan.StudyRun.passes`.
        seconds, cpu_seconds: of its processes; ``None``: not measured.
        stopped: why a guard ended it early, or ``None``.
        best_step, best_loss: of supervised training: where the held-out loss was lowest.
        last_step: of supervised training: where it was looked at last.
    """

    name: str
    seed: int
    settings: str
    scores: Mapping[Score, float]
    steps: int
    passes: int
    seconds: float | None
    cpu_seconds: float | None
    stopped: str | None
    best_step: int | None
    best_loss: float | None
    last_step: int | None


@dataclass(frozen=True)
class Kept:
    """What is left of a run whose folder is not here.

    Attributes:
        result: what it took, and what was measured.
        answers: its prediction file.
    """

    result: RunResult
    answers: Path


@dataclass(frozen=True)
class Shown:
    """An answer that the page shows.

    Attributes:
        name: of the arm.
        clip: which clip.
        gold: its labels.
        text: what the policy said.
    """

    name: str
    clip: str
    gold: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Results:
    """What a study found.

    Attributes:
        study: its configuration, rules of judgement included.
        planned: how many runs it has.
        runs: those that are done.
        differences: comparisons of arms that have all their runs.
        samples: answers of the first seed to the first clip.
        clips: of the task.
        draws: of bootstrap and randomisation.
        versions: of the packages that it was made with.
    """

    study: StudyConfig
    planned: int
    runs: tuple[RunResult, ...]
    differences: tuple[Difference, ...]
    samples: tuple[Shown, ...]
    clips: int
    draws: int
    versions: Mapping[str, str]

    def of(self, name: str) -> list[RunResult]:
        """The runs of an arm that are done, in the order of the seeds."""
        return [run for run in self.runs if run.name == name]

    @property
    def known(self) -> dict[Key, Difference]:
        """(more, less, score) -> difference."""
        return {(d.more, d.less, d.score): d for d in self.differences}

    def to_json(self) -> str:
        """Deterministic JSON text."""
        data = {
            "schema_version": RESULTS_SCHEMA_VERSION,
            "study": self.study.model_dump(mode="json"),
            "planned": self.planned,
            "clips": self.clips,
            "draws": self.draws,
            "versions": dict(self.versions),
            "runs": [asdict(run) for run in self.runs],
            "differences": [asdict(one) for one in self.differences],
            "samples": [asdict(one) for one in self.samples],
        }
        return (
            json.dumps(rounded(data, _DIGITS), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        )

    @classmethod
    def read(cls, path: Path) -> Results:
        """What :meth:`to_json` wrote, from a file.

        Raises:
            OvmerError: something else, or of another version.
        """
        try:
            return cls.parse(read_text(path))
        except OvmerError as error:
            error.file = str(path)
            raise

    @classmethod
    def parse(cls, text: str) -> Results:
        """The inverse of :meth:`to_json`; errors as of :meth:`read`."""
        try:
            data = json.loads(text)
            version = data["schema_version"]
            if version != RESULTS_SCHEMA_VERSION:
                raise OvmerError(
                    f"schema_version is {version!r}", accepted=str(RESULTS_SCHEMA_VERSION)
                )
            lists: dict[str, Any] = {
                "runs": tuple(RunResult(**run) for run in data["runs"]),
                "differences": tuple(
                    Difference(**{**one, "by_seed": tuple(one["by_seed"])})
                    for one in data["differences"]
                ),
                "samples": tuple(
                    Shown(**{**one, "gold": tuple(one["gold"])}) for one in data["samples"]
                ),
            }
            study = StudyConfig.model_validate(data["study"])
            plain: dict[str, Any] = {
                name: data[name] for name in ("planned", "clips", "draws", "versions")
            }
            return cls(study=study, **lists, **plain)
        except (ValueError, KeyError, TypeError) as error:
            raise OvmerError(f"holds no results of a study: {error}") from None


def collect(
    study: StudyConfig,
    runs: Sequence[StudyRun],
    answers: Mapping[RunKey, Path],
    kept: Mapping[RunKey, Kept],
    *,
    draws: int,
) -> Results:
    """Score the answers that there are, and compare what is complete.

    Args:
        study: the study.
        runs: all that are planned.
        answers: run -> its prediction file, of those that are done.
        kept: what is left of the runs that are not done here.
        draws: of bootstrap and randomisation.

    Raises:
        OvmerError: a folder or a prediction file cannot be read.
    """
    took = costs(Path(study.output))
    found: list[Kept] = []
    for run in runs:
        if run.key in answers:
            found.append(Kept(_result(run, took), answers[run.key]))
        elif run.key in kept:
            found.append(kept[run.key])
    # Reading the golds draws all clips, which a study that has just begun does not need.
    gold = _gold_of(runs[0]) if found else None
    made: dict[RunKey, RunMeasure] = {}
    results = []
    for one in found:
        if gold is None:
            continue
        measure = measure_of(one.answers, gold)
        made[one.result.name, one.result.seed] = measure
        results.append(replace(one.result, scores=values_of(measure)))
    complete = {
        name: [made[name, seed] for seed in study.seeds]
        for name in study.trained
        if all((name, seed) in made for seed in study.seeds)
    }
    return Results(
        study=study,
        planned=len(runs),
        runs=tuple(results),
        differences=tuple(differences(wanted(study), complete, draws=draws)),
        samples=tuple(_samples(study, found, gold)),
        clips=0 if gold is None else len(gold.samples),
        draws=draws,
        versions=versions(),
    )


def wanted(study: StudyConfig) -> list[Key]:
    """Every comparison of tables and claims."""
    keys: list[Key] = []
    for question in study.questions:
        keys += [
            (name, other, question.scores[0])
            for name in question.arms
            if (other := against(study, question, name)) is not None
        ]
        keys += [(p.more, p.less, p.score) for claim in question.claims for p in claim.pairs]
    return list(dict.fromkeys(keys))


def against(study: StudyConfig, question: Question, name: str) -> str | None:
    """What a row of a table is compared with."""
    other = question.against or study.beginning_of(name)
    return None if other == name else other


def _gold_of(run: StudyRun) -> TaskGold:
    return TaskGold.of(run.config.evaluation.task or "", run.config.lexicon)


def _result(run: StudyRun, took: Mapping[RunKey, Cost]) -> RunResult:
    """What the folder of a run says of it; it is not scored yet."""
    stage = run.folder.facts()["stages"].get(run.stage, {})
    verdict = stage.get("verdict")
    cost = took.get(run.key)
    losses = {
        row["step"]: row[HELD_OUT_LOSS]
        for row in run.folder.metrics("sft")
        if row.get(HELD_OUT_LOSS) is not None and SHIFTED_LOSS not in row
    }
    rows = run.folder.metrics(run.stage)
    steps = int(stage.get("step") or max((row["step"] for row in rows), default=0))
    best = min(losses, key=lambda step: losses[step]) if losses else None
    return RunResult(
        name=run.name,
        seed=run.seed,
        settings=run.settings,
        scores={},
        steps=steps,
        passes=run.passes(steps),
        seconds=cost.seconds if cost else None,
        cpu_seconds=cost.cpu_seconds if cost else None,
        stopped=None if verdict is None else str(verdict["guard"]),
        best_step=best,
        best_loss=None if best is None else losses[best],
        last_step=max(losses, default=None),
    )


def _samples(study: StudyConfig, found: Sequence[Kept], gold: TaskGold | None) -> list[Shown]:
    asked = {name for question in study.questions if question.sample for name in question.arms}
    shown = []
    for one in found:
        name, seed = one.result.name, one.result.seed
        if gold is not None and name in asked and seed == study.seeds[0]:
            clip = gold.samples[0]
            said = {p.id: p.output or "" for p in read_predictions(one.answers).predictions}
            shown.append(Shown(name, clip.id, tuple(clip.labels or ()), said[clip.id]))
    return shown
