"""Predictions of a trained policy for a task."""

from affectgpt_rl.commands import predict
from ovmer_bench.cli.main import run

if __name__ == "__main__":
    run(predict, "predict.py")
