"""Checkpoints of a training run: written whole, taken up again exactly where the run was.

A checkpoint has what the model's `save_pretrained` writes, `training_args.bin`, and

- `optimizer.pt`, `scheduler.pt`, and `scaler.pt` where a GradScaler is used;
- `rng_state.pth` (`rng_state_<rank>.pth` with several processes): the random generators, see `rng`;
- `loop_state.pt` (`loop_state_<rank>.pt`): the place in the epoch, and the loss that is not logged yet;
- `trainer_state.json`, written last.

All but `loop_state.pt` are the files of the reference library, which resumes from such a folder. One that it
wrote has no `loop_state.pt`; the place in the epoch is then worked out from the number of steps.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..utils import logging
from .best_model import best_checkpoint, is_new_best
from .checkpoint_folders import (
    PREFIX_CHECKPOINT_DIR,
    checkpoint_folders,
    clear_leftovers,
    get_last_checkpoint,
    needs_room,
    put_in_place,
    remove_whole,
    staging_of,
    step_of,
    surplus_checkpoints,
)
from .choices import SaveStrategy
from .loop_state import LoopState
from .resuming import (
    SCALER_NAME,
    SCHEDULER_NAME,
    TRAINER_STATE_NAME,
    find_checkpoint,
    load_loop_state,
    load_optimizer,
    load_rng,
    load_trainer_state,
    load_weights,
    own_file,
)
from .rng import rng_states, set_rng_states
from .saving import save_model

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["PREFIX_CHECKPOINT_DIR", "Checkpoints", "LoopState", "get_last_checkpoint"]

logger = logging.get_logger(__name__)


class Checkpoints:
    """Writes the checkpoints of a Trainer, rotates them, and resumes from one.

    Args:
        trainer: its `model`, `model_wrapped`, `optimizer`, `lr_scheduler`, `state`, `control`, `args`,
            `callback_handler` and `engine` are read when they are needed, and filled when a run resumes.

    Attributes:
        loop: see `LoopState`.
        subfolder: folder inside `output_dir` for the checkpoints of this run; a search has one a trial.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self.loop = LoopState()
        self.subfolder = ""
        self._own_steps: set[int] = set()  # other checkpoints in the folder are of an earlier run
        self._rng_to_restore: dict[str, Any] | None = None

    @property
    def folder(self) -> Path:
        """The folder that has the checkpoints in it."""
        return Path(str(self._trainer.args.output_dir)) / self.subfolder

    # Writing

    def check_folder(self) -> None:
        """Find out before the training, not at its first checkpoint, that nothing can be written.

        Raises:
            OSError: the output folder cannot be made, or not be written to.
        """
        args = self._trainer.args
        if not args.should_save or args.save_strategy == SaveStrategy.NO:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            allowed = os.access(self.folder, os.W_OK | os.X_OK)
        except OSError as error:
            raise OSError(f"The output folder {self.folder} cannot be made: {error.strerror}.") from error
        if not allowed:
            raise OSError(
                f"The output folder {self.folder} is read-only for you, and checkpoints go there: give the "
                'right to write, name another `output_dir`, or train with save_strategy="no".'
            )

    def save(self, metrics: dict[str, float] | None = None) -> Path:
        """Write a checkpoint of the present step, and delete those that `save_total_limit` makes surplus.

        All processes call it.

        Args:
            metrics: of the evaluation of this step, if `is_new_best` has not seen them yet.

        Returns:
            The folder `checkpoint-N`.

        Raises:
            OSError: it could not be written; the folder is then as it was before.
        """
        trainer = self._trainer
        args, state = trainer.args, trainer.state
        if metrics is not None:
            self.is_new_best(metrics)
        trainer.store_flos()
        final = self.folder / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}"
        best = best_checkpoint(args, state, [*self._own_folders(), final])
        with self._written_whole(final) as staged:
            if trainer.engine.writes_shards and not args.save_only_model:
                save_model(trainer, staged, with_weights=False)  # the shards come with the optimizer's
            else:
                trainer.save_model(str(staged), _internal_call=True)
            if not args.save_only_model:
                self._write_training_state(staged)
            if args.should_save:
                state.stateful_callbacks = trainer.callback_handler.exported_states(trainer.control)
                stored = dataclasses.replace(state, best_model_checkpoint=best)
                stored.save_to_json(staged / TRAINER_STATE_NAME)
        self._own_steps.add(state.global_step)
        state.best_model_checkpoint = best
        self.rotate()
        return final

    def _write_training_state(self, folder: Path) -> None:
        """Write all that only training needs, but for `trainer_state.json`."""
        trainer = self._trainer
        engine = trainer.engine
        engine.save_optimizer(folder, trainer.model_wrapped, trainer.optimizer)
        if trainer.args.should_save:
            torch.save(trainer.lr_scheduler.state_dict(), folder / SCHEDULER_NAME)
            scaler = getattr(engine, "scaler", None)
            if scaler is not None and scaler.is_enabled():
                torch.save(scaler.state_dict(), folder / SCALER_NAME)
        torch.save(rng_states(), folder / own_file(trainer, "rng_state", "pth"))
        torch.save(vars(self.loop), folder / own_file(trainer, "loop_state", "pt"))

    @contextlib.contextmanager
    def _written_whole(self, final: Path) -> Iterator[Path]:
        """Give all processes a folder to write to, which becomes `final` if none of them fails.

        One process a machine makes the folder and renames it; where machines share the disk, only one finds
        it there to rename.
        """
        engine = self._trainer.engine
        staged = staging_of(final)
        here = engine.is_local_main_process
        try:
            with self._together(final):
                if here:
                    self.folder.mkdir(parents=True, exist_ok=True)
                    clear_leftovers(self.folder)
            with self._together(final):
                if here:
                    staged.mkdir(exist_ok=True)
            with self._together(final):
                yield staged
            with self._together(final):
                if engine.is_main_process:
                    put_in_place(staged, final)
            with self._together(final):
                if here and staged.is_dir():
                    put_in_place(staged, final)
        except BaseException:
            if here:
                shutil.rmtree(staged, ignore_errors=True)
            raise

    @contextlib.contextmanager
    def _together(self, final: Path) -> Iterator[None]:
        """Run a part of the writing; where it fails in one process, let it fail in all."""
        engine = self._trainer.engine
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        failed = failure is not None
        if engine.num_processes > 1:
            failed = bool(engine.gather(torch.tensor([int(failed)], device=engine.device)).any())
        if not failed:
            return
        reason: str | None = "another process could not write its part"
        if failure is not None:
            reason = needs_room(failure, staging_of(final))
        if reason is None:
            assert failure is not None
            raise failure
        whole: list[str] = []
        with contextlib.suppress(OSError):
            whole = [folder.name for folder in checkpoint_folders(self.folder)]
        raise OSError(
            f"Could not write {final.name} to {self.folder}: {reason}. Nothing of it is left there; "
            + (f"{', '.join(whole[-3:])} in it are whole. " if whole else "it has no earlier checkpoint. ")
            + "Make room, or give the right to write, and go on with `train(resume_from_checkpoint=True)`."
        ) from failure

    def rotate(self) -> None:
        """Delete the checkpoints that are more than `save_total_limit`, never the last nor the best one.

        Those of an earlier run in the same folder go first.
        """
        args, best = self._trainer.args, self._trainer.state.best_model_checkpoint
        if not args.should_save:
            return
        own = self._own_folders()
        earlier = [folder for folder in checkpoint_folders(self.folder) if folder not in own]
        for folder in surplus_checkpoints(
            earlier + own, args.save_total_limit, Path(best) if best is not None else None
        ):
            logger.info(f"{folder} is deleted: save_total_limit={args.save_total_limit}.")
            remove_whole(folder)

    def _own_folders(self) -> list[Path]:
        """Return the checkpoints of this run, by steps."""
        return [folder for folder in checkpoint_folders(self.folder) if step_of(folder) in self._own_steps]

    # The best model

    def is_new_best(self, metrics: dict[str, float]) -> bool:
        """Note the metrics of an evaluation, and tell whether they are the best so far.

        Raises:
            KeyError: `metric_for_best_model` is not among them.
        """
        return is_new_best(self._trainer.args, self._trainer.state, metrics)

    def best(self) -> Path | None:
        """Return the checkpoint of the best model among those there are, None when no evaluation says it."""
        found = best_checkpoint(self._trainer.args, self._trainer.state, self._own_folders())
        return Path(found) if found is not None else None

    def load_best(self) -> None:
        """Give the model the weights of the best checkpoint, at the end of training."""
        state = self._trainer.state
        if state.best_model_checkpoint is None:
            logger.warning(
                "load_best_model_at_end=True, but no checkpoint was written at a step with an evaluation: "
                "the model stays the last one."
            )
            return
        logger.info(f"Loading the best model from {state.best_model_checkpoint} ({state.best_metric}).")
        load_weights(self._trainer, state.best_model_checkpoint)

    def keep_only_the_best(self) -> None:
        """After training with save_total_limit=1, delete the last checkpoint when another is the best."""
        args, best = self._trainer.args, self._trainer.state.best_model_checkpoint
        if args.should_save and best is not None and args.save_total_limit == 1:
            for folder in checkpoint_folders(self.folder):
                if folder.name != Path(best).name:
                    remove_whole(folder)

    # Going on

    def find(self, resume_from_checkpoint: str | os.PathLike[str] | bool | None) -> Path | None:
        """Return the checkpoint that `train(resume_from_checkpoint=...)` means, see `find_checkpoint`."""
        engine = self._trainer.engine
        if resume_from_checkpoint is True and engine.is_local_main_process:
            clear_leftovers(self.folder)
        engine.wait()
        return find_checkpoint(self.folder, resume_from_checkpoint)

    def resume(self, folder: str | os.PathLike[str], steps_per_epoch: int | None = None) -> LoopState:
        """Fill the trainer with what a checkpoint holds; the states of random generators wait for `batches`.

        All processes call it, when the model is wrapped and optimizer and schedule exist.

        Args:
            folder: of the checkpoint, by this library or by the reference library.
            steps_per_epoch: to work out the place in the epoch when the checkpoint does not say it.

        Returns:
            Where the loop goes on; it is `self.loop`, too.

        Raises:
            OSError: a file is damaged.
            ValueError: there are no weights in the folder.
        """
        folder = Path(folder)
        trainer = self._trainer
        load_weights(trainer, folder)
        load_optimizer(trainer, folder)
        load_trainer_state(trainer, folder)
        steps = [step_of(entry) for entry in checkpoint_folders(self.folder)]
        self._own_steps = {step for step in steps if step is not None and step <= trainer.state.global_step}
        self.loop = load_loop_state(trainer, folder, steps_per_epoch)
        self._rng_to_restore = load_rng(trainer, folder)
        return self.loop

    def batches(self, loader: Any) -> Iterator[Any]:
        """Return the batches of the epoch that begins, or that a resumed run goes on with.

        At the first call of a resumed run, the order of the data is what it was, batches that were used are
        left out, and then random numbers are those that came after the checkpoint.
        """
        loop = self.loop
        if loop.batches:
            loop.begin_epoch_again(loader)
        else:
            self.restore_rng()
        loop.begin_epoch(loader)
        batches = loop.go_on(loader)
        self.restore_rng()
        return batches

    def restore_rng(self) -> None:
        """Set the generators to what they were when the checkpoint was written; does so once."""
        if self._rng_to_restore is not None:
            set_rng_states(self._rng_to_restore)
            self._rng_to_restore = None
