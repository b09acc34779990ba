#!/usr/bin/env python
r"""Fine-tune a model to choose among endings (SWAG, and other data in its layout).

    python run_swag.py --model_name_or_path bert-base-uncased --dataset_name swag \
        --dataset_config_name regular --do_train --do_eval --learning_rate 5e-5 --output_dir out/swag

A row has what was told (sent1), how the next sentence begins (sent2), its endings (ending0, ending1, ...) and
the number of the right one (label).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from nanoformers import (
    AutoModelForMultipleChoice,
    DataCollatorForMultipleChoice,
    EvalPrediction,
    Trainer,
    TrainingArguments,
)
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts


@dataclass
class DataTrainingArguments(scripts.DataArguments):
    """Which data, and how long inputs may be."""

    max_seq_length: int | None = HfArg(
        default=None, help="Tokens of an input; by default what the model takes, 1,024 at most."
    )
    pad_to_max_length: bool = HfArg(
        default=False, help="Pad all inputs to max_seq_length, not each batch to its longest: for a TPU."
    )


def main() -> None:
    """Train, evaluate and predict, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        scripts.ModelArguments, DataTrainingArguments, TrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data
    data = scripts.chosen_splits(scripts.load_splits(data_args, model_args), data_args, training_args)
    scripts.check_columns(data, "sent1", "sent2", "ending0", "ending1")
    if training_args.do_train:
        scripts.check_columns({"train": data["train"]}, "label")
    names = next(iter(data.values())).column_names
    endings = sorted(
        (name for name in names if re.fullmatch(r"ending\d+", name)), key=lambda name: int(name[6:])
    )

    # Model
    tokenizer = model_args.load_tokenizer()
    model = AutoModelForMultipleChoice.from_pretrained(
        model_args.model_name_or_path, config=model_args.load_config(), **model_args.hub
    )

    # Preprocessing: a row becomes as many inputs as it has endings, which the model scores one by one
    longest = min(data_args.max_seq_length or 1024, tokenizer.model_max_length)

    def tokenize(rows: dict[str, list[Any]]) -> dict[str, Any]:
        told = [sent1 for sent1 in rows["sent1"] for _ in endings]
        then = [
            f"{sent2} {rows[ending][number]}"
            for number, sent2 in enumerate(rows["sent2"])
            for ending in endings
        ]
        inputs = tokenizer(
            told,
            then,
            truncation=True,
            max_length=longest,
            padding="max_length" if data_args.pad_to_max_length else False,
        )
        features = {
            name: [values[at : at + len(endings)] for at in range(0, len(values), len(endings))]
            for name, values in inputs.items()
        }
        return features | ({"labels": rows["label"]} if "label" in rows else {})

    data = scripts.preprocess(data, tokenize, data_args, training_args)

    # Metrics
    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        return {"accuracy": float(np.mean(chosen(prediction.predictions) == prediction.label_ids))}

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=data.get("train"),
        eval_dataset=data.get("validation"),
        compute_metrics=compute_metrics,
        tokenizer=tokenizer,
        data_collator=DataCollatorForMultipleChoice(
            tokenizer, pad_to_multiple_of=8 if training_args.fp16 else None
        ),
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, data["validation"])
    if training_args.do_predict:
        output = scripts.predict(trainer, data["test"])
        lines = (f"{row}\t{ending}" for row, ending in enumerate(chosen(output.predictions)))
        scripts.write_predictions(trainer, ["index\tprediction", *lines], "predict_results.txt")
    scripts.share(trainer, model_args, data_args, "multiple-choice")


def chosen(predictions: Any) -> np.ndarray:
    """Return the number of the ending with the best score, from scores (rows, endings)."""
    return np.asarray(predictions).argmax(axis=-1)


if __name__ == "__main__":
    main()
