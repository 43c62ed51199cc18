"""Finding, checking and starting the harness.

The harness looks for tasks below its own package only (and where it is told to look), so an
installation of ours puts the task files into ``lm_eval/tasks/ovmer``. Where that cannot work,
:func:`diagnose` says why and what to do; :func:`run_harness` works in every case.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from ..corpora.registry import CORPORA
from ..corpora.store import imported
from ..errors import OvmerError
from . import tasks_dir

REQUIREMENT = "lm-eval>=0.4.13,<0.5"
_OLDEST, _TOO_NEW = (0, 4, 13), (0, 5)
OPT_OUT = "OVMER_NO_LM_EVAL_TASKS"
INCLUDE = "--include_path"
_FAILURES = (
    *(ValueError, TypeError, LookupError, ImportError, OSError),
    *(AssertionError, NotImplementedError),
)
"""How the harness and its models refuse what they were asked to do, or an unknown argument."""
_HELP = "Run: ovmer lm-eval run --help"
_MODELS = {
    "ovmer-audio": "ovmer_bench.harness.audio_models:AudioLM",
    "ovmer-replay": "ovmer_bench.harness.models:ReplayLM",
}

log = logging.getLogger("lm_eval.ovmer")


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        ok: whether it is as it should be.
        text: what was found.
        way_out: what to do where it is not.
    """

    ok: bool
    text: str
    way_out: str = ""


def harness_folder() -> Path | None:
    """The folder of the package ``lm_eval``; ``None`` where there is no such package."""
    spec = find_spec("lm_eval")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def tasks_are_installed() -> bool:
    """Whether the harness finds our tasks without being told where."""
    folder = harness_folder()
    return folder is not None and (folder / "tasks" / "ovmer" / "ovmer.yaml").is_file()


def diagnose() -> list[Finding]:
    """Everything that ``lm_eval --tasks ovmer`` depends on, first things first."""
    harness = _harness()
    findings = [harness]
    if harness.ok:
        findings.append(_tasks())
    findings.append(_models())
    here = [name for name, info in CORPORA.items() if info.embedded] + list(imported())
    findings.append(Finding(True, f"corpora that are here: {', '.join(here)}"))
    return findings


def _harness() -> Finding:
    spec = find_spec("lm_eval")
    if spec is None:
        return Finding(False, "lm_eval is not installed", f'Run: pip install "{REQUIREMENT}"')
    if not spec.origin:
        where = Path(next(iter(spec.submodule_search_locations or ["?"])))
        return Finding(
            False,
            f"{where} is no lm_eval, only the place of our task files: lm_eval was removed, or is"
            " installed editable from elsewhere and hidden by this folder",
            f"Run: {_without_tasks()}; delete {where} if it is still there; then, if lm_eval is"
            f' gone, pip install "{REQUIREMENT}". With an editable lm_eval use: ovmer lm-eval ...',
        )
    version = metadata.version("lm_eval")
    parts = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if not _OLDEST <= parts < _TOO_NEW:
        return Finding(
            False, f"lm_eval {version} is not supported", f'Run: pip install "{REQUIREMENT}"'
        )
    return Finding(True, f"lm_eval {version} in {harness_folder()}")


def _tasks() -> Finding:
    folder = harness_folder()
    if folder is None or not tasks_are_installed():
        if is_editable("lm_eval"):
            return Finding(
                False,
                f"lm_eval is installed editable from {folder}, where no package may put tasks",
                f"Use: ovmer lm-eval ... in place of lm_eval ..., or lm_eval {INCLUDE}"
                f' "$(ovmer tasks-dir)" ..., and keep our files out of its way: {_without_tasks()}',
            )
        return Finding(
            False,
            f"our tasks are not in {folder}",
            f"Use: ovmer lm-eval ..., or install again without {OPT_OUT}:"
            " pip install --force-reinstall --no-deps . in the folder of our sources",
        )
    ours, theirs = (_contents(f) for f in (tasks_dir(), folder / "tasks" / "ovmer"))
    if ours != theirs:
        return Finding(
            False,
            f"the task files in {folder / 'tasks' / 'ovmer'} are not those of this version",
            "Install us again: an installation, editable or not, copies them once.",
        )
    return Finding(True, f"{sum(name.endswith('.yaml') for name in ours)} task files in place")


def _models() -> Finding:
    wanted = {"torch": "hf", "transformers": "hf", "PIL": "hf-multimodal"}
    missing = [name for name in wanted if find_spec(name) is None]
    if not missing:
        return Finding(True, "torch, transformers and Pillow are here, for --model hf")
    return Finding(
        True,
        f"not installed: {', '.join(missing)}; --model hf and hf-multimodal need them, models"
        " behind a server do not",
    )


def _without_tasks() -> str:
    return f"{OPT_OUT}=1 pip install --force-reinstall --no-deps . in the folder of our sources"


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if "yaml" in path.name}


def is_editable(distribution: str) -> bool:
    """Whether a distribution is installed editable, from a folder of its sources."""
    try:
        text = metadata.distribution(distribution).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return False
    return bool(text) and json.loads(text or "{}").get("dir_info", {}).get("editable", False)


def run_harness(arguments: Sequence[str]) -> None:
    """Run ``lm_eval`` with ``arguments`` in this process, our tasks and models known to it.

    Raises:
        OvmerError: the harness is not there, does not understand the arguments, or failed; its
            own message on one line. ``LMEVAL_LOG_LEVEL=DEBUG`` shows where it failed.
    """
    harness = _harness()
    if not harness.ok:
        raise OvmerError(harness.text, hint=harness.way_out)
    from lm_eval.api.registry import model_registry
    from lm_eval.utils import setup_logging

    import_module("lm_eval.models")  # its own models stay unknown if ours are the first
    for name, target in _MODELS.items():
        model_registry.register(name, target=target)
    setup_logging()
    execute = _parsed(_with_tasks(arguments))
    try:
        execute()
    except OvmerError:
        raise
    except _FAILURES as error:
        log.debug("the harness failed", exc_info=True)
        if isinstance(error, KeyError) and error.args == ("visual",):
            raise OvmerError(
                "this model sees and does not hear, and a task plays sound",
                hint="Models that hear: --model ovmer-audio",
            ) from None
        raise OvmerError(
            f"lm_eval: {type(error).__name__}: {str(error).strip()}",
            hint="LMEVAL_LOG_LEVEL=DEBUG shows where.",
        ) from None


def _parsed(arguments: Sequence[str]) -> Callable[[], None]:
    """What the harness's command line would do with ``arguments``."""
    from lm_eval._cli import HarnessCLI

    said = io.StringIO()
    known = sys.argv
    sys.argv = ["lm_eval", *arguments]
    try:
        with redirect_stderr(said):
            cli = HarnessCLI()
            parsed = cli.parse_args()
    except SystemExit as done:
        if not done.code:
            raise
        # A whole page of usage, and on its last line what was wrong.
        wrong = said.getvalue().strip().rpartition("error: ")[2]
        raise OvmerError(f"lm_eval: {wrong}", hint=_HELP) from None
    except _FAILURES as error:  # --metadata and the like, where they are no JSON
        raise OvmerError(f"lm_eval: {str(error).strip()}", hint=_HELP) from None
    finally:
        sys.argv = known
    sys.stderr.write(said.getvalue())
    return lambda: cli.execute(parsed)


def _with_tasks(arguments: Sequence[str]) -> list[str]:
    """``arguments``, and where our tasks are unless the harness finds them or need not."""
    added = list(arguments)
    if tasks_are_installed() or not added or added[0] in ("-h", "--help"):
        return added
    if any(argument.partition("=")[0] == INCLUDE for argument in added):
        raise OvmerError(
            f"{INCLUDE} is given, and our own tasks are not where lm_eval finds them",
            hint="Run: ovmer doctor",
        )
    return [*added, INCLUDE, str(tasks_dir())]
