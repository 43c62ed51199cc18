"""GRPO with media by reference: every trap that passes in silence is sprung here on purpose."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import affectgpt_rl.training.policy_pass
import pytest
import torch
from affectgpt_rl.config import load_config
from affectgpt_rl.data.media_bank import MediaBank
from affectgpt_rl.policy import AffectGPTForConditionalGeneration
from affectgpt_rl.policy.trainable import FUSION_PARTS
from affectgpt_rl.rewards.config import build_rewards
from affectgpt_rl.training.grpo import AffectGPTGRPOTrainer
from affectgpt_rl.training.grpo_settings import EXPLICIT, grpo_config, settings_of
from affectgpt_rl.training.policy_pass import silent_placeholders
from affectgpt_rl.training.processes import check_world_size
from affectgpt_rl.training.rollouts import Sampled
from datasets import Dataset
from grpo_run import (
    ALIKE,
    FROZEN,
    SETTINGS,
    SHAPES,
    alike_rows,
    answer,
    even_tokens,
    make_trainer,
    rows_of,
    schooled,
)
from ovmer_bench import OvmerError
from tiny_policy import fresh, save_text_model, tiny
from trl import GRPOTrainer

pytestmark = pytest.mark.train

CONFIGS = Path(__file__).parents[2] / "baselines" / "configs"


class Recorder:
    """Keeps what the policy samples from, as it samples."""

    def __init__(self, model: Any) -> None:
        self.scores: Any = None
        generate = type(model).generate

        def recorded(*args: Any, **kwargs: Any) -> Any:
            wished = {"return_dict_in_generate": True, "output_scores": True}
            out = generate(model, *args, **kwargs, **wished)
            self.scores = torch.stack(out.scores, 1)
            return out.sequences

        model.generate = recorded

    def gap(self, output: dict[str, Any]) -> float:
        """Largest difference between sampled and recomputed log-probabilities."""
        ids, mask = output["completion_ids"], output["completion_mask"]
        sampled = self.scores.log_softmax(-1).gather(-1, ids[..., None])[..., 0]
        return float(((sampled - output["old_per_token_logps"]).abs() * mask).max())


def sample(trainer: AffectGPTGRPOTrainer) -> dict[str, Any]:
    """One sampling of every row."""
    trainer.model.train()
    rows = [row for row in trainer.train_dataset for _ in range(trainer.num_generations)]
    return trainer._generate_and_score_completions(rows)


def recorded_gap(folder: Path, clips: Any = SHAPES, **settings: Any) -> float:
    policy, model = tiny(freeze=FROZEN), fresh(freeze=FROZEN)
    trainer = make_trainer(
        folder,
        model,
        bank=MediaBank(clips, policy.processor, model, cache=settings.pop("cache", True)),
        rows=rows_of(policy, clips),
        num_iterations=2,
        max_completion_length=12,
        **settings,
    )
    recorder = Recorder(model)
    return recorder.gap(sample(trainer))


# What is sampled, and what is trained on


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.3])
@pytest.mark.parametrize("cache", [True, False])
def test_training_sees_the_probabilities_that_were_sampled_from(
    tmp_path: Path, cache: bool, temperature: float
) -> None:
    assert recorded_gap(tmp_path, cache=cache, temperature=temperature) < 1e-4


def test_media_of_another_clip_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recorded_gap(tmp_path, ALIKE) < 1e-4
    names = list(ALIKE)
    real = AffectGPTGRPOTrainer._get_per_token_logps_and_entropies

    def shifted(self: Any, *args: Any, **kwargs: Any) -> Any:
        kept = self._media_ids
        self._media_ids = [names[(names.index(one) + 1) % len(names)] for one in kept]
        try:
            return real(self, *args, **kwargs)
        finally:
            self._media_ids = kept

    monkeypatch.setattr(AffectGPTGRPOTrainer, "_get_per_token_logps_and_entropies", shifted)
    assert recorded_gap(tmp_path, ALIKE) > 1


def test_placeholders_have_no_probability_in_training_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An untrained policy gives them 2 %; without the mask, training would see them."""
    monkeypatch.setattr(
        affectgpt_rl.training.policy_pass, "silent_placeholders", lambda policy: nullcontext()
    )
    assert recorded_gap(tmp_path) > 0.01


def test_the_mask_goes_when_the_pass_is_over() -> None:
    model = fresh(freeze=FROZEN)
    head = model.get_output_embeddings()
    with silent_placeholders(model):
        shown = model.get_output_embeddings()
        assert shown.weight is head.weight
        assert (shown.bias < -1000).nonzero()[:, 0].tolist() == sorted(model.config.media_token_ids)
    assert model.get_output_embeddings() is head
    assert "lm_head.bias" not in model.state_dict()


def test_placeholders_are_never_sampled(tmp_path: Path) -> None:
    model = fresh(freeze=FROZEN)
    with torch.no_grad():
        model.lm_head.weight[list(model.config.media_token_ids)] *= 100
    output = sample(make_trainer(tmp_path, model, max_completion_length=12))
    media = torch.tensor(model.config.media_token_ids)
    assert not torch.isin(output["completion_ids"], media).any()


def test_nothing_is_lost_in_the_shuffled_buffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At learning rate 0, what is recomputed from a slice is what was computed for the whole."""
    gaps: list[float] = []
    real = GRPOTrainer._get_per_token_logps_and_entropies

    def compared(self: Any, *args: Any, **kwargs: Any) -> Any:
        made = real(self, *args, **kwargs)
        if kwargs.get("compute_entropy"):
            gaps.append((made[0].detach(), len(made[0])))  # type: ignore[arg-type]
        return made

    monkeypatch.setattr(GRPOTrainer, "_get_per_token_logps_and_entropies", compared)
    trainer = make_trainer(
        tmp_path,
        learning_rate=0.0,
        steps_per_generation=3,
        num_iterations=2,
        gradient_accumulation_steps=1,
        per_device_train_batch_size=4,
        max_steps=12,
    )
    found: list[float] = []
    loss = trainer._compute_loss

    def watched(model: Any, inputs: dict[str, Any]) -> Any:
        value = loss(model, inputs)
        made, rows = gaps.pop()  # type: ignore[misc]
        assert rows == 4
        mask = inputs["completion_mask"]
        found.append(float(((made - inputs["old_per_token_logps"]).abs() * mask).max()))
        return value

    monkeypatch.setattr(trainer, "_compute_loss", watched)
    trainer.train()
    assert len(found) == 12
    assert max(found) < 1e-5


def test_cached_and_raw_media_train_the_same_policy(tmp_path: Path) -> None:
    models = []
    for cache in (True, False):
        model = fresh(freeze=FROZEN)
        make_trainer(tmp_path, model, cache=cache, num_iterations=2, max_steps=4).train()
        models.append(model.state_dict())
    start = fresh(freeze=FROZEN).state_dict()
    moved = 0.0
    for name, value in models[0].items():
        assert (models[1][name] - value).abs().max() < 1e-5, name
        moved = max(moved, float((value - start[name]).abs().max()))
    assert moved > 1e-3


def test_gradient_checkpointing_changes_nothing(tmp_path: Path) -> None:
    models = []
    for on in (True, False):
        model = fresh(freeze=FROZEN)
        make_trainer(tmp_path, model, gradient_checkpointing=on).train()
        models.append(model.state_dict())
    for name, value in models[0].items():
        assert (models[1][name] - value).abs().max() < 1e-5, name


# It learns


def learning(folder: Path, rows: Any, **settings: Any) -> list[float]:
    """Accuracy, step by step, of a policy that begins at a half."""
    policy, model = tiny(freeze=FROZEN), fresh(freeze=FROZEN)
    model.load_state_dict(schooled())
    trainer = make_trainer(
        folder,
        model,
        rewards=build_rewards({"accuracy": {"weight": 1.0}}),
        rows=rows,
        bank=MediaBank(ALIKE, policy.processor, model, cache=True),
        learning_rate=2e-3,
        num_generations=8,
        per_device_train_batch_size=32,
        max_completion_length=10,
        **settings,
    )
    trainer.train()
    return [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]


def test_a_word_that_is_favoured_is_learnt(tmp_path: Path) -> None:
    accuracy = learning(tmp_path, [{**row, "gold": ["sad"]} for row in alike_rows()], max_steps=12)
    assert accuracy[0] < 0.5
    assert sum(accuracy[-3:]) / 3 > 0.8


def test_what_is_seen_and_heard_decides(tmp_path: Path) -> None:
    """Prompts are the same to the letter: without media, a quarter would be the most."""
    accuracy = learning(tmp_path, alike_rows(), max_steps=18)
    assert sum(accuracy[:2]) / 2 < 0.65
    assert sum(accuracy[-5:]) / 5 > 0.75


# The reference


def first_kl(trainer: AffectGPTGRPOTrainer) -> float:
    return float(next(entry["kl"] for entry in trainer.state.log_history if "kl" in entry))


def test_the_reference_of_a_reloaded_policy_is_the_policy(tmp_path: Path) -> None:
    fresh(freeze=FROZEN).save_pretrained(tmp_path / "cold")
    model = AffectGPTForConditionalGeneration.from_pretrained(tmp_path / "cold")
    trainer = make_trainer(tmp_path / "rl", model, beta=0.1, max_steps=6, learning_rate=3e-3)
    trainer.train()
    assert first_kl(trainer) < 1e-9
    assert trainer.state.log_history[5]["kl"] > 1e-4
    reference = fresh(freeze=FROZEN).state_dict()
    for name, value in trainer.ref_model.state_dict().items():
        assert torch.equal(value, reference[name]), "the reference stays as it was"


def test_a_reference_that_is_not_the_policy_is_refused(tmp_path: Path) -> None:
    fresh(freeze=FROZEN).save_pretrained(tmp_path / "cold")
    model = AffectGPTForConditionalGeneration.from_pretrained(tmp_path / "cold")
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.model.fusion.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    trainer = make_trainer(tmp_path / "rl", model, beta=0.1)
    with pytest.raises(OvmerError, match="policy and reference differ before the first update"):
        trainer.train()


def lora(**settings: Any) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=4, target_modules=r".*language_model.*[qv]_proj", modules_to_save=FUSION_PARTS, **settings
    )


def reference_logps(trainer: AffectGPTGRPOTrainer, output: dict[str, Any]) -> Any:
    return output["ref_per_token_logps"] * output["completion_mask"]


@pytest.mark.parametrize("trained_before", [False, True])
def test_the_reference_of_an_adapter_keeps_the_fusion_it_began_with(
    tmp_path: Path, trained_before: bool
) -> None:
    """A new adapter is switched off; of one that was trained, TRL keeps a copy."""
    from peft import get_peft_model

    model: Any = fresh(freeze=FROZEN)
    config = {"peft_config": lora()}
    if trained_before:
        model, config = get_peft_model(model, lora()), {}
        torch.manual_seed(2)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.05)
    trainer = make_trainer(
        tmp_path, model, beta=0.1, max_steps=6, learning_rate=1e-2, num_iterations=1,
        trainer=config,
    )  # fmt: skip
    inner = trainer.model
    begun = {name: value.clone() for name, value in inner.named_parameters()}
    trainer.train()
    assert first_kl(trainer) < 1e-9
    assert trainer.state.log_history[5]["kl"] > 1e-4
    for name, value in inner.named_parameters():
        trained = ".default." in name and (".modules_to_save." in name or "lora_B" in name)
        moved = not torch.equal(value, begun[name])
        assert moved == trained or (".default." in name and "lora_A" in name), name
    assert any("fusion.modules_to_save.default" in name for name in begun)
    expected = 2 if trained_before else 1
    assert sum("lora_A" in name for name in begun) == 2 * expected


# What is refused before it fails in silence


def test_padding_and_end_must_be_two_tokens(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path)
    assert trainer._tokenizer.pad_token_id not in trainer.eos_token_ids
    tokenizer = trainer._tokenizer
    kept = tokenizer.pad_token
    tokenizer.pad_token = tokenizer.eos_token
    try:
        with pytest.raises(OvmerError, match="the same token"):
            make_trainer(tmp_path)
    finally:
        tokenizer.pad_token = kept


def test_rewards_need_names_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(OvmerError, match="two rewards are called 'even_tokens'"):
        make_trainer(tmp_path, rewards=[even_tokens, even_tokens])
    with pytest.raises(OvmerError, match="no reward"):
        make_trainer(tmp_path, rewards=[])


def test_rows_must_name_known_clips(tmp_path: Path) -> None:
    rows = rows_of(tiny(freeze=FROZEN))
    with pytest.raises(OvmerError, match="no clip is called 'nobody'"):
        make_trainer(tmp_path, rows=[*rows, {**rows[0], "media_id": "nobody"}])
    without = [{name: row[name] for name in row if name != "media_id"} for row in rows]
    with pytest.raises(OvmerError, match="the rows name no clips"):
        make_trainer(tmp_path, rows=without)


def test_media_cannot_go_through_vllm(tmp_path: Path) -> None:
    with pytest.raises(OvmerError, match="generation by transformers"):
        make_trainer(tmp_path, use_vllm=True, vllm_mode="colocate")


def test_another_number_of_processes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OvmerError, match="2 processes were asked for, 1 train together"):
        make_trainer(tmp_path, trainer={"processes": 2})
    assert check_world_size(3, 3) == check_world_size(3) == 3
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(OvmerError, match="torchrun --nproc_per_node 2"):
        check_world_size(1)


def test_every_setting_is_explicit_and_known(tmp_path: Path) -> None:
    assert set(SETTINGS) == set(EXPLICIT)
    for name in EXPLICIT:
        given = {key: value for key, value in SETTINGS.items() if key != name}
        with pytest.raises(OvmerError, match=f"{name} is not given"):
            grpo_config(given, output_dir=tmp_path)
    with pytest.raises(OvmerError, match=r"unknown setting 'temprature'.*'temperature'"):
        grpo_config({**SETTINGS, "temprature": 1.0}, output_dir=tmp_path)
    with pytest.raises(OvmerError, match="unknown setting 'output_dir'"):
        grpo_config({**SETTINGS, "output_dir": "x"}, output_dir=tmp_path)
    with pytest.raises(OvmerError, match=r"not accepted by TRL.*num_generations"):
        grpo_config({**SETTINGS, "num_generations": 3}, output_dir=tmp_path)
    made = grpo_config({**SETTINGS, "logging_steps": 5}, output_dir=tmp_path)
    for name, value in SETTINGS.items():
        if value is not None and name != "save_steps":
            assert getattr(made, name) == value, name
    assert made.use_cpu == (not torch.cuda.is_available())
    assert made.save_strategy == "no"


def test_the_settings_of_a_configuration(tmp_path: Path) -> None:
    config = load_config(CONFIGS / "mini.yaml", ("grpo.num_iterations=2",))
    grpo = config.grpo
    made = grpo_config(settings_of(grpo, seed=5, processes=1), output_dir=tmp_path)
    rows = grpo.prompts_per_step * grpo.num_generations
    updates_per_sampling = made.steps_per_generation / made.gradient_accumulation_steps * 2
    assert updates_per_sampling == made.num_iterations == 2
    assert made.generation_batch_size == rows
    assert made.per_device_train_batch_size * made.gradient_accumulation_steps == rows
    assert (made.max_steps, made.seed, made.disable_dropout) == (grpo.steps, 5, True)
    two = settings_of(grpo, seed=5, processes=2)
    assert two["per_device_train_batch_size"] == made.per_device_train_batch_size / 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU takes bf16")
def test_bf16_is_refused_on_a_cpu(tmp_path: Path) -> None:
    with pytest.raises(OvmerError, match="bf16 on a CPU"):
        grpo_config({**SETTINGS, "bf16": True}, output_dir=tmp_path)


# Trap 10


def test_truncated_completions_leave_the_loss_and_stay_in_the_group(tmp_path: Path) -> None:
    """Only the first answer of a group ends; its advantage is still measured against the others."""
    trainer = make_trainer(tmp_path, mask_truncated_completions=True, max_completion_length=3)
    end = trainer._tokenizer.eos_token_id
    scripted = [[10, end]] + [[11, 13, 15]] * 3

    def scripts(prompt_ids: Any, *_: Any, **__: Any) -> Any:
        return [scripted[i % 4] for i in range(len(prompt_ids))], None

    trainer._generate_single_turn = scripts  # type: ignore[method-assign]
    output = sample(trainer)
    mask = output["completion_mask"].view(-1, 4, 3)
    assert (mask[:, 0].sum(-1) == 2).all()
    assert (mask[:, 1:] == 0).all()
    advantages = output["advantages"].view(-1, 4)
    assert (advantages[:, 0] > 1).all(), "measured against the truncated three"
    assert (advantages[:, 1:] < 0).all()


@pytest.mark.parametrize(
    ("loss_type", "depends"), [("bnpo", True), ("dapo", False), ("grpo", False), ("dr_grpo", False)]
)
def test_which_losses_depend_on_accumulation(tmp_path: Path, loss_type: str, depends: bool) -> None:
    """One update from the same completions of different lengths, whole or in two parts."""
    policies = []
    for parts in (1, 2):
        model = fresh(freeze=FROZEN)
        trainer = make_trainer(
            tmp_path,
            model,
            loss_type=loss_type,
            gradient_accumulation_steps=parts,
            steps_per_generation=parts,
            per_device_train_batch_size=8 // parts,
            max_steps=1,
            max_grad_norm=1e9,
        )
        gradients: dict[str, Any] = {}
        scripted = [[10 + i] * (1 + 3 * (i % 4)) for i in range(8)]
        trainer._generate_single_turn = (  # type: ignore[method-assign]
            lambda prompt_ids, *_, scripted=scripted, **__: (scripted, None)
        )
        zero = trainer.create_optimizer

        def create(model: Any = model, gradients: Any = gradients, zero: Any = zero) -> Any:
            made = zero()
            step = made.step

            def keep(*args: Any, **kwargs: Any) -> Any:
                for name, value in model.named_parameters():
                    if value.grad is not None:
                        gradients[name] = value.grad.clone()
                return step(*args, **kwargs)

            made.step = keep
            return made

        trainer.create_optimizer = create  # type: ignore[method-assign]
        trainer.train()
        policies.append(gradients)
    gap = max(float((policies[0][name] - policies[1][name]).abs().max()) for name in policies[0])
    size = max(float(value.abs().max()) for value in policies[0].values())
    assert (gap > 1e-3 * size) == depends


# Logs


def test_logs_and_the_table_of_samples(tmp_path: Path) -> None:
    calls: list[tuple[int, list[Sampled]]] = []
    policy = tiny(freeze=FROZEN)
    rewards = build_rewards(
        {"accuracy": {"weight": 2.0}, "format": {"weight": 0.5, "mode": "answer"}}
    )
    trainer = make_trainer(
        tmp_path,
        rewards=rewards,
        num_iterations=2,
        max_steps=2,
        beta=0.0,
        trainer={"on_completions": lambda step, rows: calls.append((step, rows))},
    )
    said = [answer("happy, joyful, glubberish"), answer("sad"), "nothing", ""]
    tokenizer = policy.processor.tokenizer
    ids = [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in said]
    trainer._generate_single_turn = (  # type: ignore[method-assign]
        lambda prompt_ids, *_, **__: ([ids[i % 4] for i in range(len(prompt_ids))], None)
    )
    trainer.train()
    assert trainer.reward_weights.tolist() == [2.0, 0.5]
    log = trainer.state.log_history[0]
    assert log["answers/labels_per_clip"] == 1.0
    assert log["answers/empty_rate"] == 0.5
    assert log["answers/format_rate"] == 0.5
    assert log["answers/oov_rate"] == 0.25
    assert log["answers/verbosity"] == 1.0
    for name in (
        "rewards/accuracy/mean", "rewards/format/mean", "reward_std", "entropy",
        "clip_ratio/region_mean", "completions/mean_length", "frac_reward_zero_std",
    ):  # fmt: skip
        assert name in log, name
    assert [step for step, _ in calls] == [0]
    rows = calls[0][1]
    assert len(rows) == 8
    assert [row.completion for row in rows[:4]] == said
    for row in rows:
        assert row.split == "train"
        assert (
            row.gold
            == [["happy"], ["sad"], ["angry"], ["surprised"]][
                list(SHAPES).index(str(row.media_id)) % 4
            ]
        )
        assert set(row.rewards) == {"accuracy", "format"}
        assert row.prompt.count("<|frame|>") <= 1
        assert row.as_row()["media_id"] == row.media_id
    best = [row for row in rows if row.gold == ["happy"] and row.completion == said[0]]
    assert all(row.rewards["accuracy"] > 0.4 and row.advantage > 0 for row in best)


def test_evaluation_during_training(tmp_path: Path) -> None:
    seen: list[str] = []
    policy = tiny(freeze=FROZEN)
    trainer = make_trainer(
        tmp_path,
        max_steps=1,
        eval_strategy="steps",
        eval_steps=1,
        per_device_eval_batch_size=8,
        trainer={
            "eval_dataset": Dataset.from_list(rows_of(policy)[:2]),
            "on_completions": lambda _, rows: seen.extend(row.split for row in rows),
        },
    )
    trainer.train()
    assert set(seen) == {"train", "eval"}
    assert any("eval_answers/labels_per_clip" in entry for entry in trainer.state.log_history)


# Policies without media by reference


def test_a_text_policy_runs_without_a_bank(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    save_text_model(tmp_path / "text")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "text")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "text")
    rows = [
        {"prompt": f"What is felt? {i}", "media_id": str(i), "gold": ["happy"]} for i in range(4)
    ]
    trainer = AffectGPTGRPOTrainer(
        model,
        [even_tokens],
        grpo_config({**SETTINGS, "beta": 0.1, "max_steps": 4}, output_dir=tmp_path / "rl"),
        rows,
        processing_class=tokenizer,
    )
    trainer.train()
    assert first_kl(trainer) < 1e-9
    assert trainer.state.log_history[3]["kl"] > 0


def test_the_policy_on_text_alone_needs_no_bank(tmp_path: Path) -> None:
    policy = tiny(freeze=FROZEN)
    model = fresh(freeze=FROZEN)
    rows = [{**row, "prompt": "What is felt?"} for row in rows_of(policy)]
    trainer = make_trainer(tmp_path, model, bank=None, rows=rows, num_iterations=2)
    assert Recorder(model).gap(sample(trainer)) < 1e-4


# Trap 12


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_generate_and_score_completions", "self inputs"),
        (
            "_generate_single_turn",
            "self prompt_ids images multimodal_fields num_generations has_tool_images",
        ),
        (
            "_get_per_token_logps_and_entropies",
            "self model input_ids attention_mask logits_to_keep batch_size compute_entropy"
            " compute_aux_loss pixel_values image_grid_thw num_images pixel_attention_mask"
            " spatial_shapes num_tiles image_sizes token_type_ids mm_token_type_ids"
            " image_position_ids",
        ),
        ("_compute_loss", "self model inputs"),
        ("_get_train_sampler", "self dataset"),
        ("_calculate_rewards", "self inputs prompts completions completion_ids_list"),
        ("train", "self resume_from_checkpoint trial ignore_keys_for_eval"),
    ],
)
def test_what_is_overridden_is_still_what_it_was(name: str, parameters: str) -> None:
    assert name in vars(AffectGPTGRPOTrainer)
    signature = inspect.signature(inspect.unwrap(getattr(GRPOTrainer, name)))
    assert list(signature.parameters) == parameters.split()


def test_trl_still_calls_the_policy_as_it_did() -> None:
    source = inspect.getsource(inspect.unwrap(GRPOTrainer._get_per_token_logps_and_entropies))
    assert "model(**model_inputs, labels=labels, fused_lm_head=True)" in source
    assert "for start in range(0, input_ids.size(0), batch_size)" in source
