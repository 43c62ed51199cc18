"""Folders that replace others: killed at any point, nothing is lost and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from command import listing
from ovmer_bench import folders
from ovmer_bench.folders import clear_unfinished, folder_written_whole, unfinished

PREFIX = ".mark-"

_KILLED = """
import os, signal, sys
from pathlib import Path
from ovmer_bench import folders

target, point = Path(sys.argv[1]), sys.argv[2]
exchanged = folders._exchanged

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def step(a, b):
    if point == "before the exchange":
        die()
    if point.endswith("the renames"):
        return False
    done = exchanged(a, b)
    die()
    return done

folders._exchanged = step
renames = []

def watch(event, arguments):
    if event == "os.rename" and point.endswith("the renames"):
        renames.append(arguments)
        if len(renames) == {"before": 1, "between": 2}.get(point.split()[0], 3):
            die()

sys.addaudithook(watch)
with folders.folder_written_whole(target, ".mark-") as made:
    (made / "new.txt").write_text("new")
    if point == "while writing":
        die()
if point == "after the renames":
    die()
"""


def old(folder: Path) -> Path:
    """An earlier folder."""
    folder.mkdir(parents=True)
    (folder / "old.txt").write_text("old")
    return folder


def killed(target: Path, point: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", _KILLED, str(target), point], env=environment)
    assert done.returncode == -signal.SIGKILL


def write(target: Path) -> None:
    with folder_written_whole(target, PREFIX) as made:
        (made / "new.txt").write_text("new")


def test_a_folder_is_made_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "place"
    write(target)
    assert list(listing(target)) == ["new.txt"]
    (target / "more.txt").write_text("more")
    write(target)
    assert list(listing(tmp_path)) == ["deep", "deep/place", "deep/place/new.txt"]


@pytest.mark.parametrize("exchange", [True, False])
def test_what_fails_leaves_the_earlier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(folders, "_exchanged", lambda a, b: False)
    target = old(tmp_path / "place")
    before = listing(tmp_path)
    with pytest.raises(ValueError, match="mine"), folder_written_whole(target, PREFIX) as made:
        (made / "new.txt").write_text("new")
        raise ValueError("mine")
    assert listing(tmp_path) == before
    # Nothing to put in its place: the second rename fails, and the earlier one comes back.
    if not exchange:
        with pytest.raises(OSError), folder_written_whole(target, PREFIX) as made:
            made.rmdir()
        assert listing(tmp_path) == before


@pytest.mark.parametrize("exchange", [True, False])
def test_both_ways_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    if not exchange:
        monkeypatch.setattr(folders, "_exchanged", lambda a, b: False)
    elif sys.platform != "linux":
        pytest.skip("folders are exchanged on Linux only")
    target = old(tmp_path / "place")
    write(target)
    assert list(listing(tmp_path)) == ["place", "place/new.txt"]


POINTS = {
    "while writing": "old.txt",
    "before the exchange": "old.txt",
    "after the exchange": "new.txt",
    "before the renames": "old.txt",
    "between the renames": "old.txt",
    "after the renames": "new.txt",
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point(tmp_path: Path, point: str) -> None:
    """Killed with -9: one of the two is there, or is put back; then nothing else is."""
    if "exchange" in point and sys.platform != "linux":
        pytest.skip("folders are exchanged on Linux only")
    target = old(tmp_path / "place")
    killed(target, point)
    lost = point == "between the renames"
    assert target.exists() is not lost
    assert [path.name for path in unfinished(tmp_path, PREFIX)] == ["place"] * lost
    if lost:
        assert list(listing(unfinished(tmp_path, PREFIX)[0])) == ["old.txt"]
    clear_unfinished(tmp_path, PREFIX)
    assert list(listing(tmp_path)) == ["place", f"place/{POINTS[point]}"]


@pytest.mark.parametrize("point", POINTS)
def test_the_next_writer_clears_up(tmp_path: Path, point: str) -> None:
    if "exchange" in point and sys.platform != "linux":
        pytest.skip("folders are exchanged on Linux only")
    target = old(tmp_path / "place")
    killed(target, point)
    write(tmp_path / "other")
    shown = ["other", "other/new.txt", "place", f"place/{POINTS[point]}"]
    assert list(listing(tmp_path)) == shown


def test_what_is_being_written_is_left_alone(tmp_path: Path) -> None:
    target = old(tmp_path / "place")
    with folder_written_whole(target, PREFIX) as made:
        (made / "new.txt").write_text("new")
        clear_unfinished(tmp_path, PREFIX)
        write(tmp_path / "other")
        assert (made / "new.txt").exists()
    assert list(listing(target)) == ["new.txt"]


def test_many_writers_at_once(tmp_path: Path) -> None:
    """Each clears up before it writes, and none takes another's folder for one left behind."""
    failed: list[BaseException] = []

    def work(k: int) -> None:
        try:
            for _ in range(40):
                write(tmp_path / f"place{k}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"place{k}" for k in range(4)]


def test_only_its_own_kind_is_cleared(tmp_path: Path) -> None:
    """Names that tempfile does not make, files, links, and other prefixes are nobody's to take."""
    kept = [".mark-", ".mark-two-abcdefgh", ".mark-abcdefghi", ".other-abcdefgh", "mark-abcdefgh"]
    for name in kept:
        (tmp_path / name).mkdir()
    (tmp_path / ".mark-file0000").write_text("mine")
    (tmp_path / ".mark-link0000").symlink_to(tmp_path / ".other-abcdefgh")
    before = listing(tmp_path)
    (tmp_path / ".mark-abcdefgh").mkdir()
    clear_unfinished(tmp_path, PREFIX)
    assert listing(tmp_path) == before


def test_what_came_in_its_place_stays(tmp_path: Path) -> None:
    """Killed between the renames, then written by hand: that is what is meant."""
    target = old(tmp_path / "place")
    killed(target, "between the renames")
    target.mkdir()
    (target / "by hand.txt").write_text("mine")
    clear_unfinished(tmp_path, PREFIX)
    assert list(listing(tmp_path)) == ["place", "place/by hand.txt"]


def test_without_locks_age_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_opened", lambda folder: None)
    scratch = tmp_path / ".mark-abcdefgh"
    scratch.mkdir()
    write(tmp_path / "place")
    assert scratch.exists()
    os.utime(scratch, (1, 1))
    write(tmp_path / "place")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
