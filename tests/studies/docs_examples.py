"""Worked examples of ``docs/``: what becomes of an answer, wheel by wheel, and of a score.

Sets and shares are computed here from the lexicon alone, by the definitions that the pages
print; the totals come from the package. Where the two disagree, generation fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ovmer_bench import load_corpus, load_lexicon, parse_output, sample_f, score
from ovmer_bench.corpora.registry import CorpusInfo
from ovmer_bench.lexicon import N_WHEELS, Entry
from ovmer_bench.prompts import Mode, evidence_text, prompt
from ovmer_bench.reading.schema import Sample

from .docs_text import code, fenced, listed, percent, table

WHEELS = range(1, N_WHEELS + 1)
_CLOSE = 1e-9

GOLD_LABELS = ("nervous", "hopeful", "proud")
SAID_LABELS = ("anxious", "excited", "humming")
THREE_CLIPS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "clip1": (("joyful",), ("happy", "relieved")),
    "clip2": (("anxious", "excited"), ("nervous", "hopeful")),
    "clip3": (("disappointed", "exhausted"), ("disappointed",)),
}
"""Gold and answer of the three clips of the front page."""


@dataclass(frozen=True)
class Sets:
    """Mapped gold and answer of one clip under one metric, in order of mention."""

    gold: tuple[str, ...]
    said: tuple[str, ...]

    @property
    def common(self) -> tuple[str, ...]:
        return tuple(word for word in self.gold if word in self.said)

    @property
    def precision(self) -> Fraction:
        return Fraction(len(self.common), len(self.said)) if self.said else Fraction(0)

    @property
    def recall(self) -> Fraction:
        return Fraction(len(self.common), len(self.gold)) if self.gold else Fraction(0)

    @property
    def f(self) -> Fraction:
        return _harmonic(self.precision, self.recall)


def _harmonic(p: Fraction, r: Fraction) -> Fraction:
    return 2 * p * r / (p + r) if p + r else Fraction(0)


def _mean(values: Iterable[Fraction]) -> Fraction:
    held = list(values)
    return sum(held, Fraction(0)) / len(held)


def _entries(labels: Sequence[str]) -> list[Entry]:
    lexicon = load_lexicon()
    return [lexicon.lookup(label) for label in labels]


def _sectors(labels: Sequence[str], wheel: int, level: int) -> tuple[str, ...]:
    found = (entry.sectors[wheel - 1][level - 1] for entry in _entries(labels))
    return tuple(dict.fromkeys(sector for sector in found if sector is not None))


def _sets(gold: Sequence[str], said: Sequence[str], wheel: int, level: int) -> Sets:
    return Sets(_sectors(gold, wheel, level), _sectors(said, wheel, level))


def _checked(name: str, ours: Fraction, theirs: float) -> None:
    if abs(float(ours) - theirs) > _CLOSE:
        raise AssertionError(f"{name}: {float(ours)} by hand, {theirs} by the package")


# --- The example of a corpus page ---------------------------------------------------------


def corpus_example(info: CorpusInfo, given: Mapping[str, Any]) -> str:
    """Input, answer, labels and scores of the example that a corpus page gives.

    Args:
        info: the corpus.
        given: ``clip`` of an embedded corpus, or an invented ``subtitle`` and ``gold``;
            ``output`` of a model; ``words`` of the corpus, for basic emotions.
    """
    sample = _sample(info, given)
    evidence = ("subtitle", "clues") if sample.clues else ("subtitle",)
    mode: Mode = "think" if "<answer>" in given["output"] else "answer"
    shown = prompt(evidence_text(sample.subtitle, sample.clues, evidence), mode)
    reading = parse_output(given["output"], load_lexicon())
    origin = f"Clip `{sample.id}`" if "clip" in given else "An invented clip"
    gold = listed(sample.labels) if sample.labels is not None else code(str(sample.gold))
    kept = (
        "nothing but the answer was written" if reading.format_kept else "the format was not kept"
    )
    scored = {"open": _open_scores, "basic": _basic_scores, "sentiment": _sentiment_scores}
    return "\n".join(
        (
            f"{origin}, as the harness asks about it in `{mode}` mode:\n",
            fenced(shown),
            f"Gold: {gold}\n\nA model answers:\n",
            fenced(given["output"]),
            f"Labels read from it: {listed(reading.labels) or 'none'} ({kept}).\n",
            scored[info.kind](sample, reading.labels, given),
        )
    )


def _sample(info: CorpusInfo, given: Mapping[str, Any]) -> Sample:
    if "clip" in given:
        return load_corpus(info.name).sample(given["clip"])
    field = {"open": "labels", "basic": "label", "sentiment": "valence"}[info.kind]
    return Sample(id="invented", subtitle={"en": given["subtitle"]}, **{field: given["gold"]})


def _open_scores(sample: Sample, said: Sequence[str], given: Mapping[str, Any]) -> str:
    gold = list(sample.labels or ())
    rows = []
    for wheel in WHEELS:
        row = [f"W{wheel}"]
        for level in (1, 2):
            sets = _sets(gold, said, wheel, level)
            row += [_marked(sets.gold, sets), _marked(sets.said, sets), percent(float(sets.f), 1)]
        rows.append(row)
    heads = ("wheel", "gold, level 1", "answer", "F", "gold, level 2", "answer", "F")
    f = sample_f(said, gold)
    kept = [sets for wheel in WHEELS if (sets := _sets(gold, said, wheel, 1)).gold]
    _checked("F of the example", _mean(sets.f for sets in kept), f)
    return (
        f"{table(heads, rows, right=(3, 6))}\n\nSectors on both sides are in bold. The clip's own"
        f" F, the mean over the wheels at level 1, is {percent(f)} (`sample_f`)."
    )


def _marked(words: Sequence[str], sets: Sets) -> str:
    shown = (f"**{word}**" if word in sets.common else word for word in words)
    return ", ".join(shown) or "-"


def _basic_scores(sample: Sample, said: Sequence[str], given: Mapping[str, Any]) -> str:
    rows = []
    hits, shares = [], []
    for wheel in WHEELS:
        sets = _sets([sample.label or ""], said, wheel, 1)
        choices = _sectors(given["words"], wheel, 1)
        among = [sector for sector in sets.said if sector in choices]
        hit = Fraction(bool(sets.common))
        share = hit / len(among) if among else Fraction(0)
        hits.append(hit)
        shares.append(share)
        cells = (", ".join(among) or "-", str(int(hit)), str(share))
        rows.append((f"W{wheel}", _marked(sets.gold, sets), _marked(sets.said, sets), *cells))
    heads = ("wheel", "gold", "answer", "of it, sectors that are gold somewhere", "hit", "mscore")
    scores = score({sample.id: list(said)}, [sample], draws=0).scores
    _checked("hit rate of the example", _mean(hits), scores["hit_rate"].value)
    return (
        f"{table(heads, rows, right=(4, 5))}\n\nMean over the wheels: hit rate"
        f" {percent(float(_mean(hits)))}, mscore {percent(float(_mean(shares)))}. Gold words of the"
        f" corpus: {listed(given['words'])}."
    )


def _sentiment_scores(sample: Sample, said: Sequence[str], given: Mapping[str, Any]) -> str:
    rows = [
        (code(e.label), "unknown" if e.valence is None else f"{e.valence:+d}")
        for e in _entries(said)
    ]
    total = sum(entry.valence or 0 for entry in _entries(said))
    verdict = "positive" if total > 0 else "negative" if total < 0 else "neutral"
    gold = "positive" if (sample.valence or 0) > 0 else "negative"
    agreed = "right" if (total > 0) == (gold == "positive") else "wrong"
    return (
        f"{table(('label', 'valence'), rows, right=(1,))}\n\nThe valences add up to {total:+d}: the"
        f" answer counts as {verdict}. Gold is {gold}; the answer is {agreed}."
    )


# --- The worked clip ----------------------------------------------------------------------


def worked_clip() -> str:
    """One clip through all twelve metrics."""
    parts = [
        f"Gold: {listed(GOLD_LABELS)}. Answer: {listed(SAID_LABELS)}.\n",
        "**From labels to sectors.** Each cell is *level 1 / level 2*.\n",
        _path_table(),
        "\n**From sectors to the clip's precision and recall.** Repeated sectors count once.\n",
        _set_table(),
        _totals(),
    ]
    return "\n".join(parts)


def _path_table() -> str:
    rows = []
    for side, labels in (("gold", GOLD_LABELS), ("answer", SAID_LABELS)):
        for entry in _entries(labels):
            places = ["-" if a is None else f"{a} / {b}" for a, b in entry.sectors]
            words = (entry.base or "-", entry.wheel_word or "-")
            rows.append((side, code(entry.label), *words, *places))
    heads = ("", "label", "base (M1)", "wheel word (M2)", *(f"W{k}" for k in WHEELS))
    return table(heads, rows)


def _all_sets() -> dict[str, Sets]:
    def kept(words: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for word in words if word is not None))

    gold, said = _entries(GOLD_LABELS), _entries(SAID_LABELS)
    found = {
        "M1": Sets(kept(e.base for e in gold), kept(e.base for e in said)),
        "M2": Sets(kept(e.wheel_word for e in gold), kept(e.wheel_word for e in said)),
    }
    for level in (1, 2):
        for wheel in WHEELS:
            found[f"M3-W{wheel}-L{level}"] = _sets(GOLD_LABELS, SAID_LABELS, wheel, level)
    return found


def _set_table() -> str:
    rows = []
    for name, sets in _all_sets().items():
        numbers = (_fraction(sets.precision), _fraction(sets.recall), percent(float(sets.f)))
        rows.append((name, _marked(sets.gold, sets), _marked(sets.said, sets), *numbers))
    return table(("metric", "G", "P", "precision", "recall", "F"), rows, right=(3, 4, 5))


def _fraction(value: Fraction) -> str:
    return str(value)


def _totals() -> str:
    sets = _all_sets()
    report = score({"a": list(SAID_LABELS)}, {"a": list(GOLD_LABELS)}, draws=0)
    for name, held in sets.items():
        _checked(name, held.f, report.scores[name].value)
    lines = []
    level = {k: [f"M3-W{w}-L{k}" for w in WHEELS] for k in (1, 2)}
    averages = {"S1": level[1], "S2": level[2], "MER-FG": level[1] + level[2], "M-avg": list(sets)}
    for name, parts in averages.items():
        value = _mean(sets[part].f for part in parts)
        _checked(name, value, report.scores[name].value)
        lines.append(f"{name} = {percent(float(value))}")
    return f"\n**Averages.** {', '.join(lines)}."


# --- Skill --------------------------------------------------------------------------------


def worked_skill() -> str:
    """Chance and skill of three clips on wheel 1, level 1."""
    held = {clip: _sets(gold, said, 1, 1) for clip, (gold, said) in THREE_CLIPS.items()}
    rows = [
        (clip, ", ".join(s.gold), ", ".join(s.said), str(s.precision), str(s.recall))
        for clip, s in held.items()
    ]
    clips = list(held.values())
    every = list(dict.fromkeys(w for s in clips for w in (*s.gold, *s.said)))
    lines, expected = _chance(clips, every)
    p, r = _mean(s.precision for s in clips), _mean(s.recall for s in clips)
    f, chance = _harmonic(p, r), _harmonic(*expected)
    skill = (f - chance) / (1 - chance)
    gold, said = ({c: list(pair[i]) for c, pair in THREE_CLIPS.items()} for i in (0, 1))
    found = score(said, gold, draws=0).scores["M3-W1-L1"]
    for name, ours, theirs in (
        ("F", f, found.value),
        ("chance", chance, found.expected),
        ("skill", skill, found.skill),
    ):
        _checked(name, ours, theirs)
    return "\n".join(
        (
            table(("clip", "gold", "answer", "precision", "recall"), rows, right=(3, 4)),
            f"\nThe score: mean precision {p}, mean recall {r}, so"
            f" F = {f} = {percent(float(f))}.\n",
            table(("sector", "g", "p/|P|", "g/|G|", "p"), lines, right=(1, 2, 3, 4)),
            f"\nExpected precision is the sum of the first two columns multiplied, {expected[0]};"
            f" expected recall that of the last two, {expected[1]}. Chance is their harmonic mean,"
            f" {chance} = {percent(float(chance))}, and skill"
            f" (F - chance) / (1 - chance) = {skill} = {percent(float(skill))}.",
        )
    )


def _chance(
    clips: Sequence[Sets], sectors: Sequence[str]
) -> tuple[list[tuple[str, ...]], tuple[Fraction, Fraction]]:
    lines = []
    precision = recall = Fraction(0)
    for sector in sectors:
        g = _mean(Fraction(sector in s.gold) for s in clips)
        p = _mean(Fraction(sector in s.said) for s in clips)
        p_share = _mean(Fraction(sector in s.said, max(len(s.said), 1)) for s in clips)
        g_share = _mean(Fraction(sector in s.gold, max(len(s.gold), 1)) for s in clips)
        precision += g * p_share
        recall += g_share * p
        lines.append((sector, *map(str, (g, p_share, g_share, p))))
    return lines, (precision, recall)
