"""The one table of architectures: which classes belong to which `model_type`.

Adding an architecture is adding a row. Classes are named, and imported when they are asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ARCHITECTURES", "Architecture", "architecture_of", "config_class_for", "model_classes"]


@dataclass
class Architecture:
    """What belongs to one `model_type`.

    Attributes:
        package: the module that has the classes named below; None when they are all registered classes.
        config: name of the configuration's class, or the class itself.
        tokenizers: names (or classes) of the tokenizer in Python and of the fast one; None where there is
            none.
        models: {auto class without "AutoModel": name of the model's class, or the class itself}; "" is the
            base.
    """

    package: str | None
    config: str | type
    tokenizers: tuple[str | type | None, str | type | None] = (None, None)
    models: dict[str, str | type] = field(default_factory=dict)

    def resolve(self, name: str | type) -> type:
        """Return the class of that name."""
        if isinstance(name, type):
            return name
        return getattr(importlib.import_module(f"nanoformers.models.{self.package}"), name)


ARCHITECTURES: dict[str, Architecture] = {
    "bert": Architecture(
        package="bert",
        config="BertConfig",
        tokenizers=("BertTokenizer", "BertTokenizerFast"),
        models={
            "": "BertModel",
            "ForPreTraining": "BertForPreTraining",
            "ForCausalLM": "BertLMHeadModel",
            "ForMaskedLM": "BertForMaskedLM",
            "ForNextSentencePrediction": "BertForNextSentencePrediction",
            "ForSequenceClassification": "BertForSequenceClassification",
            "ForMultipleChoice": "BertForMultipleChoice",
            "ForTokenClassification": "BertForTokenClassification",
            "ForQuestionAnswering": "BertForQuestionAnswering",
        },
    ),
    "distilbert": Architecture(
        package="distilbert",
        config="DistilBertConfig",
        tokenizers=("DistilBertTokenizer", "DistilBertTokenizerFast"),
        models={
            "": "DistilBertModel",
            "ForPreTraining": "DistilBertForMaskedLM",
            "ForMaskedLM": "DistilBertForMaskedLM",
            "ForSequenceClassification": "DistilBertForSequenceClassification",
            "ForMultipleChoice": "DistilBertForMultipleChoice",
            "ForTokenClassification": "DistilBertForTokenClassification",
            "ForQuestionAnswering": "DistilBertForQuestionAnswering",
            "ForTextEncoding": "DistilBertModel",
        },
    ),
    "gpt2": Architecture(
        package="gpt2",
        config="GPT2Config",
        tokenizers=("GPT2Tokenizer", "GPT2TokenizerFast"),
        models={
            "": "GPT2Model",
            "ForPreTraining": "GPT2LMHeadModel",
            "ForCausalLM": "GPT2LMHeadModel",
            "ForSequenceClassification": "GPT2ForSequenceClassification",
            "ForTokenClassification": "GPT2ForTokenClassification",
            "ForQuestionAnswering": "GPT2ForQuestionAnswering",
        },
    ),
    "t5": Architecture(
        package="t5",
        config="T5Config",
        tokenizers=("T5Tokenizer", "T5TokenizerFast"),
        models={
            "": "T5Model",
            "ForPreTraining": "T5ForConditionalGeneration",
            "ForSeq2SeqLM": "T5ForConditionalGeneration",
            "ForSequenceClassification": "T5ForSequenceClassification",
            "ForTokenClassification": "T5ForTokenClassification",
            "ForQuestionAnswering": "T5ForQuestionAnswering",
            "ForTextEncoding": "T5EncoderModel",
        },
    ),
}
"""model_type -> its classes. `register()` of the auto classes adds to it."""


def config_class_for(model_type: str) -> Any:
    """Return the configuration's class of an architecture.

    Raises:
        ValueError: there is no such architecture; the message lists those that there are.
    """
    if model_type not in ARCHITECTURES:
        raise ValueError(
            f"The checkpoint says that its model type is {model_type!r}, which is none of those that exist "
            f"here: {', '.join(sorted(ARCHITECTURES))}."
        )
    architecture = ARCHITECTURES[model_type]
    return architecture.resolve(architecture.config)


def architecture_of(config: object) -> Architecture | None:
    """Return the architecture that a configuration (object or class) belongs to, None for an unknown one."""
    wanted = config if isinstance(config, type) else type(config)
    named = ARCHITECTURES.get(getattr(wanted, "model_type", ""))
    candidates = [named] if named is not None else []
    for architecture in candidates + list(ARCHITECTURES.values()):
        name = architecture.config
        if wanted is name or (wanted.__name__ == name and wanted is architecture.resolve(name)):
            return architecture
    return None


def model_classes(head: str) -> Iterator[tuple[str, str]]:
    """Yield (name of the configuration's class, name of the model's class) of all that have a head."""
    for architecture in ARCHITECTURES.values():
        if head in architecture.models:
            names = (architecture.config, architecture.models[head])
            config, model = (name if isinstance(name, str) else name.__name__ for name in names)
            yield config, model
