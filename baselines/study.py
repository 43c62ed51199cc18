"""The study: what the paper found, tested in the open."""

from affectgpt_rl.commands import study
from ovmer_bench.cli.main import run

if __name__ == "__main__":
    run(study, "study.py")
