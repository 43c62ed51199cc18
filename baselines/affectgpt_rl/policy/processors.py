"""Tokenizers and processors as they were saved, with what is installed.

transformers reads videos with torchvision alone, which comes as a build for one version of torch
and one kind of device. Clips are shown as images here, so processors of models that could see
videos do without.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ovmer_bench import OvmerError
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoImageProcessor,
    AutoProcessor,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
from transformers.models.auto.tokenization_auto import get_tokenizer_config
from transformers.utils import is_torchvision_available

_GENERIC = ("PreTrainedTokenizerFast", "TokenizersBackend")
_VIDEO = "video_processor"


def load_tokenizer(folder: str | Path) -> Any:
    """The tokenizer of a model.

    One of no particular class is loaded as it is: by the model's class, transformers would take
    it for that model's own, which splits words in another way and knows other tokens.

    Raises:
        OSError, ValueError: there is none.
    """
    generic = get_tokenizer_config(folder).get("tokenizer_class") in _GENERIC
    return (PreTrainedTokenizerFast if generic else AutoTokenizer).from_pretrained(folder)


_PARTS = {
    "image_processor": AutoImageProcessor.from_pretrained,
    "feature_extractor": AutoFeatureExtractor.from_pretrained,
    "tokenizer": load_tokenizer,
}


def load_processor(folder: str | Path, kind: type[ProcessorMixin] | None = None) -> Any:
    """The processor of a model, with a part for videos only where that can be had.

    Args:
        folder: or a name on the hub.
        kind: class of the processor; default: that of the model.

    Raises:
        OvmerError: it cannot do without a part that is not installed.
        OSError, ValueError: there is none.
    """
    if kind is None:
        config = AutoConfig.from_pretrained(folder)
        if type(config) not in PROCESSOR_MAPPING:
            return AutoProcessor.from_pretrained(folder)
        kind = PROCESSOR_MAPPING[type(config)]
    if _VIDEO not in kind.get_attributes():
        return kind.from_pretrained(folder)
    if is_torchvision_available():
        try:
            return kind.from_pretrained(folder)
        except OSError:  # saved by one that does without
            pass
    return _images_only(kind, folder)


def assembled(kind: type[ProcessorMixin], parts: dict[str, Any], **settings: Any) -> Any:
    """A processor of a kind that reads no videos; saved, it looks like any other of its kind.

    Args:
        kind: class whose processors have a part for videos.
        parts: all its other parts, by name.
        settings: other arguments of the class.
    """

    def check(self: Any, name: str, part: Any) -> Any:
        if name == _VIDEO:
            return None
        return kind.check_argument_for_proper_class(self, name, part)

    def names(_: Any) -> list[str]:
        return [name for name in kind.get_attributes() if name != _VIDEO]

    of_the_kind = {"__module__": kind.__module__, "check_argument_for_proper_class": check}
    # Made with all parts, or arguments would be taken for one another, and used without one.
    whole: Any = type(kind.__name__, (kind,), of_the_kind)
    given = [parts.get(name) for name in kind.get_attributes()]
    processor = whole.from_args_and_dict(given, settings)
    vars(processor).pop(_VIDEO)
    processor.__class__ = type(
        kind.__name__, (kind,), {**of_the_kind, "get_attributes": classmethod(names)}
    )
    return processor


def _images_only(kind: type[ProcessorMixin], folder: str | Path) -> Any:
    names = [name for name in kind.get_attributes() if name != _VIDEO]
    unknown = [name for name in names if name not in _PARTS]
    if unknown:
        raise OvmerError(
            f"{kind.__name__} needs {', '.join(unknown)} and {_VIDEO}",
            field="policy.path",
            hint="Install torchvision in the version that belongs to your torch.",
        )
    settings, _ = kind.get_processor_dict(folder)
    parts = {name: _PARTS[name](folder) for name in names}
    return assembled(kind, parts, **settings)
