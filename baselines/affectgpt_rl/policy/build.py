"""A policy from parts: encoders and language model each from a folder or from a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from .configuration import AffectGPTConfig
from .modeling import AffectGPTForConditionalGeneration
from .trainable import FUSION_PARTS, apply_freezing

Part = str | Path | Any


def build_policy(
    frame: Part, audio: Part, text: Part, *, dtype: Any = None, **settings: Any
) -> AffectGPTForConditionalGeneration:
    """A policy whose parts are pretrained where a name or folder is given.

    Args:
        frame, audio, text: a name or folder that ``from_pretrained`` takes, or a configuration,
            of which the part is made anew. ``frame`` may name a whole CLIP: its vision part is
            used.
        dtype: of all parts but the fusion, whose new weights need full precision; default: that of
            new models.
        settings: of :class:`AffectGPTConfig`.
    """
    config = AffectGPTConfig(
        frame_config=_vision(_config(frame)),
        audio_config=_config(audio),
        text_config=_config(text),
        **settings,
    )
    policy = AffectGPTForConditionalGeneration(config)
    if dtype is not None:
        policy = policy.to(dtype)
    model = policy.model
    for part in FUSION_PARTS:
        getattr(model, part).float()
    if isinstance(frame, (str, Path)):
        loaded = AutoModel.from_pretrained(frame, dtype=policy.dtype)
        _copy(getattr(loaded, "vision_model", loaded), model.frame_encoder.encoder)
    if isinstance(audio, (str, Path)):
        loaded = AutoModel.from_pretrained(audio, dtype=policy.dtype)
        _copy(
            loaded.get_encoder() if loaded.config.is_encoder_decoder else loaded,
            model.audio_encoder.encoder,
        )
    if isinstance(text, (str, Path)):
        loaded = AutoModelForCausalLM.from_pretrained(text, dtype=policy.dtype)
        _copy(loaded.base_model, model.language_model)
        _copy(loaded.get_output_embeddings(), policy.lm_head)
        policy.tie_weights()
    apply_freezing(policy)
    return policy


def _config(part: Part) -> Any:
    return AutoConfig.from_pretrained(part) if isinstance(part, (str, Path)) else part


def _vision(config: Any) -> Any:
    return getattr(config, "vision_config", config)


def _copy(source: Any, target: Any) -> None:
    """Weights of ``source`` into ``target``; both must have the same."""
    target.load_state_dict(source.state_dict())
