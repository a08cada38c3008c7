"""Reading all documents of an index, page by page, in the order of their places, as they were at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from indexers.elasticsearch.search import SHOWN
from indexers.elasticsearch.site import Site

#: A server keeps the view that we read for so long after each page.
_KEEP = "10m"


def scanned(
    site: Site,
    index: str,
    source: Sequence[str] | None = None,
    only: Sequence[dict[str, Any]] = (),
    page: int = 1_000,
) -> Iterator[dict[str, Any]]:
    """Yield hits: ``_id``, ``fields`` (place, own_id) and, where `source` names parts of it, ``_source``."""
    with site.asking() as client:
        view = client.open_point_in_time(index=index, keep_alive=_KEEP)["id"]
    after: list[Any] | None = None
    try:
        while True:
            with site.asking() as client:
                answer = client.search(
                    pit={"id": view, "keep_alive": _KEEP},
                    query={"bool": {"filter": [{"exists": {"field": "place"}}, *only]}},
                    sort=[{"place": "asc"}],
                    search_after=after,
                    size=page,
                    source=False if source is None else list(source),
                    docvalue_fields=SHOWN,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                )
            hits = answer["hits"]["hits"]
            yield from hits
            if len(hits) < page:
                return
            view, after = answer["pit_id"], hits[-1]["sort"]
    finally:
        with site.asking() as client:
            client.options(ignore_status=404).close_point_in_time(id=view)
