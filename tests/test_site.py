"""The site as files: valid, self-contained, harmless, the same every time, whole or not at all."""

from __future__ import annotations

import csv
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urldefrag
from xml.etree import ElementTree

import html5lib
import jsonschema
import numpy as np
import pytest
from command import listing
from ovmer_bench.errors import InputError
from ovmer_leaderboard.assets import asset_files
from ovmer_leaderboard.board import Row
from ovmer_leaderboard.folder import MARK, write_folder
from ovmer_leaderboard.navigation import home_table, reading
from ovmer_leaderboard.serve import LOOPBACK, server
from ovmer_leaderboard.site import build, site_files
from ovmer_leaderboard.svg import draw
from ovmer_leaderboard.views import lines, p_value, percent, signed
from synthetic_board import N_CLIPS, N_FREE, OPEN, made_board

HTML = "{http://www.w3.org/1999/xhtml}"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    '=HYPERLINK("https://example.org")',
    '</bdi><a href="javascript:alert(1)">x</a>',
)
ALLOWED_SCRIPTS = {"datatables.js", "site.js", "compare.js"}
N = 8

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def files() -> Files:
    return dict(site_files(made_board(N)))


@pytest.fixture(scope="module")
def hostile() -> Files:
    return dict(site_files(made_board(N, HOSTILE, label=HOSTILE[1])))


@pytest.fixture(scope="module")
def more() -> Files:
    """The same board with one more system."""
    return dict(site_files(made_board(N + 1)))


def html_of(files: Files) -> Iterator[tuple[str, ElementTree.Element]]:
    for path, content in files.items():
        if path.endswith(".html"):
            yield path, html5lib.parse(content.decode(), treebuilder="etree")


@pytest.mark.parametrize("kind", ["files", "hostile"])
def test_every_page_is_valid_html(kind: str, request: pytest.FixtureRequest) -> None:
    for path, content in request.getfixturevalue(kind).items():
        if path.endswith(".html"):
            parser = html5lib.HTMLParser(strict=False)
            parser.parse(content.decode())
            assert not parser.errors, (path, parser.errors[:3])


@pytest.mark.parametrize("kind", ["files", "hostile"])
def test_pages_hold_no_script_style_or_handler_of_their_own(
    kind: str, request: pytest.FixtureRequest
) -> None:
    for path, root in html_of(request.getfixturevalue(kind)):
        policy = [
            meta.get("content", "")
            for meta in root.iter(f"{HTML}meta")
            if meta.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(policy) == 1, path
        assert "default-src 'none'" in policy[0]
        assert "unsafe" not in policy[0]
        for element in root.iter():
            assert not [name for name in element.attrib if name.startswith("on")], path
            assert element.get("style") is None, path
            if element.tag == f"{HTML}script":
                assert element.get("src", "").split("/")[-1] in ALLOWED_SCRIPTS
                assert not (element.text or "").strip()
            assert element.tag not in (f"{HTML}style", f"{HTML}iframe", f"{HTML}img"), path


@pytest.mark.parametrize("kind", ["files", "hostile"])
def test_links_lead_somewhere_and_nothing_is_loaded_from_outside(
    kind: str, request: pytest.FixtureRequest
) -> None:
    files = request.getfixturevalue(kind)
    ids = {path: {e.get("id") for e in root.iter()} for path, root in html_of(files)}
    for path, root in html_of(files):
        for element in root.iter():
            address = element.get("href") or element.get("src")
            if address is None:
                continue
            if address.startswith("https://"):
                assert element.tag == f"{HTML}a" and "noopener" in element.get("rel", ""), path
                continue
            assert not re.match(r"[a-z]+:|//", address), (path, address)
            target, fragment = urldefrag(unquote(address))
            place = os.path.normpath(Path(path).parent / target) if target else path
            assert place in files, (path, address)
            if fragment and "=" not in fragment:
                assert fragment in ids[place], (path, address)


def test_hostile_text_is_shown_as_text(hostile: Files) -> None:
    texts = {path: " ".join(root.itertext()) for path, root in html_of(hostile)}
    for i, title in enumerate(HOSTILE):
        assert title in texts[f"systems/system-{i:03d}.html"], title
        assert title in texts["index.html"]
        assert title in texts["compare.html"]
    assert HOSTILE[1] in texts[f"results/system-003/{OPEN}.ovmer.html"]
    script = hostile["data/compare/system.system-000.js"].decode()
    kind, name, value = json.loads(f"[{script[len('ovmerData(') : -len(');' + chr(10))]}]")
    assert (kind, name, value["title"]) == ("system", "system-000", HOSTILE[0])
    titles = [row["title"] for row in _csv(hostile["data/systems.csv"])]
    assert f"'{HOSTILE[4]}" in titles and HOSTILE[4] not in titles
    ElementTree.fromstring(hostile["feed.xml"])


def test_the_board_is_whole_without_a_script(files: Files) -> None:
    board = made_board(N)
    table = home_table(board)
    root = html5lib.parse(files["index.html"].decode(), treebuilder="etree")
    shown = next(t for t in root.iter(f"{HTML}table") if t.get("data-board") is not None)
    rows = [row for row in shown.iter(f"{HTML}tr") if row.get("data-system")]
    assert [row.get("data-system") for row in rows] == [row.system for row in table.rows]
    for row, html in zip(table.rows, rows, strict=True):
        text = " ".join(html.itertext())
        assert percent(row.value) in text and percent(row.skill) in text


def test_partial_coverage_is_a_dash_without_rank(files: Files) -> None:
    board = made_board(N)
    missing = [row for row in home_table(board).rows if row.value is None]
    assert len(missing) == 1
    root = html5lib.parse(files["index.html"].decode(), treebuilder="etree")
    row = next(e for e in root.iter() if e.get("data-system") == missing[0].system)
    cells = ["".join(cell.itertext()).strip() for cell in row]
    assert cells[0] == "–" and cells[2].startswith("–")
    mean = files["boards/mer_unibench.as-published.mean.html"].decode()
    assert "not covered in full" in mean


def test_a_mean_that_nobody_covers_is_not_called_reported() -> None:
    board = made_board(2)
    parts = {"meld": 0.5}
    row = Row("system-000", "system", "rescored", None, None, parts=parts)
    table = replace(board.tables[-1], id="mer_unibench.ovmer.mean", lexicon="ovmer", rows=(row,))
    files = dict(site_files(replace(board, tables=(*board.tables, table))))
    page = files["boards/mer_unibench.ovmer.mean.html"].decode()
    assert "No system covers this in full" in page and "reported in papers" not in page
    assert "50.00" in page
    assert "reported in papers" in files["boards/mer_unibench.as-published.mean.html"].decode()


def test_a_table_explains_the_marks_that_it_has_and_no_others(files: Files) -> None:
    captions = {
        path: "".join(next(root.iter(f"{HTML}caption")).itertext())
        for path, root in html_of(files)
        if path in ("index.html", "boards/meld.as-published.hit_rate.html")
    }
    assert "95 % interval, | chance." in captions["index.html"]
    reported = captions["boards/meld.as-published.hit_rate.html"]
    assert reported.endswith("score.") and "interval" not in reported and "chance" not in reported


def test_tables_that_differ_in_the_signature_alone_say_in_what() -> None:
    board = made_board(2)
    first, *rest = board.tables
    ends = ("none|version:0.2.0", "rules-1|version:0.2.0", "rules-1|version:0.1.0")
    alike = [
        replace(first, id=f"table-{i}", signature=f"metric:S1|extractor:{end}", primary=i == 0)
        for i, end in enumerate(ends)
    ]
    one, two, three = (replace(board, tables=(*alike[:n], *rest)) for n in (1, 2, 3))
    assert reading(one, alike[0]) == ""
    assert [reading(two, table) for table in alike[:2]] == [
        "labels as submitted", "labels read by rules-1",
    ]  # fmt: skip
    assert reading(three, alike[2]) == "labels read by rules-1, version 0.1.0"
    files = dict(site_files(two))
    for path in ("data.html", "systems/system-001.html", "data/compare/boards.js"):
        text = files[path].decode()
        assert "labels as submitted" in text and "labels read by rules-1" in text, path


def test_the_numbers_of_the_wheels_stand_in_a_table(files: Files) -> None:
    """Tooltips need a mouse, so a table says the same."""
    board = made_board(N)
    result = next(r for r in board.results if r.sectors)
    path = f"results/{result.system}/{result.task}.{result.lexicon}.html"
    root = html5lib.parse(files[path].decode(), treebuilder="etree")
    tables = [
        table
        for table in root.iter(f"{HTML}table")
        if "both hold the sector." in "".join(table.itertext())
    ]
    shown = [
        ["".join(cell.itertext()) for cell in row]
        for table in tables
        for row in next(table.iter(f"{HTML}tbody"))
    ]
    assert shown == [
        [s.name, s.parent or "–", str(s.gold), str(s.predicted), str(s.common),
         percent(s.recall, 1), percent(s.precision, 1)]
        for wheel in range(1, 6)
        for s in result.sectors
        if s.wheel == wheel and s.gold + s.predicted
    ]  # fmt: skip


def test_a_newcomer_is_told_how_to_submit(files: Files) -> None:
    home = html5lib.parse(files["index.html"].decode(), treebuilder="etree")
    assert "submit" in {element.get("id") for element in home.iter()}
    assert "ovmer submit --name" in "".join(home.itertext())
    assert 'href="../index.html#submit"' in files["boards/meld.as-published.hit_rate.html"].decode()


def test_content_free_answers_and_papers_have_no_rank(files: Files) -> None:
    for path, root in html_of(files):
        for row in root.iter(f"{HTML}tr"):
            if row.get("data-role") in ("content-free", "published"):
                assert "".join(row[0].itertext()) == "–", path


def test_meter_and_chance_follow_from_value_and_skill() -> None:
    board = made_board(3)
    for line in lines(board, home_table(board)):
        if line.row.value is None:
            assert line.meter is None
        elif line.row.role == "system":
            assert line.chance == pytest.approx(0.3)
            assert line.meter is not None and line.meter.value == round(100 * line.row.value, 1)


def test_numbers_as_text() -> None:
    assert percent(0.57164) == "57.16"
    assert percent(-0.00001) == "0.00"
    assert percent(None) == "–"
    assert signed(0.012) == "+1.20"
    assert signed(-0.012) == "−1.20"
    assert signed(-1e-9) == "0.00"
    assert [p_value(p) for p in (0.0004, 0.001, 0.0456)] == ["< 0.001", "0.001", "0.046"]


def test_json_obeys_the_schema_and_csv_says_the_same(files: Files) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(files["data/schema.json"]))
    paths = [path for path in files if re.fullmatch(r"data/(?!schema).*\.json", path)]
    assert len(paths) == 7
    for path in paths:
        data = json.loads(files[path])
        validator.validate(data)
        rows = _csv(files[path.replace(".json", ".csv")])
        assert len(rows) == len(data["rows"])
        for from_csv, from_json in zip(rows, data["rows"], strict=True):
            assert list(from_csv) == list(from_json)
            for name, value in from_json.items():
                assert from_csv[name] == _as_cell(value), (path, name)


def test_the_schema_refuses_a_row_of_another_shape(files: Files) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(files["data/schema.json"]))
    data = json.loads(files["data/systems.json"])
    data["rows"][0]["title"] = 7
    assert not validator.is_valid(data)


def test_pairs_in_the_scripts_are_those_of_the_table(files: Files) -> None:
    board = made_board(N)
    table = home_table(board)
    order = _script(files["data/compare/boards.js"])[table.id]["systems"]
    assert table.pairs is not None and order == list(table.pairs.systems)
    for j, name in enumerate(order):
        held = _script(files[f"data/compare/system.{name}.js"])["tables"][table.id]
        for i, other in enumerate(order[:j]):
            pair = table.pairs.pair(other, name)
            whole = held["tests"][3 * i : 3 * i + 3]
            np.testing.assert_allclose(
                np.array(whole) / 10_000, [pair.low, pair.high, pair.p_corrected], atol=1.01e-4
            )


@pytest.mark.parametrize("p", [0.04999, 0.05])
def test_the_scripts_give_the_verdict_of_the_pages(p: float) -> None:
    board = made_board(2)
    first, *rest = board.tables
    pairs = replace(first.pairs, p_corrected=np.full_like(first.pairs.p_corrected, p))
    files = dict(site_files(replace(board, tables=(replace(first, pairs=pairs), *rest))))
    last = pairs.systems[-1]
    held = _script(files[f"data/compare/system.{last}.js"])["tables"][first.id]["tests"]
    whole = held[2::3]
    assert whole and {n / 10_000 < pairs.alpha for n in whole} == {p < 0.05}


def test_the_same_board_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from synthetic_board import made_board;"
        "from ovmer_leaderboard.site import site_files; h = hashlib.sha256();"
        "[h.update(p.encode() + b'\\0' + c) for p, c in site_files(made_board(5))];"
        "print(h.hexdigest())"
    )
    seen = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        seen.add(done.stdout)
    assert len(seen) == 1


def test_one_more_system_changes_only_what_it_must(files: Files, more: Files) -> None:
    new = f"system-{N:03d}"
    assert set(more) - set(files) == {
        f"systems/{new}.html",
        f"results/{new}/{OPEN}.ovmer.html",
        f"data/compare/system.{new}.js",
    }
    assert not set(files) - set(more)
    kept = {path for path in files if files[path] == more[path]}
    others = {path for path in files if path.startswith(("results/", "assets/"))}
    others |= {"tasks/meld.html", "boards/meld.as-published.hit_rate.html", "data/schema.json",
               "data/tables/meld.as-published.hit_rate.csv", "systems/paper-one.html",
               f"data/compare/corpus.{OPEN}.js", ".nojekyll"}  # fmt: skip
    assert others <= kept


def test_the_manifest_lists_every_other_file(files: Files) -> None:
    listed = json.loads(files[MARK])["files"]
    assert set(listed) == set(files) - {MARK}


def test_feed_ids_are_unique_and_stay(files: Files, more: Files) -> None:
    atom = "{http://www.w3.org/2005/Atom}"

    def ids(content: bytes) -> list[str]:
        return [e.findtext(f"{atom}id") or "" for e in ElementTree.fromstring(content)
                if e.tag == f"{atom}entry"]  # fmt: skip

    before = ids(files["feed.xml"])
    after = ids(more["feed.xml"])
    assert len(before) == N + N_FREE == len(set(before))
    assert set(before) < set(after)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "a\\b", "a\0"])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    board = made_board(2)
    systems = (replace(board.systems[0], name=name), *board.systems[1:])
    with pytest.raises(InputError):
        dict(site_files(replace(board, systems=systems)))


def test_an_empty_board_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing to show"):
        dict(site_files(replace(made_board(2), tables=())))


def test_building_again_replaces_the_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(made_board(4), site)
    old = listing(site)
    build(made_board(2), site)
    assert "systems/system-003.html" in old and not (site / "systems/system-003.html").exists()
    build(made_board(4), site)
    assert listing(site) == old
    assert list(tmp_path.iterdir()) == [site]
    assert (site.stat().st_mode & 0o777) == (0o777 & ~_umask())


def test_a_build_that_fails_leaves_the_old_site_whole(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(made_board(2), site)
    old = listing(site)

    def failing() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"new"
        raise InputError("no")

    with pytest.raises(InputError):
        write_folder(site, failing())
    assert listing(site) == old
    assert list(tmp_path.iterdir()) == [site]


def test_a_killed_build_leaves_the_old_site_whole(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(made_board(2), site)
    old = listing(site)
    code = (
        "import sys, time; from pathlib import Path;"
        "from ovmer_leaderboard.folder import write_folder\n"
        "def files():\n"
        "    yield 'index.html', b'new'\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
        "write_folder(Path(sys.argv[1]), files())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(site)], stdout=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"half\n"
        child.send_signal(signal.SIGKILL)
    assert listing(site) == old
    assert len(list(tmp_path.iterdir())) == 2
    # The next build removes what the killed one left, and nothing that is not its own.
    others = [tmp_path / ".site-2-abcdefgh.part", tmp_path / ".site-notes"]
    for other in others:
        other.mkdir()
    build(made_board(3), site)
    assert (site / "systems/system-002.html").exists()
    assert sorted(tmp_path.iterdir()) == [*others, site]


@pytest.mark.parametrize("content", ["notes.txt", "index.html"])
def test_a_folder_that_is_no_site_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / content).write_text("mine")
    before = listing(tmp_path)
    with pytest.raises(InputError, match="no site"):
        build(made_board(2), tmp_path)
    assert listing(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "site"
    place.write_text("mine")
    with pytest.raises(InputError, match="not a folder"):
        build(made_board(2), place)
    assert place.read_text() == "mine"


def test_a_link_to_a_site_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    build(made_board(2), real)
    link.symlink_to(real)
    build(made_board(3), link)
    assert link.is_symlink() and (real / "systems/system-002.html").exists()


def test_serving_is_for_this_machine_and_for_files_of_the_site(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(made_board(2), site)
    (tmp_path / "secret.txt").write_text("secret")
    with server(site, 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            assert running.server_address[0] == LOOPBACK == "127.0.0.1"
            assert _get(running.server_port, "/")[0] == 200
            assert _get(running.server_port, "/systems/system-001.html")[0] == 200
            assert _get(running.server_port, "/systems/")[0] == 404
            assert _get(running.server_port, "/../secret.txt")[0] == 404
            assert _get(running.server_port, "/%2e%2e/secret.txt")[0] == 404
        finally:
            running.shutdown()
            thread.join()


def test_serving_what_is_no_site_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="build"):
        server(tmp_path, 0)


def test_figures_carry_no_style_and_no_id() -> None:
    def plot(figure: object) -> None:
        axis = figure.subplots()
        axis.plot([0, 1], [0, 1], "o--", color="#123456", label="a<b&c")
        axis.legend()

    text = draw(plot, (3, 2))
    assert "style=" not in text and "id=" not in text
    assert "#123456" in text and "currentColor" in text and "a&lt;b&amp;c" in text
    assert text == draw(plot, (3, 2))
    ElementTree.fromstring(text)


def test_answers_of_the_page_are_those_of_the_board(files: Files) -> None:
    board = made_board(N)
    result = board.result("system-001", OPEN, "ovmer")
    assert result is not None and len(result.answers) == N_CLIPS
    text = files[f"results/system-001/{OPEN}.ovmer.html"].decode()
    for i in (*result.worst, *result.best):
        assert result.answers[i].clip in text
    assert text.count('class="wheel"') == 10


def _csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def _as_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return "; ".join(value) if isinstance(value, list) else str(value)


def _script(content: bytes) -> dict[str, object]:
    return json.loads(f"[{content.decode().strip()[len('ovmerData(') : -2]}]")[2]


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_missing_table_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itables", None)
    with pytest.raises(InputError, match=r"ovmer-bench\[leaderboard\]"):
        asset_files()
