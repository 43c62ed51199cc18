"""The study without its trainings: plan, scores, comparisons, verdicts, page."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from affectgpt_rl.config.yaml import read_yaml
from affectgpt_rl.runs.folder import RunFolder
from affectgpt_rl.study import write_page
from affectgpt_rl.study.comparisons import Difference, differences, verdict
from affectgpt_rl.study.config import Claim, Pair, StudyConfig, load_study
from affectgpt_rl.study.page import page
from affectgpt_rl.study.plan import StudyRun, plan
from affectgpt_rl.study.results import Results, RunResult, Shown, against, wanted
from affectgpt_rl.study.scores import SCORES, RunMeasure, TaskGold, values_of
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench import OvmerError, evaluate, load_lexicon
from ovmer_bench.metrics.sentiment import sentiment
from ovmer_bench.reading.schema import Sample

BASELINES = Path(__file__).parents[2] / "baselines"
DOCS = BASELINES.parent / "docs"
STUDY = BASELINES / "configs" / "study.yaml"
FEELINGS = ("happy", "sad", "angry", "scared", "surprised", "disgusted", "proud", "bored")


@pytest.fixture(scope="module")
def study() -> StudyConfig:
    return load_study(STUDY)


@pytest.fixture(scope="module")
def runs(study: StudyConfig) -> list[StudyRun]:
    return plan(study, STUDY.parent)


# --- Configuration and plan -----------------------------------------------------------------


def test_the_study_asks_all_that_it_is_to_ask(study: StudyConfig, runs: list[StudyRun]) -> None:
    assert len(study.seeds) >= 3
    assert len(runs) == len(study.seeds) * len(study.trained)
    assert [run.seed for run in runs if run.name == "rl"] == list(study.seeds)
    rewards = {run.name: {n for n, r in run.config.rewards.items() if r["weight"]} for run in runs}
    assert rewards["rl"] == {"accuracy", "format"}
    assert rewards["think_all_five"] == {"accuracy", "format", "alignment", "dual", "perception"}
    assert rewards["hacker"] == {"hit_rate"}
    shown = {frozenset(run.config.data.modalities) for run in runs if run.stage == "rl"}
    assert len(shown) == 7
    for run in runs:
        assert run.config.evaluation.task == "ovmer_mini"
        assert run.config.guards.verbosity is None


def test_every_run_comes_after_what_it_begins_with(runs: list[StudyRun]) -> None:
    before: dict[tuple[str, int], StudyRun] = {}
    for run in runs:
        if run.needs is not None:
            first = before[run.needs, run.seed]
            stage = "warm_up" if run.name.startswith("cold") else "sft"
            assert run.config.policy.path == first.folder.final_dir(stage).as_posix()
            assert run.config.warm_up is None
        before[run.name, run.seed] = run
    assert len({run.config.output for run in runs}) == len(runs)


def test_the_control_gets_the_compute_of_rl_and_its_gold(runs: list[StudyRun]) -> None:
    by_name = {run.name: run for run in runs}
    rl, control = by_name["rl"], by_name["more_sft"]
    assert control.config.data.cold_start == rl.config.data.rl
    clips = control.config.data.cold_start.clips or 0
    assert 0 <= control.passes() - rl.passes() < 3 * clips
    grpo = rl.config.grpo
    assert grpo.beta > 0 and grpo.num_iterations == 1
    assert rl.passes() == 5 * grpo.steps * grpo.rows_per_step
    assert rl.passes(grpo.steps // 2) * 2 == rl.passes()


def test_one_arm_brings_what_it_begins_with(study: StudyConfig) -> None:
    chosen = plan(study, STUDY.parent, ["rl_a"])
    assert [run.name for run in chosen[:: len(study.seeds)]] == ["cold", "cold_a", "rl_a"]
    with pytest.raises(OvmerError, match="rl_a"):
        plan(study, STUDY.parent, ["rl_aa"])


def test_answers_of_a_cold_start_are_those_that_grpo_asked_for(
    study: StudyConfig, tmp_path: Path
) -> None:
    moved = study.model_copy(update={"output": str(tmp_path)})
    cold, *_, last = plan(moved, STUDY.parent, ["cold", "p2"])
    assert not cold.to_be_asked() and last.to_be_asked()
    asked = last.folder.predictions_file("cold_start")
    asked = Path(str(asked).replace(f"seed{last.seed}", f"seed{cold.seed}"))
    asked.parent.mkdir(parents=True)
    asked.write_text("", "utf-8")
    assert cold.predictions == asked


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("arms", "rl", "cold_start"), "clod", "did you mean 'cold'"),
        (("arms", "rl", "train"), "ppo", "grpo"),
        (("arms", "more_sft", "compute_of"), None, "compute_of"),
        (("arms", "cold"), None, "arms.cold"),
        (("cold_starts", "cold_a", "warm_up_of"), "cold_t", "no warm-up of its own"),
        (("seeds",), [1, 1], "twice"),
        (("questions", 0, "arms"), ["rl", "rll"], "rll"),
        (("questions", 0, "scores"), ["S9"], "S1"),
        (("titel",), "x", "unknown key"),
    ],
)
def test_mistakes_are_named(
    path: tuple[str | int, ...], value: object, said: str, tmp_path: Path
) -> None:
    raw = read_yaml(STUDY)
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file = tmp_path / "study.yaml"
    file.write_text(repr(raw).replace("None", "null").replace("True", "true"), "utf-8")
    with pytest.raises(OvmerError) as error:
        load_study(file)
    assert said.lower() in str(error.value).lower()
    assert str(file) in str(error.value)


def test_a_setting_that_is_refused_names_its_arm(study: StudyConfig) -> None:
    arm = study.arms["rl"].model_copy(update={"set": {"grpo.stepps": 3}})
    wrong = study.model_copy(update={"arms": {"rl": arm}})
    with pytest.raises(OvmerError, match=r"grpo\.stepps.*setting of rl"):
        plan(wrong, STUDY.parent)


def test_a_folder_of_other_settings_is_not_taken_for_done(
    study: StudyConfig, tmp_path: Path
) -> None:
    moved = study.model_copy(update={"output": str(tmp_path)})
    run = plan(moved, STUDY.parent, ["cold"])[0]
    assert not run.done()
    RunFolder.open(run.config)
    assert not run.done()
    other = run.config.model_copy(update={"lexicon": "affectgpt-2025"})
    with pytest.raises(OvmerError, match="lexicon: ovmer"):
        replace(run, config=other).done()


# --- Scores -----------------------------------------------------------------------------------


def made_gold(n: int) -> TaskGold:
    rng = random.Random(n)
    labels = [rng.sample(FEELINGS, rng.randint(1, 3)) for _ in range(n)]
    samples = tuple(Sample(id=f"c{i}", labels=one) for i, one in enumerate(labels))
    lexicon = load_lexicon()
    return TaskGold(
        samples,
        [one if len(one) == 1 else [] for one in labels],
        np.array([float(sentiment(one, lexicon)) for one in labels]),
        lexicon,
    )


def answers(gold: TaskGold, right: float, seed: int) -> dict[str, str]:
    """Outputs that are right with a probability, else of another clip."""
    rng = random.Random(seed)
    said = {}
    for sample in gold.samples:
        labels = sample.labels if rng.random() < right else rng.choice(gold.samples).labels
        said[sample.id] = f"<answer>{', '.join(labels or ())}</answer>"
    return said


def test_scores_are_those_of_the_ruler_on_each_gold() -> None:
    gold = made_gold(80)
    said = answers(gold, 0.5, 1)
    found = values_of(RunMeasure.of(said, gold))
    assert tuple(found) == SCORES
    open_task = evaluate(said, gold.samples).values
    assert found["S1"] == pytest.approx(open_task["S1"])
    assert found["S1/skill"] == pytest.approx(open_task["S1/skill"])
    single = [
        Sample(id=s.id, label=one[0])
        for s, one in zip(gold.samples, gold.feelings, strict=True)
        if one
    ]
    closed = evaluate({s.id: said[s.id] for s in single}, single).values
    assert found["hit_rate"] == pytest.approx(closed["hit_rate"])
    assert found["hit_rate/skill"] == pytest.approx(closed["hit_rate/skill"])
    signed = [
        Sample(id=s.id, valence=float(v)) for s, v in zip(gold.samples, gold.valence, strict=True)
    ]
    sign = evaluate(said, signed).values
    assert found["WAF"] == pytest.approx(sign["WAF"])
    assert found["WAF/skill"] == pytest.approx(sign["WAF/skill"])
    counts = [len(text.split(",")) for text in said.values()]
    assert found["labels"] == pytest.approx(sum(counts) / len(counts))
    assert found["S1"] < found["hits"] <= 1


def test_gold_scores_highest_and_silence_nothing() -> None:
    gold = made_gold(40)
    best = values_of(RunMeasure.of(answers(gold, 1.0, 0), gold))
    assert all(best[s] == pytest.approx(1) for s in ("S1", "S1/skill", "hits", "WAF"))
    none = values_of(RunMeasure.of({s.id: "<answer></answer>" for s in gold.samples}, gold))
    assert all(none[s] == 0 for s in ("S1", "S1/skill", "hits", "hit_rate", "labels"))


def test_gold_of_the_task_knows_what_is_behind_its_clips() -> None:
    gold = TaskGold.of("ovmer_mini", "ovmer")
    assert len(gold.samples) == len(gold.feelings) == len(gold.valence) == 500
    one = [s for s, feeling in zip(gold.samples, gold.feelings, strict=True) if feeling]
    assert all(s.tags["feelings"] == 1 for s in one) and 200 < len(one) < 340
    assert {-1.0, 1.0} <= set(gold.valence)
    with pytest.raises(OvmerError, match="ovmer_mini"):
        TaskGold.of("ovmer_scenes", "ovmer")


# --- Comparisons ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arms() -> dict[str, list[RunMeasure]]:
    gold = made_gold(150)
    shares = {"low": (0.4, 0.42, 0.38), "high": (0.7, 0.68, 0.72), "split": (0.7, 0.2, 0.4)}
    return {
        name: [RunMeasure.of(answers(gold, s, 10 * i), gold) for i, s in enumerate(share)]
        for name, share in shares.items()
    }


def test_a_difference_counts_where_all_seeds_and_clips_agree(
    arms: dict[str, list[RunMeasure]],
) -> None:
    found = differences(
        [("high", "low", "S1"), ("low", "high", "S1"), ("high", "split", "S1")],
        {**arms},
        draws=300,
    )
    up, down, _ = found
    assert up.sign == 1 and down.sign == -1
    assert up.mean == pytest.approx(-down.mean) and up.low == pytest.approx(-down.high, abs=0.02)
    assert up.low < up.mean < up.high and len(up.by_seed) == 3
    expected = [
        values_of(a)["S1"] - values_of(b)["S1"]
        for a, b in zip(arms["high"], arms["low"], strict=True)
    ]
    assert up.by_seed == pytest.approx(expected)
    assert found == differences(
        [("high", "low", "S1"), ("low", "high", "S1"), ("high", "split", "S1")],
        {**arms},
        draws=300,
    )


def test_seeds_that_disagree_make_no_difference(arms: dict[str, list[RunMeasure]]) -> None:
    (one,) = differences([("split", "low", "S1")], arms, draws=300)
    assert min(one.by_seed) < 0 < max(one.by_seed)
    assert one.sign == 0 and one.low < 0 < one.high


def test_an_arm_does_not_differ_from_itself(arms: dict[str, list[RunMeasure]]) -> None:
    same = differences(
        [("low", "low2", s) for s in SCORES], {**arms, "low2": arms["low"]}, draws=50
    )
    assert len(same) == len(SCORES)
    assert all(one.mean == one.low == one.high == 0 and one.p == 1 for one in same)


def test_what_was_not_run_is_not_compared(arms: dict[str, list[RunMeasure]]) -> None:
    assert differences([("low", "unknown", "S1")], arms, draws=10) == []


def test_more_comparisons_ask_for_smaller_p(arms: dict[str, list[RunMeasure]]) -> None:
    alone = differences([("high", "low", "S1")], arms, draws=100)[0]
    many = differences(
        [("high", "low", "S1"), ("split", "low", "S1"), ("split", "low", "WAF")], arms, draws=100
    )[0]
    assert alone.p == alone.p_corrected == many.p <= many.p_corrected


def difference(
    more: str, less: str, mean: float, *, width: float = 0.01, p: float = 0.001
) -> Difference:
    seeds = (mean - width / 2, mean, mean + width / 2)
    return Difference(more, less, "S1", seeds, mean - width, mean + width, p, p)


def claim(*pairs: tuple[str, str], at_least: float = 0.0) -> Claim:
    made = [Pair(more=a, less=b, score="S1", at_least=at_least) for a, b in pairs]
    return Claim(says="x", published=None, pairs=tuple(made))


@pytest.mark.parametrize(
    ("mean", "more", "at_least", "expected"),
    [
        (0.05, {}, 0.0, "reproduced"),
        (0.05, {}, 4.0, "reproduced"),
        (0.03, {}, 4.0, "not reproduced"),
        (-0.05, {}, 0.0, "contradicted"),
        (0.05, {"p": 0.06}, 0.0, "not reproduced"),
        (-0.05, {"p": 0.06}, 0.0, "not reproduced"),
        (0.005, {}, 0.0, "not reproduced"),
        (0.0, {}, 0.0, "not reproduced"),
    ],
)
def test_verdicts_follow_the_rule(
    mean: float, more: dict[str, float], at_least: float, expected: str
) -> None:
    one = difference("a", "b", mean, **more)
    assert verdict(claim(("a", "b"), at_least=at_least), {("a", "b", "S1"): one}) == expected


@given(st.lists(st.sampled_from([0.05, 0.0, -0.05]), min_size=1, max_size=4))
def test_a_claim_is_as_good_as_its_worst_comparison(means: list[float]) -> None:
    pairs = [(f"a{i}", "b") for i in range(len(means))]
    known = {
        (a, b, "S1"): difference(a, b, mean) for (a, b), mean in zip(pairs, means, strict=True)
    }
    expected = "reproduced" if min(means) > 0 else "not reproduced"
    expected = "contradicted" if min(means) < 0 else expected
    assert verdict(claim(*pairs), known) == expected
    assert verdict(claim(*pairs, ("c", "b")), known) == "not run"


@settings(max_examples=30)
@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=4),
    st.floats(-1, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_turning_a_comparison_round_turns_its_sign(
    seeds: list[float], low: float, width: float, p: float
) -> None:
    one = Difference("a", "b", "S1", tuple(seeds), low, low + width, p, p)
    other = replace(one, by_seed=tuple(-s for s in seeds), low=-low - width, high=-low)
    assert one.sign == -other.sign


# --- Page -------------------------------------------------------------------------------------


def made_results(study: StudyConfig, without: tuple[str, ...] = ()) -> Results:
    """Results as if all had been run, but for some arms."""
    rng = random.Random(5)
    runs = [
        RunResult(
            name=name,
            seed=seed,
            settings="0123456789abcdef",
            scores={s: (3 if s == "labels" else 0.6) + rng.random() / 10 for s in SCORES},
            steps=120,
            passes=38400,
            seconds=101.5,
            cpu_seconds=88.25,
            stopped="verbosity" if (name, seed) == ("hacker", 0) else None,
            best_step=360 if name.startswith("cold") else None,
            best_loss=0.5 if name.startswith("cold") else None,
            last_step=540 if name.startswith("cold") else None,
        )
        for name in study.trained
        if name not in without
        for seed in study.seeds
    ]
    known = [
        Difference(*key, (0.01, 0.02, 0.03), -0.01 + 0.02 * (i % 2), 0.04, 0.001, 0.01)
        for i, key in enumerate(wanted(study))
        if not {*key[:2]} & {*without}
    ]
    shown = tuple(
        Shown(name, "mini-test-000000", ("sad",), f"<answer>{name}\n```</answer>")
        for name in ("cold", "rl", "hacker", "cold_think", "think_rl")
    )
    return Results(
        study, len(study.trained) * len(study.seeds), tuple(runs), tuple(known), shown,
        500, 1000, {"python": "3.11"},
    )  # fmt: skip


def test_the_page_answers_every_question(study: StudyConfig) -> None:
    text = page(made_results(study), [None] * len(study.questions), config="study.yaml")
    for question in study.questions:
        assert question.title in text
        for one in question.claims:
            assert f"| {' '.join(one.says.split())} |" in text
        for name, published in question.published.items():
            assert re.search(rf"^\| `{name}` \|.*\| {published:.2f} \|$", text, re.M)
    assert "Unfinished" not in text and ": not run" not in text and "**not run**" not in text
    assert "Stopped by a guard: `hacker` seed 0 (verbosity)" in text
    assert text.count("```") % 2 == 0 and "'''" in text
    assert "3 of 3" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    for line, following in pairwise(lines):
        if set(following) <= set("|-: "):
            assert line.count("|") == following.count("|")


def test_what_was_not_run_is_said(study: StudyConfig) -> None:
    text = page(
        made_results(study, ("rl_a", "hacker")), [None] * len(study.questions), config="study.yaml"
    )
    assert 'note "Unfinished"' in text
    assert "`rl_a` (0 of 3 seeds)" in text and "`rl_a` - `cold_a`: not run" in text
    empty = replace(made_results(study), runs=(), differences=(), samples=(), clips=0)
    text = page(empty, [None] * len(study.questions), config="study.yaml")
    assert "**not run**" in text and "## Cost" not in text
    assert not re.search(r"\*\*(reproduced|holds|contradicted)\*\*", text)


def test_numbers_survive_the_file_and_the_page_is_made_of_it(
    study: StudyConfig, tmp_path: Path
) -> None:
    results = made_results(study)
    first = write_page(results, tmp_path / "docs" / "study.md", STUDY)
    before = {file: file.read_bytes() for file in first}
    again = Results.read(tmp_path / "docs" / "study.json")
    assert [run.name for run in again.runs] == [run.name for run in results.runs]
    assert write_page(again, tmp_path / "docs" / "study.md", STUDY) == first
    assert {file: file.read_bytes() for file in first} == before
    (tmp_path / "other.json").write_text('{"schema_version": 9}', "utf-8")
    for text in ('{"schema_version": 9}', "[]", "{}", "no"):
        (tmp_path / "other.json").write_text(text, "utf-8")
        with pytest.raises(OvmerError):
            Results.read(tmp_path / "other.json")


def test_pictures_stand_in_the_page_and_take_its_colours(
    study: StudyConfig, tmp_path: Path
) -> None:
    written = write_page(made_results(study), tmp_path / "docs" / "study.md", STUDY)
    text = (tmp_path / "docs" / "study.md").read_text("utf-8")
    pictures = [file for file in written if file.suffix == ".svg"]
    assert len(pictures) == sum(bool(question.plot) for question in study.questions)
    for file in pictures:
        assert f'--8<-- "docs/images/{file.name}"' in text
        drawn = file.read_text("utf-8")
        assert drawn.startswith("<svg") and "currentColor" in drawn
        # A blank line would end the block of HTML in which Markdown leaves it alone.
        assert "\n\n" not in drawn.strip()
        assert "rl" in drawn


def test_every_row_is_compared_with_what_the_page_says(study: StudyConfig) -> None:
    modalities = study.questions[5]
    assert against(study, modalities, "rl_a") == "cold_a"
    assert against(study, modalities, "cold_a") is None
    assert against(study, study.questions[3], "p1") == "rl"
    assert against(study, study.questions[3], "rl") is None
    assert len(wanted(study)) == len(set(wanted(study)))


def test_the_published_page_is_what_its_numbers_make(tmp_path: Path) -> None:
    """Nobody types into it."""
    numbers = DOCS / "study.json"
    results = Results.read(numbers)
    assert results.study == load_study(STUDY)
    root = tmp_path / "root"
    (root / "docs").mkdir(parents=True)
    config = root / "baselines" / "configs" / "study.yaml"
    written = write_page(results, root / "docs" / "study.md", config)
    for file in written:
        there = DOCS.parent / file.relative_to(root)
        # Another version of matplotlib writes another picture of the same numbers.
        assert there.is_file() and (
            file.suffix == ".svg" or file.read_bytes() == there.read_bytes()
        )
