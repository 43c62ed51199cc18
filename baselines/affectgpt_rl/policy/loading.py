"""Policies by configuration: made, loaded and saved with what prepares their inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from ovmer_bench import OvmerError
from transformers import (
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2ForCausalLM,
)

from ..config import RunConfig
from ..config.sections import Policy
from . import AffectGPTConfig, AffectGPTForConditionalGeneration, AffectGPTProcessor, build_policy
from .mini import mini_config, mini_processor, mini_tokenizer, text_config
from .processing import prepare_tokenizer
from .processors import load_processor, load_tokenizer
from .trainable import apply_freezing

_LOADERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "affectgpt": (AffectGPTForConditionalGeneration, AffectGPTProcessor.from_pretrained),
    "text": (AutoModelForCausalLM, load_tokenizer),
    "vision": (AutoModelForImageTextToText, load_processor),
    "omni": (
        Qwen2_5OmniThinkerForConditionalGeneration,
        partial(load_processor, kind=Qwen2_5OmniProcessor),
    ),
}


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy and what prepares its inputs.

    Attributes:
        model: a causal language model with whatever media it takes.
        processor: an ``AffectGPTProcessor``, a processor of transformers, or a tokenizer.
    """

    model: Any
    processor: Any

    @property
    def tokenizer(self) -> Any:
        """The tokenizer alone."""
        return getattr(self.processor, "tokenizer", self.processor)

    def save(self, folder: str | Path) -> None:
        """Write both, to be read by :func:`load_policy`."""
        self.model.save_pretrained(folder)
        self.processor.save_pretrained(folder)


def new_policy(config: RunConfig) -> LoadedPolicy:
    """The policy that a run begins with, before any training of ours.

    Raises:
        OvmerError: a part is no folder and no known name, or its class is another.
    """
    torch.manual_seed(config.seed)
    settings = config.policy
    if settings.build == "mini":
        return _mini(settings, config.prompt.instruction)
    if settings.build == "path":
        return load_policy(_given(settings.path, "policy.path"), settings.kind, settings)
    return _from_parts(settings)


def load_policy(
    folder: str | Path, kind: str = "affectgpt", settings: Policy | None = None
) -> LoadedPolicy:
    """A policy that was saved, or published.

    Args:
        folder: or a name on the hub.
        kind: of ``policy.kind``.
        settings: what to freeze, and the type of the weights; default: as saved.

    Raises:
        OvmerError: there is none, or none of this kind.
    """
    model_class, processor_of = _LOADERS[kind]
    dtype = "auto" if settings is None else getattr(torch, settings.dtype)
    try:
        processor = processor_of(folder)
        model = model_class.from_pretrained(folder, dtype=dtype)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise _not_loaded(str(folder), kind, error) from None
    if kind != "affectgpt":
        return LoadedPolicy(model, _padded(processor))
    if settings is not None:
        freeze(model, settings.freeze)
    apply_freezing(model)
    return LoadedPolicy(model, processor)


def freeze(model: Any, parts: tuple[str, ...]) -> None:
    """Train all of an AffectGPT but these parts, now and after loading it again."""
    model.config.freeze = sorted(parts)
    apply_freezing(model)


def _mini(settings: Policy, instruction: str) -> LoadedPolicy:
    tokenizer = mini_tokenizer(instruction)
    if settings.kind == "text":
        model = Qwen2ForCausalLM(text_config(tokenizer))
        return LoadedPolicy(model, _padded(tokenizer))
    config: AffectGPTConfig = mini_config(
        tokenizer, fusion=settings.fusion or "qformer", freeze=settings.freeze
    )
    model = AffectGPTForConditionalGeneration(config)
    return LoadedPolicy(model, mini_processor(tokenizer, config))


def _from_parts(settings: Policy) -> LoadedPolicy:
    frame = _given(settings.frame_encoder, "policy.frame_encoder")
    audio = _given(settings.audio_encoder, "policy.audio_encoder")
    text = _given(settings.language_model, "policy.language_model")
    try:
        tokenizer = load_tokenizer(text)
        ids = prepare_tokenizer(tokenizer)
        model = build_policy(
            frame,
            audio,
            text,
            dtype=getattr(torch, settings.dtype),
            fusion=settings.fusion or "qformer",
            freeze=settings.freeze,
            **ids,
        )
        pictures = AutoImageProcessor.from_pretrained(frame)
        sounds = AutoFeatureExtractor.from_pretrained(audio)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(f"{frame}, {audio} or {text}", "affectgpt", error) from None
    grow_embeddings(model, len(tokenizer))
    config = model.config
    processor = AffectGPTProcessor(
        image_processor=pictures,
        feature_extractor=sounds,
        tokenizer=tokenizer,
        placeholders=config.placeholders,
        max_frames=config.max_frames,
        chat_template=tokenizer.chat_template,
    )
    return LoadedPolicy(model, processor)


def grow_embeddings(model: Any, tokens: int) -> None:
    """Room for tokens that were added; published models often have some to spare."""
    if tokens > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(tokens)


def _padded(processor: Any) -> Any:
    """Pads on the left, with a token of its own."""
    tokenizer = getattr(processor, "tokenizer", processor)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise OvmerError(
            "padding and end of text are the same token",
            field="policy.path",
            hint="Give the tokenizer a padding token of its own and save it.",
        )
    return processor


def _given(value: str | None, field: str) -> str:
    if value is None:
        raise OvmerError("is not given", field=field, accepted="a folder, or a name on the hub")
    return value


def _not_loaded(what: str, kind: str, error: Exception) -> OvmerError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return OvmerError(
        f"no policy of kind {kind} could be loaded from {what}: {first}",
        field="policy",
        hint="Give a folder that holds it, or download it first and check your access.",
    )
