"""Requests that only read, which any node can answer; incomplete answers are errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from encoders.errors import IndexGoneError, PartMissingError, ServerError
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.client import cause_of, closed, connect, readable_errors
from indexers.elasticsearch.deadline import seconds_left
from indexers.elasticsearch.hedge import hedged
from indexers.elasticsearch.retry import SHORT, retried

T = TypeVar("T")


class Reader:
    """Reads from a server; see `IndexAdmin` for the parameters."""

    def __init__(self, address: Address, retry_seconds: float = SHORT, named: bool = False) -> None:
        self.address, self.retry_seconds = address, retry_seconds
        self.client = connect(address.hosts, named)

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """Yield the client; its errors become one sentence."""
        with readable_errors(self.address.hosts):
            yield self.client

    @retried
    def read(self, request: Callable[[Any, dict[str, str]], T]) -> T:
        """Send a request that any node can answer, and again to another host if there is no answer soon: see `hedge`.

        Parameters
        ----------
        request : callable
            Called, perhaps in another thread, with the client and the options of a search, count or get that send it
            round silent nodes; raises `PartMissingError` when the answer is incomplete.
        """

        def send(routing: dict[str, str]) -> T:
            with self.connection() as client:
                return request(client.options(request_timeout=seconds_left(), retry_on_timeout=False), routing)

        return hedged(self.client, send)

    def count(self, name: str, query: dict[str, Any] | None = None) -> int:
        """Count items (not the records of shards); documents written since the last refresh do not count."""
        exists = {"exists": {"field": "place"}}
        condition = exists if query is None else {"bool": {"filter": [exists, query]}}

        def counted(client: Any, routing: dict[str, str]) -> int:
            answer = client.count(index=name, query=condition, **routing)
            self._require_whole(answer)
            return int(answer["count"])

        return self.read(counted)

    def count_all(self, name: str) -> int:
        """Count all documents, including the records of a load's shards."""

        def counted(client: Any, routing: dict[str, str]) -> int:
            answer = client.count(index=name, **routing)
            self._require_whole(answer)
            return int(answer["count"])

        return self.read(counted)

    @retried
    def refresh(self, name: str) -> None:
        """Make written documents visible to searches."""
        with self.connection() as client:
            self._require_whole(client.indices.refresh(index=name))

    def _require_whole(self, answer: Any) -> None:
        """Refuse an answer that lacks shards without a node; its status is 200."""
        if answer["_shards"]["failed"]:
            raise self.part_missing_error()

    def part_missing_error(self) -> PartMissingError:
        """Return the error for an index of which a shard does not answer."""
        return PartMissingError(
            f"a part of the index '{self.address.name}' did not answer: check the health of its nodes"
        )

    def documents(self, name: str, keys: list[str], fields: list[str]) -> list[dict[str, Any]]:
        """Return the documents of keys, in their order, with some fields of their source and the entry ``found``.

        Raises
        ------
        PartMissingError
            When the server cannot tell whether a document exists.
        """

        def fetched(client: Any, routing: dict[str, str]) -> list[dict[str, Any]]:
            answer = client.mget(index=name, ids=keys, source_includes=fields, **routing)
            documents: list[dict[str, Any]] = answer["docs"]
            if len(documents) != len(keys):
                raise ValueError(f"it holds {len(documents)} of {len(keys)} documents")
            for document in documents:
                if document.get("found"):
                    _ = document["_id"], document["_source"].items()
                if "error" in document:
                    kind, _ = cause_of(document)
                    if kind == "index_not_found_exception":
                        raise IndexGoneError(
                            f"Elasticsearch at {self.address.hosts[0]} no longer has the index '{name}'"
                        )
                    if kind == "index_closed_exception":
                        raise ServerError(closed(document))
                    raise self.part_missing_error()
            return documents

        return self.read(fetched)

    def bytes(self, name: str) -> int:
        """Return the size on disk of one copy of an index."""
        with self.connection() as client:
            stats = client.indices.stats(index=name, metric="store", filter_path="_all.primaries.store.size_in_bytes")
            return int(stats["_all"]["primaries"]["store"]["size_in_bytes"])
