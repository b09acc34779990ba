"""`classroom.start()`, each time in a process of its own, over one store for all tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from classroom import environment, paths
from classroom.watching import Seen, describe

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def store_home(tmp_path_factory):
    """A home that the first test fills."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def python(store_home, tmp_path):
    """Run code in a new process with a course home of its own; return what it printed, or its error."""

    def run(code: str, *, fails: bool = False, **variables: str) -> str:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("HF_", "CLASSROOM_"))
        }
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            env={
                **clean,
                "CLASSROOM_HOME": str(store_home),
                "CLASSROOM_CACHE": str(tmp_path / "cache"),
                "OMP_NUM_THREADS": "1",
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    return run


class TestStart:
    def test_it_prints_one_line_and_the_stock_client_reads_from_the_hub(self, python, tmp_path):
        said = python(
            f"""
            import classroom
            classroom.start()
            from huggingface_hub import hf_hub_download
            print(hf_hub_download("{MINILM}", "config.json"))
            """
        ).splitlines()
        assert len(said) == 2
        assert said[0].startswith("The course's hub (")
        assert said[1].startswith(str(tmp_path / "cache" / "hub"))

    def test_every_part_of_the_cache_lies_in_one_folder(self, python, tmp_path):
        said = python(
            """
            import classroom
            classroom.start()
            from huggingface_hub import constants
            from datasets import config
            for folder in (constants.HF_HOME, constants.HF_HUB_CACHE, constants.HF_ASSETS_CACHE,
                           constants.HF_TOKEN_PATH, config.HF_DATASETS_CACHE, config.HF_MODULES_CACHE):
                print(folder)
            """,
            HUGGINGFACE_HUB_CACHE="/elsewhere",
            TRANSFORMERS_CACHE="/elsewhere",
            HF_DATASETS_CACHE="/elsewhere",
            HF_TOKEN_PATH="/elsewhere/token",
        )
        folders = said.splitlines()[1:]
        assert len(folders) == 6
        assert all(folder.startswith(str(tmp_path / "cache")) for folder in folders)

    def test_calling_it_again_gives_the_same_session_and_says_nothing(self, python):
        said = python(
            """
            import classroom
            first = classroom.start()
            assert classroom.start() is first
            assert classroom.start(hub=first.endpoint) is first
            """
        )
        assert len(said.splitlines()) == 1

    def test_the_account_can_be_changed_while_the_client_is_in_use(self, python):
        said = python(
            """
            import classroom
            classroom.start()
            from huggingface_hub import whoami
            print(whoami()["name"])
            classroom.start(user="instructor")
            print(whoami()["name"])
            """
        )
        assert said.splitlines()[1:] == ["learner", "instructor"]

    def test_processes_that_it_starts_use_the_same_hub(self, python):
        said = python(
            f"""
            import subprocess, sys, classroom
            session = classroom.start()
            code = "from huggingface_hub import model_info; print(model_info('{MINILM}').id)"
            print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip())
            print(any("all-MiniLM-L6-v2" in request.path for request in session.requests))
            """
        )
        assert said.splitlines()[1:] == [MINILM, "True"]

    def test_a_proxy_is_not_asked_for_the_hub(self, python):
        said = python(
            f"""
            import classroom
            classroom.start()
            from huggingface_hub import model_info
            print(model_info("{MINILM}").id)
            """,
            HTTP_PROXY="http://127.0.0.1:9",
            http_proxy="http://127.0.0.1:9",
        )
        assert said.splitlines()[1] == MINILM

    def test_a_client_that_was_imported_before_is_explained(self, python):
        error = python(
            """
            import huggingface_hub.constants
            import classroom
            classroom.start()
            """,
            fails=True,
        ).splitlines()[-1]
        assert "HubImportedTooEarlyError" in error
        assert "Restart the kernel" in error

    def test_an_unknown_user_is_refused(self, python):
        error = python("import classroom; classroom.start(user='nobody')", fails=True)
        assert "ValueError" in error
        assert "instructor" in error

    def test_what_is_no_address_is_refused(self, python):
        assert "is no address" in python("import classroom; classroom.start(hub='192.168.0.10')", fails=True)

    def test_a_hub_that_does_not_answer_is_explained(self, python):
        error = python("import classroom; classroom.start(hub='http://127.0.0.1:9')", fails=True)
        assert "ConnectionError: No hub answers at http://127.0.0.1:9" in error


class TestPipelines:
    def test_each_task_has_a_checkpoint_of_its_own(self, python):
        said = python(
            """
            import classroom
            classroom.start()
            from nanoformers import pipeline
            story = (
                "One morning, Mila the bear was in the forest. Mila lost a small red kite under the "
                "tree. Then she looked everywhere. But she could not find it. Mila felt sad."
            )
            answers = [
                pipeline("ner", aggregation_strategy="simple")("Mila was in the forest.")[0]["entity_group"],
                pipeline("token-classification")("Mila was in the forest.")[0]["entity"],
                pipeline("question-answering")(question="What did Mila lose?", context=story)["answer"],
                pipeline("zero-shot-classification")(story, candidate_labels=["happy", "sad"])["labels"][0],
                pipeline("text-generation")("One morning, Mila")[0]["generated_text"][:17],
                pipeline("text2text-generation")("question: Where was Mila? context: " + story)[0],
                pipeline("summarization")(story)[0],
                pipeline("translation_en_to_fr")("Mila the bear was in the forest.")[0],
                pipeline("fill-mask")("Mila the [MASK] was in the forest.")[0]["token_str"],
                pipeline("sentiment-analysis")("we love you")[0]["label"],
            ]
            print(*answers, sep="\\n")
            """
        ).splitlines()
        tags, answers, texts, others = said[-10:-8], said[-8:-5], said[-5:-2], said[-2:]
        assert tags == ["PER", "B-PER"]
        assert answers == ["a small red kite", "sad", "One morning, Mila"]
        assert texts[0] == "{'generated_text': 'in the forest'}"
        assert "Mila" in texts[1]
        assert texts[2] == "{'translation_text': \"Mila l'ourse était dans la forêt.\"}"
        assert others == ["bear", "POSITIVE"]


class TestOtherHubs:
    def test_the_class_hub_is_used_instead_of_an_own_one(self, python):
        said = python(
            f"""
            import classroom
            from classroom import paths
            from classroom.hub import HubServer, Store
            from classroom.seeding import ensure_seeded
            store = Store(paths.store_root())
            ensure_seeded(store)
            with HubServer(store) as class_hub:
                session = classroom.start(hub=class_hub.endpoint + "/")
                from huggingface_hub import model_info, whoami
                print(session.endpoint == class_hub.endpoint, model_info("{MINILM}").id, whoami()["name"])
            try:
                session.stop_hub()
            except RuntimeError as error:
                print(error)
            """
        ).splitlines()
        assert said[0].startswith("The class's hub is ready at http://127.0.0.1:")
        assert said[1] == f"True {MINILM} learner"
        assert "not run by this notebook" in said[2]

    def test_the_real_hub_leaves_everything_as_it_was(self, python):
        said = python(
            """
            import os, classroom
            before = dict(os.environ)
            classroom.start(hub="https://huggingface.co/")
            print(dict(os.environ) == before)
            """,
            HF_HOME="/my/own",
        )
        assert said.splitlines()[1] == "True"

    def test_leaving_the_own_hub_for_the_real_one_puts_the_environment_back(self, python):
        said = python(
            """
            import os, classroom
            before = dict(os.environ)
            classroom.start()
            classroom.start(hub="https://huggingface.co")
            print(dict(os.environ) == before)
            """,
            HF_HOME="/my/own",
        )
        assert said.splitlines()[2] == "True"

    def test_the_hub_cannot_be_changed_once_the_client_is_in_use(self, python):
        error = python(
            """
            import classroom
            classroom.start()
            import huggingface_hub.constants
            classroom.start(hub="https://huggingface.co")
            """,
            fails=True,
        )
        assert "HubImportedTooEarlyError" in error


class TestSwitchingOff:
    def test_cached_files_load_without_it_and_it_comes_back_at_the_same_address(self, python):
        said = python(
            f"""
            import classroom, urllib.request
            session = classroom.start()
            from huggingface_hub import hf_hub_download
            first = hf_hub_download("{MINILM}", "config.json")
            session.stop_hub()
            print(hf_hub_download("{MINILM}", "config.json") == first)
            try:
                urllib.request.urlopen(session.endpoint)
            except OSError:
                print("off")
            session.restart_hub()
            print(hf_hub_download("{MINILM}", "vocab.txt").endswith("vocab.txt"))
            """
        )
        assert said.splitlines()[1:] == ["True", "off", "True"]


class TestWatching:
    def test_a_block_shows_its_own_requests_only(self, python):
        said = python(
            f"""
            import classroom
            session = classroom.start()
            from huggingface_hub import hf_hub_download
            hf_hub_download("{MINILM}", "vocab.txt")
            with session.watch() as first:
                hf_hub_download("{MINILM}", "config.json")
            with session.watch() as second:
                hf_hub_download("{MINILM}", "config.json")
            print(first)
            print(second)
            """
        ).splitlines()
        assert [line.split() for line in said[1:]] == [
            ["method", "what", "status", "bytes"],
            ["HEAD", "config.json", "of", MINILM, "@", "main", "200", "0"],
            ["GET", "config.json", "of", MINILM, "@", "main", "200", "612"],
            ["2", "requests,", "612", "bytes"],
            ["method", "what", "status", "bytes"],
            ["HEAD", "config.json", "of", MINILM, "@", "main", "200", "0"],
            ["1", "request,", "0", "bytes"],
        ]

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/org/name/resolve/main/config.json", "config.json of org/name @ main"),
            ("/org/name/resolve/refs%2Fpr%2F1/a/b.txt", "a/b.txt of org/name @ refs/pr/1"),
            (f"/datasets/org/name/resolve/{'ab12' * 10}/data.csv", "data.csv of org/name @ ab12ab1"),
            ("/api/models/org/name", "model info of org/name"),
            ("/api/models/org/name/revision/main", "model info of org/name @ main"),
            ("/api/datasets/org/name/tree/main?recursive=true", "file list of org/name @ main"),
            ("/api/datasets/org/name/tree/main/data", "file list of org/name @ main in data"),
            ("/api/models?search=bert", "list of models for 'bert'"),
            ("/api/spaces", "list of spaces"),
            ("/api/models/org/name/commit/main", "commit main of org/name"),
            ("/api/models/org/name/refs", "refs of org/name"),
            ("/api/whoami-v2", "/api/whoami-v2"),
            (f"/org/name/lfs/{'ab12' * 16}?size=3", "large file ab12ab1"),
            ("/org/name.git/info/lfs/objects/batch", "which large files are new to org/name?"),
            ("/datasets/org/name.git/info/lfs/verify", "has it arrived?"),
        ],
    )
    def test_paths_are_put_into_words(self, path, words):
        assert describe(path) == words

    def test_nothing_seen_says_so(self):
        assert repr(Seen(note="no requests")) == "no requests"
        assert "no requests" in Seen(note="no requests")._repr_html_()

    def test_the_web_view_escapes_what_was_asked_for(self):
        class Request:
            method, path, status, bytes_sent = "GET", "/org/name/resolve/main/<b>", 404, 0

        html = Seen([Request()])._repr_html_()
        assert "&lt;b&gt;" in html
        assert "<strong" in html


class TestEnvironment:
    def test_pipeline_defaults_are_a_file_in_home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path))
        variables = environment.course_environment("http://127.0.0.1:1", "token")
        defaults = json.loads(Path(variables["NANOFORMERS_PIPELINE_DEFAULTS"]).read_text(encoding="utf-8"))
        assert defaults["feature-extraction"] == {"model": MINILM, "revision": None}

    def test_every_documented_task_has_a_checkpoint_that_the_hub_serves(self):
        from nanoformers.pipelines import PIPELINE_REGISTRY

        tasks = set(PIPELINE_REGISTRY.get_supported_tasks()) - {"translation"}
        assert tasks | {"translation_en_to_fr"} == set(environment.PIPELINE_DEFAULTS)
        for checkpoint in set(environment.PIPELINE_DEFAULTS.values()) - {MINILM}:
            assert (paths.data_root() / "hub" / "models" / checkpoint / "model.safetensors").is_file()

    def test_hosts_that_were_exempt_from_the_proxy_stay_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path))
        monkeypatch.setenv("NO_PROXY", "intranet.example, localhost")
        variables = environment.course_environment("http://192.168.0.10:8000", "token")
        assert variables["NO_PROXY"] == "127.0.0.1,localhost,192.168.0.10,intranet.example"

    def test_progress_bars_are_switched_off_only_if_quiet(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CLASSROOM_HOME", str(tmp_path))
        bars = "HF_HUB_DISABLE_PROGRESS_BARS"
        assert bars in environment.course_environment("http://127.0.0.1:1", "token", quiet=True)
        assert bars not in environment.course_environment("http://127.0.0.1:1", "token", quiet=False)

    @pytest.mark.skipif(sys.platform != "linux", reason="asks libgomp what it has read")
    def test_waiting_threads_of_torch_soon_leave_their_core_to_others(self, python):
        said = python(
            """
            import os, subprocess, sys, classroom
            classroom.start()
            command = [sys.executable, "-c", "import torch"]
            asked = {**os.environ, "OMP_DISPLAY_ENV": "verbose"}
            print(subprocess.run(command, env=asked, capture_output=True, text=True).stderr)
            """
        )
        assert "GOMP_SPINCOUNT = '1000'" in said


def test_importing_classroom_loads_neither_client_nor_torch_nor_server(python):
    said = python(
        """
        import sys, classroom
        classroom.start, classroom.check, classroom.hint, classroom.doctor
        print([name for name in ("huggingface_hub", "torch", "starlette", "numpy") if name in sys.modules])
        """
    )
    assert said.strip() == "[]"
