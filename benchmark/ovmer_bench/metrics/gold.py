"""The gold side of scoring: a corpus, a file of samples, or a plain mapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..corpora.store import Corpus, load_corpus, sample_set_sha256
from ..errors import InputError
from ..reading.label_field import split_labels
from ..reading.readers import read_gold
from ..reading.schema import Sample
from .statistics import Floats


@dataclass(frozen=True)
class Gold:
    """Gold of one corpus, in corpus order.

    Attributes:
        name: corpus name, or ``custom``.
        kind: ``open``, ``basic`` or ``sentiment``.
        samples: the clips.
        sha256: sample-set hash: ids and gold, order-free.
    """

    name: str
    kind: str
    samples: tuple[Sample, ...]
    sha256: str

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Clip ids in corpus order."""
        return tuple(sample.id for sample in self.samples)

    @cached_property
    def labels(self) -> list[list[str]]:
        """Gold labels of every clip; empty lists where gold is a valence."""
        if self.kind == "open":
            return [split_labels(sample.labels) for sample in self.samples]
        if self.kind == "basic":
            return [split_labels([sample.label]) for sample in self.samples]
        return [[] for _ in self.samples]

    @cached_property
    def valence(self) -> Floats:
        """Gold valence of every clip of a sentiment corpus, shape (N,)."""
        return np.array([sample.valence for sample in self.samples], np.float64)


GoldLike = Gold | Corpus | Sequence[Sample] | Mapping[str, Sequence[str]] | str | Path


def as_gold(source: GoldLike) -> Gold:
    """Gold from a corpus name, a corpus, a file (JSONL, CSV, npz), samples or a mapping.

    A string is a corpus name, a :class:`~pathlib.Path` a file.

    Raises:
        CorpusError: unknown or not imported corpus.
        InputError: unreadable file, no clip, repeated ids, or several kinds of gold.
    """
    if isinstance(source, Gold):
        return source
    if isinstance(source, str):
        source = load_corpus(source)
    if isinstance(source, Corpus):
        return Gold(source.info.name, source.info.kind, source.samples, source.sha256)
    if isinstance(source, Path):
        return _checked(read_gold(source), file=source)
    if isinstance(source, Mapping):
        source = [Sample(id=key, labels=as_list(labels)) for key, labels in source.items()]
    return _checked(source)


def as_list(labels: Sequence[str]) -> Sequence[str]:
    """An array or a tuple as a list; what is no sequence of labels is left to the record's check.

    A string is one: taken apart, it would pass as labels of one letter.
    """
    is_several = isinstance(labels, Iterable) and not isinstance(labels, (str, bytes, Mapping))
    return list(labels) if is_several else labels


def _checked(samples: Sequence[Sample], file: Path | None = None) -> Gold:
    if not samples:
        raise InputError("holds no clip", file=file)
    if len({sample.id for sample in samples}) < len(samples):
        raise InputError("two samples have one id", file=file)
    kinds = sorted({sample.kind for sample in samples})
    if len(kinds) > 1:
        raise InputError(
            f"gold of several kinds: {', '.join(kinds)}",
            file=file,
            accepted="one of labels, label, valence throughout",
        )
    return Gold("custom", kinds[0], tuple(samples), sample_set_sha256(samples))
