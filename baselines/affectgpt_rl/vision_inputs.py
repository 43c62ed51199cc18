"""Inputs of vision-language models that TRL trains natively: some frames of a clip as images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from .clips import TrainingClip
from .config_sections import Prompt
from .inputs import ALL, Batch, Shown, answer_tokens, joined
from .media_bank import MediaBank
from .policies import LoadedPolicy
from .prompting import Prompter


class VisionInputs:
    """Messages with images, put together by the model's own processor.

    Args:
        policy: model and processor.
        prompt: what is asked; the sound of a clip cannot be.
        images: frames shown of a clip, evenly over its time.
    """

    bank: MediaBank | None = None

    def __init__(self, policy: LoadedPolicy, prompt: Prompt, *, images: int) -> None:
        self._processor = policy.processor
        self.tokenizer = policy.tokenizer
        self._prompter = Prompter(prompt, policy.tokenizer)
        self._images = images

    def row(self, clip: TrainingClip) -> dict[str, Any]:
        """Prompt as a conversation, with the images beside it, as TRL takes them."""
        images = self._images_of(clip)
        return {
            "prompt": self._messages(clip, len(images), ALL),
            "images": images,
            "media_id": clip.id,
            "gold": list(clip.sample.labels or ()),
            "clues": dict(clip.sample.clues),
        }

    def batch(
        self, clips: Sequence[TrainingClip], shown: Sequence[Shown] | None = None, *, answers: bool
    ) -> Batch:
        """What the model's processor makes of the messages, and the answers behind them."""
        shown = shown or [ALL] * len(clips)
        images = [
            self._images_of(clip) if one.media else []
            for clip, one in zip(clips, shown, strict=True)
        ]
        texts = [
            self._processor.apply_chat_template(
                self._messages(clip, len(seen), one), add_generation_prompt=True, tokenize=False
            )
            for clip, seen, one in zip(clips, images, shown, strict=True)
        ]
        made = dict(
            self._processor(
                text=texts,
                images=images if any(images) else None,
                padding=True,
                return_tensors="pt",
            )
        )
        ids, mask = made.pop("input_ids"), made.pop("attention_mask")
        prompts = [row[kept.bool()].tolist() for row, kept in zip(ids, mask, strict=True)]
        said = answer_tokens(self.tokenizer, self._prompter, clips) if answers else None
        for name, value in made.items():
            if value.shape == ids.shape:  # a value for each token
                kinds = [row[kept.bool()].tolist() for row, kept in zip(value, mask, strict=True)]
                nothing = None if said is None else [[0] * len(answer) for answer in said]
                made[name] = joined(kinds, nothing, pad=0)["input_ids"]
        return {**joined(prompts, said, pad=self.tokenizer.pad_token_id), **made}

    def _messages(self, clip: TrainingClip, images: int, shown: Shown) -> list[dict[str, Any]]:
        text = self._prompter.words(clip, subtitle=shown.subtitle)
        parts: list[dict[str, Any]] = [{"type": "image"} for _ in range(images)]
        return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]

    def _images_of(self, clip: TrainingClip) -> list[Image.Image]:
        frames = clip.frames()
        if frames is None:
            return []
        count = min(self._images, len(frames))
        places = [(2 * i + 1) * len(frames) // (2 * count) for i in range(count)]
        return [Image.fromarray(frames[place]) for place in places]
