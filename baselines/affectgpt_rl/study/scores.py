"""What a study measures of each run, as functions of sums over clips.

=================  =========================================================================
``S1``             EW-F: F over the five wheels, level 1; ``S1/skill``: its chance-corrected form
``labels``         distinct labels a clip
``hits``           hit rate on the open gold, what the reward ``hit_rate`` pays
``hit_rate``       hit rate of the closed-set task: clips with one feeling, which is their gold;
                   ``hit_rate/skill``
``WAF``            weighted F1 of sentiment: gold is the sign of the mean valence of the gold
                   labels; ``WAF/skill``
=================  =========================================================================

All are read from the same answers by the ruler's own measures, and all are columns over the same
clips, so that any of them can be resampled and compared between runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from ovmer_bench import Lexicon, OvmerError, Sample, evaluate, load_corpus, load_lexicon
from ovmer_bench.corpora.ovmer_mini.generate import NAME, clip_of
from ovmer_bench.metrics.measures import BasicMeasure, Measure, SentimentMeasure, Values, point
from ovmer_bench.metrics.scoring import PredictionsLike
from ovmer_bench.metrics.sentiment import sentiment
from ovmer_bench.metrics.statistics import clip_statistics
from ovmer_bench.reading.readers import read_predictions

from ..rewards.hit_rate import HitRate
from .config import Score

Floats = NDArray[np.float64]
SCORES: tuple[Score, ...] = get_args(Score)


@dataclass(frozen=True)
class TaskGold:
    """Every gold of a task.

    Attributes:
        samples: clips with their open labels.
        feelings: of each clip the one feeling that is behind it, as a list; empty: several.
        valence: sign of the mean valence of its gold labels; 0: left out.
        lexicon: maps labels.
    """

    samples: tuple[Sample, ...]
    feelings: list[list[str]]
    valence: Floats
    lexicon: Lexicon

    @classmethod
    def of(cls, task: str, lexicon: str) -> TaskGold:
        """The gold of ``ovmer_mini``, whose clips know what is behind them.

        Raises:
            OvmerError: another task.
        """
        if task != NAME:
            raise OvmerError(
                f"is {task!r}, of whose clips only the open labels are known",
                field="evaluation.task",
                accepted=NAME,
            )
        samples = load_corpus(task).samples
        mapped_by = load_lexicon(lexicon)
        phases = [clip_of(sample.id).latent.phases for sample in samples]
        return cls(
            samples,
            [[clip[0].feeling] if len(clip) == 1 else [] for clip in phases],
            np.array([float(sentiment(s.labels or (), mapped_by)) for s in samples]),
            mapped_by,
        )


@dataclass(frozen=True)
class RunMeasure:
    """The scores of one run; main is ``S1``."""

    parts: tuple[Measure, ...]
    plain: Floats
    """Columns: 1, labels; whether gold stands on a wheel, hits."""
    main: str = "S1"

    @classmethod
    def of(cls, predictions: PredictionsLike, gold: TaskGold) -> RunMeasure:
        """Score answers to the task.

        Raises:
            OvmerError: clips are missing, or not of the task.
        """
        evaluation = evaluate(predictions, gold.samples, lexicon=gold.lexicon)
        labels = evaluation.labels
        signs = [float(sentiment(clip, gold.lexicon)) for clip in labels]
        hits = HitRate(gold.lexicon)
        said = list(zip(labels, (list(s.labels or ()) for s in gold.samples), strict=True))
        plain = [[1.0, len(set(p)), hits(g, g), hits(p, g)] for p, g in said]
        return cls(
            (
                evaluation.measure,
                BasicMeasure(clip_statistics(gold.feelings, labels, gold.lexicon)),
                SentimentMeasure(gold.valence, np.array(signs)),
            ),
            np.array(plain, np.float64),
        )

    def __len__(self) -> int:
        return len(self.plain)

    def columns(self, part: slice) -> Floats:
        """Columns of all parts, side by side."""
        return np.concatenate([*(one.columns(part) for one in self.parts), self.plain[part]], 1)

    def combine(self, sums: Floats) -> Values:
        """The scores of this module from column sums."""
        values: Values = {}
        first = 0
        for one, width in zip(self.parts, self._widths, strict=True):
            values |= one.combine(sums[..., first : first + width])
            first += width
        clips, labels, asked, hit = (sums[..., first + i] for i in range(4))
        values["labels"] = labels / np.maximum(clips, 1)
        values["hits"] = hit / np.maximum(asked, 1)
        return {name: values[name] for name in SCORES}

    @cached_property
    def _widths(self) -> list[int]:
        return [one.columns(slice(0, 1)).shape[1] for one in self.parts]


@dataclass(frozen=True)
class SeedsMeasure:
    """Runs of several seeds on the same clips, as one.

    Attributes:
        runs: one for each seed.
        apart: whether scores are kept apart, as ``S1@0``, ``S1@1``; else they are the means
            over the seeds.
    """

    runs: tuple[RunMeasure, ...]
    apart: bool
    main: str = "S1"

    def __len__(self) -> int:
        return len(self.runs[0])

    def columns(self, part: slice) -> Floats:
        """Columns of all runs, side by side."""
        return np.concatenate([run.columns(part) for run in self.runs], axis=1)

    def combine(self, sums: Floats) -> Values:
        """The scores of all runs, or their means."""
        widths = [run.columns(slice(0, 1)).shape[1] for run in self.runs]
        ends = np.cumsum([0, *widths])
        each = [run.combine(sums[..., ends[i] : ends[i + 1]]) for i, run in enumerate(self.runs)]
        if self.apart:
            return {f"{name}@{i}": one[name] for i, one in enumerate(each) for name in one}
        return {name: np.mean([one[name] for one in each], axis=0) for name in SCORES}


def measure_of(predictions: Path, gold: TaskGold) -> RunMeasure:
    """The scores of a prediction file."""
    return RunMeasure.of(read_predictions(predictions), gold)


def values_of(measure: RunMeasure) -> dict[Score, float]:
    """Every score of a run."""
    found = point(measure)
    return {name: found[name] for name in SCORES}
