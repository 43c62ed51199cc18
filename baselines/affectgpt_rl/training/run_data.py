"""The clips of a run, looked at before anything long begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ovmer_bench import OvmerError, load_corpus

from ..config import RunConfig
from ..data.clips import TrainingClip, check_apart, clips_of, load_data
from ..data.media_gate import readable_data, with_frames

Data = Mapping[str, Sequence[TrainingClip]]


def clips_of_run(config: RunConfig) -> Data:
    """Clips of ``cold_start``, ``rl``, ``held_out``, and ``task``, on which policies are scored.

    Raises:
        OvmerError: there are not enough, clips that are scored are trained on, or media cannot
            be read.
    """
    loaded = dict(load_data(config.data))
    task = config.evaluation.task
    samples = () if task is None else load_corpus(task).samples
    loaded["task"] = clips_of(samples, config.data.modalities)
    # Whatever corpus a clip came with: what is scored has not been trained on.
    check_apart(
        loaded,
        "task",
        "of evaluation.task are trained on",
        "Leave them out of training, or score on another corpus.",
    )
    data = readable_data(loaded, config.data.on_missing)
    if config.policy.kind == "vision" and "frames" in config.data.modalities:
        data["rl"] = with_frames(data["rl"], config.data.on_missing)
    if len(data["rl"]) < config.grpo.prompts_per_step:
        raise OvmerError(
            f"has {len(data['rl'])} clips that can be read, and a step of GRPO takes"
            f" {config.grpo.prompts_per_step}",
            field="data.rl",
        )
    return data
