"""Uploads of a training run: the repository, each save in the background, the finished model with its card.

Mirrors `push_to_hub` and the arguments `hub_*` of the documentation page `main_classes/trainer`. What is
uploaded is a snapshot (see `snapshots`): training goes on, and checkpoints are rotated, meanwhile.
"""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils import logging
from .choices import HubStrategy, SaveStrategy
from .snapshots import Snapshot, snapshot_of_checkpoint, snapshot_of_output

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, HfApi

    from .trainer import Trainer

__all__ = ["HubSync"]

logger = logging.get_logger(__name__)


class HubSync:
    """Keeps a repository on the hub in step with a training run; only the main process uploads.

    Args:
        trainer: its `args`, `state`, `control`, `callback_handler`, `engine` and `model` are read.

    Attributes:
        model_id: "owner/name" of the repository, None before `init_repo`.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.model_id: str | None = None
        self._worker: ThreadPoolExecutor | None = None
        self._saves: list[tuple[Path, Future[CommitInfo]]] = []
        self._left_out: Path | None = None

    def init_repo(self, token: str | None = None, private: bool | None = None) -> None:
        """Create the repository `hub_model_id` (by default named as the output folder) unless it exists.

        Args:
            token: by default `hub_token`, or that of the login.
            private: by default `hub_private_repo`.

        Raises:
            OSError: the hub cannot be reached, or refuses; the message says what to do.
        """
        if not self._trainer.engine.is_main_process:
            return
        args = self._trainer.args
        name = args.hub_model_id or Path(str(args.output_dir)).absolute().name
        private = args.hub_private_repo if private is None else private
        try:
            repository = _api(token or args.hub_token).create_repo(name, private=private, exist_ok=True)
        except Exception as error:
            raise _explained(error, f"create the repository {name}") from error
        self.model_id = repository.repo_id

    def after_save(self, folder: Path) -> None:
        """Upload a checkpoint that was just written, as `hub_strategy` says, without waiting for it.

        While an upload runs, the next is left out unless `hub_always_push` is set; `finish` sees to the last.
        """
        trainer = self._trainer
        args = trainer.args
        if not args.push_to_hub or args.hub_strategy == HubStrategy.END or not trainer.engine.is_main_process:
            return
        if not args.hub_always_push and any(not job.done() for _, job in self._saves):
            self._left_out = folder
            return
        trainer.callback_handler.on_push_begin(args, trainer.state, trainer.control)
        self._left_out = None
        self._saves.append((folder, self._upload_save(folder)))

    def finish(self) -> None:
        """Wait for the uploads in the background, at the end of training.

        What failed is tried once more. What fails again does not raise, since the model is trained and every
        checkpoint is on the disk: one message tells it.
        """
        saves, self._saves = self._saves, []
        if not saves:
            return
        if not saves[-1][1].done():
            logger.info("Training is over; waiting for the last upload.")
        failed = {folder: error for folder, job in saves if (error := job.exception()) is not None}
        newest, self._left_out = self._left_out or saves[-1][0], None
        if self._trainer.args.hub_strategy != HubStrategy.ALL_CHECKPOINTS:
            failed = {newest: failed[newest]} if newest in failed else {}  # it has all that the others had
        for folder in dict.fromkeys([*failed, newest]):
            if folder.is_dir() and (folder in failed or folder != saves[-1][0]):
                error = self._upload_save(folder).exception()
                failed.pop(folder, None)
                if error is not None:
                    failed[folder] = error
        if failed:
            cause = _explained(failed[list(failed)[-1]], f"upload to {self.model_id}")
            logger.error(
                f"{', '.join(folder.name for folder in failed)}: not on the hub. {cause} The training itself "
                f"is complete, and {self._trainer.args.output_dir} has its checkpoints; "
                "`trainer.push_to_hub()` uploads the model when the hub answers again."
            )

    def push(
        self,
        commit_message: str | None = "End of training",
        blocking: bool = True,
        token: str | None = None,
        revision: str | None = None,
        private: bool | None = None,
        **card: Any,
    ) -> CommitInfo | Future[CommitInfo] | None:
        """Save the model and its card in the output folder, and upload that folder without the checkpoints.

        All processes call it.

        Args:
            commit_message: of the commit.
            blocking: wait until it is uploaded.
            token: by default `hub_token`, or that of the login.
            revision: branch to commit to, created if needed; by default `hub_revision`, or `main`.
            private: whether a repository that is created is private; by default `hub_private_repo`.
            card: arguments of `create_model_card`.

        Returns:
            The commit; when not blocking, a Future that will have it. None on other processes than the first.

        Raises:
            OSError: it could not be uploaded; what was saved stays in the output folder.
        """
        trainer = self._trainer
        args = trainer.args
        trainer.callback_handler.on_push_begin(args, trainer.state, trainer.control)
        if self.model_id is None:
            self.init_repo(token, private)
        trainer.save_model(_internal_call=True)
        if not trainer.engine.is_main_process:
            return None
        assert self.model_id is not None
        if card.get("model_name") is None:
            card["model_name"] = self.model_id.rpartition("/")[2]
        own_tags = getattr(trainer.model, "model_tags", None) or []
        if own_tags:
            tags = card.get("tags") or []
            card["tags"] = list(dict.fromkeys([*([tags] if isinstance(tags, str) else tags), *own_tags]))
        trainer.create_model_card(**card)
        snapshot = snapshot_of_output(Path(str(args.output_dir)), commit_message or "End of training")
        job = self._upload(snapshot, token or args.hub_token, revision or args.hub_revision)
        if not blocking:
            return job
        try:
            return job.result()
        except Exception as error:
            raise _explained(error, f"upload to {self.model_id}") from error

    def _upload_save(self, folder: Path) -> Future[CommitInfo]:
        """Upload the model of a checkpoint in the background, and the whole of it where that is wanted."""
        args, state = self._trainer.args, self._trainer.state
        if args.save_strategy == SaveStrategy.EPOCH:
            message = f"Training in progress, epoch {int(state.epoch or 0)}"
        else:
            message = f"Training in progress, step {folder.name.rpartition('-')[2]}"
        path = {
            HubStrategy.CHECKPOINT: "last-checkpoint",
            HubStrategy.ALL_CHECKPOINTS: folder.name,
        }.get(HubStrategy(args.hub_strategy))
        try:
            snapshot = snapshot_of_checkpoint(Path(str(args.output_dir)), folder, message, path)
        except OSError as error:  # the disk may be full; training goes on
            failed: Future[CommitInfo] = Future()
            failed.set_exception(error)
            return failed
        return self._upload(snapshot, args.hub_token, args.hub_revision)

    def _upload(self, snapshot: Snapshot, token: str | None, revision: str | None) -> Future[CommitInfo]:
        """Upload a snapshot in the background, after those that wait already."""
        if self._worker is None:
            self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="upload")
        assert self.model_id is not None
        return self._worker.submit(_commit, _api(token), self.model_id, snapshot, revision)


def _commit(api: HfApi, repository: str, snapshot: Snapshot, revision: str | None) -> CommitInfo:
    """Make the commits of a snapshot, remove it, and return the first."""
    try:
        if revision is not None:
            api.create_branch(repository, branch=revision, exist_ok=True)
        commits = [
            api.upload_folder(
                repo_id=repository,
                folder_path=part.folder,
                path_in_repo=part.path,
                commit_message=part.message,
                revision=revision,
                delete_patterns="*" if part.path is not None else None,
            )
            for part in snapshot.parts
        ]
    finally:
        shutil.rmtree(snapshot.folder, ignore_errors=True)
    return commits[0]


def _api(token: str | None) -> HfApi:
    from huggingface_hub import HfApi

    from .. import __version__

    return HfApi(token=token, library_name="nanoformers", library_version=__version__)


def _explained(error: BaseException, what: str) -> OSError:
    """Return an error that says what could not be done on the hub, why, and what to do."""
    from huggingface_hub import constants, errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.LocalTokenNotFoundError) or status == 401:
        advice = "log in with `hf auth login`, or give a token that may write (`hub_token=...`)"
    elif status == 403:
        advice = "the token may not write there: give another (`hub_token=...`), or another `hub_model_id`"
    elif isinstance(error, errors.OfflineModeIsEnabled):
        advice = "requests are switched off (HF_HUB_OFFLINE): unset it, or train with `push_to_hub=False`"
    elif status is None and not isinstance(error, OSError | ValueError):
        advice = f"check the connection to {constants.ENDPOINT}"
    else:
        advice = "see what it says"
    reason = str(error).strip().splitlines()
    return OSError(
        f"Could not {what} on {constants.ENDPOINT} ({reason[0] if reason else error!r}): {advice}."
    )
