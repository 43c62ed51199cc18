"""The classifier of words: it learns, it never saw what it answers, and it always answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import run
from ovmer_bench.errors import InputError
from ovmer_bench.metrics.gold import Gold, as_gold
from ovmer_bench.metrics.scoring import evaluate
from ovmer_bench.reading.schema import Sample
from ovmer_bench.reference_systems import predict

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

NAMES = ("classifier-subtitle", "classifier-clues")
FEELINGS = ("happy", "sad", "angry", "scared", "surprised", "disgusted")


@pytest.fixture(scope="module", params=["ovmer_scenes", "ovmer_mini"])
def corpus(request: pytest.FixtureRequest) -> Gold:
    return as_gold(request.param)


def said(name: str, gold: Gold, seed: int = 0) -> list[list[str]]:
    return [list(prediction.labels or ()) for prediction in predict(name, gold, seed)]


def skill(name: str, gold: Gold) -> float:
    return evaluate(predict(name, gold), gold).values["S1/skill"]


def worded(texts: list[str], labels: list[list[str]]) -> Gold:
    return as_gold(
        [
            Sample(f"c{i}", labels=ls, subtitle={"en": text})
            for i, (text, ls) in enumerate(zip(texts, labels, strict=True))
        ]
    )


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_never_empty_and_always_gold_labels(corpus: Gold, name: str) -> None:
    known = {label for labels in corpus.labels for label in labels}
    if corpus.name == "ovmer_mini":
        from ovmer_bench.corpora.ovmer_mini.generate import samples

        known |= {label for sample in samples("sft", 2000) for label in sample.labels or ()}
    for labels in said(name, corpus):
        assert labels and set(labels) <= known and len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", NAMES)
def test_words_have_skill(corpus: Gold, name: str) -> None:
    """More than keyword spotting, far from a perfect answer."""
    earned = skill(name, corpus)
    assert skill(name.replace("classifier", "keywords"), corpus) < earned < 0.8


def test_clues_say_more_than_subtitles(corpus: Gold) -> None:
    assert skill("classifier-clues", corpus) > skill("classifier-subtitle", corpus)


def test_same_answers_in_every_process(tmp_path: Path) -> None:
    made = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.jsonl"
        done = run(
            *("baseline", "classifier-clues", "--task", "ovmer_scenes", "--out", out),
            cwd=tmp_path,
            PYTHONHASHSEED=seed,
            OMP_NUM_THREADS=seed,
        )
        assert done.code == 0, done.err
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_the_seed_draws_the_folds() -> None:
    scenes = as_gold("ovmer_scenes")
    assert said("classifier-clues", scenes, 1) != said("classifier-clues", scenes, 2)


def test_words_that_tell_are_learnt() -> None:
    labels = [[FEELINGS[i % 3]] for i in range(60)]
    texts = [f"{'abc'[i % 3]} and so on" for i in range(60)]
    assert said("classifier-subtitle", worded(texts, labels)) == labels


def test_a_clip_is_answered_by_a_model_that_never_saw_it() -> None:
    """Each clip has a word of its own, and its label is drawn: only memory could tell."""
    rng = np.random.default_rng(3)
    labels = [[str(rng.choice(FEELINGS))] for _ in range(300)]
    gold = worded([f"word{i}" for i in range(300)], labels)
    assert abs(skill("classifier-subtitle", gold)) < 0.05
    # A clip's own gold changes nothing of its answer.
    changed = [list(ls) for ls in labels]
    changed[7] = ["proud", "tired"]
    before, after = (
        said("classifier-subtitle", worded(gold_texts(gold), ls))[7] for ls in (labels, changed)
    )
    assert before == after


def gold_texts(gold: Gold) -> list[str]:
    return [sample.subtitle["en"] for sample in gold.samples]


def test_the_training_split_is_learnt_from_where_there_is_one() -> None:
    """What else is asked, and its gold, change nothing: no clip of the test split is seen."""
    mini = as_gold("ovmer_mini")
    few = tuple(
        Sample(s.id, labels=["proud"], subtitle=s.subtitle, clues=s.clues)
        for s in mini.samples[:20]
    )
    part = Gold("ovmer_mini", "open", few, "0" * 64)
    assert said("classifier-clues", part) == said("classifier-clues", mini)[:20]


def test_basic_emotions() -> None:
    gold = as_gold(
        [Sample(f"c{i}", label=FEELINGS[i % 4], subtitle={"en": f"x{i % 4} y"}) for i in range(40)]
    )
    assert evaluate(predict("classifier-subtitle", gold), gold).values["hit_rate"] == 1


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a"] * 9, [["sad"]] * 9, "holds 9 clips (accepted: at least 10"),
        (["a"] * 20, [[f"label{i}"] for i in range(20)], "no label that two clips share"),
        (["!"] * 20, [["sad"]] * 20, "no words to learn from"),
        ([""] * 20, [["sad"]] * 20, "holds no English subtitles"),
    ],
)
def test_what_cannot_be_learnt(texts: list[str], labels: list[list[str]], message: str) -> None:
    with pytest.raises(InputError) as caught:
        predict("classifier-subtitle", worded(texts, labels))
    assert message in str(caught.value)


@pytest.mark.parametrize("system", ["classifier-clues", "keywords-clues"])
def test_a_corpus_without_clues(system: str) -> None:
    with pytest.raises(InputError, match=r"holds no written clues \(accepted: .*ovmer_scenes"):
        predict(system, worded(["a"] * 20, [["sad"]] * 20))


def test_sentiment_has_no_labels() -> None:
    gold = as_gold([Sample(str(i), valence=1.0, subtitle={"en": "a"}) for i in range(20)])
    with pytest.raises(InputError, match="answers with gold labels"):
        predict("classifier-subtitle", gold)


def test_without_scikit_learn_the_way_to_it_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "sys.argv = ['ovmer', 'baseline', sys.argv[1], '--task', 'ovmer_scenes', '--out', 'o']\n"
        "from ovmer_bench.cli import main; main()\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, name], cwd=tmp_path, capture_output=True, text=True
        )
        for name in ("classifier-clues", "keywords-clues")
    ]
    assert [done.returncode for done in runs] == [2, 0]
    assert runs[0].stderr == (
        "error: scikit-learn is not installed. Run: pip install 'ovmer-bench[baselines]'\n"
    )
