"""What clients change: repositories, commits, branches, tags, pull requests."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    hf_hub_download,
)
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)


def status_of(call, *arguments, **keywords) -> int:
    with pytest.raises(HfHubHTTPError) as caught:
        call(*arguments, **keywords)
    return caught.value.response.status_code


def content_of(hub, repo_id, path, revision=None, tmp="/nonexistent", **keywords) -> bytes:
    return Path(
        hf_hub_download(repo_id, path, revision=revision, endpoint=hub.endpoint, cache_dir=tmp, **keywords)
    ).read_bytes()


def test_created_repository_can_be_found_and_deleted(learner):
    assert learner.create_repo("fresh").repo_id == "learner/fresh"
    assert learner.list_repo_files("learner/fresh") == [".gitattributes"]
    assert status_of(learner.create_repo, "fresh") == 409
    assert learner.create_repo("fresh", exist_ok=True).repo_id == "learner/fresh"
    learner.delete_repo("learner/fresh")
    assert not learner.repo_exists("learner/fresh")
    with pytest.raises(RepositoryNotFoundError):
        learner.delete_repo("learner/fresh")
    learner.delete_repo("learner/fresh", missing_ok=True)


@pytest.mark.parametrize(
    "name", ["learner/a--b", "learner/.hidden", "learner/x.git", "learner/a..b", "learner/" + "x" * 97]
)
def test_bad_names_are_refused_by_the_server_too(ask, name):
    import json

    organization, _, name = name.partition("/")
    body = json.dumps({"name": name, "organization": organization})
    answer = ask("POST", "/api/repos/create", body=body, Authorization="Bearer hf_learner_write")
    assert answer.status == 400


def test_commit_adds_copies_and_deletes_at_once(learner, new_repo):
    repo_id = new_repo()
    add = [
        CommitOperationAdd(name, name.encode()) for name in ("keep.txt", "drop.txt", "old/1.txt", "old/2.txt")
    ]
    learner.create_commit(repo_id, add, commit_message="add")
    learner.create_commit(
        repo_id,
        [
            CommitOperationDelete("drop.txt"),
            CommitOperationDelete("old/", is_folder=True),
            CommitOperationCopy("keep.txt", "copy.txt"),
            CommitOperationAdd("new.txt", b"new"),
        ],
        commit_message="change",
    )
    assert learner.list_repo_files(repo_id) == [
        ".gitattributes",
        "README.md",
        "copy.txt",
        "keep.txt",
        "new.txt",
    ]


def test_folder_is_uploaded_with_its_large_files(hub, learner, new_repo, tmp_path):
    repo_id, weights = new_repo(), os.urandom(6_000_000)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text("{}")
    before = len(hub.requests)
    commit = learner.upload_folder(repo_id=repo_id, folder_path=folder, commit_message="all")
    assert any(request.path.endswith("/info/lfs/verify") for request in hub.requests[before:])
    assert content_of(hub, repo_id, "model.safetensors", commit.oid, tmp_path / "cache") == weights
    assert learner.get_paths_info(repo_id, "model.safetensors")[0].lfs.size == 6_000_000


def test_same_large_file_is_not_sent_twice_to_a_repository(hub, learner, new_repo):
    repo_id, content = new_repo(), os.urandom(6_000_000)
    for path in ("w.bin", "copy.bin"):
        before = len(hub.requests)
        learner.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=repo_id)
    assert "PUT" not in [request.method for request in hub.requests[before:]]


def test_unchanged_upload_makes_no_commit(learner, new_repo):
    repo_id = new_repo()
    for content, name in ((b"small", "a.txt"), (b"large by name", "a.safetensors")):
        first = learner.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=repo_id)
        again = learner.upload_file(path_or_fileobj=content, path_in_repo=name, repo_id=repo_id)
        assert again.oid == first.oid


def test_client_that_insists_on_xet_is_told_how_to_do_without(run_python, new_repo):
    code = f"""
from huggingface_hub import HfApi
try:
    HfApi().upload_file(path_or_fileobj=b"x" * 1000, path_in_repo="m.safetensors", repo_id={new_repo()!r})
except Exception as error:
    print(error)
"""
    assert "set-HF_HUB_DISABLE_XET=1" in run_python(code, HF_HUB_DISABLE_XET="0")


def test_ignored_files_stay_out(learner, new_repo, tmp_path):
    repo_id = new_repo()
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "a.log").write_text("x")
    (tmp_path / "a.txt").write_text("x")
    learner.upload_folder(repo_id=repo_id, folder_path=tmp_path)
    files = learner.list_repo_files(repo_id)
    assert "a.txt" in files
    assert "a.log" not in files


def test_commit_on_an_outdated_parent_is_refused(learner, new_repo):
    repo_id = new_repo()
    seen = learner.model_info(repo_id).sha
    learner.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=repo_id)
    add = [CommitOperationAdd("a", b"2")]
    assert status_of(learner.create_commit, repo_id, add, commit_message="late", parent_commit=seen) == 412


def test_revisions_drift_and_stay(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    first = learner.upload_file(path_or_fileobj=b"one", path_in_repo="a", repo_id=repo_id).oid
    learner.create_tag(repo_id, tag="v1.0")
    learner.create_branch(repo_id, branch="stable")
    learner.upload_file(path_or_fileobj=b"two", path_in_repo="a", repo_id=repo_id)
    found = {rev: content_of(hub, repo_id, "a", rev, tmp_path) for rev in ("main", "v1.0", "stable", first)}
    assert found == {"main": b"two", "v1.0": b"one", "stable": b"one", first: b"one"}


def test_branches_and_tags_are_made_and_deleted(learner, new_repo):
    repo_id = new_repo()
    learner.create_branch(repo_id, branch="dev/one")
    assert status_of(learner.create_branch, repo_id, branch="dev/one") == 409
    learner.create_branch(repo_id, branch="dev/one", exist_ok=True)
    learner.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo_id, revision="dev/one")
    assert "x" in learner.list_repo_files(repo_id, revision="dev/one")
    assert "x" not in learner.list_repo_files(repo_id)
    learner.delete_branch(repo_id, branch="dev/one")
    assert status_of(learner.delete_branch, repo_id, branch="main") == 403
    learner.create_tag(repo_id, tag="t")
    assert status_of(learner.create_tag, repo_id, tag="t") == 409
    learner.delete_tag(repo_id, tag="t")
    with pytest.raises(RevisionNotFoundError):
        learner.delete_tag(repo_id, tag="t")
    with pytest.raises(RevisionNotFoundError):
        learner.create_tag(repo_id, tag="u", revision="nothing")


@pytest.mark.parametrize("branch", ["refs/pr/5", "a..b", "a b", "a.lock", "f" * 40, "-x"])
def test_bad_branch_names_are_refused(learner, new_repo, branch):
    with pytest.raises(BadRequestError):
        learner.create_branch(new_repo(), branch=branch)


def test_moved_repository_is_found_at_its_old_address(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    learner.move_repo(repo_id, repo_id + "-moved")
    assert learner.model_info(repo_id).id == repo_id + "-moved"
    assert b"# one" in content_of(hub, repo_id, "README.md", None, tmp_path)
    assert not [model for model in learner.list_models() if model.id == repo_id]


def test_the_old_name_of_a_moved_repository_deletes_nothing(learner, new_repo):
    repo_id = new_repo()
    learner.move_repo(repo_id, repo_id + "-moved")
    with pytest.raises(RepositoryNotFoundError):
        learner.delete_repo(repo_id)
    assert learner.repo_exists(repo_id + "-moved")


def test_squash_leaves_one_commit_with_the_same_files(learner, new_repo):
    repo_id = new_repo()
    learner.super_squash_history(repo_id, commit_message="all in one")
    assert [commit.title for commit in learner.list_repo_commits(repo_id)] == ["all in one"]
    assert learner.list_repo_files(repo_id) == [".gitattributes", "README.md"]


def test_pull_request_of_another_user_is_reviewed_and_merged(hub, learner, instructor, new_repo, tmp_path):
    repo_id = new_repo()
    proposed = instructor.create_commit(
        repo_id, [CommitOperationAdd("fix.txt", b"better")], commit_message="Fix it", create_pr=True
    )
    assert (proposed.pr_num, proposed.pr_revision) == (1, "refs/pr/1")
    assert "fix.txt" not in learner.list_repo_files(repo_id)
    assert content_of(hub, repo_id, "fix.txt", "refs/pr/1", tmp_path) == b"better"
    request = learner.get_discussion_details(repo_id, 1)
    assert (request.title, request.author, request.status) == ("Fix it", "instructor", "open")
    assert "+better" in request.diff
    assert status_of(instructor.merge_pull_request, repo_id, 1) == 403
    learner.comment_discussion(repo_id, 1, "Thank you")
    learner.merge_pull_request(repo_id, 1)
    assert "fix.txt" in learner.list_repo_files(repo_id)
    assert learner.get_discussion_details(repo_id, 1).status == "merged"
    assert [ref.ref for ref in learner.list_repo_refs(repo_id, include_pull_requests=True).pull_requests] == [
        "refs/pr/1"
    ]


def test_conflicting_pull_request_is_not_merged(learner, new_repo):
    repo_id = new_repo()
    learner.upload_file(path_or_fileobj=b"theirs", path_in_repo="a", repo_id=repo_id, create_pr=True)
    learner.upload_file(path_or_fileobj=b"ours", path_in_repo="a", repo_id=repo_id)
    assert learner.get_discussion_details(repo_id, 1).conflicting_files == ["a"]
    assert status_of(learner.merge_pull_request, repo_id, 1) == 409


def test_discussions_are_opened_renamed_and_closed(learner, new_repo):
    repo_id = new_repo()
    discussion = learner.create_discussion(repo_id, "A question", description="Why?")
    learner.rename_discussion(repo_id, discussion.num, new_title="A good question")
    comment = learner.comment_discussion(repo_id, discussion.num, "Because")
    learner.edit_discussion_comment(repo_id, discussion.num, comment.id, "Because!")
    learner.change_discussion_status(repo_id, discussion.num, "closed")
    learner.create_pull_request(repo_id, "A draft")
    assert [(item.title, item.status) for item in learner.get_repo_discussions(repo_id)] == [
        ("A draft", "draft"),
        ("A good question", "closed"),
    ]
    events = learner.get_discussion_details(repo_id, discussion.num).events
    assert [event.type for event in events] == ["comment", "title-change", "comment", "status-change"]
    assert events[2].content == "Because!"


def test_card_is_validated_and_pushed(hub, run_python, learner, new_repo):
    repo_id = new_repo()
    code = (
        "from huggingface_hub import ModelCard\n"
        "card = ModelCard('---\\nlicense: mit\\ntags: [tiny]\\n---\\n# Tiny')\n"
        f"card.validate(); card.push_to_hub({repo_id!r})\n"
    )
    run_python(code)
    assert "tiny" in learner.model_info(repo_id).tags
    assert status_of_card_error(learner, repo_id)


def status_of_card_error(learner, repo_id) -> bool:
    broken = b"---\nlicense: [mit\n---\n"
    with pytest.raises(ValueError, match=r"README\.md"):
        learner.upload_file(path_or_fileobj=broken, path_in_repo="README.md", repo_id=repo_id)
    return True


def test_open_file_is_uploaded(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    learner.upload_file(path_or_fileobj=io.BytesIO(b"buffered"), path_in_repo="b.bin", repo_id=repo_id)
    assert content_of(hub, repo_id, "b.bin", None, tmp_path) == b"buffered"


def test_repositories_are_real_git(hub_store, learner, new_repo):
    import shutil
    import subprocess

    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    repo_id = new_repo()
    folder = hub_store.root / "models" / f"{repo_id}.git"
    done = subprocess.run(["git", "--git-dir", folder, "fsck", "--strict"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    log = subprocess.run(
        ["git", "--git-dir", folder, "log", "--format=%an", "main"], capture_output=True, text=True
    )
    assert log.stdout.split() == ["learner", "learner"]
