"""Tiny policies of every kind, and batches for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from affectgpt_rl.policy import AffectGPTForConditionalGeneration, AffectGPTProcessor
from affectgpt_rl.policy.mini import mini_config, mini_processor, mini_tokenizer
from ovmer_bench.corpora.ovmer_mini.generate import make_clip
from transformers import (
    CLIPVisionConfig,
    GPT2Config,
    HubertConfig,
    LlamaConfig,
    Qwen2Config,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    WhisperConfig,
    WhisperFeatureExtractor,
)

CONVOLUTIONS: dict[str, Any] = {
    "conv_dim": (16, 16, 16),
    "conv_kernel": (20, 16, 8),
    "conv_stride": (10, 8, 4),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
SIZE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}


@dataclass(frozen=True)
class Policy:
    """A model in evaluation mode and its processor."""

    model: AffectGPTForConditionalGeneration
    processor: AffectGPTProcessor


def audio_config(kind: str) -> Any:
    """HuBERT, normalising over time and not; wav2vec2; Whisper, for sound of 1 s."""
    if kind == "whisper":
        return WhisperConfig(
            d_model=32,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=48,
            decoder_ffn_dim=48,
            num_mel_bins=16,
            max_source_positions=50,
            vocab_size=8,
            pad_token_id=0,
        )
    made = Wav2Vec2Config if kind == "wav2vec2" else HubertConfig
    norm = "group" if kind == "hubert-group" else "layer"
    return made(**SIZE, **CONVOLUTIONS, feat_extract_norm=norm)


def text_config(kind: str, tokenizer: Any) -> Any:
    """A causal language model of one layer."""
    ids = {
        "vocab_size": len(tokenizer),
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "initializer_range": 0.2,
    }
    if kind == "gpt2":
        return GPT2Config(n_embd=32, n_layer=1, n_head=2, n_positions=512, **ids)
    made = LlamaConfig if kind == "llama" else Qwen2Config
    return made(**SIZE, num_key_value_heads=1, tie_word_embeddings=kind == "qwen2-tied", **ids)


@lru_cache(maxsize=16)
def tiny(
    audio: str = "hubert",
    text: str = "qwen2",
    fusion: str = "qformer",
    frame_features: str = "patches",
    freeze: tuple[str, ...] = (),
) -> Policy:
    """A policy with random weights, the same at every call. Not to be trained: it is shared."""
    torch.manual_seed(0)
    tokenizer = mini_tokenizer()
    config = mini_config(tokenizer)
    config = mini_config(
        tokenizer,
        frame_config=CLIPVisionConfig(
            **SIZE, image_size=64, patch_size=32, projection_dim=32, initializer_range=0.2
        ),
        audio_config=audio_config(audio),
        text_config=text_config(text, tokenizer),
        fusion=fusion,
        frame_features=frame_features,
        freeze=freeze,
        fusion_width=32,
        fusion_heads=2,
    )
    processor = mini_processor(tokenizer, config)
    processor.feature_extractor = extractor(audio)
    return Policy(AffectGPTForConditionalGeneration(config).eval(), processor)


def fresh(**settings: Any) -> AffectGPTForConditionalGeneration:
    """A copy of :func:`tiny`'s model that may be changed."""
    shared = tiny(**settings).model
    model = AffectGPTForConditionalGeneration(shared.config)
    model.load_state_dict(shared.state_dict())
    return model.eval()


def extractor(audio: str) -> Any:
    """What the audio encoder takes."""
    if audio == "whisper":
        return WhisperFeatureExtractor(feature_size=16, chunk_length=1)
    return Wav2Vec2FeatureExtractor(return_attention_mask=False)


@lru_cache(maxsize=16)
def clip(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames and half a second of sound of one clip of the embedded corpus."""
    made = make_clip("sft", index)
    return made.frames, made.audio[8000:16000]


ROWS: tuple[tuple[str, Any, Any], ...] = (
    ("What does she feel?", clip(0)[0], clip(0)[1]),
    ("And he? Said: nothing at all, for once.", clip(1)[0][:3], None),
    ("What?", None, clip(2)[1][:5001]),
    ("Said: I have been waiting here for an hour.", None, None),
    ("Once more, what is felt?", clip(3)[0][:1], clip(3)[1][:7]),
)
"""Both, frames alone, sound alone, text alone, and nearly nothing; no two of a length."""


def batch(processor: AffectGPTProcessor, rows: Any = ROWS) -> dict[str, torch.Tensor]:
    """Tensors of some rows of text, frames and sound."""
    texts = [
        processor.media_prefix(frames is not None, sound is not None) + text
        for text, frames, sound in rows
    ]
    frames, sounds = [row[1] for row in rows], [row[2] for row in rows]
    return dict(processor(text=texts, frames=frames, audio=sounds))


def save_text_model(folder: Path) -> None:
    """A language model alone, with its tokenizer."""
    from transformers import Qwen2ForCausalLM

    torch.manual_seed(0)
    tokenizer = mini_tokenizer()
    Qwen2ForCausalLM(text_config("qwen2", tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
