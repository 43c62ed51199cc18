"""Files that cannot be read are found and named before anything is trained."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from affectgpt_rl.data.clips import TrainingClip, clips_of
from affectgpt_rl.data.media_gate import readable, readable_data, with_frames
from media_made import save_tone, save_video
from ovmer_bench import OvmerError, Sample
from ovmer_bench.corpora.ovmer_mini.generate import samples
from scripts import rows, started, within, words

pytestmark = pytest.mark.train

BAD = {
    "no_file": "missing",
    "no_samples": "empty",
    "no_bytes": "empty",
    "broken_video": "corrupt",
    "broken_sound": "corrupt",
    "no_track": "missing",
}
"""Clips that cannot be used, and the problem that is named."""
ODD = {"silent": "silent", "short": "short"}
"""Clips that are kept and remarked upon."""
GOOD = 12


def make_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Media by clip: good ones in several shapes, and one of each kind of bad."""
    video = save_video(folder / "good.mp4", 10, sound=0.4)
    mute = save_video(folder / "mute.mp4", 10)
    sounds = {
        "plain": save_tone(folder / "plain.wav", 0.5),
        "stereo_at_11025": save_tone(folder / "odd.wav", 0.5, rate=11_025, channels=2),
        "at_44100": save_tone(folder / "fast.flac", 0.4, rate=44_100),
        "short": save_tone(folder / "short.wav", 0.05),
    }
    soundfile.write(folder / "silent.wav", np.zeros(8_000, np.float32), 16_000)
    soundfile.write(folder / "no_samples.wav", np.zeros(0, np.float32), 16_000)
    (folder / "no_bytes.wav").write_bytes(b"")
    (folder / "broken.wav").write_bytes(b"RIFF0000WAVEfmt nonsense")
    (folder / "broken.mp4").write_bytes(video.read_bytes()[:200])
    made: dict[str, dict[str, Any]] = {
        "whole_video": {"video": video},
        **{name: {"video": mute, "audio": sound} for name, sound in sounds.items()},
        "silent": {"video": mute, "audio": folder / "silent.wav"},
        "text_alone": {},
        "sound_alone": {"audio": sounds["plain"]},
        "no_file": {"video": folder / "nowhere.mp4"},
        "no_samples": {"video": mute, "audio": folder / "no_samples.wav"},
        "no_bytes": {"video": mute, "audio": folder / "no_bytes.wav"},
        "broken_video": {"video": folder / "broken.mp4", "audio": sounds["plain"]},
        "broken_sound": {"video": mute, "audio": folder / "broken.wav"},
        "no_track": {"video": mute},
    }
    return {name: {k: str(v) for k, v in media.items()} for name, media in made.items()}


@dataclass(frozen=True)
class Corpus:
    """Samples, and the file that they are in."""

    samples: list[Sample]
    file: Path

    def clips(self, *modalities: Any) -> list[TrainingClip]:
        return clips_of(self.samples, modalities or ("frames", "audio", "subtitle"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Texts and gold of the embedded corpus, with files of every kind."""
    folder = tmp_path_factory.mktemp("media")
    files = make_files(folder)
    files |= {f"good{number}": files["plain"] for number in range(GOOD)}
    lines = []
    for (name, media), text in zip(files.items(), samples("sft", len(files)), strict=True):
        made = {**text.to_dict(), "id": name, "corpus": "own", "split": "train", "media": media}
        lines.append(json.dumps(made) + "\n")
    file = folder / "own.jsonl"
    file.write_text("".join(lines), "utf-8")
    return Corpus([Sample.from_dict(json.loads(line)) for line in lines], file)


def test_every_bad_clip_is_named_with_its_problem(corpus: Corpus) -> None:
    with pytest.raises(OvmerError) as caught:
        readable(corpus.clips(), "fail")
    said = str(caught.value)
    assert "\n" not in said and "field 'data.on_missing'" in said
    assert f"{len(BAD)} of {len(corpus.samples)} clips" in said
    for name, problem in BAD.items():
        assert re.search(rf"\b{name}: \w+ {problem}: ", said), name


def test_they_are_left_out_when_that_is_asked_for(
    corpus: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    left = readable(corpus.clips(), "skip")
    assert [clip.id for clip in left] == [s.id for s in corpus.samples if s.id not in BAD]
    said = capsys.readouterr().err
    for name, problem in BAD.items():
        assert re.search(rf"^clip {name}: left out: \w+ {problem}: ", said, re.M), name
    for name, problem in ODD.items():
        assert re.search(rf"^clip {name}: kept, .*: audio {problem}: ", said, re.M), name
    for clip in left:
        frames, sound = clip.frames(), clip.audio()
        assert frames is None or frames.shape[0] == 8
        assert sound is None or (sound.ndim == 1 and np.isfinite(sound).all())


def test_only_what_is_shown_is_looked_at(corpus: Corpus) -> None:
    assert len(readable(corpus.clips("subtitle"), "fail")) == len(corpus.samples)
    left = {clip.id for clip in readable(corpus.clips("frames"), "skip")}
    assert {"no_samples", "no_track", "broken_sound"} <= left
    assert not {"no_file", "broken_video"} & left


def test_drawn_clips_need_no_look() -> None:
    clips = clips_of(samples("rl", 3), ("frames", "audio"))
    assert readable(clips, "fail") == clips


def test_a_list_that_is_left_empty_is_an_error(corpus: Corpus) -> None:
    clips = {clip.id: clip for clip in corpus.clips()}
    bad = [clips[name] for name in BAD]
    with pytest.raises(OvmerError, match="have media that cannot be read"):
        readable(bad, "skip")
    with pytest.raises(OvmerError, match="no clip whose media can be read") as caught:
        readable_data({"rl": bad, "held_out": [clips["plain"]]}, "skip")
    assert caught.value.field == "data.rl"
    left = readable_data({"rl": [*bad, clips["plain"]], "task": []}, "skip")
    assert left == {"rl": [clips["plain"]], "task": []}


def test_clips_without_frames_are_not_for_vision(corpus: Corpus) -> None:
    clips = corpus.clips("frames", "subtitle")
    with pytest.raises(OvmerError, match=r"2 of .* text_alone: .*; sound_alone: "):
        with_frames(clips, "fail")
    assert len(with_frames(clips, "skip")) == len(clips) - 2


def tiny_run(corpus: Corpus, output: Path, on_missing: str) -> list[str]:
    source = f"{{corpus: {corpus.file}, split: train, start: %d, clips: %s, seed: 0}}"
    held_out = len(corpus.samples) - 4
    return words(
        "mini",
        output,
        {
            "warm_up": "null",
            "policy.freeze": "[]",
            "data.on_missing": on_missing,
            "data.cold_start": source % (0, held_out),
            "data.rl": source % (0, held_out),
            "data.held_out": source % (held_out, 4),
            "grpo.steps": 2,
            "grpo.prompts_per_step": held_out - len(BAD),
            "grpo.num_generations": 2,
            "grpo.lr_scheduler": "constant",
            "grpo.warmup_steps": 0,
        },
    )


def test_a_run_ends_before_it_begins(corpus: Corpus, tmp_path: Path) -> None:
    done = started("rl_train", *tiny_run(corpus, tmp_path / "run", "fail"), cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert all(f"{name}: " in done.stderr for name in BAD)
    assert not (tmp_path / "run" / "metrics.jsonl").exists(), "nothing was trained"


def test_a_run_goes_on_without_them(corpus: Corpus, tmp_path: Path) -> None:
    """Every other clip is looked at in every step: none of them ends the run later."""
    done = started("rl_train", *tiny_run(corpus, tmp_path / "run", "skip"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(f"clip {name}: left out: " in done.stderr for name in BAD)
    assert all(done.stderr.count(f"clip {name}: kept") == 1 for name in ODD)
    seen = {row["media_id"] for row in rows(tmp_path / "run/completions/step-000000.jsonl")}
    assert seen == {s.id for s in corpus.samples[:-4] if s.id not in BAD}

    said = tmp_path / "said.jsonl"
    where = ["--checkpoint", str(tmp_path / "run/rl/final"), "--task", str(corpus.file)]
    with pytest.raises(OvmerError, match="no_file: "):
        within("predict", *where, "--out", str(said))
    within("predict", *where, "--out", str(said), "--on-missing", "skip")
    assert {row["id"] for row in rows(said)} == {s.id for s in corpus.samples if s.id not in BAD}
