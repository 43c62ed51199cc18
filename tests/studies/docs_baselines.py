"""The table of reference systems on the embedded corpora, made by the project's own commands."""

from __future__ import annotations

import inspect
import io
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from ovmer_bench import ScoreReport, load_corpus
from ovmer_bench.cli.main import group
from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.errors import InputError
from ovmer_bench.reference_systems import ONE_PER_SECTOR, SYSTEMS

from .docs_text import code, listed, percent, table

_HEADS = ("system", "S1", "chance", "skill", "skill, 95 %", "S2", "P", "R", "labels a clip")


def systems() -> str:
    """What each reference system answers."""
    rows = [(code(name), _summary(system.__doc__)) for name, system in SYSTEMS.items()]
    return table(("system", "answer"), rows)


def _summary(docstring: str | None) -> str:
    text = " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split())
    text = text.replace(":data:`ONE_PER_SECTOR`", listed(ONE_PER_SECTOR))
    return text.replace("``", "`")


def tables() -> str:
    """One table for each embedded corpus."""
    embedded = [name for name, info in CORPORA.items() if info.embedded]
    return "\n\n".join(f"### {code(name)}\n\n{_table(name)}" for name in embedded)


def _table(corpus: str) -> str:
    signature = ""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in SYSTEMS:
            report = _report(name, corpus, Path(folder))
            if report is not None:
                rows.append(_row(name, report))
                signature = signature or report.signature
    n = len(load_corpus(corpus))
    shown = table(_HEADS, rows, right=range(1, len(_HEADS)))
    return f"{shown}\n\n{n:,} clips. Signature of S1: `{signature}`"


def _report(system: str, corpus: str, folder: Path) -> ScoreReport | None:
    """What ``ovmer baseline`` and ``ovmer score`` make of a system; ``None`` where the corpus
    lacks what the system reads."""
    predictions, report = folder / f"{system}.jsonl", folder / f"{system}.json"
    try:
        _run(["baseline", system, "--task", corpus, "--out", str(predictions)])
    except InputError:
        return None
    _run(["score", str(predictions), "--task", corpus, "--json", str(report)])
    return ScoreReport.read(report)


def _run(arguments: Sequence[str]) -> None:
    nowhere = io.StringIO()
    with redirect_stdout(nowhere), redirect_stderr(nowhere):
        group.main(list(arguments), prog_name="ovmer", standalone_mode=False)


def _row(system: str, report: ScoreReport) -> tuple[str, ...]:
    s1, s2 = report.scores["S1"], report.scores["S2"]
    interval = s1.skill_interval
    shown = f"[{percent(interval.low, 1)}, {percent(interval.high, 1)}]" if interval else "-"
    return (
        code(system),
        percent(s1.value),
        percent(s1.expected),
        percent(s1.skill),
        shown,
        percent(s2.value),
        percent(s1.precision or 0),
        percent(s1.recall or 0),
        f"{report.vocabulary.predicted.labels_per_clip:.2f}",
    )
