"""The embedded corpus keeps what its data card promises."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ovmer_bench import load_corpus, load_lexicon, score
from ovmer_bench.corpora.store import Corpus
from ovmer_bench.lexicon import N_WHEELS, Lexicon
from ovmer_bench.metrics.gold import as_gold
from ovmer_bench.reference_systems import SYSTEMS, predict
from studies import scenes_baseline, scenes_card, scenes_quality
from studies.scenes_quality import clues, subtitle

CONTENT_FREE = ("constant", "one-per-sector", "all-labels")
KEYWORDS = ("keywords-subtitle", "keywords-clues")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus("ovmer_scenes")


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_lexicon()


# --- form -----------------------------------------------------------------------------------


def test_ids_are_unique_and_in_order(corpus: Corpus) -> None:
    assert list(corpus.ids) == [f"scene_{n:03}" for n in range(1, 421)]


def test_the_order_says_nothing_about_the_feelings(corpus: Corpus, lexicon: Lexicon) -> None:
    """Every seventh of the corpus holds every sector of wheel 1, so that a first part is fair."""
    for first in range(0, 420, 60):
        counts = scenes_quality.sector_counts(corpus.samples[first : first + 60], lexicon)[0]
        assert all(n >= 4 for n in counts.values()), (first, counts)


def test_every_scene_has_every_field(corpus: Corpus) -> None:
    for sample in corpus.samples:
        assert set(sample.subtitle) == {"en", "zh"}, sample.id
        assert set(sample.clues) == {"audio", "visual"}, sample.id
        for text in (*sample.subtitle.values(), *sample.clues.values()):
            assert text == text.strip() and text, sample.id
        assert set(sample.tags) == {"setting", *scenes_card.TAGS}, sample.id


def test_tags_keep_to_their_vocabulary(corpus: Corpus) -> None:
    for tag, vocabulary in scenes_card.TAGS.items():
        assert {sample.tags[tag] for sample in corpus.samples} == set(vocabulary)


def test_labels_are_two_to_six_distinct_lower_case_words(corpus: Corpus) -> None:
    for sample in corpus.samples:
        assert 2 <= len(sample.labels) <= 6, sample.id
        assert len(set(sample.labels)) == len(sample.labels), sample.id
        for label in sample.labels:
            assert re.fullmatch(r"[a-z]+(?:[ '-][a-z]+)*", label), (sample.id, label)


def test_scripts_and_punctuation_suit_the_language(corpus: Corpus) -> None:
    han = re.compile(r"[\u3400-\u9fff]")
    for sample in corpus.samples:
        for text in scenes_quality.english(sample).values():
            assert not han.search(text) and '"' not in text, sample.id
        chinese = sample.subtitle["zh"]
        assert han.search(chinese) and not re.search("[,;:?!\"']", chinese), sample.id


# --- gold -----------------------------------------------------------------------------------


def test_every_gold_label_is_a_feeling_of_the_built_in_lexicon(
    corpus: Corpus, lexicon: Lexicon
) -> None:
    labels = {label for sample in corpus.samples for label in sample.labels}
    assert not [label for label in sorted(labels) if lexicon.lookup(label).status != "feeling"]


def test_no_scene_names_a_base_twice(corpus: Corpus, lexicon: Lexicon) -> None:
    for sample in corpus.samples:
        bases = [lexicon.lookup(label).base for label in sample.labels]
        assert len(set(bases)) == len(bases), sample.id


def test_vocabulary_is_wide_and_not_led_by_one_label(corpus: Corpus) -> None:
    counts = scenes_quality.label_counts(corpus.samples)
    assert len(counts) >= scenes_card.MIN_LABELS
    assert counts[0][1] <= scenes_card.MAX_SHARE * len(corpus)


def test_every_inner_sector_of_every_wheel_is_frequent(corpus: Corpus, lexicon: Lexicon) -> None:
    for wheel, table in enumerate(scenes_quality.sector_counts(corpus.samples, lexicon), 1):
        for sector, n in table.items():
            assert n >= scenes_card.MIN_SCENES, (wheel, sector, n)


# --- leaks and twins ------------------------------------------------------------------------


def test_scenes_do_not_say_their_gold(corpus: Corpus, lexicon: Lexicon) -> None:
    found = scenes_quality.leaks(corpus.samples, lexicon)
    assert len({leak.clip for leak in found}) <= scenes_card.MAX_LEAKS * len(corpus), found


@pytest.mark.parametrize("said", ["So joyful!", "Look how joyfully she runs.", "JOY. Joy."])
def test_a_planted_leak_is_found(corpus: Corpus, lexicon: Lexicon, said: str) -> None:
    sample = replace(corpus.samples[0], labels=("joyful", "tired"), subtitle={"en": said})
    assert [leak.label for leak in scenes_quality.leaks([sample], lexicon)] == ["joyful"]


@pytest.mark.parametrize("name", scenes_card.MAX_ALIKE)
def test_no_two_scenes_are_alike(corpus: Corpus, name: str) -> None:
    texts = [scenes_card.TEXTS[name](sample) for sample in corpus.samples]
    twins = scenes_quality.most_alike(corpus.ids, texts)
    assert twins.similarity < scenes_card.MAX_ALIKE[name], twins


@pytest.mark.parametrize("text_of", [subtitle, clues])
def test_no_two_scenes_share_phrases(corpus: Corpus, text_of: scenes_card.TextOf) -> None:
    twins = scenes_quality.most_shared(corpus.ids, [text_of(s) for s in corpus.samples])
    assert twins.similarity < scenes_card.MAX_SHARED, twins


def test_a_planted_twin_is_found(corpus: Corpus) -> None:
    texts = [clues(sample) for sample in corpus.samples]
    texts[7] = texts[300].replace("the", "a", 2)
    ids = sorted((corpus.ids[7], corpus.ids[300]))
    alike = scenes_quality.most_alike(corpus.ids, texts)
    shared = scenes_quality.most_shared(corpus.ids, texts)
    assert alike.similarity > scenes_card.MAX_ALIKE["clues"] and [*alike[1:]] == ids
    assert shared.similarity > scenes_card.MAX_SHARED and [*shared[1:]] == ids


# --- what answers earn ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def earned(corpus: Corpus) -> dict[str, tuple[float, float]]:
    """S1 and skill of every reference system."""
    gold, said = as_gold(corpus), {}
    for name in SYSTEMS:
        s1 = score(predict(name, gold), gold, draws=0).scores["S1"]
        said[name] = (s1.value, s1.skill)
    return said


@pytest.mark.parametrize("name", CONTENT_FREE)
def test_answers_free_of_content_have_no_skill(
    earned: dict[str, tuple[float, float]], name: str
) -> None:
    assert earned[name][0] > 0.2
    assert earned[name][1] == pytest.approx(0, abs=1e-9)


def test_gold_has_full_skill(corpus: Corpus) -> None:
    s1 = score({s.id: list(s.labels) for s in corpus.samples}, corpus, draws=0).scores["S1"]
    assert s1.value == pytest.approx(1) and s1.skill == pytest.approx(1)


@pytest.mark.parametrize("name", KEYWORDS)
def test_keywords_do_not_solve_it(earned: dict[str, tuple[float, float]], name: str) -> None:
    value, skill = earned[name]
    assert value < scenes_card.MAX_KEYWORD_S1 and skill < scenes_card.MAX_KEYWORD_SKILL


def test_clues_add_to_the_subtitle() -> None:
    """A classifier of words has more skill with the clues, in the mean and for every shuffle."""
    skills = {view: learned.skill for view, learned in scenes_baseline.learned().items()}
    gains = [
        both - alone
        for alone, both in zip(skills["subtitle"], skills["subtitle and clues"], strict=True)
    ]
    assert min(gains) > 0
    assert sum(gains) / len(gains) > scenes_card.MIN_GAIN
    assert max(skills["subtitle and clues"]) < scenes_card.MAX_LEARNED_SKILL


# --- the card -------------------------------------------------------------------------------


def test_statistics_of_the_card_are_current() -> None:
    """Run ``python -m studies.scenes_card`` in ``tests/`` after changing scenes or lexicon."""
    card = scenes_card.installed_card()
    assert scenes_card.block(card, "statistics") == scenes_card.statistics()


def test_the_card_prints_what_the_classifier_earns() -> None:
    """Printed from another version of scikit-learn perhaps, so compared with a margin."""
    printed = scenes_card.block(scenes_card.installed_card(), "classifier")
    rows = dict(re.findall(r"^\| ([a-z ]+) \| [\d.]+ \| (-?[\d.]+)", printed, re.M))
    for view, learned in scenes_baseline.learned().items():
        assert float(rows[view]) == pytest.approx(scenes_card.mean_percent(learned.skill), abs=1.5)


def test_the_example_of_the_card_is_a_scene(corpus: Corpus) -> None:
    shown = scenes_card.shown_example(scenes_card.installed_card())
    assert shown == scenes_card.example(corpus)


def test_types_agree_with_their_meaning(corpus: Corpus, lexicon: Lexicon) -> None:
    """Two feelings at once or in turn are two inner sectors, on one wheel at least."""
    for sample in corpus.samples:
        if sample.tags["type"] in {"mixed", "shifting"}:
            found = [lexicon.lookup(label).sectors for label in sample.labels]
            spread = [len({sectors[k][0] for sectors in found} - {None}) for k in range(N_WHEELS)]
            assert max(spread) >= 2, (sample.id, sample.labels)
