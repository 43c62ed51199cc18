"""Settings that are each fine and cannot be together, and training on what is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ovmer_bench import OvmerError
from ovmer_bench.corpora.ovmer_mini.generate import NAME, SPLITS
from ovmer_bench.corpora.registry import CorpusInfo, corpus_info

from ..rewards.config import build_rewards

if TYPE_CHECKING:
    from . import RunConfig
    from .sections import Source

FILE_SUFFIX = ".jsonl"
"""Ends the name of a corpus that is a file."""
_PARTS = ("frame_encoder", "audio_encoder", "language_model")
_OF_THE_THOUGHT = ("alignment", "dual", "perception")
"""Rewards of what stands in ``<think>``."""
_ANY_GOLD = (("happy",), ("sad",))
"""Stands for the training gold, which is not read yet."""


def check_combinations(config: RunConfig) -> None:
    """Raise :class:`~ovmer_bench.OvmerError` for the first contradiction."""
    _check_policy(config)
    _check_modalities(config)
    for name in ("cold_start", "rl", "held_out"):
        _check_source(config, f"data.{name}", getattr(config.data, name))
    _check_held_out(config)
    _check_task(config)
    _check_rewards(config)
    _check_judge(config)
    _check_grpo(config)


def _fail(
    field: str, message: str, accepted: str | None = None, hint: str | None = None
) -> NoReturn:
    raise OvmerError(message, field=field, accepted=accepted, hint=hint)


def _check_policy(config: RunConfig) -> None:
    policy = config.policy
    needed = {"mini": (), "parts": _PARTS, "path": ("path",)}[policy.build]
    for name in ("path", *_PARTS):
        given = getattr(policy, name)
        if name in needed and given is None:
            _fail(f"policy.{name}", f"is null, and build {policy.build!r} needs it", "a model")
        if name not in needed and given is not None:
            _fail(f"policy.{name}", f"is {given!r}, and build {policy.build!r} has none", "null")
    if policy.build == "parts" and policy.kind != "affectgpt":
        _fail("policy.build", f"is 'parts', and kind is {policy.kind!r}", "mini, path")
    if policy.build == "mini" and policy.kind in ("vision", "omni"):
        _fail("policy.build", f"is 'mini', and kind is {policy.kind!r}", "path")
    new = policy.kind == "affectgpt" and policy.build != "path"
    if new and policy.fusion is None:
        _fail("policy.fusion", "is null, and a new AffectGPT needs one", "qformer, attention")
    if not new and policy.fusion is not None:
        _fail("policy.fusion", "is set, and this policy is not a new AffectGPT", "null")
    if policy.freeze and policy.kind != "affectgpt":
        _fail("policy.freeze", f"names parts that kind {policy.kind!r} does not have", "[]")
    frozen = set(policy.freeze)
    if policy.build == "mini" and frozen & set(_PARTS) and config.warm_up is None:
        _fail(
            "policy.freeze",
            f"freezes {', '.join(sorted(frozen & set(_PARTS)))}, new and so random for ever",
            hint="Give 'warm_up', or freeze nothing.",
        )
    if config.warm_up is not None and policy.kind != "affectgpt":
        _fail("warm_up", f"is set, and kind {policy.kind!r} has no encoders of ours", "null")


def _check_modalities(config: RunConfig) -> None:
    seen, kind = config.data.modalities, config.policy.kind
    if len(set(seen)) != len(seen):
        _fail("data.modalities", f"names one twice: {', '.join(seen)}", "each once")
    known = {
        "affectgpt": ("frames", "audio", "subtitle"),
        "vision": ("frames", "subtitle"),
        "omni": ("frames", "audio", "subtitle"),
        "text": ("subtitle",),
    }[kind]
    foreign = [one for one in seen if one not in known]
    if foreign:
        _fail(
            "data.modalities",
            f"holds {', '.join(foreign)}, which a policy of kind {kind!r} cannot see",
            ", ".join(known),
        )
    media = [one for one in seen if one != "subtitle"]
    for name in ("media_dropout", "subtitle_dropout"):
        hidden = config.sft is not None and getattr(config.sft, name)
        if hidden and not (media and "subtitle" in seen):
            _fail(f"sft.{name}", f"would leave nothing of {', '.join(seen)} to see", "0")
    if config.warm_up is not None and not media:
        _fail("warm_up", "is set, and the policy sees no media", "null")


def _check_source(config: RunConfig, field: str, source: Source) -> None:
    """A known corpus and split, and none that is scored."""
    if source.corpus.endswith(FILE_SUFFIX):
        if source.split == "test":
            _leak(f"{field}.split", "is 'test'")
        return
    info = _info(f"{field}.corpus", source.corpus)
    if info.kind != "open":
        _fail(f"{field}.corpus", f"{info.name} has no open labels", "a corpus with open labels")
    if info.name == NAME:
        if source.split not in SPLITS:
            _fail(f"{field}.split", f"{info.name} has no split {source.split!r}", "sft, rl")
        if source.split == info.split:
            _leak(f"{field}.split", f"is the test split of {info.name}")
        if source.clips is None:
            _fail(f"{field}.clips", f"is null, and {info.name} has no end", "a number")
        return
    if source.split != info.split:
        _fail(f"{field}.split", f"{info.name} has no split {source.split!r}", info.split)
    if info.split != "train":
        _check_given_up(config, field, info)
    if source.start + (source.clips or 1) > info.n:
        _fail(
            f"{field}.clips",
            f"{source.start} + {source.clips or 1} is beyond the {info.n} clips of {info.name}",
        )


def _check_given_up(config: RunConfig, field: str, info: CorpusInfo) -> None:
    """A test split is trained on only where it will not be scored."""
    given_up = [_info("data.given_up", name).name for name in config.data.given_up]
    if info.name not in given_up:
        _leak(
            f"{field}.corpus",
            f"{info.name} is a test split",
            f"To give it up for scoring, list it in data.given_up: [{info.name}].",
        )
    if field == "data.held_out":
        _leak(f"{field}.corpus", f"{info.name} is a test split, given up or not")


def _leak(field: str, message: str, hint: str = "") -> NoReturn:
    _fail(
        field,
        f"{message}: a policy that has seen it cannot be scored on it",
        hint=hint or "Take clips of another split.",
    )


def _check_held_out(config: RunConfig) -> None:
    """No clip is both trained on and watched."""
    held = config.data.held_out
    for name in ("cold_start", "rl"):
        other: Source = getattr(config.data, name)
        if _same_place(held) != _same_place(other):
            continue
        generated = _same_place(held)[0] == NAME
        if held.seed != other.seed:
            if generated:
                continue
            _fail(
                "data.held_out.seed",
                f"is {held.seed}, and data.{name} takes the same clips in the order of seed"
                f" {other.seed}, so that the two overlap",
                str(other.seed),
            )
        end, other_end = (
            float("inf") if s.clips is None else s.start + s.clips for s in (held, other)
        )
        if held.start < other_end and other.start < end:
            _fail(
                "data.held_out",
                f"overlaps data.{name}: clips {max(held.start, other.start)} to"
                f" {min(end, other_end) - 1:g} of {held.corpus}/{held.split} are in both",
                hint="Move 'start' behind the training clips.",
            )


def _same_place(source: Source) -> tuple[str, str]:
    if source.corpus.endswith(FILE_SUFFIX):
        return source.corpus, ""
    return corpus_info(source.corpus).name, source.split


def _check_task(config: RunConfig) -> None:
    task = config.evaluation.task
    if task is None:
        return
    info = _info("evaluation.task", task)
    if info.kind != "open":
        _fail("evaluation.task", f"{info.name} has no open labels", "a corpus with open labels")
    if info.split == "train":
        _fail("evaluation.task", f"{info.name} is a training split", "a test split")
    if info.name in {_info("data.given_up", name).name for name in config.data.given_up}:
        _leak("evaluation.task", f"{info.name} is given up for training (data.given_up)")


def _info(field: str, name: str) -> CorpusInfo:
    try:
        return corpus_info(name)
    except OvmerError as error:
        error.field = field
        raise


def _check_rewards(config: RunConfig) -> None:
    """Known kinds and settings, something to train on, and of the mode that is asked for."""
    built = build_rewards(config.rewards, training_gold=_ANY_GOLD)
    if not any(reward.weight for reward in built):
        _fail("rewards", "all have weight 0, so that nothing is trained", "one weight other than 0")
    mode = config.prompt.mode
    for name, settings in config.rewards.items():
        kind = settings.get("kind", name)
        if kind == "format" and settings.get("mode") != mode:
            said = settings.get("mode", "not set")
            _fail(f"rewards.{name}.mode", f"is {said}, and prompt.mode is {mode}", mode)
        if kind in _OF_THE_THOUGHT and mode != "think":
            _fail(
                f"rewards.{name}",
                f"{kind} rewards the thought, and in prompt.mode {mode!r} there is none",
                hint="Set prompt.mode to think, or leave the reward out.",
            )


def _check_judge(config: RunConfig) -> None:
    judge = config.judge
    if judge is None:
        for name, settings in config.rewards.items():
            if settings.get("kind", name) == "perception":
                _fail(
                    "judge", f"is null, and reward {name!r} needs one", "kind: gold, local, server"
                )
        return
    needed = {"gold": (), "local": ("path",), "server": ("url", "model")}[judge.kind]
    for name in ("path", "url", "model"):
        given = getattr(judge, name)
        if (given is not None) != (name in needed):
            said = "is null, and is needed" if given is None else f"is {given!r}, and is not used"
            accepted = "text" if given is None else "null"
            _fail(f"judge.{name}", f"{said} by kind {judge.kind!r}", accepted)


def _check_grpo(config: RunConfig) -> None:
    grpo = config.grpo
    grpo.rows_per_device(1)
    for name in ("steps", "save_every"):
        steps = getattr(grpo, name)
        if steps % grpo.num_iterations:
            _fail(
                f"grpo.{name}",
                f"is {steps}, and completions are sampled every {grpo.num_iterations} steps"
                " (num_iterations)",
                f"a multiple of {grpo.num_iterations}",
            )
    clips = config.data.rl.clips
    if clips is not None and clips < grpo.prompts_per_step:
        _fail(
            "grpo.prompts_per_step",
            f"is {grpo.prompts_per_step}, and data.rl has {clips} clips",
            f"at most {clips}",
        )
    if grpo.loss_type == "cispo" and grpo.epsilon_high is None:
        _fail("grpo.epsilon_high", "is null, and loss_type cispo clips there", "a number such as 5")
    schedules = [("grpo.warmup_steps", grpo.lr_scheduler, float(grpo.warmup_steps))]
    if config.sft is not None:
        schedules += [("sft.warmup_ratio", config.sft.lr_scheduler, config.sft.warmup_ratio)]
    for field, scheduler, warm in schedules:
        if scheduler == "constant" and warm:
            _fail(field, f"is {warm}, and lr_scheduler constant ignores it", "0")
    if grpo.warmup_steps >= grpo.steps and grpo.warmup_steps:
        _fail(
            "grpo.warmup_steps", f"is {grpo.warmup_steps} of {grpo.steps} steps", "fewer than steps"
        )
    _check_vllm(config)


def _check_vllm(config: RunConfig) -> None:
    grpo = config.grpo
    if grpo.use_vllm and config.policy.kind in ("affectgpt", "omni"):
        who = {"affectgpt": "vLLM does not know AffectGPT", "omni": "TRL gives vLLM no sound"}
        _fail("grpo.use_vllm", f"is true, and {who[config.policy.kind]}", "false")
    if grpo.use_vllm and grpo.vllm_mode is None:
        _fail("grpo.vllm_mode", "is null, and use_vllm is true", "colocate, server")
    if not grpo.use_vllm and grpo.vllm_mode is not None:
        _fail("grpo.vllm_mode", f"is {grpo.vllm_mode}, and use_vllm is false", "null")
