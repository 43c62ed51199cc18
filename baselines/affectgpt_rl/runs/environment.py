"""What a run depends on beside its configuration: versions, revision, devices."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ovmer_bench import __version__

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "numpy")
_SECONDS = 20


def environment() -> dict[str, Any]:
    """Versions, git revision, world size, device and threads; neither clock, nor host, nor path.

    World size is what the launcher (``torchrun``, ``accelerate launch``) says it is.
    """
    return {
        "versions": versions(),
        "git": git_revision(),
        "world_size": int(os.environ.get("WORLD_SIZE", "1")),
        "device": device(),
        "threads": threads(),
    }


def versions() -> dict[str, str]:
    """Python, this package, and those of :data:`PACKAGES` that are installed."""
    found = {"python": platform.python_version(), "ovmer-bench": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_revision() -> dict[str, Any] | None:
    """Commit of this source and whether files differ from it; ``None`` outside a repository."""
    here = Path(__file__)
    # A repository may also hold the environment into which the package is installed.
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return None
    revision = _git(here.parent, "rev-parse", "HEAD")
    changed = _git(here.parent, "status", "--porcelain", "--untracked-files=no")
    return None if revision is None else {"revision": revision, "dirty": bool(changed)}


def device() -> str:
    """Name of the first accelerator that torch sees, else ``cpu``."""
    try:
        import torch
    except ImportError:
        return "cpu"
    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "cpu"


def threads() -> int | None:
    """Threads that torch computes with on the CPU, where other numbers round otherwise."""
    try:
        import torch
    except ImportError:
        return None
    return int(torch.get_num_threads())


def _git(folder: Path, *command: str) -> str | None:
    """What git prints; ``None`` where there is no git, or it refuses."""
    try:
        done = subprocess.run(
            ["git", *command], cwd=folder, capture_output=True, text=True, timeout=_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
