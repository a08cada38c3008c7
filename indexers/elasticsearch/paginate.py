"""Reading all documents of an index, page by page, in the order of their positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from encoders.errors import ServerError
from indexers.elasticsearch.client import cause_of
from indexers.elasticsearch.fields import WINDOW
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.query import SHOWN
from indexers.elasticsearch.retry import VIEW_LOST, retried

#: Time for which the server keeps the view after each page.
_KEEP = "10m"


def scanned(
    admin: IndexAdmin,
    index: str,
    source: Sequence[str] | None = None,
    only: Sequence[dict[str, Any]] = (),
    page: int = 1_000,
    shown: Sequence[str] = SHOWN,
) -> Iterator[dict[str, Any]]:
    """Yield hits: ``_id``, ``fields`` (those `shown`) and, where `source` names parts of it, ``_source``.

    They are as they were at one moment; where a node takes the view of it away, the rest is as it is then.
    """
    view = _View(admin, index, source, only, page, shown)
    try:
        while not view.ended:
            yield from view.page()
    finally:
        view.close()


def positions_and_digests(admin: IndexAdmin, index: str) -> Iterator[tuple[int, str]]:
    """Yield the position and the digest of every item of a collection's index, in the order of the positions."""
    for hit in scanned(admin, index, page=WINDOW, shown=("place", "digest")):
        yield int(hit["fields"]["place"][0]), str(hit["fields"].get("digest", ("",))[0])


class _View:
    """A point in time, and how far it was read."""

    def __init__(
        self,
        admin: IndexAdmin,
        index: str,
        source: Sequence[str] | None,
        only: Sequence[dict[str, Any]],
        page: int,
        shown: Sequence[str],
    ) -> None:
        self.admin, self.index, self.only, self.size = admin, index, only, page
        self.retry_seconds = admin.retry_seconds
        self.shown = {
            "sort": [{"place": "asc"}],
            "source": False if source is None else list(source),
            "docvalue_fields": list(shown),
            "track_total_hits": False,
            "allow_partial_search_results": False,
        }
        self.id: str | None = None
        self.last: list[dict[str, Any]] = []
        self.after: list[Any] | None = None
        self.behind: list[dict[str, Any]] = []
        self.ended = False

    @retried
    def page(self) -> list[dict[str, Any]]:
        """Return the hits that come next."""
        try:
            hits, self.id = self._asked()
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
        """Have the next page come from a new view, which begins with the position that was read last."""
        self.id = self.after = None
        if self.last:
            self.behind = [{"range": {"place": {"gte": self.last[-1]["fields"]["place"][0]}}}]

    def _asked(self) -> tuple[list[dict[str, Any]], str]:
        with self.admin.asking() as client:
            if self.id is None:
                self.id = str(client.open_point_in_time(index=self.index, keep_alive=_KEEP)["id"])
            answer = client.search(
                pit={"id": self.id, "keep_alive": _KEEP},
                query={"bool": {"filter": [{"exists": {"field": "place"}}, *self.only, *self.behind]}},
                search_after=self.after,
                size=self.size,
                **self.shown,
            )
            hits: list[dict[str, Any]] = answer["hits"]["hits"]
            for hit in hits:
                _ = hit["_id"], hit["sort"], hit["fields"]["place"][0]  # what is read of every hit
            return hits, str(answer["pit_id"])

    def close(self) -> None:
        """Close the view on the server; if the server does not answer, the view expires by itself."""
        if self.id is not None:
            with suppress(ServerError), self.admin.asking() as client:
                client.options(ignore_status=404).close_point_in_time(id=self.id)
