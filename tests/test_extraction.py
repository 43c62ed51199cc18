"""Feelings that prose ascribes to the person it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
from growth import growth
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.lexicon import Lexicon, load_lexicon
from ovmer_bench.parsing import parse_outputs
from ovmer_bench.parsing.extraction import RulesExtractor, extract_labels
from ovmer_bench.parsing.prose import sentences
from ovmer_bench.parsing.prose_rules import load_rules
from ovmer_bench.reading.label_field import split_labels


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_lexicon()


# text, labels that must be found, labels that must not
CASES: list[tuple[str, list[str], list[str]]] = [
    ("He is not angry, just tired of waiting and sad.", ["sad"], ["angry"]),
    ("She isn't happy.", [], ["happy"]),
    ("The man is neither sad nor angry.", [], ["sad", "angry"]),
    ("The woman is calm and shows no sign of fear.", [], ["fear"]),
    ("She feels relief rather than joy.", ["relief"], ["joy"]),
    ("He speaks without anger or fear, but he is proud.", ["proud"], ["anger", "fear"]),
    ("There is a lack of excitement in his voice; he sounds bored.", ["bored"], ["excitement"]),
    ("Instead of anger, she shows sadness.", ["sadness"], ["anger"]),
    ("Her voice is free of fear and full of hope.", [], ["fear"]),
    ("He might be nervous or worried.", ["nervous", "worried"], []),
    ("It is impossible to determine whether he is happy or sad.", [], ["happy", "sad"]),
    ("His friend is sad, while the man himself is amused.", ["amused"], ["sad"]),
    ("She tries to calm the angry customer and remains patient.", [], ["angry"]),
    ("He tells a joke, making the audience happy. He feels proud.", ["proud"], ["happy"]),
    (
        "The subtitle says, \"I'm so happy you came!\" The character's emotional state is sad.",
        ["sad"],
        ["happy"],
    ),
    (
        "The subtitle content is shown. His mouth is open. It is kind of dark.",
        [],
        ["content", "open", "kind"],
    ),
    (
        "She looks well; a patient man may wait in the busy street of a pretty town, down by it.",
        [],
        ["well", "patient", "may", "busy", "pretty", "down"],
    ),
    ("He has an upset stomach and a serious illness.", [], ["upset", "serious"]),
    (
        "At first he is cheerful. In conclusion, his emotional state is disappointed and lonely.",
        ["disappointed", "lonely"],
        ["cheerful"],
    ),
    ("The character is not only happy but also excited.", ["happy", "excited"], []),
    ("He cannot hide his anger.", ["anger"], []),
    ("The person does not show any obvious signs of sadness.", [], ["sadness"]),
    ("Smiling is usually associated with happiness. The man is angry.", ["angry"], ["happiness"]),
    ("The man sits in a calm background. He is furious.", ["furious"], ["calm"]),
    ("He is no longer afraid; he is relieved.", ["relieved"], ["afraid"]),
    ("What if she is jealous? Overall, she feels lonely.", ["lonely"], ["jealous"]),
    ("She seems to be in a happy and carefree mood.", ["happy", "carefree"], []),
    ("The emotion conveyed by the speaker is a mix of surprise and joy.", ["surprise", "joy"], []),
    ("He couldn't be happier.", ["happier"], []),
    (
        "The man doesn't seem worried about the news, but his wife is anxious.",
        [],
        ["worried", "anxious"],
    ),
    (
        "Based on the tone, the speaker feels frustrated, annoyed, and a bit disappointed.",
        ["frustrated", "annoyed", "disappointed"],
        [],
    ),
    (
        "It is not clear whether the person is happy. The tone suggests sadness.",
        ["sadness"],
        ["happy"],
    ),
    ("There is nothing to suggest anger. She is embarrassed.", ["embarrassed"], ["anger"]),
    ("The man seems angry at first, but then he becomes calm.", ["angry", "calm"], []),
    ("No clear indication of anger; the person appears neutral.", ["neutral"], ["anger"]),
    ("They are engaged in a serious talk. He is concerned.", ["concerned"], ["engaged"]),
    ("The woman starts crying, indicating intense emotions.", ["crying"], ["intense emotions"]),
    ("She smiles, laughing with joy.", ["joy"], ["smiles", "laughing"]),
    ("This sentence expresses the lady's happiness and anticipation.", ["happiness"], []),
    ("She never gets angry.", [], ["angry"]),
    ("The person is far from happy; he is miserable.", ["miserable"], ["happy"]),
    ("Emotions: the person shows surprise. The happy music plays.", ["surprise"], ["happy"]),
    # a noun phrase that denies ends at the verb
    ("Her lack of enthusiasm suggests boredom.", ["boredom"], ["enthusiasm"]),
    ("He lacks confidence and appears nervous.", ["nervous"], ["confidence"]),
    ("There is no anger in his face and he seems sad.", ["sad"], ["anger"]),
    ("No one is happy here; the man is bored.", ["bored"], ["happy"]),
    ("There is no indication that he is afraid.", [], ["afraid"]),
    ("It's not that she is angry; she's worried.", ["worried"], ["angry"]),
    ("Not because she is sad but because she is proud, she cries.", ["proud"], ["sad"]),
    ("Anger and sadness are absent; the speaker is calm.", ["calm"], ["anger", "sadness"]),
    ("No emotion other than joy shows in her face.", ["joy"], []),
    # comparison
    ("She chose acceptance rather than joy.", ["acceptance"], ["joy"]),
    ("She is less angry than hurt.", ["hurt"], ["angry"]),
    ("More amused than offended, she shakes her head.", ["amused"], ["offended"]),
    ("He's not so much angry as hurt.", ["hurt"], ["angry"]),
    ("He isn't sad, just tired.", ["tired"], ["sad"]),
    ("He is too tired to be angry.", ["tired"], ["angry"]),
    ("It would be wrong to call him arrogant; he is shy.", ["shy"], ["arrogant"]),
    # what is left open or conceded
    ("It is hard to tell whether she is angry, but she is upset.", ["upset"], ["angry"]),
    ("If the person is crying, she may be sad.", [], ["sad"]),
    ("One might expect anger, but he is serene.", ["serene"], ["anger"]),
    ("He pretends to be happy. He is sad.", ["sad"], ["happy"]),
    ("Is he angry? He looks sad.", ["sad"], ["angry"]),
    # withdrawn in the end
    ("He may be angry. On second thought he is not angry, he is sad.", ["sad"], ["angry"]),
    ("It may be sadness or fatigue. Fatigue is unlikely.", ["sadness"], ["fatigue"]),
    # words that name a feeling only where one is felt
    ("She feels down and a little blue today.", ["down", "blue"], []),
    ("He looks down at the blue water.", [], ["down", "blue"]),
    ("She sits with her arms crossed. She is rather cross with him.", ["cross"], ["crossed"]),
    ("The subtitle content is long. She feels content.", ["content"], []),
    ("She shows a cold determination.", ["determination"], ["cold"]),
    ("He is full of excitement and wonder.", ["excitement", "wonder"], []),
    ("There is love, longing and sorrow in every word.", ["love", "longing", "sorrow"], []),
    # other people and surroundings
    (
        "The audience laughs happily while he stands there embarrassed.",
        ["embarrassed"],
        ["happily", "laughs"],
    ),
    ("His friend, angry and loud, shouts at him. He is scared.", ["scared"], ["angry"]),
    ("The child is terrified; his mother, however, is relaxed.", ["terrified"], ["relaxed"]),
    ("She is proud of her son, who is nervous.", ["proud"], ["nervous"]),
    ("He is happy, and his wife is angry.", ["happy"], ["angry"]),
    ("He and his wife are happy.", ["happy"], []),
    ("Her father's death makes her sad.", ["sad"], []),
    ("The atmosphere is tense, but she is amused.", ["amused"], ["tense"]),
    # change
    ("Initially calm, he becomes agitated.", ["calm", "agitated"], []),
    ("Her expression turns from surprise to delight.", ["surprise", "delight"], []),
    ("Her surprise gives way to panic.", ["surprise", "panic"], []),
    ("She looks surprised, then sad, and in the end angry.", ["surprised", "sad", "angry"], []),
    # bare lists and what belongs to a person
    ("I would say: relaxed, content.", ["relaxed", "content"], []),
    ("Happiness, surprise and disbelief show.", ["happiness", "surprise", "disbelief"], []),
    ("Her joy is tempered by worry.", ["joy", "worry"], []),
    ("He is tired of waiting and sad.", ["tired", "sad"], []),
]


@pytest.mark.parametrize(("text", "found", "left_out"), CASES)
def test_context_decides(
    text: str, found: list[str], left_out: list[str], lexicon: Lexicon
) -> None:
    labels = extract_labels(text, lexicon)
    assert [label for label in found if label not in labels] == []
    assert [label for label in left_out if label in labels] == []


def test_a_conclusion_overrides_what_led_to_it(lexicon: Lexicon) -> None:
    text = (
        "In the video, a man sits at a desk. He seems happy and relaxed. His voice trembles, which "
        "may suggest fear. In conclusion, it can be inferred that the man's emotional state is "
        "one of sadness and, possibly, despair."
    )
    assert extract_labels(text, lexicon) == ["sadness", "despair"]
    assert extract_labels(text.split(" In conclusion")[0], lexicon) == ["happy", "relaxed", "fear"]


def test_signs_count_where_nothing_is_said_outright(lexicon: Lexicon) -> None:
    assert extract_labels("A trembling voice, a frightened glance.", lexicon) == ["frightened"]


def test_what_is_vague_counts_where_nothing_else_is_said(lexicon: Lexicon) -> None:
    concluded = "In conclusion, the character's emotional state is "
    assert extract_labels(concluded + "positive.", lexicon) == ["positive"]
    assert extract_labels(concluded + "positive, friendly and happy.", lexicon) == [
        "positive",
        "friendly",
        "happy",
    ]
    text = "Overall, she is in a positive emotional state, possibly happiness or joy."
    assert extract_labels(text, lexicon) == ["happiness", "joy"]


def test_one_label_for_each_base_in_order_of_first_mention(lexicon: Lexicon) -> None:
    text = "He feels angry and sad. There is sadness in his eyes, and anger. He feels sad."
    assert extract_labels(text, lexicon) == ["angry", "sad"]


def test_quoted_speech_is_no_description(lexicon: Lexicon) -> None:
    text = 'The subtitle says, "I am so angry at you! I hate it." The word "sad" fits him.'
    assert not any("hate" in sentence or "angry" in sentence for sentence in sentences(text))
    assert extract_labels(text, lexicon) == ["sad"]


def test_the_extractor_names_itself(lexicon: Lexicon) -> None:
    extract = RulesExtractor(lexicon)
    assert extract.id == "rules-1"
    assert extract(["He is sad.", "", "A red chair."]) == [["sad"], [], []]


def test_rules_do_not_contradict_each_other() -> None:
    words = load_rules().words
    assert not words["never"] & words["state_only"]
    assert all(word == word.lower() for listed in words.values() for word in listed)


def test_plain_feelings_are_not_ruled_out(lexicon: Lexicon) -> None:
    plain = "happy sad angry afraid scared surprised disgusted anxious proud lonely jealous"
    for word in re.split(" ", plain):
        assert extract_labels(f"He is {word}.", lexicon) == [word]


WORDS = st.sampled_from(
    re.split(
        " ",
        "he is not sad happy down calm just than if ? , and or . : emotional state feels her "
        "friend neither nor the mood of "
        'subtitle " “ \n overall whether unclear without \ud800',
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(WORDS, max_size=60).map(" ".join)))
def test_any_text_has_an_answer_and_always_the_same(text: str) -> None:
    lexicon = load_lexicon()
    labels = extract_labels(text, lexicon)
    assert labels == extract_labels(text, lexicon)
    assert len(set(labels)) == len(labels)
    assert all(lexicon.lookup(label).status in ("feeling", "neutral") for label in labels)


def test_many_outputs_cost_as_much_each_as_few(lexicon: Lexicon) -> None:
    text = "The man raises his voice. He seems angry, and a bit disappointed with his friend {}."
    texts = [text.format(i) for i in range(4000)]
    extract = RulesExtractor(lexicon)
    assert extract(texts) == [["angry", "disappointed"]] * len(texts)
    assert growth(lambda size: extract(texts[:size]), 400, 4000) < 30


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("His heart is heavy.", "heavy-hearted"),
        ("She has butterflies in her stomach.", "nervous"),
        ("He can't wait.", "eager"),
        ("She is down in the dumps.", "down"),
        ("His jaw dropped.", "astonished"),
        ("He is walking on air.", "elated"),
        ("She is over the moon.", "over the moon"),
        ("He is on edge.", "on edge"),
    ],
)
def test_idioms_are_read(text: str, label: str, lexicon: Lexicon) -> None:
    assert extract_labels(text, lexicon) == [label]


def test_words_of_a_display_count_where_nothing_else_is_said(lexicon: Lexicon) -> None:
    assert extract_labels("He reads the news in a neutral tone.", lexicon) == ["neutral"]
    assert extract_labels("In a neutral tone he says that he is angry.", lexicon) == ["angry"]


def test_a_heading_makes_what_follows_a_conclusion(lexicon: Lexicon) -> None:
    text = "He looks angry.\nConclusion\nHe is sad and lonely.\nRemarks\nShe is amused."
    assert extract_labels(text, lexicon) == ["sad", "lonely"]


Cases = list[dict[str, str | list[str]]]


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Outputs in many styles with the labels a careful reader gives; our own text.

    Even lines were open while the rules were made, odd ones were not looked at.
    """
    path = Path(__file__).with_name("extraction_cases.jsonl")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# Reached: precision 0.96 and recall 0.98 on the open half, 0.93 and 0.93 on the held-out half.
@pytest.mark.parametrize(("half", "precision", "recall"), [(0, 0.94, 0.95), (1, 0.91, 0.91)])
def test_labels_of_many_styles_of_output(
    half: int, precision: float, recall: float, cases: Cases, lexicon: Lexicon
) -> None:
    def bases(labels: Iterable[str]) -> set[str]:
        return {lexicon.lookup(label).base or label for label in labels}

    chosen = cases[half::2]
    parsed = parse_outputs([str(case["output"]) for case in chosen], lexicon)
    pairs = [(bases(p.labels), bases(c["labels"])) for p, c in zip(parsed, chosen, strict=True)]
    both = sum(len(ours & wanted) for ours, wanted in pairs)
    assert both / sum(len(ours) for ours, _ in pairs) > precision
    assert both / sum(len(wanted) for _, wanted in pairs) > recall


SYSTEMS = ["Chat-UniVi", "Otter", "Qwen-Audio"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_scores_are_those_of_a_language_models_reading(
    system: str, reference: Path, lexicon: Lexicon
) -> None:
    stem = "output-reason-7b-nosubtitle-addsub-eng"
    folder = reference / "predictions" / "ovmerd" / system
    with np.load(folder / f"{stem}.npz", allow_pickle=True) as file:
        texts: dict[str, str] = file["name2reason"].item()
    with np.load(folder / f"{stem}-openset.npz", allow_pickle=True) as file:
        items = zip(file["filenames"].tolist(), file["fileitems"].tolist(), strict=True)
        read = {name: split_labels(item) for name, item in items}
    rows = (reference / "labels" / "ovmerd.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    gold = {
        name: split_labels(rest.strip('"')) for name, _, rest in (r.partition(",") for r in rows)
    }
    extracted = {name: extract_labels(text, lexicon) for name, text in texts.items()}
    ours, theirs = ew_f(extracted, gold, lexicon), ew_f(read, gold, lexicon)
    assert abs(ours - theirs) < 0.025
    per_clip = [np.mean([len(labels) for labels in side.values()]) for side in (extracted, read)]
    assert 0.8 < per_clip[0] / per_clip[1] < 1.25


def ew_f(
    predicted: Mapping[str, list[str]], gold: Mapping[str, list[str]], lexicon: Lexicon
) -> float:
    """EW F at level 1, mean over the wheels, straight from its definition."""
    scores = []
    for wheel in range(5):
        shares = []
        for name, labels in gold.items():
            sides = []
            for side in (labels, predicted[name]):
                places = {lexicon.lookup(label).sectors[wheel][0] for label in side}
                sides.append(places - {None})
            wanted, said = sides
            if wanted:
                both = len(wanted & said)
                shares.append((both / len(said) if said else 0.0, both / len(wanted)))
        precision, recall = np.mean(shares, axis=0)
        scores.append(2 * precision * recall / (precision + recall))
    return float(np.mean(scores))
