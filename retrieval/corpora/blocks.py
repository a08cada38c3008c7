"""Blocks of items: ids, contents and labels as columns; the vectors of a block are one matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.batches import chunks
from encoders.codes import Batch
from encoders.named import Named

if TYPE_CHECKING:
    from retrieval.corpora.base import Item


class Block(NamedTuple):
    """Some items, as columns.

    Attributes
    ----------
    ids : list of str
    contents : list, or ndarray float32 (n, dim)
        Vectors may be one matrix.
    labels : list of str or None
    """

    ids: list[str]
    contents: Sequence[Any] | NDArray[Any]
    labels: Sequence[str | None]

    @classmethod
    def of(cls, items: Sequence[Item], label_field: str | None = None) -> Block:
        """Return items as columns; labels are those of a field of the metadata, if one is named."""
        return cls(
            [item.id for item in items],
            [item.content for item in items],
            [item.label_in(label_field) for item in items],
        )

    @property
    def is_matrix(self) -> bool:
        """True when the contents are one matrix."""
        return isinstance(self.contents, np.ndarray)

    def kept(self, rows: Sequence[int]) -> Block:
        """Return some of the items.

        Examples
        --------
        >>> Block(["a", "b"], np.eye(2, dtype=np.float32), [None, "x"]).kept([1]).labels
        ['x']
        """
        contents: Any = self.contents
        chosen = contents[rows] if self.is_matrix else [contents[row] for row in rows]
        return Block([self.ids[row] for row in rows], chosen, [self.labels[row] for row in rows])

    def inputs(self, with_ids: bool) -> Any:
        """Return the contents as an encoder reads them, with the ids of their items if it looks codes up by id."""
        if not with_ids:
            return self.contents
        return [Named(content, item_id=id) for id, content in zip(self.ids, self.contents, strict=True)]

    def batch(self, with_ids: bool) -> Batch:
        """Return the batch that an encoder fits; without labels where no item has one."""
        return Batch(self.inputs(with_ids), self.labels if any(self.labels) else None)


def blocks_of(
    items: Iterable[Item], rows: int, size: Callable[[Item], int], label_field: str | None = None
) -> Iterator[Block]:
    """Cut a stream of items into blocks of at most `rows` items; see `encoders.batches.chunks`."""
    return (Block.of(chunk, label_field) for chunk in chunks(items, rows, size))


class CorpusBatches:
    """The batches of a corpus, pass after pass.

    Parameters
    ----------
    read : callable
        Reads all blocks from the beginning.
    with_ids : bool
        Give each content the id of its item.
    """

    def __init__(self, read: Callable[[], Iterator[Block]], with_ids: bool = False) -> None:
        self._read, self._with_ids = read, with_ids

    def __iter__(self) -> Iterator[Batch]:
        return (block.batch(self._with_ids) for block in self._read())
