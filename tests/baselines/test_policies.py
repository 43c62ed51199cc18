"""Policies of every kind are made, loaded, adapted and saved; what cannot be is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from affectgpt_rl.config import load_config
from affectgpt_rl.config.sections import Policy
from affectgpt_rl.data.media_bank import MediaBank
from affectgpt_rl.policy.adapters import adapter_config, merge_adapter, with_adapter
from affectgpt_rl.policy.loading import LoadedPolicy, load_policy, new_policy
from affectgpt_rl.policy.processors import assembled, load_processor
from affectgpt_rl.policy.trainable import trainable_parameters
from grpo_run import SHAPES
from ovmer_bench import OvmerError
from safetensors.torch import load_file
from scripts import BASELINES, metrics, within, words
from tiny_multimodal import KINDS, SAVERS
from transformers import AutoTokenizer, Qwen2_5_VLProcessor
from transformers.utils import is_torchvision_available

pytestmark = pytest.mark.train

LORA = "{rank: 4, alpha: 8, dropout: 0.0, targets: [q_proj, v_proj]}"


def config(name: str, *overrides: str) -> Any:
    return load_config(BASELINES / "configs" / f"{name}.yaml", overrides)


def settings(**changed: Any) -> Policy:
    return config("mini").policy.model_copy(update=changed)


def same(one: Any, other: Any) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return set(first) == set(second) and all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize("name", ["mini", "text"])
def test_a_new_policy_follows_from_its_seed(name: str) -> None:
    policy = new_policy(config(name))
    assert same(policy.model, new_policy(config(name)).model)
    assert not same(policy.model, new_policy(config(name, "seed=1")).model)
    assert policy.tokenizer.padding_side == "left"
    ids = policy.tokenizer("What does the person feel?\n")["input_ids"]
    assert len(ids) < 8, "the instruction is written in few tokens"


@pytest.mark.parametrize("name", ["mini", "text"])
def test_what_is_saved_is_loaded(name: str, tmp_path: Path) -> None:
    made = config(name)
    policy = new_policy(made)
    policy.save(tmp_path)
    again = load_policy(tmp_path, made.policy.kind)
    assert same(policy.model, again.model)
    assert type(again.processor) is type(policy.processor)
    assert (
        len(again.tokenizer)
        == len(policy.tokenizer)
        <= policy.model.get_input_embeddings().num_embeddings
    )
    for text in ("It's 12,345 o'clock...\n\n", "<|endoftext|>", "e\u0301"):
        assert again.tokenizer(text)["input_ids"] == policy.tokenizer(text)["input_ids"]
    half = load_policy(
        tmp_path, made.policy.kind, made.policy.model_copy(update={"dtype": "bfloat16"})
    )
    assert half.model.dtype == torch.bfloat16


def test_freezing_is_that_of_the_configuration_and_not_of_the_file(tmp_path: Path) -> None:
    new_policy(config("mini", "policy.freeze=[]", "warm_up=null")).save(tmp_path)

    def idle(model: Any) -> set[str]:
        return {part for part, (trained, _) in trainable_parameters(model).items() if not trained}

    assert idle(load_policy(tmp_path).model) == set()
    wished = settings(freeze=("fusion", "audio_encoder"))
    assert idle(load_policy(tmp_path, "affectgpt", wished).model) == {"fusion", "audio_encoder"}


@pytest.mark.parametrize("name", list(SAVERS))
def test_models_that_see_keep_their_processor(name: str, tmp_path: Path) -> None:
    SAVERS[name](tmp_path / "first")
    policy = load_policy(tmp_path / "first", KINDS[name])
    policy.save(tmp_path / "second")
    again = load_policy(tmp_path / "second", KINDS[name])
    assert same(policy.model, again.model)
    assert type(again.processor).__name__ == type(policy.processor).__name__
    assert again.processor.chat_template == policy.processor.chat_template
    assert again.tokenizer.padding_side == "left"


def test_the_thinker_of_a_whole_omni_is_loaded(tmp_path: Path) -> None:
    """Published weights hold a part that speaks as well."""
    from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration

    SAVERS["omni"](tmp_path)
    thinker = load_policy(tmp_path, "omni")
    whole = Qwen2_5OmniForConditionalGeneration(
        Qwen2_5OmniConfig(thinker_config=thinker.model.config.to_dict(), enable_audio_output=False)
    )
    whole.thinker.load_state_dict(thinker.model.state_dict())
    whole.save_pretrained(tmp_path)
    assert same(load_policy(tmp_path, "omni").model, thinker.model)


@pytest.mark.skipif(is_torchvision_available(), reason="torchvision reads videos here")
def test_without_torchvision_images_are_read_all_the_same(tmp_path: Path) -> None:
    """What transformers itself refuses to load for want of what reads videos."""
    SAVERS["qwen_vl"](tmp_path)
    with pytest.raises((OSError, ImportError)):
        Qwen2_5_VLProcessor.from_pretrained(tmp_path)
    processor = load_processor(tmp_path)
    assert isinstance(processor, Qwen2_5_VLProcessor)
    assert not hasattr(processor, "video_processor")


def test_a_processor_that_lacks_more_is_refused(tmp_path: Path) -> None:
    class Odd(Qwen2_5_VLProcessor):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return ["image_processor", "tokenizer", "protein_processor", "video_processor"]

    SAVERS["qwen_vl"](tmp_path)
    with pytest.raises(OvmerError, match="needs protein_processor and video_processor"):
        load_processor(tmp_path, Odd)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    with pytest.raises(TypeError):
        assembled(Qwen2_5_VLProcessor, {"image_processor": tokenizer, "tokenizer": tokenizer})


@pytest.mark.parametrize("kind", ["affectgpt", "text", "vision", "omni"])
def test_a_folder_without_a_policy_is_one_line(kind: str, tmp_path: Path) -> None:
    with pytest.raises(OvmerError, match=f"no policy of kind {kind}") as caught:
        load_policy(tmp_path / "nowhere", kind)
    assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', "utf-8")
    with pytest.raises(OvmerError):
        load_policy(tmp_path, kind)


def test_padding_must_not_end_a_text(tmp_path: Path) -> None:
    policy = new_policy(config("text"))
    policy.tokenizer.pad_token = policy.tokenizer.eos_token
    policy.save(tmp_path)
    with pytest.raises(OvmerError, match="the same token"):
        load_policy(tmp_path, "text")


# Adapters


def adapted(kind: str, model: Any, **changed: Any) -> Any:
    lora = config("text", f"policy.lora={LORA}").policy.lora
    return with_adapter(model, adapter_config(settings(kind=kind, lora=lora, **changed)))


def trained(model: Any) -> set[str]:
    return {name for name, one in model.named_parameters() if one.requires_grad}


def test_encoders_get_no_adapter_and_their_features_are_kept() -> None:
    policy = new_policy(config("mini"))
    model = adapted("affectgpt", policy.model)
    moving = trained(model)
    assert moving and not any("encoder" in name for name in moving)
    assert {name.split("language_model.")[-1] for name in moving if "lora" in name} == {
        f"layers.{layer}.self_attn.{target}_proj.lora_{side}.default.weight"
        for layer in range(3)
        for target in "qv"
        for side in "AB"
    }
    assert any("fusion" in name for name in moving)
    bank = MediaBank(SHAPES, policy.processor, model, cache=True)
    assert bank.caches()


def test_a_frozen_fusion_stays_frozen() -> None:
    freeze = ("frame_encoder", "audio_encoder", "fusion", "frame_branch")
    model = adapted("affectgpt", new_policy(config("mini")).model, freeze=freeze)
    whole = {name for name in trained(model) if "lora" not in name}
    assert whole and all("audio_branch" in name for name in whole)


@pytest.mark.parametrize("name", list(SAVERS))
def test_models_that_see_get_adapters_where_they_speak(name: str, tmp_path: Path) -> None:
    SAVERS[name](tmp_path)
    moving = trained(adapted(KINDS[name], load_policy(tmp_path, KINDS[name]).model))
    assert moving and all("lora" in one for one in moving)
    assert not any(part in one for one in moving for part in ("vis", "audio"))


def test_merged_weights_say_what_weights_and_adapter_said(tmp_path: Path) -> None:
    def beginning() -> LoadedPolicy:
        return new_policy(config("text"))

    policy = beginning()
    model = adapted("text", policy.model)
    torch.manual_seed(1)
    for name, one in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(one, std=0.1)
    ids = torch.arange(12)[None]
    with torch.no_grad():
        before, wished = beginning().model(ids).logits, model(ids).logits
    model.save_pretrained(tmp_path)
    merge_adapter(tmp_path, beginning().model)
    policy.tokenizer.save_pretrained(tmp_path)
    with torch.no_grad():
        found = load_policy(tmp_path, "text").model(ids).logits
    assert torch.allclose(found, wished, atol=1e-5)
    assert not torch.allclose(found, before, atol=1e-2)
    assert not list(tmp_path.glob("adapter*"))


def test_affectgpt_is_trained_with_adapters(tmp_path: Path) -> None:
    """Warm-up, cold start and GRPO; at each end stands a whole policy."""
    out = tmp_path / "run"
    tiny = {
        "warm_up.steps": 2,
        "warm_up.batch_size": 4,
        "policy.lora": LORA,
        "sft.learning_rate": 1e-2,
        "rewards.words": "{kind: format, weight: 0.0, mode: answer}",
        "grpo.steps": 2,
    }
    within("rl_train", *words("mini", out, tiny))
    warm, cold, final = (
        load_file(out / stage / "final" / "model.safetensors") for stage in ("warm_up", "sft", "rl")
    )
    assert set(warm) == set(cold) == set(final)
    moved = {name for name in warm if not torch.equal(warm[name], cold[name])}
    assert not any("encoder." in name for name in moved)
    assert any("fusion" in name for name in moved)
    assert {name for name in moved if "language_model" in name} == {
        f"model.language_model.layers.{layer}.self_attn.{target}_proj.weight"
        for layer in range(3)
        for target in "qv"
    }
    assert metrics(out, "rl", "kl")[0] == 0, "the reference is the policy without its adapter"
    model = load_policy(out / "rl" / "final").model
    assert type(model).__name__ == "AffectGPTForConditionalGeneration"
