"""Reading and writing predictions, and gold given as a file.

What a file is is told by its name and, where the name does not say, by its content:

* JSON Lines: one prediction or sample a line (:mod:`.schema`), also as ``.jsonl.gz``;
* lm-eval ``samples_*.jsonl`` (``--log_samples``): the filtered response of each document;
* CSV: ``name`` or ``id``, and ``openset``, ``labels`` or ``output``;
* the ``.npz`` pairs of the AffectGPT releases: ``filenames`` and ``fileitems`` (label
  strings), or ``name2reason`` (raw output by clip).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..errors import InputError, did_you_mean
from ..files import as_text, read_bytes, written_whole
from .csv_tables import Table, read_table
from .gzipped import SUFFIX as GZIP
from .gzipped import gunzip
from .label_field import split_labels
from .schema import Prediction, Sample
from .strict_json import check_text, parse_json

if TYPE_CHECKING:
    from numpy import ndarray

Format = Literal["jsonl", "csv", "npz", "lm-eval"]

_Record = TypeVar("_Record", Prediction, Sample)
_Line = int | None

_SUFFIXES: Mapping[str, Format] = {
    **{".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".npz": "npz"},
}
_ACCEPTED = "JSON Lines, CSV with a header, .npz, lm-eval samples_*.jsonl"
MAX_UNPACKED = 200 * 2**20
"""Bytes that a compressed file may unfold to."""
_ID = ("id", "name")
_LABELS = ("labels", "openset")
_PAIR = ("filenames", "fileitems")
_REASONS = "name2reason"


@dataclass(frozen=True)
class PredictionFile:
    """A prediction file as read.

    Attributes:
        path: the file.
        format: ``jsonl``, ``csv``, ``npz`` or ``lm-eval``.
        predictions: in file order, ids unique.
        sha256: of the file's bytes.
        lines: where each prediction begins; ``None`` in a format without lines.
    """

    path: Path
    format: Format
    predictions: tuple[Prediction, ...]
    sha256: str
    lines: tuple[int | None, ...]


def read_predictions(path: str | Path, *, unpacked: int = MAX_UNPACKED) -> PredictionFile:
    """Predictions of a file in any of the formats of this module.

    Args:
        unpacked: bytes that a compressed file may unfold to.

    Raises:
        InputError: naming file, line and field: not one of the formats, empty, bad UTF-8, a
            missing column, a wrong type, an id twice, unfolding to too much.
    """
    path = Path(path)
    form = _format_of(path)
    if form == "npz":
        records = _npz_predictions(path)
    elif form == "csv":
        records = _csv_predictions(path)
    else:
        lines = _json_lines(path, unpacked)
        first = next(lines, None)
        items = lines if first is None else chain([first], lines)
        if first is not None and _is_lm_eval(first[1]):
            form, records = "lm-eval", _lm_eval_predictions(path, items)
        else:
            records = ((n, Prediction.from_dict(item, file=path, line=n)) for n, item in items)
    lines_and_predictions = _unique(path, records)
    return PredictionFile(
        path,
        form,
        predictions=tuple(prediction for _, prediction in lines_and_predictions),
        sha256=hashlib.sha256(read_bytes(path)).hexdigest(),
        lines=tuple(line for line, _ in lines_and_predictions),
    )


def read_gold(path: str | Path) -> tuple[Sample, ...]:
    """Samples of a gold file: JSON Lines, CSV (``name``, ``openset``) or an ``.npz`` pair.

    A CSV may carry ``label`` (one basic emotion) or ``valence`` in place of ``openset``. All
    samples of a file carry the same kind of gold.

    Raises:
        InputError: as :func:`read_predictions`, or gold of two kinds.
    """
    path = Path(path)
    form = _format_of(path)
    if form == "jsonl":
        return read_samples(path)
    records = _npz_gold(path) if form == "npz" else _csv_gold(path)
    return tuple(sample for _, sample in _unique(path, records))


def read_samples(path: str | Path, *, corpus: str = "", split: str = "") -> tuple[Sample, ...]:
    """Samples of a JSON Lines file; ``corpus`` and ``split`` fill in where a line has none.

    Raises:
        InputError: naming file, line and field; also for gold of two kinds in one file.
    """
    path = Path(path)
    records = (
        (n, Sample.from_dict(item, file=path, line=n, corpus=corpus, split=split))
        for n, item in _json_lines(path)
    )
    return tuple(sample for _, sample in _unique(path, records))


def write_predictions(path: str | Path, predictions: Iterable[Prediction]) -> None:
    """Write predictions as JSON Lines, whole or not at all."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as to:
        for prediction in predictions:
            line = json.dumps(prediction.to_dict(), ensure_ascii=False, allow_nan=False)
            to.write(line + "\n")


def _format_of(path: Path) -> Format:
    """The format of a file: its content where that is unmistakable, else its name."""
    start = read_bytes(path)[:4096]
    if start.startswith(b"PK\x03\x04"):
        return "npz"
    if path.suffix.lower() == GZIP:
        if _SUFFIXES.get(path.with_suffix("").suffix.lower()) != "jsonl":
            raise InputError("is compressed", file=path, accepted=".jsonl.gz", hint="Unpack it.")
        return "jsonl"
    if path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()]
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return "jsonl"
    columns = {c.strip(b' \t"').lower() for c in text.partition(b"\n")[0].strip().split(b",")}
    if columns & {b"id", b"name"}:
        return "csv"
    raise InputError(
        "is in no format that can be read" if text else "is empty",
        file=path,
        accepted=_ACCEPTED,
        hint=did_you_mean(path.suffix, _SUFFIXES) if path.suffix else None,
    )


def _json_lines(path: Path, unpacked: int = MAX_UNPACKED) -> Iterator[tuple[int, object]]:
    """Line number and value of every line that is not blank."""
    raw = read_bytes(path)
    if path.suffix.lower() == GZIP:
        raw = gunzip(raw, unpacked, path)
    for number, line in enumerate(as_text(raw, path).split("\n"), 1):
        text = line.strip()
        if text.startswith("[") and number == 1:
            raise InputError(
                "is a JSON array",
                file=path,
                line=number,
                accepted="JSON Lines, one object a line",
                hint="Write one object a line, for example with jq -c '.[]'.",
            )
        if text:
            yield number, parse_json(text, file=path, line=number)


def _unique(path: Path, records: Iterable[tuple[_Line, _Record]]) -> list[tuple[_Line, _Record]]:
    """The records, after making sure that there are any and that no id comes twice."""
    first: dict[str, _Line] = {}
    kept: list[tuple[_Line, _Record]] = []
    for line, record in records:
        if record.id in first:
            where = "" if first[record.id] is None else f", first on line {first[record.id]}"
            raise InputError(f"duplicate id {record.id!r}{where}", file=path, line=line, field="id")
        if isinstance(record, Sample) and kept and record.kind != kept[0][1].kind:
            raise InputError(
                f"gold of kind {record.kind!r} after gold of kind {kept[0][1].kind!r}",
                file=path,
                line=line,
                accepted="one kind of gold in a file",
            )
        first[record.id] = line
        kept.append((line, record))
    if not kept:
        raise InputError("holds no records", file=path, accepted=_ACCEPTED)
    return kept


def _is_lm_eval(item: object) -> bool:
    if not isinstance(item, dict) or "doc" not in item:
        return False
    return "resps" in item or "filtered_resps" in item


def _lm_eval_predictions(
    path: Path, items: Iterable[tuple[int, object]]
) -> Iterator[tuple[_Line, Prediction]]:
    """The one filtered response of every document that lm-eval 0.4 logged."""
    wanted: object = None
    for line, item in items:
        if not _is_lm_eval(item) or not isinstance(item, dict):
            raise InputError("is no lm-eval sample", file=path, line=line, accepted="doc, resps")
        wanted = item.get("filter") if wanted is None else wanted
        if item.get("filter") != wanted:
            raise InputError(
                f"filter {item.get('filter')!r} after filter {wanted!r}",
                file=path,
                line=line,
                field="filter",
                accepted="one filter in a file",
                hint="Keep the lines of the filter that is to be scored.",
            )
        doc = item["doc"]
        if not isinstance(doc, dict) or not any(name in doc for name in _ID):
            raise InputError(
                "missing", file=path, line=line, field="doc.id", accepted="the id of a clip"
            )
        said = {"id": doc[next(name for name in _ID if name in doc)]}
        output = _response(item.get("filtered_resps"), path, line)
        yield line, Prediction.from_dict(said | {"output": output}, file=path, line=line)


def _response(value: object, path: Path, line: int) -> str:
    """The one text in what lm-eval nests as requests of repeats."""
    for _ in range(2):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
    if isinstance(value, str):
        return value
    said = f"{len(value)} responses" if isinstance(value, list) else "no response"
    raise InputError(
        said,
        file=path,
        line=line,
        field="filtered_resps",
        accepted="one generated text for each document",
        hint="Log a generate_until task with the filter take_first.",
    )


def _csv_predictions(path: Path) -> Iterator[tuple[_Line, Prediction]]:
    table = read_table(path)
    clip = table.index(_ID)
    said = table.index((*_LABELS, "output"))
    raw = table.columns[said] == "output"
    for line, cells in table.rows:
        content = {"output": cells[said]} if raw else {"labels": split_labels(cells[said])}
        yield line, Prediction.from_dict({"id": cells[clip]} | content, file=path, line=line)


def _csv_gold(path: Path) -> Iterator[tuple[_Line, Sample]]:
    table = read_table(path)
    clip = table.index(_ID)
    said = table.index((*_LABELS, "label", "valence"))
    column = table.columns[said]
    for line, cells in table.rows:
        if column in _LABELS:
            gold: dict[str, object] = {"labels": split_labels(cells[said])}
        elif column == "label":
            gold = {"label": cells[said].strip()}
        else:
            gold = {"valence": _valence(table, line, cells[said])}
        yield line, Sample.from_dict({"id": cells[clip], **gold}, file=path, line=line)


def _valence(table: Table, line: int, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise InputError(
            f"{cell[:80]!r} is no number",
            file=table.path,
            line=line,
            field="valence",
            accepted="a finite number",
        ) from None


def _npz_predictions(path: Path) -> Iterator[tuple[_Line, Prediction]]:
    arrays = _npz_arrays(path, (_PAIR[0], _REASONS))
    if _PAIR[0] in arrays:
        for clip, labels in _npz_pairs(path, arrays):
            yield None, Prediction.from_dict({"id": clip, "labels": labels}, file=path)
        return
    content = arrays[_REASONS].item() if arrays[_REASONS].ndim == 0 else None
    if not isinstance(content, dict):
        raise InputError("is no dictionary", file=path, field=_REASONS, accepted="clip -> text")
    for clip, output in content.items():
        if not isinstance(clip, str) or not isinstance(output, str):
            raise InputError(
                f"clip {str(clip)[:80]!r}: not text", file=path, field=_REASONS, accepted="text"
            )
        check_text(clip + output, file=path, field=f"{_REASONS}[{clip[:80]}]")
        yield None, Prediction.from_dict({"id": str(clip), "output": str(output)}, file=path)


def _npz_gold(path: Path) -> Iterator[tuple[_Line, Sample]]:
    for clip, labels in _npz_pairs(path, _npz_arrays(path, _PAIR[:1])):
        yield None, Sample.from_dict({"id": clip, "labels": labels}, file=path)


def _npz_arrays(path: Path, wanted: tuple[str, ...]) -> Mapping[str, ndarray[Any, Any]]:
    """The arrays of a file that holds one of the ``wanted``."""
    from .npz import read_npz

    arrays = read_npz(path)
    if not any(name in arrays for name in wanted):
        corpus = any(name.endswith("_corpus") for name in arrays)
        raise InputError(
            f"holds the arrays {', '.join(sorted(arrays)[:10])}",
            file=path,
            accepted=" or ".join(wanted),
            hint="Run: ovmer data import NAME --from DIR, for label files." if corpus else None,
        )
    return arrays


def _npz_pairs(
    path: Path, arrays: Mapping[str, ndarray[Any, Any]]
) -> Iterator[tuple[str, list[str]]]:
    """Clip and labels of ``filenames`` and ``fileitems``."""
    if _PAIR[1] not in arrays:
        raise InputError("missing", file=path, field=_PAIR[1])
    names, items = (arrays[name] for name in _PAIR)
    if names.ndim != 1 or items.ndim < 1 or len(names) != len(items):
        raise InputError(
            f"filenames has shape {names.shape}, fileitems {items.shape}",
            file=path,
            accepted="one item for each name",
        )
    for position, (name, item) in enumerate(zip(names.tolist(), items.tolist(), strict=True)):
        place = f"fileitems[{position}]"
        if not isinstance(name, str):
            raise InputError("is no text", file=path, field=f"filenames[{position}]")
        try:
            labels = split_labels(item)
        except InputError as error:
            raise InputError(
                error.message, file=path, field=place, accepted=error.accepted
            ) from None
        check_text("".join([name, *labels]), file=path, field=place)
        yield str(name), labels
