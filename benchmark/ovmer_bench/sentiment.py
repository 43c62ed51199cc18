"""Label sets -> positive, negative or neutral, by the valence of their labels."""

from __future__ import annotations

from collections.abc import Iterable

from .lexicon import Lexicon


def sentiment(labels: Iterable[str], lexicon: Lexicon) -> int:
    """+1, -1 or 0: the sign of the sum of the valences of distinct labels.

    A balanced set takes the sign of the first label that has one, since systems name the
    dominant feeling first; labels without a known valence say nothing; 0 where none speaks.
    """
    valences = [lexicon.lookup(label).valence or 0 for label in dict.fromkeys(labels)]
    total = sum(valences) or next(filter(None, valences), 0)
    return (total > 0) - (total < 0)
