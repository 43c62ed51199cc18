"""Signatures: one short string that names everything a number depends on.

In the manner of sacreBLEU (Post 2018, A Call for Clarity in Reporting BLEU Scores): two scores
are comparable if and only if their signatures are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import __version__

HASH_PREFIX = 8


@dataclass(frozen=True)
class Signature:
    """What a score depends on besides the predictions.

    Attributes:
        lexicon_id, lexicon_sha256: the lexicon and its content hash.
        parser: version of the label parser.
        extractor: id of what turned raw text into labels, ``none`` where labels were given.
        corpus, corpus_sha256: the corpus and its sample-set hash.
        scored, total: clips that count, and clips of the corpus.
        missing: clips without a prediction, scored as empty by request.
    """

    lexicon_id: str
    lexicon_sha256: str
    parser: str
    extractor: str
    corpus: str
    corpus_sha256: str
    scored: int
    total: int
    missing: int = 0

    def text(self, metric: str) -> str:
        """The signature of score ``metric``, ``key:value`` pairs joined by ``|``."""
        level, wheels = _scope(metric)
        parts = {
            "metric": metric,
            "level": level,
            "wheels": wheels,
            "lexicon": f"{self.lexicon_id}@{self.lexicon_sha256[:HASH_PREFIX]}",
            "parser": self.parser,
            "extractor": self.extractor,
            "corpus": f"{self.corpus}@{self.corpus_sha256[:HASH_PREFIX]}",
            "n": f"{self.scored}/{self.total}",
            "version": __version__,
        }
        if self.missing:
            parts["missing"] = f"{self.missing}-as-empty"
        return "|".join(f"{key}:{value}" for key, value in parts.items() if value)


def _scope(metric: str) -> tuple[str, str]:
    """Levels and wheels that a score reads; empty where it reads none."""
    if metric.startswith("M3-"):
        _, wheel, level = metric.split("-")
        return level[1:], wheel[1:]
    if metric.startswith(("hit_rate", "mscore")):
        return "1", metric.partition("-W")[2] or "1-5"
    levels = {"S1": "1", "S2": "2", "MER-FG": "1+2", "M-avg": "1+2"}.get(metric, "")
    return levels, "1-5" if levels else ""
