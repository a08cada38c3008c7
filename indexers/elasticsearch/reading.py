"""Requests that only read, which any node can answer; an incomplete answer is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from encoders.errors import IndexGoneError, PartMissingError, ServerError
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.client import cause_of, closed, connected, speaking
from indexers.elasticsearch.retry import SHORT, is_timeout, retried

#: Where there are several nodes, seconds after which a silent one is given up for the next; the last has all the time.
_ATTEMPT_SECONDS = (2.0, 2.0, 4.0, 4.0, 8.0)

T = TypeVar("T")


class Reader:
    """A server, as it is read; see `IndexAdmin` for the parameters."""

    def __init__(self, address: Address, retry_seconds: float = SHORT, named: bool = False) -> None:
        self.address, self.retry_seconds = address, retry_seconds
        self.client = connected(address.hosts, named)

    @contextmanager
    def asking(self) -> Iterator[Any]:
        """Yield the client; what it raises becomes one sentence."""
        with speaking(self.address.hosts):
            yield self.client

    @retried
    def read(self, ask: Callable[[Any], T]) -> T:
        """Ask what any node can answer: one that is silent is left soon, where there is another.

        Parameters
        ----------
        ask : callable
            Given the client; raises `PartMissingError` when what it got is not the whole answer.
        """
        for seconds in _ATTEMPT_SECONDS if len(self.address.hosts) > 1 else ():
            try:
                with self.asking() as client:
                    return ask(client.options(request_timeout=seconds, retry_on_timeout=False))
            except ServerError as error:
                if not is_timeout(error):
                    raise
        with self.asking() as client:
            return ask(client)

    def count(self, name: str, query: dict[str, Any] | None = None) -> int:
        """Count items (not the records of shards); what was written since the last refresh is not seen."""
        exists = {"exists": {"field": "place"}}
        asked = exists if query is None else {"bool": {"filter": [exists, query]}}

        def counted(client: Any) -> int:
            answer = client.count(index=name, query=asked)
            self._require_whole(answer)
            return int(answer["count"])

        return self.read(counted)

    def count_all(self, name: str) -> int:
        """Count all documents, including the records of a load's shards."""

        def counted(client: Any) -> int:
            answer = client.count(index=name)
            self._require_whole(answer)
            return int(answer["count"])

        return self.read(counted)

    @retried
    def refresh(self, name: str) -> None:
        """Make what was written visible."""
        with self.asking() as client:
            self._require_whole(client.indices.refresh(index=name))

    def _require_whole(self, answer: Any) -> None:
        """Refuse an answer that shards without a node have no share in; it comes with status 200."""
        if answer["_shards"]["failed"]:
            raise self.part_missing()

    def part_missing(self) -> PartMissingError:
        """Say that a part of the index does not answer."""
        return PartMissingError(
            f"a part of the index '{self.address.name}' did not answer: look at the health of its nodes"
        )

    def documents(self, name: str, keys: list[str], fields: list[str]) -> list[dict[str, Any]]:
        """Return the documents of some keys, with some fields of their source, in their order; ``found`` or not.

        Raises
        ------
        PartMissingError
            When it cannot be said of one whether it is there.
        """

        def fetched(client: Any) -> list[dict[str, Any]]:
            documents: list[dict[str, Any]] = client.mget(index=name, ids=keys, source_includes=fields)["docs"]
            if len(documents) != len(keys):
                raise ValueError(f"it holds {len(documents)} of {len(keys)} documents")
            for document in documents:
                if document.get("found"):
                    _ = document["_id"], document["_source"].items()
                if "error" in document:
                    kind, _ = cause_of(document)
                    if kind == "index_not_found_exception":
                        raise IndexGoneError(f"Elasticsearch at {self.address.hosts[0]} has no index '{name}' any more")
                    if kind == "index_closed_exception":
                        raise ServerError(closed(document))
                    raise self.part_missing()
            return documents

        return self.read(fetched)

    def bytes(self, name: str) -> int:
        """Return the size on disk of one copy of an index."""
        with self.asking() as client:
            stats = client.indices.stats(index=name, metric="store", filter_path="_all.primaries.store.size_in_bytes")
            return int(stats["_all"]["primaries"]["store"]["size_in_bytes"])
