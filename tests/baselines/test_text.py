"""Language models without media, on subtitle and clues, through the same scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from affectgpt_rl.data.clips import load_clips
from affectgpt_rl.data.inputs import TextInputs
from affectgpt_rl.policy.adapters import adapter_config
from affectgpt_rl.policy.loading import load_policy
from affectgpt_rl.policy.mini import mini_tokenizer, text_config
from affectgpt_rl.runs.folder import RunFolder
from affectgpt_rl.training.grpo import AffectGPTGRPOTrainer
from affectgpt_rl.training.grpo_settings import grpo_config
from grpo_run import SETTINGS, even_tokens
from ovmer_bench import evaluate, load_corpus
from ovmer_bench.reading.readers import read_predictions, read_samples
from safetensors.torch import load_file
from scripts import OF_A_FOLDER, metrics, rows, started, within, words
from transformers import Qwen2ForCausalLM

pytestmark = pytest.mark.train

CHAT = (
    "{% for turn in messages %}<|start|>{{ turn['role'] }}\n{{ turn['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
LORA = "{rank: 4, alpha: 8, dropout: 0.0, targets: [q_proj, v_proj]}"


def scenes(path: Path, count: int, split: str) -> Path:
    """Scenes as a file of one's own, with subtitle and clues, under names of their own."""
    lines = []
    for sample in load_corpus("ovmer_scenes").samples[:count]:
        made = {**sample.to_dict(), "id": f"{split}-{sample.id}", "corpus": "own", "split": split}
        lines.append(json.dumps(made, ensure_ascii=False) + "\n")
    path.write_text("".join(lines), "utf-8")
    return path


def test_from_nothing_to_scores(tmp_path: Path) -> None:
    """On the embedded corpus and on a file of scenes, each script a process of its own."""
    own = scenes(tmp_path / "own.jsonl", 12, "train")
    task = scenes(tmp_path / "task.jsonl", 4, "test")
    out = tmp_path / "run"
    source = f"{{corpus: {own}, split: train, start: 0, clips: null, seed: 0}}"
    options = words("text", out, {"data.rl": source, "sft.learning_rate": 5e-3})
    for script in ("sft_train", "rl_train"):
        done = started(script, *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    states = json.loads((out / "run.json").read_text("utf-8"))["stages"]
    assert {stage: one["state"] for stage, one in states.items()} == {
        "sft": "finished",
        "rl": "finished",
    }
    losses = metrics(out, "sft", "eval_loss")
    assert losses[-1] < losses[0] - 0.2
    assert not metrics(out, "sft", "eval_loss_shifted"), "there are no media to trade"
    assert metrics(out, "rl", "kl")[0] == 0
    said = rows(out / "completions" / "step-000000.jsonl")
    assert {row["media_id"] for row in said} <= {one.id for one in read_samples(own)}
    assert all("Heard:" in row["prompt"] and "Seen:" in row["prompt"] for row in said)

    predicted = tmp_path / "predicted.jsonl"
    asked = ["--checkpoint", str(out / "rl/final"), "--task", str(task), "--out", str(predicted)]
    done = started("predict", *asked, "--batch-size", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    scored = evaluate(read_predictions(predicted).predictions, read_samples(task))
    assert 0 <= scored.values["S1"] <= 1


def save_chat_model(folder: Path) -> None:
    """A published model in small: a tokenizer with its way of chatting, and weights."""
    tokenizer = mini_tokenizer()
    tokenizer.chat_template = CHAT
    torch.manual_seed(0)
    Qwen2ForCausalLM(text_config(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def weights(folder: Path) -> dict[str, Any]:
    assert not list(folder.glob("adapter*")), "adapters are merged"
    return dict(load_file(folder / "model.safetensors"))


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    assert set(before) == set(after)
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a folder, both stages with adapters."""
    folder = tmp_path_factory.mktemp("adapted")
    save_chat_model(folder / "model")
    settings = {
        **OF_A_FOLDER,
        "policy.path": folder / "model",
        "policy.lora": LORA,
        "sft.learning_rate": 1e-2,
        "grpo.learning_rate": 1e-2,
        "rewards.length": "{kind: contrast, weight: 0.5}",
    }
    within("rl_train", *words("text", folder / "run", settings))
    return folder


def test_a_saved_model_is_asked_in_its_own_way(adapted: Path) -> None:
    said = rows(adapted / "run" / "completions" / "step-000000.jsonl")
    assert all(row["prompt"].startswith("<|start|>user\nSaid:") for row in said)
    assert all(row["prompt"].endswith("<|start|>assistant\n") for row in said)


def test_only_the_adapted_layers_change_and_nothing_is_left_of_the_adapter(adapted: Path) -> None:
    model = weights(adapted / "model")
    cold = weights(adapted / "run/sft/final")
    assert changed(model, cold) == {
        f"model.layers.{layer}.self_attn.{name}_proj.weight" for layer in range(3) for name in "qv"
    }
    assert changed(cold, weights(adapted / "run/rl/final")) <= changed(model, cold)
    losses = metrics(adapted / "run", "sft", "eval_loss")
    assert losses[-1] < losses[0]


def test_the_merged_policy_is_the_one_that_was_trained(adapted: Path) -> None:
    """The lowest loss on held-out clips was that of the adapter; it is that of the merged model."""
    config = RunFolder(adapted / "run").config()
    clips = load_clips(config.data.held_out, config.data.modalities)
    policy = load_policy(adapted / "run/sft/final", "text")
    batch = TextInputs(policy, config.prompt, clips, keep=False).batch(clips, answers=True)
    with torch.no_grad():
        loss = float(policy.model.eval()(**batch).loss)
    assert loss == pytest.approx(min(metrics(adapted / "run", "sft", "eval_loss")), abs=1e-4)


def test_the_reference_is_the_policy_without_its_adapter(adapted: Path, tmp_path: Path) -> None:
    policy = load_policy(adapted / "model", "text")
    settings = RunFolder(adapted / "run").config().policy
    trainer = AffectGPTGRPOTrainer(
        policy.model,
        [even_tokens],
        grpo_config({**SETTINGS, "beta": 0.1, "max_steps": 4}, output_dir=tmp_path),
        [{"prompt": f"What is felt? {i}", "media_id": str(i), "gold": ["happy"]} for i in range(4)],
        processing_class=policy.tokenizer,
        peft_config=adapter_config(settings),
    )
    assert trainer.ref_model is None
    trainer.train()
    divergence = [row["kl"] for row in trainer.state.log_history if "kl" in row]
    assert divergence[0] < 1e-9 < divergence[-1]
