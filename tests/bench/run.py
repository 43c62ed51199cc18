"""Speed and memory, in ratios and in numbers; exits 0 whatever the machine.

``python tests/bench/run.py [--quick] [--json FILE]``. Everything is seeded. Nothing is
asserted: a line per goal says whether this machine, in this run, met it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ovmer_bench import ClipScorer, evaluate, load_lexicon
from ovmer_bench.lexicon import Lexicon
from ovmer_bench.metrics.significance import DEFAULT_DRAWS
from ovmer_bench.metrics.statistics import EW_METRICS
from rich.console import Console
from rich.table import Table
from workload import all_metrics, published_kind, synthetic_clips

SIZES = (1_000, 10_000, 100_000, 1_000_000)
QUICK_SIZES = SIZES[:3]
ORACLE_CLIPS = 1_000
ORACLE_PAIRED_CLIPS = 300
CLI_CLIPS = 500
FRESH_PROCESSES = 7
WORKERS = Path(__file__).parent / "workers.py"
ORACLE = Path(__file__).parent.parent / "oracle.py"


@dataclass(frozen=True)
class Goal:
    """One measured number against what it should be at most, or at least."""

    name: str
    measured: float
    goal: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the goal was met in this run."""
        return self.measured >= self.goal if self.at_least else self.measured <= self.goal


def main() -> None:
    """Measure, print, and write JSON where asked."""
    options = _options()
    console = Console()
    lexicon = load_lexicon()
    sizes = QUICK_SIZES if options.quick else SIZES
    rows = [throughput(n, lexicon) for n in sizes]
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        "throughput": rows,
        "growth_exponent": growth_exponent(rows),
        "oracle": against_oracle(lexicon),
        "largest": fresh("score_all", str(sizes[-1]), str(DEFAULT_DRAWS)),
        "pipeline": pipeline(QUICK_SIZES[-1], lexicon),
        "import_package": fresh_median("import_package"),
        "import_scoring": fresh_median("import_scoring"),
        "lexicon": fresh_median("load_lexicon"),
        "command_line": command_line(lexicon),
        "rewards_per_second": rewards(lexicon),
    }
    goals = goals_of(found)
    found["goals"] = [{**asdict(goal), "met": goal.met} for goal in goals]
    show(console, found, goals)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed and memory of the ruler.")
    parser.add_argument("--quick", action="store_true", help="at most 100,000 clips")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    return parser.parse_args()


# Measuring


def best_of(repeats: int, job: Callable[[], object]) -> float:
    """Seconds of the fastest run: the one that others disturbed least."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def throughput(n: int, lexicon: Lexicon) -> dict[str, float]:
    """Clips per second from label lists to every score, skill and vocabulary health."""
    gold, predicted = synthetic_clips(n, lexicon)
    all_metrics(gold[:1_000], predicted[:1_000], lexicon)  # labels seen once before, as in use
    seconds = best_of(1 if n > 100_000 else 3, lambda: all_metrics(gold, predicted, lexicon))
    return {"clips": n, "seconds": seconds, "clips_per_second": n / seconds}


def growth_exponent(rows: list[dict[str, float]]) -> float:
    """Slope of log seconds over log clips, least squares, from 10,000 clips on: 1 is linear."""
    large = [row for row in rows if row["clips"] >= 10_000]
    x = [math.log(row["clips"]) for row in large]
    y = [math.log(row["seconds"]) for row in large]
    return statistics.linear_regression(x, y).slope


def against_oracle(lexicon: Lexicon) -> dict[str, float]:
    """Throughput over that of the slow oracle, twice: where the oracle computes the twelve F and
    nothing else, and where it computes their expectation too, as the package always does (over
    every pair of clips, so that its speed depends on their number)."""
    oracle = _load(ORACLE)
    published = published_kind(lexicon)
    maps = (
        {form: set(bases) for form, bases in published.forms.items()},
        {base: set(words) for base, words in published.wheel_words.items()},
        [(wheel.level1, wheel.level2) for wheel in published.wheels],
    )
    many = synthetic_clips(QUICK_SIZES[-1], published)
    speed = len(many[0]) / best_of(3, lambda: all_metrics(*many, published))
    found = {"clips_per_second": speed, "largest_difference": 0.0}
    jobs = {
        "f": (oracle.corpus_f, "", ORACLE_CLIPS),
        "skill": (oracle.expected_f_over_pairs, "/expected", ORACLE_PAIRED_CLIPS),
    }
    seconds_per_clip = 0.0
    for job, (rule, suffix, n) in jobs.items():
        gold, predicted = synthetic_clips(n, published)
        start = time.perf_counter()
        slow = {m: rule(gold, predicted, m, maps)[0] for m in EW_METRICS}
        seconds_per_clip += (time.perf_counter() - start) / n
        _, values = all_metrics(gold, predicted, published)
        differences = [abs(values[m + suffix] - value) for m, value in slow.items()]
        found["largest_difference"] = max(found["largest_difference"], *differences)
        found[f"oracle_{job}_clips_per_second"] = 1 / seconds_per_clip
        found[f"ratio_{job}"] = speed * seconds_per_clip
    return found


def pipeline(n: int, lexicon: Lexicon) -> dict[str, float]:
    """Seconds of ``evaluate(...).report()``: records checked, ids matched, hashes, intervals."""
    lists = synthetic_clips(n, lexicon)
    gold, predicted = ({f"clip{i:08d}": x for i, x in enumerate(side)} for side in lists)
    start = time.perf_counter()
    evaluate(predicted, gold, lexicon=lexicon).report()
    return {"clips": n, "seconds": time.perf_counter() - start}


def rewards(lexicon: Lexicon, n: int = 20_000) -> float:
    """Single-clip scores per second, as a training loop asks for them."""
    gold, predicted = synthetic_clips(n, lexicon)
    scorer = ClipScorer(lexicon)
    return n / best_of(3, lambda: [scorer(p, g) for p, g in zip(predicted, gold, strict=True)])


def fresh(job: str, *arguments: str) -> dict[str, Any]:
    """What a worker says in a process of its own."""
    command = [sys.executable, str(WORKERS), job, *arguments]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def fresh_median(job: str) -> dict[str, Any]:
    """The worker's answer with the median of its seconds over several fresh processes."""
    fresh(job)  # compiles byte code and warms the file cache
    answers = [fresh(job) for _ in range(FRESH_PROCESSES)]
    return {**answers[0], "seconds": statistics.median(a["seconds"] for a in answers)}


def command_line(lexicon: Lexicon) -> dict[str, float]:
    """Median wall time of ``ovmer score`` in fresh processes, interpreter start included."""
    gold, predicted = synthetic_clips(CLI_CLIPS, lexicon)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, side in (("gold", gold), ("said", predicted)):
            file = Path(folder) / f"{name}.jsonl"
            lines = [json.dumps({"id": f"clip{i}", "labels": x}) for i, x in enumerate(side)]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
            files.append(str(file))
        call = "from ovmer_bench.cli import main; main()"
        command = [sys.executable, "-c", call, "score", files[1], "--gold", files[0]]
        seconds = []
        for _ in range(FRESH_PROCESSES + 1):
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            seconds.append(time.perf_counter() - start)
    return {"clips": CLI_CLIPS, "seconds": statistics.median(seconds[1:])}


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Showing


def goals_of(found: dict[str, Any]) -> list[Goal]:
    """Every goal with what was measured."""
    largest = found["largest"]
    size = f"{largest['n']:,} clips, {largest['draws']:,} draws"
    scale = largest["n"] / SIZES[-1]
    return [
        Goal(f"{size}: time", largest["seconds"], 30 * scale, "s"),
        Goal(f"{size}: peak memory", largest["peak_gib"], 2, "GiB"),
        Goal("oracle, all scores and skill", found["oracle"]["ratio_skill"], 200, "x", True),
        Goal("growth exponent", found["growth_exponent"], 1.1, ""),
        Goal("import ovmer_bench", found["import_package"]["seconds"], 0.15, "s"),
        Goal("heavy packages it imports", len(found["import_package"]["heavy"]), 0, ""),
        Goal(f"ovmer score, {CLI_CLIPS} clips", found["command_line"]["seconds"], 1, "s"),
        Goal("built-in lexicon", found["lexicon"]["seconds"] * 1000, 50, "ms"),
        Goal("rewards per second", found["rewards_per_second"], 50_000, "", True),
    ]


def show(console: Console, found: dict[str, Any], goals: list[Goal]) -> None:
    """Two tables, and the numbers that have no goal."""
    speed = Table(title="From label lists to all scores", title_justify="left")
    for column in ("clips", "seconds", "clips per second"):
        speed.add_column(column, justify="right")
    for row in found["throughput"]:
        cells = f"{row['clips']:,}", f"{row['seconds']:.3f}", f"{row['clips_per_second']:,.0f}"
        speed.add_row(*cells)
    console.print(speed)
    oracle, largest = found["oracle"], found["largest"]
    console.print(
        f"{QUICK_SIZES[-1]:,} clips: {oracle['clips_per_second']:,.0f} clips/s; the slow oracle"
        f" {oracle['oracle_f_clips_per_second']:,.0f} for F alone ({oracle['ratio_f']:,.0f} times"
        f" slower), {oracle['oracle_skill_clips_per_second']:,.0f} with skill over pairs of"
        f" {ORACLE_PAIRED_CLIPS} clips; they differ by at most"
        f" {oracle['largest_difference']:.1e}\n"
        f"{largest['n']:,} clips: scores {largest['seconds_scores']:.1f} s, intervals"
        f" {largest['seconds_intervals']:.1f} s; {largest['cpu_seconds']:.1f} s of CPU time on"
        f" {found['cores']} cores\n"
        f"evaluate and report, {found['pipeline']['clips']:,} clips:"
        f" {found['pipeline']['seconds']:.1f} s\n"
        f"from ovmer_bench import score: {found['import_scoring']['seconds']:.3f} s; heavy:"
        f" {', '.join(found['import_scoring']['heavy']) or 'nothing'}",
        highlight=False,
    )
    table = Table(title=f"Goals, {found['cores']} cores", title_justify="left")
    for column in ("goal", "measured", "wanted", ""):
        table.add_column(column, justify="left" if column in ("goal", "") else "right")
    for goal in goals:
        wanted = f"{'>=' if goal.at_least else '<='} {goal.goal:,.4g} {goal.unit}".rstrip()
        measured = f"{goal.measured:,.4g} {goal.unit}".rstrip()
        table.add_row(goal.name, measured, wanted, "met" if goal.met else "missed")
    console.print(table)


if __name__ == "__main__":
    main()
