"""Models that hear, for the harness: the Qwen2-Audio class of transformers.

The harness means to have one, ``hf-audiolm-qwen``. In lm_eval 0.4.13 it is registered under the
name of a class that does not exist, hands sound to the processor under a name that transformers
5 refuses, and moves every prompt to CUDA, whatever the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import transformers
from lm_eval.models.huggingface import HFLM
from tqdm import tqdm  # type: ignore[import-untyped]

from ..errors import InputError
from ..prompts import AUDIO

_HEARD = "<|audio_bos|><|AUDIO|><|audio_eos|>"
"""What the processor of these models wants in place of a sound."""


class AudioLM(HFLM):  # type: ignore[misc]
    """``--model ovmer-audio --model_args pretrained=...``: as ``--model hf``, and it hears."""

    AUTO_MODEL_CLASS = transformers.Qwen2AudioForConditionalGeneration
    MULTIMODAL = True

    def __init__(self, pretrained: str, **options: Any) -> None:
        super().__init__(pretrained, **options)
        self.processor = transformers.AutoProcessor.from_pretrained(
            pretrained,
            revision=options.get("revision", "main"),
            trust_remote_code=options.get("trust_remote_code", False),
        )
        self.processor.tokenizer.padding_side = "left"  # all prompts end where answers begin

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[Any]:
        """Not offered: it would be that of words without their sound."""
        raise InputError("ovmer-audio only answers; it gives no likelihoods")

    def loglikelihood_rolling(
        self, requests: Sequence[Any], disable_tqdm: bool = False
    ) -> list[Any]:
        """Not offered."""
        return self.loglikelihood(requests)

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """What the model says to every prompt and the sound that goes with it.

        Raises:
            InputError: a prompt without sound, of a task that shows frames or words alone.
        """
        for request in requests:
            if len(request.args) < 3 or "audio" not in request.args[2]:
                raise InputError(
                    f"ovmer-audio hears, and the task {request.task_name} plays no sound",
                    hint="Run such tasks with --model hf or hf-multimodal.",
                )
        answers: list[str] = []
        off = disable_tqdm or self.rank != 0
        with tqdm(total=len(requests), disable=off, desc="Listening") as progress:
            for batch in _batches(requests, int(self.batch_size)):
                answers += self._answers(batch)
                progress.update(len(batch))
        return answers

    def _answers(self, batch: Sequence[Any]) -> list[str]:
        """Of requests that share their generation settings."""
        options = dict(batch[0].args[1])
        stops = [*options.pop("until", ()), self.tok_decode(self.eot_token_id, False)]
        most = options.pop("max_gen_toks", self.max_gen_toks)
        inputs = self._inputs(batch)
        words = inputs.pop("input_ids")
        asked = words.shape[1]
        made = self._model_generate(words, asked + most, stops, **inputs, **options)
        answers = []
        for request, tokens in zip(batch, made.tolist(), strict=True):
            text = self.tok_decode(tokens[asked:])
            for stop in stops:
                text = text.partition(stop)[0]
            self.cache_hook.add_partial("generate_until", request.args[:2], text)
            answers.append(text)
        return answers

    def _inputs(self, batch: Sequence[Any]) -> Any:
        sounds = [sound for request in batch for sound in request.args[2]["audio"]]
        inputs = self.processor(
            text=[request.args[0].replace(AUDIO, _HEARD) for request in batch],
            audio=[sound["array"] for sound in sounds],
            sampling_rate=sounds[0]["sampling_rate"],
            padding=True,
            return_tensors="pt",
        )
        return inputs.to(self.device, self.model.dtype)


def _batches(requests: Sequence[Any], size: int) -> Iterator[list[Any]]:
    """Requests in order, at most ``size`` with the same settings at once."""
    for _, group in groupby(requests, key=lambda request: request.args[1]):
        same = list(group)
        for start in range(0, len(same), size):
            yield same[start : start + size]
