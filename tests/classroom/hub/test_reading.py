"""What clients read: files, information, trees, references, history, lists."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def test_download_gives_the_committed_bytes_in_the_cache_layout(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    commit = learner.upload_file(path_or_fileobj=b"hello", path_in_repo="a/b.txt", repo_id=repo_id).oid
    path = Path(hf_hub_download(repo_id, "a/b.txt", endpoint=hub.endpoint, cache_dir=tmp_path))
    assert path.read_bytes() == b"hello"
    assert path.parent.parent.name == commit


def test_small_file_has_gits_hash_as_etag(hub, learner, new_repo):
    repo_id = new_repo()
    commit = learner.upload_file(path_or_fileobj=b"hello\n", path_in_repo="a.txt", repo_id=repo_id).oid
    found = get_hf_file_metadata(hf_hub_url(repo_id, "a.txt", endpoint=hub.endpoint), token=False)
    assert (found.etag, found.size, found.commit_hash) == (
        "ce013625030ba8dba906f756967f9e9ca394464a",
        6,
        commit,
    )


def test_large_file_has_its_sha256_as_etag(hub, learner, new_repo):
    repo_id, content = new_repo(), b"\x00\x01" * 1000
    learner.upload_file(path_or_fileobj=content, path_in_repo="model.safetensors", repo_id=repo_id)
    found = get_hf_file_metadata(hf_hub_url(repo_id, "model.safetensors", endpoint=hub.endpoint), token=False)
    assert (found.etag, found.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_second_download_transfers_nothing(hub, new_repo, tmp_path):
    repo_id = new_repo()
    hf_hub_download(repo_id, "README.md", endpoint=hub.endpoint, cache_dir=tmp_path)
    before = len(hub.requests)
    hf_hub_download(repo_id, "README.md", endpoint=hub.endpoint, cache_dir=tmp_path)
    assert [request.method for request in hub.requests[before:]] == ["HEAD"]


def test_snapshot_holds_every_file(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    learner.upload_file(path_or_fileobj=b"1", path_in_repo="deep/er/file.bin", repo_id=repo_id)
    folder = Path(snapshot_download(repo_id, endpoint=hub.endpoint, cache_dir=tmp_path))
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {".gitattributes", "README.md", "deep/er/file.bin"}


@pytest.mark.parametrize("name", ["with space.txt", "a+b%25.txt", "日本語.txt", "hash#mark?.txt"])
def test_file_names_that_need_encoding(hub, learner, new_repo, tmp_path, name):
    repo_id = new_repo()
    learner.upload_file(path_or_fileobj=b"x", path_in_repo=name, repo_id=repo_id)
    assert name in learner.list_repo_files(repo_id)
    assert (
        Path(hf_hub_download(repo_id, name, endpoint=hub.endpoint, cache_dir=tmp_path)).read_bytes() == b"x"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"repo_id": "learner/nothing", "filename": "a"}, RepositoryNotFoundError),
        ({"repo_id": MINILM, "filename": "nothing.txt"}, EntryNotFoundError),
        ({"repo_id": MINILM, "filename": "config.json", "revision": "nothing"}, RevisionNotFoundError),
        ({"repo_id": MINILM, "filename": "config.json", "revision": "f" * 40}, RevisionNotFoundError),
        ({"repo_id": MINILM, "filename": "config.json", "repo_type": "dataset"}, RepositoryNotFoundError),
    ],
)
def test_missing_things_raise_the_clients_own_errors(hub, tmp_path, arguments, error):
    with pytest.raises(error):
        hf_hub_download(**arguments, endpoint=hub.endpoint, cache_dir=tmp_path)


def test_model_info_describes_the_seeded_model(anonymous):
    info = anonymous.model_info(MINILM, files_metadata=True)
    weights = next(sibling for sibling in info.siblings if sibling.rfilename == "model.safetensors")
    assert info.pipeline_tag == "sentence-similarity"
    assert info.library_name == "sentence-transformers"
    assert {"safetensors", "bert", "license:apache-2.0"} <= set(info.tags)
    assert info.card_data.language == "en"
    assert info.safetensors.total == 22_713_728
    assert weights.lfs.size == weights.size == 90_868_376
    assert info.last_modified.year == 2024


def test_pipeline_tag_follows_the_architecture_when_the_card_is_silent(learner, new_repo):
    repo_id = new_repo()
    config = b'{"architectures": ["BertForSequenceClassification"], "model_type": "bert"}'
    learner.upload_file(path_or_fileobj=config, path_in_repo="config.json", repo_id=repo_id)
    info = learner.model_info(repo_id)
    assert (info.pipeline_tag, info.library_name) == ("text-classification", "transformers")
    assert info.transformers_info.auto_model == "AutoModelForSequenceClassification"


def test_info_of_a_revision_and_of_chosen_properties(learner, new_repo):
    repo_id = new_repo()
    first = learner.model_info(repo_id).sha
    learner.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo_id)
    old = learner.model_info(repo_id, revision=first)
    assert old.sha == first
    assert "x" not in {sibling.rfilename for sibling in old.siblings}
    assert learner.model_info(repo_id, expand=["sha"]).tags is None


def test_tree_lists_folders_files_and_last_commits(learner, new_repo):
    repo_id = new_repo()
    learner.upload_file(path_or_fileobj=b"1", path_in_repo="a/1.txt", repo_id=repo_id, commit_message="one")
    learner.upload_file(path_or_fileobj=b"2", path_in_repo="a/b/2.txt", repo_id=repo_id, commit_message="two")
    assert [item.path for item in learner.list_repo_tree(repo_id)] == [".gitattributes", "README.md", "a"]
    everything = learner.list_repo_tree(repo_id, "a", recursive=True, expand=True)
    assert [(item.path, item.last_commit.title) for item in everything] == [
        ("a/1.txt", "one"),
        ("a/b", "two"),
        ("a/b/2.txt", "two"),
    ]


def test_long_trees_come_in_pages(learner, new_repo):
    from huggingface_hub import CommitOperationAdd

    repo_id = new_repo()
    operations = [CommitOperationAdd(f"many/{n:04}.txt", b"%d" % n) for n in range(1200)]
    learner.create_commit(repo_id, operations, commit_message="many")
    assert len(list(learner.list_repo_tree(repo_id, "many"))) == 1200


def test_paths_info_leaves_out_what_does_not_exist(anonymous):
    found = anonymous.get_paths_info(MINILM, ["config.json", "1_Pooling", "nothing"])
    assert [item.path for item in found] == ["config.json", "1_Pooling"]
    assert anonymous.file_exists(MINILM, "config.json")
    assert not anonymous.file_exists(MINILM, "nothing")


def test_refs_and_history(learner, new_repo):
    repo_id = new_repo()
    commit = learner.upload_file(
        path_or_fileobj=b"x",
        path_in_repo="x",
        repo_id=repo_id,
        commit_message="Title",
        commit_description="Body",
    ).oid
    learner.create_branch(repo_id, branch="feature/one")
    learner.create_tag(repo_id, tag="v1", tag_message="first")
    refs = learner.list_repo_refs(repo_id, include_pull_requests=True)
    assert {branch.name: branch.target_commit for branch in refs.branches} == {
        "main": commit,
        "feature/one": commit,
    }
    assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1", commit)]
    newest = learner.list_repo_commits(repo_id, formatted=True)[0]
    assert (newest.commit_id, newest.title, newest.message, newest.authors) == (
        commit,
        "Title",
        "Body",
        ["learner"],
    )
    assert len(learner.list_repo_commits(repo_id)) == 3


def test_short_hashes_name_a_commit(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    sha = learner.model_info(repo_id).sha
    assert learner.model_info(repo_id, revision=sha[:7]).sha == sha


def test_lists_search_filter_sort_and_limit(learner, new_repo):
    first, second = new_repo(), new_repo()
    card = b"---\nlicense: mit\npipeline_tag: fill-mask\nlanguage: fr\n---\n"
    learner.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=second)

    def listed(**query):
        return [model.id for model in learner.list_models(**query)]

    assert {first, second, MINILM} <= set(listed())
    assert listed(search=second.split("/")[1]) == [second]
    assert MINILM not in listed(author="learner")
    assert second in listed(filter=["fr", "license:mit"])
    assert second in listed(pipeline_tag="fill-mask")
    assert first not in listed(pipeline_tag="fill-mask")
    assert len(listed(limit=1)) == 1
    newest = [model.last_modified for model in learner.list_models(sort="last_modified")]
    assert newest == sorted(newest, reverse=True)


def test_lists_of_data_sets_and_spaces(learner, new_repo):
    data = new_repo(repo_type="dataset")
    card = b"---\ntask_categories: [text-classification]\nlanguage: ja\n---\n"
    learner.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=data, repo_type="dataset")
    space = new_repo(repo_type="space", space_sdk="gradio")
    assert data in [
        item.id for item in learner.list_datasets(task_categories="text-classification", language="ja")
    ]
    assert learner.dataset_info(data).card_data.language == "ja"
    assert space in [item.id for item in learner.list_spaces()]
    assert learner.space_info(space).sdk == "gradio"


def test_what_the_hub_does_not_offer_is_a_polite_404(ask):
    answer = ask("GET", "/api/daily_papers")
    assert answer.status == 404
    assert answer.headers["x-error-message"]
