"""Media of clips by id, as tensors for the policy.

A batch of GRPO holds every clip many times. The bank sends each once, with an index that says
which clip a row is about. Where both encoders are frozen, what they make of a clip is kept and
sent instead of pixels and samples; fusion and projectors are never skipped, since they train.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from ovmer_bench import OvmerError
from torch import Tensor

from ..policy.media import MediaFeatures
from ..policy.modeling import AffectGPTForConditionalGeneration
from .media_store import MEMORY, MediaStore, Tensors

ENCODERS = ("frame_encoder", "audio_encoder")
_TOGETHER = 8


class Clip(Protocol):
    """What the bank asks of a clip; either may be ``None``, and is loaded on each call."""

    def frames(self) -> NDArray[Any] | None:
        """uint8 (frames, height, width, 3)."""

    def audio(self) -> NDArray[Any] | None:
        """One channel at the extractor's rate, int16 or float."""


class Bank(Protocol):
    """Gives a policy the media of rows of text."""

    @property
    def clips(self) -> Mapping[str, Any]:
        """By media id."""

    def inputs(self, ids: Sequence[str], device: Any = None) -> dict[str, Tensor]:
        """Keyword arguments of ``forward`` and ``generate`` for rows about these clips."""


class MediaBank:
    """Media of clips, each encoded as seldom as can be.

    Args:
        clips: by media id.
        processor: of the policy.
        model: the policy, bare or within wrappers (adapter, DDP): the same object stays inside.
        cache: keep what encoders make of a clip, as long as the configuration freezes both and
            nothing in them is trained. If not, or else, tensors of pixels and samples are kept.
        folder: keep it there as well, for the next run. Files are named after a hash of the
            encoders' weights and settings, of ``corpus`` and of the clip's id.
        corpus: what tells clips of one id apart, such as a hash of the corpus and the
            modalities that the policy may see.
        memory: bytes kept in memory; beyond, what was used longest ago is let go.
        raw: keeps pixels and samples, and may be shared with a bank of the same clips and
            processor; default: one of its own.

    Weights that change are noticed by PyTorch's own counters; after writing through ``.data``,
    which those do not see, call :meth:`forget`.
    """

    def __init__(
        self,
        clips: Mapping[str, Clip],
        processor: Any,
        model: Any,
        *,
        cache: bool,
        folder: str | Path | None = None,
        corpus: str = "",
        memory: int = MEMORY,
        raw: MediaStore | None = None,
    ) -> None:
        self.clips = clips
        self._processor = processor
        self._model = policy_of(model)
        self._cache = cache
        self._corpus = corpus
        self._features = MediaStore(memory, None if folder is None else Path(folder))
        self._raw = MediaStore(memory) if raw is None else raw
        self._state = ""
        self._seen: tuple[object, ...] = ()
        self._sealed = False

    @property
    def model(self) -> Any:
        """The policy itself, without wrappers."""
        return self._model

    @property
    def shared(self) -> bool:
        """Whether other processes find in a folder what this one encoded."""
        return self._features.on_disk

    def caches(self) -> bool:
        """Whether features of the encoders are kept and sent, now."""
        if self._sealed:
            return True
        if not self._cache or not set(ENCODERS) <= set(self._model.config.freeze):
            return False
        return not any(parameter.requires_grad for parameter in self._encoder_tensors())

    def inputs(self, ids: Sequence[str], device: Any = None) -> dict[str, Tensor]:
        """Keyword arguments of the policy's ``forward`` and ``generate`` for rows of text.

        Args:
            ids: the clip of each row.
            device: default: the policy's.

        Returns:
            Each distinct clip once and ``clip_index`` (rows,); nothing where no clip has media.

        Raises:
            OvmerError: an id is unknown, or its media are no frames or no sound.
        """
        distinct = list(dict.fromkeys(ids))
        device = self._model.device if device is None else device
        if self.caches():
            made = self._from_features(distinct)
        else:
            made = _collate_raw([self._raw_of(one) for one in distinct])
        if not made:
            return {}
        place = {one: at for at, one in enumerate(distinct)}
        made["clip_index"] = torch.tensor([place[one] for one in ids])
        return {name: value.to(device) for name, value in made.items()}

    def fill(
        self,
        ids: Iterable[str] | None = None,
        *,
        device: Any = None,
        on_clip: Callable[[int, int], None] | None = None,
    ) -> None:
        """Encode clips ahead of time; no effect where features are not kept.

        Args:
            ids: default: all clips.
            device: where to, if the encoders are not there yet; they are brought back.
            on_clip: told how many clips of how many are done.
        """
        if not self.caches():
            return
        names = list(self.clips if ids is None else ids)
        encoders = [getattr(self._model.model, name) for name in ENCODERS]
        home = next(encoders[0].parameters()).device
        for encoder in encoders:
            encoder.to(home if device is None else device)
        for start in range(0, len(names), _TOGETHER):
            part = names[start : start + _TOGETHER]
            self._features_of(part)
            if on_clip is not None:
                on_clip(start + len(part), len(names))
        for encoder in encoders:
            encoder.to(home)

    def keep_raw(self) -> None:
        """Send pixels and samples, whatever is frozen."""
        self._cache = False

    def seal(self) -> None:
        """From now on only what is kept is sent: for policies whose weights get spread.

        Raises:
            OvmerError: not all clips are kept.
        """
        if self._sealed or not self.caches():
            return
        if not self.shared and len(self._features) < len(self.clips):
            raise OvmerError(
                f"what the encoders make of {len(self.clips)} clips does not fit into memory",
                field="memory",
                hint="Give a folder, or more memory.",
            )
        self._sealed = True

    def forget(self) -> None:
        """Make everything anew when it is next asked for; what is on disk under the same
        weights is used again."""
        self._features.forget()
        self._raw.forget()
        self._state, self._seen = "", ()

    def describe(self) -> str:
        """One line: what is kept, of how many clips, in how many bytes."""
        store = self._features if self.caches() else self._raw
        kind = "features of frozen encoders" if self.caches() else "pixels and samples"
        text = (
            f"{kind} of {len(store):,} of {len(self.clips):,} clips,"
            f" {store.bytes_in_memory / 2**20:,.1f} MiB in memory"
        )
        on_disk = store.bytes_in_folder()
        return f"{text}, {on_disk / 2**20:,.1f} MiB on disk" if on_disk else text

    def _from_features(self, ids: list[str]) -> dict[str, Tensor]:
        entries = self._features_of(ids)
        if not any(entries):
            return {}
        return _collate_features(entries, self._model.model)

    def _features_of(self, ids: list[str]) -> list[Tensors]:
        """Features of clips: those kept, the others made together."""
        state = self._current_state()
        found: dict[str, Tensors] = {}
        for one in ids:
            kept = self._features.get(state, one)
            if kept is not None:
                found[one] = kept
        missing = [one for one in ids if one not in found]
        if missing and self._sealed:
            raise OvmerError(f"clip {missing[0]!r} was not encoded ahead", field="media_id")
        for start in range(0, len(missing), _TOGETHER):
            part = missing[start : start + _TOGETHER]
            for one, entry in zip(part, self._encoded(part), strict=True):
                self._features.put(state, one, entry)
                found[one] = entry
        return [found[one] for one in ids]

    def _encoded(self, ids: list[str]) -> list[Tensors]:
        raw = [self._raw.get("", one) or self._load(one) for one in ids]
        made = _collate_raw(raw)
        if not made:
            return [{} for _ in ids]
        backbone = self._model.model
        for name in ENCODERS:
            getattr(backbone, name).eval()
        device = next(iter(self._encoder_tensors())).device
        inputs = {name: value.to(device) for name, value in made.items()}
        # Outside any automatic precision, or features would depend on who asked first.
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            features = backbone.encode_media(**inputs)
        return [_features_of_row(features, row) for row in range(len(ids))]

    def _raw_of(self, media_id: str) -> Tensors:
        kept = self._raw.get("", media_id)
        if kept is None:
            kept = self._load(media_id)
            self._raw.put("", media_id, kept)
        return kept

    def _load(self, media_id: str) -> Tensors:
        """Tensors of one clip as the processor makes them, without the dimension of clips."""
        clip = self.clips.get(media_id)
        if clip is None:
            raise OvmerError(f"no clip is called {media_id!r}", field="media_id")
        try:
            made = self._processor.media([clip.frames()], [clip.audio()])
        except ValueError as error:
            raise OvmerError(f"clip {media_id!r}: {error}", field="media_id") from None
        return {name: value[0] for name, value in made.items()}

    def _encoder_tensors(self) -> list[Tensor]:
        backbone = self._model.model
        return [tensor for name in ENCODERS for tensor in _tensors(getattr(backbone, name))]

    def _current_state(self) -> str:
        """Hash of the encoders; computed again only when PyTorch has seen a write."""
        if self._sealed:
            return self._state
        seen = tuple((t.data_ptr(), t._version, t.dtype) for t in self._encoder_tensors())
        if seen != self._seen:
            state = encoder_hash(self._model, self._processor, self._corpus)
            if state != self._state:
                self._features.forget()
            self._state, self._seen = state, seen
        return self._state


def policy_of(model: Any) -> Any:
    """The AffectGPT inside whatever wraps it.

    Raises:
        OvmerError: there is none.
    """
    for module in model.modules():
        if isinstance(module, AffectGPTForConditionalGeneration):
            return module
    raise OvmerError(f"{type(model).__name__} holds no AffectGPT", field="policy")


def encoder_hash(model: Any, processor: Any, corpus: str = "") -> str:
    """sha256 of all that features depend on but the clip: weights, settings, preprocessing."""
    digest = hashlib.sha256()
    backbone = model.model
    settings = {
        "corpus": corpus,
        "frame_features": model.config.frame_features,
        "max_frames": processor.max_frames,
        "pictures": processor.image_processor.to_dict(),
        "sounds": processor.feature_extractor.to_dict(),
        "encoders": [type(getattr(backbone, name).encoder).__name__ for name in ENCODERS],
    }
    digest.update(json.dumps(settings, sort_keys=True, default=str).encode())
    for name in ENCODERS:
        for key, value in sorted(getattr(backbone, name).state_dict().items()):
            digest.update(f"{name}.{key} {value.dtype} {tuple(value.shape)}".encode())
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()


def _tensors(module: Any) -> Iterable[Tensor]:
    yield from module.parameters()
    yield from module.buffers()


def _features_of_row(features: MediaFeatures, row: int) -> Tensors:
    """What exists of one clip; nothing of what is missing."""
    entry: dict[str, Tensor] = {}
    frames, sound = features.frame_mask[row], features.audio_mask[row]
    if frames.any():
        entry["frame_features"] = features.frame_features[row][frames].cpu().contiguous()
    if sound.any():
        entry["audio_features"] = features.audio_features[row][sound].cpu().contiguous()
    return entry


def _collate_features(entries: Sequence[Tensors], backbone: Any) -> dict[str, Tensor]:
    frames = [entry.get("frame_features") for entry in entries]
    sounds = [entry.get("audio_features") for entry in entries]
    dtype = next(value.dtype for entry in entries for value in entry.values())
    nothing = torch.zeros(0, 1, backbone.frame_encoder.width, dtype=dtype)
    frame_features, frame_mask = _stacked(frames, nothing)
    audio_features, audio_mask = _stacked(
        sounds, nothing.new_zeros(0, backbone.audio_encoder.width)
    )
    features = MediaFeatures(frame_features, frame_mask, audio_features, audio_mask)
    return dict(features.as_inputs())


def _stacked(values: Sequence[Tensor | None], nothing: Tensor) -> tuple[Tensor, Tensor]:
    """Sequences of different lengths -> one tensor, and which positions exist."""
    shape = next((value.shape[1:] for value in values if value is not None), nothing.shape[1:])
    longest = max(1, *(0 if value is None else len(value) for value in values))
    out = nothing.new_zeros(len(values), longest, *shape)
    mask = torch.zeros(len(values), longest, dtype=torch.bool)
    for row, value in enumerate(values):
        if value is not None:
            out[row, : len(value)] = value
            mask[row, : len(value)] = True
    return out, mask


def _collate_raw(entries: Sequence[Tensors]) -> dict[str, Tensor]:
    """As the processor would have made them together; what no clip has is left out."""
    made: dict[str, Tensor] = {}
    pictures = [entry.get("pixel_values") for entry in entries]
    first = next((value for value in pictures if value is not None), None)
    if first is not None:
        made["pixel_values"], made["frame_mask"] = _stacked(pictures, first[:0])
    sounds = [entry.get("audio_values") for entry in entries]
    first = next((value for value in sounds if value is not None), None)
    if first is not None:
        longest = max(value.shape[-1] for value in sounds if value is not None)
        values = first.new_zeros(len(sounds), *first.shape[:-1], longest)
        for row, value in enumerate(sounds):
            if value is not None:
                values[row, ..., : value.shape[-1]] = value
        silent = torch.zeros((), dtype=torch.long)
        made["audio_values"] = values
        made["audio_lengths"] = torch.stack(
            [entry.get("audio_lengths", silent) for entry in entries]
        )
    return made
