"""The documentation says what is so: examples run, links resolve, generated parts are current.

``python -m studies.docs``, run in ``tests/``, makes generated parts and printed output anew.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import ovmer_bench
import pytest
import yaml
from affectgpt_rl.commands import measure, predict, rl, sft, study
from affectgpt_rl.config import load_config
from console_blocks import README, ROOT, Page
from ovmer_bench.cli.main import group
from ovmer_bench.corpora.registry import CORPORA
from studies.docs_pages import (
    CORPUS_PAGES,
    DOCS,
    REGIONS,
    command_names,
    needed_regions,
    pages,
    regenerated,
)

PAGES = [Page(path) for path in pages()]
_SNIPPET = re.compile(r'^--8<-- "(.+)"$', re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name(page: Page) -> str:
    return page.path.relative_to(DOCS).as_posix()


def having(kind: str) -> list[Page]:
    found = [page for page in PAGES if page.blocks(kind)]
    assert found
    return found


def every(pages: list[Page]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=name)


# --- Examples ---------------------------------------------------------------------------


@every(PAGES)
def test_every_block_says_how_it_runs(page: Page) -> None:
    assert page.unmarked() == 0


@every(having("embedded"))
def test_commands_on_embedded_data(page: Page, tmp_path: Path) -> None:
    assert not page.differences("embedded", tmp_path)


@every(having("reference"))
def test_commands_on_real_data(page: Page, tmp_path: Path, reference: Path) -> None:
    assert not page.differences("reference", tmp_path)


@every(having("harness"))
def test_commands_of_the_harness(page: Page, tmp_path: Path) -> None:
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    assert not page.differences("harness", tmp_path)


@pytest.mark.train
@pytest.mark.once
@every(having("train"))
def test_commands_of_the_trainer(page: Page, tmp_path: Path) -> None:
    pytest.importorskip("trl", reason="the extra train is not installed")
    assert not page.differences("train", tmp_path)


WITH_PYTHON = [page for page in PAGES if "```python" in page.text]


@every([page for page in WITH_PYTHON if not page.python_needs_train])
def test_python_examples(page: Page) -> None:
    assert not page.python_differences()


@pytest.mark.train
@every([page for page in WITH_PYTHON if page.python_needs_train])
def test_python_examples_of_the_trainer(page: Page) -> None:
    pytest.importorskip("trl", reason="the extra train is not installed")
    assert not page.python_differences()


SCRIPTS = {script.name: script for script in (sft, rl, predict, study, measure)}
CONFIGURED = {"sft_train.py", "rl_train.py"}


def options_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words on a command line name, and the words behind its name."""
    command: click.Command = group
    context = click.Context(group)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize("page", having("elsewhere"), ids=name)
def test_commands_that_cannot_run_here_exist(page: Page) -> None:
    """They show no output, and our own commands know the options that they are given."""
    for step in (step for block in page.blocks("elsewhere") for step in block.steps):
        assert not step.output, step.command
        words = shlex.split(step.command)
        script = next((n for n, w in enumerate(words) if Path(w).name in SCRIPTS), None)
        if script is not None:
            check_script(Path(words[script]), words[script + 1 :])
            continue
        if words[0] != "ovmer":
            known_tools = ("pip", "lm_eval", "ovmer-leaderboard", "tensorboard", "trl")
            assert words[0] in known_tools, step.command
            continue
        command, rest = options_of(words[1:])
        known = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in rest if word.startswith("--")}
        assert "--help" in known | given or given <= known, step.command


def check_script(script: Path, words: list[str]) -> None:
    """A script of the trainer is there, and knows options, configuration and settings."""
    command = SCRIPTS[script.name]
    assert (ROOT / script).is_file(), script
    given = {word for word in words if word.startswith("--")}
    assert given <= {option for one in command.params for option in one.opts}, words
    pairs = list(pairwise(words))
    if script.name in CONFIGURED:
        config = next(value for option, value in pairs if option == "--config")
        file = ROOT / config
        if config.startswith("runs/"):  # the copy in a run folder
            file = ROOT / "baselines" / "configs" / "mini.yaml"
        load_config(file, [value for option, value in pairs if option == "--set"])


# --- Generated parts ----------------------------------------------------------------------


@every([page for page in PAGES if "<!-- begin" in page.text])
def test_generated_parts_are_current(page: Page) -> None:
    begun = re.findall(r"<!-- begin ([\w-]+) -->", page.text)
    assert begun == re.findall(r"<!-- end ([\w-]+) -->", page.text)
    assert set(begun) <= set(REGIONS)
    assert regenerated(page.path) == page.text


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_corpus_has_its_page(corpus: str) -> None:
    text = (CORPUS_PAGES / f"{corpus}.md").read_text("utf-8")
    for region in needed_regions(CORPORA[corpus]):
        assert f"<!-- begin {region} -->" in text


def test_every_command_has_its_place() -> None:
    """On the page of commands, and in an example."""
    listed = Page(DOCS / "commands.md").text
    examples = "\n".join(page.text for page in (Page(README), *PAGES))
    for command in command_names():
        assert f"# `{command}`" in listed, command
        assert re.search(rf"^\$ .*\b{command}\b(?!-)", examples, re.MULTILINE), command


def test_every_public_name_has_its_place() -> None:
    described = set(
        re.findall(r"^::: ovmer_bench\.(\w+)$", (DOCS / "api.md").read_text("utf-8"), re.M)
    )
    assert described == set(ovmer_bench.__all__) - {"__version__"}


# --- Links --------------------------------------------------------------------------------


def whole(path: Path) -> str:
    """A page with the files that it includes."""
    text = path.read_text("utf-8")
    return _SNIPPET.sub(lambda m: (ROOT / m[1]).read_text("utf-8"), text)


def anchors(path: Path) -> set[str]:
    """Anchors of the headings of a page, as MkDocs makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCED.sub("", whole(path)), re.MULTILINE):
        ascii_text = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
        kept = re.sub(r"[^\w\s-]", "", ascii_text).strip().lower()
        found.add(re.sub(r"[-\s]+", "-", kept))
    return found


def links(page: Page) -> Iterator[tuple[str, str]]:
    """Internal links of a page: file and anchor, either may be empty."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", page.text)):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield file, anchor


@every(PAGES)
def test_internal_links_resolve(page: Page) -> None:
    for file, anchor in links(page):
        target = (page.path.parent / file).resolve() if file else page.path
        assert target in {other.path for other in PAGES}, f"{name(page)} links to {file}"
        assert not anchor or anchor in anchors(target), f"{name(page)} links to {file}#{anchor}"


def test_every_page_is_in_the_navigation() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    listed: list[str] = []

    def walk(item: object) -> None:
        if isinstance(item, str):
            listed.append(item)
        elif isinstance(item, (list, dict)):
            for part in item.values() if isinstance(item, dict) else item:
                walk(part)

    walk(config["nav"])
    assert sorted(listed) == sorted(map(name, PAGES))


@every(PAGES)
def test_no_absolute_paths(page: Page) -> None:
    assert not re.search(r"(?<![\w.<:/])/(?:home|root|tmp|work)/", page.text)
