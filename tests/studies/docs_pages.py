"""The parts of ``docs/`` that are generated from the project itself.

What stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of a page is replaced by
what the function called NAME in :data:`REGIONS` makes of it; the rest of a page is written by
hand. The same registry, lexicon and corpora give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from ovmer_bench.corpora.registry import CORPORA, CorpusInfo
from ovmer_bench.corpora.store import load_corpus
from ovmer_bench.harness import tasks_dir
from ovmer_bench.lexicon import load_lexicon
from ovmer_bench.prompts import evidence_text, prompt
from ovmer_bench.submission.meta import meta_schema

from . import docs_baselines, docs_examples, docs_settings
from .docs_text import code, fenced, listed, table

DOCS = Path(__file__).parents[2] / "docs"
CORPUS_PAGES = DOCS / "corpora"

_REGION = re.compile(r"(<!-- begin ([\w-]+) -->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)
_EXAMPLE = re.compile(r"<!-- example\n(.*?)\n-->", re.DOTALL)
GOLD = {
    "open": "open-vocabulary labels",
    "basic": "one basic emotion",
    "sentiment": "a valence, negative to positive",
}
SHOWN = {
    "subtitle": "subtitle",
    "clues": "written clues",
    "frames": "frames",
    "audio": "sound",
}
PROMPTED_SCENE = "scene_128"


def pages() -> list[Path]:
    """All hand-written and half-generated pages."""
    return sorted(DOCS.rglob("*.md"))


def regenerated(path: Path) -> str:
    """The text of a page with all its generated regions made anew."""
    text = path.read_text("utf-8")

    def made(match: re.Match[str]) -> str:
        content = REGIONS[match[2]](path, text)
        return f"{match[1]}\n{content.strip()}\n\n{match[4]}"

    return _REGION.sub(made, text)


# --- Corpora ----------------------------------------------------------------------------


def corpus_table(path: Path, text: str) -> str:
    """Every corpus, by what its gold is."""
    rows = []
    for info in CORPORA.values():
        where = "in the package" if info.embedded else "imported"
        name = f"[`{info.name}`]({info.name}.md)"
        rows.append(
            (name, info.title, f"{info.n:,}", info.split, GOLD[info.kind], info.main_score, where)
        )
    heads = ("corpus", "title", "clips", "split", "gold", "main score", "where")
    return table(heads, rows, right=(2,))


def facts(path: Path, text: str) -> str:
    """What the registry says of the corpus that a page is about."""
    info = CORPORA[path.stem]
    said = {
        "name": listed((info.name, *info.aliases)),
        "gold": GOLD[info.kind],
        "scored": f"{info.n:,} clips, split `{info.split}`"
        if info.split != "train"
        else f"{info.n:,} clips; a training set, listed so that training and test are kept apart",
        "language": info.language,
        "main score": f"`{info.main_score}`",
        "sample set": code(load_corpus(info.name).sha256[:12]) if info.embedded else "",
        "published": ", ".join(f"<{address}>" for address in info.published),
        "terms": info.licence,
        "cite": info.paper,
    }
    return table(("", ""), [(key, value) for key, value in said.items() if value])


def importing(path: Path, text: str) -> str:
    """Which files an import takes, and what it makes sure of."""
    info = CORPORA[path.stem]
    fetch = f"$ ovmer data download {info.name}\n"
    command = f"$ ovmer data import {info.name} --from DIR\n$ ovmer data verify {info.name}"
    rows = [("gold", listed(info.label_files), "needed")]
    if info.transcript_files:
        rows.append(("subtitles", listed(info.transcript_files), "for tasks that show words"))
    if info.description_files:
        rows.append(("descriptions", listed(info.description_files), "for training only"))
    checks = "".join(f"- {line}\n" for line in _checks(info))
    fetched = (
        f"Access is granted on <{info.hub.page}>; then, with your own token:\n\n"
        f"<!-- run: elsewhere -->\n{fenced(fetch, 'console')}\nOr from files that you have:\n\n"
        if info.hub
        else ""
    )
    return (
        f"{fetched}<!-- run: elsewhere -->\n{fenced(command, 'console')}\n"
        f"{table(('what', 'official file', 'use'), rows)}\n\nChecked on import:\n\n{checks}"
    )


def _checks(info: CorpusInfo) -> list[str]:
    n = f"{info.n:,} clips exactly (another number only with `--allow-count`, and recorded)"
    if info.kind == "open":
        return [
            "columns `name` (or `id`) and `openset` (or `labels`)",
            f"{n}, no clip twice",
            "each label list readable",
        ]
    gold = "`val`, a finite number" if info.kind == "sentiment" else "`emo`, a word"
    if info.label_order:
        gold = f"`emo`, an index into {listed(info.label_order)} (from 0), or the word"
    prefix = f" whose ids begin with `{info.id_prefix}`" if info.id_prefix else ""
    return [f"an array {listed(info.corpus_keys, 'or')}{prefix}", n, f"for each clip {gold}"]


# --- Harness tasks ----------------------------------------------------------------------


def _task_files() -> dict[str, dict[str, Any]]:
    """Contents of the task files by name; functions they call stay names."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    return {
        path.stem: yaml.load(path.read_text("utf-8"), Loader=Loader)
        for path in sorted(tasks_dir().glob("*.yaml"))
    }


def _task_rows(chosen: Callable[[str], bool]) -> list[tuple[str, ...]]:
    files = _task_files()
    groups = {name: made["task"] for name, made in files.items() if "group" in made}
    rows = []
    for name, made in files.items():
        if "group" in made:
            continue
        asked = made["dataset_kwargs"]["ovmer"]
        if not chosen(asked["corpus"]):
            continue
        shown = ", ".join(SHOWN[kind] for kind in asked["evidence"])
        within = listed(group for group, tasks in groups.items() if name in tasks)
        rows.append((code(name), asked["corpus"], shown, asked["prompt"], within or "-"))
    return rows


def corpus_tasks(path: Path, text: str) -> str:
    """Harness tasks on the corpus that a page is about."""
    rows = _task_rows(lambda corpus: corpus == path.stem)
    if not rows:
        return "No harness task runs on it; `ovmer score` does."
    cut = [(task, shown, mode, groups) for task, _, shown, mode, groups in rows]
    return table(("task", "shown to the model", "prompt", "in groups"), cut)


def all_tasks(path: Path, text: str) -> str:
    """Every harness task."""
    rows = [
        (task, f"[`{corpus}`](corpora/{corpus}.md)", *rest)
        for task, corpus, *rest in _task_rows(lambda corpus: True)
    ]
    return table(("task", "corpus", "shown to the model", "prompt", "in groups"), rows)


def prompts(path: Path, text: str) -> str:
    """Both prompts, as a model gets them."""
    scene = load_corpus("ovmer_scenes").sample(PROMPTED_SCENE)
    shown = evidence_text(scene.subtitle, scene.clues, ("subtitle", "clues"))
    return "\n".join(f"`{mode}`:\n\n{fenced(prompt(shown, mode))}" for mode in ("answer", "think"))


# --- Submissions ------------------------------------------------------------------------


def meta_fields(path: Path, text: str) -> str:
    """Fields of ``meta.yaml``, from the schema that checks it."""
    schema = meta_schema()
    rows = [
        (code(name), said["description"], "needed" if name in schema["required"] else "")
        for name, said in schema["properties"].items()
    ]
    return table(("field", "what", ""), rows)


# --- Lexicon ----------------------------------------------------------------------------


def sectors(path: Path, text: str) -> str:
    """The inner rings of the five wheels."""
    wheels = load_lexicon().wheels
    rows = [
        (f"W{k}", wheel.name, ", ".join(wheel.sectors(1)), str(len(wheel.sectors(2))))
        for k, wheel in enumerate(wheels, 1)
    ]
    heads = ("wheel", "published as", "sectors at level 1", "sectors at level 2")
    return table(heads, rows, right=(3,))


# --- Command line -----------------------------------------------------------------------


def commands(path: Path, text: str) -> str:
    """Every command with its options, from the command line itself."""
    from ovmer_bench.cli.main import group

    return "\n".join(_command_parts(group, "ovmer", 1))


def command_names(command: click.Command | None = None, name: str = "ovmer") -> list[str]:
    """Full names of all commands that do something."""
    from ovmer_bench.cli.main import group

    command = command or group
    if not isinstance(command, click.Group):
        return [name]
    context = click.Context(command, info_name=name)
    names: list[str] = []
    for part in command.list_commands(context):
        names += command_names(command.get_command(context, part), f"{name} {part}")
    return names


def _command_parts(command: click.Command, name: str, depth: int) -> Iterable[str]:
    context = click.Context(command, info_name=name)
    if depth > 1:
        yield f"{'#' * depth} `{name}`\n"
        yield f"{_unwrapped(command.help or '')}\n"
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            found = command.get_command(context, part)
            if found is not None:
                yield from _command_parts(found, f"{name} {part}", depth + 1)
        return
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    yield fenced(" ".join((name, "[OPTIONS]", *map(_argument, arguments))))
    rows = [_option(p) for p in command.params if isinstance(p, click.Option)]
    if rows:
        yield table(("option", "what"), rows) + "\n"


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return f"{name}..." if argument.nargs == -1 else name


def _option(option: click.Option) -> tuple[str, str]:
    names = ", ".join(option.opts)
    if isinstance(option.type, click.Choice):
        names += f" {'/'.join(map(str, option.type.choices))}"
    elif not option.is_flag:
        names += f" {option.metavar or option.type.name.split()[0].upper()}"
    what = " ".join((option.help or "").split())
    if option.required:
        what += " Needed."
    elif option.show_default and option.default is not None:
        what += f" Default: `{option.default}`."
    return code(names), what


def _unwrapped(text: str) -> str:
    """Paragraphs of a help text, one line each."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\b", "").strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


# --- Examples ---------------------------------------------------------------------------


def example(path: Path, text: str) -> str:
    """The example of a corpus page, from what its comment gives."""
    info = CORPORA[path.stem]
    given = _EXAMPLE.search(text)
    if given is None:
        raise ValueError(f"{path.name} gives no example")
    return docs_examples.corpus_example(info, json.loads(given[1]))


REGIONS: Mapping[str, Callable[[Path, str], str]] = {
    "corpora": corpus_table,
    "facts": facts,
    "importing": importing,
    "corpus-tasks": corpus_tasks,
    "tasks": all_tasks,
    "prompts": prompts,
    "meta": meta_fields,
    "sectors": sectors,
    "commands": commands,
    "example": example,
    "worked-clip": lambda path, text: docs_examples.worked_clip(),
    "worked-skill": lambda path, text: docs_examples.worked_skill(),
    "baselines": lambda path, text: docs_baselines.tables(),
    "settings": lambda path, text: docs_settings.reference(),
    "systems": lambda path, text: docs_baselines.systems(),
}


def needed_regions(info: CorpusInfo) -> Sequence[str]:
    """Regions that the page of a corpus must have."""
    return ("facts", "example", "corpus-tasks", *(() if info.embedded else ("importing",)))
