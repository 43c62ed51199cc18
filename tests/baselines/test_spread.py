"""Runs whose weights are spread over processes: equal to others, killed, resumed, refused.

ZeRO-3 needs DeepSpeed, which is built where it is installed: ``tox -e zero3``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from scripts import BASELINES, FINISHES, words
from spread import variables

pytestmark = pytest.mark.train

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors.torch")

HERE = Path(__file__).parent
METHODS = ["fsdp", *(["zero3"] if find_spec("deepspeed") else [])]
ADAPTED = {"policy.lora": "{rank: 4, alpha: 8.0, dropout: 0.0, targets: [q_proj, v_proj]}"}
RUN = {
    "policy.build": "path",
    "policy.fusion": "null",
    "warm_up": "null",
    "sft.gradient_checkpointing": "true",
    "grpo.gradient_checkpointing": "true",
    "grpo.learning_rate": 1e-3,
    "evaluation.task": "ovmer_scenes",
    "evaluation.draws": 10,
}


def launched(method: str | None, *options: str, cwd: Path, wait: bool = True) -> Any:
    """``rl_train.py`` in two processes; ``None``: each with all weights, as ``torchrun`` does."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = [str(BASELINES / "rl_train.py")]
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [
            *(*launcher, "--nproc_per_node", "2"),
            *([str(HERE / "spread.py"), *script] if method else script),
            *options,
        ],
        cwd=cwd,
        env={
            **os.environ,
            **(variables(method) if method else {}),
            **{"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": path},
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not wait:
        return process
    out, err = process.communicate(timeout=FINISHES)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cold start of one process."""
    folder = tmp_path_factory.mktemp("policy")
    less = {"warm_up.steps": 4, "warm_up.batch_size": 8}
    done = subprocess.run(
        [sys.executable, str(BASELINES / "sft_train.py"), *words("mini", folder / "one", less)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=FINISHES,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "one" / "sft" / "final"


def options(policy: Path, output: Path, **changed: object) -> list[str]:
    return words("mini", output, {**RUN, "policy.path": policy, **changed})


def finished(method: str | None, policy: Path, folder: Path, **changed: object) -> Path:
    done = launched(method, *options(policy, folder / "run", **changed), cwd=folder)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "run"


def rows_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]


def weights(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = safetensors.load_file(folder / "model.safetensors")
    return loaded


def largest_gap(one: Path, other: Path) -> float:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def assert_the_same(run: Path, other: Path) -> None:
    """Both runs, up to rounding: every number that was logged, weights, and answers."""
    rows = list(zip(rows_of(run), rows_of(other), strict=True))
    assert len(rows) > 8
    for one, two in rows:
        assert one.keys() == two.keys()
        for name, value in one.items():
            if not isinstance(value, str):
                value = pytest.approx(value, abs=1e-4, rel=1e-4)
            assert two[name] == value, name
    for stage in ("sft", "rl"):
        assert largest_gap(run / stage / "final", other / stage / "final") < 1e-4
    for moment in ("cold_start", "final"):
        said = Path("predictions") / f"{moment}.jsonl"
        assert (run / said).read_bytes() == (other / said).read_bytes()


@pytest.fixture(scope="module")
def whole(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All weights trained, and on both processes."""
    return finished(None, policy, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def adapted(policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Adapters trained, all weights on both processes."""
    return finished(None, policy, tmp_path_factory.mktemp("adapted"), **ADAPTED)


@pytest.mark.parametrize("method", METHODS)
def test_spread_weights_train_as_whole_ones(
    whole: Path, method: str, policy: Path, tmp_path: Path
) -> None:
    spread = finished(method, policy, tmp_path)
    assert_the_same(whole, spread)
    assert largest_gap(policy, spread / "rl" / "final") > 1e-3


def kill(process: Any) -> None:
    """The launcher and its workers, which are in sessions of their own."""
    psutil = pytest.importorskip("psutil")
    workers = psutil.Process(process.pid).children(recursive=True)
    for one in [psutil.Process(process.pid), *workers]:
        one.kill()
    psutil.wait_procs(workers)
    process.communicate()


@pytest.mark.parametrize("method", METHODS)
def test_adapters_killed_and_resumed_are_merged_into_a_whole_policy(
    adapted: Path, method: str, policy: Path, tmp_path: Path
) -> None:
    asked = options(policy, tmp_path / "run", **ADAPTED)
    process = launched(method, *asked, cwd=tmp_path, wait=False)
    saved = tmp_path / "run" / "rl" / "checkpoint-2" / "complete.json"
    ends = time.monotonic() + FINISHES
    while process.poll() is None and not saved.is_file() and time.monotonic() < ends:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()[1][-4000:]
    kill(process)
    assert saved.is_file() and not (tmp_path / "run" / "rl" / "final").exists()
    done = launched(method, *asked, "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    assert_the_same(adapted, tmp_path / "run")
    assert weights(policy).keys() == weights(tmp_path / "run" / "rl" / "final").keys()


@pytest.mark.parametrize("method", METHODS)
def test_encoders_are_not_warmed_up_in_pieces(method: str, tmp_path: Path) -> None:
    done = launched(method, *words("mini", tmp_path / "run", {}), cwd=tmp_path)
    assert done.returncode != 0
    assert "field 'warm_up': encoders are warmed up whole" in done.stderr
    assert "sft_train.py" in done.stderr
