"""Codes that go into an index, and from there into another."""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest

from encoders.registry import create
from indexers.exact import Exact
from retrieval.corpora.registry import open_corpus
from retrieval.spaces.build import fill, fill_another
from retrieval.spaces.fit import fitted


@pytest.fixture(scope="module")
def digits():
    return list(open_corpus("digits"))


@pytest.fixture(scope="module")
def encoder():
    encoder = create("pixels+pca:8")
    fitted(encoder, open_corpus("digits").batches())
    return encoder


@pytest.mark.parametrize(
    ("one", "other"), [("exact", "faiss:Flat"), ("faiss:HNSW32", "exact"), ("faiss:HNSW32", "faiss:Flat")]
)
def test_the_codes_of_one_index_fill_another_without_encoding(digits, encoder, one, other, monkeypatch):
    first = fill(encoder, digits, one)
    alone = fill(encoder, digits, other)
    monkeypatch.setattr(type(encoder), "encode", lambda *_: pytest.fail("encoded twice"))
    second = fill_another(encoder, digits, other, first)
    assert list(second.index.ids) == list(first.index.ids)
    assert (second.encode_seconds, second.code_bytes) == (first.encode_seconds, first.code_bytes)
    queries = first.kept.codes()[:20] if first.kept else first.index.codes()[:20]
    np.testing.assert_array_equal(second.index.search_rows(queries, 5).rows, alone.index.search_rows(queries, 5).rows)


def test_an_index_that_could_not_be_filled_is_closed(digits, encoder, monkeypatch):
    closed = []
    first = fill(encoder, digits, "faiss:Flat")
    monkeypatch.setattr(Exact, "close", lambda index: closed.append(index))
    monkeypatch.setattr(Exact, "_add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        fill(encoder, digits, "exact")
    with pytest.raises(KeyboardInterrupt):
        fill_another(encoder, digits, "exact", first)
    assert len(closed) == 2


def test_checkpoints_are_found_however_deep_the_folder_is(tmp_path):
    from encoders.neural.checkpoint import FILE
    from retrieval.spaces.fit import checkpoints

    assert checkpoints(tmp_path / "absent") == []
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / FILE).write_text("x")
    here = os.open(tmp_path, os.O_RDONLY)
    deep = here
    try:
        for _ in range(1_200):  # deeper than Python's stack
            os.mkdir("d", dir_fd=deep)
            below = os.open("d", os.O_RDONLY, dir_fd=deep)
            if deep != here:
                os.close(deep)
            deep = below
        os.close(deep)
        assert checkpoints(tmp_path) == [tmp_path / "training" / FILE]
    finally:
        os.close(here)
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
