"""A table of reconstructions: one row per space, one column per item."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from encoders.row import Row
from encoders.sound import Sound


@dataclass(frozen=True)
class ReconstructionRow:
    """The reconstructions of every item by one space.

    Attributes
    ----------
    name : str
        The spec of the space, or another heading such as "the item".
    contents : list
        A picture, a vector, a spectrogram as a picture, a row of a table, or a row of word weights for each item.
    results : dict of str to list of float
        Measure -> one number per item.
    words : list of str, optional
        The words that the columns of word weights stand for.
    hear : callable, optional
        Returns the sounds of the contents, which are spectrograms.
    """

    name: str
    contents: list[Any]
    results: dict[str, list[float]] = field(default_factory=dict)
    words: list[str] | None = None
    hear: Callable[[], list[Sound]] | None = None


@dataclass(frozen=True)
class ReconstructionTable:
    """A table of reconstructions.

    Attributes
    ----------
    columns : list of str
        The names of the items.
    rows : list of ReconstructionRow
    title : str
        What was done.
    per_item : bool
        Whether a terminal shows the results of each item, not their means alone.
    """

    columns: list[str]
    rows: list[ReconstructionRow]
    title: str = ""
    per_item: bool = False

    @property
    def pictures(self) -> bool:
        """Whether every cell is a picture."""
        return all(is_picture(content) for row in self.rows for content in row.contents)

    @property
    def of_rows(self) -> bool:
        """Whether the contents are rows of a table."""
        return all(isinstance(content, Row) for row in self.rows for content in row.contents)

    @property
    def sounds(self) -> Callable[[], list[Sound]] | None:
        """What returns the sounds of all rows, one row after another; None if the contents are not spectrograms."""
        makers = [row.hear for row in self.rows if row.hear is not None]
        return (lambda: [sound for make in makers for sound in make()]) if makers else None

    @property
    def measures(self) -> list[str]:
        """The names of the measures."""
        return list(dict.fromkeys(measure for row in self.rows for measure in row.results))


def mean_name(measure: str, count: int) -> str:
    """Return the name of the mean of a measure over `count` items.

    Examples
    --------
    >>> mean_name("PSNR after", 8), mean_name("PSNR after", 1), mean_name("squared error per item", 8)
    ('mean PSNR after', 'PSNR after', 'squared error per item')
    """
    return measure if count == 1 or measure.endswith("per item") else f"mean {measure}"


def is_picture(content: Any) -> bool:
    """Return whether decoded content is a picture."""
    return isinstance(content, np.ndarray) and content.dtype == np.uint8 and content.ndim in (2, 3)
