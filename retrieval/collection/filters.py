"""Which items may be answers at all: those whose label or metadata is as asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from encoders.errors import OptionError

#: The field that is the item's label; every other is a key of its metadata.
LABEL = "label"


@dataclass(frozen=True)
class Filter:
    """One field and the value that it must have, compared as text.

    Parameters
    ----------
    field : str
        ``label``, or a key of the metadata.
    value : str

    Examples
    --------
    >>> Filter.read("year=2004")
    Filter(field='year', value='2004')
    >>> str(Filter.read("formula=a=b"))  # the first '=' ends the key
    'formula=a=b'
    """

    field: str
    value: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a filter as it is typed.

        Raises
        ------
        OptionError
            For what is not KEY=VALUE.
        """
        field, equals, value = text.partition("=")
        if not field or not equals:
            raise OptionError(f"a filter is written KEY=VALUE, as in label=sport or year=2004; got '{text}'")
        return cls(field, value)

    def __str__(self) -> str:
        return f"{self.field}={self.value}"


def written(filters: Sequence[Filter]) -> str:
    """Return filters as a sentence names them.

    Examples
    --------
    >>> written([Filter("label", "sport"), Filter("year", "2004")])
    'label=sport and year=2004'
    """
    return " and ".join(map(str, filters))
