"""Functions of fixed-point numbers by tables of integers, with the same result on every machine.

The last digit of ``exp``, ``tanh`` or a matrix product in floating point depends on the processor and the library. A
decoder that computes a probability with another last digit than the encoder did reads garbage from there on. Here a
number x is the integer x * 2^12, a smooth function is a table of integers with linear interpolation between its
knots, and the knots come from Python's `decimal`, whose ``exp`` is correctly rounded on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal, localcontext
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Bits after the binary point of every number in a network.
FRACTION = 12
#: Digits of the decimal arithmetic: far more than any table keeps.
DIGITS = 40
PI = Decimal("3.14159265358979323846264338327950288419716939937510")


class Table:
    """A function on an interval: integers at equally spaced knots, linear in between, constant outside.

    Parameters
    ----------
    function : callable
        From Decimal to Decimal; computed with 40 digits.
    low, high : int
        The interval.
    spacing : int
        The knots are 2^-spacing apart.
    fraction : int
        Bits after the binary point of the argument, at least `spacing`.
    scale : int
        The table holds the value times this number, rounded.

    Examples
    --------
    >>> half = Table(lambda x: x / 2, -1, 1, spacing=4, fraction=12, scale=1000)
    >>> half(np.array([-9999, 0, 2048, 4096])).tolist()
    [-500, 0, 250, 500]
    """

    def __init__(
        self, function: Callable[[Decimal], Decimal], low: int, high: int, spacing: int, fraction: int, scale: int
    ) -> None:
        step = Decimal(1) / 2**spacing
        with localcontext(Context(prec=DIGITS)):
            knots = [
                int((function(low + step * knot) * scale).to_integral_value())
                for knot in range((high - low) * 2**spacing + 1)
            ]
        self.knots: NDArray[np.int64] = np.array([*knots, knots[-1]], dtype=np.int64)
        self._low, self._high, self._shift = low << fraction, high << fraction, fraction - spacing

    def __call__(self, x: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the function times its scale for integers of any shape."""
        offset = np.clip(x, self._low, self._high) - self._low
        knot, rest = offset >> self._shift, offset & ((1 << self._shift) - 1)
        below = self.knots[knot]
        return np.asarray(below + rounded_shift((self.knots[knot + 1] - below) * rest, self._shift))


def rounded_shift(x: NDArray[np.int64], bits: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Return x / 2^bits, rounded to the nearest integer.

    Examples
    --------
    >>> rounded_shift(np.array([5, 6, -6]), 2).tolist()
    [1, 2, -1]
    """
    return (x + ((np.int64(1) << np.asarray(bits, dtype=np.int64)) >> 1)) >> bits


def sigmoid(x: Decimal) -> Decimal:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + (-x).exp())


def normal_cdf(x: Decimal) -> Decimal:
    """Return the probability below x of a standard normal distribution, by its series of positive terms.

    Examples
    --------
    >>> with localcontext(Context(prec=DIGITS)):
    ...     round(float(normal_cdf(Decimal("1.96"))), 6)
    0.975002

    References
    ----------
    Abramowitz & Stegun, Handbook of Mathematical Functions, 1964, 26.2.11.
    """
    half = _from_zero(abs(x))
    return Decimal("0.5") + (half if x > 0 else -half)


@lru_cache(maxsize=4096)
def _from_zero(x: Decimal) -> Decimal:
    """Return the probability between 0 and x."""
    term = total = x
    number = 1
    while term > total * Decimal(10) ** -DIGITS:
        number += 2
        term *= x * x / number
        total += term
    return total * (-x * x / 2).exp() / (2 * PI).sqrt()


@lru_cache(maxsize=8)
def activation(name: str) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """Return an activation of a hidden layer by the name that `encoders.neural.layers.ACTIVATIONS` gives it."""
    one = 1 << FRACTION
    if name == "linear":
        return lambda x: x
    if name == "relu":
        return lambda x: np.maximum(x, 0)
    if name == "silu":
        table = Table(lambda x: x * sigmoid(x), -16, 16, 6, FRACTION, one)
        return lambda x: np.where(x > 16 * one, x, table(x))
    functions: dict[str, Callable[[Decimal], Decimal]] = {"sigmoid": sigmoid, "tanh": lambda x: 2 * sigmoid(2 * x) - 1}
    return Table(functions[name], -16, 16, 6, FRACTION, one)
