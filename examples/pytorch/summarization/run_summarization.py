#!/usr/bin/env python
r"""Fine-tune a model to write summaries.

    python run_summarization.py --model_name_or_path t5-small --do_train --do_eval \
        --dataset_name cnn_dailymail --dataset_config_name 3.0.0 --source_prefix "summarize: " \
        --predict_with_generate --output_dir out/summaries

    python run_summarization.py --model_name_or_path t5-small --do_train --do_eval \
        --train_file train.csv --validation_file validation.csv --text_column report \
        --summary_column title --source_prefix "summarize: " --predict_with_generate --output_dir out/titles

The summaries that it writes for the test set go to generated_predictions.txt in the output folder.
"""

from __future__ import annotations

from typing import Any

from nanoformers import (
    AutoModelForSeq2SeqLM,
    EvalPrediction,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
)
from nanoformers.training import scripts
from nanoformers.training.scripts.sequence_to_sequence import mean_length, texts_of, tokenize_splits
from nanoformers.training.scripts.summarization import SummarizationArguments, line_by_sentence


def main() -> None:
    """Train, evaluate and predict, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        scripts.ModelArguments, SummarizationArguments, Seq2SeqTrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data
    data = scripts.load_splits(data_args, model_args)
    learns = training_args.do_train or training_args.do_eval
    text, summary = data_args.columns(data) if learns else data_args.columns_to_predict(data)
    data = scripts.chosen_splits(data, data_args, training_args)

    # Model
    tokenizer = model_args.load_tokenizer()
    model = AutoModelForSeq2SeqLM.from_pretrained(
        model_args.model_name_or_path, config=model_args.load_config(), **model_args.hub
    )
    data_args.check(model, model_args.model_name_or_path)
    data_args.settle_generation(training_args)

    # Preprocessing
    def pairs(rows: dict[str, list[Any]]) -> tuple[list[Any], list[Any] | None]:
        return rows[text], rows.get(summary)

    data = tokenize_splits(data, pairs, tokenizer, data_args, training_args)

    # Metrics
    rouge = scripts.load_metric("rouge") if training_args.predict_with_generate else None

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        written, wanted = texts_of(tokenizer, prediction.predictions, prediction.label_ids)
        scores = rouge.compute(
            predictions=list(map(line_by_sentence, written)),
            references=list(map(line_by_sentence, wanted)),
            use_stemmer=True,
        )
        scores = {name: round(score * 100, 4) for name, score in scores.items()}
        return scores | {"gen_len": mean_length(prediction.predictions, tokenizer)}

    trainer = Seq2SeqTrainer(
        model=model,
        args=training_args,
        train_dataset=data.get("train"),
        eval_dataset=data.get("validation"),
        tokenizer=tokenizer,
        data_collator=data_args.collator(tokenizer, model, in_eights=training_args.fp16),
        compute_metrics=compute_metrics if training_args.predict_with_generate else None,
    )
    if training_args.do_train:
        scripts.train(trainer, checkpoint)
    if training_args.do_eval:
        scripts.evaluate(trainer, data["validation"])
    if training_args.do_predict:
        output = scripts.predict(trainer, data["test"])
        if training_args.predict_with_generate:
            (written,) = texts_of(tokenizer, output.predictions)
            scripts.write_predictions(trainer, written, "generated_predictions.txt")
    scripts.share(trainer, model_args, data_args, "summarization")


if __name__ == "__main__":
    main()
