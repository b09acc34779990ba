#!/usr/bin/env python
r"""Train or fine-tune a model that continues texts (GPT-2 and its kind: causal language modelling).

    python run_clm.py --model_name_or_path gpt2 --dataset_name wikitext \
        --dataset_config_name wikitext-2-raw-v1 --do_train --do_eval --output_dir out/clm

    python run_clm.py --model_type gpt2 --tokenizer_name gpt2 \
        --config_overrides n_layer=4,n_embd=256,n_head=4 --train_file novels.txt \
        --do_train --do_eval --output_dir out/new

A text file has one text on each line. --do_predict measures the perplexity of the test set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanoformers import (
    AutoModelForCausalLM,
    EvalPrediction,
    Trainer,
    TrainingArguments,
    default_data_collator,
)
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts
from nanoformers.training.scripts.language_modeling import (
    TextArguments,
    WriterArguments,
    block_size,
    blocks_of,
    check_blocks,
    correct_tokens,
    likeliest,
    perplexity,
)


@dataclass
class DataTrainingArguments(TextArguments):
    """Which texts, and how they are cut into blocks."""

    block_size: int | None = HfArg(
        default=None, help="Tokens of a block; by default what the model takes, 1,024 at most."
    )
    add_eos_token: bool = HfArg(
        default=False, help="End each text with the end token: for whole documents, not for lines of one."
    )


def main() -> None:
    """Train and evaluate, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        WriterArguments, DataTrainingArguments, TrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data and model
    data = scripts.load_splits(data_args, model_args, data_args.validation_split_percentage)
    text = data_args.column_of(data)
    config = model_args.load_config()
    tokenizer = model_args.load_tokenizer()
    model = model_args.load_model(AutoModelForCausalLM, config, tokenizer)

    # Preprocessing: all texts in a row, cut into blocks of equal size
    size = block_size(data_args.block_size, "--block_size", tokenizer, config)

    def tokenize(rows: dict[str, list[Any]]) -> dict[str, Any]:
        end = tokenizer.eos_token if data_args.add_eos_token else ""
        return tokenizer([one + end for one in rows[text] if one is not None], verbose=False)

    def cut(rows: dict[str, list[Any]]) -> dict[str, Any]:
        blocks = blocks_of(rows, size)
        return {**blocks, "labels": [list(block) for block in blocks["input_ids"]]}

    data = scripts.preprocess(data, tokenize, data_args, training_args)
    data = scripts.preprocess(data, cut, data_args, training_args, desc=f"Grouping texts in chunks of {size}")
    data = scripts.chosen_splits(data, data_args, training_args)
    check_blocks(data, size, "--block_size")

    # Metrics: the token at each place is compared with what was predicted at the place before
    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        return correct_tokens(prediction.predictions[:, :-1], prediction.label_ids[:, 1:])

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data.get("train"),
        eval_dataset=data.get("validation"),
        tokenizer=tokenizer,
        data_collator=default_data_collator,
        compute_metrics=compute_metrics,
        preprocess_logits_for_metrics=lambda logits, labels: likeliest(logits),
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, data["validation"], more=perplexity)
    if training_args.do_predict:
        scripts.evaluate(trainer, data["test"], more=perplexity, name="predict")
    scripts.share(trainer, model_args, data_args, "text-generation")


if __name__ == "__main__":
    main()
