"""The Trainer takes the steps of the reference library's: losses, learning rates, weights, evaluations."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import nanoformers
import numpy as np
import pytest
import torch
import transformers
from nanoformers.training import Trainer

VOCABULARY = 60
SMALL: dict[str, Any] = {
    "bert": {
        "vocab_size": VOCABULARY,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 24,
        "max_position_embeddings": 32,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    },
    "gpt2": {
        "vocab_size": VOCABULARY,
        "n_embd": 16,
        "n_layer": 2,
        "n_head": 2,
        "n_positions": 32,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    },
    "t5": {
        "vocab_size": VOCABULARY,
        "d_model": 16,
        "d_kv": 8,
        "d_ff": 24,
        "num_layers": 2,
        "num_heads": 2,
        "dropout_rate": 0.0,
        "decoder_start_token_id": 0,
    },
    "distilbert": {
        "vocab_size": VOCABULARY,
        "dim": 16,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 24,
        "max_position_embeddings": 32,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "seq_classif_dropout": 0.0,
    },
}
CONFIGS = {"bert": "BertConfig", "gpt2": "GPT2Config", "t5": "T5Config", "distilbert": "DistilBertConfig"}
CLASSIFIER = ("bert", "BertForSequenceClassification", "class")


def pair(architecture: str, head: str, seed: int = 0, **config: Any) -> tuple[Any, Any]:
    """The same model, of this library and of the reference library."""
    values = SMALL[architecture] | config
    torch.manual_seed(seed)
    theirs = getattr(transformers, head)(getattr(transformers, CONFIGS[architecture])(**values))
    ours = getattr(nanoformers, head)(getattr(nanoformers, CONFIGS[architecture])(**values))
    ours.load_state_dict(theirs.state_dict(), strict=False)
    return ours, theirs


def examples(kind: str, number: int = 70, seed: int = 1) -> list[dict[str, list[int] | int]]:
    """Sequences of 3 to 20 tokens, with labels of that kind."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for _ in range(number):
        ids = random.integers(1, VOCABULARY, random.integers(3, 21)).tolist()
        labels = {
            "class": lambda ids=ids: int(ids[0] > VOCABULARY // 2),
            "tokens": lambda ids=ids: [token % 2 for token in ids],
            "next": lambda ids=ids: list(ids),
            "reversed": lambda ids=ids: ids[: len(ids) // 2 + 1][::-1],
        }[kind]()
        rows.append({"input_ids": ids, "labels": labels})
    return rows


def pad(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    def padded(values: list[list[int]], filler: int) -> torch.Tensor:
        width = max(map(len, values))
        return torch.tensor([value + [filler] * (width - len(value)) for value in values])

    ids = [row["input_ids"] for row in rows]
    labels = [row["labels"] for row in rows]
    batch = {"input_ids": padded(ids, 0), "attention_mask": padded([[1] * len(row) for row in ids], 0)}
    batch["labels"] = torch.tensor(labels) if isinstance(labels[0], int) else padded(labels, -100)
    return batch


def pad_with_decoder_inputs(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    batch = pad(rows)
    shifted = torch.nn.functional.pad(batch["labels"][:, :-1], (1, 0), value=0)
    return batch | {"decoder_input_ids": shifted.clamp(min=0)}


class Stream(torch.utils.data.IterableDataset):
    """Examples without a length."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


def accuracy(prediction: Any) -> dict[str, float]:
    predictions, labels = prediction
    counts = labels != -100
    return {"accuracy": float((predictions.argmax(-1) == labels)[counts].mean())}


def run(library: Any, cls: Any, model: Any, folder: Path, data: Any, options: dict[str, Any], **trainer: Any):
    options = {
        "max_steps": 50,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": True,
    } | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        args = library.TrainingArguments(str(folder), **options)
        made = cls(model, args, train_dataset=data, **({"data_collator": pad} | trainer))
        result = made.train()
    return made, result


def history(trainer: Any, *names: str) -> dict[str, list[float]]:
    return {name: [entry[name] for entry in trainer.state.log_history if name in entry] for name in names}


def assert_same_run(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    for name in ("loss", "learning_rate", "grad_norm", "epoch"):
        mine, other = history(ours, name)[name], history(theirs, name)[name]
        assert len(mine) == len(other) > 0, name
        scale = max(1.0, *map(abs, other)) * (10 if name == "grad_norm" else 1)
        np.testing.assert_allclose(mine, other, atol=tolerance * scale, rtol=0, err_msg=name)
    theirs_state = theirs.model.state_dict()
    for name, value in ours.model.state_dict().items():
        if name.endswith(("key.bias", "k_lin.bias", "c_attn.bias")):
            continue  # a key's bias has no effect: its gradient is noise, which some optimizers blow up
        if name in theirs_state:
            torch.testing.assert_close(value, theirs_state[name], atol=tolerance * 10, rtol=0)


@pytest.fixture
def both(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def train(model=CLASSIFIER, data: Any = None, config: Any = None, trainer: Any = None, **options: Any):
        architecture, head, kind = model
        rows = examples(kind) if data is None else data
        mine, other = pair(architecture, head, **(config or {}))
        extra = trainer or {}
        theirs = run(transformers, transformers.Trainer, other, tmp_path / "b", rows, dict(options), **extra)
        ours = run(nanoformers, Trainer, mine, tmp_path / "a", copy.deepcopy(rows), dict(options), **extra)
        return ours, theirs

    return train


MODELS = {
    "BERT, a class": CLASSIFIER,
    "BERT, tokens": ("bert", "BertForTokenClassification", "tokens"),
    "BERT, masked": ("bert", "BertForMaskedLM", "tokens"),
    "BERT, next token": ("bert", "BertLMHeadModel", "next"),
    "DistilBERT, a class": ("distilbert", "DistilBertForSequenceClassification", "class"),
    "GPT-2": ("gpt2", "GPT2LMHeadModel", "next"),
    "GPT-2, a class": ("gpt2", "GPT2ForSequenceClassification", "class"),
    "T5": ("t5", "T5ForConditionalGeneration", "reversed"),
}

SCHEDULES = {
    "linear": {"warmup_steps": 5},
    "cosine": {"warmup_steps": 7},
    "cosine_with_restarts": {"lr_scheduler_kwargs": {"num_cycles": 3}},
    "polynomial": {"warmup_steps": 3},
    "constant": {},
    "constant_with_warmup": {"warmup_steps": 0.2},
    "inverse_sqrt": {"warmup_steps": 4},
    "cosine_with_min_lr": {"lr_scheduler_kwargs": {"min_lr": 1e-3}},
    "warmup_stable_decay": {
        "warmup_steps": 5,
        "lr_scheduler_kwargs": {"num_decay_steps": 10, "num_stable_steps": 15},
    },
}

SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "accumulation": {"gradient_accumulation_steps": 3},
    "accumulation by epochs, a last step with fewer": {
        "gradient_accumulation_steps": 4,
        "num_train_epochs": 3,
        "max_steps": -1,
    },
    "a fraction of an epoch": {"num_train_epochs": 1.5, "max_steps": -1},
    "hard clipping": {"max_grad_norm": 0.05},
    "no clipping": {"max_grad_norm": 0.0},
    "weight decay": {"weight_decay": 0.3},
    "label smoothing": {"label_smoothing_factor": 0.2},
    "label smoothing, accumulation": {"label_smoothing_factor": 0.2, "gradient_accumulation_steps": 2},
    "a seed": {"seed": 7},
    "a seed of the data": {"data_seed": 11},
    "group by length": {"train_sampling_strategy": "group_by_length"},
    "in order": {"train_sampling_strategy": "sequential"},
    "drop last": {"dataloader_drop_last": True},
    "adafactor": {"optim": "adafactor"},
    "sgd": {"optim": "sgd", "optim_args": "momentum=0.9,nesterov=true"},
    "adagrad": {"optim": "adagrad"},
    "rmsprop": {"optim": "rmsprop", "learning_rate": 1e-3},
    "8-bit adamw": {"optim": "adamw_bnb_8bit", "learning_rate": 1e-3},
    "other betas": {"adam_beta1": 0.8, "adam_beta2": 0.95, "adam_epsilon": 1e-6},
    "logs of several steps": {"logging_steps": 7, "logging_first_step": True},
}


class TestTraining:
    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_models(self, both, model):
        (ours, result), (theirs, expected) = both(model)
        assert_same_run(ours, theirs)
        assert result.training_loss == pytest.approx(expected.training_loss, abs=1e-5)
        assert result.global_step == expected.global_step == 50

    @pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
    def test_models_with_accumulation(self, both, model):
        (ours, _), (theirs, _) = both(model, gradient_accumulation_steps=3, max_steps=15)
        assert_same_run(ours, theirs)

    @pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
    def test_settings(self, both, options):
        (ours, _), (theirs, _) = both(**options)
        assert_same_run(ours, theirs)

    @pytest.mark.parametrize("model", ["GPT-2", "T5"])
    @pytest.mark.parametrize("setting", ["label smoothing, accumulation", "weight decay", "adafactor"])
    def test_settings_of_other_models(self, both, model, setting):
        collator = pad_with_decoder_inputs if model == "T5" else pad
        (ours, _), (theirs, _) = both(MODELS[model], trainer={"data_collator": collator}, **SETTINGS[setting])
        assert_same_run(ours, theirs)

    def test_bf16(self, both):
        (ours, _), (theirs, _) = both(bf16=True)
        mine, other = history(ours, "loss")["loss"], history(theirs, "loss")["loss"]
        np.testing.assert_allclose(mine, other, atol=5e-3, rtol=0)  # eight bits of a number

    @pytest.mark.parametrize("name", SCHEDULES)
    def test_schedules(self, both, name):
        (ours, _), (theirs, _) = both(lr_scheduler_type=name, max_steps=30, **SCHEDULES[name])
        assert_same_run(ours, theirs)

    def test_a_schedule_that_looks_at_evaluations(self, both):
        options = {
            "lr_scheduler_type": "reduce_lr_on_plateau",
            "lr_scheduler_kwargs": {"patience": 0, "factor": 0.5, "threshold": 0.5},
            "eval_strategy": "steps",
            "eval_steps": 5,
            "max_steps": 30,
        }
        (ours, _), (theirs, _) = both(trainer={"eval_dataset": examples("class", 20, seed=2)}, **options)
        assert_same_run(ours, theirs)
        assert len(set(history(ours, "learning_rate")["learning_rate"])) > 1

    def test_dropout(self, both):
        config = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.0}
        (ours, _), (theirs, _) = both(config=config)
        assert_same_run(ours, theirs)

    def test_a_data_set_without_length(self, both):
        (ours, _), (theirs, _) = both(data=Stream(examples("class", 300)))
        assert_same_run(ours, theirs)

    def test_a_data_set_without_length_that_ends(self, both):
        (ours, _), (theirs, _) = both(data=Stream(examples("class", 50)), max_steps=30)
        assert_same_run(ours, theirs)

    def test_operations_are_counted_alike(self, both):
        (ours, _), (theirs, _) = both(max_steps=5)
        assert ours.state.total_flos == theirs.state.total_flos


class TestEvaluation:
    @pytest.mark.parametrize("model", ["BERT, a class", "BERT, tokens", "GPT-2", "T5"])
    def test_while_training(self, both, model):
        kind = MODELS[model][2]
        extra = {"eval_dataset": examples(kind, 30, seed=3)}
        if model != "T5":
            extra["compute_metrics"] = accuracy
        (ours, _), (theirs, _) = both(
            MODELS[model], trainer=extra, eval_strategy="steps", eval_steps=10, max_steps=20
        )
        for name in ("eval_loss", "eval_accuracy"):
            mine, other = history(ours, name)[name], history(theirs, name)[name]
            np.testing.assert_allclose(mine, other, atol=1e-5, rtol=0)

    @pytest.mark.parametrize("model", ["BERT, tokens", "T5"])
    def test_predictions_are_padded_alike(self, both, model):
        (ours, _), (theirs, _) = both(MODELS[model], max_steps=2)
        rows = examples(MODELS[model][2], 21, seed=4)
        mine, other = ours.predict(rows), theirs.predict(rows)
        np.testing.assert_array_equal(mine.label_ids, other.label_ids)
        assert mine.metrics["test_loss"] == pytest.approx(other.metrics["test_loss"], abs=1e-5)
        predictions = mine.predictions if isinstance(mine.predictions, tuple) else (mine.predictions,)
        expected = other.predictions if isinstance(other.predictions, tuple) else (other.predictions,)
        for value, wanted in zip(predictions, expected, strict=True):
            np.testing.assert_allclose(value, wanted, atol=1e-4, rtol=0)
