"""Write the generated parts of the data card of ``ovmer_scenes``.

Run in ``tests/``: ``python -m studies.scenes_card``. What stands between the markers
``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of the card is replaced; the same scenes and
the same lexicon give the same bytes. The limits that ``test_ovmer_scenes.py`` enforces are
here, so that the card prints the ones that hold.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from statistics import mean, median

from ovmer_bench import load_corpus, load_lexicon, score
from ovmer_bench.corpora.store import Corpus
from ovmer_bench.files import read_text, write_text
from ovmer_bench.lexicon import Lexicon
from ovmer_bench.metrics.gold import as_gold
from ovmer_bench.reading.schema import Sample
from ovmer_bench.reference_systems import SYSTEMS, predict

from . import scenes_baseline
from .scenes_quality import (
    NGRAM,
    clues,
    gold,
    label_counts,
    leaks,
    most_alike,
    most_shared,
    sector_counts,
    subtitle,
    words,
)

CARD = Path(__file__).parents[2] / "benchmark/ovmer_bench/corpora/ovmer_scenes/README.md"
EXAMPLE = "scene_128"

TextOf = Callable[[Sample], str]
TAGS: Mapping[str, Mapping[str, str]] = {
    "type": {
        "single": "one feeling, or several that go together",
        "mixed": "feelings that pull apart, at the same time",
        "masked": "another feeling is shown than is felt; gold is what is felt",
        "sarcastic": "the words mean the opposite of what they say",
        "shifting": "the feeling changes within the scene; gold holds both",
    },
    "intensity": {
        "low": "a mood; little outward sign",
        "medium": "plain to an attentive onlooker",
        "high": "overwhelms speech or body",
    },
    "relation": {
        "alone": "no other person is addressed",
        "strangers": "have not met before",
        "friends": "friends",
        "neighbours": "live in one house, street or village",
        "flatmates": "share a home without being family",
        "peers": "classmates, teammates, rivals",
        "couple": "married or not",
        "former couple": "parted, or parting",
        "parent-child": "of any age; step and foster families too",
        "grandparent-grandchild": "of any age",
        "siblings": "of any age",
        "relatives": "cousins, aunts, uncles, the whole family",
        "colleagues": "of equal standing",
        "boss-employee": "employers, managers, applicants, trainees at work",
        "teacher-learner": "teachers, coaches, conductors, tutors",
        "carer-patient": "medicine, care, nursery, rescue",
        "staff-customer": "whoever serves and whoever is served",
        "official-citizen": "authorities, courts, referees, landlords",
        "host-guest": "host and guest",
    },
}
TEXTS: Mapping[str, TextOf] = {
    "English subtitles": subtitle,
    "Chinese subtitles": lambda sample: sample.subtitle["zh"],
    "clues": clues,
}

# Limits that the tests enforce.
MIN_LABELS = 200
MAX_SHARE = 0.1
MIN_SCENES = 12
MAX_LEAKS = 0.01
MAX_ALIKE = {"English subtitles": 0.65, "Chinese subtitles": 0.35, "clues": 0.35}
MAX_SHARED = 0.05
MAX_KEYWORD_S1 = 0.4
MAX_KEYWORD_SKILL = 0.2
MIN_GAIN = 0.02
MAX_LEARNED_SKILL = 0.3


def installed_card() -> str:
    """The card that ships with the package."""
    folder = resources.files("ovmer_bench.corpora") / "ovmer_scenes"
    return (folder / "README.md").read_text("utf-8")


def block(card: str, name: str) -> str:
    """What stands between the markers of block ``name``."""
    found = re.search(rf"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", card, re.S)
    if not found:
        raise ValueError(f"the card has no block {name!r}")
    return found[1]


def example(corpus: Corpus) -> dict[str, object]:
    """The scene that the card shows, as its line in the file holds it."""
    sample = corpus.sample(EXAMPLE).to_dict()
    return {name: sample[name] for name in ("id", "subtitle", "clues", "labels", "tags")}


def shown_example(card: str) -> object:
    """The scene in the card's code block."""
    return json.loads(block(card, "example").removeprefix("```json\n").removesuffix("```\n"))


def statistics() -> str:
    """Counts, lengths, limits with what was measured, and what reference systems earn."""
    corpus, lexicon = load_corpus("ovmer_scenes"), load_lexicon()
    samples = corpus.samples
    return "\n".join(
        [
            "Sectors, leaks and scores are those of the built-in lexicon of this version of the"
            f" package. Sample-set hash (ids and gold): `{corpus.sha256[:12]}`.",
            "",
            *_tags(samples),
            "### Gold",
            "",
            *_gold(samples),
            "Scenes in which an inner sector of a wheel is gold:",
            "",
            *_sectors(samples, lexicon),
            "### Length",
            "",
            *_lengths(samples),
            "### Limits that the tests enforce",
            "",
            *_limits(corpus, lexicon),
            "### What answers without a model earn",
            "",
            *_reference(corpus),
        ]
    )


def classifier() -> str:
    """What a classifier of words learns."""
    rows = [
        (view, _one(mean_percent(learned.s1)), _one(mean_percent(learned.skill)))
        for view, learned in scenes_baseline.learned().items()
    ]
    return "\n".join(
        [
            *_table(("shown to the classifier", "S1", "skill"), rows),
            f"Means over {len(scenes_baseline.SEEDS)} shuffles into {scenes_baseline.FOLDS} folds.",
        ]
    )


def mean_percent(fractions: Iterable[float]) -> float:
    """The mean of fractions, times 100."""
    return 100 * mean(fractions)


def main() -> None:
    """Replace the generated parts of the card in the repository."""
    card = read_text(CARD)
    shown = json.dumps(example(load_corpus("ovmer_scenes")), ensure_ascii=False, indent=1)
    blocks = {
        "example": f"```json\n{shown}\n```\n",
        "statistics": statistics(),
        "classifier": classifier(),
    }
    for name, text in blocks.items():
        card = card.replace(
            f"<!-- begin {name} -->\n{block(card, name)}", f"<!-- begin {name} -->\n{text}"
        )
    write_text(CARD, card)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:], ""]


def _one(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}"


def _tags(samples: Sequence[Sample]) -> list[str]:
    lines: list[str] = []
    for tag, meanings in TAGS.items():
        counts = Counter(sample.tags[tag] for sample in samples)
        rows = [(f"`{value}`", counts[value], said) for value, said in meanings.items()]
        lines += _table((f"`{tag}`", "scenes", "meaning"), rows)
    settings = {sample.tags["setting"] for sample in samples}
    return [*lines, f"`setting` is free text: {len(settings)} settings.", ""]


def _gold(samples: Sequence[Sample]) -> list[str]:
    counts = label_counts(samples)
    sizes = Counter(len(gold(sample)) for sample in samples)
    total = sum(n for _, n in counts)
    frequent = ", ".join(f"{label} {n}" for label, n in counts[:12])
    return [
        f"{total:,} labels, {len(counts)} distinct, {sum(n == 1 for _, n in counts)} of them in"
        f" one scene only; {total / len(samples):.2f} a scene ("
        + ", ".join(f"{size}: {sizes[size]} scenes" for size in sorted(sizes))
        + f"). Most frequent: {frequent}.",
        "",
    ]


def _sectors(samples: Sequence[Sample], lexicon: Lexicon) -> list[str]:
    tables = sector_counts(samples, lexicon)
    rows = [
        (f"W{k}", ", ".join(f"{s} {n}" for s, n in table.items()))
        for k, table in enumerate(tables, 1)
    ]
    return _table(("wheel", "sectors"), rows)


def _lengths(samples: Sequence[Sample]) -> list[str]:
    measured = {
        "English subtitle (words)": [len(words(subtitle(s))) for s in samples],
        "Chinese subtitle (characters)": [len(s.subtitle["zh"]) for s in samples],
        "audio clue (words)": [len(words(s.clues["audio"])) for s in samples],
        "visual clue (words)": [len(words(s.clues["visual"])) for s in samples],
    }
    rows = [(name, min(n), f"{median(n):g}", max(n)) for name, n in measured.items()]
    return _table(("text", "shortest", "median", "longest"), rows)


def _limits(corpus: Corpus, lexicon: Lexicon) -> list[str]:
    samples, ids = corpus.samples, corpus.ids
    counts = label_counts(samples)
    leaking = {leak.clip for leak in leaks(samples, lexicon)}
    unknown = sum(lexicon.lookup(label).status != "feeling" for label, _ in counts)
    fewest = min(min(table.values()) for table in sector_counts(samples, lexicon))
    rows: list[tuple[str, object, object]] = [
        ("gold labels that the lexicon does not know as a feeling", 0, unknown),
        ("distinct gold labels, at least", MIN_LABELS, len(counts)),
        (
            "share of scenes with the most frequent label, at most",
            f"{100 * MAX_SHARE:.0f} %",
            f"{100 * counts[0][1] / len(samples):.1f} %",
        ),
        ("scenes for each inner sector of each wheel, at least", MIN_SCENES, fewest),
        (
            "scenes that say a gold word, a form of its base or its stem, at most",
            f"{100 * MAX_LEAKS:.0f} %",
            f"{100 * len(leaking) / len(samples):.1f} %",
        ),
    ]
    for name, limit in MAX_ALIKE.items():
        twins = most_alike(ids, [TEXTS[name](sample) for sample in samples])
        cosine = f"closest two {name}: cosine of character 3- to 5-gram TF-IDF, below"
        rows.append((cosine, limit, f"{twins.similarity:.2f}"))
    for name, text_of in (("subtitles", subtitle), ("clues", clues)):
        twins = most_shared(ids, [text_of(sample) for sample in samples])
        shared = f"closest two {name}: Jaccard index of word {NGRAM}-grams, below"
        rows.append((shared, MAX_SHARED, f"{twins.similarity:.2f}"))
    return _table(("what", "limit", "measured"), rows)


def _reference(corpus: Corpus) -> list[str]:
    source = as_gold(corpus)
    rows = []
    for name in SYSTEMS:
        s1 = score(predict(name, source), source, draws=0).scores["S1"]
        rows.append((f"`{name}`", _one(100 * s1.value), _one(100 * s1.skill)))
    return _table(("system", "S1", "skill"), rows)


if __name__ == "__main__":
    main()
