"""Whose the indexes of a name are: only one that carries nearby's mark and a collection's own identity is its own.

Names prove nothing: ``logz-000001`` is also what Elasticsearch's rollover makes. Everything here reads the mapping's
``_meta``; an index without nearby's mark is never listed, overwritten or removed, only its name is avoided.
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
#: The key of ``_meta`` that holds the identity of the maker.
IDENTITY = "identity"

#: The maker of an index, seen from one collection.
THIS, ANOTHER, UNKNOWN, COMPARISON = (
    "this collection",
    "another collection",
    "an older nearby",
    "a comparison",
)


def new_identity() -> str:
    """Return a random identity for a collection that is created."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class NearbyIndex:
    """An index that nearby has made under a name.

    Attributes
    ----------
    name : str
    kind : str
        `COLLECTION` or `ONE_SPACE`.
    identity : str
        Of its maker; empty where a nearby made it that kept none.
    number : int
        Indexes of a collection are numbered in the order of their making.
    aliases : frozenset of str
    kept : bool
        Whether a saved folder names this index of one space.
    closed : bool
        Whether somebody has closed it: it can be opened or deleted, and nothing else.
    """

    name: str
    kind: str
    identity: str
    number: int
    aliases: frozenset[str]
    kept: bool
    closed: bool

    def serves(self, own: Iterable[str]) -> bool:
        """Tell whether an alias other than the `own` ones of nearby names it: somebody may search it."""
        return bool(self.aliases - {write_alias(self.name), *own})


@dataclass(frozen=True)
class StaleIndex:
    """An index that nearby has made and that is no longer served.

    Attributes
    ----------
    name : str
    documents : int or None
        How many it holds; None of a closed one, which does not say.
    loading : bool
        Whether it is an unfinished load.
    maker : str
        `THIS`, `ANOTHER`, `UNKNOWN` or `COMPARISON`: what is not `THIS` is removed only with ``--yes``.
    """

    name: str
    documents: int | None
    loading: bool
    maker: str


@dataclass(frozen=True)
class KeptIndex:
    """An index that is not served and stays: whoever opened the collection before the swap still searches it."""

    name: str
    documents: int | None
    reason: str


def nearby_indexes(admin: IndexAdmin) -> list[NearbyIndex]:
    """Return the indexes that nearby has made under the name of an address, by kind and number."""
    name = admin.address.name
    closed = admin.names_like(f"{name}-*").closed
    found = []
    for index, said in admin.described(f"{name}-*").items():
        meta = said.meta
        kind, numbered = meta.get(MADE_BY), is_numbered_name(index, name)
        if not ((kind == COLLECTION and numbered) or (kind == ONE_SPACE and is_own_name(index, name))):
            continue
        found.append(
            NearbyIndex(
                index,
                kind,
                _identity_in(meta),
                int(index.rpartition("-")[2]) if numbered else 0,
                said.aliases,
                bool(meta.get(KEPT)),
                index in closed,
            )
        )
    return sorted(found, key=lambda one: (one.kind, one.number, one.name))


def next_free_name(admin: IndexAdmin) -> str:
    """Return a free name for the next index of a collection, with a higher number than all that nearby has made."""
    name = admin.address.name
    number = 1 + max((one.number for one in nearby_indexes(admin)), default=0)
    taken = admin.names_like(f"{name}-*").names
    while {f"{name}-{number:06}", write_alias(f"{name}-{number:06}")} & taken:
        number += 1
    return f"{name}-{number:06}"


def superseded(admin: IndexAdmin, index: str, identity: str) -> list[str]:
    """Return the indexes that a collection's new `index` makes needless: its own, but the last before it.

    That one is still searched by whoever opened the collection before the swap.
    """
    own = [one for one in nearby_indexes(admin) if one.kind == COLLECTION and identity and one.identity == identity]
    (number,) = [one.number for one in own if one.name == index] or [0]
    before = [one for one in own if one.number < number]
    return [one.name for one in before[:-1] if not one.serves([admin.next])]


def unserved(admin: IndexAdmin, identity: str | None = None) -> tuple[list[StaleIndex], list[KeptIndex]]:
    """Return the stale indexes of a name, and those that are kept though they are not served.

    Parameters
    ----------
    admin : IndexAdmin
    identity : str, optional
        Of the collection that asks; by default that of the index which is served.
    """
    served, loading = admin.behind(admin.address.name), admin.behind(admin.next)
    found = nearby_indexes(admin)
    present = next((one for one in found if one.name == served), None)
    identity = (present.identity if present else "") if identity is None else identity
    before = [one for one in found if present and one.kind == COLLECTION and one.number < present.number]
    before = [one for one in before if present and one.identity == present.identity]
    stale: list[StaleIndex] = []
    kept: list[KeptIndex] = []
    for one in found:
        if one.name == served:
            continue
        documents = _documents(admin, one)
        if one in before[-1:]:
            kept.append(KeptIndex(one.name, documents, "for whoever opened the collection before the swap"))
        elif one.kept:
            kept.append(KeptIndex(one.name, documents, "for the saved folder that names it"))
        elif one.serves([admin.next]):
            others = ", ".join(sorted(one.aliases - {write_alias(one.name), admin.next}))
            kept.append(KeptIndex(one.name, documents, f"for the alias {others}"))
        else:
            stale.append(StaleIndex(one.name, documents, one.name == loading, _maker(one, identity)))
    return stale, kept


def is_own_name(index: str, name: str) -> bool:
    """Tell whether an index is called as nearby calls one that holds one space alone.

    Examples
    --------
    >>> is_own_name("news-own-0123456789ab", "news"), is_own_name("news-own-000001", "news"), is_own_name("*", "news")
    (True, False, False)
    """
    return re.fullmatch(rf"{re.escape(name)}-own-[0-9a-f]{{12}}", index) is not None


def is_numbered_name(index: str, name: str) -> bool:
    """Tell whether an index is called as nearby calls one of a collection.

    Examples
    --------
    >>> is_numbered_name("news-000001", "news"), is_numbered_name("news-own-000001", "news")
    (True, False)
    """
    return re.fullmatch(rf"{re.escape(name)}-\d{{6,}}", index) is not None


def require_maker(admin: IndexAdmin, index: str, identity: str) -> None:
    """Refuse an index of one space that is not the one a folder was saved from.

    Raises
    ------
    ServerError
        When nearby has not made it, or another did.
    """
    meta = admin.meta(index)
    if meta.get(MADE_BY) != ONE_SPACE or (identity and _identity_in(meta) != identity):
        raise ServerError(f"'{index}' is not the index that this folder was saved from: index the items again")


def _identity_in(meta: dict[str, Any]) -> str:
    found = meta.get(IDENTITY)
    return found if isinstance(found, str) else ""


def _maker(one: NearbyIndex, identity: str) -> str:
    if one.kind == ONE_SPACE:
        return COMPARISON
    if not one.identity:
        return UNKNOWN
    return THIS if one.identity == identity else ANOTHER


def _documents(admin: IndexAdmin, one: NearbyIndex) -> int | None:
    if one.closed:
        return None
    with suppress(ServerError):  # who may only read sees what the last refresh has made visible
        admin.refresh(one.name)  # nothing else makes the documents of an unfinished load visible
    return admin.count_all(one.name)
