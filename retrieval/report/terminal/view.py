"""What a verb found, in the two forms in which it is printed: lines for a person, JSON for a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVarTuple

Found = TypeVarTuple("Found")


class View(Protocol):
    """Anything that can be printed; the form that is not asked for is not made."""

    def lines(self) -> Sequence[str]:
        """Return it as lines of a terminal."""

    def to_json(self) -> Any:
        """Return it as JSON values."""


class Styled(str):
    """A line whose colours nearby itself has set: it is printed as it is."""

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
        self, lines: Callable[[*Found], Sequence[str]], to_json: Callable[[*Found], Any], *found: *Found
    ) -> None:
        self.lines, self.to_json = partial(lines, *found), partial(to_json, *found)
