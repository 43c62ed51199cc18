"""Packing and checking submissions; hostile ones are in test_submission_hostile.py."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from command import command, listing, run, run_here
from ovmer_bench.corpora.store import load_corpus
from ovmer_bench.errors import InputError
from ovmer_bench.metrics.gold import as_gold
from ovmer_bench.reference_systems import SYSTEMS, predict
from ovmer_bench.submission import check_submission, read_submission, task_called
from ovmer_bench.submission.meta import meta_schema, read_meta
from ovmer_bench.submission.pack import pack, prediction_files
from submissions import META, licensed, noisy, submission, write_lines, write_meta

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "leaderboard" / "submissions"


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "in" / "ovmer_scenes.jsonl", noisy("ovmer_scenes", 0.5))


@pytest.fixture
def meta(tmp_path: Path) -> Path:
    return write_meta(tmp_path / "meta.yaml")


# --- Packing ------------------------------------------------------------------------------


def test_the_command_writes_a_folder_that_checks(tmp_path: Path, scenes: Path, meta: Path) -> None:
    done = run(
        *("submit", "--name", "mine", "--predictions", scenes, "--meta", meta, "--to", "out"),
        cwd=tmp_path,
    )
    assert (done.code, done.out) == (0, "ovmer_scenes: 420 clips, ids checked against gold\n")
    assert sorted(listing(tmp_path / "out")) == [
        *("mine", "mine/meta.yaml", "mine/predictions", "mine/predictions/ovmer_scenes.jsonl")
    ]
    checked = run("submit", "--check", "out", cwd=tmp_path)
    assert checked.code == 0 and checked.out.startswith("ok      mine\n")


def test_packing_is_deterministic_whatever_the_order(
    tmp_path: Path, scenes: Path, meta: Path
) -> None:
    pack("mine", [scenes], meta, tmp_path / "a")
    lines = scenes.read_text("utf-8").splitlines(keepends=True)
    scenes.write_text("".join(reversed(lines)), "utf-8")
    pack("mine", [f"scenes={scenes}"], meta, tmp_path / "b")
    assert listing(tmp_path / "a") == listing(tmp_path / "b")


def test_every_format_gives_the_same_submission(tmp_path: Path, meta: Path) -> None:
    said = noisy("ovmer_scenes", 0.5)
    jsonl = write_lines(tmp_path / "j" / "ovmer_scenes.jsonl", said)
    csv = tmp_path / "c" / "ovmer_scenes.csv"
    csv.parent.mkdir()
    rows = [f'{item["id"]},"[{", ".join(item["labels"])}]"' for item in said]
    csv.write_text("\n".join(["name,openset", *rows, ""]), "utf-8")
    npz = tmp_path / "ovmer_scenes.npz"
    np.savez(
        npz,
        filenames=[item["id"] for item in said],
        fileitems=[f"[{', '.join(item['labels'])}]" for item in said],
    )
    made = []
    for k, source in enumerate([jsonl, csv, npz]):
        pack("mine", [source], meta, tmp_path / str(k))
        made.append(listing(tmp_path / str(k)))
    assert made[0] == made[1] == made[2]


def test_long_predictions_are_compressed(tmp_path: Path, meta: Path) -> None:
    """The same answers and the same score; compressed files are read wherever plain ones are."""
    scenes = as_gold("ovmer_scenes")
    said = [prediction.to_dict() for prediction in predict("all-labels", scenes)]
    source = write_lines(tmp_path / "in" / "ovmer_scenes.jsonl", said)
    packed, _ = pack("mine", [source], meta, tmp_path / "out")
    (path,) = (packed.folder / "predictions").iterdir()
    assert path.name == "ovmer_scenes.jsonl.gz"
    assert path.stat().st_size < source.stat().st_size / 50
    assert {p.id: p.labels for p in packed.predictions["ovmer_scenes"].predictions} == {
        p["id"]: tuple(p["labels"]) for p in said
    }
    again, _ = pack("again", [path], meta, tmp_path / "out")
    assert (again.folder / "predictions" / path.name).read_bytes() == path.read_bytes()
    scores = [
        run("score", file, "--task", "ovmer_scenes", "--draws", "0", "--system", "x", cwd=tmp_path)
        for file in (source, path)
    ]
    assert scores[0].code == 0 and scores[0].out == scores[1].out


def lm_eval_samples(folder: Path, task: str, gold: str) -> Path:
    """What the harness logs, with everything in it that must not be passed on."""
    items = [
        {
            "doc_id": i,
            "doc": {
                "id": sample.id,
                "labels": list(sample.labels or ()),
                "audio": "/data/me/a.wav",
            },
            "target": "SECRET-GOLD",
            "arguments": {"gen_args_0": {"arg_0": "SECRET-PROMPT"}},
            "resps": [["<answer>happy, calm</answer>"]],
            "filtered_resps": ["<answer>happy, calm</answer>"],
            "filter": "none",
            "doc_hash": "0" * 64,
            "S1": 0.99,
        }
        for i, sample in enumerate(load_corpus(gold).samples)
    ]
    (folder / "results_2026-01-31T10-11-12.345678.json").parent.mkdir(parents=True, exist_ok=True)
    (folder / "results_2026-01-31T10-11-12.345678.json").write_text('{"S1": 99}', "utf-8")
    return write_lines(folder / f"samples_{task}_2026-01-31T10-11-12.345678.jsonl", items)


def test_lm_eval_logs_lose_prompts_gold_and_paths(tmp_path: Path, meta: Path) -> None:
    lm_eval_samples(tmp_path / "log" / "my__model", "ovmer_scenes_clues_think", "ovmer_scenes")
    pack("mine", [tmp_path / "log"], meta, tmp_path / "out")
    text = (tmp_path / "out/mine/predictions/ovmer_scenes.jsonl").read_text("utf-8")
    for line in text.splitlines():
        assert set(json.loads(line)) == {"id", "output"}
    assert not re.search("SECRET|/home|doc|S1|0.99", text)


@pytest.mark.parametrize(
    ("name", "corpus"),
    [
        ("ovmer_scenes", "ovmer_scenes"),
        ("ovmer_scenes_clues_think", "ovmer_scenes"),
        ("mer_unibench_meld", "meld"),
        ("ovmerd_think", "ovmerd"),
        ("ovmerdplus", "ovmerdplus"),
        ("ovmerd+", "ovmerdplus"),
        ("simsv2", "simsv2"),
        ("MELD", "meld"),
        ("simsala", None),
        ("", None),
    ],
)
def test_file_names_tell_the_corpus(name: str, corpus: str | None) -> None:
    assert task_called(name) == corpus


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["unheard_of.jsonl"], "no corpus is called 'unheard_of'"),
        (["ovmer_scenes.jsonl", "scenes.csv"], "a second file for ovmer_scenes"),
        (["ovmer_scenes.zip"], "is an archive"),
        (["ovmer_scenes.pkl"], "is no prediction file"),
        ([], "no prediction file was given"),
    ],
)
def test_unclear_files_are_refused(tmp_path: Path, files: list[str], message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}", "utf-8")
    with pytest.raises(InputError, match=re.escape(message)):
        prediction_files([tmp_path])


def test_a_taken_name_needs_replace(tmp_path: Path, scenes: Path, meta: Path) -> None:
    pack("mine", [scenes], meta, tmp_path / "out")
    before = listing(tmp_path / "out")
    other = write_meta(tmp_path / "other.yaml", title="Another")
    with pytest.raises(InputError, match="exists already"):
        pack("mine", [scenes], other, tmp_path / "out")
    assert listing(tmp_path / "out") == before
    pack("mine", [scenes], other, tmp_path / "out", replace=True)
    assert read_submission(tmp_path / "out" / "mine").meta.title == "Another"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_what_is_wrong_is_told_of_the_file_that_was_given(
    tmp_path: Path, scenes: Path, meta: Path
) -> None:
    """Not of a scratch folder that is gone, nor with the option of another command."""
    lines = scenes.read_text("utf-8").splitlines()
    scenes.write_text("\n".join([*lines[:3], *lines[4:]]) + "\n", "utf-8")
    with pytest.raises(InputError, match="no prediction for 1 of 420 clips: ") as caught:
        pack("mine", [scenes], meta, tmp_path / "out")
    assert caught.value.file == str(scenes)
    assert "an empty answer is an empty list" in str(caught.value)
    assert "--allow-missing" not in str(caught.value)
    lines[3] = lines[3].replace("scene_", "scenery_")
    scenes.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(InputError, match="1 of 420 predictions are for clips that") as caught:
        pack("mine", [scenes], meta, tmp_path / "out")
    assert (caught.value.file, caught.value.line) == (str(scenes), 4)


def test_a_corpus_that_does_not_exist_is_named(tmp_path: Path, scenes: Path) -> None:
    with pytest.raises(InputError, match="no corpus is called 'ovmer_scnes'") as caught:
        prediction_files([f"ovmer_scnes={scenes}"])
    assert caught.value.file == str(scenes)
    assert "ovmer_scenes" in (caught.value.hint or "")


@pytest.mark.parametrize("replace", [False, True])
def test_a_refused_submission_leaves_nothing(
    tmp_path: Path, scenes: Path, meta: Path, replace: bool
) -> None:
    out = tmp_path / "out"
    if replace:
        pack("mine", [scenes], meta, out)
    before = listing(out)
    scenes.write_text(scenes.read_text("utf-8").replace("scene_", "scenery_", 1), "utf-8")
    with pytest.raises(InputError, match="1 of 420 predictions are for clips that"):
        pack("mine", [scenes], meta, out, replace=replace)
    assert listing(out) == before


def test_killed_while_writing_leaves_no_submission(
    tmp_path: Path, scenes: Path, meta: Path
) -> None:
    """Stopped at any moment: the submission is there whole, or not at all, and can be redone."""
    arguments = command(
        *("submit", "--name", "mine", "--predictions", scenes, "--meta", meta, "--to", "out")
    )
    target = tmp_path / "out" / "mine"
    seen = False
    for delay in (0.0, 0.05, 0.15, 0.3):
        process = subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not any((tmp_path / "out").glob(".ovmer-*/mine")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen = seen or any((tmp_path / "out").glob(".ovmer-*"))
        if target.exists():
            break
        assert run("submit", "--check", "out", cwd=tmp_path).out == "no submission\n"
    assert seen or target.exists()
    if not target.exists():
        pack("mine", [scenes], meta, tmp_path / "out")
    check_submission(read_submission(target))


_KILLED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from ovmer_bench import folders
from ovmer_bench.cli import main
folders._exchanged = lambda a, b: False  # As on a system that cannot exchange two folders.
renames = []
def watch(event, arguments):
    if event == "os.rename":
        renames.append(arguments)
        if len(renames) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
main()
"""


def test_killed_while_replacing_loses_nothing(tmp_path: Path, scenes: Path, meta: Path) -> None:
    """The earlier submission had stepped aside: it is told of, and put back by the next run."""
    out = tmp_path / "out"
    pack("mine", [scenes], meta, out)
    before = listing(out)
    other = write_meta(tmp_path / "other.yaml", title="Another")
    arguments = ["submit", "--name", "mine", "--predictions", scenes, "--meta", other, "--to", out]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED_BETWEEN_THE_RENAMES, *map(str, arguments), "--replace"]
    )
    assert done.returncode == -signal.SIGKILL and not (out / "mine").exists()
    checked = run("submit", "--check", "out", cwd=tmp_path)
    assert checked.code == 2
    assert "mine: was being replaced when that was stopped, and stands in" in checked.err
    # Not even a new submission of that name comes before it.
    with pytest.raises(InputError, match="exists already"):
        pack("mine", [scenes], other, out)
    assert listing(out) == before
    pack("mine", [scenes], other, out, replace=True)
    assert read_submission(out / "mine").meta.title == "Another"
    assert [path.name for path in out.iterdir()] == ["mine"]


# --- Checking -----------------------------------------------------------------------------


def test_check_names_every_refused_submission(tmp_path: Path) -> None:
    out = tmp_path / "out"
    submission(out / "good", {"ovmer_scenes": noisy("ovmer_scenes", 1.0)})
    submission(out / "short", {"ovmer_scenes": noisy("ovmer_scenes", 1.0)[:-1]})
    submission(out / "untitled", {"ovmer_scenes": noisy("ovmer_scenes", 1.0)}, title="")
    done = run("submit", "--check", "out", cwd=tmp_path)
    assert done.code == 2
    assert "ok      good" in done.out
    assert re.search(r"refused short: .*no prediction for 1 of 420 clips", done.out)
    assert re.search(r"refused untitled: .*meta\.yaml, field 'title': is \"\"", done.out)
    assert done.err.startswith("error: ") and "2 of 3 submissions refused" in done.err
    assert run("submit", "--check", "out/good", cwd=tmp_path).code == 0
    assert run("submit", "--check", ".", cwd=out / "good").code == 0


def test_without_gold_clips_are_counted(tmp_path: Path, home: Path) -> None:
    said = [{"id": f"clip_{i}", "labels": ["happy"]} for i in range(532)]
    path = submission(tmp_path / "mine", {"ovmerdplus": said})
    (check,) = check_submission(read_submission(path))
    assert (check.clips, check.against_gold) == (532, False)
    write_lines(path / "predictions" / "ovmerdplus.jsonl", said[:-1])
    with pytest.raises(InputError, match="holds 531 clips where OV-MERD"):
        check_submission(read_submission(path))


def test_with_imported_gold_ids_are_checked(tmp_path: Path, home: Path) -> None:
    corpus = licensed("ovmerdplus")
    said = [{"id": clip, "labels": []} for clip in corpus.ids]
    path = submission(tmp_path / "mine", {"ovmerdplus": said})
    (check,) = check_submission(read_submission(path))
    assert check.against_gold


def test_numbers_in_a_submission_are_refused_or_ignored(tmp_path: Path) -> None:
    path = submission(tmp_path / "mine", {"ovmer_scenes": noisy("ovmer_scenes", 1.0)})
    (path / "scores.json").write_text('{"S1": 1.0}', "utf-8")
    with pytest.raises(InputError, match=r"'scores\.json' does not belong in a submission"):
        read_submission(path)


@pytest.mark.parametrize("missing", list(META))
def test_every_field_of_provenance_is_asked_for(tmp_path: Path, missing: str) -> None:
    data = {name: value for name, value in META.items() if name != missing}
    path = tmp_path / "meta.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    with pytest.raises(InputError) as caught:
        read_meta(path)
    assert (caught.value.field, caught.value.message) == (missing, "missing")
    assert caught.value.accepted == meta_schema()["properties"][missing]["description"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", "seven billion"),
        ("size", 7),
        ("modalities", ["smell"]),
        ("modalities", "audio"),
        ("training_data", "some"),
        ("code", "http://example.org"),
        ("code", "javascript:alert(1)"),
        ("checkpoint_chosen_on_test", "no"),
        ("date", "31.01.2026"),
        ("date", "2026-02-30"),
        ("kind", "best"),
        ("title", "x" * 81),
        ("schema_version", 2),
        ("authors", {"first": "me"}),
        ("decoding", None),
    ],
)
def test_wrong_provenance_names_the_field(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        read_meta(write_meta(tmp_path / "meta.yaml", **{field: value}))
    assert (caught.value.field or "").startswith(field)
    assert caught.value.accepted


def test_unknown_fields_suggest_the_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown field") as caught:
        read_meta(write_meta(tmp_path / "meta.yaml", licens="MIT"))
    assert "licence" in (caught.value.hint or "")


def test_meta_survives_writing(tmp_path: Path) -> None:
    meta = read_meta(
        write_meta(tmp_path / "a.yaml", title="情感 – α", training_data="unknown", notes="a\nb")
    )
    (tmp_path / "b.yaml").write_text(meta.to_yaml(), "utf-8")
    assert read_meta(tmp_path / "b.yaml") == meta
    assert meta.parameters == 7 * 10**9


def test_the_meta_schema_is_one() -> None:
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(meta_schema())


def test_usage_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["submit"], ["submit", "--check", "x", "--name", "y"]):
        done = run_here(*arguments, cwd=tmp_path, monkeypatch=monkeypatch, capsys=capsys)
        assert done.code == 2
        assert re.search("give --name|goes with", done.err)


# --- What is shipped ----------------------------------------------------------------------


def test_shipped_submissions_check(tmp_path: Path) -> None:
    done = run("submit", "--check", SHIPPED, cwd=tmp_path)
    assert done.code == 0, done.out
    assert done.out.count("ids checked against gold") >= 2 * len(SYSTEMS)


@pytest.mark.parametrize("name", list(SYSTEMS))
def test_shipped_reference_systems_are_what_the_commands_make(tmp_path: Path, name: str) -> None:
    """Where this fails after a change of a corpus, submissions/README.md says how to renew them."""
    shipped = SHIPPED / name
    for path in (shipped / "predictions").iterdir():
        corpus = path.name.partition(".")[0]
        said = predict(name, as_gold(corpus))
        write_lines(tmp_path / "in" / f"{corpus}.jsonl", (p.to_dict() for p in said))
    pack(name, [tmp_path / "in"], shipped / "meta.yaml", tmp_path)
    assert contents(tmp_path / name) == contents(shipped)


def contents(folder: Path) -> dict[str, bytes]:
    """Files by name, unpacked: what compression makes of them depends on its library."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.*")}
    return {
        name: gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
        for name, path in found.items()
    }


def test_the_example_of_the_readme_is_accepted(tmp_path: Path) -> None:
    text = (SHIPPED / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "meta.yaml").write_text(textwrap.dedent(f"   {example.lstrip()}"), "utf-8")
    meta = read_meta(tmp_path / "meta.yaml")
    assert (meta.parameters, meta.kind, meta.date) == (8 * 10**9, "system", "2026-01-31")


def test_the_workflow_calls_commands_that_exist(tmp_path: Path) -> None:
    text = (ROOT / ".github/workflows/leaderboard.yml").read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    steps = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert "ovmer submit --check leaderboard/submissions" in steps
    (build,) = [step.split() for step in steps if step.startswith("ovmer-leaderboard")]
    shown = subprocess.run(
        [sys.executable, "-m", "ovmer_leaderboard", build[1], "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in (word for word in build if word.startswith("--")):
        assert option in shown


def test_the_workflow_pins_what_it_runs() -> None:
    """A tag can be moved; a commit cannot."""
    text = (ROOT / ".github/workflows/leaderboard.yml").read_text("utf-8")
    used = re.findall(r"uses: (\S+)", text)
    assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)
