"""Every number of the site as CSV and JSON, with its schema, and the feed of changes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from .board import Board, Change, Result, System, Table

SCHEMA_VERSION = 1
_DIGITS = 12
_TEXT, _NUMBER, _WHOLE, _FLAG = "string", "number", "integer", "boolean"
_NAMES = "array"

Columns = Mapping[str, tuple[str, str]]
"""Name -> (JSON type, meaning). In CSV, lists are joined by ``;`` and null is empty."""

TABLE: Columns = {
    "rank": (_WHOLE, "shared by systems that are not significantly different; null: not ranked"),
    "system": (_TEXT, "name of the system, unique"),
    "title": (_TEXT, "name for people"),
    "role": (_TEXT, "system, reference, content-free or published"),
    "evidence": (_TEXT, "rescored, verified or reported"),
    "value": (_NUMBER, "the score, a fraction of 1; null: not covered in full"),
    "low": (_NUMBER, "lower end of the 95 % interval of value"),
    "high": (_NUMBER, "upper end of the 95 % interval of value"),
    "skill": (_NUMBER, "chance-corrected score: 0 for any constant answer, 1 for gold"),
    "skill_low": (_NUMBER, "lower end of the 95 % interval of skill"),
    "skill_high": (_NUMBER, "upper end of the 95 % interval of skill"),
    "verbosity": (_NUMBER, "predicted labels per gold label"),
    "oov": (_NUMBER, "share of predicted labels that the lexicon does not know"),
    "beats_content_free": (_FLAG, "significantly above every content-free answer of the table"),
    "citation": (_TEXT, "where a reported number stands"),
}
SYSTEMS: Columns = {
    "name": (_TEXT, "unique name"),
    "title": (_TEXT, "name for people"),
    "role": (_TEXT, "system, reference, content-free or published"),
    "model": (_TEXT, "what it is built on"),
    "size": (_TEXT, "size as given"),
    "parameters": (_WHOLE, "size as a number of parameters"),
    "modalities": (_NAMES, "of audio, visual, text"),
    "training_data": (_NAMES, "corpora; empty: not trained; null: unknown"),
    "checkpoint_chosen_on_test": (_FLAG, "a checkpoint or setting was chosen on test data"),
    "code": (_TEXT, "address of the code"),
    "paper": (_TEXT, "address of the paper"),
    "command": (_TEXT, "how the predictions were made"),
    "decoding": (_TEXT, "decoding settings"),
    "licence": (_TEXT, "licence of the predictions"),
    "date": (_TEXT, "of the submission, YYYY-MM-DD"),
    "authors": (_TEXT, "who submitted it"),
    "notes": (_TEXT, "remarks of the submitter"),
    "citation": (_TEXT, "where reported numbers stand"),
}
SCORES: Columns = {
    "system": (_TEXT, "name of the system"),
    "task": (_TEXT, "id of the corpus"),
    "lexicon": (_TEXT, "id of the lexicon, or as-published"),
    "evidence": (_TEXT, "rescored, verified or reported"),
    "native": (_FLAG, "scored as the submission stands, as ovmer score does"),
    "score": (_TEXT, "name of the score"),
    "value": (_NUMBER, "the score, a fraction of 1"),
    "low": (_NUMBER, "lower end of its 95 % interval"),
    "high": (_NUMBER, "upper end of its 95 % interval"),
    "expected": (_NUMBER, "the score expected when answers are shuffled over clips"),
    "skill": (_NUMBER, "(value - expected) / (1 - expected)"),
    "precision": (_NUMBER, "mean precision, where the score has one"),
    "recall": (_NUMBER, "mean recall, where the score has one"),
    "signature": (_TEXT, "what the number depends on; null: reported only"),
}
CHANGES: Columns = {
    "date": (_TEXT, "YYYY-MM-DD"),
    "title": (_TEXT, "what changed"),
    "text": (_TEXT, "more about it"),
    "system": (_TEXT, "name of the system it is about"),
}
KINDS: Mapping[str, Columns] = {
    "table": TABLE, "systems": SYSTEMS, "scores": SCORES, "changes": CHANGES,
}  # fmt: skip


def data_files(board: Board) -> Iterator[tuple[str, bytes]]:
    """Path and content of every data file: tables, systems, scores, changes, schema, feed."""
    for table in board.tables:
        rows = [_table_row(board, table, row.system, asdict(row)) for row in table.rows]
        columns = table_columns(table)
        about = {k: getattr(table, k) for k in ("id", "task", "lexicon", "score", "signature")}
        yield from _both(f"data/tables/{table.id}", "table", columns, rows, about)
    yield from _both("data/systems", "systems", SYSTEMS, map(asdict, board.systems))
    yield from _both("data/scores", "scores", SCORES, _scores(board.results))
    yield from _both("data/changes", "changes", CHANGES, map(asdict, board.changes))
    yield "data/schema.json", json_bytes(schema())
    yield "feed.xml", feed(board.changes, board.systems).encode("utf-8")


def table_columns(table: Table) -> Columns:
    """Columns of a table's files: a mean of corpora has one more for each of them."""
    parts = {part: None for row in table.rows for part in row.parts}
    return {**TABLE, **{p: (_NUMBER, f"score on {p}, null: not covered") for p in parts}}


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the JSON files; each kind of file is a definition."""
    kinds = {}
    for kind, columns in KINDS.items():
        row = {
            name: {"type": [type_, "null"], "description": text}
            | ({"items": {"type": "string"}} if type_ == _NAMES else {})
            for name, (type_, text) in columns.items()
        }
        kinds[kind] = {
            "type": "object",
            "required": ["schema_version", "kind", "rows"],
            "properties": {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": kind},
                "rows": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": row,
                        "required": list(row),
                        "additionalProperties": {"type": ["number", "null"]},
                    },
                },
            },
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Data of the OV-MER leaderboard",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds],
        "$defs": kinds,
    }


def feed(changes: Sequence[Change], systems: Sequence[System]) -> str:
    """Atom feed of the changes, newest first."""
    known = {system.name for system in systems}
    newest = max((change.date for change in changes), default="1970-01-01")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        "<title>OV-MER leaderboard</title>",
        "<id>urn:ovmer:leaderboard</id>",
        "<author><name>OV-MER leaderboard</name></author>",
        f"<updated>{_moment(newest)}</updated>",
    ]
    seen: dict[str, int] = {}
    for change in reversed(changes):
        key = f"{change.date}:{change.system or 'board'}"
        seen[key] = seen.get(key, 0) + 1
        page = f"systems/{change.system}.html" if change.system in known else "index.html"
        entry = [
            "<entry>",
            f"<title>{escape(change.title)}</title>",
            f"<id>urn:ovmer:change:{escape(key)}:{seen[key]}</id>",
            f"<updated>{_moment(change.date)}</updated>",
            f"<link href={quoteattr(page)}/>",
            f"<summary>{escape(change.text)}</summary>",
            "</entry>",
        ]
        lines[6:6] = entry
    return "\n".join([*lines, "</feed>", ""])


def json_bytes(value: Any) -> bytes:
    """Deterministic JSON; numbers are finite, floats have twelve decimals."""
    text = json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n".encode()


def script_bytes(kind: str, name: str, value: Any) -> bytes:
    """A script that hands ``value`` to the page: a page from a file may load no JSON."""
    text = json.dumps(_plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f"ovmerData({json.dumps(kind)},{json.dumps(name)},{text});\n".encode()


def _both(
    path: str,
    kind: str,
    columns: Columns,
    rows: Iterable[Mapping[str, Any]],
    about: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, bytes]]:
    kept = [{name: row.get(name) for name in columns} for row in rows]
    head = {"schema_version": SCHEMA_VERSION, "kind": kind, **(about or {})}
    yield f"{path}.json", json_bytes({**head, "rows": kept})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in kept)
    yield f"{path}.csv", out.getvalue().encode("utf-8")


def _table_row(board: Board, table: Table, system: str, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **row["parts"], "title": board.system(system).title}


def _scores(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    for result in results:
        about = {k: getattr(result, k) for k in ("system", "task", "lexicon", "evidence", "native")}
        for score in result.scores.values():
            yield {**about, "score": score.name, **asdict(score)}


def _cell(value: Any) -> str:
    """A CSV cell; text that a spreadsheet would run as a formula is led by an apostrophe."""
    plain = _plain(value)
    if plain is None:
        return ""
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, (int, float)):
        return repr(plain)
    text = "; ".join(plain) if isinstance(plain, list) else str(plain)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _moment(date: str) -> str:
    return f"{escape(date)}T00:00:00Z"
