"""Loading a corpus into Elasticsearch: codes in every space, documents, bulk requests; one pass, safe to repeat."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import groupby
from typing import Any, NamedTuple

from encoders.base import Encoder
from encoders.batches import chunks
from encoders.codes import Modality
from encoders.errors import BadItemError, CorpusError, DimensionError, NearbyError
from encoders.progress import progress
from indexers.elasticsearch.bulk import Bulk, OnRejected, RejectedError
from indexers.elasticsearch.collection_field import CollectionField
from indexers.elasticsearch.keys import key_of
from retrieval.collection.elasticsearch.checksum import Checksum
from retrieval.collection.elasticsearch.document import document_of
from retrieval.collection.elasticsearch.items import Present
from retrieval.corpora.base import Item, OnBad, item_bytes
from retrieval.corpora.inputs import inputs_of
from retrieval.corpora.item_record import item_digest
from retrieval.spaces.encode import bytes_of, say_remarks

#: Number of items that are encoded at a time; a shard gets whole chunks.
CHUNK = 1_024


@dataclass
class Cost:
    """The cost of the codes of a space: seconds of encoding, bytes of all codes."""

    encode_seconds: float = 0.0
    code_bytes: int = 0


@dataclass(frozen=True)
class Target:
    """A space that is loaded: its encoder and its field."""

    encoder: Encoder
    field: CollectionField
    cost: Cost = dataclass_field(default_factory=Cost)

    def values(self, items: list[Item]) -> list[Any]:
        """Return the values of the field for the documents of items."""
        before = time.perf_counter()
        codes = (self.encoder.encode_counts if self.field.stores_counts else self.encoder.encode)(
            inputs_of(self.encoder, items)
        )
        self.cost.encode_seconds += time.perf_counter() - before
        self.cost.code_bytes += bytes_of(codes)
        return self.field.values(codes)


class Shard(NamedTuple):
    """One shard of a corpus: the `number`-th of `of`, from 1.

    Examples
    --------
    >>> Shard(2, 3).holds(1 * CHUNK), Shard(2, 3).holds(2 * CHUNK), Shard(2, 3).holds(4 * CHUNK + 7)
    (True, False, True)
    """

    number: int = 1
    of: int = 1

    def holds(self, position: int) -> bool:
        """Return whether the item at a position belongs to the shard; chunks are assigned in turn."""
        return self.number_at(position, self.of) == self.number

    @staticmethod
    def number_at(position: int, of: int) -> int:
        """Return the number of the shard, one of `of`, that the item at a position belongs to."""
        return position // CHUNK % of + 1


@dataclass
class Load:
    """The result of a load.

    Attributes
    ----------
    read : int
        Number of items of the corpus, in all shards.
    checksum : Checksum
        Of the items of this shard, without those left out.
    sent : int
        Number of these items that the index did not hold yet.
    left_out : int
        Number of items that an encoder or the server refused, left out with ``--skip-bad``.
    costs : list of Cost
        Of each space.
    """

    read: int = 0
    checksum: Checksum = dataclass_field(default_factory=Checksum)
    sent: int = 0
    left_out: int = 0
    costs: list[Cost] = dataclass_field(default_factory=list)

    @property
    def items(self) -> int:
        """Number of items of this shard, without those left out."""
        return self.checksum.count

    def leave_out(self, position: int, digest: str) -> None:
        """Remove a refused item from the counts."""
        self.left_out += 1
        self.checksum.subtract(position, digest)


def load(
    items: Iterable[Item],
    targets: Sequence[Target],
    bulk: Callable[[OnRejected], Bulk],
    modality: Modality,
    on_bad: OnBad,
    present: Present | None = None,
    shard: Shard = Shard(),  # noqa: B008  # immutable
    first_position: int = 0,
    total: int | None = None,
) -> Load:
    """Encode items and send them.

    Parameters
    ----------
    items : iterable of Item
        In the order of the corpus.
    targets : sequence of Target
    bulk : callable
        Opens a `Bulk` with a callback for rejected documents.
    modality : Modality
    on_bad : callable
        Called with each refused item; raises to stop, or returns to continue.
    present : Present, optional
        Items of the index: those that are equal, at the same position, are not encoded again.
    shard : Shard
    first_position : int
        Position of the first item.
    total : int, optional
        Number of items, for the progress bar.
    """
    done = Load(costs=[target.cost for target in targets])

    def refused(error: NearbyError, position: int, digest: str) -> None:
        done.leave_out(position, digest)
        on_bad(CorpusError(str(error)))

    def rejected(error: RejectedError) -> None:
        refused(error, *error.tag)

    with progress("indexing", total, "items") as bar:
        with bulk(rejected) as sending:
            for first, chunk in _chunks(items, first_position):
                done.read += len(chunk)
                bar.update(len(chunk))
                if not shard.holds(first):
                    continue
                wanted = [Wanted(at, item, item_digest(item).hex()) for at, item in enumerate(chunk, start=first)]
                for one in wanted:
                    done.checksum.add(one.position, one.digest)
                if present is not None:
                    there = present.positions([item.id for item in chunk])
                    wanted = [one for one in wanted if there.get(one.item.id) != (one.position, one.digest)]
                _send(sending, wanted, targets, modality, refused)
        done.sent = sending.acknowledged
    for target in targets:
        say_remarks(target.encoder)
    return done


class Wanted(NamedTuple):
    """An item that should be on the server, with its position and digest."""

    position: int
    item: Item
    digest: str


#: Called with an error, and the position and digest of the refused item.
_OnRefused = Callable[[NearbyError, int, str], None]


def _send(
    sending: Bulk, wanted: list[Wanted], targets: Sequence[Target], modality: Modality, refused: _OnRefused
) -> None:
    if not wanted:
        return
    try:
        columns = _encoded([one.item for one in wanted], targets)
    except (BadItemError, DimensionError):
        wanted = list(_encodable(wanted, targets, refused))
        columns = _encoded([one.item for one in wanted], targets) if wanted else []
    names = [target.field.field_name for target in targets]
    for one, *values in zip(wanted, *columns, strict=True):
        try:
            document = document_of(one.item, one.position, modality, dict(zip(names, values, strict=True)), one.digest)
        except BadItemError as error:
            refused(error, one.position, one.digest)
        else:
            sending.put(key_of(one.item.id), document, (one.position, one.digest))


def _encoded(items: list[Item], targets: Sequence[Target]) -> list[list[Any]]:
    return [target.values(items) for target in targets]


def _encodable(wanted: list[Wanted], targets: Sequence[Target], refused: _OnRefused) -> Iterator[Wanted]:
    """Yield the items that every encoder takes, and report the others."""
    for one in wanted:
        try:
            _encoded([one.item], targets)
        except (BadItemError, DimensionError) as error:
            refused(type(error)(f"item '{one.item.id}': {error}"), one.position, one.digest)
        else:
            yield one


def _chunks(items: Iterable[Item], first: int) -> Iterator[tuple[int, list[Item]]]:
    """Yield lists of items that belong to one shard each, with the position of the first item."""
    for _, placed in groupby(enumerate(items, start=first), key=lambda pair: pair[0] // CHUNK):
        for chunk in chunks(placed, CHUNK, lambda pair: item_bytes(pair[1])):
            yield chunk[0][0], [item for _, item in chunk]
