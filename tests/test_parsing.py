"""Model output -> labels, and label lists of files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from growth import growth
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.errors import InputError
from ovmer_bench.lexicon import Lexicon, load_lexicon
from ovmer_bench.parsing import parse_output, parse_outputs
from ovmer_bench.reading.label_field import split_labels


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_lexicon()


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("[happy, joyful]", ["happy", "joyful"]),
        ("['happy', 'joyful']", ["happy", "joyful"]),
        ('["Happy", "very sad"]', ["happy", "very sad"]),
        ("happy, joyful", ["happy", "joyful"]),
        ("Happy,,  HAPPY ,", ["happy", "happy"]),
        ("[[happy]]", ["[happy]"]),
        (" [happy]", ["[happy"]),
        ("", []),
        ("[", []),
        ("]", []),
        ("[]", []),
        (None, []),
        (float("nan"), []),
        (np.float32("nan"), []),
        ([" Sad ", "let down, by all", ""], ["sad", "let down, by all"]),
        (("angry",), ["angry"]),
        (np.array(["Angry", "sad"]), ["angry", "sad"]),
        (np.array("[angry, sad]"), ["angry", "sad"]),
        (np.array(["angry"], dtype=object), ["angry"]),
        (np.str_("[angry]"), ["angry"]),
    ],
)
def test_a_label_list_is_read_by_the_published_rule(value: object, labels: list[str]) -> None:
    assert split_labels(value) == labels


@pytest.mark.parametrize("value", [3, 2.5, True, {"a": 1}, b"happy", [1], [None], [["a"]], {"a"}])
def test_what_is_no_label_list_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"label list|no string"):
        split_labels(value)


@given(st.text(), st.lists(st.text()))
def test_splitting_keeps_order_and_never_fails(text: str, items: list[str]) -> None:
    for labels in (split_labels(text), split_labels(items)):
        assert all(label and label == label.strip() for label in labels)
    assert split_labels(items) == [x for x in (i.strip().lower().strip() for i in items) if x]


LISTS = [
    ("happy", ["happy"], "comma", True),
    ("Happy.", ["happy"], "comma", True),
    ("happy, sad and a bit tense", ["happy", "sad", "tense"], "comma", True),
    ("doubt/disbelief", ["doubt", "disbelief"], "comma", True),
    ("happy\nsad\n", ["happy", "sad"], "comma", True),
    ("happy; sad | tense", ["happy", "sad", "tense"], "comma", True),
    ("[happy, 'sad']", ["happy", "sad"], "list", True),
    ("[happy, sad", ["happy", "sad"], "list", False),
    ("The answer is: ['happy', 'sad'].", ["happy", "sad"], "list", False),
    ('["happy", "sad"]', ["happy", "sad"], "json", True),
    ('{"emotions": ["Happy", "zorked"]}', ["happy", "zorked"], "json", True),
    ('{"labels": "happy, sad"}', ["happy", "sad"], "json", True),
    ('[{"emotion": "happy", "score": 1}, {"emotion": "sad"}]', ["happy", "sad"], "json", True),
    ('Here you are: {"emotion": "sad"}', ["sad"], "json", False),
    ('```json\n{"emotions": ["sad"]}\n```', ["sad"], "json", True),
    ("{'emotions': ['sad', 'shy']}", ["sad", "shy"], "list", False),
    ("- happy\n- sad", ["happy", "sad"], "list", True),
    ("Emotions:\n1. **Happy**\n2) *Sad*", ["happy", "sad"], "list", False),
    ("Emotions: happy, sad.", ["happy", "sad"], "comma", False),
    ("**Emotions:** happy, sad", ["happy", "sad"], "comma", False),
    ("He smiles a lot.\nFinal answer: happy, sad", ["happy", "sad"], "comma", False),
    ("\\boxed{happy, sad}", ["happy", "sad"], "comma", False),
    ("happy (because of the gift), sad", ["happy", "sad"], "comma", True),
    ("「高兴」，「难过」", ["高兴", "难过"], "comma", True),
    ("情绪：高兴、悲伤。", ["高兴", "悲伤"], "comma", False),
    ("这个人的情绪状态是高兴和激动。", ["高兴", "激动"], "sentence", False),
    (
        "The character's emotional state is tense, anxious, and a bit confused.",
        ["tense", "anxious", "confused"],
        "sentence",
        False,
    ),
    ("The emotional states of the man are zorked and sad.", ["zorked", "sad"], "sentence", False),
    ('["angry", "frustrated", "disap', ["angry", "frustrated"], "list", False),
    ("The labels are [sad] and [shy].", ["sad", "shy"], "list", False),
    ("1) sad 2) shy", ["sad", "shy"], "list", True),
    ("#sad #shy", ["sad", "shy"], "comma", True),
    ("Sad 😢, shy", ["sad", "shy"], "comma", True),
    ("sad > shy", ["sad", "shy"], "comma", True),
    ("Final: sad, shy", ["sad", "shy"], "comma", False),
    ("<emotion>sad</emotion> <emotion>shy</emotion>", ["sad", "shy"], "list", True),
    ("<result>sad, shy</result>", ["sad", "shy"], "comma", True),
    # scores
    ('{"joy": 0.8, "anger": 0.0, "fear": 0.02}', ["joy"], "json", True),
    ('{"emotions": {"joy": 0.8, "fear": "0.4"}}', ["joy", "fear"], "json", True),
    ('{"anger": {"score": 0.9}, "joy": {"score": 0}}', ["anger"], "json", True),
    ('{"anger": "high", "joy": "none"}', ["anger"], "json", True),
    ('{"anger": true, "joy": false}', ["anger"], "json", True),
    (
        '{"emotions": [{"name": "anger", "score": 0.9}, {"name": "joy", "score": 0.01}]}',
        ["anger"],
        "json",
        True,
    ),
    ("Joy (80%), surprise (20%)", ["joy", "surprise"], "comma", True),
    ("90% joy, 10% surprise", ["joy", "surprise"], "comma", True),
    ("Anger: 60%\nDisgust: 30%\nJoy: 0%", ["anger", "disgust"], "comma", True),
    ("anger=0.8, joy=0", ["anger"], "comma", True),
    ("Anger: 7/10\nJoy: 0/10", ["anger"], "comma", True),
    # records
    (
        '{"reasoning": "He is not sad.", "primary_emotion": "anger", "other_emotions": ["fear"]}',
        ["anger", "fear"],
        "json",
        True,
    ),
    (
        "| Emotion | Why |\n|---|---|\n| Fear | eyes |\n| Awe | mouth |",
        ["fear", "awe"],
        "list",
        False,
    ),
    ("| Clue | Emotion |\n|:-|:-|\n| face | Anger |", ["anger"], "list", False),
    ("Face\tsmile\nEmotion\thappy, shy", ["happy", "shy"], "list", False),
    ("Emotion: sad, shy. Reason: he sits alone.", ["sad", "shy"], "comma", False),
    ("Emotional state - sad; Cause - he lost.", ["sad"], "comma", False),
    (
        "Primary emotion: anger\nSecondary emotion: fear\nCue: frown",
        ["anger", "fear"],
        "comma",
        False,
    ),
    ("Evidence:\n- slow speech\nEmotions:\n- sad\n- shy", ["sad", "shy"], "list", False),
    ("Emotions:\n- sad\n- no anger", ["sad"], "list", False),
]


@pytest.mark.parametrize(("text", "labels", "kind", "kept"), LISTS)
def test_lists_are_read_without_a_lexicon(
    text: str, labels: list[str], kind: str, kept: bool
) -> None:
    parsed = parse_output(text, None)
    assert (parsed.labels, parsed.kind, parsed.format_kept) == (labels, kind, kept)


@pytest.mark.parametrize(
    ("text", "labels", "kept"),
    [
        ("<answer>happy, sad</answer>", ["happy", "sad"], True),
        ("<think>angry?</think><answer>sad</answer>", ["sad"], True),
        ("<think>a</think>\n<answer>[sad]</answer>\n", ["sad"], True),
        ("<THINK>a</THINK><Answer>Sad</Answer>", ["sad"], True),
        ("<answer>a</answer><answer>b</answer>", ["b"], False),
        ("<answer>a</answer> and also angry", ["a"], False),
        ("I say <answer>sad</answer>", ["sad"], False),
        ("<answer>sad, ang", ["sad", "ang"], False),
        ("<answer>sad</answer><answer>ang", ["sad"], False),
        ("<think>x <answer>angry</answer></think><answer>sad</answer>", ["sad"], True),
        ("<think>never closed <answer>sad</answer>", ["sad"], False),
        ("angry</think><answer>sad</answer>", ["sad"], True),
        ("<think>a</think><think>b</think><answer>sad</answer>", ["sad"], False),
        ("<answer>The man looks sad.</answer>", ["sad"], False),
        ("sad</answer>", ["sad"], True),
        ("[ANSWER] sad [/ANSWER]", ["sad"], True),
        ("**<answer>** sad **</answer>**", ["sad"], False),
    ],
)
def test_only_the_answer_counts(text: str, labels: list[str], kept: bool, lexicon: Lexicon) -> None:
    parsed = parse_output(text, lexicon)
    assert (parsed.labels, parsed.kind, parsed.format_kept) == (labels, "answer", kept)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "<answer></answer>",
        "<answer> , </answer> sad",
        "<think>sad</think>",
        "<think>sad",
        "<think>I say <answer>sad</answer></think>",
        "[]",
        "{}",
        '{"valence": 0.2, "arousal": 0.9}',
        '{"emotions": []}',
        "None",
        "N/A",
        "...",
        "<|im_end|>",
    ],
)
def test_no_answer_is_empty(text: str, lexicon: Lexicon) -> None:
    parsed = parse_output(text, lexicon)
    assert (parsed.labels, parsed.format_kept) == ([], False)
    assert parsed.kind in ("empty", "prose", "sentence")


@pytest.mark.parametrize(
    "text",
    [
        "I cannot determine the emotion of this person.",
        "As an AI, I am unable to see the video.",
        "I'm sorry, but I can't tell whether he is happy or sad.",
        "<answer>It is impossible to determine the emotion.</answer>",
        "无法判断这个人的情绪。",
    ],
)
def test_refusals_are_told_from_answers(text: str, lexicon: Lexicon) -> None:
    parsed = parse_output(text, lexicon)
    assert (parsed.labels, parsed.kind) == ([], "refusal")


def test_a_refusal_followed_by_an_answer_is_an_answer(lexicon: Lexicon) -> None:
    text = "I cannot determine the exact emotion. However, the man appears to be angry."
    parsed = parse_output(text, lexicon)
    assert (parsed.labels, parsed.kind) == (["angry"], "sentence")


def test_prose_yields_only_feelings(lexicon: Lexicon) -> None:
    text = "A man sits on a chair. He frowns.\n\nIn conclusion, he feels angry and zorked."
    assert parse_output(text, lexicon).labels == ["angry"]
    assert parse_output(text, lexicon).kind == "prose"
    assert parse_output(text, None).labels == []


def test_bulleted_explanations_need_a_lexicon(lexicon: Lexicon) -> None:
    text = "- **Sad**: her eyes are wet.\n- **Angry** - she shouts at the waiter."
    assert parse_output(text, lexicon).labels == ["sad", "angry"]
    other = "- Face: the brows are raised.\n- Voice: the tone is sad."
    assert parse_output(other, lexicon).labels == ["sad"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Worried, not angry", ["worried"]),
        ("- raised voice\n- flushed face\nAll of this points to anger.", ["anger"]),
        ('{"emotion": "The man is sad, not angry."}', ["sad"]),
        ("Summary: he is ashamed.\nEvidence\n1. He avoids eye contact.", ["ashamed"]),
        ("Emotion: happy\nConclusion: He is in fact sad.", ["sad"]),
    ],
)
def test_sentences_in_place_of_labels_are_prose(
    text: str, labels: list[str], lexicon: Lexicon
) -> None:
    assert parse_output(text, lexicon).labels == labels


def test_a_translation_that_the_lexicon_knows_is_preferred(lexicon: Lexicon) -> None:
    text = "情绪是怫然、怅惘若失。 (angry, disappointed)"
    assert parse_output(text, lexicon).labels == ["angry", "disappointed"]
    assert parse_output(text, None).labels == ["怫然", "怅惘若失"]
    known = "情绪是愤怒、失望。 (angry, disappointed)"
    assert parse_output(known, lexicon).labels == ["愤怒", "失望"]


def test_repeats_are_counted_not_listed() -> None:
    parsed = parse_output("sad, Sad, angry, sad", None)
    assert (parsed.labels, parsed.duplicates) == (["sad", "angry"], 2)


def test_labels_have_a_sane_length() -> None:
    long = "x" * 61
    assert parse_output(f'["sad", "{long}"]', None).labels == ["sad"]


class Shouting:
    """An extractor that answers with the first word."""

    id = "shouting"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> list[list[str]]:
        self.calls.append(list(texts))
        return [[text.split()[0].upper()] for text in texts]


def test_an_extractor_is_asked_once_for_all_prose(lexicon: Lexicon) -> None:
    extract = Shouting()
    texts = ["He is sad today.", "[angry]", "<answer>She was glad then.</answer>", ""]
    parsed = parse_outputs(texts, lexicon, extract)
    assert [p.labels for p in parsed] == [["he"], ["angry"], ["she"], []]
    assert extract.calls == [["He is sad today.", "She was glad then."]]


def test_an_extractor_that_drops_texts_is_an_error(lexicon: Lexicon) -> None:
    class Short(Shouting):
        def __call__(self, texts: Sequence[str]) -> list[list[str]]:
            return []

    with pytest.raises(InputError, match="0 of 1"):
        parse_outputs(["He is sad today."], lexicon, Short())


PIECES = st.sampled_from(
    re.split(
        " ",
        "<think> </think> <answer> </answer> [ ] { } \" ' , : ; . - * ( ) 1. ``` \n \\boxed{ sad "
        "happy not emotional state is the 情绪 、 。 “ ” \x00 \ud800",
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=40).map(" ".join)))
def test_any_text_has_an_answer(text: str) -> None:
    lexicon = load_lexicon()
    for known in (None, lexicon):
        parsed = parse_output(text, known)
        assert len(set(parsed.labels)) == len(parsed.labels)
        assert all(0 < len(x) <= 60 and x == x.strip().lower() for x in parsed.labels)
        assert not (parsed.kind in ("empty", "refusal") and parsed.labels)
        assert parse_output(text, known) == parsed


JUNK = [
    "[",
    "{",
    "(",
    "<answer>",
    "<think>",
    "emotion is ",
    "- sad\n",
    "a, ",
    "x",
    "“",
    '["',
    "not ",
    "[a] ",
    "<emotion>",
    "| emotion |\n",
    "sad 1%, ",
    "if she is sad ",
    "his friend is sad ",
    "sad of it and ",
]


@pytest.mark.parametrize("unit", JUNK)
def test_time_is_linear_in_the_text(unit: str, lexicon: Lexicon) -> None:
    texts = {size: (unit * (size // len(unit) + 1))[:size] for size in (100_000, 1_000_000)}
    assert growth(lambda size: parse_output(texts[size], lexicon), *texts) < 40


@pytest.mark.timeout(120)
def test_ten_megabytes_of_junk(lexicon: Lexicon) -> None:
    parse_output("[" * 5_000_000 + "sad, " * 1_000_000, lexicon)


@pytest.mark.parametrize(
    ("folder", "stem"),
    [
        ("mer2023", "checkpoint_000050_loss_0.527"),
        ("meld", "checkpoint_000030_loss_0.602"),
        ("cmumosi", "checkpoint_000040_loss_0.569"),
    ],
)
def test_template_sentences_give_what_a_language_model_reads(
    folder: str, stem: str, reference: Path
) -> None:
    path = reference / "predictions" / folder / stem
    with np.load(f"{path}.npz", allow_pickle=True) as file:
        texts: dict[str, str] = file["name2reason"].item()
    with np.load(f"{path}-openset.npz", allow_pickle=True) as file:
        read = dict(zip(file["filenames"].tolist(), file["fileitems"].tolist(), strict=True))
    parsed = {name: parse_output(text, None) for name, text in texts.items()}
    assert {p.kind for p in parsed.values()} == {"sentence"}
    listed = [(set(parsed[name].labels), set(split_labels(read[name]))) for name in texts]
    found = sum(len(ours & theirs) for ours, theirs in listed)
    assert found > 0.98 * sum(len(theirs) for _, theirs in listed)
    assert found > 0.87 * sum(len(ours) for ours, _ in listed)
