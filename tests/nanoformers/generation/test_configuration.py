"""GenerationConfig: its values, what it refuses, its file."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanoformers import GenerationConfig, GPT2Config, PretrainedConfig
from nanoformers.generation import GenerationMode


class TestValidation:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"max_new_tokens": 0}, "`max_new_tokens` must be greater than 0, but is 0"),
            ({"max_length": -1}, "`max_length` must be greater than 0, but is -1"),
            ({"num_beams": 1.5}, "`num_beams` must be greater than 0, but is 1.5"),
            ({"early_stopping": "soon"}, "`early_stopping` must be a boolean or 'never', but is soon"),
            ({"num_return_sequences": 2}, r"different than 1 \(got 2\)"),
            (
                {"num_return_sequences": 3, "num_beams": 2},
                r"`num_return_sequences` \(3\) has to be smaller or equal to `num_beams` \(2\)",
            ),
            ({"streamer": 1}, "`streamer` is not a valid argument of `GenerationConfig`"),
        ],
    )
    def test_refuses(self, values, message):
        with pytest.raises(ValueError, match=message):
            GenerationConfig(**values)

    @pytest.mark.parametrize(
        "values", [{"temperature": 0.5}, {"top_p": 0.9}, {"top_k": 3}, {"length_penalty": 2.0}]
    )
    def test_warns_of_values_without_effect(self, values):
        (name,) = values
        with pytest.warns(UserWarning, match=f"`{name}`"):
            GenerationConfig(**values)

    def test_says_nothing_of_values_with_effect(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            GenerationConfig(do_sample=True, temperature=0.5, top_k=3, num_return_sequences=4)
            GenerationConfig(num_beams=4, early_stopping=True, num_return_sequences=4)
            GenerationConfig(penalty_alpha=0.6, top_k=4)


class TestMode:
    @pytest.mark.parametrize(
        ("values", "mode"),
        [
            ({}, "greedy_search"),
            ({"do_sample": True}, "sample"),
            ({"penalty_alpha": 0.6, "top_k": 4}, "contrastive_search"),
            ({"num_beams": 2}, "beam_search"),
            ({"num_beams": 2, "do_sample": True}, "beam_sample"),
            ({"num_beams": 4, "num_beam_groups": 2}, "group_beam_search"),
            ({"num_beams": 4, "force_words_ids": [[1]]}, "constrained_beam_search"),
            ({"prompt_lookup_num_tokens": 3}, "assisted_generation"),
        ],
    )
    def test_is_what_the_values_ask_for(self, values, mode):
        assert GenerationConfig(**values).get_generation_mode() is GenerationMode(mode)

    def test_an_assistant_asks_for_assistance(self):
        assert GenerationConfig().get_generation_mode(object()) is GenerationMode.ASSISTED_GENERATION


class TestFile:
    def test_has_what_differs_from_the_defaults(self, tmp_path: Path):
        GenerationConfig(max_new_tokens=9, top_k=50).save_pretrained(tmp_path)
        values = json.loads((tmp_path / "generation_config.json").read_text())
        assert values == {"max_new_tokens": 9, "transformers_version": "4.37.2"}

    def test_several_in_one_folder(self, tmp_path: Path):
        translation = GenerationConfig(num_beams=4, early_stopping=True, decoder_start_token_id=0)
        translation.save_pretrained(tmp_path, "translation_generation_config.json")
        GenerationConfig(max_new_tokens=3).save_pretrained(tmp_path)
        assert GenerationConfig.from_pretrained(tmp_path, "translation_generation_config.json") == translation
        assert GenerationConfig.from_pretrained(tmp_path).max_new_tokens == 3

    def test_arguments_win_and_unknown_ones_come_back(self, tmp_path: Path):
        GenerationConfig(max_new_tokens=9).save_pretrained(tmp_path)
        config, unused = GenerationConfig.from_pretrained(
            tmp_path, top_k=1, foo=False, do_sample=True, return_unused_kwargs=True
        )
        assert (config.top_k, config.max_new_tokens, unused) == (1, 9, {"foo": False})
        assert not hasattr(config, "foo")

    def test_contradictions_are_not_saved(self, tmp_path: Path):
        with pytest.warns(UserWarning, match="`temperature`"):
            config = GenerationConfig(temperature=0.5)
        with pytest.raises(ValueError, match=r"is invalid[\s\S]*`temperature` is set to `0.5`"):
            config.save_pretrained(tmp_path)
        assert not list(tmp_path.iterdir())

    def test_contradictions_that_were_read_can_be_saved(self, tmp_path: Path):
        (tmp_path / "generation_config.json").write_text('{"temperature": 0.5}')
        with pytest.warns(UserWarning, match="`temperature`"):
            config = GenerationConfig.from_pretrained(tmp_path)
        config.save_pretrained(tmp_path / "again")
        assert "0.5" in (tmp_path / "again" / "generation_config.json").read_text()

    @pytest.mark.parametrize("text", ["{", "[]"])
    def test_damaged(self, tmp_path: Path, text):
        (tmp_path / "generation_config.json").write_text(text)
        with pytest.raises(OSError, match=r"generation_config\.json"):
            GenerationConfig.from_pretrained(tmp_path)

    def test_missing(self, tmp_path: Path):
        with pytest.raises(OSError, match=r"generation_config\.json"):
            GenerationConfig.from_pretrained(tmp_path)

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "max_new_tokens": st.none() | st.integers(1, 1000),
                "top_p": st.floats(0, 1),
                "eos_token_id": st.integers(0, 9) | st.lists(st.integers(0, 9)),
                "something_else": st.text() | st.booleans() | st.lists(st.integers()),
            },
        )
    )
    def test_round_trip(self, values):
        config = GenerationConfig(do_sample=True, **values)
        for use_diff in (True, False):
            assert GenerationConfig.from_dict(json.loads(config.to_json_string(use_diff))) == config

    def test_through_the_hub(self, run_python):
        code = """
from nanoformers import GenerationConfig
config = GenerationConfig(max_new_tokens=7, do_sample=True)
config.save_pretrained("here", push_to_hub=True, repo_id="how-to-write")
config.save_pretrained("here", "other.json", push_to_hub=True, repo_id="how-to-write")
for name in (None, "other.json"):
    assert GenerationConfig.from_pretrained("learner/how-to-write", name) == config
print("same")
"""
        assert run_python(code, PYTHONPATH=os.environ.get("PYTHONPATH", "")).split()[-1] == "same"


class TestFromModelConfig:
    def test_takes_what_is_said(self):
        config = GenerationConfig.from_model_config(GPT2Config(max_length=33, no_repeat_ngram_size=2))
        assert (config.max_length, config.no_repeat_ngram_size) == (33, 2)
        assert (config.bos_token_id, config.eos_token_id) == (50256, 50256)

    def test_prints_only_that(self):
        printed = repr(GenerationConfig.from_model_config(GPT2Config()))
        assert json.loads(printed.partition(" ")[2]) == {"bos_token_id": 50256, "eos_token_id": 50256}

    def test_a_decoder_fills_what_the_outer_configuration_leaves(self):
        outer = PretrainedConfig(decoder=GPT2Config(max_length=8, min_length=2), min_length=3)
        config = GenerationConfig.from_model_config(outer)
        assert (config.max_length, config.min_length, config.eos_token_id) == (8, 3, 50256)


class TestChanging:
    def test_update_returns_what_it_does_not_know(self):
        config = GenerationConfig()
        assert config.update(top_k=3, attention_mask=1) == {"attention_mask": 1}
        assert config.top_k == 3

    def test_equal_whatever_they_came_from(self):
        assert GenerationConfig(bos_token_id=50256, eos_token_id=50256) == GenerationConfig.from_model_config(
            GPT2Config()
        )
        assert GenerationConfig() != GenerationConfig(top_k=0)

    def test_two_have_nothing_in_common(self):
        GenerationConfig().generation_kwargs["a"] = 1
        assert GenerationConfig().generation_kwargs == {}
