"""What lies at an address beside what is served: indexes that were replaced, and loads that were not finished."""

from __future__ import annotations

from dataclasses import dataclass

from encoders.errors import OptionError
from indexers.elasticsearch.address import Address
from indexers.elasticsearch.site import Left, Site
from indexers.registry import parse_description

_PREFIX = "elasticsearch:"


@dataclass(frozen=True)
class Lying:
    """An address, the index that is served there, and what is left over.

    Attributes
    ----------
    address : str
    served : str or None
    items : int
        Of the index that is served.
    left : list of Left
    """

    address: str
    served: str | None
    items: int
    left: list[Left]


def is_address(text: str) -> bool:
    """Tell whether a text is the address of an index rather than a folder.

    Examples
    --------
    >>> is_address("elasticsearch:http://localhost:9200/news"), is_address("news")
    (True, False)
    """
    return text.startswith(_PREFIX)


def lying_at(text: str, clean: bool = False) -> Lying:
    """Return what lies at an address; with `clean`, remove what is left over (and return what it was).

    Raises
    ------
    OptionError
        For what is no address.
    ServerError
        When the server cannot be reached.
    """
    if not is_address(text):
        raise OptionError(f"'{text}' is no address of an index, as in elasticsearch:http://localhost:9200/news")
    site = Site(Address.read(parse_description(text).backend))
    served = site.behind(site.address.name)
    left = site.left_over()
    if clean:
        site.remove(one.name for one in left)
    return Lying(text, served, site.count(served) if served else 0, left)
