"""Greedy answers of a policy, read and scored by the ruler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType, gather_object
from ovmer_bench import Prediction, evaluate
from torch.distributed.fsdp import FullyShardedDataParallel
from trl.models import unwrap_model_for_generation

from ..data.clips import TrainingClip
from ..data.inputs import IGNORED, PolicyInputs
from ..rewards.completions import Mode, answer_labels, follows_template
from ..runs.metric_names import (
    HELD_OUT_EW_F,
    HELD_OUT_FORMAT_RATE,
    HELD_OUT_LABELS_PER_CLIP,
    HELD_OUT_SKILL,
)
from .policy_pass import placeholders_of


def answers(
    model: Any,
    inputs: PolicyInputs,
    clips: Sequence[TrainingClip],
    *,
    batch_size: int,
    max_new_tokens: int,
) -> list[str]:
    """What the policy says of each clip, always its most probable next token.

    A batch is padded on the left, so that its size changes nothing but rounding.
    """
    tokenizer = inputs.tokenizer
    said: list[str] = []
    was_training = model.training
    model.eval()
    for start in range(0, len(clips), batch_size):
        part = clips[start : start + batch_size]
        batch = inputs.batch(part, answers=False)
        device = next(model.parameters()).device
        with torch.no_grad():
            out = model.generate(
                **{name: value.to(device) for name, value in batch.items()},
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                max_new_tokens=max_new_tokens,
                eos_token_id=_ends(model, tokenizer),
                pad_token_id=tokenizer.pad_token_id,
                suppress_tokens=list(placeholders_of(model)) or None,
            )
        new = out[:, batch["input_ids"].shape[1] :]
        said += tokenizer.batch_decode(new, skip_special_tokens=True)
    model.train(was_training)
    return said


def answers_of_all(
    model: Any,
    inputs: PolicyInputs,
    clips: Sequence[TrainingClip],
    *,
    accelerator: Any = None,
    batch_size: int,
    max_new_tokens: int,
) -> list[str]:
    """As :func:`answers`, each process answering its share; all get all answers.

    Args:
        accelerator: of the trainer that wrapped the model; ``None``: it is not wrapped.
    """
    state = PartialState()
    ranks, rank = state.num_processes, state.process_index
    share = -(-len(clips) // ranks)
    # Every process has to generate as often as the others, so the last ones answer some twice.
    mine = [clips[min(rank * share + i, len(clips) - 1)] for i in range(share)]
    with _bare(model, accelerator) as bare:
        said = answers(bare, inputs, mine, batch_size=batch_size, max_new_tokens=max_new_tokens)
    gathered: list[str] = gather_object(said) if ranks > 1 else said
    return gathered[: len(clips)]


def predictions(clips: Sequence[TrainingClip], said: Sequence[str]) -> list[Prediction]:
    """Raw outputs as the prediction file holds them."""
    return [Prediction(id=clip.id, output=text) for clip, text in zip(clips, said, strict=True)]


def held_out_metrics(
    clips: Sequence[TrainingClip], said: Sequence[str], *, mode: Mode, lexicon: str
) -> dict[str, float]:
    """EW-F (S1), its skill, format rate and labels a clip, in shares."""
    gold = [clip.sample for clip in clips]
    values = evaluate(predictions(clips, said), gold, lexicon=lexicon).values
    return {
        HELD_OUT_EW_F: float(values["S1"]),
        HELD_OUT_SKILL: float(values["S1/skill"]),
        HELD_OUT_FORMAT_RATE: sum(follows_template(text, mode) for text in said) / len(said),
        HELD_OUT_LABELS_PER_CLIP: sum(len(answer_labels(text)) for text in said) / len(said),
    }


def media_gap(
    model: Any, inputs: PolicyInputs, clips: Sequence[TrainingClip], *, batch_size: int
) -> tuple[float, float] | None:
    """Loss of a token of the targets with each clip's own media, and with those of another.

    A policy that does not look at the media has the same loss in both. Clips with media of the
    same kinds trade them, each with the next one; ``None`` where there are no two such clips.
    """
    sums, count = [0.0, 0.0], 0
    was_training = model.training
    model.eval()
    for group in _alike(clips):
        others = [*group[1:], group[0]]
        for start in range(0, len(group), batch_size):
            part = slice(start, start + batch_size)
            for which, media in enumerate((group, others)):
                batch = inputs.batch(group[part], answers=True, media=media[part])
                tokens = int((batch["labels"] != IGNORED).sum())
                sums[which] += _loss(model, batch) * tokens
                count += 0 if which else tokens
    model.train(was_training)
    return (sums[0] / count, sums[1] / count) if count else None


def _alike(clips: Sequence[TrainingClip]) -> list[list[TrainingClip]]:
    """Clips with media, by the kinds that they have; those that are alone are left out."""
    groups: dict[tuple[bool, bool], list[TrainingClip]] = {}
    for clip in clips:
        groups.setdefault((clip.has_frames, clip.has_audio), []).append(clip)
    groups.pop((False, False), None)
    return [group for group in groups.values() if len(group) > 1]


def _loss(model: Any, batch: Mapping[str, Any]) -> float:
    device = next(model.parameters()).device
    with torch.no_grad():
        return float(model(**{name: value.to(device) for name, value in batch.items()}).loss)


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """Every token that ends an answer: published models know more than the tokenizer's one."""
    declared = model.generation_config.eos_token_id
    ends = declared if isinstance(declared, list) else [declared]
    return list(dict.fromkeys([tokenizer.eos_token_id, *(end for end in ends if end is not None)]))


@contextmanager
def _bare(model: Any, accelerator: Any) -> Iterator[Any]:
    """The model without wrappers, its weights whole on every process."""
    if accelerator is None:
        yield model
        return
    fsdp = accelerator.distributed_type == DistributedType.FSDP
    with (
        unwrap_model_for_generation(model, accelerator) as bare,
        FullyShardedDataParallel.summon_full_params(model, recurse=False)
        if fsdp
        else nullcontext(),
    ):
        yield bare
