"""Models of published classes that see, and one that hears as well, through the same scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import affectgpt_rl.training.policy_pass
import pytest
import torch
from affectgpt_rl.config.sections import Prompt, Source
from affectgpt_rl.data.clips import TrainingClip, clips_of, load_clips
from affectgpt_rl.data.inputs import PolicyInputs, Shown
from affectgpt_rl.data.vision_inputs import OmniInputs, VisionInputs
from affectgpt_rl.policy.loading import LoadedPolicy, load_policy
from affectgpt_rl.policy.mini import mini_tokenizer
from affectgpt_rl.training.evaluation import answers, media_gap
from affectgpt_rl.training.grpo import AffectGPTGRPOTrainer
from affectgpt_rl.training.grpo_settings import grpo_config
from affectgpt_rl.training.policy_pass import placeholders_of
from grpo_run import SETTINGS, even_tokens
from ovmer_bench import OvmerError
from ovmer_bench.corpora.ovmer_mini.generate import samples
from safetensors.torch import load_file
from scripts import OF_A_FOLDER, metrics, rows, within, words
from test_grpo import Recorder, sample
from tiny_multimodal import KINDS, SAVERS

pytestmark = pytest.mark.train

MODELS = list(SAVERS)
PROMPT = Prompt(
    mode="answer",
    thought="description",
    instruction="What does the person feel?",
    language="en",
    clues=False,
    images=2,
)
SEEN = {"vision": ("frames", "subtitle"), "omni": ("frames", "audio", "subtitle")}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name, save in SAVERS.items():
        save(folder / name)
    return folder


def clips_for(name: str, count: int = 4) -> list[TrainingClip]:
    source = Source(corpus="ovmer_mini", split="sft", start=0, clips=count, seed=0)
    return load_clips(source, SEEN[KINDS[name]])


def inputs_of(policy: LoadedPolicy, name: str, clips: Sequence[TrainingClip]) -> PolicyInputs:
    made = OmniInputs if KINDS[name] == "omni" else VisionInputs
    return made(policy, PROMPT, clips)


def trainer_of(
    policy: LoadedPolicy,
    inputs: PolicyInputs,
    clips: Sequence[TrainingClip],
    folder: Path,
    **more: Any,
) -> AffectGPTGRPOTrainer:
    settings = {**SETTINGS, "num_iterations": 2, "max_completion_length": 6, "max_steps": 4, **more}
    return AffectGPTGRPOTrainer(
        policy.model,
        [even_tokens],
        grpo_config(settings, output_dir=folder),
        [inputs.row(clip) for clip in clips],
        processing_class=policy.processor if inputs.images else policy.tokenizer,
        bank=inputs.bank,
        images=inputs.images,
    )


def gap(saved: Path, name: str, folder: Path, clips: Sequence[TrainingClip], **more: Any) -> float:
    """Between the log-probabilities of sampling and those of the training pass."""
    policy = load_policy(saved / name, KINDS[name])
    trainer = trainer_of(policy, inputs_of(policy, name, clips), clips, folder, **more)
    recorder = Recorder(policy.model)
    return recorder.gap(sample(trainer))


# What is sampled, and what is trained on


@pytest.mark.parametrize("temperature", [1.0, 1.3])
@pytest.mark.parametrize("name", MODELS)
def test_training_sees_the_probabilities_that_were_sampled_from(
    saved: Path, tmp_path: Path, name: str, temperature: float
) -> None:
    assert gap(saved, name, tmp_path, clips_for(name), temperature=temperature) < 1e-3


def test_clips_with_and_without_media_train_together(saved: Path, tmp_path: Path) -> None:
    """By reference; TRL's own path needs images in every row."""
    clips = clips_for("omni")
    clips[1] = replace(clips[1], modalities=frozenset({"subtitle"}))
    clips[2] = replace(clips[2], modalities=frozenset({"audio", "subtitle"}))
    assert gap(saved, "omni", tmp_path, clips) < 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_images_of_other_clips_are_seen(
    saved: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = AffectGPTGRPOTrainer._get_per_token_logps_and_entropies

    def shifted(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("pixel_values") is not None:
            kwargs["pixel_values"] = kwargs["pixel_values"].flip(0)
        kept, self._media_ids = self._media_ids, self._media_ids[::-1]
        try:
            return real(self, *args, **kwargs)
        finally:
            self._media_ids = kept

    monkeypatch.setattr(AffectGPTGRPOTrainer, "_get_per_token_logps_and_entropies", shifted)
    assert gap(saved, name, tmp_path, clips_for(name)) > 1e-2


@pytest.mark.parametrize("name", MODELS)
def test_placeholders_are_never_said(
    saved: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sampled, nor chosen, nor given any probability in training."""
    policy, clips = load_policy(saved / name, KINDS[name]), clips_for(name)
    ids = list(placeholders_of(policy.model))
    assert policy.tokenizer.convert_tokens_to_ids("<|image_pad|>") in ids
    with torch.no_grad():
        policy.model.get_output_embeddings().weight[ids] *= 100
    inputs = inputs_of(policy, name, clips)
    output = sample(trainer_of(policy, inputs, clips, tmp_path))
    assert not torch.isin(output["completion_ids"], torch.tensor(ids)).any()
    chosen: list[Any] = []
    monkeypatch.setattr(inputs.tokenizer, "batch_decode", lambda new, **_: chosen.extend(new) or [])
    answers(policy.model, inputs, clips, batch_size=2, max_new_tokens=6)
    assert len(chosen) == 4 and not torch.isin(torch.cat(chosen), torch.tensor(ids)).any()

    monkeypatch.setattr(affectgpt_rl.training.policy_pass, "placeholders_of", lambda model: ())
    assert gap(saved, name, tmp_path, clips) > 1e-3, "an untrained policy gives them some"


@pytest.mark.parametrize("name", MODELS)
def test_grpo_trains_what_sees_and_what_speaks(saved: Path, tmp_path: Path, name: str) -> None:
    policy, clips = load_policy(saved / name, KINDS[name]), clips_for(name)
    before = {key: value.clone() for key, value in policy.model.state_dict().items()}
    trainer = trainer_of(
        policy, inputs_of(policy, name, clips), clips, tmp_path, beta=0.1, learning_rate=1e-2
    )
    trainer.train()
    divergence = [row["kl"] for row in trainer.state.log_history if "kl" in row]
    assert divergence[0] < 1e-6 < divergence[-1]
    after = policy.model.state_dict()
    moved = {key for key, value in before.items() if not torch.equal(value, after[key])}
    parts = {
        "llava": ("language_model", "vision_tower", "multi_modal_projector"),
        "qwen_vl": ("language_model", "visual"),
        "omni": ("layers.0.self_attn", "visual", "audio_tower"),
    }
    for part in parts[name]:
        assert any(part in key for key in moved), part


# Inputs


@pytest.mark.parametrize("name", MODELS)
def test_what_is_hidden_is_not_there_and_padding_changes_nothing(saved: Path, name: str) -> None:
    policy, clips = load_policy(saved / name, KINDS[name]), clips_for(name)
    policy.model.eval()
    inputs = inputs_of(policy, name, clips)
    shown = [Shown(), Shown(media=False), Shown(subtitle=False), Shown()]
    together = inputs.batch(clips, shown, answers=True)
    image = policy.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    there = (together["input_ids"] == image).sum(1)
    assert there[1] == 0 and (there[[0, 2, 3]] > 0).all()
    with torch.no_grad():
        logits = policy.model(**{k: v for k, v in together.items() if k != "labels"}).logits
        for row, clip in enumerate(clips):
            alone = inputs.batch([clip], [shown[row]], answers=True)
            length = alone["input_ids"].shape[1]
            assert torch.equal(alone["labels"][0], together["labels"][row, -length:])
            kept = {k: v for k, v in alone.items() if k != "labels"}
            found = policy.model(**kept).logits[0]
            assert torch.allclose(found, logits[row, -length:], atol=1e-4)
    nothing = inputs.batch(clips, [Shown(media=False)] * 4, answers=False)
    assert "pixel_values" not in nothing and "labels" not in nothing


def test_sound_too_short_to_be_heard_is_lengthened(saved: Path) -> None:
    policy, clips = load_policy(saved / "omni", "omni"), clips_for("omni", 2)
    short = replace(clips[0], media=lambda wanted: (None, clips[1].audio()[:7]))
    short = replace(short, modalities=frozenset({"audio"}))
    inputs = OmniInputs(policy, PROMPT, [short])
    assert "<|audio_pad|>" in inputs.row(short)["prompt"]
    with torch.no_grad():
        assert policy.model(**inputs.batch([short], answers=True)).loss.isfinite()


def test_a_tokenizer_that_reads_otherwise_is_refused(saved: Path) -> None:
    policy, clips = load_policy(saved / "omni", "omni"), clips_for("omni", 1)
    inputs = OmniInputs(policy, PROMPT, clips)
    inputs.tokenizer = mini_tokenizer()  # knows no placeholders
    with pytest.raises(OvmerError, match="in another way"):
        inputs.row(clips[0])


# Whole runs


@pytest.fixture(scope="module", params=MODELS)
def run(request: pytest.FixtureRequest, saved: Path, tmp_path_factory: Any) -> tuple[str, Path]:
    """Cold start and GRPO of one model; that of Qwen with adapters."""
    name, out = request.param, tmp_path_factory.mktemp("run") / request.param
    settings = {
        **OF_A_FOLDER,
        "policy.kind": KINDS[name],
        "policy.path": saved / name,
        "data.modalities": f"[{', '.join(SEEN[KINDS[name]])}]",
        "sft.learning_rate": 1e-2,
        "sft.media_dropout": 0.2,
        "evaluation.batch_size": 4,
    }
    if name == "qwen_vl":
        lora = "{rank: 4, alpha: 8, dropout: 0.0, targets: [q_proj, v_proj, down_proj, qkv]}"
        settings["policy.lora"] = lora
    within("rl_train", *words("mini", out, settings))
    return name, out


def test_the_cold_start_learns_and_looks(run: tuple[str, Path]) -> None:
    _, out = run
    losses = metrics(out, "sft", "eval_loss")
    assert losses[-1] < metrics(out, "sft", "loss")[0] - 0.1
    (shifted,) = metrics(out, "sft", "eval_loss_shifted")
    assert shifted != losses[-1], "whose images they are makes a difference"
    said = rows(out / "completions" / "step-000000.jsonl")
    assert all(row["media_id"].startswith("mini-rl") and row["completion"] for row in said)


def test_what_was_trained_answers_a_task(run: tuple[str, Path], tmp_path: Path) -> None:
    name, out = run
    task, said = tmp_path / "task.jsonl", tmp_path / "said.jsonl"
    lines = [json.dumps(one.to_dict()) + "\n" for one in samples("test", 3)]
    task.write_text("".join(lines), "utf-8")
    where = ["--checkpoint", str(out / "rl" / "final"), "--task", str(task), "--out", str(said)]
    within("predict", *where, "--batch-size", "2")
    policy = load_policy(out / "rl" / "final", KINDS[name])
    clips = clips_of(samples("test", 3), SEEN[KINDS[name]])
    asked = inputs_of(policy, name, clips)
    alone = [
        answers(policy.model, asked, [clip], batch_size=1, max_new_tokens=8)[0] for clip in clips
    ]
    assert [row["output"] for row in rows(said)] == alone, "batches change nothing"


def test_adapters_leave_what_sees_alone(run: tuple[str, Path], saved: Path) -> None:
    name, out = run
    final = out / "sft" / "final"
    before, after = (load_file(place / "model.safetensors") for place in (saved / name, final))
    assert set(before) == set(after) and not list(final.glob("adapter*"))
    moved = {key for key, value in before.items() if not torch.equal(value, after[key])}
    visual = [key for key in moved if "vis" in key]
    assert bool(visual) == (name != "qwen_vl")
    assert any("q_proj" in key for key in moved)


def test_a_policy_that_does_not_look_has_no_gap(saved: Path) -> None:
    policy, clips = load_policy(saved / "llava", "vision"), clips_for("llava")
    inputs = VisionInputs(policy, PROMPT, clips)
    found = media_gap(policy.model, inputs, clips, batch_size=3)
    assert found is not None and abs(found[0] - found[1]) > 1e-3
    with torch.no_grad():
        for parameter in policy.model.model.multi_modal_projector.parameters():
            parameter.zero_()
    right, shifted = media_gap(policy.model, inputs, clips, batch_size=3) or (0, 1)
    assert right == pytest.approx(shifted, abs=1e-6)
    assert media_gap(policy.model, inputs, clips[:1], batch_size=3) is None
