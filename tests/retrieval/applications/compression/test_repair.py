"""Repair data give back any one damaged block, and nothing wrong."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.applications.compression.repair import block_bytes, repair_bytes, repair_data, repaired

SIZES = [1, 63, 64, 65, 1000, 1024, 5000, 100_000]


@pytest.mark.parametrize("size", SIZES)
def test_any_one_damaged_block_is_given_back(size):
    rng = np.random.default_rng(size)
    data = rng.bytes(size)
    repair, block = repair_data(data), block_bytes(size)
    assert len(repair) == repair_bytes(size)
    for start in {0, (size - 1) // block * block, size // 2 // block * block}:
        for damage in (1, block):  # a byte, or the whole block
            end = min(start + damage, size)
            wrong = data[:start] + bytes(byte ^ 0x55 for byte in data[start:end]) + data[end:]
            assert repaired(wrong, repair) == data


@pytest.mark.parametrize("size", SIZES)
def test_what_cannot_be_repaired_is_not_made_up(size):
    data = np.random.default_rng(size).bytes(size)
    repair = repair_data(data)
    assert repaired(data, repair) is None, "no block is damaged"
    assert repaired(data, repair[:-1]) is None
    assert repaired(data[:-1], repair) != data
    if size > 64:
        two = bytes([data[0] ^ 1]) + data[1:-1] + bytes([data[-1] ^ 1])
        assert repaired(two, repair) is None


def test_it_costs_little():
    assert repair_bytes(0) == len(repair_data(b"")) == 0
    for size in SIZES:
        assert repair_bytes(size) <= 4 * np.sqrt(size) + size / 16 + 72
        assert repair_bytes(size) <= size + 8
    assert repair_bytes(4_000_000) == 8000
