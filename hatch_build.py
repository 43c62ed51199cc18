"""Build hook: our task files also go where the lm-eval harness looks for tasks."""

from __future__ import annotations

import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = "benchmark/ovmer_bench/tasks"
PLACE = "lm_eval/tasks/ovmer"
OPT_OUT = "OVMER_NO_LM_EVAL_TASKS"


class HarnessTasks(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the task files into wheels, plain and editable, unless ``$OVMER_NO_LM_EVAL_TASKS``.

    pip then installs them into the harness's own folder, and takes them away with us.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a wheel is built."""
        if os.environ.get(OPT_OUT, "") in ("", "0"):
            build_data["force_include"][SOURCE] = PLACE
