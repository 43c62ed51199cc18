"""The built-in lexicon: wheels as printed, no feeling turned into its opposite, rebuildable."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ovmer_bench.errors import LexiconError
from ovmer_bench.files import read_text
from ovmer_bench.lexicon import Lexicon
from ovmer_bench.lexicon import build as lexicon_build
from ovmer_bench.lexicon import builtin as lexicon_builtin
from ovmer_bench.lexicon.derivation import WORDNET_FOLDER, Derivations
from ovmer_bench.metrics.sentiment import sentiment
from ovmer_bench.reading.npz import read_npz

FOLDER = lexicon_build.lexicon_folder()

# Families that have no place on some wheel, because the wheel prints nothing of the kind.
UNPLACED = {
    "surprise": {5},
    "negative": {1, 3, 4, 5},
    "challenge": {1, 2, 3, 5},
    "identity": {1, 2, 3, 5},
}
# On no wheel on purpose: no feeling shown, or none that has a name.
NO_WHEEL = {"neutral", "serious", "emotional", "mixed", "positive-trait", "negative-trait"}

# Wheel words that a wheel prints in a sector of opposite valence; their family decides.
OPPOSITE_PLACE = {(4, "loyal"), (4, "protective")}


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return lexicon_builtin.load()


def families() -> dict[str, lexicon_builtin.Family]:
    return lexicon_builtin.read_families(read_text(FOLDER / "families.tsv"))


def printed() -> list[tuple[int, str, str, str]]:
    rows = lexicon_builtin.rows(read_text(FOLDER / "wheels.tsv"))
    return [(int(k), inner, middle, outer) for k, inner, middle, outer in rows]


def chosen() -> dict[tuple[int, str], tuple[str, str]]:
    rows = lexicon_builtin.rows(read_text(FOLDER / "choices.tsv"))
    return {(int(k), word): (inner, middle) for k, word, inner, middle, _ in rows}


def test_the_wheels_have_the_published_size(lexicon: Lexicon) -> None:
    sizes = [(len(w.sectors(1)), len(w.sectors(2)), len(w.level1)) for w in lexicon.wheels]
    rings = [(6, 36), (7, 41), (6, 36), (6, 48), (6, 36)]
    for (inner, middle, words), (k, expected) in zip(sizes, enumerate(rings), strict=True):
        outer = {row[3] for row in printed() if row[0] == k + 1}
        middles = {row[2] for row in printed() if row[0] == k + 1}
        inners = {row[1] for row in printed() if row[0] == k + 1}
        assert inner == len(inners)
        assert middle == len(middles)
        assert words == len(inners | middles | outer)
        assert (inner, middle) == expected


def test_every_wheel_word_stands_where_it_is_printed(lexicon: Lexicon) -> None:
    choices = chosen()
    for k, inner, middle, outer in printed():
        for word in (inner, middle, outer):
            if (k, word) in OPPOSITE_PLACE:
                continue
            expected = choices.get((k, word), (inner, middle))
            assert lexicon.lookup(word).sectors[k - 1] == expected, (k, word)


def test_choices_name_places_that_the_wheel_prints() -> None:
    places = {(k, inner, middle) for k, inner, middle, _ in printed()}
    several: dict[tuple[int, str], set[tuple[str, str]]] = {}
    for k, inner, middle, outer in printed():
        for word in (inner, middle, outer):
            several.setdefault((k, word), set()).add((inner, middle))
    for (k, word), (inner, middle) in chosen().items():
        assert (k, inner, middle) in places, (k, word)
    ambiguous = {place for place, found in several.items() if len(found) > 1}
    assert ambiguous == set(chosen()), "every word with several places, and no other, is decided"


def test_no_base_stands_in_a_sector_of_opposite_valence(lexicon: Lexicon) -> None:
    wrong = []
    for form, bases in lexicon.forms.items():
        entry = lexicon.lookup(form)
        valence = lexicon.valences[bases[0]]
        for k, place in enumerate(entry.sectors, 1):
            for level, sector in enumerate(place, 1):
                if sector is None:
                    continue
                if valence * lexicon_builtin.sector_valence(k, level, sector) < 0:
                    wrong.append((form, k, level, sector))
    assert not wrong


def test_families_have_a_place_on_every_wheel(lexicon: Lexicon) -> None:
    for family in families().values():
        missing = {
            k
            for k, wheel in enumerate(lexicon.wheels, 1)
            if not any(word in wheel.level1 for word in family.wheel_words)
        }
        if family.name in NO_WHEEL:
            assert not family.wheel_words, family.name
        else:
            assert missing == UNPLACED.get(family.name, set()), family.name


def test_families_name_wheel_words_only(lexicon: Lexicon) -> None:
    words = {word for wheel in lexicon.wheels for word in wheel.level1}
    for family in families().values():
        assert set(family.wheel_words) <= words, family.name
        assert len(set(family.wheel_words)) == len(family.wheel_words), family.name
        assert family.valence in (-1, 0, 1)


def test_every_family_has_bases() -> None:
    used = {row[1] for row in lexicon_builtin.rows(read_text(FOLDER / "forms.tsv"))}
    assert used == set(families())


def test_a_form_belongs_to_one_base(lexicon: Lexicon) -> None:
    owner: dict[str, str] = {}
    for base, _, forms in lexicon_builtin.rows(read_text(FOLDER / "forms.tsv")):
        for form in [base, *(forms.split(", ") if forms else [])]:
            assert form not in owner, (form, base, owner[form])
            owner[form] = base
    for form, words, *_ in lexicon_builtin.rows(read_text(FOLDER / "forms_zh.tsv")):
        for word in words.split():
            assert word not in owner, (word, form, owner[word])
            owner[word] = owner[form]
    assert {form: bases[0] for form, bases in lexicon.forms.items()} == owner
    assert all(len(bases) == 1 for bases in lexicon.forms.values())
    assert not lexicon.no_feeling & lexicon.forms.keys()


def test_forms_are_written_as_labels_are_looked_up(lexicon: Lexicon) -> None:
    for form in [*lexicon.forms, *lexicon.no_feeling]:
        assert form == form.strip().lower() == " ".join(form.split()), form


@pytest.mark.parametrize(
    ("word", "feeling"),
    [
        ("fearless", "fear"),
        ("hopeless", "hope"),
        ("careless", "caring"),
        ("unhappy", "happy"),
        ("dissatisfied", "satisfied"),
        ("discontent", "content"),
        ("restless", "relaxed"),
        ("helpless", "supportive"),
        ("distrust", "trust"),
        ("disrespect", "respect"),
        ("uninterested", "interested"),
        ("discomfort", "comfortable"),
        ("insecure", "secure"),
        ("disapproval", "approval"),
        ("impatient", "patient"),
        ("unafraid", "afraid"),
        ("unworried", "worried"),
    ],
)
def test_opposites_stay_apart(lexicon: Lexicon, word: str, feeling: str) -> None:
    one, other = lexicon.lookup(word), lexicon.lookup(feeling)
    assert one.bases and other.bases
    assert one.valence == -(other.valence or 0) != 0
    for a, b in zip(one.sectors, other.sectors, strict=True):
        assert a != b or a == (None, None)


@pytest.mark.parametrize(
    ("words", "base"),
    [
        ("happy happily happiness happier happiest", "happy"),
        ("frustrated frustrating frustration frustrate frustratingly", "frustrated"),
        ("anger angry angrily angered angrier", "anger"),
        ("anxious anxiety anxiously anxiousness", "anxious"),
        ("apologise apologize apologising apologizing apologetic", "apologetic"),
        ("sceptical skeptical scepticism skepticism", "sceptical"),
        ("demoralised demoralized", "demoralized"),
        ("humour humor humorous", "humorous"),
    ],
)
def test_a_word_family_has_one_base(lexicon: Lexicon, words: str, base: str) -> None:
    assert {lexicon.lookup(word).base for word in words.split()} == {base}


@pytest.mark.parametrize(
    ("label", "sector", "valence"),
    [
        ("on edge", "scared", -1),
        ("fed up", "mad", -1),
        ("heavy-hearted", "sad", -1),
        ("at a loss", "surprised", -1),
        ("wronged", "sad", -1),
        ("grievance", "sad", -1),
        ("sarcastic", "mad", -1),
        ("contempt", "disgusted", -1),
        ("longing", "sad", 0),
        ("gratitude", "happy", 1),
        ("humorous", "happy", 1),
        ("tension", "scared", -1),
        ("calm", "happy", 1),
        ("loyal", "happy", 1),
        ("arrogant", "disgusted", -1),
    ],
)
def test_meanings(lexicon: Lexicon, label: str, sector: str, valence: int) -> None:
    entry = lexicon.lookup(label)
    assert (entry.sectors[0][0], entry.valence) == (sector, valence)


@pytest.mark.parametrize("label", ["neutral", "serious", "solemn", "neutral expression"])
def test_near_neutral_labels_stand_on_no_wheel(lexicon: Lexicon, label: str) -> None:
    entry = lexicon.lookup(label)
    assert entry.status == "neutral"
    assert entry.valence == 0


def test_identity_and_digest(lexicon: Lexicon) -> None:
    assert lexicon.id == "ovmer"
    assert not lexicon.alphabetical
    assert len(lexicon.sha256) == len(hashlib.sha256().hexdigest())
    assert lexicon_builtin.load().sha256 == lexicon.sha256


def test_the_digest_follows_every_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = lexicon_builtin.read_resources(*lexicon_builtin.RESOURCES)
    digests = {lexicon_builtin._digest(texts)}
    for name in texts:
        digests.add(lexicon_builtin._digest({**texts, name: texts[name] + "# x\n"}))
    monkeypatch.setattr(lexicon_builtin.normalise, "RULES_VERSION", "next")
    digests.add(lexicon_builtin._digest(texts))
    assert len(digests) == len(texts) + 2


def test_the_same_lexicon_whatever_the_hash_seed() -> None:
    code = (
        "from ovmer_bench.lexicon import builtin as b; l = b.load();"
        "print(l.sha256, list(l.wheel_words.items())[:99], l.lookup('not good at all'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_sector_valence_names_what_exists() -> None:
    assert lexicon_builtin.sector_valence(2, 1, "bad") == -1
    assert lexicon_builtin.sector_valence(1, 2, "excited") == 1
    with pytest.raises(LexiconError, match=r"no sector 'joy' at level 1 of wheel 1.*accepted"):
        lexicon_builtin.sector_valence(1, 1, "joy")
    with pytest.raises(LexiconError, match="wheels 1 to 5"):
        lexicon_builtin.sector_valence(9, 1, "joy")


def test_a_missing_resource_is_named() -> None:
    with pytest.raises(LexiconError, match=r"absent\.tsv.*Install"):
        lexicon_builtin.read_resources("absent.tsv")


def test_denials_lead_to_forms_of_the_other_side(lexicon: Lexicon) -> None:
    known = families()
    for family, form, *_ in lexicon_builtin.rows(read_text(FOLDER / "negations.tsv")):
        valence = known[family].valence
        entry = lexicon.lookup(form)
        assert form in lexicon.forms, form
        assert entry.valence is not None
        assert valence * entry.valence < 0 or 0 in (valence, entry.valence), (family, form)


needs_wordnet = pytest.mark.skipif(
    not (WORDNET_FOLDER / "data.noun").is_file(),
    reason=f"no WordNet database in {WORDNET_FOLDER} (Debian: wordnet-base)",
)


@needs_wordnet
def test_the_form_table_is_what_the_bases_give() -> None:
    built = lexicon_build.build(FOLDER, WORDNET_FOLDER)
    assert built == (FOLDER / "forms.tsv").read_text(encoding="utf-8")


@needs_wordnet
def test_the_guard_against_misreading_is_rebuilt() -> None:
    forms = read_text(FOLDER / "forms.tsv")
    built = lexicon_build.real_words(FOLDER, WORDNET_FOLDER, forms)
    assert built == (FOLDER / "real_words.tsv").read_text(encoding="utf-8")


@needs_wordnet
@pytest.mark.parametrize(
    ("word", "forms", "strangers"),
    [
        ("sad", "sadder saddest sadly sadness", "sader"),
        ("heroic", "heroically", "heroicer"),
        ("beset", "besets besetting", "beseted"),
        ("gratify", "gratified gratifies gratifying", "gratifyed"),
        ("gentle", "gentler gentlest", "gentlier"),
        ("afraid", "", "afraider"),
        ("beaten", "", "beatener"),
        ("joyous", "joyously joyousness", "joyouser"),
        ("fluent", "fluently", "fluenter"),
        ("fear", "feared fears", "fearless fearlessness"),
    ],
)
def test_derived_forms_are_words(word: str, forms: str, strangers: str) -> None:
    found = Derivations(WORDNET_FOLDER).of(word)
    assert set(forms.split()) <= found.keys()
    assert not set(strangers.split()) & found.keys()


def test_plain_words_are_forms(lexicon: Lexicon) -> None:
    for word, sense in lexicon_builtin.rows(read_text(FOLDER / "plain.tsv")):
        assert word in lexicon.forms, word
        assert sense


@needs_wordnet
def test_check_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert lexicon_build.main(["--check"]) == 0
    assert "up to date" in capsys.readouterr().out


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The smallest set of source files that the builder accepts."""
    texts = {
        "families.tsv": "joy\t1\tjoyful\tjoy\nfear\t-1\tscared\tfear\ncourage\t1\tbrave\tx\n",
        "bases_negative.tsv": "afraid\tfear\nfear\tfear\tfrightful\n",
        "bases_positive.tsv": "# none\nglad\tjoy\n",
        "overrides.tsv": "# none\n",
        "no_feeling.tsv": "person\trole\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@needs_wordnet
def test_builder_on_small_sources(sources: Path) -> None:
    lines = lexicon_build.build(sources, WORDNET_FOLDER).splitlines()
    table = {base: set(forms.split(", ")) for base, _, forms in map(_fields, lines) if base}
    assert {"gladly", "gladness"} <= table["glad"]
    assert {"feared", "fears", "frightful"} <= table["fear"]
    assert "fearless" not in table["fear"]


def _fields(line: str) -> tuple[str, str, str]:
    if line.startswith("#"):
        return "", "", ""
    base, family, forms = line.split("\t")
    return base, family, forms


@needs_wordnet
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bases_positive.tsv", "glad\tmirth\n", r"bases_positive\.tsv:1: unknown family 'mirth'"),
        ("bases_positive.tsv", "afraid\tjoy\n", r"'afraid' was given already"),
        ("bases_positive.tsv", "Glad joy\n", r"cannot read 'Glad joy'.*accepted: base"),
        ("overrides.tsv", "dreads\tdread\n", r"no base 'dread'"),
        ("overrides.tsv", "fear\tafraid\n", r"'fear' is a base"),
        ("bases_positive.tsv", "brave\tcourage\tfrightful\n", r"frightful \(fear or brave\)"),
    ],
)
def test_faulty_sources_are_named(sources: Path, name: str, text: str, message: str) -> None:
    (sources / name).write_text(text, encoding="utf-8")
    with pytest.raises(LexiconError, match=message):
        lexicon_build.build(sources, WORDNET_FOLDER)


def test_a_folder_without_wordnet_is_named(sources: Path) -> None:
    with pytest.raises(LexiconError, match="wordnet-base"):
        lexicon_build.build(sources, sources)


def label_lists(reference: Path) -> dict[str, list[list[str]]]:
    """Label lists of people and of released systems, by file."""
    with (reference / "labels" / "ovmerd.csv").open(encoding="utf-8", newline="") as table:
        lists = {"gold": [_labels(row["openset"]) for row in csv.DictReader(table)]}
    for path in sorted((reference / "predictions").rglob("*-openset.npz")):
        items = read_npz(path)["fileitems"]
        lists[str(path.relative_to(reference))] = [_labels(item) for item in items]
    return lists


def _labels(value: object) -> list[str]:
    text = value if isinstance(value, str) else ",".join(map(str, value))  # type: ignore[call-overload]
    found = [label.strip().lower() for label in re.split(r"[',\"]", text.strip("[]"))]
    return [label for label in found if label]


def test_coverage_of_released_label_lists(lexicon: Lexicon, reference: Path) -> None:
    lists = label_lists(reference)
    assert len(lists) > 5
    for name, clips in lists.items():
        tokens = [label for clip in clips for label in clip]
        known = [lexicon.lookup(label).status != "unknown" for label in tokens]
        types = {label: lexicon.lookup(label).status != "unknown" for label in tokens}
        assert sum(known) / len(known) >= 0.97, name
        assert sum(types.values()) / len(types) >= 0.90, name


def test_valences_tell_the_sentiment_of_reviews(lexicon: Lexicon, reference: Path) -> None:
    """The published figure, with a language model judging the same labels, is 81.3."""
    gold = read_npz(reference / "labels" / "cmumosi.npz")["test_corpus"].item()
    (path,) = (reference / "predictions" / "cmumosi").glob("*-openset.npz")
    arrays = read_npz(path)
    right = total = 0
    for name, item in zip(arrays["filenames"], arrays["fileitems"], strict=True):
        value = gold[str(name)]["val"]
        if value != 0:
            total += 1
            right += (sentiment(_labels(item), lexicon) > 0) == (value > 0)
    assert right / total > 0.79
