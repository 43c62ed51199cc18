"""AffectGPT as Hugging Face configuration, model and processor.

Importing this package makes the classes known to ``AutoConfig``, ``AutoModel``,
``AutoModelForCausalLM`` and ``AutoProcessor``. It needs the extra ``train``.
"""

from __future__ import annotations

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoProcessor

from .build import build_policy
from .configuration import AffectGPTConfig
from .media import MediaFeatures
from .modeling import AffectGPTForConditionalGeneration, AffectGPTModel
from .processing import AffectGPTProcessor, prepare_tokenizer
from .trainable import check_trainable, trainable_parameters

AutoConfig.register(AffectGPTConfig.model_type, AffectGPTConfig, exist_ok=True)
AutoModel.register(AffectGPTConfig, AffectGPTModel, exist_ok=True)
AutoModelForCausalLM.register(AffectGPTConfig, AffectGPTForConditionalGeneration, exist_ok=True)
AutoProcessor.register(AffectGPTConfig, AffectGPTProcessor, exist_ok=True)

__all__ = [
    "AffectGPTConfig",
    "AffectGPTForConditionalGeneration",
    "AffectGPTModel",
    "AffectGPTProcessor",
    "MediaFeatures",
    "build_policy",
    "check_trainable",
    "prepare_tokenizer",
    "trainable_parameters",
]
