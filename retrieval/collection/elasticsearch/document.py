"""An item and its codes as one document, and the item back again."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from encoders.codes import Modality
from encoders.errors import BadItemError, ServerError
from indexers.elasticsearch.keys import id_of, key_of, stored_id
from retrieval.collection.filters import LABEL, fields_of, number_of, sortable
from retrieval.corpora.base import Item
from retrieval.corpora.item_record import item_digest, item_of, record_of

#: What of a document is the item; the rest are codes.
ITEM_FIELDS = ["item", "own_id"]


def document_of(
    item: Item, position: int, modality: Modality, values: Mapping[str, Any], digest: str | None = None
) -> bytes:
    """Return a document as JSON.

    Parameters
    ----------
    item : Item
    position : int
        Its position in the order of items.
    modality : Modality
        Of the collection.
    values : mapping
        Field -> what it holds of the item's code.
    digest : str, optional
        The item's digest, where it is known already.

    Raises
    ------
    CorpusError, BadItemError
        For an item of another modality, or a text that is no valid Unicode.
    """
    import orjson

    _, content, shape, title, label, metadata = record_of(item, modality)
    document: dict[str, Any] = {
        "place": position,
        "key": key_of(item.id),
        "digest": item_digest(item).hex() if digest is None else digest,
        "item": {
            "content": content if isinstance(content, str) else base64.b64encode(content).decode(),
            "shape": shape,
            "title": title,
            "label": label,
            "metadata": metadata,
        },
        **values,
    }
    stored = stored_id(item.id)
    if stored is not None:
        document["own_id"] = stored
    fields = fields_of(item.metadata, item.content)
    if fields:
        document["meta"] = fields
    if label is not None:
        document["label"] = label
        fields = {**fields, LABEL: label}
    numbers = {key: sortable(number) for key, value in fields.items() if (number := number_of(value)) is not None}
    if numbers:
        document["number"] = numbers
    try:
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise BadItemError(f"item '{item.id}' cannot be sent: {error}") from None


def item_in(hit: Mapping[str, Any]) -> Item:
    """Return the item of a document.

    Raises
    ------
    ServerError
        When the document holds none.
    """
    source = hit.get("_source", {})
    try:
        record = source["item"]
        shape = record["shape"]
        content = record["content"] if shape is None else base64.b64decode(record["content"])
        id = id_of(hit["_id"], source.get("own_id"))
        return item_of((id, content, shape, record["title"], record["label"], record["metadata"]))
    except (KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
        raise ServerError(f"the document '{hit.get('_id')}' holds no item ({error}): index the corpus again") from None
