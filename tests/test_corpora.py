"""The registry, importers of the official formats, the store, and the guard against leaks."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ovmer_bench.corpora import registry
from ovmer_bench.corpora.importers import import_corpus
from ovmer_bench.corpora.registry import CORPORA, MER_UNIBENCH, corpus_info
from ovmer_bench.corpora.store import (
    MANIFEST_FILE,
    Corpus,
    check_disjoint,
    corpus_folder,
    imported,
    load_corpus,
    sample_set_sha256,
    save_corpus,
    verify,
)
from ovmer_bench.errors import CorpusError, InputError, OvmerError
from ovmer_bench.reading.schema import Sample


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OVMER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def refused(name: str, folder: Path, *needles: str, allow_count: bool = False) -> str:
    with pytest.raises(OvmerError) as caught:
        import_corpus(name, folder, allow_count=allow_count)
    shown = str(caught.value)
    assert "\n" not in shown and len(shown) <= 1000
    for needle in needles:
        assert needle in shown, shown
    assert not imported()
    return shown


# --- registry -------------------------------------------------------------------------------


def test_the_registry_is_complete() -> None:
    assert {name: info.n for name, info in CORPORA.items()} == {
        **{"ovmerd": 332, "ovmerdplus": 532, "mer_fg": 1200, "human_ov": 1532},
        **{"mercaptionplus": 31327, "mer2023": 411, "mer2024": 1169, "meld": 2610},
        **{"iemocap4": 1241, "cmumosi": 686, "cmumosei": 4659, "sims": 457, "simsv2": 1034},
        "ovmer_scenes": len(load_corpus("ovmer_scenes")),
        "ovmer_mini": 500,
    }
    assert len(MER_UNIBENCH) == 9 and set(MER_UNIBENCH) <= set(CORPORA)
    spellings = Counter(s for info in CORPORA.values() for s in (info.name, *info.aliases))
    assert max(spellings.values()) == 1
    for name, info in CORPORA.items():
        assert name == info.name and info.licence.endswith(".") and info.paper and info.title
        assert info.embedded or (info.published and info.label_files)
        assert bool(info.corpus_keys) == (info.kind != "open")
        assert info.main_score == {"basic": "hit_rate", "sentiment": "WAF"}.get(
            info.kind, info.main_score
        )
    assert CORPORA["meld"].label_order == registry.MELD_ORDER
    assert " ".join(registry.MELD_ORDER) == "anger joy sadness neutral disgust fear surprise"
    assert " ".join(registry.IEMOCAP_ORDER) == "happy sad neutral anger"


def test_names_and_aliases() -> None:
    for asked, name in {
        "OV-MERD": "ovmerd",
        "cmu-mosi": "cmumosi",
        "MER2025-OV": "mer_fg",
        "mer-fg": "mer_fg",
        " meld ": "meld",
        "iemocap": "iemocap4",
        "OV-MERD+": "ovmerdplus",
        "human-ov": "human_ov",
    }.items():
        assert corpus_info(asked).name == name
    with pytest.raises(CorpusError, match="Did you mean 'meld'"):
        corpus_info("meldd")
    with pytest.raises(CorpusError, match="accepted: ovmerd, ovmerdplus, mer_fg"):
        corpus_info("imagenet")


def test_importing_the_registry_reads_no_file() -> None:
    code = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import ovmer_bench.corpora.registry, ovmer_bench.corpora.store, ovmer_bench.corpora.importers
assert not [path for path in opened if path.endswith((".jsonl", ".npz", ".csv", ".json"))], opened
assert not {"pandas", "scipy", "torch", "matplotlib", "rich"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


# --- official files, as published -----------------------------------------------------------


@pytest.mark.parametrize("below", ["", "labels"])
def test_reference_corpora_import(reference: Path, below: str) -> None:
    names = ("ovmerd", "mer2023", "meld", "cmumosi")
    for name in names:
        corpus = import_corpus(name, reference / below)
        assert len(corpus) == CORPORA[name].n
        assert verify(name) == load_corpus(name)
        assert load_corpus(name).samples == corpus.samples
    assert imported() == names

    with np.load(reference / "labels" / "mer2023.npz", allow_pickle=True) as arrays:
        gold = arrays["test1_corpus"].item()
    corpus = load_corpus("mer2023")
    assert {s.id: s.label for s in corpus.samples} == {k: v["emo"] for k, v in gold.items()}
    with np.load(reference / "labels" / "meld.npz", allow_pickle=True) as arrays:
        gold = arrays["test_corpus"].item()
    order = registry.MELD_ORDER
    meld = load_corpus("meld")
    assert [(s.id, s.label) for s in meld.samples] == [
        (k, order[v["emo"]]) for k, v in gold.items()
    ]
    assert Counter(s.label for s in meld.samples).most_common(1) == [("neutral", 1256)]
    with np.load(reference / "labels" / "cmumosi.npz", allow_pickle=True) as arrays:
        gold = arrays["test_corpus"].item()
    assert {s.id: s.valence for s in load_corpus("cmumosi").samples} == {
        k: float(v["val"]) for k, v in gold.items()
    }
    ovmerd = load_corpus("ovmerd")
    assert ovmerd.sample("sample_00000007").labels == ("excited", "joyful", "happy")
    if not below:
        counted = {n: load_corpus(n).manifest for n in names}
        assert [counted[n]["with_subtitle"] for n in names] == [312, 393, 2610, 686]
        assert [counted[n]["with_description"] for n in names] == [332, 0, 0, 0]
        with (reference / "transcripts" / "meld.csv").open(encoding="utf-8", newline="") as file:
            said = {row["name"]: row["english"].strip() for row in csv.DictReader(file)}
        assert all(s.subtitle["en"] == said[s.id] for s in meld.samples)


def test_other_reference_corpora_are_named_as_missing(reference: Path) -> None:
    shown = refused("mer2024", reference, "label-6way.npz", "1,169 clips", "labels/cmumosi.npz")
    assert "https://github.com/zeroQiaoba/MERTools" in shown


def test_importing_again_changes_no_byte(reference: Path, home: Path) -> None:
    def stored() -> dict[str, bytes]:
        return {
            p.relative_to(home).as_posix(): p.read_bytes() for p in home.rglob("*") if p.is_file()
        }

    import_corpus("ovmerd", reference)
    before = stored()
    manifest, samples = sorted(before)
    assert manifest == "corpora/ovmerd/manifest.json"
    assert samples.startswith("corpora/ovmerd/samples-")
    import_corpus("OV-MERD", reference)
    assert stored() == before


# --- the layouts of MERBench, AffectGPT and the challenges, made by hand --------------------


def npz(path: Path, **corpora: dict[str, dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **{k: np.array(v, object) for k, v in corpora.items()})
    return path


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def words(n: int, prefix: str = "c", emo: object = "happy") -> dict[str, dict[str, object]]:
    return {f"{prefix}{i}": {"emo": emo, "val": -10} for i in range(n)}


def values(n: int, prefix: str = "v") -> dict[str, dict[str, object]]:
    return {f"{prefix}{i}": {"emo": 0, "val": np.float64(i % 7 - 3)} for i in range(n)}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder in which everything is unpacked as published."""
    root = tmp_path / "dataset"
    some = {"train_corpus": words(3)}
    npz(root / "mer2023-dataset-process/label-6way.npz", test1_corpus=words(411, "s"), **some)
    npz(root / "mer2024-dataset-process/label-6way.npz", test1_corpus=words(1169, "s"), **some)
    npz(root / "meld-process/label.npz", test_corpus=words(2610, emo=np.int64(6)), **some)
    sessions = {f"Ses0{s}{k}": v for s in (1, 5) for k, v in words(1241, emo=3).items()}
    npz(root / "iemocap-process/label_4way.npz", whole_corpus=sessions)
    npz(root / "iemocap-process/label_6way.npz", whole_corpus=words(1623, "Ses05", emo=5))
    for name, n in (("cmumosi", 686), ("cmumosei", 4659), ("sims", 457), ("simsv2", 1034)):
        npz(root / f"{name}-process/label.npz", test_corpus=values(n, name), **some)
        subtitles = "".join(f"{name}{i},好,well\n" for i in range(n))
        text(
            root / f"{name}-process/transcription-engchi-polish.csv",
            f"name,chinese,english\n{subtitles}",
        )
    labels = "name,openset\n" + "".join(f"o{i},\"['sad', 'calm']\"\n" for i in range(532))
    text(root / "ovmerdplus-process/ovlabel.csv", labels)
    text(root / "ovmerdplus-process/subtitle_eng.csv", "name,sentence\no0,Really?\no1,\n")
    challenge = root / "mer2025-dataset"
    for file, n in (
        ("track2_train_ovmerd", 332),
        ("track2_test", 1200),
        ("track2_train_human", 1532),
    ):
        rows = "".join(f'm{i},"[happy, glad]"\n' for i in range(n))
        text(challenge / f"{file}.csv", f"name,openset\n{rows}")
    rows = "".join(f'm{i},"[happy, glad]"\n' for i in range(31327))
    text(challenge / "track2_train_mercaptionplus.csv", f"name,openset\n{rows}")
    text(challenge / "track3_train_mercaptionplus.csv", "name,reason\nm1,She smiles.\n")
    text(challenge / "track_all_candidates.csv", "name\nm0\n")
    text(challenge / "subtitle_chieng.csv", "name,chinese,english\nm0,嗯,Hm\nm1,,\nm2,,No\n")
    return root


def test_every_corpus_is_found_where_it_is_published(published: Path) -> None:
    for name, info in CORPORA.items():
        if not info.embedded:
            corpus = import_corpus(name, published)
            assert len(corpus) == info.n
            assert {s.kind for s in corpus.samples} == {info.kind}
            assert {s.corpus for s in corpus.samples} == {name}
            assert verify(name).sha256 == corpus.sha256
    assert imported() == tuple(n for n, info in CORPORA.items() if not info.embedded)
    assert load_corpus("meld").samples[0].label == "surprise"
    iemocap = load_corpus("iemocap4")
    assert all(s.id.startswith("Ses05") and s.label == "anger" for s in iemocap.samples)
    assert load_corpus("simsv2").samples[3].subtitle == {"en": "well", "zh": "好"}
    assert load_corpus("sims").samples[0].id == "sims0"
    assert load_corpus("ovmerdplus").samples[0].subtitle == {"en": "Really?"}
    caption = load_corpus("mercaptionplus")
    assert caption.sample("m1").description == {"en": "She smiles."}
    assert caption.sample("m2").subtitle == {"en": "No"} and caption.sample("m1").subtitle == {}


def test_one_folder_or_one_file_will_do(published: Path) -> None:
    assert len(import_corpus("sims", published / "sims-process")) == 457
    assert len(import_corpus("meld", published / "meld-process" / "label.npz")) == 2610
    assert len(import_corpus("mer_fg", published / "mer2025-dataset" / "track2_test.csv")) == 1200


def test_another_count_is_refused_unless_allowed(tmp_path: Path) -> None:
    npz(tmp_path / "in" / "meld.npz", test_corpus=words(5, emo=1))
    refused("meld", tmp_path / "in", "meld.npz: 5 clips, not 2,610", "--allow-count")
    corpus = import_corpus("meld", tmp_path / "in", allow_count=True)
    assert (len(corpus), corpus.manifest["expected_n"], corpus.manifest["allow_count"]) == (
        5,
        2610,
        True,
    )
    assert len(verify("meld")) == 5


def test_another_corpus_is_not_taken_for_it(tmp_path: Path) -> None:
    """A label.npz that names no corpus is taken for one by its count alone."""
    folder = tmp_path / "in"
    npz(folder / "label.npz", test_corpus=values(686))
    refused("meld", folder, "686 clips, not 2,610 (in a file that does not", allow_count=True)
    refused("sims", folder, "686 clips, not 457")
    assert len(import_corpus("cmumosi", folder)) == 686


def test_several_that_fit(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    npz(folder / "a" / "label.npz", test_corpus=values(457))
    npz(folder / "b" / "label.npz", test_corpus=values(457))
    assert len(import_corpus("sims", folder)) == 457  # copies of one file
    other = values(457)
    other["v0"]["val"] = 0.5
    npz(folder / "b" / "label.npz", test_corpus=other)
    with pytest.raises(CorpusError, match=r"several label files fit: a/label.npz, b/label.npz"):
        import_corpus("sims", folder)
    npz(folder / "sims-process" / "label.npz", test_corpus=other)  # named after the corpus
    assert import_corpus("sims", folder).sample("v0").valence == 0.5


WRONG_ENTRIES = {
    "index too large": ("meld", {"emo": 7}, "meld.npz, field 'test_corpus[bad]': emo is 7"),
    "negative index": ("meld", {"emo": -1}, "emo is -1"),
    "half an index": ("meld", {"emo": 1.5}, "emo is 1.5"),
    "other word": ("meld", {"emo": "bored"}, "emo is 'bored'"),
    "no label": ("meld", {"val": 1}, "has no 'emo'"),
    "empty word": ("mer2023", {"emo": " "}, "emo is ''"),
    "number for a word": ("mer2023", {"emo": 3}, "emo is 3"),
    "no entry": ("mer2023", "happy", "has no 'emo'"),
    "not finite": ("cmumosi", {"val": float("nan")}, "val is nan"),
    "infinite": ("cmumosi", {"val": np.float64("inf")}, "val is inf"),
    "text as a number": ("cmumosi", {"val": "1.0"}, "val is str"),
    "true as a number": ("cmumosi", {"val": True}, "val is bool"),
    "list as a number": ("cmumosi", {"val": [1.0, 2.0]}, "val is list"),
}


@pytest.mark.parametrize(("name", "entry", "needle"), WRONG_ENTRIES.values(), ids=WRONG_ENTRIES)
def test_wrong_gold_is_named(tmp_path: Path, name: str, entry: object, needle: str) -> None:
    info = CORPORA[name]
    clips: dict[str, object] = {**(values if info.kind == "sentiment" else words)(info.n - 1, "c")}
    if info.label_order:
        clips = {clip: {"emo": 0} for clip in clips}
    np.savez(
        tmp_path / f"{name}.npz", **{info.corpus_keys[0]: np.array({**clips, "bad": entry}, object)}
    )
    refused(name, tmp_path, needle)


WRONG_FILES = {
    "other arrays": ("meld.npz", {"train_corpus": {"a": 1}}, "arrays train_corpus"),
    "no dictionary": ("meld.npz", {"test_corpus": ["a"]}, "is no dictionary of clips"),
    "numbered clips": ("meld.npz", {"test_corpus": {1: {"emo": 0}}}, "is no dictionary of clips"),
    "no clips": ("meld.npz", {"test_corpus": {}}, "holds no clips"),
}


@pytest.mark.parametrize(("file", "arrays", "needle"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_wrong_label_files(
    tmp_path: Path, file: str, arrays: dict[str, object], needle: str
) -> None:
    np.savez(tmp_path / file, **{k: np.array(v, object) for k, v in arrays.items()})
    refused("meld", tmp_path, needle, allow_count=True)


def test_wrong_label_tables(tmp_path: Path) -> None:
    path = tmp_path / "in" / "ovmerd.csv"
    refused("ovmerd", tmp_path / "absent", "no such folder")
    text(path, "name,labels\n").unlink()
    refused("ovmerd", path.parent, "no .csv or .npz file")
    text(path, "name,label\na,b\n")
    what = "ovmerd.csv:1, field 'openset or labels': missing; the columns are 'name', 'label'"
    refused("ovmerd", path.parent, what)
    text(path, "name,openset\na,happy\na,sad\n")
    what = "ovmerd.csv:3, field 'name': duplicate id 'a'"
    refused("ovmerd", path.parent, what, allow_count=True)
    text(path, "name,openset\na,happy\nb\n")
    refused("ovmerd", path.parent, "ovmerd.csv:3: 1 cells where the header has 2")
    text(path, "name,openset\n")
    refused("ovmerd", path.parent, "holds no clips", allow_count=True)
    text(path, "name,openset\n,happy\n")
    refused("ovmerd", path.parent, "field 'id': is empty", allow_count=True)
    path.write_bytes(b"name,openset\na,\xff\n")
    refused("ovmerd", path.parent, "ovmerd.csv:2: byte 0xff is not UTF-8")
    refused("ovmer_scenes", path.parent, "part of the package")


def test_a_label_file_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return eval, (f"open({str(tmp_path / 'marker')!r}, 'w').close()",)

    np.savez(tmp_path / "meld.npz", test_corpus=np.array({"a": Evil()}, object))
    refused("meld", tmp_path, "'builtins.eval'", allow_count=True)
    assert not (tmp_path / "marker").exists()


def test_a_broken_transcript_is_an_error(published: Path) -> None:
    path = published / "sims-process" / "transcription-engchi-polish.csv"
    text(path, 'name,chinese,english\nsims0,"unclosed\n')
    refused("sims", published / "sims-process", "transcription-engchi-polish.csv:2", "not CSV")


# --- the store ------------------------------------------------------------------------------


def test_a_corpus_that_is_not_imported() -> None:
    with pytest.raises(CorpusError) as caught:
        load_corpus("ovmerd")
    assert "Run: ovmer data import ovmerd --from DIR" in str(caught.value)


def stored(tmp_path: Path, n: int = 5) -> Corpus:
    npz(tmp_path / "in" / "meld.npz", test_corpus=words(n, emo=1))
    return import_corpus("meld", tmp_path / "in", allow_count=True)


def edit(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")


SAMPLES = "samples-*.jsonl"


def samples_of(folder: Path) -> Path:
    (path,) = folder.glob(SAMPLES)
    return path


def test_an_import_cut_short_leaves_the_earlier_one_whole(tmp_path: Path) -> None:
    stored(tmp_path, 3)
    info = CORPORA["meld"]
    before = load_corpus("meld")
    newer = [*before.samples, Sample(id="c9", label="joy")]
    blocked = corpus_folder(info) / MANIFEST_FILE
    content = blocked.read_text()
    blocked.unlink()
    blocked.mkdir()  # The manifest cannot be replaced: the import fails half way.
    with pytest.raises(InputError):
        save_corpus(info, newer, [])
    blocked.rmdir()
    blocked.write_text(content)
    assert load_corpus("meld") == before


def test_an_import_without_texts_does_not_replace_one_with_them(
    reference: Path, home: Path
) -> None:
    whole = import_corpus("mer2023", reference)
    with pytest.raises(CorpusError, match="393 subtitles, and these files hold 0"):
        import_corpus("mer2023", reference / "labels")
    assert load_corpus("mer2023") == whole
    bare = import_corpus("mer2023", reference / "labels", replace=True)
    assert bare.sha256 == whole.sha256
    assert load_corpus("mer2023") == bare


def test_damage_is_noticed(tmp_path: Path) -> None:
    folder = corpus_folder(CORPORA["meld"])
    for file, old, new in (
        (SAMPLES, '"joy"', '"fear"'),
        (SAMPLES, '"id": "c0"', '"id": "x0"'),
        (MANIFEST_FILE, '"n": 5', '"n": 6'),
        (MANIFEST_FILE, '"name": "meld"', '"name": "sims"'),
        (MANIFEST_FILE, '"sha256": "', '"sha256": "0'),
        (MANIFEST_FILE, '"schema_version": 1', '"schema_version": 2'),
        (MANIFEST_FILE, "{", "["),
        (MANIFEST_FILE, "{", '{"n": 5,'),
    ):
        stored(tmp_path)
        (path,) = folder.glob(file)
        edit(path, old, new)
        with pytest.raises(CorpusError, match="Run again: ovmer data import meld"):
            verify("meld")
    stored(tmp_path)
    samples_of(folder).unlink()
    with pytest.raises(CorpusError, match="no such file"):
        load_corpus("meld")


def test_the_count_is_verified(tmp_path: Path) -> None:
    stored(tmp_path)
    edit(corpus_folder(CORPORA["meld"]) / MANIFEST_FILE, '"allow_count": true', '"allow_count": 0')
    assert len(load_corpus("meld")) == 5
    with pytest.raises(CorpusError, match="5 clips, not 2,610"):
        verify("meld")


def test_the_sample_set_hash_names_ids_and_gold_alone() -> None:
    samples = [Sample("a", labels=["x", "y"]), Sample("b", labels=[])]
    same = [
        Sample("b", labels=[], split="s"),
        Sample("a", labels=["y", "x", "x"], clues={"audio": "z"}),
    ]
    assert sample_set_sha256(samples) == sample_set_sha256(same)
    for other in (
        [Sample("a", labels=["x"]), Sample("b", labels=[])],
        [Sample("a", labels=["x, y"]), Sample("b", labels=[])],
        [Sample("a", labels=["x", "y"]), Sample("c", labels=[])],
        [Sample("a", labels=["x", "y"])],
        [Sample("a", label="x"), Sample("b", label="y")],
        [Sample("a", valence=1), Sample("b", valence=2)],
    ):
        assert sample_set_sha256(other) != sample_set_sha256(samples)
    lines = '["a", ["x", "y"]]\n["b", []]\n'
    assert sample_set_sha256(samples) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_hash_does_not_depend_on_the_process() -> None:
    code = "from ovmer_bench import load_corpus; print(load_corpus('ovmer_scenes').sha256)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1


def test_the_embedded_scenes() -> None:
    corpus = verify("ovmer_scenes")
    assert len(set(corpus.ids)) == len(corpus) and corpus.manifest == {}
    for sample in corpus.samples:
        assert sample.labels and sample.split == "test" and sample.corpus == "ovmer_scenes"
        assert set(sample.subtitle) == {"en", "zh"} and all(sample.subtitle.values())
        assert set(sample.clues) == {"audio", "visual"} and all(sample.clues.values())
    with pytest.raises(CorpusError, match=r"holds no clip 'scene_00'\. Did you mean 'scene_"):
        corpus.sample("scene_00")


def test_train_and_test_are_kept_apart(published: Path) -> None:
    train = import_corpus("mer_fg", published)
    tests = [import_corpus("ovmerd", published), load_corpus("ovmer_scenes")]
    with pytest.raises(CorpusError) as caught:
        check_disjoint(train, tests)
    shown = str(caught.value)
    ten = ", ".join(f"m{i}" for i in range(10))
    assert shown.startswith(f"mer_fg holds 332 clips of ovmerd: {ten} and 322 more")
    assert "ovmer_scenes" not in shown and "m10" not in shown
    check_disjoint(train, tests[1:])
    check_disjoint((clip for clip in train.ids if clip not in set(tests[0].ids)), tests)
    with pytest.raises(CorpusError, match="the training set holds 1 clips of ovmerd: m3"):
        check_disjoint(["m3"], tests)


def test_samples_are_stored_as_json_lines(tmp_path: Path) -> None:
    stored(tmp_path, 3)
    lines = samples_of(corpus_folder(CORPORA["meld"])).read_text().splitlines()
    assert json.loads(lines[0]) == {"id": "c0", "corpus": "meld", "split": "test", "label": "joy"}
