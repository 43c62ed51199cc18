"""A tiny Qwen2-Audio, built from configuration and saved where the harness loads it from."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny_models import CHAT, CONTEXT, END
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    WhisperFeatureExtractor,
)

SOUND = ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
WORDS = ("happy", "sad", "angry", "afraid", "surprised", "proud", "tired", ",")
MELS = 8


def save_audio_model(folder: Path) -> None:
    """One layer each for hearing and for speaking; its words are eight."""
    torch.manual_seed(0)
    known = ("<unk>", "<pad>", END, *SOUND, *WORDS)
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(known)}, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="<unk>",
        pad_token="<pad>",
        eos_token=END,
        additional_special_tokens=list(SOUND),
        model_max_length=CONTEXT,
        chat_template=CHAT,
    )
    config = Qwen2AudioConfig(
        audio_config={
            "model_type": "qwen2_audio_encoder",
            "d_model": 16,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 16,
            "num_mel_bins": MELS,
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(known),
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": CONTEXT,
            "initializer_range": 1.0,
        },
        audio_token_index=known.index(SOUND[0]),
    )
    model = Qwen2AudioForConditionalGeneration(config)
    never = torch.tensor([known.index(token) for token in known if token not in WORDS])
    model.generation_config.suppress_tokens = never.tolist()
    model.generation_config.eos_token_id = known.index(END)
    model.generation_config.pad_token_id = known.index("<pad>")
    model.save_pretrained(folder)
    extractor = WhisperFeatureExtractor(feature_size=MELS)
    Qwen2AudioProcessor(extractor, tokenizer, chat_template=CHAT).save_pretrained(folder)
