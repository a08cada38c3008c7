"""Letters that show which of several means differ: two that share a letter do not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from string import ascii_lowercase


def letter_display(order: Sequence[str], different: Collection[tuple[str, str]]) -> dict[str, str]:
    """Return the letters of each name.

    Parameters
    ----------
    order : sequence of str
        The names, best first: the best has the letter a.
    different : collection of (str, str)
        The pairs that differ significantly, in any order.

    Returns
    -------
    dict of str to str
        Two names share a letter exactly when their pair is not in `different`.

    References
    ----------
    Piepho, An algorithm for a letter-based representation of all-pairwise comparisons, Journal of Computational and
    Graphical Statistics 13, 2004 (insert and absorb).

    Examples
    --------
    >>> letter_display(["pixels", "pca", "random"], [("pixels", "random")])
    {'pixels': 'a', 'pca': 'ab', 'random': 'b'}
    """
    groups: list[frozenset[str]] = [frozenset(order)] if order else []
    for first, second in different:
        apart = []
        for group in groups:
            both = first in group and second in group
            apart += [group - {first}, group - {second}] if both else [group]
        unique = list(dict.fromkeys(apart))
        groups = [group for group in unique if not any(group < other for other in unique)]
    position = {name: at for at, name in enumerate(order)}
    groups.sort(key=lambda group: sorted(position[name] for name in group))
    return {name: "".join(_letter(at) for at, group in enumerate(groups) if name in group) for name in order}


def _letter(number: int) -> str:
    """Return a, b, ..., z, then a1, b1, ...

    Examples
    --------
    >>> _letter(1), _letter(27)
    ('b', 'b1')
    """
    round, letter = divmod(number, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(round) if round else "")
