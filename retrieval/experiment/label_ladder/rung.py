"""The rungs of the label ladder: what says which answers are relevant, the most trustworthy first."""

from __future__ import annotations

from enum import StrEnum

from encoders.errors import UnknownNameError

#: Choose the highest rung that the corpus has.
HIGHEST = "auto"


class Rung(StrEnum):
    """A rung of the ladder, the most trustworthy first."""

    QRELS = "qrels"
    LABELS = "labels"
    KNOWN_ITEM = "known-item"
    AGREEMENT = "agreement"

    @classmethod
    def read(cls, text: str) -> Rung | None:
        """Read the name of a rung; None for ``auto``.

        Raises
        ------
        UnknownNameError

        Examples
        --------
        >>> Rung.read("known-item"), Rung.read("auto")
        (<Rung.KNOWN_ITEM: 'known-item'>, None)
        """
        if text == HIGHEST:
            return None
        if text not in set(cls):
            raise UnknownNameError("rung", text, [HIGHEST, *cls])
        return cls(text)
