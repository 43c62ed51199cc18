"""The stages of a run, one after the other: warm-up, cold start, GRPO.

Each begins with what the one before left in the run folder, and goes on from its own last
checkpoint where it was interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import PartialState
from ovmer_bench import OvmerError, evaluate, load_corpus
from ovmer_bench.files import write_text
from ovmer_bench.readers import write_predictions

from .adapters import adapter_config, merge_adapter, with_adapter
from .callbacks import CheckpointCallback, GuardCallback, LogCallback, attach
from .clips import TrainingClip, clips_of, load_data
from .config import RunConfig
from .evaluation import answers_of_all, media_gap, predictions
from .grpo import AffectGPTGRPOTrainer, OnCompletions
from .grpo_settings import grpo_config, settings_of
from .guards import Verdict, Watch, rules
from .held_out import HeldOutCallback
from .inputs import PolicyInputs, TextInputs
from .judge_config import judge_of
from .media_bank import MediaBank
from .metric_names import HELD_OUT_LOSS, SHIFTED_LOSS
from .policies import LoadedPolicy, freeze, load_policy, new_policy
from .policy import check_trainable
from .prompt_file import write_prompt
from .reward_config import build_rewards
from .rollouts import Sampled
from .run_folder import Moment, RunFolder, Sample, Stage
from .run_log import RunLog
from .supervised import cold_start_trainer, warm_up_trainer
from .warm_up import WordTargets, explained

Data = Mapping[str, Sequence[TrainingClip]]


@dataclass(frozen=True)
class Run:
    """A configuration, its folder, and whether stages that were begun go on."""

    config: RunConfig
    folder: RunFolder
    resume: bool

    @classmethod
    def open(cls, config: RunConfig, *, resume: bool) -> Run:
        """Make or find the run folder.

        Raises:
            OvmerError: it belongs to another configuration.
        """
        folder = RunFolder.open(config, main=PartialState().is_main_process)
        PartialState().wait_for_everyone()
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
    data = load_data(config.data)
    if config.warm_up is not None and not run.done("warm_up"):
        _warm_up(run, data)
    policy = _before_cold_start(run)
    checkpoint = folder.start("sft", resume=run.resume)
    inputs = policy_inputs(policy, config, [*data["cold_start"], *data["held_out"]])
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
    folder.finish("sft", trainer.state.global_step)
    return folder.final_dir("sft")


def reinforce(run: Run) -> Verdict | None:
    """GRPO on the cold start of the run, which is made where there is none.

    Returns:
        Why a guard ended it early, if one did.
    """
    config, folder = run.config, run.folder
    policy = _beginning(run)
    data = load_data(config.data)
    clips = data["rl"]
    inputs = policy_inputs(policy, config, [*clips, *data["held_out"]])
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
        processing_class=policy.processor if config.policy.kind == "vision" else policy.tokenizer,
        bank=inputs.bank,
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
    with _log(run, "rl", config.grpo.steps, config.grpo.rows_per_step, checkpoint) as log:
        held_out = HeldOutCallback(trainer, inputs, data["held_out"], config, log)
        attach(trainer, held_out, LogCallback(log), guard, CheckpointCallback(folder, "rl"))
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    with folder.final("rl") as final:
        save(trainer, policy, config, final, lambda: _beginning(run))
    verdict = guard.verdict
    folder.finish("rl", trainer.state.global_step, verdict.to_dict() if verdict else None)
    trainer.accelerator.free_memory()
    score_task(run, "final", load_policy(folder.final_dir("rl"), config.policy.kind))
    return verdict


def policy_inputs(
    policy: LoadedPolicy, config: RunConfig, clips: Sequence[TrainingClip]
) -> PolicyInputs:
    """What prepares clips for a policy of the configured kind."""
    if config.policy.kind == "vision":
        from .vision_inputs import VisionInputs

        return VisionInputs(policy, config.prompt, images=config.prompt.images)
    return TextInputs(policy, config.prompt, clips, keep=True)


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
    if PartialState().is_main_process:
        if config.policy.lora is not None:
            merge_adapter(folder, beginning().model)
        policy.processor.save_pretrained(folder)
        write_prompt(folder, config)
        (folder / "training_args.bin").unlink(missing_ok=True)  # pickled, and in config.yaml
    PartialState().wait_for_everyone()


def score_task(run: Run, moment: Moment, policy: LoadedPolicy) -> None:
    """Answer the configured task, keep predictions, score report and some answers."""
    config, folder = run.config, run.folder
    if config.evaluation.task is None:
        return
    corpus = load_corpus(config.evaluation.task)
    clips = clips_of(corpus.samples, config.data.modalities)
    policy.model.to(PartialState().device)
    said = answers_of_all(
        policy.model,
        policy_inputs(policy, config, clips),
        clips,
        batch_size=config.evaluation.batch_size,
        max_new_tokens=config.evaluation.max_new_tokens,
    )
    if not folder.main:
        return
    predicted = predictions(clips, said)
    write_predictions(folder.predictions_file(moment), predicted)
    evaluation = evaluate(predicted, corpus, lexicon=config.lexicon, system=moment)
    report = evaluation.report(draws=config.evaluation.draws, seed=config.seed)
    write_text(folder.scores_file(moment), report.to_json())
    shown = list(zip(corpus.samples, said, strict=True))[: config.evaluation.samples]
    folder.write_samples(
        moment,
        [
            Sample(one.id, list(one.labels or ()), text, one.subtitle.get("en", ""))
            for one, text in shown
        ],
    )


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
    policy = new_policy(config)
    checkpoint = folder.start("warm_up", resume=run.resume)
    freeze(policy.model, ())
    bank = MediaBank(
        {clip.id: clip for clip in [*data["cold_start"], *data["held_out"]]},
        policy.processor,
        policy.model,
        cache=False,
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
        policy.save(final)
    folder.finish("warm_up", settings.steps)


def _check_media_use(run: Run, policy: LoadedPolicy, held_out: Sequence[TrainingClip]) -> None:
    """GRPO cannot teach a policy to look that gets along without: prove that it looks."""
    config = run.config
    inputs = policy_inputs(policy, config, held_out)
    if inputs.bank is None or not any(clip.has_frames or clip.has_audio for clip in held_out):
        return
    policy.model.to(PartialState().device)
    right, shifted = media_gap(
        policy.model, inputs, held_out, batch_size=config.evaluation.batch_size
    )
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
