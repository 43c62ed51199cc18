"""The HTML report in a real browser, and its source."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from command import run
from ovmer_bench.metrics.scoring import Evaluation, evaluate
from ovmer_bench.reading.schema import Prediction, Sample
from ovmer_bench.reports.html import html
from ovmer_bench.reports.plots import scale
from ovmer_bench.reports.text import percent

PHONE, DESK = 360, 1280
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
SCRIPT = "<script>document.title='hacked'</script>"
IMAGE = '"><img src=x onerror="document.title=\'hacked\'">'
TEMPLATE = "{{ 7 * 7 }}{% raw %}"
TURNED = "\u202egnorw\u2066"
LONG = "unbreakable" * 40

SAID = [["joyful", "happy"], ["gloomy"], ["furious", "worried"], [], ["astonished", "xyzzy"]]
LABELS = [["happy"], ["sad", "lonely"], ["angry"], ["scared"], ["surprised", "happy"]]
WORDS = ["happy", "sad", "angry", "fear", "neutral"]
VALENCES = [1.5, -2.0, -0.5, 0.0, 1.0]


def samples(kind: str) -> list[Sample]:
    golds: dict[str, tuple[str, list[Any]]] = {
        "open": ("labels", LABELS),
        "basic": ("label", WORDS),
        "sentiment": ("valence", VALENCES),
    }
    name, values = golds[kind]
    return [Sample(id=f"clip{i}", **{name: value}) for i, value in enumerate(values)]


def hostile() -> tuple[list[Sample], list[Prediction]]:
    """Ids, labels and subtitles that try to become markup, or to break the layout."""
    words = [SCRIPT, IMAGE, TEMPLATE, TURNED, LONG]
    gold = [
        Sample(id=id_, labels=["happy", word], subtitle={"en": word})
        for id_, word in zip([SCRIPT, IMAGE, TEMPLATE, "turned", LONG], words, strict=True)
    ]
    return gold, [Prediction(id=s.id, labels=["sad", *words, *["sad"] * 40]) for s in gold]


def evaluation(kind: str) -> Evaluation:
    if kind == "hostile":
        gold, said = hostile()
        return evaluate(said, gold, system=SCRIPT)
    answers = {f"clip{i}": labels for i, labels in enumerate(SAID)}
    return evaluate(answers, samples(kind), system=f"{kind} system")


KINDS = ("open", "basic", "sentiment", "hostile")


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """The page of every kind."""
    return {
        kind: html(found, found.report(draws=20))
        for kind, found in ((kind, evaluation(kind)) for kind in KINDS)
    }


@pytest.fixture(scope="module")
def pages(sources: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for kind, source in sources.items():
        (folder / f"{kind}.html").write_text(source, "utf-8")
    return {kind: folder / f"{kind}.html" for kind in sources}


# --- in a browser ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium of the system, driven by playwright; nothing is installed."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("no chromium on this system")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Opens the page of a kind; what it asks for and complains about is in ``page.trouble``."""
    contexts = []

    def open_page(kind: str, width: int = DESK, scheme: str = "light") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.trouble = []
        page.on("console", lambda message: page.trouble.append(message.text))
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("dialog", lambda dialog: page.trouble.append(dialog.message))
        page.on("request", lambda request: page.trouble.append(request.url))
        address = pages[kind].as_uri()
        page.goto(address)
        page.trouble.remove(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_and_fits_every_screen(opened: Any, kind: str) -> None:
    for width in (PHONE, DESK):
        page = opened(kind, width)
        for is_open in (True, False):
            page.evaluate(
                f"document.querySelectorAll('details').forEach(d => d.open = {json.dumps(is_open)})"
            )
            assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.trouble == []


@pytest.mark.parametrize(("kind", "wheels"), [("open", 5), ("basic", 5), ("sentiment", 0)])
def test_every_wheel_is_drawn_twice(opened: Any, kind: str, wheels: int) -> None:
    page = opened(kind)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.locator("details").count() == wheels
    for number in range(1, wheels + 1):
        for measure in ("recall", "precision"):
            name = f"Wheel {number}, each sector coloured by its {measure}"
            box = page.get_by_role("img", name=name, exact=True).bounding_box()
            assert box["width"] > 300 and abs(box["width"] - box["height"]) < 5
    pictures = page.locator("svg")
    assert pictures.count() == 3 * wheels + 1
    assert all(box["height"] > 100 for box in map(_box, pictures.all()))


def _box(picture: Any) -> dict[str, float]:
    return picture.bounding_box()


def test_words_on_the_wheels_can_be_read(opened: Any) -> None:
    page = opened("open")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = page.evaluate("""
        [...document.querySelectorAll('figure[aria-label*=sector] svg')].map(svg => {
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return [...svg.querySelectorAll('text')].map(text => [
                text.textContent.trim(), text.getComputedTextLength() * scale,
                parseFloat(getComputedStyle(text).fontSize) * scale]);
        })""")
    ring = 0.38 * 480 / 2
    assert len(found) == 15
    for words in found[::3] + found[1::3]:
        assert len(words) > 20
        for word, length, size in words:
            assert length < ring and size >= 9, (word, length, size)


def test_wheels_open_by_keyboard(opened: Any) -> None:
    page = opened("open")
    states = "[...document.querySelectorAll('details')].map(d => d.open)"
    assert page.evaluate(states) == [True, False, False, False, False]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(states) == [True, True, False, False, False]
    page.keyboard.press("Space")
    assert page.evaluate(states) == [True, False, False, False, False]


def luminance(colour: str) -> float:
    shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(s * w for s, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = """
    element => [getComputedStyle(element).color, getComputedStyle(element).fill]
"""


def test_dark_mode_is_another_page_and_both_have_contrast(opened: Any) -> None:
    papers = {}
    for scheme in ("light", "dark"):
        page = opened("open", scheme=scheme)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        papers[scheme] = paper
        for selector in ("body", ".soft", "th", ".card strong", "code", "td"):
            ink, _ = page.locator(selector).first.evaluate(COLOURS)
            assert contrast(ink, paper) >= 4.5, (scheme, selector, ink, paper)
        axis_title = page.locator("svg text", has_text="labels per clip").first
        assert contrast(axis_title.evaluate(COLOURS)[1], paper) >= 4.5
    assert contrast(*papers.values()) > 10


def test_text_of_others_is_text(opened: Any) -> None:
    page = opened("hostile")
    assert page.trouble == []
    assert page.title().startswith(SCRIPT) and page.title() != "hacked"
    assert page.locator("script, img, iframe, object, embed, link, base, a").count() == 0
    shown = page.locator("body").text_content()
    for word in (SCRIPT, IMAGE, TEMPLATE, TURNED, LONG[:100] + "…"):
        assert word in shown
    assert shown.count(LONG) == 1  # A subtitle is shown whole, labels and ids are cut.
    # What turns the direction of text keeps to its own word.
    assert page.locator("bdi", has_text=TURNED).count() >= 2
    assert page.get_by_text("and 26 more").count() == 5


# --- the source -----------------------------------------------------------------------------

VOID = {"meta", "link", "br", "hr", "img", "input", "base", "col", "source", "wbr"}


class Outline(HTMLParser):
    """Tags, ids and references of a page; every tag must be closed where HTML asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.references: set[str] = set()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), (tag, names)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name == "id":
                self.ids.append(value or "")
            self.references |= set(re.findall(r"url\(#([^)]*)\)", value or ""))
            if name in ("href", "xlink:href"):
                assert (value or "").startswith("#"), (tag, value)
                self.references.add((value or "")[1:])
            if "//" in (value or "") and not name.startswith("xmlns"):
                self.addresses.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack[-1] == tag, (tag, self.stack[-3:], self.getpos())
        self.stack.pop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_whole_and_its_ids_are_unique(sources: dict[str, str], kind: str) -> None:
    source = sources[kind]
    outline = Outline()
    outline.feed(source)
    outline.close()
    assert outline.stack == []
    assert source.startswith("<!doctype html>\n<html lang=") and source.endswith("</html>\n")
    for tag in ("html", "head", "title", "body", "header", "main", "h1"):
        assert outline.tags[tag] == 1, tag
    assert not outline.tags["script"] and not outline.tags["link"]
    assert len(set(outline.ids)) == len(outline.ids)
    assert outline.references <= set(outline.ids)
    assert outline.addresses == set()
    assert "http" not in re.sub(r'xmlns(?::\w+)?="[^"]*"', "", source).replace("http-equiv", "")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_shows_the_numbers_of_the_report(sources: dict[str, str], kind: str) -> None:
    report = evaluation(kind).report(draws=20)
    rows = re.findall(r"<tr[^>]*><th scope=\"row\">(.*?)</tr>", sources[kind])
    for score, row in zip(report.scores.values(), rows, strict=False):
        cells = re.findall(r'<td class="n">(.*?)</td>', row)
        assert cells[0] == percent(score.value)
        assert cells[-3:-1] == [percent(score.expected), percent(score.skill)]
    assert report.signature in sources[kind]


def test_ink_stands_out_on_every_colour_of_the_scale(sources: dict[str, str]) -> None:
    """Text in a wedge is black or white; so the better of the two must be good enough."""
    stops = re.findall(r"#\w{6}", scale())
    assert len(stops) == 11
    for stop in stops:
        paper = " ".join(str(int(stop[i : i + 2], 16)) for i in (1, 3, 5))
        assert max(contrast(paper, "0 0 0"), contrast(paper, "255 255 255")) >= 4.5
    fills = set(re.findall(r"fill: (#\w+|white|black)", sources["open"]))
    assert {"#ffffff"} <= fills or "white" in fills


def test_a_page_is_the_same_bytes_wherever_it_is_made(tmp_path: Path) -> None:
    gold = "".join(json.dumps(s.to_dict()) + "\n" for s in samples("open"))
    said = [{"id": f"clip{i}", "labels": labels} for i, labels in enumerate(SAID)]
    made = []
    for seed, zone in (("0", "UTC"), ("4242", "Asia/Shanghai")):
        folder = tmp_path / seed
        folder.mkdir()
        (folder / "gold.jsonl").write_text(gold, "utf-8")
        (folder / "p.jsonl").write_text("".join(json.dumps(s) + "\n" for s in said), "utf-8")
        done = run(
            *("score", "p.jsonl", "--gold", "gold.jsonl", "--draws", "20", "--html", "r.html"),
            cwd=folder,
            PYTHONHASHSEED=seed,
            TZ=zone,
        )
        assert (done.code, done.err) == (0, "wrote r.html\n")
        made.append((folder / "r.html").read_bytes())
    assert made[0] == made[1]
    assert str(tmp_path).encode() not in made[0]
