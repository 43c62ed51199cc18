"""Several prediction files of one system: mean and standard deviation, as papers report them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from ..corpora.registry import MER_UNIBENCH
from ..errors import InputError
from .score_report import ScoreReport


@dataclass(frozen=True)
class RunScore:
    """One score over runs; ``std`` is the sample standard deviation (n - 1)."""

    mean: float
    std: float
    low: float
    high: float
    skill_mean: float
    skill_std: float


@dataclass(frozen=True)
class RunSummary:
    """Scores over the runs of one system on one corpus."""

    corpus: str
    n_runs: int
    scores: Mapping[str, RunScore]


def summarise(reports: Sequence[ScoreReport]) -> RunSummary:
    """Mean, standard deviation and range of every score over two or more runs.

    Raises:
        InputError: fewer than two runs, or runs that are not comparable.
    """
    if len(reports) < 2:
        raise InputError("a summary takes at least two runs")
    signatures = sorted({report.signature for report in reports})
    if len(signatures) > 1:
        raise InputError(f"runs with different signatures: {' and '.join(signatures)}")
    if any(report.scores.keys() != reports[0].scores.keys() for report in reports):
        raise InputError("runs that do not hold the same scores")
    scores = {}
    for name in reports[0].scores:
        values = [report.scores[name].value for report in reports]
        skills = [report.scores[name].skill for report in reports]
        scores[name] = RunScore(
            fmean(values), stdev(values), min(values), max(values), fmean(skills), stdev(skills)
        )
    return RunSummary(reports[0].corpus, len(reports), scores)


@dataclass(frozen=True)
class UniBench:
    """MER-UniBench: the nine main scores and their plain mean.

    Attributes:
        scores: corpus -> main score, ``None`` where it was not scored.
        mean: mean of all nine; ``None`` while any is missing, never a flattering part of it.
    """

    scores: Mapping[str, float | None]
    mean: float | None


def unibench(reports: Sequence[ScoreReport]) -> UniBench:
    """The MER-UniBench mean of one system from its reports, one a corpus.

    Raises:
        InputError: two reports of one corpus.
    """
    found: dict[str, float] = {}
    for report in reports:
        if report.corpus in found:
            raise InputError(f"two reports of corpus {report.corpus!r}")
        found[report.corpus] = report.main_score.value
    scores = {name: found.get(name) for name in MER_UNIBENCH}
    present = [value for value in scores.values() if value is not None]
    complete = len(present) == len(MER_UNIBENCH)
    return UniBench(scores, fmean(present) if complete else None)
