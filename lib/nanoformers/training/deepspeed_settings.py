"""DeepSpeed's settings: read, asked, and their "auto" values filled in from `TrainingArguments`.

Mirrors `HfDeepSpeedConfig` and the "auto" rules of the documentation page `main_classes/deepspeed`. Nothing
here needs DeepSpeed.
"""

from __future__ import annotations

import copy
import json
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = [
    "HfDeepSpeedConfig",
    "HfTrainerDeepSpeedConfig",
    "deepspeed_config",
    "is_deepspeed_zero3_enabled",
    "set_hf_deepspeed_config",
    "unset_hf_deepspeed_config",
]

_current: weakref.ref[HfDeepSpeedConfig] | None = None


class HfDeepSpeedConfig:
    """DeepSpeed's settings, and questions to them; while one is alive, model code can ask for it.

    Make it before the model, and keep it: only a weak reference to it is kept here.

    Args:
        config_file_or_dict: the path of a JSON file, or a dictionary, which is copied.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it holds no JSON, or no dictionary.
    """

    def __init__(self, config_file_or_dict: str | os.PathLike[str] | dict[str, Any]) -> None:
        self.config = _read(config_file_or_dict)
        stage = self.get_value("zero_optimization.stage", 0)
        self._stage = stage if isinstance(stage, int) else 0
        devices = (
            self.get_value(f"zero_optimization.{part}.device")
            for part in ("offload_optimizer", "offload_param")
        )
        self._offload = any(device in ("cpu", "nvme") for device in devices)
        set_hf_deepspeed_config(self)

    def find_config_node(self, ds_key_long: str) -> tuple[dict[str, Any] | None, str]:
        """Return the dictionary that holds a key such as "zero_optimization.stage", and the last word of it.

        None in place of the dictionary where there is none.
        """
        *path, key = ds_key_long.split(".")
        node: Any = self.config
        for name in path:
            node = node.get(name) if isinstance(node, dict) else None
        return (node if isinstance(node, dict) else None), key

    def get_value(self, ds_key_long: str, default: Any = None) -> Any:
        """Return the value of a key, or `default` where it is not set."""
        node, key = self.find_config_node(ds_key_long)
        return default if node is None else node.get(key, default)

    def del_config_sub_tree(self, ds_key_long: str, must_exist: bool = False) -> None:
        """Delete a key with all below it.

        Raises:
            ValueError: it is not there, and must be.
        """
        node, key = self.find_config_node(ds_key_long)
        if node is not None and key in node:
            del node[key]
        elif must_exist:
            raise ValueError(f"Can't find {ds_key_long} entry in the config: {self.config}")

    def is_true(self, ds_key_long: str) -> bool:
        """Return whether a key is set, to something true."""
        return bool(self.get_value(ds_key_long))

    def is_false(self, ds_key_long: str) -> bool:
        """Return whether a key is set, to something false (None is not set)."""
        value = self.get_value(ds_key_long)
        return value is not None and not value

    def is_zero2(self) -> bool:
        """Return whether optimizer and gradients are sharded."""
        return self._stage == 2

    def is_zero3(self) -> bool:
        """Return whether optimizer, gradients and weights are sharded."""
        return self._stage == 3

    def is_offload(self) -> bool:
        """Return whether anything is kept in the CPU's memory, or on disk."""
        return self._offload


class HfTrainerDeepSpeedConfig(HfDeepSpeedConfig):
    """DeepSpeed's settings as a Trainer needs them: each "auto" gets a value from the arguments of training.

    A setting with another value than the argument that means the same is a mismatch, and an error.

    Args:
        config_file_or_dict: see `HfDeepSpeedConfig`.
    """

    def __init__(self, config_file_or_dict: str | os.PathLike[str] | dict[str, Any]) -> None:
        super().__init__(config_file_or_dict)
        self.mismatches: list[str] = []

    def is_auto(self, ds_key_long: str) -> bool:
        """Return whether a key is still "auto"."""
        return self.get_value(ds_key_long) == "auto"

    def fill_only(self, ds_key_long: str, hf_val: Any) -> None:
        """Give a key a value if it is "auto"."""
        node, key = self.find_config_node(ds_key_long)
        if node is not None and node.get(key) == "auto":
            node[key] = hf_val

    def fill_match(
        self, ds_key_long: str, hf_val: Any, hf_key: str | None = None, must_match: bool = True
    ) -> None:
        """Give a key a value if it is "auto"; note a mismatch if it has another one.

        Args:
            ds_key_long: the key, such as "optimizer.params.lr".
            hf_val: what the arguments of training say.
            hf_key: their name for it.
            must_match: another value is a mismatch.
        """
        node, key = self.find_config_node(ds_key_long)
        if node is None or node.get(key) is None:
            return
        if node[key] == "auto":
            node[key] = hf_val
        elif must_match and node[key] != hf_val:
            self.mismatches.append(f"- ds {ds_key_long}={node[key]} vs hf {hf_key}={hf_val}")

    def trainer_config_process(self, args: TrainingArguments, auto_find_batch_size: bool = False) -> None:
        """Fill in what is known before there is a model; mismatches are told by `trainer_config_finalize`."""
        rows, steps = args.per_device_train_batch_size, args.gradient_accumulation_steps
        must_match = not auto_find_batch_size
        fill, fill_only = self.fill_match, self.fill_only
        fill("train_micro_batch_size_per_gpu", rows, "per_device_train_batch_size", must_match)
        fill("gradient_accumulation_steps", steps, "gradient_accumulation_steps")
        fill("train_batch_size", args.world_size * rows * steps, "train_batch_size (calculated)", must_match)
        fill("gradient_clipping", args.max_grad_norm, "max_grad_norm")
        fill("optimizer.params.lr", args.learning_rate, "learning_rate")
        fill("optimizer.params.betas", [args.adam_beta1, args.adam_beta2], "adam_beta1+adam_beta2")
        fill("optimizer.params.eps", args.adam_epsilon, "adam_epsilon")
        fill("optimizer.params.weight_decay", args.weight_decay, "weight_decay")
        fill_only("scheduler.params.warmup_min_lr", 0)
        fill("scheduler.params.warmup_max_lr", args.learning_rate, "learning_rate")
        apex = args.half_precision_backend == "apex"
        half = args.fp16 or args.fp16_full_eval
        fill("fp16.enabled", half and not apex, "fp16|fp16_full_eval+fp16_backend(amp)")
        fill("amp.enabled", half and apex, "fp16+fp16_backend(apex)")
        fill("amp.opt_level", args.fp16_opt_level, "fp16_opt_level")
        fill("bf16.enabled", args.bf16 or args.bf16_full_eval, "bf16|bf16_full_eval")

    def trainer_config_finalize(self, args: TrainingArguments, model: Any, num_training_steps: int) -> None:
        """Fill in what depends on the model and the length of training.

        Raises:
            ValueError: settings that contradict the arguments, or an "auto" that the model says nothing of.
        """
        self._fill_sizes(model)
        total = "num_training_steps (calculated)"
        self.fill_match("scheduler.params.total_num_steps", num_training_steps, total)
        warmup = args.get_warmup_steps(num_training_steps)
        if self.is_auto("scheduler.params.warmup_num_steps"):
            warmup = max(warmup, 1)  # DeepSpeed refuses 0
        self.fill_match("scheduler.params.warmup_num_steps", warmup, "warmup_steps")
        if self.mismatches:
            raise ValueError(
                "Please correct the following DeepSpeed config values that mismatch TrainingArguments "
                "values:\n"
                + "\n".join(self.mismatches)
                + "\nThe easiest method is to set these DeepSpeed config values to 'auto'."
            )

    def _fill_sizes(self, model: Any) -> None:
        """Fill in sizes of buffers, which grow with the width h of the model: h², 0.9 h², 10 h."""
        names = ("reduce_bucket_size", "stage3_prefetch_bucket_size", "stage3_param_persistence_threshold")
        keys = [f"zero_optimization.{name}" for name in names]
        open_keys = [key for key in keys if self.is_auto(key)]
        if not open_keys:
            return
        width = _width(getattr(model, "config", None))
        if width is None:
            raise ValueError(
                "The model's config file has neither `hidden_size` nor `hidden_sizes` entry, therefore it's "
                "not possible to automatically fill out the following `auto` entries in the DeepSpeed config "
                f"file: {open_keys}. You can fix that by replacing `auto` values for these keys with an "
                "integer value of your choice."
            )
        for key, value in zip(keys, (width * width, int(0.9 * width * width), 10 * width), strict=True):
            self.fill_only(key, value)


def _read(source: str | os.PathLike[str] | dict[str, Any]) -> dict[str, Any]:
    if isinstance(source, dict):
        return copy.deepcopy(source)
    file = Path(source)
    if not file.is_file():
        raise FileNotFoundError(
            "Expected a string path to an existing deepspeed config, or a dictionary. Received: "
            + str(source)
        )
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{file.name} is no valid JSON: {error}. (A comma before a bracket is not.)"
        ) from None
    if not isinstance(config, dict):
        raise ValueError(f"{file.name} holds no dictionary, but {type(config).__name__}.")
    return config


def _width(config: Any) -> int | None:
    """Return the (greatest) width of a model."""
    for candidate in (config, getattr(config, "text_config", None)):
        for name in ("hidden_size", "d_model"):
            if isinstance(getattr(candidate, name, None), int):
                return getattr(candidate, name)
        if getattr(candidate, "hidden_sizes", None):
            return max(candidate.hidden_sizes)  # type: ignore[union-attr]
    return None


# The settings in force


def set_hf_deepspeed_config(hf_deepspeed_config_obj: HfDeepSpeedConfig) -> None:
    """Make settings the ones that `deepspeed_config()` gives, for as long as they are alive."""
    global _current
    _current = weakref.ref(hf_deepspeed_config_obj)


def unset_hf_deepspeed_config() -> None:
    """Forget the settings in force."""
    global _current
    _current = None


def _alive() -> HfDeepSpeedConfig | None:
    return None if _current is None else _current()


def is_deepspeed_zero3_enabled() -> bool:
    """Return whether settings are in force that shard the weights (ZeRO-3)."""
    config = _alive()
    return config is not None and config.is_zero3()


def deepspeed_config() -> dict[str, Any] | None:
    """Return the settings in force as a dictionary; None where there are none."""
    config = _alive()
    return None if config is None else config.config
