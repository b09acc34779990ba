#!/usr/bin/env python
r"""Train or fine-tune a model that fills gaps in texts (BERT and its kind: masked language modelling).

    python run_mlm.py --model_name_or_path roberta-base --dataset_name wikitext \
        --dataset_config_name wikitext-2-raw-v1 --do_train --do_eval --output_dir out/mlm

    python run_mlm.py --model_name_or_path bert-base-cased --train_file letters.txt --line_by_line \
        --whole_word_mask --do_train --do_eval --output_dir out/letters

A text file has one text on each line. --do_predict measures the perplexity of the test set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanoformers import (
    AutoModelForMaskedLM,
    DataCollatorForLanguageModeling,
    EvalPrediction,
    Trainer,
    TrainingArguments,
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
    """Which texts, how they are cut, and what is masked."""

    max_seq_length: int | None = HfArg(
        default=None, help="Tokens of an input; by default what the model takes, 1,024 at most."
    )
    line_by_line: bool = HfArg(default=False, help="Every text by itself, not all in a row cut into blocks.")
    pad_to_max_length: bool = HfArg(
        default=False, help="With --line_by_line: pad all to max_seq_length, for a TPU."
    )
    mlm_probability: float = HfArg(default=0.15, help="Share of the tokens that are masked.")
    whole_word_mask: bool = HfArg(default=False, help="Mask all pieces of a word together.")


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
    model = model_args.load_model(AutoModelForMaskedLM, config, tokenizer)

    # Preprocessing: text by text, or all texts in a row, cut into blocks of equal size
    size = block_size(data_args.max_seq_length, "--max_seq_length", tokenizer, config)

    def tokenize(rows: dict[str, list[Any]]) -> dict[str, Any]:
        texts = [one for one in rows[text] if one is not None]
        settings: dict[str, Any] = {"verbose": False}
        if data_args.line_by_line:
            texts = [line for line in texts if line.strip()]
            padding = "max_length" if data_args.pad_to_max_length else False
            settings = {"padding": padding, "truncation": True, "max_length": size}
        return tokenizer(
            texts,
            return_special_tokens_mask=True,  # saves the collator the search for them
            return_offsets_mapping=data_args.whole_word_mask,  # tells it which pieces are one word
            **settings,
        )

    data = scripts.preprocess(data, tokenize, data_args, training_args)
    if not data_args.line_by_line:

        def cut(rows: dict[str, list[Any]]) -> dict[str, Any]:
            return blocks_of(rows, size)

        title = f"Grouping texts in chunks of {size}"
        data = scripts.preprocess(data, cut, data_args, training_args, desc=title)
    data = scripts.chosen_splits(data, data_args, training_args)
    check_blocks(data, size, "--max_seq_length")

    # Every time that an example comes up, other tokens of it are masked
    if data_args.whole_word_mask:
        training_args.remove_unused_columns = False  # the model does not take offsets; the collator does
        whole_words = {"whole_word_mask": True, "mask_replace_prob": 1.0, "random_replace_prob": 0.0}
    else:
        whole_words = {}
    collator = DataCollatorForLanguageModeling(
        tokenizer,
        mlm_probability=data_args.mlm_probability,
        pad_to_multiple_of=8 if training_args.fp16 and data_args.line_by_line else None,
        **whole_words,
    )

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        return correct_tokens(prediction.predictions, prediction.label_ids)

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data.get("train"),
        eval_dataset=data.get("validation"),
        tokenizer=tokenizer,
        data_collator=collator,
        compute_metrics=compute_metrics,
        preprocess_logits_for_metrics=lambda logits, labels: likeliest(logits),
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, data["validation"], more=perplexity)
    if training_args.do_predict:
        scripts.evaluate(trainer, data["test"], more=perplexity, name="predict")
    scripts.share(trainer, model_args, data_args, "fill-mask")


if __name__ == "__main__":
    main()
