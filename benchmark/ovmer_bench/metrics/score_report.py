"""The result of scoring: plain data, written to and read from JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError
from ..files import read_text, write_text
from .significance import Interval
from .vocabulary import SideHealth, VocabularyHealth

REPORT_SCHEMA_VERSION = 1
_DIGITS = 12


@dataclass(frozen=True)
class Score:
    """One score of one system on one corpus, as fractions of 1.

    Attributes:
        name: ``S1``, ``M3-W1-L2``, ``hit_rate``, ``WAF``, ...
        value: the score.
        precision, recall: the means whose harmonic mean F is (their means over the parts for
            averages such as S1); ``None`` for scores that have none.
        expected: expectation of the score when predictions are shuffled over clips.
        skill: (value - expected) / (1 - expected).
        interval: 95 % bootstrap interval of the value.
        skill_interval: 95 % bootstrap interval of the skill, where it was drawn.
        signature: what the number depends on.
    """

    name: str
    value: float
    expected: float
    skill: float
    signature: str
    precision: float | None = None
    recall: float | None = None
    interval: Interval | None = None
    skill_interval: Interval | None = None


@dataclass(frozen=True)
class ScoreReport:
    """Scores of one prediction file on one corpus with everything needed to believe them.

    Attributes:
        system: name of the system, by default the file's stem.
        kind: ``open`` (emotion-wheel F), ``basic`` (hit rate) or ``sentiment`` (WAF).
        main: name of the score that ranks systems.
        scores: name -> :class:`Score`.
        corpus, corpus_sha256: corpus and sample-set hash.
        lexicon, lexicon_sha256: lexicon and content hash.
        n_total, n_scored, n_missing: clips of the corpus, clips that count, clips without a
            prediction.
        vocabulary: what the lexicon lost, labels per clip, verbosity.
        predictions_sha256: hash of the predicted labels, clip by clip.
        draws, seed: of the bootstrap; ``draws`` is 0 where none was asked for.
    """

    system: str
    kind: str
    main: str
    scores: Mapping[str, Score]
    corpus: str
    corpus_sha256: str
    lexicon: str
    lexicon_sha256: str
    parser: str
    extractor: str
    n_total: int
    n_scored: int
    n_missing: int
    vocabulary: VocabularyHealth
    predictions_sha256: str
    draws: int
    seed: int
    version: str = field(default=__version__)
    schema_version: int = REPORT_SCHEMA_VERSION

    @property
    def main_score(self) -> Score:
        """The score that ranks systems."""
        return self.scores[self.main]

    @property
    def signature(self) -> str:
        """Signature of the main score."""
        return self.main_score.signature

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; ``schema_version`` first, scores as a list."""
        data = asdict(self)
        data["scores"] = [asdict(score) for score in self.scores.values()]
        return {"schema_version": data.pop("schema_version"), **rounded(data)}

    def to_json(self) -> str:
        """Deterministic JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> None:
        """Write :meth:`to_json` to ``path``, whole or not at all."""
        write_text(path, self.to_json())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, file: str | Path | None = None) -> ScoreReport:
        """The inverse of :meth:`to_dict`.

        Raises:
            InputError: not a score report, or one of another schema version.
        """
        version = data.get("schema_version") if isinstance(data, Mapping) else None
        if version != REPORT_SCHEMA_VERSION:
            raise InputError(
                f"schema_version is {version!r}",
                file=file,
                field="schema_version",
                accepted=str(REPORT_SCHEMA_VERSION),
                hint="Write the report again with ovmer score --json.",
            )
        try:
            fields = dict(data)
            fields["scores"] = {s["name"]: _score(s) for s in fields["scores"]}
            fields["vocabulary"] = _vocabulary(fields["vocabulary"])
            report = cls(**fields)
            _check_numbers(report)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise InputError(f"not a score report: {error!r}", file=file) from None
        return report

    @classmethod
    def read(cls, path: str | Path) -> ScoreReport:
        """Read a report that :meth:`write` wrote."""
        try:
            data = json.loads(read_text(path), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise InputError(f"not JSON: {error}", file=path) from None
        return cls.from_dict(data, file=path)


def reports_json(reports: Sequence[ScoreReport], summary: Mapping[str, Any]) -> str:
    """JSON text of several reports and what sums them up; deterministic."""
    data = {
        "schema_version": REPORT_SCHEMA_VERSION,
        "summary": rounded(dict(summary)),
        "reports": [report.to_dict() for report in reports],
    }
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _score(data: Mapping[str, Any]) -> Score:
    fields = dict(data)
    for name in ("interval", "skill_interval"):
        if fields.get(name) is not None:
            fields[name] = Interval(**fields[name])
    return Score(**fields)


def _vocabulary(data: Mapping[str, Any]) -> VocabularyHealth:
    sides = {}
    for name in ("gold", "predicted"):
        side = data[name]
        if side is not None:
            words = tuple((word, count) for word, count in side["unknown_words"])
            side = SideHealth(**{**side, "unknown_words": words})
        sides[name] = side
    return VocabularyHealth(**sides, verbosity=data["verbosity"])


def _check_numbers(report: ScoreReport) -> None:
    for score in report.scores.values():
        numbers = [score.value, score.expected, score.skill]
        numbers += [x for x in (score.precision, score.recall) if x is not None]
        for interval in filter(None, (score.interval, score.skill_interval)):
            numbers += [interval.low, interval.high]
        for value in numbers:
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ValueError(f"{score.name} holds {value!r}")
    if report.main not in report.scores:
        raise KeyError(report.main)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def rounded(value: Any, digits: int = _DIGITS) -> Any:
    """JSON data with floats of so many decimals: the last bits of a sum's order reach no file."""
    if isinstance(value, float):
        return round(value, digits)
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    return value
