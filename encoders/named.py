"""An item or query with its id, for encoders that look codes up instead of computing them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Named:
    """A content with the ids under which its code may be known.

    Attributes
    ----------
    content : text, picture, sound, row or vector
    item_id : str, optional
        Its id in the corpus, if it is an item.
    query_id : str, optional
        Its id among the queries, if it is one. Many corpora number items and queries separately, so that equal ids
        mean different things.
    vector : ndarray, optional
        Its embedding, if the user gave one.
    """

    content: Any
    item_id: str | None = None
    query_id: str | None = None
    vector: NDArray[Any] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The id, in a form for messages.

        Examples
        --------
        >>> Named("a text", query_id="7").name, Named("a text").name
        ("'7'", 'a text without an id')
        """
        known = self.query_id if self.query_id is not None else self.item_id
        if known is not None:
            return f"'{known}'"
        return f"a {'text' if isinstance(self.content, str) else type(self.content).__name__} without an id"
