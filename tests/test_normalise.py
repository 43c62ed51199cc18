"""Rules that bring a spelling back to a listed form."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench.lexicon import Lexicon
from ovmer_bench.lexicon import builtin as lexicon_builtin
from ovmer_bench.lexicon.normalise import MAX_CHARACTERS, canonical
from ovmer_bench.lexicon.spelling import Spellings

FORMS = """
    happy unhappy sad sadness angry anger afraid fearless heart-broken worried neutral frustrated
    frustration gloomy self-doubt hopeless hope organised favorite excited don't-care trust
    distrustful calm agitated loss amused anxious disappointment overwhelmed
"""
SPELLINGS = Spellings(
    feelings=frozenset(FORMS.split()),
    no_feeling=frozenset(["customer", "hand gesture"]),
    opposite=lambda form: {"happy": "unhappy", "hope": "hopeless", "trust": "distrustful"}.get(
        form, "neutral"
    ),
)

SAME = [
    ("Happy!", "happy"),
    ("**happy**", "happy"),
    ("`happy`", "happy"),
    ("“happy”", "happy"),
    ("happy 😊", "happy"),
    ("  - happy", "happy"),
    ("1. happy", "happy"),
    ("(happy)", "happy"),
    ("happy (mild)", "happy"),
    ("heart broken", "heart-broken"),
    ("heart_broken", "heart-broken"),
    ("heart‑broken", "heart-broken"),
    ("self doubt", "self-doubt"),
    ("organized", "organised"),
    ("favourite", "favorite"),
    ("gloominess", "gloomy"),
    ("gloomily", "gloomy"),
    ("overexcited", "excited"),
    ("frustratedness", "frustrated"),
    ("fustration", "frustration"),
    ("dissapointment", "disappointment"),
    ("disapppointment", "disappointment"),
    ("frestration", "frustration"),
    ("frustration!!", "frustration"),
    ("worked", None),
    ("disapointment", "disappointment"),
]
MODIFIED = [
    ("very sad", "sad"),
    ("slightly angry", "angry"),
    ("a bit worried", "worried"),
    ("somewhat frustrated", "frustrated"),
    ("mild sadness", "sadness"),
    ("deep sadness", "sadness"),
    ("a strong sense of loss", "loss"),
    ("extremely angry", "angry"),
    ("undeniably sad", "sad"),
]
FRAMED = [
    ("feeling of loss", "loss"),
    ("sense of hope", "hope"),
    ("in a happy mood", "happy"),
    ("angry tone", "angry"),
    ("sad expression", "sad"),
    ("emotional sadness", "sadness"),
    ("looking worried", "worried"),
    ("full of anger", "anger"),
    ("state of anger", "anger"),
    ("signs of anger", "anger"),
    ("she is very happy", "happy"),
    ("angry customer", "angry"),
    ("shaking with anger", "anger"),
    ("angry with her", "angry"),
    ("barely contained anger", "anger"),
    ("righteous anger", "anger"),
    ("anger towards his father", "anger"),
    ("worried about her", "worried"),
]
DENIED = [
    ("not happy", "unhappy"),
    ("isn't happy", "unhappy"),
    ("not at all happy", "unhappy"),
    ("not very happy", "unhappy"),
    ("without hope", "hopeless"),
    ("no hope", "hopeless"),
    ("lack of trust", "distrustful"),
    ("loss of trust", "distrustful"),
    ("not angry", "neutral"),
    ("no longer angry", "neutral"),
    ("not unhappy", "neutral"),
    ("non-angry", "neutral"),
]
SEVERAL = [
    ("sad and angry", "sad"),
    ("angry/frustrated", "angry"),
    ("sad & worried", "sad"),
    ("customer or sad", "sad"),
    ("unknown; sad", "sad"),
    ("sad -> angry", "sad"),
]
NONE = ["", " ", "()", "!!!", "😊", "威胁", "xyzzy", "the", "not", "not the", "-", "'", "a" * 5000]


@pytest.mark.parametrize(("label", "form"), SAME + MODIFIED + FRAMED + DENIED + SEVERAL)
def test_rules(label: str, form: str | None) -> None:
    assert canonical(label.lower(), SPELLINGS) == form


@pytest.mark.parametrize("label", NONE)
def test_no_rule_helps(label: str) -> None:
    assert canonical(label, SPELLINGS) is None


@pytest.mark.parametrize(
    "label",
    """close-up shot|in good company|deep voice|light rain|blue shirt|blue eyes|high tone
    |bright room|warm clothes|cold weather|open mouth|happy birthday|sad music|old friend
    |hair loss|weight loss|heart attack|broken glass|sweet potato|dull pain|sit down
    |reason for anger|talk about love|a zorgle|feel wxyz""".replace("\n    ", "").split("|"),
)
def test_a_phrase_whose_head_is_no_feeling_names_none(label: str) -> None:
    assert LEXICON.lookup(label).status in ("unknown", "no-feeling")


@pytest.mark.parametrize("label", ["the zorgle", "a zorgle feeling", "feel zorgle", "zorgle tone"])
def test_a_frame_around_an_unknown_word_makes_it_no_known_one(label: str) -> None:
    assert LEXICON.lookup(label).status == "unknown"


@pytest.mark.parametrize(
    ("label", "base"),
    [
        ("happy on the surface but sad inside", "sad"),
        ("sense of relief", "relieved"),
        ("emotional distress", "distressed"),
        ("in a good mood", "good mood"),
        ("a little bit angry", "anger"),
        ("feel wronged", "wronged"),
        ("be at a loss", "at a loss"),
        ("want to cry", "wishing to cry"),
        ("can't wait", "cannot wait"),
        ("not very satisfied", "dissatisfied"),
        ("emotionally moved", "moved"),
        ("with expectation", "expectant"),
        ("friendly smile", "friendly"),
        ("fake smile", "fake"),
        ("betrayed trust", "distrustful"),
        ("shattered hope", "hopeless"),
        ("broken glass and anger", "anger"),
        ("smile bitterly", "bitter"),
        ("relieved sigh", "relieved"),
        ("need for approval", "longing"),
        ("hair-raising terror", "terrified"),
    ],
)
def test_phrases_of_recognisers(label: str, base: str) -> None:
    assert LEXICON.lookup(label).base == base


@pytest.mark.parametrize(
    ("label", "base", "valence"),
    [
        ("开心", "happy", 1),
        ("有点难过", "sad", -1),
        ("很生气", "anger", -1),
        ("不开心", "upset", -1),
        ("不害怕", "fear", 1),
        ("无奈的语气", "resigned", -1),
        ("愤怒、悲伤", "anger", -1),
        ("焦虑不安", "anxious", -1),
        ("情绪低落", "depressed", -1),
        ("没有情绪", "neutral", 0),
    ],
)
def test_chinese_labels(label: str, base: str, valence: int) -> None:
    entry = LEXICON.lookup(label)
    assert entry.valence == valence
    assert entry.base == base or label.startswith("不害怕")


def test_real_words_are_not_taken_for_misspelt_feelings() -> None:
    for word in ("string", "throat", "thrust", "fund", "wood", "lossy", "batter", "starling"):
        assert LEXICON.lookup(word).status in ("unknown", "no-feeling"), word


def test_words_without_feeling() -> None:
    assert canonical("hand-gesture", SPELLINGS) == "hand gesture"
    assert canonical("the customer", SPELLINGS) == "customer"


@pytest.mark.parametrize(
    ("label", "form"),
    [
        ("not happy", "unhappy"),
        ("not satisfied", "unsatisfied"),
        ("not afraid", "not afraid"),
        ("no fear", "fearless"),
        ("not confident", "unconfident"),
        ("no confidence", "insecure"),
        ("not angry", "neutral"),
        ("not jealous", "neutral"),
        ("no longer sad", "neutral"),
        ("not calm", "agitated"),
        ("absence of joy", "unhappy"),
        ("not at all interested", "uninterested"),
        ("dont care", "dont care"),
    ],
)
def test_denials_in_the_built_in_lexicon(label: str, form: str) -> None:
    assert LEXICON.lookup(label).form == form


def test_a_denied_feeling_keeps_its_valence_only_in_a_word_of_its_own() -> None:
    """Both ``obedient`` and ``disobedient`` can be bad; no table or rule may say so."""
    kept = []
    for form in sorted(LEXICON.forms):
        valence = LEXICON.lookup(form).valence
        if " " in form or not valence:
            continue
        for denial in (f"not {form}", f"not very {form}"):
            denied = LEXICON.lookup(denial)
            if denied.valence == valence and not (denied.form or "").endswith(form):
                kept.append((denial, denied.form))
    assert not kept


LEXICON: Lexicon = lexicon_builtin.load()
PIECES = """
    not very sad happy joy of the feeling anger and / , - don't lack no hopeless worried tone
    in a mood expression 威 😊 ** self over un about ( ) xyz overwhelming
"""
WORDS = st.sampled_from(PIECES.split())
LABELS = st.one_of(st.text(), st.lists(WORDS, max_size=14).map(" ".join), WORDS.map(str.upper))


@settings(max_examples=400, deadline=None)
@given(LABELS)
def test_total_and_its_answer_is_a_form(label: str) -> None:
    form = canonical(label, _builtin())
    assert form is None or form in LEXICON.forms or form in LEXICON.no_feeling


@settings(max_examples=400, deadline=None)
@given(LABELS)
def test_idempotent(label: str) -> None:
    form = canonical(label, _builtin())
    if form is not None:
        assert canonical(form, _builtin()) == form
    assert canonical(label, _builtin()) == form


def test_a_form_is_its_own_answer() -> None:
    spellings = _builtin()
    assert all(canonical(form, spellings) == form for form in LEXICON.forms)


@pytest.mark.timeout(60)
def test_work_is_bounded() -> None:
    for label in ("a " * 500_000, "x" * 1_000_000, "not " * 250_000, "(" * 1_000_000):
        assert canonical(label, _builtin()) is None
    worst = [("not very sad of the " * 9)[:MAX_CHARACTERS], "-" * MAX_CHARACTERS, "a-" * 60]
    for label in worst:
        canonical(label, _builtin())


def _builtin() -> Spellings:
    rules = LEXICON.canonical
    assert rules is not None
    return rules.keywords["spellings"]  # type: ignore[attr-defined,no-any-return]
