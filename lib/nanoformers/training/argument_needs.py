"""What arguments of training need: a device that computes so, a package, another machine."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from .choices import DebugOption
from .devices import uses_cpu

if TYPE_CHECKING:
    from .arguments import TrainingArguments

__all__ = ["check_devices", "check_packages"]


def check_devices(args: TrainingArguments) -> None:
    """Refuse a precision that this machine does not have, and set that of matrix products.

    Raises:
        ValueError: two precisions at once, or one that the device does not have.
    """
    on_cpu = uses_cpu(args)
    if args.fp16 and args.bf16:
        raise ValueError("At most one of fp16 and bf16 can be True, but not both")
    if args.fp16_full_eval and args.bf16_full_eval:
        raise ValueError("At most one of fp16 and bf16 can be True for full eval, but not both")
    if (args.fp16 or args.fp16_full_eval) and on_cpu:
        asked = "--fp16" if args.fp16 else "--fp16_full_eval"
        raise ValueError(
            "FP16 Mixed precision training with AMP or APEX (`--fp16`) and FP16 half precision evaluation "
            "(`--fp16_full_eval`) can only be used on an accelerator, and training is on the CPU: in place "
            f"of `{asked}` take `{asked.replace('fp16', 'bf16')}`, which works here."
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


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def check_packages(args: TrainingArguments) -> None:
    """Refuse what needs a package that is not installed, and what has been replaced.

    Raises:
        ImportError: a package is missing.
        ValueError: something better has come in its place; arguments of sharding that contradict each other.
    """
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
                f"leave {argument} out."
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
        "place. Take half_precision_backend='auto', and leave fp16_opt_level out.",
    ),
    (
        lambda args: args.jit_mode_eval,
        "jit_mode_eval",
        "a TorchScript trace keeps the lengths of the batch that it was made with, so other lengths would "
        "give wrong predictions, and torch has deprecated it. torch_compile=True needs no trace.",
    ),
    (
        lambda args: args.use_liger_kernel,
        "use_liger_kernel",
        "Liger's kernels replace modules of the reference library's models, and need a GPU. The models here "
        "have other modules. torch_compile=True fuses operations too.",
    ),
    (
        lambda args: args.parallelism_config is not None,
        "parallelism_config",
        "tensor and context parallelism need models that are written for them, and a GPU for each part. "
        "Sharding (fsdp='full_shard') makes big models fit too.",
    ),
    (
        lambda args: args.optim_target_modules is not None,
        "optim_target_modules",
        "it is for the optimizers GaLore, APOLLO and LOMO, each of which needs its own package and none of "
        "which is among OptimizerNames. Pass one with Trainer(optimizers=...), or train an adapter (LoRA).",
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
