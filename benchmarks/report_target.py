"""One thing that is asked of a method, and where its figure is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One thing that is asked of a method.

    Attributes
    ----------
    id : str
        Of `METHODS`.
    asked : str
    read : callable
        Returns the measured figure; raises KeyError, TypeError, IndexError or ValueError where there is none.
    wanted : float
    at_least : bool
    note : str
        What the figure does not say by itself.
    """

    id: str
    asked: str
    read: Callable[[], float]
    wanted: float
    at_least: bool = True
    note: str = ""

    def measured(self) -> float | None:
        """Return the figure, or None where it was not measured."""
        try:
            return float(self.read())
        except (KeyError, TypeError, IndexError, ValueError, StopIteration):
            return None
