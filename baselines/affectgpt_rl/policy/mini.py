"""A policy for the embedded corpus: small enough for two cores, made without any download.

The tokenizer is learned from the corpus's own texts, so it is the same on every machine.
"""

from __future__ import annotations

from typing import Any

from ovmer_bench.corpora.ovmer_mini.generate import samples
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    WhisperConfig,
    WhisperFeatureExtractor,
)

from .configuration import AffectGPTConfig
from .processing import AffectGPTProcessor, prepare_tokenizer

FRAME_SIZE = 64
RATE = 16_000
SECONDS = 2
MEL_BINS = 40
TOKENIZER_CLIPS = 400
VOCABULARY = 1024
END, PAD = "<|end|>", "<|pad|>"


def mini_tokenizer(*others: str) -> Any:
    """Byte-level pairs learned from the first clips of ``sft``; any text can be written in it.

    Args:
        others: texts that every prompt holds, such as the instruction, to be written in few
            tokens.
    """
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [text for text in ("Said:\nHeard:\nSeen:", *others) for _ in range(TOKENIZER_CLIPS)]
    for sample in samples("sft", TOKENIZER_CLIPS):
        answer = ", ".join(sample.labels or ())
        texts += [*sample.subtitle.values(), *sample.description.values()]
        texts.append(f"<think>{answer}</think><answer>{answer}</answer>")
    words.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token=PAD, eos_token=END, padding_side="left"
    )


def mini_config(tokenizer: Any, **settings: Any) -> AffectGPTConfig:
    """The smallest configuration with all parts: two million parameters.

    Nothing is frozen: the encoders are new, and a policy with frozen random encoders never
    learns to look. Freeze them (``freeze``) once the cold start has trained them.

    Args:
        tokenizer: gets the media tokens, where it has none.
        settings: other values of :class:`AffectGPTConfig`.
    """
    ids = prepare_tokenizer(tokenizer)
    defaults: dict[str, Any] = {
        "frame_config": _frame_config(),
        "audio_config": _audio_config(),
        "text_config": text_config(tokenizer),
        "frame_tokens": 8,
        "audio_tokens": 4,
        "fused_tokens": 4,
        "fusion_width": 96,
        "fusion_heads": 4,
        "fusion_layers": 1,
        "freeze": (),
    }
    return AffectGPTConfig(**{**defaults, **ids, **settings})


def _frame_config() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=96,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=FRAME_SIZE,
        patch_size=16,
        projection_dim=96,
        initializer_range=0.1,  # of 0.02, a face begins as next to nothing
    )


def _audio_config() -> WhisperConfig:
    """Spectrograms of two seconds: pitch and loudness over time stand in them as they are, so
    that little has to be learned. The decoder is never run and as small as can be."""
    return WhisperConfig(
        vocab_size=1,
        num_mel_bins=MEL_BINS,
        d_model=96,
        encoder_layers=2,
        encoder_attention_heads=4,
        encoder_ffn_dim=192,
        decoder_layers=1,
        decoder_attention_heads=1,
        decoder_ffn_dim=1,
        max_source_positions=50 * SECONDS,
        init_std=0.1,  # of 0.02, the fixed positions drown what is heard
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )


def text_config(tokenizer: Any) -> Qwen2Config:
    """The language model alone: three layers of width 128."""
    return Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def mini_processor(tokenizer: Any, config: AffectGPTConfig) -> AffectGPTProcessor:
    """Frames as they are drawn, spectrograms of the sound, and the tokenizer."""
    return AffectGPTProcessor(
        image_processor=CLIPImageProcessorPil(
            size={"height": FRAME_SIZE, "width": FRAME_SIZE}, do_center_crop=False
        ),
        feature_extractor=WhisperFeatureExtractor(
            feature_size=MEL_BINS, sampling_rate=RATE, chunk_length=SECONDS
        ),
        tokenizer=tokenizer,
        placeholders=config.placeholders,
        max_frames=config.max_frames,
    )
