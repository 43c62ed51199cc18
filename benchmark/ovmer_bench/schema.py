"""The two records everything else exchanges: a clip with its gold, and what was said of it.

On disk each is one JSON object a line (UTF-8); :mod:`readers` reads whole files of them.
Every error is an :class:`InputError` that names file, line and field.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, NoReturn

from .errors import InputError, did_you_mean

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
        said = [n for n in ("labels", "output") if getattr(self, n) is not None]
        self._check(said, _Place(None, None))

    def _check(self, said: Sequence[str], at: _Place) -> None:
        at.check_id(self.id)
        if len(said) == 2:
            at.fail(
                "has both 'labels' and 'output'",
                accepted="one of labels, output",
                hint="Keep the one that is to be scored.",
            )
        if not said:
            at.fail(
                "has neither 'labels' nor 'output'",
                accepted="labels: a list of strings, or output: a string",
                hint=_nearest(("labels", "output"), self.extra),
            )
        if said[0] == "labels":
            object.__setattr__(self, "labels", at.words("labels", self.labels))
        elif not isinstance(self.output, str):
            at.wrong("output", self.output, "a string")

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
        at = _Place(file, line)
        item = at.mapping(None, value)
        known = sum(name in item for name in PREDICTION_FIELDS)
        extra: Mapping[str, object] = {}
        if len(item) > known:
            extra = {k: v for k, v in item.items() if k not in PREDICTION_FIELDS}
        if "id" not in item:
            hint = "Rename 'name' to 'id'." if "name" in item else _nearest(("id",), extra)
            at.fail("missing", field="id", hint=hint)
        made = object.__new__(cls)
        _set(made, id=item["id"], labels=item.get("labels"), output=item.get("output"))
        _set(made, extra=extra)
        made._check([n for n in ("labels", "output") if n in item], at)
        return made


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
        self._check(_Place(None, None))

    def _check(self, at: _Place) -> None:
        at.check_id(self.id)
        self._check_gold(at)
        for name in ("corpus", "split"):
            if not isinstance(getattr(self, name), str):
                at.wrong(name, getattr(self, name), "a string")
        at.texts("subtitle", self.subtitle, LANGUAGES)
        at.texts("clues", self.clues, CLUES)
        at.texts("description", self.description, LANGUAGES)
        media = dict(at.mapping("media", self.media))
        if "frames" in media and "video" in media:
            at.fail("has frames and video", field="media", accepted="one of them")
        at.words("media.frames", media.pop("frames", ()))
        at.texts("media", media, MEDIA)
        for tag, said in at.mapping("tags", self.tags).items():
            if not isinstance(said, (str, int, float)):
                at.wrong(f"tags.{tag}", said, "a string or a number")

    def _check_gold(self, at: _Place) -> None:
        given = [name for name in GOLD if getattr(self, name) is not None]
        if len(given) != 1:
            at.fail(
                f"has {' and '.join(given) or 'no gold'}",
                accepted=f"exactly one of {', '.join(GOLD)}",
            )
        if self.labels is not None:
            object.__setattr__(self, "labels", at.words("labels", self.labels))
        elif self.valence is not None:
            object.__setattr__(self, "valence", at.number("valence", self.valence))
        elif not isinstance(self.label, str) or not self.label.strip():
            at.wrong("label", self.label, "a word")

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
        at = _Place(file, line)
        item = at.mapping(None, value)
        for name in item:
            if name not in SAMPLE_FIELDS:
                at.fail(
                    "unknown field",
                    field=name,
                    accepted=", ".join(SAMPLE_FIELDS),
                    hint=did_you_mean(name, SAMPLE_FIELDS) or "Other facts belong in 'tags'.",
                )
        if "id" not in item:
            at.fail("missing", field="id")
        made = object.__new__(cls)
        for name in GOLD:
            if name in item and item[name] is None:
                at.wrong(name, None, "a value")
            _set(made, **{name: item.get(name)})
        _set(made, id=item["id"], corpus=item.get("corpus", corpus))
        _set(made, split=item.get("split", split))
        for name in ("subtitle", "clues", "description", "media", "tags"):
            _set(made, **{name: item.get(name, {})})
        made._check(at)
        return made


class _Place(NamedTuple):
    """Where a record stands, and the checks that name that place when they fail."""

    file: str | Path | None
    line: int | None

    def fail(
        self,
        message: str,
        *,
        field: str | None = None,
        accepted: str | None = None,
        hint: str | None = None,
    ) -> NoReturn:
        raise InputError(
            message, file=self.file, line=self.line, field=field, accepted=accepted, hint=hint
        )

    def wrong(self, name: str, value: object, accepted: str) -> NoReturn:
        hint = None
        if name == "labels" and isinstance(value, str):
            hint = "Write a list of labels, or put raw text under 'output'."
        self.fail(f"is {_type_name(value)}", field=name, accepted=accepted, hint=hint)

    def mapping(self, name: str | None, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            self.fail(f"is {_type_name(value)}, not an object", field=name)
        return value

    def check_id(self, value: object) -> None:
        if not isinstance(value, str):
            self.wrong("id", value, "a string")
        if not value.strip():
            self.fail("is empty", field="id", accepted="the id of a clip")
        if not value.isprintable():
            self.fail(f"{value!r} holds a character that cannot be shown", field="id")

    def words(self, name: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)):
            self.wrong(name, value, "a list of strings")
        for position, word in enumerate(value):
            if not isinstance(word, str):
                self.wrong(f"{name}[{position}]", word, "a string")
        return tuple(value)

    def number(self, name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.wrong(name, value, "a finite number")
        if not math.isfinite(value):
            self.fail(f"is {value}", field=name, accepted="a finite number")
        return float(value)

    def texts(self, name: str, value: object, keys: Sequence[str]) -> None:
        for key, text in self.mapping(name, value).items():
            if key not in keys:
                self.fail(
                    f"unknown key {key!r}",
                    field=name,
                    accepted=", ".join(keys),
                    hint=did_you_mean(key, keys),
                )
            if not isinstance(text, str):
                self.wrong(f"{name}.{key}", text, "a string")


def _set(record: object, **fields: object) -> None:
    """Fill fields of a frozen record that is being made and checked right after."""
    for name, content in fields.items():
        object.__setattr__(record, name, content)


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
