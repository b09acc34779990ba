"""Uploads during and after a training, to a running hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Programs begin with this: the client reads the hub's address when it is imported.
SETUP = """
import json, time
from pathlib import Path
import torch
from huggingface_hub import HfApi, ModelCard
from nanoformers import BertConfig, BertForSequenceClassification, BertTokenizer
from nanoformers.training import Trainer, TrainerCallback, TrainingArguments

api = HfApi()
shape = dict(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
rows = [{"input_ids": [index, 2, 3], "labels": index % 2} for index in range(16)]
Path("vocab.txt").write_text("\\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "owl"]))


def trainer(name, callbacks=(), **changes):
    torch.manual_seed(0)
    values = dict(push_to_hub=True, max_steps=6, save_steps=2, disable_tqdm=True, use_cpu=True)
    values |= dict(eval_strategy="steps", eval_steps=2, logging_steps=2, hub_always_push=True) | changes
    model = BertForSequenceClassification(BertConfig(**shape, max_position_embeddings=8))
    args = TrainingArguments(name, **values)
    return Trainer(
        model, args, train_dataset=rows, eval_dataset=rows, tokenizer=BertTokenizer("vocab.txt"),
        compute_metrics=lambda result: {"accuracy": 0.75}, callbacks=list(callbacks),
    )


def commits(name, **where):
    return [commit.title for commit in api.list_repo_commits(name, **where)][::-1][1:]


def files(name, **where):
    return sorted(set(api.list_repo_files(name, **where)) - {".gitattributes"})
"""

MODEL_FILES = {
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "training_args.bin",
    "vocab.txt",
}
TRAINING_FILES = {"loop_state.pt", "optimizer.pt", "rng_state.pth", "scheduler.pt", "trainer_state.json"}


class Programs:
    """Runs programs that use the hub, in a folder of their own."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self.folder = folder
        unwanted = ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
        self.environment = {name: value for name, value in os.environ.items() if name not in unwanted} | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(folder / "hf_home"),
            "HF_TOKEN": "hf_learner_write",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, code: str, **environment: str) -> Any:
        """Run code after `SETUP`; returns the JSON in the last line that it printed."""
        done = subprocess.run(
            [sys.executable, "-c", SETUP + code],
            env=self.environment | environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def programs(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    return Programs(hub.endpoint, tmp_path_factory.mktemp("programs"))


@pytest.fixture(scope="module")
def strategies(programs: Programs) -> dict[str, Any]:
    """What the hub has after a training with each strategy, before and after `push_to_hub`."""
    return programs.run("""
found = {}
for strategy in ("end", "every_save", "checkpoint", "all_checkpoints"):
    run = trainer(strategy, hub_strategy=strategy, hub_model_id=f"learner/run-{strategy}")
    output = run.train()
    name = run.hub.model_id
    found[strategy] = {"commits": commits(name), "files": files(name), "local": sorted(
        entry.name for entry in Path(strategy).iterdir())}
    info = run.push_to_hub()
    found[strategy] |= {"pushed": commits(name), "pushed_files": files(name), "title": info.commit_message}
print(json.dumps(found))
""")


@pytest.mark.slow
class TestStrategies:
    def test_end_uploads_nothing_before_it_is_told_to(self, strategies: dict[str, Any]):
        assert strategies["end"]["commits"] == []
        assert strategies["end"]["files"] == []

    def test_every_save_uploads_the_model_each_time(self, strategies: dict[str, Any]):
        expected = [f"Training in progress, step {step}" for step in (2, 4, 6)]
        assert strategies["every_save"]["commits"] == expected
        assert set(strategies["every_save"]["files"]) == MODEL_FILES

    def test_checkpoint_adds_the_last_one(self, strategies: dict[str, Any]):
        expected = []
        for step in (2, 4, 6):
            title = f"Training in progress, step {step}"
            expected += [title, f"{title}, checkpoint"]
        assert strategies["checkpoint"]["commits"] == expected
        last = {f"last-checkpoint/{name}" for name in MODEL_FILES | TRAINING_FILES}
        assert set(strategies["checkpoint"]["files"]) == MODEL_FILES | last

    def test_all_checkpoints_adds_each(self, strategies: dict[str, Any]):
        folders = {name.partition("/")[0] for name in strategies["all_checkpoints"]["files"] if "/" in name}
        assert folders == {"checkpoint-2", "checkpoint-4", "checkpoint-6"}

    @pytest.mark.parametrize("strategy", ["end", "every_save", "checkpoint", "all_checkpoints"])
    def test_push_to_hub_uploads_model_and_card(self, strategy: str, strategies: dict[str, Any]):
        found = strategies[strategy]
        assert found["title"] == "End of training"
        assert found["pushed"][: len(found["commits"])] == found["commits"]
        assert found["pushed"][-1] == "End of training"
        assert set(found["pushed_files"]) == set(found["files"]) | MODEL_FILES | {"README.md"}

    def test_no_snapshot_is_left(self, strategies: dict[str, Any]):
        for found in strategies.values():
            assert found["local"] == ["checkpoint-2", "checkpoint-4", "checkpoint-6"]


def test_a_pushed_checkpoint_can_be_resumed_from(programs: Programs):
    found = programs.run("""
from huggingface_hub import snapshot_download
whole = trainer("resumed-whole", hub_strategy="all_checkpoints")
whole.train()
folder = snapshot_download("learner/resumed-whole", allow_patterns="checkpoint-2/*")
again = trainer("resumed-again", push_to_hub=False)
again.train(resume_from_checkpoint=f"{folder}/checkpoint-2")
print(json.dumps([
    again.state.global_step,
    all(map(torch.equal, whole.model.state_dict().values(), again.model.state_dict().values())),
]))
""")
    assert found == [6, True]


def test_save_strategy_epoch_counts_epochs(programs: Programs):
    found = programs.run("""
run = trainer("epochs", save_strategy="epoch", max_steps=-1, num_train_epochs=2)
run.train()
print(json.dumps(commits("learner/epochs")))
""")
    assert found == ["Training in progress, epoch 1", "Training in progress, epoch 2"]


def test_names_privacy_and_branches(programs: Programs):
    """The repository: named as the folder or by an argument, old or new; private; on another branch."""
    found = programs.run("""
import warnings
warnings.simplefilter("ignore")
own = trainer("named-as-the-folder", max_steps=1)
old = trainer("x", push_to_hub_model_id="old-name", push_to_hub_organization="learner",
              push_to_hub_token="hf_learner_write", max_steps=1)
private = trainer("y", hub_model_id="secret", hub_private_repo=True, max_steps=1)
branch = trainer("z", hub_model_id="branched", hub_strategy="end", hub_revision="trial", max_steps=1)
branch.train()
branch.push_to_hub(commit_message="On a branch")
print(json.dumps([
    own.hub.model_id, old.hub.model_id,
    api.model_info("learner/secret").private, api.model_info("learner/named-as-the-folder").private,
    commits("learner/branched", revision="trial")[-1], commits("learner/branched"),
]))
""")
    assert found == ["learner/named-as-the-folder", "learner/old-name", True, False, "On a branch", []]


def test_save_model_pushes_and_the_future_of_a_push_can_be_waited_for(programs: Programs):
    found = programs.run("""
run = trainer("saved", hub_strategy="end", max_steps=1)
run.train()
run.save_model()
future = run.push_to_hub(commit_message="In the background", blocking=False)
print(json.dumps([commits("learner/saved")[:1], future.result(60).commit_message, future.done()]))
""")
    assert found == [["Model save"], "In the background", True]


def test_without_push_to_hub_it_can_still_be_pushed(programs: Programs):
    found = programs.run("""
run = trainer("later", push_to_hub=False, hub_model_id="learner/pushed-later", max_steps=1)
run.train()
run.push_to_hub("First words", tags="owls", license="mit", language="en")
card = ModelCard.load("learner/pushed-later")
print(json.dumps([commits("learner/pushed-later"), card.data.tags, card.data.license, card.data.language]))
""")
    assert found == [["First words"], ["owls", "generated_from_trainer"], "mit", ["en"]]


# A hub that takes its time: each upload waits until it is let go.
SLOW = """
import threading
from nanoformers.training import hub as module
gate, started, real = threading.Event(), [], module._commit

def slowly(*arguments):
    started.append(arguments)
    gate.wait(60)
    return real(*arguments)

module._commit = slowly


class OpenAt(TrainerCallback):
    def on_train_end(self, args, state, control, **kwargs):
        gate.set()
"""


def test_uploads_do_not_hold_up_the_training(programs: Programs):
    """The first upload lasts until the training is over; the second save is left out, the last one is not."""
    found = programs.run(f"""{SLOW}
run = trainer("slow", callbacks=[OpenAt()], hub_always_push=False, save_total_limit=1)
run.train()
print(json.dumps([commits("learner/slow"), files("learner/slow"), len(started)]))
""")
    assert found[0] == ["Training in progress, step 2", "Training in progress, step 6"]
    assert set(found[1]) == MODEL_FILES
    assert found[2] == 2


def test_always_push_queues_each_save_even_when_its_checkpoint_goes(programs: Programs):
    found = programs.run(f"""{SLOW}
run = trainer("queued", callbacks=[OpenAt()], hub_strategy="all_checkpoints", save_total_limit=1)
run.train()
print(json.dumps([len(commits("learner/queued")), files("learner/queued")]))
""")
    assert found[0] == 6
    assert {"checkpoint-2/optimizer.pt", "checkpoint-4/optimizer.pt"} < set(found[1])


class TestErrors:
    def test_a_hub_that_goes_away_costs_one_message_and_nothing_else(self, programs: Programs):
        found = programs.run("""
from nanoformers.utils import logging
import logging as standard
messages = []
class Keep(standard.Handler):
    def emit(self, record):
        messages.append(record.getMessage())
logging.add_handler(Keep())
run = trainer("lost", hub_strategy="all_checkpoints")
run.hub.model_id = "learner/it-is-not-there"
output = run.train()
about = [message for message in messages if "hub" in message]
print(json.dumps([output.global_step, about, sorted(entry.name for entry in Path("lost").iterdir())]))
""")
        step, messages, left = found
        assert step == 6
        assert left == ["checkpoint-2", "checkpoint-4", "checkpoint-6"]
        (message,) = messages
        assert message.startswith("checkpoint-2, checkpoint-4, checkpoint-6: not on the hub.")
        assert "learner/it-is-not-there" in message
        assert "trainer.push_to_hub()" in message

    @pytest.mark.parametrize(
        ("environment", "advice"),
        [
            ({"HF_TOKEN": ""}, "log in with `hf auth login`"),
            ({"HF_TOKEN": "hf_learner_read"}, "Could not create the repository"),
            ({"HF_HUB_OFFLINE": "1"}, "requests are switched off"),
            ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "check the connection"),
        ],
        ids=["no token", "reading token", "offline", "no connection"],
    )
    def test_what_is_in_the_way_is_said_before_the_training(
        self, environment: dict[str, str], advice: str, programs: Programs
    ):
        message = programs.run(
            """
try:
    trainer("refused")
except OSError as error:
    print(json.dumps(str(error)))
""",
            **environment,
        )
        assert advice in message
        assert "refused" in message

    def test_a_failed_push_raises(self, programs: Programs):
        found = programs.run("""
run = trainer("failing", hub_strategy="end", max_steps=1)
run.train()
run.hub.model_id = "learner/it-is-not-there"
try:
    run.push_to_hub()
except OSError as error:
    print(json.dumps([str(error), Path("failing/model.safetensors").is_file()]))
""")
        assert "Could not upload to learner/it-is-not-there" in found[0]
        assert found[1] is True
