"""Contents in a mapped file: the same values, and a large corpus does not fill the memory."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from encoders.codes import Modality
from encoders.sound import Sound
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment import spilled_contents
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.spilled_contents import SpilledContents

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("in_memory", [0, 500, 10**6])
def test_contents_are_the_same_wherever_they_are(in_memory, monkeypatch):
    monkeypatch.setattr(spilled_contents, "CHUNK", 4096)
    sizes = [1, 7, 300, 2047, 2048, 5000, 3]
    contents = [Sound(RNG.integers(-9, 9, size).astype(np.int16), 8000) for size in sizes]
    contents[2:2] = [RNG.integers(0, 255, (9, 7, 3), dtype=np.uint8), "a text", RNG.random(5).astype(np.float32)]
    items = [Item(str(row), content, label="x") for row, content in enumerate(contents)]
    spilled = SpilledContents(in_memory)
    for item, kept in zip(items, [*map(spilled.kept, items)], strict=True):
        assert (kept.id, kept.label) == (item.id, "x")
        assert type(kept.content) is type(item.content)
        if isinstance(item.content, np.ndarray):
            np.testing.assert_array_equal(kept.content, item.content)
        else:
            assert kept.content == item.content


def test_what_is_in_memory_is_not_copied():
    item = Item("1", Sound(np.zeros(9, np.int16), 8000))
    assert SpilledContents().kept(item) is item


class Long(Corpus):
    """400 sounds of a megabyte, which are made when they are read."""

    name, modality, queries_are_items = "long", Modality.SOUND, True

    def __iter__(self):
        return (
            Item(str(row), Sound(np.full(2**19, row + 1, np.int16), 8000), label=str(row % 2)) for row in range(400)
        )

    def queries(self):
        return iter(())


def anonymous_bytes() -> int:
    return 1024 * int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def test_a_large_corpus_of_sounds_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("retrieval.experiment.query_set.SpilledContents", lambda: SpilledContents(2**24))
    before = anonymous_bytes()
    query_set = QuerySet.of(Long())
    assert anonymous_bytes() - before < 100 * 2**20  # of 400
    assert [int(query.content.samples[-1]) for query in query_set.queries[::100]] == [1, 101, 201, 301]
    assert query_set.shown[7].sound is query_set.queries[7].content
