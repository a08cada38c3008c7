"""A loaded encoder is tried on one small item: arrays that do not fit each other or the space are found at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from encoders.base import Encoder
from encoders.codes import Kind, Modality
from encoders.errors import NotInvertibleError

#: Numbers of a dense row that is made up: wider ones are tried by the first real item.
_WIDEST = 2**24


def require_fitting(encoder: Encoder) -> None:
    """Encode and decode one small item, if the encoder needs no large library for that.

    Raises
    ------
    ValueError, LookupError, TypeError, ...
        Whatever the method raises where its arrays do not fit.
    """
    if not all(part.answers_without_torch for part in encoder.parts):
        return
    words = encoder.parts[0].vocabulary
    if words is not None and (not isinstance(words, list) or len(words) != encoder.parts[0].space.dim):
        raise ValueError(f"it has not as many words as its space has components, {encoder.parts[0].space.dim:,}")
    item = _item(encoder)
    if item is None:
        return
    with np.errstate(all="ignore"):
        for codes in (encoder.encode(item), encoder.encode_queries(item)):
            if codes.shape != (1, encoder.space.columns):
                raise ValueError(
                    f"it gives codes of shape {codes.shape}, its space has {encoder.space.dim:,} components"
                )
        try:
            encoder.decode(codes)
        except NotInvertibleError:
            return


def _item(encoder: Encoder) -> Any:
    """Return one item of the form that an encoder reads; None where it cannot be told, or is very large."""
    first = encoder.parts[0]
    if first.reads is Modality.TEXT:  # of the first and last words: arrays that end too early are found by the last
        words = first.vocabulary or []
        return [" ".join([*words[:2], *words[-2:]])]
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
