"""The prompts, all of them, and what a perfect answer to each would look like.

A prompt is what a system is asked, so it is part of what a number depends on: any change of
wording raises :data:`PROMPTS_VERSION`. Two modes: ``answer`` asks for the list of feelings and
nothing else, ``think`` for the reasons first, between tags, and then for the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from .errors import InputError

PROMPTS_VERSION = "1"

Mode = Literal["answer", "think"]
Evidence = Literal["subtitle", "clues", "frames", "audio"]

MODES: tuple[Mode, ...] = ("answer", "think")
EVIDENCE: tuple[Evidence, ...] = ("subtitle", "clues", "frames", "audio")

IMAGE, AUDIO = "<image>", "<audio>"
"""Where the pictures and the sound go; the harness puts a model's own tokens in their place."""

OPENING = "This is one moment of a video. What does the person in it feel?"
"""Every prompt begins with it, so a text that goes on to the next one can be cut there."""

_LIST = "every feeling that is there, as English words or short phrases separated by commas"
_ASK: Mapping[Mode, str] = {
    "answer": f"List {_LIST}. Write the list and nothing else.\nFeelings:",
    "think": (
        "First weigh the evidence between <think> and </think>. Then, between <answer> and "
        f"</answer>, list {_LIST}. Write nothing else."
    ),
}


def evidence_text(
    subtitle: Mapping[str, str],
    clues: Mapping[str, str],
    evidence: Sequence[Evidence],
    n_frames: int = 0,
) -> str:
    """What a system is shown, one line for each kind of ``evidence``.

    The English subtitle is preferred to the Chinese one. Nothing else of a clip enters:
    descriptions and tags would give the answer away.

    Raises:
        InputError: an unknown kind of evidence.
    """
    lines = []
    for kind in evidence:
        if kind == "frames":
            lines.append(f"Seen, {n_frames} frames in order: {IMAGE * n_frames}")
        elif kind == "audio":
            lines.append(f"Heard: {AUDIO}")
        elif kind == "subtitle":
            lines.append(f"Said: {subtitle.get('en') or subtitle.get('zh') or '(no words)'}")
        elif kind == "clues":
            lines += [
                f"{heading}: {clues[sense]}"
                for sense, heading in (("audio", "Heard"), ("visual", "Seen"))
                if clues.get(sense)
            ]
        else:
            raise InputError(f"unknown evidence {kind!r}", accepted=EVIDENCE)
    return "\n".join(lines)


def prompt(evidence: str, mode: Mode) -> str:
    """The whole prompt around the lines of :func:`evidence_text`.

    Raises:
        InputError: an unknown mode.
    """
    if mode not in MODES:
        raise InputError(f"unknown prompt {mode!r}", accepted=MODES)
    return f"{OPENING}\n{evidence}\n{_ASK[mode]}"


def target(labels: Sequence[str], evidence: str, mode: Mode) -> str:
    """A perfect answer, for few-shot examples; empty where there is no gold.

    In ``think`` mode the thought is the evidence itself: gold holds no reasons, and invented
    ones would teach a model to invent.
    """
    if not labels:
        return ""
    answer = ", ".join(labels)
    if mode == "answer":
        return answer
    seen = evidence.replace(IMAGE, "").replace(AUDIO, "").replace("\n", " ")
    return f"<think>{seen}</think><answer>{answer}</answer>"
