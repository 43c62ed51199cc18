"""A folder with small gold and predictions of every kind, and the command in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import Result, run, run_here

GOLD: dict[str, list[dict[str, Any]]] = {
    "open": [{"labels": ["happy"]}, {"labels": ["sad"]}],
    "basic": [{"label": "happy"}, {"label": "sad"}, {"label": "angry"}],
    "sentiment": [{"valence": 1}, {"valence": -0.5}, {"valence": 3}, {"valence": 0}],
}
SAID = {
    "right": [["happy"], ["sad"]],
    "half": [["happy"], ["angry"]],
    "wrong": [["angry"], ["angry"]],
    "wordy": [["happy", "sad"], ["happy", "sad"]],
    "mixed": [["happy"], ["happy", "sad"], []],
    "signs": [["happy"], ["sad"], ["angry"], ["happy"]],
}


class Shell:
    """A folder in which commands run, in this process; ``real`` takes one of its own."""

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self._patch, self._output = folder, patch, output

    def __call__(self, *arguments: str | Path) -> str:
        """Standard output of a command that succeeds."""
        done = self.result(*arguments)
        assert done.code == 0, done.err
        return done.out

    def result(self, *arguments: str | Path) -> Result:
        return run_here(*arguments, cwd=self.folder, monkeypatch=self._patch, capsys=self._output)

    def real(self, *arguments: str | Path, **environment: str) -> Result:
        done = run(*arguments, cwd=self.folder, **environment)
        assert done.code == 0, done.err
        return done

    def write(self, name: str, *records: dict[str, Any]) -> Path:
        path = self.folder / name
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        path.write_text("".join(lines), "utf-8")
        return path

    def json(self, name: str = "out.json") -> Any:
        return json.loads((self.folder / name).read_text("utf-8"))

    def scores(self, name: str = "out.json") -> dict[str, dict[str, Any]]:
        return {found["name"]: found for found in self.json(name)["scores"]}

    def fill(self) -> None:
        """Write gold of every kind and predictions for it."""
        for kind, golds in GOLD.items():
            self.write(f"{kind}.jsonl", *({"id": f"c{i}", **g} for i, g in enumerate(golds)))
        for name, said in SAID.items():
            self.write(f"{name}.jsonl", *({"id": f"c{i}", "labels": x} for i, x in enumerate(said)))
