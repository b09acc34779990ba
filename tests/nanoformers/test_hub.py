"""Files from local folders, the cache and a running hub; and back to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from nanoformers import AutoConfig, AutoModel, AutoTokenizer, BertModel, BertTokenizer
from nanoformers.configuration import PretrainedConfig
from nanoformers.hub import HubOptions, cached_file, checkpoint_name, commit_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MINILM = "sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = HubOptions(local_files_only=True)


class TestHubOptions:
    def test_takes_only_its_own_keywords(self):
        kwargs = {"revision": "v1", "subfolder": None, "num_labels": 3, "local_files_only": True}
        options = HubOptions.take_from(kwargs)
        assert options == HubOptions(revision="v1", local_files_only=True)
        assert kwargs == {"num_labels": 3}

    def test_older_spelling_of_token(self):
        assert HubOptions.take_from({"use_auth_token": "hf_x"}).token == "hf_x"

    def test_both_spellings_of_token_are_an_error(self):
        with pytest.raises(ValueError, match="both specified"):
            HubOptions.take_from({"token": "a", "use_auth_token": "b"})

    def test_what_has_no_effect_any_more_is_accepted(self):
        assert HubOptions.take_from({"resume_download": True, "proxies": {"http": "x"}}) == HubOptions()

    def test_a_commit_pins_the_revision(self):
        assert HubOptions.take_from({"_commit_hash": COMMIT, "revision": "main"}).revision == COMMIT
        assert HubOptions(revision="main").at(None).revision == "main"
        assert HubOptions(revision="main").at(COMMIT).revision == COMMIT

    def test_the_token_is_not_shown(self):
        assert "secret" not in repr(HubOptions(token="secret"))


class TestLocalFolders:
    def test_finds_a_file(self, tmp_path: Path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "config.json").write_text("{}")
        assert cached_file(tmp_path, "config.json", HubOptions(subfolder="sub")) == str(
            tmp_path / "sub" / "config.json"
        )

    def test_optional_file_that_is_missing(self, tmp_path: Path):
        assert cached_file(tmp_path, "config.json", required=False) is None

    def test_required_file_that_is_missing(self, tmp_path: Path):
        (tmp_path / "vocab.txt").write_text("")
        with pytest.raises(OSError, match=r"does not appear to have a file named config.json.*vocab.txt"):
            cached_file(tmp_path, "config.json")

    def test_a_file_in_place_of_a_folder(self, tmp_path: Path):
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(OSError, match="is a file, and a folder"):
            cached_file(tmp_path / "config.json", "config.json")

    def test_a_folder_wins_over_a_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.chdir(tmp_path)
        folder = tmp_path / "org" / "name"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        assert cached_file("org/name", "config.json", OFFLINE) == str(Path("org/name/config.json"))


class TestCheckpointName:
    def test_paths_and_names(self):
        assert checkpoint_name(Path("a") / "b") == checkpoint_name("a/b") == "a/b"

    @pytest.mark.parametrize("load", [AutoConfig, AutoModel, AutoTokenizer, BertModel, BertTokenizer])
    def test_what_is_none(self, load):
        with pytest.raises(OSError, match="The name of the checkpoint is empty"):
            load.from_pretrained("")
        for value in (None, 3):
            with pytest.raises((TypeError, ValueError)) as error:
                load.from_pretrained(value)
            assert "checkpoint" in str(error.value)


class TestWithoutRequests:
    def test_what_is_not_in_the_cache(self, tmp_path: Path):
        with pytest.raises(OSError, match=r"org/name.*main.*switched off"):
            cached_file("org/name", "config.json", HubOptions(cache_dir=tmp_path, local_files_only=True))

    def test_optional_file(self, tmp_path: Path):
        options = HubOptions(cache_dir=tmp_path, local_files_only=True)
        assert cached_file("org/name", "config.json", options, required=False) is None

    @pytest.mark.parametrize("name", ["./nowhere", "a/b/c", "/nowhere/at/all"])
    def test_what_is_neither_a_folder_nor_a_name(self, name: str):
        with pytest.raises(OSError, match="is not a local folder"):
            cached_file(name, "config.json", OFFLINE)

    def test_a_cached_commit(self, tmp_path: Path):
        snapshot = tmp_path / "models--org--name" / "snapshots" / COMMIT
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text("{}")
        path = cached_file("org/name", "config.json", HubOptions(cache_dir=tmp_path, revision=COMMIT))
        assert path == str(snapshot / "config.json")
        assert commit_of(path) == COMMIT

    def test_a_file_that_a_commit_is_known_to_lack(self, tmp_path: Path):
        known = tmp_path / "models--org--name" / ".no_exist" / COMMIT
        known.mkdir(parents=True)
        (known / "x.json").touch()
        options = HubOptions(cache_dir=tmp_path, revision=COMMIT)
        assert cached_file("org/name", "x.json", options, required=False) is None


def test_commit_of_other_paths(tmp_path: Path):
    assert commit_of(tmp_path / "config.json") is None
    assert commit_of(None) is None


CACHE_FOLDERS = [
    (
        {
            "HF_HUB_CACHE": "/a",
            "HUGGINGFACE_HUB_CACHE": "/b",
            "TRANSFORMERS_CACHE": "/c",
            "HF_HOME": "/d",
        },
        "/a",
    ),
    ({"HUGGINGFACE_HUB_CACHE": "/b", "TRANSFORMERS_CACHE": "/c", "HF_HOME": "/d"}, "/b"),
    ({"TRANSFORMERS_CACHE": "/c", "HF_HOME": "/d", "XDG_CACHE_HOME": "/e"}, "/c"),
    ({"PYTORCH_TRANSFORMERS_CACHE": "/f", "HF_HOME": "/d"}, "/f"),
    ({"HF_HOME": "/d", "XDG_CACHE_HOME": "/e"}, "/d/hub"),
    ({"XDG_CACHE_HOME": "/e"}, "/e/huggingface/hub"),
    ({"HOME": "/g"}, "/g/.cache/huggingface/hub"),
]


class TestCacheFolder:
    """Each combination in a process of its own, as a reader sets them in a shell."""

    @pytest.mark.parametrize(("variables", "folder"), CACHE_FOLDERS, ids=[case[1] for case in CACHE_FOLDERS])
    def test_precedence(self, variables: dict[str, str], folder: str):
        known = {name for case, _ in CACHE_FOLDERS for name in case} - {"HOME"}
        environment = {name: value for name, value in os.environ.items() if name not in known}
        code = "from nanoformers.hub import cache_folder; print(cache_folder())"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment | variables,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == folder


class TestAgainstARunningHub:
    def test_second_load_downloads_nothing_and_pins_the_commit(self, hub, run_python: Callable[..., str]):
        code = f"""
from nanoformers.hub import *
options = HubOptions()
path = cached_file({MINILM!r}, "config.json", options)
pinned = options.at(commit_of(path))
print(cached_file({MINILM!r}, "vocab.txt", pinned) is not None)
print(cached_file({MINILM!r}, "added_tokens.json", pinned, required=False))
"""
        assert run_python(code).split() == ["True", "None"]
        before = len(hub.requests)
        assert run_python(code.replace("HubOptions()", f"HubOptions(revision={self.commit(run_python)!r})"))
        assert [r for r in hub.requests[before:] if r.method == "GET" and "/resolve/" in r.path] == []

    @staticmethod
    def commit(run_python: Callable[..., str]) -> str:
        code = f"from nanoformers.hub import *; print(commit_of(cached_file({MINILM!r}, 'config.json')))"
        return run_python(code).strip()

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("cached_file('nobody/nothing', 'config.json')", "neither a local folder nor a repository"),
            (f"cached_file({MINILM!r}, 'nothing.json')", "There is no nothing.json"),
            (f"cached_file({MINILM!r}, 'config.json', HubOptions(revision='v9'))", "v9 is not a branch"),
        ],
        ids=["repository", "file", "revision"],
    )
    def test_what_does_not_exist(self, run_python: Callable[..., str], call: str, message: str):
        code = f"""
from nanoformers.hub import *
try:
    {call}
except OSError as error:
    print(error)
"""
        assert message in run_python(code)

    def test_a_forced_download_says_what_went_wrong(self, run_python: Callable[..., str]):
        code = f"""
from nanoformers.hub import *
for name in ("nobody/nothing", {MINILM!r}):
    try:
        cached_file(name, "config.json", HubOptions(force_download=True))
    except OSError as error:
        print(error)
"""
        assert "neither a local folder nor a repository" in run_python(code)
        assert "We couldn't connect to" in run_python(code, HF_ENDPOINT="http://127.0.0.1:9")

    def test_offline_variable(self, run_python: Callable[..., str]):
        code = f"from nanoformers.hub import *; print(cached_file({MINILM!r}, 'config.json'))"
        path = run_python(code)
        assert run_python(code, TRANSFORMERS_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9") == path
        assert run_python(code, HF_HUB_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9") == path


class Recorder(PretrainedConfig):
    """A configuration that notes what is uploaded in place of uploading it."""

    def _upload_folder(self, folder, repo_id, *, unless=None, **kwargs):
        names = {entry.name for entry in folder.iterdir()}
        self.__dict__["sent"] = (repo_id, names, json.loads((folder / "config.json").read_text()))


def test_push_to_hub_saves_and_uploads(tmp_path: Path):
    config = Recorder(num_labels=3)
    config.push_to_hub("learner/mine", commit_message="first")
    repo_id, names, content = config.__dict__["sent"]
    assert repo_id == "learner/mine"
    assert names == {"config.json"}
    assert len(content["id2label"]) == 3


class TestAModelOnARunningHub:
    """Where to look, for real: every program is a process of its own with an empty cache."""

    BUILD = """
import torch
from pathlib import Path
from nanoformers import AutoModel, BertConfig, BertModel
torch.manual_seed(0)
shape = dict(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=20)
model = BertModel(BertConfig(**shape, max_position_embeddings=12))
same = lambda other: all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters()))
"""

    def test_pushed_in_shards_to_a_branch_and_read_again(self, run_python: Callable[..., str]):
        out = run_python(f"""{self.BUILD}
from huggingface_hub import list_repo_files
info = model.push_to_hub("sharded", max_shard_size="5KB", private=True, commit_message="shards")
print(len([name for name in list_repo_files("learner/sharded") if name.endswith(".safetensors")]))
print(same(AutoModel.from_pretrained("learner/sharded", revision=info.oid)))
model.push_to_hub("sharded", safe_serialization=False, revision="pickles")
print(same(BertModel.from_pretrained("learner/sharded", revision="pickles", use_safetensors=False)))
placed = BertModel.from_pretrained("learner/sharded", revision=info.oid, device_map={{"": "disk"}})
ids = torch.ones(1, 3, dtype=torch.long)
print(torch.equal(placed(ids)[0], model.eval()(ids)[0]))
try:
    AutoModel.from_pretrained("learner/sharded", token=False, force_download=True)
except OSError as error:
    print("log in with" in str(error))
""")
        shards, *answers = out.split()
        assert int(shards) > 2
        assert answers == ["True"] * 4

    def test_subfolder_cache_and_no_requests(self, run_python: Callable[..., str], tmp_path: Path):
        out = run_python(f"""{self.BUILD}
from huggingface_hub import HfApi
model.save_pretrained("{tmp_path}/saved")
HfApi().create_repo("learner/inside")
HfApi().upload_folder(repo_id="learner/inside", folder_path="{tmp_path}/saved", path_in_repo="deep/er")
where = dict(subfolder="deep/er", cache_dir="{tmp_path}/cache")
print(same(AutoModel.from_pretrained("learner/inside", force_download=True, **where)))
print(Path("{tmp_path}/cache/models--learner--inside").is_dir())
print(same(BertModel.from_pretrained("learner/inside", local_files_only=True, **where)))
try:
    BertModel.from_pretrained("learner/inside", local_files_only=True, subfolder="deep/er")
except OSError as error:
    print("requests are switched off" in str(error))
""")
        assert out.split() == ["True"] * 4
