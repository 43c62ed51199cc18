"""Lexicon files that lie: one clean error each, at little cost."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_release
from ovmer_bench.errors import InputError, OvmerError
from ovmer_bench.lexicon import tables as lexicon_tables
from ovmer_bench.lexicon.upstream import compile_folder

SMALL = "weather-1"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small release, sheets and mapping."""
    folder = small_release.write_sheets(tmp_path / "release")
    return small_release.write_mapping(folder)


def spoilt(small: Path, name: str, write: Callable[[Path], object]) -> str:
    """The one-line error that a spoilt file gives."""
    (small / "wheel_mapping.npz").unlink()
    write(small / name)
    with pytest.raises(OvmerError) as caught:
        compile_folder(small, SMALL)
    message = str(caught.value)
    assert "\n" not in message
    assert name in message
    return message


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder"),
        (text(""), "field 'name'"),
        (text("name\nsunny\n"), "field 'format'"),
        (text("name,format\n"), "holds no forms"),
        (text("name,format\nsunny\n"), ":2: row has 1 fields"),
        (text("name,format\n ,sunny\n"), ":2, field 'name': empty base"),
        (lambda path: path.write_bytes(b"name,format\nb\xe9,b\n"), ":2: byte 0xe9 is not UTF-8"),
        (text("name,format\nsunny," + "x" * 200_000 + "\n"), "is not CSV"),
        (text("name,format\n" + "x" * (9 << 20)), "too many"),
    ],
)
def test_bad_forms(small: Path, write: Callable[[Path], object], said: str) -> None:
    assert said in spoilt(small, "format.csv", write)


@pytest.mark.parametrize("size", [0, 1, 100, 3000, -1])
def test_truncated_workbook(small: Path, size: int) -> None:
    raw = (small / "synonym.xlsx").read_bytes()
    message = spoilt(small, "synonym.xlsx", lambda path: path.write_bytes(raw[:size]))
    assert "is not a readable Excel workbook" in message


def test_every_single_bad_byte_is_an_error_or_harmless(small: Path) -> None:
    """Flip bytes all over a workbook: it still reads, or it is one clean error."""
    (small / "wheel_mapping.npz").unlink()
    path = small / "wheel1.xlsx"
    raw = path.read_bytes()
    outcomes = set()
    for at in range(0, len(raw), 97):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :])
        try:
            compile_folder(small, SMALL)
            outcomes.add("reads")
        except OvmerError as error:
            assert "wheel1.xlsx" in str(error)
            outcomes.add("refused")
    assert outcomes == {"reads", "refused"}


def rewritten(part: str, edit: Callable[[str], str]) -> Callable[[Path], None]:
    """Rewrite one part of a workbook."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        assert part in parts
        parts[part] = edit(parts[part].decode()).encode()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)

    return write


SHEET = "xl/worksheets/sheet1.xml"


def test_zip_bomb(small: Path) -> None:
    bomb = rewritten(SHEET, lambda xml: xml + " " * (64 << 20))
    assert "unpacks to" in spoilt(small, "wheel2.xlsx", bomb)


def test_too_many_parts(small: Path) -> None:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "a") as archive:
            for n in range(300):
                archive.writestr(f"part{n}", "x")

    assert "parts" in spoilt(small, "wheel2.xlsx", write)


@pytest.mark.timeout(60)
def test_entity_bomb(small: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    doctype = f'<!DOCTYPE x [<!ENTITY e0 "aaaaaaaaaa">{entities}]>'

    def edit(xml: str) -> str:
        body = xml[xml.index("<worksheet") :] if "<worksheet" in xml else xml
        return doctype + body.replace("<sheetData>", "<sheetData><row><c><v>&e11;</v></c></row>")

    spoilt(small, "wheel2.xlsx", rewritten(SHEET, edit))


def test_far_away_cell_does_not_fill_a_million_rows(small: Path) -> None:
    (small / "wheel_mapping.npz").unlink()
    before = compile_folder(small, SMALL).sha256
    far = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'

    def edit(xml: str) -> str:
        assert "</sheetData>" in xml
        return re.sub(r"<dimension[^>]*>", "", xml).replace("</sheetData>", far)

    rewritten(SHEET, edit)(small / "wheel2.xlsx")
    assert compile_folder(small, SMALL).sha256 == before
    # What is kept of the sheet, counted: a clock would tell the host's mood.
    assert len(lexicon_tables._sheet(small / "wheel2.xlsx")) <= 5_000


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "field 'level1'"),
        ([("level1", "level3")], "field 'level2'"),
        ([("level1", "level2", "level3")], "holds no wheel"),
        ([("level1", "level2", "level3"), (None, "wet", "fog")], "field 'level1'"),
        ([("level1", "level2", "level3"), ("foul", "wet", 3)], "3 is not text"),
    ],
)
def test_bad_wheel(small: Path, rows: list[tuple[object, ...]], said: str) -> None:
    assert said in spoilt(small, "wheel3.xlsx", lambda path: small_release.write_xlsx(path, rows))


def test_synonyms_without_a_run(small: Path) -> None:
    rows = [row[:14] for row in small_release.synonym_rows()]
    message = spoilt(small, "synonym.xlsx", lambda path: small_release.write_xlsx(path, rows))
    assert "field 'word_run8'" in message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a.pop("raw_mapping"), "raw_mapping"),
        (lambda a: a["wheel_map_whole"].pop("wheel3"), "wheel3"),
        (lambda a: a["wheel_map_whole"]["wheel3"].pop("level2"), "level2"),
        (lambda a: a["wheel_map_whole"]["wheel3"]["level1"].pop("bright"), "different words"),
        (lambda a: a.update(format_mapping={}), "is not a filled dictionary"),
        (lambda a: a.update(format_mapping=[1, 2]), "is not a filled dictionary"),
        (lambda a: a["format_mapping"].update(dim="grey"), "no list of words"),
        (lambda a: a["format_mapping"].update(dim=[]), "no list of words"),
        (lambda a: a["format_mapping"].update(dim=[3]), "3 is not a word"),
        (lambda a: a["raw_mapping"].update({7: ["fog"]}), "7 is not a word"),
    ],
)
def test_bad_mapping(tmp_path: Path, change: Callable[[dict], object], said: str) -> None:
    arrays = small_release.mapping_arrays()
    change(arrays)
    small_release.write_mapping(tmp_path, arrays)
    with pytest.raises(InputError) as caught:
        compile_folder(tmp_path, SMALL)
    assert said in str(caught.value)
    assert "wheel_mapping.npz" in str(caught.value)


def test_mapping_that_is_no_npz(tmp_path: Path) -> None:
    (tmp_path / "wheel_mapping.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(OvmerError, match=r"wheel_mapping\.npz"):
        compile_folder(tmp_path, SMALL)


class Intruder:
    """A pickle that would make a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_pickle_in_the_mapping_is_not_run(tmp_path: Path) -> None:
    arrays = small_release.mapping_arrays()
    arrays["raw_mapping"]["fog"] = Intruder(tmp_path / "was-here")  # type: ignore[index]
    small_release.write_mapping(tmp_path, arrays)
    with pytest.raises(InputError, match="mkdir"):
        compile_folder(tmp_path, SMALL)
    assert not (tmp_path / "was-here").exists()
