"""Values of a saved detector: each is of its type and size, or a sentence says which is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from encoders.codes import Modality, whole_number
from encoders.numbers import shortened
from retrieval.applications.anomaly.detector import FitRecord
from retrieval.applications.anomaly.normal_items import NormalItems
from retrieval.applications.anomaly.score import Score

T = TypeVar("T")
Floats = NDArray[np.float64]
#: Types of JSON, for people.
_NAMES: dict[Any, str] = {dict: "an object", list: "an array", str: "a text", bool: "true or false"}
#: Sides of a picture or vector, and items.
_LARGEST_SIDE, _MOST_ITEMS = 2**31, 2**62


def stored(value: Any, key: str, kind: type[T], where: str) -> T:
    """Return a field of a JSON object, of a type.

    Raises
    ------
    ValueError
        When the object is none, lacks the field, or has another type in it.

    Examples
    --------
    >>> stored({"members": [1]}, "members", list, "the manifest")
    [1]
    >>> stored({"members": 3}, "members", list, "the manifest")
    Traceback (most recent call last):
    ValueError: 'members' of the manifest is 3, not an array
    """
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {shortened(value)}, not an object")
    if key not in value:
        raise ValueError(f"{where} has no '{key}'")
    entry: T = value[key]
    if type(entry) is not kind:
        raise ValueError(f"'{key}' of {where} is {shortened(entry)}, not {_NAMES[kind]}")
    return entry


def stored_array(arrays: Mapping[str, NDArray[Any]], key: str, size: int | None = None) -> Floats:
    """Return a stored array float64 (n,) of finite numbers, with `size` entries or, without it, with at least one.

    Raises
    ------
    ValueError

    Examples
    --------
    >>> stored_array({"calibration": np.zeros(0)}, "calibration")
    Traceback (most recent call last):
    ValueError: 'calibration' holds no numbers
    """
    if key not in arrays:
        raise ValueError(f"it has no numbers '{key}'")
    array = arrays[key]
    if array.dtype != np.float64 or array.ndim != 1 or (size is not None and len(array) != size):
        wanted = "" if size is None else f"{size:,} "
        raise ValueError(f"'{key}' is {array.dtype} of shape {array.shape}, not {wanted}numbers float64 in a row")
    if not len(array):
        raise ValueError(f"'{key}' holds no numbers")
    if not np.isfinite(array).all():
        raise ValueError(f"'{key}' holds values that are not finite numbers")
    return array


def stored_options(value: Any, made: Score, where: str) -> None:
    """Raise an error unless the options of a score are those that it was made with.

    Raises
    ------
    ValueError
    """
    if not isinstance(value, dict) or value != made.options() or any(
        type(value[key]) is not type(option) for key, option in made.options().items()
    ):  # fmt: skip
        raise ValueError(f"'options' of {where} is {shortened(value)}, which the score '{made.name}' does not have")


def stored_record(value: Any, n_calibration: int) -> FitRecord:
    """Return the record of the fit of a detector with a number of calibration scores.

    Raises
    ------
    ValueError
    """
    where = "the record of the fit"
    names = {one.name for one in fields(FitRecord)}
    if not isinstance(value, dict) or value.keys() | {"n_distinct"} != names:  # older detectors counted all items
        raise ValueError(f"{where} has other fields")
    corpus, normal = stored(value, "corpus", str, where), stored(value, "normal", list, where)
    if not all(isinstance(label, str) for label in normal):
        raise ValueError(f"'normal' of {where} holds a value that is not a label")
    modality = _modality(value["modality"])
    counts = [_whole(value, key, _MOST_ITEMS, where) for key in ("n_training", "n_held_out", "seed")]
    distinct = _whole(value, "n_distinct", n_calibration, where) if "n_distinct" in value else n_calibration
    if not counts[0] or not distinct:
        raise ValueError(f"{where} counts no items")
    share = value["contaminated"]
    if type(share) not in (int, float) or not 0 <= share < 0.5:
        raise ValueError(f"'contaminated' of {where} is {shortened(share)}, not a share below one half")
    by_order = stored(value, "by_order", bool, where)
    rate = None if value["rate"] is None else _whole(value, "rate", _LARGEST_SIDE, where)
    if (rate is not None) != (modality is Modality.SOUND) or rate == 0:
        raise ValueError(f"'rate' of {where} is {rate}, which {modality}s do not have")
    return FitRecord(
        corpus, modality, list(normal), counts[0], counts[1], float(share), by_order, counts[2], distinct,
        _shape(value["shape"], modality, where), rate,
    )  # fmt: skip


def require_contents(normal: NormalItems, record: FitRecord) -> None:
    """Raise an error unless the pictures or vectors that are kept have the form of those of the fit.

    Raises
    ------
    ValueError
    """
    kept = normal.contents
    if kept is None:
        return
    kinds = {Modality.IMAGE: np.dtype(np.uint8), Modality.VECTOR: np.dtype(np.float32)}
    if kept.dtype != kinds.get(record.modality) or list(kept.shape[1:]) != record.shape or not np.isfinite(kept).all():
        raise ValueError(f"its normal items are {kept.dtype} of shape {kept.shape}, unlike those of the fit")


def _modality(value: Any) -> Modality:
    if not isinstance(value, str) or value not in list(Modality):
        raise ValueError(f"'modality' of the record of the fit is {shortened(value)}, which nearby does not know")
    return Modality(value)


def _shape(value: Any, modality: Modality, where: str) -> list[int] | None:
    sides = {Modality.IMAGE: (2, 3), Modality.VECTOR: (1,)}.get(modality)
    if sides is None and value is None:
        return None
    if sides is None or not isinstance(value, list) or len(value) not in sides:
        raise ValueError(f"'shape' of {where} is {shortened(value)}, which {modality}s do not have")
    shape = [whole_number(side, _LARGEST_SIDE) for side in value]
    if not all(shape):
        raise ValueError(f"'shape' of {where} has a side of 0")
    return shape


def _whole(value: Any, key: str, largest: int, where: str) -> int:
    try:
        return whole_number(value[key], largest)
    except ValueError as error:
        raise ValueError(f"'{key}' of {where}: {error}") from None
