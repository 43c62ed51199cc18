"""The policy as a Hugging Face model: every kind of part, any media, every known trap."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from affectgpt_rl.policy import (
    AffectGPTForConditionalGeneration,
    AffectGPTModel,
    build_policy,
    check_trainable,
    trainable_parameters,
)
from affectgpt_rl.policy.media import MEDIA_INPUTS
from affectgpt_rl.policy.mini import mini_config, mini_tokenizer
from affectgpt_rl.policy.trainable import FUSION_PARTS, part_of
from tiny_policy import ROWS, audio_config, batch, clip, fresh, save_text_model, tiny
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    CLIPModel,
    GenerationConfig,
    HubertModel,
)

pytestmark = pytest.mark.train

KINDS: list[dict[str, str]] = [
    {},
    {"fusion": "attention"},
    {"frame_features": "pooled"},
    {"audio": "hubert-group"},
    {"audio": "wav2vec2", "text": "llama"},
    {"audio": "whisper", "text": "qwen2-tied"},
    {"text": "gpt2", "fusion": "attention"},
]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    """Tiny tensors gain nothing from threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def logits(model: Any, inputs: dict[str, Any]) -> Any:
    with torch.no_grad():
        return model(**inputs).logits


def greedy(model: Any, inputs: dict[str, Any], **settings: Any) -> Any:
    settings = {"max_new_tokens": 6, "do_sample": False, **settings}
    return model.generate(**inputs, **settings)[:, inputs["input_ids"].shape[1] :]


def settled(config: Any) -> Any:
    """What a configuration says, without what loading and saving note in it."""
    noted = ("dtype", "_name_or_path", "transformers_version", "architectures")
    made = config.to_dict() if hasattr(config, "to_dict") else config
    if not isinstance(made, dict):
        return list(made) if isinstance(made, tuple) else made
    return {key: settled(value) for key, value in made.items() if key not in noted}


# --- Any part, any media ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind.values()) or "default")
def test_a_row_in_a_batch_is_what_it_is_alone(kind: dict[str, str]) -> None:
    model, processor = tiny(**kind).model, tiny(**kind).processor
    together = batch(processor)
    all_logits, written = logits(model, together), greedy(model, together)
    for i, row in enumerate(ROWS):
        alone = batch(processor, [row])
        n = alone["input_ids"].shape[1]
        assert torch.allclose(logits(model, alone)[0], all_logits[i, -n:], atol=2e-5)
        assert torch.equal(greedy(model, alone)[0], written[i])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind.values()) or "default")
def test_saved_and_loaded_it_is_the_same(kind: dict[str, str], tmp_path: Path) -> None:
    policy = tiny(**kind)
    policy.model.save_pretrained(tmp_path)
    inputs = batch(policy.processor)
    expected = logits(policy.model, inputs)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert type(loaded) is AffectGPTForConditionalGeneration
    assert settled(AutoConfig.from_pretrained(tmp_path)) == settled(policy.model.config)
    assert torch.equal(logits(loaded.eval(), inputs), expected)
    backbone = AutoModel.from_pretrained(tmp_path).eval()
    assert type(backbone) is AffectGPTModel
    with torch.no_grad():
        hidden = backbone(**inputs).last_hidden_state
    assert torch.allclose(policy.model.lm_head(hidden), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("fusion", "frames", "sound"), list(product(("qformer", "attention"), (0, 1), (0, 1)))
)
def test_each_medium_that_is_there_changes_the_answer(fusion: str, frames: int, sound: int) -> None:
    policy = tiny(fusion=fusion)

    def of(picture: int, voice: int) -> Any:
        row = ("What?", clip(picture)[0] if frames else None, clip(voice)[1] if sound else None)
        return logits(policy.model, batch(policy.processor, [row]))

    straight = of(0, 0)
    assert torch.equal(of(0, 0), straight)
    assert torch.equal(of(1, 0), straight) == (not frames)
    assert torch.equal(of(0, 1), straight) == (not sound)


@pytest.mark.parametrize("fusion", ["qformer", "attention"])
def test_every_part_learns_and_a_missing_modality_breaks_no_gradient(fusion: str) -> None:
    policy, model = tiny(fusion=fusion), fresh(fusion=fusion)
    inputs = batch(policy.processor)
    model(**inputs, labels=inputs["input_ids"]).loss.backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            assert torch.isfinite(parameter.grad).all(), name
    for part in (*FUSION_PARTS, "frame_encoder", "audio_encoder", "language_model", "lm_head"):
        grads = [p.grad for n, p in model.named_parameters() if part in n and p.grad is not None]
        assert sum(float(grad.abs().sum()) for grad in grads) > 0, part


def test_training_learns_to_use_the_media() -> None:
    policy, model = tiny(), fresh().train()
    words = ["joyful", "sad", "angry", "proud"]
    rows = [("What?" + word, *clip(i)) for i, word in enumerate(words)]
    inputs = batch(policy.processor, rows)
    prompt = batch(policy.processor, [("What?", *clip(0))])["input_ids"].shape[1]
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    for i, row in enumerate(inputs["attention_mask"]):
        labels[i, : len(row) - int(row.sum()) + prompt] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        loss = model(**inputs, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    mixed = {**inputs, "clip_index": torch.tensor([1, 2, 3, 0])}
    with torch.no_grad():
        right, wrong = (float(model(**x, labels=labels).loss) for x in (inputs, mixed))
    assert right < 0.3
    assert wrong > right + 1


# --- Clips are sent once; frozen encoders need not run again ---------------------------------


def test_a_clip_for_many_rows_is_sent_once_with_equal_loss_and_gradients() -> None:
    processor = tiny().processor
    index = [0, 2, 0, 1, 4, 2, 3]
    many = batch(processor, [ROWS[i] for i in index])
    once = {**many, **processor.media([r[1] for r in ROWS], [r[2] for r in ROWS])}
    once["clip_index"] = torch.tensor(index)
    with torch.no_grad():
        kept = fresh().model.encode_media(
            **{k: once[k] for k in ("pixel_values", "frame_mask", "audio_values", "audio_lengths")}
        )
    text = {name: once[name] for name in ("input_ids", "attention_mask", "clip_index")}
    found = []
    for inputs in (many, once, {**text, **kept.as_inputs()}):
        model = fresh()
        loss = model(**inputs, labels=inputs["input_ids"]).loss
        loss.backward()
        grads = {n: p.grad for n, p in model.named_parameters() if part_trained(n)}
        found.append((loss.item(), grads))
    for loss, grads in found[1:]:
        assert loss == pytest.approx(found[0][0], abs=1e-6)
        for name, grad in grads.items():
            assert torch.allclose(grad, found[0][1][name], atol=1e-5), name
    taken = kept.take(torch.tensor(index))
    inputs = {**text, **taken.as_inputs(), "clip_index": None}
    assert torch.allclose(logits(fresh(), inputs), logits(fresh(), many), atol=2e-5)


def part_trained(name: str) -> bool:
    return any(part in name for part in (*FUSION_PARTS, "language_model"))


def test_several_answers_for_a_row_are_about_its_clip() -> None:
    policy = tiny()
    for rows in (ROWS, ROWS[:1]):
        inputs = batch(policy.processor, rows)
        one = greedy(policy.model, inputs)
        beams = greedy(policy.model, inputs, num_beams=2, num_return_sequences=2)
        assert beams.shape[0] == 2 * len(rows)
        torch.manual_seed(0)
        drawn = greedy(
            policy.model, inputs, do_sample=True, num_return_sequences=3, temperature=1e-4
        )
        assert torch.equal(drawn, one.repeat_interleave(3, 0))


# --- The traps -------------------------------------------------------------------------------


def test_the_backbone_alone_sees_the_media_through_trls_fused_head() -> None:
    utils = pytest.importorskip("trl.trainer.utils")
    policy, model = tiny(), fresh()
    inputs = batch(policy.processor)
    expected = logits(model, inputs)[:, :-1].log_softmax(-1)
    ids = inputs["input_ids"][:, 1:]
    expected = expected.gather(-1, ids[..., None])[..., 0]
    utils.add_fused_lm_head(model)
    labels = inputs["input_ids"].masked_fill(inputs["attention_mask"] == 0, -100)
    with torch.no_grad():
        fused = model(**inputs, labels=labels, fused_lm_head=True).log_probs
        shifted = {**inputs, "frame_mask": inputs["frame_mask"].clone()}
        shifted["pixel_values"] = inputs["pixel_values"].flip(1)
        other = model(**shifted, labels=labels, fused_lm_head=True).log_probs
    there = labels[:, 1:] != -100
    assert torch.allclose(fused[there], expected[there], atol=1e-5)
    assert (other[0] - fused[0]).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x, p: [x.pop(k) for k in MEDIA_INPUTS if k in x], "no media is given"),
        (lambda x, p: x.pop("audio_values"), "audio placeholders; its media need 0"),
        (lambda x, p: x.pop("pixel_values"), "frame placeholders; its media need 0"),
        (lambda x, p: x["frame_mask"].fill_(False), "frame placeholders; its media need 0"),
        (lambda x, p: x["input_ids"].masked_fill_(x["input_ids"] == p.frame_token_id, 5), "row 0"),
        (lambda x, p: x["input_ids"].masked_fill_(x["input_ids"] == p.fused_token_id, 5), "fused"),
        (lambda x, p: x["input_ids"][0].fill_(p.audio_token_id), "row 0"),
        (lambda x, p: x.update(clip_index=torch.tensor([0, 1, 2, 3, 5])), "outside 0 to 4"),
        (lambda x, p: x.update(clip_index=torch.tensor([0])), "clip_index has shape"),
        (lambda x, p: x.update(input_ids=x["input_ids"][:2], attention_mask=None), "no clip_index"),
        (lambda x, p: x.update(pixel_values=x["pixel_values"].repeat(1, 2, 1, 1, 1)), "16 frames"),
    ],
)
def test_text_and_media_that_do_not_agree_are_refused(change: Any, said: str) -> None:
    policy = tiny()
    inputs = {k: v.clone() for k, v in batch(policy.processor).items()}
    change(inputs, policy.model.config)
    with pytest.raises(ValueError, match=said):
        policy.model(**inputs)


def test_media_are_encoded_once_in_a_generation() -> None:
    policy, model = tiny(), fresh()
    inputs = batch(policy.processor)
    calls: list[str] = []
    for name in ("frame_encoder", "audio_encoder", "fusion"):
        part = getattr(model.model, name)
        part.register_forward_hook(lambda *_, name=name: calls.append(name))
    with_cache = greedy(model, inputs)
    assert sorted(calls) == ["audio_encoder", "frame_encoder", "fusion"]
    assert torch.equal(greedy(model, inputs, use_cache=False), with_cache)


def test_a_media_token_is_never_generated() -> None:
    policy, model = tiny(), fresh()
    ids = model.config.media_token_ids
    assert len(ids) == 3
    with torch.no_grad():  # whatever comes before, a media token is what the model wants to say
        hidden = model.model(**batch(policy.processor)).last_hidden_state[:, -1].mean(0)
        model.lm_head.weight[list(ids)] = 100 * hidden
    inputs = batch(policy.processor)
    assert int(logits(model, inputs)[0, -1].argmax()) in ids
    configured = GenerationConfig(
        max_new_tokens=6, do_sample=True, eos_token_id=1, pad_token_id=0, suppress_tokens=None
    )
    for written in (
        greedy(model, inputs),
        model.generate(**inputs, generation_config=configured)[:, inputs["input_ids"].shape[1] :],
    ):
        assert not torch.isin(written, torch.tensor(ids)).any()


def test_the_reference_that_trl_loads_from_disk_starts_equal(tmp_path: Path) -> None:
    utils = pytest.importorskip("trl.trainer.utils")
    policy = tiny()
    policy.model.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert Path(loaded.config._name_or_path) == tmp_path
    reference = utils.create_model_from_path(str(tmp_path)).eval()
    inputs = batch(policy.processor)
    assert type(reference) is AffectGPTForConditionalGeneration
    assert torch.equal(logits(reference, inputs), logits(policy.model, inputs))


def test_loading_forgets_nothing_that_is_frozen(tmp_path: Path) -> None:
    freeze = ("audio_encoder", "frame_encoder", "language_model")
    model = tiny(freeze=freeze).model
    model.save_pretrained(tmp_path)
    for loaded in (model, AutoModelForCausalLM.from_pretrained(tmp_path)):
        counts = trainable_parameters(loaded)
        assert {part for part, (trained, _) in counts.items() if not trained} == set(freeze)
        assert all(counts[part][0] == counts[part][1] for part in (*FUSION_PARTS, "lm_head"))
        assert "fusion" in check_trainable(loaded)
    loaded.requires_grad_(True)
    with pytest.raises(ValueError, match="should be frozen"):
        check_trainable(loaded)


def test_frozen_encoders_keep_still_in_training() -> None:
    policy = tiny(freeze=("audio_encoder", "frame_encoder"))
    model = fresh(freeze=("audio_encoder", "frame_encoder"))
    inputs = batch(policy.processor)
    assert model.config.audio_config.hidden_dropout > 0
    before = logits(model, inputs)
    model.train()
    assert model.model.language_model.training
    assert not any(m.training for m in model.model.audio_encoder.modules())
    assert torch.equal(logits(model, inputs), before)


def test_an_adapter_that_forgets_the_fusion_is_refused() -> None:
    peft = pytest.importorskip("peft")
    targets = r".*language_model.*(q_proj|v_proj)"
    with pytest.raises(ValueError, match="modules_to_save"):
        check_trainable(peft.get_peft_model(fresh(), peft.LoraConfig(target_modules=targets)))
    model = peft.get_peft_model(
        fresh(), peft.LoraConfig(target_modules=targets, modules_to_save=list(FUSION_PARTS))
    ).eval()
    counts = trainable_parameters(model)
    assert all(counts[part][0] for part in (*FUSION_PARTS, "language_model"))
    assert not counts["frame_encoder"][0]
    assert not counts["lm_head"][0]
    check_trainable(model)
    inputs = batch(tiny().processor)
    assert torch.allclose(logits(model, inputs), logits(fresh(), inputs), atol=1e-6)
    model(**inputs, labels=inputs["input_ids"]).loss.backward()
    for part in FUSION_PARTS:  # what is trained is what the forward pass goes through
        grads = [p.grad for n, p in model.named_parameters() if part in n and p.requires_grad]
        assert all(grad is not None for grad in grads), part
        assert sum(float(grad.abs().sum()) for grad in grads) > 0
    assert torch.equal(greedy(model, inputs), greedy(fresh(), inputs))


def test_gradient_checkpointing_changes_no_gradient() -> None:
    inputs = batch(tiny().processor)
    grads = []
    for checkpointing in (False, True):
        model = fresh(freeze=("audio_encoder", "frame_encoder")).train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
        model(**inputs, labels=inputs["input_ids"]).loss.backward()
        grads.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert grads[0].keys() == grads[1].keys()
    assert all(torch.allclose(grads[0][n], grads[1][n], atol=1e-6) for n in grads[0])


def test_bfloat16_runs() -> None:
    model = fresh().to(torch.bfloat16)
    assert torch.isfinite(logits(model, batch(tiny().processor)).float()).all()


# --- Built from pretrained parts -------------------------------------------------------------


def test_a_policy_is_built_from_saved_parts(tmp_path: Path) -> None:
    from transformers import CLIPConfig, CLIPTextConfig

    shared = tiny()
    config = shared.model.config
    torch.manual_seed(1)
    text = CLIPTextConfig(hidden_size=32, intermediate_size=48, num_hidden_layers=1,
                          num_attention_heads=2, vocab_size=9)  # fmt: skip
    seeing = CLIPModel(CLIPConfig(text_config=text.to_dict(),
                                  vision_config=config.frame_config.to_dict()))  # fmt: skip
    hearing = HubertModel(audio_config("hubert"))
    for name, part in (("see", seeing), ("hear", hearing)):
        part.save_pretrained(tmp_path / name)
    save_text_model(tmp_path / "speak")
    ids = {k: getattr(config, k) for k in ("frame_token_id", "audio_token_id", "fused_token_id")}
    policy = build_policy(
        tmp_path / "see", tmp_path / "hear", tmp_path / "speak", fusion_width=32, fusion_heads=2,
        frame_tokens=8, audio_tokens=4, fused_tokens=4, **ids,
    )  # fmt: skip
    model = policy.model
    written = {**model.frame_encoder.encoder.state_dict()}
    expected = {k.removeprefix("vision_model."): v for k, v in seeing.state_dict().items()
                if k.startswith("vision_model.")}  # fmt: skip
    assert all(torch.equal(v, expected[k.removeprefix("vision_model.")])
               for k, v in written.items())  # fmt: skip
    heard = model.audio_encoder.encoder.state_dict()
    assert all(torch.equal(heard[k], v) for k, v in hearing.state_dict().items())
    alone = AutoModelForCausalLM.from_pretrained(tmp_path / "speak").eval()
    row = batch(shared.processor, [ROWS[3]])
    assert torch.allclose(logits(policy.eval(), row), alone(**row).logits, atol=1e-6)
    assert trainable_parameters(policy)["frame_encoder"][0] == 0


def test_new_weights_keep_full_precision_beside_bfloat16(tmp_path: Path) -> None:
    config = mini_config(mini_tokenizer())
    made = build_policy(
        config.frame_config,
        config.audio_config,
        config.text_config,
        dtype=torch.bfloat16,
        fusion_width=96,
        fusion_heads=4,
    )
    made.save_pretrained(tmp_path)
    loaded = AffectGPTForConditionalGeneration.from_pretrained(tmp_path, dtype=torch.bfloat16)
    for model in (made, loaded):
        for name, parameter in model.named_parameters():
            whole = part_of(name) in FUSION_PARTS
            assert parameter.dtype == (torch.float32 if whole else torch.bfloat16), name
    sound = torch.zeros(1, 40, 200, dtype=torch.bfloat16)
    features = loaded.model.encode_media(audio_values=sound)
    assert features.audio_features.dtype == torch.bfloat16
    assert all(token.isfinite().all() for token in loaded.model.media_tokens(features))
