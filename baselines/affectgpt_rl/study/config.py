"""The configuration of a study: what is trained, what is asked of it, and when a claim holds.

All of it is written down before anything is run, the rules by which claims are judged included,
so that results cannot choose their own yardstick.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from ovmer_bench import OvmerError
from ovmer_bench.errors import did_you_mean
from pydantic import Field, ValidationError

from ..config.errors import readable
from ..config.sections import Section, Text
from ..config.yaml import read_yaml

Score = Literal[
    "S1", "S1/skill", "labels", "hits", "hit_rate", "hit_rate/skill", "WAF", "WAF/skill"
]
"""What is measured of each run, see :mod:`.scores`."""
Verdict = Literal["reproduced", "not reproduced", "contradicted", "not run"]

_NAME = r"^[a-z][a-z0-9_]{0,39}$"
_Names = Annotated[tuple[Text, ...], Field(strict=False)]
_Settings = Annotated[dict[str, Any], Field(strict=False)]


class ColdStart(Section):
    """A cold start, trained once for each seed.

    Attributes:
        about: what it is, in the tables.
        warm_up_of: another cold start whose warmed-up encoders it begins with; ``null``: it
            warms up its own.
        set: dotted setting -> value, for it and for all arms that begin with it.
    """

    about: Text
    warm_up_of: Text | None
    set: _Settings


class Arm(Section):
    """What is trained further, once for each seed.

    Attributes:
        about: what it is, in the tables.
        cold_start: what it begins with.
        train: ``grpo``, or ``sft``: goes on with supervised training.
        compute_of: for ``sft``: the arm whose compute it gets; the number of epochs follows.
        set: dotted setting -> value, after those of the cold start.
    """

    about: Text
    cold_start: Text
    train: Literal["grpo", "sft"]
    compute_of: Text | None
    set: _Settings


class Pair(Section):
    """One comparison: is ``more`` above ``less`` in a score?

    Attributes:
        more, less: names of arms or cold starts.
        score: in which.
        at_least: points by which, in percent; labels in labels.
    """

    more: Text
    less: Text
    score: Score
    at_least: Annotated[float, Field(ge=0)] = 0.0


class Claim(Section):
    """What is claimed, and the comparisons that decide it.

    Attributes:
        says: the claim, in words.
        published: the numbers that were published for it on OV-MERD+, or ``null``.
        pairs: all must hold.
    """

    says: Text
    published: Text | None
    pairs: Annotated[tuple[Pair, ...], Field(strict=False, min_length=1)]


class Question(Section):
    """One question of the study: a table, a plot, claims.

    Attributes:
        title: heading on the page.
        asks: what is asked and how, a paragraph.
        against: what every other row of the table is compared with; ``null``: arms with the
            cold start that they begin with.
        arms: rows of the table, cold starts among them.
        scores: columns.
        plot: the score that is drawn, or two of which one is drawn over the other; empty: none.
        sample: whether an answer of each arm to the same clip is shown.
        published: row -> number published for it on OV-MERD+.
        claims: judged here.
    """

    title: Text
    asks: Text
    against: Text | None
    arms: Annotated[_Names, Field(min_length=1)]
    scores: Annotated[tuple[Score, ...], Field(strict=False, min_length=1)]
    plot: Annotated[tuple[Score, ...], Field(strict=False, max_length=2)]
    sample: bool
    published: Annotated[dict[str, float], Field(strict=False)]
    claims: Annotated[tuple[Claim, ...], Field(strict=False)]


class StudyConfig(Section):
    """A whole study.

    Attributes:
        title, intro: of the page; ``limits``: what it must not be read as.
        output: folder of all runs.
        base: configuration that every run changes, beside the file of the study.
        page: what is written, relative to the file; pictures and numbers stand beside it.
        answers: folder in which the answers of all runs are kept, relative to the file.
        seeds: each arm is trained with each.
        set: dotted setting -> value, for all runs.
        cold_starts, arms: name -> what is trained.
        questions: in the order of the page.
    """

    title: Text
    intro: Text
    limits: Annotated[_Names, Field(min_length=1)]
    output: Text
    base: Text
    page: Text
    answers: Text
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, min_length=1)]
    set: _Settings
    cold_starts: dict[Annotated[str, Field(pattern=_NAME)], ColdStart]
    arms: dict[Annotated[str, Field(pattern=_NAME)], Arm]
    questions: Annotated[tuple[Question, ...], Field(strict=False, min_length=1)]

    @property
    def trained(self) -> Mapping[str, ColdStart | Arm]:
        """Everything that is trained, by name."""
        return {**self.cold_starts, **self.arms}

    def beginning_of(self, name: str) -> str | None:
        """The cold start that an arm begins with."""
        arm = self.arms.get(name)
        return None if arm is None else arm.cold_start


def load_study(path: str | Path) -> StudyConfig:
    """The study in a YAML file.

    Raises:
        OvmerError: one problem, with file, field, value and what is accepted.
    """
    try:
        study = StudyConfig.model_validate(read_yaml(path))
        _check_names(study)
    except ValidationError as error:
        found = readable(error, StudyConfig)
        found.file = str(path)
        raise found from None
    except OvmerError as error:
        error.file = error.file or str(path)
        raise
    return study


def _check_names(study: StudyConfig) -> None:
    """Every name that is used is the name of something that is trained."""
    both = set(study.cold_starts) & set(study.arms)
    if both:
        raise OvmerError(f"{min(both)!r} is a cold start and an arm", field="arms")
    if len(set(study.seeds)) < len(study.seeds):
        raise OvmerError("names a seed twice", field="seeds")
    for name, cold in study.cold_starts.items():
        if cold.warm_up_of is not None:
            field = f"cold_starts.{name}.warm_up_of"
            _check(field, cold.warm_up_of, study.cold_starts)
            if study.cold_starts[cold.warm_up_of].warm_up_of is not None:
                raise OvmerError(f"{cold.warm_up_of} has no warm-up of its own", field=field)
    for name, arm in study.arms.items():
        _check(f"arms.{name}.cold_start", arm.cold_start, study.cold_starts)
        if arm.compute_of is not None:
            _check(f"arms.{name}.compute_of", arm.compute_of, of_grpo(study))
        if (arm.train == "sft") != (arm.compute_of is not None):
            raise OvmerError(
                f"is {arm.compute_of!r}, and train is {arm.train!r}",
                field=f"arms.{name}.compute_of",
                accepted="an arm for sft, null for grpo",
            )
    for i, question in enumerate(study.questions):
        field = f"questions.{i}"
        used = [*question.arms, *question.published]
        used += [question.against] if question.against is not None else []
        used += [name for c in question.claims for p in c.pairs for name in (p.more, p.less)]
        for name in used:
            _check(field, name, study.trained)


def of_grpo(study: StudyConfig) -> list[str]:
    """Names of the arms that are trained by GRPO."""
    return [name for name, arm in study.arms.items() if arm.train == "grpo"]


def _check(field: str, name: str, known: Mapping[str, object] | list[str]) -> None:
    if name not in known:
        raise OvmerError(
            f"{name!r} is not trained", field=field, accepted=sorted(known),
            hint=did_you_mean(name, known),
        )  # fmt: skip
