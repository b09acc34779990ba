"""Who may do what: tokens, private and gated repositories."""

from __future__ import annotations

import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def status_of(call, *arguments, **keywords) -> int:
    with pytest.raises(HfHubHTTPError) as caught:
        call(*arguments, **keywords)
    return caught.value.response.status_code


def test_whoami_names_the_user_and_the_tokens_role(learner, reader, instructor):
    assert learner.whoami()["name"] == "learner"
    assert learner.whoami()["auth"]["accessToken"]["role"] == "write"
    assert reader.whoami()["auth"]["accessToken"]["role"] == "read"
    assert "nanoformers" in [organization["name"] for organization in instructor.whoami()["orgs"]]


def test_unknown_token_is_refused_even_for_public_files(hub, anonymous):
    stranger = HfApi(endpoint=hub.endpoint, token="hf_nobody")
    assert status_of(stranger.whoami) == 401
    assert status_of(stranger.model_info, MINILM) == 401
    assert anonymous.model_info(MINILM).id == MINILM


@pytest.mark.parametrize(
    ("token", "status"),
    [(False, 401), ("hf_learner_read", 403), ("hf_nobody", 401), ("hf_instructor_write", 403)],
)
def test_only_a_write_token_of_the_owner_may_change_something(hub, new_repo, token, status):
    repo_id = new_repo()
    api = HfApi(endpoint=hub.endpoint, token=token)
    arguments = {"path_or_fileobj": b"x", "path_in_repo": "x", "repo_id": repo_id}
    assert status_of(api.upload_file, **arguments) == status
    assert status_of(api.create_branch, repo_id, branch="b") == status
    assert status_of(api.create_tag, repo_id, tag="t") == status
    assert status_of(api.delete_repo, repo_id) == status
    assert status_of(api.update_repo_settings, repo_id, private=True) == status
    assert status_of(api.create_repo, "learner/of-somebody-else") == status
    assert not api.endpoint.endswith("/")


def test_learner_may_not_write_to_the_courses_organisations(learner, instructor):
    assert status_of(learner.create_repo, "nanoformers/mine") == 403
    assert learner.create_repo("my-awesome-org/shared", exist_ok=True).repo_id == "my-awesome-org/shared"
    instructor.create_repo("nanoformers/theirs", exist_ok=True)


def test_private_repository_is_there_for_its_owner_only(
    hub, learner, reader, instructor, anonymous, new_repo, tmp_path
):
    repo_id = new_repo(private=True)
    assert learner.model_info(repo_id).private
    assert reader.file_exists(repo_id, "README.md")
    for other in (instructor, anonymous):
        with pytest.raises(RepositoryNotFoundError):
            other.model_info(repo_id)
        assert repo_id not in [model.id for model in other.list_models()]
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download(repo_id, "README.md", endpoint=hub.endpoint, cache_dir=tmp_path, token=False)
    assert hf_hub_download(
        repo_id, "README.md", endpoint=hub.endpoint, cache_dir=tmp_path, token=learner.token
    )


def test_visibility_can_be_changed(learner, anonymous, new_repo):
    repo_id = new_repo(private=True)
    learner.update_repo_settings(repo_id, private=False)
    assert anonymous.model_info(repo_id).private is False


def test_gated_repository_shows_itself_but_not_its_files(
    hub, learner, anonymous, instructor, new_repo, tmp_path
):
    repo_id = new_repo()
    learner.update_repo_settings(repo_id, gated="manual")
    assert anonymous.model_info(repo_id).gated == "manual"
    for token in (False, "hf_instructor_write"):
        with pytest.raises(GatedRepoError):
            hf_hub_download(repo_id, "README.md", endpoint=hub.endpoint, cache_dir=tmp_path, token=token)
    with pytest.raises(GatedRepoError):
        instructor.auth_check(repo_id)


def test_access_to_a_gated_repository_is_asked_for_and_granted(ask, learner, instructor, new_repo):
    repo_id = new_repo()
    learner.update_repo_settings(repo_id, gated="manual")
    answer = ask("POST", f"/{repo_id}/ask-access", Authorization="Bearer hf_instructor_read")
    assert (answer.status, answer.body) == (200, b'{"status":"pending"}')
    assert [request.username for request in learner.list_pending_access_requests(repo_id)] == ["instructor"]
    learner.accept_access_request(repo_id, "instructor")
    instructor.auth_check(repo_id)
    learner.cancel_access_request(repo_id, "instructor")
    with pytest.raises(GatedRepoError):
        instructor.auth_check(repo_id)
    learner.grant_access(repo_id, "instructor")
    instructor.auth_check(repo_id)


def test_automatic_gate_opens_when_asked(ask, learner, instructor, new_repo):
    repo_id = new_repo()
    learner.update_repo_settings(repo_id, gated="auto")
    assert ask("POST", f"/{repo_id}/ask-access").status == 401
    assert ask("POST", f"/{repo_id}/ask-access", Authorization="Bearer hf_instructor_read").status == 200
    instructor.auth_check(repo_id)
