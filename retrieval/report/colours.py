"""The colour of a space: by its position in the comparison, the same in every figure and table."""

from __future__ import annotations

#: Okabe and Ito's palette, for people with any colour vision (jfly.uni-koeln.de/color, 2008). Black is the colour of
#: the text, so that it is visible on a dark page; yellow, faint on white, is last.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "currentColor", "#F0E442")
#: From the ninth space on, the colours repeat with another stroke.
_STROKES = (None, "6 3", "2 3", "8 3 2 3")


def colour_of(position: int) -> str:
    """Return the colour of the space at a position.

    Examples
    --------
    >>> colour_of(0), colour_of(8)
    ('#0072B2', '#0072B2')
    """
    return OKABE_ITO[position % len(OKABE_ITO)]


def is_pale(position: int) -> bool:
    """Return whether the colour at a position is hardly visible on white, so that what is drawn in it needs an edge.

    Examples
    --------
    >>> is_pale(0), is_pale(7)
    (False, True)
    """
    return colour_of(position) == "#F0E442"


def stroke_of(position: int) -> str | None:
    """Return the dashes of the line at a position; None is a solid line.

    Examples
    --------
    >>> stroke_of(0), stroke_of(8)
    (None, '6 3')
    """
    return _STROKES[position // len(OKABE_ITO) % len(_STROKES)]
