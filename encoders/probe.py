"""Check of a loaded encoder with one small item, which finds arrays that do not fit each other or the space."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from encoders.base import Encoder
from encoders.codes import Kind, Modality, whole_number
from encoders.errors import NotInvertibleError
from encoders.pipeline import decode_through
from encoders.sound import MAX_RATE, Sound

#: Largest width of an artificial dense row; wider encoders are not checked.
_WIDEST = 2**24


def require_fitting(encoder: Encoder) -> None:
    """Encode and decode one small item, unless the encoder needs torch, files that are elsewhere or a server for it.

    Raises
    ------
    ValueError, LookupError, TypeError, ...
        Any error of an encoder whose arrays do not fit.
    """
    if not all(stage.answers_without_torch and stage.answers_alone for stage in encoder.parts):
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
        # A sound is decoded by a library that takes a second to load: its codes alone are checked.
        stages = encoder.parts[1:] if encoder.parts[0].reads is Modality.SOUND else encoder.parts
        try:
            decode_through(stages, codes)
        except NotInvertibleError:
            return


def _item(encoder: Encoder) -> Any:
    """Return one item that the encoder can read; None if its form is unknown or very large."""
    first = encoder.parts[0]
    if first.reads is Modality.TEXT:  # the last words find arrays that are too short
        words = first.vocabulary or []
        return [" ".join([*words[:2], *words[-2:]])]
    if first.reads is Modality.IMAGE:
        shape = getattr(first, "shape", None) or first.space.shape
        fits = shape is not None and 0 < int(np.prod(shape, dtype=np.float64)) <= _WIDEST
        return np.zeros((1, *shape), np.uint8) if shape is not None and fits else None
    if first.reads is Modality.SOUND:
        rate = whole_number(getattr(first, "rate", None), MAX_RATE)
        return [Sound(np.ones(rate // 10, np.int16), rate)]
    if first.reads is Modality.ROW:
        with np.errstate(all="ignore"):
            return list(first.decode(np.zeros((1, first.space.columns), np.float32)))  # usual values: none is missing
    width, space = first.input_dim, first.input_space
    if width is None:
        return None
    if space is not None and space.kind is Kind.SPARSE:
        return csr_array((1, width), dtype=np.float32)
    return np.zeros((1, width), np.float32) if width <= _WIDEST else None
