"""The entry points of the PEFT library, for code that was written for it."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["PeftModel", "get_peft_model"]

_HEADS = {
    "SEQ_CLS": ["classifier", "score"],
    "TOKEN_CLS": ["classifier", "score"],
    "QUESTION_ANS": ["qa_outputs"],
}
"""{task: names of the head that is new and trained whole}; PEFT expects it in the files of these tasks."""


def get_peft_model(model: Any, peft_config: Any, adapter_name: str = "default") -> Any:
    """Add an adapter to a model, as `model.add_adapter` does, and return the model.

    For sequence and token classification and question answering, the head is trained too (`modules_to_save`).

    Args:
        model: a model of this library.
        peft_config: see `AdapterMixin.add_adapter`; it stays as it is.
        adapter_name: the adapter's name.

    Returns:
        The model itself, and no object around it: it has the methods that PEFT's has
        (`print_trainable_parameters`, `merge_and_unload`, `disable_adapter`, `save_pretrained`, ...).

    Raises:
        TypeError: see `AdapterMixin.add_adapter`.
        ValueError: see there.
    """
    from .mixin import _as_config

    config: Any = _as_config(peft_config)
    if config.task_type in _HEADS:
        config.modules_to_save = [*(config.modules_to_save or []), *_HEADS[config.task_type]]
    model.add_adapter(config, adapter_name)
    return model


class PeftModel:
    """Where PEFT's `PeftModel.from_pretrained` is looked for; models need no class of their own here."""

    @classmethod
    def from_pretrained(
        cls,
        model: Any,
        model_id: str | os.PathLike[str],
        adapter_name: str = "default",
        is_trainable: bool = False,
        config: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Load an adapter into a model, as `model.load_adapter` does, and return the model.

        Args:
            model: the base model.
            model_id: a folder or a repository with the adapter.
            adapter_name: the name it gets.
            is_trainable: train it further.
            config: a configuration in place of that in the folder.
            kwargs: see `AdapterMixin.load_adapter`.
        """
        model.load_adapter(model_id, adapter_name, is_trainable=is_trainable, peft_config=config, **kwargs)
        return model
