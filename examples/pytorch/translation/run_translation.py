#!/usr/bin/env python
r"""Fine-tune a model to translate.

    python run_translation.py --model_name_or_path t5-small --do_train --do_eval \
        --source_lang en --target_lang ro --source_prefix "translate English to Romanian: " \
        --dataset_name wmt16 --dataset_config_name ro-en --predict_with_generate --output_dir out/en-ro

A row holds the same text in both languages, {"translation": {"en": "Others ...", "ro": "Altii ..."}}; a file
has one such object on each line, or is a table with a column for each language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nanoformers import (
    AutoModelForSeq2SeqLM,
    EvalPrediction,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
)
from nanoformers.hf_argparser import HfArg
from nanoformers.training import scripts
from nanoformers.training.scripts.sequence_to_sequence import (
    TextToTextArguments,
    mean_length,
    texts_of,
    tokenize_splits,
)


@dataclass
class DataTrainingArguments(TextToTextArguments):
    """Which data, and from which language into which."""

    source_lang: str | None = HfArg(default=None, help="Language to translate from (en).")
    target_lang: str | None = HfArg(default=None, help="Language to translate into (ro).")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source_lang is None or self.target_lang is None:
            raise ValueError("Need to specify the source language and the target language.")
        self.source_lang = self.source_lang.split("_")[0]  # mBART's en_XX is "en" in the data
        self.target_lang = self.target_lang.split("_")[0]


def main() -> None:
    """Train, evaluate and predict, as the arguments say."""
    model_args, data_args, training_args = scripts.parse_arguments(
        scripts.ModelArguments, DataTrainingArguments, Seq2SeqTrainingArguments, description=__doc__
    )
    checkpoint = scripts.start(training_args)

    # Data
    data = scripts.chosen_splits(scripts.load_splits(data_args, model_args), data_args, training_args)
    first = next(iter(data.values()))[0]
    nested = "translation" in first
    known = first["translation"] if nested else first
    wanted = [data_args.source_lang]
    if training_args.do_train or training_args.do_eval:
        wanted.append(data_args.target_lang)  # in prediction, nobody has to know the translations
    for language in wanted:
        if language not in known:
            raise ValueError(
                f"There is no language {language!r} in the data, which have: {', '.join(known)}."
            )

    # Model
    tokenizer = model_args.load_tokenizer()
    model = AutoModelForSeq2SeqLM.from_pretrained(
        model_args.model_name_or_path, config=model_args.load_config(), **model_args.hub
    )
    data_args.check(model, model_args.model_name_or_path)
    data_args.settle_generation(training_args)

    # Preprocessing
    def pairs(rows: dict[str, list[Any]]) -> tuple[list[Any], list[Any] | None]:
        if nested:
            rows = {language: [pair[language] for pair in rows["translation"]] for language in known}
        return rows[data_args.source_lang], rows.get(data_args.target_lang)

    data = tokenize_splits(data, pairs, tokenizer, data_args, training_args)

    # Metrics; where words have no spaces between them, single characters are counted
    bleu = scripts.load_metric("sacrebleu") if training_args.predict_with_generate else None
    words = {"ja": "char", "zh": "zh"}.get(data_args.target_lang or "", "13a")

    def compute_metrics(prediction: EvalPrediction) -> dict[str, float]:
        written, wanted = texts_of(tokenizer, prediction.predictions, prediction.label_ids)
        score = bleu.compute(predictions=written, references=[[text] for text in wanted], tokenize=words)[
            "score"
        ]
        return {"bleu": round(score, 4), "gen_len": mean_length(prediction.predictions, tokenizer)}

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
    languages = [data_args.source_lang, data_args.target_lang]
    scripts.share(trainer, model_args, data_args, "translation", language=languages)


if __name__ == "__main__":
    main()
