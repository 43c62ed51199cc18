"""Submissions for tests: small ones on embedded corpora, and corpora whose gold is licensed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.corpora.store import Corpus, save_corpus
from ovmer_bench.metrics.gold import Gold, as_gold
from ovmer_bench.reading.schema import Sample

META: dict[str, object] = {
    "title": "A system",
    "model": "a model",
    "size": "7B",
    "modalities": ["audio", "text"],
    "training_data": ["MER-Caption+"],
    "code": "https://example.org/code",
    "command": "predict --all",
    "decoding": "greedy",
    "checkpoint_chosen_on_test": False,
    "licence": "CC BY 4.0",
    "date": "2026-01-31",
}
WORDS = ("happy", "sad", "angry", "scared", "surprised", "disgusted", "calm", "proud")


def write_meta(path: Path, **changed: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({**META, **changed}, allow_unicode=True), "utf-8")
    return path


def write_lines(path: Path, items: Iterable[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf-8")
    return path


def submission(folder: Path, said: Mapping[str, Iterable[object]], **meta: object) -> Path:
    """A folder as ``ovmer submit`` would write it; ``said`` by corpus."""
    write_meta(folder / "meta.yaml", **meta)
    for corpus, items in said.items():
        write_lines(folder / "predictions" / f"{corpus}.jsonl", items)
    return folder


def noisy(corpus: str | Gold, right: float, seed: int = 0) -> list[dict[str, object]]:
    """The gold for a share of the clips, one random word for the others."""
    gold = as_gold(corpus)
    rng = np.random.default_rng(seed)
    said = []
    for clip, labels in zip(gold.ids, gold.labels, strict=True):
        is_right = rng.random() < right
        said.append({"id": clip, "labels": labels if is_right else [str(rng.choice(WORDS))]})
    return said


def licensed(name: str, n: int = 40) -> Corpus:
    """Import ``n`` made-up clips as a corpus whose gold stays with its owners."""
    info = CORPORA[name]
    rng = np.random.default_rng(len(name))
    return save_corpus(info, [_sample(info.kind, f"{name}_{i}", rng) for i in range(n)], [])


def _sample(kind: str, clip: str, rng: np.random.Generator) -> Sample:
    if kind == "open":
        return Sample(clip, labels=[str(w) for w in rng.choice(WORDS, 2, replace=False)])
    if kind == "basic":
        return Sample(clip, label=str(rng.choice(WORDS[:4])))
    return Sample(clip, valence=float(rng.choice([-1.0, 0.5, 2.0])))


def answers(corpus: Corpus, right: float, seed: int = 0) -> list[dict[str, object]]:
    """Predictions for a corpus of :func:`licensed`."""
    rng = np.random.default_rng([seed, 7])
    return [
        {"id": s.id, "labels": _right(s) if rng.random() < right else [str(rng.choice(WORDS))]}
        for s in corpus.samples
    ]


def _right(sample: Sample) -> Sequence[str]:
    if sample.kind == "sentiment":
        return ["happy"] if float(sample.valence or 0) > 0 else ["sad"]
    return list(sample.labels) if sample.labels is not None else [str(sample.label)]
