"""Filters: conditions on the label, metadata or columns of items, and the fields that there are."""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from encoders.errors import OptionError
from encoders.row import Row, written_value

#: The field that is the item's label; every other field is a key of its metadata, or a column of its row.
LABEL = "label"
#: What a comparison is of two that are in order: smaller, equal, or larger.
ORDERS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}
_OPERATOR = re.compile("<=|>=|!=|<|>|=")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
#: Number of items whose fields are listed; reading all items of a large collection would take too long.
SAMPLE = 10_000


@dataclass(frozen=True)
class Filter:
    """A field, and how its value must compare with another one.

    ``=`` and ``!=`` compare texts. ``<``, ``<=``, ``>`` and ``>=`` compare numbers if `value` is a number; only values
    that are numbers satisfy them then. Otherwise they compare texts, character by character, which is right for dates
    such as 2026-01-31. An item without the field satisfies none.

    Parameters
    ----------
    field : str
        ``label``, a key of the metadata, or a column of a row.
    value : str
    operator : str

    Examples
    --------
    >>> Filter.read("year=2004")
    Filter(field='year', value='2004', operator='=')
    >>> str(Filter.read("formula=a=b"))  # the first operator ends the key
    'formula=a=b'
    >>> Filter.read("amount>=100").holds(99.5), Filter.read("amount>=100").holds("1e3")
    (False, True)
    """

    field: str
    value: str
    operator: str = "="

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse ``KEY=VALUE``, or another operator in place of ``=``.

        Raises
        ------
        OptionError
            For a text without a key or without an operator.
        """
        match = _OPERATOR.search(text)
        if match is None or not match.start():
            raise OptionError(
                f"a filter is written KEY=VALUE, as in label=sport or 'year>=2004' (quote < and >); got '{text}'"
            )
        return cls(text[: match.start()], text[match.end() :], match.group())

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{self.value}"

    @property
    def number(self) -> float | None:
        """The number that values are compared with; None if texts are compared."""
        return number_of(self.value) if self.operator in ORDERS else None

    def holds(self, value: str | float | None) -> bool:
        """Return whether a value of the field satisfies the filter; None: the item does not have the field."""
        if value is None:
            return False
        text = written_value(value)
        if self.operator not in ORDERS:
            return (text == self.value) is (self.operator == "=")
        wanted, given = self.number, number_of(text)
        if wanted is None:
            return (text > self.value) - (text < self.value) in ORDERS[self.operator]
        return given is not None and (given > wanted) - (given < wanted) in ORDERS[self.operator]


def number_of(text: str) -> float | None:
    """Return the finite number that a text is; None if it is none.

    Examples
    --------
    >>> number_of("1.50"), number_of("-2e3"), number_of("1,5"), number_of("inf"), number_of(" 1")
    (1.5, -2000.0, None, None, None)
    """
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def sortable(number: float) -> str:
    """Return a number as a text of 16 characters; texts are in the order of their numbers.

    Examples
    --------
    >>> sorted([10.0, -2.5, 0.0, 9.0, -10.0], key=sortable)
    [-10.0, -2.5, 0.0, 9.0, 10.0]
    """
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))  # -0 is 0
    return f"{bits ^ (2**64 - 1 if bits >> 63 else 2**63):016x}"


def fields_of(metadata: Mapping[str, str], content: object) -> dict[str, str]:
    """Return what an item can be filtered by besides its label: the columns of a row, and metadata.

    Metadata come before a column of the same name. A key without a name, or with a NUL in it, cannot be typed.

    Examples
    --------
    >>> fields_of({"account": "C1"}, Row(("amount", "fee"), (12.0, None)))
    {'amount': '12', 'account': 'C1'}
    """
    columns = zip(content.names, content.values, strict=True) if isinstance(content, Row) else ()
    fields = {name: written_value(value) for name, value in columns if value is not None} | dict(metadata)
    return {key: value for key, value in fields.items() if key and "\0" not in key and key != LABEL}


@dataclass(frozen=True)
class FilterField:
    """A field that items can be filtered by.

    Attributes
    ----------
    name : str
        ``label``, a key of the metadata, or a column of a row.
    items : int
        Number of items that have the field.
    values : dict of str to int
        Value -> number of items, most frequent first; equal numbers in the order of the values.
    """

    name: str
    items: int
    values: dict[str, int]


def filter_fields(records: Iterable[tuple[str | None, Mapping[str, str]]]) -> list[FilterField]:
    """Return the fields of items, given the label and the other fields of each: the label first, then by name.

    Examples
    --------
    >>> filter_fields([("sport", {"year": "2004"}), ("sport", {})])
    [FilterField(name='label', items=2, values={'sport': 2}), FilterField(name='year', items=1, values={'2004': 1})]
    """
    counts: dict[str, Counter[str]] = {}
    for label, fields in records:
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
