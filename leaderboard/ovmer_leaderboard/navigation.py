"""Where things are: addresses of pages, and the switches and filters above a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from .board import AS_PUBLISHED, Board, Result, Table
from .views import SIZES, Line

_Found = tuple[str, Table | None, bool]
"""Title of a choice, the table it leads to, whether that is the present one."""


@dataclass(frozen=True)
class Choice:
    """One link of a switch; ``href`` is ``None`` where there is nothing to show."""

    title: str
    href: str | None
    current: bool = False


@dataclass(frozen=True)
class Switch:
    """A row of links of which one is the current page."""

    title: str
    choices: tuple[Choice, ...]


def home_table(board: Board) -> Table:
    """The table of the home page: the first whose numbers were not merely reported."""
    return next((table for table in board.tables if table.signature), board.tables[0])


def brief(title: str) -> str:
    """A task's title without what follows the comma: a heading of a narrow column."""
    return title.partition(",")[0]


def board_page(home: Table, table: Table) -> str:
    """Address of a table's page."""
    return "index.html" if table is home else f"boards/{table.id}.html"


def system_page(name: str) -> str:
    """Address of a system's page."""
    return f"systems/{name}.html"


def result_page(result: Result) -> str:
    """Address of the page with the pictures of a result."""
    return f"results/{result.system}/{result.task}.{result.lexicon}.html"


def has_page(result: Result) -> bool:
    """Whether a result has pictures to show."""
    return result.native and bool(result.sectors or result.predicted_counts)


def compare_link(a: str, b: str) -> str:
    """Address of the comparison of two systems."""
    return f"compare.html#a={quote(a, safe='')}&b={quote(b, safe='')}"


def lexicon_title(lexicon: str) -> str:
    """A lexicon's name for people."""
    return "as published" if lexicon == AS_PUBLISHED else lexicon


def switches(board: Board, home: Table, here: Table) -> list[Switch]:
    """Track, corpus, lexicon, score, signature: the choices that lead to other tables."""
    tracks: list[_Found] = []
    for track in board.tracks:
        inside = [table for table in board.tables if table.track == track.name]
        tracks.append((track.title, _nearest(inside, here), track.name == here.track))
    corpora: list[_Found] = []
    for name in next((track.tasks for track in board.tracks if track.name == here.track), ()):
        nearest = _nearest(board.tables_of(name), here)
        corpora.append((board.task(name).title, nearest, name == here.task))
    same_task = board.tables_of(here.task)
    lexicons: list[_Found] = []
    for name in dict.fromkeys(table.lexicon for table in same_task):
        nearest = _nearest([table for table in same_task if table.lexicon == name], here)
        lexicons.append((lexicon_title(name), nearest, name == here.lexicon))
    same_lexicon = [table for table in same_task if table.lexicon == here.lexicon]
    scores: list[_Found] = [(t.title, t, t.score == here.score) for t in same_lexicon if t.primary]
    alike = [table for table in same_lexicon if table.score == here.score]
    signatures: list[_Found] = [
        (f"{reading(board, t)} ({len(t.rows)})", t, t is here) for t in alike
    ]
    made = {
        "Track": tracks,
        "Corpus": corpora,
        "Lexicon": lexicons,
        "Score": scores,
        "Signature": signatures,
    }
    return [
        Switch(title, tuple(_choice(home, *found) for found in choices))
        for title, choices in made.items()
        if len(choices) > 1
    ]


def _choice(home: Table, title: str, table: Table | None, current: bool) -> Choice:
    return Choice(title, None if table is None else board_page(home, table), current)


def _nearest(tables: Sequence[Table], like: Table) -> Table | None:
    """Of ``tables`` the one most like the present one, ``None`` of none."""

    def unlike(table: Table) -> tuple[bool, ...]:
        return (
            table.task != like.task,
            table.lexicon != like.lexicon,
            table.score != like.score,
            table is not like,
            not table.primary,
            table.signature is None,
        )

    return min(tables, key=unlike, default=None)


def reading(board: Board, table: Table) -> str:
    """What tells ``table`` from those that differ in nothing but the signature; else nothing."""
    same = board.tables_of(table.task, table.lexicon)
    alike = [_fields(t) for t in same if t.score == table.score]
    if len(alike) < 2:
        return ""
    mine = _fields(table)
    told = [key for key in mine if any(other.get(key) != mine[key] for other in alike)]
    return ", ".join(_told(key, mine[key]) for key in told) or "another signature"


def _fields(table: Table) -> dict[str, str]:
    """The parts of a signature by name."""
    return dict(part.partition(":")[::2] for part in (table.signature or "").split("|") if part)


def _told(key: str, value: str) -> str:
    if key != "extractor":
        return f"{key} {value}"
    return "labels as submitted" if value == "none" else f"labels read by {value}"


def filters(lines: Sequence[Line]) -> list[tuple[str, str, str, list[str]]]:
    """Name, title, first choice and values of each filter that has a choice to offer."""
    reads = sorted({" + ".join(line.system.modalities) or "nothing" for line in lines})
    trained = sorted({name for line in lines for name in line.system.training_data or ()})
    nothing = any(line.system.training_data == () for line in lines)
    sizes = [name for name in SIZES if any(line.sizes == name for line in lines)]
    evidence: list[str] = sorted({line.row.evidence for line in lines})
    made: list[tuple[str, str, str, list[str]]] = [
        ("reads", "Reads", "anything", reads),
        ("size", "Size", "any size", sizes),
        ("train", "Trained on", "anything", [*(["nothing"] if nothing else []), *trained]),
        ("evidence", "Evidence", "any", evidence),
    ]
    return [item for item in made if len(item[3]) > 1]


def summary(board: Board) -> list[Table]:
    """The main table of every task that has rows: built-in lexicon first, then as published."""
    made: list[Table] = []
    for name in (name for track in board.tracks for name in track.tasks):
        main = [
            table
            for table in board.tables_of(name)
            if table.primary and table.score == board.task(name).main
        ]
        made += main[:1]
        made += [table for table in main[1:] if table.lexicon == AS_PUBLISHED]
    return made
