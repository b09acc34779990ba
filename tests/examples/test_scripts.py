"""The example scripts, run for real on a few rows with the course's small checkpoints."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from classroom.paths import examples_root

pytestmark = pytest.mark.slow

SCRIPTS = examples_root() / "pytorch"
FEW = "--max_train_samples 24 --max_eval_samples 8"
QUICK = f"--do_train --do_eval --num_train_epochs 1 --disable_tqdm true {FEW}"
ALL = f"{QUICK} --do_predict --max_predict_samples 6"
GLUE = "text-classification/run_glue.py --model_name_or_path toyland/fill-mask-bert"
NER = "token-classification/run_ner.py --model_name_or_path toyland/fill-mask-bert"
QA = "question-answering/run_qa.py --model_name_or_path toyland/questions-bert"
CLM = "language-modeling/run_clm.py"
MLM = "language-modeling/run_mlm.py --model_name_or_path toyland/fill-mask-bert"
T5 = "--model_name_or_path toyland/text-to-text-t5 --max_source_length 128 --max_target_length 32"
SUM = f"summarization/run_summarization.py {T5} --source_prefix summarize:~"
LOOP = f"summarization/run_summarization_no_trainer.py {T5} --source_prefix summarize:~ --seed 1"
TRANSLATION = f"translation/run_translation.py {T5} --source_lang en --target_lang fr"
SWAG = "multiple-choice/run_swag.py --model_name_or_path toyland/fill-mask-bert"


def results(folder: Path, stage: str = "all") -> dict[str, float]:
    return json.loads((folder / f"{stage}_results.json").read_text())


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder in which the runs have their output folders."""
    return tmp_path_factory.mktemp("out")


@pytest.fixture(scope="module")
def runs(run_scripts, files, out):
    """Every script, once on a data set of the hub; some a second time on files."""
    commands = {
        "pairs": f"{GLUE} --dataset_name toyland/entailment {ALL}",
        "files": f"{GLUE} --train_file {files}/claims.csv --validation_file {files}/claims.csv {QUICK} "
        "--text_column_names told,claim --label_column_name verdict",
        "numbers": f"{GLUE} --train_file {files}/stars.jsonl --validation_file {files}/stars.jsonl {QUICK}",
        "several": f"{GLUE} --train_file {files}/moods.jsonl --validation_file {files}/moods.jsonl {QUICK}",
        "mnli": f"{GLUE} --task_name MNLI --dataset_name {files}/mnli {ALL}",
        "ner": f"{NER} --dataset_name toyland/entities --return_entity_level_metrics {ALL}",
        "qa": f"{QA} --dataset_name toyland/questions --max_seq_length 48 --doc_stride 16 {ALL}",
        "clm": f"{CLM} --model_name_or_path toyland/stories-gpt2 --dataset_name toyland/stories "
        f"--block_size 64 --add_eos_token {ALL}",
        "scratch": f"{CLM} --model_type gpt2 --tokenizer_name toyland/stories-gpt2 --block_size 32 "
        "--config_overrides n_layer=1,n_embd=32,n_head=2,vocab_size=769 --validation_split_percentage 20 "
        f"--train_file {files}/stories.txt {QUICK}",
        "mlm": f"{MLM} --dataset_name toyland/sentences --max_seq_length 64 {ALL}",
        "words": f"{MLM} --train_file {files}/stories.txt --line_by_line --whole_word_mask {QUICK}",
        "summaries": f"{SUM} --dataset_name toyland/headlines --predict_with_generate {ALL}",
        "own": f"{SUM} --train_file {files}/news.jsonl --validation_file {files}/news.jsonl {QUICK} "
        "--text_column body --summary_column top --save_steps 1 --save_total_limit 2",
        "french": f"{TRANSLATION} --dataset_name toyland/en-fr --predict_with_generate {ALL}",
        "table": f"{TRANSLATION} --train_file {files}/pairs.csv --validation_file {files}/pairs.csv {QUICK}",
        "swag": f"{SWAG} --dataset_name toyland/endings {ALL}",
    }
    return run_scripts({name: f"{line} --output_dir {out / name}" for name, line in commands.items()})


class TestEveryScript:
    METRICS = {  # noqa: RUF012
        "pairs": "accuracy",
        "files": "accuracy",
        "numbers": "mse",
        "several": "f1",
        "mnli": "accuracy",
        "ner": "f1",
        "qa": "exact_match",
        "clm": "accuracy",
        "scratch": "accuracy",
        "mlm": "accuracy",
        "words": "accuracy",
        "summaries": "rougeLsum",
        "own": "loss",
        "french": "bleu",
        "table": "loss",
        "swag": "accuracy",
    }

    @pytest.mark.parametrize(("name", "metric"), METRICS.items())
    def test_trains_and_evaluates(self, runs, out, name, metric):
        assert runs[name]["error"] == "", runs[name]["printed"][-2000:]
        assert results(out / name, "train")["train_loss"] > 0
        assert f"eval_{metric}" in results(out / name, "eval")
        assert results(out / name) == results(out / name) | results(out / name, "train")

    @pytest.mark.parametrize("name", METRICS)
    def test_saves_the_model_with_its_tokenizer_and_a_card(self, runs, out, name):
        saved = {path.name for path in (out / name).iterdir()}
        assert {"config.json", "model.safetensors", "tokenizer_config.json", "trainer_state.json"} <= saved
        assert "generated_from_trainer" in (out / name / "README.md").read_text()

    @pytest.mark.parametrize("name", ["pairs", "ner", "qa", "summaries", "french", "swag"])
    def test_predicts_no_more_rows_than_asked(self, runs, out, name):
        files = {"ner": "predictions.txt", "summaries": "generated_predictions.txt"}
        files["french"] = files["summaries"]
        if name == "qa":
            assert len(json.loads((out / name / "predict_predictions.json").read_text())) == 6
            return
        lines = (out / name / files.get(name, "predict_results.txt")).read_text().splitlines()
        assert len([line for line in lines if not line.startswith("index")]) == 6


class TestClassification:
    def test_classes_of_a_file_have_their_own_names(self, runs, out):
        config = json.loads((out / "files" / "config.json").read_text())
        assert config["label2id"] == {"follows": 0, "open": 1, "wrong": 2}
        assert config["problem_type"] == "single_label_classification"

    def test_numbers_make_a_regression(self, runs, out):
        assert json.loads((out / "numbers" / "config.json").read_text())["problem_type"] == "regression"

    def test_lists_of_classes_hold_at_once(self, runs, out):
        config = json.loads((out / "several" / "config.json").read_text())
        assert config["problem_type"] == "multi_label_classification"
        assert list(config["label2id"]) == ["good", "short"]

    def test_a_glue_task_is_evaluated_on_both_of_its_sets(self, runs, out):
        assert {"eval_accuracy", "eval_mm_accuracy"} <= set(results(out / "mnli"))
        assert "predict_accuracy" not in results(out / "mnli")  # nobody but GLUE has these labels
        lines = (out / "mnli" / "predict_results.txt").read_text().splitlines()
        assert {line.split("\t")[1] for line in lines[1:]} <= {"follows", "open", "wrong"}

    def test_predictions_are_named(self, runs, out):
        lines = (out / "pairs" / "predict_results.txt").read_text().splitlines()
        assert lines[0] == "index\tprediction"
        assert all(re.fullmatch(r"\d\t(entailment|neutral|contradiction)", line) for line in lines[1:])


class TestOtherTasks:
    def test_entities_are_scored_kind_by_kind(self, runs, out):
        assert {"eval_PER_f1", "eval_OBJ_recall"} <= set(results(out / "ner", "eval"))

    def test_a_predicted_tag_stands_for_each_word(self, runs, out):
        from classroom import toyland

        first = next(iter((out / "ner" / "predictions.txt").read_text().splitlines()))
        words = toyland.rows("entities", 2201)[2200]["tokens"]
        assert len(first.split()) == len(words)

    def test_long_texts_are_cut_into_windows_and_still_answered(self, runs, out):
        evaluated = results(out / "qa", "eval")
        assert evaluated["eval_samples"] > 8  # windows, of eight questions
        assert evaluated["eval_exact_match"] > 60  # the checkpoint knows how

    def test_candidates_have_probabilities(self, runs, out):
        candidates = json.loads((out / "qa" / "eval_nbest_predictions.json").read_text())
        for found in candidates.values():
            assert sum(one["probability"] for one in found) == pytest.approx(1)

    def test_perplexity_follows_from_the_loss(self, runs, out):
        import math

        found = results(out / "clm", "eval")
        assert found["perplexity"] == pytest.approx(math.exp(found["eval_loss"]))

    def test_a_new_model_has_the_size_that_was_asked_for(self, runs, out):
        config = json.loads((out / "scratch" / "config.json").read_text())
        assert (config["n_layer"], config["n_embd"]) == (1, 32)

    def test_the_card_names_what_it_learned_from(self, runs, out):
        card = (out / "summaries" / "README.md").read_text()
        assert "base_model: toyland/text-to-text-t5" in card
        assert "- toyland/headlines" in card
        assert "pipeline_tag: summarization" in card


class TestGoingOn:
    @pytest.fixture(scope="class")
    def second(self, runs, run_scripts, files, out):
        """What happens when a script is called again; the first time saved checkpoints 2 and 3."""
        data = f"--train_file {files}/news.jsonl --validation_file {files}/news.jsonl"
        again = f"{SUM} {data} --do_train {FEW} --text_column body --summary_column top --disable_tqdm true"
        (out / "taken").mkdir()
        (out / "taken" / "thesis.txt").write_text("years of work")
        return run_scripts(
            {
                "newest": f"{again} --num_train_epochs 2 --output_dir {out}/own",
                "chosen": f"{again} --num_train_epochs 1 --output_dir {out}/elsewhere "
                f"--resume_from_checkpoint {out}/own/checkpoint-2",
                "anew": f"{again} --max_steps 1 --output_dir {out}/own --overwrite_output_dir",
                "taken": f"{again} --output_dir {out}/taken",
            }
        )

    def test_the_newest_checkpoint_is_found(self, second):
        assert second["newest"]["error"] == ""
        assert re.search(
            r"Checkpoint detected, resuming training at .*own/checkpoint-3", second["newest"]["printed"]
        )

    def test_a_checkpoint_can_be_chosen(self, second, out):
        assert second["chosen"]["error"] == ""
        state = json.loads((out / "elsewhere" / "trainer_state.json").read_text())
        assert state["global_step"] == 3

    def test_or_training_begins_anew(self, second, out):
        assert second["anew"]["error"] == ""
        assert "Checkpoint detected" not in second["anew"]["printed"]
        assert json.loads((out / "own" / "trainer_state.json").read_text())["global_step"] == 1

    def test_a_folder_of_something_else_is_left_alone(self, second, out):
        assert "already exists and is not empty. Use --overwrite_output_dir" in second["taken"]["error"]
        assert [path.name for path in (out / "taken").iterdir()] == ["thesis.txt"]


class TestWrongInput:
    @pytest.fixture(scope="class")
    def refused(self, run_scripts, files, tmp_path_factory):
        """What scripts say to arguments that cannot be right."""
        folder = tmp_path_factory.mktemp("refused")
        news = f"--train_file {files}/news.jsonl"
        (folder / "news.xlsx").write_text("")
        commands = {
            "no data": SUM,
            "both": f"{SUM} --dataset_name toyland/headlines {news}",
            "kind": f"{SUM} --train_file {folder}/news.xlsx",
            "missing": f"{SUM} --train_file {folder}/absent.csv",
            "nothing": f"{SUM} {news} --text_column body --summary_column top",
            "column": f"{SUM} {news} --text_column boddy --do_train",
            "guess": f"{SUM} {news} --do_train",
            "split": f"{SUM} {news} --text_column body --summary_column top --do_train --do_eval",
            "task": f"{GLUE} --task_name mrcp --do_train",
            "languages": f"translation/run_translation.py {T5} --dataset_name toyland/en-fr --do_train",
            "language": f"{TRANSLATION} --dataset_name toyland/en-ja --do_train",
            "tokenizer": f"{CLM} --model_type gpt2 --train_file {files}/stories.txt",
            "overrides": f"{CLM} --model_name_or_path gpt2 --config_overrides n_layer=1 {news}",
            "steps": f"{LOOP} {news} --output_dir {folder}/x --checkpointing_steps often",
            "flag": f"{SUM} {news} --epochs 3",
            "samples": f"{SUM} {news} --max_train_samples 0",
        }
        loop = {"steps"}
        return run_scripts(
            {
                name: line + (f" --output_dir {folder}/out" * (name not in loop))
                for name, line in commands.items()
            }
        )

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("no data", "ValueError: Need either a dataset name or a training, validation, or test file."),
            ("both", "ValueError: Both --dataset_name toyland/headlines and --train_file"),
            ("kind", "ValueError: `train_file` should be a csv or a json file, not"),
            ("missing", "FileNotFoundError: --train_file: there is no file"),
            (
                "nothing",
                "ValueError: There is nothing to do. Pass `--do_train`, `--do_eval` and/or `--do_predict`.",
            ),
            ("column", "ValueError: '--text_column' value 'boddy' needs to be one of: body, top"),
            ("guess", "ValueError: Which column is it? Pass --text_column with one of: body, top"),
            ("split", "ValueError: --do_eval requires a validation dataset; there is only: train."),
            ("task", "ValueError: Unknown task mrcp, you should pick one in cola,"),
            ("languages", "ValueError: Need to specify the source language and the target language."),
            ("language", "ValueError: There is no language 'fr' in the data, which have: en, ja."),
            ("tokenizer", "ValueError: You are instantiating a new tokenizer from scratch."),
            ("overrides", "ValueError: --config_overrides can't be used in combination with"),
            ("steps", "ValueError: --checkpointing_steps should be a number or 'epoch', not 'often'."),
            ("samples", "ValueError: --max_train_samples is a number of examples, 1 or more, not 0."),
            (
                "flag",
                "ValueError: Some specified arguments are not used by the HfArgumentParser: ['--epochs'",
            ),
        ],
    )
    def test_is_refused(self, refused, name, message):
        assert refused[name]["error"].startswith(message)


class TestHelp:
    @pytest.fixture(scope="class")
    def shown(self, run_scripts):
        scripts = sorted(path.relative_to(SCRIPTS) for path in SCRIPTS.rglob("run_*.py"))
        return run_scripts({path.stem: f"{path} --help" for path in scripts})

    def test_every_script_has_one(self, shown):
        assert len(shown) == 9
        for name, run in shown.items():
            assert run["error"] == "SystemExit: 0"
            assert f"python {name}.py" in run["printed"] or f"accelerate launch {name}.py" in run["printed"]
            assert "--max_train_samples" in run["printed"]

    def test_every_argument_is_explained(self, shown):
        for run in shown.values():
            arguments = re.findall(r"^  --\w.*\n(?!  {10,})", run["printed"], flags=re.MULTILINE)
            assert [line for line in arguments if not re.search(r"  \S", line[4:])] == []


class TestProcesses:
    def test_torchrun_trains_with_two(self, runs, environment, out, files):
        line = f"{GLUE} --dataset_name toyland/entailment {QUICK} --output_dir {out}/two --use_cpu"
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
            + [str(SCRIPTS / word) if word.endswith(".py") else word for word in line.split()],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert "Process rank: 1 of 2" in done.stdout + done.stderr
        state = json.loads((out / "two" / "trainer_state.json").read_text())
        assert state["global_step"] == 2  # 24 rows, in batches of 8 for each of the two
        assert results(out / "two", "eval")["eval_samples"] == 8


class TestOwnLoop:
    @pytest.fixture(scope="class")
    def loop(self, run_scripts, files, out):
        data = f"--train_file {files}/news.jsonl --validation_file {files}/news.jsonl --text_column body"
        line = f"{LOOP} {data} --summary_column top {FEW} --num_train_epochs 2 --learning_rate 1e-3"
        return run_scripts(
            {
                "whole": f"{line} --output_dir {out}/loop --checkpointing_steps 2",
                "resumed": f"{line} --output_dir {out}/resumed --resume_from_checkpoint {out}/loop/step_4",
                "pushed": f"{line} --max_train_steps 1 --output_dir {out}/pushed --push_to_hub "
                "--hub_model_id learner/loop-test",
            }
        )

    def test_trains_and_scores(self, loop, out):
        assert loop["whole"]["error"] == ""
        assert "eval_rougeLsum" in results(out / "loop")
        assert (out / "loop" / "model.safetensors").is_file()

    def test_goes_on_from_the_middle_of_an_epoch_as_if_it_had_not_stopped(self, loop, out):
        from safetensors.torch import load_file

        whole, resumed = (load_file(out / name / "model.safetensors") for name in ("loop", "resumed"))
        assert all((whole[name] - resumed[name]).abs().max() < 1e-6 for name in whole)

    def test_uploads(self, loop, hub):
        from huggingface_hub import HfApi

        assert loop["pushed"]["error"] == ""
        files = HfApi(hub.endpoint).list_repo_files("learner/loop-test")
        assert {"config.json", "model.safetensors", "all_results.json"} <= set(files)


def test_the_trainer_uploads_with_push_to_hub(runs, run_scripts, hub, out):
    from huggingface_hub import HfApi

    line = f"{SWAG} --dataset_name toyland/endings {QUICK} --output_dir {out}/pushed-endings --push_to_hub"
    done = run_scripts({"push": f"{line} --push_to_hub_model_id endings-of-mine"})["push"]
    assert done["error"] == "", done["printed"][-2000:]
    files = HfApi(hub.endpoint).list_repo_files("learner/endings-of-mine")
    assert {"README.md", "config.json", "model.safetensors"} <= set(files)


def test_arguments_may_stand_in_a_file(run_scripts, out, tmp_path):
    arguments = tmp_path / "arguments.json"
    arguments.write_text(
        json.dumps(
            {
                "model_name_or_path": "toyland/fill-mask-bert",
                "dataset_name": "toyland/endings",
                "do_eval": True,
                "max_eval_samples": 4,
                "output_dir": str(out / "from-file"),
            }
        )
    )
    done = run_scripts({"file": f"multiple-choice/run_swag.py {arguments}"})["file"]
    assert done["error"] == ""
    assert results(out / "from-file")["eval_samples"] == 4
