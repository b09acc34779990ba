"""Which optimizer a name means, its arguments, and which weights decay."""

from __future__ import annotations

import pytest
import torch
import transformers
from nanoformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel
from nanoformers.optimization import Adafactor
from nanoformers.training import OptimizerNames, TrainingArguments, get_parameter_names
from nanoformers.training.optimizers import decaying_names, optimizer_class, parameter_groups
from torch import nn


def choose(**options):
    return optimizer_class(TrainingArguments("out", **options))


class TestNames:
    @pytest.mark.parametrize("name", ["adamw_torch", "adamw_torch_fused", "adamw_hf"])
    def test_adamw(self, name):
        cls, kwargs = choose(optim=name, adam_beta1=0.8, learning_rate=0.25)
        assert cls is torch.optim.AdamW
        assert kwargs == {"lr": 0.25, "betas": (0.8, 0.999), "eps": 1e-8, "fused": True}

    def test_adafactor(self):
        cls, kwargs = choose(optim="adafactor")
        assert cls is Adafactor
        assert kwargs == {"lr": 5e-5, "scale_parameter": False, "relative_step": False}

    @pytest.mark.parametrize(
        ("name", "cls", "args", "expected"),
        [
            ("sgd", torch.optim.SGD, "momentum=0.9, nesterov=true", {"momentum": 0.9, "nesterov": True}),
            ("adagrad", torch.optim.Adagrad, "lr_decay=0.1", {"lr_decay": 0.1}),
            ("rmsprop", torch.optim.RMSprop, "centered=True,alpha=0.5", {"centered": True, "alpha": 0.5}),
            ("adamw_torch", torch.optim.AdamW, "amsgrad=true", {"amsgrad": True}),
            (
                "adafactor",
                Adafactor,
                "scale_parameter=true,beta1=0.9",
                {"scale_parameter": True, "beta1": 0.9},
            ),
        ],
    )
    def test_arguments(self, name, cls, args, expected):
        found, kwargs = choose(optim=name, optim_args=args)
        assert found is cls
        assert kwargs.items() >= expected.items()

    @pytest.mark.parametrize(
        ("name", "cls", "bits"),
        [
            ("adamw_bnb_8bit", "AdamW", 8),
            ("adamw_8bit", "AdamW", 8),
            ("paged_adamw_32bit", "AdamW", 32),
            ("lion_8bit", "Lion", 8),
            ("lion_32bit", "Lion", 32),
            ("ademamix_8bit", "AdEMAMix", 8),
            ("rmsprop_bnb_8bit", "RMSprop", 8),
        ],
    )
    def test_bitsandbytes(self, name, cls, bits):
        pytest.importorskip("bitsandbytes")
        found, kwargs = choose(optim=name)
        assert (found.__name__, kwargs["optim_bits"]) == (cls, bits)
        assert kwargs.get("is_paged", False) == name.startswith("paged")

    @pytest.mark.parametrize("name", OptimizerNames)
    def test_each_works_or_says_what_it_needs(self, name):
        try:
            cls, kwargs = choose(optim=name)
        except ImportError as error:
            assert f"optim={name.value!r} needs" in str(error)  # noqa: PT017 - some are installed, some not
            return
        weight = nn.Parameter(torch.ones(8, 8))
        optimizer = cls([weight], **kwargs)
        weight.grad = torch.ones(8, 8)
        if not kwargs.get("is_paged"):  # paged memory needs a GPU
            optimizer.step()
            assert (weight < 1).all()

    @pytest.mark.parametrize("args", ["momentum", "=1", "momentum="])
    def test_arguments_that_are_none(self, args):
        with pytest.raises(ValueError, match="name=value"):
            choose(optim="sgd", optim_args=args)

    def test_an_argument_of_another(self):
        with pytest.raises(ValueError, match=r"SGD .* has no argument alpha"):
            choose(optim="sgd", optim_args="alpha=1")


class TestDecay:
    @pytest.mark.parametrize(
        ("cls", "config"),
        [(BertForSequenceClassification, BertConfig), (GPT2LMHeadModel, GPT2Config)],
    )
    def test_the_same_weights_as_in_the_reference_library(self, cls, config):
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 10}
        model = cls(config(**sizes))
        reference = getattr(transformers, cls.__name__)(getattr(transformers, config.__name__)(**sizes))
        theirs = transformers.Trainer.get_decay_parameter_names(None, reference)
        ours = set(dict(model.named_parameters()))
        assert set(decaying_names(model)) & ours == set(theirs) & ours

    def test_norms_by_name(self):
        class Own(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm = nn.Linear(2, 2, bias=False)
                self.final_norm = nn.Linear(2, 2, bias=False)
                self.normal = nn.Linear(2, 2)

        assert decaying_names(Own()) == ["normal.weight"]

    def test_layers_left_out(self):
        model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
        assert get_parameter_names(model, [nn.LayerNorm]) == ["0.weight", "0.bias"]
        assert get_parameter_names(model, [], ["bias"]) == ["0.weight", "1.weight"]

    def test_frozen_weights_are_in_no_group(self):
        model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        model[0].requires_grad_(False)
        groups = parameter_groups(model, decaying_names(model), 0.5)
        assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.5), (1, 0.0)]
