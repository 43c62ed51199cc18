"""What is said in a clip, and what is seen and heard put into words.

The words say what a sentence is about, the clues what the face and the voice do: none names a
feeling, and each leaves open what its modality leaves open. All phrases are in ``texts.json``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from .draws import Draws
from .world import Latent, Phase, stream

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Written:
    """The texts of a clip: subtitle, clues, and the account that gives the answer."""

    subtitle: str
    audio: str
    visual: str
    description: str


def write(latent: Latent, seed: int, split: str, index: int) -> Written:
    """All texts of a clip."""
    texts = _texts()
    draws = stream(seed, split, index, "text")
    said = [draws.pick(texts["openers"])]
    said += [_sentence(phase, draws) for phase in latent.phases]
    said.append(draws.pick(texts["closers"]))
    subtitle = " ".join(filter(None, said))
    audio = _in_order([draws.pick(texts["audio"][p.voice][p.level]) for p in latent.phases])
    visual = _in_order([_seen(phase, latent.mask, draws) for phase in latent.phases])
    felt = _in_order([" and ".join(_two(phase)) for phase in latent.phases], colon="")
    description = (
        f'Seen: {_lowered(visual)} Heard: {_lowered(audio)} Said: "{subtitle}" '
        f"Together this points to a person who is {_lowered(felt)}"
    )
    return Written(subtitle, audio, visual, description)


@lru_cache(maxsize=1)
def _texts() -> dict[str, Any]:
    source = resources.files(__package__).joinpath("texts.json")
    texts: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return texts


def _sentence(phase: Phase, draws: Draws) -> str:
    texts = _texts()
    line: str = draws.pick(texts["topics"][phase.topic])
    filled = _SLOT.sub(lambda slot: str(draws.pick(texts["slots"][slot[1]])), line)
    return filled[0].upper() + filled[1:]


def _seen(phase: Phase, mask: str, draws: Draws) -> str:
    texts = _texts()
    seen: str = draws.pick(texts["visual"][phase.face][phase.level])
    if mask:
        shown: str = texts["mask"][mask]
        return shown.format(flash=texts["flash"][phase.face])
    return seen


def _two(phase: Phase) -> tuple[str, ...]:
    return phase.words[:2]


def _in_order(parts: list[str], colon: str = ":") -> str:
    """One sentence: the parts in order of time."""
    if len(parts) > 1:
        when = ("first", *["then"] * (len(parts) - 2), "in the end")
        parts = [f"{word}{colon} {part}" for word, part in zip(when, parts, strict=True)]
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
