"""Models of ours for the harness. The only module that imports it when it is imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lm_eval.api.model import LM

from ..errors import InputError, did_you_mean
from ..reading.readers import read_predictions
from ..reading.schema import Prediction


class ReplayLM(LM):  # type: ignore[misc]
    """Answers from a prediction file, clip by clip, whatever the prompt.

    ``--model ovmer-replay --model_args predictions=FILE`` scores in the harness what was
    predicted elsewhere; the numbers are those of ``ovmer score FILE``.

    Args:
        predictions: a file that ``ovmer score`` reads.
        options: what the harness gives every model (batch size, device); not used.
    """

    MULTIMODAL = True
    tokenizer_name = ""

    def __init__(self, predictions: str = "", **options: object) -> None:
        super().__init__()
        if not predictions:
            raise InputError(
                "missing", field="--model_args", accepted="predictions=FILE, for ovmer-replay"
            )
        self._file = predictions
        self._said = {p.id: p for p in read_predictions(predictions).predictions}

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """The output recorded for the clip of every request."""
        return [self._answer(request.doc) for request in requests]

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[Any]:
        """Not recorded in a prediction file."""
        raise InputError("ovmer-replay only answers; it gives no likelihoods", file=self._file)

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[Any]:
        """Not recorded in a prediction file."""
        return self.loglikelihood(requests)

    def apply_chat_template(
        self, chat_history: Sequence[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """Plain text: a replayed answer does not depend on the prompt."""
        return "\n".join(turn["content"] for turn in chat_history)

    def _answer(self, document: dict[str, Any]) -> str:
        prediction: Prediction | None = self._said.get(document["id"])
        if prediction is None:
            raise InputError(
                f"holds no prediction for clip {document['id']!r}",
                file=self._file,
                hint=did_you_mean(document["id"], list(self._said)[:5000]),
            )
        if prediction.output is not None:
            return prediction.output
        # A JSON list keeps a label with a comma in it whole.
        labels = json.dumps(list(prediction.labels or ()), ensure_ascii=False)
        return f"<answer>{labels}</answer>" if document["prompt_mode"] == "think" else labels
