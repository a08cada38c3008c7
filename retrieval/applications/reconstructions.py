"""What spaces make of items, side by side: one row a space, one column an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """What one space made of every item.

    Attributes
    ----------
    name : str
        The space, or what else stands there.
    contents : list
        A picture, a vector, or a row of word weights for each item.
    figures : dict of str to list of float
        Measure -> one number an item.
    words : list of str, optional
        What the components of word weights stand for.
    """

    name: str
    contents: list[Any]
    figures: dict[str, list[float]] = field(default_factory=dict)
    words: list[str] | None = None


@dataclass(frozen=True)
class Copies:
    """A table of copies: `columns` names the items, `title` says in a sentence what was done."""

    columns: list[str]
    rows: list[Row]
    title: str = ""

    @property
    def pictures(self) -> bool:
        """Whether all of it can be looked at."""
        return all(is_picture(content) for row in self.rows for content in row.contents)

    @property
    def measures(self) -> list[str]:
        """What was measured."""
        return list(dict.fromkeys(measure for row in self.rows for measure in row.figures))


def mean_name(measure: str, count: int) -> str:
    """Return what the mean of a measure over some items is called.

    Examples
    --------
    >>> mean_name("PSNR after", 8), mean_name("PSNR after", 1), mean_name("squared error per item", 8)
    ('mean PSNR after', 'PSNR after', 'squared error per item')
    """
    return measure if count == 1 or measure.endswith("per item") else f"mean {measure}"


def is_picture(content: Any) -> bool:
    """Tell whether something decoded can be looked at."""
    return isinstance(content, np.ndarray) and content.dtype == np.uint8 and content.ndim in (2, 3)
