"""The judge that a configuration asks for."""

from __future__ import annotations

import os

from ovmer_bench import OvmerError

from ..config.sections import JudgeSettings
from ..rewards.judges import GoldJudge, Judge, LocalJudge, ServerJudge

KEY_VARIABLE = "OVMER_JUDGE_KEY"


def judge_of(settings: JudgeSettings | None) -> Judge | None:
    """Who compares thoughts for ``perception``; ``None``: that reward's own default.

    Raises:
        OvmerError: what the kind of judge needs is not given.
    """
    if settings is None:
        return None
    if settings.kind == "gold":
        return GoldJudge()
    if settings.kind == "local":
        return LocalJudge(_given(settings.path, "judge.path"))
    url, model = _given(settings.url, "judge.url"), _given(settings.model, "judge.model")
    return ServerJudge(url, model, api_key=os.environ.get(KEY_VARIABLE))


def _given(value: str | None, field: str) -> str:
    if value is None:
        raise OvmerError("is not given", field=field)
    return value
