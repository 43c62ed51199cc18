"""Runs of one system, and the nine corpora of MER-UniBench."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ovmer_bench.corpora.registry import MER_UNIBENCH
from ovmer_bench.errors import InputError
from ovmer_bench.metrics.runs import summarise, unibench
from ovmer_bench.metrics.score_report import Score, ScoreReport
from ovmer_bench.metrics.scoring import score

GOLD = {"a": ["happy"], "b": ["angry"]}
REPORT = score({"a": ["happy"], "b": ["sad"]}, GOLD, draws=0)


def with_main(value: float, skill: float, corpus: str = "custom") -> ScoreReport:
    main = replace(REPORT.main_score, value=value, skill=skill)
    return replace(REPORT, scores={REPORT.main: main}, corpus=corpus)


def test_mean_and_standard_deviation_by_hand() -> None:
    """0.4, 0.5, 0.9: mean 0.6, squares 0.04 + 0.01 + 0.09 over 2."""
    runs = [with_main(0.5, 0.1), with_main(0.4, 0.2), with_main(0.9, 0.6)]
    summary = summarise(runs)
    assert (summary.corpus, summary.n_runs) == ("custom", 3)
    found = summary.scores["S1"]
    assert found.mean == pytest.approx(0.6)
    assert found.std == pytest.approx(0.07**0.5)
    assert (found.low, found.high) == (0.4, 0.9)
    assert found.skill_mean == pytest.approx(0.3)
    assert found.skill_std == pytest.approx(0.07**0.5)


def test_real_runs_are_summarised_in_every_score() -> None:
    other = score({"a": ["happy"], "b": ["furious"]}, GOLD, draws=0)
    summary = summarise([REPORT, other])
    assert set(summary.scores) == set(REPORT.scores)
    for name, found in summary.scores.items():
        values = [report.scores[name].value for report in (REPORT, other)]
        assert found.mean == pytest.approx(sum(values) / 2)
        assert found.std == pytest.approx(abs(values[0] - values[1]) / 2**0.5)


def test_equal_runs_do_not_vary() -> None:
    for found in summarise([REPORT, REPORT]).scores.values():
        assert found.std == found.skill_std == 0


def test_runs_that_are_not_comparable_are_refused() -> None:
    with pytest.raises(InputError, match="at least two"):
        summarise([REPORT])
    other = score({"a": []}, {"a": ["sad"]}, draws=0)
    with pytest.raises(InputError, match="different signatures"):
        summarise([REPORT, other])


def test_runs_must_hold_the_same_scores() -> None:
    with pytest.raises(InputError, match="scores"):
        summarise([REPORT, with_main(0.5, 0.5)])


def nine() -> list[ScoreReport]:
    return [with_main(i / 10, 0.0, name) for i, name in enumerate(MER_UNIBENCH, 1)]


def test_unibench_is_the_plain_mean_of_nine() -> None:
    assert len(MER_UNIBENCH) == 9
    result = unibench(nine())
    assert result.mean == pytest.approx(0.5)
    assert list(result.scores) == list(MER_UNIBENCH)
    assert unibench(nine()[::-1]) == result


def test_unibench_has_no_mean_while_a_part_is_missing() -> None:
    for i, name in enumerate(MER_UNIBENCH):
        reports = nine()
        del reports[i]
        result = unibench(reports)
        assert result.mean is None
        assert result.scores[name] is None
        assert sum(value is not None for value in result.scores.values()) == 8
    assert unibench([]).mean is None


def test_unibench_leaves_out_other_corpora_and_refuses_doubles() -> None:
    assert unibench([*nine(), with_main(0.0, 0.0, "ovmerd")]).mean == pytest.approx(0.5)
    with pytest.raises(InputError, match="two reports of corpus 'meld'"):
        unibench([*nine(), with_main(0.0, 0.0, "meld")])


def test_a_score_is_plain_data() -> None:
    assert isinstance(REPORT.main_score, Score)
    assert REPORT.main_score is REPORT.scores["S1"]
