"""``python -m ovmer_leaderboard``."""

from .cli import main

if __name__ == "__main__":
    main()
