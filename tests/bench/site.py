"""The site of 500 systems: build time, size, time to first paint in a real browser.

    python tests/bench/site.py [--systems 500] [--score] [--out DIR]

The systems are made up. Without ``--score`` their numbers are too (``tests/synthetic_board.py``);
with it, submissions are written and everything is scored and tested as for a real site.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from types import ModuleType

import numpy as np
from ovmer_bench.metrics.gold import as_gold
from ovmer_leaderboard.board import Board
from ovmer_leaderboard.collect import collect
from ovmer_leaderboard.site import build
from playwright.sync_api import sync_playwright

TESTS = Path(__file__).parent.parent
TASK = "ovmer_scenes"
PAGES = ("index.html", "compare.html", "data.html", "systems/system-000.html")
META = """schema_version: 1
title: {title}
kind: system
model: made up
size: 7B
modalities: [audio, visual, text]
training_data: []
code: null
command: none
decoding: none
checkpoint_chosen_on_test: false
licence: CC0
date: '2026-01-01'
paper: null
authors: null
notes: null
"""
VISITS = 5
PAINT_BUDGET = 1.0
"""Seconds to the first paint of any page."""
HOME_BUDGET = 2**20
"""Bytes of the home page with 500 systems."""
SYSTEM_BUDGET = 2**18
"""Bytes of the whole site for each system."""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Make the systems, then :func:`measure`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=500)
    parser.add_argument("--score", action="store_true", help="write and score submissions")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.out or Path(scratch) / "site"
        if arguments.score:
            board = scored_board(Path(scratch) / "submissions", arguments.systems)
        else:
            board = neighbour("synthetic_board").made_board(arguments.systems)
        measure(board, folder, arguments.systems)


def measure(board: Board, folder: Path, systems: int) -> None:
    """Build, print, and exit with 1 where a budget is exceeded."""
    start = time.perf_counter()
    build(board, folder)
    print(f"{systems} systems built in {time.perf_counter() - start:.1f} s")
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    per_system = sum(sizes) / systems
    print(f"{len(sizes)} files, {sum(sizes) / 2**20:.1f} MiB, {per_system / 1024:.0f} KiB a system")
    home = (folder / "index.html").stat().st_size
    pictures = next(folder.glob("results/*/*.html")).relative_to(folder).as_posix()
    paints = first_paints(folder, (*PAGES, pictures))
    for page, seconds in paints.items():
        size = (folder / page).stat().st_size / 1024
        print(f"{page}: {size:.0f} KiB, first paint {seconds:.2f} s")
    within = max(paints.values()) <= PAINT_BUDGET and home <= HOME_BUDGET
    if not (within and per_system <= SYSTEM_BUDGET):
        sys.exit("over budget")


def scored_board(folder: Path, systems: int) -> Board:
    """The board of made-up submissions to the embedded scenes, scored by the ruler."""
    gold = as_gold(TASK)
    everything = sorted({label for labels in gold.labels for label in labels})
    for i in range(systems):
        rng = np.random.default_rng(i)
        kept = rng.uniform(0.1, 0.9)
        lines = []
        for clip, labels in zip(gold.ids, gold.labels, strict=True):
            said = [label for label in labels if rng.uniform() < kept]
            said.append(everything[rng.integers(len(everything))])
            lines.append(json.dumps({"id": clip, "labels": list(dict.fromkeys(said))}))
        place = folder / f"system-{i:03d}"
        (place / "predictions").mkdir(parents=True)
        (place / "predictions" / f"{TASK}.jsonl").write_text("\n".join(lines) + "\n")
        (place / "meta.yaml").write_text(META.format(title=f"System {i}"))
    start = time.perf_counter()
    board = collect(folder)
    print(f"{systems} submissions scored and tested in {time.perf_counter() - start:.0f} s")
    return board


def first_paints(folder: Path, pages: Sequence[str]) -> dict[str, float]:
    """Median seconds to the first contentful paint of each page, each visit a new context."""
    found = {}
    with sync_playwright() as playwright, neighbour("browser").launched(playwright) as browser:
        for page_name in pages:
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
