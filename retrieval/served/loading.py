"""Corpus -> codes in every space -> documents -> Elasticsearch: one pass, bounded memory, safe to repeat."""

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
from indexers.elasticsearch.bulk import Bulk
from indexers.elasticsearch.collection_field import CollectionField
from indexers.elasticsearch.keys import key_of
from retrieval.corpora.base import Item, OnBad, item_bytes
from retrieval.filling import bytes_of
from retrieval.item_record import item_digest
from retrieval.served.document import document_of
from retrieval.served.items import Present

#: Items encoded at a time, and given to one part of a load.
CHUNK = 1_024


@dataclass
class Cost:
    """What the codes of a space have cost: seconds of encoding, bytes of all codes."""

    encode_seconds: float = 0.0
    code_bytes: int = 0


@dataclass(frozen=True)
class Target:
    """A space that is loaded: what encodes its items and what its field holds of them."""

    encoder: Encoder
    field: CollectionField
    cost: Cost = dataclass_field(default_factory=Cost)

    def values(self, contents: list[Any]) -> list[Any]:
        """Return what the documents of items hold."""
        before = time.perf_counter()
        codes = (self.encoder.encode_counts if self.field.stores_counts else self.encoder.encode)(contents)
        self.cost.encode_seconds += time.perf_counter() - before
        self.cost.code_bytes += bytes_of(codes)
        return self.field.values(codes)


class Part(NamedTuple):
    """Which share of a corpus is loaded: the `number`-th of `of`, from 1.

    Examples
    --------
    >>> Part(2, 3).holds(1 * CHUNK), Part(2, 3).holds(2 * CHUNK), Part(2, 3).holds(4 * CHUNK + 7)
    (True, False, True)
    """

    number: int = 1
    of: int = 1

    def holds(self, place: int) -> bool:
        """Tell whether the item at a place belongs to it: chunks go round."""
        return place // CHUNK % self.of == self.number - 1


@dataclass
class Load:
    """What a load did.

    Attributes
    ----------
    read : int
        Items of the corpus, whichever part they belong to.
    items : int
        Items of this part, less those that were left out.
    sent : int
        Of these, those that were not there already.
    left_out : int
        Items that an encoder or the server refuses, left out with ``--skip-bad``.
    costs : list of Cost
        Of each space.
    """

    read: int = 0
    items: int = 0
    sent: int = 0
    left_out: int = 0
    costs: list[Cost] = dataclass_field(default_factory=list)


def load(
    items: Iterable[Item],
    targets: Sequence[Target],
    bulk: Callable[[Callable[[NearbyError], None]], Bulk],
    modality: Modality,
    on_bad: OnBad,
    present: Present | None = None,
    part: Part = Part(),  # noqa: B008  # immutable
    first_place: int = 0,
    total: int | None = None,
) -> Load:
    """Encode items and send them.

    Parameters
    ----------
    items : iterable of Item
        In the order of the corpus.
    targets : sequence of Target
    bulk : callable
        Opens a `Bulk` that tells of refusals.
    modality : Modality
    on_bad : callable
        Told of items that are refused; raises, or lets the load go on.
    present : Present, optional
        Where some of the items may be already: those that are the same are not encoded again.
    part : Part
    first_place : int
        Place of the first item.
    total : int, optional
        Number of items, for the progress bar.
    """
    from tqdm import tqdm

    done = Load(costs=[target.cost for target in targets])

    def refused(error: NearbyError) -> None:
        done.left_out += 1
        done.items -= 1
        on_bad(CorpusError(str(error)))

    bar: Any = tqdm(total=total, desc="indexing", unit=" items", disable=None, leave=False, delay=1)
    try:
        with bulk(refused) as sending:
            for place, chunk in _chunks(items, first_place):
                done.read += len(chunk)
                bar.update(len(chunk))
                if not part.holds(place):
                    continue
                done.items += len(chunk)
                wanted = list(enumerate(chunk, start=place))
                if present is not None:
                    there = present.digests([item.id for item in chunk])
                    wanted = [(at, item) for at, item in wanted if there.get(item.id) != item_digest(item).hex()]
                _send(sending, wanted, targets, modality, refused)
        done.sent = sending.acknowledged
    finally:
        bar.close()
    return done


def _send(
    sending: Bulk,
    wanted: list[tuple[int, Item]],
    targets: Sequence[Target],
    modality: Modality,
    refused: Callable[[NearbyError], None],
) -> None:
    if not wanted:
        return
    try:
        columns = _encoded([item for _, item in wanted], targets)
    except (BadItemError, DimensionError):
        wanted = list(_encodable(wanted, targets, refused))
        columns = _encoded([item for _, item in wanted], targets) if wanted else []
    names = [target.field.field_name for target in targets]
    for (place, item), *values in zip(wanted, *columns, strict=True):
        try:
            document = document_of(item, place, modality, dict(zip(names, values, strict=True)))
            sending.put(key_of(item.id), document)
        except BadItemError as error:
            refused(error)


def _encoded(items: list[Item], targets: Sequence[Target]) -> list[list[Any]]:
    contents = [item.content for item in items]
    return [target.values(contents) for target in targets]


def _encodable(
    wanted: list[tuple[int, Item]], targets: Sequence[Target], refused: Callable[[NearbyError], None]
) -> Iterator[tuple[int, Item]]:
    """Pass on the items that every encoder takes, one by one, and name the others."""
    for place, item in wanted:
        try:
            _encoded([item], targets)
        except (BadItemError, DimensionError) as error:
            refused(type(error)(f"item '{item.id}': {error}"))
        else:
            yield place, item


def _chunks(items: Iterable[Item], first: int) -> Iterator[tuple[int, list[Item]]]:
    """Cut items into lists that lie in one part each, with the place of their first."""
    for _, placed in groupby(enumerate(items, start=first), key=lambda pair: pair[0] // CHUNK):
        for chunk in chunks(placed, CHUNK, lambda pair: item_bytes(pair[1])):
            yield chunk[0][0], [item for _, item in chunk]
