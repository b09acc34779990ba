"""Models larger than memory: device maps over a CPU and disk budget, on a tiny BERT."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate import init_empty_weights
from nanoformers import (
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    DistilBertForMaskedLM,
    GPT2LMHeadModel,
    PreTrainedModel,
    T5ForConditionalGeneration,
)

IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
BUDGET = {"cpu": "20KB"}  # of the model's 34,984 bytes

FORMATS = {
    "safetensors": {},
    "safetensors-shards": {"max_shard_size": "8KB"},
    "pickle": {"safe_serialization": False},
    "pickle-shards": {"safe_serialization": False, "max_shard_size": "8KB"},
}
MAPS = {
    "auto": "auto",
    "balanced": "balanced",
    "sequential": "sequential",
    "embeddings on disk": {"bert.embeddings": "disk", "bert.encoder": "cpu", "cls": "cpu"},
    "head on disk": {"bert": "cpu", "cls": "disk"},
    "one layer on disk": {
        "bert.embeddings": "cpu",
        "bert.encoder.layer": "cpu",
        "bert.encoder.layer.1": "disk",
        "cls": "cpu",
    },
    "all on disk": {"": "disk"},
    "all in memory": "cpu",
}

ARCHITECTURES = {
    "gpt2": (GPT2LMHeadModel, {"n_positions": 20, "n_embd": 16, "n_layer": 4, "n_head": 4}, {}),
    "t5": (
        T5ForConditionalGeneration,
        {"d_model": 16, "d_kv": 4, "d_ff": 20, "num_layers": 3, "num_heads": 4, "decoder_start_token_id": 0},
        {"decoder_input_ids": IDS},
    ),
    "distilbert": (
        DistilBertForMaskedLM,
        {"dim": 16, "n_layers": 4, "n_heads": 4, "hidden_dim": 20, "max_position_embeddings": 20},
        {},
    ),
}


def config(**kwargs) -> BertConfig:
    return BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=20,
        max_position_embeddings=12,
        **kwargs,
    )


@pytest.fixture(scope="module")
def model() -> BertForMaskedLM:
    torch.manual_seed(0)
    return BertForMaskedLM(config()).eval()


@pytest.fixture(scope="module")
def checkpoints(model, tmp_path_factory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp(name) for name in FORMATS}
    for name, folder in folders.items():
        model.save_pretrained(folder, **FORMATS[name])
    return folders


@pytest.fixture
def checkpoint(checkpoints) -> Path:
    return checkpoints["safetensors"]


@torch.no_grad()
def logits(model) -> torch.Tensor:
    return model(IDS).logits.float()


class TestOffloading:
    @pytest.mark.parametrize("device_map", MAPS.values(), ids=MAPS)
    @pytest.mark.parametrize("form", FORMATS)
    def test_the_numbers_are_those_of_the_whole_model(self, model, checkpoints, tmp_path, form, device_map):
        placed = BertForMaskedLM.from_pretrained(
            checkpoints[form], device_map=device_map, max_memory=BUDGET, offload_folder=tmp_path
        )
        assert torch.equal(logits(placed), logits(model))
        assert torch.equal(logits(placed), logits(model))  # weights come again

    @pytest.mark.parametrize("form", FORMATS)
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_another_type_than_the_files(self, checkpoints, tmp_path, form, dtype):
        whole = BertForMaskedLM.from_pretrained(checkpoints[form], torch_dtype=dtype)
        placed = BertForMaskedLM.from_pretrained(
            checkpoints[form], device_map={"": "disk"}, offload_folder=tmp_path, torch_dtype=dtype
        )
        assert placed.dtype == dtype
        assert torch.equal(logits(placed), logits(whole))

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    @pytest.mark.parametrize("device_map", ["auto", {"": "disk"}])
    def test_architectures(self, tmp_path, architecture, device_map):
        torch.manual_seed(0)
        cls, shape, inputs = ARCHITECTURES[architecture]
        whole = cls(cls.config_class(vocab_size=50, **shape)).eval()
        whole.save_pretrained(tmp_path, max_shard_size="6KB")
        placed = cls.from_pretrained(
            tmp_path, device_map=device_map, max_memory={"cpu": whole.get_memory_footprint() // 2}
        )
        assert "disk" in placed.hf_device_map.values()
        with torch.inference_mode():
            assert torch.allclose(placed(IDS, **inputs).logits, whole(IDS, **inputs).logits, atol=1e-5)
        if cls.can_generate():
            arguments = {"max_new_tokens": 4, "do_sample": False, "attention_mask": torch.ones_like(IDS)}
            assert torch.equal(placed.generate(IDS, **arguments), whole.generate(IDS, **arguments))

    def test_what_is_on_disk_takes_no_memory(self, checkpoint):
        placed = BertForMaskedLM.from_pretrained(checkpoint, device_map="auto", max_memory=BUDGET)
        in_memory = sum(p.nbytes for p in placed.parameters() if not p.is_meta)
        assert placed.hf_device_map == {"bert.embeddings": "cpu", "cls": "cpu", "bert.encoder": "disk"}
        assert in_memory < 20_000
        assert placed.get_memory_footprint() > 34_000

    def test_safetensors_are_read_where_they_are(self, checkpoint, tmp_path):
        placed = BertForMaskedLM.from_pretrained(
            checkpoint, device_map={"": "disk"}, offload_folder=tmp_path / "offload"
        )
        assert not (tmp_path / "offload").exists()
        assert placed.device == torch.device("cpu")

    def test_pickles_need_a_folder(self, checkpoints):
        with pytest.raises(ValueError, match="Please provide an `offload_folder`"):
            BertForMaskedLM.from_pretrained(checkpoints["pickle"], device_map={"": "disk"})

    def test_tied_weights_stay_tied(self, model, checkpoint):
        placed = BertForMaskedLM.from_pretrained(checkpoint, device_map={"bert": "cpu", "cls": "cpu"})
        assert placed.cls.predictions.decoder.weight is placed.bert.embeddings.word_embeddings.weight

    def test_tied_weights_in_two_places(self, model, checkpoint):
        for device_map in ({"bert": "disk", "cls": "cpu"}, {"bert": "cpu", "cls": "disk"}):
            placed = BertForMaskedLM.from_pretrained(checkpoint, device_map=device_map)
            assert torch.equal(logits(placed), logits(model))

    def test_new_weights_on_disk(self, checkpoint, tmp_path):
        arguments = {"device_map": {"": "disk"}, "num_labels": 3}
        with pytest.raises(ValueError, match=r"`offload_folder`.*bert.pooler"):
            BertForSequenceClassification.from_pretrained(checkpoint, **arguments)
        placed = BertForSequenceClassification.from_pretrained(
            checkpoint, offload_folder=tmp_path, **arguments
        )
        assert torch.equal(logits(placed), logits(placed))
        assert (tmp_path / "classifier.weight.dat").exists()

    @pytest.mark.parametrize("form", FORMATS)
    def test_an_offloaded_model_is_saved_whole(self, model, checkpoints, tmp_path, form):
        placed = BertForMaskedLM.from_pretrained(
            checkpoints[form], device_map="auto", max_memory=BUDGET, offload_folder=tmp_path / "offload"
        )
        placed.save_pretrained(tmp_path / "saved", max_shard_size="5KB")
        again, info = BertForMaskedLM.from_pretrained(tmp_path / "saved", output_loading_info=True)
        assert not any(info.values())
        assert torch.equal(logits(again), logits(model))

    def test_it_is_not_saved_over_the_weights_it_reads(self, checkpoint):
        placed = BertForMaskedLM.from_pretrained(checkpoint, device_map={"": "disk"})
        with pytest.raises(ValueError, match="save into another folder"):
            placed.save_pretrained(checkpoint)

    @pytest.mark.parametrize(
        "move", [lambda m: m.to("cpu"), lambda m: m.half(), lambda m: m.to(torch.float16), lambda m: m.cpu()]
    )
    def test_it_is_not_moved(self, checkpoint, move):
        placed = BertForMaskedLM.from_pretrained(checkpoint, device_map={"": "disk"})
        with pytest.raises(RuntimeError, match="Load it again with the `device_map`"):
            move(placed)

    def test_buffers_may_go_too(self, model, checkpoint):
        placed = BertForMaskedLM.from_pretrained(
            checkpoint, device_map="auto", max_memory=BUDGET, offload_buffers=True
        )
        assert torch.equal(logits(placed), logits(model))

    def test_memory_is_bounded(self, tmp_path):
        """A model of 130 MB in pickles, of which the CPU may keep 20 MB, grows the process by far less."""
        program = """
import sys, torch
from nanoformers import BertConfig, BertModel
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1000
folder, budget = sys.argv[1:]
ids = torch.ones(1, 4, dtype=torch.long)
BertModel.from_pretrained(sys.argv[1] + "/tiny", device_map={"": "disk"})(ids)  # imports what is needed
places = {"device_map": {"": "cpu"}}
if budget != "none":
    places = {"device_map": "auto", "max_memory": {"cpu": budget}, "offload_folder": folder + "/offload"}
before = peak()
with torch.inference_mode():
    BertModel.from_pretrained(folder, torch_dtype=torch.float32, **places)(ids)
print(peak() - before)
"""
        large = config()
        large.hidden_size, large.intermediate_size, large.num_hidden_layers = 640, 2560, 6
        BertModel(config()).save_pretrained(tmp_path / "tiny")
        BertModel(large).to(torch.float16).save_pretrained(
            tmp_path, safe_serialization=False, max_shard_size="10MB"
        )
        grown = {}
        for budget in ("none", "20MB"):
            done = subprocess.run(
                [sys.executable, "-c", program, str(tmp_path), budget],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            grown[budget] = float(done.stdout)
        assert grown["none"] > 110
        assert grown["20MB"] < 90


class TestDeviceMap:
    def test_auto_on_a_machine_with_room(self, checkpoint):
        if torch.cuda.is_available():
            pytest.skip("the model goes to the accelerator")
        for device_map in ("auto", "cpu", torch.device("cpu"), {"": "cpu"}):
            placed = AutoModelForMaskedLM.from_pretrained(checkpoint, device_map=device_map)
            assert {torch.device(place) for place in placed.hf_device_map.values()} == {torch.device("cpu")}
            assert placed.half().dtype == torch.float16

    def test_without_a_map_there_is_none(self, checkpoint):
        assert not hasattr(BertModel.from_pretrained(checkpoint, low_cpu_mem_usage=True), "hf_device_map")

    @pytest.mark.parametrize("device", ["gpu", "meta2", 99, {"": "cuda:77"}, {"": 1.5}])
    def test_unknown_devices(self, checkpoint, device):
        with pytest.raises(ValueError, match=r"no device of this machine.*choose 'auto', 'balanced'"):
            BertModel.from_pretrained(checkpoint, device_map=device)

    def test_a_negative_number(self, checkpoint):
        with pytest.raises(ValueError, match="negative int"):
            BertModel.from_pretrained(checkpoint, device_map=-1)

    def test_every_parameter_needs_a_place(self, checkpoint):
        with pytest.raises(ValueError, match=r"pooler.*doesn't have any device set"):
            BertModel.from_pretrained(checkpoint, device_map={"embeddings": "cpu", "encoder": "cpu"})

    def test_a_budget_for_a_device_that_is_not_there(self, checkpoint):
        with pytest.raises(ValueError, match="no device of this machine"):
            BertModel.from_pretrained(checkpoint, device_map="auto", max_memory={98: "1GB", "cpu": "1GB"})

    def test_a_budget_that_cannot_be_read(self, checkpoint):
        with pytest.raises(ValueError, match="size"):
            BertModel.from_pretrained(checkpoint, device_map="auto", max_memory={"cpu": "plenty"})

    def test_it_implies_low_cpu_mem_usage(self, checkpoint):
        with pytest.raises(ValueError, match="requires `low_cpu_mem_usage=True`"):
            BertModel.from_pretrained(checkpoint, device_map="auto", low_cpu_mem_usage=False)

    def test_an_architecture_that_does_not_say_what_to_keep_together(self, tmp_path):
        class Plain(PreTrainedModel):
            config_class = BertConfig

            def __init__(self, config):
                super().__init__(config)
                self.layer = torch.nn.Linear(2, 2)
                self.post_init()

        Plain(config()).save_pretrained(tmp_path)
        with pytest.raises(ValueError, match="needs to implement the `_no_split_modules` attribute"):
            Plain.from_pretrained(tmp_path, device_map="auto")
        assert Plain.from_pretrained(tmp_path, device_map={"": "cpu"}).layer.weight.device.type == "cpu"


class TestMetaDevice:
    def test_a_model_without_memory(self):
        for empty in (torch.device("meta"), init_empty_weights()):
            with empty:
                model = BertForMaskedLM(config())
            model.tie_weights()  # accelerate's unties them
            assert all(parameter.is_meta for parameter in model.parameters())
            assert model.num_parameters() == BertForMaskedLM(config()).num_parameters()
            assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight

    def test_from_config(self):
        with torch.device("meta"):
            model = AutoModel.from_config(config(), torch_dtype=torch.bfloat16)
        assert model.device.type == "meta"
        assert model.get_memory_footprint() < BertModel(config()).get_memory_footprint()

    def test_weights_can_be_assigned_to_it(self, model):
        with torch.device("meta"):
            empty = BertForMaskedLM(config()).eval()
        empty.load_state_dict(model.state_dict(), assign=True)
        empty.tie_weights()
        assert not any(parameter.is_meta for parameter in empty.parameters())

    def test_from_pretrained_is_refused_there(self, checkpoint):
        with torch.device("meta"), pytest.raises(RuntimeError, match="where weights have no values"):
            BertModel.from_pretrained(checkpoint)
