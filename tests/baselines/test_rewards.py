"""Rewards: hand-worked examples, the same labels as the ruler, finite and bounded for any text."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
from affectgpt_rl.rewards import (
    accuracy_reward,
    alignment_reward,
    contrast_reward,
    dual_reward,
    format_reward,
    hit_rate_reward,
    perception_reward,
)
from affectgpt_rl.rewards.completions import (
    answer_labels,
    answer_of,
    follows_template,
    text_of,
    thought_labels,
    thought_of,
)
from affectgpt_rl.rewards.config import KINDS, Reward, build_rewards
from affectgpt_rl.rewards.contrast import TrainingGold
from affectgpt_rl.rewards.hit_rate import HitRate
from affectgpt_rl.rewards.judges import Comparison
from affectgpt_rl.rewards.length_penalties import LENGTH_PENALTIES
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench import ClipScorer, OvmerError, evaluate, load_lexicon, parse_output, sample_f
from ovmer_bench.reading.schema import Sample

steady = settings(deadline=None, max_examples=100)
WORDS = (
    "happy",
    "sad",
    " Angry ",
    "very happy",
    "worried",
    "neutral",
    "qux",
    "not sad",
    "none",
    "",
)
PIECES = (
    *("<think>", "</think>", "<answer>", "</answer>", "<THINK>", "[", "]", '{"a":', "\n", ". "),
    *(f"{word}, " for word in WORDS),
    *(
        "He is sad. ",
        "He smiles because ",
        "1. ",
        "- ",
        "and ",
        "0.8",
        "\x00",
        "\ud800",
        "😢",
        "悲伤",
    ),
)
anything = st.one_of(
    st.text(),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.text(alphabet="<>/aw "),
)
label_lists = st.lists(st.sampled_from(WORDS), max_size=5)
known_lists = st.lists(st.sampled_from(["happy", "sad", "angry", "worried", "proud"]), max_size=4)


def think(thought: str, answer: str) -> str:
    return f"<think>{thought}</think><answer>{answer}</answer>"


def only(answer: str) -> str:
    return f"<answer>{answer}</answer>"


# --- Format ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "in_think", "in_answer"),
    [
        ("<think>He frowns.</think><answer>sad</answer>", 1, 0),
        ("<think>He\nfrowns.</think>\n\n<answer>sad, angry</answer>", 1, 0),
        ("<answer>sad</answer>", 0, 1),
        ("Well: <think>a</think><answer>sad</answer>", 0, 0),
        ("<think>a</think><answer>sad</answer> Done.", 0, 0),
        ("<think>a</think><answer>sad</answer>\n", 0, 0),
        ("\n<answer>sad</answer>", 0, 0),
        ("<think>a</think> so <answer>sad</answer>", 0, 0),
        ("<think>a</think><answer>sad", 0, 0),
        ("<think>a<answer>sad</answer>", 0, 0),
        ("<think> </think><answer>sad</answer>", 0, 0),
        ("<think>a</think><answer>\n</answer>", 0, 0),
        ("<answer></answer>", 0, 0),
        ("<think>a</think><think>b</think><answer>sad</answer>", 0, 0),
        ("<think>a<think>b</think><answer>sad</answer>", 0, 0),
        ("<think>a</think><answer>sad</answer><answer>angry</answer>", 0, 0),
        ("<answer>sad</answer><think>a</think>", 0, 0),
        ("<think>a</think><answer>sad<answer>angry</answer>", 0, 0),
        ("<THINK>a</THINK><ANSWER>sad</ANSWER>", 0, 0),
        ("sad, angry", 0, 0),
        ("", 0, 0),
    ],
)
def test_format_is_the_whole_output(text: str, in_think: int, in_answer: int) -> None:
    assert format_reward([text]) == [in_think]
    assert format_reward([text], mode="answer") == [in_answer]


@steady
@given(anything, anything, st.text(min_size=1))
def test_nothing_may_stand_around_the_template(thought: str, answer: str, beside: str) -> None:
    text = think(thought, answer)
    if follows_template(text, "think"):
        assert not follows_template(beside + text, "think")
        assert not follows_template(text + beside, "think")
        assert answer_of(text) == answer


def test_reading_takes_time_linear_in_the_text() -> None:
    for hostile in ("<think>" + "a " * 200_000, "<think>" * 60_000, "<answer>" + " " * 400_000):
        start = time.process_time()
        follows_template(hostile, "think"), follows_template(hostile, "answer")
        answer_labels(hostile), thought_of(hostile)
        assert time.process_time() - start < 2


# --- What is read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (think("He is sad.", "happy, very proud"), ["happy", "very proud"]),
        (only("Happy, HAPPY , happy"), ["happy"]),
        ("happy, proud", []),
        ("<answer>happy", []),
        ("happy</answer>", []),
        ("<think><answer>happy</answer></think>", []),
        ("<think><answer>happy</answer></think><answer>sad</answer>", ["sad"]),
        ("<answer>sad</answer> and happy", ["sad"]),
        ("<answer>happy</answer><answer>sad</answer>", ["sad"]),
        ("<answer>happy<answer>sad</answer>", ["sad"]),
        ("<answer>happy</answer>sad</answer>", ["happy"]),
        ("<answer>happy</answer><answer>sad", ["happy"]),
        (only(""), []),
        (only("none"), []),
        (only("['sad', 'shy']"), ["sad", "shy"]),
        (only("The person feels sad."), ["sad"]),
    ],
)
def test_labels_come_from_the_answer_alone(text: str, labels: list[str]) -> None:
    read = answer_labels(text)
    assert [x.removeprefix("very ") for x in read] == [x.removeprefix("very ") for x in labels]


@steady
@given(st.one_of(anything, st.lists(st.sampled_from(WORDS)).map(",".join)))
def test_an_answer_is_read_as_the_ruler_reads_it(body: str) -> None:
    lexicon = load_lexicon()
    if follows_template(think("He waits.", body), "think"):
        text = think("He waits.", body)
        assert answer_labels(text) == parse_output(text, lexicon).labels
        assert answer_labels(only(body)) == parse_output(only(body), lexicon).labels


TAGS = ("<think>", "</think>", "<answer>", "</answer>", "happy", "sad, angry", "proud")


@steady
@given(st.lists(st.sampled_from(TAGS), max_size=9))
def test_a_complete_answer_is_the_one_that_the_ruler_finds(pieces: list[str]) -> None:
    text = " ".join(pieces)
    body = answer_of(text)
    if body is not None and "<" not in body:
        assert answer_labels(text) == parse_output(text, load_lexicon()).labels


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("<think> a </think><answer>b</answer>", "a"),
        ("a</think><answer>b</answer>", "a"),
        ("<think>a<answer>b</answer>", ""),
        ("<answer>b</answer>", ""),
        ("", ""),
    ],
)
def test_thought_ends_where_its_tag_does(text: str, thought: str) -> None:
    assert thought_of(text) == thought


def test_conversations_and_odd_completions_have_a_text() -> None:
    said = only("happy")
    assert text_of([{"role": "assistant", "content": said}]) == said
    assert text_of([{"role": "assistant", "content": [{"type": "text", "text": said}]}]) == said
    odd: list[object] = [None, 3, [], [{}], [{"content": None}], ["x"], [{"content": [{}, 3]}]]
    assert [text_of(one) for one in odd] == [""] * len(odd)
    conversation = [[{"role": "assistant", "content": said}]]
    assert accuracy_reward(conversation, [["joyful"]]) == [1.0]


# --- Accuracy and length penalties ---------------------------------------------------------


def test_accuracy_by_hand() -> None:
    texts = [only("joyful"), only("joyful, furious"), only("furious"), "happy", only("qux")]
    # One of two right on every wheel: P = 1/2, R = 1, F = 2/3.
    assert accuracy_reward(texts, [["happy"]] * 5) == pytest.approx([1, 2 / 3, 0, 0, 0])


@steady
@given(anything, label_lists)
def test_accuracy_is_the_rulers_score_of_the_answer(text: str, gold: list[str]) -> None:
    assert accuracy_reward([text], [gold]) == [sample_f(answer_labels(text), gold)]


@steady
@given(known_lists, label_lists, st.randoms(use_true_random=False))
def test_order_repeats_and_surroundings_change_no_accuracy(
    labels: list[str], gold: list[str], rng: object
) -> None:
    shuffled = labels * 2
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    texts = [
        only(", ".join(labels)),
        only(",".join(shuffled).upper()),
        think("He is happy and sad.", ", ".join(labels)),
        "happy " + only(", ".join(labels)) + " sad",
    ]
    for penalty in (None, *LENGTH_PENALTIES):
        rewards = accuracy_reward(texts, [gold] * 4, length_penalty=penalty)
        assert rewards == pytest.approx([rewards[0]] * 4, abs=1e-12)


def test_gold_may_be_the_text_of_a_list() -> None:
    assert accuracy_reward([only("sad")] * 3, ["[sad]", ["sad"], ("sad",)]) == [1.0] * 3


@pytest.mark.parametrize(
    ("answered", "gold", "expected"),
    [
        (1, 1, (1, 1, 1)),
        (1, 3, (1, 1, 1)),
        (0, 0, (1, 1, 1)),
        (2, 1, (1 / 2, 1 / 2, math.log(2) / math.log(3))),
        (4, 2, (1 / 3, 1 / 2, math.log(3) / math.log(5))),
        (6, 3, (1 / 4, 1 / 2, math.log(4) / math.log(7))),
        (2, 0, (1 / 3, 0, 0)),
    ],
)
def test_length_penalties_by_hand(answered: int, gold: int, expected: tuple[float, ...]) -> None:
    factors = [LENGTH_PENALTIES[name](answered, gold) for name in ("P1", "P2", "P3")]
    assert factors == pytest.approx(expected)


@given(st.integers(0, 200), st.integers(1, 50))
def test_length_penalties_fall_with_every_label_too_many(answered: int, gold: int) -> None:
    for penalty in LENGTH_PENALTIES.values():
        assert 0 < penalty(answered, gold) <= 1
        if answered >= gold:
            assert penalty(answered + 1, gold) < penalty(answered, gold)


def test_penalised_accuracy_by_hand() -> None:
    text, gold = [only("joyful, glad, furious")], [["happy"]]
    plain = accuracy_reward(text, gold)[0]
    assert plain == pytest.approx(2 / 3)
    assert accuracy_reward(text, gold, length_penalty="P1") == pytest.approx([plain / 3])
    assert accuracy_reward(text, gold, length_penalty="P2") == pytest.approx([plain / 3])
    p3 = math.log(2) / math.log(4)
    assert accuracy_reward(text, gold, length_penalty="P3") == pytest.approx([plain * p3])


# --- Alignment and dual ----------------------------------------------------------------------


def test_alignment_by_hand() -> None:
    texts = [
        think("He feels happy.", "joyful"),
        think("He feels happy.", "joyful, furious"),  # F = 2/3
        think("He feels happy.", "furious"),
        think("He stands at the door.", "joyful"),
        only("joyful"),
        "<think>He feels happy.<answer>joyful</answer>",
    ]
    assert alignment_reward(texts) == [1, 1, 0, 0, 0, 0]


def test_dual_by_hand() -> None:
    texts = [
        think("He feels happy.", "furious"),
        think("He feels happy and furious.", "joyful"),
        think("He feels furious.", "joyful"),
        only("joyful"),
    ]
    assert dual_reward(texts, [["glad"]] * 4) == pytest.approx([1, 2 / 3, 0, 0])
    assert thought_labels(texts[1]) == ("happy", "furious")


# --- Perception ------------------------------------------------------------------------------


class Longer:
    """Prefers the longer text, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Comparison] = []

    def __call__(self, comparisons: Sequence[Comparison]) -> list[float]:
        self.asked += comparisons
        return [(len(c.first) > len(c.second)) + 0.5 * (len(c.first) == len(c.second))
                for c in comparisons]  # fmt: skip


def test_perception_rewards_the_better_half_of_each_group() -> None:
    lengths = [3, 1, 4, 2, 7, 9]
    texts = [think("a" * n, "sad") for n in lengths]
    media, judge = ["x"] * 4 + ["y"] * 2, Longer()
    rewards = perception_reward(
        texts, [["sad"]] * 6, prompts=["q"] * 6, media_id=media, clues=["c"] * 6, judge=judge
    )
    assert rewards == [1, 0, 1, 0, 0, 1]
    assert len(judge.asked) == 6 + 1
    assert judge.asked[0] == Comparison("aaa", "a", ("sad",), "c")


def test_perception_asks_no_needless_question() -> None:
    judge = Longer()
    texts = [think("aa", "x"), think("aa", "y"), only("z"), only("z")]
    assert perception_reward(texts, [["sad"]] * 4, judge=judge) == [1, 1, 0, 0]
    assert judge.asked == []
    assert perception_reward([think("aa", "x")] * 4, [["sad"]] * 4) == [0.5] * 4
    assert perception_reward([think("aa", "x")], [["sad"]]) == [0]
    assert perception_reward([], []) == []


def test_perception_without_a_model_goes_by_gold() -> None:
    texts = [think(f"He feels {word}.", "x") for word in ("glad", "furious", "happy", "bored")]
    assert perception_reward(texts, [["happy"]] * 4) == [1, 0, 1, 0]


@steady
@given(st.lists(st.integers(1, 6), min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_perception_does_not_depend_on_the_order(lengths: list[int], rng: object) -> None:
    order = list(range(len(lengths)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    texts = [think("a" * n, "x") for n in lengths]
    gold = [["sad"]] * len(texts)
    straight = perception_reward(texts, gold, judge=Longer())
    mixed = perception_reward([texts[i] for i in order], gold, judge=Longer())
    assert mixed == pytest.approx([straight[i] for i in order])
    assert sum(straight) == pytest.approx(len(texts) // 2)


# --- Contrast --------------------------------------------------------------------------------


def test_contrast_by_hand() -> None:
    gold = [["happy"], ["happy"], ["furious"], ["furious"]]
    known = TrainingGold(gold, load_lexicon())
    texts = [only("joyful"), only("furious"), only("joyful, furious"), ""]
    # One feeling is right on half of the clips; both together earn 2/3 everywhere.
    rewards = contrast_reward(texts, [["happy"]] * 4, training_gold=known)
    assert rewards == pytest.approx([0.5, -0.5, 0.0, 0.0])


@steady
@given(st.lists(label_lists, min_size=1, max_size=12), label_lists)
def test_expected_accuracy_is_the_mean_over_all_clips(
    gold: list[list[str]], labels: list[str]
) -> None:
    lexicon = load_lexicon()
    known = TrainingGold(gold, lexicon)
    scorer = ClipScorer(lexicon)
    standing = [g for g in gold if known.stands(g)]
    assert known.clips == len(standing)
    mean = sum(scorer(labels, g) for g in standing) / max(1, len(standing))
    assert known.expected_accuracy(labels) == pytest.approx(mean, abs=1e-12)


@steady
@given(st.lists(label_lists, min_size=1, max_size=12), label_lists)
def test_a_constant_answer_earns_nothing_in_contrast(
    gold: list[list[str]], labels: list[str]
) -> None:
    known = TrainingGold(gold, load_lexicon())
    texts = [only(", ".join(labels))] * len(gold)
    rewards = contrast_reward(texts, gold, training_gold=known)
    assert sum(rewards) == pytest.approx(0, abs=1e-9)
    assert all(-1 <= reward <= 1 for reward in rewards)


# --- Hit rate --------------------------------------------------------------------------------


def test_hit_rate_by_hand() -> None:
    texts = [only("joyful"), only("sad, joyful, angry"), only("sad"), "joyful", only("qux")]
    assert hit_rate_reward(texts, [["happy"]] * 5) == [1, 1, 0, 0, 0]
    # One label of several in gold is enough, and gold on no wheel leaves nothing to hit.
    assert hit_rate_reward([only("sad"), only("sad")], [["happy", "sad"], ["qux"]]) == [1, 0]


def test_hit_rate_is_that_of_the_ruler_where_gold_is_one_word() -> None:
    lexicon = load_lexicon()
    hits = HitRate(lexicon)
    gold = ["happy", "sad", "worried", "proud", "disgusted"]
    said = [["joyful", "sad"], ["happy"], ["afraid", "bored"], ["confident"], []]
    samples = [Sample(id=str(i), label=word) for i, word in enumerate(gold)]
    values = evaluate({str(i): labels for i, labels in enumerate(said)}, samples).values
    # The ruler takes the mean over clips first; they are equal where gold stands on all wheels.
    assert all(
        None not in place for place in ([a for a, _ in lexicon.lookup(g).sectors] for g in gold)
    )
    found = [hits(labels, [word]) for labels, word in zip(said, gold, strict=True)]
    assert sum(found) / len(found) == pytest.approx(values["hit_rate"])


def test_naming_a_feeling_of_every_sector_always_hits() -> None:
    lexicon = load_lexicon()
    everything = [word for k in range(1, 6) for word in lexicon.sectors(k, 1)]
    for gold in (["happy"], ["worried", "ashamed"], ["bored"]):
        assert HitRate(lexicon)(everything, gold) == 1
        assert HitRate(lexicon)([*everything, "qux", "sad"], gold) == 1


@steady
@given(known_lists, label_lists, label_lists)
def test_more_labels_never_cost_hits(gold: list[str], some: list[str], more: list[str]) -> None:
    hits = HitRate(load_lexicon())
    assert 0 <= hits(some, gold) <= hits([*some, *more], gold) <= 1
    assert (hits(some, gold) > 0) == (sample_f(some, gold) > 0)


# --- All of them -----------------------------------------------------------------------------

ALL: dict[str, dict[str, object]] = {
    **{kind: {} for kind in KINDS},
    **{f"accuracy_{p}": {"kind": "accuracy", "length_penalty": p} for p in LENGTH_PENALTIES},
    "answer_format": {"kind": "format", "mode": "answer", "weight": 0.1},
}
GOLD = [["happy", "proud"], ["sad"], ["worried"]]


@pytest.fixture(scope="module")
def every_reward() -> list[Reward]:
    return build_rewards(ALL, training_gold=GOLD)


@steady
@given(texts=st.lists(anything, min_size=1, max_size=6), gold=label_lists)
def test_every_reward_is_finite_and_bounded_for_any_text(
    every_reward: list[Reward], texts: list[str], gold: list[str]
) -> None:
    n = len(texts)
    for reward in every_reward:
        found = reward(
            completions=texts, prompts=["q"] * n, gold=[gold] * n, completion_ids=[[1]] * n
        )
        assert len(found) == n
        assert all(type(value) is float and -1 <= value <= 1 for value in found), reward
        if reward.__name__ != "contrast":
            assert min(found) >= 0
        if reward.__name__ != "perception":  # the only one that looks at the group
            assert found == [reward(completions=[t], gold=[gold])[0] for t in texts]


def test_rewards_have_names_and_weights_and_can_be_sent_to_other_processes() -> None:
    built = build_rewards(ALL, training_gold=GOLD)
    assert [reward.__name__ for reward in built] == list(ALL)
    assert built[-1].weight == 0.1
    columns = {"completions": [think("He is happy.", "joyful")], "gold": [["glad"]]}
    for reward in built:
        again = pickle.loads(pickle.dumps(reward))
        assert (again.__name__, again.weight) == (reward.__name__, reward.weight)
        assert again(**columns) == reward(**columns)


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({}, "no reward"),
        ({"acuracy": {}}, "acuracy"),
        ({"a": {"kind": 3}}, "unknown reward"),
        ({"accuracy": {"wieght": 1}}, "wieght"),
        ({"accuracy": {"mode": "think"}}, "mode"),
        ({"accuracy": {"length_penalty": "P4"}}, "P4"),
        ({"format": {"mode": ["think"]}}, "think"),
        ({"accuracy": {"weight": "1"}}, "a number"),
        ({"accuracy": {"weight": True}}, "a number"),
        ({"accuracy": {"weight": float("nan")}}, "finite"),
        ({"accuracy": 1.0}, "rewards.accuracy"),
        ({"contrast": {}}, "training clips"),
    ],
)
def test_bad_settings_are_refused_by_name(given_settings: dict[str, object], said: str) -> None:
    with pytest.raises(OvmerError, match=said):
        build_rewards(given_settings)  # type: ignore[arg-type]


def test_columns_called_like_settings_replace_no_setting() -> None:
    settings = {"accuracy": {"length_penalty": "P1"}, "format": {"mode": "answer"}}
    texts = [only("joyful, furious")]
    for reward in build_rewards(settings):
        expected = reward(completions=texts, gold=[["glad"]])
        for name in ("length_penalty", "mode", "lexicon", "judge", "training_gold", "weight"):
            assert reward(completions=texts, gold=[["glad"]], **{name: ["x"]}) == expected
        with pytest.raises(OvmerError, match="no gold"):
            reward(completions=texts)


def test_clues_may_be_one_for_each_sense() -> None:
    judge = Longer()
    texts = [think("a", "x"), think("bb", "x")]
    for clues in ({"audio": "low", "visual": "pale"}, None, "low pale"):
        perception_reward(texts, [["sad"]] * 2, clues=[clues] * 2, judge=judge)
    assert [one.clues for one in judge.asked] == ["low pale", "", "low pale"]


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(OvmerError, match="2 completions, 1 rows"):
        accuracy_reward(["a", "b"], [["sad"]])


def test_rewards_import_nothing_heavy() -> None:
    code = (
        "import sys, json; import affectgpt_rl.rewards.config as c;"
        "c.build_rewards({'accuracy': {}})[0](completions=['x'], gold=[['sad']]);"
        "print(json.dumps([m for m in ('torch', 'transformers', 'trl', 'httpx', 'scipy', 'rich')"
        " if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
