"""The methods by which a dense space is brought to a budget of bytes per item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from encoders.base import Encoder
from encoders.codes import Kind, Metric, Space
from encoders.errors import OptionError
from encoders.numbers import is_whole

#: Largest budget in bytes per item.
MAX_BUDGET = 2**20
#: Bytes of an item that `rabitq` needs beside its bits.
RABITQ_BYTES = 8
#: Encoders whose components are in the order of their importance, so that the first ones are the best ones.
ORDERED = frozenset({"pca", "lsa"})
#: Encoders that may be trained so (Matryoshka), for which truncation is tried beside PCA.
MAYBE_ORDERED = frozenset({"sbert", "tsdae"})
#: Encoders whose codes are word counts, with no numbers to reduce.
SPARSE = frozenset({"bow", "tfidf", "bm25"})


class Reduction(NamedTuple):
    """One way to fewer bytes: the first `width` components by `cut`, then a quantiser.

    Attributes
    ----------
    method : str
        Name of the family, such as ``sq8``: the line of a figure.
    cut : str or None
        ``pca`` or ``truncate``; None keeps all components.
    width : int
        Components after the cut.
    stage : str or None
        Spec of the quantiser; None keeps float32 numbers.
    """

    method: str
    cut: str | None
    width: int
    stage: str | None

    def spec(self, base: str, metric: Metric) -> str:
        """Return the spec of the reduced space, which gives the same codes by itself."""
        cut = "" if self.cut is None else f"+{self.cut}:{self.width}"
        if self.cut == "pca" and metric is Metric.COSINE:
            cut += ",metric=cosine"
        return base + cut + ("" if self.stage is None else f"+{self.stage}")


def parse_budgets(text: str) -> tuple[int, ...]:
    """Read budgets in bytes per item, joined by commas; they are returned in ascending order.

    Raises
    ------
    OptionError
        When one is no whole number from 1 on, or named twice.

    Examples
    --------
    >>> parse_budgets("64,8")
    (8, 64)
    >>> parse_budgets("8,0")
    Traceback (most recent call last):
    encoders.errors.OptionError: --bytes takes whole numbers from 1 to 1048576, joined by commas, as in 8,64; got '0'
    """
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not is_whole(part, 1, MAX_BUDGET):
            raise OptionError(
                f"--bytes takes whole numbers from 1 to {MAX_BUDGET}, joined by commas, as in 8,64; got '{part}'"
            )
    budgets = [int(part) for part in parts]
    twice = next((budget for at, budget in enumerate(budgets) if budget in budgets[:at]), None)
    if twice is not None:
        raise OptionError(f"--bytes names {twice} twice: name each budget once")
    return tuple(sorted(budgets))


def require_reducible(encoders: Sequence[Encoder], indexes: Sequence[str | None]) -> None:
    """Refuse spaces of word counts alone, and indexes that do not keep codes, before any work.

    Raises
    ------
    OptionError
    """
    other = next((index for index in indexes if index not in (None, "auto", "exact")), None)
    if other is not None:
        raise OptionError(f"--bytes searches reduced codes exactly: leave --index '{other}' out")
    if all(encoder.parts[-1].name in SPARSE for encoder in encoders):
        raise OptionError(
            f"--bytes reduces dense codes, and '{encoders[0]}' has word counts: "
            f"add a dense space, such as -s {encoders[0]}+lsa:128"
        )


def reductions(space: Space, last: str, budget: int, n_items: int) -> list[Reduction]:
    """Return every method that suits a space and a budget; each takes at most `budget` bytes, and all that it can use.

    Parameters
    ----------
    space : Space
        Dense.
    last : str
        Name of the last stage, which says whether components are ordered.
    budget : int
        Bytes per item.
    n_items : int
        PCA has fewer components than there are items.

    Examples
    --------
    >>> space = Space(64, Kind.DENSE, Metric.EUCLIDEAN)
    >>> for one in reductions(space, "pixels", 16, 1000):
    ...     print(one.method, one.spec("pixels", space.metric))
    components pixels+pca:4
    sq8 pixels+pca:16+sq8
    sq4 pixels+pca:32+sq4
    pq pixels+pq:16
    rabitq pixels+rabitq:1
    signs pixels+binarize
    """
    cutter = _cutter(space, last)
    plans: list[Reduction] = []

    def add(method: str, wanted: int, stage: str | None, cut: str | None = cutter) -> None:
        """Add a method that has room for `wanted` components."""
        if wanted >= space.dim and stage is not None:
            plans.append(Reduction(method, None, space.dim, stage))
        elif 1 <= wanted < space.dim and cut is not None and (cut == "truncate" or wanted < n_items):
            plans.append(Reduction(method, cut, wanted, stage))

    add("components", budget // 4, None)
    if last in MAYBE_ORDERED:
        add("truncate", budget // 4, None, "truncate")
    add("sq8", budget, "sq8")
    add("sq4", 2 * budget, "sq4")
    if 2 * budget <= space.dim or space.dim == budget == 1:  # with a part for every component or two, sq8 does the same
        plans.append(Reduction("pq", None, space.dim, f"pq:{budget}"))
    bits = 8 * (budget - RABITQ_BYTES)
    if bits >= 1:
        add("rabitq", bits, f"rabitq:{min(8, max(1, bits // space.dim))}")
    if space.metric is not Metric.DOT:  # signs forget lengths
        add("signs", 8 * budget, "binarize")
    return plans


def _cutter(space: Space, last: str) -> str | None:
    """Return the stage that keeps the best components; None for dot products, whose origin PCA would move."""
    if last in ORDERED:
        return "truncate"
    return None if space.metric is Metric.DOT else "pca"


def why_not(space: Space, label: str) -> str | None:
    """Return why a space cannot be reduced, as a sentence; None for a dense space."""
    if space.kind is Kind.SPARSE:
        return f"{label} is left out of the budgets: word counts have no numbers to reduce; add {label}+lsa:128, say."
    if space.kind is Kind.BINARY:
        return f"{label} is shown as it is: its code is bits already, which cannot be reduced."
    if space.packing is not None:
        return f"{label} is shown as it is: its code is quantised already."
    return None
