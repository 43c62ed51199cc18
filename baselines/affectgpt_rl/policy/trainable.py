"""What is trained: frozen by the configuration, counted, and checked before a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FUSION_PARTS = ("frame_branch", "audio_branch", "fusion")
"""Parts with weights of our own, which nothing has trained before. An adapter of peft freezes
whatever it is not told of: give these as ``modules_to_save``."""


def apply_freezing(model: Any) -> None:
    """Set ``requires_grad`` of every part as ``config.freeze`` says; loading forgets it."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(part_of(name) not in model.config.freeze)


def part_of(name: str) -> str:
    """The part to which a parameter belongs (``frame_encoder``, ``language_model``, ...)."""
    for prefix in ("base_model.model.", "module.", "model."):
        name = name.removeprefix(prefix)
    return name.split(".", 1)[0]


def trainable_parameters(model: Any) -> dict[str, tuple[int, int]]:
    """Part -> (trained parameters, all parameters)."""
    counts: dict[str, tuple[int, int]] = {}
    for name, parameter in model.named_parameters():
        trained, total = counts.get(part_of(name), (0, 0))
        size = parameter.numel()
        counts[part_of(name)] = (trained + size * parameter.requires_grad, total + size)
    return counts


def check_trainable(model: Any, parts: Sequence[str] = FUSION_PARTS) -> str:
    """A line for each part with what is trained of it, to be shown before a run.

    Raises:
        ValueError: of one of ``parts`` nothing is trained, or of a part that the configuration
            freezes something is.
    """
    counts = trainable_parameters(model)
    idle = [part for part in parts if part in counts and not counts[part][0]]
    if idle:
        raise ValueError(
            f"nothing is trained of {', '.join(idle)}; with an adapter, list "
            f"{', '.join(FUSION_PARTS)} in modules_to_save"
        )
    awake = [part for part in model.config.freeze if counts.get(part, (0, 0))[0]]
    if awake and not hasattr(model, "peft_config"):
        raise ValueError(f"{', '.join(awake)} should be frozen and is not")
    return "\n".join(
        f"{part:16} {trained:>15,} of {total:>15,} trained"
        for part, (trained, total) in counts.items()
    )
