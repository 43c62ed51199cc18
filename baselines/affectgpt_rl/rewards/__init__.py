"""The rewards, each a plain function with TRL's contract: lists in, one finite float each out.

``completions`` are texts, or conversations of which the last message counts. What else a reward
needs comes from the rows by column name (``gold``, ``media_id``, ``clues``); columns that it does
not know are ignored. Settings are keyword arguments that ``reward_config`` binds.

=============  ==========  =======================================================
reward         range       what earns it
=============  ==========  =======================================================
format         0 or 1      the whole output is the template
accuracy       0 to 1      EW-F of the answer against gold, with a length penalty
alignment      0 or 1      EW-F of thought against answer is 0.5 or more
dual           0 to 1      EW-F of the thought against gold
perception     0 to 1      the thought is in the better half of its group
contrast       -1 to 1     accuracy less what the answer earns on any training clip
hit_rate       0 to 1      any one label of the answer falls where any one of gold does
=============  ==========  =======================================================

EW-F of one clip is ``ovmer_bench.ClipScorer``: the mean over five wheels, level 1.
``hit_rate`` is here to be studied, not to be trained with: naming every feeling earns all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from ovmer_bench import ClipScorer, OvmerError, load_lexicon

from .bradley_terry import better_half, strengths
from .completions import (
    Mode,
    answer_labels,
    follows_template,
    gold_labels,
    text_of,
    thought_labels,
    thought_of,
)
from .contrast import TrainingGold
from .hit_rate import HitRate
from .judges import Comparison, GoldJudge, Judge
from .length_penalties import LENGTH_PENALTIES

LEAST_ALIGNMENT = 0.5
_NO_DIFFERENCE = 0.5


def format_reward(
    completions: Sequence[object], *, mode: Mode = "think", **_: object
) -> list[float]:
    """1 where the whole output is the template of ``mode`` and nothing else, else 0.

    ``think``: ``<think>...</think><answer>...</answer>``; ``answer``: ``<answer>...</answer>``.
    """
    return [float(follows_template(text_of(one), mode)) for one in completions]


def accuracy_reward(
    completions: Sequence[object],
    gold: Sequence[object],
    *,
    length_penalty: str | None = None,
    lexicon: str = "ovmer",
    **_: object,
) -> list[float]:
    """EW-F of the labels in the answer against gold; 0 where there is no answer.

    Args:
        gold: a label list for each completion.
        length_penalty: ``P1``, ``P2`` or ``P3`` (``length_penalties``), on distinct labels.
        lexicon: id of the lexicon that scores.
    """
    scorer = _scorer(lexicon)
    penalty = LENGTH_PENALTIES[length_penalty] if length_penalty else None
    rewards = []
    for completion, expected in _rows(completions, gold):
        labels, truth = answer_labels(text_of(completion)), gold_labels(expected)
        reward = scorer(labels, truth)
        if penalty is not None and reward:
            reward *= penalty(len(labels), len(set(truth)))
        rewards.append(reward)
    return rewards


def alignment_reward(
    completions: Sequence[object], *, lexicon: str = "ovmer", **_: object
) -> list[float]:
    """1 where the feelings in the thought and those in the answer agree (EW-F >= 0.5), else 0."""
    scorer = _scorer(lexicon)
    texts = [text_of(one) for one in completions]
    agreed = [scorer(thought_labels(text), answer_labels(text)) for text in texts]
    return [float(value >= LEAST_ALIGNMENT) for value in agreed]


def dual_reward(
    completions: Sequence[object], gold: Sequence[object], *, lexicon: str = "ovmer", **_: object
) -> list[float]:
    """EW-F of the feelings in the thought against gold; 0 where there is no thought."""
    scorer = _scorer(lexicon)
    return [
        scorer(thought_labels(text_of(completion)), gold_labels(expected))
        for completion, expected in _rows(completions, gold)
    ]


def perception_reward(
    completions: Sequence[object],
    gold: Sequence[object],
    *,
    prompts: Sequence[object] | None = None,
    media_id: Sequence[object] | None = None,
    clues: Sequence[object] | None = None,
    judge: Judge | None = None,
    **_: object,
) -> list[float]:
    """1 for thoughts in the better half of their group, as a judge's comparisons rank them.

    All pairs of a group are compared, Bradley-Terry strengths fitted, and the floor(n / 2)
    strongest rewarded; those that tie for the last places share them. A missing thought loses
    to any other, two equal ones tie, neither is asked about. A completion that is alone in its
    group gets 0.

    Args:
        prompts, media_id: completions with the same prompt and media are one group; only those
            of one call are compared, so a group must not be spread over processes.
        clues: what is known of each clip in words, for the judge: a text, or one for each sense.
        judge: default: :class:`~affectgpt_rl.rewards.judges.GoldJudge`.
    """
    rows = list(_rows(completions, gold))
    groups: dict[str, list[int]] = {}
    for i in range(len(rows)):
        key = repr((media_id[i] if media_id else None, prompts[i] if prompts else None))
        groups.setdefault(key, []).append(i)
    thoughts = [thought_of(text_of(completion)) for completion, _ in rows]
    pairs = [pair for members in groups.values() for pair in combinations(members, 2)]
    asked = [(i, j) for i, j in pairs if thoughts[i] and thoughts[j] and thoughts[i] != thoughts[j]]
    comparisons = [
        Comparison(
            thoughts[i],
            thoughts[j],
            tuple(gold_labels(rows[i][1])),
            _clue_text(clues[i]) if clues else "",
        )
        for i, j in asked
    ]
    verdicts = dict(zip(asked, (judge or GoldJudge())(comparisons), strict=True))
    rewards = [0.0] * len(rows)
    for members in groups.values():
        wins = np.zeros((len(members), len(members)))
        for (a, i), (b, j) in combinations(enumerate(members), 2):
            wins[a, b] = verdicts.get((i, j), _unasked(thoughts[i], thoughts[j]))
            wins[b, a] = 1 - wins[a, b]
        for i, reward in zip(members, better_half(strengths(wins)), strict=True):
            rewards[i] = reward
    return rewards


def contrast_reward(
    completions: Sequence[object],
    gold: Sequence[object],
    *,
    training_gold: TrainingGold,
    lexicon: str = "ovmer",
    **_: object,
) -> list[float]:
    """Accuracy of the answer less its expectation over all training clips.

    Over the training clips any constant answer earns 0 on average, a hedge that fits every clip
    as much as silence. 0 where gold stands on no wheel, where nothing can be earned.
    """
    scorer = _scorer(lexicon)
    rewards = []
    for completion, expected in _rows(completions, gold):
        labels, truth = answer_labels(text_of(completion)), gold_labels(expected)
        earned = scorer(labels, truth) - training_gold.expected_accuracy(labels)
        rewards.append(earned if training_gold.stands(truth) else 0.0)
    return rewards


def hit_rate_reward(
    completions: Sequence[object], gold: Sequence[object], *, lexicon: str = "ovmer", **_: object
) -> list[float]:
    """Hit rate of the answer: the share of the wheels on which any of its labels is right.

    See :class:`~affectgpt_rl.rewards.hit_rate.HitRate`. There is no price on a wrong label.
    """
    hits = _hits(lexicon)
    return [
        hits(answer_labels(text_of(completion)), gold_labels(expected))
        for completion, expected in _rows(completions, gold)
    ]


@lru_cache(maxsize=4)
def _hits(lexicon: str) -> HitRate:
    return HitRate(load_lexicon(lexicon))


@lru_cache(maxsize=4)
def _scorer(lexicon: str) -> ClipScorer:
    return ClipScorer(load_lexicon(lexicon))


def _rows(completions: Sequence[object], gold: Sequence[object]) -> zip[tuple[object, object]]:
    if len(completions) != len(gold):
        raise OvmerError(
            f"{len(completions)} completions, {len(gold)} rows of gold",
            field="gold",
            accepted="one label list for each completion",
        )
    return zip(completions, gold, strict=True)


def _clue_text(clues: object) -> str:
    if isinstance(clues, Mapping):
        return " ".join(value for value in clues.values() if isinstance(value, str))
    return clues if isinstance(clues, str) else ""


def _unasked(first: str, second: str) -> float:
    """Preference where one thought is missing, or both are the same."""
    return _NO_DIFFERENCE if bool(first) == bool(second) else float(bool(first))
