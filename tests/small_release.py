"""A small lexicon release in the upstream file formats, with every quirk of them in it.

The words are weather and colours, so nothing here can be mistaken for a real lexicon.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from openpyxl import Workbook
from ovmer_bench.lexicon.releases import Release

FORMS = [
    ("sunny", "sunny, sunnily,sunniest"),
    ("misty", "['misty', 'mist', 'dim']"),
    ("grey", "Greyish, dim"),
    ("cloudy", "clouded"),
    ("wordless", ""),
]
"""``dim`` belongs to two bases; ``wordless`` has no forms; quotes and brackets vary."""

SYNONYMS = {
    1: [("Bright", "sunny, shining"), ("fog", "misty")],
    2: [("bright", "Sunny"), ("Drizzle", "misty, grey")],
    8: [("azure ", " cloudy , grey"), ("storm", None)],
}
"""Runs of different length; cells with capitals and blanks around them."""

WHEELS = [
    [
        (" Fair ", "Warm", "Bright"),
        (None, "Azure", "Breeze"),
        ("Foul", "Wet", "Drizzle"),
        (None, None, "Fog"),
        (None, "Wild", "Storm"),
    ],
    [("Foul", "Wet", "Bright"), (None, "Dull", "Fog"), ("Fair", "Warm", "Bright")],
    [("Fair", "Bright", "Bright")],
    [("Foul", "Storm", "Fog"), ("Fair", "Azure", "Breeze")],
    [("Foul", "Wet", "Drizzle"), (None, "Dull", "Storm"), ("Fair", "Azure", "Bright")],
]
"""Wheel 2 prints ``bright`` twice (the later place wins), wheel 3 one word on two rings."""

COUNTS = {"forms": 11, "bases": 5, "wheel_words": 12}


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def write_xlsx(path: Path, rows: Sequence[Sequence[object]]) -> None:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)


def write_sheets(folder: Path) -> Path:
    """``format.csv``, ``synonym.xlsx`` and five wheels."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "format.csv", [("name", "format"), *FORMS])
    write_xlsx(folder / "synonym.xlsx", synonym_rows())
    for k, rows in enumerate(WHEELS, start=1):
        write_xlsx(folder / f"wheel{k}.xlsx", [("level1", "level2", "level3"), *rows])
    return folder


def synonym_rows() -> list[list[str | None]]:
    rows: list[list[str | None]] = [
        [f"{kind}_run{run}" for run in range(1, 9) for kind in ("word", "synonym")]
    ]
    for index in range(2):
        row: list[str | None] = []
        for run in range(1, 9):
            row.extend(SYNONYMS[run][index] if run in SYNONYMS else (None, None))
        rows.append(row)
    return rows


def mapping_arrays() -> dict[str, object]:
    """What ``wheel_mapping.npz`` of this release holds, written by hand."""
    return {
        "format_mapping": {
            "sunny": ["sunny", "sunny"],
            "sunnily": ["sunny"],
            "sunniest": ["sunny"],
            "misty": ["misty"],
            "mist": ["misty"],
            "dim": ["misty", "grey"],
            "grey": ["grey"],
            "greyish": ["grey"],
            "cloudy": ["cloudy"],
            "clouded": ["cloudy"],
            "wordless": ["wordless"],
        },
        "raw_mapping": {
            "bright": ["bright"],
            "sunny": ["bright"],
            "shining": ["bright"],
            "fog": ["fog"],
            "misty": ["fog", "drizzle"],
            "drizzle": ["drizzle"],
            "grey": ["drizzle", "azure"],
            "azure": ["azure"],
            "cloudy": ["azure"],
            "storm": ["storm"],
        },
        "wheel_map_whole": {
            "wheel1": {
                "level1": {
                    "fair": "fair",
                    "warm": "fair",
                    "bright": "fair",
                    "azure": "fair",
                    "breeze": "fair",
                    "foul": "foul",
                    "wet": "foul",
                    "drizzle": "foul",
                    "fog": "foul",
                    "wild": "foul",
                    "storm": "foul",
                },
                "level2": {
                    "fair": "azure",
                    "warm": "warm",
                    "bright": "warm",
                    "azure": "azure",
                    "breeze": "azure",
                    "foul": "wet",
                    "wet": "wet",
                    "drizzle": "wet",
                    "fog": "wet",
                    "wild": "wild",
                    "storm": "wild",
                },
            },
            "wheel2": {
                "level1": {
                    "foul": "foul",
                    "wet": "foul",
                    "bright": "fair",
                    "dull": "foul",
                    "fog": "foul",
                    "fair": "fair",
                    "warm": "fair",
                },
                "level2": {
                    "foul": "dull",
                    "wet": "wet",
                    "bright": "warm",
                    "dull": "dull",
                    "fog": "dull",
                    "fair": "warm",
                    "warm": "warm",
                },
            },
            "wheel3": {
                "level1": {"fair": "fair", "bright": "fair"},
                "level2": {"fair": "bright", "bright": "bright"},
            },
            "wheel4": {
                "level1": {
                    "foul": "foul",
                    "storm": "foul",
                    "fog": "foul",
                    "fair": "fair",
                    "azure": "fair",
                    "breeze": "fair",
                },
                "level2": {
                    "foul": "storm",
                    "storm": "storm",
                    "fog": "storm",
                    "fair": "azure",
                    "azure": "azure",
                    "breeze": "azure",
                },
            },
            "wheel5": {
                "level1": {
                    "foul": "foul",
                    "wet": "foul",
                    "drizzle": "foul",
                    "dull": "foul",
                    "storm": "foul",
                    "fair": "fair",
                    "azure": "fair",
                    "bright": "fair",
                },
                "level2": {
                    "foul": "dull",
                    "wet": "wet",
                    "drizzle": "wet",
                    "dull": "dull",
                    "storm": "dull",
                    "fair": "azure",
                    "azure": "azure",
                    "bright": "azure",
                },
            },
        },
    }


def write_mapping(folder: Path, arrays: dict[str, object] | None = None) -> Path:
    """``wheel_mapping.npz`` as upstream writes it: dictionaries as object arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "wheel_mapping.npz", **(mapping_arrays() if arrays is None else arrays))
    return folder


def release_of(folder: Path, content_sha256: str) -> Release:
    """The release whose files are those now in ``folder``."""
    files = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}
    return Release(files, "someone/weather", "kit/emotion_wheel", COUNTS, content_sha256)
