"""Encoders from nothing: taught to name what is seen and heard before anything else is learned.

A policy whose encoders are new does not learn to look within a short cold start: the language
model gets along with the subtitle and never asks. Here the media tokens of a clip, averaged, have
to tell which words its observers used (Joulin et al., Learning Visual Features from Large Weakly
Supervised Data, ECCV 2016): frames those of the visual clue, sound those of the audio clue, the
fusion both. Corpora without clues are taught by their descriptions. Pretrained encoders need none
of this.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ovmer_bench import OvmerError, Sample
from torch import Tensor, nn

from ..data.clips import TrainingClip
from ..data.media_bank import MediaBank

RAREST, COMMONEST = 0.01, 0.8
"""Words in fewer, or more, of the clips teach nothing."""

_SENSES = ("visual", "audio")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[\u4e00-\u9fff]")


class WordTargets:
    """Which words the observers of each clip used.

    Args:
        clips: from whose texts the words are taken.

    Raises:
        OvmerError: the clips have neither clues nor descriptions.
    """

    def __init__(self, clips: Sequence[TrainingClip]) -> None:
        self.words: dict[str, tuple[str, ...]] = {}
        self.rates: dict[str, Tensor] = {}
        for sense in _SENSES:
            counts = Counter(word for clip in clips for word in _words(clip.sample, sense))
            low, high = RAREST * len(clips), COMMONEST * len(clips)
            kept = tuple(sorted(word for word, n in counts.items() if low <= n <= high))
            if not kept:
                raise OvmerError(
                    f"the clips have no {sense} clues and no descriptions to warm up with",
                    field="warm_up",
                    hint="Take pretrained encoders and warm_up: null, or a corpus with texts.",
                )
            self.words[sense] = kept
            self.rates[sense] = torch.tensor([counts[word] / len(clips) for word in kept])

    def of(self, clips: Sequence[TrainingClip]) -> dict[str, Tensor]:
        """Sense -> (clips, words), 1 where the word was used."""
        return {
            sense: torch.tensor(
                [[float(word in said) for word in kept] for said in self._said(clips, sense)]
            )
            for sense, kept in self.words.items()
        }

    def _said(self, clips: Sequence[TrainingClip], sense: str) -> list[set[str]]:
        return [_words(clip.sample, sense) for clip in clips]


class WarmUp(nn.Module):  # type: ignore[misc]
    """Encoders, branches and fusion of a policy, with a linear head for the words of each.

    Args:
        backbone: ``AffectGPTModel``; its parts are trained in place.
        targets: the words.
    """

    def __init__(self, backbone: Any, targets: WordTargets) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(
            {
                name: getattr(backbone, name)
                for name in (
                    "frame_encoder",
                    "audio_encoder",
                    "frame_branch",
                    "audio_branch",
                    "fusion",
                )
            }
        )
        self._backbone = (backbone,)  # not a submodule: the language model is not trained here
        hidden = backbone.config.text_config.hidden_size
        self.heads = nn.ModuleDict(
            {name: nn.Linear(hidden, len(targets.words[sense])) for name, sense in _HEADS.items()}
        )
        for name, sense in _HEADS.items():
            nn.init.zeros_(self.heads[name].weight)
            with torch.no_grad():  # the loss begins at that of knowing nothing but frequencies
                self.heads[name].bias.copy_(torch.logit(targets.rates[sense], eps=1e-4))

    def forward(self, targets: Mapping[str, Tensor], media: Mapping[str, Tensor]) -> dict[str, Any]:
        """Binary cross-entropy by head, and their sum as ``loss``.

        Args:
            targets: of :meth:`WordTargets.of`.
            media: arguments of ``AffectGPTModel.encode_media``.
        """
        (backbone,) = self._backbone
        features = backbone.encode_media(**media)
        frames, sound, fused = backbone.media_tokens(features)
        seen, heard = features.frame_mask.any(1), features.audio_mask.any(1)
        pooled = {"frames": frames, "audio": sound, "fused_frames": fused, "fused_audio": fused}
        losses = {}
        for name, sense in _HEADS.items():
            there = seen if sense == "visual" else heard
            if there.any():
                logits = self.heads[name](pooled[name].mean(1)[there])
                losses[name] = nn.functional.binary_cross_entropy_with_logits(
                    logits, targets[sense][there]
                )
        return {"loss": torch.stack(list(losses.values())).sum(), **losses}


def explained(
    module: WarmUp, clips: Sequence[TrainingClip], bank: MediaBank, targets: WordTargets
) -> dict[str, float]:
    """Head -> share of the cross-entropy of knowing only frequencies that media take away."""
    sums = dict.fromkeys(_HEADS, 0.0)
    plain = dict.fromkeys(_HEADS, 0.0)
    module.eval()
    with torch.no_grad():
        for start in range(0, len(clips), _TOGETHER):
            part = clips[start : start + _TOGETHER]
            media = bank.inputs([clip.id for clip in part])
            del media["clip_index"]
            wanted = {key: value.to(bank.model.device) for key, value in targets.of(part).items()}
            losses = module(targets=wanted, media=media)
            for name, sense in _HEADS.items():
                rates = targets.rates[sense].to(bank.model.device).expand_as(wanted[sense])
                known = nn.functional.binary_cross_entropy(rates, wanted[sense])
                if name in losses:
                    sums[name] += float(losses[name]) * len(part)
                    plain[name] += float(known) * len(part)
    return {name: 1 - sums[name] / plain[name] for name in _HEADS if plain[name]}


_HEADS: Mapping[str, str] = {
    "frames": "visual",
    "audio": "audio",
    "fused_frames": "visual",
    "fused_audio": "audio",
}
_TOGETHER = 32


def _words(sample: Sample, sense: str) -> set[str]:
    text = sample.clues.get(sense) or " ".join(sample.description.values())
    return set(_WORD.findall(text.lower()))
