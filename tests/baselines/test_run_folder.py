"""A run folder survives kills, is never another run's, and says what the run was."""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from affectgpt_rl.runs import metric_names as m
from affectgpt_rl.runs.checkpoints import COMPLETE
from affectgpt_rl.runs.environment import environment, git_revision
from affectgpt_rl.runs.folder import RunFolder, Sample
from affectgpt_rl.runs.lines import append_line, finite, mend, read_lines
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench import OvmerError
from synthetic_run import mini


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.open(mini(tmp_path / "runs" / "one"))


def checkpoint(folder: RunFolder, step: int, *, complete: bool = True) -> Path:
    path = folder.stage_dir("rl") / f"checkpoint-{step}"
    (path / "deep").mkdir(parents=True)
    (path / "model.safetensors").write_bytes(b"x" * 50)
    (path / "deep" / "rng.pth").write_bytes(b"y" * step)
    if complete:
        folder.mark_complete(path)
    return path


def steps(folder: RunFolder, stage: str = "rl") -> list[int]:
    return [row["step"] for row in folder.metrics() if row["stage"] == stage]


def test_a_folder_is_made_whole_and_found_again(tmp_path: Path) -> None:
    config = mini(tmp_path / "run")
    folder = RunFolder.open(config)
    assert sorted(p.name for p in folder.path.iterdir()) == ["config.yaml", "run.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert folder.config() == config
    before = folder.run_file.read_bytes()
    again = RunFolder.open(config)
    assert again.run_file.read_bytes() == before
    assert folder.state("rl") == "new"


def test_what_the_run_depends_on_is_written_and_nothing_of_the_machine(folder: RunFolder) -> None:
    facts = folder.facts()
    assert facts["seed"] == 0
    assert facts["lexicon"]["id"] == "ovmer"
    assert len(facts["lexicon"]["sha256"]) == 64
    [now] = facts["environments"]
    assert {"python", "ovmer-bench", "numpy"} <= set(now["versions"])
    assert now["world_size"] == 1
    assert now["threads"] is None or now["threads"] >= 1
    text = folder.run_file.read_text("utf-8")
    assert str(folder.path) not in text
    assert f'"{platform.node()}"' not in text


def test_two_folders_of_one_configuration_are_equal(tmp_path: Path) -> None:
    made = [RunFolder.open(mini(tmp_path / name)) for name in ("a", "b")]
    assert made[0].run_file.read_bytes() == made[1].run_file.read_bytes()


def test_the_launcher_says_how_many_processes_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert environment()["world_size"] == 8


def test_another_environment_is_added_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = mini(tmp_path / "run")
    folder = RunFolder.open(config)
    monkeypatch.setenv("WORLD_SIZE", "2")
    for _ in range(2):
        RunFolder.open(config)
    assert [e["world_size"] for e in folder.facts()["environments"]] == [1, 2]


def test_the_revision_is_that_of_this_source_or_none() -> None:
    source = Path(git_revision.__code__.co_filename)
    root = source.parent
    tracked = subprocess.run(
        ["git", "ls-files", source.name], cwd=root, capture_output=True, text=True
    )
    if not tracked.stdout.strip():  # installed, and so of no repository
        assert git_revision() is None
        return
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    found = git_revision()
    assert found is not None
    assert found["revision"] == head.stdout.strip()


def test_the_run_of_another_configuration_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "run"
    RunFolder.open(mini(output))
    before = {p: p.read_bytes() for p in output.iterdir()}
    with pytest.raises(OvmerError) as caught:
        RunFolder.open(mini(output, "grpo.beta=0.0", "seed=3", "rewards.plain={kind: accuracy}"))
    said = str(caught.value)
    assert "seed is 0 there and 3 here" in said
    assert "grpo.beta is 0.04 there and 0.0 here" in said
    assert "rewards.plain.kind is null there" in said
    assert "--resume" in said
    assert "--set output=" in said
    assert {p: p.read_bytes() for p in output.iterdir()} == before


def test_a_run_may_move(tmp_path: Path) -> None:
    RunFolder.open(mini(tmp_path / "old"))
    (tmp_path / "old").rename(tmp_path / "new")
    assert RunFolder.open(mini(tmp_path / "new")).state("sft") == "new"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OvmerError, match="is there and holds no run"):
        RunFolder.open(mini(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]
    with pytest.raises(OvmerError, match="is there and holds no run"):
        RunFolder.open(mini(tmp_path / "notes.txt"))
    (tmp_path / "empty").mkdir()
    assert RunFolder.open(mini(tmp_path / "empty")).config_file.is_file()


def test_damaged_facts_are_named(folder: RunFolder) -> None:
    folder.run_file.write_text("{}")
    with pytest.raises(OvmerError, match=r"run\.json: schema_version is None"):
        folder.facts()
    folder.run_file.write_text("{")
    with pytest.raises(OvmerError, match="not JSON"):
        folder.facts()
    folder.run_file.unlink()
    with pytest.raises(OvmerError, match="is no run folder"):
        folder.facts()


def test_a_stage_begins_once_and_goes_on_when_asked(folder: RunFolder) -> None:
    assert folder.start("sft", resume=False) is None
    assert folder.state("sft") == "running"
    with pytest.raises(OvmerError, match="Go on with --resume"):
        folder.start("sft", resume=False)
    assert folder.start("sft", resume=True) is None
    folder.finish("sft", 90)
    assert folder.state("sft") == "finished"
    for resume in (False, True):
        with pytest.raises(OvmerError, match="stage sft is finished"):
            folder.start("sft", resume=resume)
    assert folder.start("rl", resume=True) is None


def test_a_stopped_stage_keeps_the_verdict_and_can_go_on(folder: RunFolder) -> None:
    folder.start("rl", resume=False)
    folder.finish("rl", 30, {"guard": "format", "step": 30})
    assert folder.facts()["stages"]["rl"]["verdict"]["guard"] == "format"
    folder.start("rl", resume=True)
    assert folder.state("rl") == "running"


def test_numbers_of_the_clock_stand_apart_and_what_is_not_finite_is_null(
    folder: RunFolder,
) -> None:
    folder.log("rl", 1, {m.LOSS: float("nan"), m.KL: float("inf"), "step_time": 2.5})
    folder.log("rl", 1, {"train_runtime": 3.0})
    assert folder.metrics() == [{"stage": "rl", "step": 1, m.KL: None, m.LOSS: None}]
    assert [set(row) - {"stage", "step"} for row in folder.timings()] == [
        {"step_time"},
        {"train_runtime"},
    ]
    assert "NaN" not in folder.metrics_file.read_text()


def test_going_on_cuts_what_the_checkpoint_does_not_know(folder: RunFolder) -> None:
    folder.start("sft", resume=False)
    folder.log("sft", 90, {m.LOSS: 1.0, "train_runtime": 1.0})
    folder.start("rl", resume=False)
    for step in range(1, 46):
        folder.log("rl", step, {m.LOSS: 1.0, "step_time": 0.1})
        if step % 10 == 0:
            folder.write_completions(step, [{"text": "x", "reward": float("nan")}])
        if step == 20:
            checkpoint(folder, 20)
            folder.log("rl", 20, {m.HELD_OUT_EW_F: 0.5})  # written again by the run that goes on
    half = checkpoint(folder, 40, complete=False)
    with folder.metrics_file.open("ab") as file:
        file.write(b'{"stage": "rl", "step": 46, "lo')
    assert steps(folder)[-1] == 45
    found = folder.start("rl", resume=True)
    assert found is not None
    assert found.name == "checkpoint-20"
    assert steps(folder) == list(range(1, 21))
    assert steps(folder, "sft") == [90]
    assert [row["step"] for row in folder.timings("rl")] == list(range(1, 21))
    assert list(folder.completions()) == [10, 20]
    assert folder.completions()[10] == [{"text": "x", "reward": None}]
    assert not half.exists()
    folder.log("rl", 21, {m.LOSS: 0.5})
    assert steps(folder) == list(range(1, 22))


def test_only_a_whole_checkpoint_counts(folder: RunFolder) -> None:
    assert folder.last_checkpoint("rl") is None
    for step in (9, 100, 20):
        checkpoint(folder, step)
    (folder.stage_dir("rl") / "checkpoint-best").mkdir()
    last = folder.last_checkpoint("rl")
    assert last is not None
    assert last.name == "checkpoint-100"
    (last / "model.safetensors").write_bytes(b"x" * 49)
    last = folder.last_checkpoint("rl")
    assert last is not None
    assert last.name == "checkpoint-20"
    (last / "deep" / "rng.pth").unlink()
    (folder.stage_dir("rl") / "checkpoint-9" / COMPLETE).write_text('{"mod')
    assert folder.last_checkpoint("rl") is None


def test_the_end_of_a_stage_appears_whole_or_not_at_all(folder: RunFolder) -> None:
    final = folder.final_dir("sft")
    with pytest.raises(RuntimeError), folder.final("sft") as part:
        (part / "model").write_text("half")
        raise RuntimeError
    assert not final.exists()
    for text in ("first", "second"):
        with folder.final("sft") as part:
            assert list(part.iterdir()) == []
            (part / "model").write_text(text)
        assert (final / "model").read_text() == text
    assert [p.name for p in final.parent.iterdir()] == ["final"]


def test_other_processes_write_nothing(folder: RunFolder) -> None:
    checkpoint(folder, 20)
    before = sorted(folder.path.rglob("*"))
    other = RunFolder.open(folder.config(), main=False)
    found = other.start("rl", resume=True)
    assert found is not None
    assert found.name == "checkpoint-20"
    other.log("rl", 1, {m.LOSS: 1.0})
    other.write_completions(1, [{}])
    other.write_samples("final", [])
    other.mark_complete(found)
    other.finish("rl", 1)
    with other.final("rl") as part:
        assert part == folder.final_dir("rl").with_name(".final.part")
    assert sorted(folder.path.rglob("*")) == before


def test_samples_come_back(folder: RunFolder) -> None:
    rows = [Sample("a", ["joy"], "<answer>glad</answer>", "Oh\nno"), Sample("b", [], "")]
    assert folder.samples("final") == []
    folder.write_samples("final", rows)
    assert folder.samples("final") == rows
    (folder.path / "samples" / "final.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(OvmerError, match="holds no sample answers"):
        folder.samples("final")


KILLED = """
import sys
from pathlib import Path
from affectgpt_rl.runs.folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
print("ready", flush=True)
step = 5
while True:
    step += 1
    folder.log("rl", step, {"loss": step / 7, "text" * 50: step})
"""


def test_a_kill_while_writing_leaves_a_folder_that_goes_on(folder: RunFolder) -> None:
    folder.start("rl", resume=False)
    for step in range(1, 6):
        folder.log("rl", step, {m.LOSS: 1.0})
    checkpoint(folder, 5)
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder.path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while len(steps(folder)) < 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    written = steps(folder)
    assert written == list(range(1, len(written) + 1))
    assert len(written) >= 20
    folder.start("rl", resume=True)
    assert steps(folder) == [1, 2, 3, 4, 5]


@given(st.lists(st.dictionaries(st.text(), st.floats(), max_size=2), max_size=5), st.integers(0))
def test_a_torn_file_keeps_all_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, float]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    for row in rows:
        append_line(path, row)
    if not rows:
        assert read_lines(path) == []
        return
    raw = path.read_bytes()
    torn = raw[: cut % (len(raw) + 1)]
    path.write_bytes(torn)
    whole = [finite(row) for row in rows[: torn.count(b"\n")]]
    assert read_lines(path) == whole
    mend(path)
    append_line(path, {"last": 1})
    assert read_lines(path) == [*whole, {"last": 1}]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n[1]\n')
    with pytest.raises(OvmerError, match=r"a\.jsonl:2: is no JSON object"):
        read_lines(path)


def test_facts_are_plain_json(folder: RunFolder) -> None:
    assert json.loads(folder.run_file.read_text("utf-8")) == folder.facts()
