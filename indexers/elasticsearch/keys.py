"""Ids as Elasticsearch can have them: 1 to 512 bytes of valid Unicode; others go by a digest."""

from __future__ import annotations

import hashlib
import json

from encoders.errors import BadItemError

#: Begins the key of an id that Elasticsearch cannot have, and of one that begins so itself.
MARK = "~"
_LONGEST_BYTES = 512
#: The id itself stands in a field of the document then, as JSON, of which Lucene takes 32,766 bytes.
_LONGEST_OWN = 32_766


def key_of(id: str) -> str:
    """Return the key that an id is stored under.

    Raises
    ------
    BadItemError
        For an id that is too long for any field.

    Examples
    --------
    >>> key_of("d7"), key_of("")[:8]
    ('d7', '~e3b0c44')
    """
    if id and not id.startswith(MARK) and "\x00" not in id:
        if len(id) <= _LONGEST_BYTES // 4:
            if id.isascii() or _encodes(id):
                return id
        elif _encodes(id) and len(id.encode()) <= _LONGEST_BYTES:
            return id
    length = len(json.dumps(id))
    if length > _LONGEST_OWN:
        raise BadItemError(f"the id '{id[:40]}…' has {length:,} bytes as JSON; Elasticsearch holds {_LONGEST_OWN:,}")
    return MARK + hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def own_id(id: str) -> str | None:
    """Return what a document keeps of an id whose key is another: JSON, which can hold what is no valid Unicode."""
    return None if key_of(id) == id else json.dumps(id)


def id_of(key: str, own: str | None) -> str:
    """Return the id that was stored as `key` and, where that is another, `own`."""
    return key if own is None else str(json.loads(own))


def _encodes(id: str) -> bool:
    try:
        id.encode()
    except UnicodeEncodeError:
        return False
    return True
