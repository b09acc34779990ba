# ruff: noqa: RUF009 - `described` makes fields
"""Every argument of training, with its default and what it means.

Mirrors `TrainingArguments` of the documentation page `main_classes/trainer`; arguments that later releases
spell differently stand beside the documented ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..optimization.schedules import SchedulerType
from .accelerator_config import AcceleratorConfig
from .choices import (
    DebugOption,
    FSDPOption,
    HubStrategy,
    IntervalStrategy,
    OptimizerNames,
    SaveStrategy,
)

__all__ = ["TrainingFields", "described"]


def described(default: Any, text: str) -> Any:
    """Return a dataclass field with a default and a help text."""
    return field(default=default, metadata={"help": text})


def _list(text: str) -> Any:
    return field(default_factory=list, metadata={"help": text})


@dataclass(repr=False)
class TrainingFields:
    """The fields of `TrainingArguments`, which adds what works with them."""

    # What is done, and where results go
    output_dir: str | None = described(
        None, "Folder for checkpoints and results; 'trainer_output' by default."
    )
    overwrite_output_dir: bool = described(
        False, "For scripts: train anew into a folder that has checkpoints."
    )
    do_train: bool = described(False, "For scripts: whether to train.")
    do_eval: bool = described(False, "For scripts: whether to evaluate; set by an evaluation strategy.")
    do_predict: bool = described(False, "For scripts: whether to predict on the test set.")
    resume_from_checkpoint: str | None = described(None, "For scripts: a checkpoint to resume from.")
    run_name: str | None = described(None, "Name of the run for loggers; by default the output folder.")

    # Batches
    per_device_train_batch_size: int = described(8, "Examples a device takes at once in training.")
    per_device_eval_batch_size: int = described(8, "Examples a device takes at once in evaluation.")
    per_gpu_train_batch_size: int | None = described(None, "Deprecated: see per_device_train_batch_size.")
    per_gpu_eval_batch_size: int | None = described(None, "Deprecated: see per_device_eval_batch_size.")
    gradient_accumulation_steps: int = described(1, "Batches whose gradients are summed for one step.")
    average_tokens_across_devices: bool = described(
        True, "Count the labels of all processes, not only one's own, when a loss is made a mean."
    )
    auto_find_batch_size: bool = described(False, "Begin again with a smaller batch when memory runs out.")
    eval_accumulation_steps: int | None = described(
        None, "Predictions go to the CPU every so many batches; by default once, at the end."
    )
    train_sampling_strategy: str = described(
        "random", "Order of the training set: 'random', 'sequential' or 'group_by_length'."
    )
    group_by_length: bool = described(False, "Batches of examples of about the same length, so less padding.")
    length_column_name: str = described("length", "Column that has the lengths, for group_by_length.")
    remove_unused_columns: bool = described(True, "Leave out columns that the model's forward does not take.")
    label_names: list[str] | None = described(
        None, "Names of the inputs that are labels; by default found in the model's forward."
    )

    # Steps, learning rate, optimizer
    num_train_epochs: float = described(3.0, "Times the training set is gone through; may be a fraction.")
    max_steps: int = described(-1, "If positive, the number of steps; then num_train_epochs does not count.")
    learning_rate: float = described(5e-5, "The highest learning rate.")
    lr_scheduler_type: SchedulerType | str = described("linear", "How the learning rate changes.")
    lr_scheduler_kwargs: dict[str, Any] | str | None = described(None, "Further arguments of the schedule.")
    warmup_ratio: float = described(0.0, "Share of all steps in which the learning rate grows to its height.")
    warmup_steps: float = described(0, "Steps of growth; below 1, a share of all steps. Beats warmup_ratio.")
    optim: OptimizerNames | str = described("adamw_torch", "The optimizer.")
    optim_args: str | None = described(
        None, "Further arguments of the optimizer, as 'name=value,name=value'."
    )
    optim_target_modules: list[str] | str | None = described(
        None, "Modules for optimizers that treat some in a low rank."
    )
    adafactor: bool = described(False, "Deprecated: the same as optim='adafactor'.")
    weight_decay: float = described(0.0, "Weight decay, of all weights but biases and normalisation layers'.")
    adam_beta1: float = described(0.9, "Decay of AdamW's mean of gradients.")
    adam_beta2: float = described(0.999, "Decay of AdamW's mean of squared gradients.")
    adam_epsilon: float = described(1e-8, "AdamW's epsilon.")
    max_grad_norm: float | None = described(
        1.0, "Gradients are scaled down to this norm; 0 or None leaves them."
    )
    label_smoothing_factor: float = described(0.0, "Share of the target probability spread over all labels.")
    neftune_noise_alpha: float | None = described(None, "Noise on embeddings in training (NEFTune).")

    # Evaluation, logging, saving: when
    evaluation_strategy: IntervalStrategy | str | None = described(None, "Older name of eval_strategy.")
    eval_strategy: IntervalStrategy | str = described(
        "no", "Evaluate never, every eval_steps, or each epoch."
    )
    eval_steps: float | None = described(None, "Steps between evaluations (a share of all steps, below 1).")
    eval_delay: float = described(0, "Epochs or steps before the first evaluation.")
    eval_on_start: bool = described(False, "Evaluate once before the first step.")
    logging_dir: str | None = described(None, "Folder of TensorBoard's logs; by default output_dir/runs/...")
    logging_strategy: IntervalStrategy | str = described(
        "steps", "Log never, every logging_steps, each epoch."
    )
    logging_steps: float | None = described(500, "Steps between logs (a share of all steps, below 1).")
    logging_first_step: bool = described(False, "Log the first step too.")
    logging_nan_inf_filter: bool = described(True, "Leave losses that are no number out of the logged mean.")
    save_strategy: SaveStrategy | str = described(
        "steps", "Save never, every save_steps, each epoch, if best."
    )
    save_steps: float | None = described(500, "Steps between checkpoints (a share of all steps, below 1).")
    save_total_limit: int | None = described(None, "How many checkpoints are kept, the best among them.")
    save_safetensors: bool = described(True, "Weights in safetensors, else in pickles.")
    save_on_each_node: bool = described(False, "Save on each machine, not on the first alone.")
    save_only_model: bool = described(False, "Checkpoints without what resuming needs.")
    enable_jit_checkpoint: bool = described(
        False, "Save a checkpoint when the process is told to end (SIGTERM)."
    )
    restore_callback_states_from_checkpoint: bool = described(False, "Callbacks too go on where they were.")
    load_best_model_at_end: bool = described(False, "Load the best checkpoint after training.")
    metric_for_best_model: str | None = described(None, "What decides which is best; 'loss' by default.")
    greater_is_better: bool | None = described(
        None, "Whether more of it is better; by default not for losses."
    )
    ignore_data_skip: bool = described(False, "Resume without going through the data already seen.")

    # Evaluation: what
    prediction_loss_only: bool = described(False, "Evaluation and prediction give the loss only.")
    include_inputs_for_metrics: bool = described(False, "compute_metrics gets the inputs too.")
    include_for_metrics: list[str] = _list("What compute_metrics gets besides: 'inputs', 'loss'.")
    batch_eval_metrics: bool = described(False, "Call compute_metrics after each batch; saves memory.")
    eval_do_concat_batches: bool = described(True, "Join the batches' outputs; else give lists of batches.")
    eval_use_gather_object: bool = described(False, "Gather from all processes any object, not tensors only.")
    use_legacy_prediction_loop: bool = described(False, "Evaluate with prediction_loop(), the older name.")
    past_index: int = described(
        -1, "Place of the memory in a model's outputs, handed on as `mems`; -1: none."
    )

    # Reports
    log_level: str = described("passive", "Verbosity: debug, info, warning, error, critical, passive.")
    log_level_replica: str = described("warning", "Verbosity of all processes but the main one.")
    log_on_each_node: bool = described(True, "The main process of each machine logs, not the first's alone.")
    disable_tqdm: bool | None = described(None, "No progress bars and no notebook tables.")
    report_to: str | list[str] | None = described("none", "Loggers to report to: 'all', 'none', or names.")
    project: str = described("huggingface", "Project of Trackio's reports.")
    trackio_space_id: str | None = described(None, "Space of Trackio's reports.")
    trackio_bucket_id: str | None = described(None, "Bucket of Trackio's reports.")
    trackio_static_space_id: str | None = described(None, "Static Space of Trackio's reports.")
    include_tokens_per_second: bool = described(False, "Report training tokens per second.")
    include_num_input_tokens_seen: str | bool = described(
        False, "Count input tokens: 'all' (or True), 'non_padding', 'no' (or False)."
    )
    skip_memory_metrics: bool = described(True, "No report of memory used; the report slows training.")
    debug: str | list[DebugOption] = described("", "'underflow_overflow' looks for nan and inf in the model.")

    # Random numbers
    seed: int = described(42, "Seed of all random numbers.")
    data_seed: int | None = described(None, "Seed of the data's order; by default `seed`.")
    full_determinism: bool = described(False, "Equal results in each run, at some cost in speed.")

    # Devices and precision
    use_cpu: bool = described(False, "Train on the CPU even where there is a GPU.")
    no_cuda: bool = described(False, "Deprecated: see use_cpu.")
    use_mps_device: bool = described(False, "Deprecated: an Apple GPU is used where there is one.")
    use_ipex: bool = described(False, "Optimise the model with Intel's extension for PyTorch.")
    jit_mode_eval: bool = described(False, "Trace the model with TorchScript for prediction.")
    bf16: bool = described(False, "Mixed precision with bfloat16.")
    fp16: bool = described(False, "Mixed precision with float16; needs an accelerator.")
    fp16_opt_level: str = described("O1", "Apex's level of mixed precision: O0, O1, O2, O3.")
    half_precision_backend: str = described("auto", "Who mixes precisions: auto, cuda_amp, cpu_amp, apex.")
    fp16_backend: str = described("auto", "Deprecated: see half_precision_backend.")
    bf16_full_eval: bool = described(False, "Evaluate with a model that is all bfloat16.")
    fp16_full_eval: bool = described(False, "Evaluate with a model that is all float16.")
    tf32: bool | None = described(None, "TensorFloat-32 on or off; needs a GPU of NVIDIA, Ampere or newer.")
    gradient_checkpointing: bool = described(False, "Recompute activations: less memory, more time.")
    gradient_checkpointing_kwargs: dict[str, Any] | str | None = described(None, "Its further arguments.")
    activation_checkpointing: bool = described(False, "Later name of gradient_checkpointing.")
    activation_checkpointing_kwargs: dict[str, Any] | str | None = described(None, "Its further arguments.")
    torch_compile: bool = described(False, "Compile the model with torch.compile.")
    torch_compile_backend: str | None = described(None, "Its back end, 'inductor' by default.")
    torch_compile_mode: str | None = described(None, "Its mode, such as 'reduce-overhead'.")
    torchdynamo: str | None = described(None, "Deprecated: see torch_compile_backend.")
    use_liger_kernel: bool = described(False, "Liger's kernels, written for the reference library's models.")
    liger_kernel_config: dict[str, bool] | None = described(None, "Which of Liger's kernels.")
    use_cache: bool = described(
        False, "Let the model keep keys and values in training, where nothing uses them."
    )
    torch_empty_cache_steps: int | None = described(
        None, "Free the device's cached memory every so many steps."
    )

    # Data loaders
    dataloader_drop_last: bool = described(False, "Leave out a last batch that is not full.")
    dataloader_num_workers: int = described(0, "Processes that load data; 0: the training process does.")
    dataloader_prefetch_factor: int | None = described(None, "Batches that each of these loads ahead.")
    dataloader_pin_memory: bool = described(True, "Batches in pinned memory, from where GPUs copy faster.")
    dataloader_persistent_workers: bool = described(False, "Keep these processes from epoch to epoch.")
    dataloader_multiprocessing_context: str | None = described(
        None, "How they start: fork, spawn, forkserver."
    )
    dataloader_in_order: bool = described(
        True, "Batches in the order of the sampler, whoever is ready first."
    )
    dispatch_batches: bool | None = described(None, "Deprecated: see accelerator_config.")
    split_batches: bool = described(False, "Deprecated: see accelerator_config.")
    accelerator_config: AcceleratorConfig | dict[str, Any] | str | None = described(
        None, "How accelerate shares batches: a dictionary, or a JSON file with one."
    )

    # Several processes
    local_rank: int = described(-1, "Number of this process on its machine; launchers set it.")
    ddp_backend: str | None = described(None, "Back end of communication: nccl, gloo, mpi, ccl, ...")
    ddp_find_unused_parameters: bool | None = described(None, "See DistributedDataParallel.")
    ddp_bucket_cap_mb: int | None = described(None, "See DistributedDataParallel; megabytes.")
    ddp_broadcast_buffers: bool | None = described(None, "See DistributedDataParallel.")
    ddp_static_graph: bool | None = described(None, "See DistributedDataParallel.")
    ddp_timeout: int = described(1800, "Seconds that a process waits for the others.")
    fsdp: list[FSDPOption] | str | None = described(
        "", "Sharding of the model (FSDP), as 'full_shard auto_wrap'."
    )
    fsdp_config: dict[str, Any] | str | None = described(None, "Its settings: a dictionary, or a JSON file.")
    fsdp_min_num_params: int = described(0, "Deprecated: see fsdp_config.")
    fsdp_transformer_layer_cls_to_wrap: str | None = described(None, "Deprecated: see fsdp_config.")
    deepspeed: dict[str, Any] | str | None = described(
        None, "DeepSpeed's settings, or a JSON file with them."
    )
    parallelism_config: Any = described(None, "Tensor and context parallelism of accelerate.")
    mp_parameters: str = described("", "For SageMaker's launcher only.")
    tpu_num_cores: int | None = described(None, "Number of TPU cores; their launcher sets it.")
    tpu_metrics_debug: bool = described(False, "Deprecated: see debug.")
    ray_scope: str | None = described("last", "Which of a trial's results Ray Tune compares.")

    # The hub
    push_to_hub: bool = described(False, "Upload the model whenever it is saved.")
    hub_model_id: str | None = described(None, "Repository; by default named as the output folder.")
    hub_strategy: HubStrategy | str = described("every_save", "What is uploaded, and when.")
    hub_token: str | None = described(None, "Token of the hub; by default the one of the login.")
    hub_private_repo: bool | None = described(None, "Make the repository a private one.")
    hub_always_push: bool = described(False, "Upload even if the upload before has not ended.")
    hub_revision: str | None = described(None, "Branch to upload to.")
    push_to_hub_model_id: str | None = described(None, "Deprecated: see hub_model_id.")
    push_to_hub_organization: str | None = described(None, "Deprecated: see hub_model_id.")
    push_to_hub_token: str | None = described(None, "Deprecated: see hub_token.")
