"""When a run of GRPO is stopped because it cannot learn, and what is said then.

A guard looks at the numbers of each logged step. What it dislikes must last for ``patience``
steps; a step that does not hold the number (completions are not sampled at every one) changes
nothing. :class:`.training.callbacks.GuardCallback` brings guards to a trainer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..config.sections import Guards
from .metric_names import (
    ENTROPY,
    FORMAT_RATE,
    GRAD_NORM,
    KL,
    LABELS_PER_CLIP,
    LOSS,
    REWARD,
    REWARD_STD,
    ZERO_STD,
)

Values = Mapping[str, Any]
EXIT_CODE = 3
"""Of a command whose run a guard stopped."""
MUST_BE_FINITE = (LOSS, GRAD_NORM, KL, ENTROPY, REWARD)


@dataclass(frozen=True)
class Verdict:
    """Why a run was stopped.

    Attributes:
        guard: name of the guard, as in the configuration.
        step: at which it stopped the run; ``since``: from which on it was so.
        seen: the numbers.
        meaning: what it usually means.
        advice: what to change.
    """

    guard: str
    step: int
    since: int
    seen: str
    meaning: str
    advice: str

    def __str__(self) -> str:
        return f"Stopped at step {self.step} by guard {self.guard}: {self.reason}"

    @property
    def reason(self) -> str:
        """What was seen, what it means, what to do."""
        return f"{self.seen} {self.meaning} {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for ``run.json``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """The inverse of :meth:`to_dict`."""
        return cls(**data)


@dataclass(frozen=True)
class Rule:
    """One guard: what is wrong with the numbers of a step, and what it means.

    Attributes:
        name: as in the configuration.
        patience: steps for which it must be wrong.
        looks: of a step and its numbers, what is wrong in words; an empty text: nothing;
            ``None``: the step does not say.
    """

    name: str
    patience: int
    looks: Callable[[int, Values], str | None]
    meaning: str
    advice: str


class Watch:
    """All guards over one run.

    Args:
        guards: as :func:`rules` makes them of their settings.
    """

    def __init__(self, guards: Iterable[Rule]) -> None:
        self._rules = list(guards)
        self._since: dict[str, int] = {}
        self._blind = {rule.name for rule in self._rules}
        self.verdict: Verdict | None = None

    @property
    def blind(self) -> list[str]:
        """Guards that have not seen their number in any step: nothing logs it."""
        return sorted(self._blind)

    def see(self, step: int, values: Values) -> Verdict | None:
        """Look at the numbers of a step; the verdict once there is one."""
        for rule in self._rules:
            wrong = rule.looks(step, values)
            if wrong is None:
                continue
            self._blind.discard(rule.name)
            if not wrong:
                self._since.pop(rule.name, None)
                continue
            since = self._since.setdefault(rule.name, step)
            if self.verdict is None and step - since + 1 >= rule.patience:
                seen = f"{wrong}, and the like since step {since}." if since < step else f"{wrong}."
                self.verdict = Verdict(rule.name, step, since, seen, rule.meaning, rule.advice)
        return self.verdict

    def replay(self, rows: Iterable[Values]) -> None:
        """See again the steps of a run that goes on, in which nothing was stopped."""
        for row in rows:
            self.see(int(row["step"]), row)
        self.verdict = None


def rules(guards: Guards) -> list[Rule]:
    """The guards that are switched on, those that explain others first."""
    made: list[Rule] = []
    if guards.not_finite is not None:
        made.append(_not_finite(guards.not_finite.patience))
    if guards.format is not None:
        f = guards.format
        made.append(_format(f.patience, f.minimum, f.grace))
    if guards.verbosity is not None:
        made.append(_verbosity(guards.verbosity.patience, guards.verbosity.maximum))
    if guards.no_signal is not None:
        made.append(_no_signal(guards.no_signal.patience, guards.no_signal.share))
    return made


def _not_finite(patience: int) -> Rule:
    def looks(_step: int, values: Values) -> str | None:
        present = [name for name in MUST_BE_FINITE if name in values]
        broken = [name for name in present if _number(values, name) is None]
        if not present:
            return None
        return (
            f"{_listed(broken)} {'is' if len(broken) == 1 else 'are'} not finite" if broken else ""
        )

    return Rule(
        "not_finite",
        patience,
        looks,
        "The update was too large for the number format, or a row had no token to train on;"
        " the weights are most likely lost.",
        "Go back to an earlier checkpoint with a lower grpo.learning_rate or"
        " grpo.max_grad_norm; under bf16, look at grpo.beta and at the length of the answers.",
    )


def _format(patience: int, minimum: float, grace: int) -> Rule:
    def looks(step: int, values: Values) -> str | None:
        rate = _number(values, FORMAT_RATE)
        if rate is None:
            return None
        if step <= grace or rate >= minimum:
            return ""
        return (
            f"{100 * rate:.0f} % of the completions follow the template, of at least"
            f" {100 * minimum:.0f} %"
        )

    return Rule(
        "format",
        patience,
        looks,
        "Answers that cannot be read earn nothing, so that soon nothing else is learned: the cold"
        " start did not teach the template, or the policy has drifted from it.",
        "Train the cold start longer, give the reward 'format' more weight, raise"
        " grpo.max_completion_length if answers are cut off, or lower grpo.temperature or"
        " grpo.learning_rate.",
    )


def _verbosity(patience: int, maximum: float) -> Rule:
    def looks(_step: int, values: Values) -> str | None:
        labels = _number(values, LABELS_PER_CLIP)
        if labels is None:
            return None
        return f"{labels:.1f} labels per clip, of at most {maximum:g}" if labels > maximum else ""

    return Rule(
        "verbosity",
        patience,
        looks,
        "The policy names more and more feelings because some of many will be right: recall pays"
        " more than the precision it costs.",
        "Give the reward 'accuracy' a length_penalty (P1, P2 or P3), use the reward 'contrast',"
        " or raise grpo.beta.",
    )


def _no_signal(patience: int, share: float) -> Rule:
    def looks(_step: int, values: Values) -> str | None:
        flat = _number(values, ZERO_STD)
        if flat is None:
            return None
        if flat < share:
            return ""
        reward, spread = _number(values, REWARD), _number(values, REWARD_STD)
        seen = f"in {100 * flat:.0f} % of the groups all completions earn the same"
        if reward is not None and spread is not None:
            seen += f" (reward {reward:.3f}, standard deviation over all {spread:.3f})"
        return seen

    return Rule(
        "no_signal",
        patience,
        looks,
        "Without differences within a group there is no advantage and no gradient: the policy"
        " says the same each time, or no answer (or every answer) is right.",
        "Raise grpo.temperature or grpo.num_generations, take a lower grpo.learning_rate, check"
        " that the rewards are above 0 at all, or begin from a cold start that is trained less.",
    )


def _number(values: Values, name: str) -> float | None:
    """A finite number, else ``None``; what is not finite was logged as such or as nothing."""
    value = values.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
