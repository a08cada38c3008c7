"""A .npy file that a user hands in: refused with what it holds and what is expected."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import QueryError
from retrieval.corpora.code_matrix import read_npy


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.array([["a", "b", "c"]]), "values of type <U1"),
        (np.ones((1, 3), complex), "values of type complex128"),
        (np.array(1.0), r"an array of shape \(\)"),
        (np.ones((2, 2)), r"an array of shape \(2, 2\)"),
        (np.ones((1, 1, 3)), r"an array of shape \(1, 1, 3\)"),
        (np.ones((0, 3)), r"an array of shape \(0, 3\)"),
        (np.array([1.0, np.nan, 3.0]), "NaN or infinite values"),
        (np.array([1.0, 1e300, 3.0]), "NaN or infinite values"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_said(tmp_path, array, found):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(QueryError, match=rf"a\.npy holds {found}; expected codes of 3 numbers$"):
        read_npy(tmp_path / "a.npy", 3, "codes of 3 numbers")


def test_what_is_no_npy_file_is_said_without_advice_to_load_it_unsafely(tmp_path):
    np.savez(tmp_path / "several.npy.npz", a=np.ones(3))
    (tmp_path / "garbage.npy").write_bytes(b"\x80\x04garbage")
    for name, found in (
        ("several.npy.npz", "is an .npz file"),
        ("garbage.npy", "is no .npy file that can be read"),
        (".", "is no .npy file that can be read"),
        ("nothing.npy", "does not exist"),
    ):
        with pytest.raises(QueryError, match=found) as raised:
            read_npy(tmp_path / name, 3, "codes of 3 numbers")
        assert "pickle" not in str(raised.value)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (5, 3)])
def test_rows_are_returned_as_a_matrix(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.ones(shape, np.float16))
    assert read_npy(tmp_path / "a.npy", 3, "").shape == (shape[0] if len(shape) == 2 else 1, 3)
