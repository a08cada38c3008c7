"""The items of a collection in Elasticsearch, as a corpus that is read page by page."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from encoders.batches import chunks
from encoders.codes import Modality
from encoders.errors import CollectionError, QueryError, ServerError
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.keys import id_of, key_of
from indexers.elasticsearch.paginate import positions_and_digests, read_documents
from retrieval.collection.elasticsearch.document import ITEM_FIELDS, item_in
from retrieval.collection.filter_sql import unmet_because
from retrieval.collection.filters import LABEL, Filter, fields_of, sortable, written
from retrieval.collection.item_store import ItemStore
from retrieval.collection.items import CollectionItems
from retrieval.corpora.base import Item, Qrels
from retrieval.corpora.item_record import metadata_of

_AT_ONCE = 1_000


class Present:
    """Looks up items of an index by id; acknowledged items are visible at once.

    Parameters
    ----------
    admin : IndexAdmin
    index : str
        Name of the index (not its alias).
    """

    def __init__(self, admin: IndexAdmin, index: str) -> None:
        self.admin, self.index = admin, index

    def digests(self, ids: Sequence[str]) -> dict[str, str]:
        """Return id -> digest of the items that exist."""
        return {id: digest for id, (_, digest) in self.positions(ids).items()}

    def positions(self, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return id -> position and digest of the items that exist."""
        documents = self.documents(ids, ["place", "digest", "own_id"])
        return {_id(one): (int(one["_source"]["place"]), str(one["_source"]["digest"])) for one in documents}

    def documents(self, ids: Sequence[str], fields: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the existing documents, with some fields of their source."""
        for keys in chunks(map(key_of, ids), _AT_ONCE):
            documents = self.admin.documents(self.index, keys, fields)
            yield from (document for document in documents if document.get("found"))


class ServedItems(CollectionItems):
    """Items on a server; the few queries and judgements are in a file.

    Parameters
    ----------
    admin : IndexAdmin
    index : str
        Name of the index (not its alias).
    name : str
        Name of the corpus.
    modality : Modality
    stored : ItemStore
        Holds queries and judgements, and no items.
    is_old : bool
        Whether an older nearby loaded them, which stored nothing but texts to filter by.
    """

    def __init__(
        self, admin: IndexAdmin, index: str, name: str, modality: Modality, stored: ItemStore, is_old: bool = False
    ) -> None:
        self.admin, self.index, self.name, self.modality = admin, index, name, modality
        self._stored, self.is_old = stored, is_old
        self.present = Present(admin, index)

    def __iter__(self) -> Iterator[Item]:
        return map(item_in, read_documents(self.admin, self.index, ITEM_FIELDS))

    def queries(self) -> Iterator[Item]:
        """Read the queries, or the items if the corpus had no separate queries."""
        return self._stored.queries() if self._stored.has_queries else iter(self)

    def qrels(self) -> Qrels | None:
        """Return the judgements of existing items; None if there are none."""
        qrels = self._stored.qrels() or {}
        judged = list(dict.fromkeys(item for grades in qrels.values() for item in grades))
        present = self.present.digests(judged)
        existing = {
            query: {id: grade for id, grade in grades.items() if id in present} for query, grades in qrels.items()
        }
        return {query: grades for query, grades in existing.items() if grades} or None

    @property
    def queries_are_items(self) -> bool:
        """True when queries are items of the corpus."""
        return self._stored.queries_are_items

    @property
    def size(self) -> int:
        """Number of items."""
        return self.admin.count(self.index)

    def digest(self) -> str:
        """Return a SHA-256 over the digests of the items in their order, which are read from the server."""
        self.admin.refresh(self.index)
        whole = hashlib.sha256()
        for position, digest in positions_and_digests(self.admin, self.index):
            try:
                whole.update(bytes.fromhex(digest))
            except ValueError:
                raise ServerError(
                    f"the digest of item {position:,} of '{self.index}' is damaged: index the corpus again"
                ) from None
        return whole.hexdigest()

    def get(self, ids: Sequence[str]) -> list[Item]:
        """Return items by id, in the order of `ids`; see `CollectionItems.get`."""
        items = {item.id: item for item in map(item_in, self.present.documents(ids, ITEM_FIELDS))}
        self._require_present(ids, items)
        return [items[id] for id in ids]

    def require(self, ids: Sequence[str]) -> None:
        """Refuse ids that are not there; see `CollectionItems.require`."""
        self._require_present(ids, self.present.digests(ids))

    def matching(self, filters: Sequence[Filter]) -> list[str]:
        """Return the ids of the items that satisfy every filter; see `CollectionItems.matching`."""
        hits = read_documents(self.admin, self.index, filters=clauses(filters, self.is_old), page=10_000)
        ids = [id_of(hit["_id"], hit["fields"].get("own_id", (None,))[0]) for hit in hits]
        if not ids:
            raise self.none_matches(filters)
        return ids

    def labels_and_fields(self, limit: int) -> Iterator[tuple[str | None, Mapping[str, str]]]:
        """Read the label and the other fields of the first items; see `CollectionItems.labels_and_fields`."""
        page = min(limit, 1_000)
        for document in islice(read_documents(self.admin, self.index, self._sources, page=page), limit):
            yield self._fields(document)

    @property
    def _sources(self) -> list[str]:
        """What of a document says its fields; the content only of rows."""
        return ITEM_FIELDS if self.modality is Modality.ROW else ["item.label", "item.metadata"]

    def _fields(self, document: dict[str, Any]) -> tuple[str | None, dict[str, str]]:
        """Return the label and the other fields of a document."""
        if self.modality is Modality.ROW:
            item = item_in(document)
            return item.label, fields_of(item.metadata, item.content)
        source = document["_source"]["item"]
        return source["label"], fields_of(metadata_of(source["metadata"]), None)

    def none_matches(self, filters: Sequence[Filter]) -> QueryError:
        """Return the error for filters that no item satisfies, with the filter that no item satisfies alone."""
        blamed = next(
            (one for one in filters if not self.admin.count(self.index, clauses([one], self.is_old)[0])), None
        )
        if blamed is None:
            return QueryError(f"no item has {written(filters)} at once" if filters else "the collection holds no item")
        has_field = {"exists": {"field": _field_of(blamed)}}
        held = self._some(has_field, blamed.field) if self.admin.count(self.index, has_field) else []
        return QueryError(unmet_because(blamed, held, [] if held else self._some({"exists": {"field": "place"}})))

    def _some(self, query: dict[str, Any], field: str | None = None) -> list[str]:
        """Return values of a field, or names of fields, as some items have them."""

        def asked(client: Any, routing: dict[str, str]) -> list[str]:
            answer = client.search(
                index=self.index, query=query, size=_AT_ONCE, source_includes=self._sources, **routing
            )
            labels_and_fields = map(self._fields, answer["hits"]["hits"])
            fields = [{**fields, LABEL: label} for label, fields in labels_and_fields]
            pairs = [(key, str(value)) for one in fields for key, value in one.items() if value is not None]
            return list(dict.fromkeys(value if field else key for key, value in pairs if field in (None, key)))

        return self.admin.read(asked)

    @property
    def last_position(self) -> int:
        """The highest position of an item, including those just written."""
        self.admin.refresh(self.index)
        last = {"last": {"max": {"field": "place"}}}

        def asked(client: Any, routing: dict[str, str]) -> int:
            answer = client.search(index=self.index, size=0, aggs=last, allow_partial_search_results=False, **routing)
            value = answer["aggregations"]["last"]["value"]
            return -1 if value is None else int(value)

        return self.admin.read(asked)

    def _first_ids(self, limit: int) -> list[str]:
        with self.admin.connection() as client:
            exists = {"exists": {"field": "place"}}  # not the records of shards
            answer = client.search(
                index=self.index, query=exists, size=limit, source=["own_id"], sort=[{"place": "asc"}]
            )
            return [_id(hit) for hit in answer["hits"]["hits"]]


def clauses(filters: Sequence[Filter], is_old: bool = False) -> list[dict[str, Any]]:
    """Return filters as Elasticsearch writes them.

    Raises
    ------
    CollectionError
        For a comparison that items lack which an older nearby loaded.

    Examples
    --------
    >>> clauses([Filter("label", "sport"), Filter("year", "2004")])
    [{'term': {'label': 'sport'}}, {'term': {'meta.year': '2004'}}]
    """
    if is_old and any(one.operator != "=" for one in filters):
        raise CollectionError(
            "an older nearby loaded this collection, whose items are filtered by KEY=VALUE only: index the corpus "
            "again with --rebuild"
        )
    return [_clause(one) for one in filters]


#: Below and above every text: a range over a field of metadata needs both ends.
_FIRST, _LAST = "", "\U0010ffff" * 8
_BOUNDS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def _clause(one: Filter) -> dict[str, Any]:
    field, number = _field_of(one), one.number
    if one.operator == "=":
        return {"term": {field: one.value}}
    if one.operator == "!=":
        return {"bool": {"filter": [{"exists": {"field": field}}], "must_not": [{"term": {field: one.value}}]}}
    first, last, bound = _FIRST, _LAST, one.value
    if number is not None:
        field, first, last, bound = f"number.{one.field}", "0" * 16, "f" * 16, sortable(number)
    other = {"gte": first} if one.operator in ("<", "<=") else {"lte": last}
    return {"range": {field: {_BOUNDS[one.operator]: bound, **other}}}


def _field_of(one: Filter) -> str:
    return LABEL if one.field == LABEL else f"meta.{one.field}"


def _id(document: dict[str, Any]) -> str:
    return id_of(document["_id"], document.get("_source", {}).get("own_id"))
