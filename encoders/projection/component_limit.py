"""The largest number of components that a factorisation of a matrix has."""

from __future__ import annotations

from encoders.errors import OptionError


def require_components(name: str, n_components: int, shape: tuple[int, ...], unit: str = "numbers") -> None:
    """Refuse more components than the items, or their numbers, can give.

    Parameters
    ----------
    name : str
        Of the encoder that the user asked for.
    n_components : int
    shape : (int, int)
        Items, and numbers of each.
    unit : str
        What the numbers are.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> require_components("lsa", 500, (1400, 64), "terms")
    Traceback (most recent call last):
    encoders.errors.OptionError: lsa: n-components=500 is more than 1,400 items of 64 terms can give: use at most 64
    """
    rows, width = shape
    if n_components > min(rows, width):
        raise OptionError(
            f"{name}: n-components={n_components} is more than {rows:,} items of {width:,} {unit} can give: "
            f"use at most {min(rows, width):,}"
        )
