"""`Trainer`: what it is made of, training, everything that a subclass may override, and every refusal."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nanoformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    BertTokenizerFast,
    DataCollatorWithPadding,
    set_seed,
)
from nanoformers.training import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from nanoformers.training.outputs import TrainOutput
from safetensors.torch import load_file

CONFIG = {
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def bert(**config: Any) -> BertForSequenceClassification:
    torch.manual_seed(0)
    return BertForSequenceClassification(BertConfig(**CONFIG | config))


def rows(number: int = 24, length: int = 6) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    ids = random.integers(1, 30, (number, length)).tolist()
    return [{"input_ids": row, "labels": int(row[0] > 15)} for row in ids]


@pytest.fixture
def make(tmp_path: Path):
    def trainer(cls: type[Trainer] = Trainer, model: Any = None, **options: Any) -> Trainer:
        own = {"train_dataset", "eval_dataset", "callbacks", "compute_metrics", "optimizers", "model_init"}
        own |= {"compute_loss_func", "optimizer_cls_and_kwargs", "data_collator", "tokenizer"}
        given = {name: options.pop(name) for name in own & options.keys()}
        defaults = {"save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "logging_steps": 1}
        args = TrainingArguments(str(tmp_path / "out"), **defaults | options)
        if "model_init" not in given and model is None:
            model = bert()
        return cls(model, args, **{"train_dataset": rows()} | given)

    return trainer


def losses(trainer: Trainer) -> list[float]:
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


class Linear(torch.nn.Module):
    """A model that is none of the library's, and gives tuples."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        predictions = self.weight * x
        if labels is None:
            return (predictions,)
        return ((predictions - labels) ** 2).mean(), predictions


class TestMaking:
    def test_attributes(self, make):
        trainer = make()
        assert trainer.model is trainer.model_wrapped
        assert trainer.label_names == ["labels"]
        assert not trainer.is_in_train
        assert trainer.state.global_step == 0
        assert trainer.callback_handler.callbacks

    def test_arguments_have_a_default(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert Trainer(bert()).args.output_dir == "tmp_trainer"

    @pytest.mark.parametrize("name", ["tokenizer", "processing_class"])
    def test_both_names_of_the_tokenizer(self, tmp_path, name):
        tokenizer = object()
        trainer = Trainer(bert(), TrainingArguments(str(tmp_path)), **{name: tokenizer})
        assert trainer.tokenizer is trainer.processing_class is tokenizer

    def test_a_model_from_a_function(self, make):
        trainer = make(model_init=bert)
        first = trainer.train().training_loss
        assert trainer.train().training_loss == first  # a new model, and the same seed

    def test_labels_of_question_answering(self, make):
        from nanoformers import BertForQuestionAnswering

        trainer = make(model=BertForQuestionAnswering(BertConfig(**CONFIG)))
        assert trainer.label_names == ["start_positions", "end_positions"]

    def test_where_the_model_is(self, make):
        trainer = make()
        assert trainer.place_model_on_device
        assert not trainer.is_model_parallel

    def test_a_model_in_parts(self, make):
        model = bert()
        model.hf_device_map = {"bert": "cpu", "classifier": "disk"}
        trainer = make(model=model)
        assert not trainer.place_model_on_device
        assert trainer.is_model_parallel

    def test_the_accelerator_is_one_of_accelerate(self, make):
        import accelerate

        assert isinstance(make().accelerator, accelerate.Accelerator)


class TestRefusals:
    def test_no_model(self, make, tmp_path):
        with pytest.raises(RuntimeError, match="requires either a `model` or `model_init`"):
            Trainer(args=TrainingArguments(str(tmp_path)))

    def test_a_model_and_a_function(self, make):
        with pytest.raises(ValueError, match="but not both"):
            make(model=bert(), model_init=bert)

    def test_a_name_in_place_of_a_model(self, make):
        with pytest.raises(TypeError, match=r"'bert-base-cased'.*from_pretrained"):
            make(model="bert-base-cased")

    def test_a_dictionary_in_place_of_arguments(self):
        with pytest.raises(TypeError, match=r"TrainingArguments\(\*\*"):
            Trainer(bert(), {"output_dir": "out"})

    def test_a_model_without_a_head(self, make):
        with pytest.raises(ValueError, match="only computes hidden states"):
            make(model=BertModel(BertConfig(**CONFIG)))

    def test_a_function_with_two_arguments(self, make):
        with pytest.raises(RuntimeError, match="0 or 1 argument"):
            make(model_init=lambda a, b: bert())

    def test_a_function_that_gives_nothing(self, make):
        with pytest.raises(RuntimeError, match="not return None"):
            make(model_init=lambda: None)

    def test_a_function_and_optimizers(self, make):
        optimizer = torch.optim.SGD(bert().parameters(), 0.1)
        with pytest.raises(RuntimeError, match="incompatible with providing the `optimizers`"):
            make(model_init=bert, optimizers=(optimizer, None))

    def test_two_optimizers(self, make):
        model = bert()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with pytest.raises(RuntimeError, match="Passing both"):
            make(
                model=model,
                optimizers=(optimizer, None),
                optimizer_cls_and_kwargs=(torch.optim.SGD, {"lr": 0.1}),
            )

    def test_an_evaluation_strategy_without_data(self, make):
        with pytest.raises(ValueError, match="you didn't pass an `eval_dataset`"):
            make(eval_strategy="epoch")

    def test_training_without_data(self, make):
        with pytest.raises(ValueError, match="training requires a train_dataset"):
            make(train_dataset=None).train()

    @pytest.mark.parametrize("max_steps", [-1, 5])
    def test_an_empty_data_set(self, make, max_steps):
        with pytest.raises(ValueError, match="not a single batch"):
            make(train_dataset=[], max_steps=max_steps).train()

    def test_data_without_length_and_without_max_steps(self, make):
        class Stream(torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter(rows())

        with pytest.raises(ValueError, match="max_steps has to be specified"):
            make(train_dataset=Stream())

    def test_a_model_that_gives_no_loss(self, make):
        data = [{"input_ids": row["input_ids"]} for row in rows()]
        with pytest.raises(ValueError, match="did not return a loss"):
            make(train_dataset=data).train()

    @pytest.mark.parametrize(
        ("give", "message"),
        [(lambda loss: loss.mean(), "no dictionary and no tuple"), (lambda loss: (loss,), r"Odd.*\(4,\)")],
        ids=["alone", "one for each example"],
    )
    def test_a_model_whose_loss_is_not_as_documented(self, make, give, message):
        class Odd(Linear):
            def forward(self, x, labels=None):
                return give(super().forward(x)[0])

        with pytest.raises(ValueError, match=message):
            make(model=Odd(), train_dataset=[{"x": 1.0, "labels": 2.0}] * 4).train()

    def test_an_unknown_argument_of_train(self, make):
        with pytest.raises(TypeError, match="magic"):
            make().train(magic=1)

    def test_no_checkpoint_to_resume_from(self, make):
        with pytest.raises(ValueError, match="No valid checkpoint found"):
            make().train(resume_from_checkpoint=True)

    def test_recomputation_in_a_model_that_cannot(self, make):
        data = [{"x": 1.0, "labels": 2.0}] * 4
        with pytest.raises(ValueError, match="gradient_checkpointing_enable"):
            make(model=Linear(), train_dataset=data, gradient_checkpointing=True).train()

    def test_recomputation_with_an_argument_that_there_is_not(self, make):
        options = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"magic": 1}}
        with pytest.raises(ValueError, match=r"magic.*use_reentrant"):
            make(**options).train()

    def test_noise_on_embeddings_that_are_not_there(self, make):
        data = [{"x": 1.0, "labels": 2.0}] * 4
        with pytest.raises(ValueError, match="get_input_embeddings"):
            make(model=Linear(), train_dataset=data, neftune_noise_alpha=1.0).train()

    def test_learning_rates_before_there_is_an_optimizer(self, make):
        with pytest.raises(ValueError, match="optimizer is None"):
            make().get_learning_rates()

    def test_a_compiler_that_there_is_not(self, make):
        with pytest.raises(ValueError, match="torch_compile_backend='magic' is unknown"):
            make(torch_compile_backend="magic").train()


class TestTraining:
    def test_what_train_gives(self, make):
        output = make(max_steps=4).train()
        assert isinstance(output, TrainOutput)
        assert output.global_step == 4
        assert output.metrics.keys() >= {
            "train_runtime",
            "train_samples_per_second",
            "train_steps_per_second",
            "total_flos",
            "train_loss",
            "epoch",
        }
        assert output.training_loss == output.metrics["train_loss"]

    def test_what_is_logged(self, make):
        trainer = make(max_steps=2)
        trainer.train()
        first, _, last = trainer.state.log_history
        assert list(first) == ["loss", "grad_norm", "learning_rate", "epoch", "step"]
        assert "train_loss" in last

    def test_it_learns(self, make):
        trainer = make(num_train_epochs=20, learning_rate=1e-2)
        trainer.train()
        assert losses(trainer)[-1] < 0.2 < losses(trainer)[0]

    def test_a_module_of_ones_own(self, make):
        data = [{"x": float(x), "labels": 3.0 * x} for x in range(-4, 5)]
        model = Linear()
        make(model=model, train_dataset=data, num_train_epochs=30, learning_rate=0.3).train()
        assert model.weight.item() == pytest.approx(3.0, abs=0.1)

    def test_optimizers_of_ones_own(self, make):
        model = bert()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.125)
        schedule = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
        trainer = make(model=model, optimizers=(optimizer, schedule), max_steps=2)
        trainer.train()
        assert trainer.optimizer is optimizer
        assert [entry["learning_rate"] for entry in trainer.state.log_history[:2]] == [0.125, 0.125]

    def test_an_optimizer_by_class(self, make):
        trainer = make(optimizer_cls_and_kwargs=(torch.optim.SGD, {"lr": 0.1}), max_steps=1)
        trainer.train()
        assert isinstance(trainer.optimizer, torch.optim.SGD)

    def test_plain_means_with_accumulation(self, make):
        wanted = make(max_steps=3, per_device_train_batch_size=8)
        wanted.train()
        model = bert()
        model.accepts_loss_kwargs = False
        trainer = make(model=model, max_steps=3, per_device_train_batch_size=2, gradient_accumulation_steps=4)
        trainer.train()
        np.testing.assert_allclose(losses(trainer), losses(wanted), atol=1e-6)

    def test_a_loss_function_of_ones_own(self, make):
        seen = []

        def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
            seen.append(int(num_items_in_batch))
            return torch.nn.functional.cross_entropy(outputs.logits, labels)

        trainer = make(compute_loss_func=loss, max_steps=2)
        trainer.train()
        assert seen == [8, 8]
        plain = make(max_steps=2)
        plain.train()
        assert losses(trainer) == pytest.approx(losses(plain))

    def test_losses_that_are_no_number_are_left_out_of_the_mean(self, make):
        class Sick(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False):
                loss = super().compute_loss(model, inputs)
                return loss * (float("nan") if self.state.global_step == 1 else 1.0)

            def create_optimizer(self):
                self.optimizer = torch.optim.SGD(self.model.parameters(), 0.0)
                return self.optimizer

        trainer = make(Sick, max_steps=4, logging_steps=4, max_grad_norm=0)
        trainer.train()
        assert np.isfinite(losses(trainer)).all()

    def test_a_smaller_batch_where_memory_runs_out(self, make):
        class Full(Trainer):
            def training_step(self, model, inputs, num_items_in_batch=None):
                if len(inputs["input_ids"]) > 3:
                    raise RuntimeError("CUDA out of memory. (as a GPU says it)")
                return super().training_step(model, inputs, num_items_in_batch)

        trainer = make(Full, auto_find_batch_size=True, num_train_epochs=1)
        trainer.train()
        assert trainer.train_batch_size <= 3
        assert trainer.state.train_batch_size == trainer.train_batch_size

    def test_recomputing_activations_changes_nothing(self, make):
        plain, trainer = make(max_steps=3), make(max_steps=3, gradient_checkpointing=True)
        plain.train()
        trainer.train()
        assert trainer.model.is_gradient_checkpointing
        assert losses(trainer) == pytest.approx(losses(plain), abs=1e-6)

    def test_noise_on_embeddings_only_while_training(self, make):
        plain, noisy = make(max_steps=2), make(max_steps=2, neftune_noise_alpha=50.0)
        plain.train()
        noisy.train()
        assert losses(plain) != losses(noisy)
        assert not noisy.model.get_input_embeddings()._forward_hooks

    def test_compiled(self, make):
        plain, trainer = make(max_steps=2), make(max_steps=2, torch_compile_backend="eager")
        plain.train()
        trainer.train()
        assert losses(trainer) == pytest.approx(losses(plain), abs=1e-6)

    def test_a_compiled_model_is_saved_under_its_own_names(self, make, tmp_path):
        options = {
            "torch_compile_backend": "eager",
            "save_strategy": "steps",
            "save_steps": 2,
            "max_steps": 4,
        }
        trainer = make(**options)
        trainer.train()
        for folder in ("checkpoint-2", "checkpoint-4"):
            assert (
                load_file(tmp_path / "out" / folder / "model.safetensors").keys()
                == bert().state_dict().keys()
            )
        make(**options | {"max_steps": 5}).train(resume_from_checkpoint=True)

    def test_parts_that_were_in_evaluation_mode_are_trained(self, make):
        class Wrapper(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.bert = bert(hidden_dropout_prob=0.5).eval()  # as `from_pretrained` gives it
                self.modes = []

            def forward(self, input_ids, labels=None):
                self.modes.append(self.bert.training)
                return tuple(self.bert(input_ids, labels=labels).values())

        model = Wrapper()
        make(model=model, max_steps=2).train()
        assert model.modes == [True, True]

    def test_memory_is_measured(self, make):
        metrics = make(max_steps=2, skip_memory_metrics=False).train().metrics
        assert {"init_mem_cpu_alloc_delta", "train_mem_cpu_peaked_delta", "before_init_mem_cpu"} <= set(
            metrics
        )

    def test_tokens_are_counted(self, make):
        trainer = make(max_steps=2, include_num_input_tokens_seen=True, include_tokens_per_second=True)
        metrics = trainer.train().metrics
        assert trainer.state.num_input_tokens_seen == 2 * 8 * 6
        assert metrics["train_tokens_per_second"] > 0

    def test_tokens_that_are_no_padding(self, make):
        data = [row | {"attention_mask": [1, 1, 1, 0, 0, 0]} for row in rows()]
        trainer = make(train_dataset=data, max_steps=2, include_num_input_tokens_seen="non_padding")
        trainer.train()
        assert trainer.state.num_input_tokens_seen == 2 * 8 * 3

    def test_full_determinism(self, make):
        trainer = make(max_steps=1, full_determinism=True)
        try:
            trainer.train()
            assert torch.are_deterministic_algorithms_enabled()
        finally:
            torch.use_deterministic_algorithms(False)

    def test_a_checkpoint_when_told_to_end(self, make):
        class Told(TrainerCallback):
            def on_step_begin(self, args, state, control, **kwargs):
                if state.global_step == 2:
                    os.kill(os.getpid(), signal.SIGTERM)

        trainer = make(enable_jit_checkpoint=True, callbacks=[Told()], num_train_epochs=5)
        before = signal.getsignal(signal.SIGTERM)
        assert trainer.train().global_step == 3
        assert (Path(trainer.args.output_dir) / "checkpoint-3" / "trainer_state.json").is_file()
        assert signal.getsignal(signal.SIGTERM) is before

    def test_the_cache_is_off_in_training_only(self, make):
        from nanoformers import GPT2Config, GPT2LMHeadModel

        seen = []

        class Watching(GPT2LMHeadModel):
            def forward(self, input_ids=None, labels=None):
                seen.append(self.config.use_cache)
                return super().forward(input_ids, labels=labels)

        model = Watching(GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=1, n_positions=8))
        data = [{"input_ids": row["input_ids"], "labels": row["input_ids"]} for row in rows()]
        make(model=model, train_dataset=data, max_steps=1).train()
        assert seen == [False]
        assert model.config.use_cache

    def test_train_again_goes_on_with_the_model(self, make):
        trainer = make(max_steps=3)
        first = trainer.train().training_loss
        assert trainer.train().training_loss < first

    def test_memory_of_a_model_is_handed_on(self, make):
        class Remembering(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = torch.nn.Parameter(torch.ones(()))
                self.got = []

            def forward(self, x, labels=None, mems=None):
                self.got.append(None if mems is None else float(mems))
                return (self.weight * x).mean(), torch.tensor(float(len(self.got)))

        model = Remembering()
        make(model=model, train_dataset=[{"x": 1.0, "labels": 1.0}] * 24, past_index=1, max_steps=3).train()
        assert model.got == [None, 1.0, 2.0]


class TestOverriding:
    def test_compute_loss_as_documented(self, make):
        class Weighted(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False):
                labels = inputs.pop("labels")
                outputs = model(**inputs)
                weight = torch.tensor([1.0, 2.0])
                loss = torch.nn.functional.cross_entropy(outputs.logits, labels, weight=weight)
                return (loss, outputs) if return_outputs else loss

        trainer = make(Weighted, max_steps=2, eval_dataset=rows())
        trainer.train()
        assert trainer.evaluate()["eval_loss"] > 0

    def test_a_mean_that_compute_loss_gives_is_divided_among_the_batches_of_a_step(self, make):
        class Documented(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False):
                loss, outputs = super().compute_loss(model, inputs, return_outputs=True)
                return (loss, outputs) if return_outputs else loss

        options = {"max_steps": 3, "train_sampling_strategy": "sequential"}
        accumulated = make(
            Documented, gradient_accumulation_steps=2, per_device_train_batch_size=4, **options
        )
        whole = make(Documented, per_device_train_batch_size=8, **options)
        accumulated.train()
        whole.train()
        np.testing.assert_allclose(losses(accumulated), losses(whole), atol=1e-6)

    def test_compute_loss_of_today(self, make):
        counts = []

        class Counting(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
                counts.append(int(num_items_in_batch))
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

        make(Counting, max_steps=1, gradient_accumulation_steps=2).train()
        assert counts == [16, 16]

    def test_training_step_with_two_arguments(self, make):
        class Twice(Trainer):
            def training_step(self, model, inputs):
                return 2 * super().training_step(model, inputs)

        twice, once = make(Twice, max_steps=1), make(max_steps=1)
        twice.train()
        once.train()
        assert losses(twice)[0] == pytest.approx(2 * losses(once)[0])

    def test_log(self, make):
        class Logging(Trainer):
            def log(self, logs):
                logs["mine"] = 1
                super().log(logs)

        trainer = make(Logging, max_steps=1)
        trainer.train()
        assert trainer.state.log_history[0]["mine"] == 1

    def test_optimizer_and_scheduler(self, make):
        class Own(Trainer):
            def create_optimizer(self):
                self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.5)
                return self.optimizer

            def create_scheduler(self, num_training_steps, optimizer=None):
                self.lr_scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)
                return self.lr_scheduler

        trainer = make(Own, max_steps=3)
        trainer.train()
        assert [entry["learning_rate"] for entry in trainer.state.log_history[:3]] == [0.5, 0.25, 0.125]

    def test_dataloader(self, make):
        class Own(Trainer):
            def get_train_dataloader(self):
                return [{"input_ids": torch.ones(2, 3, dtype=torch.long), "labels": torch.ones(2).long()}] * 5

        assert make(Own, num_train_epochs=2).train().global_step == 10

    def test_floating_point_ops(self, make):
        class Own(Trainer):
            def floating_point_ops(self, inputs):
                return 7

        assert make(Own, max_steps=3).train().metrics["total_flos"] == 21

    def test_decay_parameter_names(self, make):
        names = make().get_decay_parameter_names(bert())
        assert "bert.encoder.layer.0.attention.self.query.weight" in names
        assert not any("bias" in name or "LayerNorm" in name for name in names)

    def test_groups(self, make):
        trainer = make(weight_decay=0.1, max_steps=1)
        trainer.train()
        assert [group["weight_decay"] for group in trainer.optimizer.param_groups] == [0.1, 0.0]
        bias = trainer.model.classifier.bias
        assert trainer.get_optimizer_group(bias)["weight_decay"] == 0.0
        assert trainer.get_num_trainable_parameters() == sum(p.numel() for p in trainer.model.parameters())

    def test_autocast(self, make):
        with make(bf16=True).autocast_smart_context_manager(cache_enabled=False):
            assert torch.is_autocast_enabled("cpu")
        with make().compute_loss_context_manager():
            assert not torch.is_autocast_enabled("cpu")

    def test_outputs_of_mixed_precision_are_float32(self, make):
        types = []

        class Looking(Trainer):
            def compute_loss(self, model, inputs, return_outputs=False):
                outputs = model(**inputs)
                types.append(outputs.logits.dtype)
                return (outputs.loss, outputs) if return_outputs else outputs.loss

        trainer = make(Looking, bf16=True, max_steps=1, eval_dataset=rows(8))
        trainer.train()
        trainer.evaluate()
        assert types == [torch.float32, torch.float32]
        with torch.autocast("cpu"):
            assert trainer.model(torch.tensor([[1, 2]])).logits.dtype == torch.bfloat16


class TestCallbacks:
    def test_events_in_order(self, make):
        events = []

        class Spy(TrainerCallback):
            def __getattribute__(self, name):
                if name.startswith("on_"):
                    events.append(name)
                return super().__getattribute__(name)

        trainer = make(callbacks=[Spy()], max_steps=1, gradient_accumulation_steps=2)
        events.clear()
        trainer.train()
        assert events == [
            "on_train_begin",
            "on_epoch_begin",
            "on_step_begin",
            "on_substep_end",
            "on_pre_optimizer_step",
            "on_optimizer_step",
            "on_step_end",
            "on_log",
            "on_epoch_end",
            "on_log",
            "on_train_end",
        ]

    def test_the_epoch_is_0_before_the_first_step(self, make):
        epochs = []

        class Spy(TrainerCallback):
            def on_train_begin(self, args, state, control, **kwargs):
                epochs.append(state.epoch)

        trainer = make(callbacks=[Spy()], max_steps=1, eval_on_start=True, eval_dataset=rows())
        trainer.train()
        assert epochs == [0]
        assert trainer.state.log_history[0]["epoch"] == 0

    def test_added_and_removed(self, make):
        trainer = make()
        callback = TrainerCallback()
        trainer.add_callback(callback)
        assert trainer.pop_callback(callback) is callback
        trainer.remove_callback(PrinterCallback)
        assert not any(isinstance(item, PrinterCallback) for item in trainer.callback_handler.callbacks)

    def test_stopping(self, make):
        class Stop(TrainerCallback):
            def on_step_end(self, args, state, control, **kwargs):
                control.should_training_stop = state.global_step == 2

        assert make(callbacks=[Stop()], num_train_epochs=5).train().global_step == 2


class TestFiles:
    def test_save_model(self, make, tmp_path):
        trainer = make(max_steps=1)
        trainer.train()
        trainer.save_model(str(tmp_path / "model"))
        loaded = BertForSequenceClassification.from_pretrained(tmp_path / "model")
        for name, value in loaded.state_dict().items():
            torch.testing.assert_close(value, trainer.model.state_dict()[name])
        assert (tmp_path / "model" / "training_args.bin").is_file()

    def test_save_a_module_of_ones_own(self, make, tmp_path):
        trainer = make(model=Linear(), train_dataset=None)
        trainer.save_model(str(tmp_path / "model"))
        assert (tmp_path / "model" / "model.safetensors").is_file()

    @pytest.mark.parametrize("who", ["tokenizer", "data_collator"])
    def test_the_tokenizer_is_saved_even_if_only_the_collator_has_it(self, make, tmp_path, who):
        (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\ncat\n")
        tokenizer = BertTokenizerFast(str(tmp_path / "vocab.txt"))
        given = tokenizer if who == "tokenizer" else DataCollatorWithPadding(tokenizer)
        make(**{who: given}).save_model(str(tmp_path / "model"))
        loaded = BertTokenizerFast.from_pretrained(tmp_path / "model")
        assert loaded("a cat").input_ids == tokenizer("a cat").input_ids

    def test_pickled_weights(self, make, tmp_path):
        make(save_safetensors=False).save_model(str(tmp_path / "model"))
        assert (tmp_path / "model" / "pytorch_model.bin").is_file()

    def test_metrics(self, make, capsys):
        trainer = make()
        trainer.log_metrics("train", {"train_runtime": 65.0, "train_loss": 0.123456, "total_flos": 2**31})
        assert capsys.readouterr().out.splitlines() == [
            "***** train metrics *****",
            "  total_flos    =        2GF",
            "  train_loss    =     0.1235",
            "  train_runtime = 0:01:05.00",
        ]
        trainer.save_metrics("train", {"train_loss": 0.5})
        trainer.save_metrics("eval", {"eval_loss": np.float32(0.25)})
        folder = Path(trainer.args.output_dir)
        assert json.loads((folder / "all_results.json").read_text()) == {"train_loss": 0.5, "eval_loss": 0.25}
        assert json.loads((folder / "eval_results.json").read_text()) == {"eval_loss": 0.25}

    def test_state(self, make):
        trainer = make(max_steps=1)
        trainer.train()
        trainer.save_state()
        stored = json.loads((Path(trainer.args.output_dir) / "trainer_state.json").read_text())
        assert stored["global_step"] == 1


def test_the_same_seed_gives_the_same_run(make):
    runs = []
    for _ in range(2):
        trainer = make(model=bert(hidden_dropout_prob=0.3), max_steps=3)
        trainer.train()
        runs.append(losses(trainer))
        set_seed(99)
    assert runs[0] == runs[1]
