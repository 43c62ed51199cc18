"""The board as HTML pages: which page shows what. How it looks is in ``templates``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ovmer_bench.errors import InputError
from ovmer_bench.reports.text import title_of

from . import data_files, navigation, views
from .board import AS_PUBLISHED, UNIBENCH, Board, Result, System, Table, Task
from .ruler import ruler_numbers
from .wheels import Measure, step_class, step_of, sunburst
from .worked_example import worked_example

if TYPE_CHECKING:
    from jinja2 import Environment

Page = tuple[str, str]
"""Path below the site's folder, and HTML text."""
_MEASURES: tuple[Measure, ...] = ("recall", "precision")
_MOST_NEARBY = 2
"""Tables for which a system's page shows its neighbours."""


def pages(board: Board) -> Iterator[Page]:
    """All pages of the site."""
    if not board.tables:
        raise InputError("there is nothing to show", hint="Add a submission.")
    site = _Site(board)
    yield from site.boards()
    yield from site.systems()
    yield from site.tasks()
    yield from site.others()


class _Site:
    """Renders templates with what every page shares."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.home = navigation.home_table(board)
        self.examples = {
            table.task: worked_example(board, table)
            for table in reversed(board.tables)
            if table.primary and board.task(table.task).clips
        }
        self.of_system: dict[str, list[tuple[Table, views.Line]]] = {}
        self.lines = {table.id: views.lines(board, table) for table in board.tables}
        for table in board.tables:
            for line in self.lines[table.id]:
                self.of_system.setdefault(line.row.system, []).append((table, line))
        self.results: dict[str, list[Result]] = {}
        for result in board.results:
            if result.native:
                self.results.setdefault(result.system, []).append(result)
        self.env = self._environment()

    def _environment(self) -> Environment:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        env = Environment(
            loader=PackageLoader(__package__),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for name in ("percent", "signed", "number", "p_value", "thousands", "short"):
            env.filters[name] = getattr(views, name)
        env.filters["score_title"] = title_of
        env.filters["reading"] = lambda table: navigation.reading(self.board, table)
        for name in ("system_page", "result_page", "lexicon_title", "brief"):
            env.filters[name] = getattr(navigation, name)
        env.globals["interval"] = views.interval
        env.globals["compare_link"] = navigation.compare_link
        env.globals |= {
            "board": self.board,
            "as_published": AS_PUBLISHED,
            "known": frozenset(system.name for system in self.board.systems),
            "board_page": lambda board, table: navigation.board_page(self.home, table),
            "ranked_of": lambda table: sum(row.rank is not None for row in table.rows),
            "systems_on": self._systems_on,
            "track_title": lambda name: next(t.title for t in self.board.tracks if t.name == name),
        }
        return env

    def _render(self, path: str, template: str, section: str, **context: Any) -> Page:
        context |= {"root": "../" * path.count("/"), "section": section}
        context.setdefault("exact", False)
        return path, self.env.get_template(template).render(context).strip() + "\n"

    def boards(self) -> Iterator[Page]:
        """A page for each table; that of the home table is the home page."""
        for table in self.board.tables:
            lines = self.lines[table.id]
            home = table is self.home
            yield self._render(
                navigation.board_page(self.home, table),
                "board.html.j2",
                "board",
                exact=home,
                home=home,
                table=table,
                task=self.board.task(table.task),
                switches=navigation.switches(self.board, self.home, table),
                glance=views.glance(table),
                lines=lines,
                parts=list(dict.fromkeys(p for row in table.rows for p in row.parts)),
                shows=_shows(table, lines),
                filters=navigation.filters(lines),
                has_free=any(row.role == "content-free" for row in table.rows),
                summary=navigation.summary(self.board) if home else (),
            )

    def systems(self) -> Iterator[Page]:
        """A page for each system, and one for each result with pictures."""
        for system in self.board.systems:
            results = self.results.get(system.name, [])
            main = [
                (table, line)
                for table, line in self.of_system.get(system.name, [])
                if table.score == self.board.task(table.task).main
            ]
            pictured = [result for result in results if navigation.has_page(result)]
            first = {t.task: t for t, _ in reversed(main) if t.primary}
            nearby = [(t, views.neighbours(t, system.name)) for t in reversed(first.values())]
            yield self._render(
                navigation.system_page(system.name),
                "system.html.j2",
                "board",
                s=system,
                warnings=views.warnings(system, [line.row for _, line in main]),
                standings=main,
                pictured=pictured,
                nearby=[(t, near) for t, near in nearby if near][:_MOST_NEARBY],
                facts=views.system_facts(system),
                all_scores=results,
            )
            for result in pictured:
                yield self._result(system, result)

    def _result(self, system: System, result: Result) -> Page:
        task = self.board.task(result.task)
        clips = {clip.id: clip for clip in task.clips}
        shown = [
            (title, [(clips[a.clip], a) for a in (result.answers[i] for i in which)])
            for title, which in (("Worst clips", result.worst), ("Best clips", result.best))
        ]
        titles = {score.name: score.title for score in task.scores}
        return self._render(
            navigation.result_page(result),
            "result.html.j2",
            "board",
            s=system,
            r=result,
            task=task,
            main_title=titles.get(task.main, task.main),
            wheels=self._wheels(result),
            histogram=views.histogram(result),
            cases=shown,
        )

    def _wheels(self, result: Result) -> list[dict[str, Any]]:
        lexicon = next((x for x in self.board.lexicons if x.id == result.lexicon), None)
        if lexicon is None or not result.sectors:
            return []
        confusions = {confusion.wheel: confusion for confusion in result.confusion}
        return [
            {
                "number": k,
                "name": name,
                "pictures": [(m, sunburst(lexicon, k, result.sectors, m)) for m in _MEASURES],
                "confusion": _heat(confusions, k, result),
                "sectors": [s for s in result.sectors if s.wheel == k and s.gold + s.predicted],
            }
            for k, name in enumerate(lexicon.wheels, start=1)
        ]

    def tasks(self) -> Iterator[Page]:
        """The list of tasks and a page for each."""
        tracks = [
            (track, [self.board.task(name) for name in track.tasks]) for track in self.board.tracks
        ]
        yield self._render("tasks/index.html", "tasks.html.j2", "tasks", exact=True, tracks=tracks)
        for track, tasks in tracks:
            for task in tasks:
                yield self._render(
                    f"tasks/{task.name}.html",
                    "task.html.j2",
                    "tasks",
                    task=task,
                    track=track,
                    facts=_task_facts(self.board, task),
                    tables=[t for t in self.board.tables_of(task.name) if t.primary],
                    example=self.examples.get(task.name),
                )

    def others(self) -> Iterator[Page]:
        """Compare, the ruler, the data."""
        tested = {
            name for table in self.board.tables if table.pairs for name in table.pairs.systems
        }
        comparable = [system for system in self.board.systems if system.name in tested]
        yield self._render(
            "compare.html", "compare.html.j2", "compare", exact=True, comparable=comparable
        )
        example = next((name for name, found in self.examples.items() if found), None)
        yield self._render(
            "ruler.html",
            "ruler.html.j2",
            "ruler",
            exact=True,
            example_task=example,
            scatter_page=navigation.board_page(self.home, self.home),
            **ruler_numbers(self.board, self.home),
        )
        files = [
            ("Systems", "data/systems", len(self.board.systems)),
            ("All scores", "data/scores", sum(len(r.scores) for r in self.board.results)),
            ("Changes", "data/changes", len(self.board.changes)),
        ]
        kinds = data_files.KINDS
        yield self._render(
            "data.html", "data.html.j2", "data", exact=True, files=files, kinds=kinds
        )

    def _systems_on(self, task: str) -> int:
        return len({row.system for t in self.board.tables_of(task) for row in t.rows})


def _shows(table: Table, lines: Sequence[views.Line]) -> dict[str, bool]:
    """Which columns a table has something to say in."""

    def some(field: str) -> bool:
        return any(getattr(row, field) is not None for row in table.rows)

    return {
        "low": some("low"),
        "chance": any(line.chance is not None for line in lines),
        "meter": some("value") and not any(row.parts for row in table.rows),
        "skill": some("skill"),
        "verbosity": some("verbosity"),
        "oov": some("oov"),
        "reads": any(line.system.modalities for line in lines),
        "size": any(line.system.size for line in lines),
        "train": any(line.system.training_data is not None for line in lines),
    }


def _heat(confusions: dict[int, Any], wheel: int, result: Result) -> dict[str, Any] | None:
    if wheel not in confusions:
        return None
    found = confusions[wheel]
    gold = {s.name: s.gold for s in result.sectors if (s.wheel, s.level) == (wheel, 1)}
    rows = []
    for name, counts in zip(found.names, found.counts, strict=True):
        of = gold.get(name, 0)
        colours = [step_class(step_of(n / of) if of else None) for n in counts]
        rows.append((name, list(zip(counts, colours, strict=True))))
    return {"names": found.names, "rows": rows}


def _task_facts(board: Board, task: Task) -> list[tuple[str, list[str]]]:
    """What is known of a task, as terms and texts."""
    at_hand = "at hand: predictions are scored again for every build"
    facts = {
        "Clips": [f"{task.n:,}"],
        "Split": [task.split],
        "Language": [task.language],
        "Main score": [next((s.title for s in task.scores if s.name == task.main), task.main)],
        "Gold": [at_hand if task.gold_at_hand else "licensed to its owners; not at hand here"],
        "Licence": [task.licence],
        "Paper": [task.paper],
        "Published at": list(task.published),
        "Sample set": [task.corpus_sha256 or ""],
    }
    if task.name == UNIBENCH:
        parts = [board.task(part).title for part in task.parts]
        facts = {"Parts": parts, **{term: facts[term] for term in ("Main score", "Paper")}}
    elif not task.embedded:
        facts["Import"] = [f"ovmer data import {task.name} --from DIR"]
    return [(term, texts) for term, texts in facts.items() if any(texts)]
