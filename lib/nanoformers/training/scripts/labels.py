"""The labels in a column: what classes there are, and which number each has for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["Labels"]


class Labels:
    """The classes of a column, or of the lists in it (the tags of the words, several classes at once).

    A data set of the hub says which classes it has. A file does not: then they are the values that occur in
    any of its splits, sorted.

    Args:
        data: all splits.
        column: name of the column.

    Attributes:
        names: of the classes, in the model's order; None where labels are numbers with a fraction.
        in_lists: whether each row has a list of them.
    """

    def __init__(self, data: DatasetDict, column: str) -> None:
        from datasets import ClassLabel

        splits = [rows for rows in data.values() if column in rows.column_names]
        feature = splits[0].features[column]
        self.in_lists = hasattr(feature, "feature")
        inner = feature.feature if self.in_lists else feature
        self._declared = inner if isinstance(inner, ClassLabel) else None
        self.names: list[str] | None
        if self._declared is not None:
            self.names = [str(name) for name in self._declared.names]
        elif inner.dtype.startswith("float"):
            self.names = None
        elif self.in_lists:
            self.names = [
                str(value) for value in sorted({v for s in splits for row in s[column] for v in row})
            ]
        else:
            values = {value for rows in splits for value in rows.unique(column)} - {None}
            self.names = [str(value) for value in sorted(values)]

    def settle(self, config: Any) -> None:
        """Agree with a configuration: a checkpoint that knows these classes keeps its order of them.

        Any other one gets their names and their number.
        """
        if self.names is None:
            config.num_labels = 1
            return
        known = config.label2id or {}
        if sorted(known) == sorted(self.names):
            self.names = sorted(self.names, key=lambda name: known[name])
        config.num_labels = len(self.names)
        config.label2id = {name: number for number, name in enumerate(self.names)}
        config.id2label = dict(enumerate(self.names))

    def number(self, value: Any) -> int:
        """Return the model's number of a class, as it stands in the column.

        Raises:
            ValueError: there is no such class.
        """
        assert self.names is not None
        return self.names.index(str(value if self._declared is None else self._declared.int2str(value)))
