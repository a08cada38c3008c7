"""The contract of every corpus: a stream of items that can be read again, with queries and judgements if it has any."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from encoders.base import Encoder
from encoders.codes import Modality
from encoders.errors import BadItemError, CorpusError, UnknownNameError
from encoders.row import Row, names_json
from encoders.sound import Sound
from retrieval.corpora.blocks import Block, CorpusBatches, blocks_of

Content = str | NDArray[Any] | Sound | Row
#: query id -> item id -> grade (0 = judged not relevant)
Qrels = dict[str, dict[str, int]]
#: What a digest has for the type and shape of a text.
_NO_SHAPE = (0).to_bytes(8, "little")
#: Called with each bad entry; raises it (the default), or collects it and lets the reading continue.
OnBad = Callable[[CorpusError], None]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One text, picture, sound, row or vector.

    Parameters
    ----------
    id : str
        Unique in its corpus.
    content : str, ndarray, Sound or Row
        The whole text (title included), a uint8 picture ``(h, w)`` or ``(h, w, 3)``, a float32 vector, a sound, or a
        row of a table.
    title : str, optional
        The name by which a person recognises the item.
    label : str, optional
        Its class; items of one class are relevant to each other.
    metadata : dict
        Every other field of the item, as text.
    where : str, optional
        File and line of the item, for errors.
    """

    id: str
    content: Content
    title: str | None = None
    label: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    where: str | None = None

    def label_in(self, name: str | None) -> str | None:
        """Return the value of a field of the metadata, None if the item lacks it; without a name, the label."""
        return self.label if name is None else self.metadata.get(name)


class Corpus(ABC):
    """A stream of items that can be read again: every ``iter()`` starts over, and items are not kept in memory."""

    #: The name or path the user gave.
    name: str
    modality: Modality
    #: True when items are vectors without titles and metadata: `blocks` then says everything, vectors as matrices.
    has_only_columns: ClassVar[bool] = False

    @abstractmethod
    def __iter__(self) -> Iterator[Item]:
        """Read the items from the beginning."""

    def queries(self) -> Iterator[Item]:
        """Read the queries; a corpus without queries of its own is queried by its items."""
        return iter(())

    def qrels(self) -> Qrels | None:
        """Return the judgements; None if only labels, or nothing, say what is relevant."""
        return None

    @property
    def queries_are_items(self) -> bool:
        """True when the queries are items of the corpus: a query is then left out of its own answers."""
        return False

    @property
    def size(self) -> int | None:
        """Number of items; None if all items must be read to know it."""
        return None

    @property
    def vector_file(self) -> Path | None:
        """The .npy file of nearby's own that holds the items and nothing else, in their order; None without one."""
        return None

    def batches(self, rows: int = 1024, label_field: str | None = None, with_ids: bool = False) -> CorpusBatches:
        """Return the items as re-iterable batches for an encoder; its labels are those of `label_field`, if given.

        With `with_ids`, each content has the id of its item (`encoders.named`).

        Raises
        ------
        UnknownNameError
            When no item has this field.
        """
        if label_field is not None:
            _require_field(self, label_field)
        return CorpusBatches(lambda: self.blocks(rows, label_field), with_ids)

    def blocks(self, rows: int, label_field: str | None = None) -> Iterator[Block]:
        """Read the items from the beginning as blocks of at most `rows` items, in columns.

        A corpus of vectors that has them as a matrix overrides this: an `Item` each would take longer than its code.
        """
        return blocks_of(self, rows, item_bytes, label_field)

    def batches_for(self, encoder: Encoder) -> CorpusBatches:
        """Return the items as re-iterable batches in the form that an encoder reads, with the labels that it reads.

        Raises
        ------
        UnknownNameError
            When no item has the field of the labels.
        """
        return self.batches(label_field=encoder.label_field, with_ids=encoder.reads is Modality.ITEM)

    def digest(self) -> str:
        """Return a SHA-256 over ids, contents and labels: the identity of the data, wherever it is stored."""
        digest = hashlib.sha256()
        for item in self:
            digest.update(hashed_fields(item))
        return digest.hexdigest()


def _require_field(items: Iterable[Item], name: str) -> None:
    """Raise when no item has a field of this name; the items are read until one has it."""
    known: set[str] = set()
    for item in items:
        if name in item.metadata:
            return
        known |= item.metadata.keys()
    if not known:
        raise BadItemError(f"the items have no field '{name}', nor any other field")
    raise UnknownNameError("field", name, known, where="in the items")


def item_bytes(item: Item) -> int:
    """Return about how many bytes of memory the content of an item takes.

    Examples
    --------
    >>> item_bytes(Item("1", "a text")), item_bytes(Item("2", np.zeros((2, 3), np.uint8)))
    (6, 6)
    """
    return len(item.content) if isinstance(item.content, str) else item.content.nbytes


def content_bytes(content: Content) -> bytes:
    r"""Return the bytes of a content; its type and shape are not among them.

    Examples
    --------
    >>> content_bytes("a text"), content_bytes(np.zeros(3, np.uint8)), content_bytes(Sound(np.ones(1, np.int16), 8000))
    (b'a text', b'\x00\x00\x00', b'\x01\x00')
    """
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, Row):
        return content.to_bytes()
    array = content.samples.astype("<i2") if isinstance(content, Sound) else content
    return np.ascontiguousarray(array).tobytes()


def hashed_fields(item: Item) -> bytes:
    """Return what a digest of an item is computed from: id, type and shape, content and label.

    The length of each field goes before it, so that no two items look the same.
    """
    content = item.content
    if isinstance(content, str):
        data = content.encode()
        before = _NO_SHAPE + len(data).to_bytes(8, "little")
    elif isinstance(content, np.ndarray):
        data = content.tobytes()
        before = shape_and_size(content.dtype, content.shape)
    else:
        data = content_bytes(content)
        shape = f"sound{content.rate}" if isinstance(content, Sound) else f"row{names_json(content.names)}"
        before = with_length(shape.encode()) + len(data).to_bytes(8, "little")
    return b"".join((with_length(item.id.encode()), before, data, with_length((item.label or "").encode())))


def with_length(field: bytes) -> bytes:
    """Return a field of a digest with its length before it."""
    return len(field).to_bytes(8, "little") + field


@lru_cache(maxsize=64)
def shape_and_size(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return what a digest has before the bytes of an array; NumPy needs microseconds to write a type."""
    size = dtype.itemsize * math.prod(shape)
    return with_length(f"{dtype}{shape}".encode()) + size.to_bytes(8, "little")


def raise_bad(error: CorpusError) -> None:
    """Stop at the first bad entry."""
    raise error


def unique_ids(items: Iterable[Item], on_bad: OnBad = raise_bad) -> Iterator[Item]:
    """Yield items; one with the id of an earlier item goes to `on_bad` instead.

    Keeps every id in memory: call it where the items are stored anyway, not on each pass.

    Examples
    --------
    >>> list(unique_ids([Item("7", "one text"), Item("7", "another")]))
    Traceback (most recent call last):
    encoders.errors.CorpusError: two items have the id '7' (the second is item 2): give each its own
    """
    seen: set[str] = set()
    for position, item in enumerate(items, start=1):
        if item.id in seen:
            where = f"{item.where}: " if item.where else ""
            on_bad(
                CorpusError(
                    f"{where}two items have the id '{item.id}' (the second is item {position}): give each its own"
                )
            )
            continue
        seen.add(item.id)
        yield item


class Unique(Corpus):
    """A corpus without the items that repeat the id of an earlier one; each of those goes to `on_bad`."""

    def __init__(self, corpus: Corpus, on_bad: OnBad = raise_bad) -> None:
        self._corpus, self._on_bad = corpus, on_bad
        self.name, self.modality = corpus.name, corpus.modality

    def __iter__(self) -> Iterator[Item]:
        return unique_ids(self._corpus, self._on_bad)

    def queries(self) -> Iterator[Item]:
        """Read the queries."""
        return unique_ids(self._corpus.queries(), self._on_bad)

    def qrels(self) -> Qrels | None:
        """Return the judgements."""
        return self._corpus.qrels()

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus."""
        return self._corpus.queries_are_items

    @property
    def size(self) -> int | None:
        """Upper bound of the number of items, where it is known."""
        return self._corpus.size


class BadEntries:
    """Raises bad entries, or (`skip`) collects each once, in `found`: an `OnBad`.

    Examples
    --------
    >>> bad = BadEntries(skip=True)
    >>> bad(CorpusError("news.jsonl:2: not valid JSON"))
    >>> list(bad.found)
    ['news.jsonl:2: not valid JSON']
    """

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.found: dict[str, None] = {}

    def __call__(self, error: CorpusError) -> None:
        """Raise the error, or collect it."""
        if not self.skip:
            raise CorpusError(f"{error} (--skip-bad leaves bad entries out)") from error.__cause__
        self.found[str(error)] = None
