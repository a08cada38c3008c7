"""Codes that a person changes to see what their components mean: the first components alone, or one that is moved."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from encoders.base import Encoder
from encoders.codes import Codes, Kind
from encoders.errors import OptionError
from retrieval.analysis.components import Components

#: Rows of codes from which standard deviations are computed.
MAX_ROWS = 5_000


class Change(StrEnum):
    """What can be changed in a code: the number of components of a sum, one number, or nothing."""

    SUM = "sum"
    MOVE = "move"
    NONE = "none"


def change_of(encoder: Encoder, components: Components | None) -> Change:
    """Return what can be changed in the codes of a space.

    A linear decoder gives a sum of components, one for each number of the code. Of any other decoder of numbers, one
    number is moved at a time. Clusters and bits stay as they are.
    """
    if components is not None:
        return Change.NONE if components.clusters else Change.SUM
    is_moved = encoder.space.kind is Kind.DENSE and len(encoder.parts) > 1  # one stage gives pixels or columns
    return Change.MOVE if is_moved else Change.NONE


def order_of(components: Components, code: Codes) -> NDArray[np.int64]:
    """Return the components in the order in which they are added: by importance, or those that add most first.

    Parameters
    ----------
    components : Components
    code : codes (1, k)
    """
    numbers = _numbers(code)
    if components.ordered:
        return np.arange(len(numbers))
    sizes = np.abs(numbers) * np.linalg.norm(components.atoms, axis=1)
    return np.asarray(np.argsort(-sizes, kind="stable"))


def first_components(code: Codes, order: NDArray[np.int64], count: int) -> Codes:
    """Return a code (1, k) whose numbers are 0 except those of the first components.

    Examples
    --------
    >>> first_components(np.array([[3.0, 4.0, 5.0]], np.float32), np.array([2, 0, 1]), 2)
    array([[3., 0., 5.]], dtype=float32)
    """
    numbers = _numbers(code)
    kept = np.zeros_like(numbers)
    kept[order[:count]] = numbers[order[:count]]
    return _like(code, kept)


def moved(code: Codes, component: int, value: float) -> Codes:
    """Return a code (1, k) with another number in one component, counted from 0.

    Raises
    ------
    OptionError
        When the code has no such component.

    Examples
    --------
    >>> moved(np.array([[3.0, 4.0]], np.float32), 1, -2.0)
    array([[ 3., -2.]], dtype=float32)
    """
    numbers = _numbers(code)
    if not 0 <= component < len(numbers):
        raise OptionError(f"the code has {len(numbers):,} components: give one from 0 to {len(numbers) - 1:,}")
    numbers[component] = value
    return _like(code, numbers)


def standard_deviations(codes: Codes, seed: int = 0) -> NDArray[np.float64]:
    """Return the standard deviation of every component over the items, of many items a random sample.

    Examples
    --------
    >>> standard_deviations(np.array([[1.0, 5.0], [3.0, 5.0]], np.float32))
    array([1., 0.])
    """
    if codes.shape[0] > MAX_ROWS:
        codes = codes[np.sort(np.random.default_rng(seed).choice(codes.shape[0], MAX_ROWS, replace=False))]
    return np.asarray(codes.std(axis=0, dtype=np.float64))


def _numbers(code: Codes) -> NDArray[np.float32]:
    return np.array(code.toarray()[0] if issparse(code) else code[0], np.float32)


def _like(code: Codes, numbers: NDArray[np.float32]) -> Any:
    return csr_array(numbers[None]) if issparse(code) else numbers[None]
