"""ModelOutput: by attribute, by key, as a tuple."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch
from nanoformers import BertConfig, BertForSequenceClassification, outputs
from nanoformers.outputs import BaseModelOutput, ModelOutput, SequenceClassifierOutput
from torch.utils import _pytree as pytree

CLASSES = [getattr(outputs, name) for name in outputs.__all__ if name != "ModelOutput"]
X, Y = torch.tensor(1.0), torch.tensor([2.0])


@pytest.fixture
def output() -> SequenceClassifierOutput:
    return SequenceClassifierOutput(loss=X, logits=Y)


def test_three_ways_to_read(output):
    assert output.logits is output["logits"] is output[1]
    assert output[:2] == (X, Y)
    assert output.to_tuple() == (X, Y)


def test_what_is_none_is_only_an_attribute(output):
    assert output.hidden_states is None
    assert list(output) == ["loss", "logits"]
    assert len(output) == 2
    with pytest.raises(KeyError):
        output["hidden_states"]


def test_iteration_gives_keys(output):
    first, second = output
    assert (first, second) == ("loss", "logits")
    assert dict(**output) == {"loss": X, "logits": Y}


def test_both_views_change_together(output):
    output.logits = X
    assert output["logits"] is X
    output["hidden_states"] = (X,)
    assert output.hidden_states == (X,)
    assert list(output) == ["loss", "logits", "hidden_states"]


@pytest.mark.parametrize("method", ["pop", "setdefault", "update", "__delitem__"])
def test_fields_are_fixed(output, method):
    with pytest.raises(
        Exception, match=f"You cannot use ``{method}`` on a SequenceClassifierOutput instance."
    ):
        getattr(output, method)("loss")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(output, copied):
    again = copied(output)
    assert type(again) is SequenceClassifierOutput
    assert list(again) == ["loss", "logits"]
    assert torch.equal(again.logits, output.logits)


def test_from_a_dictionary_or_pairs():
    for given in (
        {"last_hidden_state": X, "attentions": (Y,)},
        [("last_hidden_state", X), ("attentions", (Y,))],
    ):
        output = BaseModelOutput(given)
        assert output.last_hidden_state is X
        assert output.to_tuple() == (X, (Y,))


def test_a_tuple_of_tensors_is_a_value():
    assert BaseModelOutput((X, Y)).last_hidden_state == (X, Y)


def test_something_else_among_pairs():
    with pytest.raises(ValueError, match="Cannot set key/value for 3"):
        BaseModelOutput([("last_hidden_state", X), 3])


class TestTreesOfTensors:
    def test_outputs_are_taken_apart_and_put_together(self, output):
        doubled = pytree.tree_map(lambda tensor: 2 * tensor, output)
        assert type(doubled) is type(output)
        assert doubled.to_tuple() == (2 * X, 2 * Y)
        nested = BaseModelOutput(last_hidden_state=X, attentions=(X, Y))
        assert pytree.tree_leaves(nested) == [X, X, Y]
        paths = [pytree.keystr(path) for path, _ in pytree.tree_leaves_with_path(nested)]
        assert paths == ["['last_hidden_state']", "['attentions'][0]", "['attentions'][1]"]

    def test_a_class_of_ones_own_also_when_its_cell_runs_again(self):
        for _ in range(2):

            @dataclass
            class Mine(ModelOutput):
                scores: torch.Tensor | None = None

            assert pytree.tree_map(lambda tensor: tensor + 1, Mine(X)) == Mine(X + 1)

    def test_an_exported_model_returns_them(self, tmp_path):
        torch.manual_seed(0)
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
        model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=20)).eval()
        inputs = {"input_ids": torch.tensor([[3, 4, 5]]), "attention_mask": torch.tensor([[1, 1, 0]])}
        torch.export.save(torch.export.export(model, (), inputs), tmp_path / "model.pt2")
        exported = torch.export.load(tmp_path / "model.pt2").module()(**inputs)
        assert type(exported) is SequenceClassifierOutput
        torch.testing.assert_close(exported.logits, model(**inputs).logits)

    def test_classes_defined_before_torch_came_are_known_too(self):
        code = (
            "import sys; from nanoformers.outputs import BaseModelOutput; assert 'torch' not in sys.modules;"
            "import torch, nanoformers.modeling; from torch.utils import _pytree;"
            "assert len(_pytree.tree_leaves(BaseModelOutput(torch.ones(1), (torch.ones(1),)))) == 2"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


def test_a_subclass_needs_the_decorator():
    class Plain(ModelOutput):
        pass

    with pytest.raises(TypeError, match="must use the @dataclass decorator"):
        Plain()


def test_a_subclass_needs_fields_and_requires_one_at_most():
    @dataclass
    class Empty(ModelOutput):
        pass

    @dataclass
    class Two(ModelOutput):
        a: int
        b: int

    with pytest.raises(ValueError, match="Empty has no fields"):
        Empty()
    with pytest.raises(ValueError, match="Two should not have more than one required field"):
        Two(1, 2)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_documented_classes(kind):
    fields = dataclasses.fields(kind)
    assert all(field.default is None for field in fields)
    values = [torch.tensor([float(index)]) for index in range(len(fields))]
    output = kind(*values)
    assert output.to_tuple() == tuple(values)
    assert len(kind()) == 0


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_fields_are_the_reference_ones(kind):
    transformers = pytest.importorskip("transformers")
    theirs = getattr(transformers.modeling_outputs, kind.__name__)
    assert [field.name for field in dataclasses.fields(kind)] == [
        field.name for field in dataclasses.fields(theirs)
    ]
