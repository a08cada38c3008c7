"""How few bytes store a dense code exactly, when its numbers come from small codebooks: the packing of a space."""

from __future__ import annotations

from typing import Any, NamedTuple

from encoders.errors import OptionError

#: Bits of a number that is stored as it is.
RAW = 32
#: Largest number of bits of a symbol.
MAX_BITS = 8
#: Largest number of components, groups or parts that a file may declare.
_LARGEST = 2**31 - 1


class Part(NamedTuple):
    """Some consecutive components of a code, stored alike.

    Attributes
    ----------
    groups : int
        Number of groups.
    width : int
        Components of a group. A group has at most ``2**bits`` different values in all codes of a space, so that the
        number of its value, a symbol, stores it.
    bits : int
        Bits of a symbol, 0 to 8; 0 for a constant; 32 for numbers that are stored as they are.
    scaled : bool
        Whether values are odd multiples, up to ``2**bits - 1``, of one number of the item, which takes four bytes.
    """

    groups: int
    width: int = 1
    bits: int = RAW
    scaled: bool = False

    @property
    def columns(self) -> int:
        """Number of components."""
        return self.groups * self.width

    @property
    def bytes(self) -> int:
        """Bytes of an item."""
        return (self.groups * self.bits + 7) // 8 + (4 if self.scaled else 0)


#: The parts of a code, in the order of its components.
Packing = tuple[Part, ...]


def packed_bytes(packing: Packing) -> int:
    """Return the bytes of one packed code.

    Examples
    --------
    >>> packed_bytes((Part(128, bits=4),)), packed_bytes((Part(100, bits=1, scaled=True), Part(1)))
    (64, 21)
    """
    return sum(part.bytes for part in packing)


def packing_to_json(packing: Packing) -> list[list[int]]:
    """Return a packing as JSON values."""
    return [[part.groups, part.width, part.bits, int(part.scaled)] for part in packing]


def packing_from_json(value: Any, dim: int) -> Packing:
    """Read what `packing_to_json` wrote.

    Raises
    ------
    ValueError
        When it is not a packing of codes of width `dim`.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("a packing is a list of parts")
    parts = []
    for numbers in value:
        known = isinstance(numbers, list) and len(numbers) == 4 and all(type(number) is int for number in numbers)
        if not known:
            raise ValueError("a part of a packing has four whole numbers")
        groups, width, bits, scaled = numbers
        symbols = 0 <= bits <= MAX_BITS and scaled in (0, 1) and (not scaled or (width == 1 and bits))
        raw = bits == RAW and width == 1 and not scaled
        if not (0 < groups <= _LARGEST and 0 < width <= _LARGEST and (symbols or raw)):
            raise ValueError(f"no part of a packing has {numbers}")
        parts.append(Part(groups, width, bits, bool(scaled)))
    if sum(part.columns for part in parts) != dim:
        raise ValueError(f"the parts of the packing do not have {dim:,} components")
    return tuple(parts)


def even_groups(dim: int, count: int, bits: int) -> Packing:
    """Return a packing of `dim` components in `count` groups, of which the first have one component more.

    Raises
    ------
    OptionError
        When there are more groups than components.

    Examples
    --------
    >>> even_groups(10, 4, 8)
    (Part(groups=2, width=3, bits=8, scaled=False), Part(groups=2, width=2, bits=8, scaled=False))
    """
    if count > dim:
        raise OptionError(f"{count} groups need at least as many components; the codes have {dim}")
    width, wider = divmod(dim, count)
    parts = (Part(wider, width + 1, bits), Part(count - wider, width, bits))
    return tuple(part for part in parts if part.groups)
