#!/usr/bin/env python
r"""Fine-tune a model to find the answer to a question in a text.

    python run_qa.py --model_name_or_path bert-base-uncased --dataset_name squad \
        --do_train --do_eval --max_seq_length 384 --doc_stride 128 --output_dir out/squad

A row has an id, a question, a context, and answers: {"text": [...], "answer_start": [...]}.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanoformers import (
    AutoModelForQuestionAnswering,
    DataCollatorWithPadding,
    EvalPrediction,
    Trainer,
    TrainingArguments,
)
from nanoformers.data import answers_from_scores
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts


@dataclass
class DataTrainingArguments(scripts.DataArguments):
    """Which data, how texts are cut into windows, and how answers are chosen."""

    suffixes = (".json", ".jsonl")

    max_seq_length: int = HfArg(default=384, help="Tokens of a window: question and context together.")
    doc_stride: int = HfArg(default=128, help="Tokens that two neighbouring windows of a long text share.")
    pad_to_max_length: bool = HfArg(
        default=False, help="Pad all windows to max_seq_length, not each batch to its longest: for a TPU."
    )
    version_2_with_negative: bool = HfArg(
        default=False, help="There are questions without an answer (SQuAD 2)."
    )
    null_score_diff_threshold: float = HfArg(
        default=0.0,
        help="How much better no answer must score than the best one (with version_2_with_negative).",
    )
    n_best_size: int = HfArg(default=20, help="Candidates for an answer that are looked at and written.")
    max_answer_length: int = HfArg(default=30, help="Tokens of an answer at most.")


def main() -> None:
    """Train, evaluate and predict, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        scripts.ModelArguments, DataTrainingArguments, TrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data
    examples = scripts.chosen_splits(scripts.load_splits(data_args, model_args), data_args, training_args)
    scripts.check_columns(examples, "id", "question", "context")
    if training_args.do_train:
        scripts.check_columns({"train": examples["train"]}, "answers")

    # Model
    tokenizer = model_args.load_tokenizer()
    if not tokenizer.is_fast:
        raise ValueError(
            f"{model_args.model_name_or_path} has no fast tokenizer here, which alone tells the characters "
            "that a token comes from. Take another checkpoint, or leave --use_fast_tokenizer as it is."
        )
    model = AutoModelForQuestionAnswering.from_pretrained(
        model_args.model_name_or_path, config=model_args.load_config(), **model_args.hub
    )

    # Preprocessing
    def windows(rows: dict[str, list[Any]]) -> dict[str, Any]:
        return windows_of(rows, tokenizer, data_args)

    features = scripts.preprocess(examples, windows, data_args, training_args)

    # Metrics: scores of tokens become answers, and these are compared with the right ones
    metric = scripts.load_metric("squad_v2" if data_args.version_2_with_negative else "squad")

    def answers(split: str, predictions: tuple[Any, Any], prefix: str) -> dict[str, str]:
        found = answers_from_scores(
            examples[split],
            features[split],
            *predictions,
            n_best_size=data_args.n_best_size,
            max_answer_length=data_args.max_answer_length,
            may_have_none=data_args.version_2_with_negative,
            null_score_diff_threshold=data_args.null_score_diff_threshold,
        )
        if training_args.should_save:
            write(f"{prefix}_predictions.json", found.best)
            write(f"{prefix}_nbest_predictions.json", found.candidates)
            if data_args.version_2_with_negative:
                write(f"{prefix}_null_odds.json", found.null_odds)
        return found.best

    def write(name: str, values: dict[str, Any]) -> None:
        folder = Path(training_args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(values, indent=4, ensure_ascii=False), encoding="utf-8")

    def scorer(split: str, prefix: str) -> Callable[[EvalPrediction], dict[str, float]]:
        def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
            found = answers(split, prediction.predictions, prefix)
            extra = {"no_answer_probability": 0.0} if data_args.version_2_with_negative else {}
            return metric.compute(
                predictions=[{"id": name, "prediction_text": text, **extra} for name, text in found.items()],
                references=[{"id": row["id"], "answers": row["answers"]} for row in examples[split]],
            )

        return compute_metrics

    trainer = Trainer(
        model=model,
        args=training_args,
        train_dataset=features.get("train"),
        eval_dataset=features.get("validation"),
        compute_metrics=scorer("validation", "eval"),
        tokenizer=tokenizer,
        data_collator=DataCollatorWithPadding(
            tokenizer, pad_to_multiple_of=8 if training_args.fp16 else None
        ),
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, features["validation"])
    if training_args.do_predict:
        trainer.compute_metrics = scorer("test", "predict")
        output = scripts.predict(trainer, features["test"])
        if output.label_ids is None:  # nobody knows the answers
            answers("test", output.predictions, "predict")
    scripts.share(trainer, model_args, data_args, "question-answering")


def windows_of(
    rows: dict[str, list[Any]], tokenizer: Any, data_args: DataTrainingArguments
) -> dict[str, list[Any]]:
    """Cut question and context into windows; tell of each token which characters of the context it is.

    Where answers are known, each window also has the tokens at which the answer starts and ends; these are
    the first token (a window's "no answer") where the answer is not in the window, or there is none.
    """
    question_first = tokenizer.padding_side == "right"
    pair = ("question", "context") if question_first else ("context", "question")
    questions = [question.lstrip() for question in rows["question"]]  # or truncation would count the spaces
    texts = {"question": questions, "context": rows["context"]}
    features = tokenizer(
        *(texts[name] for name in pair),
        truncation="only_second" if question_first else "only_first",
        max_length=min(data_args.max_seq_length, tokenizer.model_max_length),
        stride=data_args.doc_stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding="max_length" if data_args.pad_to_max_length else False,
    )
    sources = features.pop("overflow_to_sample_mapping")
    features["example_id"] = [rows["id"][source] for source in sources]
    features["offset_mapping"] = [
        [
            list(span) if part == int(question_first) else None
            for span, part in zip(spans, features.sequence_ids(window), strict=True)
        ]
        for window, spans in enumerate(features["offset_mapping"])
    ]
    if "answers" in rows:
        found = [
            answer_tokens(spans, rows["answers"][source])
            for spans, source in zip(features["offset_mapping"], sources, strict=True)
        ]
        features["start_positions"] = [start for start, _ in found]
        features["end_positions"] = [end for _, end in found]
    return features


def answer_tokens(spans: list[list[int] | None], answers: dict[str, list[Any]]) -> tuple[int, int]:
    """Return the first and last token of the first answer in a window, (0, 0) when it is not there whole."""
    if not answers["answer_start"]:
        return 0, 0
    first = answers["answer_start"][0]
    last = first + len(answers["text"][0])
    starts = [token for token, span in enumerate(spans) if span and span[0] <= first < span[1]]
    ends = [token for token, span in enumerate(spans) if span and span[0] < last <= span[1]]
    return (starts[0], ends[-1]) if starts and ends else (0, 0)


if __name__ == "__main__":
    main()
