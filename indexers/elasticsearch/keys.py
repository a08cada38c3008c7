"""Keys of documents: Elasticsearch takes ids of 1 to 512 bytes of valid Unicode; other ids get a digest as key."""

from __future__ import annotations

import hashlib
import json

from encoders.errors import BadItemError

#: The first character of a key that is a digest; an id that begins with it gets a digest too.
MARK = "~"
_LONGEST_BYTES = 512
#: Such an id is stored in a field of the document, as JSON; Lucene takes 32,766 bytes.
_LONGEST_STORED = 32_766


def key_of(id: str) -> str:
    """Return the key under which an id is stored.

    Raises
    ------
    BadItemError
        For an id that is too long for a field.

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
    if length > _LONGEST_STORED:
        raise BadItemError(
            f"the id '{id[:40]}…' has {length:,} bytes as JSON; Elasticsearch takes at most {_LONGEST_STORED:,}"
        )
    return MARK + hashlib.sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def stored_id(id: str) -> str | None:
    """Return the id as JSON, which can hold invalid Unicode, if it differs from its key; else None."""
    return None if key_of(id) == id else json.dumps(id)


def id_of(key: str, stored: str | None) -> str:
    """Return the id of a document with this key and, if they differ, this `stored_id`."""
    return key if stored is None else str(json.loads(stored))


def _encodes(id: str) -> bool:
    try:
        id.encode()
    except UnicodeEncodeError:
        return False
    return True
