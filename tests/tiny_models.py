"""Tiny models, built from configuration and saved where the harness loads them from.

Their words are the labels of the embedded scenes, so that what random weights say can be read
and scored; every other word of a prompt is unknown to them.
"""

from __future__ import annotations

from pathlib import Path

import torch
from ovmer_bench.corpora.store import load_corpus
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

IMAGE, END = "<image>", "<end>"
CHAT = (
    "{% for turn in messages %}[{{ turn['role'] }}] {{ turn['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
CHAT_WITH_PICTURES = (
    "{% for turn in messages %}[{{ turn['role'] }}] {% for part in turn['content'] %}"
    f"{{% if part['type'] == 'image' %}}{IMAGE}{{% else %}}{{{{ part['text'] }}}}{{% endif %}}"
    "{% endfor %} {% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)
CONTEXT = 2048


def tokenizer() -> PreTrainedTokenizerFast:
    """A word-level tokenizer, trained on the gold labels of the scenes."""
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        vocab_size=400, min_frequency=3, special_tokens=["<unk>", "<pad>", END, IMAGE]
    )
    labels = (", ".join(sample.labels or ()) for sample in load_corpus("ovmer_scenes").samples)
    words.train_from_iterator(labels, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        unk_token="<unk>",
        pad_token="<pad>",
        eos_token=END,
        extra_special_tokens={"image_token": IMAGE},
        chat_template=CHAT,
        model_max_length=CONTEXT,
    )


def save_language_model(folder: Path) -> None:
    """A GPT-2 of one layer."""
    torch.manual_seed(0)
    words = tokenizer()
    config = GPT2Config(
        vocab_size=len(words),
        n_positions=CONTEXT,
        n_embd=32,
        n_layer=1,
        n_head=2,
        initializer_range=1.0,
        bos_token_id=words.eos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    words.save_pretrained(folder)


def save_vision_model(folder: Path) -> None:
    """A LLaVA of one layer each for seeing and for speaking: four tokens a picture."""
    torch.manual_seed(0)
    words = tokenizer()
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=16,
            projection_dim=32,
        ),
        text_config=LlamaConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=CONTEXT,
            initializer_range=1.0,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        ),
        image_token_id=words.convert_tokens_to_ids(IMAGE),
        vision_feature_layer=-1,
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"height": 32, "width": 32}, crop_size={"height": 32, "width": 32}
        ),
        tokenizer=words,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_WITH_PICTURES,
    )
    processor.save_pretrained(folder)
