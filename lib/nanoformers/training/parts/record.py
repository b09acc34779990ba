"""`Trainer`'s record of what was done: operations, tokens, logs and metrics."""

from __future__ import annotations

from typing import Any

import torch

from .. import measures
from ..losses import takes
from ..preparing import count_tokens
from .attributes import TrainerAttributes

__all__ = ["RecordMixin"]

Inputs = dict[str, Any]


class RecordMixin(TrainerAttributes):
    """Counts of operations and tokens, logs, and metrics as files."""

    def count_work(self, inputs: Inputs) -> None:
        """Count the operations and tokens of a batch."""
        self.current_flos += self.floating_point_ops(inputs)
        if self.args.include_num_input_tokens_seen != "no" or self.args.include_tokens_per_second:
            tokens = count_tokens(self, inputs)
            self.state.num_input_tokens_seen += int(self.engine.gather(tokens).sum())

    def floating_point_ops(self, inputs: Inputs) -> float:
        """Return the number of operations for a batch, forward and backward.

        6 for each token and weight; models of other kinds have a method `floating_point_ops` of their own.
        """
        name = getattr(self.model, "main_input_name", "input_ids")
        if name not in inputs or not hasattr(self.model, "num_parameters"):
            return 0.0
        if self._flos_per_token is None:
            self._flos_per_token = 6.0 * self.model.num_parameters(exclude_embeddings=True)
        return self._flos_per_token * inputs[name].numel()

    def store_flos(self) -> None:
        """Add the operations since the last time, of all processes, to the state."""
        flos = torch.tensor(self.current_flos, dtype=torch.float64, device=self.args.device)
        self.state.total_flos += float(self.engine.gather(flos).sum())
        self.current_flos = 0.0

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Write logs into the state, and tell the callbacks.

        Args:
            logs: {name: value}; `epoch` is added.
            start_time: when training began, for tokens a second.
        """
        if self.state.epoch is not None:
            logs["epoch"] = self.state.epoch
        if self.args.include_num_input_tokens_seen != "no":
            logs["num_input_tokens_seen"] = self.state.num_input_tokens_seen
            if start_time is not None:
                tokens = self.state.num_input_tokens_seen
                logs.update(measures.speed_metrics("train", start_time, num_tokens=tokens))
        self.state.log_history.append({**logs, "step": self.state.global_step})
        self.control = self.callback_handler.on_log(self.args, self.state, self.control, logs)

    def _call_log(self, logs: dict[str, float], start_time: float | None) -> None:
        """Call `log`, whose overriding method may not know of `start_time`."""
        if takes(self.log, "start_time", or_any=True):
            self.log(logs, start_time)
        else:
            self.log(logs)

    log_metrics = measures.log_metrics
    save_metrics = measures.save_metrics
    save_state = measures.save_state

    @staticmethod
    def metrics_format(metrics: dict[str, Any]) -> dict[str, Any]:
        """Return metrics as people read them: memory in MB, times as h:mm:ss, floats with four digits."""
        return measures.metrics_format(metrics)
