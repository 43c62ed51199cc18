"""What completions look like, for logs and tables of samples."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ovmer_bench import load_lexicon

from ..rewards.completions import Mode, answer_labels, follows_template, gold_labels, text_of
from ..runs.metric_names import FORMAT_RATE, LABELS_PER_CLIP, OOV_RATE

EMPTY_RATE, VERBOSITY = "answers/empty_rate", "answers/verbosity"

_REPEATED = re.compile(r"(<\|[^<>|]+\|>)\1+")


@dataclass(frozen=True)
class Sampled:
    """One completion and what it was worth.

    Attributes:
        step: updates made before it was sampled.
        split: ``train`` or ``eval``.
        media_id: its clip, ``None`` where rows have none.
        prompt: repeated placeholders written once.
        completion: what the policy said.
        gold: labels of the clip.
        rewards: by name, before weighting.
        advantage: what entered the loss.
    """

    step: int
    split: str
    media_id: str | None
    prompt: str
    completion: str
    gold: list[str]
    rewards: dict[str, float]
    advantage: float

    def as_row(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def completion_metrics(
    completions: Sequence[object], gold: Sequence[object], *, mode: Mode, lexicon: str
) -> dict[str, float]:
    """Means over completions, under the names they are logged by.

    - labels per clip: distinct labels of an answer; empty rate: answers without any;
    - format rate: completions that are the template of ``mode`` and nothing else;
    - out-of-vocabulary rate: share of the labels that ``lexicon`` does not know;
    - verbosity: labels per clip over those of gold; 0 where there is no gold.
    """
    known = load_lexicon(lexicon)
    texts = [text_of(one) for one in completions]
    said = [answer_labels(text) for text in texts]
    labels = [label for answer in said for label in answer]
    expected = sum(len(set(gold_labels(one))) for one in gold)
    unknown = sum(known.lookup(label).status == "unknown" for label in labels)
    rows = max(1, len(texts))
    return {
        LABELS_PER_CLIP: len(labels) / rows,
        EMPTY_RATE: sum(not answer for answer in said) / rows,
        FORMAT_RATE: sum(follows_template(text, mode) for text in texts) / rows,
        OOV_RATE: unknown / len(labels) if labels else 0.0,
        VERBOSITY: len(labels) / expected if expected else 0.0,
    }


def sampled_rows(logs: Mapping[str, Any], count: int, *, step: int, split: str) -> list[Sampled]:
    """The last ``count`` completions of the columns that TRL keeps for tables of its own."""
    columns = {name: list(logs[name])[-count:] for name in ("prompt", "completion", "advantages")}
    columns |= {name: list(logs["extra"][name])[-count:] for name in ("media_id", "gold")}
    rewards = {name: list(values)[-count:] for name, values in logs["rewards"].items()}
    return [
        Sampled(
            step=step,
            split=split,
            media_id=columns["media_id"][i],
            prompt=_REPEATED.sub(r"\1", text_of(columns["prompt"][i])),
            completion=text_of(columns["completion"][i]),
            gold=gold_labels(columns["gold"][i]),
            rewards={name: values[i] for name, values in rewards.items()},
            advantage=columns["advantages"][i],
        )
        for i in range(len(columns["completion"]))
    ]
