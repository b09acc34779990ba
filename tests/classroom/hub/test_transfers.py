"""Parts of files: ranges, conditions, and what a client does after an interruption."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download


@pytest.fixture(scope="module")
def weights(hub) -> tuple[str, bytes]:
    """A repository with a large file, and the file's bytes."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.endpoint, token="hf_learner_write")
    content = os.urandom(12_000_000)  # the client keeps 10 MiB at a time
    api.create_repo("learner/ranges")
    api.upload_file(path_or_fileobj=content, path_in_repo="weights.bin", repo_id="learner/ranges")
    api.upload_file(path_or_fileobj=content[:1000], path_in_repo="small.txt", repo_id="learner/ranges")
    return "learner/ranges", content


@pytest.mark.parametrize("name", ["weights.bin", "small.txt"])
@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=500-", 500, None),
        ("bytes=-7", -7, None),
        ("bytes=990-99999999", 990, None),
    ],
)
def test_range_gives_206_and_exactly_these_bytes(ask, weights, name, asked, start, end):
    repo_id, content = weights
    content = content if name == "weights.bin" else content[:1000]
    answer = ask("GET", f"/{repo_id}/resolve/main/{name}", Range=asked)
    assert answer.status == 206
    assert answer.body == content[start:end]
    assert answer.headers["content-range"].endswith(f"/{len(content)}")


def test_range_beyond_the_end_gives_416_with_the_size(ask, weights):
    answer = ask("GET", f"/{weights[0]}/resolve/main/small.txt", Range="bytes=1000-")
    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */1000"


@pytest.mark.parametrize("asked", ["bytes=5-1", "lines=1-2", "bytes=a-b", "bytes=0-1,5-6", "bytes=-"])
def test_ranges_that_mean_nothing_give_the_whole_file(ask, weights, asked):
    answer = ask("GET", f"/{weights[0]}/resolve/main/small.txt", Range=asked)
    assert (answer.status, len(answer.body)) == (200, 1000)


def test_conditions(ask, weights):
    address = f"/{weights[0]}/resolve/main/small.txt"
    etag = ask("HEAD", address).headers["etag"]
    assert ask("GET", address, If_None_Match=etag).status == 304
    assert ask("GET", address, Range="bytes=0-1", If_Range=etag).status == 206
    assert ask("GET", address, Range="bytes=0-1", If_Range='"other"').status == 200


def test_head_announces_what_get_sends(ask, weights):
    address = f"/{weights[0]}/resolve/main/weights.bin"
    head = ask("HEAD", address)
    assert head.body == b""
    assert head.headers["accept-ranges"] == "bytes"
    assert int(head.headers["content-length"]) == len(ask("GET", address).body)


def test_client_resumes_a_download_that_was_cut_off(hub, weights, tmp_path):
    repo_id, content = weights
    before = len(hub.requests)
    hub.cut_next_download(after=11_000_000)
    path = hf_hub_download(repo_id, "weights.bin", endpoint=hub.endpoint, cache_dir=tmp_path)
    assert Path(path).read_bytes() == content
    first, second = [request for request in hub.requests[before:] if request.method == "GET"]
    assert (first.status, first.range, first.bytes_sent) == (200, None, 11_000_000)
    assert second.status == 206
    assert second.range == f"bytes={len(content) - second.bytes_sent}-"


def test_client_that_goes_away_does_no_harm(hub, ask, weights):
    repo_id, content = weights
    for _ in range(5):
        with socket.create_connection((hub.host, hub.port)) as connection:
            connection.sendall(
                f"GET /{repo_id}/resolve/main/weights.bin HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            connection.recv(1000)
    assert ask("GET", f"/{repo_id}/resolve/main/weights.bin").body == content


DIE_IN_MID_DOWNLOAD = """
import os, signal
from huggingface_hub import hf_hub_download
from tqdm import tqdm

class Deadly(tqdm):
    arrived = 0

    def update(self, n=1):
        self.arrived += n
        if self.arrived > 30_000_000:
            os.kill(os.getpid(), signal.SIGKILL)

hf_hub_download("sentence-transformers/all-MiniLM-L6-v2", "model.safetensors", tqdm_class=Deadly)
"""


@pytest.fixture
def killed(hub_environment, tmp_path):
    """The partial file that a stock client left when it was killed (-9) in mid-download."""
    command = [sys.executable, "-c", DIE_IN_MID_DOWNLOAD]
    done = subprocess.run(command, env=hub_environment, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (part,) = tmp_path.rglob("*.incomplete")
    return part


class TestClientKilledInMidDownload:
    def test_what_it_left_can_be_completed_by_a_range_request(self, ask, killed):
        arrived = killed.read_bytes()
        assert 0 < len(arrived) < 90_868_376
        address = "/sentence-transformers/all-MiniLM-L6-v2/resolve/main/model.safetensors"
        rest = ask("GET", address, Range=f"bytes={len(arrived)}-")
        assert rest.status == 206
        etag = rest.headers["etag"].strip('"')
        assert hashlib.sha256(arrived + rest.body).hexdigest() == etag

    def test_the_stock_client_starts_again_and_takes_no_part_for_the_whole(self, killed, run_python):
        code = """
import hashlib
from pathlib import Path
from huggingface_hub import hf_hub_download
path = Path(hf_hub_download("sentence-transformers/all-MiniLM-L6-v2", "model.safetensors"))
print(hashlib.sha256(path.read_bytes()).hexdigest() == path.resolve().name)
"""
        said = run_python(code)
        assert said.split() == ["True"]
