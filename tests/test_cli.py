"""The command line: what each command prints and writes, to the last digit.

Numbers are worked out by hand in the comments, on files small enough for that.
"""

from __future__ import annotations

import csv
import json
import os
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import small_release
from command import command, run
from ovmer_bench import __version__, read_predictions, score
from ovmer_bench.cli.main import group
from ovmer_bench.corpora.registry import CORPORA, MER_UNIBENCH
from ovmer_bench.corpora.store import save_corpus
from ovmer_bench.reading.schema import Sample
from shell import GOLD, SAID, Shell

EXACT: dict[str, tuple[tuple[str, str], dict[str, tuple[float, float, float]]]] = {
    # (value, by chance, skill), all times 100. Happy, sad and angry stand in three sectors of
    # every wheel, so all five wheels agree.
    "right": (("right", "open"), {"S1": (100, 50, 100), "M-avg": (100, 50, 100)}),
    # Precision and recall 1/2; over both orders half of what is right stays: 1/4.
    "half": (("half", "open"), {"S1": (50, 25, 100 / 3), "M3-W2-L1": (50, 25, 100 / 3)}),
    "wrong": (("wrong", "open"), {"S1": (0, 0, 0), "S2": (0, 0, 0), "M1": (0, 0, 0)}),
    # Precision 1/2, recall 1: F 2/3; a constant has what chance has.
    "wordy": (("wordy", "open"), {"S1": (200 / 3, 200 / 3, 0), "M2": (200 / 3, 200 / 3, 0)}),
    # Hits 1, 1, 0. By chance 1/3 * 2/3 for happy, 1/3 * 1/3 for sad: 1/3.
    # Of the gold's sectors 1, 2 and 0 are said: mscore (1 + 1/2 + 0) / 3; by chance each of the
    # three answers stands by each gold: (1 + 2 * 1/2) / 9.
    "mixed": (
        ("mixed", "basic"),
        {"hit_rate": (200 / 3, 100 / 3, 50), "mscore": (50, 200 / 9, 250 / 7)},
    ),
    # Gold + - +, said + - -: both classes have F 2/3. By chance 1/9 + 2/9 + ... of the pairs:
    # accuracy (2 * 1 + 1 * 2) / 9.
    "signs": (("signs", "sentiment"), {"ACC": (200 / 3, 400 / 9, 40)}),
}


@pytest.mark.parametrize("name", EXACT)
def test_commands_give_exact_numbers(shell: Shell, name: str) -> None:
    (said, gold), expected = EXACT[name]
    shown = shell("score", f"{said}.jsonl", "--gold", f"{gold}.jsonl", "--draws", "0")
    shell("score", f"{said}.jsonl", "--gold", f"{gold}.jsonl", "--json", "out.json")
    scores = shell.scores()
    for key, numbers in expected.items():
        found = [scores[key][part] for part in ("value", "expected", "skill")]
        assert found == pytest.approx([number / 100 for number in numbers], abs=1e-12)
        assert all(f"{number:.2f}" in shown for number in numbers)
    assert f"n:{3 if gold != 'open' else 2}/{len(GOLD[gold])}|" in shown


EMBEDDED = {
    # A constant gets what chance gives it; all gold labels miss nothing.
    "constant": {"S1/skill": 0.0, "M-avg/skill": 0.0, "M1/skill": 0.0},
    "one-per-sector": {"S1/skill": 0.0, "M3-W1-L1/recall": 1.0},
    "all-labels": {"S1/skill": 0.0, "S1/recall": 1.0, "M1/recall": 1.0, "M2/recall": 1.0},
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_data_gives_exact_numbers(shell: Shell, name: str) -> None:
    shell("baseline", name, "--task", "ovmer_scenes", "--out", "p.jsonl")
    shell("score", "p.jsonl", "--task", "ovmer_scenes", "--draws", "0", "--json", "out.json")
    for key, number in EMBEDDED[name].items():
        score_name, part = key.split("/")
        assert shell.scores()[score_name][part] == pytest.approx(number, abs=1e-11)
    n = len(read_predictions(shell.folder / "p.jsonl").predictions)
    report = shell.json()
    assert (report["corpus"], report["n_total"]) == ("ovmer_scenes", n)


# --- every format ---------------------------------------------------------------------------


def files_of_every_format(folder: Path) -> Iterator[tuple[str, str]]:
    """The predictions ``mixed`` in each format: file name and who reads their text."""
    lists = SAID["mixed"]
    with (folder / "p.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[f"c{i}", ", ".join(labels)] for i, labels in enumerate(lists)]
        csv.writer(file).writerows([["name", "openset"], *rows])
    yield "p.csv", "none"
    items = np.empty(len(lists), object)
    items[:] = [str(labels) for labels in lists]
    np.savez(folder / "p.npz", filenames=[f"c{i}" for i in range(3)], fileitems=items)
    yield "p.npz", "none"
    texts = [f"<answer>{', '.join(labels)}</answer>" for labels in lists]
    reasons = {f"c{i}": text for i, text in enumerate(texts)}
    np.savez(folder / "reasons.npz", name2reason=np.array(reasons, object))
    yield "reasons.npz", "rules-"
    logged = [
        {"doc": {"id": f"c{i}"}, "resps": [[text]], "filtered_resps": [text], "filter": "none"}
        for i, text in enumerate(texts)
    ]
    for name, records in (
        ("samples_x.jsonl", logged),
        ("raw.jsonl", [{"id": f"c{i}", "output": text} for i, text in enumerate(texts)]),
        ("none", [{"id": f"c{i}", "labels": labels} for i, labels in enumerate(lists)]),
    ):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
        yield name, "none" if name == "none" else "rules-"


def test_every_format_gives_the_same_numbers(shell: Shell) -> None:
    shell("score", "mixed.jsonl", "--gold", "basic.jsonl", "--json", "out.json")
    expected = shell.json()
    for name, extractor in files_of_every_format(shell.folder):
        shell("score", name, "--gold", "basic.jsonl", "--json", "out.json", "--system", "mixed")
        found = shell.json()
        assert found["extractor"].startswith(extractor), name
        assert found["predictions_sha256"] == expected["predictions_sha256"], name
        for report in (found, expected):
            report["extractor"] = "-"
            for item in report["scores"]:
                item["signature"] = re.sub(r"extractor:[^|]*", "", item["signature"])
        assert found == expected, name


def test_gold_in_every_format_is_the_same_sample_set(shell: Shell) -> None:
    (shell.folder / "gold.csv").write_text("name,openset\nc0,happy\nc1,[sad]\n", "utf-8")
    np.savez(shell.folder / "gold.npz", filenames=["c0", "c1"], fileitems=["happy", "sad"])
    signatures = set()
    for gold in ("open.jsonl", "gold.csv", "gold.npz"):
        shell("score", "half.jsonl", "--gold", gold, "--draws", "0", "--json", "out.json")
        signatures.add(shell.scores()["S1"]["signature"])
    assert len(signatures) == 1
    (shell.folder / "v.csv").write_text("id,valence\nc0,1\nc1,-0.5\nc2,3\nc3,0\n", "utf-8")
    shell("score", "signs.jsonl", "--gold", "v.csv", "--draws", "0", "--json", "out.json")
    assert shell.scores()["ACC"]["value"] == pytest.approx(2 / 3)


# --- JSON -----------------------------------------------------------------------------------

PAIRS = [("half", "open"), ("mixed", "basic"), ("signs", "sentiment")]


@pytest.mark.parametrize(("said", "gold"), PAIRS)
def test_json_equals_the_python_api_to_the_last_digit(shell: Shell, said: str, gold: str) -> None:
    files = shell.folder / f"{said}.jsonl", shell.folder / f"{gold}.jsonl"
    arguments = ("score", files[0], "--gold", files[1], "--draws", "200", "--seed", "7")
    shell(*arguments, "--json", "out.json")
    report = score(read_predictions(files[0]), files[1], system=said, draws=200, seed=7)
    assert (shell.folder / "out.json").read_text("utf-8") == report.to_json()
    for name, found in shell.scores().items():
        assert found["value"] == round(report.scores[name].value, 12)


def test_json_is_the_same_bytes_whoever_runs_it_and_wherever(shell: Shell) -> None:
    other = shell.folder / "elsewhere"
    other.mkdir()
    said, gold = shell.folder / "mixed.jsonl", shell.folder / "basic.jsonl"
    runs = [
        run("score", said, "--gold", gold, "--json", "out.json", cwd=other, PYTHONHASHSEED="1"),
        run("score", said, "--gold", gold, "--json", "2.json", cwd=other, PYTHONHASHSEED="987654"),
        run(
            *("score", "mixed.jsonl", "--gold", "basic.jsonl", "--json", "elsewhere/3.json"),
            cwd=shell.folder,
            **{"LC_ALL": "C", "TZ": "Asia/Shanghai", "PYTHONHASHSEED": "random"},
        ),
    ]
    assert [done.code for done in runs] == [0, 0, 0]
    assert len({done.out for done in runs}) == 1
    contents = {(other / name).read_bytes() for name in ("out.json", "2.json", "3.json")}
    assert len(contents) == 1
    assert str(shell.folder).encode() not in contents.pop()


def test_lines_of_a_file_may_stand_in_any_order(shell: Shell) -> None:
    shell("score", "mixed.jsonl", "--gold", "basic.jsonl", "--json", "1.json")
    for name in ("mixed.jsonl", "basic.jsonl"):
        lines = (shell.folder / name).read_text("utf-8").splitlines(keepends=True)
        (shell.folder / name).write_text("".join(reversed(lines)), "utf-8")
    shell("score", "mixed.jsonl", "--gold", "basic.jsonl", "--draws", "0", "--json", "2.json")
    before, after = shell.json("1.json"), shell.json("2.json")
    assert before["predictions_sha256"] == after["predictions_sha256"]
    assert [s["value"] for s in before["scores"]] == [s["value"] for s in after["scores"]]


def test_an_output_is_written_through_a_link_with_common_rights(shell: Shell) -> None:
    (shell.folder / "there").mkdir()
    (shell.folder / "out.json").symlink_to("there/real.json")
    shell("score", "half.jsonl", "--gold", "open.jsonl", "--json", "out.json")
    assert (shell.folder / "out.json").is_symlink()
    mask = os.umask(0)
    os.umask(mask)
    assert (shell.folder / "there" / "real.json").stat().st_mode & 0o777 == 0o666 & ~mask
    assert [p.name for p in (shell.folder / "there").iterdir()] == ["real.json"]


# --- several files --------------------------------------------------------------------------


def test_runs_of_a_system_give_mean_and_deviation(shell: Shell) -> None:
    files = ("right.jsonl", "half.jsonl", "wrong.jsonl")
    shown = shell("score", *files, "--gold", "open.jsonl", "--draws", "0", "--json", "out.json")
    data = shell.json()
    assert [report["system"] for report in data["reports"]] == ["right", "half", "wrong"]
    values = [1.0, 0.5, 0.0]
    s1 = data["summary"]["scores"]["S1"]
    assert (data["summary"]["n_runs"], s1["mean"], s1["low"], s1["high"]) == (3, 0.5, 0, 1)
    assert s1["std"] == pytest.approx(statistics.stdev(values))
    assert s1["skill_mean"] == pytest.approx((1 + 1 / 3 + 0) / 3)
    (row,) = [line for line in shown.splitlines() if "(S1)" in line and "44.44" in line]
    assert row.split()[-6:] == ["50.00", "50.00", "0.00", "100.00", "44.44", "50.92"]


def stored(name: str, samples: list[Sample]) -> None:
    save_corpus(CORPORA[name], samples, [])


def test_unibench_with_missing_parts_has_no_mean(shell: Shell) -> None:
    stored("meld", [Sample(id=f"c{i}", **gold) for i, gold in enumerate(GOLD["basic"])])
    stored("cmumosi", [Sample(id=f"c{i}", **gold) for i, gold in enumerate(GOLD["sentiment"])])
    folder = shell.folder / "runs"
    folder.mkdir()
    (shell.folder / "mixed.jsonl").rename(folder / "meld.jsonl")
    (shell.folder / "signs.jsonl").rename(folder / "cmumosi.jsonl")
    arguments = ("score", "runs", "--task", "mer_unibench", "--draws", "0")
    shown = shell(*arguments, "--json", "out.json")
    summary = shell.json()["summary"]
    assert list(summary["scores"]) == list(MER_UNIBENCH) and len(MER_UNIBENCH) == 9
    assert summary["scores"]["meld"] == pytest.approx(2 / 3)
    assert summary["scores"]["mer2023"] is None and summary["mean"] is None
    rows = dict(re.findall(r"^ *(\S+|mean of nine) +(-|[\d.]+) *$", shown, re.MULTILINE))
    assert rows["meld"] == "66.67" and rows["mer2023"] == rows["mean of nine"] == "-"
    assert "| mean of nine | - |" in shell(*arguments, "--markdown")
    assert len(shell(*arguments, "--latex").splitlines()) == 2


def test_unibench_with_all_parts_has_a_mean(shell: Shell) -> None:
    folder = shell.folder / "runs"
    folder.mkdir()
    for name in MER_UNIBENCH:
        kind = CORPORA[name].kind
        stored(name, [Sample(id=f"c{i}", **gold) for i, gold in enumerate(GOLD[kind])])
        lists = {"open": SAID["half"], "basic": SAID["mixed"], "sentiment": SAID["signs"]}[kind]
        records = ({"id": f"c{i}", "labels": labels} for i, labels in enumerate(lists))
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    shell("score", "runs", "--task", "mer_unibench", "--draws", "0", "--json", "out.json")
    summary = shell.json()["summary"]
    values = [report["scores"] for report in shell.json()["reports"]]
    assert all(value is not None for value in summary["scores"].values())
    assert summary["mean"] == pytest.approx(statistics.fmean(summary["scores"].values()))
    assert len(values) == 9


def test_comparison_finds_the_difference(shell: Shell) -> None:
    n = 40
    gold = [{"id": f"c{i}", "labels": ["happy" if i % 2 else "sad"]} for i in range(n)]
    shell.write("gold.jsonl", *gold)
    shell.write(
        "a.jsonl", *({**g, "labels": ["angry"]} if i < n / 2 else g for i, g in enumerate(gold))
    )
    shell.write("b.jsonl", *gold)
    arguments = ("compare", "a.jsonl", "b.jsonl", "--gold", "gold.jsonl", "--json", "out.json")
    shown = shell(*arguments)
    first = (shell.folder / "out.json").read_bytes()
    data = json.loads(first)
    assert data["values"]["a"]["S1"] == pytest.approx(0.5)
    (pair,) = [pair for pair in data["pairs"] if pair["score"] == "S1"]
    assert (pair["a"], pair["b"], pair["significant"]) == ("a", "b", True)
    assert pair["test"]["difference"] == pytest.approx(0.5)
    assert pair["test"]["p_randomisation"] < 0.01
    assert "b - a" in shown and "50.00" in shown and "yes" in shown and "signature: " in shown
    shell(*arguments)
    assert (shell.folder / "out.json").read_bytes() == first
    shell(*arguments, "--score", "M1", "--score", "M3-W1-L1/skill")
    assert [pair["score"] for pair in shell.json()["pairs"]] == ["M1", "M3-W1-L1/skill"]


def test_files_of_one_name_are_told_apart_by_their_folder(shell: Shell) -> None:
    for name, said in (("x", "half"), ("y", "right")):
        (shell.folder / name).mkdir()
        (shell.folder / f"{said}.jsonl").rename(shell.folder / name / "p.jsonl")
    shown = shell("compare", "x/p.jsonl", "y/p.jsonl", "--gold", "open.jsonl", "--draws", "10")
    assert "y/p.jsonl - x/p.jsonl" in shown


# --- options --------------------------------------------------------------------------------


def test_allowed_gaps_are_said_in_note_and_signature(shell: Shell) -> None:
    shell.write("part.jsonl", {"id": "c0", "labels": ["happy"]})
    arguments = ("score", "part.jsonl", "--gold", "open.jsonl", "--allow-missing", "--draws", "0")
    shown = shell(*arguments, "--json", "out.json")
    assert "1 clip without a prediction, scored as empty." in shown
    assert re.search(r"signature: .*\|missing:1\b", shown)
    assert shell.json()["n_missing"] == 1
    assert shell.scores()["S1"]["value"] == pytest.approx(0.5)
    assert "1 clip without a prediction, scored as empty." in shell(*arguments, "--markdown")
    assert "missing:1" in shell(*arguments, "--latex")
    full = shell("score", "half.jsonl", "--gold", "open.jsonl", "--allow-missing", "--draws", "0")
    assert "missing" not in full and "without a prediction" not in full


def test_system_is_named(shell: Shell) -> None:
    arguments = ("score", "half.jsonl", "--gold", "open.jsonl", "--draws", "0")
    assert shell(*arguments).startswith("half on custom (open vocabulary, 2 of 2 clips scored)")
    assert shell(*arguments, "--system", "[/b]:smile:").startswith("[/b]:smile: on custom")
    assert shell(*arguments, "--system", "a\x1b[31mb").startswith("a\\x1b[31mb on custom")


def cells(line: str) -> list[str]:
    """Cells of a Markdown table row; ``\\|`` would not end one."""
    assert line.startswith("| ") and line.endswith(" |"), line
    return re.split(r"(?<!\\) \| ", line[2:-2])


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text; every row must have as many cells as the header."""
    tables = []
    for block in re.split(r"\n\n+", text):
        lines = block.strip().splitlines()
        if lines and lines[0].startswith("|"):
            rows = [cells(line) for line in lines]
            assert {len(row) for row in rows} == {len(rows[0])}
            assert all(re.fullmatch(r"-{3,}:?", cell) for cell in rows[1])
            tables.append([rows[0], *rows[2:]])
    return tables


def test_markdown_is_tables(shell: Shell) -> None:
    shown = shell(
        "score", "half.jsonl", "--gold", "open.jsonl", "--markdown", "--system", "a_b|*c*"
    )
    (table,) = markdown_tables(shown)
    assert table[0] == ["score", "value", "P", "R", "chance", "skill", "95 % interval"]
    assert table[1][:6] == ["EW-F, level 1 (S1)", "50.00", "50.00", "50.00", "25.00", "33.33"]
    assert len(table) == 17
    assert shown.startswith("a\\_b\\|\\*c\\* on custom: 2 of 2 clips scored\n\n|")
    assert re.search(r"^`metric:S1\|.*`$", shown, re.MULTILINE)
    runs = shell("score", "half.jsonl", "right.jsonl", "--gold", "open.jsonl", "--markdown")
    tables = markdown_tables(runs)
    assert len(tables) == 3 and tables[2][0][:3] == ["score", "mean", "std"]
    assert tables[2][1][:3] == ["EW-F, level 1 (S1)", "75.00", "35.36"]
    assert "─" not in runs
    basic = shell("score", "mixed.jsonl", "--gold", "basic.jsonl", "--markdown", "--draws", "0")
    assert markdown_tables(basic)[0][1][:3] == ["hit rate", "66.67", "-"]


def test_latex_is_rows(shell: Shell) -> None:
    name = r"A_B & 100 % #1 {x} $y$ ~^\z"
    arguments = ("score", "half.jsonl", "right.jsonl", "--gold", "open.jsonl", "--latex")
    rows = shell(*arguments, "--system", name).splitlines()
    assert len(rows) == 2
    for row in rows:
        assert re.fullmatch(r"[^%]*(?:\\%[^%]*)* \\\\ % metric:S1\|\S+", row), row
        assert len(re.findall(r"(?<!\\)&", row)) == 4
        assert row.count("$") - row.count(r"\$") == 2
    escaped = r"A\_B \& 100 \% \#1 \{x\} \$y\$ \textasciitilde{}\textasciicircum{}\textbackslash{}z"
    assert rows[0].startswith(escaped + r" & $50.00 \pm ")
    plain = shell("score", "signs.jsonl", "--gold", "sentiment.jsonl", "--latex", "--draws", "0")
    assert re.fullmatch(r"signs & 66\.67 & 40\.00 \\\\ % metric:WAF\S+\n", plain)


def test_unicode_ids_and_labels(shell: Shell) -> None:
    ids = ["片段 一", "Ünïcödé", "clip 🎬", "a/b'c\"d"]
    shell.write("gold.jsonl", *({"id": i, "labels": ["开心", "happy"]} for i in ids))
    shell.write("p.jsonl", *({"id": i, "labels": ["难过", "café", "happy"]} for i in ids))
    shown = shell.real("score", "p.jsonl", "--gold", "gold.jsonl", "--json", "out.json")
    assert "100.00" in shown.out and "signature: " in shown.out
    words = shell.json()["vocabulary"]["predicted"]["unknown_words"]
    assert "café" in (shell.folder / "out.json").read_text("utf-8") or not words
    shell("extract", "p.jsonl", "labels.jsonl")
    read = read_predictions(shell.folder / "labels.jsonl").predictions
    assert [prediction.id for prediction in read] == ids
    assert list(read[0].labels or ()) == ["难过", "café", "happy"]
    plain = run(
        *("score", "p.jsonl", "--gold", "gold.jsonl", "--draws", "0"),
        cwd=shell.folder,
        PYTHONIOENCODING="iso8859-5",
    )
    assert plain.code == 0 and plain.out.isascii() and plain.out.startswith("p on custom")


# --- the other commands ---------------------------------------------------------------------


def test_extract_writes_what_score_reads(shell: Shell) -> None:
    shell.write(
        "raw.jsonl",
        {"id": "c0", "output": "<think>sad?</think><answer>happy</answer>"},
        {"id": "c1", "output": ""},
        {"id": "c2", "labels": ["Angry", " Sad "]},
    )
    done = shell.result("extract", "raw.jsonl", "labels.jsonl")
    assert done.err.splitlines()[-1] == "wrote labels.jsonl" and not done.out
    assert done.err.startswith("3 clips, 3 labels, 1 empty; 2 raw outputs, ")
    read = (shell.folder / "labels.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["labels"] for line in read] == [["happy"], [], ["angry", "sad"]]
    numbers = []
    for name in ("raw.jsonl", "labels.jsonl"):
        shell("score", name, "--gold", "basic.jsonl", "--draws", "0", "--json", "out.json")
        numbers.append([found["value"] for found in shell.scores().values()])
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("name", ["constant", "shuffled", "keywords-clues"])
def test_baseline_writes_the_same_bytes_again(shell: Shell, name: str) -> None:
    arguments = ("baseline", name, "--task", "ovmer_scenes", "--out")
    done = shell.result(*arguments, "1.jsonl")
    assert re.fullmatch(r"wrote 1\.jsonl: \d+ clips\n", done.err) and not done.out
    shell.real(*arguments, "2.jsonl", PYTHONHASHSEED="77")
    one, two = ((shell.folder / f"{i}.jsonl").read_bytes() for i in (1, 2))
    assert one == two
    shell(*arguments, "3.jsonl", "--seed", "1")
    assert ((shell.folder / "3.jsonl").read_bytes() == one) == (name != "shuffled")


def test_data_commands(shell: Shell) -> None:
    official = shell.folder / "official"
    official.mkdir()
    rows = "clip1,\"['happy', 'relieved']\"\nclip2,[sad]\n"
    (official / "ovmerd.csv").write_text(f"name,openset\n{rows}", "utf-8")
    assert re.search(r"^ *ovmerd +open +332 +test +- ", shell("data", "list"), re.MULTILINE)
    assert shell("data", "verify") == "no corpus is imported\n"
    imported = shell("data", "import", "ovmerd", "--from", "official", "--allow-count")
    assert re.fullmatch(r"imported ovmerd: 2 clips, .*sample set [0-9a-f]{12}\n", imported)
    assert shell("data", "verify") == imported.replace("imported", "ok", 1)
    assert shell("data", "verify", "ovmerd", "ovmer_scenes").startswith("ok ovmerd: 2 clips")
    assert re.search(r"^ *ovmerd .* imported ", shell("data", "list"), re.MULTILINE)
    sample = json.loads(shell("data", "show", "ovmerd", "clip1"))
    assert (sample["id"], sample["labels"]) == ("clip1", ["happy", "relieved"])
    info = shell("data", "info", "meld")
    assert info.startswith("meld\n") and "2,610 clips" in info and "ovmer data import meld" in info
    shell.write("p.jsonl", {"id": "clip1", "labels": ["happy"]}, {"id": "clip2", "labels": ["sad"]})
    shown = shell("score", "p.jsonl", "--task", "ovmerd", "--draws", "0", "--json", "out.json")
    assert shown.startswith("p on ovmerd (open vocabulary, 2 of 2 clips scored)")
    assert shell.scores()["S1"]["precision"] == 1


def test_lexicon_commands(shell: Shell) -> None:
    small_release.write_sheets(shell.folder / "sheets")
    arguments = ("lexicon", "install", "--from", "sheets", "--accept-unknown", "--as", "weather")
    installed = shell(*arguments)
    assert (
        "installed weather (NOT an official release): 11 forms, 5 bases, 12 wheel words"
        in installed
    )
    assert shell(*arguments).startswith("already installed weather")
    listed = shell("lexicon", "list")
    assert re.search(r"^ *weather +11 +5 +12 ", listed, re.MULTILINE)
    assert "not installed: affectgpt-2025" in listed
    shell("lexicon", "explain", "happy", "sunnily", "--lexicon", "weather", "--json", "out.json")
    happy, sunnily = shell.json()
    assert (happy["word"], sunnily["word"]) == ("happy", "sunnily")
    shown = shell("lexicon", "explain", "sunnily", "qwxz[/b]", "--lexicon", "weather")
    assert "'sunnily' in weather: feeling" in shown and "base 'sunny': bright" in shown
    assert "'qwxz[/b]' in weather: unknown" in shown
    shell.write("p.jsonl", {"id": "a", "labels": ["sunnily", "qwxz[/b]\x1b[2J", "happy"]})
    counted = shell("lexicon", "coverage", "p.jsonl", "--lexicon", "weather", "--json", "out.json")
    (weather,) = shell.json()
    assert weather["tokens"] | {"feeling": 1, "unknown": 2} == weather["tokens"]
    assert "1 (33.3 %)" in counted and "\x1b" not in counted
    shell("lexicon", "diff", "weather", "ovmer", "--json", "out.json")
    assert "only in weather (" in shell("lexicon", "diff", "weather", "ovmer")
    shell("score", "p.jsonl", "--gold", "p.jsonl", "--lexicon", "weather", "--draws", "0")


def test_version_and_module() -> None:
    done = subprocess.run(command("--version"), capture_output=True, text=True)
    assert done.stdout == f"ovmer, version {__version__}\n"


def commands(
    of: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(of)
    for name in of.list_commands(context):
        found = of.get_command(context, name)
        assert found is not None
        yield (*path, name), found
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))


def test_help_says_what_every_argument_and_option_is(shell: Shell) -> None:
    found = dict(commands(group))
    assert {("score",), ("compare",), ("data", "import"), ("lexicon", "diff")} <= set(found)
    for path, one in found.items():
        if not one.add_help_option:
            continue  # Hands --help on to what it runs.
        shown = shell(*path, "--help")
        assert shown.startswith(f"Usage: ovmer {' '.join(path)}")
        text = one.help or ""
        assert text and text.splitlines()[0].rstrip(".") + "." in text, path
        for parameter in one.params:
            if isinstance(parameter, click.Argument):
                name = parameter.metavar or str(parameter.name).upper()
                assert re.search(rf"\b{name.strip('[].')}\b", text), (path, name)
            elif isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.help, (path, parameter.name)
                assert parameter.opts[0] in shown
    assert shell("-h") == shell("--help")
