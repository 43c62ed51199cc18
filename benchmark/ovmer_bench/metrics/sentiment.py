"""Label sets -> positive, negative or neutral, by the valence of their labels."""

from __future__ import annotations

from collections.abc import Iterable

from ..lexicon import Lexicon


def sentiment(labels: Iterable[str], lexicon: Lexicon) -> int:
    """+1, -1 or 0: the sign of the sum of the valences of distinct labels.

    Labels without a known valence say nothing. A balanced set is 0, neutral; the scores, which
    ask whether a clip is positive, read that as no, as people do who weigh mixed feelings
    (Rozin & Royzman 2001, Negativity Bias, Negativity Dominance, and Contagion).
    """
    total = sum(lexicon.lookup(label).valence or 0 for label in dict.fromkeys(labels))
    return (total > 0) - (total < 0)
