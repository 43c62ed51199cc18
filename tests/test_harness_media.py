"""Tasks of imported corpora with the media that a user has attached, and models that hear."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from media_made import number_in, save_picture, save_tone, save_video
from ovmer_bench import evaluate, prompts, read_predictions
from ovmer_bench.corpora.registry import MER_UNIBENCH, corpus_info
from ovmer_bench.corpora.store import attach_media, load_corpus, save_corpus
from ovmer_bench.errors import InputError
from ovmer_bench.harness import StopRun, audio, frames, load, tasks_dir
from ovmer_bench.harness.media import LONGEST_SIDE
from ovmer_bench.reading.schema import Sample
from test_harness import harness, own_logging, replay, stand_in

__all__ = ["own_logging"]

NAMES = ("ovmerd", "ovmerdplus", "mer_fg")


@pytest.fixture
def attached(home: Path, tmp_path: Path) -> Path:
    """A made-up corpus of nine clips: videos with sound, but the last two, which have pictures
    and sound apart. Returns the folder of its media."""
    stand_in("ovmerd")
    root = tmp_path / "media"
    root.mkdir()
    for i in range(7):
        save_video(root / f"ovmerd_{i}.mp4", 16, sound=0.7)
    for i in (7, 8):
        (root / f"ovmerd_{i}").mkdir()
        save_picture(root / f"ovmerd_{i}" / "1.png", i)
        save_tone(root / f"ovmerd_{i}.wav", rate=44_100)
    attach_media("ovmerd", root)
    return root


def asked(kind: str, **options: object) -> Any:
    return load(
        {"corpus": "ovmerd", "evidence": ["subtitle", kind], "prompt": "answer"}, **options
    )["test"]


def test_pictures_and_sound_of_files(attached: Path) -> None:
    shown = asked("frames")
    assert len(shown) == 9
    pictures = frames(shown[0])
    assert [number_in(np.asarray(picture)) for picture in pictures] == list(range(1, 16, 2))
    assert [number_in(np.asarray(picture)) for picture in frames(shown[8])] == [8] * 8
    assert shown[0]["prompt"].count(prompts.IMAGE) == len(pictures)
    assert not any(str(attached) in str(value) for value in shown[0].values())
    for document in asked("audio"):
        (sound,) = audio(document)
        assert sound["sampling_rate"] == 16_000
        assert sound["array"].dtype == np.float32
        assert 0.6 < len(sound["array"]) / 16_000 < 1.1
        assert document["prompt"].count(prompts.AUDIO) == 1


def test_pictures_are_shrunk(attached: Path) -> None:
    from PIL import Image

    Image.new("RGB", (1_000, 500)).save(attached / "ovmerd_7" / "1.png")
    assert frames(asked("frames")[7])[0].size == (LONGEST_SIDE, LONGEST_SIDE // 2)


@pytest.mark.parametrize("sense", ["vision", "audio"])
def test_tasks_score_what_was_said(attached: Path, tmp_path: Path, sense: str) -> None:
    said = stand_in("ovmerd")
    tasks = [f"ovmerd_{sense}", f"ovmerd_{sense}_think"]
    run = harness(replay(said, tmp_path), tasks, tmp_path / "out")
    expected = evaluate(said, "ovmerd").values
    for task in tasks:
        assert run.value(task, "S1") == expected["S1"]
        assert run.value(task, "main_score") == expected["M-avg"]
        read = read_predictions(run.samples[task]).predictions
        assert evaluate(read, "ovmerd").values["S1"] == expected["S1"]
        assert str(attached) not in run.samples[task].read_text("utf-8")


def test_every_imported_corpus_has_tasks_that_show_and_play() -> None:
    names = {path.stem for path in tasks_dir().glob("*.yaml")}
    for sense in ("vision", "audio"):
        for name in NAMES:
            assert {f"{name}_{sense}", f"{name}_{sense}_think"} <= names
        for name in MER_UNIBENCH:
            assert name in NAMES or f"mer_unibench_{name}_{sense}" in names


def test_a_group_runs_where_all_have_media(home: Path, tmp_path: Path) -> None:
    said, root = [], tmp_path / "media"
    root.mkdir()
    for name in MER_UNIBENCH:
        answers = stand_in(name)
        for answer in answers:
            save_tone(root / f"{answer.id}.wav", 0.2)
        attach_media(name, root)
        said += answers
    run = harness(replay(said, tmp_path), "mer_unibench_audio", tmp_path / "out", limit=6)
    values = [run.value(task, "main_score") for task in run.results if task != "mer_unibench_audio"]
    assert len(values) == 9
    assert run.value("mer_unibench_audio", "main_score") == pytest.approx(np.mean(values))


# --- What is missing ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["frames", "audio"])
def test_without_media_one_line_says_how_to_attach_them(home: Path, kind: str) -> None:
    stand_in("ovmerd")
    with pytest.raises(StopRun, match=r"no media are attached to ovmerd\. Run: ovmer data media"):
        asked(kind)
    with pytest.raises(StopRun, match="ovmer data import meld"):
        load({"corpus": "meld", "evidence": ["subtitle", kind], "prompt": "answer"})


def test_clips_without_media_are_named(home: Path, tmp_path: Path) -> None:
    stand_in("ovmerd")
    for i in (0, 2):
        save_tone(tmp_path / f"ovmerd_{i}.wav")
    attach_media("ovmerd", tmp_path)
    with pytest.raises(StopRun, match=r"7 of 9 clips of ovmerd have no sound attached: ovmerd_1,"):
        asked("audio")
    with pytest.raises(StopRun, match="9 of 9 clips of ovmerd have no pictures"):
        asked("frames")
    assert [d["id"] for d in asked("audio", ovmer_on_missing="skip")] == ["ovmerd_0", "ovmerd_2"]
    with pytest.raises(StopRun, match="9 of 9 clips cannot be used"):
        asked("frames", ovmer_on_missing="skip")
    with pytest.raises(StopRun, match="accepted: fail, skip"):
        asked("audio", ovmer_on_missing="maybe")


def test_a_broken_file_ends_the_run_or_is_left_out(
    attached: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (attached / "ovmerd_3.mp4").write_text("broken")
    said = stand_in("ovmerd")
    model = replay(said, tmp_path)
    with pytest.raises(StopRun, match=r"ovmerd_3\.mp4: cannot be decoded"):
        harness(model, "ovmerd_vision", tmp_path / "out")
    caplog.set_level("WARNING", logger="lm_eval.ovmer")
    run = harness(
        *(model, "ovmerd_vision", tmp_path / "out"), metadata={"ovmer_on_missing": "skip"}
    )
    assert "clip ovmerd_3 is left out: video corrupt" in caplog.text
    rest = [sample for sample in load_corpus("ovmerd").samples if sample.id != "ovmerd_3"]
    part = evaluate([p for p in said if p.id != "ovmerd_3"], rest)
    assert run.value("ovmerd_vision", "S1") == part.values["S1"]


def test_the_harness_alone_ends_in_one_line(home: Path, tmp_path: Path) -> None:
    """``lm_eval`` itself, as a process: no traceback of ours, and an exit code that is not 0."""
    save_corpus(corpus_info("ovmerd"), [Sample(id="a", labels=["sad"], subtitle={"en": "No."})], [])
    done = subprocess.run(
        [
            *(sys.executable, "-m", "lm_eval", "--model", "dummy", "--tasks", "ovmerd_vision"),
            *("--include_path", str(tasks_dir())),
        ],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        "error: no media are attached to ovmerd. Run: ovmer data media ovmerd --root DIR"
    )


# --- Models that hear -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def audio_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an audio-language model, made from configuration."""
    for name in ("torch", "transformers", "accelerate"):
        pytest.importorskip(name)
    from tiny_audio_model import save_audio_model

    folder = tmp_path_factory.mktemp("models") / "audio"
    save_audio_model(folder)
    return str(folder)


def heard(model: str, task: str, out: Path, **options: object) -> Any:
    from ovmer_bench.harness.audio_models import AudioLM

    made = AudioLM(pretrained=model, dtype="float32", device="cpu", batch_size=2)
    return harness(made, task, out, gen_kwargs={"max_gen_toks": 6}, **options)


@pytest.mark.train
@pytest.mark.parametrize("chat", [False, True])
def test_an_audio_model(audio_model: str, tmp_path: Path, chat: bool) -> None:
    run = heard(audio_model, "ovmer_audio", tmp_path, limit=3, apply_chat_template=chat)
    for task in ("ovmer_mini_audio", "ovmer_mini_audio_think"):
        said = read_predictions(run.samples[task]).predictions
        part = evaluate(said, list(load_corpus("ovmer_mini").samples[:3]))
        assert run.value(task, "S1") == part.values["S1"]
    outputs = [line["resps"][0][0] for line in run.lines("ovmer_mini_audio")]
    assert all(outputs) and len(set(outputs)) > 1


@pytest.mark.train
def test_an_audio_model_hears_the_files(audio_model: str, attached: Path, tmp_path: Path) -> None:
    """The same words with another sound get another answer."""

    def outputs(out: str) -> list[str]:
        run = heard(audio_model, "ovmerd_audio", tmp_path / out, limit=9)
        return [line["resps"][0][0] for line in run.lines("ovmerd_audio")]

    before = outputs("before")
    assert all(before)
    soundfile.write(
        attached / "ovmerd_8.wav", np.random.default_rng(0).normal(0, 0.3, 9_000), 8_000
    )
    after = outputs("after")
    assert after[:8] == before[:8]
    assert after[8] != before[8]


@pytest.mark.train
@pytest.mark.parametrize("task", ["ovmer_mini_vision", "ovmer_mini_clues"])
def test_an_audio_model_refuses_what_it_cannot_hear(
    audio_model: str, tmp_path: Path, task: str
) -> None:
    with pytest.raises(InputError, match=f"the task {task} plays no sound"):
        heard(audio_model, task, tmp_path, limit=1)


@pytest.mark.train
def test_why_the_class_of_the_harness_is_not_used() -> None:
    """Once this fails, ``hf-audiolm-qwen`` can be looked at again."""
    from lm_eval.api.registry import get_model

    with pytest.raises(ValueError, match="already registered"):
        get_model("hf-audiolm-qwen")
