"""Score report -> one self-contained HTML page with pictures."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from ..lexicon import N_WHEELS
from ..metrics.score_report import ScoreReport
from ..metrics.scoring import Evaluation
from . import plots as report_plots
from .diagnostics import worst_clips, worst_confusions
from .text import interval_text, notes, percent, title_of

TEMPLATE = "report.html.j2"
_LONGEST = 100


def html(evaluation: Evaluation, report: ScoreReport) -> str:
    """The page: scores, wheels, confusions, label counts, worst clips, unknown words.

    Everything it shows is inside it; it needs no network, no script and no other file. Text
    from predictions and corpora is escaped.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"percent": percent, "interval": interval_text, "title_of": title_of}
    environment.filters["short"] = _short
    source = files("ovmer_bench") / "resources" / "report" / TEMPLATE
    template = environment.from_string(source.read_text(encoding="utf-8"))
    return (
        template.render(
            report=report,
            notes=notes(report),
            scale=report_plots.scale(),
            no_value=report_plots.EMPTY,
            wheels=_wheels(evaluation) if report.kind != "sentiment" else [],
            histogram=report_plots.histogram(evaluation),
            worst=worst_clips(evaluation) if report.kind != "sentiment" else [],
        )
        + "\n"
    )


def _short(text: str) -> str:
    """``text`` at the length to which a page can show a label or an id."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _wheels(evaluation: Evaluation) -> list[dict[str, Any]]:
    statistics = evaluation.statistics
    measures: tuple[report_plots.SectorMeasure, ...] = ("recall", "precision")
    return [
        {
            "number": k,
            "name": statistics.lexicon.wheels[k - 1].name,
            "sunbursts": [
                (measure, report_plots.sunburst(statistics, k, measure)) for measure in measures
            ],
            "confusion": report_plots.confusion_table(statistics, k),
            "worst": worst_confusions(statistics, k),
        }
        for k in range(1, N_WHEELS + 1)
    ]
