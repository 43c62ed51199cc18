"""A run that was stopped goes on as if it had not been: same rows, same answers, same weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from affectgpt_rl.training.grpo import AffectGPTGRPOTrainer
from affectgpt_rl.training.resume import (
    EpochSampler,
    Rhythm,
    check_boundaries,
    check_checkpoint,
)
from affectgpt_rl.training.rollouts import Sampled
from grpo_run import FROZEN, SHAPES, make_trainer, rows_of
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench import OvmerError
from tiny_policy import fresh, tiny
from trl.trainer.utils import RepeatSampler

pytestmark = pytest.mark.train

EPOCH = 3
"""Steps of an epoch: six clips, two in a step."""


def run(
    folder: Path, resume: Path | None = None, **settings: Any
) -> tuple[AffectGPTGRPOTrainer, list[Sampled]]:
    rows: list[Sampled] = []
    trainer = make_trainer(
        folder,
        max_steps=settings.pop("max_steps", 8),
        save_steps=settings.pop("save_steps", 1),
        trainer={
            "on_completions": lambda _, sampled: rows.extend(sampled),
            **settings.pop("trainer", {}),
        },
        **settings,
    )
    trainer.train(None if resume is None else str(resume))
    return trainer, rows


def assert_same(one: Any, other: Any) -> None:
    expected = one.state_dict()
    for name, value in other.state_dict().items():
        assert torch.equal(value, expected[name]), name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run of two epochs and more that nothing stopped; a checkpoint of every step."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, *run(folder)


@pytest.mark.parametrize("step", [1, 2, EPOCH, EPOCH + 1, 2 * EPOCH, 2 * EPOCH + 1])
def test_resumed_in_any_epoch_a_run_is_the_same(whole: Any, tmp_path: Path, step: int) -> None:
    folder, trainer, rows = whole
    resumed, later = run(tmp_path, folder / f"checkpoint-{step}")
    assert later == [row for row in rows if row.step >= step]
    assert_same(resumed.model, trainer.model)
    logs = [
        [entry["reward"] for entry in one.state.log_history if "reward" in entry]
        for one in (trainer, resumed)
    ]
    assert logs[0] == logs[1]


def test_epochs_have_orders_of_their_own(whole: Any) -> None:
    rows = whole[2]
    order = [row.media_id for row in rows[::4]]
    first, second = order[:6], order[6:12]
    assert sorted(first) == sorted(second) == sorted(SHAPES)
    assert first != second


def test_trl_alone_would_replay_the_first_epoch(
    whole: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, TRL resumes exactly by itself."""
    from trl import GRPOTrainer

    folder, _, rows = whole
    monkeypatch.setattr(AffectGPTGRPOTrainer, "_get_train_sampler", GRPOTrainer._get_train_sampler)
    _, later = run(tmp_path, folder / f"checkpoint-{EPOCH}")
    assert [row.media_id for row in later] != [row.media_id for row in rows if row.step >= EPOCH]
    assert [row.media_id for row in later][:24] == [row.media_id for row in rows][:24]


def test_resumed_with_buffers_accumulation_and_a_reference(tmp_path: Path) -> None:
    """A step is two batches; completions serve two steps; steps 2, 4, 6 end with empty buffers."""
    fresh(freeze=FROZEN).save_pretrained(tmp_path / "cold")

    def go(folder: Path, resume: Path | None = None) -> Any:
        model = type(fresh(freeze=FROZEN)).from_pretrained(tmp_path / "cold")
        return run(
            folder,
            resume,
            model=model,
            beta=0.05,
            num_iterations=2,
            steps_per_generation=2,
            gradient_accumulation_steps=2,
            per_device_train_batch_size=4,
            save_steps=2,
            lr_scheduler_type="linear",
            warmup_steps=2,
        )

    trainer, rows = go(tmp_path / "whole")
    for step in (2, 6):
        resumed, later = go(tmp_path / str(step), tmp_path / f"whole/checkpoint-{step}")
        assert later == [row for row in rows if row.step >= step]
        assert_same(resumed.model, trainer.model)


@pytest.mark.parametrize("trained_before", [False, True])
def test_resumed_with_an_adapter(tmp_path: Path, trained_before: bool) -> None:
    """Of an adapter that was trained before, TRL keeps a second one as the reference."""
    from affectgpt_rl.policy.trainable import FUSION_PARTS
    from peft import LoraConfig, get_peft_model

    def go(folder: Path, resume: Path | None = None) -> Any:
        config = LoraConfig(
            r=4, target_modules=r".*language_model.*[qv]_proj", modules_to_save=FUSION_PARTS
        )
        given: dict[str, Any] = {"trainer": {"peft_config": config}}
        if trained_before:
            torch.manual_seed(3)
            given = {"model": get_peft_model(fresh(freeze=FROZEN), config)}
        return run(
            folder, resume, beta=0.05, max_steps=5, save_steps=4, max_completion_length=3, **given
        )

    trainer, rows = go(tmp_path / "whole")
    resumed, later = go(tmp_path / "again", tmp_path / "whole/checkpoint-4")
    assert later == [row for row in rows if row.step >= 4]
    assert_same(resumed.model, trainer.model)


# The sampler


@given(rows=st.integers(2, 30), batch=st.integers(1, 4), epochs=st.integers(1, 4))
def test_the_order_is_that_of_an_uninterrupted_run(rows: int, batch: int, epochs: int) -> None:
    settings = {"mini_repeat_count": 2, "batch_size": batch, "repeat_count": 2, "seed": 7}
    alone = RepeatSampler(list(range(rows)), **settings)
    expected = [list(alone) for _ in range(epochs)]
    for epoch in range(epochs):
        for fraction in (0.0, 0.5):
            ours = EpochSampler(list(range(rows)), **settings, epoch=lambda at=epoch + fraction: at)
            assert list(ours) == expected[epoch]
            assert len(ours) == len(alone)


def test_without_shuffling_there_is_one_order() -> None:
    ours = EpochSampler(list(range(5)), mini_repeat_count=1, shuffle=False, epoch=lambda: 3)
    assert list(ours) == [0, 1, 2, 3, 4]


# Boundaries


@given(
    chunks=st.integers(1, 6),
    generation=st.integers(1, 4),
    iterations=st.integers(1, 3),
    accumulation=st.integers(1, 5),
)
def test_a_boundary_is_where_the_next_batch_samples(
    chunks: int, generation: int, iterations: int, accumulation: int
) -> None:
    every = generation * iterations
    rhythm = Rhythm(chunks * every, accumulation, every)
    batches = 0
    for update in range(1, 3 * rhythm.updates + 1):
        left = rhythm.batches - batches % rhythm.batches
        batches += min(accumulation, left)
        assert rhythm.is_boundary(update) == (batches % every == 0)


def arguments(**changed: Any) -> Any:
    return SimpleNamespace(
        **{
            "save_strategy": "steps",
            "save_steps": 4,
            "max_steps": 8,
            "num_train_epochs": 1,
            "generation_batch_size": 8,
            "num_generations": 4,
            "steps_per_generation": 1,
            "num_iterations": 4,
            "gradient_accumulation_steps": 1,
            **changed,
        }
    )


def test_saves_between_two_samplings_are_accepted() -> None:
    check_boundaries(arguments(), 6)
    check_boundaries(arguments(save_strategy="no", save_steps=3), 6)
    check_boundaries(arguments(steps_per_generation=2, gradient_accumulation_steps=8), 6)
    check_boundaries(arguments(max_steps=-1), 6)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"save_steps": 3}, "'save_steps': step 3 would be saved.*multiples of 4"),
        ({"max_steps": 9}, "'max_steps': step 9"),
        ({"save_steps": 0.5}, "a whole number of steps"),
        ({"steps_per_generation": 2}, "step 4.*multiples of 8"),
        ({"generation_batch_size": 32}, "6 rows are too few: one sampling takes 8 prompts"),
    ],
)
def test_saves_while_completions_wait_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(OvmerError, match=said):
        check_boundaries(arguments(**changed), 6)


def test_refused_before_training_begins(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, num_iterations=2, save_steps=1, max_steps=4)
    with pytest.raises(OvmerError, match="step 1 would be saved while sampled completions wait"):
        trainer.train()
    assert not list(tmp_path.glob("checkpoint-*"))
    trainer = make_trainer(tmp_path, num_iterations=2, save_steps=2, max_steps=2)
    assert trainer.at_boundary()
    trainer.state.global_step = 1
    assert not trainer.at_boundary()


# Checkpoints


def test_half_a_checkpoint_is_refused(whole: Any, tmp_path: Path) -> None:
    checkpoint = shutil.copytree(whole[0] / "checkpoint-2", tmp_path / "checkpoint-2")
    check_checkpoint(checkpoint, 1)
    for name in ("rng_state.pth", "optimizer.pt", "trainer_state.json"):
        kept = (checkpoint / name).read_bytes()
        (checkpoint / name).write_bytes(kept[: len(kept) // 2])
        with pytest.raises(OvmerError, match="not a whole checkpoint"):
            check_checkpoint(checkpoint, 1)
        (checkpoint / name).write_bytes(kept)
    (checkpoint / "trainer_state.json").unlink()
    with pytest.raises(OvmerError, match="not a whole checkpoint"):
        check_checkpoint(checkpoint, 1)


def test_a_checkpoint_of_other_processes_is_refused(whole: Any, tmp_path: Path) -> None:
    checkpoint = whole[0] / "checkpoint-2"
    assert json.loads((checkpoint / "trainer_state.json").read_text())["global_step"] == 2
    with pytest.raises(OvmerError, match="was saved by 1 processes, and 2 train now"):
        check_checkpoint(checkpoint, 2)
    with pytest.raises(OvmerError, match="is not a whole checkpoint"):
        make_trainer(tmp_path).train(str(tmp_path))


def test_rows_are_those_of_the_trainer() -> None:
    assert len(rows_of(tiny(freeze=FROZEN))) == 2 * EPOCH
