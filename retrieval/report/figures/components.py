"""Components as pictures in one grid, and items as sums of components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.analysis.components import Components, PartialSums

#: Ends of the scale of signed pictures: blue below 0, orange above 0 (different with any colour vision).
_LESS, _MORE = np.array([0, 114, 178], np.uint8), np.array([213, 94, 0], np.uint8)


def picture_of(
    values: NDArray[Any], shape: tuple[int, ...], signed: bool, largest: float | None = None
) -> NDArray[np.uint8]:
    """Return one component as a picture: grey from 0 up, or blue below 0, orange above 0 and transparent at 0.

    Parameters
    ----------
    values : ndarray (dim,)
    shape : tuple of int
        ``(height, width[, channels])``.
    signed : bool
        Whether values below 0 mean something; the mean over the channels is then shown.
    largest : float, optional
        The value at the end of the scale; by default the largest of this picture.

    Returns
    -------
    ndarray uint8
        As `shape`, or (height, width, 4) for signed values: their 0 has the colour of the page, light or dark.
    """
    image = np.asarray(values, dtype=np.float32).reshape(shape)
    scale = largest or max(float(np.abs(image).max()), 1e-12)
    if not signed:
        return np.asarray(np.clip(image / scale, 0, 1) * 255, dtype=np.uint8)
    image = image.mean(axis=2) if image.ndim == 3 else image
    share = np.clip(image / scale, -1, 1)[:, :, None]
    opacity = np.rint(np.abs(share) * 255).astype(np.uint8)
    return np.concatenate([np.where(share < 0, _LESS, _MORE), opacity], axis=2)


def component_pictures(components: Components, limit: int) -> list[NDArray[np.uint8]]:
    """Return the first components as pictures."""
    assert components.shape is not None  # noqa: S101
    return [picture_of(atom, components.shape, components.signed) for atom in components.atoms[:limit]]


def grid(pictures: Sequence[NDArray[np.uint8]], columns: int, scale: int = 1, gap: int = 2) -> NDArray[np.uint8]:
    """Arrange pictures of one size in rows, each enlarged by whole pixels, with transparent gaps between them.

    Returns
    -------
    ndarray uint8 (height, width, 2) or (height, width, 4)
        Grey or colour, and in the last channel opacity: 0 in a gap. The gaps have the colour of the page, whether it
        is light or dark.

    Examples
    --------
    >>> grid([np.zeros((4, 4), np.uint8)] * 3, columns=2).shape
    (10, 10, 2)
    """
    pictures = [_with_opacity(np.atleast_3d(picture)) for picture in pictures]
    first = pictures[0]
    height, width = first.shape[0] * scale, first.shape[1] * scale
    rows = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, first.shape[2])
    whole = np.zeros(shape, dtype=np.uint8)
    for position, picture in enumerate(pictures):
        top, left = (position // columns) * (height + gap), (position % columns) * (width + gap)
        whole[top : top + height, left : left + width] = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    return whole


def _with_opacity(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture with opacity as its last channel: 255 where it had none."""
    if picture.shape[2] in (2, 4):
        return picture
    return np.concatenate([picture, np.full_like(picture[:, :, :1], 255)], axis=2)


def sum_pictures(components: Components, sums: PartialSums) -> list[NDArray[np.uint8]]:
    """Return the partial sums as pictures, grey levels from 0 to 1."""
    assert components.shape is not None  # noqa: S101
    return [picture_of(row, components.shape, signed=False, largest=1.0) for row in sums.sums]
