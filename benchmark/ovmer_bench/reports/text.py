"""Score reports for the terminal, Markdown and LaTeX. Numbers are shown times 100."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..console import plain_table
from ..errors import printable
from ..metrics.comparison import Comparison
from ..metrics.runs import RunScore, RunSummary, UniBench
from ..metrics.score_report import Score, ScoreReport
from ..metrics.significance import Interval
from ..metrics.vocabulary import SideHealth

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

TITLES = {
    "S1": "EW-F, level 1 (S1)",
    "S2": "EW-F, level 2 (S2)",
    "MER-FG": "(S1 + S2) / 2 (MER-FG)",
    "M-avg": "mean of all twelve (M-avg)",
    "M1": "base words (M1)",
    "M2": "wheel words (M2)",
    "hit_rate": "hit rate",
    "mscore": "mscore",
    "WAF": "weighted F1 (WAF)",
    "ACC": "accuracy (ACC)",
}
_RUN_COLUMNS = ("mean", "std", "min", "max", "skill mean", "skill std")
_KINDS = {
    "open": "open vocabulary",
    "basic": "basic emotions, hit rate",
    "sentiment": "sentiment",
}


def title_of(name: str) -> str:
    """Readable name of a score, for example ``wheel 3, level 1`` for ``M3-W3-L1``."""
    if name.startswith("M3-"):
        _, wheel, level = name.split("-")
        return f"wheel {wheel[1:]}, level {level[1:]}"
    base, found, wheel = name.partition("-W")
    return f"{TITLES[base]}, wheel {wheel}" if found else TITLES.get(name, name)


def percent(value: float | None, digits: int = 2) -> str:
    """``value`` times 100 with fixed decimals, a dash for none."""
    # Adding zero turns a rounded -0.0 into 0.0.
    return "-" if value is None else f"{round(100 * value, digits) + 0.0:.{digits}f}"


def interval_text(interval: Interval | None) -> str:
    """``[low, high]`` times 100."""
    return f"[{percent(interval.low)}, {percent(interval.high)}]" if interval else "-"


def render(report: ScoreReport) -> RenderableType:
    """The report as a rich renderable: scores, vocabulary health, signature."""
    from rich.console import Group
    from rich.text import Text

    head = Text.assemble(
        (f"{report.system}", "bold"),
        f" on {report.corpus} ({_KINDS[report.kind]}, {report.n_scored} of {report.n_total} clips"
        " scored)",
    )
    parts: list[RenderableType] = [head, _score_table(report), _vocabulary_table(report)]
    parts += [Text(note, style="yellow") for note in notes(report)]
    return Group(*parts, _signature(report.signature))


def render_comparison(comparison: Comparison) -> RenderableType:
    """Systems and their paired differences as rich tables."""
    from rich.console import Group
    from rich.text import Text

    scores = list(next(iter(comparison.values.values())))
    systems = _table(f"Systems on {comparison.corpus}", ["system"], scores)
    for name, values in comparison.values.items():
        systems.add_row(name, *(percent(values[score]) for score in scores))
    columns = ["difference", "95 % interval", "p boot.", "p rand.", "p corrected"]
    pairs = _table("Paired differences", ["score", "B - A"], [*columns, "real?"])
    for pair in comparison.pairs:
        pairs.add_row(
            pair.score,
            f"{pair.b} - {pair.a}",
            percent(pair.test.difference),
            interval_text(pair.test.interval),
            f"{pair.test.p_bootstrap:.4f}",
            f"{pair.test.p_randomisation:.4f}",
            f"{pair.p_corrected:.4f}",
            "yes" if pair.significant else "no",
        )
    note = (
        f"real: corrected p below {comparison.alpha:g} (approximate randomisation, "
        f"Benjamini-Hochberg over the pairs of a score); {comparison.draws} draws, "
        f"seed {comparison.seed}"
    )
    return Group(systems, pairs, Text(note), _signature(comparison.signature))


def render_runs(summary: RunSummary) -> RenderableType:
    """Mean and standard deviation over runs of one system."""
    table = _table(f"{summary.n_runs} runs on {summary.corpus}", ["score"], _RUN_COLUMNS)
    for name, row in summary.scores.items():
        table.add_row(title_of(name), *(percent(cell) for cell in _run_cells(row)))
    return table


def render_unibench(result: UniBench) -> RenderableType:
    """The nine main scores and their mean, a dash while any is missing."""
    table = _table("MER-UniBench", ["corpus"], ["main score"])
    for name, value in result.scores.items():
        table.add_row(name, percent(value))
    table.add_row("mean of nine", percent(result.mean), style="bold")
    return table


def notes(report: ScoreReport) -> list[str]:
    """What a reader must know before quoting the number, one sentence each."""
    left_out = "valence is 0" if report.kind == "sentiment" else "stands on no wheel"
    counted = {
        "without a prediction, scored as empty": report.n_missing,
        "without a predicted label": report.vocabulary.predicted.empty_clips,
        f"left out because the gold {left_out}": report.n_total - report.n_scored,
    }
    return [f"{n} clip{'s' * (n > 1)} {what}." for what, n in counted.items() if n]


def markdown(report: ScoreReport) -> str:
    """The scores as a Markdown table, signature below."""
    head = (
        f"{_markdown_escape(report.system)} on {report.corpus}:"
        f" {report.n_scored} of {report.n_total} clips scored"
    )
    columns = ["value", "P", "R", "chance", "skill", "95 % interval"]
    table = _markdown_table("score", columns, [_cells(score) for score in report.scores.values()])
    return "\n".join([head, "", table, "", *notes(report), f"`{report.signature}`", ""])


def markdown_runs(summary: RunSummary) -> str:
    """Mean and standard deviation over runs as a Markdown table."""
    rows = [
        [title_of(name), *(percent(cell) for cell in _run_cells(row))]
        for name, row in summary.scores.items()
    ]
    head = f"{summary.n_runs} runs on {summary.corpus}"
    return "\n".join([head, "", _markdown_table("score", _RUN_COLUMNS, rows), ""])


def markdown_unibench(result: UniBench) -> str:
    """The nine main scores and their mean as a Markdown table."""
    rows = [[name, percent(value)] for name, value in result.scores.items()]
    rows.append(["mean of nine", percent(result.mean)])
    return "\n".join(["MER-UniBench", "", _markdown_table("corpus", ["main score"], rows), ""])


def latex(reports: Sequence[ScoreReport]) -> str:
    """One LaTeX table row a report: system, main score with half interval, skill, P, R."""
    rows = []
    for report in reports:
        score = report.main_score
        cells = [_latex_escape(report.system), percent(score.value)]
        if score.interval:
            half = (score.interval.high - score.interval.low) / 2
            cells[1] = f"${percent(score.value)} \\pm {percent(half)}$"
        cells.append(percent(score.skill))
        if score.precision is not None:
            cells += [percent(score.precision), percent(score.recall)]
        rows.append(" & ".join(cells) + f" \\\\ % {report.signature}")
    return "\n".join(rows) + "\n"


def _signature(signature: str) -> Text:
    """One line however narrow the terminal, so that it can be copied whole."""
    from rich.text import Text

    return Text(f"signature: {signature}", style="dim", no_wrap=True, overflow="ignore")


def _score_table(report: ScoreReport) -> Table:
    columns = ["value", "P", "R", "chance", "skill", "95 % interval"]
    if report.main_score.precision is None:
        columns = ["value", "chance", "skill", "95 % interval"]
    table = _table(None, ["score"], columns)
    for score in report.scores.values():
        name, *cells = _cells(score)
        if report.main_score.precision is None:
            cells = [cells[0], *cells[3:]]
        table.add_row(name, *cells, style="bold" if score.name == report.main else "")
    return table


def _cells(score: Score) -> list[str]:
    values = (score.value, score.precision, score.recall, score.expected, score.skill)
    return [
        title_of(score.name),
        *(percent(value) for value in values),
        interval_text(score.interval),
    ]


def _vocabulary_table(report: ScoreReport) -> Table:
    health = report.vocabulary
    sides: dict[str, SideHealth | None] = {"gold": health.gold, "predicted": health.predicted}
    shown = {name: side for name, side in sides.items() if side is not None}
    table = _table(None, ["vocabulary"], list(shown))
    rows: dict[str, Callable[[SideHealth], str]] = {
        "labels per clip (mean, p95)": lambda s: (
            f"{s.labels_per_clip:.2f}, {s.labels_per_clip_p95:.0f}"
        ),
        "labels, distinct": lambda s: f"{s.tokens}, {s.types}",
        "unknown, of labels": lambda s: f"{percent(s.oov_tokens, 1)} %",
        "unknown, of distinct": lambda s: f"{percent(s.oov_types, 1)} %",
        "neutral, no feeling": lambda s: (
            f"{s.token_status['neutral']}, {s.token_status['no-feeling']}"
        ),
        "repeated in a clip": lambda s: str(s.duplicate_labels),
        "top unknown": lambda s: (
            ", ".join(printable(word[:60]) for word, _ in s.unknown_words[:4]) or "-"
        ),
    }
    for name, cell in rows.items():
        table.add_row(name, *(cell(side) for side in shown.values()))
    if health.verbosity is not None:
        table.add_row("verbosity", *([""] * (len(shown) - 1)), f"{health.verbosity:.2f}")
    return table


def _table(title: str | None, left: Sequence[str], right: Sequence[str]) -> Table:
    return plain_table(*left, *(f">{name}" for name in right), title=title)


def _run_cells(row: RunScore) -> tuple[float, ...]:
    return (row.mean, row.std, row.low, row.high, row.skill_mean, row.skill_std)


def _markdown_table(left: str, right: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [[left, *right], ["---", *("---:" for _ in right)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown_escape(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#&~$" else c for c in text)


def _latex_escape(text: str) -> str:
    special = {c: f"\\{c}" for c in "&%$#_{}"}
    special |= {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\n": " ",
    }
    return "".join(special.get(c, c) for c in text)
