"""Results -> tables: one task, one lexicon, one score, one signature."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ovmer_bench.corpora.registry import CORPORA, MER_UNIBENCH
from ovmer_bench.lexicon import BUILTIN_ID
from ovmer_bench.metrics.runs import unibench
from ovmer_bench.metrics.signature import HASH_PREFIX

from .board import AS_PUBLISHED, UNIBENCH, Evidence, Result, Row, System, Table, Task
from .published import main_score
from .ranks import Z, compare_rows, half_width, in_order, ranked
from .scoring import Drawn, Scored

Systems = Mapping[str, System]


@dataclass(frozen=True)
class _Entry:
    """A row to be, with its draws if it has any."""

    row: Row
    signature: str
    drawn: Drawn | None


def tables(
    tasks: Iterable[Task],
    lexicons: Sequence[str],
    systems: Systems,
    scored: Sequence[Scored],
    reported: Sequence[Result],
) -> tuple[Table, ...]:
    """All tables in the order of tasks, lexicons (reported numbers last) and scores."""
    by_place: dict[tuple[str, str], list[Scored]] = defaultdict(list)
    for one in scored:
        by_place[one.result.task, one.result.lexicon].append(one)
    made: list[Table] = []
    for task in tasks:
        for lexicon in lexicons:
            if task.name == UNIBENCH:
                made += _mean_tables(task, lexicon, systems, by_place)
                continue
            for score in task.scores:
                entries = [
                    _entry(systems, one, score.name)
                    for one in by_place.get((task.name, lexicon), ())
                ]
                made += _by_signature(task, lexicon, score.name, entries)
        made += _reported(task, systems, reported)
    return tuple(made)


def _entry(systems: Systems, one: Scored, name: str) -> _Entry:
    result = one.result
    score = result.scores[name]
    health = result.vocabulary
    row = Row(
        system=result.system,
        role=systems[result.system].role,
        evidence=result.evidence,
        rank=None,
        value=score.value,
        low=score.low,
        high=score.high,
        skill=score.skill,
        skill_low=score.skill_low,
        skill_high=score.skill_high,
        verbosity=health.verbosity if health else None,
        oov=health.predicted.oov_tokens if health else None,
    )
    return _Entry(row, score.signature or "", one.drawn.get(name))


def _by_signature(task: Task, lexicon: str, score: str, entries: Sequence[_Entry]) -> list[Table]:
    """A table for each signature; the one with most rows first."""
    groups: dict[str, list[_Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.signature].append(entry)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        _table(task, lexicon, score, signature, group, is_primary=k == 0)
        for k, (signature, group) in enumerate(ordered)
    ]


def _table(
    task: Task,
    lexicon: str,
    score: str,
    signature: str,
    entries: Sequence[_Entry],
    *,
    is_primary: bool,
) -> Table:
    rows = [entry.row for entry in entries]
    drawn = {e.row.system: e.drawn for e in entries if e.drawn is not None}
    tests = compare_rows(rows, drawn)
    table_id = f"{task.name}.{lexicon}.{score}"
    if not is_primary:
        table_id += "." + hashlib.sha256(signature.encode("utf-8")).hexdigest()[:HASH_PREFIX]
    return Table(
        id=table_id,
        task=task.name,
        track=task.track,
        lexicon=lexicon,
        score=score,
        title=next(info.title for info in task.scores if info.name == score),
        signature=signature or None,
        primary=is_primary,
        rows=ranked(rows, tests),
        method=tests.method,
        pairs=tests.pairs,
    )


def _reported(task: Task, systems: Systems, reported: Sequence[Result]) -> list[Table]:
    """The table of numbers that papers report: in order, never ranked or tested."""
    by_place = {(result.system, result.task): result for result in reported}
    score = main_score(task.name)
    rows = [
        Row(
            system=result.system,
            role=systems[result.system].role,
            evidence="reported",
            rank=None,
            value=result.scores[score].value,
            citation=result.citation,
            parts={part: _value(by_place.get((result.system, part))) for part in task.parts},
        )
        for result in reported
        if result.task == task.name
    ]
    if not rows:
        return []
    return [
        Table(
            id=f"{task.name}.{AS_PUBLISHED}.{score}",
            task=task.name,
            track=task.track,
            lexicon=AS_PUBLISHED,
            score=score,
            title=task.scores[0].title,
            signature=None,
            primary=True,
            rows=tuple(in_order(rows)),
            method="none",
        )
    ]


def _value(result: Result | None) -> float | None:
    return None if result is None else result.scores[main_score(result.task)].value


# --- The mean of nine ---------------------------------------------------------------------


def _mean_tables(
    task: Task,
    lexicon: str,
    systems: Systems,
    by_place: Mapping[tuple[str, str], Sequence[Scored]],
) -> list[Table]:
    """Tables of means: complete systems by signature; the others, without value, in the first."""
    parts: dict[str, dict[str, Scored]] = defaultdict(dict)
    for corpus in MER_UNIBENCH:
        # Official lexicons carry no valence: signs of sentiment come from the built-in one.
        source = lexicon if (corpus, lexicon) in by_place else BUILTIN_ID
        is_allowed = source == lexicon or CORPORA[corpus].kind == "sentiment"
        for one in _of_one_signature(by_place.get((corpus, source), ()) if is_allowed else ()):
            parts[one.result.system][corpus] = one
    entries = [_mean_entry(systems, name, found, lexicon) for name, found in parts.items()]
    complete = [entry for entry in entries if entry.row.value is not None]
    partial = [entry for entry in entries if entry.row.value is None]
    if not entries:
        return []
    if not complete:
        return [_table(task, lexicon, task.main, "", partial, is_primary=True)]
    first, *others = _by_signature(task, lexicon, task.main, complete)
    rows = (*first.rows, *in_order([entry.row for entry in partial]))
    return [dataclasses.replace(first, rows=rows), *others]


def _of_one_signature(results: Sequence[Scored]) -> list[Scored]:
    """The results whose main score has the signature that most of them have."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for one in results:
        groups[one.report.signature].append(one)
    return min(groups.items(), key=lambda item: (-len(item[1]), item[0]))[1] if groups else []


def _mean_entry(systems: Systems, name: str, found: Mapping[str, Scored], lexicon: str) -> _Entry:
    summary = unibench([one.report for one in found.values()])
    complete = summary.mean is not None
    one_by_one = [found[corpus] for corpus in MER_UNIBENCH if corpus in found]
    evidence: Evidence = "rescored"
    if any(one.result.evidence == "verified" for one in one_by_one):
        evidence = "verified"
    row = Row(
        system=name,
        role=systems[name].role,
        evidence=evidence,
        rank=None,
        value=summary.mean,
        parts=dict(summary.scores),
    )
    if not complete:
        return _Entry(row, "", None)
    drawn = _mean_drawn(one_by_one)
    low, high = _mean_interval(row, one_by_one, drawn)
    skills = [one.report.main_score.skill for one in one_by_one]
    row = dataclasses.replace(row, low=low, high=high, skill=float(np.mean(skills)))
    return _Entry(row, _mean_signature(one_by_one, lexicon), drawn)


def _mean_drawn(parts: Sequence[Scored]) -> Drawn | None:
    """The mean under every draw.

    Corpora are independent, but their draws began from one seed; each is put into an order of
    its own, the same for all systems.
    """
    columns = [one.drawn.get(one.report.main) for one in parts]
    mixed = []
    for k, column in enumerate(columns):
        if column is None:
            return None
        mixed.append(
            column[np.random.default_rng([parts[k].report.seed, k]).permutation(len(column))]
        )
    return np.asarray(np.mean(mixed, axis=0), np.float64)


def _mean_interval(
    row: Row, parts: Sequence[Scored], drawn: Drawn | None
) -> tuple[float | None, float | None]:
    if drawn is not None:
        low, high = np.quantile(drawn, [0.025, 0.975])
        return float(low), float(high)
    scores = [one.report.main_score.interval for one in parts]
    errors = [
        half_width(dataclasses.replace(row, low=i.low, high=i.high))
        for i in scores
        if i is not None
    ]
    if len(errors) < len(parts) or row.value is None:
        return None, None
    half = Z * math.hypot(*errors) / len(errors)
    return row.value - half, row.value + half


def _mean_signature(parts: Sequence[Scored], lexicon: str) -> str:
    joined = "\n".join(one.report.signature for one in parts)
    digest = hashlib.sha256(joined.encode("utf-8")).hexdigest()[:HASH_PREFIX]
    versions = "+".join(sorted({one.report.version for one in parts}))
    return f"metric:mean|lexicon:{lexicon}|corpora:{len(parts)}|parts:{digest}|version:{versions}"
