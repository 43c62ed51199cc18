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
    "Prediction": "reading.schema",
    "Sample": "reading.schema",
    "read_predictions": "reading.readers",
    "extract_labels": "parsing.extraction",
    "parse_output": "parsing",
    "split_labels": "reading.label_field",
    "sample_f": "metrics.clip_scores",
    "ClipScorer": "metrics.clip_scores",
    "compare": "metrics.comparison",
    "evaluate": "metrics.scoring",
    "score": "metrics.scoring",
    "ScoreReport": "metrics.score_report",
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
    from .corpora.store import load_corpus
    from .errors import OvmerError
    from .lexicon import Lexicon, load_lexicon
    from .metrics.clip_scores import ClipScorer, sample_f
    from .metrics.comparison import compare
    from .metrics.score_report import ScoreReport
    from .metrics.scoring import evaluate, score
    from .parsing import parse_output
    from .parsing.extraction import extract_labels
    from .reading.label_field import split_labels
    from .reading.readers import read_predictions
    from .reading.schema import Prediction, Sample


def __getattr__(name: str) -> object:
    if name in _EXPORTS:
        return getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_EXPORTS])
