"""The report of a run: complete, the same each time, and safe to open."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from affectgpt_rl.runs import metric_names as m
from affectgpt_rl.runs.folder import RunFolder, Sample
from affectgpt_rl.runs.guards import Watch, rules
from affectgpt_rl.runs.plots import Curve, curves_svg, smoothed, thinned
from affectgpt_rl.runs.report import html, pictures, shown, write_report
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench import OvmerError, ScoreReport
from synthetic_run import finished_run, mini, write_scores

HOSTILE = "</pre></bdi><script>alert('x')</script>\u202e\x1b[31m\x00\ud800&amp;{{ 7*7 }}"


class Page(HTMLParser):
    """Tags, ids and visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href") or name.startswith("on"):
                self.links.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return finished_run(tmp_path_factory.mktemp("runs") / "one", steps=60)


@pytest.fixture(scope="module")
def page(run: RunFolder) -> str:
    return write_report(run).read_text("utf-8")


def test_the_page_says_what_was_run_and_what_came_of_it(run: RunFolder, page: str) -> None:
    text = Page(page).text
    facts = run.facts()
    for name, version in facts["environments"][0]["versions"].items():
        assert f"{name} {version}" in text
    assert facts["lexicon"]["sha256"] in text
    assert run.config_file.read_text("utf-8") in text
    before, after = (ScoreReport.read(run.scores_file(k)) for k in ("cold_start", "final"))
    for report in (before, after):
        score = report.main_score
        assert f"{100 * score.value:.2f}" in text
        assert score.interval is not None
        assert f"[{100 * score.interval.low:.2f}, {100 * score.interval.high:.2f}]" in text
    assert f"{100 * (after.main_score.value - before.main_score.value):+.2f}" in text
    clip = run.samples("final")[0]
    for said in (clip.id, ", ".join(clip.gold), clip.text, clip.subtitle):
        assert said in text
    assert "Completions sampled at step 60" in text
    titles = (
        *("Reward by component", "EW-F on held-out clips", "Labels per clip", "Format"),
        *("KL divergence to the cold start", "Entropy", "Loss of the cold start"),
    )
    for title in titles:
        assert title in text


def test_the_page_needs_nothing_else(page: str) -> None:
    parsed = Page(page)
    assert not {"script", "link", "img", "iframe", "object"} & set(parsed.tags)
    assert all(link.startswith("#") for link in parsed.links)
    assert not re.search(r"url\((?!#)", page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(parsed.ids)
    assert parsed.tags.count("svg") == parsed.tags.count("figure") == 10


def test_the_same_folder_gives_the_same_bytes(
    run: RunFolder, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert html(run) == page
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b", page)


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    folder = RunFolder.open(mini(tmp_path / "run"))
    text = Page(write_report(folder.path).read_text("utf-8")).text
    assert "none was begun" in text
    folder.start("sft", resume=False)
    folder.log("sft", 1, {m.LOSS: 2.0})
    write_scores(folder, "cold_start")
    page = Page(html(folder))
    assert "running, or interrupted" in page.text
    assert "after GRPO" not in page.text
    assert page.tags.count("svg") == 1
    with folder.metrics_file.open("ab") as file:
        file.write(b'{"stage": "sft", "st')
    assert Page(html(folder)).tags.count("svg") == 1


def test_why_a_run_was_stopped_stands_first(tmp_path: Path) -> None:
    folder = RunFolder.open(mini(tmp_path / "run"))
    folder.start("rl", resume=False)
    watch = Watch(rules(folder.config().guards))
    for step in range(1, 31):
        watch.see(step, {m.ZERO_STD: 1.0})
    assert watch.verdict is not None
    folder.finish("rl", 30, watch.verdict.to_dict())
    text = Page(html(folder)).text
    for said in (watch.verdict.seen, watch.verdict.meaning, watch.verdict.advice):
        assert said in text
    assert text.index("Stopped at step 30 by guard no_signal") < text.index("Stages")


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    folder = RunFolder.open(
        mini(
            tmp_path / "run",
            "prompt.instruction=</pre><script>alert(1)</script>",
            "rewards={'<svg onload=x>': {kind: accuracy, weight: 1.0}, _under: {kind: accuracy}}",
        )
    )
    folder.start("rl", resume=False)
    rewards = {m.reward_mean(name): 0.5 for name in folder.config().rewards}
    folder.log("rl", 1, rewards | {m.reward_mean("$\\frac{1}{2}$]]>"): 0.1})
    safe = HOSTILE.replace("\ud800", "")
    folder.write_samples("final", [Sample(safe, [safe, "joy"], safe * 40, safe)])
    row = {safe: safe, "gold": [safe], "rewards": {safe: 0.5}, "advantage": None}
    folder.write_completions(20, [row])
    text = html(folder)
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert page.tags.count("svg") == 1
    assert page.links == [link for link in page.links if link.startswith("#")]
    assert "<script>alert('x')</script>" in page.text
    assert "_under" in page.text
    assert "{{ 7*7 }}" in page.text
    assert not set("\u202e\x1b\x00") & set(text)


def test_numbers_that_are_missing_leave_gaps_not_errors() -> None:
    rows = [
        {"stage": "rl", "step": 1, m.KL: None},
        {"stage": "rl", "step": 2, m.KL: 0.5, m.ENTROPY: None},
        {"stage": "sft", "step": 2, m.KL: 0.5},
    ]
    [picture] = pictures(rows)
    assert picture["title"].startswith("KL")
    assert picture["said"].endswith("KL ends at 0.5")


def test_broken_scores_are_named(tmp_path: Path) -> None:
    folder = RunFolder.open(mini(tmp_path / "run"))
    folder.scores_file("final").parent.mkdir()
    folder.scores_file("final").write_text("{}")
    with pytest.raises(OvmerError, match=r"final\.json"):
        write_report(folder)
    with pytest.raises(OvmerError, match="is no run folder"):
        write_report(tmp_path)


def test_a_long_run_is_drawn_with_few_points() -> None:
    points = [(step, float(step % 7)) for step in range(20_000)]
    few = thinned(points)
    assert len(few) <= 250
    assert few[-1][0] == 19_999
    assert len(curves_svg("x", [Curve("a", points)], "u", legend=True)) < 40_000


points = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(
    lambda values: list(enumerate(values))
)


@given(points, st.integers(1, 20))
def test_smoothing_and_thinning_stay_within_the_numbers(
    noisy: list[tuple[int, float]], width: int
) -> None:
    values = [value for _, value in noisy]
    for made in (smoothed(noisy, width), thinned(noisy, width)):
        assert made[-1][0] == noisy[-1][0]
        for _, value in made:
            assert min(values) - 1e-6 <= value <= max(values) + 1e-6
    assert thinned(noisy, 1)[0][1] == pytest.approx(sum(values) / len(values), abs=1e-6)


@given(st.text())
def test_any_text_can_be_shown(text: str) -> None:
    said = shown(text)
    assert all(c.isprintable() or c == "\n" for c in said)
    said.encode("utf-8")
