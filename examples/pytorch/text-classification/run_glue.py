#!/usr/bin/env python
r"""Fine-tune a model to classify texts or pairs of texts: a task of GLUE, other data of the hub, or files.

    python run_glue.py --model_name_or_path bert-base-cased --task_name mrpc \
        --do_train --do_eval --learning_rate 2e-5 --output_dir out/mrpc

    python run_glue.py --model_name_or_path bert-base-cased --train_file train.csv \
        --validation_file test.csv --text_column_names claim,source --label_column_name verdict \
        --do_train --do_eval --output_dir out/verdicts

A label may be a class, a number with a fraction (regression), or a list of classes that hold at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from nanoformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    EvalPrediction,
    Trainer,
    TrainingArguments,
)
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts

GLUE = {
    "cola": ("sentence",),
    "mnli": ("premise", "hypothesis"),
    "mrpc": ("sentence1", "sentence2"),
    "qnli": ("question", "sentence"),
    "qqp": ("question1", "question2"),
    "rte": ("sentence1", "sentence2"),
    "sst2": ("sentence",),
    "stsb": ("sentence1", "sentence2"),
    "wnli": ("sentence1", "sentence2"),
}
"""The tasks of GLUE and their columns of text."""


@dataclass
class ModelArguments(scripts.ModelArguments):
    """Which checkpoint to start from, and what becomes of its head."""

    ignore_mismatched_sizes: bool = HfArg(
        default=False, help="Start with a new head where the checkpoint's has another number of classes."
    )


@dataclass
class DataTrainingArguments(scripts.DataArguments):
    """Which data, and which of their columns."""

    task_name: str | None = HfArg(default=None, help=f"A task of GLUE: {', '.join(GLUE)}.")
    text_column_names: str | None = HfArg(
        default=None,
        help="Column of the text, or two columns with a comma between them (premise,hypothesis).",
    )
    label_column_name: str | None = HfArg(default=None, help="Column of the label (label).")
    metric_name: str | None = HfArg(
        default=None, help="Metric of evaluate (f1); by default that of the task, accuracy, or mse."
    )
    max_seq_length: int = HfArg(default=128, help="Tokens of an input; longer ones are cut.")
    pad_to_max_length: bool = HfArg(
        default=False, help="Pad all inputs to max_seq_length, not each batch to its longest: for a TPU."
    )

    def __post_init__(self) -> None:
        if self.task_name is not None:
            self.task_name = self.task_name.lower()
            if self.task_name not in GLUE:
                raise ValueError(f"Unknown task {self.task_name}, you should pick one in {', '.join(GLUE)}.")
            if self.dataset_name is None and not self.files:
                self.dataset_name, self.dataset_config_name = "nyu-mll/glue", self.task_name
        super().__post_init__()


def main() -> None:
    """Train, evaluate and predict, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        ModelArguments, DataTrainingArguments, TrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data
    data = scripts.load_splits(data_args, model_args)
    if data_args.task_name == "mnli":  # whose validation and test sets are two each
        data = type(data)({split.removesuffix("_matched"): rows for split, rows in data.items()})
    texts = text_columns(data, data_args)
    learns = training_args.do_train or training_args.do_eval
    find_column = scripts.column if learns else scripts.column_if_any  # prediction needs no labels
    label = find_column(data, "--label_column_name", data_args.label_column_name, "label", "labels")
    labels = scripts.Labels(data, label)
    unlike_training = data.get("validation_mismatched")
    data = scripts.chosen_splits(data, data_args, training_args)
    if unlike_training is not None and "validation" in data:
        size = min(len(data["validation"]), len(unlike_training))
        data["mismatched"] = unlike_training.select(range(size))
    if data_args.task_name and "test" in data and label in data["test"].column_names:
        data["test"] = data["test"].remove_columns(label)  # GLUE keeps these labels to itself
    data = labels.without_hidden(data)
    scripts.check_columns(data, *texts)

    # Model: its head gives a score for each class, or one number
    config = model_args.load_config()
    labels.settle(config)
    if labels.names is None:
        config.problem_type = "regression"
    else:
        config.problem_type = f"{'multi' if labels.in_lists else 'single'}_label_classification"
    tokenizer = model_args.load_tokenizer()
    model = AutoModelForSequenceClassification.from_pretrained(
        model_args.model_name_or_path,
        config=config,
        ignore_mismatched_sizes=model_args.ignore_mismatched_sizes,
        **model_args.hub,
    )

    # Preprocessing
    def tokenize(rows: dict[str, list[Any]]) -> dict[str, Any]:
        features = tokenizer(
            *(rows[text] for text in texts),
            max_length=data_args.max_seq_length,
            padding="max_length" if data_args.pad_to_max_length else False,
            truncation=True,
        )
        if label in rows:
            features["labels"] = [target(value, labels) for value in rows[label]]
        return features

    data = scripts.preprocess(data, tokenize, data_args, training_args)

    # Metrics
    metric = metric_for(data_args, config.problem_type)

    averaged = averaging(data_args, labels)

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        scores: dict[str, float] = metric.compute(
            predictions=decide(prediction.predictions, config.problem_type),
            references=prediction.label_ids,
            **averaged,
        )
        if len(scores) > 1:
            scores["combined_score"] = float(np.mean(list(scores.values())))
        return scores

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data.get("train"),
        eval_dataset=data.get("validation"),
        compute_metrics=compute_metrics,
        tokenizer=tokenizer,
        data_collator=DataCollatorWithPadding(
            tokenizer, pad_to_multiple_of=8 if training_args.fp16 else None
        ),
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, data["validation"])
        if "mismatched" in data:
            scripts.evaluate(trainer, data["mismatched"], name="eval_mm")
    if training_args.do_predict:
        decisions = decide(scripts.predict(trainer, data["test"]).predictions, config.problem_type)
        lines = (f"{row}\t{in_words(decision, labels)}" for row, decision in enumerate(decisions))
        scripts.write_predictions(trainer, ["index\tprediction", *lines], "predict_results.txt")
    scripts.share(trainer, model_args, data_args, "text-classification")


def text_columns(data: Any, data_args: DataTrainingArguments) -> list[str]:
    """Return the columns of text, one or two."""
    if data_args.text_column_names is not None:
        wanted = data_args.text_column_names.split(",")
        if len(wanted) > 2:
            raise ValueError(f"--text_column_names takes one column or two, not {len(wanted)}.")
        return [scripts.column(data, "--text_column_names", name.strip()) for name in wanted]
    known = next(iter(data.values())).column_names
    if data_args.task_name is not None:
        return list(GLUE[data_args.task_name])
    for pair in GLUE.values():
        if len(pair) == 2 and set(pair) <= set(known):
            return list(pair)
    return [scripts.column(data, "--text_column_names", None, "text", "sentence")]


def target(value: Any, labels: scripts.Labels) -> Any:
    """Return what the loss takes: a class's number, a row of 0.0 and 1.0 for several classes, or a number."""
    if labels.names is None:
        return value
    if not labels.in_lists:
        return labels.number(value)
    row = [0.0] * len(labels.names)
    for one in value:
        row[labels.number(one)] = 1.0
    return row


def metric_for(data_args: DataTrainingArguments, problem_type: str) -> Any:
    """Return the metric that was asked for, that of the GLUE task, or the usual one for such labels."""
    several = problem_type == "multi_label_classification"
    if data_args.metric_name is not None:
        return scripts.load_metric(data_args.metric_name, "multilabel" if several else None)
    if data_args.task_name is not None:
        return scripts.load_metric("glue", data_args.task_name)
    if several:
        return scripts.load_metric("f1", "multilabel")
    return scripts.load_metric("mse" if problem_type == "regression" else "accuracy")


def averaging(data_args: DataTrainingArguments, labels: scripts.Labels) -> dict[str, str]:
    """Return how a metric of one class becomes one of many: over all decisions, or class by class."""
    if labels.in_lists:
        return {"average": "micro"}
    several = labels.names is not None and len(labels.names) > 2
    return {"average": "macro"} if several and data_args.metric_name in ("f1", "precision", "recall") else {}


def decide(predictions: Any, problem_type: str) -> np.ndarray:
    """Turn the model's scores, (rows, classes), into what it answers."""
    scores = np.asarray(predictions[0] if isinstance(predictions, tuple) else predictions)
    if problem_type == "regression":
        return scores.squeeze(-1)
    if problem_type == "multi_label_classification":
        return (scores > 0).astype(int)  # a probability of more than one half
    return scores.argmax(axis=-1)


def in_words(decision: Any, labels: scripts.Labels) -> str:
    """Return an answer as it is written into the file of predictions."""
    if labels.names is None:
        return f"{decision:.3f}"
    if labels.in_lists:
        return ", ".join(name for name, holds in zip(labels.names, decision, strict=True) if holds)
    return labels.names[decision]


if __name__ == "__main__":
    main()
