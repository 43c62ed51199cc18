"""The feed: what was added and when, by the dates that people wrote down, never by a clock."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.errors import InputError
from ovmer_bench.submission import Submission
from ovmer_bench.submission.safety import check_shown
from ovmer_bench.submission.yaml import read_yaml

from .board import Change

CHANGES = "changes.yaml"
_FIELDS = ("date", "title", "text")
_MOST = 2**20


def changes(submissions: Iterable[Submission], file: Path) -> tuple[Change, ...]:
    """Entries of ``file`` (a list of date, title, text) and one for each submission.

    Newest first; of one day, those of the file first, then by name.

    Raises:
        InputError: an entry of another shape. A file that does not exist holds none.
    """
    entries = [_added(submission) for submission in submissions]
    if file.exists():
        written = read_yaml(file, most=_MOST)
        if not isinstance(written, list):
            raise InputError("is no list", file=file, accepted="- date: ..., title: ..., text: ...")
        entries += [_entry(item, file) for item in written]
    entries.sort(key=lambda change: (change.system or "", change.title))
    return tuple(sorted(entries, key=lambda change: change.date, reverse=True))


def _added(submission: Submission) -> Change:
    covered = ", ".join(CORPORA[task].title for task in submission.predictions)
    meta = submission.meta
    return Change(meta.date, f"{meta.title} added", f"Predictions for {covered}.", submission.name)


def _entry(item: object, file: Path) -> Change:
    if not isinstance(item, dict) or set(item) != set(_FIELDS):
        raise InputError("an entry is of another shape", file=file, accepted=", ".join(_FIELDS))
    for name in _FIELDS:
        if not isinstance(item[name], str):
            raise InputError("is no text", file=file, field=name)
    return Change(*(check_shown(item[name], name) for name in _FIELDS))
