"""What the processes of the distributed tests do: `torchrun processes.py PART FOLDER` runs one part in each.

Each process writes what it saw to FOLDER/PART-RANK.json; tests call the same functions in one process.
"""

import json
import logging
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np
import torch
from nanoformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel, set_seed
from nanoformers.training import (
    Engine,
    Trainer,
    TrainingArguments,
    distributed_concat,
    torch_distributed_zero_first,
)
from nanoformers.utils.logging import get_verbosity
from torch.utils.data import Dataset, IterableDataset

WORDS, ROWS, EVAL_ROWS = 60, 48, 37


class Sentences(Dataset):
    """Rows of random tokens, of different lengths, with a label that the first token decides."""

    def __init__(self, rows, seed=0, length=12, language_model=False):
        generator = torch.Generator().manual_seed(seed)
        self.rows = []
        for index in range(rows):
            ids = torch.randint(5, WORDS, (length,), generator=generator)
            used = 4 + index * 7 % (length - 3)
            mask = (torch.arange(length) < used).long()
            labels = torch.where(mask.bool(), ids, -100) if language_model else (ids[0] >= 30).long()
            self.rows.append({"input_ids": ids * mask, "attention_mask": mask, "labels": labels})

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Stream(IterableDataset):
    """The same rows, as a data set without length."""

    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


def classifier(layers=2, **changes):
    set_seed(0)
    config = BertConfig(
        vocab_size=WORDS,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **changes,
    )
    return BertForSequenceClassification(config)


def writer():
    set_seed(0)
    config = GPT2Config(
        vocab_size=WORDS,
        n_positions=32,
        n_embd=32,
        n_layer=2,
        n_head=2,
        attn_pdrop=0,
        embd_pdrop=0,
        resid_pdrop=0,
    )
    return GPT2LMHeadModel(config)


def accuracy(prediction):
    chosen = prediction.predictions.argmax(-1)
    return {"accuracy": float((chosen == prediction.label_ids).mean()), "rows": len(chosen)}


class Recorder(Trainer):
    """A Trainer that remembers which rows of the training set this process saw (by their first tokens)."""

    def compute_loss(self, model, inputs, *args, **kwargs):
        self.seen = [*getattr(self, "seen", []), inputs["input_ids"][:, 0].tolist()]
        return super().compute_loss(model, inputs, *args, **kwargs)


def arguments(folder, processes=1, **changes):
    """Arguments with which several processes have the same batch in all as one."""
    options = {
        "per_device_train_batch_size": 8 // processes,
        "per_device_eval_batch_size": 5,
        "num_train_epochs": 1,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "save_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": True,
        "seed": 3,
    }
    return TrainingArguments(str(folder), **(options | changes))


def losses(trainer):
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def norms(trainer):
    return [entry["grad_norm"] for entry in trainer.state.log_history if "grad_norm" in entry]


def weights(trainer):
    """Return a digest of all weights: their sums, in float64; None where this process has none of them."""
    state = trainer.engine.model_state(trainer.model_wrapped)
    return {name: float(tensor.double().abs().sum()) for name, tensor in state.items()} or None


def train(folder, processes=1, model=None, language_model=False, resume=None, **changes):
    """Train a small model and return what came of it."""
    data = Sentences(ROWS, language_model=language_model)
    trainer = Recorder(
        model=model or (writer() if language_model else classifier()),
        args=arguments(folder, processes, **changes),
        train_dataset=data,
        eval_dataset=None if language_model else Sentences(EVAL_ROWS, seed=1),
        compute_metrics=None if language_model else accuracy,
    )
    result = trainer.train(resume_from_checkpoint=resume)
    return trainer, {
        "losses": losses(trainer),
        "norms": norms(trainer),
        "rates": [entry["learning_rate"] for entry in trainer.state.log_history if "learning_rate" in entry],
        "weights": weights(trainer),
        "train_loss": result.training_loss,
        "seen": trainer.seen,
    }


def evaluate(trainer):
    """Return metrics and predictions over rows that neither batches nor processes divide."""
    data = Sentences(EVAL_ROWS, seed=1)
    metrics = {name: value for name, value in trainer.evaluate().items() if "per_second" not in name}
    output = trainer.predict(data)
    streamed = trainer.predict(Stream(data.rows))
    return {
        "metrics": {name: metrics[name] for name in ("eval_loss", "eval_accuracy", "eval_rows")},
        "predictions": output.predictions.tolist(),
        "labels": output.label_ids.tolist(),
        "streamed": np.abs(streamed.predictions - output.predictions).max().item()
        if streamed.predictions.shape == output.predictions.shape
        else list(streamed.predictions.shape),
    }


# The parts


def data_parallel(folder, world):
    """DDP: training, accumulation, language models, evaluation, resuming."""
    found = {}
    trainer, found["plain"] = train(folder / "plain", world)
    found["evaluation"] = evaluate(trainer)
    trainer.seen = []
    trainer.train()  # once more, from where it is
    found["again"] = {"losses": losses(trainer), "norms": norms(trainer), "weights": weights(trainer)}
    found["again"] |= {"train_loss": trainer.state.log_history[-1]["train_loss"], "seen": trainer.seen}
    _, found["accumulated"] = train(
        folder / "accumulated", world, gradient_accumulation_steps=2, max_grad_norm=0.5, num_train_epochs=2
    )
    _, found["written"] = train(folder / "written", world, language_model=True, gradient_accumulation_steps=2)
    changes = {"num_train_epochs": 2, "save_strategy": "steps", "save_steps": 4}
    _, found["whole"] = train(folder / "whole", world, **changes)
    _, found["resumed"] = train(
        folder / "whole",
        world,
        resume=str(folder / "whole" / "checkpoint-4"),
        **(changes | {"save_steps": 100}),
    )
    _, found["grouped"] = train(
        folder / "grouped", world, group_by_length=True, num_train_epochs=2, model=classifier(num_labels=2)
    )
    return found


def accumulated_gradients(engine, world):
    """Return gradients after the first of two micro-batches, and after both."""
    model = engine.prepare(torch.nn.Linear(2, 1, bias=False))
    found = []
    for step in range(2):
        with engine.no_sync(model, last=step == 1):
            loss = model(torch.full((1, 2), 1.0 + engine.process_index)).sum()
            engine.backward(loss)
        found.append(model.module.weight.grad[0, 0].item())
    return found


def in_a_notebook(folder, world):
    """What a function trains that `notebook_launcher` runs."""
    trainer, found = train(folder / "notebook", world)
    found["processes"] = trainer.args.world_size
    return found


def around(folder, world):
    """What surrounds training: gathering, sharing, who goes first, who logs, how data is shared."""
    args = arguments(folder, world, log_level="info", log_level_replica="error")
    trainer = Recorder(model=classifier(), args=args, train_dataset=Sentences(ROWS))
    engine = trainer.engine
    rank = engine.process_index
    found = {
        "place": [engine.num_processes, rank, engine.local_process_index, str(engine.device)],
        "main": [trainer.is_world_process_zero(), trainer.is_local_process_zero(), args.should_save],
        "level": args.get_process_log_level(),
        "verbosity": get_verbosity(),
        "mode": args.parallel_mode.value,
        "accelerator": [engine.accelerator.num_processes, engine.accelerator.distributed_type.value],
        "gathered": engine.gather({"a": torch.tensor([rank, 10 + rank]), "b": (torch.tensor(rank), "text")}),
        "padded": engine.pad_and_gather(
            [torch.full((1 + rank, 2 + rank), float(rank)), torch.tensor([rank > 0])]
        ),
        "shared": engine.share({"from": rank}),
    }
    found["gathered"] = [found["gathered"]["a"].tolist(), found["gathered"]["b"][0].tolist()]
    found["padded"] = [tensor.tolist() for tensor in found["padded"]]
    marks = folder / "marks"
    with args.main_process_first(desc="writing a mark"):
        if rank == 0:
            time.sleep(0.3)
            marks.mkdir(parents=True, exist_ok=True)
        found["mark_was_there"] = marks.is_dir()
    with torch_distributed_zero_first(engine.local_process_index):
        if rank == 0:
            time.sleep(0.2)
            (marks / "zero").touch()
        found["zero_was_first"] = (marks / "zero").is_file()
    options = {"ddp_find_unused_parameters": False, "ddp_bucket_cap_mb": 7, "ddp_broadcast_buffers": False}
    wrapped = Engine(arguments(folder, world, **options)).prepare(classifier())
    found["ddp"] = [
        type(wrapped).__name__,
        wrapped.find_unused_parameters,
        wrapped.bucket_bytes_cap >> 20,
        wrapped.broadcast_buffers,
    ]
    recomputing = classifier()
    recomputing.gradient_checkpointing_enable()
    found["find_unused"] = [
        engine.prepare(model).find_unused_parameters for model in (classifier(), recomputing)
    ]
    found["concatenated"] = distributed_concat((torch.tensor([rank, rank]), torch.ones(2, 1 + rank)), 3)
    found["concatenated"] = [rows.tolist() for rows in found["concatenated"]]
    found["gradients"] = accumulated_gradients(engine, world)
    at_once = {"gradient_accumulation_kwargs": {"sync_each_batch": True}}
    synchronising = Engine(arguments(folder, world, accelerator_config=at_once))
    found["synchronised_gradients"] = accumulated_gradients(synchronising, world)
    for name, config in (
        ("plain", {}),
        ("split", {"split_batches": True}),
        ("dispatched", {"dispatch_batches": True}),
    ):
        args = arguments(folder, world, accelerator_config=config, per_device_train_batch_size=4)
        trainer = Recorder(model=classifier(), args=args, train_dataset=Sentences(18))
        trainer.args.num_train_epochs = 1
        rows = [batch["input_ids"][:, 0].tolist() for batch in trainer.get_train_dataloader()]
        generator = torch.Generator().manual_seed(args.seed)  # as accelerate's sampler has in its first epoch
        order = torch.randperm(18, generator=generator).tolist()
        found["order"] = [int(trainer.train_dataset[row]["input_ids"][0]) for row in order]
        found[f"rows_{name}"] = rows
    return found


def sharded(folder, world):
    """FSDP: every strategy, wrapping, precision, whole and sharded checkpoints."""
    found = {}
    try:
        Trainer(model=classifier(), args=arguments(folder, world, fsdp="full_shard offload"))
    except ValueError as error:
        found["offload"] = str(error)
    untrained = Trainer(
        model=classifier(), args=arguments(folder, world, fsdp="full_shard"), compute_metrics=accuracy
    )
    found["untrained"] = untrained.evaluate(Sentences(EVAL_ROWS, seed=1))["eval_loss"]
    for name, changes in SHARDINGS.items():
        trainer, found[name] = train(folder / name, world, **changes)
        held = sum(
            (weight.to_local() if hasattr(weight, "to_local") else weight).numel()
            for weight in trainer.model_wrapped.parameters()
        )
        found[name]["share"] = held / trainer.model.num_parameters()
        found[name]["class"] = type(trainer.model_wrapped).__name__
    found["evaluation"] = evaluate(trainer)
    trainer, found["written"] = train(
        folder / "written",
        world,
        language_model=True,
        gradient_accumulation_steps=2,
        fsdp="full_shard auto_wrap",
    )
    trainer.save_model(str(folder / "written"))
    for kind in ("full_state_dict", "sharded_state_dict"):
        changes = SHARDINGS["by_class"] | {
            "fsdp_config": {"state_dict_type": kind},
            "num_train_epochs": 2,
            "save_strategy": "steps",
            "save_steps": 4,
        }
        _, found[kind] = train(folder / kind, world, **changes)
        checkpoint = folder / kind / "checkpoint-4"
        changes["save_strategy"] = "no"
        _, found[f"{kind} resumed"] = train(folder / "again", world, resume=str(checkpoint), **changes)
        found[f"{kind} files"] = sorted(file.name for file in checkpoint.iterdir())
    return found


SHARDINGS = {
    "full_shard": {"fsdp": "full_shard"},
    "by_class": {
        "fsdp": "full_shard auto_wrap",
        "fsdp_config": {"transformer_layer_cls_to_wrap": ["BertLayer"]},
    },
    "by_size": {
        "fsdp": "full_shard auto_wrap",
        "fsdp_config": {"min_num_params": 2000, "forward_prefetch": True},
    },
    "shard_grad_op": {"fsdp": "shard_grad_op auto_wrap"},
    "no_shard": {"fsdp": "no_shard"},
    "hybrid_shard": {"fsdp": "hybrid_shard auto_wrap"},
    "recomputed": {"fsdp": "full_shard auto_wrap", "fsdp_config": {"activation_checkpointing": True}},
    "bf16": {"fsdp": "full_shard auto_wrap", "bf16": True},
}


def resumed_by_others(folder, world):
    """Resume the sharded checkpoints that another number of processes wrote."""
    found = {}
    for kind in ("full_state_dict", "sharded_state_dict"):
        changes = SHARDINGS["by_class"] | {"fsdp_config": {"state_dict_type": kind}, "num_train_epochs": 2}
        checkpoint = folder / kind / "checkpoint-4"
        _, found[kind] = train(folder / "others", world, resume=str(checkpoint), **changes)
    return found


ZERO = {
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "zero_optimization": {"stage": 2, "reduce_bucket_size": "auto"},
}
ADAMW = {
    "type": "AdamW",
    "params": {"lr": "auto", "betas": "auto", "eps": "auto", "weight_decay": "auto", "torch_adam": True},
}
LINEAR = {
    "type": "WarmupDecayLR",
    "params": {
        "warmup_min_lr": "auto",
        "warmup_max_lr": "auto",
        "warmup_num_steps": "auto",
        "total_num_steps": "auto",
        "warmup_type": "linear",
    },
}


def by_deepspeed(folder, world):
    """DeepSpeed: its optimizer or ours, its schedule or ours, ZeRO-2 and ZeRO-3, resuming."""
    os.environ["DS_ACCELERATOR"] = "cpu"
    import deepspeed

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # it would be compiled first, for a minute
    third = ZERO | {"zero_optimization": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}}
    found = {}
    for name, config in (
        ("ours", ZERO),
        ("its optimizer", ZERO | {"optimizer": ADAMW}),
        ("its schedule", ZERO | {"optimizer": ADAMW, "scheduler": LINEAR}),
        ("stage 3", third),
    ):
        changes = {"deepspeed": config, "save_strategy": "steps", "save_steps": 4, "warmup_steps": 2}
        trainer, found[name] = train(folder / name, world, **changes)
        checkpoint = folder / name / "checkpoint-4"
        found[f"{name} files"] = sorted(file.name for file in checkpoint.iterdir())
        _, found[f"{name} resumed"] = train(folder / "again", world, resume=str(checkpoint), **changes)
    found["evaluation"] = evaluate(trainer)
    changes = {"gradient_accumulation_steps": 2, "max_grad_norm": 0.5, "language_model": True}
    _, found["written"] = train(folder / "written", world, deepspeed=ZERO, **changes)
    return found


PARTS = {
    "by_deepspeed": by_deepspeed,
    "data_parallel": data_parallel,
    "around": around,
    "in_a_notebook": in_a_notebook,
    "sharded": sharded,
    "resumed_by_others": resumed_by_others,
}


def run(part, folder):
    """Run a part in this process, one of several, and write what it found."""
    logging.disable(logging.INFO)
    world = int(os.environ.get("WORLD_SIZE") or os.environ["SLURM_STEP_NUM_TASKS"])
    found = PARTS[part](folder, world)
    (folder / f"{part}-{os.environ['RANK']}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()


def main():
    part, folder = sys.argv[1], Path(sys.argv[2])
    if sys.argv[3:] == ["--notebook"]:  # as in a notebook, whose kernel starts the processes
        from accelerate import notebook_launcher

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        notebook_launcher(run, (part, folder), num_processes=2, use_port=str(port))
    else:
        run(part, folder)


if __name__ == "__main__":
    main()
