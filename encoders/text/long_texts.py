"""Texts that are longer than a model reads: counted, or cut into chunks whose codes are joined again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders.codes import normalized
from encoders.errors import OptionError
from encoders.numbers import counted


@dataclass
class LongTexts:
    """How many texts a model reads only in part.

    Attributes
    ----------
    seen, longer : int
        Texts so far, and those of them with more tokens than the model reads.
    limit : int
        That number of tokens.
    """

    seen: int = 0
    longer: int = 0
    limit: int = 0

    def count(self, network: Any, texts: Sequence[str], prompt: str) -> None:
        """Count texts; those with fewer letters than the limit has tokens are not looked at."""
        limit, tokenizer = limit_of(network), tokenizer_of(network)
        self.seen += len(texts)
        if limit is None or tokenizer is None:
            return
        self.limit = limit
        long = [prompt + text for text in texts if len((prompt + text).encode("utf-8", "replace")) + 2 > limit]
        if long:
            ids = tokenizer(long, truncation=False, verbose=False)["input_ids"]
            self.longer += sum(len(one) > limit for one in ids)

    def remarks(self, name: str) -> list[str]:
        """Return what the user should know, and start again."""
        remark = (
            f"{name}: {self.longer:,} of {counted(self.seen, 'document')} are longer than {self.limit:,} tokens, and "
            f"their rest is not read: chunk={max(1, self.limit - 6)} reads them whole, in parts"
        )
        longer, self.seen, self.longer = self.longer, 0, 0
        return [remark] if longer else []


def limit_of(network: Any) -> int | None:
    """Return how many tokens a sentence-transformers model reads; None: there is no limit."""
    limit = network.max_seq_length
    return limit if isinstance(limit, int) and 0 < limit < 2**24 else None


def tokenizer_of(network: Any) -> Any:
    """Return the fast tokenizer of a model, which knows where in the text a token is; None if it has none."""
    tokenizer = getattr(network, "tokenizer", None)
    return tokenizer if getattr(tokenizer, "is_fast", False) else None


def chunked(
    name: str, network: Any, texts: Sequence[str], chunk: int, overlap: int, prompt: str
) -> tuple[list[str], NDArray[np.int64]]:
    """Cut texts into parts of `chunk` tokens, each of which repeats the last `overlap` tokens of the part before it.

    Returns
    -------
    parts : list of str
        The parts of all texts, in order; a short text is one part, unchanged.
    starts : ndarray int64 (n_texts,)
        The position of the first part of each text.

    Raises
    ------
    OptionError
        When the model reads fewer tokens at once, or its tokenizer cannot cut texts.
    """
    tokenizer = tokenizer_of(network)
    if tokenizer is None:
        raise OptionError(f"{name}: the tokenizer of this model does not say where tokens begin: leave chunk= out")
    _require_room(name, network, tokenizer, chunk, prompt)
    parts: list[str] = []
    starts = np.empty(len(texts), np.int64)
    for row, text in enumerate(texts):
        starts[row] = len(parts)
        if len(text.encode("utf-8", "replace")) <= chunk:
            parts.append(text)
            continue
        places = tokenizer(
            text, truncation=False, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )["offset_mapping"]
        parts += _parts(text, places, chunk, overlap)
    return parts, starts


def _parts(text: str, places: Sequence[tuple[int, int]], chunk: int, overlap: int) -> list[str]:
    """Return the parts of one text.

    Examples
    --------
    >>> _parts("a b c d e", [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)], 3, 1)
    ['a b c', 'c d e']
    """
    if len(places) <= chunk:
        return [text]
    starts = range(0, len(places) - overlap, chunk - overlap)
    return [text[places[start][0] : places[min(start + chunk, len(places)) - 1][1]] for start in starts]


def _require_room(name: str, network: Any, tokenizer: Any, chunk: int, prompt: str) -> None:
    limit = limit_of(network)
    if limit is None:
        return
    marks = len(tokenizer(prompt, truncation=False, verbose=False)["input_ids"])
    if chunk + marks > limit:
        raise OptionError(
            f"{name}: the model reads {limit:,} tokens, {marks:,} of which are its marks and the prompt: chunk= should "
            f"be at most {limit - marks:,}, got {chunk:,}"
        )


def pooled(codes: NDArray[np.float32], starts: NDArray[np.int64], pool: str) -> NDArray[np.float32]:
    """Join the codes of parts, scaled to unit length, to one code for each text: the largest or mean components.

    Examples
    --------
    >>> pooled(np.array([[1, 0], [0, 2], [0, 3]], np.float32), np.array([0, 2]), "max").tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    unit = normalized(codes)
    if not len(starts):
        return np.empty((0, codes.shape[1]), np.float32)
    if pool == "max":
        return np.asarray(np.maximum.reduceat(unit, starts, axis=0), np.float32)
    counts = np.diff(np.append(starts, len(unit)))[:, None]
    return np.asarray(np.add.reduceat(unit, starts, axis=0) / counts, np.float32)
