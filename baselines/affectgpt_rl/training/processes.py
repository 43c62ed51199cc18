"""How many processes train, and that they are as many as were meant.

Some launchers start one process where several were asked for, and say nothing: on a machine
without GPU, ``accelerate launch --num_processes 2 --cpu`` is one of them. A run on half the batch
looks like any other, so the number is stated and checked.
"""

from __future__ import annotations

import os

from ovmer_bench import OvmerError


def check_world_size(running: int, meant: int | None = None) -> int:
    """``running``, if it is what was meant.

    Args:
        running: processes that found each other.
        meant: what the configuration says; the variable ``WORLD_SIZE`` counts as well, where
            it is set.

    Raises:
        OvmerError: another number runs.
    """
    said = os.environ.get("WORLD_SIZE")
    wishes = {"processes": meant, "WORLD_SIZE": int(said) if said and said.isdigit() else None}
    for name, wish in wishes.items():
        if wish is not None and wish != running:
            raise OvmerError(
                f"{wish} processes were asked for, {running} train together",
                field=name,
                hint=f"Start them with: torchrun --nproc_per_node {wish} baselines/rl_train.py ...",
            )
    return running
