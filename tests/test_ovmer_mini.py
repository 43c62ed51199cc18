"""The generated world: its bytes, its fairness, and the folders it is written to."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from ovmer_bench import load_corpus, load_lexicon, score
from ovmer_bench.cli.data import command as data
from ovmer_bench.corpora.ovmer_mini import faces, generate, media, voices, world
from ovmer_bench.corpora.ovmer_mini.draws import Draws, sine_table
from ovmer_bench.corpora.ovmer_mini.generate import SPLITS, Clip, clip_of, make_clip, samples
from ovmer_bench.corpora.ovmer_mini.write import write_split
from ovmer_bench.corpora.store import check_disjoint, verify
from ovmer_bench.errors import CorpusError, InputError, OvmerError
from ovmer_bench.reading.readers import read_samples
from studies import mini_probes

FOLDER = Path(generate.__file__).parent
INTEGER_MODULES = ("draws", "world", "expressions", "faces", "speech", "voices", "subtitles")

# A change of any of these is a new world: raise MINI_VERSION and say so in the change log.
HASHES = {
    "mini-test-000000": "906720d24a26c44e3c898fb1ad2f53b0cbc5215b429c145c2b8d83b99db1cd0c",
    "mini-test-000001": "6300d2aed0848f4be10ee5cf78464998052fca54f8525a88e5ae08165789be8b",
    "mini-sft-000017": "222f9b9042e479fdaeed2ae08ffcb15ce2499fe1b999a0052da3b811a145adcc",
    "mini-s7-rl-123456": "6e702560311b785efc28e0bbd4f04dcd52b6b5c2173c5317287acfebb199766f",
}
SET_SHA256 = "1cafbb7a0b2d516c70cdf83e5d249cc20c28d7767b7552f1e546908bfe715e4f"

places = st.tuples(st.sampled_from(SPLITS), st.integers(0, 10**7), st.integers(0, 2**32 - 1))


def digest(clip: Clip) -> str:
    """One hash of everything a clip is."""
    text = json.dumps(clip.sample.to_dict(), sort_keys=True)
    parts = (text.encode(), clip.frames.tobytes(), clip.audio.astype("<i2").tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()


def phase(**changes: object) -> world.Phase:
    plain = world.Phase("joyful", 1, "lively", "smile", "found", ("happy",))
    return replace(plain, **changes)


# --- the same bytes ---------------------------------------------------------------------------


def test_clips_are_the_bytes_they_were() -> None:
    assert {name: digest(clip_of(name)) for name in HASHES} == HASHES
    assert load_corpus("ovmer_mini").sha256 == SET_SHA256


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_another_process_makes_the_same_bytes(hash_seed: str) -> None:
    code = (
        "import test_ovmer_mini as t; print(*(t.digest(t.clip_of(name)) for name in t.HASHES));"
        "print(t.load_corpus('mini').sha256)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [*HASHES.values(), SET_SHA256]


def test_what_makes_bytes_holds_no_floating_point() -> None:
    for name in INTEGER_MODULES:
        for node in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), name
            assert not isinstance(node, ast.Div), name
            assert not (isinstance(node, ast.Attribute) and "float" in node.attr), name


def test_the_sine_is_rounded_exactly_and_draws_agree_with_arrays_of_them() -> None:
    exact = np.round(np.sin(np.arange(1024) * 2 * np.pi / 1024) * 16384)
    assert (sine_table() == exact).all()
    words = b"".join(d.below(1 << 64).to_bytes(8, "little") for d in [Draws("x", 1)] * 5)
    assert Draws("x", 1).octets(37).tobytes() == words[:37]
    assert Draws("x", 1).below(1 << 64) != Draws("x", 2).below(1 << 64)


@settings(max_examples=25, deadline=None)
@given(places)
def test_any_clip_is_whole_and_found_by_its_id(place: tuple[str, int, int]) -> None:
    split, index, seed = place
    clip = make_clip(split, index, seed)
    assert clip_of(clip.sample.id).sample == clip.sample
    assert clip.frames.shape == (8, 64, 64, 3) and clip.frames.dtype == np.uint8
    assert clip.audio.shape == (32_000,) and clip.audio.dtype == np.int16
    assert clip.frames.std() > 10 and 800 < np.abs(clip.audio.astype(int)).max() < 32_000
    assert 1 <= len(clip.latent.phases) <= 3 and clip.sample.labels == clip.latent.labels


def test_first_clips_are_the_same_whatever_the_number() -> None:
    assert samples("rl", 40)[:7] == samples("rl", 7)
    assert load_corpus("ovmer_mini").samples[:20] == samples("test", 20)


def test_splits_and_seeds_share_no_clip() -> None:
    made = {(split, seed): samples(split, 300, seed) for split in SPLITS for seed in (0, 1)}
    ids = [sample.id for some in made.values() for sample in some]
    assert len(set(ids)) == len(ids) == 1800
    check_disjoint((s.id for s in made["sft", 0] + made["rl", 0]), [load_corpus("ovmer_mini")])
    shown = [make_clip(split, i).audio.tobytes() for split in SPLITS for i in range(10)]
    assert len(set(shown)) == 30


@pytest.mark.parametrize(
    ("call", "needles"),
    [
        (lambda: make_clip("train", 0), ("train", "sft, rl, test")),
        (lambda: make_clip("sft", -1), ("-1",)),
        (lambda: make_clip("sft", 0, -1), ("seed -1",)),
        (lambda: make_clip("sft", 0, 2**32), ("4294967295",)),
        (lambda: samples("sft", 0), ("n is 0",)),
        (lambda: clip_of("mini-test-12"), ("mini-test-000123",)),
        (lambda: clip_of("mini-dev-000012"), ("dev",)),
        (lambda: clip_of("mini-test-0000012"), ("mini-test-000012",)),
        (lambda: clip_of("scene_001"), ("scene_001",)),
    ],
)
def test_clips_that_do_not_exist_are_named(call: object, needles: tuple[str, ...]) -> None:
    with pytest.raises(CorpusError) as caught:
        call()  # type: ignore[operator]
    assert all(needle in str(caught.value) for needle in needles)


# --- gold -------------------------------------------------------------------------------------


def test_every_gold_word_names_a_feeling_near_the_feeling_itself() -> None:
    lexicon = load_lexicon()
    for name, feeling in world.FEELINGS.items():
        core = [lexicon.lookup(feeling.words[1][0]).sectors[k][0] for k in range(5)]
        for word in {word for level in feeling.words for word in level}:
            entry = lexicon.lookup(word)
            assert entry.status == "feeling", word
            near = sum(entry.sectors[k][0] == core[k] for k in range(5))
            assert near >= 3, (name, word)
        assert all(len(level) >= 2 for level in feeling.words)
        assert set(feeling.then) <= set(world.FEELINGS) - {name}


def test_sectors_are_spread_evenly_and_no_constant_answer_has_skill() -> None:
    for shares in mini_probes.sector_shares(3000):
        assert max(shares.values()) < 35 and min(shares.values()) > 8
    gold = load_corpus("ovmer_mini")
    assert score({s.id: list(s.labels or ()) for s in gold.samples}, gold).scores["S1"].value == 1
    for answer in (["happy"], ["sad", "angry"], ["happy", "sad", "angry", "scared", "disgusted"]):
        report = score(dict.fromkeys(gold.ids, answer), gold, draws=0)
        assert report.scores["S1"].value < 0.45
        assert report.scores["S1"].skill == pytest.approx(0, abs=1e-9)


def test_every_class_leaves_three_sectors_open() -> None:
    lexicon = load_lexicon()
    open_to: dict[str, list[set[str | None]]] = defaultdict(lambda: [set() for _ in range(5)])
    for feeling in world.FEELINGS.values():
        sectors = lexicon.lookup(feeling.words[1][0]).sectors
        for name in (*feeling.voices, *feeling.faces, *feeling.topics):
            for found, sector in zip(open_to[name], sectors, strict=True):
                found.add(sector[0])
    assert set(open_to) == {*world.VOICES, *world.FACES, *world.TOPICS}
    for name, wheels in open_to.items():
        assert max(map(len, wheels)) >= 3, name


def test_no_text_that_a_system_sees_holds_a_gold_word() -> None:
    words = {w for f in world.FEELINGS.values() for level in f.words for w in level}
    names = re.compile(rf"\b({'|'.join(map(re.escape, sorted(words)))})\b", re.I)
    seen = [s for split in SPLITS for s in samples(split, 700)]
    for sample in seen:
        for text in (*sample.subtitle.values(), *sample.clues.values()):
            assert not names.search(text), text
            assert "{" not in text and "  " not in text
            assert text[0].isupper() and text[-1] in ".?"
        assert sum(w in sample.description["en"] for w in sample.labels or ()) >= 2
    assert len({s.subtitle["en"] for s in seen}) > 1800


def test_texts_cover_the_world() -> None:
    texts = json.loads((FOLDER / "texts.json").read_text("utf-8"))
    assert set(texts["topics"]) == set(world.TOPICS)
    assert set(texts["audio"]) == set(world.VOICES)
    assert set(texts["visual"]) == set(texts["flash"]) == set(world.FACES)
    assert set(texts["mask"]) == set(world.MASKS)
    assert all(len(set(lines)) >= 12 for lines in texts["topics"].values())
    for kind in ("audio", "visual"):
        phrases = [p for levels in texts[kind].values() for level in levels for p in level]
        assert len(set(phrases)) == len(phrases) == 2 * 3 * len(texts[kind])


# --- media ------------------------------------------------------------------------------------


def test_each_modality_shows_its_own_class_and_nothing_else() -> None:
    def shown(**changes: object) -> tuple[bytes, bytes]:
        latent = world.Latent((phase(**changes),), "")
        at = (0, "test", 5)
        return faces.draw_frames(latent, *at).tobytes(), voices.sound(latent, *at).tobytes()

    plain = shown()
    assert shown(feeling="sad", topic="deed", words=("sad",)) == plain
    face, voice = shown(face="hard"), shown(voice="warm")
    assert face[0] != plain[0] and face[1] == plain[1]
    assert voice[0] == plain[0] and voice[1] != plain[1]


def test_a_mask_hides_the_face_but_for_one_frame() -> None:
    at = (0, "test", 5)
    true, masked, calm = (
        faces.draw_frames(world.Latent((phase(face=face, level=2),), mask), *at).astype(int)
        for face, mask in (("hard", ""), ("hard", "blank"), ("blank", ""))
    )
    near_true = np.abs(masked - true).mean((1, 2, 3)) < 1
    assert near_true.sum() == 1
    far = np.abs(masked - calm).mean((1, 2, 3))
    assert (far[~near_true] < np.abs(true - calm).mean((1, 2, 3))[~near_true]).all()


def test_voices_differ_as_they_should() -> None:
    def sounds(voice: str) -> np.ndarray:
        latent = world.Latent((phase(voice=voice, level=2),), "")
        return np.stack([voices.sound(latent, 0, "test", i) for i in range(12)]).astype(float)

    made = {name: sounds(name) for name in world.VOICES}
    loud = {name: np.sqrt((x**2).mean()) for name, x in made.items()}
    assert loud["forceful"] > loud["lively"] > loud["warm"] > loud["drained"]
    silent = {}
    for name, x in made.items():
        power = (x.reshape(12, -1, 400) ** 2).mean(2)
        silent[name] = (power < 0.02 * power.max(1, keepdims=True)).mean()
    assert silent["drained"] > 0.3 > silent["warm"] and silent["unsteady"] > silent["lively"]


def test_files_hold_what_the_clip_holds(tmp_path: Path) -> None:
    clip = make_clip("rl", 3)
    picture, sound = tmp_path / "a.png", tmp_path / "a.wav"
    picture.write_bytes(media.png_bytes(clip.frames[2]))
    sound.write_bytes(media.wav_bytes(clip.audio, 16_000))
    assert (np.round(imread(picture) * 255).astype(np.uint8) == clip.frames[2]).all()
    with wave.open(str(sound)) as read:
        assert read.getparams()[:4] == (1, 2, 16_000, 32_000)
        assert (np.frombuffer(read.readframes(32_000), "<i2") == clip.audio).all()
    big = np.arange(200 * 150 * 3, dtype=np.uint32).astype(np.uint8).reshape(200, 150, 3)
    picture.write_bytes(media.png_bytes(big))
    assert (np.round(imread(picture) * 255).astype(np.uint8) == big).all()


# --- fairness and speed -----------------------------------------------------------------------


def test_each_modality_tells_something_and_all_three_much_more() -> None:
    results = {row.name: row for row in mini_probes.run(600, 300, pairs=False)}
    constant = results.pop("nothing (the best constant answer)")
    alone = [results[name] for name in mini_probes.MODALITIES]
    fused = results["audio + video + text"]
    assert constant.skill == pytest.approx(0, abs=1e-6)
    assert min(row.skill for row in alone) > 15
    assert min(row.s1 for row in alone) > constant.s1 + 4
    assert fused.s1 > max(row.s1 for row in alone) + 10
    assert results[mini_probes.CLASSES].s1 > fused.s1


def test_the_card_says_what_is() -> None:
    """Run ``python -m studies.mini_probes`` in ``tests/`` after changing the world."""
    card = mini_probes.CARD.read_text("utf-8")
    assert mini_probes.block(card, "feelings") == mini_probes.feelings_table()
    assert mini_probes.block(card, "sectors") == mini_probes.sectors_table(500)
    printed = mini_probes.printed(card)
    best = max(printed[name] for name in mini_probes.MODALITIES)
    assert printed["audio + video + text"] >= best + 10
    assert f"World {world.MINI_VERSION}." in card


def test_loading_is_quick_and_drawing_is_fast() -> None:
    make_clip("test", 0).audio.sum()  # wave tables are made once
    start = time.process_time()
    verify("ovmer_mini")
    assert time.process_time() - start < 0.3
    paces = []
    for batch in range(5):
        start = time.process_time()
        for i in range(20):
            clip = make_clip("sft", 20 * batch + i)
            assert clip.frames.size and clip.audio.size
        paces.append((time.process_time() - start) / 20)
    # 150 clips a second on two cores are 75 on one.
    assert min(paces) < 1 / 75


def test_media_are_drawn_only_when_looked_at() -> None:
    clip = make_clip("test", 0)
    assert not {"frames", "audio"} & set(vars(clip)) and not clip.sample.media
    assert clip.frames is clip.frames


# --- writing ----------------------------------------------------------------------------------


def tree(folder: Path) -> dict[str, bytes]:
    paths = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths}


def make(*options: object) -> tuple[int, str]:
    run = CliRunner().invoke(data, ["make", "mini", "--jobs", "1", *map(str, options)])
    if isinstance(run.exception, OvmerError):
        return run.exception.exit_code, str(run.exception)
    return run.exit_code, run.output


def test_the_command_writes_what_the_world_makes(tmp_path: Path) -> None:
    code, shown = make("--split", "rl", "--n", 3, "--seed", 5, "--out", tmp_path / "a")
    assert code == 0 and "3 clips, sample set" in shown
    read = read_samples(tmp_path / "a" / "samples.jsonl")
    assert [replace(s, media={}) for s in read] == list(samples("rl", 3, 5))
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["complete"] is True and manifest["sha256"][:12] in shown
    for sample in read:
        clip = clip_of(sample.id)
        for path, frame in zip(sample.media["frames"], clip.frames, strict=True):
            assert (tmp_path / "a" / path).read_bytes() == media.png_bytes(frame)
        with wave.open(str(tmp_path / "a" / str(sample.media["audio"]))) as sound:
            assert sound.readframes(32_000) == clip.audio.astype("<i2").tobytes()


def test_again_longer_and_with_more_processes_comes_to_the_same(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert write_split(one, n=9).made == 9
    counts: list[int] = []
    assert write_split(two, n=4).made == 4
    done = write_split(two, n=9, jobs=2, progress=counts.append)
    assert (done.made, sum(counts), done.n) == (5, 9, 9)
    assert tree(one) == tree(two)
    before = tree(one)
    assert write_split(one, n=9).made == 0 and tree(one) == before


def test_damaged_clips_are_made_again(tmp_path: Path) -> None:
    write_split(tmp_path / "a", n=3)
    whole = tree(tmp_path / "a")
    clip = tmp_path / "a" / "media" / "mini-test-000001"
    (clip / "voice.wav").write_bytes(b"RIFF")
    (clip.parent / "mini-test-000002" / "frame-0.png").unlink()
    assert write_split(tmp_path / "a", n=3).made == 2
    assert tree(tmp_path / "a") == whole


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this system")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_is_taken_up(tmp_path: Path, jobs: int) -> None:
    cut, n = tmp_path / "cut", 40
    arguments = ["data", "make", "mini", "--n", str(n), "--out", str(cut), "--jobs", str(jobs)]
    command = [sys.executable, "-m", "ovmer_bench", *arguments]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(cut.glob("media/mini-*"))) < 5 and time.monotonic() < deadline:
        assert running.poll() is None
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not (cut / "samples.jsonl").exists()
    assert json.loads((cut / "manifest.json").read_text())["complete"] is False
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "were there" in done.stdout
    write_split(tmp_path / "uncut", n=n)
    assert tree(cut) == tree(tmp_path / "uncut")


def test_leftovers_of_a_kill_at_any_moment_are_swept(tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / ".manifest.json.x1y2").write_text("{")
    assert write_split(cut, n=2).made == 2
    (cut / ".samples.jsonl.abc").write_text("{")
    partial = cut / "media" / ".partial-mini-test-000002"
    partial.mkdir()
    (partial / "frame-0.png").write_bytes(b"half")
    write_split(cut, n=3)
    write_split(tmp_path / "uncut", n=3)
    assert tree(cut) == tree(tmp_path / "uncut")
    assert not list(cut.rglob(".*"))


def test_what_cannot_be_made_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options, needle in (
        (("--split", "train"), "accepted: sft, rl, test"),
        (("--n", 0), "n is 0"),
        (("--n", -3), "n is -3"),
        (("--seed", -1), "seed -1"),
        (("--jobs", 0), "jobs is 0"),
    ):
        code, shown = make(*options, "--out", out)
        assert code == 2 and needle in shown, shown
        assert not out.exists()
    run = CliRunner().invoke(data, ["make", "meld", "--out", str(out)])
    assert isinstance(run.exception, CorpusError) and "meld is not generated" in str(run.exception)
    assert CliRunner().invoke(data, ["make", "mini"]).exit_code == 2
    assert make("--n", "many", "--out", out)[0] == 2


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    foreign, file, other = tmp_path / "foreign", tmp_path / "file", tmp_path / "other"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("precious")
    file.write_text("precious")
    write_split(other, "sft", 2)
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "manifest.json").write_text('{"name": "cats"}')
    before = tree(tmp_path)
    for folder, options, needle in (
        (foreign, (), "thesis.tex"),
        (file, (), "is a file"),
        (file / "below", (), "cannot be written"),
        (strange, (), "is not of ovmer_mini"),
        (other, ("--split", "rl"), "field 'split': is 'sft', not 'rl'"),
        (other, ("--split", "sft", "--seed", 3), "field 'seed'"),
        (other, ("--split", "sft", "--n", 1), "field 'n'"),
    ):
        code, shown = make("--n", 2, *options, "--out", folder)
        assert code == 2 and needle in shown and "\n" not in shown, shown
    assert tree(tmp_path) == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_that_turns_bad_half_way_is_an_error_not_a_crash(
    tmp_path: Path, jobs: int
) -> None:
    write_split(tmp_path / "a", n=1)
    # A file stands where the folder of the second clip is to be filled.
    (tmp_path / "a" / "media" / "mini-test-000001").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        write_split(tmp_path / "a", n=3, jobs=jobs)
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["complete"] is False
