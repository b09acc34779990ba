"""The processors of older files: tables, features, and what they say of broken files."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nanoformers import BertTokenizer
from nanoformers.data.processors.glue import MrpcProcessor, glue_convert_examples_to_features, glue_processors
from nanoformers.data.processors.squad import (
    SquadExample,
    SquadProcessor,
    SquadResult,
    SquadV1Processor,
    SquadV2Processor,
    squad_convert_examples_to_features,
)
from nanoformers.data.processors.utils import (
    DataProcessor,
    InputExample,
    InputFeatures,
    SingleSentenceClassificationProcessor,
)

CHECKPOINT = Path(__file__).parents[3] / "data" / "hub" / "models" / "toyland" / "fill-mask-bert"


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained(CHECKPOINT)


def tensors(value):
    """Return a value as `tensorflow_datasets` gives it: something that offers `.numpy()`."""
    if isinstance(value, dict):
        return {name: tensors(item) for name, item in value.items()}
    if isinstance(value, list):
        return [tensors(item) for item in value]
    return SimpleNamespace(numpy=lambda: value.encode() if isinstance(value, str) else np.int64(value))


class TestExamples:
    def test_as_json(self):
        assert json.loads(InputExample("1", "a", label="x").to_json_string()) == {
            "guid": "1",
            "text_a": "a",
            "text_b": None,
            "label": "x",
        }
        assert json.loads(InputFeatures([1, 2], label=3).to_json_string())["label"] == 3

    def test_features_do_not_change(self):
        with pytest.raises(AttributeError):
            InputFeatures([1]).label = 2

    def test_the_base_class_has_no_files(self):
        with pytest.raises(NotImplementedError, match="DataProcessor has no training examples"):
            DataProcessor().get_train_examples(".")


class TestGlue:
    def test_warns_that_it_is_old(self):
        with pytest.warns(FutureWarning, match="MrpcProcessor is the older way"):
            MrpcProcessor()

    @pytest.mark.filterwarnings("ignore::FutureWarning")
    def test_a_broken_row_is_named(self, tmp_path):
        (tmp_path / "train.tsv").write_text("a\tb\tc\td\te\n1\tb\n")
        with pytest.raises(ValueError, match=r"Row 2 of train\.tsv has 2 columns, too few for MrpcProcessor"):
            MrpcProcessor().get_train_examples(tmp_path)

    @pytest.mark.filterwarnings("ignore::FutureWarning")
    def test_a_missing_file_is_named(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"dev\.tsv"):
            MrpcProcessor().get_dev_examples(tmp_path)

    @pytest.mark.filterwarnings("ignore::FutureWarning")
    @pytest.mark.parametrize("task", glue_processors)
    def test_examples_of_tensors(self, task):
        processor = glue_processors[task]()
        row = {name: f"text of {name}" for name in processor.tensor_names} | {"idx": 4, "label": 0}
        example = processor.tfds_map(processor.get_example_from_tensor_dict(tensors(row)))
        assert example.text_a == f"text of {processor.tensor_names[0]}"
        assert example.label == (processor.get_labels()[0] or "0")

    @pytest.mark.filterwarnings("ignore::FutureWarning")
    def test_features_of_single_texts(self, tokenizer):
        examples = [InputExample("1", "the fox", label="1"), InputExample("2", "a dog sings")]
        features = glue_convert_examples_to_features(examples, tokenizer, max_length=9, task="cola")
        assert [len(feature.input_ids) for feature in features] == [9, 9]
        assert [feature.label for feature in features] == [1, None]

    @pytest.mark.filterwarnings("ignore::FutureWarning")
    @pytest.mark.parametrize(
        ("kwargs", "kind", "message"),
        [
            ({"task": "cats"}, KeyError, "Task 'cats' is unknown"),
            ({}, KeyError, "output_mode=None"),
            ({"output_mode": "classification"}, ValueError, "give `label_list`, or the `task`"),
            ({"task": "rte"}, KeyError, "Label '1' of 1 is none of"),
        ],
        ids=["task", "mode", "labels", "label"],
    )
    def test_refuses(self, tokenizer, kwargs, kind, message):
        with pytest.raises(kind, match=message):
            glue_convert_examples_to_features([InputExample("1", "a", label="1")], tokenizer, **kwargs)


class TestSingleSentences:
    def test_from_a_table(self, tmp_path):
        file = tmp_path / "a.tsv"
        file.write_text("label\ttext\nx\tthe fox\ny\ta dog\n")
        processor = SingleSentenceClassificationProcessor.create_from_csv(file, "dev", skip_first_row=True)
        assert processor.examples == [
            InputExample("dev-0", "the fox", None, "x"),
            InputExample("dev-1", "a dog", None, "y"),
        ]
        assert processor.labels == ["x", "y"]

    def test_from_pairs(self):
        processor = SingleSentenceClassificationProcessor.create_from_examples([("a", 1), ("b", 0)])
        assert [example.label for example in processor] == [1, 0]
        assert len(processor[:1]) == 1

    def test_adds_or_replaces(self):
        processor = SingleSentenceClassificationProcessor.create_from_examples(["a"], ["x"])
        processor.add_examples(["b"], ["y"], ["7"])
        assert (len(processor), processor.labels, processor[1].guid) == (2, ["x", "y"], "7")
        processor.add_examples(["c"], ["z"], overwrite_labels=True, overwrite_examples=True)
        assert (len(processor), processor.labels) == (1, ["z"])

    @pytest.mark.parametrize(("labels", "ids"), [(["x", "y"], None), (None, ["1", "2"])])
    def test_lengths_agree(self, labels, ids):
        with pytest.raises(ValueError, match="mismatched lengths 1 and 2"):
            SingleSentenceClassificationProcessor().add_examples(["a"], labels, ids)

    @pytest.mark.parametrize("left", [True, False])
    def test_features(self, tokenizer, left):
        processor = SingleSentenceClassificationProcessor.create_from_examples(
            ["the fox", "a very happy dog sings"], ["x", "y"]
        )
        short, long = processor.get_features(tokenizer, pad_on_left=left, pad_token=tokenizer.pad_token_id)
        assert len(short.input_ids) == len(long.input_ids)
        assert short.attention_mask == sorted(short.attention_mask, reverse=not left)
        assert (short.label, long.label) == (0, 1)

    def test_tensors(self, tokenizer):
        processor = SingleSentenceClassificationProcessor.create_from_examples(
            ["the fox", "a dog"], ["0.5", "2"], mode="regression"
        )
        data = processor.get_features(tokenizer, return_tensors="pt")
        assert torch.equal(data.tensors[2], torch.tensor([0.5, 2.0]))
        with pytest.raises(ValueError, match="allowed are None and 'pt'"):
            processor.get_features(tokenizer, return_tensors="tf")

    def test_mode(self):
        with pytest.raises(ValueError, match="'classification' and 'regression'"):
            SingleSentenceClassificationProcessor(mode="ranking")


TEXT = "The old dog sleeps in a red house by the sea and the fox runs in the green garden all day."


def example(question: str = "Who runs?", answer: str = "fox", **kwargs) -> SquadExample:
    return SquadExample("id", question, TEXT, answer, TEXT.index(answer), "title", **kwargs)


SIZES = {"max_seq_length": 40, "doc_stride": 8, "max_query_length": 10, "tqdm_enabled": False}


class TestSquad:
    def test_is_used_through_its_versions(self, tmp_path):
        with pytest.raises(ValueError, match="instantiated via SquadV1Processor or SquadV2Processor"):
            SquadProcessor().get_train_examples(tmp_path)

    @pytest.mark.parametrize("content", ["{", "[1]", "{}"])
    def test_a_file_of_another_kind(self, tmp_path, content):
        (tmp_path / "mine.json").write_text(content)
        with pytest.raises(ValueError, match=r"mine\.json is no file of SQuAD"):
            SquadV2Processor().get_dev_examples(tmp_path, "mine.json")

    @pytest.mark.parametrize("evaluate", [False, True])
    def test_examples_of_tensors(self, evaluate):
        row = {
            "id": "7",
            "question": "Who?",
            "context": "a fox",
            "title": "T",
            "answers": {"answer_start": [2], "text": ["fox"]},
        }
        (made,) = SquadV1Processor().get_examples_from_dataset(
            {"train": [tensors(row)], "validation": [tensors(row)]}, evaluate=evaluate
        )
        assert (made.qas_id, made.answer_text) == ("7", None if evaluate else "fox")
        assert len(made.answers) == (1 if evaluate else 0)

    def test_every_token_is_best_seen_in_one_window(self, tokenizer):
        features = squad_convert_examples_to_features([example()], tokenizer, is_training=True, **SIZES)
        assert len(features) > 2
        seen = [
            feature.token_to_orig_map[place]
            for feature in features
            for place, best in feature.token_is_max_context.items()
            if best
        ]
        assert seen == sorted(seen)
        assert set(seen) == set(range(len(TEXT.split())))

    def test_the_answer_is_where_it_says(self, tokenizer):
        features = squad_convert_examples_to_features([example()], tokenizer, is_training=True, **SIZES)
        with_answer = [feature for feature in features if not feature.is_impossible]
        assert with_answer
        for feature in with_answer:
            span = slice(feature.start_position, feature.end_position + 1)
            assert tokenizer.decode(feature.input_ids[span]) == "fox"
        assert all(
            feature.start_position == feature.cls_index for feature in features if feature.is_impossible
        )

    def test_an_answer_that_is_not_there_is_left_out(self, tokenizer, caplog):
        wrong = SquadExample("id", "Who?", TEXT, "a whale", 3, "title")
        features = squad_convert_examples_to_features(
            [wrong, example()], tokenizer, is_training=True, **SIZES
        )
        assert {feature.example_index for feature in features} == {0}
        assert features[0].unique_id == 1_000_000_000

    @pytest.mark.parametrize(("is_training", "columns"), [(True, 8), (False, 6)])
    def test_tensors(self, tokenizer, is_training, columns):
        features, data = squad_convert_examples_to_features(
            [example()], tokenizer, is_training=is_training, return_dataset="pt", **SIZES
        )
        assert len(data.tensors) == columns
        assert data.tensors[0].shape == (len(features), 40)

    def test_two_processes_do_the_same(self, tokenizer):
        many = [example() for _ in range(3)]
        one, two = (
            squad_convert_examples_to_features(many, tokenizer, is_training=True, threads=threads, **SIZES)
            for threads in (1, 2)
        )
        assert one == two

    @pytest.mark.parametrize(
        "sizes",
        [{"max_seq_length": 12}, {"doc_stride": 0}, {"doc_stride": 39}],
        ids=["window", "no-stride", "stride"],
    )
    def test_windows_have_room_for_text(self, tokenizer, sizes):
        with pytest.raises(ValueError, match=r"tokens of text beside a question of .* doc_stride"):
            squad_convert_examples_to_features(
                [example("The old dog sleeps in a red house?")], tokenizer, is_training=True, **SIZES | sizes
            )

    def test_other_data_sets(self, tokenizer):
        with pytest.raises(ValueError, match="allowed are False and 'pt'"):
            squad_convert_examples_to_features(
                [example()], tokenizer, is_training=True, return_dataset="tf", **SIZES
            )

    def test_results_of_models_with_beams(self):
        assert not hasattr(SquadResult(1, [0.1], [0.2]), "cls_logits")
        assert SquadResult(1, [0.1], [0.2], [0], [0], 0.5).cls_logits == 0.5
