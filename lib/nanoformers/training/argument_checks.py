"""What arguments of training mean together: older names become today's, words become choices, and what
cannot work is refused at once.
"""

from __future__ import annotations

import json
import os
import socket
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..optimization.schedules import SchedulerType
from ..utils import logging
from .accelerator_config import settle_accelerator_config
from .argument_needs import check_devices, check_packages
from .argument_types import check_types
from .choices import DebugOption, HubStrategy, IntervalStrategy, OptimizerNames, SaveStrategy
from .integrations.registry import resolve_report_to

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["LOG_LEVELS", "resolve"]

logger = logging.get_logger(__name__)

LOG_LEVELS = {**logging.get_log_levels_dict(), "passive": -1}
SAMPLING_STRATEGIES = ("random", "sequential", "group_by_length")
TOKEN_COUNTS = ("no", "all", "non_padding")
HALF_PRECISION_BACKENDS = ("auto", "cuda_amp", "cpu_amp", "apex")


def resolve(args: TrainingArguments) -> None:
    """Bring the fields into their final form; called when arguments are made.

    Raises:
        ValueError: a value that there is not, or two that contradict each other.
        ImportError: an argument needs a package that is not installed.
    """
    check_types(args)
    _take_older_names(args)
    _read_json(args)
    _make_choices(args)
    _fill_in(args)
    _check_numbers(args)
    _check_intervals(args)
    check_devices(args)
    check_packages(args)


# Older names


def _take_older_names(args: TrainingArguments) -> None:
    if args.evaluation_strategy is not None:
        args.eval_strategy = args.evaluation_strategy
    _rename(args, "no_cuda", "use_cpu", unless=False)
    _rename(args, "per_gpu_train_batch_size", "per_device_train_batch_size")
    _rename(args, "per_gpu_eval_batch_size", "per_device_eval_batch_size")
    _rename(args, "push_to_hub_token", "hub_token")
    _rename(args, "fp16_backend", "half_precision_backend", unless="auto")
    if args.push_to_hub_model_id is not None or args.push_to_hub_organization is not None:
        name = args.push_to_hub_model_id or Path(args.output_dir or "trainer_output").absolute().name
        owner = args.push_to_hub_organization
        args.hub_model_id = f"{owner}/{name}" if owner else name
        _warn_of("push_to_hub_model_id and push_to_hub_organization", f"hub_model_id={args.hub_model_id!r}")
    if args.adafactor:
        _warn_of("adafactor", "optim='adafactor'")
        args.optim = OptimizerNames.ADAFACTOR
    if args.tpu_metrics_debug:
        _warn_of("tpu_metrics_debug", "debug='tpu_metrics_debug'")
        args.debug = [*_words(args.debug), DebugOption.TPU_METRICS_DEBUG]
    if args.torchdynamo is not None:
        _warn_of("torchdynamo", "torch_compile_backend")
        args.torch_compile_backend = args.torchdynamo
    if args.use_mps_device:
        _warn_of("use_mps_device", "nothing: an Apple GPU is used where there is one")
    args.gradient_checkpointing = bool(args.gradient_checkpointing or args.activation_checkpointing)
    args.activation_checkpointing = args.gradient_checkpointing
    if args.gradient_checkpointing_kwargs is None:
        args.gradient_checkpointing_kwargs = args.activation_checkpointing_kwargs
    args.activation_checkpointing_kwargs = args.gradient_checkpointing_kwargs
    if args.group_by_length:
        args.train_sampling_strategy = "group_by_length"
    args.group_by_length = args.train_sampling_strategy == "group_by_length"
    if args.include_inputs_for_metrics and "inputs" not in args.include_for_metrics:
        args.include_for_metrics = [*args.include_for_metrics, "inputs"]


def _rename(args: TrainingArguments, old: str, new: str, unless: Any = None) -> None:
    if getattr(args, old) != unless:
        setattr(args, new, getattr(args, old))
        _warn_of(old, f"{new}={getattr(args, old)!r}" if "token" not in old else new)


def _warn_of(old: str, new: str) -> None:
    warnings.warn(f"{old} is deprecated; write {new}.", FutureWarning, stacklevel=6)


# Forms


def _words(value: str | list[Any] | None) -> list[Any]:
    return value.split() if isinstance(value, str) else list(value or [])


def _read_json(args: TrainingArguments) -> None:
    """Dictionaries may be written as JSON on a command line."""
    names = ("lr_scheduler_kwargs", "gradient_checkpointing_kwargs", "activation_checkpointing_kwargs")
    for name in (*names, "accelerator_config", "fsdp_config", "deepspeed"):
        value = getattr(args, name)
        if not isinstance(value, str) or not (value.lstrip().startswith("{") or name in names):
            continue
        try:
            setattr(args, name, json.loads(value))
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{name} is a dictionary, or one written as JSON; in {value!r}: {error}."
            ) from None
    settle_accelerator_config(args)


def _make_choices(args: TrainingArguments) -> None:
    args.eval_strategy = args.evaluation_strategy = IntervalStrategy(args.eval_strategy)
    args.logging_strategy = IntervalStrategy(args.logging_strategy)
    args.save_strategy = SaveStrategy(args.save_strategy)
    args.hub_strategy = HubStrategy(args.hub_strategy)
    args.lr_scheduler_type = SchedulerType(args.lr_scheduler_type)
    args.optim = OptimizerNames(args.optim)
    args.debug = [DebugOption(word) for word in _words(args.debug)]
    seen = args.include_num_input_tokens_seen
    args.include_num_input_tokens_seen = ("all" if seen else "no") if isinstance(seen, bool) else seen
    _among("include_num_input_tokens_seen", args.include_num_input_tokens_seen, TOKEN_COUNTS)
    _among("train_sampling_strategy", args.train_sampling_strategy, SAMPLING_STRATEGIES)
    _among("half_precision_backend", args.half_precision_backend, HALF_PRECISION_BACKENDS)
    _among("fp16_opt_level", args.fp16_opt_level, ("O0", "O1", "O2", "O3"))
    _among("log_level", args.log_level, LOG_LEVELS)
    _among("log_level_replica", args.log_level_replica, LOG_LEVELS)
    _among("ray_scope", args.ray_scope, ("last", "all", "avg", "last-5-avg", "last-10-avg"))
    for what in args.include_for_metrics:
        _among("include_for_metrics", what, ("inputs", "loss"))


def _among(name: str, value: Any, allowed: Any) -> None:
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown; there are {', '.join(map(repr, allowed))}.")


def _fill_in(args: TrainingArguments) -> None:
    """Give values to what depends on other arguments."""
    args.output_dir = str(Path(args.output_dir or "trainer_output").expanduser())
    if args.run_name is None:
        args.run_name = args.output_dir
    if args.logging_dir is None:
        when = datetime.now().strftime("%b%d_%H-%M-%S")
        args.logging_dir = str(Path(args.output_dir) / "runs" / f"{when}_{socket.gethostname()}")
    else:
        args.logging_dir = str(Path(args.logging_dir).expanduser())
    if args.disable_tqdm is None:
        args.disable_tqdm = logger.getEffectiveLevel() > logging.WARNING
    args.local_rank = int(os.environ.get("LOCAL_RANK", args.local_rank))
    if args.eval_strategy != IntervalStrategy.NO:
        args.do_eval = True
    if args.eval_strategy == IntervalStrategy.STEPS and not args.eval_steps:
        args.eval_steps = args.logging_steps
    watches = args.lr_scheduler_type in (SchedulerType.REDUCE_ON_PLATEAU, SchedulerType.GREEDY)
    if (args.load_best_model_at_end or watches) and args.metric_for_best_model is None:
        args.metric_for_best_model = "loss"
    if args.metric_for_best_model is not None and args.greater_is_better is None:
        args.greater_is_better = not args.metric_for_best_model.endswith("loss")
    if args.torch_compile_mode is not None or args.torch_compile_backend is not None:
        args.torch_compile = True
    if args.torch_compile and args.torch_compile_backend is None:
        args.torch_compile_backend = "inductor"
    args.report_to = resolve_report_to(args.report_to)


# Numbers


def _check_numbers(args: TrainingArguments) -> None:
    for name in (
        "per_device_train_batch_size",
        "per_device_eval_batch_size",
        "gradient_accumulation_steps",
        "eval_accumulation_steps",
        "save_total_limit",
        "torch_empty_cache_steps",
        "dataloader_prefetch_factor",
        "ddp_timeout",
        "ddp_bucket_cap_mb",
    ):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"{name}={value!r}: it is a whole number, at least 1.")
    for name in (
        "learning_rate",
        "weight_decay",
        "adam_epsilon",
        "max_grad_norm",
        "eval_delay",
        "warmup_steps",
    ):
        value = getattr(args, name)
        if value is not None and not value >= 0:
            raise ValueError(f"{name}={value!r}: it is at least 0.")
    for name in ("adam_beta1", "adam_beta2", "label_smoothing_factor"):
        if not 0 <= getattr(args, name) < 1:
            raise ValueError(f"{name}={getattr(args, name)!r}: it is at least 0 and below 1.")
    if args.max_steps <= 0 and not args.num_train_epochs > 0:
        raise ValueError(f"num_train_epochs={args.num_train_epochs!r}: it is above 0, or else max_steps is.")
    if not 0 <= args.warmup_ratio <= 1:
        raise ValueError(f"warmup_ratio must lie in range [0,1]; it is {args.warmup_ratio!r}.")
    if args.neftune_noise_alpha is not None and not args.neftune_noise_alpha > 0:
        raise ValueError(f"neftune_noise_alpha={args.neftune_noise_alpha!r}: it is above 0, or None.")
    if args.dataloader_num_workers < 0:
        raise ValueError(f"dataloader_num_workers={args.dataloader_num_workers!r}: it is at least 0.")
    if args.dataloader_num_workers == 0:
        for name in ("dataloader_prefetch_factor", "dataloader_multiprocessing_context"):
            if getattr(args, name) is not None:
                raise ValueError(f"{name} is for loading processes: set dataloader_num_workers above 0 too.")
        if args.dataloader_persistent_workers:
            raise ValueError("dataloader_persistent_workers needs dataloader_num_workers above 0.")


# Intervals


def _check_intervals(args: TrainingArguments) -> None:
    for strategy, name in (
        (args.logging_strategy, "logging_steps"),
        (args.eval_strategy, "eval_steps"),
        (args.save_strategy, "save_steps"),
    ):
        if strategy == IntervalStrategy.STEPS:
            setattr(args, name, _steps(name, getattr(args, name)))
    if (
        args.lr_scheduler_type == SchedulerType.REDUCE_ON_PLATEAU
        and args.eval_strategy == IntervalStrategy.NO
    ):
        raise ValueError(
            "lr_scheduler_type='reduce_lr_on_plateau' requires an eval strategy: it looks at its metric."
        )
    if args.save_strategy == SaveStrategy.BEST and args.eval_strategy == IntervalStrategy.NO:
        raise ValueError("save_strategy='best' requires an eval strategy, which finds out what is best.")
    if args.load_best_model_at_end and args.save_strategy != SaveStrategy.BEST:
        _check_that_the_best_is_saved(args)


def _steps(name: str, value: Any) -> float:
    if not value or value < 0 or (value > 1 and value != int(value)):
        raise ValueError(
            f"{name}={value!r}: with the strategy 'steps' it is a whole number of steps, or a share of all "
            "steps below 1."
        )
    return int(value) if value >= 1 else value


def _check_that_the_best_is_saved(args: TrainingArguments) -> None:
    if str(args.eval_strategy) != str(args.save_strategy):
        raise ValueError(
            "--load_best_model_at_end requires the save and eval strategy to match, but found\n- Evaluation "
            f"strategy: {args.eval_strategy}\n- Save strategy: {args.save_strategy}"
        )
    if args.eval_strategy != IntervalStrategy.STEPS:
        return
    every, save = args.eval_steps, args.save_steps
    assert every is not None  # as _steps found
    assert save is not None
    if (every < 1) != (save < 1):
        raise ValueError(
            "--load_best_model_at_end requires the saving steps to be a multiple of the evaluation steps, "
            f"which a share of steps beside a number of steps does not promise: save_steps={save}, "
            f"eval_steps={every}."
        )
    times = save / every
    if abs(times - round(times)) > 1e-6 or round(times) < 1:
        raise ValueError(
            "--load_best_model_at_end requires the saving steps to be a round multiple of the evaluation "
            f"steps, but found {save}, which is not a round multiple of {every}."
        )
