"""The published policy's parts by size, and the same parts at reduced width."""

from __future__ import annotations

from typing import Any

from transformers import CLIPVisionConfig, HubertConfig, Qwen2Config

from .configuration import AffectGPTConfig


def qwen25_7b(**settings: Any) -> AffectGPTConfig:
    """Shapes of CLIP-ViT-L/14, chinese-hubert-large and Qwen2.5-7B-Instruct."""
    return AffectGPTConfig(
        frame_config=CLIPVisionConfig(
            hidden_size=1024,
            intermediate_size=4096,
            num_hidden_layers=24,
            num_attention_heads=16,
            image_size=224,
            patch_size=14,
            projection_dim=768,
        ),
        audio_config=HubertConfig(
            hidden_size=1024,
            intermediate_size=4096,
            num_hidden_layers=24,
            num_attention_heads=16,
            feat_extract_norm="layer",
            conv_bias=True,
            do_stable_layer_norm=True,
        ),
        text_config=Qwen2Config(
            vocab_size=152064,
            hidden_size=3584,
            intermediate_size=18944,
            num_hidden_layers=28,
            num_attention_heads=28,
            num_key_value_heads=4,
            max_position_embeddings=32768,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
            rms_norm_eps=1e-6,
            tie_word_embeddings=False,
            bos_token_id=151643,
            eos_token_id=151645,
        ),
        **settings,
    )


def reduced(config: AffectGPTConfig, *, vocabulary: int | None = None) -> AffectGPTConfig:
    """The same classes, depths of 1 and widths of 32: everything that a size alone changes.

    Kept are kinds of normalisation, convolutions, patches, number of heads a key is shared by,
    rotary base and tokens.
    """
    frame = config.frame_config.to_dict() | {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "projection_dim": 32,
    }
    audio = config.audio_config.to_dict() | {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "conv_dim": [32] * len(config.audio_config.conv_dim),
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
    }
    heads = config.text_config.num_attention_heads // config.text_config.num_key_value_heads
    text = config.text_config.to_dict() | {
        "hidden_size": 8 * heads,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "layer_types": ["full_attention"],
        "max_window_layers": 1,
        "num_attention_heads": heads,
        "num_key_value_heads": 1,
    }
    if vocabulary is not None:
        text |= {"vocab_size": vocabulary, "bos_token_id": None, "eos_token_id": None}
    own = {
        name: getattr(config, name)
        for name in (
            *("fusion", "frame_features", "frame_tokens", "audio_tokens", "fused_tokens"),
            *("max_frames", "frame_token_id", "audio_token_id", "fused_token_id", "freeze"),
        )
    }
    return AffectGPTConfig(
        frame_config=frame,
        audio_config=audio,
        text_config=text,
        fusion_width=32,
        fusion_heads=2,
        fusion_layers=1,
        **own,
    )
