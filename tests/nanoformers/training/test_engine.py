"""The engine in one process: nothing between the loop and torch, mixed precision, clear errors."""

import subprocess
import sys

import pytest
import torch
from nanoformers import BertConfig, BertForSequenceClassification
from nanoformers.training import Engine, TrainingArguments


def make(tmp_path, **options):
    return Engine(TrainingArguments(str(tmp_path), use_cpu=True, **options))


@pytest.fixture
def engine(tmp_path):
    return make(tmp_path)


class TestOneProcess:
    def test_knows_its_place(self, engine):
        assert (engine.num_processes, engine.process_index, engine.local_process_index) == (1, 0, 0)
        assert engine.is_main_process
        assert engine.is_local_main_process
        assert engine.device == torch.device("cpu")

    def test_the_model_is_not_wrapped(self, engine):
        model = torch.nn.Linear(2, 2)
        assert engine.prepare(model) is model
        assert engine.unwrap(model) is model

    def test_gathering_gives_the_same_object(self, engine):
        value = {"a": [torch.ones(2)]}
        assert engine.gather(value) is value
        assert engine.pad_and_gather(value) is value
        assert engine.share(value) is value
        engine.wait()

    def test_a_loader_is_not_replaced(self, engine):
        loader = torch.utils.data.DataLoader(range(4))
        assert engine.prepare_loader(loader) is loader

    def test_no_row_is_a_repeat(self, engine):
        assert engine.rows_not_repeated(total=5, seen=4, size=4) == 4
        assert engine.repeats(torch.utils.data.DataLoader(range(4)), 4) == 0

    def test_accelerate_is_imported_only_when_asked_for(self, tmp_path):
        code = (
            "import sys; from nanoformers.training import Engine, TrainingArguments;"
            f"engine = Engine(TrainingArguments({str(tmp_path)!r}, use_cpu=True));"
            "before = 'accelerate' in sys.modules; engine.accelerator;"
            "print(before, 'accelerate' in sys.modules)"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
        assert done.stdout.split() == ["False", "True"]

    def test_the_accelerator_is_a_real_one(self, engine):
        from accelerate import Accelerator

        assert isinstance(engine.accelerator, Accelerator)
        assert engine.accelerator is engine.accelerator


class TestStep:
    def test_clipping(self, engine):
        weight = torch.nn.Parameter(torch.zeros(2))
        weight.grad = torch.tensor([3.0, 4.0])
        assert engine.clip([weight], 1.0).item() == pytest.approx(5.0)
        assert weight.grad.norm().item() == pytest.approx(1.0, abs=1e-5)

    def test_a_step(self, engine):
        weight = torch.nn.Parameter(torch.ones(1))
        optimizer = torch.optim.SGD([weight], lr=0.5)
        engine.backward((weight * 2).sum())
        assert engine.step(optimizer)
        assert weight.item() == 0.0

    def test_float32_has_no_autocast(self, engine):
        with engine.autocast():
            assert not torch.is_autocast_enabled("cpu")

    def test_bf16(self, tmp_path):
        with make(tmp_path, bf16=True).autocast():
            assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16

    def test_bf16_as_accelerate_launch_asks_for_it(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
        with make(tmp_path).autocast():
            assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.bfloat16

    def test_fp16_needs_an_accelerator(self, tmp_path, monkeypatch):
        with pytest.raises(ValueError, match="bf16"):
            make(tmp_path, fp16=True)
        monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
        with pytest.raises(ValueError, match="bf16"):
            make(tmp_path)


class TestFiles:
    @pytest.fixture
    def model(self):
        config = BertConfig(
            vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
        )
        return BertForSequenceClassification(config)

    def test_the_optimizer_comes_back(self, engine, model, tmp_path):
        def stepped():
            optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
            model(torch.ones(1, 3, dtype=torch.long)).logits.sum().backward()
            optimizer.step()
            return optimizer

        first, second = stepped(), torch.optim.AdamW(model.parameters())
        engine.save_optimizer(tmp_path, model, first)
        engine.load_optimizer(tmp_path, model, second)
        assert second.param_groups[0]["lr"] == 0.1
        for parameter, state in first.state.items():
            assert torch.equal(second.state[parameter]["exp_avg"], state["exp_avg"])

    def test_no_optimizer_there(self, engine, model, tmp_path):
        with pytest.raises(FileNotFoundError, match="save_only_model"):
            engine.load_optimizer(tmp_path, model, torch.optim.SGD(model.parameters()))

    def test_weights_from_a_state_dict_or_a_folder(self, engine, model, tmp_path):
        wanted = {name: torch.ones_like(weight) for name, weight in model.state_dict().items()}
        engine.load_model_state(model, wanted)
        assert all(torch.equal(weight, wanted[name]) for name, weight in engine.model_state(model).items())
        model.save_pretrained(tmp_path)
        torch.nn.init.zeros_(model.classifier.weight)
        engine.load_model_state(model, tmp_path)
        assert model.classifier.weight.eq(1).all()

    def test_weights_of_another_model(self, engine, model):
        state = model.state_dict()
        state["nothing_of_the_kind"] = state.pop("classifier.bias")
        with pytest.raises(RuntimeError, match=r"missing classifier\.bias.*unexpected nothing_of_the_kind"):
            engine.load_model_state(model, state)
