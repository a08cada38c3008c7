"""The ids of the items in a ``.nby`` file: one compressed block for each chunk, none where ids are positions."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from encoders.errors import ArtifactError
from encoders.json_text import parse_json
from retrieval.applications.compression.nby_reader import NbyReader

STREAM = "ids"
#: Largest size of the ids of one chunk, decompressed: a small file cannot ask for much memory.
MAX_BYTES = 1 << 26


def pack_ids(ids: Sequence[str], first: int) -> bytes:
    """Return the ids of a chunk whose first item has position `first`; no bytes if each is the position of its item.

    Examples
    --------
    >>> pack_ids(["7", "8"], 7), len(pack_ids(["a", "b"], 7)) > 0
    (b'', True)

    Raises
    ------
    ArtifactError
        When they are too long.
    """
    if all(id == str(first + row) for row, id in enumerate(ids)):
        return b""
    text = json.dumps(list(ids), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    if len(text) > MAX_BYTES:
        raise ArtifactError(f"the ids of {len(ids):,} items have {len(text):,} bytes: take smaller chunks")
    return zlib.compress(text, 9)


def unpack_ids(data: bytes, items: range) -> list[str]:
    """Return the ids that `pack_ids` packed.

    Raises
    ------
    ValueError
        When they are not the ids of so many items.
    """
    if not data:
        return [str(position) for position in items]
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(text) > MAX_BYTES or not stream.eof:
        raise ValueError(f"they are cut, or larger than {MAX_BYTES:,} bytes")
    ids = parse_json(text.decode("utf-8", "surrogatepass"))
    if not isinstance(ids, list) or len(ids) != len(items) or not all(isinstance(id, str) for id in ids):
        raise ValueError(f"they are not the ids of {len(items)} items")
    return ids


def read_ids(reader: NbyReader, chunk: int) -> list[str]:
    """Return the ids of the items of a chunk.

    Raises
    ------
    DamagedChunkError
    """
    try:
        return unpack_ids(reader.chunk(STREAM, chunk), reader.header.items_of(chunk))
    except ValueError as error:
        raise reader.damaged(chunk, f"cannot be read: {error}", STREAM) from None
