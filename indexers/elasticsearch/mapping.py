"""The fields of an index together: the settings and mappings that it is made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from indexers.elasticsearch.address import Address
from indexers.elasticsearch.fields import Field, WordsField, similarity_name


@dataclass(frozen=True)
class IndexMapping:
    """The fields of an index: name -> field."""

    fields: dict[str, Field]

    def settings(self, address: Address) -> dict[str, Any]:
        """Return the settings of an index while it is loaded: nothing is refreshed or copied meanwhile."""
        words = [field for field in self.fields.values() if isinstance(field, WordsField)]
        return {
            "number_of_shards": address.shards,
            "number_of_replicas": 0,
            "refresh_interval": "-1",
            "similarity": {similarity_name(field.lexicon): field.similarity for field in words},
            # a quarter less disk: the documents, vectors as JSON among them, are most of it
            "codec": "best_compression",
            "unassigned.node_left.delayed_timeout": "0s",
        }

    def mappings(self, meta: dict[str, Any]) -> dict[str, Any]:
        """Return the mappings: an item's own, and one field a space."""
        return {
            "dynamic": "strict",
            "_meta": meta,
            "properties": {**OWN, **{name: field.mapping() for name, field in self.fields.items()}},
        }


#: What a document holds beside its spaces: its position in the order of items ("place"), label and metadata to filter
#: by, the item itself (not indexed), the digest by which a change is seen, its key as a column, an id that
#: Elasticsearch cannot have, and, of the records of a load's shards ("part"), which they are.
OWN: dict[str, Any] = {
    "place": {"type": "long"},
    "label": {"type": "keyword", "ignore_above": 8191},
    "meta": {"type": "flattened", "ignore_above": 8191, "depth_limit": 2},
    "item": {"type": "object", "enabled": False},
    "digest": {"type": "keyword", "index": False},
    "key": {"type": "keyword", "index": False},
    "own_id": {"type": "keyword", "index": False},
    "part": {"type": "object", "enabled": False},
}
