"""Tiny models of published classes that see, or see and hear, saved where the scripts find them.

Their words are those of the embedded corpus, so that a few steps teach them something.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from affectgpt_rl.policy.mini import mini_tokenizer
from affectgpt_rl.policy.processors import assembled
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    WhisperFeatureExtractor,
)

SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
TEXT: dict[str, Any] = {
    **SIZE,
    "num_hidden_layers": 1,
    "num_key_value_heads": 1,
    "max_position_embeddings": 1024,
    "initializer_range": 0.2,
    "bos_token_id": None,
}
QWEN_TEXT = {
    **TEXT,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        "mrope_section": [2, 3, 3],
    },
    "layer_types": ["full_attention"],
    "max_window_layers": 1,
}
QWEN_VISION = {
    "depth": 1,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "out_hidden_size": 32,
    "window_size": 56,
    "fullatt_block_indexes": [0],
    "initializer_range": 0.2,
}
TOKENS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "audio_token": "<|audio_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
    "audio_bos_token": "<|audio_start|>",
    "audio_eos_token": "<|audio_end|>",
}
CHAT = (
    "{% for turn in messages %}[{{ turn['role'] }}] "
    "{% if turn['content'] is string %}{{ turn['content'] }}{% else %}"
    "{% for part in turn['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'audio' %}<|audio_start|><|audio_pad|><|audio_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


def _tokenizer() -> tuple[Any, dict[str, Any]]:
    """Tokenizer and its ids, by the names that configurations have for them."""
    plain = mini_tokenizer("What does the person feel?")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain.backend_tokenizer,
        pad_token=plain.pad_token,
        eos_token=plain.eos_token,
        extra_special_tokens=TOKENS,
        chat_template=CHAT,
    )
    ids = {f"{name}_id": tokenizer.convert_tokens_to_ids(text) for name, text in TOKENS.items()}
    return tokenizer, ids


def _text(tokenizer: Any, settings: dict[str, Any]) -> dict[str, Any]:
    return {
        **settings,
        "vocab_size": len(tokenizer),
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _pictures() -> Any:
    """Four tokens for each picture, whatever its size."""
    return Qwen2VLImageProcessorPil(size={"shortest_edge": 56 * 56, "longest_edge": 56 * 56})


def save_llava(folder: Path) -> None:
    """LLaVA: CLIP, a projector, Llama."""
    tokenizer, ids = _tokenizer()
    torch.manual_seed(0)
    side = {"height": 64, "width": 64}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            **SIZE,
            num_hidden_layers=2,
            image_size=64,
            patch_size=32,
            projection_dim=32,
            initializer_range=0.2,
        ),
        text_config=LlamaConfig(**_text(tokenizer, TEXT)),
        image_token_id=ids["image_token_id"],
        vision_feature_layer=-1,
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size=side, crop_size=side),
        tokenizer=tokenizer,
        patch_size=32,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token=TOKENS["image_token"],
        chat_template=CHAT,
    ).save_pretrained(folder)


def save_qwen_vl(folder: Path) -> None:
    """Qwen2.5-VL: windowed attention over patches, positions of three kinds."""
    tokenizer, ids = _tokenizer()
    torch.manual_seed(0)
    config = Qwen2_5_VLConfig(
        text_config=_text(tokenizer, QWEN_TEXT),
        vision_config=QWEN_VISION,
        image_token_id=ids["image_token_id"],
        video_token_id=ids["video_token_id"],
        vision_start_token_id=ids["vision_bos_token_id"],
        vision_end_token_id=ids["vision_eos_token_id"],
    )
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder)
    parts = {"image_processor": _pictures(), "tokenizer": tokenizer}
    assembled(Qwen2_5_VLProcessor, parts, chat_template=CHAT).save_pretrained(folder)


def save_omni(folder: Path) -> None:
    """The part of Qwen2.5-Omni that sees, hears and writes."""
    tokenizer, ids = _tokenizer()
    torch.manual_seed(0)
    config = Qwen2_5OmniThinkerConfig(
        text_config=_text(tokenizer, QWEN_TEXT),
        vision_config=QWEN_VISION,
        audio_config={
            "d_model": 32,
            "encoder_layers": 1,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "num_mel_bins": 16,
            "output_dim": 32,
            "n_window": 50,
            "max_source_positions": 100,
            "initializer_range": 0.2,
        },
        image_token_id=ids["image_token_id"],
        video_token_id=ids["video_token_id"],
        audio_token_id=ids["audio_token_id"],
        audio_start_token_id=ids["audio_bos_token_id"],
        audio_end_token_id=ids["audio_eos_token_id"],
        vision_start_token_id=ids["vision_bos_token_id"],
        vision_end_token_id=ids["vision_eos_token_id"],
        position_id_per_seconds=25,
        seconds_per_chunk=2,
    )
    Qwen2_5OmniThinkerForConditionalGeneration(config).save_pretrained(folder)
    parts = {
        "image_processor": _pictures(),
        "feature_extractor": WhisperFeatureExtractor(feature_size=16, chunk_length=2),
        "tokenizer": tokenizer,
    }
    assembled(Qwen2_5OmniProcessor, parts, chat_template=CHAT).save_pretrained(folder)


SAVERS = {"llava": save_llava, "qwen_vl": save_qwen_vl, "omni": save_omni}
KINDS = {"llava": "vision", "qwen_vl": "vision", "omni": "omni"}
