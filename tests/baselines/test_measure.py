"""Speed is measured in real steps, and every second of them is accounted for."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from affectgpt_rl.commands import measure
from affectgpt_rl.training.measure import Load, measure_one, policy_of_shape, table_of
from affectgpt_rl.training.stopwatch import PARTS, Stopwatch
from click.testing import CliRunner
from ovmer_bench import OvmerError

pytestmark = pytest.mark.train

LOAD = Load(prompts=2, generations=2, tokens=4, steps=2, skipped=1, layers=1)
SCRIPT = Path(__file__).parents[2] / "baselines" / "measure.py"
on_a_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="measures the GPU where it is")


def test_a_second_counts_for_the_innermost_span(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = [0.0], []
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    watch = Stopwatch(lambda: waits.append(now[0]))
    with watch.span("outer"):
        now[0] = 1.0
        with watch.span("inner"):
            now[0] = 3.0
        now[0] = 7.0
    assert watch.seconds == {"outer": 5.0, "inner": 2.0}
    assert waits == [0.0, 1.0, 3.0, 7.0], "the device is waited for at every edge"
    with watch.span("outer"):
        now[0] = 9.0
        watch.forget()
        now[0] = 10.0
    assert watch.seconds == {"outer": 1.0}


def test_calls_are_counted_and_still_answer() -> None:
    class Owner:
        def twice(self, value: int) -> int:
            return 2 * value

    owner, watch = Owner(), Stopwatch(lambda: None)
    watch.watch(owner, "twice", "doubling")
    assert owner.twice(4) == 8
    assert watch.seconds["doubling"] > 0


@on_a_cpu
@pytest.mark.parametrize("shape", ["tiny", "narrow-7b"])
def test_a_step_is_the_sum_of_its_parts(shape: str) -> None:
    began = time.perf_counter()
    found = measure_one(shape, "fp32", LOAD, device="cpu")
    assert 0 < found.step_seconds * LOAD.steps < time.perf_counter() - began
    assert sum(found.seconds.values()) == pytest.approx(found.step_seconds)
    assert tuple(found.seconds) == PARTS and min(found.seconds.values()) > 0
    assert found.completion_tokens <= LOAD.tokens
    sampled = found.tokens_per_second * found.seconds["generation"]
    assert sampled == pytest.approx(found.completion_tokens * LOAD.prompts * LOAD.generations)
    assert found.trained_tokens_per_second * found.step_seconds > sampled
    assert found.clips_per_second == pytest.approx(LOAD.prompts / found.step_seconds)
    assert 0 < found.trained < found.parameters
    assert found.peak_bytes is None or found.peak_bytes > 2**26
    assert f"{found.parameters:,}" in "".join(table_of([found]).columns[1]._cells)


def test_shapes_are_the_classes_of_the_large_policy() -> None:
    from affectgpt_rl.policy.presets import qwen25_7b

    with torch.device("meta"):
        config = policy_of_shape("shallow-7b", layers=2).model.config
    large = qwen25_7b()
    for part in ("frame_config", "audio_config", "text_config"):
        made, wished = getattr(config, part), getattr(large, part)
        assert type(made) is type(wished)
        assert made.num_hidden_layers == 2
        assert made.hidden_size == wished.hidden_size
        assert made.intermediate_size == wished.intermediate_size
    assert config.text_config.vocab_size == large.text_config.vocab_size
    with pytest.raises(OvmerError, match="no shape"):
        policy_of_shape("huge", layers=1)


@on_a_cpu
def test_the_script_writes_what_it_shows(tmp_path: Path) -> None:
    out = tmp_path / "measured.json"
    small = ["--prompts=2", "--generations=2", "--tokens=4", "--steps=1", "--shape=tiny"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *small, "--json", str(out)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "seconds a step" in done.stdout and "clips/s" in done.stdout
    made = json.loads(out.read_text("utf-8"))
    assert made["load"]["tokens"] == 4
    assert made["environment"]["versions"]["torch"] == torch.__version__
    assert [(one["shape"], one["precision"]) for one in made["results"]] == [("tiny", "fp32")]


@on_a_cpu
@pytest.mark.parametrize(
    ("options", "said"),
    [(["--device", "cuda"], "no GPU"), (["--precision", "bf16"], "bf16 on a CPU")],
)
def test_what_cannot_be_measured_is_said(options: list[str], said: str) -> None:
    done = CliRunner().invoke(measure, options)
    assert isinstance(done.exception, OvmerError) and said in str(done.exception)
