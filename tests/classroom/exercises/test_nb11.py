"""Checkers of notebook 11: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb11
from nanoformers import AutoConfig, AutoModel

STORY = "go on with this story"


class TestAutoClass:
    def test_the_head_that_gives_what_is_asked_is_right(self):
        assert check("11.1", nb11.CLASSES)
        assert check("11.1", nb11.CLASSES | {"one vector for each token, nothing else": AutoModel})

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (nb11.CLASSES | {STORY: "AutoModelForMaskedLM"}, "guesses words that are hidden"),
            (nb11.CLASSES | {STORY: None}, "Not yet"),
            (nb11.CLASSES | {STORY: "GPT2LMHeadModel"}, "no Auto class"),
            ({STORY: "AutoModelForCausalLM"}, "Complete"),
            ("AutoModel", "Complete"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb11.auto_class(answer)


class TestDescribe:
    def test_the_configuration_is_enough(self):
        def describe(name):
            config = AutoConfig.from_pretrained(name)
            return config.model_type, config.num_hidden_layers

        assert check("11.2", describe)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda name: AutoModel.from_pretrained(name).config.model_type, "looks for weights"),
            (lambda name: AutoConfig.from_pretrained(name).model_type, "two values"),
            (lambda name: ("bert", AutoConfig.from_pretrained(name).num_hidden_layers), "For a distilbert"),
            (lambda name: (AutoConfig.from_pretrained(name).n_layer, 0), "has no attribute"),
            (("bert", 3), "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb11.describe(answer)
