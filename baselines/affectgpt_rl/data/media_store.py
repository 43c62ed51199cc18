"""What is kept of each clip: tensors in memory up to a limit, and in a folder if one is given."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from ovmer_bench import OvmerError
from ovmer_bench.files import written_whole
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

Tensors = Mapping[str, Tensor]

MEMORY = 8 << 30
"""Bytes that are kept in memory unless told otherwise."""


class MediaStore:
    """Tensors of clips by name; what was used longest ago leaves the memory first.

    Args:
        memory: bytes kept in memory.
        folder: where they are kept too, one safetensors file for each clip; ``None``: nowhere.
    """

    def __init__(self, memory: int = MEMORY, folder: Path | None = None) -> None:
        self._limit = memory
        self._folder = folder
        self._kept: OrderedDict[str, Tensors] = OrderedDict()
        self.bytes_in_memory = 0

    def __len__(self) -> int:
        """Clips in memory."""
        return len(self._kept)

    @property
    def on_disk(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    def get(self, state: str, name: str) -> Tensors | None:
        """What was put under ``name`` while the encoders were in ``state``, or ``None``."""
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        found = None if self._folder is None else _read(self._file(state, name), name)
        if found is not None:
            self._keep(name, found)
        return found

    def put(self, state: str, name: str, tensors: Tensors) -> None:
        """Keep ``tensors``; a file that another process writes at the same time is as good."""
        self._keep(name, tensors)
        if self._folder is not None:
            with written_whole(self._file(state, name)) as temporary:
                save_file(dict(tensors), temporary, metadata={"name": name})

    def forget(self) -> None:
        """Empty the memory; files are named after the state, and stay."""
        self._kept.clear()
        self.bytes_in_memory = 0

    def bytes_in_folder(self) -> int:
        """Size of all files in the folder, of other states too."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        return sum(file.stat().st_size for file in self._folder.rglob("*.safetensors"))

    def _keep(self, name: str, tensors: Tensors) -> None:
        self._drop(name)
        self._kept[name] = tensors
        self.bytes_in_memory += _size(tensors)
        while self.bytes_in_memory > self._limit and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, name: str) -> None:
        if name in self._kept:
            self.bytes_in_memory -= _size(self._kept.pop(name))

    def _file(self, state: str, name: str) -> Path:
        if self._folder is None:
            raise OvmerError("no folder keeps what encoders make of clips", field="folder")
        # A clip's name may hold anything; a file's may not.
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        return self._folder / state[:16] / f"{digest}.safetensors"


def _read(file: Path, name: str) -> Tensors | None:
    """Tensors of a file; ``None`` where there is none, or not a whole one of this clip."""
    try:
        with safe_open(file, framework="pt") as opened:
            if (opened.metadata() or {}).get("name") != name:
                return None
            return {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None


def _size(tensors: Tensors) -> int:
    return sum(value.numel() * value.element_size() for value in tensors.values())
