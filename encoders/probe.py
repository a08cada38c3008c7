"""A loaded encoder is tried on one empty item: arrays that do not fit each other or the space are found at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from encoders.base import Encoder, stored_width
from encoders.codes import Kind, Modality
from encoders.errors import NotInvertibleError

#: Numbers of a dense row that is made up: wider ones are tried by the first real item.
_WIDEST = 2**24


def require_fitting(encoder: Encoder) -> None:
    """Encode and decode one empty item, if the encoder needs no large library for that.

    Raises
    ------
    ValueError, LookupError, TypeError, ...
        Whatever the method raises where its arrays do not fit.
    """
    if not all(part.answers_without_torch for part in encoder.parts):
        return
    item = _empty_item(encoder)
    if item is None:
        return
    with np.errstate(all="ignore"):
        for codes in (encoder.encode(item), encoder.encode_queries(item)):
            if codes.shape != (1, stored_width(encoder.space)):
                raise ValueError(
                    f"it gives codes of shape {codes.shape}, its space has {encoder.space.dim:,} components"
                )
        try:
            encoder.decode(codes)
        except NotInvertibleError:
            return


def _empty_item(encoder: Encoder) -> Any:
    """Return one item of the form that an encoder reads; None where it cannot be told, or is very large."""
    first = encoder.parts[0]
    if first.reads is Modality.TEXT:
        return [""]
    if first.reads is Modality.IMAGE:
        shape = getattr(first, "shape", None) or first.space.shape
        fits = shape is not None and 0 < int(np.prod(shape, dtype=np.float64)) <= _WIDEST
        return np.zeros((1, *shape), np.uint8) if shape is not None and fits else None
    width, space = first.input_dim, first.input_space
    if width is None:
        return None
    if space is not None and space.kind is Kind.SPARSE:
        return csr_array((1, width), dtype=np.float32)
    return np.zeros((1, width), np.float32) if width <= _WIDEST else None
