"""How much each modality of ovmer_mini gives away: simple probes on it, alone and together.

Run in ``tests/``: ``python -m studies.mini_probes`` writes their table, and those of feelings
and sectors, into the data card, between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.
Features are plain (grey pixels, band energies, bags of words), each probe is a logistic
regression per feeling, and what it answers is scored by the package like any system. Probes
learn from the split ``sft`` and answer the split ``test``.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ovmer_bench import load_lexicon, score
from ovmer_bench.corpora.ovmer_mini.generate import Clip, make_clip, samples
from ovmer_bench.corpora.ovmer_mini.world import FACES, FEELINGS, TOPICS, VOICES
from ovmer_bench.corpora.registry import CORPORA
from ovmer_bench.files import read_text, write_text
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]

CARD = Path(__file__).parents[2] / "benchmark/ovmer_bench/corpora/ovmer_mini/README.md"
N_TRAIN, N_TEST = 2500, 1000
NAMES = tuple(FEELINGS)
WORD = {name: feeling.words[1][0] for name, feeling in FEELINGS.items()}
MODALITIES = ("audio", "video", "text")
CLASSES = "the true classes of voice, face and topic"
GRID = 16


@dataclass(frozen=True)
class Data:
    """Features of some clips by modality, and which feelings are in each."""

    features: Mapping[str, Floats]
    feelings: NDArray[np.int64]
    gold: Mapping[str, Sequence[str]]


def video_features(clip: Clip) -> Floats:
    """Grey pixels of a 16 x 16 picture of the face, frame by frame, light evened out."""
    grey = clip.frames.astype(np.float64).mean(3)
    cell = grey.shape[1] // GRID
    small = grey.reshape(len(grey), GRID, cell, GRID, cell)
    mean, detail = small.mean((2, 4)), small.std((2, 4))
    mean = (mean - mean.mean((1, 2), keepdims=True)) / (mean.std((1, 2), keepdims=True) + 1)
    detail = np.log(detail + 4)
    halves = [x.reshape(2, 4, -1).mean(1) for x in (mean, detail)]
    spread = [x.reshape(2, 4, -1).std(1) for x in (mean, detail)]
    return np.concatenate([x.ravel() for x in (*halves, *spread)])


def audio_features(clip: Clip) -> Floats:
    """Mean, spread and change of band energies over thirds of the clip; pitch; loudness."""
    wave = clip.audio.astype(np.float64)
    frames = wave[: len(wave) // 320 * 320].reshape(-1, 320)
    power = np.abs(np.fft.rfft(frames * np.hanning(320), 512)) ** 2
    edges = np.unique(np.round(np.geomspace(2, 256, 21)).astype(int))
    bands = np.log(np.add.reduceat(power[:, :256], edges[:-1], axis=1) + 1e4)
    loud = bands.max(1, keepdims=True)
    shape = np.concatenate([bands, loud, _pitches(power)[:, None]], 1)
    parts = np.array_split(shape, 4)
    rows = [f(x) for x in parts for f in (_mean, _std, _step)]
    return np.concatenate([*rows, np.percentile(loud, (5, 25, 50, 75, 95))])


def _mean(x: Floats) -> Floats:
    return x.mean(0)


def _std(x: Floats) -> Floats:
    return x.std(0)


def _step(x: Floats) -> Floats:
    return np.abs(np.diff(x, axis=0)).mean(0)


def _pitches(power: Floats) -> Floats:
    """Lag of the highest peak of each frame's autocorrelation, in octaves of pitch."""
    autocorrelation = np.fft.irfft(power)[:, 32:200]
    return -np.log2(autocorrelation.argmax(1) + 32.0)


def class_features(clip: Clip) -> Floats:
    """What a perfect eye, ear and reader would report, phase by phase, masks seen through."""
    seen = np.zeros((3, len(VOICES) + len(FACES) + len(TOPICS)))
    for row, phase in zip(seen, clip.latent.phases, strict=False):
        for name in (phase.voice, phase.face, phase.topic):
            row[(*VOICES, *FACES, *TOPICS).index(name)] = 1
    return np.concatenate([seen.ravel(), seen.sum(0)])


def collect(split: str, n: int, words: CountVectorizer, seed: int = 0) -> Data:
    """Features of the first clips of a split; the words are learnt on the first call."""
    clips = [make_clip(split, i, seed) for i in range(n)]
    texts = [clip.sample.subtitle["en"] for clip in clips]
    bag = words.transform(texts) if hasattr(words, "vocabulary_") else words.fit_transform(texts)
    felt = [{phase.feeling for phase in clip.latent.phases} for clip in clips]
    return Data(
        features={
            "audio": np.stack([audio_features(clip) for clip in clips]),
            "video": np.stack([video_features(clip) for clip in clips]),
            "text": np.asarray(bag.toarray(), np.float64),
            CLASSES: np.stack([class_features(clip) for clip in clips]),
        },
        feelings=np.array([[name in f for name in NAMES] for f in felt], np.int64),
        gold={clip.sample.id: clip.sample.labels or () for clip in clips},
    )


def _inputs(train: Data, test: Data) -> dict[str, tuple[Floats, Floats]]:
    """Every modality, reduced to its main components, on one scale."""
    made = {}
    for name in train.features:
        n = min(90, train.features[name].shape[1], len(train.features[name]) // 4)
        steps = make_pipeline(StandardScaler(), PCA(n, random_state=0, svd_solver="randomized"))
        fitted = steps.fit_transform(train.features[name])
        scale = fitted.std()
        made[name] = (fitted / scale, steps.transform(test.features[name]) / scale)
    return made


def answers(train_x: Floats, train: Data, test_x: Floats, per_clip: float) -> list[list[str]]:
    """What a probe says: the feelings above the level at which as many are said as are felt."""
    probe = MultiOutputClassifier(LogisticRegression(C=0.02, max_iter=300))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        probe.fit(train_x, train.feelings)
    chances = np.stack([p[:, 1] for p in probe.predict_proba(test_x)], 1)
    level = np.quantile(chances, 1 - per_clip / len(NAMES))
    return [
        [WORD[NAMES[i]] for i in np.flatnonzero(row >= min(level, row.max()))] for row in chances
    ]


@dataclass(frozen=True)
class Result:
    """S1 of one probe, x 100, with its value beyond chance."""

    name: str
    s1: float
    skill: float


def run(n_train: int, n_test: int, *, pairs: bool = True, seed: int = 0) -> list[Result]:
    """Probes on every modality alone, on pairs, on all, and a constant answer."""
    words = CountVectorizer(binary=True)
    train, test = collect("sft", n_train, words, seed), collect("test", n_test, words, seed)
    per_clip = float(train.feelings.sum(1).mean())
    inputs = _inputs(train, test)
    sizes = (1, 2, 3) if pairs else (1, 3)
    sets = [names for size in sizes for names in combinations(MODALITIES, size)]
    sets.append((CLASSES,))
    results = [_constant(train, test)]
    for names in sets:
        x = [np.concatenate([inputs[name][side] for name in names], 1) for side in (0, 1)]
        said = answers(x[0], train, x[1], per_clip)
        results.append(_scored(" + ".join(names), said, test))
    return results


def _constant(train: Data, test: Data) -> Result:
    """The best single answer to everything, of one to four feelings."""
    often = np.argsort(-train.feelings.sum(0), kind="stable")
    said = [[WORD[NAMES[i]] for i in often[:k]] for k in range(1, 5)]
    said += [["happy", "sad", "angry", "scared", "surprised", "disgusted"]]
    rows = [_scored("", [words] * len(test.gold), test) for words in said]
    best = max(rows, key=lambda row: row.s1)
    return Result("nothing (the best constant answer)", best.s1, best.skill)


def _scored(name: str, said: Sequence[Sequence[str]], test: Data) -> Result:
    predictions = dict(zip(test.gold, said, strict=True))
    found = score(predictions, test.gold, draws=0).scores["S1"]
    return Result(name, 100 * found.value, 100 * found.skill)


def table(results: Sequence[Result]) -> str:
    """The results as the card prints them."""
    lines = ["| what the probe is given | EW-F (S1) | skill |", "|---|---|---|"]
    lines += [f"| {r.name} | {r.s1:.1f} | {max(r.skill, 0.0):.1f} |" for r in results]
    return "\n".join(lines) + "\n"


def printed(card: str) -> dict[str, float]:
    """S1 of every probe as the card prints it."""
    rows = re.findall(r"^\| ([^|]+) \| (\d+\.\d) \|", block(card, "probes"), re.M)
    return {name: float(s1) for name, s1 in rows}


def feelings_table() -> str:
    """Every feeling with the ways in which it shows, and how often, as the card prints it."""
    lines = ["| feeling | voice | face | the words are about |", "|---|---|---|---|"]
    for name, feeling in FEELINGS.items():
        ways = (feeling.voices, feeling.faces, feeling.topics)
        lines.append(f"| {name} | " + " | ".join(map(_shares, ways)) + " |")
    return "\n".join(lines) + "\n"


def _shares(weights: Mapping[str, int]) -> str:
    total = sum(weights.values())
    return ", ".join(f"{name} {100 * weight // total} %" for name, weight in weights.items())


def sector_shares(n: int) -> list[dict[str, float]]:
    """Wheel by wheel: sector of level 1 -> percentage of clips of ``test`` whose gold has it."""
    lexicon = load_lexicon()
    found = [dict.fromkeys(lexicon.sectors(wheel, 1), 0) for wheel in range(1, 6)]
    for sample in samples("test", n):
        for wheel, counts in enumerate(found):
            for sector in {lexicon.lookup(x).sectors[wheel][0] for x in sample.labels or ()}:
                if sector is not None:
                    counts[sector] += 1
    return [{name: 100 * count / n for name, count in counts.items()} for counts in found]


def sectors_table(n: int) -> str:
    """The sector shares as the card prints them."""
    lines = ["| wheel | clips with the sector, of 100 |", "|---|---|"]
    for wheel, shares in enumerate(sector_shares(n), 1):
        ordered = sorted(shares.items(), key=lambda item: -item[1])
        lines.append(f"| W{wheel} | " + ", ".join(f"{k} {v:.0f}" for k, v in ordered) + " |")
    return "\n".join(lines) + "\n"


def block(card: str, name: str) -> str:
    """The part of the card that is generated under a name."""
    return card.split(f"<!-- begin {name} -->\n")[1].split(f"<!-- end {name} -->")[0]


def main() -> None:
    """Replace the generated parts of the card in the repository."""
    card = read_text(CARD)
    blocks = {
        "feelings": feelings_table(),
        "sectors": sectors_table(CORPORA["ovmer_mini"].n),
        "probes": table(run(N_TRAIN, N_TEST)),
    }
    for name, text in blocks.items():
        head = f"<!-- begin {name} -->\n"
        card = card.replace(f"{head}{block(card, name)}", f"{head}{text}")
    write_text(CARD, card)


if __name__ == "__main__":
    main()
