"""An index that holds a corpus, and what encoding it cost."""

from __future__ import annotations

from dataclasses import dataclass

from indexers.base import Index


@dataclass
class Filled:
    """An index that holds a corpus, and its cost.

    Attributes
    ----------
    index : Index
    kept : Index or None
        The codes themselves as an exact index, where `index` does not hold them.
    encode_seconds : float
        Encoding alone.
    code_bytes : int
        Size of all codes.
    """

    index: Index
    kept: Index | None
    encode_seconds: float = 0.0
    code_bytes: int = 0
