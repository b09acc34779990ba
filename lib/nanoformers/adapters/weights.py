"""The weights of one adapter of a model: collected, put in, and saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..utils import logging
from .config import AdaLoraConfig, PeftConfig
from .files import name_in_file, names_in_model, with_prefix, write_adapter
from .layers import ATTRIBUTE, adapted_modules
from .switching import SwitchingMixin

if TYPE_CHECKING:
    from ..loading import LoadingReport

__all__ = ["WeightsMixin"]

logger = logging.get_logger(__name__)


class WeightsMixin(SwitchingMixin):
    """Adds to a model what reads and writes the weights of its adapters."""

    def get_adapter_state_dict(
        self, adapter_name: str | None = None, state_dict: dict[str, torch.Tensor] | None = None
    ) -> dict[str, torch.Tensor]:
        """Return the weights of one adapter, without its name in theirs.

        Args:
            adapter_name: the adapter, by default the active one.
            state_dict: the model's whole `state_dict`, when it has to be collected in another way.

        Raises:
            ValueError: there is no adapter.
        """
        name = adapter_name or self.active_adapters()[0]
        weights = self._module.state_dict() if state_dict is None else state_dict
        found = {short: weights[path] for short, path in self._weight_names(name).items()}
        return self._allocators[name].without_lost(found) if name in self._allocators else found

    def _weight_names(self, name: str) -> dict[str, str]:
        """Return {name in the file, without prefix: name in the model} of an adapter's weights."""
        config = self._config(name)
        inside = f"{ATTRIBUTE}.{name}."
        names, seen = {}, set()
        for path, tensor in self._module.state_dict(keep_vars=True).items():
            is_adapters = path.startswith(inside) or f".{inside}" in path
            if is_adapters and id(tensor) not in seen:  # a layer may have several names
                names[name_in_file(path, name, config)] = path
                seen.add(id(tensor))
        layers = {path for path, module in adapted_modules(self._module)}
        for path, _ in self._biases(name):
            is_target = path.rpartition(".")[0] in layers
            names[name_in_file(path, name, config, is_target=is_target)] = path
        return names

    def _put_weights(self, name: str, weights: dict[str, torch.Tensor], config: PeftConfig) -> LoadingReport:
        """Copy weights into an adapter that is there.

        Args:
            name: the adapter.
            weights: {name in the file: tensor}.
            config: the configuration that came with the weights.
        """
        from ..loading import LoadingReport

        model = self._module
        expected = self._weight_names(name)
        found = names_in_model(weights, expected, self.peft_config[name], model.base_model_prefix)
        report = LoadingReport(
            missing_keys=sorted(set(expected.values()) - set(found.values())),
            unexpected_keys=sorted(set(weights) - set(found)),
        )
        tensors = dict(model.named_parameters(remove_duplicate=False))
        tensors |= dict(model.named_buffers(remove_duplicate=False))
        new = {path: weights[source] for source, path in found.items()}
        if isinstance(config, AdaLoraConfig):
            new = self._allocators[name].with_lost(model, new, config.rank_pattern)
        wrong = [
            f"size mismatch for {path}: copying a param with shape {list(tensor.shape)} from checkpoint, the "
            f"shape in current model is {list(tensors[path].shape)}."
            for path, tensor in new.items()
            if tensor.shape != tensors[path].shape
        ]
        if wrong:
            raise RuntimeError(
                f"Error(s) in loading the adapter {name} into {type(self).__name__}:\n\t" + "\n\t".join(wrong)
            )
        with torch.no_grad():
            for path, tensor in new.items():
                tensors[path].copy_(tensor)
        return report

    def _tell(self, report: LoadingReport, source: Any) -> None:
        """Warn of weights that were not used or not found."""
        origin = source if source is not None else "`adapter_state_dict`"
        if report.unexpected_keys:
            logger.warning(
                f"Loading adapter weights from {origin} led to unexpected keys not found in the model: "
                f"{report.unexpected_keys}."
            )
        if report.missing_keys:
            logger.warning(
                f"Loading adapter weights from {origin} led to missing keys, which are newly initialized: "
                f"{report.missing_keys}."
            )

    def _save_adapter(
        self,
        folder: Path,
        state_dict: dict[str, torch.Tensor] | None,
        *,
        safe_serialization: bool,
        peft_format: bool,
    ) -> None:
        """Write the active adapter into a folder."""
        names = self.active_adapters()
        if len(names) > 1:
            raise ValueError(
                "Multiple active adapters detected, saving multiple active adapters is not supported yet. "
                "You can save adapters separately one by one by iteratively calling "
                "`model.set_adapter(adapter_name)` then `model.save_pretrained(...)`"
            )
        logger.info("Detected adapters on the model: only the weights of the active one are saved.")
        config = self.peft_config[names[0]]
        if names[0] in self._allocators:
            pattern = self._allocators[names[0]].pattern_in_file(self._module)
            config = type(config).from_dict(config.to_dict() | {"rank_pattern": pattern})
        weights = self.get_adapter_state_dict(names[0], state_dict)
        if peft_format:
            weights = with_prefix(weights, config)
        write_adapter(folder, config, weights, safe_serialization=safe_serialization)
