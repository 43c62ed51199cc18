"""AffectGPT: media and text in, text out.

Fusion happens inside the backbone (:class:`AffectGPTModel`), so that whoever calls the backbone
alone, as TRL's fused head does, sees the media too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.generation.logits_process import (
    LogitsProcessorList,
    SuppressTokensLogitsProcessor,
)
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

from .configuration import AffectGPTConfig
from .fusion import AttentionFusion, Branch, Dense, Fusion, QFormerFusion
from .media import MEDIA_INPUTS, AudioEncoder, FrameEncoder, MediaFeatures
from .trainable import FUSION_PARTS, apply_freezing

_KINDS = ("frame", "audio", "fused")


class AffectGPTPreTrainedModel(PreTrainedModel):
    """What the backbone and the whole share."""

    config_class = AffectGPTConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    # New weights, trained whole: steps of a usual learning rate would be rounded away in bfloat16.
    _keep_in_fp32_modules_strict = {*FUSION_PARTS}  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> Any:
        """As everywhere; what the configuration freezes is frozen again after loading."""
        loaded = super().from_pretrained(*args, **kwargs)
        apply_freezing(loaded[0] if isinstance(loaded, tuple) else loaded)
        return loaded

    def train(self, mode: bool = True) -> Any:
        """As everywhere; frozen encoders keep still, or their dropout would part the
        log-probabilities of training from those of generation."""
        super().train(mode)
        for name in ("frame_encoder", "audio_encoder"):
            if name in self.config.freeze:
                getattr(getattr(self, "model", self), name).eval()
        return self

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, Dense):
            module.reset_parameters()
            return
        super()._init_weights(module)
        for name, parameter in module.named_parameters(recurse=False):
            if name in ("queries", "kind", "places", "nothing"):
                nn.init.normal_(parameter, std=0.02)


class AffectGPTModel(AffectGPTPreTrainedModel):
    """The backbone: encoders, pre-fusion, and the language model without its head."""

    def __init__(self, config: AffectGPTConfig) -> None:
        super().__init__(config)
        size = (config.fusion_width, config.fusion_heads, config.fusion_layers)
        hidden = config.text_config.hidden_size
        self.frame_encoder = FrameEncoder(config.frame_config, config.frame_features)
        self.audio_encoder = AudioEncoder(config.audio_config)
        self.frame_branch = Branch(
            self.frame_encoder.width, config.frame_tokens, config.max_frames, *size
        )
        self.audio_branch = Branch(self.audio_encoder.width, config.audio_tokens, 0, *size)
        mix: nn.Module = AttentionFusion(config.fusion_width)
        if config.fusion == "qformer":
            mix = QFormerFusion(config.fused_tokens, *size)
        self.fusion = Fusion(mix, config.fusion_width, hidden)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """Of the language model."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Of the language model."""
        self.language_model.set_input_embeddings(value)

    def encode_media(
        self,
        pixel_values: Tensor | None = None,
        frame_mask: Tensor | None = None,
        audio_values: Tensor | None = None,
        audio_lengths: Tensor | None = None,
    ) -> MediaFeatures:
        """Features of C clips; what is not given, no clip has. See :class:`MediaFeatures`.

        Args:
            pixel_values: (C, frames, channels, height, width).
            frame_mask: (C, frames); default: all exist.
            audio_values: (C, samples), or (C, bins, steps) for encoders of spectrograms.
            audio_lengths: (C,), how much of each exists; default: all of it.
        """
        given = pixel_values if pixel_values is not None else audio_values
        if given is None:
            raise ValueError("neither pixel_values nor audio_values is given")
        clips, device, dtype = len(given), given.device, self.dtype
        if pixel_values is None:
            frame_mask = torch.zeros(clips, 1, dtype=torch.bool, device=device)
            width = self.frame_encoder.width
            frames = torch.zeros(clips, 1, 1, width, device=device, dtype=dtype)
        else:
            if pixel_values.shape[1] > self.config.max_frames:
                raise ValueError(
                    f"{pixel_values.shape[1]} frames; max_frames is {self.config.max_frames}"
                )
            if frame_mask is None:
                frame_mask = torch.ones(pixel_values.shape[:2], dtype=torch.bool, device=device)
            frames = self.frame_encoder(pixel_values, frame_mask.bool())
        if audio_values is None:
            audio = torch.zeros(clips, 1, self.audio_encoder.width, device=device, dtype=dtype)
            audio_mask = torch.zeros(clips, 1, dtype=torch.bool, device=device)
        else:
            if audio_lengths is None:
                audio_lengths = torch.full((clips,), audio_values.shape[-1], device=device)
            audio, audio_mask = self.audio_encoder(audio_values, audio_lengths)
        return MediaFeatures(frames, frame_mask.bool(), audio, audio_mask)

    def media_tokens(self, features: MediaFeatures) -> list[Tensor]:
        """Embeddings of frame, audio and fused tokens, each (C, tokens, hidden)."""
        positions = features.frame_features.shape[2]
        masks = [features.frame_mask.repeat_interleave(positions, 1), features.audio_mask]
        dtype = next(self.fusion.parameters()).dtype
        frames = features.frame_features.to(dtype), masks[0]
        audio = features.audio_features.to(dtype), masks[1]
        pairs = [self.frame_branch(*frames), self.audio_branch(*audio)]
        memories, tokens = [memory for memory, _ in pairs], [own for _, own in pairs]
        return self.fusion(memories, masks, tokens)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        frame_mask: Tensor | None = None,
        audio_values: Tensor | None = None,
        audio_lengths: Tensor | None = None,
        frame_features: Tensor | None = None,
        audio_features: Tensor | None = None,
        audio_mask: Tensor | None = None,
        clip_index: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Media as for :meth:`encode_media`, or as its features.

        ``clip_index`` (B,) says which clip each row of text is about, so that a clip is sent
        once however many rows there are; default: row i is about clip i.

        Raises:
            ValueError: placeholders in the text and media given do not agree.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give either input_ids or inputs_embeds")
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
            features = None
            if frame_features is not None:
                if frame_mask is None or audio_features is None or audio_mask is None:
                    raise ValueError("features of frames and audio and their masks go together")
                features = MediaFeatures(frame_features, frame_mask, audio_features, audio_mask)
            elif pixel_values is not None or audio_values is not None:
                features = self.encode_media(pixel_values, frame_mask, audio_values, audio_lengths)
            inputs_embeds = self._with_media(input_ids, inputs_embeds, features, clip_index)
        if position_ids is None:
            position_ids = _positions(attention_mask, past_key_values)
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **kwargs,
        )
        return BaseModelOutputWithPast(
            last_hidden_state=outputs.last_hidden_state,
            past_key_values=outputs.get("past_key_values"),
            hidden_states=outputs.get("hidden_states"),
            attentions=outputs.get("attentions"),
        )

    def _with_media(
        self,
        input_ids: Tensor,
        embeds: Tensor,
        features: MediaFeatures | None,
        clip_index: Tensor | None,
    ) -> Tensor:
        """Embeddings with those of the media at their placeholders."""
        ids = (
            self.config.frame_token_id,
            self.config.audio_token_id,
            self.config.fused_token_id,
        )
        places = [input_ids == (-1 if token is None else token) for token in ids]
        if features is None:
            for kind, place in zip(_KINDS, places, strict=True):
                if place.any():
                    raise ValueError(f"the text holds {kind} placeholders, but no media is given")
            return embeds
        rows = _clip_of_row(len(input_ids), len(features.frame_mask), clip_index, embeds.device)
        has_frames, has_audio = features.frame_mask.any(1), features.audio_mask.any(1)
        present = [has_frames[rows], has_audio[rows], (has_frames | has_audio)[rows]]
        tokens = self.media_tokens(features)
        for kind, place, there, expected, made in zip(
            _KINDS, places, present, self.config.placeholders, tokens, strict=True
        ):
            _check_placeholders(kind, place.sum(1), there.long() * expected)
            source = made[rows][there].to(embeds.dtype)
            embeds = embeds.masked_scatter(place[..., None], source)
        return embeds


class AffectGPTForConditionalGeneration(AffectGPTPreTrainedModel, GenerationMixin):
    """The backbone with a head over the vocabulary."""

    def __init__(self, config: AffectGPTConfig) -> None:
        super().__init__(config)
        self.model = AffectGPTModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        embedding = self.get_input_embeddings().weight
        name = next(name for name, value in self.named_parameters() if value is embedding)
        self._tied_weights_keys = {"lm_head.weight": name}
        self.post_init()
        apply_freezing(self)

    def get_input_embeddings(self) -> nn.Module:
        """Of the language model."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Of the language model."""
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """The head."""
        return self.lm_head

    def set_output_embeddings(self, value: nn.Module) -> None:
        """The head."""
        self.lm_head = value

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        frame_mask: Tensor | None = None,
        audio_values: Tensor | None = None,
        audio_lengths: Tensor | None = None,
        frame_features: Tensor | None = None,
        audio_features: Tensor | None = None,
        audio_mask: Tensor | None = None,
        clip_index: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Arguments of :meth:`AffectGPTModel.forward`; with ``labels`` also the loss."""
        loss_kwargs = {name: kwargs.pop(name) for name in ("num_items_in_batch",) if name in kwargs}
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            pixel_values=pixel_values,
            frame_mask=frame_mask,
            audio_values=audio_values,
            audio_lengths=audio_lengths,
            frame_features=frame_features,
            audio_features=audio_features,
            audio_mask=audio_mask,
            clip_index=clip_index,
            **kwargs,
        )
        hidden = outputs.last_hidden_state
        if isinstance(logits_to_keep, int):
            hidden = hidden[:, -logits_to_keep:] if logits_to_keep else hidden
        else:
            hidden = hidden[:, logits_to_keep]
        logits = self.lm_head(hidden)
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits,
                labels=labels,
                vocab_size=self.config.text_config.vocab_size,
                **loss_kwargs,
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def generate(self, inputs: Tensor | None = None, *args: Any, **kwargs: Any) -> Any:
        """As everywhere; placeholder tokens are never generated, whatever is configured."""
        if self.config.media_token_ids:
            processors = LogitsProcessorList(kwargs.pop("logits_processor", None) or [])
            processors.append(
                SuppressTokensLogitsProcessor(list(self.config.media_token_ids), self.device)
            )
            kwargs["logits_processor"] = processors
        return super().generate(inputs, *args, **kwargs)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, is_first_iteration: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        """Media go in once: with a cache, later steps hold only the new token."""
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, is_first_iteration=is_first_iteration, **kwargs
        )
        if not is_first_iteration and inputs.get("past_key_values") is not None:
            for name in MEDIA_INPUTS:
                inputs.pop(name, None)
        return inputs

    def _expand_inputs_for_generation(
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor | None, dict[str, Any]]:
        """Rows are repeated for several answers each; clips are not, rows point to them."""
        media = {
            name: kwargs.pop(name)
            for name in MEDIA_INPUTS
            if name != "clip_index" and name in kwargs
        }
        if media and expand_size > 1 and kwargs.get("clip_index") is None and input_ids is not None:
            kwargs["clip_index"] = torch.arange(len(input_ids), device=input_ids.device)
        input_ids, kwargs = super()._expand_inputs_for_generation(
            expand_size=expand_size,
            is_encoder_decoder=is_encoder_decoder,
            input_ids=input_ids,
            **kwargs,
        )
        return input_ids, {**kwargs, **media}


def _positions(attention_mask: Tensor | None, past_key_values: Any) -> Tensor | None:
    """Places of left-padded text counted from its first token, as generation counts them."""
    if attention_mask is None or attention_mask.dim() != 2:
        return None
    if past_key_values is not None and past_key_values.get_seq_length():
        return None
    return (attention_mask.long().cumsum(-1) - 1).clamp(min=0)


def _clip_of_row(rows: int, clips: int, clip_index: Tensor | None, device: torch.device) -> Tensor:
    if clip_index is None:
        if rows != clips:
            raise ValueError(f"{rows} rows of text, {clips} clips, and no clip_index")
        return torch.arange(rows, device=device)
    if clip_index.shape != (rows,):
        raise ValueError(f"clip_index has shape {tuple(clip_index.shape)} for {rows} rows of text")
    if int(clip_index.min()) < 0 or int(clip_index.max()) >= clips:
        raise ValueError(f"clip_index names a clip outside 0 to {clips - 1}")
    return clip_index.to(device)


def _check_placeholders(kind: str, found: Tensor, expected: Tensor) -> None:
    if torch.equal(found, expected):
        return
    row = int((found != expected).nonzero()[0, 0])
    raise ValueError(
        f"row {row} of the text holds {int(found[row])} {kind} placeholders; "
        f"its media need {int(expected[row])}"
    )
