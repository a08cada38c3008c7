"""Ownership of indexes: an index belongs to a collection if it carries nearby's mark and the collection's identity.

Names prove nothing: Elasticsearch's rollover also makes ``logz-000001``. Everything here reads the mapping's
``_meta``. An index without nearby's mark is never listed, overwritten or removed; only its name is avoided.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from encoders.errors import ServerError
from indexers.elasticsearch.index_admin import KEPT, MADE_BY, IndexAdmin, write_alias

#: Values in ``_meta`` for the two kinds of index that nearby makes.
COLLECTION, ONE_SPACE = "a collection", "an index"
#: The key of ``_meta`` for the identity of the collection that made the index.
IDENTITY = "identity"

#: The maker of an index, from the point of view of one collection.
THIS, ANOTHER, UNKNOWN, COMPARISON = (
    "this collection",
    "another collection",
    "an older nearby",
    "a comparison",
)


def new_identity() -> str:
    """Return a random identity for a new collection."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class NearbyIndex:
    """An index that nearby made under a name.

    Attributes
    ----------
    name : str
    kind : str
        `COLLECTION` or `ONE_SPACE`.
    identity : str
        Of the collection that made it; empty if an older nearby made it.
    number : int
        Number of the index; a collection numbers its indexes in order of creation.
    aliases : frozenset of str
    kept : bool
        Whether a saved folder names this index of a single space.
    closed : bool
        Whether it is closed: a closed index can only be opened or deleted.
    """

    name: str
    kind: str
    identity: str
    number: int
    aliases: frozenset[str]
    kept: bool
    closed: bool

    def is_served(self, ignored: Iterable[str]) -> bool:
        """Return whether an alias names it, besides its write alias and `ignored` ones: somebody may search it."""
        return bool(self.aliases - {write_alias(self.name), *ignored})


@dataclass(frozen=True)
class StaleIndex:
    """An index that nearby made and that is not served.

    Attributes
    ----------
    name : str
    documents : int or None
        Number of documents; None for a closed index, which does not tell.
    loading : bool
        Whether it is an unfinished load.
    maker : str
        `THIS`, `ANOTHER`, `UNKNOWN` or `COMPARISON`: others than `THIS` are removed only with ``--yes``.
    """

    name: str
    documents: int | None
    loading: bool
    maker: str


@dataclass(frozen=True)
class KeptIndex:
    """An index that is not served, but still in use, for the reason given."""

    name: str
    documents: int | None
    reason: str


def nearby_indexes(admin: IndexAdmin) -> list[NearbyIndex]:
    """Return the indexes that nearby made under the name of an address, by kind and number."""
    name = admin.address.name
    closed = admin.taken_names(f"{name}-*").closed
    indexes = []
    for index, state in admin.states(f"{name}-*").items():
        meta = state.meta
        kind, numbered = meta.get(MADE_BY), is_numbered_name(index, name)
        if not ((kind == COLLECTION and numbered) or (kind == ONE_SPACE and is_single_space_name(index, name))):
            continue
        indexes.append(
            NearbyIndex(
                index,
                kind,
                _identity_in(meta),
                int(index.rpartition("-")[2]) if numbered else 0,
                state.aliases,
                bool(meta.get(KEPT)),
                index in closed,
            )
        )
    return sorted(indexes, key=lambda one: (one.kind, one.number, one.name))


def next_free_name(admin: IndexAdmin) -> str:
    """Return a free name for the next index of a collection, with a higher number than all that nearby made."""
    name = admin.address.name
    number = 1 + max((one.number for one in nearby_indexes(admin)), default=0)
    taken = admin.taken_names(f"{name}-*").names
    while {f"{name}-{number:06}", write_alias(f"{name}-{number:06}")} & taken:
        number += 1
    return f"{name}-{number:06}"


def superseded_indexes(admin: IndexAdmin, index: str, identity: str) -> list[str]:
    """Return the older indexes of a collection that are no longer needed beside its new `index`.

    The last one before `index` is kept, for processes that opened the collection before the swap.
    """
    collection_indexes = [
        one for one in nearby_indexes(admin) if one.kind == COLLECTION and identity and one.identity == identity
    ]
    (number,) = [one.number for one in collection_indexes if one.name == index] or [0]
    before = [one for one in collection_indexes if one.number < number]
    return [one.name for one in before[:-1] if not one.is_served([admin.next])]


def unserved_indexes(admin: IndexAdmin, identity: str | None = None) -> tuple[list[StaleIndex], list[KeptIndex]]:
    """Return the stale indexes of a name, and the kept indexes, which are not served but in use.

    Parameters
    ----------
    admin : IndexAdmin
    identity : str, optional
        Of the collection; by default that of the served index.
    """
    served, loading = admin.behind(admin.address.name), admin.behind(admin.next)
    indexes = nearby_indexes(admin)
    present = next((one for one in indexes if one.name == served), None)
    identity = (present.identity if present else "") if identity is None else identity
    before = [one for one in indexes if present and one.kind == COLLECTION and one.number < present.number]
    before = [one for one in before if present and one.identity == present.identity]
    stale: list[StaleIndex] = []
    kept: list[KeptIndex] = []
    for one in indexes:
        if one.name == served:
            continue
        documents = _documents(admin, one)
        if one in before[-1:]:
            kept.append(KeptIndex(one.name, documents, "for processes that opened the collection before the swap"))
        elif one.kept:
            kept.append(KeptIndex(one.name, documents, "for the saved folder that names it"))
        elif one.is_served([admin.next]):
            others = ", ".join(sorted(one.aliases - {write_alias(one.name), admin.next}))
            kept.append(KeptIndex(one.name, documents, f"for the alias {others}"))
        else:
            stale.append(StaleIndex(one.name, documents, one.name == loading, _maker(one, identity)))
    return stale, kept


def is_single_space_name(index: str, name: str) -> bool:
    """Return whether an index has a name as of `single_space_name`.

    Examples
    --------
    >>> is_single_space_name("news-own-0123456789ab", "news"), is_single_space_name("news-own-000001", "news")
    (True, False)
    """
    return re.fullmatch(rf"{re.escape(name)}-own-[0-9a-f]{{12}}", index) is not None


def is_numbered_name(index: str, name: str) -> bool:
    """Return whether an index has a name as of an index of a collection.

    Examples
    --------
    >>> is_numbered_name("news-000001", "news"), is_numbered_name("news-own-000001", "news")
    (True, False)
    """
    return re.fullmatch(rf"{re.escape(name)}-\d{{6,}}", index) is not None


def require_maker(admin: IndexAdmin, index: str, identity: str) -> None:
    """Refuse an index of a single space that is not the one of a saved folder.

    Raises
    ------
    ServerError
        When nearby did not make it, or another collection did.
    """
    meta = admin.meta(index)
    if meta.get(MADE_BY) != ONE_SPACE or (identity and _identity_in(meta) != identity):
        raise ServerError(f"'{index}' is not the index of this folder: index the items again")


def _identity_in(meta: dict[str, Any]) -> str:
    identity = meta.get(IDENTITY)
    return identity if isinstance(identity, str) else ""


def _maker(one: NearbyIndex, identity: str) -> str:
    if one.kind == ONE_SPACE:
        return COMPARISON
    if not one.identity:
        return UNKNOWN
    return THIS if one.identity == identity else ANOTHER


def _documents(admin: IndexAdmin, one: NearbyIndex) -> int | None:
    if one.closed:
        return None
    with suppress(ServerError):  # a user who may only read sees the state of the last refresh
        admin.refresh(one.name)  # makes the documents of an unfinished load visible
    return admin.count_all(one.name)
