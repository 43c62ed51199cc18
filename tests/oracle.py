"""A slow, plain reading of docs/metrics.md, section 1, to hold the package against.

Nothing here comes from ``ovmer_bench``: sets are Python sets, means are sums divided by
counts, and expectations are taken over every pair of clips (or every shuffle) one by one.

``maps`` is ``(forms, words, wheels)``: form -> set of bases, base -> set of wheel words, and
five ``(level1, level2)`` dictionaries from wheel word to sector. A *label list* is a list of
lower-case strings. A metric is ``"M1"``, ``"M2"`` or ``"M3-Wk-Ll"``.
"""

from __future__ import annotations

import csv
from itertools import permutations
from pathlib import Path

METRICS = ("M1", "M2", *(f"M3-W{k}-L{level}" for k in range(1, 6) for level in (1, 2)))

Maps = tuple[dict[str, set[str]], dict[str, set[str]], list[tuple[dict[str, str], dict[str, str]]]]


# Reading


def labels_of(text: str) -> list[str]:
    """A written label list: one bracket off each end, split at ' " and comma, lower case."""
    if text.startswith("["):
        text = text[1:]
    if text.endswith("]"):
        text = text[:-1]
    for mark in "'\"":
        text = text.replace(mark, ",")
    labels = []
    for part in text.split(","):
        part = part.strip()
        if part:
            labels.append(part.lower().strip())
    return labels


def read_maps(folder: Path) -> Maps:
    """The three maps of the upstream files, cell by cell."""
    from openpyxl import load_workbook

    def table(name: str) -> list[dict[str, str]]:
        rows = list(load_workbook(folder / name).active.iter_rows(values_only=True))
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]

    forms: dict[str, set[str]] = {}
    with (folder / "format.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            forms.setdefault(row["name"], set()).add(row["name"])
            for form in labels_of(row["format"]):
                forms.setdefault(form, set()).add(row["name"])

    words: dict[str, set[str]] = {}
    for row in table("synonym.xlsx"):
        for run in range(1, 9):
            if row[f"word_run{run}"] is None:
                continue
            word = row[f"word_run{run}"].strip().lower()
            words.setdefault(word, set()).add(word)
            for synonym in labels_of(row[f"synonym_run{run}"] or ""):
                words.setdefault(synonym, set()).add(word)

    wheels = []
    for k in range(1, 6):
        level1: dict[str, str] = {}
        level2: dict[str, str] = {}
        middle_words: dict[str, list[str]] = {}
        inner = middle = ""
        for row in table(f"wheel{k}.xlsx"):
            inner = row["level1"].strip().lower() if row["level1"] else inner
            middle = row["level2"].strip().lower() if row["level2"] else middle
            outer = row["level3"].strip().lower()
            middle_words.setdefault(inner, []).append(middle)
            level1[inner] = level1[middle] = level1[outer] = inner
            level2[middle] = level2[outer] = middle
        for inner, middles in middle_words.items():
            level2[inner] = sorted(middles)[0]
        wheels.append((level1, level2))
    return forms, words, wheels


# Mapping


def mapped(label: str, metric: str, maps: Maps) -> str | None:
    """What one label becomes under a metric, ``None`` where it is dropped."""
    forms, words, wheels = maps
    bases = sorted(forms.get(label, set()))
    if not bases:
        return None
    if metric == "M1":
        return bases[0]
    if metric == "M2":
        first = sorted(words.get(bases[0], set()))
        return first[0] if first else None
    level1, level2 = wheels[int(metric[4]) - 1]
    everything = set()
    for base in bases:
        everything |= words.get(base, set())
    for word in sorted(everything):
        if word in level1:
            return (level1 if metric.endswith("L1") else level2)[word]
    return None


def mapped_set(labels: list[str], metric: str, maps: Maps) -> set[str]:
    """The set of what the labels become."""
    return {mapped(label, metric, maps) for label in labels} - {None}


# Open vocabulary


def clip_scores(gold: set[str], predicted: set[str]) -> tuple[float, float]:
    """Precision and recall of one clip whose mapped gold is not empty."""
    if not predicted:
        return 0.0, 0.0
    common = len(gold & predicted)
    return common / len(predicted), common / len(gold)


def harmonic(p: float, r: float) -> float:
    """2pr/(p+r), 0 where both are 0."""
    return 2 * p * r / (p + r) if p + r else 0.0


def kept_sets(
    gold: list[list[str]], predicted: list[list[str]], metric: str, maps: Maps
) -> list[tuple[set[str], set[str]]]:
    """Mapped gold and prediction of every clip that has any gold left."""
    pairs = []
    for g, p in zip(gold, predicted, strict=True):
        gold_set = mapped_set(g, metric, maps)
        if gold_set:
            pairs.append((gold_set, mapped_set(p, metric, maps)))
    return pairs


def corpus_f(
    gold: list[list[str]], predicted: list[list[str]], metric: str, maps: Maps
) -> tuple[float, float, float]:
    """F, precision and recall of a corpus: F of the mean precision and the mean recall."""
    return _corpus(kept_sets(gold, predicted, metric, maps))


def expected_f_over_pairs(
    gold: list[list[str]], predicted: list[list[str]], metric: str, maps: Maps
) -> tuple[float, float, float]:
    """F, P, R when every kept clip meets every kept clip's prediction, pair by pair."""
    pairs = kept_sets(gold, predicted, metric, maps)
    return _corpus([(g, p) for g, _ in pairs for _, p in pairs])


def expected_f_over_shuffles(
    gold: list[list[str]], predicted: list[list[str]], metric: str, maps: Maps
) -> tuple[float, float, float]:
    """The same from the mean P and R over every shuffle (n! of them: a few clips only)."""
    pairs = kept_sets(gold, predicted, metric, maps)
    golds = [g for g, _ in pairs]
    everything = []
    for order in permutations([p for _, p in pairs]):
        everything.extend(zip(golds, order, strict=True))
    return _corpus(everything)


def averages(f: dict[str, float]) -> dict[str, float]:
    """S1, S2, M-avg and MER-FG from the twelve F."""
    s1 = sum(f[f"M3-W{k}-L1"] for k in range(1, 6)) / 5
    s2 = sum(f[f"M3-W{k}-L2"] for k in range(1, 6)) / 5
    return {"S1": s1, "S2": s2, "M-avg": sum(f[m] for m in METRICS) / 12, "MER-FG": (s1 + s2) / 2}


def skill(score: float, expected: float) -> float:
    """(S - S0)/(1 - S0)."""
    return (score - expected) / (1 - expected)


def _corpus(pairs: list[tuple[set[str], set[str]]]) -> tuple[float, float, float]:
    if not pairs:
        return 0.0, 0.0, 0.0
    scores = [clip_scores(g, p) for g, p in pairs]
    precision = sum(p for p, _ in scores) / len(scores)
    recall = sum(r for _, r in scores) / len(scores)
    return harmonic(precision, recall), precision, recall


# Basic emotions


def basic(
    gold: list[str], predicted: list[list[str]], wheel: int, maps: Maps
) -> tuple[float, float]:
    """Hit rate and mscore on one wheel."""
    pairs, candidates = _basic_pairs(gold, predicted, wheel, maps)
    return _basic_means(pairs, candidates)


def expected_basic_over_pairs(
    gold: list[str], predicted: list[list[str]], wheel: int, maps: Maps
) -> tuple[float, float]:
    """Hit rate and mscore when every kept gold meets every kept clip's prediction."""
    pairs, candidates = _basic_pairs(gold, predicted, wheel, maps)
    return _basic_means([(g, p) for g, _ in pairs for _, p in pairs], candidates)


def _basic_pairs(
    gold: list[str], predicted: list[list[str]], wheel: int, maps: Maps
) -> tuple[list[tuple[str, set[str]]], set[str]]:
    metric = f"M3-W{wheel}-L1"
    pairs = []
    for word, labels in zip(gold, predicted, strict=True):
        sector = mapped(word, metric, maps)
        if sector is not None:
            pairs.append((sector, mapped_set(labels, metric, maps)))
    return pairs, {sector for sector, _ in pairs}


def _basic_means(pairs: list[tuple[str, set[str]]], candidates: set[str]) -> tuple[float, float]:
    if not pairs:
        return 0.0, 0.0
    hits = scores = 0.0
    for sector, said in pairs:
        if sector in said:
            hits += 1
            scores += 1 / len(said & candidates)
    return hits / len(pairs), scores / len(pairs)


# Sentiment


def sentiment(gold: list[float], predicted: list[int]) -> tuple[float, float]:
    """WAF and accuracy of (value > 0) over clips whose gold is not 0."""
    pairs = [(g > 0, p > 0) for g, p in zip(gold, predicted, strict=True) if g != 0]
    return _waf_and_accuracy(pairs)


def expected_sentiment_over_pairs(gold: list[float], predicted: list[int]) -> tuple[float, float]:
    """The same from the confusion matrix in which every gold meets every prediction."""
    pairs = [(g > 0, p > 0) for g, p in zip(gold, predicted, strict=True) if g != 0]
    return _waf_and_accuracy([(g, p) for g, _ in pairs for _, p in pairs])


def _waf_and_accuracy(pairs: list[tuple[bool, bool]]) -> tuple[float, float]:
    if not pairs:
        return 0.0, 0.0
    waf = 0.0
    for side in (True, False):
        right = sum(1 for g, p in pairs if g == side and p == side)
        truly = sum(1 for g, _ in pairs if g == side)
        said = sum(1 for _, p in pairs if p == side)
        precision = right / said if said else 0.0
        recall = right / truly if truly else 0.0
        waf += truly / len(pairs) * harmonic(precision, recall)
    return waf, sum(1 for g, p in pairs if g == p) / len(pairs)
