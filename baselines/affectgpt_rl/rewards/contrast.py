"""What an answer would earn on any clip: its expected accuracy over the training gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ovmer_bench import Lexicon

_WHEELS = range(1, 6)


class TrainingGold:
    """The gold of all training clips, kept as counts of sector sets.

    The accuracy of one clip is the mean, over the wheels on which its gold stands, of
    2|G∩P| / (|G| + |P|). Its expectation over the clips is therefore a sum over wheels and over
    the *distinct* sector sets of gold on that wheel, of which there are a few dozen whatever the
    number of clips. The result is exact, and each (wheel, set of predicted sectors) is computed
    once.

    Args:
        gold: the label list of every training clip. Clips whose labels stand on no wheel can
            earn nothing and are left out.
        lexicon: maps labels.
    """

    def __init__(self, gold: Iterable[Sequence[str]], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._places: dict[str, tuple[int, ...]] = {}
        self._bits = [
            {sector: 1 << i for i, sector in enumerate(lexicon.sectors(k, 1))} for k in _WHEELS
        ]
        self._weights: list[Counter[int]] = [Counter() for _ in _WHEELS]
        self._known: list[dict[int, float]] = [{0: 0.0} for _ in _WHEELS]
        self.clips = 0
        for sets, count in Counter(self._sets(labels) for labels in gold).items():
            stands_on = [k for k, members in enumerate(sets) if members]
            self.clips += count if stands_on else 0
            for k in stands_on:
                # Counts in 60ths: 60 is divisible by 1 to 5, so the sums stay exact.
                self._weights[k][sets[k]] += count * (60 // len(stands_on))

    def stands(self, labels: Iterable[str]) -> bool:
        """Whether any of ``labels`` stands on a wheel."""
        return any(self._sets(labels))

    def expected_accuracy(self, labels: Iterable[str]) -> float:
        """Mean accuracy of an answer with these labels over all clips, in [0, 1]."""
        if not self.clips:
            return 0.0
        total = 0.0
        for k, predicted in enumerate(self._sets(labels)):
            value = self._known[k].get(predicted)
            if value is None:
                value = self._known[k][predicted] = self._sum(k, predicted)
            total += value
        return total / (60 * self.clips)

    def _sum(self, wheel: int, predicted: int) -> float:
        size = predicted.bit_count()
        return sum(
            weight * 2 * (gold & predicted).bit_count() / (gold.bit_count() + size)
            for gold, weight in self._weights[wheel].items()
        )

    def _sets(self, labels: Iterable[str]) -> tuple[int, ...]:
        a = b = c = d = e = 0
        for label in labels:
            place = self._places.get(label)
            if place is None:
                place = self._place(label)
            a, b, c, d, e = a | place[0], b | place[1], c | place[2], d | place[3], e | place[4]
        return a, b, c, d, e

    def _place(self, label: str) -> tuple[int, ...]:
        sectors = self._lexicon.lookup(label.strip().lower()).sectors
        place = tuple(
            0 if level1 is None else bits[level1]
            for bits, (level1, _) in zip(self._bits, sectors, strict=True)
        )
        self._places[label] = place
        return place
