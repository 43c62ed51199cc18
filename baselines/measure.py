"""Speed and memory of GRPO on this machine."""

from affectgpt_rl.commands import measure
from ovmer_bench.cli.main import run

if __name__ == "__main__":
    run(measure, "measure.py")
