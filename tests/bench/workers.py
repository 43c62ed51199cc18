"""What is measured in a process of its own: one job, one JSON object on standard output."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

HEAVY = ("torch", "transformers", "pandas", "scipy", "matplotlib", "rich", "openpyxl", "httpx")


def import_package() -> dict[str, object]:
    """Seconds for ``import ovmer_bench``, and which heavy packages that loaded."""
    start = time.perf_counter()
    import ovmer_bench

    seconds = time.perf_counter() - start
    return {"seconds": seconds, "heavy": _heavy(), "version": ovmer_bench.__version__}


def import_scoring() -> dict[str, object]:
    """Seconds for ``from ovmer_bench import score``, which loads NumPy."""
    start = time.perf_counter()
    from ovmer_bench import score

    return {"seconds": time.perf_counter() - start, "heavy": _heavy(), "name": score.__name__}


def load_lexicon() -> dict[str, object]:
    """Seconds to load the built-in lexicon once its module is there."""
    from ovmer_bench import lexicon_builtin
    from ovmer_bench.lexicon import load_lexicon

    start = time.perf_counter()
    lexicon = load_lexicon(lexicon_builtin.BUILTIN_ID)
    return {"seconds": time.perf_counter() - start, "forms": len(lexicon.forms)}


def score_all(n: str, draws: str) -> dict[str, object]:
    """Seconds for every metric and every interval of ``n`` clips, and the peak memory of the
    whole process, clips included."""
    from ovmer_bench.lexicon import load_lexicon
    from ovmer_bench.metrics.significance import bootstrap
    from workload import all_metrics, synthetic_clips

    lexicon = load_lexicon()
    gold, predicted = synthetic_clips(int(n), lexicon)
    start, start_cpu = time.perf_counter(), time.process_time()
    evaluation, values = all_metrics(gold, predicted, lexicon)
    scored = time.perf_counter()
    intervals = bootstrap(evaluation.measure, draws=int(draws))
    end = time.perf_counter()
    return {
        "n": int(n),
        "draws": int(draws),
        "seconds": end - start,
        "seconds_scores": scored - start,
        "seconds_intervals": end - scored,
        "cpu_seconds": time.process_time() - start_cpu,
        "peak_gib": peak_gib(),
        "S1": values["S1"],
        "S1_interval": [intervals["S1"].low, intervals["S1"].high],
    }


def peak_gib() -> float:
    """Peak resident memory of this process; the system counts KiB, on macOS bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def _heavy() -> list[str]:
    return [name for name in HEAVY if name in sys.modules]


JOBS: dict[str, Callable[..., dict[str, object]]] = {
    job.__name__: job for job in (import_package, import_scoring, load_lexicon, score_all)
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
