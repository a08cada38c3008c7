"""Differences with their sign, the same in every report."""

from __future__ import annotations


def signed(value: float) -> str:
    """Return a difference in three decimals with its sign; what rounds to 0 has a plus.

    Examples
    --------
    >>> signed(-0.0001), signed(0.0123), signed(-0.2)
    ('+0.000', '+0.012', '-0.200')
    """
    return f"{round(value, 3) + 0.0:+.3f}"


def signed_end(value: float) -> str:
    """Return an end of an interval; one that is not 0 does not read as 0.

    Examples
    --------
    >>> signed_end(0.00031), signed_end(0.00009), signed_end(-0.0124), signed_end(0.0)
    ('+0.0003', '+0.00009', '-0.012', '+0.000')
    """
    if not 0.00001 <= abs(value) < 0.0005:
        return signed(value)
    return f"{value:+.{4 if abs(value) >= 0.000095 else 5}f}"


def interval_ends(low: float, high: float) -> str:
    """Return both ends of an interval.

    Examples
    --------
    >>> interval_ends(-0.0124, 0.2)
    '-0.012 to +0.200'
    """
    return f"{signed_end(low)} to {signed_end(high)}"
