"""Imported corpora on disk, embedded ones in the package, and the guard between train and test.

An imported corpus is a folder ``corpora/NAME`` of the data home: a ``manifest.json`` that says
what it was made of, and the samples file that the manifest names by its hash. An import that is
cut short leaves the earlier corpus whole, since the manifest is replaced last. Where a user's
media of its clips lie stands beside it (:mod:`.media_store`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from ..errors import CorpusError, InputError, did_you_mean
from ..files import data_home, read_bytes, read_text, write_text
from ..reading.readers import read_samples
from ..reading.schema import SCHEMA_VERSION, Sample
from ..reading.strict_json import parse_json
from .media_folder import Found, Kind, find_media
from .media_store import MediaIndex, read_index, write_index
from .registry import CORPORA, CorpusInfo, corpus_info

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class Corpus:
    """A corpus with its samples.

    Attributes:
        info: facts of the registry.
        samples: in official order.
        sha256: sample-set hash (:func:`sample_set_sha256`).
        manifest: what it was made of; empty for an embedded corpus.
    """

    info: CorpusInfo
    samples: tuple[Sample, ...]
    sha256: str
    manifest: Mapping[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def ids(self) -> tuple[str, ...]:
        """Clip ids in official order."""
        return tuple(sample.id for sample in self.samples)

    def sample(self, clip: str) -> Sample:
        """The sample with id ``clip``; :class:`CorpusError` where there is none."""
        for sample in self.samples:
            if sample.id == clip:
                return sample
        raise CorpusError(
            f"{self.info.name} holds no clip {clip!r}", hint=did_you_mean(clip, self.ids)
        )


def load_corpus(name: str) -> Corpus:
    """An embedded or imported corpus, checked against its manifest.

    Samples of an imported corpus carry the media that were attached, as absolute paths.

    Raises:
        CorpusError: unknown, not imported, damaged or altered.
    """
    info = corpus_info(name)
    if info.embedded:
        return _load_embedded(info)
    corpus = _load_imported(info)
    index = read_index(corpus_folder(info), info.name)
    return replace(corpus, samples=tuple(map(index.attached, corpus.samples)))


@dataclass(frozen=True)
class Attached:
    """What :func:`attach_media` did.

    Attributes:
        corpus: with all media that are now attached.
        found: what lay below the folder.
    """

    corpus: Corpus
    found: Found


def attach_media(
    name: str,
    root: str | Path,
    *,
    kinds: Sequence[Kind] | None = None,
    replace_all: bool = False,
) -> Attached:
    """Remember where the media of an imported corpus lie; nothing is copied or decoded.

    Args:
        name: an imported corpus.
        root: folder of files that are called after clips (:func:`~.media_folder.find_media`).
        kinds: what to take from it; ``None``: all.
        replace_all: forget what was attached before. Otherwise that stays, save what was found
            anew.

    Raises:
        CorpusError: unknown, embedded or not imported.
        MediaError: the folder cannot be taken as it is; what was attached stays.
    """
    info = corpus_info(name)
    if info.embedded:
        raise CorpusError(f"{info.name} is part of the package; it takes no media")
    corpus = _load_imported(info)
    folder = corpus_folder(info)
    before = MediaIndex() if replace_all else read_index(folder, info.name)
    found = find_media(corpus.ids, root, kinds=kinds)
    index = before.with_found(found)
    write_index(folder, info.name, index)
    samples = tuple(map(index.attached, corpus.samples))
    return Attached(replace(corpus, samples=samples), found)


def verify(name: str) -> Corpus:
    """Check a corpus from its bytes up: what :func:`load_corpus` does, and its count.

    Raises:
        CorpusError: as :func:`load_corpus`, or another number of clips than the registry
            says, unless the import recorded that this was allowed.
    """
    corpus = load_corpus(name)
    allowed = corpus.manifest.get("allow_count") is True
    if len(corpus) != corpus.info.n and not allowed:
        raise CorpusError(f"{corpus.info.name} has {len(corpus):,} clips, not {corpus.info.n:,}")
    return corpus


def imported() -> tuple[str, ...]:
    """Names of the corpora that have been imported, in registry order."""
    return tuple(
        name
        for name, info in CORPORA.items()
        if not info.embedded and (corpus_folder(info) / MANIFEST_FILE).is_file()
    )


def corpus_folder(info: CorpusInfo) -> Path:
    """Where an imported corpus is kept."""
    return data_home() / "corpora" / info.name


def samples_path(info: CorpusInfo, samples_sha256: str) -> Path:
    """The samples file whose bytes have this hash."""
    return corpus_folder(info) / f"samples-{samples_sha256[:12]}.jsonl"


def sample_set_sha256(samples: Iterable[Sample]) -> str:
    """Hash of clip ids and gold, whatever the order of clips and labels.

    Subtitles, clues and media do not enter: they change what a system sees, not what its
    answer is measured against.
    """
    lines = sorted((sample.id, _canonical(sample)) for sample in samples)
    digest = hashlib.sha256()
    for line in lines:
        digest.update((json.dumps(line, ensure_ascii=True) + "\n").encode("ascii"))
    return digest.hexdigest()


def save_corpus(
    info: CorpusInfo, samples: Sequence[Sample], sources: Sequence[Mapping[str, object]]
) -> Corpus:
    """Store an imported corpus; the same samples and sources give the same bytes."""
    lines = [json.dumps(sample.to_dict(), ensure_ascii=False) + "\n" for sample in samples]
    text = "".join(lines)
    samples_sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    sha256 = sample_set_sha256(samples)
    manifest: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "name": info.name,
        "n": len(samples),
        "expected_n": info.n,
        "allow_count": len(samples) != info.n,
        "sha256": sha256,
        "samples_sha256": samples_sha256,
        "with_subtitle": sum(1 for sample in samples if any(sample.subtitle.values())),
        "with_description": sum(1 for sample in samples if sample.description),
        "sources": list(sources),
    }
    path = samples_path(info, samples_sha256)
    write_text(path, text)
    write_text(
        path.with_name(MANIFEST_FILE), json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    )
    for stale in path.parent.glob("samples-*.jsonl"):
        if stale != path:
            stale.unlink()
    return Corpus(info, tuple(samples), sha256, manifest)


def check_disjoint(train: Corpus | Iterable[str], tests: Iterable[Corpus]) -> None:
    """Make sure that no clip trained on is a clip tested on.

    Args:
        train: a corpus, or the ids of the clips to train on.
        tests: corpora that the trained system is to be scored on.

    Raises:
        CorpusError: naming every test corpus concerned, the number of shared ids and the
            first ten of them.
    """
    name = train.info.name if isinstance(train, Corpus) else "the training set"
    ids = set(train.ids if isinstance(train, Corpus) else train)
    found = []
    for test in tests:
        shared = [clip for clip in test.ids if clip in ids]
        if shared:
            more = f" and {len(shared) - 10:,} more" if len(shared) > 10 else ""
            found.append(
                f"{len(shared):,} clips of {test.info.name}: {', '.join(shared[:10])}{more}"
            )
    if found:
        raise CorpusError(
            f"{name} holds {'; '.join(found)}",
            hint="Leave them out of training, or do not score on that corpus.",
        )


def _canonical(sample: Sample) -> list[str] | str | float:
    gold = sample.gold
    if isinstance(gold, (str, float)):
        return gold
    return sorted(set(gold))


def _load_embedded(info: CorpusInfo) -> Corpus:
    if info.name == "ovmer_mini":
        from .ovmer_mini.generate import samples as generated

        made = generated(info.split, info.n)
        return Corpus(info, made, sample_set_sha256(made))
    folder = resources.files(__package__) / info.name
    parts = sorted((p for p in folder.iterdir() if p.name.endswith(".jsonl")), key=lambda p: p.name)
    samples: list[Sample] = []
    for part in parts:
        with resources.as_file(part) as path:
            samples.extend(read_samples(path, corpus=info.name, split=info.split))
    if not samples or len({sample.id for sample in samples}) < len(samples):
        raise CorpusError(
            f"{info.name}: the installed package is damaged (no clips, or two with one id)",
            hint="Install it again.",
        )
    return Corpus(info, tuple(samples), sample_set_sha256(samples))


def _load_imported(info: CorpusInfo) -> Corpus:
    folder = corpus_folder(info)
    if not (folder / MANIFEST_FILE).is_file():
        raise CorpusError(
            f"corpus {info.name!r} is not imported",
            hint=f"Run: ovmer data import {info.name} --from DIR, with the files published at"
            f" {info.published[0]}",
        )
    again = f"Run again: ovmer data import {info.name} --from DIR"
    try:
        manifest = parse_json(read_text(folder / MANIFEST_FILE), file=folder / MANIFEST_FILE)
        if not isinstance(manifest, dict) or manifest.get("schema_version") != SCHEMA_VERSION:
            raise CorpusError("is of another version", file=folder / MANIFEST_FILE, hint=again)
        recorded = str(manifest.get("samples_sha256"))
        path = samples_path(info, recorded)
        if hashlib.sha256(read_bytes(path)).hexdigest() != recorded:
            raise CorpusError("does not match its manifest", file=path, hint=again)
        samples = read_samples(path, corpus=info.name, split=info.split)
    except InputError as error:
        raise CorpusError(
            f"damaged: {error.message}", file=error.file, line=error.line, hint=again
        ) from None
    sha256 = sample_set_sha256(samples)
    expected = (info.name, len(samples), sha256)
    if (manifest.get("name"), manifest.get("n"), manifest.get("sha256")) != expected:
        raise CorpusError("does not match its samples", file=folder / MANIFEST_FILE, hint=again)
    return Corpus(info, samples, sha256, manifest)
