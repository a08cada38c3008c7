"""The output of a verb in its two forms: lines for a person, JSON for a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVarTuple

Values = TypeVarTuple("Values")


class View(Protocol):
    """Anything that can be printed; only the requested form is computed."""

    def lines(self) -> Sequence[str]:
        """Return it as lines of a terminal."""

    def to_json(self) -> Any:
        """Return it as JSON values."""


class Styled(str):
    """A line with colours set by nearby, which is printed unchanged."""

    __slots__ = ()


class Output:
    """A view made of two functions of the same arguments: one returns lines, the other JSON values.

    Examples
    --------
    >>> shown = Output(lambda n: [f"{n} items"], lambda n: {"items": n}, 3)
    >>> shown.lines(), shown.to_json()
    (['3 items'], {'items': 3})
    """

    def __init__(
        self, lines: Callable[[*Values], Sequence[str]], to_json: Callable[[*Values], Any], *values: *Values
    ) -> None:
        self.lines, self.to_json = partial(lines, *values), partial(to_json, *values)
