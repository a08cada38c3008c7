"""Reading all documents of an index, page by page, in the order of their positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from encoders.errors import ServerError
from indexers.elasticsearch.client import cause_of
from indexers.elasticsearch.fields import WINDOW
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.query import COLUMNS
from indexers.elasticsearch.retry import VIEW_LOST, retried

#: Time for which the server keeps the point in time after each page.
_KEEP = "10m"


def read_documents(
    admin: IndexAdmin,
    index: str,
    source: Sequence[str] | None = None,
    filters: Sequence[dict[str, Any]] = (),
    page: int = 1_000,
    columns: Sequence[str] = COLUMNS,
) -> Iterator[dict[str, Any]]:
    """Yield documents: ``_id``, ``fields`` (the `columns`) and, where `source` names parts of it, ``_source``.

    They show the index at one point in time. If a node loses that, the rest shows a later one.
    """
    view = _PointInTime(admin, index, source, filters, page, columns)
    try:
        while not view.ended:
            yield from view.page()
    finally:
        view.close()


def positions_and_digests(admin: IndexAdmin, index: str) -> Iterator[tuple[int, str]]:
    """Yield the position and the digest of every item of a collection's index, in the order of the positions."""
    for hit in read_documents(admin, index, page=WINDOW, columns=("place", "digest")):
        yield int(hit["fields"]["place"][0]), str(hit["fields"].get("digest", ("",))[0])


class _PointInTime:
    """A point in time of an index, and the position up to which it was read."""

    def __init__(
        self,
        admin: IndexAdmin,
        index: str,
        source: Sequence[str] | None,
        filters: Sequence[dict[str, Any]],
        page: int,
        columns: Sequence[str],
    ) -> None:
        self.admin, self.index, self.filters, self.size = admin, index, filters, page
        self.retry_seconds = admin.retry_seconds
        self.options = {
            "sort": [{"place": "asc"}],
            "source": False if source is None else list(source),
            "docvalue_fields": list(columns),
            "track_total_hits": False,
            "allow_partial_search_results": False,
        }
        self.id: str | None = None
        self.last: list[dict[str, Any]] = []
        self.after: list[Any] | None = None
        self.from_last: list[dict[str, Any]] = []
        self.ended = False

    @retried
    def page(self) -> list[dict[str, Any]]:
        """Return the next documents."""
        try:
            hits, self.id = self._request()
        except ServerError as error:
            if cause_of(getattr(error.__cause__, "body", None))[0] in VIEW_LOST:
                self._begin_again()
            raise
        known = {hit["_id"] for hit in self.last}
        self.ended = len(hits) < self.size
        if hits:
            self.last, self.after = hits, hits[-1]["sort"]
        return [hit for hit in hits if hit["_id"] not in known]

    def _begin_again(self) -> None:
        """Read the next page from a new point in time, from the position that was read last."""
        self.id = self.after = None
        if self.last:
            self.from_last = [{"range": {"place": {"gte": self.last[-1]["fields"]["place"][0]}}}]

    def _request(self) -> tuple[list[dict[str, Any]], str]:
        with self.admin.connection() as client:
            if self.id is None:
                self.id = str(client.open_point_in_time(index=self.index, keep_alive=_KEEP)["id"])
            answer = client.search(
                pit={"id": self.id, "keep_alive": _KEEP},
                query={"bool": {"filter": [{"exists": {"field": "place"}}, *self.filters, *self.from_last]}},
                search_after=self.after,
                size=self.size,
                **self.options,
            )
            hits: list[dict[str, Any]] = answer["hits"]["hits"]
            for hit in hits:
                _ = hit["_id"], hit["sort"], hit["fields"]["place"][0]  # raises if an answer lacks them
            return hits, str(answer["pit_id"])

    def close(self) -> None:
        """Close the point in time on the server; if the server does not answer, it expires by itself."""
        if self.id is not None:
            with suppress(ServerError), self.admin.connection() as client:
                client.options(ignore_status=404).close_point_in_time(id=self.id)
