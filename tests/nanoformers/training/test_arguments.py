"""`TrainingArguments`: defaults, older spellings, what follows from the fields, and every refusal."""

from __future__ import annotations

import dataclasses
import json
import logging
import pickle
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import torch
from nanoformers.training import (
    AcceleratorConfig,
    DebugOption,
    HubStrategy,
    IntervalStrategy,
    OptimizerNames,
    ParallelMode,
    SaveStrategy,
    Seq2SeqTrainingArguments,
    TrainingArguments,
)

# Documented fields and defaults (release 4.36), where they are plain values.
DOCUMENTED: dict[str, Any] = {
    "overwrite_output_dir": False,
    "do_train": False,
    "do_eval": False,
    "do_predict": False,
    "evaluation_strategy": "no",
    "prediction_loss_only": False,
    "per_device_train_batch_size": 8,
    "per_device_eval_batch_size": 8,
    "per_gpu_train_batch_size": None,
    "per_gpu_eval_batch_size": None,
    "gradient_accumulation_steps": 1,
    "eval_accumulation_steps": None,
    "eval_delay": 0,
    "learning_rate": 5e-5,
    "weight_decay": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "num_train_epochs": 3.0,
    "max_steps": -1,
    "lr_scheduler_type": "linear",
    "warmup_ratio": 0.0,
    "warmup_steps": 0,
    "log_level": "passive",
    "log_level_replica": "warning",
    "log_on_each_node": True,
    "logging_strategy": "steps",
    "logging_first_step": False,
    "logging_steps": 500,
    "logging_nan_inf_filter": True,
    "save_strategy": "steps",
    "save_steps": 500,
    "save_total_limit": None,
    "save_safetensors": True,
    "save_on_each_node": False,
    "save_only_model": False,
    "no_cuda": False,
    "use_cpu": False,
    "use_mps_device": False,
    "seed": 42,
    "data_seed": None,
    "jit_mode_eval": False,
    "use_ipex": False,
    "bf16": False,
    "fp16": False,
    "fp16_opt_level": "O1",
    "half_precision_backend": "auto",
    "bf16_full_eval": False,
    "fp16_full_eval": False,
    "tf32": None,
    "local_rank": -1,
    "ddp_backend": None,
    "tpu_num_cores": None,
    "tpu_metrics_debug": False,
    "debug": [],
    "dataloader_drop_last": False,
    "eval_steps": None,
    "dataloader_num_workers": 0,
    "past_index": -1,
    "disable_tqdm": False,
    "remove_unused_columns": True,
    "label_names": None,
    "load_best_model_at_end": False,
    "metric_for_best_model": None,
    "greater_is_better": None,
    "ignore_data_skip": False,
    "fsdp_min_num_params": 0,
    "fsdp_transformer_layer_cls_to_wrap": None,
    "deepspeed": None,
    "label_smoothing_factor": 0.0,
    "optim": "adamw_torch",
    "optim_args": None,
    "adafactor": False,
    "group_by_length": False,
    "length_column_name": "length",
    "report_to": [],
    "ddp_find_unused_parameters": None,
    "ddp_bucket_cap_mb": None,
    "ddp_broadcast_buffers": None,
    "dataloader_persistent_workers": False,
    "skip_memory_metrics": True,
    "use_legacy_prediction_loop": False,
    "push_to_hub": False,
    "resume_from_checkpoint": None,
    "hub_model_id": None,
    "hub_strategy": "every_save",
    "hub_token": None,
    "hub_always_push": False,
    "gradient_checkpointing": False,
    "gradient_checkpointing_kwargs": None,
    "include_inputs_for_metrics": False,
    "fp16_backend": "auto",
    "push_to_hub_model_id": None,
    "push_to_hub_organization": None,
    "push_to_hub_token": None,
    "mp_parameters": "",
    "auto_find_batch_size": False,
    "full_determinism": False,
    "torchdynamo": None,
    "ray_scope": "last",
    "ddp_timeout": 1800,
    "torch_compile": False,
    "torch_compile_backend": None,
    "torch_compile_mode": None,
    "dispatch_batches": None,
    "split_batches": False,
    "include_tokens_per_second": False,
    "include_num_input_tokens_seen": "no",
    "neftune_noise_alpha": None,
}


def arguments(**options: Any) -> TrainingArguments:
    return TrainingArguments("out", **options)


class TestFields:
    @pytest.mark.parametrize("name", DOCUMENTED)
    def test_documented_default(self, name):
        assert getattr(arguments(), name) == DOCUMENTED[name]

    def test_every_field_has_a_help_text(self):
        assert all(field.metadata["help"] for field in dataclasses.fields(Seq2SeqTrainingArguments))

    def test_fields_of_today_are_all_there(self):
        import transformers

        ours = {field.name for field in dataclasses.fields(TrainingArguments)}
        theirs = {field.name for field in dataclasses.fields(transformers.TrainingArguments) if field.init}
        assert theirs <= ours

    def test_seq2seq_adds_generation(self):
        args = Seq2SeqTrainingArguments("out")
        added = (args.sortish_sampler, args.predict_with_generate, args.generation_max_length)
        assert added == (False, False, None)
        assert (args.generation_num_beams, args.generation_config) == (None, None)

    def test_the_output_folder_has_a_default(self):
        assert TrainingArguments().output_dir == "trainer_output"

    def test_a_logging_folder_is_named_for_the_run(self):
        assert arguments().logging_dir.startswith("out/runs/")

    def test_the_run_is_named_for_the_folder(self):
        assert arguments().run_name == "out"


class TestSpellings:
    @pytest.mark.parametrize("name", ["evaluation_strategy", "eval_strategy"])
    def test_evaluation_strategy(self, name):
        args = arguments(**{name: "epoch"})
        assert args.evaluation_strategy == args.eval_strategy == IntervalStrategy.EPOCH
        assert args.do_eval

    @pytest.mark.parametrize(
        ("old", "value", "new", "expected"),
        [
            ("no_cuda", True, "use_cpu", True),
            ("per_gpu_train_batch_size", 3, "per_device_train_batch_size", 3),
            ("per_gpu_eval_batch_size", 3, "per_device_eval_batch_size", 3),
            ("push_to_hub_token", "secret", "hub_token", "secret"),
            ("push_to_hub_model_id", "mine", "hub_model_id", "mine"),
            ("push_to_hub_organization", "us", "hub_model_id", "us/out"),
            ("adafactor", True, "optim", OptimizerNames.ADAFACTOR),
            ("torchdynamo", "eager", "torch_compile_backend", "eager"),
        ],
    )
    def test_deprecated_ones_warn_and_work(self, old, value, new, expected):
        with pytest.warns(FutureWarning, match=old):
            args = arguments(**{old: value})
        assert getattr(args, new) == expected

    def test_a_token_is_not_shown_in_the_warning(self):
        with pytest.warns(FutureWarning) as caught:
            arguments(push_to_hub_token="secret")
        assert not any("secret" in str(entry.message) for entry in caught)

    def test_activation_checkpointing(self):
        assert arguments(activation_checkpointing=True).gradient_checkpointing is True

    def test_group_by_length(self):
        assert arguments(group_by_length=True).train_sampling_strategy == "group_by_length"
        assert arguments(train_sampling_strategy="group_by_length").group_by_length

    def test_include_inputs_for_metrics(self):
        assert arguments(include_inputs_for_metrics=True).include_for_metrics == ["inputs"]

    def test_sortish_sampler(self):
        assert Seq2SeqTrainingArguments("out", sortish_sampler=True).group_by_length


class TestForms:
    def test_words_become_choices(self):
        args = arguments(hub_strategy="end", save_strategy="best", eval_strategy="epoch", optim="sgd")
        assert args.hub_strategy is HubStrategy.END
        assert args.save_strategy is SaveStrategy.BEST
        assert args.optim is OptimizerNames.SGD

    def test_debug_takes_several_words(self):
        assert arguments(debug="underflow_overflow").debug == [DebugOption.UNDERFLOW_OVERFLOW]

    def test_dictionaries_may_be_json(self):
        args = arguments(
            lr_scheduler_kwargs='{"num_cycles": 2}', accelerator_config='{"split_batches": true}'
        )
        assert args.lr_scheduler_kwargs == {"num_cycles": 2}
        assert args.accelerator_settings.split_batches

    def test_accelerator_config_from_a_file(self, tmp_path):
        path = tmp_path / "config.json"
        path.write_text('{"even_batches": false}')
        assert arguments(accelerator_config=str(path)).accelerator_settings.even_batches is False

    def test_accumulation_as_accelerate_names_it(self):
        config = {"gradient_accumulation_kwargs": {"num_steps": 4, "sync_each_batch": True}}
        args = arguments(accelerator_config=config)
        assert args.gradient_accumulation_steps == 4
        assert TrainingArguments(**args.to_dict()).gradient_accumulation_steps == 4

    def test_older_names_of_accelerator_config(self):
        settings = arguments(split_batches=True, dispatch_batches=False).accelerator_settings
        assert settings == AcceleratorConfig(split_batches=True, dispatch_batches=False)

    def test_steps_are_whole_numbers_or_shares(self):
        args = arguments(logging_steps=10.0, save_steps=0.25)
        assert (args.logging_steps, args.save_steps) == (10, 0.25)
        assert isinstance(args.logging_steps, int)

    def test_eval_steps_follow_logging_steps(self):
        assert arguments(eval_strategy="steps", logging_steps=7).eval_steps == 7

    def test_the_best_model_is_that_of_least_loss(self):
        args = arguments(load_best_model_at_end=True, eval_strategy="epoch", save_strategy="epoch")
        assert (args.metric_for_best_model, args.greater_is_better) == ("loss", False)

    def test_other_metrics_are_to_be_great(self):
        assert arguments(metric_for_best_model="accuracy").greater_is_better

    @pytest.mark.parametrize(
        ("value", "expected"), [(True, "all"), (False, "no"), ("non_padding", "non_padding")]
    )
    def test_counting_tokens(self, value, expected):
        assert arguments(include_num_input_tokens_seen=value).include_num_input_tokens_seen == expected

    def test_numbers_of_numpy(self):
        args = arguments(learning_rate=np.float32(0.5), per_device_train_batch_size=np.int64(4))
        assert (args.learning_rate, args.train_batch_size) == (0.5, 4)

    @pytest.mark.parametrize("name", ["bf16", "gradient_checkpointing"])
    def test_a_switch_that_is_none_is_off(self, name):
        assert not getattr(arguments(**{name: None}), name)

    def test_an_interval_that_nothing_needs(self):
        args = arguments(save_strategy="epoch", save_steps=None, logging_strategy="no", logging_steps=None)
        assert (args.save_steps, args.logging_steps) == (None, None)

    def test_no_clipping(self):
        assert arguments(max_grad_norm=None).max_grad_norm is None

    def test_a_greedy_schedule_looks_at_the_loss(self):
        args = arguments(lr_scheduler_type="greedy", eval_strategy="epoch")
        assert (args.metric_for_best_model, args.greater_is_better) == ("loss", False)

    def test_a_backend_asks_for_compilation(self):
        args = arguments(torch_compile_mode="default")
        assert (args.torch_compile, args.torch_compile_backend) == (True, "inductor")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "strategy": ({"eval_strategy": "sometimes"}, "select one of"),
    "optimizer": ({"optim": "magic"}, "OptimizerNames"),
    "schedule": ({"lr_scheduler_type": "magic"}, "SchedulerType"),
    "sampling": ({"train_sampling_strategy": "magic"}, "'group_by_length'"),
    "log level": ({"log_level": "loud"}, "'passive'"),
    "include": ({"include_for_metrics": ["magic"]}, "'loss'"),
    "a number that YAML reads as text": ({"learning_rate": "1e-4"}, r"learning_rate='1e-4'.*1.0e-4"),
    "a number in text": ({"num_train_epochs": "3"}, "a number is needed"),
    "a whole number in text": ({"max_steps": "5"}, "a whole number is needed"),
    "part of a whole number": ({"max_steps": 2.5}, "a whole number is needed"),
    "no number": ({"weight_decay": None}, "weight_decay=None: a number is needed"),
    "an optional number in text": ({"save_total_limit": "2"}, "a whole number is needed"),
    "a truth value in text": ({"bf16": "false"}, "True or False is needed"),
    "batch size": ({"per_device_train_batch_size": 0}, "at least 1"),
    "accumulation": ({"gradient_accumulation_steps": 0}, "at least 1"),
    "eval accumulation": ({"eval_accumulation_steps": -1}, "at least 1"),
    "save total limit": ({"save_total_limit": 0}, "at least 1"),
    "cache steps": ({"torch_empty_cache_steps": 0}, "at least 1"),
    "learning rate": ({"learning_rate": -1.0}, "at least 0"),
    "beta": ({"adam_beta1": 1.0}, "below 1"),
    "smoothing": ({"label_smoothing_factor": 1.5}, "below 1"),
    "epochs": ({"num_train_epochs": 0}, "max_steps"),
    "warm-up ratio": ({"warmup_ratio": 1.5}, r"warmup_ratio must lie in range \[0,1\]"),
    "warm-up steps": ({"warmup_steps": -1}, "at least 0"),
    "neftune": ({"neftune_noise_alpha": -1.0}, "above 0"),
    "workers": ({"dataloader_num_workers": -1}, "at least 0"),
    "prefetching": ({"dataloader_prefetch_factor": 2}, "dataloader_num_workers"),
    "persistent workers": ({"dataloader_persistent_workers": True}, "dataloader_num_workers"),
    "logging steps": ({"logging_steps": 0}, "whole number"),
    "half a step": ({"save_steps": 2.5}, "whole number"),
    "JSON": ({"lr_scheduler_kwargs": "{"}, "written as JSON"),
    "accelerator": ({"accelerator_config": {"magic": 1}}, "split_batches"),
    "two numbers of batches": (
        {
            "gradient_accumulation_steps": 2,
            "accelerator_config": {"gradient_accumulation_kwargs": {"num_steps": 4}},
        },
        "gradient_accumulation_steps=2",
    ),
    "a setting of accumulation": (
        {"accelerator_config": {"gradient_accumulation_kwargs": {"adjust_scheduler": True}}},
        "'sync_each_batch'",
    ),
    "a state of accelerate": ({"accelerator_config": {"use_configured_state": True}}, "PartialState"),
    "plateau": ({"lr_scheduler_type": "reduce_lr_on_plateau"}, "requires an eval strategy"),
    "save the best": ({"save_strategy": "best"}, "requires an eval strategy"),
    "best model": (
        {"load_best_model_at_end": True, "eval_strategy": "epoch"},
        "requires the save and eval strategy to match",
    ),
    "best model, steps": (
        {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 200, "save_steps": 300},
        "round multiple",
    ),
    "best model, share": (
        {"load_best_model_at_end": True, "eval_strategy": "steps", "eval_steps": 0.1, "save_steps": 300},
        "share",
    ),
    "two precisions": ({"fp16": True, "bf16": True}, "At most one of fp16 and bf16"),
    "two precisions of evaluation": ({"fp16_full_eval": True, "bf16_full_eval": True}, "for full eval"),
    "apex": ({"half_precision_backend": "apex", "bf16": True}, "Apex"),
    "apex's level": ({"fp16_opt_level": "O2"}, "Apex"),
    "backend of precision": ({"half_precision_backend": "magic"}, "'cpu_amp'"),
    "TorchScript": ({"jit_mode_eval": True}, "torch_compile"),
    "liger": ({"use_liger_kernel": True}, "torch_compile"),
    "parallelism": ({"parallelism_config": object()}, "fsdp"),
    "target modules": ({"optim_target_modules": ["q"]}, "GaLore"),
    "trackio": ({"trackio_space_id": "me/space"}, "report_to"),
}


class TestRefusals:
    @pytest.mark.parametrize("case", REFUSED)
    def test_says_what_is_wrong(self, case):
        options, message = REFUSED[case]
        with pytest.raises(ValueError, match=message):
            arguments(**options)

    @pytest.mark.skipif(torch.accelerator.is_available(), reason="there is an accelerator")
    @pytest.mark.parametrize("name", ["fp16", "fp16_full_eval"])
    def test_float16_on_the_cpu(self, name):
        with pytest.raises(ValueError, match=r"can only be used on an accelerator.*bf16"):
            arguments(**{name: True})

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_tf32_on_the_cpu(self):
        with pytest.raises(ValueError, match="Ampere"):
            arguments(tf32=True)
        arguments(tf32=False)

    @pytest.mark.parametrize(
        ("options", "package"),
        [
            ({"use_ipex": True}, "intel_extension_for_pytorch"),
            ({"tpu_num_cores": 8}, "torch_xla"),
            ({"debug": "tpu_metrics_debug"}, "torch_xla"),
            ({"mp_parameters": "{}"}, "smdistributed"),
        ],
    )
    def test_a_package_is_missing(self, options, package):
        with pytest.raises(ImportError, match=package):
            arguments(**options)

    def test_an_unknown_logger(self):
        with pytest.raises(ValueError, match="report_to"):
            arguments(report_to="magic")

    def test_an_unknown_argument(self):
        with pytest.raises(TypeError, match="magic"):
            arguments(magic=1)


class TestProcess:
    def test_one_process_on_the_cpu(self):
        args = arguments(use_cpu=True)
        assert args.device == torch.device("cpu")
        assert (args.n_gpu, args.world_size, args.process_index, args.local_process_index) == (0, 1, 0, 0)
        assert args.parallel_mode is ParallelMode.NOT_PARALLEL
        assert args.should_log
        assert args.should_save
        assert args.place_model_on_device

    def test_batch_sizes(self):
        args = arguments(use_cpu=True, per_device_train_batch_size=3, per_device_eval_batch_size=5)
        assert (args.train_batch_size, args.eval_batch_size) == (3, 5)

    def test_main_process_first_runs_the_body_once(self):
        done = []
        with arguments(use_cpu=True).main_process_first(desc="work"):
            done.append(1)
        assert done == [1]

    def test_log_level(self):
        assert arguments(log_level="info").get_process_log_level() == logging.INFO
        assert arguments().get_process_log_level() == logging.WARNING

    def test_timeout(self):
        assert arguments(ddp_timeout=60).ddp_timeout_delta == timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, 0),
            ({"warmup_steps": 7}, 7),
            ({"warmup_ratio": 0.1}, 21),
            ({"warmup_steps": 0.5}, 101),
            ({"warmup_steps": 7, "warmup_ratio": 0.1}, 7),
        ],
    )
    def test_warm_up(self, options, expected):
        assert arguments(**options).get_warmup_steps(201) == expected


class TestOtherForms:
    def test_to_dict_is_plain(self):
        values = arguments(hub_token="secret", optim="sgd", debug="underflow_overflow").to_dict()
        assert values["hub_token"] == "<HUB_TOKEN>"
        assert values["optim"] == "sgd"
        assert values["debug"] == ["underflow_overflow"]
        assert json.loads(json.dumps(values)) == values

    def test_json(self):
        assert json.loads(arguments().to_json_string())["learning_rate"] == 5e-5

    def test_sanitized_values(self):
        values = arguments(use_cpu=True).to_sanitized_dict()
        assert all(isinstance(value, (bool, int, float, str)) for value in values.values())
        assert values["train_batch_size"] == 8

    def test_printing_hides_tokens(self):
        shown = repr(arguments(hub_token="secret"))
        assert "secret" not in shown
        assert "learning_rate=5e-05" in shown

    def test_pickling(self):
        args = arguments(seed=3)
        assert args.device is not None
        assert pickle.loads(pickle.dumps(args)).seed == 3

    def test_made_anew_from_a_dictionary(self):
        args = arguments(eval_strategy="steps", logging_steps=5)
        assert TrainingArguments(**args.to_dict()).to_dict() == args.to_dict()


class TestSetters:
    def test_training(self):
        args = arguments().set_training(learning_rate=1e-4, batch_size=32, num_epochs=2)
        assert (args.learning_rate, args.per_device_train_batch_size, args.num_train_epochs) == (1e-4, 32, 2)
        assert args.do_train

    def test_evaluate(self):
        args = arguments().set_evaluate(strategy="steps", steps=100, batch_size=4, delay=2)
        assert args.eval_strategy is IntervalStrategy.STEPS
        assert (args.eval_steps, args.per_device_eval_batch_size, args.eval_delay) == (100, 4, 2)
        assert args.do_eval

    def test_testing(self):
        args = arguments().set_testing(batch_size=32, loss_only=True)
        assert args.do_predict
        assert args.prediction_loss_only

    def test_save(self):
        assert arguments().set_save(strategy="steps", steps=100, total_limit=2).save_total_limit == 2

    def test_logging(self):
        args = arguments().set_logging(strategy="steps", steps=100, level="error")
        assert (args.logging_steps, args.log_level, args.report_to) == (100, "error", [])

    def test_push_to_hub(self):
        args = arguments().set_push_to_hub("me/awesome-model", strategy="end")
        assert (args.hub_model_id, args.hub_strategy, args.push_to_hub) == ("me/awesome-model", "end", True)

    def test_optimizer(self):
        args = arguments().set_optimizer(name="adafactor", beta1=0.8)
        assert (args.optim, args.adam_beta1) == (OptimizerNames.ADAFACTOR, 0.8)

    def test_lr_scheduler(self):
        args = arguments().set_lr_scheduler(name="cosine", warmup_ratio=0.05)
        assert (args.lr_scheduler_type, args.warmup_ratio) == ("cosine", 0.05)

    def test_dataloader(self):
        args = arguments().set_dataloader(train_batch_size=16, sampler_seed=5)
        assert (args.per_device_train_batch_size, args.data_seed) == (16, 5)

    @pytest.mark.parametrize("setter", ["set_evaluate", "set_save", "set_logging"])
    def test_no_steps_at_all(self, setter):
        with pytest.raises(ValueError, match="positive value"):
            getattr(arguments(), setter)(strategy="steps", steps=0)
