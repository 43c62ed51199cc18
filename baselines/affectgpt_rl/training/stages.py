"""The stages of a run, one after the other: warm-up, cold start, GRPO.

Each begins with what the one before left in the run folder, and goes on from its own last
checkpoint where it was interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from ovmer_bench import OvmerError, evaluate, load_corpus
from ovmer_bench.files import write_text
from ovmer_bench.reading.readers import write_predictions

from ..config import RunConfig
from ..data.clips import TrainingClip
from ..data.inputs import PolicyInputs, TextInputs
from ..data.media_bank import MediaBank
from ..data.media_store import MediaStore
from ..data.prompt_file import write_prompt
from ..policy import check_trainable
from ..policy.adapters import adapter_config, merge_adapter, with_adapter
from ..policy.loading import LoadedPolicy, freeze, load_policy, new_policy
from ..rewards.config import build_rewards
from ..runs.folder import Moment, RunFolder, Sample, Stage
from ..runs.guards import Verdict, Watch, rules
from ..runs.log import RunLog
from ..runs.metric_names import HELD_OUT_LOSS, SHIFTED_LOSS
from .callbacks import CheckpointCallback, GuardCallback, LogCallback, attach
from .evaluation import answers_of_all, media_gap, predictions
from .grpo import AffectGPTGRPOTrainer, OnCompletions
from .grpo_settings import grpo_config, settings_of
from .held_out import HeldOutCallback
from .judge import judge_of
from .rollouts import Sampled
from .run_data import Data, clips_of_run
from .sharding import load_whole_again, refuse_to_warm_up
from .supervised import cold_start_trainer, warm_up_trainer
from .warm_up import WordTargets, explained


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        config: what is asked for.
        folder: where it stands.
        resume: whether stages that were begun go on.
        raw: pixels and samples that one stage loaded, for the next.
    """

    config: RunConfig
    folder: RunFolder
    resume: bool
    raw: MediaStore = field(default_factory=MediaStore)

    @cached_property
    def data(self) -> Data:
        """Clips of the run, their media looked at: ``cold_start``, ``rl``, ``held_out``, and
        ``task``, on which its policies are scored.

        Raises:
            OvmerError: there are not enough, or media that cannot be read.
        """
        return clips_of_run(self.config)

    @classmethod
    def open(cls, config: RunConfig, *, resume: bool) -> Run:
        """Make or find the run folder.

        Raises:
            OvmerError: it belongs to another configuration.
        """
        processes = PartialState(cpu=not torch.cuda.is_available())
        folder = RunFolder.open(config, main=processes.is_main_process)
        processes.wait_for_everyone()
        return cls(config, folder, resume)

    def done(self, stage: Stage) -> bool:
        """Whether the stage has left its end."""
        return self.folder.final_dir(stage).is_dir()


def cold_start(run: Run) -> Path:
    """Warm-up and supervised training; what is done already is not done again.

    Returns:
        The folder of the cold start.

    Raises:
        OvmerError: an unfinished stage and no ``resume``; the policy does not use its media.
    """
    config, folder = run.config, run.folder
    if config.sft is None:
        raise OvmerError("the configuration has no cold start", field="sft")
    if run.done("sft"):
        return folder.final_dir("sft")
    data = run.data
    if config.warm_up is not None and not run.done("warm_up"):
        _warm_up(run, data)
    policy = _before_cold_start(run)
    checkpoint = folder.start("sft", resume=run.resume)
    inputs = policy_inputs(policy, run, [*data["cold_start"], *data["held_out"]])
    _say_trained(run, policy)
    adapter = adapter_config(config.policy)
    trainer = cold_start_trainer(
        policy.model if adapter is None else with_adapter(policy.model, adapter),
        inputs,
        data["cold_start"],
        data["held_out"],
        config.sft,
        seed=config.seed,
        output=folder.stage_dir("sft"),
        logging_steps=config.logging.every_steps,
    )
    with _log(run, "sft", trainer.args.max_steps, config.sft.batch_size, checkpoint) as log:
        attach(trainer, LogCallback(log), CheckpointCallback(folder, "sft"))
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    with folder.final("sft") as final:
        save(trainer, policy, config, final, lambda: _before_cold_start(run))
        _check_media_use(run, load_policy(final, config.policy.kind), data["held_out"])
        PartialState().wait_for_everyone()
    _end(run, "sft", trainer.state.global_step)
    return folder.final_dir("sft")


def reinforce(run: Run) -> Verdict | None:
    """GRPO on the cold start of the run, which is made where there is none.

    Returns:
        Why a guard ended it early, if one did.
    """
    config, folder = run.config, run.folder
    if run.resume and run.done("rl") and folder.state("rl") == "finished":
        _score_trained(run)  # what an interruption may have left undone
        return None
    data = run.data
    policy = _beginning(run)
    clips = data["rl"]
    inputs = policy_inputs(policy, run, [*clips, *data["held_out"]])
    checkpoint = folder.start("rl", resume=run.resume)
    if checkpoint is None:
        score_task(run, "cold_start", policy)
    _say_trained(run, policy)
    rewards = build_rewards(
        config.rewards,
        lexicon=config.lexicon,
        training_gold=[list(clip.sample.labels or ()) for clip in clips],
        judge=judge_of(config.judge),
    )
    settings = settings_of(config.grpo, seed=config.seed, processes=PartialState().num_processes)
    trainer = AffectGPTGRPOTrainer(
        policy.model,
        rewards,
        grpo_config(
            {**settings, "logging_steps": config.logging.every_steps},
            output_dir=folder.stage_dir("rl"),
        ),
        [inputs.row(clip) for clip in clips],
        processing_class=policy.processor if inputs.images else policy.tokenizer,
        bank=inputs.bank,
        images=inputs.images,
        mode=config.prompt.mode,
        lexicon=config.lexicon,
        on_completions=_completions_to(run),
        peft_config=adapter_config(config.policy),
    )
    guard = GuardCallback(
        Watch(rules(config.guards)),
        boundary=config.grpo.num_iterations,
        history=folder.metrics("rl"),
    )
    with _log(run, "rl", config.grpo.steps, config.grpo.prompts_per_step, checkpoint) as log:
        held_out = HeldOutCallback(trainer, inputs, data["held_out"], config, log)
        attach(trainer, held_out, LogCallback(log), guard, CheckpointCallback(folder, "rl"))
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    with folder.final("rl") as final:
        save(trainer, policy, config, final, lambda: _beginning(run))
    verdict = guard.verdict
    _end(run, "rl", trainer.state.global_step, verdict)
    trainer.accelerator.free_memory()
    _score_trained(run)
    return verdict


def policy_inputs(policy: LoadedPolicy, run: Run, clips: Sequence[TrainingClip]) -> PolicyInputs:
    """What prepares clips for a policy of the configured kind."""
    config = run.config
    if config.policy.kind in ("vision", "omni"):
        from ..data.vision_inputs import OmniInputs, VisionInputs

        made = VisionInputs if config.policy.kind == "vision" else OmniInputs
        return made(policy, config.prompt, clips)
    return TextInputs(
        policy, config.prompt, clips, keep=True, folder=config.data.features, raw=run.raw
    )


def save(
    trainer: Any,
    policy: LoadedPolicy,
    config: RunConfig,
    folder: Path,
    beginning: Callable[[], LoadedPolicy],
) -> None:
    """Write a trained policy whole, adapters merged, with all that is needed to ask it.

    Args:
        trainer: all processes call it, since each may hold a part of the weights.
        policy: what is trained.
        config: of the run.
        folder: where to.
        beginning: makes what training began with once more, for adapters to be merged into.
    """
    trainer.save_model(str(folder))
    load_whole_again()
    if PartialState().is_main_process:
        if config.policy.lora is not None:
            merge_adapter(folder, beginning().model)
        policy.processor.save_pretrained(folder)
        write_prompt(folder, config)
        for name in ("training_args.bin", "README.md"):  # pickled, and in config.yaml; a stub
            (folder / name).unlink(missing_ok=True)
    PartialState().wait_for_everyone()


def score_task(run: Run, moment: Moment, policy: LoadedPolicy) -> None:
    """Answer the configured task, keep predictions, score report and some answers."""
    config, folder = run.config, run.folder
    if config.evaluation.task is None:
        return
    corpus = load_corpus(config.evaluation.task)
    clips = run.data["task"]
    policy.model.to(PartialState().device)
    said = answers_of_all(
        policy.model,
        policy_inputs(policy, run, clips),
        clips,
        batch_size=config.evaluation.batch_size,
        max_new_tokens=config.evaluation.max_new_tokens,
    )
    if not folder.main:
        return
    predicted = predictions(clips, said)
    write_predictions(folder.predictions_file(moment), predicted)
    evaluation = evaluate(
        predicted, corpus, lexicon=config.lexicon, system=moment, allow_missing=True
    )
    report = evaluation.report(draws=config.evaluation.draws, seed=config.seed)
    write_text(folder.scores_file(moment), report.to_json())
    shown = list(zip((clip.sample for clip in clips), said, strict=True))
    folder.write_samples(
        moment,
        [
            Sample(one.id, list(one.labels or ()), text, one.subtitle.get("en", ""))
            for one, text in shown[: config.evaluation.samples]
        ],
    )


def _score_trained(run: Run) -> None:
    """Score what GRPO left, unless that has been done."""
    if not run.folder.scores_file("final").is_file():
        policy = load_policy(run.folder.final_dir("rl"), run.config.policy.kind)
        score_task(run, "final", policy)


def _beginning(run: Run) -> LoadedPolicy:
    """The policy that GRPO begins with, on every way through a saved folder: a reference model
    is read from there again."""
    config = run.config
    if config.sft is None and config.policy.build == "path":
        return new_policy(config)
    folder = cold_start(run)
    return load_policy(folder, config.policy.kind, config.policy)


def _before_cold_start(run: Run) -> LoadedPolicy:
    """The policy as made or published, its encoders warmed up if that is asked for."""
    if run.config.warm_up is None:
        return new_policy(run.config)
    return load_policy(run.folder.final_dir("warm_up"), "affectgpt", run.config.policy)


def _warm_up(run: Run, data: Data) -> None:
    """Train new encoders."""
    config, folder = run.config, run.folder
    settings = config.warm_up
    if settings is None:
        return
    refuse_to_warm_up()
    policy = new_policy(config)
    checkpoint = folder.start("warm_up", resume=run.resume)
    freeze(policy.model, ())
    bank = MediaBank(
        {clip.id: clip for clip in [*data["cold_start"], *data["held_out"]]},
        policy.processor,
        policy.model,
        cache=False,
        raw=run.raw,
    )
    targets = WordTargets(data["cold_start"])
    trainer = warm_up_trainer(
        policy.model,
        bank,
        data["cold_start"],
        targets,
        settings,
        seed=config.seed,
        output=folder.stage_dir("warm_up"),
        logging_steps=config.logging.every_steps,
    )
    with _log(run, "warm_up", settings.steps, settings.batch_size, checkpoint) as log:
        attach(trainer, LogCallback(log), CheckpointCallback(folder, "warm_up"))
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    shares = explained(trainer.model, data["held_out"], bank, targets)
    folder.log("warm_up", settings.steps, {f"explained/{k}": v for k, v in shares.items()})
    freeze(policy.model, config.policy.freeze)
    with folder.final("warm_up") as final:
        if folder.main:
            policy.save(final)
        PartialState().wait_for_everyone()
    _end(run, "warm_up", settings.steps)


def _end(run: Run, stage: Stage, step: int, verdict: Verdict | None = None) -> None:
    """Record the end of a stage; nobody goes on before it stands in the folder."""
    if run.folder.main:
        run.folder.finish(stage, step, verdict.to_dict() if verdict else None)
    PartialState().wait_for_everyone()


def _check_media_use(run: Run, policy: LoadedPolicy, held_out: Sequence[TrainingClip]) -> None:
    """GRPO cannot teach a policy to look that gets along without: prove that it looks."""
    config = run.config
    inputs = policy_inputs(policy, run, held_out)
    policy.model.to(PartialState().device)
    gap = media_gap(policy.model, inputs, held_out, batch_size=config.evaluation.batch_size)
    if gap is None:
        return
    right, shifted = gap
    step = max((row["step"] for row in run.folder.metrics("sft")), default=0)
    run.folder.log("sft", step, {HELD_OUT_LOSS: right, SHIFTED_LOSS: shifted})
    guard = config.guards.media
    if guard is not None and shifted - right < guard.minimum_gap:
        raise OvmerError(
            f"the cold start does not use the media: its held-out loss is {right:.4f} with each"
            f" clip's own media and {shifted:.4f} with those of another clip",
            field="guards.media.minimum_gap",
            hint="Warm new encoders up longer, hide more subtitles (sft.subtitle_dropout), or"
            " check that media and clips belong together.",
        )


def _say_trained(run: Run, policy: LoadedPolicy) -> None:
    if run.folder.main and run.config.policy.kind == "affectgpt":
        print(check_trainable(policy.model), file=sys.stderr)


def _log(run: Run, stage: Stage, steps: int, clips: int, checkpoint: Path | None) -> RunLog:
    start = 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
    return RunLog(
        run.folder,
        stage,
        steps=steps,
        clips_per_step=clips,
        tensorboard=run.config.logging.tensorboard,
        start=start,
    )


def _completions_to(run: Run) -> OnCompletions:
    """Writes every so many steps what the policy said."""
    every = run.config.grpo.log_completions_every

    def write(step: int, rows: list[Sampled]) -> None:
        if step % every == 0:
            run.folder.write_completions(step, [row.as_row() for row in rows])

    return write
