"""Known items: a query is made from an item itself, which is then the only relevant answer.

The damage is drawn at random and never ranked: no search helps to choose it, because a query that one search made
easy favours that search. A passage that is asked is removed from the text that is indexed; a search by words would
otherwise find it word for word.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality
from encoders.row import Row
from encoders.sound import Sound
from retrieval.corpora.base import Content, content_bytes

Vector = NDArray[np.float64]

#: The fewest words of a text; a passage has a fifth of the words, within these limits.
FEWEST_WORDS, SHORTEST, LONGEST = 20, 5, 20
#: Letters of a word from which on a text counts as written without spaces.
_LONG_WORD = 30
#: Standard deviation of the noise of a picture, in grey levels.
GREY_LEVELS = 64
#: Standard deviation of the noise of a vector, as a share of that of each component.
NOISE = 0.5
#: The share of a row's values, or of a sound, that is masked.
MASKED = 1 / 3
#: The least number of values of a row, and of samples of a sound.
FEWEST_VALUES, FEWEST_SAMPLES = 3, 100

#: What is done to an item, as a sentence goes on after "each query is".
DAMAGE = {
    Modality.TEXT: "a random passage of an item, which is removed from the text that is indexed",
    Modality.IMAGE: f"an item with random noise of {GREY_LEVELS} grey levels",
    Modality.VECTOR: "an item with random noise of half the spread of each component",
    Modality.SOUND: "an item of which a random third is silent",
    Modality.ROW: "an item of which a random third of the values is missing",
}
#: Why an item cannot be asked.
TOO_SHORT = {
    Modality.TEXT: f"shorter than {FEWEST_WORDS} words",
    Modality.IMAGE: "without any pixel",
    Modality.VECTOR: "without any number",
    Modality.SOUND: f"shorter than {FEWEST_SAMPLES} samples",
    Modality.ROW: f"with fewer than {FEWEST_VALUES} values",
}


class KnownItem(NamedTuple):
    """The query that is made from an item, and the content that is indexed in place of the item's own.

    `indexed` is the same object as the content unless a passage was removed.
    """

    query: Content
    indexed: Content


def draw_number(content: Content, seed: int, purpose: str) -> int:
    """A random number of 64 bits that depends on the content, the seed and the purpose, and on nothing else.

    Items are drawn by it, so that the order of the corpus has no effect.

    Examples
    --------
    >>> draw_number("a text", 0, "item") == draw_number("a text", 0, "item") != draw_number("a text", 1, "item")
    True
    """
    digest = hashlib.blake2b(f"{seed} {purpose} ".encode(), digest_size=8)
    digest.update(content_bytes(content))
    return int.from_bytes(digest.digest(), "little")


def is_long_enough(content: Content) -> bool:
    """Whether a query can be made from an item.

    Examples
    --------
    >>> is_long_enough("three short words"), is_long_enough("word " * 20)
    (False, True)
    """
    if isinstance(content, str):
        return len(_units(content)) >= FEWEST_WORDS
    if isinstance(content, Row):
        return sum(value is not None for value in content.values) >= FEWEST_VALUES
    if isinstance(content, Sound):
        return len(content.samples) >= FEWEST_SAMPLES
    return bool(content.size)


def known_item(content: Content, seed: int = 0, spread: Vector | None = None) -> KnownItem:
    """Make a query from an item that `is_long_enough`.

    Parameters
    ----------
    content : str, ndarray, Sound or Row
    seed : int
        The same content and seed give the same query.
    spread : ndarray float64 (dim,), optional
        For vectors: the standard deviation of each component over the corpus.

    References
    ----------
    L. Azzopardi, M. de Rijke, K. Balog, "Building simulated queries for known-item topics", SIGIR 2007. A passage
    as the query for the rest of its text is the inverse cloze task of K. Lee, M.-W. Chang, K. Toutanova, "Latent
    Retrieval for Weakly Supervised Open Domain Question Answering", ACL 2019, section 4.

    Examples
    --------
    >>> made = known_item(" ".join(f"w{n}" for n in range(25)))
    >>> len(made.query.split()), len(made.indexed.split()), set(made.query.split()) & set(made.indexed.split())
    (5, 20, set())
    """
    rng = np.random.default_rng(draw_number(content, seed, "damage"))
    if isinstance(content, str):
        return _passage(content, rng)
    if isinstance(content, Row):
        return KnownItem(_masked_row(content, rng), content)
    if isinstance(content, Sound):
        return KnownItem(_partly_silent(content, rng), content)
    if _is_picture(content):
        noisy = content + rng.normal(size=content.shape) * GREY_LEVELS
        return KnownItem(np.clip(noisy, 0, 255).astype(np.uint8), content)
    noise = rng.normal(size=content.shape) * NOISE * (np.ones(content.shape) if spread is None else spread)
    return KnownItem((content + noise).astype(np.float32), content)


def _is_picture(content: NDArray[np.generic]) -> bool:
    return content.dtype == np.uint8 and content.ndim in (2, 3)


def _units(text: str) -> list[tuple[int, int]]:
    """Start and end of every word; of every letter, in a text that is written without spaces."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    letters = sum(end - start for start, end in words)
    if words and letters / len(words) >= _LONG_WORD:
        return [(at, at + 1) for at, letter in enumerate(text) if not letter.isspace()]
    return words


def _passage(text: str, rng: np.random.Generator) -> KnownItem:
    units = _units(text)
    length = min(LONGEST, max(SHORTEST, len(units) // 5))
    first = int(rng.integers(len(units) - length + 1))
    start, end = units[first][0], units[first + length - 1][1]
    return KnownItem(text[start:end], f"{text[:start]} {text[end:]}".strip())


def _partly_silent(sound: Sound, rng: np.random.Generator) -> Sound:
    length = round(MASKED * len(sound.samples))
    start = int(rng.integers(len(sound.samples) - length + 1))
    samples = sound.samples.copy()
    samples[start : start + length] = 0
    return replace(sound, samples=samples)


def _masked_row(row: Row, rng: np.random.Generator) -> Row:
    present = [at for at, value in enumerate(row.values) if value is not None]
    hidden = set(rng.choice(present, max(1, round(MASKED * len(present))), replace=False).tolist())
    return Row(row.names, tuple(None if at in hidden else value for at, value in enumerate(row.values)))
