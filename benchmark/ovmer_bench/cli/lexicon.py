"""``ovmer lexicon``: install lexicons, and look into them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..console import plain_table, say, show
from ..errors import InputError, printable
from ..files import write_text
from ..lexicon import BUILTIN_ID, load_lexicon
from ..lexicon.inspect import Coverage, Explanation, LexiconDiff, coverage, diff, explain
from ..lexicon.releases import RELEASES, UnverifiedLexicon
from ..lexicon.upstream import InstallReport, install, installed_ids
from ..metrics.gold import Gold, as_gold
from ..metrics.scoring import labels_of
from ..reading.readers import read_predictions
from .options import FILE, keep_inputs

_SHOWN = 20


@click.group("lexicon")
def command() -> None:
    """Install, list and inspect emotion-wheel lexicons."""


@command.command("list")
def list_command() -> None:
    """List the lexicons that can score."""
    rows = plain_table(
        "lexicon", ">forms", ">bases", ">wheel words", ">no feeling", "sha256", "source"
    )
    for lexicon_id in [BUILTIN_ID, *installed_ids()]:
        lexicon = load_lexicon(lexicon_id)
        counts = lexicon.statistics()
        names = ("forms", "bases", "wheel_words", "no_feeling")
        numbers = [f"{counts[name]:,}" for name in names]
        rows.add_row(lexicon_id, *numbers, lexicon.sha256[:12], lexicon.source)
    show(rows)
    missing = [known for known in RELEASES if known not in installed_ids()]
    for known in missing:
        say(f"not installed: {known} (ovmer lexicon install --id {known} --from DIR)")


@command.command("install")
@click.option("--from", "folder", type=FILE, help="Folder with the upstream files.")
@click.option("--download", is_flag=True, help="Fetch the files from the authors' repository.")
@click.option("--id", "lexicon_id", help="Release; by default found by the files' hashes.")
@click.option("--base-url", help="Stands for https://raw.githubusercontent.com.")
@click.option("--accept-unknown", is_flag=True, help="Keep other files, under another id.")
@click.option("--as", "as_id", help="That id.")
def install_command(
    folder: Path | None,
    download: bool,
    lexicon_id: str | None,
    base_url: str | None,
    accept_unknown: bool,
    as_id: str | None,
) -> None:
    """Check, compile and keep an official lexicon."""
    if (folder is None) != download:
        raise click.UsageError("give one of --from DIR and --download")
    if download:
        if lexicon_id is None:
            raise click.UsageError(f"--download needs --id: {', '.join(RELEASES)}")
        from ..lexicon.download import download_and_install

        _print_install(download_and_install(lexicon_id, base_url))
    elif folder is not None:
        try:
            report = install(folder, lexicon_id, accept_unknown, as_id)
        except UnverifiedLexicon as error:
            for line in error.check.differences():
                click.echo(f"  {line}", err=True)
            raise
        _print_install(report)


def _print_install(report: InstallReport) -> None:
    counts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in report.statistics.items())
    checked = "files verified by sha256" if report.official else "NOT an official release"
    state = "installed" if report.changed else "already installed"
    say(f"{state} {report.lexicon_id} ({checked}): {counts}")


@command.command("coverage")
@click.argument("file", type=FILE)
@click.option("--lexicon", "lexicons", multiple=True, help="Lexicon id (repeatable).")
@click.option("--top", type=click.IntRange(0), default=_SHOWN, help="Unknown words to name.")
@click.option("--json", "json_file", type=FILE, help="Write the numbers as JSON.")
def coverage_command(
    file: Path, lexicons: tuple[str, ...], top: int, json_file: Path | None
) -> None:
    """Count what lexicons know of the labels in FILE (predictions or gold)."""
    keep_inputs([json_file], [file])
    lists = _label_lists(file)
    found = [coverage(lists, load_lexicon(i), top) for i in lexicons or _all_ids()]
    if json_file is not None:
        _write_json(json_file, [item.to_dict() for item in found])
    for item in found:
        _print_coverage(item)


def _label_lists(file: Path) -> list[list[str]]:
    """Labels of a prediction file, or of a gold file where it is none."""
    try:
        return labels_of(read_predictions(file).predictions, None)[0]
    except InputError as error:
        try:
            gold: Gold = as_gold(file)
        except InputError:
            raise error from None
        return gold.labels


def _print_coverage(item: Coverage) -> None:
    rows = plain_table(item.lexicon_id, ">feeling", ">neutral", ">no feeling", ">unknown", ">all")
    for name, counts in (("labels", item.tokens), ("distinct labels", item.types)):
        cells = [counts.feeling, counts.neutral, counts.no_feeling, counts.unknown]
        shown = [f"{n:,} ({100 * n / max(counts.total, 1):.1f} %)" for n in cells]
        rows.add_row(name, *shown, f"{counts.total:,}")
    show(rows)
    if item.unknown_words:
        words = (f"{printable(word)} ({n})" for word, n in item.unknown_words)
        say(f"unknown: {', '.join(words)}")


@command.command("explain")
@click.argument("words", nargs=-1, required=True)
@click.option("--lexicon", "lexicons", multiple=True, help="Lexicon id (repeatable).")
@click.option("--json", "json_file", type=FILE, help="Write the paths as JSON.")
def explain_command(
    words: tuple[str, ...], lexicons: tuple[str, ...], json_file: Path | None
) -> None:
    """Show the path of WORDS through the lexicons, wheel by wheel."""
    loaded = [load_lexicon(lexicon_id) for lexicon_id in lexicons or _all_ids()]
    found = [explain(word, loaded) for word in words]
    if json_file is not None:
        _write_json(json_file, [item.to_dict() for item in found])
    for item in found:
        _print_explanation(item)


def _print_explanation(item: Explanation) -> None:
    for path in item.paths:
        valence = "" if path.valence is None else f", valence {path.valence:+d}"
        form = f" as {path.form!r}" if path.form not in (None, item.word) else ""
        say(f"{item.word!r} in {path.lexicon_id}: {path.status}{form}{valence}")
        if path.near:
            say(f"  spelt most like it: {', '.join(path.near)}")
        for base, words in path.bases:
            say(f"  base {base!r}: {', '.join(words) or 'on no wheel'}")
        if path.status == "feeling":
            rows = plain_table("wheel", "wheel word", "level 1", "level 2", "passed over")
            for place in path.wheels:
                cells = (place.wheel_word, place.level1, place.level2)
                over = ", ".join(place.passed_over) or "-"
                rows.add_row(f"W{place.wheel}", *(cell or "-" for cell in cells), over)
            show(rows)


@command.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--all", "show_all", is_flag=True, help="List every word, not the first ones.")
@click.option("--json", "json_file", type=FILE, help="Write the difference as JSON.")
def diff_command(a: str, b: str, show_all: bool, json_file: Path | None) -> None:
    """Show where lexicon B differs from lexicon A."""
    found = diff(load_lexicon(a), load_lexicon(b))
    if json_file is not None:
        _write_json(json_file, found.to_dict())
    _print_diff(found, None if show_all else _SHOWN)


def _print_diff(found: LexiconDiff, limit: int | None) -> None:
    def listed(title: str, words: tuple[str, ...]) -> None:
        more = len(words) - limit if limit is not None and len(words) > limit else 0
        tail = f", and {more:,} more" if more else ""
        say(f"{title} ({len(words):,}): {', '.join(words[:limit]) or '-'}{tail}")

    listed(f"only in {found.a}", found.only_a)
    listed(f"only in {found.b}", found.only_b)
    listed(f"on a wheel in {found.a} alone", found.lost)
    listed(f"on a wheel in {found.b} alone", found.gained)
    for wheel in range(1, 6):
        listed(f"other level-1 sector on W{wheel}", found.moved_forms(wheel))
    listed(
        "moved to the opposite valence",
        tuple(f"{m.form} (W{m.wheel} {m.before} -> {m.after})" for m in found.opposite),
    )


def _all_ids() -> list[str]:
    return [BUILTIN_ID, *installed_ids()]


def _write_json(path: Path, data: object) -> None:
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    click.echo(f"wrote {path}", err=True)
