"""Low-rank adapters of the language model (Hu et al., LoRA, ICLR 2022), by peft."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config.sections import Policy
from .trainable import FUSION_PARTS

_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "README.md")

_NO_ENCODER = r"(?!.*(vision|visual|audio_tower))"
"""Begins the names of layers that are in no encoder, whichever model transformers has them in."""


def adapter_config(settings: Policy) -> Any:
    """peft's ``LoraConfig``, or ``None`` where the policy is trained whole.

    The fusion of AffectGPT has no weights worth keeping to adapt: it is trained whole beside
    the adapters, as far as it is not frozen.
    """
    lora = settings.lora
    if lora is None:
        return None
    from peft import LoraConfig

    whole = [part for part in FUSION_PARTS if part not in settings.freeze]
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_targets(settings.kind, lora.targets),
        modules_to_save=whole if settings.kind == "affectgpt" else None,
        task_type="CAUSAL_LM",
    )


def _targets(kind: str, names: Sequence[str]) -> list[str] | str:
    """Layers of these names in the language model alone, for encoders have them too."""
    if kind == "text":
        return list(names)
    place = r".*\.language_model\." if kind == "affectgpt" else _NO_ENCODER
    return rf"{place}.*\.({'|'.join(map(re.escape, names))})"


def with_adapter(model: Any, config: Any) -> Any:
    """The model with adapters in it, everything else but the fusion frozen."""
    from peft import get_peft_model

    return get_peft_model(model, config)


def merge_adapter(folder: Path, base: Any) -> None:
    """Replace the adapter in ``folder`` by the policy that it and its base make together.

    Args:
        folder: with an adapter as peft saved it.
        base: the policy that was adapted, as it was before.
    """
    from peft import PeftModel

    merged = PeftModel.from_pretrained(base, folder).merge_and_unload()
    merged.save_pretrained(folder)
    for name in _ADAPTER_FILES:
        (folder / name).unlink(missing_ok=True)
