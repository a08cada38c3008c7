"""The measures of a comparison, query by query."""

from __future__ import annotations

from retrieval.service.replies.base import Reply


class PerQueryReply(Reply):
    """The values of one measure for some queries: `spaces` has a list for each space, in the order of `queries`."""

    measure: str
    measures: list[str]
    total: int
    offset: int
    queries: list[str]
    spaces: dict[str, list[float]]
