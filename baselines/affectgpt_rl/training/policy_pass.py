"""The policy as TRL's training pass calls it: with its media, over the tokens it can say.

TRL's training pass knows text and images. It calls what it is given chunk by chunk, so what it is
given here is the policy together with the media of the rows, in order.

Placeholders of media are never generated (:func:`placeholders_of` says which those are). The
probabilities of all other tokens are those of a vocabulary without them, and the training pass
must see the same: TRL's fused head multiplies hidden states with the head's weight and adds its
bias, so for the length of a call the head has a bias that leaves placeholders no probability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from ovmer_bench import OvmerError
from torch import Tensor
from transformers import PreTrainedModel

_NEVER = -1e4
"""Added to a logit: exp of it is 0 in every precision, and it is finite in every one."""


class PolicyPass:
    """A callable that stands for the policy, for rows whose media are known.

    Args:
        model: the policy as TRL has it, in its wrappers.
        media: inputs for some rows, by their ids and the device; ``None``: text alone.
        ids: clip of every row of all calls, in order.
    """

    def __init__(
        self,
        model: Any,
        media: Callable[[Sequence[str], Any], dict[str, Tensor]] | None,
        ids: Sequence[str],
    ) -> None:
        self._model = model
        self._media = media
        self._ids = ids
        self._done = 0

    def __call__(self, *, input_ids: Tensor, **inputs: Any) -> Any:
        """What the policy makes of the next rows."""
        rows = slice(self._done, self._done + len(input_ids))
        self._done = rows.stop
        if self._media is not None:
            ids = self._ids[rows]
            if len(ids) != len(input_ids):
                raise OvmerError(
                    f"{len(input_ids)} rows of text, and media of {len(ids)}", field="media_id"
                )
            inputs |= self._media(ids, input_ids.device)
        with silent_placeholders(speaker_of(self._model)):
            return self._model(input_ids=input_ids, **inputs)


def speaker_of(model: Any) -> Any:
    """The model with a language model's head inside whatever wraps it (adapter, DDP, FSDP).

    Raises:
        OvmerError: there is none.
    """
    for module in model.modules():
        if isinstance(module, PreTrainedModel):
            return module
    raise OvmerError(f"{type(model).__name__} holds no policy", field="policy")


def placeholders_of(model: Any) -> tuple[int, ...]:
    """Ids of the tokens that stand for media, which no policy may say: what comes next could not
    be understood any more. None where the policy takes text alone."""
    config = speaker_of(model).config
    if hasattr(config, "media_token_ids"):
        return tuple(config.media_token_ids)
    found = (getattr(config, f"{kind}_token_id", None) for kind in ("image", "video", "audio"))
    return tuple(one for one in found if one is not None)


@contextmanager
def silent_placeholders(policy: Any) -> Iterator[None]:
    """Within, whoever asks the policy for its head gets one that never says a placeholder."""
    ids = placeholders_of(policy)
    if not ids:
        yield
        return
    head = _SilentHead(policy.get_output_embeddings(), ids)
    policy.get_output_embeddings = lambda: head
    try:
        yield
    finally:
        del policy.get_output_embeddings


class _SilentHead:
    """Weight and bias of a head, as TRL's fused head reads them."""

    def __init__(self, head: Any, ids: Sequence[int]) -> None:
        self.weight = head.weight
        own = getattr(head, "bias", None)
        if own is not None and hasattr(own, "ds_shape"):
            raise OvmerError(
                "a language model whose head has a bias cannot be trained under ZeRO-3",
                field="policy.language_model",
                hint="Take FSDP: baselines/configs/accelerate/fsdp.yaml.",
            )
        rows = getattr(self.weight, "ds_shape", self.weight.shape)[0]  # ZeRO-3 leaves an empty one
        bias = torch.zeros(rows, dtype=self.weight.dtype, device=self.weight.device)
        bias[list(ids)] = _NEVER
        silent = _placed_like(self.weight, bias)
        self.bias = silent if own is None else own + silent


def _placed_like(weight: Any, bias: Any) -> Any:
    """``bias`` in the guise that TRL expects where the weight is spread over processes."""
    if hasattr(weight, "ds_status"):  # ZeRO-3: nothing has to be gathered
        bias.ds_status = type(weight.ds_status).AVAILABLE
    mesh = getattr(weight, "device_mesh", None)
    if mesh is None:
        return bias
    from torch.distributed.tensor import DTensor, Replicate

    return DTensor.from_local(bias, mesh, [Replicate()] * mesh.ndim, run_check=False)
