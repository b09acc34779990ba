"""Folders of checkpoints: found by number, put in place whole, deleted whole, brought back."""

from __future__ import annotations

from pathlib import Path

import pytest
from nanoformers.training import PREFIX_CHECKPOINT_DIR, get_last_checkpoint
from nanoformers.training.checkpoint_folders import (
    checkpoint_folders,
    clear_leftovers,
    put_in_place,
    remove_whole,
    surplus_checkpoints,
)


def make(folder: Path, *names: str, content: str = "x") -> list[Path]:
    """Make folders with a file in each."""
    paths = [folder / name for name in names]
    for path in paths:
        path.mkdir(parents=True)
        (path / "file").write_text(content)
    return paths


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


class TestGetLastCheckpoint:
    def test_is_the_one_with_the_most_steps(self, tmp_path: Path):
        make(tmp_path, "checkpoint-5", "checkpoint-10", "checkpoint-9")
        assert get_last_checkpoint(str(tmp_path)) == str(tmp_path / "checkpoint-10")

    def test_none_where_there_is_none(self, tmp_path: Path):
        assert get_last_checkpoint(tmp_path) is None

    def test_what_only_looks_like_one_is_passed_over(self, tmp_path: Path):
        make(tmp_path, "tmp-checkpoint-7", "checkpoint-8-old", "checkpoint-", "my-checkpoint-9")
        (tmp_path / "checkpoint-11").write_text("a file")
        assert get_last_checkpoint(tmp_path) is None

    def test_a_folder_that_is_not_there(self, tmp_path: Path):
        with pytest.raises(FileNotFoundError, match="output_dir"):
            get_last_checkpoint(tmp_path / "nowhere")

    def test_the_prefix_is_the_documented_one(self):
        assert PREFIX_CHECKPOINT_DIR == "checkpoint"


class TestPutInPlace:
    def test_renames(self, tmp_path: Path):
        (staged,) = make(tmp_path, "tmp-checkpoint-3")
        put_in_place(staged, tmp_path / "checkpoint-3")
        assert names(tmp_path) == ["checkpoint-3"]

    def test_replaces_one_that_is_there(self, tmp_path: Path):
        make(tmp_path, "checkpoint-3", content="old")
        (staged,) = make(tmp_path, "tmp-checkpoint-3", content="new")
        put_in_place(staged, tmp_path / "checkpoint-3")
        assert names(tmp_path) == ["checkpoint-3"]
        assert (tmp_path / "checkpoint-3" / "file").read_text() == "new"


class TestClearLeftovers:
    def test_deletes_what_was_not_finished(self, tmp_path: Path):
        make(tmp_path, "tmp-checkpoint-3", "tmp-checkpoint-2-removed", "checkpoint-1", "tmp-mine")
        clear_leftovers(tmp_path)
        assert names(tmp_path) == ["checkpoint-1", "tmp-mine"]

    def test_a_replaced_checkpoint_comes_back_when_its_successor_did_not_arrive(self, tmp_path: Path):
        make(tmp_path, "tmp-checkpoint-3-replaced", content="old")
        make(tmp_path, "tmp-checkpoint-3", content="perhaps half of it")
        clear_leftovers(tmp_path)
        assert names(tmp_path) == ["checkpoint-3"]
        assert (tmp_path / "checkpoint-3" / "file").read_text() == "old"

    def test_a_replaced_checkpoint_goes_when_its_successor_is_there(self, tmp_path: Path):
        make(tmp_path, "tmp-checkpoint-3-replaced", content="old")
        make(tmp_path, "checkpoint-3", content="new")
        clear_leftovers(tmp_path)
        assert names(tmp_path) == ["checkpoint-3"]
        assert (tmp_path / "checkpoint-3" / "file").read_text() == "new"

    def test_a_folder_that_is_not_there(self, tmp_path: Path):
        clear_leftovers(tmp_path / "nowhere")
        assert names(tmp_path) == []


class TestRemoveWhole:
    def test_deletes_and_leaves_nothing_beside(self, tmp_path: Path):
        first, _ = make(tmp_path, "checkpoint-1", "checkpoint-2")
        remove_whole(first)
        assert names(tmp_path) == ["checkpoint-2"]

    def test_one_that_is_gone_already(self, tmp_path: Path):
        remove_whole(tmp_path / "checkpoint-1")
        assert names(tmp_path) == []


class TestSurplusCheckpoints:
    FOLDERS = tuple(Path(f"out/checkpoint-{step}") for step in (5, 10, 15, 20))

    @pytest.mark.parametrize(
        ("limit", "best", "goes"),
        [
            (None, None, []),
            (0, None, []),
            (4, None, []),
            (2, None, [5, 10]),
            (1, None, [5, 10, 15]),
            (2, 5, [10, 15]),
            (2, 20, [5, 10]),
            (1, 5, [10, 15]),  # the last one is there to go on, the best one to be loaded at the end
            (1, 20, [5, 10, 15]),
            (3, 99, [5]),
        ],
    )
    def test_what_goes(self, limit: int | None, best: int | None, goes: list[int]):
        kept = Path(f"out/checkpoint-{best}") if best else None
        surplus = surplus_checkpoints(self.FOLDERS, limit, kept)
        assert [int(folder.name.rpartition("-")[2]) for folder in surplus] == goes


def test_checkpoint_folders_are_sorted_by_number(tmp_path: Path):
    make(tmp_path, "checkpoint-20", "checkpoint-3", "checkpoint-100")
    assert [folder.name for folder in checkpoint_folders(tmp_path)] == [
        "checkpoint-3",
        "checkpoint-20",
        "checkpoint-100",
    ]
    assert checkpoint_folders(tmp_path / "nowhere") == []
