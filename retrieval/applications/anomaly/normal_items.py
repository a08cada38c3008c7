"""The training items that a detector keeps: to measure distances to them, and to show them beside a strange item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Kind, Modality
from encoders.row import Row
from retrieval.applications.anomaly.stages import Stages
from retrieval.corpora.base import Item
from retrieval.search.result import Shown, show

#: The most training items that are kept, and the most numbers of their codes together (float32: 256 MiB).
MAX_ITEMS, MAX_NUMBERS = 20_000, 2**26
#: The most numbers of pictures and vectors that are kept to be shown, and the most bytes of rows of a table.
MAX_SHOWN_NUMBERS, MAX_SHOWN_BYTES = 2**25, 2**25


@dataclass
class NormalItems:
    """Some training items as they are shown.

    Attributes
    ----------
    ids : list of str
    labels, titles, snippets : list of str or None
    contents : ndarray or None
        Pictures uint8 (n, h, w[, 3]), or vectors float32 (n, dim), if they are small enough to be kept.
    rows : list of Row or None
        Rows of a table, if they are small enough to be kept.
    """

    ids: list[str]
    labels: list[str | None]
    titles: list[str | None]
    snippets: list[str | None]
    contents: NDArray[Any] | None = None
    rows: list[Row] | None = None

    @classmethod
    def of(cls, items: Sequence[Item], modality: Modality) -> NormalItems:
        """Return items as they are shown."""
        shown = [show(item) for item in items]
        contents = None
        if modality in (Modality.IMAGE, Modality.VECTOR):
            arrays: list[Any] = [item.content for item in items]
            if len({array.shape for array in arrays}) == 1 and arrays[0].size * len(arrays) <= MAX_SHOWN_NUMBERS:
                contents = np.stack(arrays)
        rows = [item.content for item in items if isinstance(item.content, Row)]
        return cls(
            [one.id for one in shown],
            [one.label for one in shown],
            [one.title for one in shown],
            [one.snippet for one in shown],
            contents,
            _in_one_order(rows) if 0 < sum(row.nbytes for row in rows) <= MAX_SHOWN_BYTES else None,
        )

    def shown(self, row: int) -> Shown:
        """Return one item as it is shown."""
        content = None if self.contents is None else self.contents[row]
        picture = content if content is not None and content.dtype == np.uint8 else None
        kept = None if self.rows is None else self.rows[row]
        return Shown(self.ids[row], self.labels[row], self.titles[row], self.snippets[row], picture, row=kept)

    def texts(self) -> dict[str, Any]:
        """Return all but the contents as JSON values; rows have the names of their columns once."""
        shown = {"ids": list(self.ids), "labels": self.labels, "titles": self.titles, "snippets": self.snippets}
        if self.rows is None:
            return shown
        return {**shown, "columns": list(self.rows[0].names), "rows": [list(row.values) for row in self.rows]}

    @classmethod
    def from_texts(cls, value: Any, contents: NDArray[Any] | None) -> NormalItems:
        """Read what `texts` returned.

        Raises
        ------
        LookupError, TypeError, ValueError
            When it is something else.
        """
        names = {"ids", "labels", "titles", "snippets"}
        if not isinstance(value, dict) or value.keys() - {"columns", "rows"} != names:
            raise ValueError("the normal items have other fields")
        columns = [value[key] for key in ("ids", "labels", "titles", "snippets")]
        if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
            raise ValueError("the normal items are not lists of one length")
        if not all(isinstance(one, str) for one in columns[0]):
            raise ValueError("an id is not a text")
        if not all(isinstance(one, str | None) for column in columns[1:] for one in column):
            raise ValueError("a label or title is not a text")
        if ("rows" in value) != ("columns" in value):
            raise ValueError("it has rows without columns, or columns without rows")
        if contents is not None and (not contents.ndim or len(contents) != len(columns[0])):
            raise ValueError("it has more or fewer contents than normal items")
        if contents is not None and "rows" in value:
            raise ValueError("it has vectors and rows of a table")
        ids, labels, titles, snippets = columns
        return cls(ids, labels, titles, snippets, contents, _stored_rows(value, len(ids)))


def _in_one_order(rows: Sequence[Row]) -> list[Row]:
    """Return rows whose columns have the order of those of the first row."""
    names = rows[0].names
    return [row if row.names == names else Row(names, tuple(map(row.__getitem__, names))) for row in rows]


def _stored_rows(value: dict[str, Any], count: int) -> list[Row] | None:
    if "rows" not in value:
        return None
    names, rows = value["columns"], value["rows"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError("the columns of its rows have no names that differ")
    if not isinstance(rows, list) or len(rows) != count:
        raise ValueError("it has more or fewer rows than normal items")
    return [Row.of_stored(tuple(names), row) for row in rows]


def kept_count(encoders: Sequence[Encoder], available: int) -> int:
    """Return how many training items are kept: their codes should not fill the memory."""
    stages = [Stages.of(encoder) for encoder in encoders]
    spaces = [one.input_space if one.ends_in_density else one.encoder.space for one in stages]
    widest = max((space.dim for space in spaces if space.kind is Kind.DENSE), default=1)
    return max(1, min(available, MAX_ITEMS, MAX_NUMBERS // widest))
