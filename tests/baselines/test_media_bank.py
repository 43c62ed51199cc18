"""Media by reference: once for each clip, cached or not, and always the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from affectgpt_rl.data.media_bank import MediaBank, policy_of
from affectgpt_rl.data.media_store import MediaStore
from affectgpt_rl.policy import AffectGPTForConditionalGeneration
from affectgpt_rl.policy.trainable import FUSION_PARTS
from grpo_run import FROZEN, SHAPES, FixedClip, rows_of
from ovmer_bench import OvmerError
from tiny_policy import clip, fresh, tiny

pytestmark = pytest.mark.train

IDS = ["both", "sound", "both", "text", "hardly", "frames", "more", "sound"]


def bank_of(model: Any, **settings: Any) -> MediaBank:
    return MediaBank(SHAPES, tiny(freeze=FROZEN).processor, model, **{"cache": True, **settings})


def text_inputs(ids: list[str]) -> dict[str, Any]:
    policy = tiny(freeze=FROZEN)
    prompts = {row["media_id"]: row["prompt"] for row in rows_of(policy)}
    return dict(
        policy.processor.tokenizer([prompts[one] for one in ids], return_tensors="pt", padding=True)
    )


def loss_and_gradients(model: Any, media: dict[str, Any], ids: list[str]) -> tuple[Any, Any]:
    """The loss, and all gradients as one vector."""
    inputs = text_inputs(ids)
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    loss = model(**inputs, **media, labels=labels).loss
    model.zero_grad()
    loss.backward()
    gradients = [value.grad.reshape(-1) for value in model.parameters() if value.grad is not None]
    return loss.detach(), torch.cat(gradients)


def assert_same(found: tuple[Any, Any], expected: tuple[Any, Any], share: float) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() <= share * other.norm()


def disturb(module: Any) -> None:
    """As an optimiser does: in place."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter))


def test_each_clip_is_sent_once() -> None:
    model = fresh(freeze=FROZEN)
    for cache, name in ((True, "frame_features"), (False, "pixel_values")):
        made = bank_of(model, cache=cache).inputs(IDS)
        assert len(made[name]) == 6
        assert made["clip_index"].tolist() == [0, 1, 0, 2, 3, 4, 5, 1]


@pytest.mark.parametrize(("double", "share"), [(False, 1e-6), (True, 1e-12)])
def test_cached_deduplicated_and_repeated_media_give_one_loss_and_one_gradient(
    double: bool, share: float
) -> None:
    model = fresh(freeze=FROZEN).train()
    model = model.double() if double else model
    policy = tiny(freeze=FROZEN)
    repeated = policy.processor.media(
        [SHAPES[one].frames() for one in IDS], [SHAPES[one].audio() for one in IDS]
    )
    expected = loss_and_gradients(model, dict(repeated), IDS)
    assert expected[1].norm() > 0.1
    for cache in (True, False):
        bank = bank_of(model, cache=cache)
        for _ in range(2):  # made, then kept
            assert_same(loss_and_gradients(model, bank.inputs(IDS), IDS), expected, share)


@pytest.mark.parametrize("settings", [{"audio": "whisper"}, {"frame_features": "pooled"}])
def test_other_encoders_too(settings: dict[str, str]) -> None:
    model = fresh(freeze=FROZEN, **settings).train()
    processor = tiny(freeze=FROZEN, **settings).processor
    found = [
        loss_and_gradients(model, MediaBank(SHAPES, processor, model, cache=cache).inputs(IDS), IDS)
        for cache in (True, False)
    ]
    assert_same(found[0], found[1], 1e-6)


@pytest.mark.parametrize("only", ["sound", "frames", "text"])
def test_one_modality_alone(only: str) -> None:
    model = fresh(freeze=FROZEN)
    inputs = text_inputs([only, only])
    logits = [
        model(**inputs, **bank_of(model, cache=cache).inputs([only, only])).logits
        for cache in (True, False)
    ]
    assert (logits[0] - logits[1]).abs().max() < 1e-6
    assert bool(bank_of(model).inputs([only])) == (only != "text")


def test_features_are_made_once_and_again_when_the_encoders_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = fresh(freeze=FROZEN)
    bank = bank_of(model)
    encoded: list[int] = []
    real = model.model.encode_media

    def count(**media: Any) -> Any:
        encoded.append(len(next(iter(media.values()))))
        return real(**media)

    monkeypatch.setattr(model.model, "encode_media", count)
    first = bank.inputs(IDS)
    bank.inputs(IDS)
    assert sum(encoded) == 6
    disturb(model.model.fusion)
    bank.inputs(IDS)
    assert sum(encoded) == 6, "the fusion is no encoder"
    disturb(model.model.frame_encoder)
    changed = bank.inputs(IDS)
    assert sum(encoded) == 12
    assert (changed["frame_features"] - first["frame_features"]).abs().max() > 1e-3
    raw = bank_of(model, cache=False).inputs(["both"])
    expected = real(**{name: raw[name] for name in raw if name != "clip_index"})
    assert torch.allclose(changed["frame_features"][0], expected.frame_features[0], atol=1e-6)


def test_weights_that_are_loaded_count_as_changed_and_the_same_weights_do_not() -> None:
    model = fresh(freeze=FROZEN)
    bank = bank_of(model)
    before = bank.inputs(["both"])["frame_features"]
    model.load_state_dict({name: value.clone() for name, value in model.state_dict().items()})
    assert torch.equal(bank.inputs(["both"])["frame_features"], before)
    torch.manual_seed(1)
    other = {name: value + torch.randn_like(value) * 0.1 for name, value in
             model.state_dict().items()}  # fmt: skip
    model.load_state_dict(other)
    assert (bank.inputs(["both"])["frame_features"] - before).abs().max() > 1e-3


def test_trained_encoders_are_never_cached() -> None:
    assert not bank_of(fresh()).caches()
    half = fresh(freeze=("frame_encoder",))
    assert not bank_of(half).caches()
    model = fresh(freeze=FROZEN)
    bank = bank_of(model)
    assert bank.caches()
    next(model.model.audio_encoder.parameters()).requires_grad_(True)
    assert not bank.caches(), "an adapter inside an encoder trains it"


def test_a_folder_serves_the_next_run_and_no_other_encoder(tmp_path: Path) -> None:
    model = fresh(freeze=FROZEN)
    first = bank_of(model, folder=tmp_path).inputs(IDS)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 6
    again = bank_of(model, folder=tmp_path)
    model.model.encode_media = None  # type: ignore[assignment]
    for name, value in again.inputs(IDS).items():
        assert torch.equal(value, first[name])
    assert "MiB on disk" in again.describe()
    del model.model.encode_media
    disturb(model.model.frame_encoder)
    other = bank_of(model, folder=tmp_path).inputs(IDS)
    assert (first["frame_features"] - other["frame_features"]).abs().max() > 1e-3
    assert len(list(tmp_path.rglob("*.safetensors"))) == 12
    bank_of(model, folder=tmp_path, corpus="audio only").inputs(IDS)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 18


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    model = fresh(freeze=FROZEN)
    first = bank_of(model, folder=tmp_path).inputs(["both"])
    (file,) = tmp_path.rglob("*.safetensors")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"\x80\x04N."):
        file.write_bytes(damaged)
        again = bank_of(model, folder=tmp_path).inputs(["both"])
        assert torch.equal(again["frame_features"], first["frame_features"])
        assert file.read_bytes() == whole


def test_memory_has_a_limit() -> None:
    model = fresh(freeze=FROZEN)
    whole = bank_of(model)
    expected = whole.inputs(IDS)
    total = whole._features.bytes_in_memory
    small = bank_of(model, memory=total // 2)
    for _ in range(2):
        for name, value in small.inputs(IDS).items():
            assert torch.equal(value, expected[name])
        assert 0 < small._features.bytes_in_memory <= total // 2
    store = MediaStore(memory=100)
    for number in range(5):
        store.put("", str(number), {"x": torch.zeros(10)})
    assert store.get("", "4") is not None
    assert store.get("", "0") is None
    assert len(store) == 2


def test_the_policy_is_found_in_wrappers(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    model = fresh(freeze=FROZEN)
    before = bank_of(model).inputs(IDS)
    adapted = get_peft_model(
        model,
        LoraConfig(r=2, target_modules=r".*language_model.*q_proj", modules_to_save=FUSION_PARTS),
    )
    wrapped = torch.nn.ModuleDict({"module": adapted})
    assert policy_of(wrapped) is model
    bank = MediaBank(SHAPES, tiny(freeze=FROZEN).processor, wrapped, cache=True)
    assert bank.caches()
    for name, value in bank.inputs(IDS).items():
        assert torch.equal(value, before[name])
    with pytest.raises(OvmerError, match="holds no AffectGPT"):
        policy_of(torch.nn.Linear(1, 1))
    model = fresh(freeze=FROZEN)
    model.save_pretrained(tmp_path)
    loaded = AffectGPTForConditionalGeneration.from_pretrained(tmp_path)
    assert bank_of(loaded).caches()
    for name, value in bank_of(loaded).inputs(IDS).items():
        assert torch.equal(value, before[name])


def test_sealed_banks_ask_no_encoder() -> None:
    model = fresh(freeze=FROZEN)
    bank = bank_of(model)
    with pytest.raises(OvmerError, match="does not fit into memory"):
        bank.seal()
    told: list[tuple[int, int]] = []
    bank.fill(on_clip=lambda done, of: told.append((done, of)))
    assert told[-1] == (6, 6)
    expected = bank.inputs(IDS)
    bank.seal()
    for parameter in model.parameters():
        parameter.data = parameter.data.new_zeros(0)
    for name, value in bank.inputs(IDS, "cpu").items():
        assert torch.equal(value, expected[name])


def test_errors_name_the_clip() -> None:
    model = fresh(freeze=FROZEN)
    with pytest.raises(OvmerError, match="no clip is called 'nobody'"):
        bank_of(model).inputs(["both", "nobody"])
    flat = {"flat": FixedClip(clip(0)[0][0], None)}
    bank = MediaBank(flat, tiny(freeze=FROZEN).processor, model, cache=True)
    with pytest.raises(OvmerError, match="clip 'flat': frames are uint8"):
        bank.inputs(["flat"])
