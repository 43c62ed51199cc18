"""The leaderboard as data: rescored, ranked within one signature, the same bytes every time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ovmer_bench.corpora.registry import MER_UNIBENCH
from ovmer_bench.errors import InputError, OvmerError
from ovmer_bench.metrics.comparison import compare
from ovmer_bench.metrics.gold import as_gold
from ovmer_bench.metrics.score_report import ScoreReport
from ovmer_bench.metrics.scoring import evaluate, score
from ovmer_bench.reading.readers import read_predictions
from ovmer_bench.submission import read_submission
from ovmer_leaderboard.board import MOST_LABELS, UNIBENCH, Board, Row, Table
from ovmer_leaderboard.collect import collect
from ovmer_leaderboard.data_files import data_files
from ovmer_leaderboard.ranks import compare_rows, ranked
from ovmer_leaderboard.scoring import as_text
from ovmer_leaderboard.signed_off import answers_sha256, sign_off
from submissions import answers, licensed, noisy, submission, write_lines

SHIPPED = Path(__file__).parent.parent / "leaderboard" / "submissions"
DRAWS = 200
TASK = "ovmer_scenes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three systems a good way apart, one like the first, and an answer free of content."""
    out = tmp_path / "submissions"
    for name, right, seed in [("best", 0.8, 1), ("twin", 0.8, 2), ("fair", 0.5, 3), ("poor", 0, 4)]:
        submission(out / name, {TASK: noisy(TASK, right, seed)}, title=name.title())
    same = [{"id": clip, "labels": ["happy", "sad", "angry"]} for clip in as_gold(TASK).ids]
    submission(out / "same", {TASK: same}, kind="content-free", modalities=[])
    return out


def made(folder: Path, **options: object) -> Board:
    return collect(folder, **{"with_published": False, "draws": DRAWS, **options})  # type: ignore[arg-type]


def table_of(board: Board, score_name: str = "S1", task: str = TASK, n: int = 0) -> Table:
    return [t for t in board.tables_of(task, "ovmer") if t.score == score_name][n]


def sha256_of(board: Board) -> str:
    digest = hashlib.sha256()
    for name, content in data_files(board):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()


# --- Numbers ------------------------------------------------------------------------------


def test_the_numbers_are_those_of_ovmer_score(folder: Path) -> None:
    board = made(folder, draws=1000)
    for name in ("best", "same"):
        report = score(read_predictions(folder / name / f"predictions/{TASK}.jsonl"), TASK)
        result = board.result(name, TASK, "ovmer")
        assert result is not None and result.evidence == "rescored"
        assert list(result.scores) == list(report.scores)
        for key, expected in report.scores.items():
            found = result.scores[key]
            assert (found.value, found.skill, found.signature) == (
                *(expected.value, expected.skill, expected.signature),
            )
            assert expected.interval is not None
            assert (found.low, found.high) == (expected.interval.low, expected.interval.high)
        assert result.predictions_sha256 == report.predictions_sha256
        assert result.vocabulary is not None
        assert result.vocabulary.verbosity == report.vocabulary.verbosity


def test_pairs_are_the_paired_bootstrap_of_ovmer_compare(folder: Path) -> None:
    names = ["best", "fair", "twin"]
    evaluations = [
        evaluate(read_predictions(folder / n / f"predictions/{TASK}.jsonl"), TASK, system=n)
        for n in names
    ]
    expected = compare(evaluations, ["S1"], draws=DRAWS)
    pairs = table_of(made(folder)).pairs
    assert pairs is not None
    for item in expected.pairs:
        found = pairs.pair(item.a, item.b)
        assert found.difference == pytest.approx(item.test.difference, abs=1e-6)
        assert found.low == pytest.approx(item.test.interval.low, abs=1e-6)
        assert found.high == pytest.approx(item.test.interval.high, abs=1e-6)
        assert found.p == pytest.approx(item.test.p_bootstrap, abs=1e-6)
        back = pairs.pair(item.b, item.a)
        assert (back.low, back.high, back.p) == (-found.high, -found.low, found.p)


def test_details_agree_with_the_corpus(folder: Path) -> None:
    board = made(folder)
    result = board.result("best", TASK, "ovmer")
    assert result is not None
    clips = board.task(TASK).clips
    assert [answer.clip for answer in result.answers] == [clip.id for clip in clips]
    assert len(clips) == 420 and all(clip.subtitle and clip.gold for clip in clips)
    assert sum(result.predicted_counts) == sum(result.gold_counts) == 420
    assert {(s.wheel, s.level) for s in result.sectors} == {
        (wheel, level) for wheel in range(1, 6) for level in (1, 2)
    }
    (lexicon,) = board.lexicons
    for sector in result.sectors:
        assert sector.common <= min(sector.gold, sector.predicted)
        assert sector.name in lexicon.sectors[sector.wheel - 1][sector.level - 1]
        if sector.level == 2:
            assert sector.parent in lexicon.sectors[sector.wheel - 1][0]
    for table in result.confusion:
        right = {s.name: s.common for s in result.sectors if (s.wheel, s.level) == (table.wheel, 1)}
        assert [table.counts[i][i] for i in range(len(table.names))] == [
            right[name] for name in table.names
        ]
    f = [answer.f for answer in result.answers]
    assert [f[i] for i in result.worst] == sorted(x for x in f if x is not None)[:12]
    assert [f[i] for i in result.best] == [1.0] * 12


def test_many_labels_are_cut_for_show(tmp_path: Path) -> None:
    gold = as_gold(TASK)
    many = [{"id": clip, "labels": [f"word{i}" for i in range(50)]} for clip in gold.ids]
    submission(tmp_path / "s" / "many", {TASK: many})
    result = made(tmp_path / "s").result("many", TASK, "ovmer")
    assert result is not None
    assert {(len(a.labels), a.more) for a in result.answers} == {(MOST_LABELS, 50 - MOST_LABELS)}


# --- Ranks --------------------------------------------------------------------------------


def test_systems_that_do_not_differ_share_a_rank(folder: Path) -> None:
    rows = {row.system: row for row in table_of(made(folder)).rows}
    assert [rows[n].rank for n in ("best", "twin", "fair", "poor")] == [1, 1, 3, 4]
    assert rows["same"].rank is None
    assert [rows[n].beats_content_free for n in ("best", "twin", "poor")] == [True, True, False]
    assert rows["same"].beats_content_free is None
    values = [row.value for row in table_of(made(folder)).rows]
    assert values == sorted(values, reverse=True)  # type: ignore[type-var]


def test_content_free_answers_stand_in_place() -> None:
    """The shipped board shows that the ruler can be fooled, and by how much."""
    table = table_of(made(SHIPPED))
    assert table.best is not None and table.best_content_free is not None
    assert table.best_content_free.skill == pytest.approx(0, abs=0.02)
    assert [row.rank for row in table.rows if row.role == "content-free"] == [None] * 4


def row(name: str, value: float | None, error: float = 0.01, role: str = "system") -> Row:
    if value is None:
        return Row(name, role, "verified", None, None)  # type: ignore[arg-type]
    half = 1.96 * error
    return Row(name, role, "verified", None, value, value - half, value + half)  # type: ignore[arg-type]


def ranks_of(rows: Iterable[Row], drawn: dict[str, np.ndarray] | None = None) -> dict[str, object]:
    rows = list(rows)
    return {r.system: r.rank for r in ranked(rows, compare_rows(rows, drawn or {}))}


def test_reports_alone_are_compared_by_their_intervals() -> None:
    rows = [row("a", 0.6), row("b", 0.59), row("c", 0.4), row("d", None)]
    tests = compare_rows(rows, {})
    assert tests.method == "unpaired"
    assert ranks_of(rows) == {"a": 1, "b": 1, "c": 3, "d": None}
    assert tests.pairs is not None and tests.pairs.systems == ("a", "b", "c")
    pair = tests.pairs.pair("c", "a")
    assert pair.difference == pytest.approx(0.2, abs=1e-6) and pair.significant
    assert pair.low == pytest.approx(0.2 - 1.96 * 0.01 * 2**0.5, abs=1e-4)


def test_pairing_finds_what_intervals_cannot() -> None:
    """Systems that rise and fall together: intervals overlap, the difference is real."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.05, 1000)
    drawn = {"a": 0.60 + shared, "b": 0.58 + shared + rng.normal(0, 0.001, 1000)}
    rows = [row("a", 0.60, 0.05), row("b", 0.58, 0.05)]
    assert ranks_of(rows) == {"a": 1, "b": 1}
    assert ranks_of(rows, drawn) == {"a": 1, "b": 2}


def test_one_system_is_first_and_none_is_nobody() -> None:
    assert ranks_of([row("a", 0.5)]) == {"a": 1}
    assert ranks_of([row("a", 0.5, role="content-free")]) == {"a": None}
    assert ranks_of([]) == {}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 99))
def test_ranks_rise_going_down(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [row(f"s{i}", v) for i, v in enumerate(values)]
    drawn = {r.system: rng.normal(r.value or 0, 0.05, 50) for r in rows}
    done = ranked(rows, compare_rows(rows, drawn))
    found = [r.rank or 0 for r in done]
    assert found[0] == 1 and found == sorted(found)
    for place, rank in enumerate(found, start=1):
        assert rank <= place and found.index(rank) == rank - 1


# --- Signatures ---------------------------------------------------------------------------


def test_no_table_mixes_signatures(folder: Path) -> None:
    raw = [{"id": clip, "output": "<answer>happy, calm</answer>"} for clip in as_gold(TASK).ids]
    submission(folder / "talker", {TASK: raw})
    board = made(folder)
    by_place = {(r.system, r.task, r.lexicon, r.extractor): r for r in board.results}
    for table in board.tables:
        assert table.signature is not None
        extractor = table.signature.partition("extractor:")[2].partition("|")[0]
        for shown in table.rows:
            result = by_place[shown.system, table.task, table.lexicon, extractor]
            assert result.scores[table.score].signature == table.signature
            assert result.scores[table.score].value == shown.value


def test_label_lists_are_also_read_as_text_beside_raw_answers(folder: Path) -> None:
    """One column needs one signature, so lists are read by the reader of the raw answers too."""
    before = made(folder)
    raw = [{"id": clip, "output": "<answer>happy, calm</answer>"} for clip in as_gold(TASK).ids]
    submission(folder / "talker", {TASK: raw})
    board = made(folder)
    mixed, lists = table_of(board, n=0), table_of(board, n=1)
    assert mixed.primary and not lists.primary and mixed.id != lists.id
    assert "extractor:rules-" in (mixed.signature or "")
    assert lists.signature == table_of(before).signature
    assert {r.system for r in mixed.rows} == {*(r.system for r in lists.rows), "talker"}
    as_lists = {r.system: r.value for r in lists.rows}
    assert as_lists == {r.system: r.value for r in mixed.rows if r.system != "talker"}
    native = [r for r in board.results_of("best") if r.task == TASK]
    assert [r.extractor for r in native] == ["none"]
    assert [r.system for r in board.results_of("talker")] == ["talker"]


def test_lists_as_text_keep_their_labels(tmp_path: Path) -> None:
    said = [{"id": "a", "labels": ["happy", "it's ok, really", 'a "b"']}, {"id": "b", "labels": []}]
    read = read_predictions(write_lines(tmp_path / "x.jsonl", said))
    assert [json.loads(p.output or "") for p in as_text(read)] == [s["labels"] for s in said]


# --- Gold that stays with its owners ------------------------------------------------------


@pytest.fixture
def signed(tmp_path: Path, home: Path) -> Path:
    """Two systems on a licensed corpus, signed off where the gold is; then the gold is gone."""
    corpus = licensed("mer2023", 411)
    out = tmp_path / "submissions"
    for name, right in (("strong", 0.9), ("weak", 0.3)):
        submission(out / name, {"mer2023": answers(corpus, right)}, title=name)
    read = [read_submission(out / name) for name in ("strong", "weak")]
    written = sign_off(read, ["ovmer"], tmp_path / "signed-off.txt")
    assert [path.name for path in written] == ["mer2023.ovmer.json"] * 2
    rescored = made(out)
    assert {r.evidence for r in rescored.results} == {"rescored"}
    home.rename(tmp_path / "gone")
    return out


def test_signed_off_reports_stand_in_for_gold(signed: Path, tmp_path: Path) -> None:
    board = made(signed)
    table = table_of(board, "hit_rate", "mer2023")
    assert (table.method, board.task("mer2023").gold_at_hand) == ("unpaired", False)
    assert [(r.system, r.evidence, r.rank) for r in table.rows] == [
        ("strong", "verified", 1),
        ("weak", "verified", 2),
    ]
    (tmp_path / "gone").rename(tmp_path / "home")
    again = table_of(made(signed, draws=1000), "hit_rate", "mer2023")
    assert again.signature == table.signature and again.method == "paired"
    for now, before in zip(again.rows, table.rows, strict=True):
        assert now.evidence == "rescored"
        assert now.value == pytest.approx(before.value)
        assert now.low == pytest.approx(before.low)


def test_the_ledger_is_checked_by_sha256sum(signed: Path) -> None:
    subprocess.run(["sha256sum", "-c", "../signed-off.txt"], cwd=signed, check=True)


def test_the_command_signs_what_the_library_signs(signed: Path, tmp_path: Path, home: Path) -> None:
    ledger = tmp_path / "signed-off.txt"
    before = ledger.read_text("utf-8")
    ledger.unlink()
    for report in signed.glob("*/reports/*"):
        report.unlink()
    (tmp_path / "gone").rename(home)
    command = [sys.executable, "-m", "ovmer_leaderboard", "sign", "--submissions", str(signed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"2 reports signed off in {ledger}\n")
    assert ledger.read_text("utf-8") == before
    missing = subprocess.run([*command, "nobody"], capture_output=True, text=True)
    assert missing.returncode == 2 and missing.stderr.startswith("error: ")
    assert missing.stderr.count("\n") == 1


def test_signing_nothing_says_so_and_writes_nothing(signed: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "signed-off.txt"
    ledger.unlink()
    with pytest.raises(InputError, match="no report to sign off"):
        sign_off([read_submission(signed / "strong")], ["ovmer"], ledger)
    assert not ledger.exists()


def reason(board: Board, name: str) -> str:
    assert board.tables_with(name) == () and board.results_of(name) == ()
    ((task, why),) = board.system(name).unscored
    assert task == "mer2023"
    return why


def test_a_report_nobody_signed_counts_for_nothing(signed: Path, tmp_path: Path) -> None:
    path = signed / "strong" / "reports" / "mer2023.ovmer.json"
    data = json.loads(path.read_text("utf-8"))
    data["scores"][0]["value"] = 1.0
    path.write_text(json.dumps(data), "utf-8")
    assert "not signed off, or was changed since" in reason(made(signed), "strong")
    (tmp_path / "signed-off.txt").write_text("", "utf-8")
    assert "not signed off" in reason(made(signed), "weak")
    path.unlink()
    assert "no report was signed off" in reason(made(signed), "strong")


def test_a_report_of_other_predictions_counts_for_nothing(signed: Path) -> None:
    path = signed / "strong" / "predictions" / "mer2023.jsonl"
    said = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    said[0]["labels"] = ["changed"]
    write_lines(path, said)
    assert "is of other predictions" in reason(made(signed), "strong")


def test_a_report_of_another_corpus_counts_for_nothing(signed: Path, tmp_path: Path) -> None:
    source = signed / "strong" / "reports" / "mer2023.ovmer.json"
    data = json.loads(source.read_text("utf-8")) | {"corpus": "mer2024"}
    source.write_text(json.dumps(data), "utf-8")
    ledger = tmp_path / "signed-off.txt"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    ledger.write_text(f"{digest}  strong/reports/mer2023.ovmer.json\n", "utf-8")
    assert "is of another corpus" in reason(made(signed), "strong")


def test_a_ledger_of_another_shape_is_an_error(signed: Path, tmp_path: Path) -> None:
    (tmp_path / "signed-off.txt").write_text("# reports\n\nstrong is fine\n", "utf-8")
    with pytest.raises(InputError, match="is no line of a ledger") as caught:
        made(signed)
    assert caught.value.line == 3


def test_answers_are_hashed_without_gold(tmp_path: Path) -> None:
    said = read_predictions(write_lines(tmp_path / "x.jsonl", noisy(TASK, 0.5)))
    assert answers_sha256(said) == score(said, TASK, draws=0).predictions_sha256


# --- The mean of nine ---------------------------------------------------------------------


@pytest.fixture
def nine(tmp_path: Path, home: Path) -> Path:
    corpora = {name: licensed(name) for name in MER_UNIBENCH}
    out = tmp_path / "submissions"
    for name, right in (("all-good", 0.9), ("all-fair", 0.4)):
        submission(out / name, {c: answers(corpora[c], right) for c in corpora}, title=name)
    some = [c for c in corpora if c != "meld"]
    submission(out / "eight", {c: answers(corpora[c], 1.0) for c in some}, title="eight")
    return out


def test_the_mean_needs_all_nine(nine: Path) -> None:
    board = made(nine)
    (table,) = board.tables_of(UNIBENCH)
    rows = {r.system: r for r in table.rows}
    assert [r.system for r in table.rows] == ["all-good", "all-fair", "eight"]
    assert (rows["eight"].value, rows["eight"].rank) == (None, None)
    assert rows["eight"].parts["meld"] is None and rows["eight"].parts["mer2023"] is not None
    for name in ("all-good", "all-fair"):
        parts = [
            result.scores[board.task(corpus).main].value
            for corpus in MER_UNIBENCH
            if (result := board.result(name, corpus, "ovmer")) is not None
        ]
        assert rows[name].value == pytest.approx(float(np.mean(parts)))
        assert list(rows[name].parts.values()) == pytest.approx(parts)
        assert (rows[name].low or 1) < (rows[name].value or 0) < (rows[name].high or 0)
    assert (table.method, [r.rank for r in table.rows]) == ("paired", [1, 2, None])
    assert (table.signature or "").startswith("metric:mean|lexicon:ovmer|corpora:9|parts:")


def test_partial_coverage_alone_gives_no_mean(nine: Path) -> None:
    for name in ("all-good", "all-fair"):
        for path in sorted((nine / name).rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (nine / name).rmdir()
    (table,) = made(nine).tables_of(UNIBENCH)
    assert [(r.system, r.value, r.rank) for r in table.rows] == [("eight", None, None)]
    assert table.best is None


def test_sentiment_is_scored_once(nine: Path) -> None:
    results = [r for r in made(nine).results_of("all-good") if r.task == "cmumosi"]
    assert [r.lexicon for r in results] == ["ovmer"]
    assert results[0].sectors == () and results[0].predicted_counts


# --- The whole ----------------------------------------------------------------------------


def test_the_board_does_not_depend_on_order_or_hash_seed(folder: Path) -> None:
    code = (
        "import sys, hashlib\n"
        "from ovmer_leaderboard.collect import collect\n"
        "from ovmer_leaderboard.data_files import data_files\n"
        f"board = collect(sys.argv[1], draws={DRAWS})\n"
        "digest = hashlib.sha256()\n"
        "[digest.update(n.encode() + b'\\0' + c) for n, c in data_files(board)]\n"
        "print(digest.hexdigest())\n"
    )
    found = {sha256_of(collect(folder, draws=DRAWS))}
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout.strip())
    assert len(found) == 1


def test_adding_a_submission_leaves_other_numbers_alone(folder: Path) -> None:
    before = made(folder)
    submission(folder / "newcomer", {TASK: noisy(TASK, 0.3, 9)}, title="Newcomer")
    after = made(folder)
    for result in before.results:
        again = after.result(result.system, result.task, result.lexicon)
        assert again is not None
        assert dataclasses.asdict(again) == dataclasses.asdict(result)


def test_systems_and_tables_are_found_by_name(folder: Path) -> None:
    board = made(folder)
    assert board.system("best").title == "Best"
    with pytest.raises(OvmerError, match="unknown system 'bestt'"):
        board.system("bestt")
    with pytest.raises(OvmerError, match="unknown task"):
        board.task("nothing")
    assert {t.id for t in board.tables_with("best")} == {
        f"{TASK}.ovmer.{name}" for name in ("S1", "S2", "MER-FG", "M-avg")
    }
    assert len({t.id for t in board.tables}) == len(board.tables)
    assert [t.name for t in board.tracks] == ["open", "basic", "sentiment", UNIBENCH]
    assert {n for t in board.tracks for n in t.tasks} == {t.name for t in board.tasks}


def test_a_broken_submission_stops_the_build(folder: Path) -> None:
    write_lines(folder / "fair/predictions" / f"{TASK}.jsonl", noisy(TASK, 0.5)[:-1])
    with pytest.raises(InputError, match="no prediction for 1 of 420"):
        made(folder)


def test_names_of_papers_are_kept(folder: Path) -> None:
    (folder / "best").rename(folder / "paper-best")
    with pytest.raises(InputError, match="kept for papers"):
        made(folder)


def test_an_unfinished_folder_is_passed_over(folder: Path) -> None:
    (folder / ".ovmer-x1" / "half").mkdir(parents=True)
    assert len(made(folder).systems) == 5


def test_labels_reach_the_board_harmless(folder: Path) -> None:
    said = noisy(TASK, 1.0)
    said[0]["labels"] = ["\u202eevil", "a\u200bb"]
    write_lines(folder / "best/predictions" / f"{TASK}.jsonl", said)
    board = made(folder)
    result = board.result("best", TASK, "ovmer")
    assert result is not None and result.vocabulary is not None
    shown = {a.clip: a.labels for a in result.answers}[str(said[0]["id"])]
    assert shown == ("\\u202eevil", "a\\u200bb")
    assert all(word.isprintable() for word, _ in result.vocabulary.predicted.unknown_words)


# --- Changes and data files ---------------------------------------------------------------


def test_changes_come_from_dates_that_were_written_down(folder: Path) -> None:
    submission(folder / "old", {TASK: noisy(TASK, 0.1)}, date="2025-05-01", title="Old")
    entries = "- {date: 2026-01-31, title: Ruler 0.1, text: First.}\n"
    (folder.parent / "changes.yaml").write_text(entries, "utf-8")
    changes = made(folder).changes
    assert [c.system for c in changes] == [None, "best", "fair", "poor", "same", "twin", "old"]
    assert changes[0].title == "Ruler 0.1" and changes[-1].date == "2025-05-01"


@pytest.mark.parametrize(
    "text", ["title: x\n", "- x\n", "- {date: 2026-01-01, title: 3, text: x}\n", "- {date: x}\n"]
)
def test_changes_of_another_shape_are_errors(folder: Path, text: str) -> None:
    (folder.parent / "changes.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        made(folder)
    assert (caught.value.file or "").endswith("changes.yaml")


def test_data_files_fit_their_schema(folder: Path) -> None:
    from jsonschema import Draft202012Validator

    files = dict(data_files(collect(folder, draws=DRAWS)))
    schema = json.loads(files["data/schema.json"])
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    checked = [name for name in files if name.endswith(".json") and name != "data/schema.json"]
    assert len(checked) > 10
    for name in checked:
        validator.validate(json.loads(files[name]))
        assert name.replace(".json", ".csv") in files


def test_reports_are_what_ovmer_score_writes(signed: Path) -> None:
    report = ScoreReport.read(signed / "strong/reports/mer2023.ovmer.json")
    assert (report.system, report.corpus, report.draws) == ("strong", "mer2023", 1000)
