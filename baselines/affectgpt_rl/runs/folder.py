"""The folder of a run: what was asked for, what it ran on, what came of it.

::

    output/
      config.yaml run.json             the configuration; versions, revision, state of the stages
      metrics.jsonl timings.jsonl      numbers by stage and step; those of the clock apart, so that
                                       equal runs have equal metrics
      completions/step-000020.jsonl    what the policy said
      warm_up/ sft/ rl/                checkpoints of a stage, and final/
      samples/{cold_start,final}.jsonl answers to the same clips before and after GRPO
      scores/{cold_start,final}.json   score reports of the ruler
      tensorboard/ report.html

A kill at any moment leaves a folder from which the run can go on: files appear whole, a torn last
line is cut, a half-written checkpoint is not looked at.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ovmer_bench import OvmerError, load_lexicon
from ovmer_bench.files import read_text, write_text

from ..config import RunConfig, dump_config, load_config
from .checkpoints import is_complete, mark, rows_at
from .environment import environment
from .lines import Row, append_line, finite, keep_first, read_lines
from .metric_names import is_of_the_clock

Stage = Literal["warm_up", "sft", "rl"]
Moment = Literal["cold_start", "final"]
"""Before GRPO, after it."""
STAGES: tuple[Stage, ...] = ("warm_up", "sft", "rl")
RUN_SCHEMA_VERSION = 1
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_COMPLETIONS = re.compile(r"step-(\d+)\.jsonl")
_SHOWN_DIFFERENCES = 3


@dataclass(frozen=True)
class Sample:
    """An answer to one clip, for the report.

    Attributes:
        id: the clip.
        gold: its labels.
        text: what the policy said.
        subtitle: what is said in the clip.
    """

    id: str
    gold: Sequence[str]
    text: str
    subtitle: str = ""


class RunFolder:
    """Reads and writes one run folder.

    Args:
        path: of the folder.
        main: whether this process writes. All others may call everything too: they wait for
            nothing and write nothing.
    """

    def __init__(self, path: str | Path, *, main: bool = True) -> None:
        self.path = Path(path)
        self.main = main
        self.config_file = self.path / "config.yaml"
        self.run_file = self.path / "run.json"
        self.metrics_file = self.path / "metrics.jsonl"
        self.timings_file = self.path / "timings.jsonl"
        self.report_file = self.path / "report.html"
        self.completions_dir = self.path / "completions"

    @classmethod
    def open(cls, config: RunConfig, *, main: bool = True) -> RunFolder:
        """The run folder of ``config.output``, made where there is none.

        Raises:
            OvmerError: the folder holds the run of another configuration, or something else.
        """
        folder = cls(config.output, main=main)
        if main and not folder._create(config):
            folder._check_same(config)
            folder._note_environment()
        return folder

    def config(self) -> RunConfig:
        """The configuration of the run."""
        return load_config(self.config_file)

    def facts(self) -> dict[str, Any]:
        """What ``run.json`` holds.

        Raises:
            OvmerError: this is no run folder, or of another version.
        """
        if not self.run_file.is_file():
            raise OvmerError("is no run folder: there is no run.json in it", file=self.path)
        try:
            facts = json.loads(read_text(self.run_file))
        except ValueError as error:
            raise OvmerError(f"not JSON: {error}", file=self.run_file) from None
        version = facts.get("schema_version") if isinstance(facts, dict) else None
        if version != RUN_SCHEMA_VERSION:
            raise OvmerError(
                f"schema_version is {version!r}",
                file=self.run_file,
                accepted=str(RUN_SCHEMA_VERSION),
            )
        return dict(facts)

    def stage_dir(self, stage: Stage) -> Path:
        """Where checkpoints and the end of a stage stand."""
        return self.path / stage

    def tensorboard_dir(self, stage: Stage) -> Path:
        """Where events of a stage stand."""
        return self.path / "tensorboard" / stage

    def state(self, stage: Stage) -> str:
        """``new``, ``running`` (or interrupted), ``finished``, or ``stopped`` by a guard."""
        return str(self.facts()["stages"].get(stage, {}).get("state", "new"))

    def start(self, stage: Stage, *, resume: bool) -> Path | None:
        """Begin a stage, or go on with it.

        Going on cuts what stands of later steps than the checkpoint, so that no step stands
        twice, and removes checkpoints that were never finished.

        Returns:
            The checkpoint to go on from; ``None``: from the beginning.

        Raises:
            OvmerError: the stage is over, or has begun and ``resume`` is false.
        """
        state = self.state(stage) if self.main else "running"
        if state == "finished":
            raise OvmerError(
                f"stage {stage} is finished",
                file=self.path,
                hint="For a new run choose another folder: --set output=FOLDER.",
            )
        checkpoint = self.last_checkpoint(stage)
        step = 0 if checkpoint is None else _number(_CHECKPOINT, checkpoint.name)
        if not self.main:
            return checkpoint if resume else None
        if state != "new" and not resume:
            raise OvmerError(
                f"stage {stage} was begun here, and its last checkpoint is of step {step}",
                file=self.path,
                hint="Go on with --resume, or choose another folder: --set output=FOLDER.",
            )
        self._cut(stage, checkpoint)
        self._record_stage(stage, {"state": "running"})
        return checkpoint

    def finish(self, stage: Stage, step: int, verdict: Mapping[str, Any] | None = None) -> None:
        """Record that a stage is over after ``step`` steps, by a guard's verdict if any."""
        state = "finished" if verdict is None else "stopped"
        self._record_stage(stage, {"state": state, "step": step, "verdict": verdict})

    def log(self, stage: Stage, step: int, values: Mapping[str, Any]) -> None:
        """Append the numbers of a step; what is not finite becomes ``null``."""
        if not self.main:
            return
        for file, of_the_clock in ((self.metrics_file, False), (self.timings_file, True)):
            row = {k: values[k] for k in sorted(values) if is_of_the_clock(k) == of_the_clock}
            if row:
                append_line(file, {"stage": stage, "step": step, **row})

    def metrics(self, stage: Stage | None = None) -> list[Row]:
        """Rows of ``metrics.jsonl``, of one stage or all."""
        return _of_stage(read_lines(self.metrics_file), stage)

    def timings(self, stage: Stage | None = None) -> list[Row]:
        """Rows of ``timings.jsonl``, of one stage or all."""
        return _of_stage(read_lines(self.timings_file), stage)

    def write_completions(self, step: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write what the policy said at a step of GRPO: media id, gold, text, rewards."""
        if self.main:
            lines = [json.dumps(finite(row), ensure_ascii=False) for row in rows]
            text = "".join(f"{line}\n" for line in lines)
            write_text(self.completions_dir / f"step-{step:06d}.jsonl", text)

    def completions(self) -> dict[int, list[Row]]:
        """Step -> what :meth:`write_completions` wrote."""
        found = sorted(self.completions_dir.glob("step-*.jsonl"))
        return {_number(_COMPLETIONS, path.name): read_lines(path) for path in found}

    def write_samples(self, moment: Moment, rows: Sequence[Sample]) -> None:
        """Write answers to the clips that the report shows, before GRPO or after it."""
        if self.main:
            lines = [json.dumps(asdict(row), ensure_ascii=False) for row in rows]
            write_text(self._samples_file(moment), "".join(f"{line}\n" for line in lines))

    def samples(self, moment: Moment) -> list[Sample]:
        """What :meth:`write_samples` wrote; nothing where it was not called."""
        file = self._samples_file(moment)
        try:
            return [Sample(**row) for row in read_lines(file)]
        except TypeError as error:
            raise OvmerError(f"holds no sample answers: {error}", file=file) from None

    def scores_file(self, moment: Moment) -> Path:
        """Where the score report stands, before GRPO or after it."""
        return self.path / "scores" / f"{moment}.json"

    def predictions_file(self, moment: Moment) -> Path:
        """Where the answers to the whole task stand, before GRPO or after it."""
        return self.path / "predictions" / f"{moment}.jsonl"

    def _samples_file(self, moment: Moment) -> Path:
        return self.path / "samples" / f"{moment}.jsonl"

    def mark_complete(self, checkpoint: Path) -> None:
        """Say that all processes have written their part of a checkpoint, and how many rows of
        the stage stood in each file of numbers then."""
        if not self.main:
            return
        stage = checkpoint.parent.name
        rows = {
            file.name: sum(row.get("stage") == stage for row in read_lines(file))
            for file in (self.metrics_file, self.timings_file)
        }
        mark(checkpoint, rows)

    def last_checkpoint(self, stage: Stage) -> Path | None:
        """The latest complete checkpoint: marked, and with every file as it was then."""
        whole = [path for path in self._checkpoints(stage) if is_complete(path)]
        return max(whole, key=lambda path: _number(_CHECKPOINT, path.name), default=None)

    def final_dir(self, stage: Stage) -> Path:
        """Where :meth:`final` puts the end of a stage."""
        return self.stage_dir(stage) / "final"

    @contextmanager
    def final(self, stage: Stage) -> Iterator[Path]:
        """A folder to save the end of a stage in; on success it becomes ``final/``.

        All processes get the same one, since sharded models are saved by all of them; let them
        meet once before and once before the end of the block.
        """
        target = self.final_dir(stage)
        part, old = target.with_name(".final.part"), target.with_name(".final.old")
        if self.main:
            _remove(part)
            part.mkdir(parents=True)
        yield part
        if self.main:
            _remove(old)
            if target.exists():
                target.rename(old)
            part.rename(target)
            _remove(old)

    def _create(self, config: RunConfig) -> bool:
        """Make the folder with its first two files; false where a run stands there."""
        if self.config_file.is_file():
            return False
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise OvmerError(
                "is there and holds no run",
                file=self.path,
                accepted="a run folder, an empty one, or none",
                hint="Choose another folder: --set output=FOLDER.",
            )
        facts = _first_facts(config)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=".run-", suffix=".part"))
        except OSError as error:
            raise OvmerError(f"cannot be made: {error.strerror}", file=self.path) from None
        try:
            write_text(part / self.config_file.name, dump_config(config))
            write_text(part / self.run_file.name, _json(facts))
            part.chmod(0o755)
            part.rename(self.path)
        except OSError as error:
            # Where another process was faster, its run stands there now.
            if not self.config_file.is_file():
                raise OvmerError(f"cannot be made: {error.strerror}", file=self.path) from None
            return False
        finally:
            _remove(part)
        return True

    def _check_same(self, config: RunConfig) -> None:
        here, asked = (_flat(c.model_dump(mode="json")) for c in (self.config(), config))
        names = [n for n in {**here, **asked} if n != "output" and here.get(n) != asked.get(n)]
        if not names:
            return
        shown = [
            f"{n} is {json.dumps(here.get(n))} there and {json.dumps(asked.get(n))} here"
            for n in names[:_SHOWN_DIFFERENCES]
        ]
        if len(names) > len(shown):
            shown.append(f"and {len(names) - len(shown)} more")
        raise OvmerError(
            f"holds the run of another configuration: {'; '.join(shown)}",
            file=self.path,
            hint=f"To go on with that run: --config {self.config_file} --resume. For a new one"
            " choose another folder: --set output=FOLDER.",
        )

    def _note_environment(self) -> None:
        """Add the present environment to ``run.json`` where it is not the last one."""
        facts = self.facts()
        now = environment()
        if facts["environments"][-1] != now:
            facts["environments"].append(now)
            write_text(self.run_file, _json(facts))

    def _record_stage(self, stage: Stage, record: Mapping[str, Any]) -> None:
        if self.main:
            facts = self.facts()
            facts["stages"][stage] = dict(record)
            write_text(self.run_file, _json(facts))

    def _cut(self, stage: Stage, checkpoint: Path | None) -> None:
        """Remove what a stage left after ``checkpoint``, or all of it."""
        known = {} if checkpoint is None else rows_at(checkpoint)
        for file in (self.metrics_file, self.timings_file):
            keep_first(file, int(known.get(file.name, 0)), lambda row: row.get("stage") == stage)
        step = 0 if checkpoint is None else _number(_CHECKPOINT, checkpoint.name)
        for path in self._checkpoints(stage):
            if not is_complete(path):
                _remove(path)
        if stage == "rl":
            for path in self.completions_dir.glob("step-*.jsonl"):
                if checkpoint is None or _number(_COMPLETIONS, path.name) > step:
                    path.unlink()

    def _checkpoints(self, stage: Stage) -> list[Path]:
        found = self.stage_dir(stage).glob("checkpoint-*")
        return [path for path in found if path.is_dir() and _CHECKPOINT.fullmatch(path.name)]


def _first_facts(config: RunConfig) -> dict[str, Any]:
    lexicon = load_lexicon(config.lexicon)
    return {
        "schema_version": RUN_SCHEMA_VERSION,
        "name": config.name,
        "seed": config.seed,
        "lexicon": {"id": lexicon.id, "sha256": lexicon.sha256},
        "environments": [environment()],
        "stages": {},
    }


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _of_stage(rows: list[Row], stage: Stage | None) -> list[Row]:
    return [row for row in rows if stage is None or row.get("stage") == stage]


def _number(pattern: re.Pattern[str], name: str) -> int:
    found = pattern.fullmatch(name)
    return int(found[1]) if found else 0


def _remove(folder: Path) -> None:
    if os.path.lexists(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted name -> value of nested settings."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{prefix}.{key}" if prefix else key)
    return flat
