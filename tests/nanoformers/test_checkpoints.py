"""Weight files: safetensors and pickles, whole and in shards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from nanoformers.checkpoints import (
    Weights,
    find_weights,
    load_sharded_checkpoint,
    read_weights,
    write_weights,
)
from nanoformers.hub import HubOptions
from safetensors import safe_open
from torch import nn

OPTIONS = HubOptions()


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {f"layer.{i}.weight": torch.randn(10, 10, generator=generator) for i in range(5)}  # 400 bytes each


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("safe", [True, False], ids=["safetensors", "pickle"])
@pytest.mark.parametrize(("limit", "shards"), [("5GB", 1), (1000, 3), ("0.8KB", 3), (1, 5)])
@pytest.mark.parametrize("variant", [None, "fp16"])
def test_round_trip(tmp_path: Path, weights, safe, limit, shards, variant):
    names = write_weights(tmp_path, weights, max_shard_size=limit, safe_serialization=safe, variant=variant)
    assert sorted(names) == sorted(entry.name for entry in tmp_path.iterdir())
    assert len(names) == (shards + 1 if shards > 1 else 1)
    assert same(read_weights(find_weights(tmp_path, OPTIONS, variant=variant)), weights)


def test_the_documented_names(tmp_path: Path, weights):
    write_weights(tmp_path, weights, max_shard_size=1000)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 2000
    assert index["weight_map"]["layer.4.weight"] == "model-00003-of-00003.safetensors"


def test_safetensors_say_their_format(tmp_path: Path, weights):
    write_weights(tmp_path, weights)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_tied_weights_are_written_once(tmp_path: Path, weights):
    shared = weights | {"other.name": weights["layer.0.weight"], "view": weights["layer.1.weight"].T}
    write_weights(tmp_path, shared)
    read = read_weights(find_weights(tmp_path, OPTIONS))
    assert read.keys() == {*weights, "view"}
    assert torch.equal(read["view"], weights["layer.1.weight"].T)


def test_shards_of_an_earlier_time_are_removed(tmp_path: Path, weights):
    write_weights(tmp_path, weights, max_shard_size=1000)
    (tmp_path / "vocab.txt").write_text("kept")
    write_weights(tmp_path, weights)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model.safetensors", "vocab.txt"]
    write_weights(tmp_path, weights, max_shard_size=1000)
    assert not (tmp_path / "model.safetensors").exists()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, weights):
    write_weights(tmp_path, weights)
    with pytest.raises(Exception):  # noqa: B017 - whatever the writer says of a sparse tensor
        write_weights(tmp_path, {"a": torch.eye(3).to_sparse()})
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.safetensors"]
    assert same(read_weights(find_weights(tmp_path, OPTIONS)), weights)


def test_safetensors_come_first(tmp_path: Path, weights):
    write_weights(tmp_path, weights, safe_serialization=False)
    write_weights(tmp_path, weights)
    assert find_weights(tmp_path, OPTIONS) == [str(tmp_path / "model.safetensors")]
    assert find_weights(tmp_path, OPTIONS, use_safetensors=False) == [str(tmp_path / "pytorch_model.bin")]


def test_pickles_beside_older_safetensors_are_told(tmp_path: Path, weights, capsys):
    write_weights(tmp_path, weights)
    write_weights(tmp_path, weights, safe_serialization=False, variant="fp16")
    assert capsys.readouterr().err == ""
    write_weights(tmp_path, weights, safe_serialization=False)
    told = capsys.readouterr().err
    assert "model.safetensors was there already" in told
    assert "`use_safetensors=False`" in told


def test_no_weights_at_all(tmp_path: Path):
    (tmp_path / "tf_model.h5").write_bytes(b"")
    with pytest.raises(OSError, match=r"model.safetensors.*pytorch_model.bin.*TensorFlow"):
        find_weights(tmp_path, OPTIONS)


def test_a_changed_tensor_leaves_the_file_alone(tmp_path: Path, weights):
    write_weights(tmp_path, weights)
    before = (tmp_path / "model.safetensors").read_bytes()
    for tensor in read_weights(find_weights(tmp_path, OPTIONS)).values():
        tensor.zero_()
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_the_pickle_format_before_torch_1_6(tmp_path: Path, weights):
    torch.save(weights, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    assert same(read_weights([str(tmp_path / "pytorch_model.bin")]), weights)


class Trap:
    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_runs_no_code(tmp_path: Path, zipped, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Trap()}, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(OSError, match="Unable to load weights"):
        read_weights([str(tmp_path / "pytorch_model.bin")])
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_damaged_files(tmp_path: Path, weights, name):
    write_weights(tmp_path, weights, safe_serialization=name.endswith("safetensors"))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(OSError, match="is damaged, or no checkpoint"):
        read_weights([str(tmp_path / name)])


def test_the_pointer_of_git_lfs(tmp_path: Path):
    file = tmp_path / "model.safetensors"
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    with pytest.raises(OSError, match="git lfs pull"):
        read_weights([str(file)])


@pytest.mark.parametrize("content", ["[]", '{"weight_map": {"a": "../outside.safetensors"}}'])
def test_a_bad_index(tmp_path: Path, content):
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(OSError, match=r"index of a sharded checkpoint|not beside it"):
        find_weights(tmp_path, OPTIONS)


@pytest.mark.parametrize("size", ["many", "5 apples", "GB"])
def test_a_bad_shard_size(tmp_path: Path, weights, size):
    with pytest.raises(ValueError, match="is not a size"):
        write_weights(tmp_path, weights, max_shard_size=size)


class TestLoadShardedCheckpoint:
    @pytest.fixture
    def model(self) -> nn.Module:
        return nn.ModuleDict({"layer": nn.ModuleList(nn.Linear(10, 10, bias=False) for _ in range(5))})

    def test_loads(self, tmp_path: Path, weights, model):
        write_weights(tmp_path, weights, max_shard_size=1000)
        assert load_sharded_checkpoint(model, tmp_path) == ([], [])
        assert same(dict(model.state_dict()), weights)

    def test_strict_names_what_differs(self, tmp_path: Path, weights, model):
        weights["extra"] = weights.pop("layer.2.weight")
        write_weights(tmp_path, weights, max_shard_size=1000)
        with pytest.raises(
            RuntimeError, match=r"Missing key\(s\): layer.2.weight.\nUnexpected key\(s\): extra"
        ):
            load_sharded_checkpoint(model, tmp_path)
        assert load_sharded_checkpoint(model, tmp_path, strict=False) == (["layer.2.weight"], ["extra"])

    def test_needs_an_index(self, tmp_path: Path, weights, model):
        write_weights(tmp_path, weights)
        with pytest.raises(ValueError, match="Can't find a checkpoint index"):
            load_sharded_checkpoint(model, tmp_path)


class TestWeights:
    @pytest.mark.parametrize("safe", [True, False], ids=["safetensors", "pickle"])
    def test_an_outline_and_one_shard_after_the_other(self, tmp_path: Path, weights, safe):
        write_weights(tmp_path, weights, max_shard_size=1000, safe_serialization=safe)
        read = Weights(find_weights(tmp_path, OPTIONS))
        assert {name: tensor.shape for name, tensor in read.outline.items()} == {
            name: tensor.shape for name, tensor in weights.items()
        }
        assert all(tensor.is_meta for tensor in read.outline.values())
        shards = list(read.shards())
        assert [len(tensors) for _, tensors in shards] == [2, 2, 1]
        assert same(shards[0][1] | shards[1][1] | shards[2][1], weights)

    def test_of_tensors(self, weights):
        ((file, tensors),) = Weights.of_tensors(weights).shards()
        assert file == ""
        assert same(tensors, weights)


def test_values_that_are_elsewhere_are_fetched(tmp_path: Path, weights):
    empty = {name: tensor.to("meta") for name, tensor in weights.items()}
    write_weights(tmp_path, empty, max_shard_size=1000, fetch=weights.__getitem__)
    assert same(read_weights(find_weights(tmp_path, OPTIONS)), weights)
