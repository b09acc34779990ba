"""What arguments of training mean together: older names become today's, words become choices, and what
cannot work is refused at once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..optimization.schedules import SchedulerType
from ..utils import logging
from .accelerator_config import AcceleratorConfig
from .choices import DebugOption, HubStrategy, IntervalStrategy, OptimizerNames, SaveStrategy
from .devices import uses_cpu
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
    _take_older_names(args)
    _read_json(args)
    _make_choices(args)
    _fill_in(args)
    _check_numbers(args)
    _check_intervals(args)
    _check_devices(args)
    _check_what_is_missing(args)


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
    args.accelerator_config = config = AcceleratorConfig.of(args.accelerator_config)
    if args.dispatch_batches is not None:
        config.dispatch_batches = args.dispatch_batches
    if args.split_batches:
        config.split_batches = True


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
    plateau = args.lr_scheduler_type == SchedulerType.REDUCE_ON_PLATEAU
    if (args.load_best_model_at_end or plateau) and args.metric_for_best_model is None:
        args.metric_for_best_model = "loss"
    if args.metric_for_best_model is not None and args.greater_is_better is None:
        args.greater_is_better = not args.metric_for_best_model.endswith("loss")
    if args.torch_compile_mode is not None or args.torch_compile_backend is not None:
        args.torch_compile = True
    if args.torch_compile and args.torch_compile_backend is None:
        args.torch_compile_backend = "inductor"
    args.report_to = resolve_report_to(args.report_to)


# Numbers


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


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
        if not _is_count(value) and not (value is None and name not in _NEEDED):
            raise ValueError(f"{name}={value!r}: it is a whole number, at least 1.")
    for name in ("learning_rate", "weight_decay", "adam_epsilon", "max_grad_norm", "eval_delay"):
        if not getattr(args, name) >= 0:
            raise ValueError(f"{name}={getattr(args, name)!r}: it is at least 0.")
    for name in ("adam_beta1", "adam_beta2", "label_smoothing_factor"):
        if not 0 <= getattr(args, name) < 1:
            raise ValueError(f"{name}={getattr(args, name)!r}: it is at least 0 and below 1.")
    if args.max_steps <= 0 and not args.num_train_epochs > 0:
        raise ValueError(f"num_train_epochs={args.num_train_epochs!r}: it is above 0, or else max_steps is.")
    if not 0 <= args.warmup_ratio <= 1:
        raise ValueError(f"warmup_ratio must lie in range [0,1]; it is {args.warmup_ratio!r}.")
    if not args.warmup_steps >= 0:
        raise ValueError(f"warmup_steps={args.warmup_steps!r}: it is at least 0.")
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


_NEEDED = {
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "ddp_timeout",
}


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
            "steps "
            "below 1."
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
    assert every is not None
    if (every < 1) != (save < 1):
        raise ValueError(
            "--load_best_model_at_end requires the saving steps to be a multiple of the evaluation steps, "
            "which "
            f"a share of steps beside a number of steps does not promise: save_steps={save}, "
            f"eval_steps={every}."
        )
    times = save / every
    if abs(times - round(times)) > 1e-6 or round(times) < 1:
        raise ValueError(
            "--load_best_model_at_end requires the saving steps to be a round multiple of the evaluation "
            "steps, "
            f"but found {save}, which is not a round multiple of {every}."
        )


# Devices


def _check_devices(args: TrainingArguments) -> None:
    on_cpu = uses_cpu(args)
    if args.fp16 and args.bf16:
        raise ValueError("At most one of fp16 and bf16 can be True, but not both")
    if args.fp16_full_eval and args.bf16_full_eval:
        raise ValueError("At most one of fp16 and bf16 can be True for full eval, but not both")
    if (args.fp16 or args.fp16_full_eval) and on_cpu:
        asked = "--fp16" if args.fp16 else "--fp16_full_eval"
        raise ValueError(
            f"FP16 Mixed precision training with AMP or APEX (`--fp16`) and FP16 half precision evaluation "
            "(`--fp16_full_eval`) can only be used on an accelerator, and training is on the CPU: in "
            "place of "
            f"`{asked}` take `{asked.replace('fp16', 'bf16')}`, which works here."
        )
    on_gpu = not on_cpu and torch.cuda.is_available()
    if (args.bf16 or args.bf16_full_eval) and on_gpu and not torch.cuda.is_bf16_supported():
        raise ValueError(
            "Your setup doesn't support bf16/gpu. You need Ampere+ GPU with cuda>=11.0, or use_cpu=True."
        )
    if args.tf32 is not None:
        ampere = on_gpu and torch.cuda.get_device_capability()[0] >= 8
        if ampere:
            torch.backends.cuda.matmul.allow_tf32 = args.tf32
            torch.backends.cudnn.allow_tf32 = args.tf32
        elif args.tf32:
            raise ValueError("--tf32 requires Ampere or a newer GPU arch, cuda>=11 and torch>=1.7")
    if on_cpu:
        args.dataloader_pin_memory = False  # it is for copies to a GPU


# What needs a package, or another machine


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _check_what_is_missing(args: TrainingArguments) -> None:
    for asked, argument, package, what in (
        (args.use_ipex, "use_ipex", "intel_extension_for_pytorch", "Intel's extension for PyTorch"),
        (args.tpu_num_cores is not None, "tpu_num_cores", "torch_xla", "PyTorch/XLA on a machine with TPUs"),
        (
            DebugOption.TPU_METRICS_DEBUG in args.debug,
            "tpu_metrics_debug",
            "torch_xla",
            "PyTorch/XLA on TPUs",
        ),
        (bool(args.mp_parameters), "mp_parameters", "smdistributed", "SageMaker's model parallel library"),
    ):
        if asked and not _is_installed(package):
            raise ImportError(
                f"{argument} needs {what} (the package {package}), which is not installed. Install it, or "
                "leave "
                f"{argument} out."
            )
    if args.half_precision_backend == "cuda_amp" and (args.fp16 or args.bf16) and uses_cpu(args):
        raise ValueError("half_precision_backend='cuda_amp' needs a GPU of NVIDIA; on the CPU take 'auto'.")
    for is_asked, argument, instead in _REPLACED:
        if is_asked(args):
            raise ValueError(f"{argument}: {instead}")
    _check_sharding(args)


# What is documented, and has been replaced by something that does the same or better.
_REPLACED: tuple[tuple[Callable[[TrainingArguments], bool], str, str], ...] = (
    (
        lambda args: args.half_precision_backend == "apex" or args.fp16_opt_level != "O1",
        "half_precision_backend='apex' and fp16_opt_level",
        "NVIDIA's Apex is no longer developed for this, and torch's own mixed precision is used in its "
        "place. "
        "Take half_precision_backend='auto', and leave fp16_opt_level out.",
    ),
    (
        lambda args: args.jit_mode_eval,
        "jit_mode_eval",
        "a TorchScript trace keeps the lengths of the batch that it was made with, so other lengths would "
        "give "
        "wrong predictions, and torch has deprecated it. torch_compile=True needs no trace.",
    ),
    (
        lambda args: args.use_liger_kernel,
        "use_liger_kernel",
        "Liger's kernels replace modules of the reference library's models, and need a GPU. The models "
        "here have "
        "other modules. torch_compile=True fuses operations too.",
    ),
    (
        lambda args: args.parallelism_config is not None,
        "parallelism_config",
        "tensor and context parallelism need models that are written for them, and a GPU for each part. "
        "Sharding "
        "(fsdp='full_shard') makes big models fit too.",
    ),
    (
        lambda args: args.optim_target_modules is not None,
        "optim_target_modules",
        "it is for the optimizers GaLore, APOLLO and LOMO, each of which needs its own package and none of "
        "which "
        "is among OptimizerNames. Pass one with Trainer(optimizers=...), or train an adapter (LoRA).",
    ),
    (
        lambda args: any((args.trackio_space_id, args.trackio_bucket_id, args.trackio_static_space_id)),
        "trackio_space_id, trackio_bucket_id, trackio_static_space_id",
        "they are for reports to Trackio, which is not among the loggers here; see report_to.",
    ),
)


def _check_sharding(args: TrainingArguments) -> None:
    """Let the modules that shard a model look at their arguments."""
    checks: list[Callable[[Any], None]] = []
    if not args.fsdp and "ACCELERATE_USE_FSDP" in os.environ:
        from .sharding_options import fsdp_from_environment

        vars(args).update(fsdp_from_environment())
    if not args.deepspeed and os.environ.get("ACCELERATE_USE_DEEPSPEED", "").lower() == "true":
        args.deepspeed = os.environ.get("ACCELERATE_DEEPSPEED_CONFIG_FILE")
    if args.fsdp or args.fsdp_config or args.fsdp_min_num_params or args.fsdp_transformer_layer_cls_to_wrap:
        from .sharding_options import check_fsdp_arguments

        checks.append(check_fsdp_arguments)
    if args.deepspeed:
        from .deepspeed import check_deepspeed_arguments

        checks.append(check_deepspeed_arguments)
    for check in checks:
        check(args)
