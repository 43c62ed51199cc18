"""A run that cannot learn is stopped, and told why; a run that learns is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from affectgpt_rl.config.sections import Guards
from affectgpt_rl.runs import metric_names as m
from affectgpt_rl.runs.guards import Verdict, Watch, rules
from hypothesis import given
from hypothesis import strategies as st

GUARDS = Guards.model_validate(
    {
        "no_signal": {"patience": 3, "share": 0.9},
        "format": {"patience": 2, "minimum": 0.5, "grace": 5},
        "verbosity": {"patience": 2, "maximum": 8.0},
        "not_finite": {"patience": 2},
        "media": None,
    }
)
GOOD: dict[str, Any] = {
    m.LOSS: 0.1,
    m.KL: 0.01,
    m.REWARD: 0.5,
    m.REWARD_STD: 0.2,
    m.ZERO_STD: 0.2,
    m.FORMAT_RATE: 0.95,
    m.LABELS_PER_CLIP: 2.5,
}


def watched(rows: list[dict[str, Any]], guards: Guards = GUARDS) -> Verdict | None:
    """The verdict over rows of steps 1, 2, ..."""
    watch = Watch(rules(guards))
    for step, row in enumerate(rows, 1):
        if watch.see(step, row):
            break
    return watch.verdict


@pytest.mark.parametrize(
    ("bad", "guard", "step", "said"),
    [
        (
            {m.ZERO_STD: 1.0},
            "no_signal",
            13,
            "in 100 % of the groups all completions earn the same",
        ),
        ({m.ZERO_STD: 0.9}, "no_signal", 13, "in 90 % of the groups"),
        ({m.FORMAT_RATE: 0.1}, "format", 12, "10 % of the completions follow the template"),
        ({m.LABELS_PER_CLIP: 30.0}, "verbosity", 12, "30.0 labels per clip, of at most 8"),
        ({m.LOSS: float("nan")}, "not_finite", 12, "loss is not finite"),
        ({m.KL: None, m.REWARD: float("inf")}, "not_finite", 12, "kl and reward are not finite"),
    ],
)
def test_what_lasts_stops_the_run(bad: dict[str, Any], guard: str, step: int, said: str) -> None:
    verdict = watched([GOOD] * 10 + [GOOD | bad] * 10)
    assert verdict is not None
    assert (verdict.guard, verdict.step, verdict.since) == (guard, step, 11)
    assert said in verdict.seen
    assert "since step 11" in verdict.seen
    assert verdict.meaning and verdict.advice
    assert str(verdict).startswith(f"Stopped at step {step} by guard {guard}: {verdict.seen}")
    assert Verdict.from_dict(verdict.to_dict()) == verdict


@pytest.mark.parametrize(
    "bad",
    [{m.ZERO_STD: 1.0}, {m.FORMAT_RATE: 0.1}, {m.LABELS_PER_CLIP: 30.0}, {m.LOSS: None}],
)
def test_what_passes_does_not(bad: dict[str, Any]) -> None:
    assert watched(([GOOD] * 10 + [GOOD | bad]) * 5) is None


def test_the_first_steps_may_miss_the_template() -> None:
    bad = GOOD | {m.FORMAT_RATE: 0.0}
    assert watched([bad] * 5 + [GOOD] * 20) is None
    verdict = watched([bad] * 7)
    assert verdict is not None
    assert verdict.step == 7


def test_steps_between_samplings_say_nothing() -> None:
    """With several updates of the same completions only some steps hold their numbers."""
    between = {m.LOSS: 0.1}
    flat = GOOD | {m.ZERO_STD: 1.0}
    verdict = watched([GOOD, between, flat, between, flat, between, flat])
    assert verdict is not None
    assert (verdict.guard, verdict.since, verdict.step) == ("no_signal", 3, 5)
    assert watched([between] * 50) is None


def test_a_guard_that_is_off_says_nothing() -> None:
    off = Guards(no_signal=None, format=None, verbosity=None, not_finite=None, media=None)
    assert watched([{m.LOSS: None, m.ZERO_STD: 1.0}] * 50, off) is None
    assert rules(off) == []


def test_a_guard_whose_number_nobody_logs_is_named() -> None:
    watch = Watch(rules(GUARDS))
    watch.see(1, {m.LOSS: 0.1, m.ZERO_STD: 0.0})
    assert watch.blind == ["format", "verbosity"]
    watch.see(2, GOOD)
    assert watch.blind == []


def test_a_run_that_goes_on_remembers() -> None:
    flat = GOOD | {m.ZERO_STD: 1.0}
    watch = Watch(rules(GUARDS))
    watch.replay([{"step": step, **flat} for step in (1, 2)])
    assert watch.verdict is None
    verdict = watch.see(3, flat)
    assert verdict is not None
    assert verdict.since == 1


@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(GOOD)), st.floats() | st.none() | st.text()))
)
def test_any_numbers_are_taken(rows: list[dict[str, Any]]) -> None:
    verdict = watched(rows)
    assert verdict is None or verdict.since <= verdict.step


@pytest.mark.train
@pytest.mark.parametrize(("boundary", "stops"), [(1, 3), (4, 4)])
def test_a_trainer_ends_with_a_checkpoint_between_samplings(
    tmp_path: Path, boundary: int, stops: int
) -> None:
    from affectgpt_rl.training.callbacks import GuardCallback, attach
    from tiny_trainer import tiny_trainer
    from transformers import TrainerCallback

    class Flat(TrainerCallback):
        """Logs what GRPO does, into the same dictionary."""

        def on_log(self, *_: Any, logs: dict[str, Any], **__: Any) -> None:
            logs[m.ZERO_STD] = 1.0

    guard = GuardCallback(Watch(rules(GUARDS)), boundary=boundary)
    trainer = tiny_trainer(tmp_path, steps=20)
    attach(trainer, Flat(), guard)
    trainer.train()
    assert trainer.state.global_step == stops
    assert guard.verdict is not None
    assert (guard.verdict.guard, guard.verdict.step) == ("no_signal", 3)
    assert guard.blind == ["format", "verbosity"]
    assert (tmp_path / f"checkpoint-{stops}" / "trainer_state.json").is_file()


@pytest.mark.train
def test_a_loss_that_is_not_finite_reaches_the_guard(tmp_path: Path) -> None:
    import torch
    from affectgpt_rl.training.callbacks import GuardCallback, attach
    from tiny_trainer import tiny_trainer

    trainer = tiny_trainer(tmp_path, steps=20)
    with torch.no_grad():
        trainer.model.weight.fill_(float("nan"))
    guard = GuardCallback(Watch(rules(GUARDS)))
    attach(trainer, guard)
    trainer.train()
    assert trainer.state.global_step == 2
    assert guard.verdict is not None
    assert guard.verdict.guard == "not_finite"


@pytest.mark.train
def test_the_names_are_those_that_trl_logs() -> None:
    import inspect

    import trl

    source = inspect.getsource(trl.GRPOTrainer)
    logged = (
        *(m.REWARD, m.REWARD_STD, m.ZERO_STD, m.KL, m.ENTROPY, m.CLIP_RATIO),
        *(m.COMPLETION_LENGTH, m.CUT_OFF),
    )
    for name in logged:
        assert f'[mode]["{name}"]' in source
    assert "rewards/{reward_func_name}/mean" in source
    assert m.reward_of(m.reward_mean("a/b")) == "a/b"
    assert m.reward_of(m.REWARD) is None
