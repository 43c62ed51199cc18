"""The two records everything else exchanges: a clip with its gold, and what was said of it.

On disk each is one JSON object a line (UTF-8); :mod:`.readers` reads whole files of them.
Every error is an :class:`InputError` that names file, line and field.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from ..errors import InputError, did_you_mean

SCHEMA_VERSION = 1

GoldKind = Literal["open", "basic", "sentiment"]

LANGUAGES = ("en", "zh")
CLUES = ("audio", "visual")
MEDIA = ("frames", "video", "audio")
GOLD = ("labels", "label", "valence")
PREDICTION_FIELDS = ("id", "labels", "output")
SAMPLE_FIELDS = (
    *("id", "corpus", "split", "subtitle", "clues", "description", "media", "tags"),
    *GOLD,
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system said about one clip: a label list, or raw text still to be parsed.

    Args:
        id: the clip.
        labels: open-vocabulary labels as given; an empty list is an empty answer.
        output: raw model output. Exactly one of ``labels`` and ``output`` is set.
        extra: any other fields of the line; kept, never scored.

    Raises:
        InputError: neither or both of ``labels`` and ``output``, or a wrong type.
    """

    id: str
    labels: Sequence[str] | None = None
    output: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_id(self.id)
        if self.labels is not None and self.output is not None:
            _fail(
                "has both 'labels' and 'output'",
                accepted="one of labels, output",
                hint="Keep the one that is to be scored.",
            )
        if self.labels is not None:
            object.__setattr__(self, "labels", _words("labels", self.labels))
        elif self.output is None:
            _fail(
                "has neither 'labels' nor 'output'",
                accepted="labels: a list of strings, or output: a string",
                hint=_nearest(("labels", "output"), self.extra),
            )
        elif not isinstance(self.output, str):
            _wrong("output", self.output, "a string")

    def to_dict(self) -> dict[str, object]:
        """The JSON object of this prediction."""
        said: dict[str, object] = {"id": self.id}
        if self.labels is not None:
            said["labels"] = list(self.labels)
        else:
            said["output"] = self.output
        return {**self.extra, **said} if self.extra else said

    @classmethod
    def from_dict(
        cls, value: object, *, file: str | Path | None = None, line: int | None = None
    ) -> Prediction:
        """A prediction from a JSON object; :class:`InputError` names file, line, field."""
        try:
            item = _mapping(None, value)
            for name in ("labels", "output"):
                if name in item and item[name] is None:
                    _wrong(name, None, "a value")
            extra = {}
            if len(item) != 2 or "id" not in item or not ("labels" in item or "output" in item):
                extra = {k: v for k, v in item.items() if k not in PREDICTION_FIELDS}
            if "id" not in item:
                hint = "Rename 'name' to 'id'." if "name" in item else _nearest(("id",), extra)
                _fail("missing", field="id", hint=hint)
            return cls(item["id"], item.get("labels"), item.get("output"), extra)
        except InputError as error:
            raise _placed(error, file, line) from None


@dataclass(frozen=True, slots=True)
class Sample:
    """One clip and its gold.

    Args:
        id: the clip.
        labels: open-vocabulary gold; may be empty (the clip is then left out of scores).
        label: one basic emotion, for corpora of kind ``basic``.
        valence: gold valence, finite, for corpora of kind ``sentiment``. Exactly one of
            ``labels``, ``label`` and ``valence`` is set.
        corpus: name of the corpus.
        split: name of the split.
        subtitle: what is said, by language (``en``, ``zh``).
        clues: what is heard (``audio``) and seen (``visual``), as text.
        description: a written account of the feeling and its evidence, by language; it gives
            the answer away and is for training, never for a prompt.
        media: ``frames`` (a list of image paths) or ``video`` (a path), and ``audio``.
        tags: anything a report may group by.

    Raises:
        InputError: no or several golds, or a wrong type.
    """

    id: str
    labels: Sequence[str] | None = None
    label: str | None = None
    valence: float | None = None
    corpus: str = ""
    split: str = ""
    subtitle: Mapping[str, str] = field(default_factory=dict)
    clues: Mapping[str, str] = field(default_factory=dict)
    description: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_id(self.id)
        self._check_gold()
        for name in ("corpus", "split"):
            if not isinstance(getattr(self, name), str):
                _wrong(name, getattr(self, name), "a string")
        _check_texts("subtitle", self.subtitle, LANGUAGES)
        _check_texts("clues", self.clues, CLUES)
        _check_texts("description", self.description, LANGUAGES)
        media = dict(_mapping("media", self.media))
        if "frames" in media and "video" in media:
            _fail("has frames and video", field="media", accepted="one of them")
        _words("media.frames", media.pop("frames", ()))
        _check_texts("media", media, MEDIA)
        for tag, said in _mapping("tags", self.tags).items():
            if not isinstance(said, (str, int, float)):
                _wrong(f"tags.{tag}", said, "a string or a number")

    def _check_gold(self) -> None:
        given = [name for name in GOLD if getattr(self, name) is not None]
        if len(given) != 1:
            _fail(
                f"has {' and '.join(given) or 'no gold'}",
                accepted=f"exactly one of {', '.join(GOLD)}",
            )
        if self.labels is not None:
            object.__setattr__(self, "labels", _words("labels", self.labels))
        elif self.valence is not None:
            object.__setattr__(self, "valence", _number("valence", self.valence))
        elif not isinstance(self.label, str) or not self.label.strip():
            _wrong("label", self.label, "a word")

    @property
    def kind(self) -> GoldKind:
        """Which gold this sample carries."""
        if self.labels is not None:
            return "open"
        return "basic" if self.label is not None else "sentiment"

    @property
    def gold(self) -> Sequence[str] | str | float:
        """The one gold this sample carries."""
        for content in (self.labels, self.label, self.valence):
            if content is not None:
                return content
        return ()

    def to_dict(self) -> dict[str, object]:
        """The JSON object of this sample; empty fields are left out."""
        said: dict[str, object] = {"id": self.id}
        for name in SAMPLE_FIELDS[1:-3]:
            if content := getattr(self, name):
                said[name] = content if isinstance(content, str) else dict(content)
        for name in GOLD:
            content = getattr(self, name)
            if content is not None:
                said[name] = list(content) if name == "labels" else content
        return said

    @classmethod
    def from_dict(
        cls,
        value: object,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        corpus: str = "",
        split: str = "",
    ) -> Sample:
        """A sample from a JSON object; :class:`InputError` names file, line, field.

        ``corpus`` and ``split`` fill in for a line that does not name them.
        """
        try:
            item = _mapping(None, value)
            for name in item:
                if name not in SAMPLE_FIELDS:
                    _fail(
                        "unknown field",
                        field=name,
                        accepted=", ".join(SAMPLE_FIELDS),
                        hint=did_you_mean(name, SAMPLE_FIELDS) or "Other facts belong in 'tags'.",
                    )
            for name in GOLD:
                if name in item and item[name] is None:
                    _wrong(name, None, "a value")
            if "id" not in item:
                _fail("missing", field="id")
            return cls(**{"corpus": corpus, "split": split, **item})
        except InputError as error:
            raise _placed(error, file, line) from None


def _placed(error: InputError, file: str | Path | None, line: int | None) -> InputError:
    """``error`` with the place of the record that caused it."""
    return InputError(
        error.message,
        file=file,
        line=line,
        field=error.field,
        accepted=error.accepted,
        hint=error.hint,
    )


def _fail(
    message: str,
    *,
    field: str | None = None,
    accepted: str | None = None,
    hint: str | None = None,
) -> NoReturn:
    raise InputError(message, field=field, accepted=accepted, hint=hint)


def _wrong(name: str, value: object, accepted: str) -> NoReturn:
    hint = None
    if name == "labels" and isinstance(value, str):
        hint = "Write a list of labels, or put raw text under 'output'."
    _fail(f"is {_type_name(value)}", field=name, accepted=accepted, hint=hint)


def _mapping(name: str | None, value: object) -> Mapping[str, Any]:
    if not isinstance(value, (dict, Mapping)):
        _fail(f"is {_type_name(value)}, not an object", field=name)
    return value


def _check_id(value: object) -> None:
    if not isinstance(value, str):
        _wrong("id", value, "a string")
    if not value.strip():
        _fail("is empty", field="id", accepted="the id of a clip")
    if not value.isprintable():
        _fail(f"{value!r} holds a character that cannot be shown", field="id")


def _words(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        _wrong(name, value, "a list of strings")
    for position, word in enumerate(value):
        if not isinstance(word, str):
            _wrong(f"{name}[{position}]", word, "a string")
    return tuple(value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _wrong(name, value, "a finite number")
    if not math.isfinite(value):
        _fail(f"is {value}", field=name, accepted="a finite number")
    return float(value)


def _check_texts(name: str, value: object, keys: Sequence[str]) -> None:
    for key, text in _mapping(name, value).items():
        if key not in keys:
            _fail(
                f"unknown key {key!r}",
                field=name,
                accepted=", ".join(keys),
                hint=did_you_mean(key, keys),
            )
        if not isinstance(text, str):
            _wrong(f"{name}.{key}", text, "a string")


def _type_name(value: object) -> str:
    """What a JSON reader calls the type of ``value``."""
    names: dict[type, str] = {
        **{type(None): "null", bool: "true or false", int: "a number", float: "a number"},
        **{str: "a string", list: "a list", tuple: "a list", dict: "an object"},
    }
    if isinstance(value, str) and not value.strip():
        return "an empty string"
    return names.get(type(value), f"a {type(value).__name__}")


def _nearest(wanted: Sequence[str], keys: Iterable[str]) -> str | None:
    """A hint where a key looks like a misspelling of a wanted one."""
    for key in keys:
        if near := did_you_mean(key.lower(), wanted):
            return f"Found {key!r}. {near}"
    return None
