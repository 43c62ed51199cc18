"""Rewards by configuration: which, with what weight and what settings.

::

    rewards:
      accuracy: {weight: 1.0, length_penalty: P1}
      format: {weight: 0.1, mode: think}
      plain: {kind: accuracy, weight: 0.0}   # weight 0: logged, not trained on

A name is what logs show; ``kind`` says which reward it is, the name itself by default.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ovmer_bench import OvmerError, load_lexicon

from .. import rewards
from .completions import MODES
from .contrast import TrainingGold
from .judges import Judge
from .length_penalties import LENGTH_PENALTIES

RewardFunction = Callable[..., list[float]]


@dataclass(frozen=True)
class _Kind:
    function: RewardFunction
    choices: Mapping[str, tuple[str, ...]]
    scores: bool = True


_KINDS: Mapping[str, _Kind] = {
    "format": _Kind(rewards.format_reward, {"mode": MODES}, scores=False),
    "accuracy": _Kind(rewards.accuracy_reward, {"length_penalty": tuple(LENGTH_PENALTIES)}),
    "alignment": _Kind(rewards.alignment_reward, {}),
    "dual": _Kind(rewards.dual_reward, {}),
    "perception": _Kind(rewards.perception_reward, {}, scores=False),
    "contrast": _Kind(rewards.contrast_reward, {}),
    "hit_rate": _Kind(rewards.hit_rate_reward, {}),
}
KINDS = tuple(_KINDS)


COLUMNS = ("prompts", "gold", "media_id", "clues")
"""Columns of the rows that a reward may look at. Others are kept from it, or a column called
like a setting would replace the setting."""


class Reward:
    """One configured reward: a picklable callable with a name and a weight.

    ``__name__`` is what TRL logs under ``rewards/NAME``.
    """

    def __init__(self, name: str, weight: float, function: RewardFunction) -> None:
        self.__name__ = name
        self.weight = weight
        self._function = function

    def __call__(self, *, completions: Sequence[object], **columns: object) -> list[float]:
        """One finite float for each completion.

        Raises:
            OvmerError: the rows hold no ``gold``.
        """
        if columns.get("gold") is None:
            raise OvmerError("the rows hold no gold", field="gold", accepted="a column of lists")
        return self._function(
            completions, **{name: columns[name] for name in COLUMNS if name in columns}
        )

    def __repr__(self) -> str:
        return f"Reward({self.__name__!r}, weight={self.weight})"


def build_rewards(
    settings: Mapping[str, Mapping[str, object]],
    *,
    lexicon: str = "ovmer",
    training_gold: Iterable[Sequence[str]] = (),
    judge: Judge | None = None,
) -> list[Reward]:
    """The rewards that ``settings`` ask for, in that order; see the module for an example.

    Args:
        settings: name -> ``weight``, ``kind`` and what the kind takes.
        lexicon: id of the lexicon that scores.
        training_gold: label lists of the training clips; ``contrast`` needs them.
        judge: for ``perception``.

    Raises:
        OvmerError: no reward, an unknown kind or key, or a value that is not accepted.
    """
    if not settings:
        raise OvmerError("no reward is asked for", field="rewards", accepted=KINDS)
    background = list(training_gold)
    built = []
    for name, given in settings.items():
        if not isinstance(given, Mapping):
            raise OvmerError(
                f"{given!r} is no set of keys", field=f"rewards.{name}", accepted="weight: NUMBER"
            )
        kind_name = given.get("kind", name)
        kind = _KINDS.get(kind_name) if isinstance(kind_name, str) else None
        if kind is None:
            raise OvmerError(
                f"unknown reward {kind_name!r}", field=f"rewards.{name}", accepted=KINDS
            )
        bound = _bound(name, given, kind)
        if kind.scores:
            bound["lexicon"] = lexicon
        if kind_name == "perception":
            bound["judge"] = judge
        if kind_name == "contrast":
            bound["training_gold"] = _known_gold(name, background, lexicon)
        built.append(Reward(name, _weight(name, given), partial(kind.function, **bound)))
    return built


def _bound(name: str, given: Mapping[str, object], kind: _Kind) -> dict[str, object]:
    """Settings of the kind itself, checked."""
    known = ("weight", "kind", *kind.choices)
    bound: dict[str, object] = {}
    for key, value in given.items():
        if key not in known:
            raise OvmerError(f"unknown key {key!r}", field=f"rewards.{name}", accepted=known)
        if key not in kind.choices or value is None:
            continue
        if value not in kind.choices[key]:
            raise OvmerError(
                f"{key} is {value!r}", field=f"rewards.{name}", accepted=kind.choices[key]
            )
        bound[key] = value
    return bound


def _weight(name: str, given: Mapping[str, object]) -> float:
    weight = given.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        raise OvmerError(f"weight is {weight!r}", field=f"rewards.{name}", accepted="a number")
    if not math.isfinite(weight):
        raise OvmerError(f"weight is {weight!r}", field=f"rewards.{name}", accepted="finite")
    return float(weight)


def _known_gold(name: str, gold: Sequence[Sequence[str]], lexicon: str) -> TrainingGold:
    known = TrainingGold(gold, load_lexicon(lexicon))
    if not known.clips:
        raise OvmerError(
            "needs the gold of the training clips, and none stands on a wheel",
            field=f"rewards.{name}",
        )
    return known
