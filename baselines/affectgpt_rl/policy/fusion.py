"""Features -> tokens of the language model: query transformers, two pre-fusions, projector."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dense(nn.Linear):
    """A linear layer that begins with outputs as large as its inputs.

    The usual small beginning (0.02) is meant for residual streams. In a chain of projections it
    leaves so little of a clip that the language model learns to do without.
    """

    def reset_parameters(self) -> None:
        """Glorot's uniform weights, no bias."""
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Attention(nn.Module):
    """Multi-head attention from queries to a memory of which some positions do not exist.

    A learned position that always exists stands before the memory, so that attention is defined
    where nothing else does.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = Dense(width, width)
        self.key_value = Dense(width, 2 * width)
        self.out = Dense(width, width)
        self.nothing = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, n, W), (B, m, W), (B, m) -> (B, n, W)."""
        if mask is not None:
            mask = nn.functional.pad(mask, (1, 0), value=True)[:, None, None, :]
        memory = torch.cat([self.nothing.expand(len(memory), -1, -1), memory], 1)
        key, value = self.key_value(memory).chunk(2, -1)
        attended = nn.functional.scaled_dot_product_attention(
            self._split(self.query(queries)), self._split(key), self._split(value), attn_mask=mask
        )
        return self.out(attended.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class QueryLayer(nn.Module):
    """Queries look at each other, at the memory, and think."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.among = Attention(width, heads)
        self.across = Attention(width, heads)
        self.think = nn.Sequential(Dense(width, 4 * width), nn.GELU(), Dense(4 * width, width))

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        """(B, n, W) -> (B, n, W)."""
        among, across, think = self.norms
        y = among(x)
        x = x + self.among(y, y)
        x = x + self.across(across(x), memory, mask)
        return x + self.think(think(x))


class QFormer(nn.Module):
    """Learned queries that read a memory of any length into a fixed number of tokens."""

    def __init__(self, tokens: int, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.zeros(tokens, width))
        self.layers = nn.ModuleList(QueryLayer(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, memory: Tensor, mask: Tensor) -> Tensor:
        """(B, m, W), (B, m) -> (B, tokens, W)."""
        x = self.queries.expand(len(memory), -1, -1)
        for layer in self.layers:
            x = layer(x, memory, mask)
        return self.norm(x)


class Branch(nn.Module):
    """One modality: its features in the common width, and its own tokens.

    Args:
        inputs: width of the encoder.
        positions: how many time steps have a learned place; 0: the encoder has told them apart.
    """

    def __init__(
        self, inputs: int, tokens: int, positions: int, width: int, heads: int, layers: int
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.into = Dense(inputs, width)
        self.kind = nn.Parameter(torch.zeros(width))
        self.places = nn.Parameter(torch.zeros(positions, 1, width)) if positions else None
        self.former = QFormer(tokens, width, heads, layers)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, steps[, positions], D), (B, m) -> memory (B, m, W), tokens (B, tokens, W)."""
        x = self.into(self.norm(features)) + self.kind
        if self.places is not None:
            x = x + self.places[: x.shape[1]]
        memory = x.flatten(1, -2)
        return memory, self.former(memory, mask)


class QFormerFusion(nn.Module):
    """Queries read frames and audio together."""

    def __init__(self, tokens: int, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.former = QFormer(tokens, width, heads, layers)

    def forward(self, memories: list[Tensor], masks: list[Tensor], _: list[Tensor]) -> Tensor:
        """Memories and masks of both modalities -> (B, tokens, W)."""
        return self.former(torch.cat(memories, 1), torch.cat(masks, 1))


class AttentionFusion(nn.Module):
    """Each modality is pooled; how much it counts is learned from what it holds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(Dense(width, width), nn.Tanh(), Dense(width, 1))

    def forward(self, _: list[Tensor], masks: list[Tensor], tokens: list[Tensor]) -> Tensor:
        """Masks and tokens of both modalities -> (B, 1, W); 0 where both are missing."""
        pooled = torch.stack([x.mean(1) for x in tokens], 1)
        there = torch.stack([mask.any(1) for mask in masks], 1)[..., None]
        scores = self.weigh(pooled)
        weights = scores.masked_fill(~there, torch.finfo(scores.dtype).min).softmax(1)
        return (weights * there * pooled).sum(1, keepdim=True)


class Projector(nn.Module):
    """Common width -> width of the language model."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(Dense(width, out), nn.GELU(), Dense(out, out))

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, W) -> (B, n, H)."""
        return self.layers(x)


class Fusion(nn.Module):
    """Pre-fusion, and what brings frame, audio and fused tokens into the language model.

    All of it is behind one ``forward``: an adapter that keeps a trained copy of a module puts
    the copy behind ``forward``, and calls of anything else would go to the untrained original.
    """

    def __init__(self, mix: nn.Module, width: int, out: int) -> None:
        super().__init__()
        self.mix = mix
        self.projectors = nn.ModuleList(Projector(width, out) for _ in range(3))

    def forward(
        self, memories: list[Tensor], masks: list[Tensor], tokens: list[Tensor]
    ) -> list[Tensor]:
        """Memories, masks and tokens of both modalities -> three times (B, tokens, H)."""
        all_tokens = [*tokens, self.mix(memories, masks, tokens)]
        return [project(x) for project, x in zip(self.projectors, all_tokens, strict=True)]
