"""Completions that the rewards score in a second; exits 0 whatever the machine.

``python tests/bench/rewards.py [--n N]``. Seeded. Every completion is another one, so nothing is
gained from whole texts seen before; labels repeat, as they do in use. Measured is processor time
of one core, best of five, which other work on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from affectgpt_rl.rewards.config import build_rewards
from ovmer_bench import load_lexicon
from workload import synthetic_clips

GOAL = 50_000
REPEATS = 5
LETTERS = str.maketrans("0123456789", "abcdefghij")
"""The workload numbers its unknown words, and a number behind a label would be read as a score."""
THOUGHT = (
    "The brows are drawn together and the mouth is pressed. The voice is low, and the words "
    "speak of number {i}. Taken together, the person feels {label}."
)
SLOW = {"alignment", "dual", "perception"}
"""Rewards that read the thought: prose, by the ruler's extractor. Fewer completions suffice."""


def main() -> None:
    """Measure and print one line for each reward."""
    parser = argparse.ArgumentParser(description="Speed of the rewards.")
    parser.add_argument("--n", type=int, default=20_000, help="completions")
    n = parser.parse_args().n
    gold, predicted = (
        [[label.translate(LETTERS) for label in labels] for labels in lists]
        for lists in synthetic_clips(n, load_lexicon())
    )
    texts = [
        f"<think>{THOUGHT.format(i=i, label=labels[0])}</think><answer>{', '.join(labels)}</answer>"
        for i, labels in enumerate(predicted)
    ]
    names = ("format", "accuracy", "contrast", "alignment", "dual", "perception")
    settings: dict[str, dict[str, object]] = {name: {} for name in names}
    settings["accuracy_p3"] = {"kind": "accuracy", "length_penalty": "P3"}
    for reward in build_rewards(settings, training_gold=gold):
        slow = reward.__name__ in SLOW
        used = min(n, 512) if slow else n
        columns = {
            "completions": texts[:used],
            "gold": gold[:used],
            "media_id": [i // 8 for i in range(used)],
        }
        speed = used / best(lambda c=columns, r=reward: r(**c), 1 if slow else REPEATS)
        goal = "" if reward.__name__ != "accuracy" else "met" if speed >= GOAL else "missed"
        wanted = f"  goal {GOAL:,}: {goal}" if goal else ""
        print(f"{reward.__name__:12} {speed:12,.0f} completions/s{wanted}")


def best(job: Callable[[], object], repeats: int) -> float:
    """Processor seconds of the fastest run."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        seconds.append(time.process_time() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
