"""How one measure of one space differs from an earlier comparison."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.evaluation.difference import Difference, Verdict
from retrieval.evaluation.significance import Floats, Interval


@dataclass(frozen=True)
class Change:
    """How one measure of one space differs from an earlier comparison.

    Attributes
    ----------
    space, measure : str
    before, now : float
        Means over the queries.
    interval : Interval
        95% interval of ``now - before``, for all spaces at the same time.
    p_value : float
        Corrected for the number of spaces.
    verdict : Verdict
        Of now against before.
    detectable : float
        The smallest true difference that as many queries would find with a probability of 80%.
    """

    space: str
    measure: str
    before: float
    now: float
    interval: Interval
    p_value: float
    verdict: Verdict
    detectable: float

    @property
    def difference(self) -> float:
        """The mean now minus the mean before."""
        return self.now - self.before

    @property
    def is_loss(self) -> bool:
        """Whether the space is significantly worse than before."""
        return self.verdict is Verdict.WORSE


def change_of(label: str, measure: str, both: tuple[Floats, Floats], pair: Difference) -> Change:
    """Return the change of a space from the tested difference of its values now (``+``) and before (``-``).

    Parameters
    ----------
    label, measure : str
    both : (ndarray, ndarray)
        The values now and before, query by query.
    pair : Difference
        The better of the two first, which may be the earlier one.
    """
    low, high = pair.interval
    swapped = pair.first.startswith("-")
    verdict = pair.verdict
    if swapped and pair.is_significant:
        verdict = Verdict.WORSE if verdict is Verdict.BETTER else Verdict.BETTER
    interval = Interval(-high, -low) if swapped else Interval(low, high)
    now, before = (float(values.mean()) for values in both)
    return Change(label, measure, before, now, interval, pair.p_value, verdict, pair.detectable)
