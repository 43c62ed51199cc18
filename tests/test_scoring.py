"""The pipeline: predictions and gold in, a report out, whatever the spelling of the input."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from random import Random

import numpy as np
import oracle_extra
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.errors import CorpusError, InputError, LexiconError
from ovmer_bench.metrics.scoring import SCORES, Evaluation, evaluate, score
from ovmer_bench.metrics.signature import Signature
from ovmer_bench.reading.schema import Prediction, Sample
from random_corpora import random_lists, random_world, rich_world, steady

rngs = st.randoms(use_true_random=False)
GOLD = {"a": ["happy", "relieved"], "b": ["angry"], "c": ["sad", "worried"], "d": ["xyzzy"]}
SAID = {"a": ["joyful"], "b": ["furious", "sad"], "c": [], "d": ["happy"]}

any_label = st.one_of(
    st.text(max_size=8), st.sampled_from(["happy", "SAD", "[angry]", "not happy", "neutral"])
)
any_labels = st.lists(any_label, max_size=4)


def basic_samples(words: list[str]) -> list[Sample]:
    return [Sample(id=f"c{i}", label=word) for i, word in enumerate(words)]


def sentiment_samples(valences: list[float]) -> list[Sample]:
    return [Sample(id=f"c{i}", valence=valence) for i, valence in enumerate(valences)]


def answers(lists: list[list[str]]) -> dict[str, list[str]]:
    return {f"c{i}": labels for i, labels in enumerate(lists)}


# Values


@steady
@given(rngs, st.integers(1, 6))
def test_open_evaluation_equals_the_oracle(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold, said = random_lists(rng, world, n), random_lists(rng, world, n)
    evaluation = evaluate(answers(said), answers(gold), lexicon=world.lexicon)
    expected = oracle_extra.open_scores(gold, said, world.maps)
    assert evaluation.values == pytest.approx(expected, abs=1e-12)
    report = evaluation.report(draws=0)
    assert tuple(report.scores) == SCORES["open"]
    for name, found in report.scores.items():
        assert found.value == evaluation.values[name]
        assert (found.precision, found.recall) == pytest.approx(
            (expected[f"{name}/precision"], expected[f"{name}/recall"]), abs=1e-12
        )


@steady
@given(rngs, st.integers(1, 8))
def test_basic_evaluation_equals_the_oracle(rng: Random, n: int) -> None:
    world = random_world(rng)
    gold = [rng.choice(world.labels) for _ in range(n)]
    said = random_lists(rng, world, n)
    evaluation = evaluate(answers(said), basic_samples(gold), lexicon=world.lexicon)
    expected = oracle_extra.basic_scores(gold, said, world.maps)
    assert evaluation.values == pytest.approx(expected, abs=1e-12)
    assert evaluation.report(draws=0).main == "hit_rate"


def test_sentiment_evaluation_reads_signs_from_the_built_in_lexicon() -> None:
    gold = [2.0, -1.0, 0.6, -0.2, 0.0, 1.0]
    said = [["happy"], ["sad"], ["furious"], [], ["sad"], ["xyzzy"]]
    world = rich_world()
    evaluation = evaluate(answers(said), sentiment_samples(gold), lexicon=world.lexicon)
    expected = oracle_extra.sentiment_scores(gold, [1, -1, -1, 0, -1, 0])
    assert evaluation.values == pytest.approx(expected, abs=1e-12)
    assert evaluation.n_scored == 5
    report = evaluation.report(draws=10)
    assert report.main == "WAF"
    assert report.vocabulary.gold is None


def test_scores_by_hand() -> None:
    """`d` vanishes from gold; `c` is empty. P = (1 + 1/2 + 0)/3, R = (1 + 1 + 0)/3 on wheels
    that put happy and relieved in one sector."""
    report = score(SAID, GOLD, draws=0)
    f = report.scores["M3-W1-L1"]
    assert (report.n_total, report.n_scored, report.n_missing) == (4, 3, 0)
    assert f.precision == pytest.approx(0.5)
    assert f.recall == pytest.approx(2 / 3)
    assert f.value == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert report.vocabulary.gold is not None
    assert report.vocabulary.gold.unknown_words == (("xyzzy", 1),)
    assert report.vocabulary.predicted.empty_clips == 1


@steady
@given(st.lists(st.tuples(any_labels, any_labels), min_size=1, max_size=5))
def test_any_labels_give_finite_numbers(clips: list[tuple[list[str], list[str]]]) -> None:
    gold, said = answers([g for g, _ in clips]), answers([p for _, p in clips])
    report = score(said, gold, draws=5)
    for found in report.scores.values():
        assert 0 <= found.value <= 1
        assert 0 <= found.expected <= 1
        assert math.isfinite(found.skill)
        assert found.interval is not None
        assert 0 <= found.interval.low <= found.interval.high <= 1
    json.loads(report.to_json(), parse_constant=pytest.fail)


@steady
@given(any_labels, st.lists(any_labels, min_size=1, max_size=5))
def test_a_constant_answer_has_no_skill(answer: list[str], gold: list[list[str]]) -> None:
    report = score(answers([answer] * len(gold)), answers(gold), draws=0)
    assert max(abs(found.skill) for found in report.scores.values()) < 1e-12


def test_gold_against_itself_has_all_skill() -> None:
    report = score({**GOLD, "d": []}, GOLD, draws=50)
    for found in report.scores.values():
        assert found.value == pytest.approx(1.0)
        assert found.skill == pytest.approx(1.0)


# Input


def test_every_way_to_give_predictions_means_the_same() -> None:
    first = score(SAID, GOLD, draws=20)
    records = [Prediction(id=clip, labels=labels) for clip, labels in SAID.items()]
    ways = [
        records,
        records[::-1],
        iter(records),
        {clip: tuple(labels) for clip, labels in reversed(SAID.items())},
        {clip: np.array(labels, dtype=str) for clip, labels in SAID.items()},
        {clip: [label.upper() + " " for label in labels] for clip, labels in SAID.items()},
    ]
    for way in ways:
        assert score(way, GOLD, draws=20).to_json() == first.to_json()


def test_raw_text_is_read_and_named_in_the_signature() -> None:
    texts = {"a": "['joyful']", "b": "furious, sad", "c": "", "d": "<answer>happy</answer>"}
    listed, read = score(SAID, GOLD, draws=0), score(texts, GOLD, draws=0)
    assert read.scores["S1"].value == listed.scores["S1"].value
    assert listed.extractor == "none"
    assert read.extractor != "none"
    assert read.signature != listed.signature


def test_repeats_and_order_of_labels_change_no_score() -> None:
    a = score(SAID, GOLD, draws=0)
    b = score({k: v[::-1] * 3 for k, v in SAID.items()}, GOLD, draws=0)
    for name, found in a.scores.items():
        assert b.scores[name].value == found.value
    assert b.vocabulary.predicted.duplicate_labels == 8


@pytest.mark.parametrize(
    ("said", "gold", "match"),
    [
        ({**SAID, "zz": []}, GOLD, "do.? not hold|does not hold"),
        ({"a": ["happy"]}, GOLD, "no prediction for 3 of 4"),
        ([Prediction(id="a", labels=[])] * 2, {"a": ["happy"]}, "two predictions for clip 'a'"),
        ({}, {}, "no clip"),
        ({}, GOLD, "no prediction for 4 of 4"),
        ({"a": [1]}, {"a": ["happy"]}, "labels"),
        ({"a": None}, {"a": ["happy"]}, "labels"),
        ({"a": 3}, {"a": ["happy"]}, "labels"),
        ({"a": ["happy"]}, {"a": "happy"}, "labels"),
        ({"a": ["happy"]}, {"a": None}, "gold|labels"),
        ({"a": ["happy"]}, {"a": 3}, "labels"),
        ({"a": ["happy"]}, {"": ["happy"]}, "id"),
    ],
)
def test_bad_input_is_an_error_that_says_what(said: object, gold: object, match: str) -> None:
    with pytest.raises(InputError, match=match):
        score(said, gold)  # type: ignore[arg-type]


def test_gold_of_two_kinds_is_refused() -> None:
    mixed = [Sample(id="a", label="happy"), Sample(id="b", valence=1.0)]
    with pytest.raises(InputError, match="basic, sentiment"):
        score({"a": [], "b": []}, mixed)
    with pytest.raises(InputError, match="one id"):
        score({"a": []}, [Sample(id="a", label="happy")] * 2)


def test_unknown_corpus_and_lexicon_are_named() -> None:
    with pytest.raises(CorpusError, match="no-such-corpus"):
        score(SAID, "no-such-corpus")
    with pytest.raises(LexiconError, match="no-such-lexicon"):
        score(SAID, GOLD, lexicon="no-such-lexicon")


def test_missing_predictions_count_as_empty_by_request_and_say_so() -> None:
    with pytest.raises(InputError, match="--allow-missing"):
        score({"a": ["joyful"]}, GOLD)
    partial = score({"a": ["joyful"]}, GOLD, allow_missing=True, draws=0)
    padded = score({"a": ["joyful"], "b": [], "c": [], "d": []}, GOLD, draws=0)
    assert partial.n_missing == 3
    assert partial.scores["S1"].value == padded.scores["S1"].value
    assert "missing:3-as-empty" in partial.signature
    assert partial.signature != padded.signature


def test_intervals_are_there_when_asked_for() -> None:
    without, few = (score(SAID, GOLD, draws=draws) for draws in (0, 30))
    assert all(found.interval is None for found in without.scores.values())
    for name in ("S1", "M3-W2-L1"):
        assert few.scores[name].interval is not None
        assert few.scores[name].skill_interval is not None
    assert (without.draws, few.draws) == (0, 30)


# Signature


def evaluation_of(**options: object) -> Evaluation:
    return evaluate(SAID, GOLD, **options)  # type: ignore[arg-type]


def test_signature_names_what_a_number_depends_on() -> None:
    signature = evaluation_of().signature
    text = signature.text("S1")
    keys = [part.partition(":")[0] for part in text.split("|")]
    assert keys == [
        *("metric", "level", "wheels", "lexicon", "parser", "extractor", "corpus", "n"),
        "version",
    ]
    assert f"lexicon:ovmer@{signature.lexicon_sha256[:8]}" in text
    assert "n:3/4" in text
    scopes = {
        "S1": ("1", "1-5"),
        "S2": ("2", "1-5"),
        "MER-FG": ("1+2", "1-5"),
        "M-avg": ("1+2", "1-5"),
        "M3-W4-L2": ("2", "4"),
        "hit_rate": ("1", "1-5"),
        "mscore-W3": ("1", "3"),
    }
    for name, (level, wheels) in scopes.items():
        assert f"metric:{name}|level:{level}|wheels:{wheels}|" in signature.text(name)
    for name in ("M1", "WAF"):
        assert "level" not in signature.text(name)


@pytest.mark.parametrize(
    "change",
    [
        {"lexicon_id": "other"},
        {"lexicon_sha256": "f" * 64},
        {"parser": "2"},
        {"extractor": "llm"},
        {"corpus": "meld"},
        {"corpus_sha256": "e" * 64},
        {"scored": 2},
        {"total": 5},
        {"missing": 1},
    ],
)
def test_signature_changes_with_each_thing_it_names(change: dict[str, object]) -> None:
    fields: dict[str, object] = vars(evaluation_of().signature).copy()
    before = Signature(**fields)  # type: ignore[arg-type]
    after = Signature(**{**fields, **change})  # type: ignore[arg-type]
    assert before.text("S1") != after.text("S1")


def test_signature_changes_with_nothing_else() -> None:
    text = evaluation_of().signature.text("S1")
    assert evaluation_of(system="other name").signature.text("S1") == text
    other = evaluate({clip: ["bored"] for clip in GOLD}, GOLD)
    assert other.signature.text("S1") == text
    shuffled = dict(reversed(GOLD.items()))
    assert evaluate(SAID, shuffled).signature.text("S1") == text
    again = {clip: labels[::-1] * 2 for clip, labels in GOLD.items()}
    assert evaluate(SAID, again).signature.text("S1") == text
    regold = evaluate(SAID, {**GOLD, "b": ["calm"]})
    assert regold.signature.text("S1") != text


def test_predictions_have_a_hash_of_clip_and_labels_in_any_order() -> None:
    hashed = score(SAID, GOLD, draws=0).predictions_sha256
    assert score(SAID, dict(reversed(GOLD.items())), draws=0).predictions_sha256 == hashed
    for other in ({**SAID, "c": ["sad"]}, {**SAID, "a": SAID["b"], "b": SAID["a"]}):
        assert score(other, GOLD, draws=0).predictions_sha256 != hashed


# Same input, same bytes

_SCRIPT = """
from random import Random
from ovmer_bench import compare, evaluate, load_lexicon
lexicon = load_lexicon()
words = sorted(lexicon.forms)[::40] + ["xyzzy", "plugh"]
rng = Random(4)
gold = {f"clip {i}": rng.choices(words, k=rng.randint(0, 5)) for i in range(300)}
said = {clip: rng.choices(words, k=rng.randint(0, 5)) for clip in sorted(gold)}
texts = {clip: f"The person seems {rng.choice(words)} and {rng.choice(words)}." for clip in gold}
first = evaluate(said, gold, system="a")
second = evaluate({clip: labels[:2] for clip, labels in said.items()}, gold, system="b")
print(first.report(draws=60).to_json())
print(evaluate(texts, gold).report(draws=20).to_json())
comparison = compare([first, second], draws=60)
print([(p.test.p_bootstrap, p.test.p_randomisation, p.significant) for p in comparison.pairs])
"""


def output_under(**environment: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    )
    return done.stdout


def test_hash_seed_locale_and_threads_change_no_byte() -> None:
    first = output_under(PYTHONHASHSEED="0")
    assert len(first) > 5000
    assert output_under(PYTHONHASHSEED="1", OPENBLAS_NUM_THREADS="1") == first
    assert output_under(PYTHONHASHSEED="4711", LC_ALL="C", TZ="Asia/Tokyo") == first
