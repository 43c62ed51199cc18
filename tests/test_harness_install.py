"""The project installed as users install it: the harness's own command finds our tasks.

One virtual environment is filled with what the project requires; every test installs the
project into it in its own way, uses it from another folder, and takes it away again without
leaving a file behind. Only the filling asks a package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OPT_OUT = "OVMER_NO_LM_EVAL_TASKS"
NAME = "ovmer-bench"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Machine:
    """A virtual environment, and an empty folder to work in."""

    environment: Path
    folder: Path

    @property
    def packages(self) -> Path:
        return next(self.environment.glob("lib/python*/site-packages"))

    @property
    def harness_tasks(self) -> Path:
        return self.packages / "lm_eval" / "tasks" / "ovmer"

    def __call__(self, command: str, *arguments: str | Path, **extra: str) -> Result:
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", OPT_OUT)}
        done = subprocess.run(
            [self.environment / "bin" / command, *map(str, arguments)],
            cwd=self.folder,
            env=kept | {"HF_HUB_OFFLINE": "1", "OVMER_HOME": str(self.folder / "home")} | extra,
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def pip(self, *arguments: str | Path, **extra: str) -> None:
        done = self("python", "-m", "pip", "-q", *arguments, **extra)
        assert done.code == 0, done.err

    def install(self, *arguments: str | Path, **extra: str) -> None:
        """Build and install without an index: all that is needed is there."""
        self.pip("install", "--no-deps", "--no-build-isolation", *arguments, **extra)

    def files(self) -> set[str]:
        """Everything in the environment but compiled code."""
        found = (p.relative_to(self.environment) for p in self.environment.rglob("*"))
        return {path.as_posix() for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """An environment with the project's requirements, put there by ``pip install .`` itself,
    and with what builds it, so that further installations need no index."""
    folder = tmp_path_factory.mktemp("install")
    machine = Machine(folder / "environment", folder / "elsewhere")
    machine.folder.mkdir()
    venv.create(machine.environment, with_pip=True)
    machine.pip("install", "--no-compile", ROOT)
    machine.pip("uninstall", "-y", NAME)
    here = {path.name for path in machine.packages.iterdir()}
    assert "lm_eval" in here
    assert not {"torch", "ovmer_bench"} & here
    assert not machine.harness_tasks.exists()
    machine.pip("install", "hatchling", "editables", "setuptools", "wheel")
    return machine


@pytest.fixture
def machine(filled: Machine) -> Iterator[Machine]:
    before = filled.files()
    yield filled
    filled.pip("uninstall", "-y", NAME)
    assert filled.files() == before
    shutil.rmtree(filled.folder)
    filled.folder.mkdir()


@pytest.mark.parametrize("how", ["plain", "editable"])
def test_the_verbatim_command(machine: Machine, how: str) -> None:
    machine.install(*(["-e"] if how == "editable" else []), ROOT)
    assert (machine.harness_tasks / "ovmer.yaml").is_file()
    assert (machine.packages / "ovmer_bench").exists() is (how == "plain")

    done = machine("lm_eval", "--tasks", "ovmer", "--model", "dummy", "--limit", "4")
    assert done.code == 0, done.err
    assert "|ovmer " in done.out
    assert done.out.count("|S1 ") == 8  # the group twice, six tasks
    assert "Duplicate" not in done.err
    assert "overrides existing" not in done.err

    doctor = machine("ovmer", "doctor")
    assert doctor.code == 0, doctor.out
    folder = Path(machine("ovmer", "tasks-dir").out.strip())
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        p.name for p in machine.harness_tasks.iterdir()
    )


def test_a_corpus_that_is_not_here(machine: Machine) -> None:
    """One line in place of a traceback, also from the harness's own command."""
    machine.install(ROOT)
    wrong = machine("lm_eval", "--tasks", "mer_fg", "--model", "dummy", "--limit", "4")
    assert wrong.code != 0
    assert "Traceback" not in wrong.err
    last = wrong.err.strip().splitlines()[-1]
    assert last.startswith("error: corpus 'mer_fg' is not imported")
    assert "ovmer data import mer_fg" in last


def test_without_the_tasks(machine: Machine) -> None:
    """Opted out of, the tasks run through our own command, and its samples are a submission."""
    machine.install(ROOT, **{OPT_OUT: "1"})
    assert not machine.harness_tasks.exists()
    doctor = machine("ovmer", "doctor")
    assert doctor.code == 1
    assert "ovmer lm-eval" in doctor.out

    done = machine(
        *("ovmer", "lm-eval", "--tasks", "ovmer_scenes_clues", "--model", "dummy"),
        *("--log_samples", "--output_path", "out"),
    )
    assert done.code == 0, done.err
    samples = next(machine.folder.rglob("samples_ovmer_scenes_clues_*.jsonl"))
    scored = machine(
        *("ovmer", "score", samples, "--task", "ovmer_scenes", "--draws", "0"),
        *("--json", "report.json"),
    )
    assert scored.code == 0, scored.err
    report = json.loads((machine.folder / "report.json").read_text("utf-8"))
    results = next(machine.folder.rglob("results_*.json"))
    printed = json.loads(results.read_text("utf-8"))["results"]["ovmer_scenes_clues"]
    (s1,) = (score for score in report["scores"] if score["name"] == "S1")
    assert s1["value"] == round(printed["S1,labels"], 12)
    assert s1["skill"] == round(printed["S1_skill,labels"], 12)


@pytest.fixture
def developer(filled: Machine) -> Machine:
    """A copy of the environment with the harness installed editable from its sources."""
    folder = filled.environment.parent / "developer"
    shutil.copytree(
        filled.environment, folder / "environment", symlinks=True, copy_function=os.link
    )
    sources = folder / "clone"
    machine = Machine(folder / "environment", folder / "elsewhere")
    machine.folder.mkdir()
    shutil.move(machine.packages / "lm_eval", sources / "lm_eval")
    for path in (sources / "lm_eval" / "tasks").iterdir():
        if path.is_dir():  # thousands of other tasks, which take long to read
            shutil.rmtree(path)
    (sources / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "lm_eval"\nversion = "0.4.13"\n'
        '[project.scripts]\nlm_eval = "lm_eval.__main__:cli_evaluate"\n'
        '[tool.setuptools.packages.find]\ninclude = ["lm_eval*"]\n',
        "utf-8",
    )
    machine.install("--force-reinstall", "-e", sources)
    return machine


def test_a_harness_installed_from_a_clone(developer: Machine) -> None:
    """Our files in site-packages hide the clone; the doctor says so, and its way out works."""
    machine = developer
    machine.install(ROOT)
    hidden = machine("ovmer", "doctor")
    assert hidden.code == 1
    assert f"{OPT_OUT}=1 pip install" in hidden.out
    assert f"delete {machine.packages / 'lm_eval'}" in hidden.out
    assert "ovmer lm-eval" in hidden.out
    stopped = machine("ovmer", "lm-eval", "--tasks", "ovmer", "--model", "dummy")
    assert stopped.code == 2
    assert len(stopped.err.splitlines()) == 1

    machine.install("--force-reinstall", ROOT, **{OPT_OUT: "1"})
    shutil.rmtree(machine.packages / "lm_eval")
    doctor = machine("ovmer", "doctor")
    assert doctor.code == 1
    assert "editable" in doctor.out
    arguments = ("--tasks", "ovmer", "--model", "dummy", "--limit", "2")
    done = machine("ovmer", "lm-eval", *arguments)
    assert done.code == 0, done.err
    folder = machine("ovmer", "tasks-dir").out.strip()
    plain = machine("lm_eval", *arguments, "--include_path", folder)
    assert plain.code == 0, plain.err
    assert plain.out == done.out
