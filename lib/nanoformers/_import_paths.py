"""Import paths that the Transformers documentation uses and that are not module names of ours.

`from nanoformers.modeling_outputs import ModelOutput` works because this table says where the module lives;
there is no shim file behind it. Both names give the same module object.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

DOCUMENTED_PATHS = {
    "activations": "nn.activations",
    "configuration_utils": "configuration",
    "data.data_collator": "data.collators",
    "convert_slow_tokenizer": "tokenization.converting",
    "generation.configuration_utils": "generation.configuration",
    "generation.utils": "generation.mixin",
    "generation_utils": "generation",
    "dynamic_module_utils": "dynamic_modules",
    "modeling_outputs": "outputs",
    "modeling_utils": "modeling",
    "models.auto": "auto",
    "onnx": "onnx_configuration",
    "pipelines.pt_utils": "pipelines.dataset",
    "pytorch_utils": "nn.layers",
    "tokenization_utils": "tokenization",
    "tokenization_utils_base": "tokenization",
    "tokenization_utils_fast": "tokenization",
    "debug_utils": "training",
    "deepspeed": "training.deepspeed",
    "integrations.deepspeed": "training.deepspeed",
    "hf_argparser": "training",
    "hyperparameter_search": "training",
    "integrations": "training",
    "integrations.peft": "adapters",
    "trainer": "training",
    "trainer_callback": "training",
    "trainer_pt_utils": "training",
    "trainer_seq2seq": "training",
    "trainer_utils": "training",
    "training_args": "training",
    "training_args_seq2seq": "training",
    "utils.notebook": "training",
}


class _DocumentedPathFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the documented modules and loads the module that the table names in their place."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != __package__ or name not in DOCUMENTED_PATHS:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.partition(".")[2]
        sys.modules[module.__name__] = importlib.import_module(f"{__package__}.{DOCUMENTED_PATHS[name]}")


def install() -> None:
    """Make the documented paths importable (once a process)."""
    if not any(isinstance(finder, _DocumentedPathFinder) for finder in sys.meta_path):
        sys.meta_path.append(_DocumentedPathFinder())
