"""The example scripts on files as users have them: without labels, with holes, or not what they should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from classroom import toyland

from .conftest import write_csv, write_lines

pytestmark = pytest.mark.slow

QUICK = "--num_train_epochs 1 --max_train_samples 16 --disable_tqdm true"
BERT = "--model_name_or_path toyland/fill-mask-bert"
GLUE = "text-classification/run_glue.py --text_column_names told,claim"
NER = "token-classification/run_ner.py"
QA = "question-answering/run_qa.py --model_name_or_path toyland/questions-bert"
T5 = "--model_name_or_path toyland/text-to-text-t5 --max_source_length 128 --max_target_length 16"
SUM = f"summarization/run_summarization.py {T5} --source_prefix summarize:~ --predict_with_generate"
TRANSLATION = f"translation/run_translation.py {T5} --source_lang en --target_lang fr --predict_with_generate"
SWAG = "multiple-choice/run_swag.py --model_name_or_path toyland/fill-mask-bert"
CLM = "language-modeling/run_clm.py --model_name_or_path toyland/stories-gpt2"
MLM = "language-modeling/run_mlm.py --model_name_or_path toyland/fill-mask-bert"


def without(row, name):
    return {key: value for key, value in row.items() if key != name}


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A folder with files that lack something."""
    folder = tmp_path_factory.mktemp("given")
    names = ("follows", "open", "wrong")
    claims = [
        {"told": pair["premise"], "claim": pair["hypothesis"], "verdict": names[pair["label"]]}
        for pair in toyland.rows("entailment", 30)
    ]
    write_csv(folder / "claims.csv", claims)
    write_csv(folder / "unlabelled.csv", [without(row, "verdict") for row in claims[:4]])
    write_csv(folder / "blank.csv", [row | {"verdict": ""} for row in claims[:4]])
    write_csv(folder / "two.csv", [row for row in claims if row["verdict"] != "wrong"])
    write_csv(folder / "hole.csv", [*claims[:5], claims[5] | {"verdict": ""}])
    write_csv(folder / "silence.csv", [*claims[:5], claims[5] | {"claim": ""}])
    (folder / "empty.csv").write_text("told,claim,verdict\n")
    (folder / "broken.json").write_text('{"told": "a", "claim": "b"}\n{"told": ')

    tagged = [
        {"tokens": row["tokens"], "ner_tags": [("O", "B-IT")[tag > 0] for tag in row["ner_tags"]]}
        for row in toyland.rows("entities", 12)
    ]
    write_lines(folder / "tagged.jsonl", tagged)
    write_lines(folder / "words.jsonl", [without(row, "ner_tags") for row in tagged[:3]])
    write_lines(folder / "short.jsonl", [{**row, "ner_tags": row["ner_tags"][1:]} for row in tagged[:3]])

    questions = toyland.rows("questions", 5)
    (folder / "squad.json").write_text(json.dumps({"version": "mine", "data": questions}))
    write_lines(folder / "unanswered.jsonl", [without(row, "answers") for row in questions])
    write_lines(folder / "nameless.jsonl", [without(row, "id") for row in questions])
    write_lines(folder / "endless.jsonl", [without(row, "label") for row in toyland.rows("endings", 4)])

    stories = [{"body": row["story"], "top": row["headline"]} for row in toyland.rows("headlines", 5)]
    write_lines(folder / "stories.jsonl", [without(row, "top") for row in stories])
    write_lines(folder / "gap.jsonl", [*stories[:2], {**stories[2], "top": None}, *stories[3:]])
    write_lines(folder / "english.jsonl", [{"translation": {"en": "The fox runs."}}] * 3)
    write_lines(folder / "nulls.jsonl", [{"text": "Anna sings a song."}, {"text": None}] * 10)
    return folder


@pytest.fixture(scope="module")
def runs(run_scripts, given, tmp_path_factory):
    """{name: what each run printed and the error that ended it}, and the folder with their outputs."""
    out = tmp_path_factory.mktemp("out")
    verdict, label = f"--train_file {given}/claims.csv", "--label_column_name verdict"
    commands = {
        "claims": f"{GLUE} {BERT} {verdict} {label} --validation_file {given}/claims.csv --do_train "
        "--do_eval --metric_name f1",
        "unlabelled": f"{GLUE} --model_name_or_path {out}/claims --test_file {given}/unlabelled.csv "
        "--do_predict",
        "two": f"{GLUE} --model_name_or_path {out}/claims --validation_file {given}/two.csv {label} "
        "--do_eval",
        "blank": f"{GLUE} --model_name_or_path {out}/claims --test_file {given}/blank.csv {label} "
        "--do_predict",
        "hidden": f"{GLUE} {BERT} {verdict} {label} --test_file {given}/unlabelled.csv --do_predict",
        "hole": f"{GLUE} {BERT} --train_file {given}/hole.csv {label} --do_train",
        "silence": f"{GLUE} {BERT} --train_file {given}/silence.csv {label} --do_train",
        "three": f"{GLUE},verdict {BERT} {verdict} {label} --do_train",
        "empty": f"{GLUE} {BERT} --train_file {given}/empty.csv {label} --do_train",
        "broken": f"{GLUE} {BERT} --train_file {given}/broken.json {label} --do_train",
        "tagged": f"{NER} {BERT} --train_file {given}/tagged.jsonl --do_train",
        "words": f"{NER} --model_name_or_path {out}/tagged --test_file {given}/words.jsonl --do_predict",
        "short": f"{NER} {BERT} --train_file {given}/short.jsonl --do_train",
        "texts": f"{NER} {BERT} {verdict} --text_column_name told {label} --do_train",
        "squad": f"{QA} --validation_file {given}/squad.json --do_eval",
        "unanswered": f"{QA} --test_file {given}/unanswered.jsonl --do_predict",
        "answerless": f"{QA} --train_file {given}/unanswered.jsonl --do_train",
        "nameless": f"{QA} --validation_file {given}/nameless.jsonl --do_eval",
        "endless": f"{SWAG} --test_file {given}/endless.jsonl --do_predict",
        "endings": f"{SWAG} --train_file {given}/endless.jsonl --do_train",
        "stories": f"{SUM} --test_file {given}/stories.jsonl --text_column body --do_predict",
        "gap": f"{SUM} --test_file {given}/gap.jsonl --text_column body --summary_column top --do_predict",
        "english": f"{TRANSLATION} --test_file {given}/english.jsonl --do_predict",
        "nulls": f"{CLM} --train_file {given}/nulls.jsonl --block_size 16 --do_train",
        "gaps": f"{MLM} --train_file {given}/nulls.jsonl --max_seq_length 16 --do_train",
        "little": f"{CLM} --train_file {given}/nulls.jsonl --do_train",
        "block": f"{CLM} --train_file {given}/nulls.jsonl --block_size 0 --do_train",
        "share": f"{CLM} --train_file {given}/nulls.jsonl --validation_split_percentage 100 --do_train",
    }
    done = run_scripts({name: f"{line} {QUICK} --output_dir {out / name}" for name, line in commands.items()})
    return done, out


class TestWithoutLabels:
    @pytest.mark.parametrize(
        ("name", "file", "count"),
        [
            ("unlabelled", "predict_results.txt", 5),  # with a line of titles
            ("blank", "predict_results.txt", 5),
            ("hidden", "predict_results.txt", 5),
            ("words", "predictions.txt", 3),
            ("endless", "predict_results.txt", 5),
            ("stories", "generated_predictions.txt", 5),
            ("english", "generated_predictions.txt", 3),
        ],
    )
    def test_each_row_gets_a_prediction_and_no_score(self, runs, name, file, count):
        done, out = runs
        assert done[name]["error"] == "", done[name]["printed"][-2000:]
        assert len((out / name / file).read_text().splitlines()) == count
        scores = json.loads((out / name / "predict_results.json").read_text())
        assert {score.removeprefix("predict_").split("_")[0] for score in scores} == {
            "runtime",
            "samples",
            "steps",
        }

    def test_classes_are_those_of_the_checkpoint(self, runs):
        lines = (runs[1] / "unlabelled" / "predict_results.txt").read_text().splitlines()
        assert {line.split("\t")[1] for line in lines[1:]} <= {"follows", "open", "wrong"}

    def test_a_tag_stands_for_each_word(self, runs, given):
        lines = (runs[1] / "words" / "predictions.txt").read_text().splitlines()
        words = [json.loads(line)["tokens"] for line in (given / "words.jsonl").read_text().splitlines()]
        assert [len(line.split()) for line in lines] == list(map(len, words))

    def test_questions_without_answers(self, runs):
        done, out = runs
        assert done["unanswered"]["error"] == ""
        assert len(json.loads((out / "unanswered" / "predict_predictions.json").read_text())) == 5


class TestWhatCanBeUsed:
    def test_a_checkpoint_keeps_classes_that_a_file_has_not(self, runs):
        done, out = runs
        assert done["two"]["error"] == ""
        assert "eval_accuracy" in json.loads((out / "two" / "all_results.json").read_text())

    def test_f1_of_several_classes_is_their_mean(self, runs):
        done, out = runs
        assert done["claims"]["error"] == ""
        assert 0 <= json.loads((out / "claims" / "all_results.json").read_text())["eval_f1"] <= 1

    def test_rows_in_the_field_data(self, runs):
        done, out = runs
        assert done["squad"]["error"] == ""
        assert len(json.loads((out / "squad" / "eval_predictions.json").read_text())) == 5

    def test_a_summary_that_is_missing_moves_no_line(self, runs):
        done, out = runs
        assert done["gap"]["error"] == ""
        assert len((out / "gap" / "generated_predictions.txt").read_text().splitlines()) == 5

    @pytest.mark.parametrize("name", ["nulls", "gaps"])
    def test_language_models_pass_over_texts_that_are_missing(self, runs, name):
        assert runs[0][name]["error"] == ""


class TestWhatCannot:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("hole", "ValueError: The column 'verdict' of the train split is empty in 1 of 6 rows, first"),
            (
                "silence",
                "ValueError: The column 'claim' of the train split is empty in 1 of 6 rows, first in",
            ),
            ("three", "ValueError: --text_column_names takes one column or two, not 3."),
            ("short", "ValueError: 22 words and 21 tags are in one row: "),
            ("texts", "ValueError: The column 'verdict' holds no lists: each row has a list with a tag for"),
            ("answerless", "ValueError: The train split has no column 'answers', which is needed here; it"),
            ("nameless", "ValueError: The validation split has no column 'id', which is needed here; it has"),
            ("endings", "ValueError: The train split has no column 'label', which is needed here; it has:"),
            (
                "little",
                "ValueError: All texts of the train split together have fewer tokens than one block of",
            ),
            ("block", "ValueError: --block_size is a number of tokens, 1 or more, not 0."),
            ("share", "ValueError: --validation_split_percentage is from 0 to 99"),
        ],
    )
    def test_is_told(self, runs, name, message):
        assert runs[0][name]["error"].startswith(message)

    @pytest.mark.parametrize(("name", "kind"), [("empty", "csv"), ("broken", "json")])
    def test_a_file_that_cannot_be_read_is_named(self, runs, given, name, kind):
        expected = f"ValueError: {given}/{name}.{kind} cannot be read as {kind}, or without any row: "
        assert runs[0][name]["error"].startswith(expected)
