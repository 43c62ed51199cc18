"""The smallest Hugging Face trainer: one weight, a loss that falls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments


class OneWeight(torch.nn.Module):
    """Its loss is the square of the distance to 3."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor, **_: Any) -> dict[str, torch.Tensor]:
        return {"loss": ((self.weight - 3) ** 2) * x.float().mean()}


def tiny_trainer(output: Path, *, steps: int, **settings: Any) -> Trainer:
    """Logs every step, saves as asked, prints nothing of its own."""
    args = TrainingArguments(
        output_dir=str(output),
        max_steps=steps,
        learning_rate=0.1,
        per_device_train_batch_size=1,
        logging_steps=1,
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        **{"save_strategy": "no", "logging_nan_inf_filter": False, **settings},
    )
    return Trainer(OneWeight(), args, train_dataset=[{"x": torch.tensor(1)}] * 8)
