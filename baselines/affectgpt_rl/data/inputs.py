"""Clips -> what a policy takes: rows for GRPO, batches for supervised training and answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ..config.sections import Prompt
from ..policy.loading import LoadedPolicy
from .clips import TrainingClip
from .media_bank import Bank, Clip, MediaBank
from .media_store import MediaStore
from .prompting import Prompter

Batch = dict[str, Tensor]
IGNORED = -100


@dataclass(frozen=True)
class Shown:
    """What of a clip is shown this time; dropout hides parts of it from the cold start."""

    subtitle: bool = True
    media: bool = True


ALL = Shown()


class PolicyInputs(Protocol):
    """Makes the inputs of one kind of policy.

    Attributes:
        bank: media of the rows, for GRPO; ``None``: there are none, or TRL carries them.
        images: loads the images of a clip by its id, where TRL carries them.
        tokenizer: reads and writes the policy's text.
    """

    bank: Bank | None
    images: Callable[[str], list[Any]] | None
    tokenizer: Any

    def row(self, clip: TrainingClip) -> dict[str, Any]:
        """A row of the data set that GRPO draws from."""

    def batch(
        self,
        clips: Sequence[TrainingClip],
        shown: Sequence[Shown] | None = None,
        *,
        answers: bool,
        media: Sequence[TrainingClip] | None = None,
    ) -> Batch:
        """Left-padded tensors of prompts, with ``answers`` also the answers and ``labels``.

        Args:
            clips: of the rows.
            shown: what is shown of each; default: all.
            answers: whether answers follow the prompts.
            media: clips of the same kinds of media, whose media stand in for those of the rows.
        """


class TextInputs:
    """AffectGPT, whose media a bank holds, and language models without media.

    Args:
        policy: model and processor.
        prompt: what is asked.
        clips: all that will be asked about.
        keep: whether what frozen encoders make of a clip is kept.
        folder: where it is kept beyond this process too, if anywhere.
        raw: pixels and samples of clips that were loaded before, if any.
    """

    def __init__(
        self,
        policy: LoadedPolicy,
        prompt: Prompt,
        clips: Sequence[TrainingClip],
        *,
        keep: bool,
        folder: str | None = None,
        raw: MediaStore | None = None,
    ) -> None:
        self._prompter = Prompter(prompt, policy.processor)
        self.tokenizer = policy.tokenizer
        self.images: Callable[[str], list[Any]] | None = None
        self.bank: Bank | None = None
        if hasattr(policy.processor, "media_prefix"):
            known: dict[str, Clip] = {clip.id: clip for clip in clips}
            known[_HIDDEN] = _Nothing()
            self.bank = MediaBank(
                known,
                policy.processor,
                policy.model,
                cache=keep,
                folder=folder,
                raw=raw,
                corpus=_media_shown(clips),
            )

    def row(self, clip: TrainingClip) -> dict[str, Any]:
        """Prompt as text, the clip by its id."""
        return row_about(clip, self._prompter.ask(clip))

    def batch(
        self,
        clips: Sequence[TrainingClip],
        shown: Sequence[Shown] | None = None,
        *,
        answers: bool,
        media: Sequence[TrainingClip] | None = None,
    ) -> Batch:
        """Tokens, and the media of the clips of which any are shown."""
        shown = shown or [ALL] * len(clips)
        asked = [
            self._prompter.ask(clip, subtitle=one.subtitle, media=one.media)
            for clip, one in zip(clips, shown, strict=True)
        ]
        prompts = self.tokenizer(asked)["input_ids"]
        said = answer_tokens(self.tokenizer, self._prompter, clips) if answers else None
        made = joined(prompts, said, pad=self.tokenizer.pad_token_id)
        if self.bank is not None:
            ids = [
                clip.id if one.media else _HIDDEN
                for clip, one in zip(media or clips, shown, strict=True)
            ]
            made |= self.bank.inputs(ids)
        return made


def _media_shown(clips: Sequence[TrainingClip]) -> str:
    """The kinds of media that are shown of any clip; the same clip without sound is another."""
    shown = {name for clip in clips for name in clip.modalities}
    return " ".join(sorted(shown & {"frames", "audio"}))


class _Nothing:
    """The clip that a row is about whose media are hidden."""

    def frames(self) -> None:
        """None."""

    def audio(self) -> None:
        """None."""


_HIDDEN = ""


def row_about(clip: TrainingClip, prompt: object) -> dict[str, Any]:
    """A row of GRPO: the prompt, and what rewards and media bank know the clip by."""
    return {
        "prompt": prompt,
        "media_id": clip.id,
        "gold": list(clip.sample.labels or ()),
        "clues": dict(clip.sample.clues),
    }


def answer_tokens(
    tokenizer: Any, prompter: Prompter, clips: Sequence[TrainingClip]
) -> list[list[int]]:
    """Ids of what the cold start teaches to say, with the token that ends it.

    Answers are tokenised apart from prompts, as generation makes them.
    """
    said = [prompter.target(clip.sample) for clip in clips]
    ids = tokenizer(said, add_special_tokens=False)["input_ids"]
    return [[*one, tokenizer.eos_token_id] for one in ids]


def joined(
    prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]] | None, *, pad: int
) -> Batch:
    """Prompt and answer of each row as one, padded on the left.

    ``labels`` are there with answers, and hold only those: prompts are not learned.
    """
    said = answers or [[] for _ in prompts]
    longest = max(len(prompt) + len(answer) for prompt, answer in zip(prompts, said, strict=True))
    ids = torch.full((len(prompts), longest), pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for row, (prompt, answer) in enumerate(zip(prompts, said, strict=True)):
        begin = longest - len(prompt) - len(answer)
        ids[row, begin:] = torch.tensor([*prompt, *answer])
        mask[row, begin:] = 1
        labels[row, longest - len(answer) :] = torch.tensor(answer, dtype=labels.dtype)
    made = {"input_ids": ids, "attention_mask": mask}
    return made if answers is None else {**made, "labels": labels}
