"""What the policy is asked about a clip, and what the cold start teaches it to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ovmer_bench import OvmerError, Sample
from ovmer_bench.prompts import evidence_text

from ..config.sections import Prompt
from .clips import TrainingClip


@dataclass(frozen=True)
class Prompter:
    """Texts of clips for one policy.

    Media tokens come first, then what is said, then the instruction. A tokenizer with a chat
    template gets them as the user's message.

    Attributes:
        prompt: the settings.
        processor: an ``AffectGPTProcessor``, or the tokenizer of a policy without media.
    """

    prompt: Prompt
    processor: Any

    @property
    def tokenizer(self) -> Any:
        """The tokenizer alone."""
        return getattr(self.processor, "tokenizer", self.processor)

    def ask(self, clip: TrainingClip, *, subtitle: bool = True, media: bool = True) -> str:
        """The prompt of one clip, its media tokens repeated as often as the policy needs them.

        Args:
            clip: what is asked about.
            subtitle: whether what is said is shown, where the clip shows it at all.
            media: likewise.
        """
        tokens = ""
        if media and hasattr(self.processor, "media_prefix"):
            prefix = self.processor.media_prefix(clip.has_frames, clip.has_audio)
            tokens = self.processor.expand(prefix)
        content = tokens + self.words(clip, subtitle=subtitle)
        if not getattr(self.tokenizer, "chat_template", None):
            return content + "\n"
        rendered: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        return with_one_start(self.tokenizer, rendered)

    def words(self, clip: TrainingClip, *, subtitle: bool = True) -> str:
        """The prompt without media: what is said, and the instruction."""
        said = self._evidence(clip.sample, subtitle and "subtitle" in clip.modalities)
        return "\n".join([*said, self.prompt.instruction])

    def target(self, sample: Sample) -> str:
        """The answer that the cold start teaches, without the token that ends it.

        Raises:
            OvmerError: a thought is to be taught, and the clip has no description.
        """
        answer = f"<answer>{', '.join(sample.labels or ())}</answer>"
        if self.prompt.mode == "answer":
            return answer
        return f"<think>{self._thought(sample)}</think>{answer}"

    def _evidence(self, sample: Sample, subtitle: bool) -> Iterable[str]:
        subtitles = {lang: text for lang, text in sample.subtitle.items() if text}
        said = subtitles.get(self.prompt.language) or next(iter(subtitles.values()), "")
        if subtitle and said:
            yield evidence_text({"en": said}, {}, ("subtitle",))
        if self.prompt.clues and sample.clues:
            yield evidence_text({}, sample.clues, ("clues",))

    def _thought(self, sample: Sample) -> str:
        if self.prompt.thought == "clues":
            text = evidence_text({}, sample.clues, ("clues",)).replace("\n", " ")
        else:
            text = sample.description.get(self.prompt.language, "")
        if not text.strip():
            raise OvmerError(
                f"clip {sample.id} has no {self.prompt.thought} to teach thinking with",
                field="prompt.thought",
                hint="Take a corpus with descriptions, or prompt.mode: answer.",
            )
        return " ".join(text.split())


def with_one_start(tokenizer: Any, text: str) -> str:
    """``text`` without its first token where that opens a text and the tokenizer puts it there
    anyway: chat templates of some models write it out."""
    start = tokenizer.bos_token
    if start and text.startswith(start):
        ids = tokenizer(text)["input_ids"]
        if ids[:2] == [tokenizer.bos_token_id] * 2:
            return text.removeprefix(start)
    return text
