"""What an index holds, read document by document: nothing lost, nothing twice, nothing of another time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.paginate import read_documents


class Held(NamedTuple):
    """What was found, beside what was expected."""

    documents: int
    counted: int
    lost: int
    missing: int
    twice: int
    strange: int

    @property
    def right(self) -> bool:
        """Whether all is as it should be."""
        return self.counted == self.documents and not (self.lost or self.missing or self.twice or self.strange)


def held(admin: IndexAdmin, expected: Mapping[str, str], acknowledged: Iterable[str]) -> Held:
    """Compare the index that is served with what it should hold.

    Parameters
    ----------
    admin : IndexAdmin
    expected : mapping
        Key -> the generation that its item says it is of.
    acknowledged : iterable of str
        Keys that the server has said it has.
    """
    index = admin.behind(admin.address.name)
    assert index is not None
    admin.refresh(index)
    found: Counter[str] = Counter()
    strange = 0
    for hit in read_documents(admin, index, ["item.metadata"]):
        found[hit["_id"]] += 1
        strange += generation_of(hit) != expected.get(hit["_id"])
    return Held(
        documents=found.total(),
        counted=admin.count(index),
        lost=len(set(acknowledged) - found.keys()),
        missing=len(expected.keys() - found.keys()),
        twice=found.total() - len(found),
        strange=strange,
    )


def generation_of(hit: Any) -> str | None:
    """Return the generation of a document's item."""
    metadata = hit["_source"]["item"]["metadata"]
    return None if metadata is None else json.loads(metadata).get("generation")
