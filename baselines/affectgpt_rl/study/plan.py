"""The runs of a study: which there are, with what settings, and which wait for which."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from ovmer_bench import OvmerError
from ovmer_bench.errors import did_you_mean

from ..config import RunConfig, dump_config, load_config
from ..runs.folder import RunFolder
from .config import Arm, StudyConfig, of_grpo

Stage = Literal["sft", "rl"]
RunKey = tuple[str, int]
"""Name and seed."""

FORWARD, BACKWARD = 1, 2
"""Cost of taking a row (prompt and answer) once through the policy."""


@dataclass(frozen=True)
class StudyRun:
    """One training of the study.

    Attributes:
        name: of the arm or cold start; with ``seed`` it names the run.
        seed: of everything random in it.
        stage: what it ends with.
        config: all settings.
        needs: name of the cold start that must be there first, of the same seed.
        also: where the answers of a cold start stand, too: GRPO asks before it begins, so that
            nobody needs to ask a cold start on which an arm is built.
    """

    name: str
    seed: int
    stage: Stage
    config: RunConfig
    needs: str | None
    also: tuple[Path, ...]

    @property
    def title(self) -> str:
        """How it is spoken of."""
        return f"{self.name} seed {self.seed}"

    @property
    def key(self) -> RunKey:
        """What tells it from the others."""
        return self.name, self.seed

    @property
    def settings(self) -> str:
        """Hash of all settings: runs of one hash are runs of the same thing."""
        return hashlib.sha256(dump_config(self.config).encode("utf-8")).hexdigest()[:16]

    @property
    def folder(self) -> RunFolder:
        """Its run folder."""
        return RunFolder(self.config.output)

    @property
    def final(self) -> Path:
        """The trained policy."""
        return self.folder.final_dir(self.stage)

    @property
    def predictions(self) -> Path:
        """Its answers to the task."""
        own = self.folder.predictions_file("final")
        return next((file for file in (own, *self.also) if file.is_file()), own)

    def to_be_asked(self) -> bool:
        """Whether nobody has asked the trained policy, nor will."""
        return not self.also and not self.predictions.is_file()

    def trained(self) -> bool:
        """Whether training is over."""
        if not self.final.is_dir():
            return False
        # GRPO is over when its state says so; a cold start once its policy is there.
        return self.stage == "sft" or self.folder.state("rl") in ("finished", "stopped")

    def done(self) -> bool:
        """Whether nothing is left to do.

        Raises:
            OvmerError: what stands there was trained with other settings.
        """
        if not self.folder.config_file.is_file():
            return False
        there = self.folder.config()
        if there != self.config:
            raise OvmerError(
                f"holds {self.title} as trained with other settings:"
                f" {_first_difference(there, self.config)}",
                file=self.folder.path,
                hint="Remove the folder, or give the study another 'output'.",
            )
        return self.trained() and not self.to_be_asked()

    def passes(self, steps: int | None = None) -> int:
        """Rows through the policy in its last stage, a pass back counting as two forward.

        Args:
            steps: that were made; default: all that are asked for.
        """
        if self.stage == "rl":
            grpo = self.config.grpo
            forward = FORWARD + (FORWARD if grpo.beta else 0)  # sampling, reference
            forward += FORWARD if grpo.num_iterations > 1 else 0  # old probabilities
            trained = grpo.steps if steps is None else steps
            sampled = -(-trained // grpo.num_iterations)
            return grpo.rows_per_step * (sampled * forward + trained * (FORWARD + BACKWARD))
        sft = self.config.sft
        if sft is None:
            return 0
        clips = (self.config.data.cold_start.clips or 0) * sft.epochs
        return (clips if steps is None else steps * sft.batch_size) * (FORWARD + BACKWARD)


def plan(study: StudyConfig, folder: Path, only: Collection[str] = ()) -> list[StudyRun]:
    """All runs of a study, in the order in which they are best run.

    Arms are taken in their order, all seeds of one before the next, each cold start just before
    the first arm that begins with it.

    Args:
        study: the study.
        folder: of its file, where its base configuration stands.
        only: names; just these and what they begin with.

    Raises:
        OvmerError: settings of a run are not accepted, or ``only`` names nothing.
    """
    for name in only:
        if name not in study.trained:
            raise OvmerError(
                f"{name!r} is not trained in this study",
                field="--only",
                accepted=list(study.trained),
                hint=did_you_mean(name, study.trained),
            )
    wanted = [name for name in study.trained if not only or name in only]
    order: dict[str, None] = {}
    for name in [*(n for n in wanted if n in study.arms), *wanted]:
        for needed in _needs(study, name):
            order[needed] = None
        order[name] = None
    runs = [_run(study, folder, name, seed) for name in order for seed in study.seeds]
    for run in runs:
        if run.config.evaluation.task is None:
            raise OvmerError(
                f"is null for {run.name}, and every policy of a study is scored",
                field="evaluation.task",
                accepted="a corpus",
            )
    return runs


def run_dir(study: StudyConfig, name: str, seed: int) -> Path:
    """Folder of a run."""
    kind = "arms" if name in study.arms else "cold_starts"
    return Path(study.output) / kind / name / f"seed{seed}"


def _needs(study: StudyConfig, name: str) -> list[str]:
    """What must be trained before, what comes first being first."""
    first = study.beginning_of(name) or study.cold_starts[name].warm_up_of
    return [] if first is None else [*_needs(study, first), first]


def _run(study: StudyConfig, folder: Path, name: str, seed: int) -> StudyRun:
    arm = study.arms.get(name)
    cold_name = name if arm is None else arm.cold_start
    settings = {**study.set, **study.cold_starts[cold_name].set}
    if arm is not None:
        settings |= {**arm.set, **_goes_on(study, arm, seed)}
        if arm.compute_of is not None:
            other = _run(study, folder, arm.compute_of, seed)
            settings["sft.epochs"] = _epochs(_config(study, folder, name, seed, settings), other)
    elif (first := study.cold_starts[name].warm_up_of) is not None:
        settings |= _from(run_dir(study, first, seed) / "warm_up" / "final")
    needs = _needs(study, name)
    return StudyRun(
        name=name,
        seed=seed,
        stage="rl" if arm is not None and arm.train == "grpo" else "sft",
        config=_config(study, folder, name, seed, settings),
        needs=needs[-1] if needs else None,
        also=_asked_by_arms(study, name, seed),
    )


def _asked_by_arms(study: StudyConfig, name: str, seed: int) -> tuple[Path, ...]:
    arms = [arm for arm in of_grpo(study) if study.arms[arm].cold_start == name]
    folders = [RunFolder(run_dir(study, arm, seed)) for arm in arms]
    return tuple(folder.predictions_file("cold_start") for folder in folders)


def _first_difference(there: RunConfig, here: RunConfig) -> str:
    lines = zip_longest(*(dump_config(c).splitlines() for c in (there, here)), fillvalue="")
    one, other = next((a.strip(), b.strip()) for a, b in lines if a != b)
    return f"{one!r} there, {other!r} here"


def _goes_on(study: StudyConfig, arm: Arm, seed: int) -> Mapping[str, Any]:
    """Settings of what begins with a cold start."""
    settings = _from(run_dir(study, arm.cold_start, seed) / "sft" / "final")
    return {**settings, "sft": None} if arm.train == "grpo" else settings


def _from(policy: Path) -> dict[str, Any]:
    return {
        "policy.build": "path",
        "policy.path": policy.as_posix(),
        "policy.fusion": None,
        "warm_up": None,
    }


def _epochs(config: RunConfig, other: StudyRun) -> int:
    """Passes over the clips that cost as much as ``other``, rounded up."""
    clips = config.data.cold_start.clips or 1
    return -(-other.passes() // (clips * (FORWARD + BACKWARD)))


def _config(
    study: StudyConfig, folder: Path, name: str, seed: int, settings: Mapping[str, Any]
) -> RunConfig:
    settings = {
        **settings,
        "name": f"{name}-{seed}",
        "seed": seed,
        "output": run_dir(study, name, seed).as_posix(),
    }
    overrides = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    try:
        return load_config(folder / study.base, overrides)
    except OvmerError as error:
        error.hint = f"It is a setting of {name}. {error.hint or ''}".strip()
        raise
