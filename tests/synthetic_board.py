"""A board of made-up systems, as large as asked for and the same every time.

Everything on it is drawn from a seeded generator; nothing is scored. It lets tests and
benchmarks of the site choose what stands on the board: how many systems, and which names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ovmer_bench.lexicon import load_lexicon
from ovmer_leaderboard.board import (
    AS_PUBLISHED,
    UNIBENCH,
    Answer,
    Board,
    Change,
    Clip,
    Confusion,
    LexiconInfo,
    Pairs,
    Result,
    Row,
    Score,
    ScoreInfo,
    Sector,
    SideVocabulary,
    System,
    Table,
    Task,
    Track,
    Vocabulary,
)
from ovmer_leaderboard.scoring import lexicon_info

WORDS = ("happy", "sad", "angry", "afraid", "proud", "lonely", "tense", "relieved", "bored")
OPEN, BASIC = "made_scenes", "meld"
SCORES = (ScoreInfo("S1", "EW-F, level 1 (S1)", 1), ScoreInfo("S2", "EW-F, level 2 (S2)", 2))
N_CLIPS = 30
N_FREE = 2


def made_board(n: int, titles: Sequence[str] = (), label: str | None = None) -> Board:
    """A board of ``n`` systems, two content-free answers and one paper.

    Args:
        n: number of systems.
        titles: of the first systems, in place of made-up ones.
        label: a predicted label to stand in every answer.
    """
    lexicon = lexicon_info(load_lexicon())
    systems = _systems(n, titles)
    scored = [system for system in systems if system.role != "published"]
    tables = [_table(score, scored, seed) for seed, score in enumerate(SCORES)]
    results = [_result(system, lexicon, tables, label, seed) for seed, system in enumerate(scored)]
    return Board(
        version="0.1.0",
        tracks=(
            Track("open", "Open vocabulary", "Any words.", (OPEN,)),
            Track("basic", "Basic emotions", "One of a few.", (BASIC,)),
            Track(UNIBENCH, "MER-UniBench", "The mean of nine.", (UNIBENCH,)),
        ),
        tasks=_tasks(),
        lexicons=(lexicon,),
        systems=tuple(systems),
        results=(*results, _reported()),
        tables=(*tables, *_reported_tables()),
        changes=tuple(
            Change("2026-01-02", f"{system.title} added", "Predictions.", system.name)
            for system in scored
        ),
    )


def _systems(n: int, titles: Sequence[str]) -> list[System]:
    reads = (("text",), ("audio", "text"), ("audio", "visual", "text"))
    sizes = ((None, None), ("500M", 5 * 10**8), ("7B", 7 * 10**9), ("13B", 13 * 10**9))
    # First, so that one more system changes the place of no other.
    made = [
        System(f"constant-{i}", f"Constant {i}", "content-free", date="2026-01-01")
        for i in range(N_FREE)
    ]
    for i in range(n):
        size, parameters = sizes[i % 4]
        made.append(
            System(
                name=f"system-{i:03d}",
                title=titles[i] if i < len(titles) else f"System {i}",
                role="system",
                model=f"Model {i % 7}",
                size=size,
                parameters=parameters,
                modalities=reads[i % 3],
                training_data=(None, (), ("mercaptionplus",), ("ovmerd", "mer2023"))[i % 4],
                checkpoint_chosen_on_test=(False, True)[i % 9 == 8],
                code="https://example.org/code",
                command="python predict.py",
                date="2026-01-02",
            )
        )
    paper = System("paper-one", "Paper One", "published", citation="arXiv 0000.00000")
    return [*made, paper]


def _tasks() -> tuple[Task, ...]:
    clips = tuple(
        Clip(f"clip_{i:03d}", WORDS[i % 5 : i % 5 + 3], {"en": f"Line {i}."})
        for i in range(N_CLIPS)
    )
    hit = (ScoreInfo("hit_rate", "hit rate", 1),)
    mean = (ScoreInfo("mean", "mean of the nine main scores"),)
    return (
        Task(OPEN, "made scenes", "open", N_CLIPS, "S1", SCORES, "en", "test", embedded=True,
             gold_at_hand=True, corpus_sha256="0" * 64, clips=clips),
        Task(BASIC, "MELD, test", "basic", 2610, "hit_rate", hit, "en", "test"),
        Task(UNIBENCH, "MER-UniBench, mean of nine", UNIBENCH, 0, "mean", mean, parts=(BASIC,)),
    )  # fmt: skip


def _table(score: ScoreInfo, systems: Sequence[System], seed: int) -> Table:
    expected = 0.3 / (1 + seed)
    rows = []
    for i, system in enumerate(systems):
        free = system.role == "content-free"
        # A system's numbers depend on its place alone, so that one more changes no other.
        skill = 0.0 if free else float(np.random.default_rng([9, seed, i]).uniform(0.02, 0.8))
        value = expected + skill * (1 - expected)
        rows.append(
            Row(
                system.name, system.role, "rescored", None, value, value - 0.02, value + 0.02,
                skill, skill - 0.03, skill + 0.03,
                verbosity=0.5 + 0.1 * (i % 14), oov=0.01 * (i % 13), beats_content_free=None,
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (-(row.value or 0), row.system))
    if seed == 0 and len(rows) > 3:
        last = rows.pop()
        rows.append(Row(last.system, last.role, "rescored", None, None))
    pairs = _pairs([row for row in rows if row.value is not None])
    return Table(
        id=f"{OPEN}.ovmer.{score.name}",
        task=OPEN,
        track="open",
        lexicon="ovmer",
        score=score.name,
        title=score.title,
        signature=f"metric:{score.name}|level:{score.level}|lexicon:ovmer@00000000|n:30/30",
        primary=True,
        rows=_ranked(rows, pairs),
        method="paired",
        pairs=pairs,
    )


def _pairs(rows: Sequence[Row]) -> Pairs:
    values = np.array([row.value for row in rows], np.float32)
    difference = values[None, :] - values[:, None]
    p = np.exp(-np.abs(difference) * 90).astype(np.float32)
    names = tuple(row.system for row in rows)
    half = np.float32(0.025)
    return Pairs(names, difference, difference - half, difference + half, p, p, 0.05)


def _ranked(rows: Sequence[Row], pairs: Pairs) -> tuple[Row, ...]:
    done, leader, rank, place = [], "", 0, 0
    for row in rows:
        if row.role == "system" and row.value is not None:
            place += 1
            if not leader or pairs.pair(leader, row.system).significant:
                leader, rank = row.system, place
            row = replace(row, rank=rank, beats_content_free=(row.skill or 0) > 0.05)
        done.append(row)
    return tuple(done)


def _result(
    system: System, lexicon: LexiconInfo, tables: Sequence[Table], label: str | None, seed: int
) -> Result:
    rng = np.random.default_rng([11, seed])
    scores = {}
    for table in tables:
        row = next(row for row in table.rows if row.system == system.name)
        if row.value is not None:
            scores[table.score] = Score(
                table.score, row.value, row.low, row.high, 0.3, row.skill, precision=0.5,
                recall=0.6, signature=table.signature,
            )  # fmt: skip
    scores.setdefault("S1", Score("S1", 0.1, signature=tables[0].signature))
    side = SideVocabulary(90, 9, 0.02, 0.1, (("odd", 2), (label or "strange", 1)), 3.0, 4.0, 0, 1)
    answers = tuple(
        Answer(
            f"clip_{i:03d}",
            round(float(rng.uniform()), 3) if i else None,
            tuple(rng.choice(WORDS, size=int(rng.integers(0, 4)), replace=False).tolist())
            + ((label,) if label else ()),
        )
        for i in range(N_CLIPS)
    )
    order = sorted(range(1, N_CLIPS), key=lambda i: (answers[i].f or 0, i))
    return Result(
        system=system.name,
        task=OPEN,
        lexicon="ovmer",
        evidence="rescored",
        scores=scores,
        n_scored=N_CLIPS,
        n_total=N_CLIPS,
        predictions_sha256="1" * 64,
        vocabulary=Vocabulary(side, side, 1.1),
        sectors=_sectors(lexicon, rng),
        confusion=tuple(
            Confusion(k, names[0], tuple((3,) * len(names[0]) for _ in names[0]))
            for k, names in enumerate(lexicon.sectors, start=1)
        ),
        gold_counts=(0, 5, 10, 15),
        predicted_counts=(2, 8, 12, 8),
        answers=answers,
        worst=tuple(order[:4]),
        best=tuple(order[-4:]),
    )


def _sectors(lexicon: LexiconInfo, rng: np.random.Generator) -> tuple[Sector, ...]:
    made = []
    for k, levels in enumerate(lexicon.sectors, start=1):
        for level, names in enumerate(levels, start=1):
            for name in names:
                gold, said = (int(x) for x in rng.integers(0, 20, size=2))
                common = min(gold, said) // 2
                parent = lexicon.parents[k - 1][name] if level > 1 else None
                recall, precision = (common / x if x else None for x in (gold, said))
                made.append(Sector(k, level, name, parent, gold, said, common, recall, precision))
    return tuple(made)


def _reported() -> Result:
    score = {"hit_rate": Score("hit_rate", 0.5565)}
    cited = "arXiv 0000.00000"
    return Result("paper-one", BASIC, AS_PUBLISHED, "reported", score, citation=cited)


def _reported_tables() -> list[Table]:
    def row(value: float | None, **parts: float | None) -> Row:
        cited = "arXiv 0000.00000"
        return Row("paper-one", "published", "reported", None, value, citation=cited, parts=parts)

    common = {"lexicon": AS_PUBLISHED, "signature": None, "primary": True, "method": "none"}
    return [
        Table(f"{BASIC}.{AS_PUBLISHED}.hit_rate", BASIC, "basic", score="hit_rate",
              title="hit rate", rows=(row(0.5565),), **common),
        Table(f"{UNIBENCH}.{AS_PUBLISHED}.mean", UNIBENCH, UNIBENCH, score="mean",
              title="mean of the nine main scores", rows=(row(None, meld=0.5565),), **common),
    ]  # fmt: skip
