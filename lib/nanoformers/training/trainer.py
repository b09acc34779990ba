"""`Trainer`: trains, evaluates and predicts with any of the models.

Mirrors the documentation page `main_classes/trainer`. The class shows the documented methods, each of which a
subclass may override; the loops are in `loop.py` and `evaluation.py`, what concerns processes and devices in
`engine.py`, checkpoints in `checkpoints.py`, uploads in `hub.py`.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..optimization.schedules import get_scheduler
from ..reproducibility import enable_full_determinism, set_seed
from ..utils import logging
from . import measures
from .arguments import TrainingArguments
from .batches import eval_sampler, has_length, make_loader, num_examples, train_sampler
from .callback_handler import CallbackHandler
from .callbacks import DefaultFlowCallback, PrinterCallback, TrainerCallback
from .checkpoints import Checkpoints
from .choices import DebugOption
from .columns import taken_columns
from .engine import Engine
from .evaluation import EvaluationLoop, prediction_step
from .hub import HubSync
from .integrations.registry import get_reporting_integration_callbacks
from .loop import TrainingLoop
from .losses import LossCounting, compute_loss, takes
from .neftune import noisy_embeddings
from .nested import on_device
from .optimizers import decaying_names, optimizer_class, parameter_groups, watch_embeddings
from .outputs import EvalLoopOutput, PredictionOutput, TrainOutput
from .preemption import PreemptionCallback
from .preparing import (
    CacheOff,
    check_trainer,
    count_tokens,
    move_to_device,
    optimize_with_ipex,
    recompute_activations,
    watch_overflow,
    with_fitting_batch_size,
)
from .progress import default_progress_callback
from .saving import save_model
from .smoothing import LabelSmoother
from .state import TrainerControl, TrainerState

if TYPE_CHECKING:
    from torch.utils.data import DataLoader, Dataset, Sampler

__all__ = ["Trainer"]

logger = logging.get_logger(__name__)

Inputs = dict[str, Any]
Callback = TrainerCallback | type[TrainerCallback]


class Trainer:
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
        ValueError: arguments that contradict each other.

    Attributes:
        model: the model itself; model_wrapped: as this process runs it (inside DDP, for instance).
        state: where training stands; control: what callbacks ask for.
        engine: processes, devices and precision; checkpoints; hub.
        label_names: names of the inputs that are labels.
        is_in_train: whether `train` runs.
    """

    # Whether compute_loss has divided by the labels of all batches of a step; None: found out from the model.
    loss_is_scaled_for_ga: bool | None = None

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
        if args.place_model_on_device and not args.deepspeed and not args.fsdp:
            move_to_device(model, args.device)
        self.model: Any = model
        self.model_wrapped: Any = model
        self.loss_counting = LossCounting(model)
        self.can_return_loss = self.loss_counting.can_return_loss
        self.label_names = args.label_names or self.loss_counting.label_names
        self._cache_off = CacheOff(None if args.use_cache else getattr(model, "config", None))
        self._own_flos = type(self).floating_point_ops is Trainer.floating_point_ops
        self._flos_per_token: float | None = None

    def _default_collator(self) -> Callable[[list[Any]], Any]:
        from ..data.collators import DataCollatorWithPadding, default_data_collator

        if hasattr(self.processing_class, "pad"):
            return DataCollatorWithPadding(self.processing_class)
        return default_data_collator

    def _make_smoother(self) -> LabelSmoother | None:
        if self.args.label_smoothing_factor == 0:
            return None
        if getattr(getattr(self.model, "config", None), "problem_type", None) == "multi_label_classification":
            logger.warning(
                "Label smoothing is for one right label among several; with many it is not applied."
            )
            return None
        return LabelSmoother(self.args.label_smoothing_factor)

    # Data

    @property
    def signature_columns(self) -> list[str]:
        """The columns of a data set that the model takes."""
        return taken_columns(self.model, self.label_names)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the loader of training batches.

        Raises:
            ValueError: there is no training set.
        """
        if self.train_dataset is None:
            raise ValueError("Trainer: training requires a train_dataset.")
        return make_loader(
            self, self.train_dataset, "Training", self.train_batch_size, self._get_train_sampler, True
        )

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        """Return the loader of evaluation batches.

        Args:
            eval_dataset: in place of the Trainer's own; the name of one, where it has several.

        Raises:
            ValueError: there is no evaluation set.
        """
        if eval_dataset is None and self.eval_dataset is None:
            raise ValueError("Trainer: evaluation requires an eval_dataset.")
        name = eval_dataset if isinstance(eval_dataset, str) else "eval"
        keep = self.args.dataloader_persistent_workers and (eval_dataset is None or eval_dataset is name)
        if keep and name in self._eval_loaders:
            return self._eval_loaders[name]
        if isinstance(eval_dataset, str):
            eval_dataset = self.eval_dataset[eval_dataset]
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        loader = make_loader(self, dataset, "Evaluation", self.args.eval_batch_size, self._get_eval_sampler)
        if keep:
            self._eval_loaders[name] = loader
        return loader

    def get_test_dataloader(self, test_dataset: Dataset[Any]) -> DataLoader[Any]:
        """Return the loader of batches for prediction."""
        return make_loader(self, test_dataset, "test", self.args.eval_batch_size, self._get_eval_sampler)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        return train_sampler(self, self.train_dataset if train_dataset is None else train_dataset)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler[int] | None:
        return eval_sampler(self.args, eval_dataset)

    def num_examples(self, dataloader: DataLoader[Any]) -> int:
        """Return the number of examples of a loader (a guess, where its data set has no length)."""
        return num_examples(dataloader, self.args.per_device_train_batch_size)

    @staticmethod
    def num_tokens(train_dl: DataLoader[Any], max_steps: int | None = None) -> int:
        """Return the number of `input_ids` in a loader; of its first batch times `max_steps`, if given."""
        total = 0
        for batch in train_dl:
            tokens = batch["input_ids"].numel()
            if max_steps is not None:
                return tokens * max_steps
            total += tokens
        return total

    def get_total_train_batch_size(self, args: TrainingArguments) -> int:
        """Return the number of examples that all processes take in one step."""
        return self.train_batch_size * args.gradient_accumulation_steps * args.world_size

    # Optimizer and schedule

    def create_optimizer_and_scheduler(self, num_training_steps: int) -> None:
        """Make what `optimizers` did not give; override it, or one of the two it calls."""
        self.create_optimizer()
        self.create_scheduler(num_training_steps=num_training_steps, optimizer=self.optimizer)

    def create_optimizer(self) -> torch.optim.Optimizer:
        """Make the optimizer that the arguments name, with and without weight decay for two groups."""
        if self.optimizer is None:
            model = self.model_wrapped if self.args.fsdp else self.model
            names = self.get_decay_parameter_names(model)
            groups = parameter_groups(model, names, self.args.weight_decay)
            cls, kwargs = self.optimizer_cls_and_kwargs or self.get_optimizer_cls_and_kwargs(self.args)
            self.optimizer = cls(groups, **kwargs)
            watch_embeddings(model, self.optimizer)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Make the schedule of the learning rate that the arguments name."""
        if self.lr_scheduler is None:
            self.lr_scheduler = get_scheduler(
                self.args.lr_scheduler_type,
                optimizer=self.optimizer if optimizer is None else optimizer,
                num_warmup_steps=self.args.get_warmup_steps(num_training_steps),
                num_training_steps=num_training_steps,
                scheduler_specific_kwargs=dict(self.args.lr_scheduler_kwargs or {}),  # type: ignore[arg-type]
            )
            self._created_scheduler = True
        return self.lr_scheduler

    def forget_scheduler(self) -> None:
        """Forget a schedule of an earlier run; a new one may have another length."""
        if self._created_scheduler:
            self.lr_scheduler, self._created_scheduler = None, False

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """Return the names of the parameters that decay: not biases, nor those of normalisation layers."""
        return decaying_names(model)

    @staticmethod
    def get_optimizer_cls_and_kwargs(args: TrainingArguments) -> tuple[Any, dict[str, Any]]:
        """Return class and arguments of the optimizer that the arguments name; see `optimizers.py`."""
        return optimizer_class(args)

    def get_learning_rates(self) -> list[float]:
        """Return the learning rate of each group of the optimizer.

        Raises:
            ValueError: there is no optimizer yet.
        """
        return [group["lr"] for group in self._groups()]

    def get_num_trainable_parameters(self) -> int:
        """Return the number of parameters that training changes."""
        return sum(value.numel() for value in self.model.parameters() if value.requires_grad)

    def get_optimizer_group(self, param: nn.Parameter | None = None) -> Any:
        """Return the optimizer's group that has a parameter; all groups, without one.

        Raises:
            ValueError: there is no optimizer yet.
        """
        groups = self._groups()
        if param is None:
            return [group["params"] for group in groups]
        return next((group for group in groups if any(value is param for value in group["params"])), None)

    def _groups(self) -> list[dict[str, Any]]:
        if self.optimizer is None:
            raise ValueError(
                "Trainer optimizer is None, please make sure you have setup the optimizer before."
            )
        return self.optimizer.param_groups

    def _get_learning_rate(self) -> float:
        return float(self._groups()[0]["lr"])

    def ipex_optimize_model(self, model: nn.Module, training: bool = False, dtype: Any = None) -> nn.Module:
        """Return the model as Intel's extension for PyTorch runs it.

        Args:
            model: the model.
            training: for training; with the optimizer, then.
            dtype: type of the weights; by default float32, or bfloat16 with `bf16`.

        Raises:
            ImportError: the extension is not installed.
        """
        return optimize_with_ipex(self, model, training, dtype)

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
        finally:
            self.is_in_train = False

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], torch.Tensor | None]:
        """Return the next batches, and the number of labels in them where a loss is divided by it.

        Args:
            epoch_iterator: gives the batches.
            num_batches: of one step.
            device: where the number is wanted.
        """
        batches = []
        for _ in range(num_batches):
            batch = next(epoch_iterator, None)
            if batch is None:
                break
            batches.append(batch)
        return batches, self.number_of_labels(batches)

    def number_of_labels(self, batches: list[Any]) -> torch.Tensor | None:
        """Return the number of labels in all processes' batches, if losses are divided by it; else None."""
        if not (self.loss_counting.accepts_loss_kwargs or self.compute_loss_func is not None):
            return None
        count = self.loss_counting.count(batches)
        if count is not None:
            count = count.to(self.args.device)
            if self.args.average_tokens_across_devices and self.args.world_size > 1:
                count = self.engine.gather(count).sum()
        return count

    def loss_is_scaled(self, num_items_in_batch: torch.Tensor | int | None) -> bool:
        """Return whether a loss of `compute_loss` is not to be divided by the number of batches in a step."""
        if self.loss_is_scaled_for_ga is not None:
            return self.loss_is_scaled_for_ga
        counted = self.loss_counting.accepts_loss_kwargs and num_items_in_batch is not None
        return counted or self.compute_loss_func is not None

    def training_step(
        self,
        model: nn.Module,
        inputs: Inputs,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Run a batch forward and backward, and return its loss, detached.

        Args:
            model: the model, wrapped.
            inputs: the batch.
            num_items_in_batch: labels in all batches of the step.
        """
        if not model.training:
            model.train()
        if callable(getattr(self.optimizer, "train", None)):  # schedule-free optimizers
            self.optimizer.train()
        inputs = self._prepare_inputs(inputs)
        with self.compute_loss_context_manager(), self._cache_off:
            loss = self._call_compute_loss(model, inputs, count=num_items_in_batch)
        every = self.args.torch_empty_cache_steps
        if every is not None and self.state.global_step % every == 0 and torch.accelerator.is_available():
            torch.accelerator.empty_cache()
        if self.args.n_gpu > 1:
            loss = loss.mean()
        if not self.loss_is_scaled(num_items_in_batch):
            loss = loss / self.current_gradient_accumulation_steps
        self.engine.backward(loss, model)
        return loss.detach()

    current_gradient_accumulation_steps = 1

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Inputs,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the loss of a batch; override it for a loss of your own.

        Args:
            model: the model, wrapped.
            inputs: the batch.
            return_outputs: return (loss, what the model gave).
            num_items_in_batch: labels in all batches of the step. An overriding method need not take it.

        Raises:
            ValueError: the model gave no loss.
        """
        loss, outputs = compute_loss(self, model, inputs, num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def _call_compute_loss(
        self, model: nn.Module, inputs: Inputs, return_outputs: bool = False, count: Any = None
    ) -> Any:
        """Call `compute_loss`, whose overriding method may not know of `num_items_in_batch`."""
        if type(self).compute_loss is Trainer.compute_loss or takes(
            self.compute_loss, "num_items_in_batch", or_any=True
        ):
            return self.compute_loss(model, inputs, return_outputs, num_items_in_batch=count)
        return self.compute_loss(model, inputs, return_outputs)

    def _call_training_step(self, model: nn.Module, inputs: Inputs, count: Any) -> torch.Tensor:
        """Call `training_step`, whose overriding method may not know of `num_items_in_batch`."""
        if type(self).training_step is Trainer.training_step or takes(
            self.training_step, "num_items_in_batch", or_any=True
        ):
            return self.training_step(model, inputs, count)
        return self.training_step(model, inputs)

    def compute_loss_context_manager(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context in which a loss is computed: mixed precision, where the arguments ask for it."""
        return self.autocast_smart_context_manager()

    def autocast_smart_context_manager(
        self, cache_enabled: bool | None = True
    ) -> contextlib.AbstractContextManager[Any]:
        """Return the context of mixed precision.

        Args:
            cache_enabled: let it keep weights that it has converted.
        """
        context = self.engine.autocast()
        if isinstance(context, torch.autocast) and cache_enabled is not None:
            context._cache_enabled = cache_enabled
        return context

    def _prepare_inputs(self, inputs: Inputs) -> Inputs:
        """Return a batch on this process's device.

        Raises:
            ValueError: it is empty.
        """
        if len(inputs) == 0:
            raise ValueError(
                "The batch received was empty, your model won't be able to train on it. Double-check that "
                "your "
                f"training dataset contains keys expected by the model: {','.join(self.signature_columns)}."
            )
        inputs = on_device(inputs, self.args.device)
        if self.args.past_index >= 0 and self._past is not None:
            inputs["mems"] = self._past
        return inputs

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

    # Evaluation and prediction

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Evaluate, log the metrics and return them: the loss, those of `compute_metrics`, and the speed.

        Args:
            eval_dataset: in place of the Trainer's own; a dictionary of several evaluates each, and its name
                comes into the names of its metrics.
            ignore_keys: outputs of the model that are left out.
            metric_key_prefix: with which the names of metrics begin.

        Raises:
            ValueError: there is no evaluation set, or it is empty.
        """
        own = eval_dataset is None
        dataset = self.eval_dataset if own else eval_dataset
        if isinstance(dataset, dict):
            metrics: dict[str, float] = {}
            for name, part in dataset.items():
                prefix = f"{metric_key_prefix}_{name}"
                metrics.update(self.evaluate(name if own else part, ignore_keys, prefix))
            return metrics
        with self._memory.stage("eval") as memory:
            loader = self.get_eval_dataloader(eval_dataset)
            loop = self.prediction_loop if self.args.use_legacy_prediction_loop else self.evaluation_loop
            output = self._timed(
                loop,
                loader,
                "Evaluation",
                True if self.compute_metrics is None else None,
                ignore_keys,
                metric_key_prefix,
            )
        assert output.metrics is not None
        self._call_log(output.metrics, None)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, output.metrics)
        output.metrics.update(memory)
        return output.metrics

    def predict(
        self,
        test_dataset: Dataset[Any],
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "test",
    ) -> PredictionOutput:
        """Return predictions, labels and metrics; arrays are padded with -100 where lengths differ.

        Args:
            test_dataset: the examples, with or without labels.
            ignore_keys: outputs of the model that are left out.
            metric_key_prefix: with which the names of metrics begin.
        """
        with self._memory.stage("test") as memory:
            loader = self.get_test_dataloader(test_dataset)
            loop = self.prediction_loop if self.args.use_legacy_prediction_loop else self.evaluation_loop
            output = self._timed(loop, loader, "Prediction", None, ignore_keys, metric_key_prefix)
        assert output.metrics is not None
        self.control = self.callback_handler.on_predict(self.args, self.state, self.control, output.metrics)
        output.metrics.update(memory)
        return PredictionOutput(output.predictions, output.label_ids, output.metrics)

    def _timed(
        self,
        loop: Callable[..., EvalLoopOutput],
        loader: Any,
        description: str,
        loss_only: bool | None,
        ignore_keys: list[str] | None,
        prefix: str,
    ) -> EvalLoopOutput:
        """Run an evaluation loop and add its speed to the metrics."""
        started = time.time()
        output = loop(
            loader,
            description=description,
            prediction_loss_only=loss_only,
            ignore_keys=ignore_keys,
            metric_key_prefix=prefix,
        )
        assert output.metrics is not None
        samples = output.num_samples or 0
        steps = -(-samples // (self.args.eval_batch_size * self.args.world_size))
        output.metrics.update(measures.speed_metrics(prefix, started, samples, steps))
        return output

    def evaluation_loop(
        self,
        dataloader: DataLoader[Any],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Run the model over a loader, join what it gives, and compute the metrics.

        Args:
            dataloader: of the batches, with or without labels.
            description: "Evaluation" or "Prediction", for the log.
            prediction_loss_only: collect no predictions; by default as the arguments say.
            ignore_keys: outputs of the model that are left out.
            metric_key_prefix: with which the names of metrics begin.
        """
        only = self.args.prediction_loss_only if prediction_loss_only is None else prediction_loss_only
        return EvaluationLoop(self, dataloader, description, only, ignore_keys, metric_key_prefix).run()

    def prediction_loop(
        self,
        dataloader: DataLoader[Any],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Run the model over a loader; the older name of `evaluation_loop`.

        Raises:
            ValueError: the loader has no length, which this method has always needed.
        """
        if not has_length(dataloader):
            raise ValueError("dataloader must implement a working __len__")
        return Trainer.evaluation_loop(
            self, dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
        )

    def prediction_step(
        self,
        model: nn.Module,
        inputs: Inputs,
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[torch.Tensor | None, Any, Any]:
        """Run a batch without gradients, and return loss, logits and labels, each of which may be None.

        Args:
            model: the model, wrapped.
            inputs: the batch.
            prediction_loss_only: return the loss alone.
            ignore_keys: outputs of the model that are left out.
        """
        return prediction_step(self, model, inputs, prediction_loss_only, ignore_keys)

    def evaluation_model(self) -> nn.Module:
        """Return the model as it is evaluated outside of training."""
        if (self.args.fsdp or self.args.deepspeed) and self.model_wrapped is self.model:
            self.model_wrapped = self.engine.prepare(self.model)
        return self.model_wrapped

    # Processes

    def is_local_process_zero(self) -> bool:
        """Return whether this is the main process of its machine."""
        return self.engine.is_local_main_process

    def is_world_process_zero(self) -> bool:
        """Return whether this is the main process of all."""
        return self.engine.is_main_process

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

    log_metrics = measures.log_metrics
    save_metrics = measures.save_metrics
    save_state = measures.save_state

    @staticmethod
    def metrics_format(metrics: dict[str, Any]) -> dict[str, Any]:
        """Return metrics as people read them: memory in MB, times as h:mm:ss, floats with four digits."""
        return measures.metrics_format(metrics)

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

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write a draft of the model card, `README.md`; its arguments are those of `model_card.py`."""
        from .model_card import create_model_card

        create_model_card(self, *args, **kwargs)

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
