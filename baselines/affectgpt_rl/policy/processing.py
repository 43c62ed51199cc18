"""Text, frames and sound -> what the policy takes; any of the media may be missing.

In a text, ``<|frame|>``, ``<|audio|>`` and ``<|fused|>`` each stand once where a clip's frames,
audio and fusion go. The processor repeats each as often as the policy has tokens for it, and
refuses texts that do not agree with the media given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchFeature, ProcessorMixin

FRAME, AUDIO, FUSED = "<|frame|>", "<|audio|>", "<|fused|>"
MEDIA_TOKENS = (FRAME, AUDIO, FUSED)
PAD = "<|pad|>"

Clip = NDArray[Any]


def prepare_tokenizer(tokenizer: Any) -> dict[str, int]:
    """Give a tokenizer the media tokens and a padding token of its own; pads on the left.

    Padding that equals the end of text would teach never to end. Returns the ids to put into
    :class:`AffectGPTConfig`.
    """
    tokenizer.add_special_tokens(
        {"additional_special_tokens": list(MEDIA_TOKENS)}, replace_extra_special_tokens=False
    )
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        tokenizer.add_special_tokens({"pad_token": PAD})
    tokenizer.padding_side = "left"
    names = ("frame_token_id", "audio_token_id", "fused_token_id")
    return dict(zip(names, tokenizer.convert_tokens_to_ids(list(MEDIA_TOKENS)), strict=True))


class AffectGPTProcessor(ProcessorMixin):
    """A tokenizer, an image processor and an audio feature extractor.

    Args:
        image_processor: of the frame encoder.
        feature_extractor: of the audio encoder.
        tokenizer: of the language model, after :func:`prepare_tokenizer`.
        placeholders: ``AffectGPTConfig.placeholders``: tokens of frames, audio and fusion.
        max_frames: longer clips are thinned to so many frames, evenly.
    """

    def __init__(
        self,
        image_processor: Any = None,
        feature_extractor: Any = None,
        tokenizer: Any = None,
        placeholders: Sequence[int] = (32, 8, 16),
        max_frames: int = 8,
        chat_template: str | None = None,
    ) -> None:
        self.placeholders = list(placeholders)
        self.max_frames = max_frames
        super().__init__(image_processor, feature_extractor, tokenizer, chat_template=chat_template)
        if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
            raise ValueError("padding needs a token of its own; see prepare_tokenizer")

    @staticmethod
    def media_prefix(frames: bool, audio: bool) -> str:
        """What a text about a clip with these media begins with; empty without media."""
        kinds = (frames, audio, frames or audio)
        return "".join(token for token, there in zip(MEDIA_TOKENS, kinds, strict=True) if there)

    def expand(self, text: str) -> str:
        """``text`` with every media token repeated as often as the policy needs it."""
        counts = dict(zip(MEDIA_TOKENS, self.placeholders, strict=True))
        return _MEDIA_TOKEN.sub(lambda match: match[0] * counts[match[0]], text)

    def __call__(
        self,
        text: str | Sequence[str],
        frames: Sequence[Clip | None] | None = None,
        audio: Sequence[Clip | None] | None = None,
        **tokenizer_kwargs: Any,
    ) -> BatchFeature:
        """Tensors for the policy, one row for each text.

        Args:
            text: with the media tokens where the media go.
            frames: for each text, uint8 (frames, height, width, 3), or ``None``.
            audio: for each text, one channel at the extractor's rate, int16 or float in -1..1,
                or ``None``. Nothing at all (length 0) counts as missing.

        Raises:
            ValueError: media of another shape, or not those that the text names.
        """
        texts = [text] if isinstance(text, str) else list(text)
        pictures = [_frames(clip) for clip in _as_many(frames, len(texts), "frames")]
        sounds = [_samples(clip) for clip in _as_many(audio, len(texts), "audio")]
        for row, (one, picture, sound) in enumerate(zip(texts, pictures, sounds, strict=True)):
            _check_tokens(row, one, picture is not None, sound is not None)
        tokenizer_kwargs.setdefault("padding", True)
        encoded = self.tokenizer(
            [self.expand(one) for one in texts], return_tensors="pt", **tokenizer_kwargs
        )
        inputs = {name: encoded[name] for name in ("input_ids", "attention_mask")}
        return BatchFeature({**inputs, **self.media(pictures, sounds)})

    def media(
        self, frames: Sequence[Clip | None], audio: Sequence[Clip | None]
    ) -> dict[str, torch.Tensor]:
        """Tensors of the media alone; what no clip has is left out."""
        inputs: dict[str, torch.Tensor] = {}
        if any(clip is not None for clip in frames):
            inputs |= self._frame_inputs([_frames(clip) for clip in frames])
        if any(clip is not None for clip in audio):
            inputs |= self._audio_inputs([_samples(clip) for clip in audio])
        return inputs

    def _frame_inputs(self, clips: list[Clip | None]) -> dict[str, torch.Tensor]:
        thinned = [None if clip is None else clip[_evenly(len(clip), self.max_frames)]
                   for clip in clips]  # fmt: skip
        flat = [frame for clip in thinned if clip is not None for frame in clip]
        pixels = self.image_processor(flat, return_tensors="pt", input_data_format="channels_last")[
            "pixel_values"
        ]
        longest = max(len(clip) for clip in thinned if clip is not None)
        values = pixels.new_zeros(len(clips), longest, *pixels.shape[1:])
        mask = torch.zeros(len(clips), longest, dtype=torch.bool)
        for row, clip in enumerate(thinned):
            mask[row, : 0 if clip is None else len(clip)] = True
        values[mask] = pixels
        return {"pixel_values": values, "frame_mask": mask}

    def _audio_inputs(self, clips: list[Clip | None]) -> dict[str, torch.Tensor]:
        extractor = self.feature_extractor
        name = extractor.model_input_names[0]
        made: list[tuple[torch.Tensor, int] | None] = []
        for clip in clips:
            if clip is None:
                made.append(None)
                continue
            value = extractor(clip, sampling_rate=extractor.sampling_rate, return_tensors="pt")
            value, length = value[name][0], len(clip)
            if name == "input_features":
                length = min(-(-length // extractor.hop_length), value.shape[-1])
            made.append((value, length))
        shapes = [entry[0].shape for entry in made if entry is not None]
        values = torch.zeros(len(clips), *shapes[0][:-1], max(shape[-1] for shape in shapes))
        for row, entry in enumerate(made):
            if entry is not None:
                values[row, ..., : entry[0].shape[-1]] = entry[0]
        lengths = torch.tensor([0 if entry is None else entry[1] for entry in made])
        return {"audio_values": values, "audio_lengths": lengths}

    @property
    def model_input_names(self) -> list[str]:
        """Names of the tensors that it makes."""
        media = ["pixel_values", "frame_mask", "audio_values", "audio_lengths"]
        return ["input_ids", "attention_mask", *media]


_MEDIA_TOKEN = re.compile("|".join(re.escape(token) for token in MEDIA_TOKENS))


def _as_many(given: Sequence[Clip | None] | None, rows: int, name: str) -> list[Clip | None]:
    clips: list[Clip | None] = [None] * rows if given is None else list(given)
    if len(clips) != rows:
        raise ValueError(f"{rows} texts, {len(clips)} entries of {name}")
    return clips


def _frames(clip: Clip | None) -> Clip | None:
    if clip is None or len(clip) == 0:
        return None
    if clip.ndim != 4 or clip.shape[-1] != 3 or clip.dtype != np.uint8:
        raise ValueError(
            f"frames are {clip.dtype} {clip.shape}; accepted: uint8 (frames, height, width, 3)"
        )
    return clip


def _samples(clip: Clip | None) -> Clip | None:
    if clip is None or len(clip) == 0:
        return None
    if clip.ndim != 1:
        raise ValueError(f"audio has shape {clip.shape}; accepted: one channel, (samples,)")
    if clip.dtype == np.int16:
        return clip.astype(np.float32) / 32768
    if not np.issubdtype(clip.dtype, np.floating) or not np.isfinite(clip).all():
        raise ValueError(f"audio is {clip.dtype}; accepted: int16, or finite floats in -1..1")
    return clip.astype(np.float32)


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """Indices of at most ``most`` of ``count``, in the middles of equal parts."""
    if count <= most:
        return np.arange(count)
    return (np.arange(most) * 2 + 1) * count // (2 * most)


def _check_tokens(row: int, text: str, frames: bool, audio: bool) -> None:
    kinds = (frames, audio, frames or audio)
    for token, there in zip(MEDIA_TOKENS, kinds, strict=True):
        if text.count(token) != there:
            raise ValueError(
                f"text {row} holds {token} {text.count(token)} times; its media need it "
                f"{'once' if there else 'nowhere'}"
            )
