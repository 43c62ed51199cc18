"""A run folder -> one self-contained HTML page: what was run, how it went, what came of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ovmer_bench import ScoreReport
from ovmer_bench.errors import printable
from ovmer_bench.files import read_text, write_text
from ovmer_bench.reports.text import interval_text, percent, title_of

from . import metric_names as m
from .folder import STAGES, Moment, RunFolder, Sample
from .guards import Verdict
from .lines import Row
from .plots import Curve, curves_svg

TEMPLATE = "run_report.html.j2"
_LONGEST = 700
_COMPLETIONS_SHOWN = 8
_STAGE_NAMES = {"warm_up": "Warm-up", "sft": "Cold start", "rl": "GRPO"}


@dataclass(frozen=True)
class Plot:
    """Curves that belong on common axes.

    Attributes:
        title: of the picture.
        unit: of the vertical axis.
        metrics: name in ``metrics.jsonl`` -> name in the legend.
        stage: whose steps they are.
        times: 100 where shares are shown as percent.
        about: what a reader should know of it.
    """

    title: str
    unit: str
    metrics: Mapping[str, str]
    stage: str = "rl"
    times: float = 1
    about: str = ""


_PLOTS = (
    Plot(
        "EW-F on held-out clips",
        "EW-F",
        {m.HELD_OUT_EW_F: "EW-F", m.HELD_OUT_SKILL: "skill"},
        times=100,
        about="Greedy answers to clips that are never trained on.",
    ),
    Plot(
        "Labels per clip",
        "labels",
        {m.LABELS_PER_CLIP: "sampled", m.HELD_OUT_LABELS_PER_CLIP: "held-out, greedy"},
    ),
    Plot(
        "Format",
        "percent",
        {
            m.FORMAT_RATE: "follow the template",
            m.HELD_OUT_FORMAT_RATE: "held-out, greedy",
            m.CUT_OFF: "cut off",
            m.OOV_RATE: "unknown labels",
        },
        times=100,
    ),
    Plot("KL divergence to the cold start", "nats per token", {m.KL: "KL"}),
    Plot("Entropy", "nats per token", {m.ENTROPY: "entropy"}),
    Plot(
        "Groups without a difference",
        "percent",
        {m.ZERO_STD: "groups that all earn the same"},
        times=100,
        about="They teach nothing.",
    ),
    Plot("Length of completions", "tokens", {m.COMPLETION_LENGTH: "mean"}),
    Plot(
        "Loss of the cold start",
        "nats per token",
        {m.LOSS: "training", m.HELD_OUT_LOSS: "held-out"},
        stage="sft",
    ),
    Plot("Loss of the warm-up", "loss", {m.LOSS: "training"}, stage="warm_up"),
)


def write_report(run_folder: str | Path | RunFolder) -> Path:
    """Write ``report.html`` of a run, finished or not, and return its path.

    The same folder gives the same bytes. Texts of the policy, of corpora and of the
    configuration are escaped.

    Raises:
        OvmerError: this is no run folder, or a file in it cannot be read.
    """
    folder = run_folder if isinstance(run_folder, RunFolder) else RunFolder(run_folder)
    write_text(folder.report_file, html(folder))
    return folder.report_file


def html(folder: RunFolder) -> str:
    """The page as text; see :func:`write_report`."""
    from jinja2 import Environment, StrictUndefined

    facts = folder.facts()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"percent": percent, "interval": interval_text, "title_of": title_of}
    environment.filters |= {"shown": shown, "in_words": _in_words}
    environment.tests["of_a_wheel"] = lambda name: name.startswith("M3-")
    source = files("affectgpt_rl") / "templates" / TEMPLATE
    template = environment.from_string(source.read_text(encoding="utf-8"))
    before, after = _score(folder, "cold_start"), _score(folder, "final")
    step, completions = _last_completions(folder)
    return (
        template.render(
            facts=facts,
            config=folder.config(),
            config_text=read_text(folder.config_file),
            stages=_stages(folder, facts),
            verdicts=_verdicts(facts),
            before=before,
            after=after,
            scores=_common_scores(before, after),
            pictures=pictures(folder.metrics()),
            samples=_samples(folder),
            completions=completions[:_COMPLETIONS_SHOWN],
            completions_step=step,
        )
        + "\n"
    )


def shown(text: object, most: int = _LONGEST) -> str:
    """Any text as a page can show it: cut, and with escapes for what is invisible."""
    said = str(text)
    if len(said) > most:
        said = f"{said[:most]}…"
    return "\n".join(printable(line) for line in said.splitlines())


def _in_words(content: object) -> str:
    """What a completion's row holds: texts, numbers, lists and mappings of them."""
    if content is None:
        return "-"
    if isinstance(content, float):
        return f"{content:.3f}"
    if isinstance(content, Mapping):
        return ", ".join(f"{name} {_in_words(item)}" for name, item in content.items())
    if isinstance(content, list):
        return ", ".join(map(_in_words, content))
    return str(content)


def pictures(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Title, SVG, spoken summary and remark of every plot that has numbers."""
    rewards = {n: r for row in rows for n in row if (r := m.reward_of(n)) is not None}
    reward_plot = Plot(
        "Reward by component",
        "mean reward",
        {m.REWARD: "total, weighted", **dict(sorted(rewards.items()))},
        about="Components are unweighted; one with weight 0 is watched only.",
    )
    made = []
    for number, plot in enumerate((reward_plot, *_PLOTS)):
        curves = [
            Curve(legend, points)
            for name, legend in plot.metrics.items()
            if (points := _points(rows, plot, name))
        ]
        if curves:
            said = "; ".join(f"{c.name} ends at {c.last:.3g}" for c in curves)
            made.append(
                {
                    "title": plot.title,
                    "svg": curves_svg(
                        f"plot{number}", curves, plot.unit, legend=len(plot.metrics) > 1
                    ),
                    "said": f"{plot.title}: {said}",
                    "about": plot.about,
                }
            )
    return made


def _points(rows: Sequence[Row], plot: Plot, name: str) -> list[tuple[int, float]]:
    """The finite numbers of a metric by step, the last one of a step."""
    found = {
        int(row["step"]): plot.times * row[name]
        for row in rows
        if row.get("stage") == plot.stage and row.get(name) is not None
    }
    return sorted(found.items())


def _stages(folder: RunFolder, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name, state, steps and speed of the stages that were begun."""
    rows, timings = folder.metrics(), folder.timings()
    made = []
    for stage in STAGES:
        if stage not in facts["stages"]:
            continue
        steps = [row["step"] for row in rows if row.get("stage") == stage]
        speeds = [
            row[m.CLIPS_PER_SECOND]
            for row in timings
            if row.get("stage") == stage and row.get(m.CLIPS_PER_SECOND) is not None
        ]
        state = facts["stages"][stage]["state"]
        made.append(
            {
                "name": _STAGE_NAMES[stage],
                "state": "running, or interrupted" if state == "running" else state,
                "step": max(steps, default=0),
                "speed": statistics.median(speeds) if speeds else None,
            }
        )
    return made


def _verdicts(facts: Mapping[str, Any]) -> list[Verdict]:
    """Of the stages that a guard stopped."""
    said = [stage.get("verdict") for stage in facts["stages"].values()]
    return [Verdict.from_dict(verdict) for verdict in said if verdict]


def _score(folder: RunFolder, moment: Moment) -> ScoreReport | None:
    file = folder.scores_file(moment)
    return ScoreReport.read(file) if file.is_file() else None


def _common_scores(*reports: ScoreReport | None) -> list[str]:
    """Names of all scores, in the order of the reports."""
    return list(dict.fromkeys(name for r in reports if r is not None for name in r.scores))


def _samples(folder: RunFolder) -> list[tuple[Sample, str | None, str | None]]:
    """Clip, text before, text after."""
    before = {sample.id: sample for sample in folder.samples("cold_start")}
    after = {sample.id: sample for sample in folder.samples("final")}
    return [
        (
            clip,
            before[name].text if name in before else None,
            after[name].text if name in after else None,
        )
        for name, clip in {**before, **after}.items()
    ]


def _last_completions(folder: RunFolder) -> tuple[int | None, list[Row]]:
    tables = folder.completions()
    step = max(tables, default=None)
    return step, [] if step is None else tables[step]
