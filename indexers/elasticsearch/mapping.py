"""The settings and mappings with which an index is created."""

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
        """Return the settings of an index during a load: without refreshes and replicas."""
        words = [field for field in self.fields.values() if isinstance(field, WordsField)]
        return {
            "number_of_shards": address.shards,
            "number_of_replicas": 0,
            "refresh_interval": "-1",
            "similarity": {similarity_name(field.lexicon): field.similarity for field in words},
            # saves a quarter of the disk: documents, with vectors as JSON, take most of it
            "codec": "best_compression",
            "unassigned.node_left.delayed_timeout": "0s",
        }

    def mappings(self, meta: dict[str, Any]) -> dict[str, Any]:
        """Return the mappings: the fields of an item, and one field for each space."""
        return {
            "dynamic": "strict",
            "_meta": meta,
            "properties": {**ITEM_FIELDS, **{name: field.mapping() for name, field in self.fields.items()}},
        }


#: Fields of a document besides its spaces: its position in the order of items ("place"); for filters its label, its
#: metadata and columns ("meta"), and those of them that are numbers, as texts in their order ("number"); the item
#: itself (not indexed), the digest that shows changes, its key as a column, an id that Elasticsearch cannot take as key
#: ("own_id"), and which shard of a load a record describes ("part").
ITEM_FIELDS: dict[str, Any] = {
    "place": {"type": "long"},
    "label": {"type": "keyword", "ignore_above": 8191},
    "meta": {"type": "flattened", "ignore_above": 8191, "depth_limit": 2},
    "number": {"type": "flattened", "depth_limit": 2},
    "item": {"type": "object", "enabled": False},
    "digest": {"type": "keyword", "index": False},
    "key": {"type": "keyword", "index": False},
    "own_id": {"type": "keyword", "index": False},
    "part": {"type": "object", "enabled": False},
}
