"""What the tests of two processes run in each of them: ``torchrun grpo_two.py FOLDER``.

Every process writes what it found to ``FOLDER/RANK.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from affectgpt_rl.data.media_bank import MediaBank
from affectgpt_rl.policy import AffectGPTForConditionalGeneration
from affectgpt_rl.training.policy_pass import PolicyPass
from affectgpt_rl.training.rollouts import Sampled
from grpo_run import FROZEN, SHAPES, make_trainer, rows_of
from ovmer_bench import OvmerError
from tiny_policy import fresh, tiny
from trl.trainer.utils import add_fused_lm_head

SCRIPT = [[10], [11, 12], [13, 14, 15, 16], [17, 18, 19]]
SCRIPTED: dict[str, Any] = {
    "per_device_train_batch_size": 8,
    "max_steps": 3,
    "num_iterations": 1,
    "max_grad_norm": 1e9,
    "optim": "sgd",
    "learning_rate": 0.05,
}


def scripted(folder: Path, loss_type: str) -> Any:
    """Weights after some steps on given completions, the same whoever is asked for them."""
    processes = int(torch.distributed.get_world_size()) if torch.distributed.is_initialized() else 1
    settings = {**SCRIPTED, "per_device_train_batch_size": 8 // processes}
    model = fresh(freeze=FROZEN)
    trainer = make_trainer(folder, model, loss_type=loss_type, **settings)
    trainer._generate_single_turn = (  # type: ignore[method-assign]
        lambda prompt_ids, *_, **__: ([SCRIPT[i % 4] for i in range(len(prompt_ids))], None)
    )
    trainer.train()
    return flat(model)


def flat(model: Any) -> Any:
    """All trained weights as one vector."""
    trained = [value.detach().reshape(-1) for value in model.parameters() if value.requires_grad]
    return torch.cat(trained)


def resumed(folder: Path) -> dict[str, Any]:
    """Largest differences between a run and the same run, stopped in epochs 0 and 1."""

    cold = folder / "cold"
    fresh(freeze=FROZEN).save_pretrained(cold)  # the first process writes
    torch.distributed.barrier()

    def run(name: str, resume: Path | None = None) -> tuple[Any, list[Sampled], Any]:
        rows: list[Sampled] = []
        model = AffectGPTForConditionalGeneration.from_pretrained(cold)
        trainer = make_trainer(
            folder / name,
            model,
            per_device_train_batch_size=4,
            max_steps=7,
            save_steps=1,
            beta=0.05,
            trainer={"on_completions": lambda _, one: rows.extend(one), "processes": 2},
        )
        trainer.train(None if resume is None else str(resume))
        return flat(model), rows, trainer

    weights, rows, trainer = run("whole")
    found: dict[str, Any] = {"processes": trainer.accelerator.num_processes, "rows": len(rows)}
    for step in (1, 4):
        again, later, _ = run(f"from{step}", folder / f"whole/checkpoint-{step}")
        found[f"gap{step}"] = float((again - weights).abs().max())
        found[f"same{step}"] = later == [row for row in rows if row.step >= step]
    found["first_kl"] = next(log["kl"] for log in trainer.state.log_history if "kl" in log)
    found["groups"] = [[row.media_id for row in rows[i : i + 4]] for i in range(0, len(rows), 4)]
    found["moved"] = float((weights - flat(fresh(freeze=FROZEN))).abs().max())
    return found


def spread() -> float:
    """Largest difference between a policy in one piece and one spread over the processes."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (torch.distributed.get_world_size(),))
    processor, ids = tiny(freeze=FROZEN).processor, ["both", "sound"]
    prompts = {row["media_id"]: row["prompt"] for row in rows_of(tiny(freeze=FROZEN))}
    text = processor.tokenizer([prompts[one] for one in ids], return_tensors="pt", padding=True)
    labels = text["input_ids"].masked_fill(text["attention_mask"] == 0, -100)
    inputs = {name: text[name] for name in ("input_ids", "attention_mask")}
    found = []
    for sharded in (False, True):
        model = fresh(freeze=FROZEN)
        bank = MediaBank(SHAPES, processor, model, cache=True)
        bank.fill()
        bank.seal()
        if sharded:
            for layer in model.model.language_model.layers:
                fully_shard(layer, mesh=mesh)
            fully_shard(model, mesh=mesh)
        add_fused_lm_head(model)
        out = PolicyPass(model, bank.inputs, ids)(**inputs, labels=labels, fused_lm_head=True)
        out.log_probs.sum().backward()
        gradient = model.lm_head.weight.grad
        whole = gradient.full_tensor() if sharded else gradient
        found.append(torch.cat([out.log_probs.detach().reshape(-1), whole.reshape(-1)]))
    return float((found[0] - found[1]).abs().max())


def refused(folder: Path) -> str:
    """What is said when three were meant."""
    try:
        make_trainer(folder, trainer={"processes": 3})
    except OvmerError as error:
        return str(error)
    return ""


def main() -> None:
    """All of it, in an order that all processes keep."""
    folder = Path(sys.argv[1])
    tiny(freeze=FROZEN)
    found = {"refused": refused(folder / "refused"), "resumed": resumed(folder / "resumed")}
    for loss_type in ("grpo", "dapo"):
        found[loss_type] = scripted(folder / loss_type, loss_type).tolist()
    found["spread"] = spread()
    rank = torch.distributed.get_rank()
    (folder / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
