"""The configuration of a run: one YAML file in which every setting is written out.

No field has a default, so that a file says all there is to say about a run. Unknown keys, wrong
types and settings that contradict one another (:mod:`.checks`) are one
:class:`~ovmer_bench.OvmerError` that names file, field, value and what is accepted. The groups
of settings are in :mod:`.sections`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from ovmer_bench import OvmerError
from ovmer_bench.errors import did_you_mean
from pydantic import Field, ValidationError, model_validator

from .checks import check_combinations
from .errors import readable
from .sections import (
    Data,
    Evaluation,
    Grpo,
    Guards,
    JudgeSettings,
    Logging,
    Policy,
    Prompt,
    Section,
    Sft,
    Text,
    WarmUp,
)
from .yaml import parse_yaml, read_yaml, write_yaml


class RunConfig(Section):
    """A whole run.

    Attributes:
        name: shown in logs and reports.
        seed: of everything random.
        output: run folder.
        lexicon: id of the lexicon that rewards and scores use.
        policy, data, prompt, warm_up, sft, grpo, judge, guards, evaluation, logging: see there;
            ``warm_up`` is ``null`` where encoders are pretrained.
        rewards: name -> weight and settings, see :func:`.rewards.config.build_rewards`.
    """

    name: Annotated[str, Field(pattern=r"^[\w.+-]{1,80}$")]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    output: Text
    lexicon: Text
    policy: Policy
    data: Data
    prompt: Prompt
    warm_up: WarmUp | None
    sft: Sft | None
    grpo: Grpo
    rewards: dict[str, dict[str, Any]]
    judge: JudgeSettings | None
    guards: Guards
    evaluation: Evaluation
    logging: Logging

    @model_validator(mode="after")
    def _combine(self) -> RunConfig:
        check_combinations(self)
        return self


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
    """The configuration in a YAML file.

    Args:
        path: of the file.
        overrides: ``a.b.c=value`` each, the value as YAML; a key must be in the file already.

    Raises:
        OvmerError: one problem, with file, field, value and what is accepted.
    """
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise OvmerError(
            "holds no settings", file=path, accepted="a mapping, see configs/mini.yaml"
        )
    given = list(overrides)
    for override in given:
        _override(raw, override)
    try:
        return parse_config(raw)
    except OvmerError as error:
        # What the command line said is not looked for in the file.
        said = [one for one in given if _about(one, error.field)]
        error.file = f"--set {said[-1]}" if said else str(path)
        raise


def parse_config(raw: dict[str, Any]) -> RunConfig:
    """The configuration that plain values stand for; errors as of :func:`load_config`."""
    try:
        return RunConfig.model_validate(raw)
    except ValidationError as error:
        raise readable(error, RunConfig) from None


def dump_config(config: RunConfig) -> str:
    """Complete YAML text from which :func:`load_config` makes an equal configuration."""
    return write_yaml(config.model_dump(mode="json"))


def _about(override: str, field: str | None) -> bool:
    """Whether an override sets a field, what it is part of, or a part of it."""
    key, said = f"{override.partition('=')[0].strip()}.", f"{field}."
    return said.startswith(key) or key.startswith(said)


def _override(raw: dict[str, Any], override: str) -> None:
    """Set one value of ``raw``, in place."""
    path, equals, text = override.partition("=")
    keys = path.strip().split(".")
    source = f"--set {override}"
    if not equals or not all(keys):
        raise OvmerError(f"{override!r} sets nothing", file="--set", accepted="a.b.c=value")
    inner = raw
    for depth, key in enumerate(keys):
        here = ".".join(keys[: depth + 1])
        last = depth == len(keys) - 1
        # Rewards are named by their users; all other keys stand in the file.
        if key not in inner and not (last and keys[0] == "rewards"):
            hint = did_you_mean(key, inner)
            raise OvmerError(
                "unknown key", file=source, field=here, accepted=sorted(inner), hint=hint
            )
        if last:
            inner[key] = parse_yaml(text, file=source)
        elif not isinstance(inner[key], dict):
            raise OvmerError(
                f"is {write_yaml(inner[key]).split(chr(10))[0]}, not a group of settings",
                file=source,
                field=here,
                hint=f"Set it whole: --set '{here}={{...}}'.",
            )
        else:
            inner = inner[key]
