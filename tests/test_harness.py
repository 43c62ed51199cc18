"""The tasks of the lm-eval harness, run in this process on real corpora and real models.

What the harness prints must be what ``ovmer score`` and the Python API say of the very same
answers, to the last digit.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import run_here
from ovmer_bench import evaluate, prompts, read_predictions
from ovmer_bench.corpora.importers import import_corpus
from ovmer_bench.corpora.registry import CORPORA, MER_UNIBENCH, corpus_info
from ovmer_bench.corpora.store import corpus_folder, load_corpus, save_corpus
from ovmer_bench.errors import InputError, OvmerError
from ovmer_bench.harness import StopRun, load, only_tagged, process_results, tasks_dir
from ovmer_bench.harness.media import clip_audio, clip_frames
from ovmer_bench.harness.models import ReplayLM
from ovmer_bench.harness.scores import metric_names
from ovmer_bench.harness.setup import diagnose, run_harness
from ovmer_bench.lexicon.upstream import install
from ovmer_bench.metrics.gold import as_gold
from ovmer_bench.reading.readers import write_predictions
from ovmer_bench.reading.schema import Prediction, Sample
from ovmer_bench.reference_systems import predict

EMBEDDED = ("ovmer_scenes", "ovmer_mini")
GROUPS = (
    *("ovmer", "ovmer_vision", "ovmer_audio"),
    *("mer_unibench", "mer_unibench_vision", "mer_unibench_audio"),
)
TASKS = sorted(path.stem for path in tasks_dir().glob("*.yaml") if path.stem not in GROUPS)
FILTER = "labels"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``HF_HUB_OFFLINE=1``, which is read once, by the first import in a process."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture(autouse=True)
def own_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness attaches handlers to the streams it finds, which end with each test."""
    for name in (None, "lm_eval"):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "handlers", list(logger.handlers))


@dataclass(frozen=True)
class Run:
    """One run of the harness: its numbers, its printed table, its samples files by task."""

    results: dict[str, dict[str, Any]]
    table: str
    samples: dict[str, Path]

    def value(self, task: str, metric: str) -> Any:
        return self.results[task][f"{metric},{FILTER}"]

    def lines(self, task: str) -> list[dict[str, Any]]:
        text = self.samples[task].read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]


def harness(model: Any, tasks: str | list[str], folder: Path, **options: Any) -> Run:
    """Run the harness as its command line does, with an index of our tasks alone."""
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import make_table

    metadata = options.pop("metadata", {})
    manager = TaskManager(include_path=str(tasks_dir()), include_defaults=False, metadata=metadata)
    tracker = EvaluationTracker(output_path=str(folder))
    results = simple_evaluate(
        model=model,
        tasks=[tasks] if isinstance(tasks, str) else tasks,
        task_manager=manager,
        evaluation_tracker=tracker,
        log_samples=True,
        **{"fewshot_as_multiturn": False, **options},
    )
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples)
    for name in samples:
        tracker.save_results_samples(task_name=name, samples=samples[name])
    files = {name: next(folder.rglob(f"samples_{name}_2*.jsonl")) for name in samples}
    return Run(results["results"], make_table(results), files)


NAMES = {
    "open": {"S1": "S1", "S1_skill": "S1/skill", "S2": "S2", "m_avg": "M-avg"}
    | {"precision": "S1/precision", "recall": "S1/recall"},
    "basic": {"hit_rate": "hit_rate", "hit_rate_skill": "hit_rate/skill", "mscore": "mscore"},
    "sentiment": {"WAF": "WAF", "WAF_skill": "WAF/skill", "accuracy": "ACC"},
}
"""Metrics of the harness, and the same numbers in ``Evaluation.values``."""


def assert_equal_everywhere(
    run: Run,
    task: str,
    corpus: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lexicon: str = "ovmer",
) -> None:
    """The harness, the Python API and ``ovmer score`` on the harness's own samples file."""
    said = read_predictions(run.samples[task])
    assert said.format == "lm-eval"
    evaluation = evaluate(said.predictions, corpus, lexicon=lexicon)
    report = evaluation.report(draws=0)
    kind = corpus_info(corpus).kind
    for ours, theirs in NAMES[kind].items():
        value = run.value(task, ours)
        assert value == evaluation.values[theirs], ours
        assert f"{value:.4f}" in run.table
    health = report.vocabulary
    assert run.value(task, "oov") == health.predicted.oov_tokens
    if kind != "sentiment":
        assert run.value(task, "verbosity") == health.verbosity

    shown = run_here(
        *("score", run.samples[task], "--task", corpus, "--lexicon", lexicon),
        *("--draws", "0", "--json", "report.json"),
        cwd=tmp_path,
        monkeypatch=monkeypatch,
        capsys=capsys,
    )
    assert shown.code == 0, shown.err
    written = json.loads((tmp_path / "report.json").read_text("utf-8"))
    scores = {score["name"]: score for score in written["scores"]}
    for ours, theirs in NAMES[kind].items():
        name, _, part = theirs.partition("/")
        assert scores[name][part or "value"] == round(run.value(task, ours), 12)


def replay(predictions: list[Prediction], folder: Path) -> ReplayLM:
    file = folder / "said.jsonl"
    write_predictions(file, predictions)
    return ReplayLM(predictions=str(file))


# --- Task files -----------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_task_file(task: str) -> None:
    """Every metric that is returned has its aggregation, a score before its standard error."""
    from lm_eval.tasks._yaml_loader import load_yaml

    config = load_yaml(tasks_dir() / f"{task}.yaml")
    said = config["dataset_kwargs"]["ovmer"]
    info = corpus_info(said["corpus"])
    names = [entry["metric"] for entry in config["metric_list"]]
    assert tuple(names) == metric_names(info)
    assert [entry["aggregation"].__module__ for entry in config["metric_list"]] == [
        "ovmer_bench.harness.scores"
    ] * len(names)
    for name in names:
        if name.endswith("_stderr"):
            assert names.index(name.removesuffix("_stderr")) < names.index(name)
    assert config["task"] == task
    assert set(said["evidence"]) <= set(prompts.EVIDENCE)
    assert said["prompt"] == ("think" if task.endswith("_think") else "answer")
    assert config["metadata"]["prompts"] == int(prompts.PROMPTS_VERSION)
    assert config["generation_kwargs"]["do_sample"] is False
    assert prompts.OPENING.startswith(config["generation_kwargs"]["until"][0])
    assert [entry["name"] for entry in config["filter_list"]] == [FILTER]


def test_groups_hold_what_they_promise() -> None:
    from lm_eval.tasks._yaml_loader import load_yaml

    groups = {name: load_yaml(tasks_dir() / f"{name}.yaml") for name in GROUPS}
    for name, group in groups.items():
        assert set(group["task"]) <= set(TASKS), name
        assert all(entry["weight_by_size"] is False for entry in group["aggregate_metric_list"])
    for sense in ("", "_vision", "_audio"):
        assert groups[f"mer_unibench{sense}"]["task"] == [
            f"{name}{sense}" if name == "ovmerdplus" else f"mer_unibench_{name}{sense}"
            for name in MER_UNIBENCH
        ]
    asked = {
        tuple(load_yaml(tasks_dir() / f"{task}.yaml")["dataset_kwargs"]["ovmer"].values())[:1]
        for task in groups["ovmer"]["task"]
    }
    assert {corpus for (corpus,) in asked} == set(EMBEDDED)


def test_text_tasks_stay_text() -> None:
    from lm_eval.tasks._yaml_loader import load_yaml

    for task in TASKS:
        config = load_yaml(tasks_dir() / f"{task}.yaml")
        media = {"frames", "audio"} & set(config["dataset_kwargs"]["ovmer"]["evidence"])
        asked = {key for key in ("doc_to_image", "doc_to_audio") if key in config}
        assert len(media) == len(asked)
        assert not asked or "vision" in task or "audio" in task


# --- Prompts --------------------------------------------------------------------------------


def test_prompts_show_the_evidence_and_nothing_else() -> None:
    sample = load_corpus("ovmer_mini").samples[0]
    shown = prompts.evidence_text(sample.subtitle, sample.clues, ("subtitle", "clues"))
    asked = prompts.prompt(shown, "answer")
    for text in (sample.subtitle["en"], sample.clues["audio"], sample.clues["visual"]):
        assert text in asked
    assert sample.description["en"] not in asked
    only = prompts.evidence_text(sample.subtitle, sample.clues, ("subtitle",))
    assert sample.clues["audio"] not in only
    assert prompts.evidence_text({"zh": "好"}, {}, ("subtitle",)) == "Said: 好"
    frames = prompts.evidence_text(sample.subtitle, {}, ("subtitle", "frames"), 8)
    assert frames.count(prompts.IMAGE) == 8


def test_a_perfect_answer_keeps_the_format() -> None:
    documents = load({"corpus": "ovmer_scenes", "evidence": ["subtitle"], "prompt": "think"})
    for document in documents["test"].select(range(20)):
        (answer,) = set(process_results(document, [document["target"]]).values())
        assert answer.kept
        gold = load_corpus("ovmer_scenes").sample(document["id"]).labels
        assert set(answer.labels) == {label.lower() for label in gold or ()}


@pytest.mark.parametrize(("mode", "evidence"), [("guess", "subtitle"), ("answer", "smell")])
def test_unknown_mode_and_evidence(mode: Any, evidence: Any) -> None:
    with pytest.raises(StopRun, match="unknown"):
        load({"corpus": "ovmer_scenes", "evidence": [evidence], "prompt": mode})


# --- Think mode -----------------------------------------------------------------------------

OUTPUTS = {
    "<think>She smiles.</think><answer>happy, relieved</answer>": (["happy", "relieved"], True),
    "<answer>happy</answer>": (["happy"], False),
    "<think>sad, sad</think> angry": ([], False),
    "happy, proud": ([], False),
    "<think>sad</think><answer>joyful</answer> and that is all": (["joyful"], False),
    "<think>the <answer> is sad</think>": ([], False),
    "": ([], False),
}


def test_think_mode_reads_only_what_is_tagged() -> None:
    document = {
        **{"corpus": "ovmer_mini", "id": "mini-test-000000"},
        **{"lexicon": "ovmer", "prompt_mode": "think"},
    }
    for output, (labels, kept) in OUTPUTS.items():
        ((filtered,),) = only_tagged([[output]], [document])
        (answer,) = set(process_results(document, [filtered]).values())
        assert list(answer.labels) == labels, output
        assert answer.kept is kept, output


def test_format_is_reported(tmp_path: Path) -> None:
    texts = list(OUTPUTS)
    said = [
        Prediction(id=clip, output=texts[i % len(texts)])
        for i, clip in enumerate(as_gold("ovmer_mini").ids)
    ]
    run = harness(replay(said, tmp_path), "ovmer_mini_clues_think", tmp_path / "out")
    kept = [OUTPUTS[texts[i % len(texts)]][1] for i in range(len(said))]
    assert run.value("ovmer_mini_clues_think", "kept_format") == np.mean(kept)


# --- One number everywhere ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "system"),
    [
        ("ovmer_scenes_clues", "keywords-clues"),
        ("ovmer_scenes_subtitle_think", "shuffled"),
        ("ovmer_mini_clues", "shuffled"),
        ("ovmer_mini_clues_think", "constant"),
    ],
)
def test_replayed_predictions(
    task: str,
    system: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    corpus = next(name for name in EMBEDDED if task.startswith(name))
    said = predict(system, as_gold(corpus))
    run = harness(replay(said, tmp_path), task, tmp_path / "out")
    assert_equal_everywhere(run, task, corpus, tmp_path, monkeypatch, capsys)
    assert run.value(task, "S1") == evaluate(said, corpus).values["S1"]
    skill = run.value(task, "S1_skill")
    assert abs(skill) < 1e-12 if system == "constant" else skill != 0


def test_standard_errors_agree_with_the_intervals(tmp_path: Path) -> None:
    """A 95 % interval of a near-normal score is 3.92 standard errors wide."""
    said = predict("shuffled", as_gold("ovmer_scenes"))
    run = harness(replay(said, tmp_path), "ovmer_scenes_clues", tmp_path / "out")
    report = evaluate(said, "ovmer_scenes").report()
    for name in ("S1", "S2"):
        interval = report.scores[name].interval
        assert interval is not None
        width = (interval.high - interval.low) / 3.92
        assert run.value("ovmer_scenes_clues", f"{name}_stderr") == pytest.approx(width, rel=0.15)
    again = harness(replay(said, tmp_path), "ovmer_scenes_clues", tmp_path / "again")
    assert again.results == run.results


def test_the_dummy_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = ["ovmer_scenes_subtitle", "ovmer_scenes_clues_think"]
    run = harness("dummy", tasks, tmp_path / "out")
    for task in tasks:
        assert_equal_everywhere(run, task, "ovmer_scenes", tmp_path, monkeypatch, capsys)
        assert abs(run.value(task, "S1_skill")) < 1e-12


def test_a_limit_scores_the_clips_it_asks_for(tmp_path: Path) -> None:
    gold = as_gold("ovmer_mini")
    said = predict("shuffled", gold)
    run = harness(replay(said, tmp_path), "ovmer_mini_clues", tmp_path / "out", limit=7)
    part = evaluate(said[:7], list(gold.samples[:7]))
    assert run.value("ovmer_mini_clues", "S1") == part.values["S1"]
    assert len(run.lines("ovmer_mini_clues")) == 7


def test_group_means_are_not_weighted_by_size(tmp_path: Path) -> None:
    said = [p for name in EMBEDDED for p in predict("shuffled", as_gold(name))]
    run = harness(replay(said, tmp_path), "ovmer", tmp_path / "out")
    tasks = [task for task in TASKS if f"S1,{FILTER}" in run.results.get(task, {})]
    assert len(tasks) == 6
    for metric in ("S1", "S1_skill"):
        mean = np.mean([run.value(task, metric) for task in tasks])
        assert run.value("ovmer", metric) == pytest.approx(mean, abs=1e-12)
    errors = [run.value(task, "S1_stderr") for task in tasks]
    pooled = np.sqrt(np.sum(np.square(errors))) / len(errors)
    assert run.value("ovmer", "S1_stderr") == pytest.approx(pooled, rel=1e-9)


def test_the_main_score_stands_first_in_the_table(tmp_path: Path) -> None:
    said = predict("shuffled", as_gold("ovmer_mini"))
    run = harness(replay(said, tmp_path), "ovmer_mini_clues", tmp_path / "out", limit=20)
    rows = [row.split("|") for row in run.table.splitlines()[2:]]
    metrics = [row[5].strip() for row in rows if len(row) > 5]
    assert metrics[:3] == ["S1", "S1_skill", "S2"]
    assert not any(name.endswith("stderr") for name in metrics)


# --- Few-shot and chat ----------------------------------------------------------------------


@pytest.mark.parametrize("task", ["ovmer_scenes_clues", "ovmer_mini_clues_think"])
def test_few_shot(task: str, tmp_path: Path) -> None:
    """Examples carry gold and never the clip itself; mini's come from a split never scored."""
    corpus = next(name for name in EMBEDDED if task.startswith(name))
    said = predict("shuffled", as_gold(corpus))
    options = {"limit": 30, "num_fewshot": 3}
    run = harness(replay(said, tmp_path), task, tmp_path / "out", **options)
    mode = "think" if task.endswith("think") else "answer"
    documents = load({"corpus": corpus, "evidence": ["subtitle", "clues"], "prompt": mode})
    pool = documents["few_shot" if corpus == "ovmer_mini" else "test"]
    examples = {f"{d['prompt']}{' ' if mode == 'answer' else chr(10)}{d['target']}" for d in pool}
    for line in run.lines(task):
        asked = line["arguments"]["gen_args_0"]["arg_0"]
        assert asked.count(prompts.OPENING) == 4
        assert asked.endswith(line["doc"]["prompt"])
        shots = asked.removesuffix(line["doc"]["prompt"]).removesuffix("\n\n").split("\n\n")
        assert len(set(shots)) == 3
        assert set(shots) <= examples
        assert not any(shot.startswith(line["doc"]["prompt"]) for shot in shots)


# --- Media ----------------------------------------------------------------------------------


def test_media_of_a_clip() -> None:
    pictures = clip_frames("mini-test-000003")
    assert len(pictures) == 8
    assert {picture.mode for picture in pictures} == {"RGB"}
    sound = clip_audio("mini-test-000003")
    assert sound["sampling_rate"] == 16_000
    assert sound["array"].dtype == np.float32
    assert 0 < np.abs(sound["array"]).max() <= 1


def test_requests_carry_media(tmp_path: Path) -> None:
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(tasks_dir()), include_defaults=False)
    for task, key, token in (
        ("ovmer_mini_vision", "visual", prompts.IMAGE),
        ("ovmer_mini_audio", "audio", prompts.AUDIO),
    ):
        loaded = manager.load([task])["tasks"][task]
        loaded.set_config(key="num_fewshot", value=0)
        loaded.build_all_requests(limit=2)
        text, _, media = loaded.instances[0].args
        assert len(media[key]) == text.count(token)


def test_media_groups_run(tmp_path: Path) -> None:
    said = predict("shuffled", as_gold("ovmer_mini"))
    run = harness(replay(said, tmp_path), ["ovmer_vision", "ovmer_audio"], tmp_path / "o", limit=5)
    part = evaluate(said[:5], list(as_gold("ovmer_mini").samples[:5]))
    for name in ("vision", "audio"):
        for task in (f"ovmer_mini_{name}", f"ovmer_mini_{name}_think"):
            assert run.value(task, "S1") == part.values["S1"]
            assert run.value(task, "kept_format") == ("think" not in task)


# --- Imported corpora -----------------------------------------------------------------------

GOLD = {"open": ("joyful", "sad", "angry"), "basic": ("happy", "sad", "anger")}


def stand_in(name: str) -> list[Prediction]:
    """Import a made-up corpus under the name of a real one; returns answers to it."""
    info = corpus_info(name)
    samples, said = [], []
    for i in range(9):
        gold: dict[str, object] = {"valence": (-1.0, 0.0, 1.5)[i % 3]}
        if info.kind == "open":
            gold = {"labels": [GOLD["open"][i % 3], "surprised"]}
        elif info.kind == "basic":
            gold = {"label": GOLD["basic"][i % 3]}
        clip = f"{name}_{i}"
        samples.append(Sample.from_dict({"id": clip, "subtitle": {"zh": "好吧。"}, **gold}))
        said.append(Prediction(id=clip, labels=[GOLD["open"][(i + i // 4) % 3]]))
    save_corpus(info, samples, [])
    return said


def test_mer_unibench_is_the_plain_mean_of_nine_main_scores(home: Path, tmp_path: Path) -> None:
    said = [prediction for name in MER_UNIBENCH for prediction in stand_in(name)]
    run = harness(replay(said, tmp_path), "mer_unibench", tmp_path / "out")
    values = []
    for name in MER_UNIBENCH:
        task = name if name == "ovmerdplus" else f"mer_unibench_{name}"
        mine = [prediction for prediction in said if prediction.id.rpartition("_")[0] == name]
        main = evaluate(mine, name).values[corpus_info(name).main_score]
        assert run.value(task, "main_score") == main
        values.append(main)
    assert len(set(values)) > 2
    assert run.value("mer_unibench", "main_score") == pytest.approx(np.mean(values), abs=1e-12)


@pytest.mark.parametrize("name", ["ovmerd", "mer_fg"])
def test_main_scores_of_single_corpora(name: str, home: Path, tmp_path: Path) -> None:
    said = stand_in(name)
    tasks = [name, f"{name}_think"]
    run = harness(replay(said, tmp_path), tasks, tmp_path / "out")
    expected = evaluate(said, name).values[corpus_info(name).main_score]
    for task in tasks:
        assert run.value(task, "main_score") == expected != run.value(task, "S1")


# --- Real corpora ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corpus", "file", "lexicon", "metric", "printed"),
    [
        (
            "mer2023",
            "mer2023/checkpoint_000050_loss_0.527-openset.npz",
            *("affectgpt-2025", "hit_rate", "78.54"),
        ),
        (
            "cmumosi",
            "cmumosi/checkpoint_000040_loss_0.569-openset-sentiment.npz",
            *("ovmer", "WAF", "81.30"),
        ),
        ("cmumosi", "cmumosi/checkpoint_000040_loss_0.569-openset.npz", "ovmer", "WAF", None),
    ],
)
def test_published_figures_through_the_harness(
    corpus: str,
    file: str,
    lexicon: str,
    metric: str,
    printed: str | None,
    home: Path,
    reference: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import_corpus(corpus, reference)
    if lexicon != "ovmer":
        install(reference / "emotion_wheel_2025")
    task = f"mer_unibench_{corpus}"
    model = ReplayLM(predictions=str(reference / "predictions" / file))
    run = harness(model, task, tmp_path / "out", metadata={"ovmer_lexicon": lexicon})
    assert_equal_everywhere(run, task, corpus, tmp_path, monkeypatch, capsys, lexicon)
    assert run.value(task, "main_score") == run.value(task, metric)
    assert run.value(task, "main_score_stderr") > 0
    if printed is not None:
        assert f"{100 * run.value(task, metric):.2f}" == printed
    subtitle = load_corpus(corpus).samples[0].subtitle
    assert subtitle["en"] in run.lines(task)[0]["arguments"]["gen_args_0"]["arg_0"]


# --- Errors ---------------------------------------------------------------------------------


def outcome(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(OvmerError) as caught:
        run_harness(arguments)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_corpora_that_are_not_here(home: Path) -> None:
    for name, info in CORPORA.items():
        if not info.embedded:
            with pytest.raises(StopRun, match=f"ovmer data import {name}") as caught:
                load({"corpus": name, "evidence": ["subtitle"], "prompt": "answer"})
            assert isinstance(caught.value, SystemExit)
            assert str(caught.value.code).startswith("error: ")


def test_a_damaged_corpus(home: Path, reference: Path) -> None:
    import_corpus("mer2023", reference)
    samples = next(corpus_folder(corpus_info("mer2023")).rglob("samples*.jsonl"))
    samples.write_text(samples.read_text("utf-8").replace('"happy"', '"sad"', 1), "utf-8")
    with pytest.raises(StopRun, match="manifest"):
        load({"corpus": "mer2023", "evidence": ["subtitle"], "prompt": "answer"})


def test_a_corpus_without_subtitles(home: Path, reference: Path) -> None:
    import_corpus("mer2023", reference / "labels" / "mer2023.npz")
    with pytest.raises(StopRun, match="without subtitles"):
        load({"corpus": "mer2023", "evidence": ["subtitle"], "prompt": "answer"})


def test_media_that_are_not_there() -> None:
    with pytest.raises(StopRun, match="no pictures"):
        load({"corpus": "ovmer_scenes", "evidence": ["frames"], "prompt": "answer"})


def test_unknown_options_and_lexicons(home: Path) -> None:
    task = {"corpus": "ovmer_scenes", "evidence": ["subtitle"], "prompt": "answer"}
    with pytest.raises(StopRun, match="Did you mean 'ovmer_lexicon'"):
        load(task, ovmer_lexikon="ovmer")
    with pytest.raises(StopRun, match="ovmer lexicon install"):
        load(task, ovmer_lexicon="affectgpt-2025")
    assert load(task, pretrained="x", version=1, config_source="y")


def test_replay_without_a_file_or_a_clip(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing"):
        ReplayLM()
    with pytest.raises(InputError, match="no such file"):
        ReplayLM(predictions=str(tmp_path / "none.jsonl"))
    model = replay([Prediction(id="mini-test-000001", labels=["happy"])], tmp_path)
    with pytest.raises(InputError, match="no prediction for clip 'mini-test-000000'"):
        harness(model, "ovmer_mini_clues", tmp_path / "out", limit=1)


def test_the_command_line_says_what_was_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    model = ["--model", "dummy", "--limit", "2"]
    assert "unrecognized arguments: --foo" in outcome(
        ["--tasks", "ovmer", *model, "--foo", "1"], capsys
    )
    assert "Invalid JSON" in outcome(
        ["--tasks", "ovmer", *model, "--metadata", '{"ovmer_lexicon": '], capsys
    )
    assert "multimodal input" in outcome(["--tasks", "ovmer_vision", *model], capsys)


def test_the_doctor_looks_at_everything() -> None:
    findings = diagnose()
    assert "lm_eval" in findings[0].text
    assert all(finding.ok or finding.way_out for finding in findings)
    assert "ovmer_scenes" in findings[-1].text


# --- Language and vision models -------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a language model and a vision model, made from configuration."""
    for name in ("torch", "transformers", "accelerate"):
        pytest.importorskip(name)
    import tiny_models

    folder = tmp_path_factory.mktemp("models")
    tiny_models.save_language_model(folder / "text")
    tiny_models.save_vision_model(folder / "vision")
    return folder


@pytest.mark.train
@pytest.mark.parametrize("task", ["ovmer_scenes_subtitle", "ovmer_mini_clues"])
def test_a_language_model(
    task: str,
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = harness(
        "hf",
        task,
        tmp_path / "out",
        model_args={"pretrained": str(tiny / "text"), "dtype": "float32"},
        batch_size=64,
        device="cpu",
        gen_kwargs={"max_gen_toks": 8},
    )
    corpus = next(name for name in EMBEDDED if task.startswith(name))
    assert_equal_everywhere(run, task, corpus, tmp_path, monkeypatch, capsys)
    assert run.value(task, "S1") > 0


@pytest.mark.train
@pytest.mark.parametrize("as_turns", [True, False])
def test_chat_templates(as_turns: bool, tiny: Path, tmp_path: Path) -> None:
    run = harness(
        "hf",
        "ovmer_scenes_clues_think",
        tmp_path / "out",
        model_args={"pretrained": str(tiny / "text"), "dtype": "float32"},
        device="cpu",
        gen_kwargs={"max_gen_toks": 4},
        limit=2,
        num_fewshot=2,
        apply_chat_template=True,
        fewshot_as_multiturn=as_turns,
    )
    for line in run.lines("ovmer_scenes_clues_think"):
        asked = line["arguments"]["gen_args_0"]["arg_0"]
        assert asked.startswith("[user]")
        assert asked.endswith("[assistant]")
        assert asked.count("[user]") == (3 if as_turns else 1)
        assert asked.count(prompts.OPENING) == 3


@pytest.mark.train
@pytest.mark.parametrize("chat", [False, True])
def test_a_vision_model(chat: bool, tiny: Path, tmp_path: Path) -> None:
    run = harness(
        "hf-multimodal",
        "ovmer_vision",
        tmp_path / "out",
        model_args={"pretrained": str(tiny / "vision"), "dtype": "float32"},
        batch_size=4,
        device="cpu",
        gen_kwargs={"max_gen_toks": 8},
        limit=6,
        apply_chat_template=chat,
    )
    task = "ovmer_mini_vision"
    said = read_predictions(run.samples[task]).predictions
    part = evaluate(said, list(as_gold("ovmer_mini").samples[:6]))
    for ours, theirs in NAMES["open"].items():
        assert run.value(task, ours) == part.values[theirs]
    assert any(prediction.output for prediction in said)


@pytest.mark.train
def test_models_that_cannot_do_what_is_asked(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ["--device", "cpu", "--limit", "1", "--tasks"]
    vision = ["--model", "hf-multimodal", "--model_args", f"pretrained={tiny / 'vision'}"]
    assert "--model ovmer-audio" in outcome([*vision, *run, "ovmer_mini_audio"], capsys)
    text = ["--model", "hf", "--model_args", f"pretrained={tiny / 'text'},fooled=1"]
    assert "'fooled'" in outcome([*text, *run, "ovmer_mini_clues"], capsys)
