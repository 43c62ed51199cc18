"""A user's folder of media, attached to an imported corpus: found by id, never lost, never left."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command import Result, listing, run_here
from media_made import number_in, save_picture, save_tone, save_video
from ovmer_bench.corpora.importers import import_corpus
from ovmer_bench.corpora.media_errors import MediaError
from ovmer_bench.corpora.media_files import load_frames
from ovmer_bench.corpora.media_folder import find_media
from ovmer_bench.corpora.media_store import MEDIA_FILE
from ovmer_bench.corpora.registry import corpus_info
from ovmer_bench.corpora.store import attach_media, corpus_folder, load_corpus, save_corpus, verify
from ovmer_bench.errors import CorpusError, OvmerError
from ovmer_bench.reading.schema import Sample

pytestmark = pytest.mark.usefixtures("home")

NAME = "ovmerd"
IDS = ("clip_1", "clip_2", "clip.3", "片段4")


@pytest.fixture
def corpus(home: Path) -> Path:
    """A made-up corpus under the name of a real one; its folder."""
    info = corpus_info(NAME)
    samples = [Sample(id=clip, labels=["happy"], subtitle={"en": "Well."}) for clip in IDS]
    save_corpus(info, samples, [])
    return corpus_folder(info)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def found(root: Path, ids: tuple[str, ...] = IDS, **options: object) -> dict[str, dict[str, str]]:
    made = find_media(ids, root, **options)  # type: ignore[arg-type]
    return {clip: dict(files) for clip, files in made.clips.items()}


def refused(root: Path, *needles: str, ids: tuple[str, ...] = IDS) -> None:
    with pytest.raises(MediaError) as caught:
        find_media(ids, root)
    shown = str(caught.value)
    assert "\n" not in shown and len(shown) <= 1000
    for needle in needles:
        assert needle in shown, shown


# --- Finding --------------------------------------------------------------------------------


def test_files_are_found_by_id(root: Path) -> None:
    touch(root, "video/clip_1.mp4", "video/clip.3.AVI", "sound/clip_1.wav", "sound/片段4.mp3")
    touch(root, "faces/clip_2/frame_1.bmp", "faces/clip_2/frame_2.bmp", "faces/clip_2/clip_1.txt")
    touch(root, "clip_1.txt", "clip_11.mp4", "clip_1 (copy).mp4", "clip_1.mp4.part", ".mp4")
    assert found(root) == {
        "clip_1": {"video": "video/clip_1.mp4", "audio": "sound/clip_1.wav"},
        "clip_2": {"frames": "faces/clip_2"},
        "clip.3": {"video": "video/clip.3.AVI"},
        "片段4": {"audio": "sound/片段4.mp3"},
    }
    assert found(root, kinds=["audio"]).keys() == {"clip_1", "片段4"}


def test_folders_as_openface_leaves_them(root: Path) -> None:
    touch(
        root, "clip_1_aligned/frame_det_00_000001.bmp", "clip_1.csv", "clip_2/clip_2_aligned/1.png"
    )
    assert found(root) == {
        "clip_1": {"frames": "clip_1_aligned"},
        "clip_2": {"frames": "clip_2/clip_2_aligned"},
    }


def test_ambiguous_names_are_listed(root: Path) -> None:
    touch(root, "train/clip_1.mp4", "test/clip_1.mp4", "clip_2.wav", "clip_2.flac", "clip.3.mp4")
    refused(root, "2 clips", "test/clip_1.mp4, train/clip_1.mp4", "clip_2.flac, clip_2.wav")
    assert found(root / "train") == {"clip_1": {"video": "clip_1.mp4"}}


def test_videos_and_pictures_of_one_clip_are_a_choice(root: Path) -> None:
    touch(root, "video/clip_1.mp4", "faces/clip_1/1.png", "sound/clip_1.wav")
    refused(root, "video/clip_1.mp4, faces/clip_1/", "--only frames")
    assert found(root, kinds=["frames", "audio"])["clip_1"] == {
        "frames": "faces/clip_1",
        "audio": "sound/clip_1.wav",
    }


def test_links_stay_inside(root: Path, tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/clip_1.mp4", "elsewhere/faces/1.png")
    touch(root, "real/a.mp4")
    (root / "clip_2.mp4").symlink_to(root / "real" / "a.mp4")
    assert found(root) == {"clip_2": {"video": "clip_2.mp4"}}
    (root / "notes.txt").symlink_to(tmp_path / "elsewhere" / "clip_1.mp4")
    (root / "loop").symlink_to(root, target_is_directory=True)
    assert found(root) == {"clip_2": {"video": "clip_2.mp4"}}
    for name, target in (("clip_1.mp4", "elsewhere/clip_1.mp4"), ("linked", "elsewhere")):
        link = root / name
        link.symlink_to(tmp_path / target)
        refused(root, "leads out of", f"--root {tmp_path / 'elsewhere'}")
        link.unlink()
    (root / "clip_1.mp4").symlink_to(root / "gone.mp4")
    assert "clip_1" not in found(root)


def test_a_root_that_is_a_link_is_where_it_leads(root: Path, tmp_path: Path) -> None:
    touch(root, "clip_1.mp4")
    (tmp_path / "link").symlink_to(root)
    assert find_media(IDS, tmp_path / "link").root == root


@pytest.mark.parametrize("clip", ["../clip_1", "a/../../b", "..", "..\\up"])
def test_ids_that_lead_out_are_refused(root: Path, clip: str) -> None:
    touch(root.parent, "clip_1.mp4")
    refused(root, "lead out of a folder", ids=("good", clip))


def test_folders_without_media(root: Path, tmp_path: Path) -> None:
    refused(tmp_path / "none", "no such folder")
    refused(root, "it holds nothing", "clip_1.mp4")
    touch(root, "Clip_1.mp4", "notes.txt")
    refused(root, "Clip_1.mp4, notes.txt", "Did you mean 'Clip_1'?")
    if hasattr(os, "mkfifo"):
        os.mkfifo(root / "clip_1.mp4")
        refused(root, "holds no media")


# --- Storing --------------------------------------------------------------------------------


def media(clip: str) -> dict[str, object]:
    return dict(load_corpus(NAME).sample(clip).media)


def test_what_is_attached_comes_with_the_corpus(corpus: Path, root: Path) -> None:
    before = load_corpus(NAME)
    touch(root, "clip_1.mp4", "clip_1.wav", "clip_2/1.png")
    done = attach_media(NAME, root)
    assert done.corpus == load_corpus(NAME) == verify(NAME)
    assert media("clip_1") == {"video": f"{root}/clip_1.mp4", "audio": f"{root}/clip_1.wav"}
    assert media("clip_2") == {"frames": [f"{root}/clip_2"]}
    assert media("clip.3") == {}
    assert load_corpus(NAME).sha256 == before.sha256
    said = json.loads((corpus / MEDIA_FILE).read_text("utf-8"))
    assert said["roots"] == [str(root)]
    assert said["clips"]["clip_1"] == {"video": [0, "clip_1.mp4"], "audio": [0, "clip_1.wav"]}


def test_what_was_there_stays(corpus: Path, root: Path, tmp_path: Path) -> None:
    touch(root, "clip_1.mp4", "clip_2.mp4")
    more = tmp_path / "more"
    touch(more, "sound/clip_1.wav", "faces/clip_2/1.png")
    attach_media(NAME, root)
    attach_media(NAME, more)
    assert media("clip_1") == {"video": f"{root}/clip_1.mp4", "audio": f"{more}/sound/clip_1.wav"}
    assert media("clip_2") == {"frames": [f"{more}/faces/clip_2"]}
    before = listing(corpus)
    attach_media(NAME, more)
    assert listing(corpus) == before
    save_corpus(corpus_info(NAME), [Sample(id="clip_1", labels=["sad"])], [])
    assert media("clip_1")["video"] == f"{root}/clip_1.mp4"
    attach_media(NAME, root, replace_all=True)
    assert media("clip_1") == {"video": f"{root}/clip_1.mp4"}


def test_a_refusal_changes_nothing(corpus: Path, root: Path) -> None:
    touch(root, "clip_1.mp4")
    attach_media(NAME, root)
    before = listing(corpus)
    touch(root, "again/clip_1.mp4")
    with pytest.raises(MediaError):
        attach_media(NAME, root)
    with pytest.raises(MediaError):
        attach_media(NAME, root, replace_all=True)
    assert listing(corpus) == before


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"schema_version": 99}',
        '{"schema_version": 1, "name": "meld", "roots": [], "clips": {}}',
        '{"schema_version": 1, "name": "ovmerd", "roots": 1, "clips": {}}',
        '{"schema_version": 1, "name": "ovmerd", "roots": ["/"], "clips": []}',
        *(
            f'{{"schema_version": 1, "name": "ovmerd", "roots": ["/"], "clips": {{"a": {files}}}}}'
            for files in (
                *('{"video": [0, "../a.mp4"]}', '{"video": [0, "/etc/a.mp4"]}', "7"),
                *('{"video": [1, "a.mp4"]}', '{"smell": [0, "a"]}', '{"video": "a.mp4"}'),
            )
        ),
    ],
)
def test_a_damaged_list_says_how_to_mend_it(corpus: Path, root: Path, damage: str) -> None:
    (corpus / MEDIA_FILE).write_text(damage)
    with pytest.raises(CorpusError, match="media ovmerd --root DIR --replace"):
        load_corpus(NAME)
    touch(root, "clip_1.mp4")
    attach_media(NAME, root, replace_all=True)
    assert media("clip_1")


def test_corpora_that_take_no_media(root: Path) -> None:
    for name, needle in (("ovmer_mini", "takes no media"), ("meld", "not imported")):
        with pytest.raises(OvmerError, match=needle):
            attach_media(name, root)


def test_media_survive_a_real_import(reference: Path, root: Path) -> None:
    corpus = import_corpus("mer2023", reference)
    for clip in corpus.ids[:3]:
        save_video(root / f"{clip}.mp4", 8)
    attach_media("mer2023", root)
    import_corpus("mer2023", reference)
    video = load_corpus("mer2023").sample(corpus.ids[1]).media["video"]
    assert [number_in(frame) for frame in load_frames(str(video))] == list(range(8))


# --- Command line ---------------------------------------------------------------------------


@pytest.fixture
def ovmer(
    tmp_path: Path,
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> object:
    def run(*arguments: str | Path) -> Result:
        return run_here(
            "data", "media", *arguments, cwd=tmp_path, monkeypatch=monkeypatch, capsys=capsys
        )

    return run


def test_the_command_attaches_and_checks(ovmer, root: Path) -> None:  # type: ignore[no-untyped-def]
    save_video(root / "clip_1.mp4", 8, sound=0.4)
    save_video(root / "clip_2.mp4", 8)
    save_tone(root / "clip_2.wav")
    (root / "clip.3.mp4").write_text("broken")
    (root / "片段4").mkdir()
    save_picture(root / "片段4" / "1.png", 3)
    done = ovmer(NAME, "--root", root, "--check")
    # A clip of which no sound was given is a gap, and no error.
    assert done.code == 2 and done.err.count("\n") == 1
    assert "ovmerd: files of 1 of 4 clips cannot be used: clip.3. " in done.err
    assert "ovmer data media ovmerd --root DIR" in done.err
    lines = done.out.splitlines()
    assert lines[0] == (
        "ovmerd: found 3 video, 1 frames, 1 audio; attached: 4 clips (both 1, pictures only 3,"
        " sound only 0, neither 0)"
    )
    assert lines[1] == "checked 4 clips with media; can be used: video of 3, audio of 2"
    rows = {tuple(line.split()[:3]) for line in lines if line.startswith("  ")}
    assert {
        ("clip.3", "video", "corrupt"),
        ("clip.3", "audio", "corrupt"),
        ("片段4", "audio", "missing"),
    } <= rows
    assert ovmer(NAME).code == 0
    assert ovmer(NAME).out == (
        "ovmerd: 4 clips (both 1, pictures only 3, sound only 0, neither 0)\n"
    )
    (root / "clip_1.mp4").unlink()
    done = ovmer(NAME, "--check")
    assert (
        "clip_1" in done.out and "files of 2 of 4 clips cannot be used: clip_1, clip.3" in done.err
    )
    save_video(root / "clip_1.mp4", 8, sound=0.4)
    save_video(root / "clip.3.mp4", 8, sound=0.4)
    done = ovmer(NAME, "--check")
    assert done.code == 0 and not done.err


def test_a_clip_without_media_and_silence_pass_a_check(ovmer, root: Path) -> None:  # type: ignore[no-untyped-def]
    soundfile.write(root / "clip_1.wav", np.zeros(16_000), 16_000)
    done = ovmer(NAME, "--root", root, "--check")
    assert done.code == 0 and not done.err
    assert "silent" in done.out and "neither 3" in done.out


def test_the_command_refuses_in_one_line(ovmer, root: Path) -> None:  # type: ignore[no-untyped-def]
    for arguments, needle in (
        ((NAME,), "ovmer data media ovmerd --root DIR"),
        ((NAME, "--replace"), "'--root': missing"),
        ((NAME, "--root", root), "holds no media"),
        ((NAME, "--root", root / "none"), "no such folder"),
        (("ovmer_scenes", "--root", root), "part of the package"),
        (("ovmer_scenes",), "part of the package"),
        (("meld", "--root", root), "ovmer data import meld"),
    ):
        done = ovmer(*arguments)
        assert done.code == 2 and not done.out
        assert done.err.count("\n") == 1 and needle in done.err
