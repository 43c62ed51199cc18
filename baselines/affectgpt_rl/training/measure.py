"""Speed and memory of GRPO by shape and precision, step by step as in training.

Clips are those of the embedded corpus, weights are random: neither changes how long anything
takes. Every step sees clips that no step has seen, whose encoders' outputs are kept, as in the
first epoch of a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from ovmer_bench import OvmerError
from ovmer_bench.files import write_text
from transformers import CLIPImageProcessorPil, Wav2Vec2FeatureExtractor

from ..config.sections import Prompt, Source
from ..data.clips import load_clips
from ..data.inputs import TextInputs
from ..policy import AffectGPTConfig, AffectGPTForConditionalGeneration
from ..policy.loading import LoadedPolicy
from ..policy.mini import mini_config, mini_processor, mini_tokenizer
from ..policy.presets import qwen25_7b, reduced
from ..policy.processing import prepare_tokenizer
from ..rewards.config import build_rewards
from .grpo import AffectGPTGRPOTrainer
from .grpo_settings import grpo_config
from .stopwatch import PARTS, StepTimer, Stopwatch

SHAPES = ("tiny", "narrow-7b", "shallow-7b")
"""``tiny``: the policy of ``configs/mini.yaml``. ``narrow-7b``: the classes of the 7B policy, one
layer and a width of 32 each. ``shallow-7b``: its widths, and of each part so many layers as are
asked for."""
PRECISIONS = ("fp32", "bf16")
SCHEMA_VERSION = 1
_FROZEN = ("audio_encoder", "frame_encoder")
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Load:
    """What is measured.

    Attributes:
        prompts: clips of a step.
        generations: answers to each.
        tokens: of an answer.
        steps: measured ones.
        skipped: steps before those.
        layers: of each part of ``shallow-7b``.
    """

    prompts: int = 8
    generations: int = 8
    tokens: int = 64
    steps: int = 5
    skipped: int = 2
    layers: int = 4


@dataclass(frozen=True)
class Measured:
    """What was found.

    Attributes:
        shape, precision, device: what was run, and where.
        parameters: of the policy; ``trained``: those that are.
        step_seconds: of one step, its parts by name in ``seconds``.
        tokens_per_second: sampled tokens, in the time of sampling.
        trained_tokens_per_second: prompts and answers, in the time of a step.
        clips_per_second: distinct clips, in the time of a step.
        completion_tokens: mean length of an answer.
        peak_bytes: of the device's memory, or of this process on a CPU; ``None``: unknown.
    """

    shape: str
    precision: str
    device: str
    parameters: int
    trained: int
    step_seconds: float
    seconds: dict[str, float]
    tokens_per_second: float
    trained_tokens_per_second: float
    clips_per_second: float
    completion_tokens: float
    peak_bytes: int | None


def measure_all(
    shapes: Sequence[str],
    precisions: Sequence[str],
    load: Load,
    *,
    device: str,
    on_result: Callable[[Measured], object] | None = None,
) -> list[Measured]:
    """Every shape in every precision, one after the other.

    Args:
        shapes: of :data:`SHAPES`.
        precisions: of :data:`PRECISIONS`.
        load: what a step holds.
        device: ``cpu`` or ``cuda``.
        on_result: told each result at once.

    Raises:
        OvmerError: there is no such device, or it cannot do that.
    """
    check_device(device, precisions)
    found = []
    for shape in shapes:
        for precision in precisions:
            result = measure_one(shape, precision, load, device=device)
            found.append(result)
            if on_result is not None:
                on_result(result)
    return found


def check_device(device: str, precisions: Sequence[str]) -> None:
    """Raise :class:`~ovmer_bench.OvmerError` where nothing could be measured."""
    if device == "cuda" and not torch.cuda.is_available():
        raise OvmerError("there is no GPU that torch can use", field="--device", accepted="cpu")
    if device == "cpu" and torch.cuda.is_available():
        raise OvmerError(
            "training takes the GPU where there is one",
            field="--device",
            accepted="cuda",
            hint="Hide it with CUDA_VISIBLE_DEVICES= to measure the CPU.",
        )
    if device == "cpu" and "bf16" in precisions:
        raise OvmerError("GRPO does not run in bf16 on a CPU", field="--precision", accepted="fp32")


def measure_one(shape: str, precision: str, load: Load, *, device: str) -> Measured:
    """One shape in one precision; errors as of :func:`measure_all`."""
    gpu = device == "cuda"
    policy = policy_of_shape(shape, layers=load.layers)
    if precision == "bf16":
        policy.model.to(torch.bfloat16)
    watch = Stopwatch(torch.cuda.synchronize if gpu else _nothing)
    timer = StepTimer(watch, load.skipped, partial(_forget_peak, gpu))
    lengths: list[int] = []
    prompts: list[int] = []
    with TemporaryDirectory() as folder:
        trainer = _trainer(policy, load, precision, Path(folder))
        timer.attach(trainer, policy.model.model)
        _count_tokens(trainer, load.skipped, lengths, prompts)
        trainer.train()
    steps = timer.steps
    step = sum(watch.seconds.values()) / steps
    sampled = sum(lengths) / steps
    parameters = list(policy.model.parameters())
    result = Measured(
        shape=shape,
        precision=precision,
        device=torch.cuda.get_device_name() if gpu else "cpu",
        parameters=sum(one.numel() for one in parameters),
        trained=sum(one.numel() for one in parameters if one.requires_grad),
        step_seconds=step,
        seconds={name: watch.seconds[name] / steps for name in PARTS},
        tokens_per_second=sampled / (watch.seconds["generation"] / steps),
        trained_tokens_per_second=(sampled + sum(prompts) / steps) / step,
        clips_per_second=load.prompts / step,
        completion_tokens=sum(lengths) / len(lengths),
        peak_bytes=_peak(gpu),
    )
    trainer.accelerator.free_memory()
    return result


def policy_of_shape(shape: str, *, layers: int) -> LoadedPolicy:
    """A policy with random weights whose encoders are frozen, and its processor."""
    torch.manual_seed(0)
    tokenizer = mini_tokenizer()
    if shape == "tiny":
        config = mini_config(tokenizer, freeze=_FROZEN)
        model = AffectGPTForConditionalGeneration(config)
        return LoadedPolicy(model, mini_processor(tokenizer, config))
    ids = prepare_tokenizer(tokenizer)
    if shape == "narrow-7b":
        config = reduced(qwen25_7b(**ids, freeze=_FROZEN), vocabulary=len(tokenizer))
    elif shape == "shallow-7b":
        config = _shallow(qwen25_7b(**ids, freeze=_FROZEN), layers)
    else:
        raise OvmerError(f"{shape!r} is no shape", field="--shape", accepted=SHAPES)
    processor = mini_processor(tokenizer, config)
    processor.image_processor = CLIPImageProcessorPil()
    processor.feature_extractor = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    return LoadedPolicy(AffectGPTForConditionalGeneration(config), processor)


def write_results(path: Path, found: Sequence[Measured], load: Load, where: object) -> None:
    """Write results, what was measured and ``where`` as JSON."""
    made = {
        "schema_version": SCHEMA_VERSION,
        "environment": where,
        "load": asdict(load),
        "results": [asdict(one) for one in found],
    }
    write_text(path, json.dumps(made, indent=2, allow_nan=False) + "\n")


def table_of(found: Sequence[Measured]) -> Any:
    """Results as a table of rich."""
    from rich.table import Table

    table = Table(title="GRPO, one step")
    table.add_column("")
    for one in found:
        table.add_column(f"{one.shape}\n{one.precision}", justify="right")
    lines: dict[str, Callable[[Measured], str]] = {
        "parameters": lambda one: f"{one.parameters:,}",
        "trained": lambda one: f"{one.trained:,}",
        "seconds a step": lambda one: f"{one.step_seconds:.3f}",
        **{f"  {name.replace('_', ' ')}": partial(_share, name) for name in PARTS},
        "sampled tokens/s": lambda one: f"{one.tokens_per_second:,.0f}",
        "trained tokens/s": lambda one: f"{one.trained_tokens_per_second:,.0f}",
        "clips/s": lambda one: f"{one.clips_per_second:.2f}",
        "peak memory, GiB": _gibibytes,
    }
    for name, text in lines.items():
        table.add_row(name, *(text(one) for one in found))
    return table


def _share(name: str, one: Measured) -> str:
    return f"{one.seconds[name] / one.step_seconds:.0%}"


def _gibibytes(one: Measured) -> str:
    return "unknown" if one.peak_bytes is None else f"{one.peak_bytes / 2**30:.2f}"


def _shallow(config: AffectGPTConfig, layers: int) -> AffectGPTConfig:
    for part in (config.frame_config, config.audio_config, config.text_config):
        part.num_hidden_layers = layers
    text = config.text_config
    text.layer_types = ["full_attention"] * layers
    text.max_window_layers = layers
    text.bos_token_id = text.eos_token_id = None  # of a tokenizer that is not used here
    return config


def _trainer(
    policy: LoadedPolicy, load: Load, precision: str, folder: Path
) -> AffectGPTGRPOTrainer:
    total = load.skipped + load.steps
    count = load.prompts * total
    source = Source(corpus="ovmer_mini", split="rl", start=0, clips=count, seed=0)
    clips = load_clips(source, ("frames", "audio", "subtitle"))
    prompt = Prompt(
        mode="answer",
        thought="description",
        instruction="What does the person feel?",
        language="en",
        clues=False,
        images=8,
    )
    inputs = TextInputs(policy, prompt, clips, keep=True)
    rows = load.prompts * load.generations
    settings: dict[str, object] = {
        "num_generations": load.generations,
        "beta": 0.0,
        "epsilon": 0.2,
        "epsilon_high": None,
        "loss_type": "dapo",
        "scale_rewards": "group",
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 0,
        "num_iterations": 1,
        "steps_per_generation": 1,
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": 1,
        "max_completion_length": load.tokens,
        "mask_truncated_completions": False,
        "learning_rate": 1e-6,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "max_steps": total,
        "seed": 0,
        "bf16": precision == "bf16",
        "gradient_checkpointing": False,
        "disable_dropout": True,
        "use_vllm": False,
        "vllm_mode": None,
        "save_steps": 0,
        "save_total_limit": None,
    }
    return AffectGPTGRPOTrainer(
        policy.model,
        build_rewards({"accuracy": {"weight": 1.0}}, training_gold=[("happy",)]),
        grpo_config(settings, output_dir=folder),
        [inputs.row(clip) for clip in clips],
        processing_class=policy.tokenizer,
        bank=inputs.bank,
    )


def _count_tokens(trainer: Any, skipped: int, lengths: list[int], prompts: list[int]) -> None:
    """Note how long prompts and answers of the measured steps are."""
    calculate = trainer._calculate_rewards

    def counted(inputs: Any, asked: Any, said: Any, ids: Any) -> Any:
        if trainer.state.global_step >= skipped:
            lengths.extend(len(one) for one in ids)
            prompts.extend(len(one) for one in trainer.processing_class(asked)["input_ids"])
        return calculate(inputs, asked, said, ids)

    trainer._calculate_rewards = counted


def _nothing() -> None:
    """What a CPU has to wait for."""


def _forget_peak(gpu: bool) -> None:
    """From now on memory is counted anew."""
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    elif os.access(_CLEAR, os.W_OK):
        _CLEAR.write_text("5", "ascii")  # the kernel's word for it


def _peak(gpu: bool) -> int | None:
    if gpu:
        return int(torch.cuda.max_memory_allocated())
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text("ascii").splitlines() if "VmHWM" in line)
        return int(line.split()[1]) * 1024
    return None
