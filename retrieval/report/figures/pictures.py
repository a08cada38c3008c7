"""Pictures inside the page: PNG in a data address, as small as they are shown."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray

from encoders.errors import BadItemError

#: The longest side of a picture in the page, in pixels.
THUMBNAIL = 96


def data_uri(picture: NDArray[np.uint8], limit: int = THUMBNAIL) -> str:
    """Return a picture as ``data:image/png;base64,...``.

    Parameters
    ----------
    picture : ndarray uint8 (h, w) or (h, w, 3)
        Grey or colour. A picture longer than `limit` is made smaller; a small one stays as it is, for CSS
        enlarges it without blurring.
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
    from PIL import Image

    array = np.ascontiguousarray(picture)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype != np.uint8 or array.size == 0 or (array.ndim != 2 and array.shape[2:] != (3,)):
        raise BadItemError(
            f"a picture is uint8 (height, width) or (height, width, 3); got {array.dtype} of shape {array.shape}"
        )
    image = Image.fromarray(array)
    if max(image.size) > limit:
        scale = limit / max(image.size)
        image = image.resize(
            (max(1, round(image.width * scale)), max(1, round(image.height * scale))),
            Image.Resampling.LANCZOS,
        )
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
