"""The page of a study: Markdown made of its results, and of nothing else."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, stdev

from ovmer_bench.errors import printable

from .comparisons import ALPHA, Difference, Key, in_points, verdict
from .config import Claim, Question, Score, Verdict
from .plots import TITLES
from .results import Results, RunResult, against

_LONGEST = 400
_KEPT = "\u00a0"
"""A blank at which no line is broken."""
_OWN: dict[Verdict, str] = {
    "reproduced": "holds",
    "not reproduced": "not shown",
    "contradicted": "the opposite holds",
    "not run": "not run",
}
"""Verdicts on what was not claimed by the paper."""


def page(results: Results, pictures: Sequence[str | None], *, config: str) -> str:
    """The whole page.

    Args:
        results: what was found.
        pictures: of each question, the path of its plot from where snippets are looked up.
        config: path of the study's file, for the command.
    """
    study = results.study
    parts = [f"# {study.title}", study.intro.strip()]
    if len(results.runs) < results.planned:
        parts.append(
            f'!!! note "Unfinished"\n    {len(results.runs)} of {results.planned} runs are done.'
            " What needs the others says so."
        )
    parts += ["## What was found", _claims(results), _rules(results)]
    for number, question in enumerate(study.questions, 1):
        parts += _question(number, question, results, pictures[number - 1])
    parts += _cold_starts(results)
    parts += _cost(results)
    parts += ["## Limits", "\n".join(f"- {limit.strip()}" for limit in study.limits)]
    parts += _again(results, config)
    return "\n\n".join(part for part in parts if part) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: int) -> str:
    """A table whose columns from ``right`` on are set flush right."""
    rules = ["---" if i < right else "---:" for i in range(len(heads))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, rules, *rows])


# --- Claims -----------------------------------------------------------------------------


def _claims(results: Results) -> str:
    known = results.known
    rows = []
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for number, question in enumerate(results.study.questions, 1):
        for claim in question.claims:
            found = verdict(claim, known)
            said = found if claim.published else _OWN[found]
            counts[claim.published is not None][said] += 1
            cells = (_cell(claim.says), _cell(claim.published or "-"), _measured(claim, known))
            rows.append((str(number), *cells, f"**{said}**"))
    heads = ("question", "claim", "published", "measured here", "verdict")
    summary = [
        f"{whose}: {', '.join(f'{n} {said}' for said, n in counts[of_the_paper].items())}."
        for whose, of_the_paper in (("Claims of the paper", True), ("What we expected", False))
        if counts[of_the_paper]
    ]
    return f"{' '.join(summary)}\n\n{table(heads, rows, len(heads))}"


def _measured(claim: Claim, known: Mapping[Key, Difference]) -> str:
    """The differences that decide, those of the same two arms together."""
    said: dict[tuple[str, str], list[str]] = {}
    for pair in claim.pairs:
        found = known.get((pair.more, pair.less, pair.score))
        gain = "not run" if found is None else f"{TITLES[pair.score]} {_gain(found)}"
        said.setdefault((pair.more, pair.less), []).append(gain)
    return "; ".join(
        f"`{more}` - `{less}`: {', '.join(gains)}" for (more, less), gains in said.items()
    )


def _rules(results: Results) -> str:
    study = results.study
    return (
        "Each claim is decided by comparisons that the configuration names, by rules that were"
        " written down before the arms were run. A difference of two arms is the mean of the"
        f" differences of their {len(study.seeds)} seeds; runs of one seed begin with the same cold"
        " start where the arms do. It counts where (1) its 95 % interval leaves out 0, by a"
        f" bootstrap ({results.draws:,} draws) that draws clips, the same for all runs, and seeds;"
        " (2) all seeds agree on its sign; (3) p is below"
        f" {ALPHA:g}, by approximate randomisation in which all answers to a clip, of all seeds,"
        " change sides together, corrected for all comparisons of this page (Benjamini-Hochberg)."
        " A claim is *reproduced* (what the paper did not claim *holds*) where all its differences"
        " count in the direction claimed, and are as large as it says; *contradicted* where one"
        " counts in the other direction; anything else is *not reproduced* (*not shown*). ±"
        " is the standard deviation over seeds; scores are percent. Behind a difference stands its"
        " interval. In the plots a dot is a run and a bar a mean, of cold starts in orange."
    )


# --- Questions --------------------------------------------------------------------------


def _question(
    number: int, question: Question, results: Results, picture: str | None
) -> Iterator[str]:
    yield f"## {number}. {question.title}"
    yield question.asks.strip()
    compared = f"`{question.against}`" if question.against else "its cold start"
    heads = ["", "what", *(TITLES[s] for s in question.scores)]
    heads.append(f"{TITLES[question.scores[0]]}, against {compared}")
    heads += ["published, OV-MERD+"] if question.published else []
    yield table(heads, [_row(name, question, results) for name in question.arms], 2)
    stopped = [run for name in question.arms for run in results.of(name) if run.stopped]
    if stopped:
        said = ", ".join(f"`{run.name}` seed {run.seed} ({run.stopped})" for run in stopped)
        yield f"Stopped by a guard: {said}."
    if picture is not None:
        # The picture stands in the page itself, so that it takes the page's colours.
        yield f'<figure style="width: 100%">\n--8<-- "{picture}"\n</figure>'
    if question.sample:
        yield from _samples(question, results)


def _row(name: str, question: Question, results: Results) -> list[str]:
    study = results.study
    runs = results.of(name)
    missing = len(study.seeds) - len(runs)
    called = f"`{name}`" + (f" ({len(runs)} of {len(study.seeds)} seeds)" if missing else "")
    cells = [called, _cell(study.trained[name].about)]
    cells += [_spread(runs, score) for score in question.scores]
    other = against(study, question, name)
    found = results.known.get((name, other, question.scores[0])) if other else None
    cells.append("" if found is None else _gain(found))
    if question.published:
        cells.append(f"{question.published[name]:.2f}" if name in question.published else "")
    return cells


def _samples(question: Question, results: Results) -> Iterator[str]:
    shown = {one.name: one for one in results.samples if one.name in question.arms}
    if not shown:
        return
    first = next(iter(shown.values()))
    gold = ", ".join(first.gold)
    yield f"What each says of clip `{first.clip}` (gold: {gold}), first seed:"
    lines = [f"{name}: {_cut(shown[name].text)}" for name in question.arms if name in shown]
    yield "```text\n" + "\n".join(lines) + "\n```"


# --- What it took -----------------------------------------------------------------------


def _cold_starts(results: Results) -> Iterator[str]:
    rows = []
    for name in results.study.cold_starts:
        runs = [run for run in results.of(name) if run.best_loss is not None]
        if not runs:
            continue
        stopped = sum((run.best_step or 0) < (run.last_step or 0) for run in runs)
        losses = [run.best_loss for run in runs if run.best_loss is not None]
        rows.append(
            (
                f"`{name}`",
                ", ".join(str(run.best_step) for run in runs),
                ", ".join(str(run.last_step) for run in runs),
                _mean_sd(losses, 3),
                f"{stopped} of {len(runs)}",
            )
        )
    if rows:
        yield "## Cold starts"
        yield (
            "The checkpoint of lowest held-out loss is taken. Where that is not the last one looked"
            " at, the loss had stopped falling."
        )
        heads = ("", "best step", "last step", "loss, nats a token", "had stopped falling")
        yield table(heads, rows, 1)


def _cost(results: Results) -> Iterator[str]:
    rows = []
    for name in results.study.trained:
        runs = results.of(name)
        if not runs:
            continue
        rows.append(
            (
                f"`{name}`",
                str(len(runs)),
                _mean_sd([run.steps for run in runs], 0),
                f"{round(fmean(run.passes for run in runs)):,}",
                _mean_sd([r.cpu_seconds for r in runs if r.cpu_seconds is not None], 0),
                _mean_sd([r.seconds for r in runs if r.seconds is not None], 0),
            )
        )
    if not rows:
        return
    yield "## Cost"
    total = sum(run.cpu_seconds or 0 for run in results.runs)
    yield (
        "Each run is a process on one core. *Passes* are rows, prompt and answer, through the"
        " policy: forward counts 1, back 2, so that a row of GRPO counts 5 (sampled, seen by the"
        " reference, trained on) and a row of supervised training 3; this is by what compute is"
        " held equal. Seconds are measured, start of the process, held-out looks and the"
        f" {results.clips} answers of the task included. All runs together:"
        f" {total / 3600:.1f} hours of one core."
    )
    heads = ("", "runs", "steps", "passes", "CPU seconds a run", "seconds a run")
    yield table(heads, rows, 1)


def _again(results: Results, config: str) -> Iterator[str]:
    answers = posixpath.normpath(posixpath.join(posixpath.dirname(config), results.study.answers))
    yield "## Run it again"
    yield (
        f"```bash\npython baselines/study.py --config {config} --jobs 2\n```\n\n"
        "What is done is not run again, what was interrupted goes on. `--only ARM` runs one arm"
        " and what it begins with. All numbers behind this page stand in `docs/study.json`, the"
        " rules in the configuration, and the answers of all runs, as prediction files, in"
        f" `{answers}`: from those, `--page-only` works out every score and difference again."
    )
    if results.versions:
        said = ", ".join(f"{name} {version}" for name, version in results.versions.items())
        yield f"Made with {said}."


# --- Numbers ----------------------------------------------------------------------------


def _spread(runs: Sequence[RunResult], score: Score) -> str:
    return _mean_sd([in_points(score, run.scores[score]) for run in runs], 2)


def _mean_sd(values: Sequence[float], digits: int) -> str:
    if not values:
        return ""
    mean = f"{fmean(values):,.{digits}f}"
    if len(values) < 2:
        return mean
    spread = stdev(values)
    return mean if digits == 0 and spread < 0.5 else f"{mean}{_KEPT}±{_KEPT}{spread:,.{digits}f}"


def _gain(found: Difference) -> str:
    """Mean and interval; why it does not count where the interval leaves out 0 all the same."""
    mean, low, high = (in_points(found.score, x) for x in (found.mean, found.low, found.high))
    said = f"{mean:+.2f} [{low:+.2f},{_KEPT}{high:+.2f}]"
    if found.sign or low <= 0 <= high:
        return said
    return (
        f"{said} (p {found.p_corrected:.2f})"
        if found.p_corrected >= ALPHA
        else f"{said} (not all seeds)"
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _cut(text: str) -> str:
    said = printable(" ".join(text.split())).replace("```", "'''")
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
