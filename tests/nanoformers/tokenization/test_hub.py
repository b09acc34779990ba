"""Loading from a hub: few requests, one commit, and back to the hub."""

from __future__ import annotations

import subprocess
import sys

from nanoformers import BertTokenizerFast

LOAD = """
import sys
from nanoformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
assert type(tokenizer).__name__ == "BertTokenizerFast", type(tokenizer)
print(tokenizer.encode("a [MASK]"))
"""


def run(code: str, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**environment, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_second_load_asks_once_and_the_first_asks_for_no_file_twice(hub, hub_environment):
    name = "sentence-transformers/all-MiniLM-L6-v2"
    start = len(hub.requests)
    first = run(LOAD, hub_environment, name)
    files = [r.path for r in hub.requests[start:] if r.method == "HEAD"]
    assert {path.rpartition("/")[2] for path in files} == {
        "tokenizer_config.json",
        "tokenizer.json",
        "special_tokens_map.json",
    }
    start = len(hub.requests)
    assert run(LOAD, hub_environment, name) == first
    asked = [r.path.rpartition("/")[2] for r in hub.requests[start:]]
    assert asked == ["tokenizer_config.json"]  # is there a new commit? If not, all is in the cache
    assert run(LOAD, {**hub_environment, "HF_HUB_OFFLINE": "1"}, name) == first


def test_pushed_and_loaded(hub, hub_environment, fast, tmp_path):
    fast.add_tokens(["<new>"])
    fast.save_pretrained(tmp_path / "mine")
    code = (
        "import sys; from nanoformers import AutoTokenizer\n"
        "AutoTokenizer.from_pretrained(sys.argv[1]).push_to_hub('learner/tokenizer-of-a-test')\n"
        "print(AutoTokenizer.from_pretrained('learner/tokenizer-of-a-test').encode('a <new>'))"
    )
    printed = run(code, hub_environment, str(tmp_path / "mine"))
    assert printed.strip().splitlines()[-1] == str(fast.encode("a <new>"))
    assert isinstance(fast, BertTokenizerFast)
