"""Pictures inside a page: PNG in a data address, no larger than they are shown."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError

if TYPE_CHECKING:
    from PIL.Image import Image

#: The longest side of a picture in the page, in pixels.
THUMBNAIL = 96


def data_uri(picture: NDArray[np.uint8], limit: int = THUMBNAIL) -> str:
    """Return a picture as ``data:image/png;base64,...``.

    Parameters
    ----------
    picture : ndarray uint8 (h, w), (h, w, 3) or (h, w, 4)
        Grey, or colour without or with opacity. A picture longer than `limit` is made smaller. A smaller one keeps its
        size: CSS enlarges it without blurring.
    limit : int
        The longest side in pixels.

    Raises
    ------
    BadItemError
        When the array is not a picture.

    Examples
    --------
    >>> data_uri(np.zeros((2, 2), dtype=np.uint8))[:22]
    'data:image/png;base64,'
    """
    from PIL.Image import Resampling

    shaped = picture.ndim == 2 or picture.shape[2:] in ((1,), (3,), (4,))
    if picture.dtype != np.uint8 or picture.size == 0 or not shaped:
        raise BadItemError(
            "a picture is uint8 (height, width), (height, width, 3) or (height, width, 4); "
            f"got {picture.dtype} of shape {picture.shape}"
        )
    image = as_image(picture)
    if max(image.size) > limit:
        scale = limit / max(image.size)
        image = image.resize(
            (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Resampling.LANCZOS
        )
    return address_of(png(image))


def as_image(picture: NDArray[np.uint8]) -> Image:
    """Return an array as a PIL image: grey or colour, and with opacity as its last channel where it has 2 or 4."""
    from PIL.Image import fromarray

    return fromarray(np.ascontiguousarray(picture[:, :, 0] if picture.shape[2:] == (1,) else picture))


def png(image: Image) -> bytes:
    """Return an image as the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def address_of(content: bytes) -> str:
    """Return the bytes of a PNG file as a data address."""
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
