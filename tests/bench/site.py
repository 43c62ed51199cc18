"""The site of 500 systems: build time, size, time to first paint in a real browser.

    python tests/bench/site.py [--systems 500] [--out DIR]

The systems are made up (``tests/synthetic_board.py``): scoring is measured elsewhere.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import ModuleType

from ovmer_leaderboard.site import build
from playwright.sync_api import sync_playwright

TESTS = Path(__file__).parent.parent
PAGES = ("index.html", "compare.html", "data.html", "systems/system-000.html",
         "results/system-000/made_scenes.ovmer.html")  # fmt: skip
VISITS = 5
PAINT_BUDGET = 1.0
"""Seconds to the first paint of any page."""
HOME_BUDGET = 2**20
"""Bytes of the home page with 500 systems."""
SYSTEM_BUDGET = 2**18
"""Bytes of the whole site for each system."""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Measure, print, and exit with 1 where a budget is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=500)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp()) if arguments.out is None else None
    folder = arguments.out or scratch / "site"
    board = neighbour("synthetic_board").made_board(arguments.systems)
    start = time.perf_counter()
    build(board, folder)
    print(f"{arguments.systems} systems built in {time.perf_counter() - start:.1f} s")
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    per_system = sum(sizes) / arguments.systems
    print(f"{len(sizes)} files, {sum(sizes) / 2**20:.1f} MiB, {per_system / 1024:.0f} KiB a system")
    home = (folder / "index.html").stat().st_size
    paints = first_paints(folder)
    for page, seconds in paints.items():
        size = (folder / page).stat().st_size / 1024
        print(f"{page}: {size:.0f} KiB, first paint {seconds:.2f} s")
    if scratch is not None:
        shutil.rmtree(scratch)
    within = max(paints.values()) <= PAINT_BUDGET and home <= HOME_BUDGET
    if not (within and per_system <= SYSTEM_BUDGET):
        sys.exit("over budget")


def first_paints(folder: Path) -> dict[str, float]:
    """Median seconds to the first contentful paint of each page, each visit a new context."""
    found = {}
    with sync_playwright() as playwright, neighbour("browser").launched(playwright) as browser:
        for page_name in PAGES:
            times = []
            for _ in range(VISITS):
                context = browser.new_context(viewport={"width": 1360, "height": 900})
                page = context.new_page()
                page.goto((folder / page_name).absolute().as_uri())
                while (painted := page.evaluate(_PAINT)) is None:
                    page.wait_for_timeout(20)
                times.append(painted / 1000)
                context.close()
            found[page_name] = median(times)
    return found


def neighbour(name: str) -> ModuleType:
    """A module of the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
