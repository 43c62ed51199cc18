"""A script of the trainer with its weights spread over two processes, on a machine without GPUs.

Started by torchrun: ``spread.py SCRIPT OPTIONS``. FSDP and ZeRO-3 by accelerate are for GPUs:
without any, accelerate spreads nothing, and says nothing. Here it is told that there are some and
that they talk by gloo; tensors stay on the CPU. All else is as it ships.
"""

from __future__ import annotations

import os
import runpy
import sys
from functools import wraps
from typing import Any

from scripts import BASELINES

MINI_LAYERS = "Qwen2DecoderLayer,CLIPEncoderLayer,WhisperEncoderLayer"


def variables(method: str) -> dict[str, str]:
    """What ``accelerate launch --config_file METHOD.yaml`` tells a script of the mini policy."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

    file = str(BASELINES / "configs" / "accelerate" / f"{method}.yaml")
    asked = ["--config_file", file, "--num_processes", "2", "--mixed_precision", "no"]
    if method == "fsdp":
        asked += ["--fsdp_transformer_layer_cls_to_wrap", MINI_LAYERS]
    args, defaults, _ = _validate_launch_command(
        launch_command_parser().parse_args([*asked, "script.py"])
    )
    if method == "zero3":
        args.deepspeed_fields_from_accelerate_config = ",".join(defaults.deepspeed_config)
        _, made = prepare_deepspeed_cmd_env(args)
        made["DS_ACCELERATOR"] = "cpu"
    else:
        made = prepare_multi_gpu_env(args)
    return {name: value for name, value in made.items() if os.environ.get(name) != value}


def _pretend() -> None:
    import torch
    from accelerate import state
    from accelerate.utils import DistributedType

    torch.distributed.init_process_group("gloo")

    def backend(*_: Any, **__: Any) -> tuple[str, DistributedType]:
        return "gloo", DistributedType.MULTI_GPU

    def device(self: Any) -> None:
        self.device = torch.device("cpu")

    def with_gpus(init: Any) -> Any:
        @wraps(init)
        def made(self: Any, *args: Any, **kwargs: Any) -> None:
            init(self, *args, **{**kwargs, "cpu": False})

        return made

    state.PartialState._prepare_backend = backend
    state.PartialState.set_device = device
    for one in (state.PartialState, state.AcceleratorState):
        one.__init__ = with_gpus(one.__init__)


if __name__ == "__main__":
    _pretend()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
