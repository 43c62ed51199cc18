"""GRPO with emotion-wheel rewards."""

from affectgpt_rl.commands import rl
from ovmer_bench.cli.main import run

if __name__ == "__main__":
    run(rl, "rl_train.py")
