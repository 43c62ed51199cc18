"""Which checkpoints are whole: marked once all of their files are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ovmer_bench.files import write_text

COMPLETE = "complete.json"
"""Stands in a checkpoint once all of it is written."""


def mark(checkpoint: Path, rows: Mapping[str, int]) -> None:
    """Mark a checkpoint as whole.

    Args:
        checkpoint: the folder.
        rows: rows of its stage in each file of numbers, as they stood then.
    """
    marked = {"files": _sizes(checkpoint), "rows": dict(rows)}
    write_text(checkpoint / COMPLETE, json.dumps(marked, indent=1) + "\n")


def rows_at(checkpoint: Path) -> Mapping[str, int]:
    """File -> rows of the stage that stood in it when the checkpoint was marked."""
    rows = _marked(checkpoint).get("rows")
    return rows if isinstance(rows, dict) else {}


def _sizes(checkpoint: Path) -> dict[str, int]:
    files = sorted(p for p in checkpoint.rglob("*") if p.is_file() and p.name != COMPLETE)
    return {path.relative_to(checkpoint).as_posix(): path.stat().st_size for path in files}


def _marked(checkpoint: Path) -> dict[str, Any]:
    """What :func:`mark` wrote; nothing where it did not."""
    try:
        marked = json.loads((checkpoint / COMPLETE).read_bytes())
    except (OSError, ValueError):
        return {}
    return marked if isinstance(marked, dict) else {}


def is_complete(checkpoint: Path) -> bool:
    """Whether it is marked, and every file is as it was then."""
    files = _marked(checkpoint).get("files")
    there = _sizes(checkpoint)
    return isinstance(files, dict) and all(there.get(name) == files[name] for name in files)
