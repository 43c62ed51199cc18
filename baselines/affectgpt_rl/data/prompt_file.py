"""What a saved policy was trained to be asked, kept beside its weights."""

from __future__ import annotations

import json
from pathlib import Path

from ovmer_bench import OvmerError
from ovmer_bench.files import read_text, write_text
from pydantic import ValidationError

from ..config import RunConfig
from ..config.sections import Modality, Prompt, Section

PROMPT_FILE = "prompt.json"


class Asked(Section):
    """How to ask a saved policy.

    Attributes:
        kind: of ``policy.kind``.
        prompt: as in its training.
        modalities: what it saw of a clip.
        max_new_tokens: longest answer.
    """

    kind: str
    prompt: Prompt
    modalities: tuple[Modality, ...]
    max_new_tokens: int


def write_prompt(folder: Path, config: RunConfig) -> None:
    """Keep how a run asked its policy."""
    asked = Asked(
        kind=config.policy.kind,
        prompt=config.prompt,
        modalities=config.data.modalities,
        max_new_tokens=config.evaluation.max_new_tokens,
    )
    write_text(folder / PROMPT_FILE, asked.model_dump_json(indent=2) + "\n")


def read_prompt(folder: str | Path) -> Asked:
    """How to ask the policy in ``folder``.

    Raises:
        OvmerError: no policy of a run is there.
    """
    file = Path(folder) / PROMPT_FILE
    if not file.is_file():
        raise OvmerError(
            f"holds no trained policy: there is no {PROMPT_FILE} in it",
            file=folder,
            accepted="sft/final or rl/final of a run folder",
        )
    try:
        return Asked.model_validate(json.loads(read_text(file)), strict=False)
    except (ValueError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise OvmerError(f"does not say how to ask the policy: {first}", file=file) from None
