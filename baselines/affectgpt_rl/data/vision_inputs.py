"""Inputs of models whose own processor puts messages, images and sound together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ovmer_bench import OvmerError
from PIL import Image
from torch import Tensor

from ..config.sections import Prompt
from ..policy.loading import LoadedPolicy
from .clips import TrainingClip
from .inputs import ALL, Batch, Shown, answer_tokens, joined, row_about
from .media_bank import Bank
from .media_store import MediaStore
from .prompting import Prompter, with_one_start

_TEXT = ("input_ids", "attention_mask")
_SHORTEST_SOUND = 1_600
"""Samples; models hear nothing at all in less than a tenth of a second."""


class VisionInputs:
    """Messages with images, for policies that TRL trains natively.

    Args:
        policy: model and processor.
        prompt: what is asked; the sound of a clip cannot be.
        clips: all that will be asked about.
    """

    def __init__(self, policy: LoadedPolicy, prompt: Prompt, clips: Sequence[TrainingClip]) -> None:
        self._processor = policy.processor
        self.tokenizer = policy.tokenizer
        self._prompter = Prompter(prompt, policy.tokenizer)
        self._count = prompt.images
        self._clips = {clip.id: clip for clip in clips}
        self.bank: Bank | None = None
        self.images: Callable[[str], list[Any]] | None = self._images_by_id

    def row(self, clip: TrainingClip) -> dict[str, Any]:
        """Prompt as a conversation, into which TRL puts the images of the clip."""
        return row_about(clip, [{"role": "user", "content": self._prompter.words(clip)}])

    def batch(
        self,
        clips: Sequence[TrainingClip],
        shown: Sequence[Shown] | None = None,
        *,
        answers: bool,
        media: Sequence[TrainingClip] | None = None,
    ) -> Batch:
        """What the model's processor makes of the messages, and the answers behind them."""
        shown = shown or [ALL] * len(clips)
        made = self._processed(clips, shown, media or clips)
        ids, mask = (made.pop(name) for name in _TEXT)
        prompts = [row[kept.bool()].tolist() for row, kept in zip(ids, mask, strict=True)]
        said = answer_tokens(self.tokenizer, self._prompter, clips) if answers else None
        for name, value in made.items():
            if value.shape == ids.shape:  # a value for each token
                kinds = [row[kept.bool()].tolist() for row, kept in zip(value, mask, strict=True)]
                nothing = None if said is None else [[0] * len(answer) for answer in said]
                made[name] = joined(kinds, nothing, pad=0)["input_ids"]
        return {**joined(prompts, said, pad=self.tokenizer.pad_token_id), **made}

    def _processed(
        self,
        clips: Sequence[TrainingClip],
        shown: Sequence[Shown],
        media: Sequence[TrainingClip],
    ) -> dict[str, Tensor]:
        """Tensors of prompts, padded, and of their media in the order of the rows."""
        images = [
            self._images_of(clip) if one.media else []
            for clip, one in zip(media, shown, strict=True)
        ]
        sounds = [
            self._sound_of(clip) if one.media else None
            for clip, one in zip(media, shown, strict=True)
        ]
        texts = [
            self._text(clip, len(seen), heard is not None, one)
            for clip, seen, heard, one in zip(clips, images, sounds, shown, strict=True)
        ]
        heard = [sound for sound in sounds if sound is not None]
        return dict(
            self._processor(
                text=texts,
                images=[seen for seen in images if seen] or None,
                padding=True,
                return_tensors="pt",
                **({"audio": heard} if heard else {}),
            )
        )

    def _text(self, clip: TrainingClip, images: int, sound: bool, shown: Shown) -> str:
        parts = [{"type": "image"}] * images + [{"type": "audio"}] * sound
        words = {"type": "text", "text": self._prompter.words(clip, subtitle=shown.subtitle)}
        rendered: str = self._processor.apply_chat_template(
            [{"role": "user", "content": [*parts, words]}],
            add_generation_prompt=True,
            tokenize=False,
        )
        return with_one_start(self.tokenizer, rendered)

    def _images_by_id(self, media_id: str) -> list[Any]:
        return self._images_of(self._clips[media_id])

    def _images_of(self, clip: TrainingClip) -> list[Any]:
        frames = clip.frames()
        if frames is None:
            return []
        count = min(self._count, len(frames))
        places = [(2 * i + 1) * len(frames) // (2 * count) for i in range(count)]
        return [Image.fromarray(frames[place]) for place in places]

    def _sound_of(self, clip: TrainingClip) -> NDArray[np.float32] | None:
        return None


class OmniInputs(VisionInputs):
    """Messages with images and sound, for policies that see and hear.

    TRL knows no sound: GRPO carries both by reference. In the prompts of its rows placeholders
    stand as often as the policy needs them.
    """

    def __init__(self, policy: LoadedPolicy, prompt: Prompt, clips: Sequence[TrainingClip]) -> None:
        super().__init__(policy, prompt, clips)
        self.images = None
        self.bank = ProcessedMedia(self._clips, self._media_of)

    def row(self, clip: TrainingClip) -> dict[str, Any]:
        """Prompt as text, the clip by its id.

        Raises:
            OvmerError: the tokenizer reads the prompt in another way than the processor.
        """
        made = self._processed([clip], [ALL], [clip])
        text = self._text(clip, len(self._images_of(clip)), clip.has_audio, ALL)
        prompt = self._expanded(text, made)
        if self.tokenizer(prompt)["input_ids"] != made["input_ids"][0].tolist():
            raise OvmerError(
                f"the prompt of clip {clip.id} is read by the tokenizer in another way than by"
                f" {type(self._processor).__name__}",
                field="policy.path",
            )
        return row_about(clip, prompt)

    def _expanded(self, text: str, made: Mapping[str, Tensor]) -> str:
        """Placeholders, each once in ``text``, as often as the processor repeated them."""
        processor = self._processor
        ids = made["input_ids"][0]
        merged = getattr(processor.image_processor, "merge_size", 1) ** 2
        grids = made.get("image_grid_thw", torch.zeros(0, 3, dtype=torch.long))
        counts = {
            processor.image_token: iter((grids.prod(-1) // merged).tolist()),
            processor.audio_token: iter([int((ids == processor.audio_token_id).sum())]),
        }
        tokens = re.compile("|".join(re.escape(token) for token in counts))
        return tokens.sub(lambda match: match[0] * next(counts[match[0]]), text)

    def _media_of(self, clip: TrainingClip) -> dict[str, Tensor]:
        made = self._processed([clip], [ALL], [clip])
        return {name: value for name, value in made.items() if name not in _TEXT}

    def _sound_of(self, clip: TrainingClip) -> NDArray[np.float32] | None:
        sound = clip.audio()
        if sound is None:
            return None
        if sound.dtype == np.int16:
            sound = sound.astype(np.float32) / 32768
        missing = max(0, _SHORTEST_SOUND - len(sound))
        return np.pad(sound, (0, missing)).astype(np.float32)


class ProcessedMedia:
    """What a processor makes of the media of clips, kept by id; rows in their order.

    Args:
        clips: by media id.
        load: tensors of one clip, to be put behind one another for several rows.
    """

    def __init__(
        self,
        clips: Mapping[str, TrainingClip],
        load: Callable[[TrainingClip], dict[str, Tensor]],
    ) -> None:
        self.clips = clips
        self._load = load
        self._kept = MediaStore()

    def inputs(self, ids: Sequence[str], device: Any = None) -> dict[str, Tensor]:
        """Media of the rows, one behind the other."""
        found: dict[str, list[Tensor]] = {}
        for media_id in ids:
            for name, value in self._of(media_id).items():
                found.setdefault(name, []).append(value)
        return {name: torch.cat(values).to(device) for name, values in found.items()}

    def _of(self, media_id: str) -> Mapping[str, Tensor]:
        kept = self._kept.get("", media_id)
        if kept is None:
            kept = self._load(self.clips[media_id])
            self._kept.put("", media_id, kept)
        return kept
