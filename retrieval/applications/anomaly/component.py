"""A component of an item that raises its score."""

from __future__ import annotations

from dataclasses import dataclass

from encoders.row import Value


@dataclass(frozen=True)
class Component:
    """A component that raises the score: a word, a pixel, a column.

    Attributes
    ----------
    name : str
    share : float
        Part of the score that comes from it, from 0 to 1.
    observed, expected : float, str or None
        Numbers; of a column of a table its values, None where one is missing.
    nearest : float, str or None
        Its value in the nearest normal item; None also where that is not kept.
    is_rare : bool
        The observed value is a category that is rare or absent among the training items.
    """

    name: str
    share: float
    observed: Value
    expected: Value
    nearest: Value = None
    is_rare: bool = False
