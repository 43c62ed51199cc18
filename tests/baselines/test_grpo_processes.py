"""Two processes train as one would, and no one trains alone unnoticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from grpo_two import scripted

pytestmark = pytest.mark.train

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("two")
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
        *(str(HERE / "grpo_two.py"), str(folder)),
    ]
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return [json.loads((folder / f"{rank}.json").read_text("utf-8")) for rank in (0, 1)]


def test_two_processes_train_together(two: list[dict[str, Any]]) -> None:
    assert [found["resumed"]["processes"] for found in two] == [2, 2]
    assert all("3 processes were asked for, 2 train together" in found["refused"] for found in two)


@pytest.mark.parametrize("loss_type", ["grpo", "dapo"])
def test_two_processes_make_of_a_batch_what_one_makes(
    two: list[dict[str, Any]], tmp_path: Path, loss_type: str
) -> None:
    alone = scripted(tmp_path, loss_type)
    both = [torch.tensor(found[loss_type]) for found in two]
    assert torch.equal(both[0], both[1]), "the processes hold the same weights"
    assert (both[0] - alone).abs().max() < 1e-6


def test_two_processes_resume_exactly(two: list[dict[str, Any]]) -> None:
    found = two[0]["resumed"]
    assert found["moved"] > 1e-3
    assert found["first_kl"] < 1e-9
    for step in (1, 4):
        assert found[f"same{step}"], "the same completions, rewards and advantages"
        assert found[f"gap{step}"] < 1e-6


def test_groups_and_tables_are_whole(two: list[dict[str, Any]]) -> None:
    assert two[0]["resumed"]["rows"] == 7 * 8
    assert two[1]["resumed"]["rows"] == 0, "one process keeps the table"
    assert all(len(set(group)) == 1 for group in two[0]["resumed"]["groups"])


def test_a_policy_in_pieces_sees_the_same(two: list[dict[str, Any]]) -> None:
    """FSDP 2: the head is spread over the processes, and placeholders stay silent."""
    assert all(found["spread"] < 1e-6 for found in two)
