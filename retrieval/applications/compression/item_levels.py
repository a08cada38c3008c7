"""Items and decoded items as rows of numbers whose squared difference is the error: grey levels from 0 to 1, values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind, Modality
from encoders.errors import NotInvertibleError
from encoders.pipeline import decode_through


def require_invertible(encoder: Encoder) -> None:
    """Refuse an encoder whose codes cannot become items again, as far as it can be known before it is fitted.

    Raises
    ------
    NotInvertibleError
    """
    if encoder.reads in (Modality.TEXT, Modality.ROW):
        what = "texts" if encoder.reads is Modality.TEXT else "rows of a table"
        raise NotInvertibleError(
            f"'{encoder}' reads {what}, which cannot be compressed by their codes: compress pictures, sounds or vectors"
        )


def require_quantizable(encoder: Encoder) -> None:
    """Refuse a fitted encoder whose codes are not dense numbers.

    Raises
    ------
    NotInvertibleError
    """
    if encoder.space.kind is not Kind.DENSE:
        raise NotInvertibleError(
            f"the codes of '{encoder}' are {encoder.space.kind}, and only dense codes can be quantised: end the space "
            "with pca, deep-ae or another encoder of dense codes"
        )


def levels_of(encoder: Encoder, contents: Sequence[Any]) -> NDArray[np.float32]:
    """Return items as the first stage reads them (n, values): resized or grey pictures, spectrograms, vectors."""
    if encoder.reads is Modality.VECTOR:
        return _rows(contents)
    return np.asarray(encoder.parts[0].encode(list(contents)), np.float32)


def smooth_levels(encoder: Encoder, codes: Codes) -> NDArray[np.float32]:
    """Return what codes decode to, before it is rounded to grey levels (n, values).

    Raises
    ------
    NotInvertibleError
    """
    stages = encoder.parts if encoder.reads is Modality.VECTOR else encoder.parts[1:]
    return _rows(decode_through(stages, codes))


def decoded_levels(encoder: Encoder, codes: Codes) -> NDArray[np.float32]:
    """Return what codes decode to as a file shows it: rounded to whole grey levels where items are pictures."""
    levels = smooth_levels(encoder, codes)
    if encoder.reads is Modality.VECTOR:
        return levels
    return (np.rint(np.clip(levels, 0, 1) * 255) / 255).astype(np.float32)


def _rows(values: Any) -> NDArray[np.float32]:
    matrix = values.toarray() if issparse(values) else np.asarray(values)
    return np.asarray(matrix, np.float32).reshape(len(matrix), -1)
