"""The site in a real browser, opened from files and served below a path."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import chromium, launched
from ovmer_leaderboard.navigation import home_table
from ovmer_leaderboard.serve import server
from ovmer_leaderboard.site import build
from synthetic_board import OPEN, made_board

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

ROOT = Path(__file__).parent.parent
SUBMISSIONS = ROOT / "leaderboard" / "submissions"
N = 12
LABEL = "<img src=x onerror=alert(1)>"
RESULT = f"results/system-001/{OPEN}.ovmer.html"
COMPARE = "compare.html#a=system-001&b=system-002"
KINDS = (
    "index.html",
    "boards/meld.as-published.hit_rate.html",
    "systems/system-001.html",
    RESULT,
    COMPARE,
    "tasks/index.html",
    f"tasks/{OPEN}.html",
    "ruler.html",
    "data.html",
)
WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "below a path" / "site"
    build(made_board(N, label=LABEL), folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    if chromium() is None:
        pytest.skip("no chromium on this system")
    with playwright.sync_playwright() as running, launched(running) as started:
        yield started


class Visit:
    """A page with a record of what went wrong on it."""

    def __init__(self, browser: object, folder: Path, viewport: object = WIDE, **options: object):
        self.folder = folder
        self.context = browser.new_context(viewport=viewport, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.problems.append(dialog.message))

    def _failed(self, request: object) -> None:
        # A page that is left before its icon has come is no failure of the site.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.url}: {request.failure}")

    def open(self, page: str) -> object:
        name, _, fragment = page.partition("#")
        address = (self.folder / name).as_uri()
        # Otherwise another fragment would not load the page anew.
        self.page.goto("about:blank")
        self.page.goto(address + (f"#{fragment}" if fragment else ""))
        if name == "compare.html":
            self.page.wait_for_selector("[data-disagreements] tr")
        return self.page

    def shown(self) -> list[str]:
        """Names of the systems in the board, from top to bottom."""
        return self.page.eval_on_selector_all(
            "table[data-board] tbody tr[data-system]", "rows => rows.map(r => r.dataset.system)"
        )


@pytest.fixture
def visit(browser: object, site: Path) -> Iterator[Visit]:
    made = Visit(browser, site)
    yield made
    made.context.close()
    assert made.problems == []


def test_no_page_complains_or_asks_for_anything_outside(visit: Visit) -> None:
    for kind in KINDS:
        visit.open(kind)
    inside = visit.folder.as_uri()
    assert visit.requests
    outside = [url for url in visit.requests if not url.startswith((inside, "about:"))]
    assert outside == []


def test_the_site_works_below_a_path_of_a_server(browser: object, site: Path) -> None:
    # The folder above stands for the host, so that the site lies below a path.
    above = site.parent.parent
    (above / "manifest.json").write_text("{}")
    with server(above, 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{running.server_port}/below%20a%20path/site/"
        made = Visit(browser, site)
        try:
            made.page.goto(f"{base}index.html")
            assert len(made.shown()) == N + 2
            made.page.goto(f"{base}{COMPARE}")
            made.page.wait_for_selector("[data-disagreements] tr")
            assert all(url.startswith(base) for url in made.requests)
            assert made.problems == []
        finally:
            made.context.close()
            running.shutdown()
            thread.join()


def test_sorting_by_mouse_and_keyboard(visit: Visit) -> None:
    page = visit.open("index.html")
    by_score = visit.shown()
    values = {row.system: row for row in home_table(made_board(N)).rows}
    page.click("th:has-text('Unknown')")
    page.wait_for_selector("th[aria-sort=descending]:has-text('Unknown')")
    first = [values[name].oov for name in visit.shown() if values[name].oov is not None]
    assert first == sorted(first, reverse=True)
    page.click("th:has-text('Unknown')")
    page.wait_for_selector("th[aria-sort=ascending]:has-text('Unknown')")
    unknown = [name for name in visit.shown() if values[name].oov is None]
    assert visit.shown()[-len(unknown) :] == unknown, "what is not known stays last"
    page.locator("th:has-text('System') [role=button]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("th[aria-sort=ascending]:has-text('System')")
    titles = page.eval_on_selector_all(
        "tbody tr[data-system] th a", "links => links.map(l => l.textContent)"
    )
    assert titles == sorted(titles, key=lambda title: (title.split()[0], int(title.split()[1])))
    page.click("text=Show all")
    assert visit.shown() == by_score


def test_filters_and_the_address_that_keeps_them(visit: Visit, browser: object) -> None:
    page = visit.open("index.html")
    board = made_board(N)
    page.select_option("select[name=reads]", "audio + text")
    expected = {s.name for s in board.systems if s.modalities == ("audio", "text")}
    assert set(visit.shown()) == expected
    page.select_option("select[name=train]", "ovmerd")
    expected &= {s.name for s in board.systems if "ovmerd" in (s.training_data or ())}
    assert set(visit.shown()) == expected != set()
    assert page.inner_text("[data-found]") == f"{len(expected)} of {N + 2} rows"
    page.click("th:has-text('Skill')")
    page.wait_for_url("**sort=skill.desc")
    address = page.evaluate("location.href")
    assert "reads=audio" in address and "sort=skill.desc" in address
    again = Visit(browser, visit.folder)
    again.page.goto(address)
    assert again.shown() == visit.shown()
    assert again.page.input_value("select[name=train]") == "ovmerd"
    assert again.page.get_attribute("th:has-text('Skill')", "aria-sort") == "descending"
    again.context.close()
    assert again.problems == []
    # The switch to another table takes the filters along.
    page.click("nav[aria-label=Score] a:has-text('S2')")
    page.wait_for_selector("nav[aria-label=Score] a[aria-current]:has-text('S2')")
    assert set(visit.shown()) == expected
    page.click("text=Show all")
    assert len(visit.shown()) == N + 2


def test_searching_and_hiding_content_free_answers(visit: Visit) -> None:
    page = visit.open("index.html")
    page.uncheck("input[name=free]")
    assert not [name for name in visit.shown() if name.startswith("constant")]
    page.fill("input[name=q]", "System 11")
    assert visit.shown() == ["system-011"]
    page.fill("input[name=q]", "no such thing")
    assert visit.shown() == []
    assert "No row fits" in page.inner_text("table[data-board] tbody")


def test_a_strange_address_does_no_harm(visit: Visit) -> None:
    page = visit.open("index.html#sort=nothing.asc&reads=<b>&q=%ZZ&train=__proto__")
    assert page.input_value("select[name=reads]") == ""
    visit.open("index.html#all")
    assert len(visit.shown()) == N + 2
    visit.open("compare.html#a=../../x&b=system-003")
    assert page.input_value("select[name=b]") == "system-003"


def test_switching_never_mixes_signatures(visit: Visit) -> None:
    page = visit.open("index.html")
    seen = {}
    for title in ("level 1", "level 2"):
        page.click(f"nav[aria-label=Score] a:has-text('{title}')")
        page.wait_for_selector(f"nav[aria-label=Score] a[aria-current]:has-text('{title}')")
        codes = page.locator("main code").all_inner_texts()
        assert len(codes) == 1
        seen[title] = codes[0]
    assert seen["level 1"] != seen["level 2"]
    page.click("nav[aria-label=Track] a:has-text('Basic')")
    page.wait_for_selector("text=reported in papers")
    assert page.locator("main code").count() == 0


def test_comparing_two_systems(visit: Visit) -> None:
    board = made_board(N)
    table = home_table(board)
    page = visit.open(COMPARE)
    pair = table.pairs.pair("system-001", "system-002")

    def first_row() -> list[str]:
        return page.locator("[data-differences] tr").first.locator("td, th").all_inner_texts()

    cells = first_row()
    assert _number(cells[4]) == pytest.approx(100 * pair.difference, abs=0.006)
    low, high = (_number(text) for text in cells[6].split(" to "))
    assert (low, high) == pytest.approx((100 * pair.low, 100 * pair.high), abs=0.011)
    assert cells[8] == ("real" if pair.significant else "not told apart")
    page.click("text=Swap A and B")
    page.wait_for_url("**a=system-002&b=system-001")
    page.wait_for_selector("[data-disagreements] tr")
    swapped = first_row()
    assert _number(swapped[4]) == -_number(cells[4])
    assert [_number(text) for text in swapped[6].split(" to ")] == [-high, -low]
    # A label of anybody's is text, here too.
    assert LABEL in page.inner_text("[data-disagreements]")
    assert page.locator("[data-disagreements] img").count() == 0
    page.select_option("select[name=a]", "system-001")
    assert page.inner_text("[data-state]") == "Choose two different systems."


def test_comparing_shows_the_clips_of_the_largest_difference(visit: Visit) -> None:
    board = made_board(N, label=LABEL)
    a, b = (board.result(f"system-00{i}", OPEN, "ovmer") for i in (1, 2))
    gaps = {
        x.clip: abs(round(1000 * y.f) - round(1000 * x.f))
        for x, y in zip(a.answers, b.answers, strict=True)
        if x.f is not None and y.f is not None
    }
    page = visit.open(COMPARE)
    shown = page.locator("[data-disagreements] code").all_inner_texts()
    assert len(shown) == 25
    assert [gaps[clip] for clip in shown] == sorted(gaps.values(), reverse=True)[:25]


def test_links_to_a_comparison_and_to_a_place(visit: Visit) -> None:
    page = visit.open("index.html")
    page.click("text=Compare the two")
    page.wait_for_selector("[data-differences] tr")
    best, second = [row.system for row in home_table(made_board(N)).rows if row.rank][:2]
    assert page.input_value("select[name=a]") == second
    assert page.input_value("select[name=b]") == best
    page = visit.open("ruler.html#signature")
    page.wait_for_timeout(1000)  # a smooth scroll
    assert page.locator("#signature").bounding_box()["y"] < 900


@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(browser: object, site: Path, kind: str) -> None:
    for viewport, scheme in ((WIDE, "light"), (PHONE, "dark")):
        made = Visit(browser, site, viewport, color_scheme=scheme)
        page = made.open(kind)
        page.eval_on_selector_all("details", "all => all.forEach(d => { d.open = true; })")
        # Axe takes the box around turned text for its ground; see the test of the scale below.
        found = axe.Axe().run(page, context={"exclude": [[".wheel"]]})
        report = found.generate_report()
        made.context.close()
        assert found.violations_count == 0, report


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_scrolls_tables_and_not_the_page(browser: object, site: Path, kind: str) -> None:
    made = Visit(browser, site, PHONE)
    page = made.open(kind)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    made.context.close()


@pytest.mark.parametrize("kind", ["index.html", "systems/system-001.html", COMPARE, "data.html"])
def test_names_on_a_phone_leave_room_for_what_they_name(
    browser: object, site: Path, kind: str
) -> None:
    """Names stay in view when a table is scrolled; its last column is seen beside them."""
    made = Visit(browser, site, PHONE)
    page = made.open(kind)
    covered = page.evaluate(
        """() => [...document.querySelectorAll('.scroll')].map(scroll => {
            scroll.scrollIntoView();
            scroll.scrollLeft = scroll.scrollWidth;
            const row = [...scroll.querySelectorAll('tbody tr')].find(r => r.querySelector('th'));
            if (!row) return null;
            const last = row.lastElementChild.getBoundingClientRect();
            const name = row.querySelector('th').getBoundingClientRect();
            return name.right > last.left + 1 ? `${name.right} over ${last.left}` : null;
        })"""
    )
    assert len(covered) >= 1 and not any(covered), covered
    made.context.close()


def test_facts_stand_beside_what_they_are_about(visit: Visit) -> None:
    """A term with several texts moves nothing out of its column."""
    page = visit.open(f"tasks/{OPEN}.html")
    places = page.evaluate(
        """() => {
            const list = document.querySelector('dl.facts');
            list.querySelector('dd').after(list.querySelector('dd').cloneNode(true));
            const left = tag => [...list.querySelectorAll(tag)]
                .map(e => Math.round(e.getBoundingClientRect().left));
            return [new Set(left('dt')).size, new Set(left('dd')).size];
        }"""
    )
    assert places == [1, 1]


def test_the_table_of_nine_corpora_fits_a_wide_window(visit: Visit) -> None:
    page = visit.open("boards/mer_unibench.as-published.mean.html")
    widths = page.evaluate(
        "(() => { const s = document.querySelector('[data-board]').closest('.scroll');"
        " return [s.scrollWidth, s.clientWidth]; })()"
    )
    assert widths[0] <= widths[1], widths


def test_walking_through_the_board_by_keyboard(visit: Visit) -> None:
    page = visit.open("index.html")
    focused = """() => {
        const e = document.activeElement, box = e.getBoundingClientRect();
        const style = getComputedStyle(e);
        return {
            tag: e.tagName, text: e.textContent.trim().slice(0, 40), name: e.name || '',
            seen: box.width > 0 && style.outlineStyle !== 'none',
            region: e.getAttribute('role') === 'region', sort: e.matches('th [role=button]'),
        };
    }"""
    page.keyboard.press("Tab")
    assert page.evaluate(focused)["text"] == "Skip to content"
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(focused))
        if stops[-1]["text"] == "System 11":
            break
    assert all(stop["seen"] for stop in stops)
    names = [stop["name"] for stop in stops if stop["name"]]
    assert names == ["q", "reads", "size", "train", "free"]
    assert any(stop["region"] for stop in stops), "the table can be scrolled by keyboard"
    assert sum(stop["sort"] for stop in stops) >= 8
    texts = [stop["text"] for stop in stops]
    assert texts.index("Leaderboard") < texts.index("Basic emotions") < texts.index("Show all")
    visit.open("index.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_without_scripts_everything_is_there_to_read(browser: object, site: Path) -> None:
    made = Visit(browser, site, java_script_enabled=False)
    page = made.page
    page.goto((site / "index.html").as_uri())
    assert page.locator("table[data-board] tbody tr").count() == N + 2
    assert not page.is_visible("form[data-filters]")
    page.click("nav[aria-label=Score] a:has-text('S2')")
    assert page.locator("table[data-board] tbody tr").count() == N + 2
    page.goto((site / "compare.html").as_uri())
    assert page.is_visible("text=Choosing a pair takes JavaScript")
    assert not page.is_visible("form[data-compare]")
    made.context.close()


def test_contrast_of_the_colour_scale(visit: Visit) -> None:
    """Text on every colour of the scale, in tables and in wheels, reads at 4.5 to 1."""
    page = visit.open(RESULT)
    ratios = page.evaluate(
        """() => {
            const light = text => {
                const [r, g, b] = text.match(/[\\d.]+/g).map(Number).map(v => v / 255)
                    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ratio = (ink, ground) => {
                const [x, y] = [light(ink), light(ground)];
                return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
            };
            const style = (selector, name) => {
                const element = document.querySelector(selector);
                element.setAttribute('class', name);
                return getComputedStyle(element);
            };
            return [...Array(22).keys()].flatMap(step => {
                const name = step === 21 ? 'vn' : 'v' + step;
                const cell = style('table.heat td', name);
                const shape = style('.wheel path', name), text = style('.wheel text', name);
                return [ratio(cell.color, cell.backgroundColor), ratio(text.fill, shape.fill)];
            });
        }"""
    )
    assert len(ratios) == 44
    assert min(ratios) >= 4.5


def test_the_shipped_submissions_as_a_site(browser: object, tmp_path: Path) -> None:
    """The command itself, on what is in the repository, twice: a site that works, same bytes."""
    environment = os.environ | {
        "OVMER_HOME": str(tmp_path / "home"),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        done = subprocess.run(
            [sys.executable, "-m", "ovmer_leaderboard", "build", "--submissions", SUBMISSIONS,
             "--out", folder, "--draws", "200"],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "submissions" in done.stdout
    one, two = (
        {p.relative_to(f).as_posix(): p.read_bytes() for p in f.rglob("*") if p.is_file()}
        for f in folders
    )
    assert one == two
    made = Visit(browser, folders[0])
    names = sorted(path for path in one if path.endswith(".html"))
    for name in names:
        made.page.goto((folders[0] / name).as_uri())
    made.page.goto((folders[0] / "index.html").as_uri())
    rows = made.page.locator("table[data-board] tbody tr")
    assert rows.count() >= 6
    free = made.page.locator("tr[data-role=content-free]").first
    assert free.locator("td").first.inner_text() == "–"
    made.context.close()
    assert made.problems == []


def _number(text: str) -> float:
    return float(re.sub(r"[^\d.\-]", "", text.replace("−", "-")))
