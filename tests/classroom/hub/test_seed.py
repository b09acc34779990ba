"""Seeding: the same commits everywhere, nothing done twice, learners' work kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from classroom import paths
from classroom.hub import HubServer, Place, Store, seed
from classroom.hub import seed as seed_function
from classroom.hub.changes import Changes, commit
from classroom.hub.repository import Author
from huggingface_hub import HfApi

MODEL = Place("models", "course/tiny")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A data folder with one model; what code writes is left out."""
    for name in ("sources.seeded_models", "sources.seeded_datasets", "toyland.datasets"):
        monkeypatch.setattr(f"classroom.{name}", list)
    monkeypatch.setattr(paths, "data_root", lambda: tmp_path / "data")
    model = tmp_path / "data" / "hub" / "models" / "course" / "tiny"
    model.mkdir(parents=True)
    (model / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n", newline="\n")
    (model / "model.safetensors").write_bytes(b"weights")
    return model


def test_commit_hashes_are_the_same_on_every_machine(folder, tmp_path):
    first, second = seed(Store(tmp_path / "one")), seed(Store(tmp_path / "two"))
    assert first == second
    assert [repo.commit for repo in first] == ["e0ea9c3b61a6a4c2ca3ee43053f873409fdc9c47"]


def test_seeding_again_does_nothing(folder, tmp_path):
    store = Store(tmp_path / "store")
    (first,) = seed(store)
    (again,) = seed(store)
    assert (first.changed, again.changed) == (True, False)
    assert again.commit == first.commit


def test_changed_folder_makes_a_commit_on_top_and_keeps_what_was_pushed(folder, tmp_path):
    store = Store(tmp_path / "store")
    (first,) = seed(store)
    repository = store.open(MODEL)
    author = Author("learner", "l@x.invalid")
    commit(repository, "refs/heads/main", first.commit, Changes(small={"mine.txt": b"mine"}), author, "mine")
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").unlink()
    (second,) = seed(store)
    assert second.changed
    assert set(repository.manifest(second.commit).files) == {
        ".gitattributes",
        "README.md",
        "config.json",
        "mine.txt",
    }
    assert len(list(repository.history(second.commit))) == 3


def test_touched_files_make_no_commit(folder, tmp_path):
    store = Store(tmp_path / "store")
    (first,) = seed(store)
    os.utime(folder / "README.md", (1, 1))
    (again,) = seed(store)
    assert (again.commit, again.changed) == (first.commit, False)


def test_deleted_repository_comes_back(folder, tmp_path):
    store = Store(tmp_path / "store")
    (first,) = seed(store)
    store.delete(MODEL)
    (again,) = seed(store)
    assert again.commit == first.commit


def test_large_files_are_not_copied_into_git(folder, tmp_path):
    store = Store(tmp_path / "store")
    (folder / "model.safetensors").write_bytes(os.urandom(11_000_000))
    seed(store)
    git = store.root / "models" / "course" / "tiny.git"
    assert sum(file.stat().st_size for file in git.rglob("*") if file.is_file()) < 50_000


def test_settings_of_a_seed_folder_are_applied_and_not_served(folder, tmp_path):
    (folder / ".hub.yaml").write_text("gated: manual\ntags: [v1.0]\n")
    store = Store(tmp_path / "store")
    (seeded,) = seed(store)
    with HubServer(store) as server:
        api = HfApi(endpoint=server.endpoint, token=False)
        assert api.model_info("course/tiny").gated == "manual"
        assert ".hub.yaml" not in api.list_repo_files("course/tiny")
        assert api.model_info("course/tiny", revision="v1.0").sha == seeded.commit


def test_one_bad_source_does_not_keep_the_others_out(folder, tmp_path, monkeypatch):
    def fail(_: Path) -> None:
        raise OSError("no network")

    monkeypatch.setattr("classroom.sources.seeded_datasets", lambda: [("course/unreachable", fail)])
    good, bad = seed(Store(tmp_path / "store"))
    assert good.problem is None
    assert (bad.repo_id, bad.commit, bad.problem) == ("course/unreachable", None, "no network")


def test_progress_names_each_repository(folder, tmp_path):
    named: list[str] = []
    seed_function(Store(tmp_path / "store"), progress=named.append)
    assert named == ["course/tiny"]


def test_the_real_checkpoint_is_served_with_the_same_commit_everywhere(hub_store):
    head = hub_store.open(Place("models", "sentence-transformers/all-MiniLM-L6-v2")).resolve()
    assert head == "56a955d797476ec0fe30c71640a192c480d567ef"


def test_what_code_writes_is_made_again_when_the_code_changes(folder, tmp_path, monkeypatch):
    calls = []

    def write(target: Path) -> None:
        calls.append(target)
        target.mkdir()
        (target / "data.txt").write_text("rows")

    monkeypatch.setattr("classroom.sources.seeded_datasets", lambda: [("course/rows", write)])
    store = Store(tmp_path / "store")
    seed(store)
    seed(store)
    assert len(calls) == 1
    monkeypatch.setattr("classroom.sources.__path__", [str(tmp_path)])  # other files: another version
    (tmp_path / "changed.py").write_text("x = 1")
    seed(store)
    assert len(calls) == 2
