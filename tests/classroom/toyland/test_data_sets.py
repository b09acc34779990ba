from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from classroom.toyland import VIEWS, datasets, rows, write_dataset
from classroom.toyland.views import entailment, entities, intents

GOLDEN = "91d0817b3b1a18e983e627e577833899975ce85f2f64af785d3d4cbc3a536634"
SMALL = {"train": 40, "validation": 10, "test": 10}


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("view", VIEWS)
def test_rows_are_different_and_depend_on_the_seed_alone(view: str) -> None:
    first = rows(view, 300, seed=3)
    assert len({json.dumps(row) for row in first}) == 300
    assert rows(view, 20, seed=3) == first[:20]
    assert rows(view, 20, seed=4) != first[:20]


@pytest.mark.parametrize("view", VIEWS)
def test_no_row_is_in_two_splits(view: str, tmp_path: Path) -> None:
    write_dataset(tmp_path, view)
    splits = [read(tmp_path / f"{split}.jsonl") for split in ("train", "validation", "test")]
    assert [len(split) for split in splits] == [2000, 200, 200]
    contents = [
        {json.dumps({k: v for k, v in row.items() if k != "id"}) for row in split} for split in splits
    ]
    assert not contents[0] & contents[1]
    assert not contents[0] & contents[2]
    assert not contents[1] & contents[2]


def test_bytes_are_the_same_on_every_machine(tmp_path: Path) -> None:
    digest = hashlib.sha256()
    for name, write in datasets():
        write(tmp_path / name)
        for path in sorted((tmp_path / name).iterdir()):
            digest.update(path.name.encode() + path.read_bytes())
    assert digest.hexdigest() == GOLDEN


def test_the_hub_gets_one_repository_a_view(tmp_path: Path) -> None:
    names = [name for name, _ in datasets()]
    assert names == [f"toyland/{view}" for view in VIEWS]
    assert {"toyland/stories", "toyland/questions", "toyland/en-fr"} <= set(names)


def test_nothing_but_the_files_remains(tmp_path: Path) -> None:
    write_dataset(tmp_path / "new" / "folder", "intents", splits=SMALL)
    names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["README.md", "test.jsonl", "train.jsonl", "validation.jsonl"]


def test_answers_stand_where_the_rows_say() -> None:
    for row in rows("questions", 500):
        (answer,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
        assert row["context"][start : start + len(answer)] == answer


def test_labels_are_numbers_of_known_names() -> None:
    assert {row["label"] for row in rows("sentiment", 200)} == {0, 1, 2}
    assert {row["label"] for row in rows("intents", 300)} == set(range(len(intents.LABELS)))
    assert {row["label"] for row in rows("entailment", 200)} == set(range(len(entailment.LABELS)))
    assert max(max(row["ner_tags"]) for row in rows("entities", 200)) < len(entities.TAGS)


def test_an_unknown_view_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stories"):
        rows("novels", 1)
    with pytest.raises(ValueError, match="stories"):
        write_dataset(tmp_path, "novels")


@pytest.mark.parametrize("view", VIEWS)
def test_the_datasets_library_reads_files_and_features(view: str, tmp_path: Path) -> None:
    hf_datasets = pytest.importorskip("datasets")
    write_dataset(tmp_path / view, view, splits=SMALL)
    loaded = hf_datasets.load_dataset(str(tmp_path / view), cache_dir=str(tmp_path / "cache"))
    assert {split: len(part) for split, part in loaded.items()} == SMALL
    assert loaded["test"][0] == read(tmp_path / view / "test.jsonl")[0]
    features = loaded["train"].features
    if "label" in features:
        assert isinstance(features["label"], hf_datasets.ClassLabel)
    if view == "entities":
        assert features["ner_tags"].feature.names == list(entities.TAGS)
    if "translation" in features:
        assert features["translation"].languages == list(VIEWS[view].languages)
