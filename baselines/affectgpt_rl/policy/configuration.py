"""Configuration of AffectGPT: three configurations of others, and what joins them."""

from __future__ import annotations

from typing import Any, ClassVar

from transformers import AutoConfig, PreTrainedConfig

FUSIONS = ("qformer", "attention")
FRAME_FEATURES = ("patches", "pooled")
FREEZABLE = (
    "frame_encoder",
    "audio_encoder",
    "frame_branch",
    "audio_branch",
    "fusion",
    "language_model",
    "lm_head",
)


class AffectGPTConfig(PreTrainedConfig):
    """Frame encoder, audio encoder, pre-fusion and causal language model.

    Args:
        frame_config: of any vision model that takes ``pixel_values`` (CLIP vision class).
        audio_config: of any audio model that takes ``input_values`` (HuBERT, wav2vec2 class) or
            ``input_features`` (Whisper class, of which the encoder is used).
        text_config: of any causal language model.
        fusion: ``qformer``: learned queries attend to frames and audio together, giving
            ``fused_tokens`` tokens; ``attention``: the two are pooled and weighed against each
            other, giving one token.
        frame_features: ``patches``: all positions of every frame; ``pooled``: one per frame.
        frame_tokens, audio_tokens, fused_tokens: placeholders of a clip in the text.
        fusion_width, fusion_heads, fusion_layers: size of the query transformers.
        max_frames: longest clip, in frames.
        frame_token_id, audio_token_id, fused_token_id: placeholder tokens.
        freeze: parts that are not trained, out of :data:`FREEZABLE`.
    """

    model_type = "affectgpt"
    sub_configs: ClassVar[dict[str, type]] = {
        "frame_config": AutoConfig,
        "audio_config": AutoConfig,
        "text_config": AutoConfig,
    }
    # TRL reads it of every model that is not part of transformers.
    auto_map: ClassVar[dict[str, str]] = {}

    frame_config: Any = None
    audio_config: Any = None
    text_config: Any = None
    fusion: str = "qformer"
    frame_features: str = "patches"
    frame_tokens: int = 32
    audio_tokens: int = 8
    fused_tokens: int = 16
    fusion_width: int = 768
    fusion_heads: int = 12
    fusion_layers: int = 2
    max_frames: int = 8
    frame_token_id: int | None = None
    audio_token_id: int | None = None
    fused_token_id: int | None = None
    freeze: list[str] | tuple[str, ...] = ("frame_encoder", "audio_encoder")
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        for name, default in _DEFAULTS.items():
            given = getattr(self, name)
            if given is None:
                given = {"model_type": default}
            if isinstance(given, dict):
                settings = dict(given)
                given = AutoConfig.for_model(settings.pop("model_type", default), **settings)
            setattr(self, name, given)
        self.freeze = sorted(self.freeze)
        self.tie_word_embeddings = bool(getattr(self.text_config, "tie_word_embeddings", False))
        self._check()
        super().__post_init__(**kwargs)

    @property
    def media_token_ids(self) -> tuple[int, ...]:
        """Ids of the placeholder tokens that are set."""
        ids = (self.frame_token_id, self.audio_token_id, self.fused_token_id)
        return tuple(token for token in ids if token is not None)

    @property
    def placeholders(self) -> tuple[int, int, int]:
        """How many placeholders stand for the frames, the audio and the fusion of a clip."""
        fused = self.fused_tokens if self.fusion == "qformer" else 1
        return self.frame_tokens, self.audio_tokens, fused

    def _check(self) -> None:
        if self.fusion not in FUSIONS:
            raise ValueError(f"fusion is {self.fusion!r}; accepted: {', '.join(FUSIONS)}")
        if self.frame_features not in FRAME_FEATURES:
            accepted = ", ".join(FRAME_FEATURES)
            raise ValueError(f"frame_features is {self.frame_features!r}; accepted: {accepted}")
        unknown = sorted(set(self.freeze) - set(FREEZABLE))
        if unknown:
            raise ValueError(f"cannot freeze {unknown}; accepted: {', '.join(FREEZABLE)}")
        if self.fusion_width % self.fusion_heads:
            raise ValueError(
                f"fusion_width {self.fusion_width} is no multiple of "
                f"fusion_heads {self.fusion_heads}"
            )
        ids = self.media_token_ids
        if len(set(ids)) != len(ids):
            raise ValueError(f"two media tokens share an id: {ids}")


_DEFAULTS = {
    "frame_config": "clip_vision_model",
    "audio_config": "hubert",
    "text_config": "qwen2",
}
