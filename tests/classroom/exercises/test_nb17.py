"""Checkers of notebook 17: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import itertools

import pytest
from classroom.exercises import Wrong, check, nb17
from huggingface_hub import HfApi, constants

RIGHT = {situation: status for situation, (status, _) in nb17._STATUSES.items()}
RESULTS = """
model-index:
- name: toy
  results:
  - task: {type: text-classification}
    dataset: {name: Toyland, type: toyland/sentiment}
    metrics: [{type: accuracy, value: 0.9}]
"""
METADATA = "license: mit\npipeline_tag: text-classification\ntags: [toyland]" + RESULTS
_numbers = itertools.count()


@pytest.fixture
def api(hub, monkeypatch):
    """The learner's client; checkers that make a client of their own get the same hub."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", "hf_learner_write")
    return HfApi()


@pytest.fixture
def publish(api):
    """Make a repository with these metadata in its card, and the tag v1.0; returns its id."""

    def make(metadata=METADATA, *, left_out="", tag=True):
        repo_id = api.create_repo(f"learner/published-{next(_numbers)}").repo_id
        for path in {"config.json", "model.safetensors", "tokenizer_config.json"} - {left_out}:
            api.upload_file(path_or_fileobj=b"{}", path_in_repo=path, repo_id=repo_id)
        card = f"---\n{metadata}\n---\n# Toy".encode()
        api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id=repo_id)
        make_name = api.create_tag if tag else api.create_branch
        make_name(repo_id, **{"tag" if tag else "branch": "v1.0"})
        return repo_id

    return make


class TestStatuses:
    def test_the_answers_of_the_hub_are_right(self):
        assert check("17.1", RIGHT)

    def test_the_starter_is_not_yet_an_answer(self):
        assert check("17.1", dict.fromkeys(RIGHT, ...)).outcome == "open"

    @pytest.mark.parametrize(
        ("situation", "status", "reason"),
        [
            ("instructor reads a private repository of learner", 403, "give away"),
            ("no token reads a private repository of learner", 404, "does not know who asks"),
            ("learner's read token creates learner/x", 401, "may not write"),
            ("learner's write token creates instructor/x", ..., "still open"),
        ],
    )
    def test_a_wrong_status_gets_a_reason(self, situation, status, reason):
        with pytest.raises(Wrong, match=reason):
            nb17.statuses(RIGHT | {situation: status})

    def test_another_dictionary_is_refused(self):
        with pytest.raises(Wrong, match="six lines"):
            nb17.statuses({"a": 200})


class TestChanged:
    def files(self, repo_id, revision):
        tree = HfApi().list_repo_tree(repo_id, revision=revision, recursive=True)
        return {(file.path, file.blob_id) for file in tree if hasattr(file, "blob_id")}

    def test_comparing_hashes_is_right(self, api):
        def changed(repo_id, old, new):
            return {path for path, _ in self.files(repo_id, old) ^ self.files(repo_id, new)}

        assert check("17.2", changed)
        assert not list(api.list_models(search="exercise-"))

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            (lambda old, new: old | new, "same in both"),
            (lambda old, new: new - old, "'gone.txt' is missing. It is deleted"),
            (lambda old, new: old - new, "new, and in a folder"),
        ],
    )
    def test_other_sets_get_a_reason(self, api, wrong, reason):
        def changed(repo_id, old, new):
            return {path for path, _ in wrong(self.files(repo_id, old), self.files(repo_id, new))}

        with pytest.raises(Wrong, match=reason):
            nb17.changed(changed)

    def test_a_call_in_place_of_the_function_is_refused(self):
        with pytest.raises(Wrong, match="function itself"):
            nb17.changed({"config.json"})

    def test_downloading_is_found_out(self, run_python, tmp_path):
        said = run_python(
            """
            import classroom
            classroom.start()
            from huggingface_hub import hf_hub_download

            def changed(repo_id, old, new):
                hf_hub_download(repo_id, "vocab.txt", revision=old)
                return set()

            print(classroom.check("17.2", changed))
            """.replace("\n            ", "\n"),
            CLASSROOM_HOME=str(tmp_path / "home"),
        )
        assert "It downloaded vocab.txt" in said


class TestPublished:
    def test_a_card_with_licence_task_tag_and_accuracy_is_right(self, publish):
        assert check("17.3", publish())

    @pytest.mark.parametrize(
        ("metadata", "reason"),
        [
            (METADATA.replace("license: mit\n", ""), "no licence"),
            (METADATA.replace("text-classification\ntags", "fill-mask\ntags"), "is 'fill-mask'"),
            (METADATA.replace("toyland]", "toys]"), "no tag `toyland`"),
            (METADATA.replace(RESULTS, ""), "no accuracy"),
        ],
    )
    def test_what_the_card_lacks_is_said(self, publish, metadata, reason):
        with pytest.raises(Wrong, match=reason):
            nb17.published(publish(metadata))

    def test_a_file_that_is_missing_at_the_tag_is_named(self, publish):
        with pytest.raises(Wrong, match=r"no model\.safetensors"):
            nb17.published(publish(left_out="model.safetensors"))

    def test_a_branch_is_no_tag(self, publish):
        with pytest.raises(Wrong, match="is a branch"):
            nb17.published(publish(tag=False))

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ("learner/nothing-there", "no repository"),
            ("sentence-transformers/all-MiniLM-L6-v2", r"no tag v1\.0"),
            ("a/b/c", "cannot be the id"),
            (3, "a string"),
        ],
    )
    def test_other_answers_get_a_reason(self, api, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb17.published(answer)
