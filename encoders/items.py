"""Items in the form that an encoder reads: texts, pictures, sounds, rows or a finite matrix; others are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.codes import Codes, Items, Modality
from encoders.errors import BadItemError, DimensionError
from encoders.named import Named
from encoders.row import Row
from encoders.sound import MAX_RATE, MIN_RATE, Sound


def as_texts(items: Items) -> list[str]:
    """Return items as a list of texts.

    Raises
    ------
    BadItemError
        Naming the item that is not a text.
    """
    if isinstance(items, str) or issparse(items):
        raise BadItemError(f"expected a list of texts, got {describe(items)}")
    texts = list(items)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise BadItemError(f"item {row} should be a text, got {describe(text)}: is this a text corpus?")
    return texts


def as_images(items: Items) -> list[NDArray[Any]]:
    """Return items as a list of pictures ``(h, w)`` or ``(h, w, c)``.

    Raises
    ------
    BadItemError
        Naming the item that is not a picture.
    """
    if isinstance(items, str) or issparse(items):
        raise BadItemError(f"expected pictures, got {describe(items)}: is this an image corpus?")
    pictures = list(items)
    for row, picture in enumerate(pictures):
        if not isinstance(picture, np.ndarray) or picture.ndim not in (2, 3):
            raise BadItemError(f"item {row} should be a picture (height, width[, channels]), got {describe(picture)}")
    return pictures


def as_sounds(items: Items) -> list[Sound]:
    """Return items as a list of sounds.

    Raises
    ------
    BadItemError
        Naming the item that is not a sound.
    """
    if isinstance(items, str | Sound) or issparse(items):
        raise BadItemError(f"expected a list of sounds, got {describe(items)}: is this a corpus of sounds?")
    sounds = list(items)
    for row, sound in enumerate(sounds):
        if not isinstance(sound, Sound):
            raise BadItemError(
                f"item {row} should be a sound, got {describe(sound)}: give a Sound(samples, rate) of encoders.sound"
            )
        if sound.samples.dtype != np.int16 or sound.samples.ndim != 1 or not MIN_RATE <= sound.rate <= MAX_RATE:
            raise BadItemError(
                f"sound {row} should be int16 (n,) with {MIN_RATE:,} to {MAX_RATE:,} samples in a second, got "
                f"{sound.samples.dtype} of shape {sound.samples.shape} with {sound.rate}: see encoders.sound.sound_of"
            )
    return sounds


def as_rows(items: Items) -> list[Row]:
    """Return items as a list of rows of a table.

    Raises
    ------
    BadItemError
        Naming the item that is no row, or has not one value for each column.
    """
    if isinstance(items, str | Row) or issparse(items):
        raise BadItemError(f"expected a list of rows, got {describe(items)}: is this a table of columns?")
    rows = list(items)
    for position, row in enumerate(rows):
        if not isinstance(row, Row):
            raise BadItemError(
                f"item {position} should be a row of a table, got {describe(row)}: give a Row(names, values) of "
                "encoders.row"
            )
        if len(row.names) != len(row.values):
            raise BadItemError(
                f"row {position} has {len(row.names):,} columns and {len(row.values):,} values: give each column one"
            )
    return rows


def as_named(items: Items) -> list[Named]:
    """Return items with their ids; a content alone becomes an item without an id.

    Raises
    ------
    BadItemError
        For a single item.
    """
    if isinstance(items, str | Named | Row | Sound) or issparse(items):
        raise BadItemError(f"expected a list of items, got {describe(items)}")
    return [item if isinstance(item, Named) else Named(item) for item in items]


#: What reads items of each modality; vectors are read by `as_matrix`.
READERS: dict[Modality, Callable[[Items], Any]] = {
    Modality.TEXT: as_texts,
    Modality.IMAGE: as_images,
    Modality.SOUND: as_sounds,
    Modality.ROW: as_rows,
    Modality.ITEM: as_named,
}


def as_matrix(items: Items, missing: bool = False) -> Codes:
    """Return vector items as a finite float32 matrix (sparse stays sparse, packed bits stay packed).

    With `missing`, NaN is allowed and stands for a missing entry.

    Raises
    ------
    BadItemError
        For NaN, infinite or non-numeric values.
    DimensionError
        When the rows are not all of one width.

    Examples
    --------
    >>> as_matrix([[1, 2], [3, 4]]).dtype
    dtype('float32')
    >>> as_matrix([[1.0, float("nan")]])
    Traceback (most recent call last):
    encoders.errors.BadItemError: row 0 holds NaN or infinite values
    """
    if issparse(items):
        matrix = csr_array(items, dtype=np.float32) if items.dtype != np.float32 else csr_array(items)
        require_finite(matrix.data, matrix)
        return matrix
    if isinstance(items, np.ndarray) and items.dtype == np.uint8 and items.ndim == 2:
        return items
    try:
        dense = np.asarray(items, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise DimensionError(f"expected vectors of one width, got {describe(items)}") from error
    if dense.ndim != 2:
        raise DimensionError(f"expected a matrix (n, dim), got an array of shape {dense.shape}")
    if missing:
        if np.isinf(dense).any():
            raise BadItemError(f"row {int(np.flatnonzero(np.isinf(dense).any(axis=1))[0])} holds infinite values")
        return dense
    require_finite(dense, dense)
    return dense


def require_finite(values: NDArray[Any], matrix: Codes) -> None:
    """Raise `BadItemError` naming the first row with NaN or infinity."""
    if np.isfinite(values).all():
        return
    whole = matrix.toarray() if issparse(matrix) else matrix
    row = int(np.flatnonzero(~np.isfinite(whole).all(axis=1))[0])
    raise BadItemError(f"row {row} holds NaN or infinite values")


def describe(items: Any) -> str:
    """Describe a value in a few words, for error messages."""
    if isinstance(items, np.ndarray) or issparse(items):
        return f"an array of shape {items.shape}"
    if isinstance(items, str | bytes):
        return "a single text"
    if isinstance(items, Sound):
        return "a single sound"
    if isinstance(items, Row):
        return "a single row"
    try:
        first = next(iter(items))
    except (TypeError, StopIteration):
        return f"{type(items).__name__}"
    return f"a {type(items).__name__} of {type(first).__name__}"
