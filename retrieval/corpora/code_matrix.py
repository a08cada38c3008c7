"""A reader of .npy files that a user gives, such as codes to decode: everything is checked first."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from encoders import npy
from encoders.errors import QueryError


def read_npy(path: Path, width: int, wanted: str) -> NDArray[Any]:
    """Return the rows of a .npy file; a single row may be stored as a plain vector.

    Parameters
    ----------
    path : Path
        What `numpy.save` wrote.
    width : int
        Numbers in a row.
    wanted : str
        What should be in it, in the user's words.

    Returns
    -------
    ndarray (n, width)
        Finite as float32, at least one row, of whatever type it was stored in.

    Raises
    ------
    QueryError
        Naming the file, what it holds, and what is expected.
    """
    array = _loaded(path, wanted)
    if array.dtype.kind not in "fiub":
        raise QueryError(f"{path} holds values of type {array.dtype}; expected {wanted}")
    if array.ndim not in (1, 2) or array.size == 0 or array.shape[-1] != width:
        raise QueryError(f"{path} holds an array of shape {array.shape}; expected {wanted}")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is found just here
        if not np.isfinite(array.astype(np.float32)).all():
            raise QueryError(f"{path} holds NaN or infinite values; expected {wanted}")
    return np.atleast_2d(array)


def _loaded(path: Path, wanted: str) -> NDArray[Any]:
    if not path.exists():
        raise QueryError(f"{path} does not exist; expected a .npy file with {wanted}")
    try:
        return npy.read_npy(path)
    except (OSError, ValueError):
        kind = "an .npz file" if path.is_file() and zipfile.is_zipfile(path) else "no .npy file that can be read"
        raise QueryError(f"{path} is {kind}; expected {wanted}") from None
