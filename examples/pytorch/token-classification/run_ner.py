#!/usr/bin/env python
r"""Fine-tune a model to tag words: names, parts of speech, phrases.

    python run_ner.py --model_name_or_path bert-base-cased --dataset_name conll2003 \
        --do_train --do_eval --output_dir out/ner

A row has a list of words and a list with a tag for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nanoformers import (
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    EvalPrediction,
    Trainer,
    TrainingArguments,
)
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts

IGNORED = -100
"""The label of tokens that the loss and the metric leave out."""


@dataclass
class ModelArguments(scripts.ModelArguments):
    """Which checkpoint to start from, and what becomes of its head."""

    ignore_mismatched_sizes: bool = HfArg(
        default=False, help="Start with a new head where the checkpoint's has another number of tags."
    )


@dataclass
class DataTrainingArguments(scripts.DataArguments):
    """Which data, and which of their columns."""

    task_name: str = HfArg(
        default="ner", help="What the tags are: ner, pos or chunk; their column is ner_tags."
    )
    text_column_name: str | None = HfArg(default=None, help="Column of the words (tokens).")
    label_column_name: str | None = HfArg(default=None, help="Column of the tags (ner_tags).")
    max_seq_length: int | None = HfArg(
        default=None, help="Tokens of an input; by default what the model takes."
    )
    pad_to_max_length: bool = HfArg(
        default=False, help="Pad all inputs to max_seq_length, not each batch to its longest: for a TPU."
    )
    label_all_tokens: bool = HfArg(
        default=False, help="Give every piece of a word its tag (B- becomes I-), not only the first piece."
    )
    return_entity_level_metrics: bool = HfArg(default=False, help="Score each kind of entity too.")


def main() -> None:
    """Train, evaluate and predict, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        ModelArguments, DataTrainingArguments, TrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data
    data = scripts.load_splits(data_args, model_args)
    words = scripts.column(data, "--text_column_name", data_args.text_column_name, "tokens", "words")
    learns = training_args.do_train or training_args.do_eval
    find_column = scripts.column if learns else scripts.column_if_any  # prediction needs no tags
    usual = (f"{data_args.task_name}_tags", "tags", "labels")
    tags = find_column(data, "--label_column_name", data_args.label_column_name, *usual)
    labels = scripts.Labels(data, tags)
    if tags is not None and not labels.in_lists:
        raise ValueError(f"The column {tags!r} holds no lists: each row has a list with a tag for each word.")
    data = labels.without_hidden(scripts.chosen_splits(data, data_args, training_args))
    scripts.check_columns(data, words)

    # Model
    config = model_args.load_config()
    labels.settle(config)
    if labels.names is None:
        raise ValueError(f"The column {tags!r} holds numbers with a fraction, and tags are names.")
    spaced = (
        {"add_prefix_space": True} if config.model_type in {"bloom", "gpt2", "roberta", "deberta"} else {}
    )
    tokenizer = model_args.load_tokenizer(**spaced)
    if not tokenizer.is_fast:
        raise ValueError(
            f"{model_args.model_name_or_path} has no fast tokenizer here, which alone tells the word that a "
            "token comes from. Take another checkpoint, or leave --use_fast_tokenizer as it is."
        )
    model = AutoModelForTokenClassification.from_pretrained(
        model_args.model_name_or_path,
        config=config,
        ignore_mismatched_sizes=model_args.ignore_mismatched_sizes,
        **model_args.hub,
    )
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id

    # Preprocessing: a word may become several tokens, and each token needs a label
    inside = [
        labels.names.index(f"I-{name[2:]}")
        if f"I-{name[2:]}" in labels.names and name[:2] == "B-"
        else number
        for number, name in enumerate(labels.names)
    ]

    def tokenize_and_align(rows: dict[str, list[Any]]) -> dict[str, Any]:
        features = tokenizer(
            rows[words],
            is_split_into_words=True,
            max_length=data_args.max_seq_length,
            padding="max_length" if data_args.pad_to_max_length else False,
            truncation=True,
        )
        if tags in rows:
            numbers = list(map(numbers_of, rows[words], rows[tags]))
        else:
            numbers = [[0] * len(row) for row in rows[words]]  # which only say where a word begins
        features["labels"] = [aligned(features.word_ids(row), numbers[row]) for row in range(len(numbers))]
        return features

    def numbers_of(row: list[str], of_words: list[Any]) -> list[int]:
        if len(of_words) != len(row):
            raise ValueError(f"{len(row)} words and {len(of_words)} tags are in one row: {' '.join(row)}")
        return [labels.number(tag) for tag in of_words]

    def aligned(word_ids: list[int | None], of_words: list[int]) -> list[int]:
        found, before = [], None
        for word in word_ids:
            if word is None:
                found.append(IGNORED)
            elif word != before:
                found.append(of_words[word])
            else:
                found.append(inside[of_words[word]] if data_args.label_all_tokens else IGNORED)
            before = word
        return found

    tagged = "test" in data and tags in data["test"].column_names
    data = scripts.preprocess(data, tokenize_and_align, data_args, training_args)

    # Metrics
    metric = scripts.load_metric("seqeval")

    def in_words(numbers: np.ndarray, where: np.ndarray) -> list[list[str]]:
        """Return the tags' names where there is a label, row by row."""
        return [
            [labels.names[number] for number in row[kept]]
            for row, kept in zip(numbers, where != IGNORED, strict=True)
        ]

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        chosen, truth = prediction.predictions.argmax(axis=-1), prediction.label_ids
        scores = metric.compute(predictions=in_words(chosen, truth), references=in_words(truth, truth))
        overall = {
            name.removeprefix("overall_"): s for name, s in scores.items() if name.startswith("overall")
        }
        if not data_args.return_entity_level_metrics:
            return overall
        kinds = {kind: values for kind, values in scores.items() if isinstance(values, dict)}
        return overall | {f"{kind}_{name}": s for kind, values in kinds.items() for name, s in values.items()}

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data.get("train"),
        eval_dataset=data.get("validation"),
        compute_metrics=compute_metrics,
        tokenizer=tokenizer,
        data_collator=DataCollatorForTokenClassification(
            tokenizer, pad_to_multiple_of=8 if training_args.fp16 else None
        ),
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, data["validation"])
    if training_args.do_predict:
        output = scripts.predict(trainer, data["test"], labels_are_known=tagged)
        found = in_words(output.predictions.argmax(axis=-1), output.label_ids)
        scripts.write_predictions(trainer, map(" ".join, found), "predictions.txt")
    scripts.share(trainer, model_args, data_args, "token-classification")


if __name__ == "__main__":
    main()
