"""The indexes at an address that are not served: stale ones, which can be removed, and those that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace

from encoders.errors import OptionError
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.ownership import THIS, KeptIndex, StaleIndex, unserved_indexes
from retrieval.collection.base import Collection

_PREFIX = "elasticsearch:"


@dataclass(frozen=True)
class Indexes:
    """The indexes at an address that nearby has made.

    Attributes
    ----------
    address : str
    served : str or None
        The index that is served.
    items : int
        Of that index.
    stale : list of StaleIndex
        Those that serve nobody.
    kept : list of KeptIndex
        Those that are not served and stay.
    removed : list of str
        Which of the stale ones were removed.
    """

    address: str
    served: str | None
    items: int
    stale: list[StaleIndex]
    kept: list[KeptIndex]
    removed: tuple[str, ...] = ()


def is_address(text: str) -> bool:
    """Tell whether a text is the address of an index rather than a folder.

    Examples
    --------
    >>> is_address("elasticsearch:http://localhost:9200/news"), is_address("news")
    (True, False)
    """
    return text.startswith(_PREFIX)


def indexes_at(text: str, identity: str | None = None) -> Indexes:
    """Return what is at an address.

    Parameters
    ----------
    text : str
    identity : str, optional
        Of the collection that asks, whose folder names the address; by default the user does, and of the one that is
        served.

    Raises
    ------
    OptionError
        For what is no address.
    ServerError
        When the server cannot be reached.
    """
    admin = _site(text, named=identity is None)
    served = admin.behind(admin.address.name)
    stale, kept = unserved_indexes(admin, identity)
    return Indexes(text, served, admin.count(served) if served else 0, stale, kept)


def indexes_of(collection: Collection) -> Indexes:
    """Return what is at the address of a collection, as seen from it.

    Raises
    ------
    OptionError
        For a collection that is not on a server.
    """
    return indexes_at(collection.manifest.server or str(collection.folder), collection.manifest.identity)


def remove_stale(found: Indexes, yes: bool = False) -> Indexes:
    """Remove stale indexes: those that the same collection has made; with `yes`, all that nearby has made.

    Raises
    ------
    ServerError
        When the server cannot be reached, or refuses.
    """
    names = tuple(one.name for one in found.stale if yes or one.maker == THIS)
    _site(found.address, named=False).remove(names)
    return replace(found, removed=names)


def _site(text: str, named: bool) -> IndexAdmin:
    if not is_address(text):
        raise OptionError(f"'{text}' is no address of an index, as in elasticsearch:http://localhost:9200/news")
    return IndexAdmin(Address.read(parse_description(text).backend), named=named)
