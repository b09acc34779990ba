"""What holds for every pipeline: inputs, order, batches, streams, parameters, devices, saving."""

from __future__ import annotations

import itertools

import pytest
import torch
from nanoformers import ChunkPipeline, FeatureExtractionPipeline, TextClassificationPipeline, pipeline
from nanoformers.pipelines.pt_utils import KeyDataset, KeyPairDataset
from torch.utils.data import Dataset


class WithoutEnd(Dataset):
    """As the documentation writes one: a length, and items for any number."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return "the cat " * index


def record_batches(model) -> list[torch.Size]:
    """Note the shape of `input_ids` at every forward pass."""
    shapes: list[torch.Size] = []
    model.register_forward_pre_hook(
        lambda _, args, kwargs: shapes.append(kwargs["input_ids"].shape), with_kwargs=True
    )
    return shapes


def assert_close(answers: list[dict], expected: list[dict]) -> None:
    """The same labels, and scores that agree to the last digits of 32 bits."""
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in expected]
    scores = [answer["score"] for answer in expected]
    assert [answer["score"] for answer in answers] == pytest.approx(scores, abs=1e-5)


class TestInputs:
    def test_one_text(self, extractor):
        assert len(extractor("the cat")[0]) == 4

    def test_a_list_gives_a_list(self, extractor):
        assert [len(answer[0]) for answer in extractor(["the cat", "the"])] == [4, 3]

    def test_an_empty_list(self, extractor):
        assert extractor([]) == []

    def test_a_generator_gives_an_iterator(self, classifier):
        answers = classifier(text for text in ["the cat", "the dog"])
        assert [set(answer) for answer in answers] == [{"label", "score"}] * 2

    def test_a_dataset_ends_at_its_length(self, classifier):
        answers = classifier(WithoutEnd())
        assert len(answers) == 5
        assert len(list(answers)) == 5

    def test_a_generator_has_no_length(self, classifier):
        with pytest.raises(TypeError, match="not known"):
            len(classifier(text for text in ["the cat"]))

    def test_a_column_of_a_dataset(self, classifier):
        datasets = pytest.importorskip("datasets")
        dataset = datasets.Dataset.from_dict({"text": ["the cat", "the dog ran"], "rating": [1, 2]})
        assert list(classifier(KeyDataset(dataset, "text"))) == classifier(["the cat", "the dog ran"])
        assert classifier(dataset["text"]) == classifier(["the cat", "the dog ran"])

    def test_a_dataset_needs_a_column(self, classifier):
        datasets = pytest.importorskip("datasets")
        with pytest.raises(ValueError, match=r"KeyDataset.*\['text'\]"):
            classifier(datasets.Dataset.from_dict({"text": ["the cat"]}))

    def test_an_unknown_column_names_the_columns(self):
        with pytest.raises(KeyError, match=r"columns are \['text'\]"):
            KeyDataset([{"text": "the cat"}], "txt")[0]

    def test_two_columns_are_pairs(self, classifier):
        rows = [{"a": "the cat", "b": "the dog"}, {"a": "the mat", "b": "it ran"}]
        pairs = [{"text": row["a"], "text_pair": row["b"]} for row in rows]
        assert list(classifier(KeyPairDataset(rows, "a", "b"))) == classifier(pairs)

    def test_scikit_learn_names(self, classifier, texts):
        assert classifier.predict(texts) == classifier.transform(texts) == classifier(texts)


class TestBatches:
    @pytest.mark.parametrize("batch_size", [2, 3, 32, 100])
    def test_answers_do_not_depend_on_the_batch_size(self, extractor, texts, batch_size):
        expected = extractor(texts, return_tensors=True)
        answers = extractor(texts, return_tensors=True, batch_size=batch_size)
        for answer, one_by_one in zip(answers, expected, strict=True):
            torch.testing.assert_close(answer, one_by_one, atol=1e-5, rtol=1e-4)

    def test_padding_on_the_left(self, make_model, make_tokenizer, texts):
        tokenizer = make_tokenizer(padding_side="left")
        extractor = pipeline("feature-extraction", model=make_model("BertModel"), tokenizer=tokenizer)
        answers = extractor(texts[:6], batch_size=3, return_tensors=True)
        for answer, one_by_one in zip(answers, extractor(texts[:6], return_tensors=True), strict=True):
            torch.testing.assert_close(answer, one_by_one, atol=1e-5, rtol=1e-4)

    def test_batches_have_similar_lengths_the_longest_first(self, make_model, tokenizer, texts):
        model = make_model("BertModel")
        shapes = record_batches(model)
        pipeline("feature-extraction", model=model, tokenizer=tokenizer)(texts, batch_size=4)
        used = sum(len(tokenizer(text)["input_ids"]) for text in texts)
        assert sum(rows * width for rows, width in shapes) <= used / 0.75
        assert [width for _, width in shapes] == sorted((width for _, width in shapes), reverse=True)
        assert sum(rows for rows, _ in shapes) == 40
        assert max(rows for rows, _ in shapes) == 4

    def test_one_long_text_does_not_stretch_the_short_ones(self, make_model, tokenizer):
        model = make_model("BertModel")
        shapes = record_batches(model)
        inputs = ["the cat"] * 5 + ["the cat " * 30] + ["the cat"] * 5
        pipeline("feature-extraction", model=model, tokenizer=tokenizer, batch_size=32)(inputs)
        assert shapes == [(1, 62), (10, 4)]

    @pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"num_workers": -1}])
    def test_sizes_out_of_range(self, extractor, arguments):
        with pytest.raises(ValueError, match="at least"):
            extractor(["the cat"], **arguments)

    def test_a_tokenizer_without_padding_cannot_batch(self, make_model, make_tokenizer):
        tokenizer = make_tokenizer(pad_token=None)
        extractor = pipeline("feature-extraction", model=make_model("BertModel"), tokenizer=tokenizer)
        assert len(extractor(["the cat", "the"])) == 2
        with pytest.raises(ValueError, match="Pipeline with tokenizer without pad_token cannot do batching"):
            extractor(["the cat", "the"], batch_size=2)


class TestStreams:
    def test_without_batches_nothing_is_read_ahead(self, classifier):
        read = []
        answers = classifier(read.append(i) or "the cat" for i in itertools.count())
        next(answers)
        assert read == [0]

    def test_with_batches_little_is_read_ahead(self, classifier):
        read = []
        answers = classifier((read.append(i) or "the cat" for i in itertools.count()), batch_size=2)
        next(answers)
        assert len(read) == 8

    def test_a_stream_keeps_its_order(self, classifier, texts):
        answers = list(classifier((text for text in texts), batch_size=3))
        assert_close(answers, classifier(texts))

    def test_one_worker_process(self, classifier, texts, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        assert classifier(texts[:5], num_workers=1) == classifier(texts[:5])

    def test_a_stream_has_one_worker_at_most(self, classifier, caplog):
        from nanoformers.utils import logging

        logging.enable_propagation()
        try:
            answers = list(classifier(iter(["the cat", "the dog"]), num_workers=2))
        finally:
            logging.disable_propagation()
        assert answers == classifier(["the cat", "the dog"])
        assert "num_workers=2 becomes 1" in caplog.text


class TestParameters:
    def test_a_call_overrides_the_constructor_for_that_call(self, make_model, tokenizer):
        model = make_model("BertForSequenceClassification", num_labels=3)
        classifier = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=2)
        lengths = [len(classifier(["the cat"], **arguments)[0]) for arguments in ({}, {"top_k": 3}, {})]
        assert lengths == [2, 3, 2]

    def test_a_call_keeps_what_it_does_not_name(self, make_model, tokenizer):
        model = make_model("BertModel")
        extractor = pipeline(
            "feature-extraction", model=model, tokenizer=tokenizer, tokenize_kwargs={"max_length": 4}
        )
        assert extractor("the cat sat on the mat", truncation=True, return_tensors=True).shape == (1, 4, 32)

    def test_an_unknown_parameter(self, extractor):
        with pytest.raises(TypeError, match="topk"):
            extractor("the cat", topk=3)


class TestComputing:
    def test_the_model_is_in_evaluation_mode(self, make_model, tokenizer):
        model = make_model("BertModel").train()
        extractor = pipeline("feature-extraction", model=model, tokenizer=tokenizer)
        assert extractor("the cat") == extractor("the cat")

    def test_no_graph_is_kept_and_answers_can_be_trained_on(self, extractor):
        features = extractor("the cat", return_tensors=True)
        assert not features.requires_grad
        torch.nn.Linear(32, 1)(features).sum().backward()

    @pytest.mark.parametrize("device", [-1, "cpu", torch.device("cpu")])
    def test_the_processor(self, make_model, tokenizer, device):
        extractor = pipeline(
            "feature-extraction", make_model("BertModel"), tokenizer=tokenizer, device=device
        )
        assert extractor.device == torch.device("cpu")

    @pytest.mark.parametrize("device", [99, "cuda:99", "toaster"])
    def test_a_device_that_does_not_exist(self, make_model, tokenizer, device):
        with pytest.raises(ValueError, match="This machine has: cpu"):
            pipeline("feature-extraction", make_model("BertModel"), tokenizer=tokenizer, device=device)

    @pytest.mark.parametrize("spelling", ["torch_dtype", "dtype"])
    def test_half_precision(self, checkpoint, spelling):
        classifier = pipeline("text-classification", str(checkpoint), **{spelling: torch.bfloat16})
        assert classifier.torch_dtype == torch.bfloat16
        assert 0 <= classifier("the cat")[0]["score"] <= 1

    def test_only_pytorch(self, make_model, tokenizer):
        with pytest.raises(ValueError, match="framework"):
            pipeline("feature-extraction", make_model("BertModel"), tokenizer=tokenizer, framework="tf")


class TestSaving:
    def test_saved_and_loaded(self, classifier, tmp_path, texts):
        classifier.save_pretrained(tmp_path / "saved")
        again = pipeline("text-classification", model=tmp_path / "saved")
        assert_close(again(texts), classifier(texts))

    def test_a_file_is_no_folder(self, classifier, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(NotADirectoryError, match="folder"):
            classifier.save_pretrained(tmp_path / "file")


class TestSubclasses:
    def test_a_step_can_be_replaced(self, make_model, tokenizer):
        class Loud(TextClassificationPipeline):
            def postprocess(self, model_outputs, **parameters):
                return super().postprocess(model_outputs, **parameters)["label"].upper()

        model = make_model("BertForSequenceClassification", num_labels=3)
        loud = pipeline("text-classification", model, tokenizer=tokenizer, pipeline_class=Loud)
        assert loud(["the cat"])[0] in {"LABEL_0", "LABEL_1", "LABEL_2"}

    def test_a_pooled_vector_of_a_subclass_is_left_alone(self, make_model, tokenizer):
        class Sentences(FeatureExtractionPipeline):
            def _forward(self, model_inputs):
                return self.model(**model_inputs).pooler_output

            def postprocess(self, model_outputs):
                return model_outputs[0]

        embed = pipeline(
            "feature-extraction", make_model("BertModel"), tokenizer=tokenizer, pipeline_class=Sentences
        )
        assert [vector.shape for vector in embed(["the cat", "the"], batch_size=2)] == [(32,), (32,)]

    @pytest.mark.parametrize("batch_size", [1, 2, 5])
    def test_one_input_in_several_pieces(self, make_model, tokenizer, batch_size):
        class Words(ChunkPipeline):
            def _sanitize_parameters(self, **parameters):
                return {}, {}, {}

            def preprocess(self, inputs):
                yield from (self.tokenizer(word, return_tensors="pt") for word in inputs.split())

            def _forward(self, model_inputs):
                return {"count": model_inputs["attention_mask"].sum(1)}

            def postprocess(self, model_outputs):
                return [int(output["count"][0]) for output in model_outputs]

        words = Words(make_model("BertModel"), tokenizer)
        assert words(["the cat", "a", "dog xyz the"], batch_size=batch_size) == [[3, 3], [3], [3, 5, 3]]

    def test_a_model_with_another_head_is_reported(self, make_model, tokenizer, caplog):
        from nanoformers.utils import logging

        logging.enable_propagation()
        try:
            pipeline("fill-mask", model=make_model("BertModel"), tokenizer=tokenizer)
        finally:
            logging.disable_propagation()
        assert "The model 'BertModel' is not supported for fill-mask" in caplog.text
        assert "BertForMaskedLM" in caplog.text
