"""Decorators that build docstrings, and the examples they put into them."""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from nanoformers.outputs import SequenceClassifierOutput
from nanoformers.utils import (
    ModelOutput,
    add_code_sample_docstrings,
    add_end_docstrings,
    add_start_docstrings,
    add_start_docstrings_to_model_forward,
    logging,
    replace_return_docstrings,
)


@dataclass
class DescribedOutput(ModelOutput):
    """What a model returns.

    Args:
        logits (`torch.FloatTensor` of shape `(batch_size, 2)`):
            Scores of both
            classes.
        states (`tuple`, *optional*):
            States.

    Raises:
        TypeError: never.
    """

    logits: torch.Tensor | None = None
    states: tuple[torch.Tensor, ...] | None = None


def forward_of(class_name: str, doc: str | None = None) -> Callable[..., Any]:
    """A function that looks like the `forward` of a class."""

    def forward(self: Any) -> None:
        pass

    forward.__qualname__ = f"{class_name}.forward"
    forward.__doc__ = doc
    return forward


class TestStartAndEnd:
    def test_texts_stand_before_and_behind(self):
        @add_start_docstrings("One. ", "Two. ")
        @add_end_docstrings(" Four.", " Five.")
        def function() -> None:
            """Three."""

        assert function.__doc__ == "One. Two. Three. Four. Five."

    def test_of_a_class_without_a_docstring(self):
        @add_start_docstrings("Begin.")
        class Plain:
            pass

        assert Plain.__doc__ == "Begin."

    def test_forward(self):
        class Model:
            @add_start_docstrings_to_model_forward(
                """
                Args:
                    input_ids: tokens.
                """
            )
            def forward(self) -> None:
                """
                Returns:
                    Something.
                """

        doc = Model.forward.__doc__
        assert doc.startswith(
            "The [`TestStartAndEnd`] forward method, overrides the `__call__` special method.\n\n<Tip>\n"
        )
        assert "not `model.forward(...)`" in doc
        assert "</Tip>\n\nArgs:\n    input_ids: tokens.\n\nReturns:\n    Something.\n" in doc


class TestReturns:
    def test_described_fields(self):
        function = forward_of("Model", "Do it.\n\n    Returns:\n\n    The end.")
        doc = replace_return_docstrings(output_type=DescribedOutput, config_class="ModelConfig")(
            function
        ).__doc__
        assert doc.startswith("Do it.\n\n    Returns:\n        [`")
        assert "DescribedOutput`] or `tuple(torch.FloatTensor)`" in doc
        assert "([`ModelConfig`])" in doc.replace("\n       ", "")
        assert "        - **logits** (`torch.FloatTensor` of shape `(batch_size, 2)`)\n" in doc
        assert "            Scores of both\n            classes.\n        - **states**" in doc
        assert "TypeError" not in doc
        assert doc.endswith("\n    The end.")

    def test_fields_that_nobody_described(self):
        doc = replace_return_docstrings(SequenceClassifierOutput)(forward_of("Model", "Returns:")).__doc__
        for name in ("loss", "logits", "hidden_states", "attentions"):
            assert f"- **{name}** (`" in doc

    @pytest.mark.parametrize("doc", [None, "Do it.", "Returns: something"])
    def test_without_a_placeholder(self, doc):
        with pytest.raises(ValueError, match="should have an empty 'Return:' or 'Returns:'"):
            replace_return_docstrings(SequenceClassifierOutput)(forward_of("Model", doc))

    def test_an_output_that_cannot_be_described(self):
        with pytest.raises(ValueError, match=r"No `Args` or `Parameters` section.*`dict`"):
            replace_return_docstrings(dict)(forward_of("Model", "Returns:"))


TEXT_HEADS = [
    ("BertForSequenceClassification", {"expected_output": "'LABEL_1'", "expected_loss": 0.01}),
    ("BertForQuestionAnswering", {"qa_target_start_index": 2, "qa_target_end_index": 4}),
    ("BertForTokenClassification", {}),
    ("BertForMultipleChoice", {}),
    ("BertForMaskedLM", {"mask": "[MASK]"}),
    ("BertLMHeadModel", {}),
    ("BertModel", {"modality": None}),
]


@pytest.fixture
def quiet() -> Iterator[None]:
    """No warnings of heads that are new."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    yield
    logging.set_verbosity(level)


def documented(class_name: str, doc: str | None = None, **arguments: Any) -> str:
    arguments = {"checkpoint": "owner/name", **arguments}
    return add_code_sample_docstrings(**arguments)(forward_of(class_name, doc)).__doc__ or ""


class TestCodeSamples:
    @pytest.mark.parametrize(("name", "arguments"), TEXT_HEADS, ids=[name for name, _ in TEXT_HEADS])
    def test_the_examples_run(self, name, arguments, checkpoint, quiet):
        arguments = {key: value for key, value in arguments.items() if not key.startswith("expected")}
        doc = documented(name, checkpoint=str(checkpoint), **arguments)
        example = doctest.DocTestParser().get_doctest(doc, {}, name, None, 0)
        assert len(example.examples) >= 6
        for step in example.examples:  # what they print depends on random weights
            exec(compile(step.source, name, "single"), example.globs)
        if "loss" in example.globs:
            assert example.globs["loss"].ndim == 0

    @pytest.mark.parametrize(
        ("name", "modality", "loads"),
        [
            ("ViTForImageClassification", None, "AutoImageProcessor"),
            ("ViTModel", "vision", "AutoImageProcessor"),
            ("Wav2Vec2ForCTC", None, "AutoFeatureExtractor"),
            ("Wav2Vec2Model", "audio", "AutoFeatureExtractor"),
            ("Wav2Vec2ForSequenceClassification", "audio", "AutoFeatureExtractor"),
            ("Wav2Vec2ForAudioFrameClassification", None, "AutoFeatureExtractor"),
            ("Wav2Vec2ForXVector", "audio", "AutoFeatureExtractor"),
            ("T5EncoderModel", None, "AutoTokenizer"),
        ],
    )
    def test_other_modalities(self, name, modality, loads):
        doc = documented(name, modality=modality)
        assert f">>> from nanoformers import {loads}, {name}\n" in doc
        assert f'>>> model = {name}.from_pretrained("owner/name")\n' in doc
        compile("\n".join(step.source for step in doctest.DocTestParser().get_examples(doc)), name, "exec")
        assert "<" not in doc

    def test_what_is_printed(self):
        name, arguments = TEXT_HEADS[0]
        examples = doctest.DocTestParser().get_examples(documented(name, **arguments))
        assert [example.want for example in examples if example.want] == ["'LABEL_1'\n", "0.01\n"]

    def test_everything_in_order(self):
        doc = documented(
            "BertModel",
            "Do it.",
            output_type=SequenceClassifierOutput,
            config_class="BertConfig",
            real_checkpoint="owner/large",
            processor_class="BertTokenizer",
        )
        order = ["Do it.", "Returns:", "<Tip", "load owner/large", "Example:", "import BertTokenizer"]
        assert sorted(order, key=doc.index) == order

    def test_indentation_is_kept(self):
        doc = documented("BertModel", "Do it.\n\n        Args:\n            a: b\n    ")
        assert doc.startswith("Do it.\n\nArgs:\n    a: b\n\nExample:\n")
        returned = documented("BertModel", output_type=SequenceClassifierOutput)
        assert returned.startswith("Returns:\n    [`nanoformers.outputs.SequenceClassifierOutput`]")

    def test_a_class_named_by_hand(self):
        assert "import AutoTokenizer, Other" in documented("Model", model_cls="OtherForMaskedLM")

    def test_a_pull_request(self):
        doc = documented("BertModel", revision="refs/pr/6")
        assert doc.count('from_pretrained("owner/name", revision="refs/pr/6")') == 2
        with pytest.raises(ValueError, match="The provided revision 'main' is incorrect"):
            documented("BertModel", revision="main")

    def test_a_name_that_tells_nothing(self):
        with pytest.raises(ValueError, match="Docstring can't be built for model Sculpture"):
            documented("Sculpture")
