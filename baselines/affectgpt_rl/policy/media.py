"""Encoders: frames and sound -> features, any subset missing, any length.

Every clip is encoded as if it were alone: a missing modality costs nothing, and no clip's
features depend on which others are in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel

MEDIA_INPUTS = (
    "pixel_values",
    "frame_mask",
    "audio_values",
    "audio_lengths",
    "frame_features",
    "audio_features",
    "audio_mask",
    "clip_index",
)
"""Names of everything that ``forward`` takes beside text."""


@dataclass(frozen=True)
class MediaFeatures:
    """What the encoders make of C clips; can be kept and given to ``forward`` again.

    Attributes:
        frame_features: (C, frames, positions, width), 0 where there is no frame.
        frame_mask: (C, frames), which frames exist.
        audio_features: (C, positions, width).
        audio_mask: (C, positions), which positions exist.
    """

    frame_features: Tensor
    frame_mask: Tensor
    audio_features: Tensor
    audio_mask: Tensor

    def as_inputs(self) -> dict[str, Tensor]:
        """Keyword arguments for ``forward``, in place of pixels and samples."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def take(self, clips: Tensor) -> MediaFeatures:
        """Features of some clips, in the order given."""
        return replace(self, **{name: value[clips] for name, value in self.as_inputs().items()})


class FrameEncoder(nn.Module):
    """Any vision model, applied to the frames that exist."""

    def __init__(self, config: Any, features: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_config(config)
        self.width = config.hidden_size
        self.pooled = features == "pooled"

    def forward(self, pixel_values: Tensor, frame_mask: Tensor) -> Tensor:
        """(C, T, channels, height, width) and (C, T) -> (C, T, positions, width)."""
        clips, frames = frame_mask.shape
        if not frame_mask.any():
            return pixel_values.new_zeros(clips, frames, 1, self.width, dtype=_dtype(self))
        output = self.encoder(pixel_values=pixel_values[frame_mask].to(_dtype(self)))
        hidden = output.last_hidden_state
        if self.pooled:
            pooled = getattr(output, "pooler_output", None)
            hidden = (hidden.mean(1) if pooled is None else pooled)[:, None]
        out = hidden.new_zeros(clips, frames, *hidden.shape[1:])
        out[frame_mask] = hidden
        return out


class AudioEncoder(nn.Module):
    """Any audio model; of one with a decoder, the encoder."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        model = AutoModel.from_config(config)
        self.encoder = model.get_encoder() if config.is_encoder_decoder else model
        self.width = config.hidden_size
        self.takes_waveform = self.encoder.main_input_name == "input_values"
        self.shortest = _receptive_field(config) if self.takes_waveform else 1

    def forward(self, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(C, samples) or (C, bins, steps), and (C,) -> features, and where they exist.

        Waveforms are encoded in groups of equal length, without padding: padding would change
        them, since several encoders normalise over time. Spectrograms have a fixed length.
        """
        values = values.to(_dtype(self))
        total = values.shape[-1]
        encoded: dict[int, Tensor] = {}
        for length in sorted(set(lengths.tolist()) - {0}):
            rows = (lengths == length).nonzero()[:, 0]
            hidden = self._encode(values[rows], length)
            valid = hidden.shape[1]
            if not self.takes_waveform:
                valid = -(-length * valid // total)
            encoded.update(zip(rows.tolist(), hidden[:, :valid], strict=True))
        longest = max((hidden.shape[0] for hidden in encoded.values()), default=1)
        out = values.new_zeros(len(lengths), longest, self.width)
        mask = torch.zeros(len(lengths), longest, dtype=torch.bool, device=values.device)
        for row, hidden in encoded.items():
            out[row, : len(hidden)] = hidden
            mask[row, : len(hidden)] = True
        return out, mask

    def _encode(self, values: Tensor, length: int) -> Tensor:
        if not self.takes_waveform:
            return self.encoder(input_features=values).last_hidden_state
        values = values[:, :length]
        values = nn.functional.pad(values, (0, max(0, self.shortest - length)))
        return self.encoder(input_values=values).last_hidden_state


def _dtype(module: nn.Module) -> torch.dtype:
    return next(p.dtype for p in module.parameters() if p.is_floating_point())


def _receptive_field(config: Any) -> int:
    """Samples that give the convolutions one position; shorter sound is padded to it."""
    field = 1
    for kernel, stride in zip(
        reversed(config.conv_kernel), reversed(config.conv_stride), strict=True
    ):
        field = (field - 1) * stride + kernel
    return field
