"""Load, interruptions, altered uploads, hostile addresses."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from classroom.hub import HubServer, Place, Store, seed
from classroom.hub.errors import HubError
from classroom.hub.names import check_path
from classroom.hub.objects import Pointer
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download

BEARER = {"Authorization": "Bearer hf_learner_write"}
HEADER = '{"key": "header", "value": {"summary": "x"}}\n'
HOSTILE = [
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/hub.json",
    "%2e%2e%2f%2e%2e%2fhub.json",
    "..%5c..%5chub.json",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    ".git/config",
    ".GIT/config",
    "git~1/config",
    "a/./b",
    "a//b",
    "a%00b",
    "%c0%ae%c0%ae/x",
    "C:%5cx",
    "..%252fhub.json",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_refused_where_files_are_read(ask, new_repo, path):
    repo_id = new_repo()
    for address in (f"/{repo_id}/resolve/main/{path}", f"/{repo_id}/raw/main/{path}"):
        assert ask("GET", address).status in (400, 404)
    assert ask("GET", f"/api/models/{repo_id}/tree/main/{path}").status in (400, 404)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_repository_names_and_revisions_are_refused(ask, new_repo, name):
    repo_id = new_repo()
    for address in (
        f"/learner/{name}/resolve/main/README.md",
        f"/{name}/x/resolve/main/README.md",
        f"/{repo_id}/resolve/{name}/README.md",
        f"/api/models/learner/{name}",
        f"/api/models/{repo_id}/revision/{name}",
        f"/api/models/{repo_id}/commits/{name}",
    ):
        assert ask("GET", address).status in (400, 401, 404)
    for action in ("branch", "tag"):
        answer = ask("POST", f"/api/models/{repo_id}/{action}/{name}", body='{"tag": "x"}', **BEARER)
        assert answer.status in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/x",
        "a/../../x",
        ".git/hooks/post-update",
        "a\\..\\x",
        "a\0b",
        "",
        "a//b",
        "x" * 300,
        "C:/x",
        "a/.Git /x",
    ],
)
def test_hostile_paths_are_refused_where_files_are_written(ask, new_repo, learner, path):
    repo_id = new_repo()
    before = learner.list_repo_files(repo_id)
    lines = [
        {"key": "header", "value": {"summary": "bad"}},
        {"key": "file", "value": {"path": path, "content": "eA==", "encoding": "base64"}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    assert ask("POST", f"/api/models/{repo_id}/commit/main", body=body, **BEARER).status == 400
    assert learner.list_repo_files(repo_id) == before
    with pytest.raises(HubError):
        check_path(path)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        '{"key": "file"}',
        HEADER + '{"key": "file", "value": {"path": "a", "content": 1}}',
        HEADER + '{"key": "file", "value": {"path": "a", "content": "%", "encoding": "base64"}}',
        HEADER + '{"key": "lfsFile", "value": {"path": "a", "oid": "../../x", "size": 1}}',
        HEADER + '{"key": "explode", "value": {"path": "a"}}',
        "[" * 100_000,
    ],
)
def test_malformed_commits_are_refused(ask, new_repo, body):
    assert ask("POST", f"/api/models/{new_repo()}/commit/main", body=body, **BEARER).status == 400


def test_file_and_folder_of_one_name_cannot_both_be_committed(ask, new_repo, learner):
    repo_id = new_repo()
    with pytest.raises(Exception, match="is a file"):
        learner.upload_file(path_or_fileobj=b"x", path_in_repo="README.md/x", repo_id=repo_id)


def upload_address(ask, repo_id: str, content: bytes) -> str:
    oid = hashlib.sha256(content).hexdigest()
    body = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]})
    answer = ask("POST", f"/{repo_id}.git/info/lfs/objects/batch", body=body, **BEARER)
    href = json.loads(answer.body)["objects"][0]["actions"]["upload"]["href"]
    return "/" + href.split("/", 3)[3]


def commit_large(ask, repo_id: str, content: bytes) -> int:
    lines = [
        {"key": "header", "value": {"summary": "large"}},
        {
            "key": "lfsFile",
            "value": {
                "path": "w.bin",
                "algo": "sha256",
                "oid": hashlib.sha256(content).hexdigest(),
                "size": len(content),
            },
        },
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    return ask("POST", f"/api/models/{repo_id}/commit/main", body=body, **BEARER).status


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:-1] + b"x", lambda b: b""]
)
def test_altered_upload_is_refused_and_cannot_be_committed(ask, new_repo, change):
    repo_id, content = new_repo(), os.urandom(100_000) + b"."
    address = upload_address(ask, repo_id, content)
    assert ask("PUT", address, body=change(content)).status == 400
    assert commit_large(ask, repo_id, content) == 400
    assert ask("PUT", address, body=content).status == 200
    assert commit_large(ask, repo_id, content) == 200


def test_upload_needs_the_address_that_the_hub_gave(ask, new_repo):
    content = os.urandom(1000)
    address = upload_address(ask, new_repo(), content)
    assert ask("PUT", address.replace("size=1000", "size=1001"), body=content + b"x").status == 403
    assert ask("PUT", address.partition("?")[0], body=content).status == 400


def test_knowing_the_hash_of_a_file_elsewhere_does_not_give_its_content(ask, new_repo):
    secret, content = new_repo(), os.urandom(1000)
    assert ask("PUT", upload_address(ask, secret, content), body=content).status == 200
    assert commit_large(ask, secret, content) == 200
    thief = new_repo()
    assert commit_large(ask, thief, content) == 400
    spelled = Pointer(hashlib.sha256(content).hexdigest(), len(content)).to_bytes().decode()
    lines = [
        {"key": "header", "value": {"summary": "a pointer by hand"}},
        {"key": "file", "value": {"path": "w.bin", "content": spelled, "encoding": "utf-8"}},
    ]
    body = "\n".join(json.dumps(line) for line in lines)
    assert ask("POST", f"/api/models/{thief}/commit/main", body=body, **BEARER).status == 400
    assert ask("PUT", upload_address(ask, thief, content), body=content).status == 200  # it must be brought


def test_an_address_for_one_repository_is_none_for_another(ask, new_repo):
    first, second, content = new_repo(), new_repo(), os.urandom(1000)
    address = upload_address(ask, first, content).replace(first, second)
    assert ask("PUT", address, body=content).status == 403


def test_truncated_upload_leaves_nothing(hub, hub_store, ask, new_repo):
    repo_id, content = new_repo(), os.urandom(2_000_000)
    address = upload_address(ask, repo_id, content)
    with socket.create_connection((hub.host, hub.port)) as connection:
        head = f"PUT {address} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content[:1_000_000])
    assert commit_large(ask, repo_id, content) == 400
    incoming = hub_store.root / "objects" / "incoming"
    deadline = time.monotonic() + 10
    while any(incoming.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(incoming.iterdir())


def test_many_clients_download_while_others_upload(hub, learner, new_repo, tmp_path):
    repo_id, content = new_repo(), os.urandom(300_000)
    add = [CommitOperationAdd(f"f{n}.bin", content + bytes([n])) for n in range(4)]
    learner.create_commit(repo_id, add, commit_message="files")
    targets = [new_repo() for _ in range(4)]

    def download(client: int) -> bool:
        folder = snapshot_download(
            repo_id, endpoint=hub.endpoint, cache_dir=tmp_path / str(client), max_workers=2
        )
        return all((Path(folder) / f"f{n}.bin").read_bytes() == content + bytes([n]) for n in range(4))

    def upload(client: int) -> bool:
        name, mine = f"u{client}.bin", os.urandom(200_000)
        api = HfApi(endpoint=hub.endpoint, token="hf_learner_write")
        api.upload_file(path_or_fileobj=mine, path_in_repo=name, repo_id=targets[client])
        cache = tmp_path / f"up{client}"
        return (
            Path(hf_hub_download(targets[client], name, endpoint=hub.endpoint, cache_dir=cache)).read_bytes()
            == mine
        )

    with ThreadPoolExecutor(36) as pool:
        done = [pool.submit(download, client) for client in range(32)] + [
            pool.submit(upload, n) for n in range(4)
        ]
        assert all(future.result(timeout=60) for future in done)


def test_commits_at_the_same_time_are_all_kept(learner, new_repo):
    repo_id = new_repo()

    def commit(n: int) -> None:
        learner.upload_file(path_or_fileobj=b"%d" % n, path_in_repo=f"{n}.txt", repo_id=repo_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(commit, range(16)))
    assert len(learner.list_repo_files(repo_id)) == 18
    assert len(learner.list_repo_commits(repo_id)) == 18


COMMITTING = """
import sys
from classroom.hub import Place, Store
from classroom.hub.changes import Changes, commit, ref_of_branch
from classroom.hub.repository import Author

store, name = Store(sys.argv[1]), sys.argv[2]
place = Place("models", "learner/shared")
print("ready", flush=True)
n = 0
while n < int(sys.argv[3]):
    with store.writing(place):
        repository = store.open(place)
        ref, head = ref_of_branch(repository, "main")
        changes = Changes(small={f"{name}/{n}.txt": b"x" * 1000})
        commit(repository, ref, head, changes, Author(name, "a@b.invalid"), f"{name} {n}")
    n += 1
"""


def start_committing(store: Store, name: str, times: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", COMMITTING, str(store.root), name, str(times)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def shared(tmp_path) -> Store:
    from classroom.hub.repository import Author

    store = Store(tmp_path / "store")
    store.create(Place("models", "learner/shared"), author=Author("learner", "l@b.invalid"))
    return store


def test_two_processes_that_commit_to_one_store_lose_nothing(shared):
    for process in [start_committing(shared, name, 40) for name in ("one", "two")]:
        assert process.wait(60) == 0
    repository = shared.open(Place("models", "learner/shared"))
    head = repository.resolve()
    assert len(repository.manifest(head).files) == 81
    assert len(list(repository.history(head))) == 81


def test_process_killed_while_it_commits_leaves_a_whole_repository(shared):
    place = Place("models", "learner/shared")
    for attempt in range(3):
        process = start_committing(shared, f"killed{attempt}", 10_000)
        time.sleep(0.3 + 0.07 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        repository = Store(shared.root).open(place)
        head = repository.resolve()
        commits = sum(1 for _ in repository.history(head))
        assert (
            len(repository.manifest(head).files) == commits
        )  # each commit added one file, the first .gitattributes
        assert all(repository.content(entry) for entry in repository.manifest(head).files.values())
    assert start_committing(shared, "after", 1).wait(20) == 0


def test_two_hubs_over_one_store_see_each_others_commits(hub_store, learner, new_repo):
    repo_id = new_repo()
    with HubServer(hub_store) as second:
        other = HfApi(endpoint=second.endpoint, token="hf_learner_write")
        other.upload_file(path_or_fileobj=b"x", path_in_repo="from-second.txt", repo_id=repo_id)
        assert "from-second.txt" in learner.list_repo_files(repo_id)
        learner.delete_repo(repo_id)
        assert not other.repo_exists(repo_id)


def test_seeding_again_and_from_two_threads_changes_nothing(hub_store):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: seed(hub_store), range(2))
    assert first == second
    assert not any(repo.changed for repo in first)
