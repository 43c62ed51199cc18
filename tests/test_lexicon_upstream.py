"""The official lexicons: maps, known scores, installing and loading."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import oracle
import pytest
import small_release
from ovmer_bench.errors import InputError, LexiconError, OvmerError
from ovmer_bench.lexicon import Lexicon, load_lexicon
from ovmer_bench.lexicon import tables as lexicon_tables
from ovmer_bench.lexicon.upstream import (
    RELEASES,
    UnverifiedLexicon,
    check_folder,
    compile_folder,
    install,
    installed_ids,
    load_installed,
)
from ovmer_bench.reading.npz import read_npz

SMALL = "weather-1"
YEARS = ("2025", "2026")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("OVMER_HOME", str(folder))
    load_lexicon.cache_clear()
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small release, sheets and mapping."""
    folder = small_release.write_sheets(tmp_path / "release")
    return small_release.write_mapping(folder)


@pytest.fixture
def known(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small release, made a known one."""
    sha256 = compile_folder(small, SMALL).sha256
    monkeypatch.setitem(RELEASES, SMALL, small_release.release_of(small, sha256))
    return small


def mapped(lexicon: Lexicon, label: str, metric: str) -> str | None:
    """What the lexicon makes of a label, by the oracle's names of metrics."""
    entry = lexicon.lookup(label)
    if metric == "M1":
        return entry.base
    if metric == "M2":
        return entry.wheel_word
    return entry.sectors[int(metric[4]) - 1][int(metric[7]) - 1]


# Compiling


def test_sheets_give_the_maps_written_by_hand(small: Path) -> None:
    by_hand = small_release.mapping_arrays()
    maps = lexicon_tables.read_sheets(small)
    forms = {form: tuple(sorted(set(bases))) for form, bases in by_hand["format_mapping"].items()}
    words = {base: tuple(sorted(set(words))) for base, words in by_hand["raw_mapping"].items()}
    assert maps.forms == forms
    assert maps.wheel_words == words
    for k, wheel in enumerate(maps.wheels, start=1):
        assert wheel.level1 == by_hand["wheel_map_whole"][f"wheel{k}"]["level1"]
        assert wheel.level2 == by_hand["wheel_map_whole"][f"wheel{k}"]["level2"]
    assert maps.counts() == small_release.COUNTS


def test_sheets_give_the_maps_of_the_oracle(small: Path) -> None:
    (small / "wheel_mapping.npz").unlink()
    assert_same_as_oracle(compile_folder(small, SMALL), oracle.read_maps(small))


def test_mapping_file_alone_gives_the_same_lexicon(small: Path, tmp_path: Path) -> None:
    alone = small_release.write_mapping(tmp_path / "alone")
    a, b = compile_folder(small, SMALL), compile_folder(alone, SMALL)
    assert a.sha256 == b.sha256
    assert (a.forms, a.wheel_words, a.wheels) == (b.forms, b.wheel_words, b.wheels)
    assert [w.sectors(n) for w in a.wheels for n in (1, 2)] == [
        w.sectors(n) for w in b.wheels for n in (1, 2)
    ]


def test_lookup_follows_the_published_order(small: Path) -> None:
    lexicon = compile_folder(small, SMALL)
    dim = lexicon.lookup("dim")
    assert dim.bases == ("grey", "misty")
    assert dim.wheel_word == "azure"
    # Of azure, drizzle and fog, the first in the alphabet that stands on the wheel.
    assert dim.sectors == (
        ("fair", "azure"),
        ("foul", "dull"),
        (None, None),
        ("fair", "azure"),
        ("fair", "azure"),
    )
    assert lexicon.lookup("wordless").status == "neutral"
    assert lexicon.lookup("hail").status == "unknown"
    # A wheel word that format.csv does not list is no form.
    assert lexicon.lookup("storm").status == "unknown"


def test_sectors_come_in_printed_order(small: Path) -> None:
    lexicon = compile_folder(small, SMALL)
    assert lexicon.sectors(2, 1) == ("foul", "fair")
    assert lexicon.sectors(2, 2) == ("wet", "dull", "warm")
    assert lexicon.sectors(1, 2) == ("warm", "azure", "wet", "wild")


def test_mapping_that_contradicts_the_sheets_is_refused(small: Path) -> None:
    arrays = small_release.mapping_arrays()
    arrays["format_mapping"]["mist"] = ["grey"]  # type: ignore[index]
    small_release.write_mapping(small, arrays)
    with pytest.raises(LexiconError, match="different lexicons"):
        compile_folder(small, SMALL)


def test_content_hash_sees_every_map(small: Path) -> None:
    """One changed word anywhere changes the hash."""
    (small / "wheel_mapping.npz").unlink()
    before = compile_folder(small, SMALL).sha256
    assert before == compile_folder(small, "another-id").sha256
    small_release.write_csv(
        small / "format.csv", [("name", "format"), *small_release.FORMS, ("hail", "")]
    )
    forms_changed = compile_folder(small, SMALL).sha256
    rows = [("level1", "level2", "level3"), ("Fair", "Bright", "Glow")]
    small_release.write_xlsx(small / "wheel3.xlsx", rows)
    assert len({before, forms_changed, compile_folder(small, SMALL).sha256}) == 3


# The real releases


@pytest.fixture(params=YEARS)
def official(request: pytest.FixtureRequest, reference: Path) -> tuple[Lexicon, Path, str]:
    """An official lexicon, its folder and its year."""
    folder = reference / f"emotion_wheel_{request.param}"
    return compile_folder(folder, f"affectgpt-{request.param}"), folder, request.param


def test_official_counts_and_hash(official: tuple[Lexicon, Path, str]) -> None:
    lexicon, _, year = official
    release = RELEASES[f"affectgpt-{year}"]
    statistics = lexicon.statistics()
    assert {name: statistics[name] for name in release.counts} == release.counts
    assert statistics["forms"] == {"2025": 7386, "2026": 7356}[year]
    assert (statistics["bases"], statistics["wheel_words"]) == (1255, 253)
    assert lexicon.sha256 == release.sha256


def test_official_maps_are_the_oracles(official: tuple[Lexicon, Path, str]) -> None:
    lexicon, folder, _ = official
    assert_same_as_oracle(lexicon, oracle.read_maps(folder))


def test_official_mapping_file_alone_gives_the_2026_lexicon(
    reference: Path, tmp_path: Path
) -> None:
    shutil.copy(reference / "emotion_wheel_2026/wheel_mapping.npz", tmp_path)
    report = install(tmp_path)
    assert report.lexicon_id == "affectgpt-2026"
    assert report.official
    sheets = lexicon_tables.read_sheets(reference / "emotion_wheel_2026")
    alone = load_installed("affectgpt-2026")
    assert (alone.forms, alone.wheel_words) == (sheets.forms, sheets.wheel_words)
    assert alone.wheels == sheets.wheels


def test_fear_takes_the_way_that_metrics_tells(reference: Path) -> None:
    fear = compile_folder(reference / "emotion_wheel_2025", "affectgpt-2025").lookup("fear")
    assert [l1 for l1, _ in fear.sectors[1:]] == ["happy", "joyful", "genius", "joyful"]


def test_expected_open_vocabulary_scores(
    official: tuple[Lexicon, Path, str], reference: Path
) -> None:
    lexicon, folder, year = official
    maps = oracle.read_maps(folder)
    with (reference / "labels/ovmerd.csv").open(encoding="utf-8", newline="") as file:
        gold = {row["name"]: oracle.labels_of(row["openset"]) for row in csv.DictReader(file)}
    expected = json.loads((reference / "expected.json").read_text())["ovmerd"]
    assert len(expected) == 3
    for name, values in expected.items():
        said = predictions(reference / "predictions/ovmerd" / name)
        assert len(values[year]) == len(oracle.METRICS)
        for metric, numbers in zip(oracle.METRICS, values[year].values(), strict=True):
            aligned = [said[clip] for clip in gold]
            assert oracle.corpus_f(list(gold.values()), aligned, metric, maps) == pytest.approx(
                numbers, abs=1e-9
            )
            # The package's own mapping, scored the oracle's way.
            pairs = [
                (
                    {mapped(lexicon, g, metric) for g in gold[c]} - {None},
                    {mapped(lexicon, p, metric) for p in said[c]} - {None},
                )
                for c in gold
            ]
            scores = [oracle.clip_scores(g, p) for g, p in pairs if g]
            precision, recall = (sum(column) / len(scores) for column in zip(*scores, strict=True))
            ours = (oracle.harmonic(precision, recall), precision, recall)
            assert ours == pytest.approx(numbers, abs=1e-9)


def test_expected_basic_scores(official: tuple[Lexicon, Path, str], reference: Path) -> None:
    _, folder, year = official
    maps = oracle.read_maps(folder)
    expected = json.loads((reference / "expected.json").read_text())["basic"]
    assert len(expected) == 2
    for name, values in expected.items():
        gold = basic_gold(reference, name.split("/")[0])
        said = predictions(reference / "predictions" / name)
        for wheel, numbers in enumerate(values[year], start=1):
            aligned = [said[clip] for clip in gold]
            found = oracle.basic(list(gold.values()), aligned, wheel, maps)
            assert found == pytest.approx(numbers, abs=1e-9)


def test_expected_sentiment_scores(reference: Path) -> None:
    expected = json.loads((reference / "expected.json").read_text())["sentiment"]
    ((name, numbers),) = expected.items()
    clips = read_npz(reference / "labels/cmumosi.npz")["test_corpus"]
    gold = {clip: float(row["val"]) for clip, row in plain(clips).items()}
    value = {"positive": 1, "negative": -1}
    arrays = read_npz(reference / "predictions" / name)
    said = dict(zip(plain(arrays["filenames"]), plain(arrays["fileitems"]), strict=True))
    aligned = [value.get(str(said[clip]).strip().lower(), 0) for clip in gold]
    found = oracle.sentiment(list(gold.values()), aligned)
    assert found == pytest.approx(numbers, abs=1e-9)


def assert_same_as_oracle(lexicon: Lexicon, maps: oracle.Maps) -> None:
    forms, words, _ = maps
    assert lexicon.forms.keys() == forms.keys()
    for label in [*forms, *words, "no such word"]:
        for metric in oracle.METRICS:
            assert mapped(lexicon, label, metric) == oracle.mapped(label, metric, maps), label


def predictions(path: Path) -> dict[str, list[str]]:
    arrays = read_npz(path)
    names, items = plain(arrays["filenames"]), plain(arrays["fileitems"])
    return {str(n): oracle.labels_of(str(i)) for n, i in zip(names, items, strict=True)}


def basic_gold(reference: Path, corpus: str) -> dict[str, str]:
    if corpus == "mer2023":
        rows = plain(read_npz(reference / "labels/mer2023.npz")["test1_corpus"])
        return {clip: row["emo"] for clip, row in rows.items()}
    names = ["anger", "joy", "sadness", "neutral", "disgust", "fear", "surprise"]
    rows = plain(read_npz(reference / "labels/meld.npz")["test_corpus"])
    return {clip: names[row["emo"]] for clip, row in rows.items()}


def plain(value):  # type: ignore[no-untyped-def]
    """An array as the list it is, or the one dictionary it holds."""
    return value.tolist() if hasattr(value, "tolist") else value


# Installing


def test_install_finds_the_release_by_its_hashes(known: Path, home: Path) -> None:
    report = install(known)
    assert (report.lexicon_id, report.official, report.changed) == (SMALL, True, True)
    assert report.path == home / "lexicons" / f"{SMALL}.json"
    assert {file.status for file in report.files} == {"verified"}
    assert installed_ids() == [SMALL]
    loaded, compiled = load_installed(SMALL), compile_folder(known, SMALL)
    assert (loaded.sha256, loaded.forms, loaded.wheel_words, loaded.wheels) == (
        compiled.sha256,
        compiled.forms,
        compiled.wheel_words,
        compiled.wheels,
    )
    assert loaded.alphabetical
    assert loaded.sha256 == report.sha256
    assert load_lexicon(SMALL).sha256 == report.sha256


def test_installing_again_changes_nothing(known: Path) -> None:
    first = install(known)
    before = (first.path.read_bytes(), first.path.stat().st_mtime_ns)
    second = install(known, SMALL)
    assert not second.changed
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == before


def test_installed_bytes_do_not_depend_on_the_road(known: Path, tmp_path: Path) -> None:
    whole = install(known)
    maps = json.loads(whole.path.read_text())["maps"]
    whole.path.unlink()
    alone = small_release.write_mapping(tmp_path / "alone")
    shutil.copy(known / "wheel_mapping.npz", alone)
    assert json.dumps(json.loads(install(alone).path.read_text())["maps"]) == json.dumps(maps)


def test_official_release_installs_and_loads(
    official: tuple[Lexicon, Path, str],
) -> None:
    lexicon, folder, year = official
    report = install(folder)
    assert (report.lexicon_id, report.official) == (f"affectgpt-{year}", True)
    loaded = load_installed(report.lexicon_id)
    assert loaded.forms == lexicon.forms
    assert loaded.wheels == lexicon.wheels


def test_right_files_must_give_the_known_maps(
    known: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that change between the check and the reading do not slip through."""
    monkeypatch.setitem(RELEASES, SMALL, small_release.release_of(known, "0" * 64))
    with pytest.raises(LexiconError, match="changed while they were read"):
        install(known)
    assert not home.exists()


def test_changed_file_is_refused_and_named(known: Path, home: Path) -> None:
    (known / "wheel_mapping.npz").unlink()
    rows = [("name", "format"), *small_release.FORMS, ("hail", "hailing")]
    small_release.write_csv(known / "format.csv", rows)
    with pytest.raises(UnverifiedLexicon) as caught:
        install(known, SMALL)
    message = str(caught.value)
    assert "\n" not in message
    assert f"format.csv has sha256 {caught.value.check.files[0].actual[:12]}" in message
    assert "13 forms (+2), 6 bases (+1), 12 wheel words (+0)" in message
    assert {f.name: f.status for f in caught.value.check.files} == {
        "format.csv": "different",
        "synonym.xlsx": "verified",
        **{f"wheel{k}.xlsx": "verified" for k in range(1, 6)},
        "wheel_mapping.npz": "missing",
    }
    assert not home.exists()


def test_file_that_differs_is_refused_even_where_the_mapping_suffices(known: Path) -> None:
    (known / "format.csv").write_text("name,format\nsunny,\n")
    with pytest.raises(UnverifiedLexicon, match=r"format\.csv has sha256"):
        install(known)


def test_missing_sheet_is_named(known: Path) -> None:
    (known / "wheel_mapping.npz").unlink()
    (known / "wheel4.xlsx").unlink()
    with pytest.raises(UnverifiedLexicon, match=r"wheel4\.xlsx is missing"):
        install(known)


def test_2025_and_2026_are_told_apart(reference: Path) -> None:
    for year in YEARS:
        check = check_folder(reference / f"emotion_wheel_{year}")
        assert (check.lexicon_id, check.verified) == (f"affectgpt-{year}", True)
    with pytest.raises(UnverifiedLexicon, match=r"7356 forms \(-30\)"):
        install(reference / "emotion_wheel_2026", "affectgpt-2025")
    assert installed_ids() == []


def test_unknown_files_are_kept_under_another_id(known: Path) -> None:
    (known / "wheel_mapping.npz").unlink()
    small_release.write_csv(known / "format.csv", [("name", "format"), ("sunny", "")])
    report = install(known, accept_unknown=True, as_id="my-weather")
    assert (report.lexicon_id, report.official) == ("my-weather", False)
    assert load_lexicon("my-weather").statistics()["forms"] == 1
    unnamed = install(known, SMALL, accept_unknown=True)
    assert unnamed.lexicon_id == f"{SMALL}-{report.sha256[:8]}"
    assert installed_ids() == sorted(["my-weather", unnamed.lexicon_id])


@pytest.mark.parametrize("taken", ["ovmer", "affectgpt-2025", "affectgpt-2026", SMALL])
def test_unknown_files_cannot_take_a_known_id(known: Path, home: Path, taken: str) -> None:
    (known / "wheel_mapping.npz").unlink()
    small_release.write_csv(known / "format.csv", [("name", "format"), ("sunny", "")])
    with pytest.raises(LexiconError, match="is kept for"):
        install(known, SMALL, accept_unknown=True, as_id=taken)
    assert not home.exists()


@pytest.mark.parametrize(
    "bad", ["../escape", "a/b", "/tmp/x", "..", ".hidden", "Upper", "a b", "", "x" * 65, "ü", "a\n"]
)
def test_ids_cannot_leave_the_folder(known: Path, tmp_path: Path, bad: str) -> None:
    (known / "wheel_mapping.npz").unlink()
    small_release.write_csv(known / "format.csv", [("name", "format"), ("sunny", "")])
    before = sorted(tmp_path.rglob("*"))
    if bad:  # An empty one means none.
        with pytest.raises(LexiconError, match="cannot be a lexicon id"):
            install(known, SMALL, accept_unknown=True, as_id=bad)
    with pytest.raises(LexiconError, match="cannot be a lexicon id"):
        load_installed(bad)
    assert sorted(tmp_path.rglob("*")) == before


def test_another_id_for_a_known_release_is_refused(known: Path) -> None:
    with pytest.raises(LexiconError, match="these files are the release"):
        install(known, accept_unknown=True, as_id="mine")


def test_id_of_another_lexicon_is_not_overwritten(known: Path) -> None:
    (known / "wheel_mapping.npz").unlink()
    small_release.write_csv(known / "format.csv", [("name", "format"), ("sunny", "")])
    first = install(known, accept_unknown=True, as_id="mine")
    small_release.write_csv(known / "format.csv", [("name", "format"), ("grey", "")])
    with pytest.raises(LexiconError, match="other content"):
        install(known, accept_unknown=True, as_id="mine")
    assert load_installed("mine").sha256 == first.sha256


def test_folder_without_release_files(tmp_path: Path) -> None:
    (tmp_path / "emotion_wheel").mkdir()
    with pytest.raises(InputError, match=r"Try .*emotion_wheel"):
        install(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        install(tmp_path / "nowhere")
    with pytest.raises(LexiconError, match="no known release 'affectgpt-2031'"):
        install(tmp_path, "affectgpt-2031")


# Loading what was installed


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[1, 2]",
        lambda text: "null",
        lambda text: "[" * 100_000,
        lambda text: "{}",
        swap('"misty"', '"musty"'),
        swap('"schema_version": 1', '"schema_version": 2'),
        swap(f'"id": "{SMALL}"', '"id": "another"'),
        swap('"wheels"', '"wheel"'),
        swap('"sha256": "', '"sha256": "0'),
    ],
)
def test_damaged_file_names_the_way_out(known: Path, damage: Callable[[str], str]) -> None:
    path = install(known).path
    whole = path.read_text()
    path.write_text(damage(whole))
    assert path.read_text() != whole
    with pytest.raises(LexiconError, match="ovmer lexicon install --from DIR"):
        load_installed(SMALL)
    assert install(known).changed  # Installing again mends it.
    assert path.read_text() == whole


def test_every_damaged_map_is_noticed(known: Path) -> None:
    """A word or an order changed anywhere in the maps is noticed by the hash."""
    path = install(known).path
    stored = json.loads(path.read_text())
    stored["maps"]["wheels"][2]["level2"]["fair"] = "fair"
    path.write_text(json.dumps(stored))
    with pytest.raises(LexiconError, match="own hash"):
        load_installed(SMALL)


def test_forged_hash_does_not_pass_for_a_release(known: Path, tmp_path: Path) -> None:
    """A file that is consistent in itself, but not the release its id promises."""
    (known / "wheel_mapping.npz").unlink()
    small_release.write_csv(known / "format.csv", [("name", "format"), ("sunny", "")])
    other = install(known, accept_unknown=True, as_id="mine").path
    forged = other.read_text().replace('"id": "mine"', f'"id": "{SMALL}"')
    other.with_name(f"{SMALL}.json").write_text(forged)
    with pytest.raises(LexiconError, match="is not the release"):
        load_installed(SMALL)


def test_not_installed() -> None:
    with pytest.raises(LexiconError, match="not installed"):
        load_installed("affectgpt-2025")
    assert installed_ids() == []


# Writing


def test_failed_write_leaves_nothing(known: Path, home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(OvmerError):
        install(known)
    assert home.read_text() == "a file where the folder should be"
