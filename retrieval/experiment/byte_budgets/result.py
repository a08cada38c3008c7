"""Quality against bytes: the points of every space, the best, and the cheapest that is as good."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrieval.evaluation.difference import Difference
from retrieval.evaluation.significance import Interval

#: The method of a space that is not reduced.
AS_IT_IS = "as it is"


@dataclass(frozen=True)
class BytePoint:
    """A space at some number of bytes.

    Attributes
    ----------
    spec : str
        The reduced space, which can be used as it is written.
    base : str
        The space that was reduced.
    method : str
        ``as it is``, ``components``, ``truncate``, ``sq8``, ``sq4``, ``pq``, ``rabitq`` or ``signs``.
    bytes_per_item : int
        Of a stored code.
    value : float
        Mean of the measure over the queries.
    interval : Interval
        95% bootstrap interval of the mean.
    dominated : bool
        Whether another point is at least as good in no more bytes.
    tied_with_best : bool
        Whether it does not differ significantly from the best point (all pairs together).
    also : dict
        Other spaces that give the same code -> the method that leads there: eight principal components of pixels are
        eight components of the space ``pixels+pca:16``, too.
    """

    spec: str
    base: str
    method: str
    bytes_per_item: int
    value: float
    interval: Interval
    dominated: bool = False
    tied_with_best: bool = False
    also: dict[str, str] = field(default_factory=dict)

    def method_from(self, base: str) -> str | None:
        """Return the method that leads from a space to this code; None if none does."""
        return self.method if base == self.base else self.also.get(base)


@dataclass(frozen=True)
class ByteBudgets:
    """Quality against bytes.

    Attributes
    ----------
    measure : str
    n_queries : int
    budgets : tuple of int
        Bytes per item, ascending.
    points : list of BytePoint
        By bytes, then by value, best first.
    best, cheapest : BytePoint
        The highest mean; and the fewest bytes among the points that do not differ significantly from it.
    difference : Difference or None
        Of these two, with its interval for all pairs at once; None if they are one point.
    equivalent : BytePoint or None
        The fewest bytes among the points that are as good as the best within `margin`; None if there is none.
    margin : float
    notes : list of str
        Sentences about spaces that are left out, and queries that were not asked.
    chance : float
        Mean of the measure for a random order of the items.
    above_chance : bool
        Whether the best point is significantly better than a random order; if not, none is called best.
    """

    measure: str
    n_queries: int
    budgets: tuple[int, ...]
    points: list[BytePoint]
    best: BytePoint
    cheapest: BytePoint
    difference: Difference | None
    equivalent: BytePoint | None
    margin: float
    notes: list[str]
    chance: float
    above_chance: bool

    @property
    def frontier(self) -> list[BytePoint]:
        """The points that no other dominates, by bytes."""
        return [point for point in self.points if not point.dominated]

    @property
    def bases(self) -> list[str]:
        """The spaces that were reduced, the one with the smallest code first."""
        return list(dict.fromkeys(base for point in self.points for base in (point.base, *point.also)))
