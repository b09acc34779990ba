"""What a pipeline reads from and hands back: columns of data sets, and results computed as you iterate.

The documentation knows this module as `pipelines.pt_utils`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any

from torch.utils.data import Dataset


def iterate(items: Any) -> Iterator[Any]:
    """Iterate over anything that a pipeline streams from.

    A `torch.utils.data.Dataset` often has a length and items and nothing else: it is read by index up to its
    length, since nothing obliges it to raise IndexError at its end.
    """
    if hasattr(type(items), "__iter__"):
        return iter(items)
    return (items[index] for index in range(len(items)))


class KeyDataset(Dataset):
    """One column of a data set whose rows are mappings.

    Args:
        dataset: anything with rows (`datasets.Dataset`, a list of dictionaries, a torch `Dataset`).
        key: name of the column.

    Example:
        >>> for result in classifier(KeyDataset(dataset, "text"), batch_size=8): ...
    """

    def __init__(self, dataset: Any, key: str) -> None:
        self.dataset = dataset
        self.key = key

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self._pick(self.dataset[index])

    def __iter__(self) -> Iterator[Any]:
        return (self._pick(row) for row in iterate(self.dataset))

    def _pick(self, row: Any) -> Any:
        try:
            return row[self.key]
        except KeyError:
            raise KeyError(f"There is no column {self.key!r}; the columns are {sorted(row)}.") from None


class KeyPairDataset(Dataset):
    """Two columns of a data set as pairs of texts: `{"text": row[key1], "text_pair": row[key2]}`."""

    def __init__(self, dataset: Any, key1: str, key2: str) -> None:
        self.texts = KeyDataset(dataset, key1)
        self.pairs = KeyDataset(dataset, key2)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = self.texts.dataset[index]
        return self._pick(row)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self._pick(row) for row in iterate(self.texts.dataset))

    def _pick(self, row: Any) -> dict[str, Any]:
        return {"text": self.texts._pick(row), "text_pair": self.pairs._pick(row)}


class PipelineIterator:
    """Results in the order of the inputs, computed while they are read.

    It has a length when the inputs have one, so that `tqdm(pipe(dataset))` knows where it ends.

    Args:
        results: the results, usually a generator.
        inputs: what they are computed from.
    """

    def __init__(self, results: Iterable[Any], inputs: Any) -> None:
        self._results = iter(results)
        self._inputs = inputs

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._results)

    def __len__(self) -> int:
        if not isinstance(self._inputs, Sized):
            raise TypeError("The inputs come from a generator: how many results there are is not known.")
        return len(self._inputs)
