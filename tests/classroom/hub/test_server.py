"""Starting and stopping the hub, and the log of what it was asked."""

from __future__ import annotations

import asyncio
import socket
import urllib.request

import pytest
from classroom.hub import HubServer, Store
from huggingface_hub import HfApi, hf_hub_download


def is_open(server: HubServer) -> bool:
    try:
        socket.create_connection((server.host, server.port), timeout=1).close()
    except OSError:
        return False
    return True


def test_stop_closes_the_port_and_start_opens_the_same_one_again(hub_store):
    server = HubServer(hub_store).start()
    endpoint = server.endpoint
    for _ in range(3):
        assert is_open(server)
        server.stop()
        assert not is_open(server)
        assert not server.running
        server.start()
        assert server.endpoint == endpoint
    server.stop()


def test_clients_connection_survives_a_restart(hub_store):
    with HubServer(hub_store) as server:
        api = HfApi(endpoint=server.endpoint, token=False)
        before = api.list_repo_files("sentence-transformers/all-MiniLM-L6-v2")
        server.stop()
        server.start()
        assert api.list_repo_files("sentence-transformers/all-MiniLM-L6-v2") == before


def test_starting_and_stopping_twice_is_harmless(hub_store):
    server = HubServer(hub_store)
    server.stop()
    assert server.start() is server.start()
    server.stop()
    server.stop()


def test_taken_port_is_an_error_that_says_so(hub_store, hub):
    with pytest.raises(OSError, match="choose another port"):
        HubServer(hub_store, port=hub.port).start()


def test_it_works_where_an_event_loop_is_running_already(hub_store):
    async def like_a_kernel() -> bytes:
        with HubServer(hub_store) as server:
            return urllib.request.urlopen(f"{server.endpoint}/classroom/health").read()

    assert asyncio.run(like_a_kernel()) == b'{"status":"ok"}'


def test_log_tells_who_asked_for_what(hub, learner, new_repo, tmp_path):
    repo_id = new_repo()
    before = len(hub.requests)
    hf_hub_download(repo_id, "README.md", endpoint=hub.endpoint, cache_dir=tmp_path, token=learner.token)
    head, get = [request for request in hub.requests[before:] if "/resolve/" in request.path]
    assert (head.method, head.status, head.bytes_sent, head.user) == ("HEAD", 200, 0, "learner")
    assert (get.method, get.status, get.bytes_sent, get.range) == ("GET", 200, 27, None)


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_log_has_a_request_when_its_client_has_the_answer(hub, method):
    path = "sentence-transformers/all-MiniLM-L6-v2/resolve/main/config.json"
    for _ in range(100):
        before = len(hub.requests)
        urllib.request.urlopen(urllib.request.Request(f"{hub.endpoint}/{path}", method=method)).read()
        assert [request.method for request in hub.requests[before:]] == [method]


def test_log_counts_the_bytes_of_an_upload(hub, learner, new_repo):
    repo_id = new_repo()
    before = len(hub.requests)
    learner.upload_file(path_or_fileobj=b"x" * 1234, path_in_repo="a.safetensors", repo_id=repo_id)
    (put,) = [request for request in hub.requests[before:] if request.method == "PUT"]
    assert (put.bytes_received, put.bytes_sent) == (1234, 2)


def test_server_writes_nothing_to_the_console(run_python, tmp_path):
    code = (
        "import sys, urllib.request\n"
        "from classroom.hub import HubServer, Store\n"
        f"store = Store({str(tmp_path / 'quiet')!r})\n"
        "with HubServer(store) as hub:\n"
        "    urllib.request.urlopen(hub.endpoint + '/api/models').read()\n"
        "    try: urllib.request.urlopen(hub.endpoint + '/a/b/resolve/main/c')\n"
        "    except urllib.error.HTTPError: pass\n"
        "sys.stdout = sys.stderr\n"
    )
    assert run_python(code) == ""


def test_store_is_created_where_it_is_missing(tmp_path):
    with HubServer(Store(tmp_path / "deep" / "store")) as server:
        assert list(HfApi(endpoint=server.endpoint, token=False).list_models()) == []
