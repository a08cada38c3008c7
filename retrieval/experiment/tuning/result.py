"""What tuning finds: recall, speed and size of every setting, those that no other beats, the recommended one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from retrieval.evaluation.significance import Interval


class Reach(StrEnum):
    """Whether a setting reaches the wanted recall, as far as the sample tells."""

    YES = "reaches"
    NO = "does not reach"
    UNKNOWN = "sample too small"


@dataclass(frozen=True)
class Recall:
    """The recall of one group of queries, and its 95% interval over them."""

    mean: float
    interval: Interval

    def reaches(self, wanted: float) -> Reach:
        """Return whether the whole interval is at least, or below, the wanted recall."""
        if self.interval.low >= wanted:
            return Reach.YES
        return Reach.NO if self.interval.high < wanted else Reach.UNKNOWN


@dataclass(frozen=True)
class Setting:
    """One index with its search parameters, as it was measured.

    Attributes
    ----------
    index : str
        The description, as ``--index`` takes it.
    recalls : mapping of str to Recall
        Of the items as queries (``items``), and of the corpus' own queries (``queries``).
    queries_per_second : float
        All queries together.
    speed : float
        How many times as fast as exact search, measured in alternation with it.
    bytes_per_item : float
        Of the saved index, without ids.
    build_seconds : float
    """

    index: str
    recalls: Mapping[str, Recall]
    queries_per_second: float
    speed: float
    bytes_per_item: float
    build_seconds: float

    @property
    def recall(self) -> float:
        """The recall of the group of queries for which it is lowest."""
        return min(one.mean for one in self.recalls.values())

    def reaches(self, wanted: float) -> Reach:
        """Return whether every group of queries reaches the wanted recall."""
        each = {one.reaches(wanted) for one in self.recalls.values()}
        return next(reach for reach in (Reach.NO, Reach.UNKNOWN, Reach.YES) if reach in each)

    def beats(self, other: Setting) -> bool:
        """Return whether this is as good in recall, speed and size, and better in one of them."""
        mine = self.recall, self.speed, -self.bytes_per_item
        its = other.recall, other.speed, -other.bytes_per_item
        return mine != its and all(one >= two for one, two in zip(mine, its, strict=True))


def best_of(settings: Sequence[Setting]) -> list[Setting]:
    """Return the settings that no other beats in recall, speed and bytes together (Pareto)."""
    return [one for one in settings if not any(other.beats(one) for other in settings)]


@dataclass
class Tuning:
    """The settings of one space.

    Attributes
    ----------
    folder, spec : str
        The collection and its space.
    present : str
        The index that the space has now.
    n_items, k : int
    n_queries : mapping of str to int
        Number of queries of each group.
    wanted : float
        The recall that is asked for.
    max_bytes : float, optional
        The largest index that is asked for, in bytes per item.
    n_sampled : int
        Number of items in the indexes of `settings`: all, or a random sample of a large collection.
    settings : list of Setting
        The first is exact search.
    confirmed : list of Setting
        Of a sample: what was measured again on all items; the first is exact search.
    """

    folder: str
    spec: str
    present: str
    n_items: int
    n_sampled: int
    k: int
    n_queries: Mapping[str, int]
    wanted: float
    max_bytes: float | None = None
    settings: list[Setting] = field(default_factory=list)
    confirmed: list[Setting] = field(default_factory=list)

    @property
    def best(self) -> list[Setting]:
        """The settings that no other beats in recall, speed and bytes together."""
        return best_of(self.settings)

    @property
    def allowed(self) -> list[Setting]:
        """The settings, measured on all items, that are small enough."""
        limit = self.max_bytes
        return [one for one in self.confirmed or self.settings if limit is None or one.bytes_per_item <= limit]

    @property
    def recommended(self) -> Setting | None:
        """The fastest setting that reaches the recall for certain and is small enough; None when there is none."""
        reaching = [one for one in self.allowed if one.reaches(self.wanted) is Reach.YES]
        return max(reaching, key=lambda one: one.speed, default=None)

    @property
    def undecided(self) -> Setting | None:
        """The fastest setting of which only a larger sample could tell, if it is faster than the recommended one."""
        chosen = self.recommended
        open_ones = [one for one in self.allowed if one.reaches(self.wanted) is Reach.UNKNOWN]
        fastest = max(open_ones, key=lambda one: one.speed, default=None)
        return fastest if fastest is not None and (chosen is None or fastest.speed > chosen.speed) else None
