#!/usr/bin/env python
r"""Fine-tune a model to write summaries, with a training loop that you see and can change, and accelerate.

    accelerate config
    accelerate launch run_summarization_no_trainer.py --model_name_or_path t5-small \
        --dataset_name cnn_dailymail --dataset_config_name 3.0.0 --source_prefix "summarize: " \
        --output_dir out/summaries

The same file runs on one CPU, on a GPU, on several of them (torchrun --nproc_per_node 2) and with half
precision (accelerate launch --mixed_precision bf16).
"""

from __future__ import annotations

import json
import logging
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration, set_seed
from huggingface_hub import HfApi
from nanoformers import AutoModelForSeq2SeqLM, get_scheduler
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts
from nanoformers.training.scripts.sequence_to_sequence import IGNORED, complete, texts_of, tokenize_pairs
from nanoformers.training.scripts.summarization import SummarizationArguments, line_by_sentence
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

logger = logging.getLogger(__name__)


@dataclass
class LoopArguments:
    """How to train, and where results go."""

    output_dir: str | None = HfArg(default=None, help="Folder for the model, checkpoints and results.")
    per_device_train_batch_size: int = HfArg(default=8, help="Examples a device takes at once in training.")
    per_device_eval_batch_size: int = HfArg(default=8, help="Examples a device takes at once in evaluation.")
    learning_rate: float = HfArg(default=5e-5, help="Highest learning rate.")
    weight_decay: float = HfArg(default=0.0, help="Weight decay.")
    num_train_epochs: int = HfArg(default=3, help="Passes over the training data.")
    max_train_steps: int | None = HfArg(
        default=None, help="If given, the number of steps; epochs do not count."
    )
    gradient_accumulation_steps: int = HfArg(default=1, help="Batches whose gradients make one step.")
    lr_scheduler_type: str = HfArg(default="linear", help="Course of the learning rate.")
    num_warmup_steps: int = HfArg(default=0, help="Steps in which the learning rate rises.")
    seed: int | None = HfArg(default=None, help="Seed of all random numbers.")
    checkpointing_steps: str | None = HfArg(
        default=None, help="Save after so many steps (500), or every 'epoch'."
    )
    resume_from_checkpoint: str | None = HfArg(
        default=None, help="Folder of a checkpoint to go on from (epoch_0)."
    )
    push_to_hub: bool = HfArg(default=False, help="Upload the model in the end.")
    hub_model_id: str | None = HfArg(default=None, help="Repository; by default named as the output folder.")
    hub_token: str | None = HfArg(default=None, help="Token of the hub; by default the one of the login.")
    with_tracking: bool = HfArg(default=False, help="Log to a tracker.")
    report_to: str = HfArg(
        default="all", help="Which tracker, with --with_tracking: tensorboard, wandb, all."
    )

    def __post_init__(self) -> None:
        if self.push_to_hub and self.output_dir is None:
            raise ValueError("Need an `output_dir` to create a repo when `--push_to_hub` is passed.")
        steps = self.checkpointing_steps
        if steps is not None and steps != "epoch" and not steps.isdigit():
            raise ValueError(f"--checkpointing_steps should be a number or 'epoch', not {steps!r}.")
        if steps is not None and self.output_dir is None:
            raise ValueError("Need an `output_dir` for the checkpoints of `--checkpointing_steps`.")
        earlier = self.resume_from_checkpoint
        if earlier is not None and not re.fullmatch(r"(epoch|step)_\d+", Path(earlier).name):
            raise ValueError(
                f"--resume_from_checkpoint should be a folder epoch_<n> or step_<n>, not {earlier}."
            )


def main() -> None:
    """Train, evaluating after each epoch."""
    model_args, data_args, args = scripts.parse_arguments(
        scripts.ModelArguments, SummarizationArguments, LoopArguments, description=__doc__
    )
    accelerator = Accelerator(
        gradient_accumulation_steps=args.gradient_accumulation_steps,
        dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True),  # so that it can be resumed
        **({"log_with": args.report_to, "project_dir": args.output_dir} if args.with_tracking else {}),
    )
    if args.with_tracking and not accelerator.log_with:
        raise ValueError(f"The tracker of --report_to {args.report_to} is not installed here.")
    logging.basicConfig(level=logging.INFO if accelerator.is_main_process else logging.ERROR)
    if args.seed is not None:
        set_seed(args.seed)

    # Data and model
    data = scripts.load_splits(data_args, model_args)
    text, summary = data_args.columns(data)
    tokenizer = model_args.load_tokenizer()
    model = AutoModelForSeq2SeqLM.from_pretrained(
        model_args.model_name_or_path, config=model_args.load_config(), **model_args.hub
    )
    data_args.check(model, model_args.model_name_or_path)

    # Preprocessing
    def tokenized(split: str, longest: int | None) -> Any:
        rows = scripts.rows_of(data, split, data_args, "Training")
        return rows.map(
            lambda batch: tokenize_pairs(
                tokenizer, *complete(batch[text], batch[summary]), data_args, longest
            ),
            batched=True,
            num_proc=data_args.preprocessing_num_workers,
            remove_columns=rows.column_names,
            load_from_cache_file=not data_args.overwrite_cache,
            desc=f"Running tokenizer on dataset ({split})",
        )

    with accelerator.main_process_first():
        train_set = tokenized("train", data_args.max_target_length)
        eval_set = tokenized("validation", data_args.val_max_target_length)

    # Batches, optimizer and schedule; accelerate divides the batches among the processes
    collator = data_args.collator(tokenizer, model, in_eights=accelerator.mixed_precision == "fp16")
    train_batches = DataLoader(
        train_set, shuffle=True, collate_fn=collator, batch_size=args.per_device_train_batch_size
    )
    eval_batches = DataLoader(eval_set, collate_fn=collator, batch_size=args.per_device_eval_batch_size)
    unlike_matrices = [weights for weights in model.parameters() if weights.dim() < 2]  # biases and norms
    matrices = [weights for weights in model.parameters() if weights.dim() >= 2]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": args.weight_decay},
            {"params": unlike_matrices, "weight_decay": 0.0},
        ],
        lr=args.learning_rate,
    )
    model, optimizer, train_batches, eval_batches = accelerator.prepare(
        model, optimizer, train_batches, eval_batches
    )
    steps_per_epoch = math.ceil(len(train_batches) / args.gradient_accumulation_steps)
    steps = args.max_train_steps or args.num_train_epochs * steps_per_epoch
    schedule = accelerator.prepare(
        get_scheduler(
            args.lr_scheduler_type,
            optimizer=optimizer,
            num_warmup_steps=args.num_warmup_steps * accelerator.num_processes,  # each of which it steps for
            num_training_steps=steps * accelerator.num_processes,
        )
    )
    if args.with_tracking:
        accelerator.init_trackers(
            "summarization_no_trainer", config={key: str(value) for key, value in asdict(args).items()}
        )

    # Where an earlier run stopped: folders are called epoch_<number> or step_<number>
    step, first_epoch, first_batch = 0, 0, 0
    if args.resume_from_checkpoint is not None:
        accelerator.load_state(args.resume_from_checkpoint)
        kind, _, number = Path(args.resume_from_checkpoint).name.partition("_")
        step = int(number) if kind == "step" else (int(number) + 1) * steps_per_epoch
        first_epoch = step // steps_per_epoch
        first_batch = step % steps_per_epoch * args.gradient_accumulation_steps

    # Training
    rouge = scripts.load_metric("rouge")
    bar = tqdm(initial=step, total=steps, disable=not accelerator.is_local_main_process)
    scores: dict[str, float] = {}
    for epoch in range(first_epoch, math.ceil(steps / steps_per_epoch)):
        model.train()
        total_loss = torch.zeros((), device=accelerator.device)
        train_batches.set_epoch(epoch)
        skipped = first_batch if epoch == first_epoch else 0
        for batch in accelerator.skip_first_batches(train_batches, skipped):
            with accelerator.accumulate(model):
                loss = model(**batch).loss
                total_loss += loss.detach()
                accelerator.backward(loss)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
            if not accelerator.sync_gradients:
                continue
            step += 1
            bar.update(1)
            if args.checkpointing_steps not in (None, "epoch") and step % int(args.checkpointing_steps) == 0:
                accelerator.save_state(str(Path(args.output_dir) / f"step_{step}"))
            if step >= steps:
                break

        # Evaluation: summaries are generated, gathered from all processes, and scored
        written, wanted = [], []
        for texts in generated(accelerator, model, eval_batches, tokenizer, data_args):
            written += texts[0]
            wanted += texts[1]
        scores = rouge.compute(
            predictions=list(map(line_by_sentence, written)),
            references=list(map(line_by_sentence, wanted)),
            use_stemmer=True,
        )
        scores = {name: round(float(score) * 100, 4) for name, score in scores.items()}
        loss = accelerator.reduce(total_loss, "mean").item() / max(1, len(train_batches) - skipped)
        accelerator.print({"epoch": epoch, "step": step, "train_loss": loss, **scores})
        if args.with_tracking:
            accelerator.log({"train_loss": loss, "epoch": epoch, **scores}, step=step)
        if args.checkpointing_steps == "epoch":
            accelerator.save_state(str(Path(args.output_dir) / f"epoch_{epoch}"))

    # Results
    if args.with_tracking:
        accelerator.end_training()
    if args.output_dir is not None:
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            save(accelerator.unwrap_model(model), tokenizer, scores, args)


@torch.no_grad()
def generated(
    accelerator: Accelerator, model: Any, batches: Any, tokenizer: Any, data_args: SummarizationArguments
) -> Any:
    """Yield (what the model wrote, what was wanted) for each batch, as lists of texts."""
    model.eval()
    for batch in batches:
        tokens = accelerator.unwrap_model(model).generate(
            batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_length=data_args.val_max_target_length,
            num_beams=data_args.num_beams,
        )
        tokens = accelerator.pad_across_processes(tokens, dim=1, pad_index=tokenizer.pad_token_id)
        labels = accelerator.pad_across_processes(batch["labels"], dim=1, pad_index=IGNORED)
        tokens, labels = accelerator.gather_for_metrics((tokens, labels))
        yield texts_of(tokenizer, tokens.cpu().numpy(), labels.cpu().numpy())


def save(model: Any, tokenizer: Any, scores: dict[str, float], args: LoopArguments) -> None:
    """Write the model and the scores of the last evaluation; upload them with `--push_to_hub`."""
    folder = Path(args.output_dir or ".")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    results = {f"eval_{name}": score for name, score in scores.items()}
    (folder / "all_results.json").write_text(json.dumps(results, indent=4), encoding="utf-8")
    if args.push_to_hub:
        hub = HfApi(token=args.hub_token)
        name = hub.create_repo(args.hub_model_id or folder.absolute().name, exist_ok=True).repo_id
        ignored = ["epoch_*", "step_*"]
        hub.upload_folder(
            repo_id=name, folder_path=folder, commit_message="End of training", ignore_patterns=ignored
        )


if __name__ == "__main__":
    main()
