"""How accelerate shares batches among processes: `TrainingArguments.accelerator_config`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["AcceleratorConfig", "settle_accelerator_config"]


@dataclass
class AcceleratorConfig:
    """Settings for accelerate, where there are several processes.

    Args:
        split_batches: a batch is split among processes; otherwise each process takes one of its own.
        dispatch_batches: the main process alone reads the data and sends it to the others; None: so for data
            sets that can only be iterated over.
        even_batches: repeat examples so that all processes have as many.
        use_seedable_sampler: shuffle with a generator of its own seed, so that the order does not depend on
            other random numbers.
        non_blocking: copy to the device while the program goes on.
        gradient_accumulation_kwargs: `num_steps`, another place for `gradient_accumulation_steps`, and
            `sync_each_batch`: processes exchange gradients with each batch, not once a step, for less memory.
        use_configured_state: refuse to train unless the program has configured accelerate's state before.
    """

    split_batches: bool = False
    dispatch_batches: bool | None = None
    even_batches: bool = True
    use_seedable_sampler: bool = True
    non_blocking: bool = False
    gradient_accumulation_kwargs: dict[str, Any] | None = None
    use_configured_state: bool = False

    @classmethod
    def of(
        cls, value: AcceleratorConfig | dict[str, Any] | str | os.PathLike[str] | None
    ) -> AcceleratorConfig:
        """Return settings from a dictionary, a JSON file, or None for the defaults.

        Raises:
            ValueError: a setting that there is not.
            FileNotFoundError: no such file.
            TypeError: something else altogether.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, (str, os.PathLike)):
            value = json.loads(Path(value).read_text(encoding="utf-8"))
        if value is not None and not isinstance(value, dict):
            raise TypeError(
                f"accelerator_config is an AcceleratorConfig, a dictionary or the path of a JSON file, not "
                f"{value!r}."
            )
        known = [field.name for field in fields(cls)]
        unknown = [name for name in value or () if name not in known]
        if unknown:
            raise ValueError(
                f"accelerator_config has no {', '.join(unknown)}; its settings are {', '.join(known)}."
            )
        return cls(**(value or {}))

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike[str]) -> AcceleratorConfig:
        """Read settings from a JSON file; raises as `of` does."""
        return cls.of(json_file)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary."""
        return asdict(self)

    @property
    def sync_each_batch(self) -> bool:
        """Whether processes exchange gradients with each batch of a step."""
        return bool((self.gradient_accumulation_kwargs or {}).get("sync_each_batch", False))


def settle_accelerator_config(args: TrainingArguments) -> None:
    """Bring `accelerator_config` into its final form, and what has another place among the arguments there.

    Raises:
        ValueError: a setting that there is not, or one that contradicts another.
    """
    args.accelerator_config = config = AcceleratorConfig.of(args.accelerator_config)
    if args.dispatch_batches is not None:
        config.dispatch_batches = args.dispatch_batches
    if args.split_batches:
        config.split_batches = True
    accumulation = config.gradient_accumulation_kwargs or {}
    unknown = accumulation.keys() - {"num_steps", "sync_each_batch"}
    if unknown:
        raise ValueError(
            f"gradient_accumulation_kwargs has {', '.join(sorted(unknown))}: only 'num_steps' and "
            "'sync_each_batch' mean something here, where the training loop accumulates."
        )
    steps = accumulation.get("num_steps", args.gradient_accumulation_steps)
    if args.gradient_accumulation_steps not in (1, steps):
        raise ValueError(
            f"gradient_accumulation_steps={args.gradient_accumulation_steps}, and accelerator_config says "
            f"num_steps={steps}: give one of them."
        )
    args.gradient_accumulation_steps = steps
    if config.use_configured_state:
        from accelerate import PartialState

        if not PartialState._shared_state:
            raise ValueError(
                "use_configured_state=True: make a `PartialState` or `Accelerator` of accelerate before "
                "these arguments."
            )
