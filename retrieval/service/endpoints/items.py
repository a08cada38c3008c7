"""What a collection holds: its spaces and filters, its items, their pictures and sounds."""

from __future__ import annotations

import io
from itertools import islice
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality
from encoders.errors import CollectionError
from encoders.row import Row
from encoders.sound import Sound
from retrieval.collection.base import Collection
from retrieval.corpora.base import Item
from retrieval.search.result import show
from retrieval.search.row_query import columns_of
from retrieval.service.bodies import PageQuery
from retrieval.service.operations import Media, Operation, OperationRequest
from retrieval.service.problem import Problem
from retrieval.service.replies.collections import CollectionInfo, FilterInfo, SpaceInfo
from retrieval.service.replies.items import ItemReply, ItemsReply
from retrieval.spaces.saved_space import SpaceRecord

#: Most values of a filter that are listed.
MAX_VALUES = 100


def collection_info(collection: Collection, asked: OperationRequest) -> CollectionInfo:
    """Return what a collection holds; the folder that it is in stays unsaid."""
    info = collection.info()
    return CollectionInfo(
        name=asked.collection,
        corpus=info.corpus if not info.corpus.startswith(("/", ".", "~")) else asked.collection,
        modality=str(info.modality),
        generation=info.generation,
        items=info.items,
        digest=info.digest,
        bytes=info.bytes,
        on_server=bool(info.server),
        columns=list(columns_of(collection)) if info.modality is Modality.ROW else [],
        spaces=[_space(record, info.digest) for record in info.spaces],
        filters=[
            FilterInfo(
                field=one.name, items=one.items, n_values=len(one.values),
                values=dict(islice(one.values.items(), MAX_VALUES)),
            )
            for one in collection.filters()
        ],
    )  # fmt: skip


def _space(record: SpaceRecord, digest: str) -> SpaceInfo:
    return SpaceInfo(
        spec=record.spec,
        index=record.index,
        dim=record.space["dim"],
        kind=record.space["kind"],
        metric=record.space["metric"],
        shape=record.space.get("shape"),
        fit_seconds=record.fit_seconds,
        encode_seconds=record.encode_seconds,
        code_bytes=record.code_bytes,
        fitted_on_present_items=record.fitted_on == digest,
    )


def items(collection: Collection, asked: OperationRequest) -> ItemsReply:
    """Return a page of the items, in their order; or those with some ids, in the order of the ids."""
    page: PageQuery = asked.parameters
    if page.id:
        named = _named(collection, page.id)
        some = named[page.offset : page.offset + page.limit]
        return ItemsReply(
            total=len(named), offset=page.offset, items=[_reply(item, asked.collection) for item in some]
        )  # fmt: skip
    page_items = collection.items.page(page.offset, page.limit)
    return ItemsReply(
        total=collection.items.size, offset=page.offset, items=[_reply(item, asked.collection) for item in page_items]
    )


def item(collection: Collection, asked: OperationRequest) -> ItemReply:
    """Return one item."""
    return _reply(_item(collection, asked), asked.collection, whole=True)


def media(collection: Collection, asked: OperationRequest) -> Media:
    """Return the picture of an item as PNG, or its sound as WAV."""
    return media_of(_item(collection, asked).content)


def media_of(content: Any) -> Media:
    """Return a picture as PNG, or a sound as WAV.

    Raises
    ------
    Problem
        404 for other contents.
    """
    stream = io.BytesIO()
    if isinstance(content, Sound):
        from encoders.sound import sound_library

        sound_library("soundfile").write(stream, content.samples, content.rate, format="WAV", subtype="PCM_16")
        return Media(stream.getvalue(), "audio/wav")
    if is_picture(content):
        from PIL import Image

        Image.fromarray(content).save(stream, "PNG")
        return Media(stream.getvalue(), "image/png")
    raise Problem(404, "the item is neither a picture nor a sound")


def is_picture(content: Any) -> TypeGuard[NDArray[np.uint8]]:
    """Return whether the content of an item is a picture."""
    return isinstance(content, np.ndarray) and content.dtype == np.uint8 and content.ndim in (2, 3)


def _item(collection: Collection, asked: OperationRequest) -> Item:
    return _named(collection, [asked.path["id"]])[0]


def _named(collection: Collection, ids: list[str]) -> list[Item]:
    try:
        return collection.items.get(ids)
    except CollectionError as error:
        raise Problem(404, str(error)) from None


def _reply(item: Item, collection: str, whole: bool = False) -> ItemReply:
    """Return an item; its text or vector only when it is asked for alone."""
    from urllib.parse import quote

    content = item.content
    made = ItemReply(
        id=item.id,
        title=show(item).title if isinstance(content, str) else item.title,
        label=item.label,
        metadata=dict(item.metadata),
    )
    if isinstance(content, str):
        made.text = content if whole else None
    elif isinstance(content, Row):
        made.row = dict(zip(content.names, content.values, strict=True))
    elif isinstance(content, Sound):
        made.seconds = content.seconds
    elif is_picture(content):
        made.shape = list(content.shape)
    else:
        made.vector = np.asarray(content, np.float64).tolist() if whole else None
    if isinstance(content, Sound) or is_picture(content):
        made.media = f"/v1/collections/{quote(collection, safe='')}/media/{quote(item.id, safe='')}"
    return made


OPERATIONS = (
    Operation("collection", "GET", "", "Say what a collection holds", collection_info, CollectionInfo),
    Operation("items", "GET", "/items", "List items", items, ItemsReply, parameters=PageQuery),
    Operation("item", "GET", "/items/{id}", "Get one item", item, ItemReply),
    Operation(
        "media", "GET", "/media/{id}", "Get the picture or sound of an item", media, Media,
        media=("image/png", "audio/wav"),
    ),
)  # fmt: skip
