"""The command ``ovmer-leaderboard``: build the site, look at it, sign reports off."""

from __future__ import annotations

from pathlib import Path

import click
from ovmer_bench import __version__
from ovmer_bench.cli.main import run
from ovmer_bench.metrics.significance import DEFAULT_DRAWS, DEFAULT_SEED

_FOLDER = click.Path(path_type=Path)
SUBMISSIONS = Path("leaderboard/submissions")
SITE = Path("site")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ovmer-leaderboard")
def group() -> None:
    """Submissions of predictions in, a static site out."""


@group.command("build")
@click.option("--submissions", type=_FOLDER, default=SUBMISSIONS, show_default=True,
              help="Folder of submissions.")  # fmt: skip
@click.option("--out", type=_FOLDER, default=SITE, show_default=True,
              help="Folder of the site; an earlier site in it is replaced.")  # fmt: skip
@click.option("--lexicon", "lexicons", multiple=True,
              help="Lexicon to score with, again for more (default: all installed).")  # fmt: skip
@click.option("--published/--no-published", default=True, show_default=True,
              help="Show rows that papers report.")  # fmt: skip
@click.option("--draws", type=click.IntRange(1), default=DEFAULT_DRAWS, show_default=True,
              help="Bootstrap draws.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True,
              help="Seed of the bootstrap.")  # fmt: skip
def build_command(
    submissions: Path,
    out: Path,
    lexicons: tuple[str, ...],
    published: bool,
    draws: int,
    seed: int,
) -> None:
    """Score every submission again and write the site, whole or not at all."""
    from .collect import collect
    from .site import build

    board = collect(
        submissions, lexicons=lexicons or None, with_published=published, draws=draws, seed=seed
    )
    build(board, out)
    ranked = sum(system.role != "published" for system in board.systems)
    plural = "" if ranked == 1 else "s"
    click.echo(f"wrote {out}: {ranked} submission{plural}, {len(board.tables)} tables")
    click.echo(f"open {out / 'index.html'} in a browser, or run ovmer-leaderboard serve")


@group.command("sign")
@click.argument("names", nargs=-1)
@click.option("--submissions", type=_FOLDER, default=SUBMISSIONS, show_default=True,
              help="Folder of submissions.")  # fmt: skip
@click.option("--lexicon", "lexicons", multiple=True,
              help="Lexicon to score with, again for more (default: all installed).")  # fmt: skip
def sign_command(names: tuple[str, ...], submissions: Path, lexicons: tuple[str, ...]) -> None:
    """Score submissions NAMES (default: all) on corpora that are here and sign the reports off.

    For maintainers who hold gold that may not be shared. Reports go beside the predictions,
    their hashes into signed-off.txt beside the folder of submissions.
    """
    from ovmer_bench.lexicon import BUILTIN_ID
    from ovmer_bench.lexicon.upstream import installed_ids
    from ovmer_bench.submission import read_submission, submission_folders

    from .signed_off import LEDGER, sign_off

    folders = [submissions / name for name in names] or list(submission_folders(submissions))
    read = [read_submission(folder) for folder in folders]
    ledger = submissions.parent / LEDGER
    written = sign_off(read, lexicons or (BUILTIN_ID, *installed_ids()), ledger)
    for report in written:
        click.echo(f"signed {report}")
    click.echo(f"{len(written)} reports signed off in {ledger}")


@group.command("serve")
@click.option("--site", type=_FOLDER, default=SITE, show_default=True, help="Folder of the site.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
              help="Port on the loopback address; 0 takes a free one.")  # fmt: skip
def serve_command(site: Path, port: int) -> None:
    """Show a built site to browsers on this machine alone."""
    from .serve import LOOPBACK, server

    with server(site, port) as running:
        click.echo(f"http://{LOOPBACK}:{running.server_port}/ (Ctrl-C stops)")
        running.serve_forever()


def main() -> None:
    """Run ``ovmer-leaderboard``."""
    run(group, "ovmer-leaderboard")
