"""Filters: conditions on the label or metadata of items, and the fields that a collection can be filtered by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from encoders.errors import OptionError

#: The field that is the item's label; every other field is a key of its metadata.
LABEL = "label"
#: Number of items whose fields are listed; reading all items of a large collection would take too long.
SAMPLE = 10_000


@dataclass(frozen=True)
class Filter:
    """A field and the value that it must have, compared as text.

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
        """Parse ``KEY=VALUE``.

        Raises
        ------
        OptionError
            For a text without a key or without ``=``.
        """
        field, equals, value = text.partition("=")
        if not field or not equals:
            raise OptionError(f"a filter is written KEY=VALUE, as in label=sport or year=2004; got '{text}'")
        return cls(field, value)

    def __str__(self) -> str:
        return f"{self.field}={self.value}"


@dataclass(frozen=True)
class FilterField:
    """A field that items can be filtered by.

    Attributes
    ----------
    name : str
        ``label``, or a key of the metadata.
    items : int
        Number of items that have the field.
    values : dict of str to int
        Value -> number of items, most frequent first; equal numbers in the order of the values.
    """

    name: str
    items: int
    values: dict[str, int]


def filter_fields(records: Iterable[tuple[str | None, Mapping[str, str]]]) -> list[FilterField]:
    """Return the fields of items, given the label and the metadata of each: the label first, then by name.

    Examples
    --------
    >>> filter_fields([("sport", {"year": "2004"}), ("sport", {})])
    [FilterField(name='label', items=2, values={'sport': 2}), FilterField(name='year', items=1, values={'2004': 1})]
    """
    counts: dict[str, Counter[str]] = {}
    for label, metadata in records:
        # a key without a name, or with a NUL in it, cannot be typed
        fields = {key: value for key, value in metadata.items() if key and "\0" not in key and key != LABEL}
        for key, value in [*fields.items(), *([(LABEL, label)] if label is not None else [])]:
            counts.setdefault(key, Counter())[value] += 1
    return [
        FilterField(name, values.total(), dict(sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))))
        for name, values in sorted(counts.items(), key=lambda pair: (pair[0] != LABEL, pair[0]))
    ]


def written(filters: Sequence[Filter]) -> str:
    """Return filters as part of a sentence.

    Examples
    --------
    >>> written([Filter("label", "sport"), Filter("year", "2004")])
    'label=sport and year=2004'
    """
    return " and ".join(map(str, filters))
