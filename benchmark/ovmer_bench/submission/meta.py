"""``meta.yaml``: where predictions come from, checked against a JSON Schema that is shipped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date as calendar
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NoReturn

from ..errors import InputError, did_you_mean
from .safety import MAX_META, check_shown
from .yaml import read_yaml

META_FILE = "meta.yaml"
META_SCHEMA_VERSION = 1
Kind = Literal["system", "reference", "content-free"]
_SEVERAL_LINES = ("command", "notes")
_MULTIPLES = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(frozen=True)
class SubmissionMeta:
    """Provenance of a submission; the fields are described in ``meta.schema.json``.

    ``training_data`` is ``None`` where it is unknown.
    """

    title: str
    model: str
    size: str
    modalities: tuple[str, ...]
    training_data: tuple[str, ...] | None
    code: str | None
    command: str | None
    decoding: str
    checkpoint_chosen_on_test: bool
    licence: str
    date: str
    kind: Kind = "system"
    paper: str | None = None
    authors: str | None = None
    notes: str | None = None
    schema_version: int = META_SCHEMA_VERSION

    @property
    def parameters(self) -> int | None:
        """``size`` as a number; ``None`` where it is unknown or there is no model."""
        if self.size in ("none", "unknown"):
            return None
        return round(float(self.size[:-1]) * _MULTIPLES[self.size[-1]])

    def to_yaml(self) -> str:
        """The file's text: every field, in one order, whatever the source looked like."""
        first = {"schema_version": self.schema_version, "title": self.title, "kind": self.kind}
        said = {**first, **asdict(self)}
        said["modalities"] = list(self.modalities)
        said["training_data"] = "unknown" if self.training_data is None else [*self.training_data]
        import yaml

        text: str = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=98)
        return text


def read_meta(path: Path) -> SubmissionMeta:
    """The checked content of a ``meta.yaml``.

    Raises:
        InputError: naming file and field: not YAML, a field missing, unknown or of another
            shape, text that hides something, a day that is in no calendar.
    """
    data = read_yaml(path, most=MAX_META)
    try:
        return _meta(data)
    except InputError as error:
        raise InputError(
            error.message,
            file=path,
            field=error.field,
            accepted=error.accepted,
            hint=error.hint,
        ) from None


@lru_cache(maxsize=1)
def meta_schema() -> Mapping[str, Any]:
    """The JSON Schema of ``meta.yaml``."""
    text = (resources.files("ovmer_bench") / "resources/submission/meta.schema.json").read_text(
        "utf-8"
    )
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def _meta(data: object) -> SubmissionMeta:
    if not isinstance(data, dict):
        raise InputError("is no mapping", accepted="field: value, a line each")
    known = [field.name for field in fields(SubmissionMeta)]
    for name in data:
        if name not in known:
            hint = did_you_mean(name, known) or None
            raise InputError("unknown field", field=name, accepted=known, hint=hint)
    # Only when shown texts are clean does the schema see them: it counts characters.
    clean = {name: _clean(name, value) for name, value in data.items()}
    from jsonschema import Draft202012Validator

    errors = Draft202012Validator(meta_schema()).iter_errors(clean)
    found = sorted(errors, key=lambda error: list(map(str, error.path)))
    if found:
        _refuse(found[0])
    try:
        calendar.fromisoformat(clean["date"])
    except ValueError:
        raise InputError(
            f"{clean['date']!r} is in no calendar",
            field="date",
            accepted=meta_schema()["properties"]["date"]["description"],
        ) from None
    trained = clean.pop("training_data")
    return SubmissionMeta(
        **clean | {"modalities": tuple(clean["modalities"])},
        training_data=None if trained == "unknown" else tuple(trained),
    )


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return check_shown(value, name, lines=name in _SEVERAL_LINES)
    if isinstance(value, list):
        return [_clean(f"{name}[{i}]", item) for i, item in enumerate(value)]
    return value


def _refuse(error: Any) -> NoReturn:
    properties = meta_schema()["properties"]
    if error.validator == "required":
        name = next(name for name in error.validator_value if name not in error.instance)
        raise InputError("missing", field=name, accepted=properties[name]["description"])
    name = str(error.path[0])
    place = name + "".join(f"[{part}]" for part in list(error.path)[1:])
    shown = json.dumps(error.instance, ensure_ascii=False, default=str)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    raise InputError(f"is {shown}", field=place, accepted=properties[name]["description"])
