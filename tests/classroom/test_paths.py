"""Where the course keeps its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from classroom import paths


def test_repository_root_is_the_checkout_that_holds_this_test():
    assert paths.repository_root() == Path(__file__).resolve().parents[2]


def test_home_is_a_folder_in_the_checkout(monkeypatch):
    monkeypatch.delenv("CLASSROOM_HOME", raising=False)
    assert paths.home() == paths.repository_root() / ".classroom"


def test_home_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path))
    assert paths.home() == tmp_path


def test_a_chosen_home_may_begin_with_a_tilde_or_be_relative(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASSROOM_HOME", "~/course")
    assert paths.home() == Path.home() / "course"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLASSROOM_HOME", "course")
    assert paths.home() == tmp_path / "course"


def test_looking_creates_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLASSROOM_DOWNLOADS", str(tmp_path / "downloads"))
    for look in (paths.home, paths.store_root, paths.cache_home, paths.downloads):
        look()
    assert list(tmp_path.iterdir()) == []


def test_store_and_cache_are_different_folders_of_home(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path))
    monkeypatch.delenv("CLASSROOM_CACHE", raising=False)
    assert {paths.store_root().parent, paths.cache_home().parent} == {tmp_path}
    assert paths.store_root() != paths.cache_home()


def test_the_cache_can_be_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("CLASSROOM_CACHE", str(tmp_path / "cache"))
    assert paths.cache_home() == tmp_path / "cache"


def test_downloads_lie_outside_the_checkout(monkeypatch):
    monkeypatch.delenv("CLASSROOM_DOWNLOADS", raising=False)
    assert not paths.downloads().is_relative_to(paths.repository_root())


def test_data_and_notebooks_lie_in_the_checkout():
    assert paths.data_root() == paths.repository_root() / "data"
    assert paths.notebooks_root() == paths.repository_root() / "notebooks"
    assert (paths.examples_root() / "pytorch" / "summarization" / "run_summarization.py").is_file()


class TestOutsideACheckout:
    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch, tmp_path):
        """As if the package had been installed from a wheel into `tmp_path`."""
        monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "site-packages" / "classroom")
        monkeypatch.delenv("CLASSROOM_HOME", raising=False)

    def test_there_is_no_repository_and_no_notebooks(self):
        assert paths.repository_root() is None
        assert paths.notebooks_root() is None

    def test_data_come_with_the_package(self, tmp_path):
        assert paths.data_root() == tmp_path / "site-packages" / "classroom" / "_data"
        assert paths.examples_root() == paths.data_root() / "examples"

    def test_home_is_in_the_users_data_folder(self):
        import platformdirs

        assert paths.home().is_relative_to(platformdirs.user_data_path("nanoformers", appauthor=False))
