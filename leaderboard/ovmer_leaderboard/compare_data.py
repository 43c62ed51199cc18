"""What the page that compares two systems loads: one script for each system and corpus."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .board import Board, Table
from .data_files import script_bytes
from .navigation import board_page, home_table, lexicon_title, reading

_UNITS = 10_000
"""Differences and p-values are written as whole numbers of 1/10,000."""


def compare_files(board: Board) -> Iterator[tuple[str, bytes]]:
    """Path and content of the scripts.

    ``data/compare/boards.js`` lists the tables and the systems tested in each. A system's
    script holds its scores, its tests against the systems listed before it (three whole
    numbers each: both ends of the interval of *it minus the other*, and corrected p), and its
    answers; a corpus' script holds its clips.
    """
    home = home_table(board)
    tested = [table for table in board.tables if table.pairs is not None]
    yield (
        "data/compare/boards.js",
        script_bytes("boards", "", {table.id: _table(board, home, table) for table in tested}),
    )
    for system in board.systems:
        tables = [t for t in tested if t.pairs and system.name in t.pairs.systems]
        if tables:
            content = {
                "title": system.title,
                "tables": {table.id: _standing(table, system.name) for table in tables},
                "answers": _answers(board, system.name),
            }
            path = f"data/compare/system.{system.name}.js"
            yield path, script_bytes("system", system.name, content)
    for task in board.tasks:
        if task.clips:
            clips = [
                {"id": c.id, "gold": list(c.gold), "subtitle": c.subtitle.get("en", "")}
                for c in task.clips
            ]
            corpus = {"title": task.title, "clips": clips}
            yield f"data/compare/corpus.{task.name}.js", script_bytes("corpus", task.name, corpus)


def _table(board: Board, home: Table, table: Table) -> dict[str, Any]:
    pairs = table.pairs
    return {
        "corpus": board.task(table.task).title,
        "score": table.title,
        "lexicon": lexicon_title(table.lexicon),
        "reading": reading(board, table),
        "page": board_page(home, table),
        "alpha": pairs.alpha if pairs else None,
        "systems": list(pairs.systems) if pairs else [],
    }


def _standing(table: Table, name: str) -> dict[str, Any]:
    pairs = table.pairs
    row = next(row for row in table.rows if row.system == name)
    tests: list[int] = []
    if pairs is not None:
        i = pairs.systems.index(name)
        for j in range(i):
            tests += [round(float(end[j, i]) * _UNITS) for end in (pairs.low, pairs.high)]
            # Down, so that what is below the level of the table stays below it.
            tests.append(math.floor(float(pairs.p_corrected[j, i]) * _UNITS))
    return {"value": row.value, "rank": row.rank, "skill": row.skill, "tests": tests}


def _answers(board: Board, name: str) -> dict[str, Any]:
    """Answers by corpus, of the first lexicon that has them; F in thousandths."""
    found: dict[str, Any] = {}
    for result in board.results_of(name):
        if result.answers and result.task not in found:
            found[result.task] = {
                "lexicon": result.lexicon,
                "f": [None if a.f is None else round(1000 * a.f) for a in result.answers],
                "labels": [list(a.labels) for a in result.answers],
                "more": [a.more for a in result.answers],
            }
    return found
