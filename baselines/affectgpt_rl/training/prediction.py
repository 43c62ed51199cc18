"""Answers of a saved policy to a whole task, as a prediction file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from ovmer_bench import load_corpus
from ovmer_bench.reading.readers import read_samples, write_predictions

from ..config.sections import Modality
from ..data.clips import clips_of
from ..data.inputs import PolicyInputs, TextInputs
from ..data.media_gate import OnMissing, readable
from ..data.prompt_file import read_prompt
from ..policy.loading import load_policy
from .evaluation import answers, predictions


def predict_task(
    checkpoint: Path,
    task: str,
    out: Path,
    *,
    batch_size: int,
    modalities: Sequence[Modality] | None = None,
    on_missing: OnMissing = "fail",
) -> int:
    """Write what a policy says of every clip of a task.

    Args:
        checkpoint: folder with a policy of a run.
        task: corpus, or a JSONL file of samples.
        out: prediction file.
        batch_size: clips at once.
        modalities: what is shown of each clip; default: as in training.
        on_missing: ``fail``, or ``skip`` clips whose media cannot be read.

    Returns:
        How many clips were answered.

    Raises:
        OvmerError: no policy, no such task, or media that cannot be read.
    """
    asked = read_prompt(checkpoint)
    samples = read_samples(task) if task.endswith(".jsonl") else load_corpus(task).samples
    clips = clips_of(samples, modalities or asked.modalities)
    policy = load_policy(checkpoint, asked.kind)
    policy.model.to("cuda" if torch.cuda.is_available() else "cpu")
    clips = readable(clips, on_missing)
    inputs: PolicyInputs
    if asked.kind in ("vision", "omni"):
        from ..data.vision_inputs import OmniInputs, VisionInputs

        made = VisionInputs if asked.kind == "vision" else OmniInputs
        inputs = made(policy, asked.prompt, clips)
    else:
        inputs = TextInputs(policy, asked.prompt, clips, keep=False)
    said = answers(
        policy.model, inputs, clips, batch_size=batch_size, max_new_tokens=asked.max_new_tokens
    )
    write_predictions(out, predictions(clips, said))
    return len(clips)
