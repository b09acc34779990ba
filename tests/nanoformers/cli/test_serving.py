"""`nanoformers-cli serve`: a real server on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import nanoformers
import pytest
import uvicorn
from nanoformers.cli.app import app
from nanoformers.cli.serving import ServedModel, make_app
from typer.testing import CliRunner

Ask = Callable[..., tuple[int, Any]]


def asking(port: int) -> Ask:
    """Return `ask("/path", {...})` -> (status, answer); bytes are sent as they are."""

    def ask(path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return ask


def wait_for(port: int, process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process is None or process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError("the server does not answer")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Ask]]:
    """Start the command on a free port: `serve("--task", ...)`."""
    processes = []

    def start(*arguments: str) -> Ask:
        port = free_port()
        command = [sys.executable, "-m", "nanoformers.cli", "serve", "--host", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        wait_for(port, process)
        return asking(port)

    yield start
    for process in processes:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def classifier(serve, checkpoint) -> Ask:
    return serve("--task", "text-classification", "--model", str(checkpoint))


class TestAnswers:
    def test_the_model(self, classifier):
        status, answer = classifier("/")
        assert status == 200
        assert answer["infos"]["model_type"] == "bert"
        assert answer["infos"]["id2label"] == {"0": "BAD", "1": "GOOD"}

    def test_forward(self, classifier, checkpoint):
        expected = nanoformers.pipeline("text-classification", model=str(checkpoint))("the cat sat")
        status, answer = classifier("/forward", {"inputs": "the cat sat"})
        assert status == 200
        (result,) = answer["output"]
        assert result["label"] == expected[0]["label"]
        assert result["score"] == pytest.approx(expected[0]["score"], abs=1e-6)

    def test_forward_a_batch_with_parameters(self, classifier):
        body = {"inputs": ["the cat", "a very bad dog"], "parameters": {"top_k": None}}
        status, answer = classifier("/forward", body)
        assert status == 200
        assert [{result["label"] for result in one} for one in answer["output"]] == [{"BAD", "GOOD"}] * 2

    @pytest.mark.parametrize("inputs", ["", [], {}], ids=repr)
    def test_nothing_to_do(self, classifier, inputs):
        assert classifier("/forward", {"inputs": inputs}) == (200, {"output": [], "attention": []})

    def test_tokenize(self, classifier):
        assert classifier("/tokenize", {"text_input": "the cat"}) == (
            200,
            {"tokens": ["the", "cat"], "tokens_ids": None},
        )
        with_ids = classifier("/tokenize", {"text_input": "the cat", "return_ids": True})
        assert with_ids[1]["tokens_ids"] == [5, 7]

    def test_detokenize(self, classifier):
        ids = [2, 5, 7, 3]
        assert classifier("/detokenize", {"tokens_ids": ids}) == (
            200,
            {"model": "", "text": "[CLS] the cat [SEP]"},
        )
        without = classifier("/detokenize", {"tokens_ids": ids, "skip_special_tokens": True})
        assert without[1]["text"] == "the cat"

    def test_many_at_once(self, classifier):
        answers: list[tuple[int, Any]] = []

        def ask(index: int) -> None:
            path = ("/forward", "/tokenize")[index % 2]
            answers.append(classifier(path, {"inputs": "the cat " * (index % 5 + 1), "text_input": "a dog"}))

        threads = [threading.Thread(target=ask, args=(index,)) for index in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [status for status, _ in answers] == [200] * 16


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "body", "status", "message"),
        [
            ("/forward", b"{not json", 400, "The body is not JSON"),
            ("/forward", b"\xff\xfe", 400, "The body is not JSON"),
            ("/forward", [1], 422, "a JSON object with inputs, parameters"),
            ("/forward", {}, 422, "'inputs' is missing"),
            ("/forward", {"inputs": "a", "parameters": 3}, 422, "'parameters' has to be dict, not int"),
            ("/forward", {"inputs": 17}, 400, "ValueError"),
            ("/tokenize", {"text_input": 3}, 422, "'text_input' has to be str, not int"),
            ("/detokenize", {"tokens_ids": ["a"]}, 422, "a list of integers below 22"),
            ("/detokenize", {"tokens_ids": [22]}, 422, "a list of integers below 22"),
            ("/nowhere", {}, 404, "POST /nowhere: Not Found"),
        ],
    )
    def test_status_and_message(self, classifier, path, body, status, message):
        found, answer = classifier(path, body)
        assert found == status
        assert answer["model"] == ""
        assert message in answer["error"]

    def test_method(self, classifier):
        assert classifier("/forward")[0] == 405
        assert classifier("/", {})[0] == 405


@pytest.fixture
def in_this_process() -> Iterator[Callable[..., Ask]]:
    """Serve a pipeline object on a free port, in a thread."""
    servers = []

    def start(pipe: Any) -> Ask:
        port = free_port()
        config = uvicorn.Config(make_app(pipe), host="127.0.0.1", port=port, log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        servers.append((server, thread))
        thread.start()
        wait_for(port)
        return asking(port)

    yield start
    for server, thread in servers:
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture
def pipe(checkpoint) -> Any:
    return nanoformers.pipeline("text-classification", model=str(checkpoint))


def test_it_answers_while_the_model_works(in_this_process, pipe):
    working, go_on = threading.Event(), threading.Event()

    def wait(module: Any, inputs: Any) -> None:
        working.set()
        assert go_on.wait(timeout=30)

    pipe.model.register_forward_pre_hook(wait)
    ask = in_this_process(pipe)
    answers: list[tuple[int, Any]] = []
    thread = threading.Thread(target=lambda: answers.append(ask("/forward", {"inputs": "the cat"})))
    thread.start()
    assert working.wait(timeout=30)
    assert ask("/")[0] == 200
    assert not answers
    go_on.set()
    thread.join(timeout=30)
    assert answers[0][0] == 200


def test_a_failure_of_the_model_is_not_the_caller_s(in_this_process, pipe):
    def fail(module: Any, inputs: Any) -> None:
        raise RuntimeError("out of memory")

    pipe.model.register_forward_pre_hook(fail)
    assert in_this_process(pipe)("/forward", {"inputs": "the cat"}) == (
        500,
        {"model": "", "error": "RuntimeError: out of memory"},
    )


def test_what_json_cannot_say_is_a_failure(in_this_process, pipe):
    pipe.model.classifier.bias.data.fill_(float("nan"))
    status, answer = in_this_process(pipe)("/forward", {"inputs": "the cat"})
    assert status == 500
    assert "JSON" in answer["error"]


def test_arrays_are_answered_as_lists(in_this_process, checkpoint):
    pipe = nanoformers.pipeline("feature-extraction", model=str(checkpoint), return_tensors=True)
    status, answer = in_this_process(pipe)("/forward", {"inputs": "the cat"})
    assert status == 200
    (states,) = answer["output"]
    assert (len(states), len(states[0])) == (4, 16)


def test_several_workers(serve, checkpoint):
    ask = serve("--task", "text-classification", "--model", str(checkpoint), "--workers", "2")
    assert ask("/forward", {"inputs": "the cat"})[0] == 200


class TestStart:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--task", "dancing"], "dancing"),
            (["--task", "text-classification", "--model", "no/such/place"], "no/such/place"),
            (["--task", "text-classification", "--workers", "0"], "Invalid value for '--workers'"),
            ([], "--task"),
        ],
        ids=str,
    )
    def test_refuses(self, arguments, message):
        done = CliRunner().invoke(app, ["serve", *arguments], env={"COLUMNS": "200"})
        assert done.exit_code in (1, 2)
        assert message in done.output
        assert "Traceback" not in done.output

    @pytest.mark.parametrize(("text", "device"), [("-1", "cpu"), ("cpu", "cpu"), ("meta", "meta")])
    def test_device(self, checkpoint, text, device):
        served = ServedModel(task="text-classification", model=str(checkpoint), device=text)
        assert served.load().device.type == device

    @pytest.mark.parametrize("package", ["starlette", "uvicorn"])
    def test_says_what_to_install(self, package, checkpoint, monkeypatch):
        monkeypatch.setitem(sys.modules, package, None)
        done = CliRunner().invoke(app, ["serve", "--task", "fill-mask", "--model", str(checkpoint)])
        assert done.exit_code == 1
        assert f"needs {package}" in done.output
        assert 'pip install "nanoformers[serve]"' in " ".join(done.output.split())
