"""The labels in a column: what classes there are, and which number each has for the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .reading import check_columns

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["Labels"]


class Labels:
    """The classes of a column, or of the lists in it (the tags of the words, several classes at once).

    A data set of the hub says which classes it has. A file does not: then they are the values that occur in
    any of its splits, sorted. Where there is no such column, or nothing in it, the checkpoint knows them.

    Args:
        data: all splits.
        column: name of the column; None where there is none.

    Attributes:
        names: of the classes, in the model's order; None where labels are numbers with a fraction.
        in_lists: whether each row has a list of them.
    """

    def __init__(self, data: DatasetDict, column: str | None) -> None:
        from datasets import ClassLabel

        self._column = column
        self.names: list[str] | None = None
        self.in_lists = False
        self._declared: ClassLabel | None = None
        splits = [rows for rows in data.values() if column in rows.column_names]
        self._knows = any(value is not None for rows in splits for value in rows[column])
        if not self._knows:
            return
        feature = splits[0].features[column]
        self.in_lists = hasattr(feature, "feature")
        inner = feature.feature if self.in_lists else feature
        self._declared = inner if isinstance(inner, ClassLabel) else None
        if self._declared is not None:
            self.names = [str(name) for name in self._declared.names]
        elif inner.dtype.startswith("float"):
            self.names = None
        elif self.in_lists:
            values = {value for rows in splits for row in rows[column] for value in row or ()}
            self.names = [str(value) for value in sorted(values)]
        else:
            values = {value for rows in splits for value in rows.unique(column)} - {None}
            self.names = [str(value) for value in sorted(values)]

    def settle(self, config: Any) -> None:
        """Agree with a configuration: a checkpoint that knows these classes keeps all of its own.

        Any other one gets their names and their number.
        """
        if not self._knows:
            self.in_lists = config.problem_type == "multi_label_classification"
            is_number = config.problem_type == "regression" or config.num_labels == 1
            self.names = None if is_number else [config.id2label[n] for n in range(config.num_labels)]
            return
        if self.names is None:
            config.num_labels = 1
            return
        known = config.label2id or {}
        if set(self.names) <= set(known):
            self.names = sorted(known, key=lambda name: known[name])
        config.num_labels = len(self.names)
        config.label2id = {name: number for number, name in enumerate(self.names)}
        config.id2label = dict(enumerate(self.names))

    def without_hidden(self, data: DatasetDict) -> DatasetDict:
        """Take the column out of a test split in which nobody knows a label: all are empty, or -1 as in GLUE.

        Raises:
            ValueError: in another split, or in a part of the test split, rows have no label.
        """
        chosen = dict(data)
        for split, rows in data.items():
            column = self._column
            if column is None or column not in rows.column_names:
                continue
            if split == "test" and all(map(self._is_hidden, rows[column])):
                chosen[split] = rows.remove_columns(column)
            else:
                check_columns({split: rows}, column)
        return type(data)(chosen)

    def _is_hidden(self, value: Any) -> bool:
        return value is None or (self._declared is not None and value == -1)

    def number(self, value: Any) -> int:
        """Return the model's number of a class, as it stands in the column.

        Raises:
            ValueError: there is no such class.
        """
        assert self.names is not None
        return self.names.index(str(value if self._declared is None else self._declared.int2str(value)))
