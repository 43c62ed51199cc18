"""``python -m ovmer_bench``: the command ``ovmer``."""

from .cli import main

if __name__ == "__main__":
    main()
