"""The processor, the embedded policy and the published one's shapes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from affectgpt_rl.policy import (
    AffectGPTConfig,
    AffectGPTForConditionalGeneration,
    AffectGPTProcessor,
    prepare_tokenizer,
)
from affectgpt_rl.policy.mini import mini_config, mini_processor, mini_tokenizer
from affectgpt_rl.policy.presets import qwen25_7b, reduced
from affectgpt_rl.policy.processing import AUDIO, FRAME, FUSED, MEDIA_TOKENS
from ovmer_bench.corpora.ovmer_mini.generate import make_clip
from tiny_policy import ROWS, batch, clip, tiny
from transformers import AutoProcessor, Wav2Vec2FeatureExtractor

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def processor() -> AffectGPTProcessor:
    return tiny().processor


def test_texts_are_padded_on_the_left_and_hold_the_placeholders(
    processor: AffectGPTProcessor,
) -> None:
    inputs = batch(processor)
    config = tiny().model.config
    mask = inputs["attention_mask"]
    assert (mask.diff(dim=1) >= 0).all()
    assert (inputs["input_ids"][mask == 0] == processor.tokenizer.pad_token_id).all()
    counts = [[int((row == token).sum()) for token in config.media_token_ids]
              for row in inputs["input_ids"]]  # fmt: skip
    assert counts == [[8, 4, 4], [8, 0, 4], [0, 4, 4], [0, 0, 0], [8, 4, 4]]
    assert inputs["frame_mask"].sum(1).tolist() == [8, 3, 0, 0, 1]
    assert inputs["audio_lengths"].tolist() == [8000, 0, 5001, 0, 7]


def test_one_text_without_media_is_text_alone(processor: AffectGPTProcessor) -> None:
    assert set(processor("What?")) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize(
    ("frames", "audio", "prefix"),
    [
        (True, True, FRAME + AUDIO + FUSED),
        (True, False, FRAME + FUSED),
        (False, True, AUDIO + FUSED),
        (False, False, ""),
    ],
)
def test_the_prefix_names_what_is_there(frames: bool, audio: bool, prefix: str) -> None:
    assert AffectGPTProcessor.media_prefix(frames, audio) == prefix


FRAMES, SOUND = clip(0)
BOTH = AffectGPTProcessor.media_prefix(True, True)


@pytest.mark.parametrize(
    ("text", "frames", "audio", "said"),
    [
        ("What?", FRAMES, None, r"text 0 holds <\|frame\|> 0 times; its media need it once"),
        (BOTH, FRAMES, None, r"holds <\|audio\|> 1 times; its media need it nowhere"),
        (BOTH + BOTH, FRAMES, SOUND, "2 times"),
        (BOTH, FRAMES, SOUND[:0], "nowhere"),
        (BOTH, FRAMES[:0], SOUND, "nowhere"),
        (BOTH, FRAMES.astype(np.float32), SOUND, "float32"),
        (BOTH, FRAMES[0], SOUND, "accepted: uint8"),
        (BOTH, FRAMES, SOUND[None], "one channel"),
        (BOTH, FRAMES, np.array([0.0, np.nan]), "finite floats"),
        (BOTH, FRAMES, SOUND.astype(np.int32), "accepted: int16"),
    ],
)
def test_media_of_another_kind_are_refused(
    processor: AffectGPTProcessor, text: str, frames: Any, audio: Any, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        processor(text=[text], frames=[frames], audio=[audio])


def test_as_many_media_as_texts(processor: AffectGPTProcessor) -> None:
    with pytest.raises(ValueError, match="1 texts, 2 entries of frames"):
        processor(text=["a"], frames=[None, None])


def test_silence_and_odd_sizes_are_normal_input(processor: AffectGPTProcessor) -> None:
    large = np.random.default_rng(0).integers(0, 255, (2, 90, 130, 3), dtype=np.uint8)
    inputs = processor(text=[BOTH], frames=[large], audio=[np.zeros(3000, np.int16)])
    assert inputs["pixel_values"].shape == (1, 2, 3, 64, 64)
    with torch.no_grad():
        assert torch.isfinite(tiny().model(**inputs).logits).all()


def test_integers_and_floats_are_the_same_sound(processor: AffectGPTProcessor) -> None:
    floats = SOUND.astype(np.float64) / 32768
    made = [processor.media([None], [sound])["audio_values"] for sound in (SOUND, floats)]
    assert torch.allclose(*made, atol=1e-4)


def test_long_clips_are_thinned_evenly(processor: AffectGPTProcessor) -> None:
    frames = np.zeros((40, 8, 8, 3), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None]
    made = processor.media([frames, frames[:5]], [None, None])
    assert made["frame_mask"].sum(1).tolist() == [8, 5]
    shown = made["pixel_values"][0, :, 0, 0, 0]
    assert torch.allclose(shown.diff(), shown.diff()[0].expand(7), atol=1e-5)
    assert shown[0] > made["pixel_values"][1, 0, 0, 0, 0]


def test_spectrograms_keep_their_fixed_length() -> None:
    made = tiny(audio="whisper").processor.media([None] * 3, [SOUND, None, SOUND[:801]])
    assert made["audio_values"].shape == (3, 16, 100)
    assert made["audio_lengths"].tolist() == [50, 0, 6]


def test_saved_and_loaded_it_is_the_same(processor: AffectGPTProcessor, tmp_path: Path) -> None:
    tiny().model.config.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert type(loaded) is AffectGPTProcessor
    again, expected = batch(loaded), batch(processor)
    assert again.keys() == expected.keys()
    assert all(torch.equal(again[name], expected[name]) for name in expected)
    assert loaded.tokenizer.padding_side == "left"


# --- Tokenizers ------------------------------------------------------------------------------


def test_padding_is_never_the_end_of_text(processor: AffectGPTProcessor) -> None:
    tokenizer = mini_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    with pytest.raises(ValueError, match="a token of its own"):
        AffectGPTProcessor(processor.image_processor, processor.feature_extractor, tokenizer)
    ids = prepare_tokenizer(tokenizer)
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    assert len({*ids.values(), tokenizer.pad_token_id, tokenizer.eos_token_id}) == 5
    assert prepare_tokenizer(tokenizer) == ids
    assert tokenizer("a" + FRAME + AUDIO + FUSED + "b")["input_ids"][1:4] == list(ids.values())


def test_any_text_can_be_written_and_read_in_the_embedded_tokenizer() -> None:
    tokenizer = mini_tokenizer()
    for text in ("<think>He is sad.</think><answer>sad, shy</answer>", "悲伤 😢 naïve\n\tx", ""):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert not set(MEDIA_TOKENS) & set(tokenizer.get_vocab())


def test_the_embedded_tokenizer_is_the_same_everywhere() -> None:
    made = json.dumps(sorted(mini_tokenizer().get_vocab().items()))
    assert hashlib.sha256(made.encode()).hexdigest()[:16] == "00a2b0b4f03f310f"


# --- Configurations --------------------------------------------------------------------------


def test_the_embedded_policy_sees_whole_clips_and_is_small() -> None:
    tokenizer = mini_tokenizer()
    config = mini_config(tokenizer)
    torch.manual_seed(0)
    model = AffectGPTForConditionalGeneration(config).eval()
    assert sum(p.numel() for p in model.parameters()) < 2_500_000
    made = make_clip("sft", 0)
    processor = mini_processor(tokenizer, config)
    inputs = processor(text=[BOTH + "What?"], frames=[made.frames], audio=[made.audio])
    with torch.no_grad():
        assert torch.isfinite(model(**inputs).logits).all()
    heard = model.model.encode_media(audio_values=inputs["audio_values"]).audio_mask
    assert 40 <= int(heard.sum()) <= 100  # 25 to 50 positions a second


def test_a_new_policy_tells_clips_apart() -> None:
    tokenizer = mini_tokenizer()
    config = mini_config(tokenizer)
    torch.manual_seed(0)
    model = AffectGPTForConditionalGeneration(config).eval()
    clips = [make_clip("test", i) for i in range(8)]
    inputs = mini_processor(tokenizer, config).media(
        [made.frames for made in clips], [made.audio for made in clips]
    )
    with torch.no_grad():
        tokens = model.model.media_tokens(model.model.encode_media(**inputs))
    for made in tokens:  # a medium that begins as a constant is learned around, not from
        assert made.std(0).mean() > 0.1 * made.std()
        assert made.std(0).mean() > model.get_input_embeddings().weight.std()


def test_the_published_shapes_have_the_published_size() -> None:
    with torch.device("meta"):
        model = AffectGPTForConditionalGeneration(qwen25_7b())
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        part = name.removeprefix("model.").split(".")[0]
        counts[part] = counts.get(part, 0) + parameter.numel()
    assert counts["language_model"] + counts["lm_head"] == pytest.approx(7.6157e9, rel=1e-4)
    assert counts["frame_encoder"] == pytest.approx(303.2e6, rel=1e-2)
    assert counts["audio_encoder"] == pytest.approx(315.4e6, rel=1e-2)
    assert model.config.tie_word_embeddings is False


@pytest.mark.parametrize("fusion", ["qformer", "attention"])
def test_the_published_classes_run_at_reduced_width(fusion: str) -> None:
    tokenizer = mini_tokenizer()
    ids = prepare_tokenizer(tokenizer)
    full = qwen25_7b(fusion=fusion, **ids)
    config = reduced(full, vocabulary=len(tokenizer))
    for part in ("frame_config", "audio_config", "text_config"):
        assert type(getattr(config, part)) is type(getattr(full, part))
    assert config.placeholders == full.placeholders
    assert tuple(config.audio_config.conv_kernel) == full.audio_config.conv_kernel
    torch.manual_seed(0)
    model = AffectGPTForConditionalGeneration(config).eval()
    processor = mini_processor(tokenizer, config)
    processor.image_processor.size = {"height": 224, "width": 224}
    processor.feature_extractor = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    inputs = batch(processor, ROWS[:3])
    assert inputs["pixel_values"].shape[-2:] == (224, 224)
    written = model.generate(**inputs, max_new_tokens=3, do_sample=False)
    assert written.shape[1] <= inputs["input_ids"].shape[1] + 3
    inputs["labels"] = inputs["input_ids"]
    assert torch.isfinite(model(**inputs).loss)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fusion": "sum"}, "accepted: qformer, attention"),
        ({"frame_features": "cls"}, "accepted: patches, pooled"),
        ({"freeze": ["encoder"]}, "cannot freeze"),
        ({"fusion_heads": 7}, "no multiple"),
        ({"frame_token_id": 1, "audio_token_id": 1}, "share an id"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AffectGPTConfig(**settings)


def test_a_configuration_can_be_written_as_json() -> None:
    config = tiny().model.config
    again = AffectGPTConfig(**json.loads(config.to_json_string()))
    assert again.text_config.to_dict() == config.text_config.to_dict()
    assert again.placeholders == config.placeholders
