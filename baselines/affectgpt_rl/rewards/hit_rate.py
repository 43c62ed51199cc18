"""The hit rate of one clip, as published for closed-set corpora, on open-vocabulary gold."""

from __future__ import annotations

from collections.abc import Iterable

from ovmer_bench import Lexicon

_WHEELS = range(1, 6)


class HitRate:
    """Share of the wheels on which an answer hits.

    On a wheel, an answer hits where the level-1 sector of any of its labels is that of any gold
    label. Wheels on which no gold label stands are left out; where none is left the hit rate is
    0. With one gold label this is the hit rate of MER-UniBench (docs/metrics.md, Basic emotions)
    for one clip: wrong labels cost nothing, so that an answer with a label from every sector
    always earns 1, whatever is felt.

    Args:
        lexicon: maps labels.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._places: dict[str, tuple[str | None, ...]] = {}

    def __call__(self, predicted: Iterable[str], gold: Iterable[str]) -> float:
        """The hit rate, in [0, 1]."""
        wanted, said = self._sectors(gold), self._sectors(predicted)
        asked = [k for k, sectors in enumerate(wanted) if sectors]
        hits = sum(bool(wanted[k] & said[k]) for k in asked)
        return hits / len(asked) if asked else 0.0

    def _sectors(self, labels: Iterable[str]) -> list[set[str]]:
        found: list[set[str]] = [set() for _ in _WHEELS]
        for label in labels:
            place = self._places.get(label)
            if place is None:
                pairs = self._lexicon.lookup(label.strip().lower()).sectors
                place = self._places[label] = tuple(level1 for level1, _ in pairs)
            for sectors, sector in zip(found, place, strict=True):
                if sector is not None:
                    sectors.add(sector)
        return found
