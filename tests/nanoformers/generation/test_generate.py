"""generate: what the model is asked for, when it stops, what it refuses, and how it is set up."""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from nanoformers import (
    BertConfig,
    BertForMaskedLM,
    BertLMHeadModel,
    BertModel,
    GenerationConfig,
    GPT2Config,
    GPT2ForSequenceClassification,
    GPT2LMHeadModel,
    LogitsProcessor,
    LogitsProcessorList,
    MaxLengthCriteria,
    MaxTimeCriteria,
    RepetitionPenaltyLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
    T5Config,
    T5ForConditionalGeneration,
    T5Model,
    logging,
)
from nanoformers.nn.cache import KeyValueCache

IDS = torch.tensor([[5, 6, 7], [8, 9, 10]])
LEFT = torch.tensor([[1, 1, 1], [0, 1, 1]])


def gpt2(**kwargs: Any) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    shape = {"vocab_size": 30, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
    model = GPT2LMHeadModel(GPT2Config(**{**shape, "bos_token_id": 1, "eos_token_id": None, **kwargs})).eval()
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return model


def t5() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    shape = {"vocab_size": 30, "d_model": 16, "d_kv": 8, "d_ff": 20, "num_layers": 2, "num_heads": 2}
    return T5ForConditionalGeneration(T5Config(**shape, decoder_start_token_id=0)).eval()


@pytest.fixture
def said(capsys):
    logging.set_verbosity_info()
    yield lambda: capsys.readouterr().err
    logging.set_verbosity_warning()


def calls_of(model: Any, **arguments: Any) -> list[dict[str, Any]]:
    """The keyword arguments of each forward pass of a generation."""
    seen: list[dict[str, Any]] = []
    handle = model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(
            {
                **kwargs,
                "cached": kwargs["past_key_values"].get_seq_length() if "past_key_values" in kwargs else 0,
            }
        ),
        with_kwargs=True,
    )
    model.generate(**arguments)
    handle.remove()
    return seen


class TestForwardPasses:
    def test_the_prompt_first_and_then_a_token_at_a_time(self):
        calls = calls_of(gpt2(), inputs=IDS, max_new_tokens=4)
        assert [call["input_ids"].shape[1] for call in calls] == [3, 1, 1, 1]
        assert [call["cached"] for call in calls] == [0, 3, 4, 5]

    def test_all_tokens_without_a_cache(self):
        calls = calls_of(gpt2(), inputs=IDS, max_new_tokens=4, use_cache=False)
        assert [call["input_ids"].shape[1] for call in calls] == [3, 4, 5, 6]

    def test_no_mask_where_nothing_is_hidden(self):
        for arguments in ({}, {"attention_mask": torch.ones_like(IDS)}):
            for call in calls_of(gpt2(), inputs=IDS, max_new_tokens=3, **arguments):
                assert not {"attention_mask", "position_ids"} & set(call)

    def test_a_mask_and_positions_where_something_is(self):
        calls = calls_of(gpt2(), inputs=IDS, max_new_tokens=3, attention_mask=LEFT)
        assert calls[2]["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [0, 1, 1, 1, 1]]
        assert [call["position_ids"].tolist() for call in calls] == [
            [[0, 1, 2], [0, 0, 1]],
            [[3], [2]],
            [[4], [3]],
        ]

    def test_only_the_last_scores_of_a_prompt(self):
        assert all(call["logits_to_keep"] == 1 for call in calls_of(gpt2(), inputs=IDS, max_new_tokens=2))

    def test_nothing_grows_with_the_sequence(self):
        model = gpt2()
        addresses = set()
        handle = model.register_forward_hook(
            lambda module, args, output: addresses.add(output.past_key_values[0][0].data_ptr())
        )
        model.generate(IDS, max_new_tokens=20)
        handle.remove()
        assert len(addresses) == 1  # one buffer for all keys from the first step to the last

    def test_an_encoder_reads_once(self):
        model = t5()
        count = 0

        def counted(module: Any, args: Any, output: Any) -> None:
            nonlocal count
            count += 1

        model.get_encoder().register_forward_hook(counted)
        model.generate(IDS, max_new_tokens=5, do_sample=True, num_return_sequences=3)
        assert count == 1

    def test_an_encoder_gets_the_mask_that_padding_shows(self):
        model = t5()
        padded = IDS.masked_fill(LEFT == 0, 0)
        guessed, given = (
            model.generate(padded, max_new_tokens=5),
            model.generate(padded, attention_mask=LEFT, max_new_tokens=5),
        )
        assert torch.equal(guessed, given)

    def test_goes_on_from_a_cache(self):
        model = gpt2()
        cache = KeyValueCache()
        model(IDS[:, :2], past_key_values=cache, use_cache=True)
        calls = calls_of(model, inputs=IDS, past_key_values=cache, max_new_tokens=2)
        assert [call["input_ids"].shape[1] for call in calls] == [1, 1]

    def test_a_cache_is_repeated_with_the_prompts(self):
        model = gpt2()
        with torch.no_grad():
            tuples = model(IDS[:, :2], use_cache=True).past_key_values.to_legacy_cache()
        cache = KeyValueCache.of(tuples)
        arguments = {"do_sample": True, "num_return_sequences": 2, "max_new_tokens": 4}
        torch.manual_seed(0)
        continued = model.generate(IDS, past_key_values=cache, **arguments)
        torch.manual_seed(0)
        assert torch.equal(continued, model.generate(IDS, **arguments))

    def test_results_need_no_gradient_and_can_be_used(self):
        model = gpt2()
        output = model.generate(IDS, max_new_tokens=2, return_dict_in_generate=True, output_scores=True)
        assert not output.scores[0].requires_grad
        model(output.sequences, labels=output.sequences).loss.backward()


class TestGreedy:
    def test_is_the_argmax_again_and_again(self):
        model, ids = gpt2(), IDS
        for _ in range(6):
            with torch.no_grad():
                ids = torch.cat((ids, model(ids).logits[:, -1].argmax(-1, keepdim=True)), 1)
        assert torch.equal(model.generate(IDS, max_new_tokens=6), ids)

    def test_padding_changes_nothing(self):
        model = gpt2()
        alone = model.generate(IDS[1:, 1:], max_new_tokens=6)
        together = model.generate(IDS, attention_mask=LEFT, max_new_tokens=6)
        assert torch.equal(together[1, 1:], alone[0])

    def test_called_by_itself(self):
        model = gpt2()
        criteria = StoppingCriteriaList([MaxLengthCriteria(9)])
        assert torch.equal(
            model.greedy_search(IDS, stopping_criteria=criteria), model.generate(IDS, max_length=9)
        )
        assert torch.equal(model.greedy_search(IDS, max_length=9), model.generate(IDS, max_length=9))
        with pytest.raises(ValueError, match="make sure that `pad_token_id` is defined"):
            model.greedy_search(IDS, max_length=9, eos_token_id=2)

    def test_without_a_greatest_length_buffers_grow(self):
        model = gpt2()

        class AtFifteen(StoppingCriteria):
            def __call__(self, input_ids, scores, **kwargs):
                return input_ids.shape[1] == 15

        found = model.greedy_search(IDS, stopping_criteria=StoppingCriteriaList([AtFifteen()]))
        assert torch.equal(found, model.generate(IDS, max_length=15))


class TestSampling:
    def test_the_seed_decides(self):
        model, results = gpt2(), []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            results.append(model.generate(IDS, do_sample=True, max_new_tokens=12))
        assert torch.equal(results[0], results[1])
        assert not torch.equal(results[0], results[2])

    def test_one_candidate_is_greedy(self):
        model = gpt2()
        drawn = model.generate(IDS, do_sample=True, top_k=1, max_new_tokens=8)
        assert torch.equal(drawn, model.generate(IDS, max_new_tokens=8))

    def test_frequencies_are_the_probabilities(self):
        model = gpt2()
        torch.manual_seed(0)
        drawn = model.generate(IDS[:1], do_sample=True, top_k=0, max_new_tokens=1, num_return_sequences=4000)
        frequencies = drawn[:, -1].bincount(minlength=30) / 4000
        with torch.no_grad():
            probabilities = model(IDS[:1]).logits[0, -1].softmax(-1)
        assert (frequencies - probabilities).abs().max() < 0.03

    def test_called_by_itself(self):
        model = gpt2()
        torch.manual_seed(0)
        expected = model.generate(IDS, do_sample=True, top_k=0, max_length=9)
        torch.manual_seed(0)
        assert torch.equal(model.sample(IDS, max_length=9), expected)


class TestStopping:
    def test_rows_that_have_ended_are_padded(self):
        model = gpt2()
        free = model.generate(IDS, max_new_tokens=8)
        end = free[0, 4].item()
        found = model.generate(IDS, max_new_tokens=8, eos_token_id=end, pad_token_id=2)
        first = (found[0, 3:] == end).nonzero()[0].item() + 3
        assert (found[0, first + 1 :] == 2).all()

    @pytest.mark.parametrize("model", [gpt2(), t5()], ids=["gpt2", "t5"])
    @pytest.mark.parametrize("longest", [10**12, int(1e30)])  # as a tokenizer without a limit has it
    def test_no_memory_for_what_may_never_come(self, model, longest):
        def stop(ids: torch.Tensor, scores: Any) -> bool:
            return ids.shape[1] >= 6

        expected = model.generate(IDS, attention_mask=LEFT, max_length=6)
        assert torch.equal(
            model.generate(IDS, attention_mask=LEFT, max_length=longest, stopping_criteria=[stop]), expected
        )

    def test_all_rows_ended(self):
        calls = calls_of(gpt2(), inputs=IDS, max_new_tokens=8, eos_token_id=list(range(30)), pad_token_id=2)
        assert len(calls) == 1

    def test_after_a_time(self):
        started = time.perf_counter()
        model = gpt2()
        found = model.generate(IDS, max_length=39, max_time=0.0)
        assert found.shape[1] == 4
        assert time.perf_counter() - started < 30

    def test_a_criterion_of_ones_own(self):
        class AfterASeven(StoppingCriteria):
            def __call__(self, input_ids, scores, **kwargs):
                return input_ids.shape[1] >= 5

        found = gpt2().generate(
            IDS, max_new_tokens=8, stopping_criteria=StoppingCriteriaList([AfterASeven()])
        )
        assert found.shape[1] == 5

    def test_a_criterion_for_each_row(self):
        class FirstRowAtFive(StoppingCriteria):
            def __call__(self, input_ids, scores, **kwargs):
                return torch.tensor([input_ids.shape[1] >= 5, False])

        found = gpt2(pad_token_id=2).generate(IDS, max_length=9, stopping_criteria=[FirstRowAtFive()])
        assert found[0, 5:].tolist() == [2] * 4
        assert found[1, 5:].tolist() != [2] * 4

    def test_lists_of_criteria(self):
        criteria = StoppingCriteriaList([MaxTimeCriteria(60), MaxLengthCriteria(4)])
        assert criteria.max_length == 4
        assert criteria(torch.ones(1, 4), None) is True
        assert criteria(torch.ones(1, 3), None) is False
        assert StoppingCriteriaList().max_length is None

    def test_more_tokens_than_positions(self, said):
        with pytest.raises(ValueError, match="positions for 40"):
            gpt2().generate(IDS, max_length=50)
        assert "friendly reminder" in said()


class TestPrompts:
    def test_nothing_begins_with_bos(self):
        model = gpt2()
        expected = model.generate(torch.tensor([[1]]), max_new_tokens=4)
        assert torch.equal(model.generate(max_new_tokens=4), expected)
        assert torch.equal(model.generate(torch.empty(1, 0, dtype=torch.long), max_new_tokens=4), expected)
        with pytest.raises(ValueError, match="`bos_token_id` has to be defined"):
            gpt2(bos_token_id=None).generate(max_new_tokens=4)

    def test_given_twice(self):
        with pytest.raises(ValueError, match="`inputs` and `input_ids` were both passed"):
            gpt2().generate(IDS, input_ids=IDS)

    def test_embeddings_give_only_what_follows(self):
        model = gpt2()
        embeddings = model.get_input_embeddings()(IDS)
        assert torch.equal(
            model.generate(inputs_embeds=embeddings, max_new_tokens=4),
            model.generate(IDS, max_new_tokens=4)[:, 3:],
        )
        both = model.generate(IDS, inputs_embeds=embeddings, max_new_tokens=4)
        assert torch.equal(both, model.generate(IDS, max_new_tokens=4))

    def test_a_mask_with_more_dimensions(self):
        with pytest.raises(ValueError, match="must be 2D"):
            gpt2().generate(IDS, attention_mask=torch.ones(2, 3, 3), max_new_tokens=2)

    def test_padding_on_the_right(self, said):
        gpt2(pad_token_id=10).generate(IDS, max_new_tokens=2)
        assert "right-padding was detected" in said()

    def test_no_token_for_padding(self, said):
        gpt2(eos_token_id=2).generate(IDS, max_new_tokens=2)
        message = said()
        assert "Setting `pad_token_id` to `eos_token_id`:2 for open-end generation." in message
        assert "The attention mask and the pad token id were not set" in message

    @pytest.mark.parametrize("prompt", ["text", [[1, 2]], {"input_ids": IDS}])
    def test_no_tensor(self, prompt):
        with pytest.raises(TypeError, match=rf"not as a {type(prompt).__name__}.*return_tensors=\"pt\""):
            gpt2().generate(prompt)

    def test_a_single_row(self):
        with pytest.raises(ValueError, match=r"shape \(3,\), and not \(batch, length\)"):
            gpt2().generate(IDS[0])

    @pytest.mark.parametrize("model", [gpt2(), t5()], ids=["gpt2", "t5"])
    def test_labels_of_a_batch_are_not_used(self, model):
        expected = model.generate(IDS, max_new_tokens=3)
        assert torch.equal(model.generate(input_ids=IDS, labels=IDS, max_new_tokens=3), expected)

    def test_as_many_rows_of_the_decoder_as_of_the_encoder(self):
        with pytest.raises(ValueError, match=r"shape \(1, 2\), and not \(2, length\)"):
            t5().generate(IDS, decoder_input_ids=torch.tensor([[0, 5]]))

    def test_an_encoder_decoder_needs_a_start(self):
        model = t5()
        model.generation_config.decoder_start_token_id = None
        with pytest.raises(ValueError, match="`decoder_start_token_id` or `bos_token_id` has to be defined"):
            model.generate(IDS, max_new_tokens=2)


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"max_newtokens": 3, "foo": 1}, r"not used by the model: \['max_newtokens', 'foo'\]"),
            ({"max_length": 3}, "Input length of input_ids is 3, but `max_length` is set to 3"),
            ({"max_new_tokens": 0}, "`max_new_tokens` must be greater than 0"),
            (
                {"num_return_sequences": 2},
                r"do not support `num_return_sequences` different than 1 \(got 2\)",
            ),
            ({"num_beams": 3}, "strategy 'beam_search'; there are 'greedy_search' and 'sample'"),
            ({"penalty_alpha": 0.6, "top_k": 4}, "strategy 'contrastive_search'"),
            ({"assistant_model": object()}, "strategy 'assisted_generation'"),
            ({"bad_words_ids": [[1]]}, "`bad_words_ids` cannot be used"),
            ({"do_sample": True, "typical_p": 0.5}, "`typical_p` cannot be used"),
            ({"prefix_allowed_tokens_fn": print}, "`prefix_allowed_tokens_fn` cannot be used"),
            ({"do_sample": True, "temperature": 0.0}, "strictly positive float"),
            ({"do_sample": True, "top_k": -1}, "`top_k` has to be a strictly positive integer"),
            ({"no_repeat_ngram_size": 1.5}, "`ngram_size` has to be a strictly positive integer"),
            (
                {
                    "repetition_penalty": 2.0,
                    "logits_processor": LogitsProcessorList([RepetitionPenaltyLogitsProcessor(1.5)]),
                },
                "RepetitionPenaltyLogitsProcessor has been passed .* there is one already",
            ),
        ],
    )
    def test_refuses(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            gpt2().generate(IDS, **arguments)

    def test_a_model_without_scores_of_tokens(self):
        model = BertModel(
            BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
        )
        with pytest.raises(TypeError, match=r"BertModel\) is not compatible with `.generate\(\)`"):
            model.generate(IDS)

    @pytest.mark.parametrize(
        ("kind", "can"),
        [
            (GPT2LMHeadModel, True),
            (BertLMHeadModel, True),
            (T5ForConditionalGeneration, True),
            (BertForMaskedLM, False),
            (BertModel, False),
            (T5Model, False),
            (GPT2ForSequenceClassification, False),
        ],
    )
    def test_can_generate(self, kind, can):
        assert kind.can_generate() is can

    def test_a_processor_of_ones_own(self):
        class Only(LogitsProcessor):
            def __call__(self, input_ids, scores):
                return torch.full_like(scores, -torch.inf).index_fill(1, torch.tensor([4]), 0.0)

        found = gpt2().generate(IDS, max_new_tokens=3, logits_processor=LogitsProcessorList([Only()]))
        assert (found[:, 3:] == 4).all()

    def test_a_dictionary_is_no_configuration(self):
        with pytest.raises(TypeError, match="and not a dict: give single settings by name"):
            gpt2().generate(IDS, generation_config={"max_new_tokens": 2})

    @pytest.mark.parametrize("name", ["logits_processor", "stopping_criteria"])
    def test_a_processor_or_criterion_outside_of_a_list(self, name):
        with pytest.raises(TypeError, match="has to be in a list"):
            gpt2().generate(IDS, max_new_tokens=2, **{name: lambda ids, scores: scores})

    def test_the_default_length_counts_the_prompt_and_is_told(self):
        with pytest.warns(UserWarning, match=r"Using the model-agnostic default `max_length` \(=20\)"):
            assert gpt2().generate(IDS).shape == (2, 20)

    def test_a_least_length_that_cannot_be(self):
        with pytest.warns(UserWarning, match="Unfeasible length constraints: `min_new_tokens`"):
            gpt2(eos_token_id=2, pad_token_id=2).generate(IDS, max_length=6, min_new_tokens=9)


class TestSettings:
    def test_arguments_win_over_a_configuration_over_the_model_s(self):
        model = gpt2()
        model.generation_config.max_new_tokens = 5
        assert model.generate(IDS).shape[1] == 3 + 5
        config = GenerationConfig(max_new_tokens=6)
        assert model.generate(IDS, generation_config=config).shape[1] == 3 + 6
        assert model.generate(IDS, generation_config=config, max_new_tokens=7).shape[1] == 3 + 7
        assert (config.max_new_tokens, config.max_length) == (6, 20)  # as they were

    def test_special_tokens_are_the_model_s_unless_given(self):
        model = gpt2(eos_token_id=list(range(30)), pad_token_id=0)
        assert model.generate(IDS, generation_config=GenerationConfig(max_new_tokens=6)).shape[1] == 4

    def test_from_the_model_s_configuration_with_a_warning(self):
        model = gpt2()
        model.config.max_length = 9
        with pytest.warns(UserWarning, match="modified the pretrained model configuration"):
            assert model.generate(IDS).shape[1] == 9

    def test_are_saved_and_loaded_with_the_model(self, tmp_path: Path):
        model = gpt2()
        model.generation_config.max_new_tokens = 4
        model.save_pretrained(tmp_path)
        assert json.loads((tmp_path / "generation_config.json").read_text())["max_new_tokens"] == 4
        again = GPT2LMHeadModel.from_pretrained(tmp_path)
        assert again.generation_config == model.generation_config
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert again.generate(IDS).shape[1] == 3 + 4

    def test_a_checkpoint_without_them(self, tmp_path: Path):
        gpt2(max_length=11).save_pretrained(tmp_path)
        (tmp_path / "generation_config.json").unlink()
        assert GPT2LMHeadModel.from_pretrained(tmp_path).generate(IDS).shape[1] == 11

    def test_models_that_do_not_generate_have_none(self, tmp_path: Path):
        model = GPT2ForSequenceClassification(GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=1))
        assert model.generation_config is None
        model.save_pretrained(tmp_path)
        assert not (tmp_path / "generation_config.json").exists()
