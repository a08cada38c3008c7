"""Headers of .npy files are believed only as far as the file goes."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from encoders.npy import map_npy, read_npy, read_npy_stream, release

READERS = [map_npy, read_npy]
MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


def npy(
    shape: str, descr: str = "'<f4'", order: str = "False", values: bytes = MATRIX.tobytes(), version: int = 1
) -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(head)) + head + values


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "array", [MATRIX, np.asfortranarray(MATRIX), np.zeros((0, 4)), np.float64(3), MATRIX > 3, np.array(["a", "bc"])]
)
def test_what_numpy_writes_is_read(tmp_path, read, array):
    np.save(tmp_path / "a.npy", array)
    found = read(tmp_path / "a.npy")
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.asarray(array).dtype


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (npy("(99999999999, 4)"), "says 1,599,999,999,984 bytes of numbers, there are 48"),
        (npy("(3, 5)"), "says 60 bytes of numbers, there are 48"),
        (npy("(-1, 4)"), "its header says the shape"),
        (npy("(True, 4)"), "its header says the shape"),
        (npy("(4611686018427387904, 4)"), "more numbers than any file holds"),
        (npy("(0, 4611686018427387904)"), "more numbers than any file holds"),
        (npy("(" + "1, " * 40 + ")"), "more numbers than any file holds"),
        (npy("(3, 4)", "'|O'"), "Python objects"),
        (npy("(3, 4)", "'nothing'"), "its header cannot be read"),
        (npy("(3, 4"), "its header cannot be read"),
        (npy("(" * 3000 + ")" * 3000), "its header cannot be read"),
        (npy("(3, 4)" + " " * 20_000, version=2), "its header would have 20,"),
        (npy("(3, 4)", version=2)[:20], "its header cannot be read"),
        (b"\x93NUMPY\x01\x00", "its header cannot be read"),
        (b"\x93NUMPY\x07\x00", "does not begin as"),
        (b"", "does not begin as"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_a_value_error(tmp_path, read, raw, message):
    (tmp_path / "a.npy").write_bytes(raw)
    with pytest.raises(ValueError, match=message):
        read(tmp_path / "a.npy")


def test_a_stream_that_ends_before_its_array_is_refused():
    raw = npy("(3, 4)")
    np.testing.assert_array_equal(read_npy_stream(io.BytesIO(raw), len(raw)), MATRIX)
    with pytest.raises(ValueError, match="there are 40"):
        read_npy_stream(io.BytesIO(raw[:-8]), len(raw))  # its archive says more than there is


def test_changes_in_memory_survive_a_release(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(5000))
    changed = np.load(tmp_path / "a.npy", mmap_mode="c")
    changed += 5
    release(changed)
    assert (changed == 5).all()
