"""The one way to cut a stream: by rows and by bytes."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.batches import BATCH_BYTES, chunks
from retrieval.corpora.base import Item, item_bytes
from retrieval.corpora.blocks import blocks_of


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
@pytest.mark.parametrize("most", [1, 5, 1000])
def test_nothing_is_lost_and_both_limits_hold(rows, most):
    words = ["a" * (n * 7 % 11) for n in range(50)]
    cut = list(chunks(words, rows, len, most))
    assert [word for chunk in cut for word in chunk] == words
    assert all(chunk and len(chunk) <= rows for chunk in cut)
    assert all(len(chunk) == 1 or sum(map(len, chunk)) <= most for chunk in cut)


def test_nothing_is_read_ahead():
    taken = []
    stream = (taken.append(n) or n for n in range(10))
    assert next(chunks(stream, 3)) == [0, 1, 2]
    assert taken == [0, 1, 2]


def test_large_pictures_come_a_few_at_a_time():
    picture = np.zeros((BATCH_BYTES // 4,), np.uint8)
    items = [Item(str(n), picture) for n in range(9)]
    assert [len(block.ids) for block in blocks_of(items, 1024, item_bytes)] == [4, 4, 1]
