"""`Trainer`: trains, evaluates and predicts with any of the models.

Mirrors the documentation page `main_classes/trainer`. Each documented method may be overridden by a subclass:
those of data, steps, the optimizer, evaluation and records are in `parts/`, all others here. The loops are in
`loop.py` and `evaluation.py`, what concerns processes and devices in `engine.py`, checkpoints in
`checkpoints.py`, uploads in `hub.py`.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..reproducibility import enable_full_determinism, set_seed
from ..utils import logging
from . import measures
from .arguments import TrainingArguments
from .callback_handler import CallbackHandler
from .callbacks import DefaultFlowCallback, PrinterCallback, TrainerCallback
from .checkpoints import Checkpoints
from .choices import DebugOption
from .engine import Engine
from .hub import HubSync
from .integrations.registry import get_reporting_integration_callbacks
from .loop import TrainingLoop
from .losses import LossCounting
from .model_card import create_model_card
from .neftune import noisy_embeddings
from .outputs import TrainOutput
from .parts.evaluation import EvaluationMixin
from .parts.optimizer import OptimizerMixin
from .preemption import PreemptionCallback
from .preparing import (
    CacheOff,
    check_trainer,
    move_to_device,
    recompute_activations,
    watch_overflow,
    with_fitting_batch_size,
)
from .progress import ProgressDisplay, default_progress_callback
from .saving import save_model
from .smoothing import LabelSmoother
from .state import TrainerControl, TrainerState

__all__ = ["Trainer"]

logger = logging.get_logger(__name__)

Inputs = dict[str, Any]
Callback = TrainerCallback | type[TrainerCallback]


class Trainer(EvaluationMixin, OptimizerMixin):
    """Trains a model, evaluates it, and predicts with it.

    Args:
        model: a model that gives a loss when it gets labels: one of this library, or any module whose forward
            gives a dictionary with "loss", or a tuple that begins with it.
        args: arguments of training; by default all defaults, and the folder "tmp_trainer".
        data_collator: makes a batch of examples; by default pads, where there is a tokenizer.
        train_dataset: examples, as dictionaries of what the model takes; any data set of torch or `datasets`.
        eval_dataset: likewise; a dictionary of several evaluates each, under its name.
        tokenizer: saved beside the model, and used for padding; `processing_class` is its later name.
        model_init: builds a model, at each call of `train` (it may take the trial of a search).
        compute_metrics: from an `EvalPrediction` to a dictionary of metrics.
        callbacks: further callbacks.
        optimizers: an optimizer and a schedule; None for those that the arguments name.
        preprocess_logits_for_metrics: from what the model gave for a batch, and its labels, to what is kept.
        processing_class: the later name of `tokenizer`.
        compute_loss_func: from what the model gave, the labels and `num_items_in_batch` to the loss.
        optimizer_cls_and_kwargs: class and arguments of the optimizer.

    Raises:
        RuntimeError: neither a model nor `model_init`; or one with which other arguments clash.
        TypeError: a model, or arguments, that are none.
        ValueError: arguments that contradict each other.

    Attributes:
        model: the model itself; model_wrapped: as this process runs it (inside DDP, for instance).
        state: where training stands; control: what callbacks ask for.
        engine: processes, devices and precision; checkpoints; hub.
        is_model_parallel: whether parts of the model are on several devices.
        place_model_on_device: whether the Trainer moves the model to its device.
        label_names: names of the inputs that are labels.
        is_in_train: whether `train` runs.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        args: TrainingArguments | None = None,
        data_collator: Callable[[list[Any]], Any] | None = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        tokenizer: Any = None,
        model_init: Callable[..., nn.Module] | None = None,
        compute_metrics: Callable[..., dict[str, Any]] | None = None,
        callbacks: list[Callback] | None = None,
        optimizers: tuple[Any, Any] = (None, None),
        preprocess_logits_for_metrics: Callable[[Any, Any], Any] | None = None,
        *,
        processing_class: Any = None,
        compute_loss_func: Callable[..., torch.Tensor] | None = None,
        optimizer_cls_and_kwargs: tuple[type[torch.optim.Optimizer], dict[str, Any]] | None = None,
    ) -> None:
        self.args = args = args if args is not None else TrainingArguments(output_dir="tmp_trainer")
        if not isinstance(args, TrainingArguments):
            raise TypeError(f"args={args!r} are no TrainingArguments: write `TrainingArguments(**{{...}})`.")
        self._seed()
        self._memory = measures.TrainerMemoryTracker(args.skip_memory_metrics)
        with self._memory.stage("init"):
            logging.set_verbosity(args.get_process_log_level())
            self.optimizer: Any
            self.lr_scheduler: Any
            self.model_init = model_init
            self.processing_class = tokenizer if processing_class is None else processing_class
            self.train_dataset, self.eval_dataset = train_dataset, eval_dataset
            self.compute_metrics = compute_metrics
            self.compute_loss_func = compute_loss_func
            self.preprocess_logits_for_metrics = preprocess_logits_for_metrics
            self.optimizer, self.lr_scheduler = optimizers
            self.optimizer_cls_and_kwargs = optimizer_cls_and_kwargs
            self.hp_name: Callable[[Any], str] | None = None  # these six are for a search
            self.hp_space: Any = None
            self.hp_search_backend: Any = None
            self.compute_objective: Any = None
            self.trial: Any = None
            self.objective: Any = None
            self.is_in_train = False
            self.current_flos = 0.0
            self.train_batch_size = args.train_batch_size
            self._past: Any = None
            self._eval_loaders: dict[str, Any] = {}
            self._created_scheduler = False
            self.create_accelerator_and_postprocess()
            check_trainer(self, model)
            self._take_model(model if model is not None else self.call_model_init())
            self.data_collator = data_collator if data_collator is not None else self._default_collator()
            self.label_smoother = self._make_smoother()
            self.checkpoints = Checkpoints(self)
            self.hub = HubSync(self)
            reports: list[Callback] = [*get_reporting_integration_callbacks(args.report_to)]
            if args.enable_jit_checkpoint:
                reports.append(PreemptionCallback)
            progress = PrinterCallback if args.disable_tqdm else default_progress_callback()
            self.callback_handler = CallbackHandler(
                [DefaultFlowCallback, *reports, *(callbacks or []), progress],
                self.model,
                self.processing_class,
                self.optimizer,
                self.lr_scheduler,
            )
            self.control = TrainerControl()
            self.state = TrainerState(
                is_local_process_zero=self.is_local_process_zero(),
                is_world_process_zero=self.is_world_process_zero(),
            )
            if args.push_to_hub:
                self.init_hf_repo()
            if args.should_save:
                Path(args.output_dir or ".").mkdir(parents=True, exist_ok=True)
            self.control = self.callback_handler.on_init_end(args, self.state, self.control)

    # Making

    def _seed(self) -> None:
        seed = enable_full_determinism if self.args.full_determinism else set_seed
        seed(self.args.seed)

    def create_accelerator_and_postprocess(self) -> None:
        """Make the engine, which knows processes, devices and precision, and makes the `accelerator`."""
        self.engine = Engine(self.args)

    @property
    def accelerator(self) -> Any:
        """An `accelerate.Accelerator` for this process, its device and precision."""
        return self.engine.accelerator

    @property
    def deepspeed(self) -> Any:
        """DeepSpeed's engine, which holds the model while it trains; None where DeepSpeed is not used."""
        return self.model_wrapped if self.args.deepspeed and self.model_wrapped is not self.model else None

    @property
    def tokenizer(self) -> Any:
        """The documented name of `processing_class`."""
        return self.processing_class

    @tokenizer.setter
    def tokenizer(self, value: Any) -> None:
        self.processing_class = value

    def call_model_init(self, trial: Any = None) -> nn.Module:
        """Build a model with `model_init`.

        Args:
            trial: of a search; given to a `model_init` that takes an argument.

        Raises:
            RuntimeError: it has more than one argument, or gave no model.
        """
        assert self.model_init is not None
        parameters = inspect.signature(self.model_init).parameters.values()
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        arguments = sum(item.kind in positional for item in parameters)
        if arguments > 1:
            raise RuntimeError("model_init should have 0 or 1 argument.")
        model = self.model_init(trial) if arguments else self.model_init()
        if model is None:
            raise RuntimeError("model_init should not return None.")
        return model

    def _take_model(self, model: nn.Module) -> None:
        """Use this model from now on."""
        args = self.args
        self.is_model_parallel = len(set((getattr(model, "hf_device_map", None) or {}).values())) > 1
        elsewhere = args.deepspeed or args.fsdp or self.is_model_parallel
        self.place_model_on_device = args.place_model_on_device and not elsewhere
        if self.place_model_on_device:
            move_to_device(model, args.device)
        self.model: Any = model
        self.model_wrapped: Any = model
        self.loss_counting = LossCounting(model)
        self.can_return_loss = self.loss_counting.can_return_loss
        self.label_names = args.label_names or self.loss_counting.label_names
        self._cache_off = CacheOff(None if args.use_cache else getattr(model, "config", None))
        self._flos_per_token: float | None = None

    def _make_smoother(self) -> LabelSmoother | None:
        if self.args.label_smoothing_factor == 0:
            return None
        if getattr(getattr(self.model, "config", None), "problem_type", None) == "multi_label_classification":
            logger.warning(
                "Label smoothing is for one right label among several; with many it is not applied."
            )
            return None
        return LabelSmoother(self.args.label_smoothing_factor)

    # Training

    def train(
        self,
        resume_from_checkpoint: str | bool | None = None,
        trial: Any = None,
        ignore_keys_for_eval: list[str] | None = None,
        **kwargs: Any,
    ) -> TrainOutput:
        """Train the model.

        Args:
            resume_from_checkpoint: a folder `checkpoint-N` to go on from; True: the last one there is.
            trial: of a search for hyperparameters.
            ignore_keys_for_eval: outputs of the model that evaluations leave out.
            kwargs: none; for overriding methods.

        Raises:
            ValueError: there is no such checkpoint, no training set, or no end of training.
            TypeError: an argument that there is not.
        """
        if kwargs:
            raise TypeError(f"train() got unexpected keyword arguments: {', '.join(kwargs)}.")
        with self._memory.stage("train") as memory, self._training():
            if self.model_init is not None:
                self._seed()
                self._take_model(self.call_model_init(trial))
                self.optimizer = self.lr_scheduler = None
            self.checkpoints.subfolder = self.trial.name if self.trial is not None else ""
            checkpoint = self.checkpoints.find(resume_from_checkpoint)
            self.checkpoints.check_folder()
            if self.args.gradient_checkpointing:
                recompute_activations(self.model, self.args)
            if DebugOption.UNDERFLOW_OVERFLOW in self.args.debug:
                watch_overflow(self)
            self.train_batch_size = self.args.train_batch_size
            with noisy_embeddings(self.model, self.args.neftune_noise_alpha):
                output = with_fitting_batch_size(
                    self, lambda: TrainingLoop(self, ignore_keys_for_eval, trial).run(checkpoint)
                )
        output.metrics.update(memory)
        return output

    @contextlib.contextmanager
    def _training(self) -> Iterator[None]:
        self.is_in_train = True
        try:
            yield
        except BaseException:
            for callback in self.callback_handler.callbacks:
                if isinstance(callback, ProgressDisplay):
                    callback.abandon()
            raise
        finally:
            self.is_in_train = False

    # Processes

    def end(self) -> None:
        """Leave the group of processes, at the end of a script."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()

    # Files and the hub

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write the model, the tokenizer and the arguments; upload them too, with `push_to_hub`.

        Args:
            output_dir: a folder; by default the output folder.
            _internal_call: no upload follows.
        """
        save_model(self, output_dir or self.args.output_dir or ".")
        if self.args.push_to_hub and not _internal_call:
            self.push_to_hub(commit_message="Model save")

    def _save_checkpoint(self, model: nn.Module, trial: Any = None, metrics: Any = None) -> None:
        folder = self.checkpoints.save(metrics)
        self.hub.after_save(folder)

    def init_hf_repo(self, token: str | None = None) -> None:
        """Create the repository on the hub, unless there is one."""
        self.hub.init_repo(token)

    def push_to_hub(
        self,
        commit_message: str | None = "End of training",
        blocking: bool = True,
        token: str | None = None,
        revision: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Upload the model, the tokenizer and a card; see `HubSync.push`."""
        return self.hub.push(commit_message, blocking, token, revision, **kwargs)

    create_model_card = create_model_card

    # Callbacks

    def add_callback(self, callback: Callback) -> None:
        """Add a callback, or an object of its class."""
        self.callback_handler.add_callback(callback)

    def pop_callback(self, callback: Callback) -> TrainerCallback | None:
        """Remove a callback, or the first of its class, and return it; None where there is none."""
        return self.callback_handler.pop_callback(callback)

    def remove_callback(self, callback: Callback) -> None:
        """Remove a callback, or the first of its class."""
        self.callback_handler.remove_callback(callback)

    # Search

    def hyperparameter_search(
        self,
        hp_space: Callable[[Any], Any] | None = None,
        compute_objective: Callable[[dict[str, float]], Any] | None = None,
        n_trials: int = 20,
        direction: str | list[str] = "minimize",
        backend: Any = None,
        hp_name: Callable[[Any], str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Train many times with other arguments, return the best run; see `search.hyperparameter_search`."""
        from .search import hyperparameter_search

        return hyperparameter_search(
            self, hp_space, compute_objective, n_trials, direction, backend, hp_name, **kwargs
        )

    def report_to_search(self, trial: Any, metrics: dict[str, float]) -> None:
        """Tell a search, of which this training is a trial, what an evaluation gave."""
        if self.trial is not None:
            from .search import report_objective

            report_objective(self, metrics)
