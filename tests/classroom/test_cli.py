"""The command `classroom`, in this process where that is enough and as a real process where it is not."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from classroom import cli, navigation, paths
from classroom.lab import Lab, free_port
from typer.testing import CliRunner


@pytest.fixture
def checkout(course, monkeypatch):
    """As if the two small notebooks were the course of this checkout."""
    monkeypatch.setattr(paths, "repository_root", lambda: course.parent)
    monkeypatch.setattr(cli, "_seed", list)
    monkeypatch.setattr(navigation, "project_address", lambda: "https://github.com/example/course")
    return course.parent


def call(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "200"})
    assert result.exit_code == status, result.output
    return result.output


@contextlib.contextmanager
def running(home, *arguments: str):
    """A `classroom` command in the foreground of another process, ended with Ctrl-C."""
    environment = {
        **os.environ,
        "CLASSROOM_HOME": str(home),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "CI": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "classroom.cli", *arguments],
        env={**environment, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) in (0, 130, -signal.SIGINT)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def answer_of(address: str) -> tuple[int, str]:
    """Status and body at `address`, asked for until something answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 60
    while True:
        try:
            with opener.open(address, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class TestHelp:
    @pytest.mark.parametrize("command", ["doctor", "lab", "hub", "seed", "run", "student", "badges", "index"])
    def test_every_command_says_what_it_does_and_shows_an_example(self, command):
        said = call(command, "--help")
        assert re.search(r"Examples?( for a class)?: classroom " + command, " ".join(said.split()))

    def test_without_a_command_all_are_listed(self):
        assert "doctor" in CliRunner().invoke(cli.app, []).output


class TestRun:
    def test_everything_runs_and_the_copies_lie_under_build(self, checkout):
        said = call("run", "--jobs", "2")
        assert "2 of 2 notebooks ran from start to end" in said
        assert (checkout / "build" / "notebooks" / "1_tutorials" / "10_second.html").is_file()

    def test_a_number_chooses_one_and_a_parameter_changes_it(self, checkout):
        assert "1 of 1" in call("run", "00", "-p", "size=2")
        copy = (checkout / "build" / "notebooks" / "0_start" / "00_first.ipynb").read_text()
        assert "[0, 1]" in copy

    def test_a_failure_shows_in_the_exit_status(self, checkout):
        path = checkout / "notebooks" / "0_start" / "00_first.ipynb"
        path.write_text(path.read_text().replace("print('started')", "1 / 0"))
        assert "ZeroDivisionError" in call("run", "00", status=1)

    @pytest.mark.parametrize("wanted", ["77", "no/such/file.ipynb"])
    def test_what_names_no_notebook_is_refused_with_the_numbers_there_are(self, checkout, wanted):
        assert "There are: 00, 10." in call("run", wanted, status=2)

    def test_a_folder_chooses_its_notebooks(self, checkout):
        chosen = cli.select_notebooks([str(checkout / "notebooks" / "0_start")], checkout / "notebooks")
        assert [path.name for path in chosen] == ["00_first.ipynb"]

    def test_a_parameter_without_a_value_is_refused(self, checkout):
        assert "such as -p epochs=3" in call("run", "00", "-p", "size", status=2)


class TestBadgesAndIndex:
    @pytest.mark.parametrize("command", ["badges", "index"])
    def test_check_fails_until_it_was_written(self, checkout, command):
        assert "stale" in call(command, "--check", status=1)
        assert "written" in call(command)
        assert "nothing to change" in call(command, "--check")


class TestStudent:
    def test_it_writes_into_a_new_folder_only(self, checkout, tmp_path):
        assert "2 notebooks" in call("student", str(tmp_path / "out"))
        assert "not empty" in call("student", str(tmp_path / "out"), status=2)


class TestOutsideACheckout:
    @pytest.mark.parametrize("arguments", [("run",), ("lab",), ("badges",), ("index",), ("student", "out")])
    def test_the_clone_command_is_given(self, monkeypatch, arguments):
        monkeypatch.setattr(paths, "repository_root", lambda: None)
        monkeypatch.setattr(navigation, "project_address", lambda: "https://github.com/example/course")
        assert "git clone https://github.com/example/course" in call(*arguments, status=2)


class TestServers:
    @pytest.fixture(scope="class")
    @classmethod
    def home(cls, tmp_path_factory):
        return tmp_path_factory.mktemp("home")

    def test_seed_lists_the_repositories(self, home):
        environment = {**os.environ, "CLASSROOM_HOME": str(home), "COLUMNS": "200"}
        command = [sys.executable, "-m", "classroom.cli", "seed"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert "sentence-transformers/all-MiniLM-L6-v2" in done.stdout

    def test_hub_tells_a_learner_what_to_type_and_answers(self, home):
        port = free_port("127.0.0.1", 18_000)
        with running(home, "hub", "--port", str(port)) as process:
            lines = [process.stdout.readline() for _ in range(4)]
            assert f'classroom.start(hub="http://127.0.0.1:{port}")' in "".join(lines)
            assert answer_of(f"http://127.0.0.1:{port}/api/models")[0] == 200

    def test_lab_prints_an_address_that_opens_the_first_notebook(self, home):
        wanted = free_port("127.0.0.1", 19_000)
        with running(home, "lab", "--no-browser", "--port", str(wanted)) as process:
            address = ""
            while not address:
                line = process.stdout.readline()
                assert line, "it ended without an address"
                address = line.strip() if line.strip().startswith("http://127.0.0.1:") else ""
            assert "/lab/tree/notebooks/0_start/00_welcome.ipynb?token=" in address
            assert answer_of(address)[0] == 200
            assert (
                answer_of(f"http://127.0.0.1:{address.split(':')[2].split('/')[0]}/api/contents?token=wrong")[
                    0
                ]
                == 403
            )

    def test_a_taken_port_is_not_used_twice(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            assert free_port("127.0.0.1", port) > port

    def test_the_token_is_not_in_the_command_line(self, tmp_path):
        lab = Lab(tmp_path, "0.0.0.0", 8888, "secret")
        assert not any("secret" in part for part in lab.command())
        assert lab.address.startswith("http://127.0.0.1:8888/lab/tree/")
