"""`Trainer`'s loaders of data, each of which a subclass may override."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...data.collators import DataCollatorWithPadding, default_data_collator
from ..batches import eval_sampler, make_loader, num_examples, train_sampler
from ..columns import taken_columns
from .attributes import TrainerAttributes

if TYPE_CHECKING:
    from torch.utils.data import DataLoader, Dataset, Sampler

    from ..arguments import TrainingArguments

__all__ = ["DataMixin"]


class DataMixin(TrainerAttributes):
    """Loaders of batches for training, evaluation and prediction."""

    @property
    def signature_columns(self) -> list[str]:
        """The columns of a data set that the model takes."""
        return taken_columns(self.model, self.label_names)

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return the loader of training batches.

        Raises:
            ValueError: there is no training set.
        """
        if self.train_dataset is None:
            raise ValueError("Trainer: training requires a train_dataset.")
        return make_loader(
            self, self.train_dataset, "Training", self.train_batch_size, self._get_train_sampler, True
        )

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        """Return the loader of evaluation batches.

        Args:
            eval_dataset: in place of the Trainer's own; the name of one, where it has several.

        Raises:
            ValueError: there is no evaluation set.
        """
        if eval_dataset is None and self.eval_dataset is None:
            raise ValueError("Trainer: evaluation requires an eval_dataset.")
        name = eval_dataset if isinstance(eval_dataset, str) else "eval"
        keep = self.args.dataloader_persistent_workers and (eval_dataset is None or eval_dataset is name)
        if keep and name in self._eval_loaders:
            return self._eval_loaders[name]
        if isinstance(eval_dataset, str):
            eval_dataset = self.eval_dataset[eval_dataset]
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        loader = make_loader(self, dataset, "Evaluation", self.args.eval_batch_size, self._get_eval_sampler)
        if keep:
            self._eval_loaders[name] = loader
        return loader

    def get_test_dataloader(self, test_dataset: Dataset[Any]) -> DataLoader[Any]:
        """Return the loader of batches for prediction."""
        return make_loader(self, test_dataset, "test", self.args.eval_batch_size, self._get_eval_sampler)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int] | None:
        return train_sampler(self, self.train_dataset if train_dataset is None else train_dataset)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler[int] | None:
        return eval_sampler(self.args, eval_dataset)

    def num_examples(self, dataloader: DataLoader[Any]) -> int:
        """Return the number of examples of a loader (a guess, where its data set has no length)."""
        return num_examples(dataloader, self.args.per_device_train_batch_size)

    @staticmethod
    def num_tokens(train_dl: DataLoader[Any], max_steps: int | None = None) -> int:
        """Return the number of `input_ids` in a loader; of its first batch times `max_steps`, if given."""
        total = 0
        for batch in train_dl:
            tokens = batch["input_ids"].numel()
            if max_steps is not None:
                return tokens * max_steps
            total += tokens
        return total

    def get_total_train_batch_size(self, args: TrainingArguments) -> int:
        """Return the number of examples that all processes take in one step."""
        return self.train_batch_size * args.gradient_accumulation_steps * args.world_size

    def _default_collator(self) -> Callable[[list[Any]], Any]:
        if hasattr(self.processing_class, "pad"):
            return DataCollatorWithPadding(self.processing_class)
        return default_data_collator
