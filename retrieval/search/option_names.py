"""The options of searches and comparisons in messages: written as the command line, or as a program, writes them."""

from __future__ import annotations

from collections.abc import Mapping

from encoders.errors import OptionError

#: Every option by its name in Python and over HTTP, and as it is typed.
COMMAND_LINE = {
    "spaces": "-s",
    "k": "-k",
    "filters": "--filter",
    "fuse": "--fuse",
    "depth": "--depth",
    "shortlist": "--shortlist",
    "rerank": "--rerank",
    "candidates": "--candidates",
    "radius": "--radius",
    "judged_by": "--judged-by",
}
#: The options as they are named in Python, and over HTTP.
FIELDS = {name: name for name in COMMAND_LINE}


class NamedOptionError(OptionError):
    """An error whose message names options; by default as they are typed.

    Parameters
    ----------
    template : str
        The message, with ``{depth}`` for the name of the option ``depth``, and ``{0}`` for the first value.
    *values : object
        Values in the message; braces in them mean nothing.

    Examples
    --------
    >>> error = NamedOptionError("{depth} {0} is smaller than {k} {1}: raise {depth}", 5, 10)
    >>> print(error)
    --depth 5 is smaller than -k 10: raise --depth
    >>> error.written(FIELDS)
    'depth 5 is smaller than k 10: raise depth'
    """

    def __init__(self, template: str, *values: object) -> None:
        self._template, self._values = template, values
        super().__init__(self.written(COMMAND_LINE))

    def written(self, names: Mapping[str, str]) -> str:
        """Return the message with the options named in another way."""
        return self._template.format(*self._values, **names)
