"""Emotion-wheel scores for open-vocabulary emotion recognition (OV-MER).

The public names below are loaded on first use, so importing the package costs nothing::

    from ovmer_bench import score
    report = score({"clip1": ["happy"]}, {"clip1": ["joyful", "relieved"]})
    report.scores["S1"].value
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_EXPORTS = {
    "OvmerError": "errors",
    "Lexicon": "lexicon",
    "load_lexicon": "lexicon",
    "load_corpus": "corpora.store",
    "Prediction": "schema",
    "Sample": "schema",
    "read_predictions": "readers",
    "extract_labels": "extraction",
    "parse_output": "parsing",
    "split_labels": "label_field",
    "sample_f": "clip_scores",
    "ClipScorer": "clip_scores",
    "compare": "comparison",
    "evaluate": "scoring",
    "score": "scoring",
    "ScoreReport": "score_report",
}

__all__ = [
    "ClipScorer",
    "Lexicon",
    "OvmerError",
    "Prediction",
    "Sample",
    "ScoreReport",
    "__version__",
    "compare",
    "evaluate",
    "extract_labels",
    "load_corpus",
    "load_lexicon",
    "parse_output",
    "read_predictions",
    "sample_f",
    "score",
    "split_labels",
]

if TYPE_CHECKING:
    from .clip_scores import ClipScorer, sample_f
    from .comparison import compare
    from .corpora.store import load_corpus
    from .errors import OvmerError
    from .extraction import extract_labels
    from .label_field import split_labels
    from .lexicon import Lexicon, load_lexicon
    from .parsing import parse_output
    from .readers import read_predictions
    from .schema import Prediction, Sample
    from .score_report import ScoreReport
    from .scoring import evaluate, score


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
