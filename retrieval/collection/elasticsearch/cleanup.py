"""The indexes at an address that are not served: stale ones, which can be removed, and those still in use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from encoders.errors import OptionError
from indexers.description import parse_description
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.index_admin import IndexAdmin
from indexers.elasticsearch.ownership import THIS, KeptIndex, StaleIndex, unserved_indexes

_PREFIX = "elasticsearch:"


@dataclass(frozen=True)
class Indexes:
    """The indexes at an address that nearby made.

    Attributes
    ----------
    address : str
    served : str or None
        The served index.
    items : int
        Number of items in it.
    stale : list of StaleIndex
        Indexes that are no longer in use.
    kept : list of KeptIndex
        Indexes that are not served, but still in use.
    removed : list of str
        The stale indexes that were removed.
    """

    address: str
    served: str | None
    items: int
    stale: list[StaleIndex]
    kept: list[KeptIndex]
    removed: tuple[str, ...] = ()


def is_address(text: str) -> bool:
    """Return whether a text is the address of an index, not a folder.

    Examples
    --------
    >>> is_address("elasticsearch:http://localhost:9200/news"), is_address("news")
    (True, False)
    """
    return text.startswith(_PREFIX)


def indexes_at(text: str, identity: str | None = None) -> Indexes:
    """Return the indexes at an address.

    Parameters
    ----------
    text : str
    identity : str, optional
        Of the collection whose folder names the address. By default the user names the address, and the identity is
        that of the served index.

    Raises
    ------
    OptionError
        For a text that is not an address.
    ServerError
        When the server cannot be reached.
    """
    admin = _admin_at(text, named=identity is None)
    served = admin.behind(admin.address.name)
    stale, kept = unserved_indexes(admin, identity)
    return Indexes(text, served, admin.count(served) if served else 0, stale, kept)


def remove_stale(indexes: Indexes, yes: bool = False) -> Indexes:
    """Remove stale indexes: those that the same collection made; with `yes`, all that nearby made.

    Raises
    ------
    ServerError
        When the server cannot be reached, or refuses.
    """
    names = tuple(one.name for one in indexes.stale if yes or one.maker == THIS)
    _admin_at(indexes.address, named=False).remove(names)
    return replace(indexes, removed=names)


def _admin_at(text: str, named: bool) -> IndexAdmin:
    if not is_address(text):
        raise OptionError(f"'{text}' is not an address of an index, as in elasticsearch:http://localhost:9200/news")
    return IndexAdmin(Address.read(parse_description(text).backend), named=named)
