"""The other stock clients, each in a process of its own with nothing but environment variables set."""

from __future__ import annotations

import io
import json

import pytest
from huggingface_hub import CommitOperationAdd

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def push_data(api, repo_id: str, files: dict[str, bytes]) -> str:
    add = [CommitOperationAdd(path, content) for path, content in files.items()]
    api.create_commit(repo_id, add, commit_message="data", repo_type="dataset")
    return repo_id


@pytest.fixture
def csv_repo(learner, new_repo) -> str:
    """A data set with two splits and two revisions."""
    files = {"train.csv": b"text,label\nsmall,0\nhouse,1\n", "test.csv": b"text,label\nred,1\n"}
    repo_id = push_data(learner, new_repo(repo_type="dataset"), files)
    learner.create_tag(repo_id, tag="v1", repo_type="dataset")
    return push_data(learner, repo_id, {"train.csv": b"text,label\nonly,5\n"})


def test_datasets_loads_splits_revisions_and_streams(run_python, csv_repo):
    code = f"""
import json
from datasets import load_dataset
name = {csv_repo!r}
print(json.dumps([
    load_dataset(name, split="train")["text"][:],
    load_dataset(name, split="train", revision="v1")["text"][:],
    [row["label"] for row in load_dataset(name, split="test", streaming=True)],
]))
"""
    assert json.loads(run_python(code).splitlines()[-1]) == [["only"], ["small", "house"], [1]]


def test_datasets_loads_parquet_and_json_with_configurations(run_python, learner, new_repo):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = io.BytesIO()
    pq.write_table(pa.table({"n": list(range(10))}), table)
    configurations = b"- {config_name: a, data_files: a.parquet}\n- {config_name: b, data_files: b.parquet}\n"
    card = b"---\nconfigs:\n" + configurations + b"---\n"
    files = {"README.md": card, "a.parquet": table.getvalue(), "b.parquet": table.getvalue()}
    parquet = push_data(learner, new_repo(repo_type="dataset"), files)
    lines = push_data(learner, new_repo(repo_type="dataset"), {"train.jsonl": b'{"a": 1}\n{"a": 2}\n'})
    code = f"""
import json
from datasets import get_dataset_config_names, load_dataset
print(json.dumps([
    load_dataset({parquet!r}, "a", split="train")["n"][:],
    [row["n"] for row in load_dataset({parquet!r}, "b", split="train", streaming=True)],
    load_dataset({lines!r}, split="train")["a"][:],
    get_dataset_config_names({parquet!r}),
]))
"""
    numbers = list(range(10))
    assert json.loads(run_python(code).splitlines()[-1]) == [numbers, numbers, [1, 2], ["a", "b"]]


def test_datasets_loads_a_folder_of_pictures(run_python, learner, new_repo):
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(picture, "PNG")
    files = {"train/cat/1.png": picture.getvalue(), "train/dog/2.png": picture.getvalue()}
    repo_id = push_data(learner, new_repo(repo_type="dataset"), files)
    code = f"""
from datasets import load_dataset
pictures = load_dataset({repo_id!r}, split="train")
print(pictures[0]["image"].size, pictures.features["label"].names)
"""
    assert run_python(code).splitlines()[-1] == "(4, 3) ['cat', 'dog']"


def test_datasets_pushes_and_loads_again(run_python):
    code = """
from datasets import Dataset, load_dataset
Dataset.from_dict({"x": [1, 2, 3]}).push_to_hub("learner/pushed", private=True)
print(load_dataset("learner/pushed", split="train")["x"][:])
"""
    assert run_python(code).splitlines()[-1] == "[1, 2, 3]"


def test_evaluate_loads_a_metric_from_a_space(run_python, instructor):
    repo_id = "evaluate-metric/halves"
    metric = """
import datasets
import evaluate
class Halves(evaluate.Metric):
    def _info(self):
        number = datasets.Value("int64")
        features = datasets.Features({"predictions": number, "references": number})
        return evaluate.MetricInfo(description="", citation="", features=features)
    def _compute(self, predictions, references):
        return {"halves": sum(p == r for p, r in zip(predictions, references)) / len(references) / 2}
"""
    instructor.create_repo(repo_id, repo_type="space", space_sdk="gradio", exist_ok=True)
    instructor.upload_file(
        path_or_fileobj=metric.encode(), path_in_repo="halves.py", repo_id=repo_id, repo_type="space"
    )
    code = "import evaluate; print(evaluate.load('halves').compute(predictions=[1, 2], references=[1, 3]))"
    assert run_python(code).splitlines()[-1] == "{'halves': 0.25}"


def test_reference_library_loads_model_and_tokenizer_and_pushes(run_python, learner):
    code = f"""
from transformers import AutoModel, AutoTokenizer
tokenizer, model = AutoTokenizer.from_pretrained({MINILM!r}), AutoModel.from_pretrained({MINILM!r})
print(tuple(model(**tokenizer("A sentence", return_tensors="pt")).last_hidden_state.shape))
tokenizer.push_to_hub("learner/tokenizer-pushed")
print(AutoTokenizer.from_pretrained("learner/tokenizer-pushed").vocab_size)
"""
    assert run_python(code).splitlines()[-2:] == ["(1, 4, 384)", "30522"]
    assert "tokenizer.json" in learner.list_repo_files("learner/tokenizer-pushed")


def test_login_and_command_line(run_python):
    code = """
import subprocess, sys, huggingface_hub
huggingface_hub.login("hf_learner_write")
print(huggingface_hub.whoami()["name"])
"""
    assert run_python(code, HF_TOKEN="").splitlines()[-1] == "learner"


def test_file_system_reads_and_lists(run_python, csv_repo):
    code = f"""
from huggingface_hub import HfFileSystem
fs = HfFileSystem()
print(sorted(path.rsplit("/", 1)[1] for path in fs.ls("datasets/{csv_repo}", detail=False)))
with fs.open("datasets/{csv_repo}@v1/train.csv") as file:
    file.seek(5)
    print(file.read(5))
"""
    assert run_python(code).splitlines()[-2:] == [
        "['.gitattributes', 'README.md', 'test.csv', 'train.csv']",
        "b'label'",
    ]
