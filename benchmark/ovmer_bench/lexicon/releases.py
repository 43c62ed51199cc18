"""The published releases of the official lexicon, and a folder held against one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import LexiconError
from .tables import FORMS_FILE, MAPPING_FILE, SHEET_FILES, SYNONYMS_FILE, WHEEL_FILES


@dataclass(frozen=True)
class Release:
    """One upstream release of the lexicon.

    Attributes:
        files: file name -> sha256 of the file as published.
        repository: GitHub repository, ``owner/name``.
        folder: folder of the repository in which the files lie.
        counts: forms, bases and wheel words of the compiled lexicon.
        sha256: hash of the compiled maps (``lexicon_tables.content_sha256``).
    """

    files: Mapping[str, str]
    repository: str
    folder: str
    counts: Mapping[str, int]
    sha256: str


_SHARED_FILES = {
    SYNONYMS_FILE: "23f81f9ab1d2418aaf96775304fb5dc52c62bb5d5ef652a97471d045fc9d2e29",
    WHEEL_FILES[0]: "e70485d354b82a7491ff24648273182a5f4f13f92c76e6b3e4f9033f5e6afcc1",
    WHEEL_FILES[1]: "acc001e076a8e60440361f58dd8c05ed900c4890c84bb7d8d1df93708a7d9c87",
    WHEEL_FILES[2]: "d62f30bf88c17c55876634cd088eacaef98278fc25457474364439872f9dbf83",
    WHEEL_FILES[3]: "660260561b7fe15550f3679a01e7c783608ce3403d4c28db0a88520f68d83aea",
    WHEEL_FILES[4]: "2dd4595b2cf8e7628ca06a416a8e38ac831614b244f23d1ae613dc34007649f1",
}

RELEASES: dict[str, Release] = {
    "affectgpt-2025": Release(
        files={
            FORMS_FILE: "ba6de7d61db8e129d1d7ef8a2aae22a9e93a2c2e3e683e6f2735d04455f016f2",
            **_SHARED_FILES,
        },
        repository="zeroQiaoba/AffectGPT",
        folder="AffectGPT/emotion_wheel",
        counts={"forms": 7386, "bases": 1255, "wheel_words": 253},
        sha256="1306ded5535b305869a449125d756870d4e249c14d8615580842f40f954b569f",
    ),
    "affectgpt-2026": Release(
        files={
            FORMS_FILE: "82234299875465ecf6c196ace42ffbe745baaeea72b5e39de955af36929982a4",
            **_SHARED_FILES,
            MAPPING_FILE: "4cb21790c3392a14fb2ace6d1b7ed63e38c708872621a1c75b8872808211427b",
        },
        repository="zeroQiaoba/MERTools",
        folder="MER2026/MER2026_Track2/emotion_wheel",
        counts={"forms": 7356, "bases": 1255, "wheel_words": 253},
        sha256="839c14fd6d510702dc67a0babd02bba6b5f2f27109f922a79ccf50e5b425764b",
    ),
}
"""Lexicon id -> release (docs/lexicons.md)."""


@dataclass(frozen=True)
class FileCheck:
    """One file of a release: the hash it should have and the one it has (``None``: absent)."""

    name: str
    expected: str
    actual: str | None

    @property
    def status(self) -> str:
        """``verified``, ``different`` or ``missing``."""
        if self.actual is None:
            return "missing"
        return "verified" if self.actual == self.expected else "different"


@dataclass(frozen=True)
class FolderCheck:
    """A folder held against a release.

    Attributes:
        lexicon_id: the release asked for, else the one most of the files belong to.
        files: one check for each file of the release.
        counts: what the folder compiles to; ``None`` where it does not compile.
        fault: why it does not compile.
    """

    lexicon_id: str
    files: tuple[FileCheck, ...]
    counts: Mapping[str, int] | None = None
    fault: str | None = None

    @property
    def verified(self) -> bool:
        """Every file there is the published one, and they suffice to compile the lexicon."""
        status = {file.name: file.status for file in self.files}
        if "different" in status.values():
            return False
        whole = all(status[name] == "verified" for name in SHEET_FILES)
        return whole or status.get(MAPPING_FILE) == "verified"

    def differences(self) -> list[str]:
        """One line for each file that is not the published one, and one for the counts."""
        lines = []
        for file in self.files:
            if file.status == "different":
                found = (file.actual or "")[:12]
                lines.append(f"{file.name} has sha256 {found}, expected {file.expected[:12]}")
            elif file.status == "missing":
                lines.append(f"{file.name} is missing")
        if self.counts is not None:
            known = RELEASES[self.lexicon_id].counts
            compared = (
                f"{self.counts[name]} {name.replace('_', ' ')} ({self.counts[name] - count:+d})"
                for name, count in known.items()
            )
            lines.append("it compiles to " + ", ".join(compared))
        elif self.fault is not None:
            lines.append(f"it does not compile: {self.fault}")
        return lines


class UnverifiedLexicon(LexiconError):
    """Files are not those of the release; :attr:`check` says file by file what differs."""

    check: FolderCheck
