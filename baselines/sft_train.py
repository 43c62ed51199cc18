"""Cold start: supervised training from descriptions and open labels."""

from affectgpt_rl.commands import sft
from ovmer_bench.cli.main import run

if __name__ == "__main__":
    run(sft, "sft_train.py")
