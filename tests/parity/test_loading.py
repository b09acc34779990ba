"""Files and reports of loading and saving, against the reference library: each reads what the other wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nanoformers
import pytest
import torch
from nanoformers.modeling_utils import load_sharded_checkpoint

transformers = pytest.importorskip("transformers")

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 20,
    "max_position_embeddings": 12,
}
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


def reference(name: str, **kwargs):
    return getattr(transformers, name)(transformers.BertConfig(**SHAPE, **kwargs)).eval()


@torch.no_grad()
def logits(model) -> torch.Tensor:
    return model(IDS).logits


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return reference("BertForMaskedLM")


class TestShards:
    @pytest.mark.parametrize("size", ["8KB", "5KB", 3000, 1])
    def test_theirs_are_read_and_ours_are_cut_alike(self, model, tmp_path: Path, size):
        model.save_pretrained(tmp_path / "theirs", max_shard_size=size)
        ours = nanoformers.BertForMaskedLM.from_pretrained(tmp_path / "theirs")
        assert torch.allclose(logits(ours), logits(model), atol=1e-6)

        ours.save_pretrained(tmp_path / "ours", max_shard_size=size)
        index = [
            json.loads((tmp_path / who / "model.safetensors.index.json").read_text())
            for who in ("theirs", "ours")
        ]
        assert index[0]["weight_map"] == index[1]["weight_map"]
        assert index[0]["metadata"]["total_size"] == index[1]["metadata"]["total_size"]

    @pytest.mark.parametrize(
        "how",
        [{}, {"max_shard_size": "8KB"}, {"variant": "small"}, {"safe_serialization": False}],
        ids=["whole", "shards", "variant", "pickle"],
    )
    def test_ours_are_read_by_them(self, model, tmp_path: Path, how):
        ours = nanoformers.BertForMaskedLM(nanoformers.BertConfig(**SHAPE)).eval()
        ours.load_state_dict(model.state_dict())
        ours.save_pretrained(tmp_path, **how)
        theirs = transformers.BertForMaskedLM.from_pretrained(tmp_path, variant=how.get("variant"))
        assert torch.allclose(logits(theirs), logits(model), atol=1e-6)

    def test_load_sharded_checkpoint(self, model, tmp_path: Path):
        model.save_pretrained(tmp_path, max_shard_size="8KB")
        ours = nanoformers.BertForMaskedLM(nanoformers.BertConfig(**SHAPE)).eval()
        keys = load_sharded_checkpoint(ours, tmp_path)
        assert keys == ([], [])
        assert torch.allclose(logits(ours), logits(model), atol=1e-6)


HEADS = ("BertModel", "BertForMaskedLM", "BertForSequenceClassification", "BertForQuestionAnswering")


class TestReports:
    @pytest.mark.parametrize("into", HEADS)
    @pytest.mark.parametrize("saved", ["BertForMaskedLM", "BertForPreTraining", "BertModel"])
    def test_missing_and_unexpected_keys(self, tmp_path: Path, saved, into):
        reference(saved).save_pretrained(tmp_path)
        reports = [
            getattr(library, into).from_pretrained(tmp_path, output_loading_info=True)[1]
            for library in (transformers, nanoformers)
        ]
        theirs, ours = ({key: sorted(value) for key, value in report.items()} for report in reports)
        # a tied weight that is missing is named once here
        theirs["missing_keys"] = [key for key in theirs["missing_keys"] if "decoder.bias" not in key]
        assert ours == theirs

    def test_mismatched_sizes(self, tmp_path: Path):
        reference("BertForSequenceClassification", num_labels=3).save_pretrained(tmp_path)
        arguments = {"num_labels": 5, "ignore_mismatched_sizes": True, "output_loading_info": True}
        reports = [
            library.BertForSequenceClassification.from_pretrained(tmp_path, **arguments)[1]
            for library in (transformers, nanoformers)
        ]
        theirs, ours = (sorted(report["mismatched_keys"]) for report in reports)
        assert ours == [(name, tuple(saved), tuple(here)) for name, saved, here in theirs]


class TestPlaces:
    @pytest.mark.parametrize("strategy", ["auto", "balanced", "sequential"])
    def test_the_same_map_and_numbers(self, model, tmp_path: Path, strategy):
        model.save_pretrained(tmp_path / "checkpoint")
        placed = [
            library.BertForMaskedLM.from_pretrained(
                tmp_path / "checkpoint",
                device_map=strategy,
                max_memory={"cpu": "20KB"},
                offload_folder=tmp_path / library.__name__,
            )
            for library in (transformers, nanoformers)
        ]
        assert placed[0].hf_device_map == placed[1].hf_device_map
        assert set(placed[1].hf_device_map.values()) == {"cpu", "disk"}
        assert torch.allclose(logits(placed[0]), logits(placed[1]), atol=1e-6)


CONFIGURATION = """
try:
    from nanoformers import PretrainedConfig
except ImportError:
    from transformers import PretrainedConfig


class ShelfConfig(PretrainedConfig):
    model_type = "shelf"

    def __init__(self, width=4, **kwargs):
        self.width = width
        super().__init__(**kwargs)
"""
MODELING = """
from torch import nn

try:
    from nanoformers import PreTrainedModel
except ImportError:
    from transformers import PreTrainedModel

from .configuration_shelf import ShelfConfig


class ShelfModel(PreTrainedModel):
    config_class = ShelfConfig

    def __init__(self, config):
        super().__init__(config)
        self.layer = nn.Linear(config.width, config.width)
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, x):
        return self.layer(x)
"""


class TestCodeOfACheckpoint:
    @pytest.fixture
    def alone(self, tmp_path: Path):
        """Run a program with one of the two libraries and not the other."""
        package = tmp_path / "src" / "shelf"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "configuration_shelf.py").write_text(CONFIGURATION)
        (package / "modeling_shelf.py").write_text(MODELING)

        def run(library: str, body: str) -> str:
            other = {"nanoformers": "transformers", "transformers": "nanoformers"}[library]
            program = (
                f"import os, sys\nsys.modules[{other!r}] = None\n"
                f"sys.path.insert(0, {str(tmp_path / 'src')!r})\n"
                f"os.environ['HF_MODULES_CACHE'] = {str(tmp_path / library)!r}\n"
                f"from {library} import AutoConfig, AutoModel\nimport torch\n{body}"
            )
            done = subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, timeout=100
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        return run

    @pytest.mark.parametrize(
        ("writer", "reader"), [("nanoformers", "transformers"), ("transformers", "nanoformers")]
    )
    def test_the_other_library_loads_it(self, alone, tmp_path: Path, writer, reader):
        checkpoint = str(tmp_path / "checkpoint")
        written = alone(
            writer,
            "from shelf.configuration_shelf import ShelfConfig\nfrom shelf.modeling_shelf import ShelfModel\n"
            "ShelfConfig.register_for_auto_class(); ShelfModel.register_for_auto_class('AutoModel')\n"
            f"model = ShelfModel(ShelfConfig(width=3)); model.save_pretrained({checkpoint!r})\n"
            "print(model(torch.ones(3)).tolist())",
        )
        read = alone(
            reader,
            f"model = AutoModel.from_pretrained({checkpoint!r}, trust_remote_code=True)\n"
            "print(model(torch.ones(3)).tolist())",
        )
        assert json.loads(read.splitlines()[-1]) == pytest.approx(json.loads(written.splitlines()[-1]))
