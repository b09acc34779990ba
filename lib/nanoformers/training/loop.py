"""The training loop: epochs, batches, steps of the optimizer, and what happens between them."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from ..utils import logging
from .batches import has_length, num_examples, set_epoch
from .choices import SaveStrategy
from .measures import speed_metrics
from .outputs import TrainOutput
from .preparing import compiled
from .state import TrainerState

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["Plan", "TrainingLoop"]

logger = logging.get_logger(__name__)


@dataclass(frozen=True)
class Plan:
    """How long a training is.

    Attributes:
        epochs: times the data is gone through, rounded up.
        batches: of this process in an epoch.
        steps: of the optimizer in an epoch.
        max_steps: in all.
        examples: in an epoch; samples: in all.
    """

    epochs: int
    batches: int
    steps: int
    max_steps: int
    examples: int
    samples: float

    @classmethod
    def of(cls, trainer: Trainer, loader: Any) -> Plan:
        """Plan a training from its arguments and the length of its loader.

        Raises:
            ValueError: the loader has no length, and max_steps is not set; or it has no batch.
        """
        args = trainer.args
        total_batch = trainer.get_total_train_batch_size(args)
        accumulation = args.gradient_accumulation_steps
        if has_length(loader):
            batches = len(loader)
            if not batches:
                raise ValueError(
                    "There is not a single batch in the training set: it is empty, or smaller than a batch "
                    "while dataloader_drop_last=True."
                )
            steps = math.ceil(batches / accumulation)
            examples = num_examples(loader, args.per_device_train_batch_size)
            if args.max_steps > 0:
                epochs = math.ceil(args.max_steps / steps)
                return cls(epochs, batches, steps, args.max_steps, examples, args.max_steps * total_batch)
            epochs, max_steps = math.ceil(args.num_train_epochs), math.ceil(args.num_train_epochs * steps)
            return cls(epochs, batches, steps, max_steps, examples, examples * args.num_train_epochs)
        if args.max_steps > 0:
            samples = args.max_steps * total_batch
            return cls(
                sys.maxsize, args.max_steps * accumulation, args.max_steps, args.max_steps, samples, samples
            )
        raise ValueError(
            "args.max_steps must be set to a positive value if dataloader does not have a length, was "
            f"{args.max_steps}"
        )


class TrainingLoop:
    """One run of training; `run` does it.

    Args:
        trainer: its methods are called at every turn, so that a subclass can change what they do.
        ignore_keys: outputs of the model that evaluations leave out.
        trial: of a search for hyperparameters.
    """

    def __init__(self, trainer: Trainer, ignore_keys: list[str] | None = None, trial: Any = None) -> None:
        self.trainer = trainer
        self.args = trainer.args
        self.engine = trainer.engine
        self.ignore_keys = ignore_keys
        self.trial = trial
        self.started = 0.0
        self.first_step = 0
        self.first_tokens = 0

    def run(self, checkpoint: Path | None = None) -> TrainOutput:
        """Train, from a checkpoint if one is given.

        Raises:
            ValueError: the data has no length and max_steps is not set.
        """
        trainer, args = self.trainer, self.args
        loader = trainer.get_train_dataloader()
        self.plan = plan = Plan.of(trainer, loader)
        self._make_state()
        model = self._prepare(loader, checkpoint)
        state, progress = trainer.state, trainer.checkpoints.loop
        self.started, self.first_step = time.time(), state.global_step
        self.first_tokens = state.num_input_tokens_seen
        known = progress.logged_loss or progress.loss
        self.unknown_steps = 0 if known else self.first_step  # the reference library stores no sum of losses
        self.loss_sum = torch.full((), progress.loss, device=args.device)
        self.grad_norm: Any = progress.grad_norm
        self.learning_rate = progress.learning_rate
        self._introduce(model)
        model.zero_grad()
        trainer.control = trainer.callback_handler.on_train_begin(args, state, trainer.control)
        if args.eval_on_start and checkpoint is None:
            self._evaluate(step_scheduler=False)
        trainer.control.should_training_stop |= progress.stops or 0 < plan.max_steps <= state.global_step
        for epoch in range(progress.epoch, plan.epochs):
            if trainer.control.should_training_stop and not progress.batches:
                break
            self._run_epoch(model, loader, epoch)
        trainer.checkpoints.restore_rng()  # where a finished run was resumed, nothing has done it yet
        return self._finish()

    # Before

    def _make_state(self) -> None:
        trainer, args, plan = self.trainer, self.args, self.plan
        trainer.state = state = TrainerState(
            epoch=0,
            max_steps=plan.max_steps,
            num_train_epochs=plan.epochs,
            train_batch_size=trainer.train_batch_size,
            is_local_process_zero=trainer.is_local_process_zero(),
            is_world_process_zero=trainer.is_world_process_zero(),
            is_hyper_param_search=self.trial is not None,
        )
        state.compute_steps(args, plan.max_steps)

    def _prepare(self, loader: Any, checkpoint: Path | None) -> nn.Module:
        """Wrap the model, make optimizer and schedule, load a checkpoint."""
        trainer, plan = self.trainer, self.plan
        trainer.forget_scheduler()
        model = trainer.model_wrapped = self.engine.prepare(compiled(trainer.model, self.args))
        trainer.create_optimizer_and_scheduler(num_training_steps=plan.max_steps)
        if self.args.use_ipex:
            model = trainer.model_wrapped = trainer.ipex_optimize_model(model, training=True)
        parts = self.engine.start(model, trainer.optimizer, trainer.lr_scheduler, plan.max_steps)
        model, trainer.optimizer, trainer.lr_scheduler = parts
        trainer.model_wrapped = model
        trainer.checkpoints.loop = type(trainer.checkpoints.loop)()
        if checkpoint is not None:
            self._resume(checkpoint)
        handler = trainer.callback_handler
        handler.model, handler.optimizer = trainer.model, trainer.optimizer
        handler.lr_scheduler, handler.train_dataloader = trainer.lr_scheduler, loader
        self.parameters = list(model.parameters())
        model.train()  # parts of it may be in evaluation mode, as `from_pretrained` gives them
        self.plateau = _waits_for_metrics(trainer.lr_scheduler)
        return model

    def _resume(self, checkpoint: Path) -> None:
        trainer, plan = self.trainer, self.plan
        new = trainer.state
        trainer.checkpoints.resume(checkpoint, plan.steps)
        state = trainer.state
        for name in ("max_steps", "num_train_epochs", "logging_steps", "eval_steps", "save_steps"):
            setattr(state, name, getattr(new, name))
        state.is_hyper_param_search = new.is_hyper_param_search
        state.trial_name, state.trial_params = new.trial_name, new.trial_params
        logger.info(f"Resuming training from {checkpoint}, step {state.global_step}")

    def _introduce(self, model: nn.Module) -> None:
        args, plan = self.args, self.plan
        trainable = sum(value.numel() for value in self.parameters if value.requires_grad)
        logger.info("***** Running training *****")
        logger.info(f"  Num examples = {plan.examples:,}")
        logger.info(f"  Num Epochs = {plan.epochs:,}")
        logger.info(f"  Instantaneous batch size per device = {args.per_device_train_batch_size:,}")
        logger.info(f"  Total train batch size = {self.trainer.get_total_train_batch_size(args):,}")
        logger.info(f"  Gradient Accumulation steps = {args.gradient_accumulation_steps}")
        logger.info(f"  Total optimization steps = {plan.max_steps:,}")
        logger.info(f"  Number of trainable parameters = {trainable:,}")

    # An epoch

    def _run_epoch(self, model: nn.Module, loader: Any, epoch: int) -> None:
        """Go once through the data."""
        trainer, args, plan = self.trainer, self.args, self.plan
        progress, handler = trainer.checkpoints.loop, trainer.callback_handler
        progress.epoch = epoch
        trainer.control = handler.on_epoch_begin(args, trainer.state, trainer.control)
        set_epoch(loader, epoch)
        batches = trainer.checkpoints.batches(loader)
        accumulation = args.gradient_accumulation_steps
        any_batch = progress.batches > 0
        stops = any_batch and (progress.epoch_stops or trainer.control.should_training_stop)  # when resumed
        while not stops:
            wanted = min(accumulation, plan.batches - progress.batches)
            step_batches, count = trainer.get_batch_samples(batches, wanted, args.device)
            if not step_batches:
                break
            any_batch = True
            self._step(model, epoch, step_batches, count)
            stops = trainer.control.should_epoch_stop or trainer.control.should_training_stop
        if not any_batch:
            logger.warning(
                f"The training set gave no example in epoch {epoch + 1}; training stops at step "
                f"{trainer.state.global_step}. So it does when a data set without length has fewer than "
                f"max_steps={plan.max_steps} asks for and cannot begin anew."
            )
            trainer.control.should_training_stop = True
        progress.epoch, progress.batches = epoch + 1, 0
        progress.rng_at_epoch_start = progress.rng_before_fetch = None
        trainer.control = handler.on_epoch_end(args, trainer.state, trainer.control)
        self._log_evaluate_save()

    def _step(self, model: nn.Module, epoch: int, batches: list[Any], count: Any) -> None:
        """Take one step of the optimizer, with the gradients of one or several batches."""
        trainer, args, engine, handler = self.trainer, self.args, self.engine, self.trainer.callback_handler
        state, progress = trainer.state, trainer.checkpoints.loop
        trainer.current_gradient_accumulation_steps = len(batches)
        trainer.control = handler.on_step_begin(args, state, trainer.control)
        for index, batch in enumerate(batches):
            last = index == len(batches) - 1
            with engine.no_sync(model, last):
                loss = trainer._call_training_step(model, batch, count)
            self._add_loss(loss)
            trainer.count_work(batch)
            progress.batches += 1
            if not last:
                trainer.control = handler.on_substep_end(args, state, trainer.control)
        self.grad_norm = engine.clip(self.parameters, args.max_grad_norm or math.inf, trainer.optimizer)
        trainer.control = handler.on_pre_optimizer_step(args, state, trainer.control)
        stepped = engine.step(trainer.optimizer)
        trainer.control = handler.on_optimizer_step(args, state, trainer.control)
        if getattr(trainer.model, "_hf_peft_config_loaded", False):
            trainer.model._after_optimizer_step(state.global_step)
        self.learning_rate = trainer._get_learning_rate()
        if stepped and not self.plateau:
            trainer.lr_scheduler.step()
        for parameter in self.parameters:
            parameter.grad = None
        state.global_step += 1
        state.epoch = epoch + progress.batches / self.plan.batches
        trainer.control = handler.on_step_end(args, state, trainer.control)
        self._log_evaluate_save()

    def _add_loss(self, loss: torch.Tensor) -> None:
        """Add a loss; in place of one that is no number, the mean of those before it."""
        if self.args.logging_nan_inf_filter:
            steps = 1 + self.trainer.state.global_step - self.trainer.checkpoints.loop.last_logged_step
            loss = torch.where(torch.isfinite(loss), loss, self.loss_sum / steps)
        self.loss_sum += loss

    # Between steps

    def _log_evaluate_save(self) -> None:
        """Do what callbacks asked for."""
        trainer, control = self.trainer, self.trainer.control
        if control.should_log:
            self._log()
        if control.should_evaluate:
            metrics = self._evaluate()
            is_best = trainer.checkpoints.is_new_best(metrics)
            if self.args.save_strategy == SaveStrategy.BEST:
                trainer.control.should_save = is_best
        if trainer.control.should_save:
            self._note_progress()
            trainer._save_checkpoint(trainer.model_wrapped, self.trial)
            trainer.control = trainer.callback_handler.on_save(self.args, trainer.state, trainer.control)

    def _note_progress(self) -> None:
        """Note for a checkpoint what only the loop knows."""
        control, state, progress = self.trainer.control, self.trainer.state, self.trainer.checkpoints.loop
        progress.loss = self.loss_sum.item()
        progress.grad_norm = None if self.grad_norm is None else float(self.grad_norm)
        progress.learning_rate = self.learning_rate
        progress.epoch_stops = control.should_epoch_stop
        progress.stops = control.should_training_stop and state.global_step < state.max_steps

    def _log(self) -> None:
        trainer, state, progress = self.trainer, self.trainer.state, self.trainer.checkpoints.loop
        steps = state.global_step - progress.last_logged_step
        if steps <= 0:
            return
        loss = self.engine.gather(self.loss_sum).mean().item()
        self.loss_sum.zero_()
        logs = {"loss": loss / steps}
        if self.grad_norm is not None:
            logs["grad_norm"] = float(self.grad_norm)
        logs["learning_rate"] = self.learning_rate
        progress.logged_loss += loss
        progress.last_logged_step = state.global_step
        trainer.store_flos()
        trainer._call_log(logs, self.started)

    def _evaluate(self, step_scheduler: bool = True) -> dict[str, float]:
        trainer = self.trainer
        metrics = trainer.evaluate(ignore_keys=self.ignore_keys)
        trainer.report_to_search(self.trial, metrics)
        if self.plateau and step_scheduler:
            name = self.args.metric_for_best_model or "loss"
            name = name if name.startswith("eval_") else f"eval_{name}"
            if name not in metrics:
                raise KeyError(
                    f"The schedule looks at metric_for_best_model={name!r}, and the evaluation has none "
                    f"such, only {', '.join(metrics)}. Let `compute_metrics` return it, or name another."
                )
            trainer.lr_scheduler.step(metrics[name])
        return metrics

    # After

    def _finish(self) -> TrainOutput:
        trainer, args, state = self.trainer, self.args, self.trainer.state
        progress = trainer.checkpoints.loop
        logger.info("Training completed.")
        progress.logged_loss += self.loss_sum.item()
        steps = state.global_step - self.first_step
        mean = progress.logged_loss / max(state.global_step - self.unknown_steps, 0.001)
        share = steps / max(state.max_steps, 1)
        metrics = speed_metrics("train", self.started, self.plan.samples * share, steps)
        if args.include_tokens_per_second:
            tokens = state.num_input_tokens_seen - self.first_tokens
            metrics |= speed_metrics("train", self.started, num_tokens=tokens)
        trainer.store_flos()
        metrics["total_flos"] = state.total_flos
        metrics["train_loss"] = mean
        trainer._call_log(metrics, None)
        if args.load_best_model_at_end:
            trainer.checkpoints.load_best()
        trainer.checkpoints.keep_only_the_best()
        trainer.control = trainer.callback_handler.on_train_end(args, state, trainer.control)
        trainer.hub.finish()
        return TrainOutput(state.global_step, mean, metrics)


def _waits_for_metrics(scheduler: Any) -> bool:
    """Return whether a schedule steps with the metrics of an evaluation."""
    return isinstance(scheduler, ReduceLROnPlateau) or type(scheduler).__name__ == "GreedyLR"
