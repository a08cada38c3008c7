"""Texts, tables and manifests as hypothesis makes them: what is read is what was written, the rest is one sentence."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders.artifact import read_json
from encoders.codes import Space
from encoders.errors import NearbyError
from encoders.npy import read_npy
from encoders.registry import create
from retrieval.collection.manifest import Manifest
from retrieval.corpora.base import Item
from retrieval.corpora.item_record import item_digest, item_of, record_of
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.trec import read_qrels, read_run

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
#: What JSON can hold, numbers too large for anything among it.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([10**400, -1, 2**63, 1e308]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


@contextmanager
def written(name: str, raw: bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        yield path


def refused_in_one_sentence(read) -> None:
    try:
        read()
    except NearbyError as error:
        text = str(error)
    else:
        return
    assert text.strip()
    assert "\n" not in text


@QUICK
@given(
    st.lists(st.dictionaries(st.sampled_from(["_id", "id", "text", "title", "label", "metadata"]), JSON), max_size=4)
)
def test_records_of_any_values(records):
    raw = "\n".join(json.dumps(record) for record in records).encode()
    with written("t.jsonl", raw) as path:
        refused_in_one_sentence(lambda: [record_of(item, item_modality(item)) for item in open_corpus(str(path))])


def item_modality(item: Item):
    from encoders.codes import Modality

    return Modality.TEXT


NAMES = st.sampled_from(["_id", "id", "a", "b", "a.b", "label", "metadata", ""])


@QUICK
@given(st.lists(st.dictionaries(NAMES, JSON), max_size=4), st.sampled_from(["*", "a", "a,a.b", "b&label=a", "*&id=a"]))
def test_rows_of_any_values(records, columns):
    from encoders.codes import Modality

    def stored(path):
        for item in open_corpus(f"{path}?columns={columns}"):
            again = item_of(record_of(item, Modality.ROW))
            assert item_digest(again) == item_digest(item)

    raw = "\n".join(json.dumps(record) for record in records).encode()
    with written("t.jsonl", raw) as path:
        refused_in_one_sentence(lambda: stored(path))


VALUES = st.none() | st.text(max_size=5) | st.floats() | st.sampled_from(["1", "2026-01-01", "x", 1.0, 2.0])


@QUICK
@given(st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[VALUES] * width), min_size=1, max_size=8)))
def test_rows_of_any_values_are_encoded_and_decoded(values):
    names = tuple(f"c{number}" for number in range(len(values[0])))

    def encoded():
        from encoders.row import Row

        rows = [Row(names, row) for row in values]
        encoder = create("columns").fit(rows)
        codes = encoder.encode(rows)
        assert np.isfinite(codes).all()
        alone = np.concatenate([encoder.encode([row]) for row in rows])
        np.testing.assert_array_equal(alone, codes)
        encoder.encode(encoder.decode(codes))

    refused_in_one_sentence(encoded)


@QUICK
@given(st.binary(max_size=300), st.sampled_from(["t.jsonl", "t.csv", "t.tsv", "t.npy", "t.npz", "t.parquet", "t.fvecs", "t.zip", "t.tar", "t.tar.gz", "t.csv.gz", "x-idx3-ubyte"]))  # fmt: skip
def test_any_bytes_under_any_name(raw, name):
    with written(name, raw) as path:
        refused_in_one_sentence(lambda: list(open_corpus(str(path))))


@QUICK
@given(st.lists(st.lists(st.text(max_size=6) | st.integers().map(str) | st.sampled_from(["9" * 5000, "nan", "-1"]), max_size=7), max_size=5), st.sampled_from([" ", "\t"]))  # fmt: skip
def test_judgements_and_runs_of_any_cells(rows, between):
    raw = "\n".join(between.join(row) for row in rows).encode("utf-8", errors="surrogatepass")
    for read in (read_qrels, read_run):
        with written("t.txt", raw) as path:
            refused_in_one_sentence(lambda read=read, path=path: read(path))


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(["nearby", "format", "spaces", "corpus", "modality", "count", "items", "server"]), JSON
    )
)
def test_manifests_of_any_values(value):
    value = {
        "nearby": "a collection",
        "format": 1,
        "corpus": "c",
        "modality": "text",
        "count": 1,
        "items": "",
        "spaces": [],
    } | value
    with written("manifest.json", json.dumps(value).encode()) as path:
        refused_in_one_sentence(lambda: Manifest.read(path.parent))
        refused_in_one_sentence(lambda: read_json(path, "a thing"))


@QUICK
@given(st.dictionaries(st.sampled_from(["dim", "kind", "metric", "shape"]), JSON))
def test_spaces_of_any_values(value):
    value = {"dim": 3, "kind": "dense", "metric": "cosine", "shape": None} | value
    try:
        space = Space.from_json(value)
    except (ValueError, TypeError):
        return
    assert 0 <= space.dim < 2**31
    assert space.to_json() == {**value, "shape": value["shape"]}


@QUICK
@given(st.binary(max_size=200).map(lambda raw: b"\x93NUMPY\x01\x00" + raw) | st.binary(max_size=60))
def test_npy_of_any_header(raw):
    with written("a.npy", raw) as path, pytest.raises(ValueError, match=r"."):
        read_npy(path)


@QUICK
@given(TEXT, TEXT, st.none() | TEXT, st.none() | TEXT, st.dictionaries(TEXT, TEXT, max_size=3))
def test_an_item_comes_back_as_it_was_stored(id, content, title, label, metadata):
    item = Item(id, content, title, label, metadata)
    again = item_of(record_of(item, item_modality(item)))
    assert item_digest(again) == item_digest(item)


@QUICK
@given(st.tuples(JSON, JSON | st.binary(max_size=16), JSON, JSON, JSON, JSON))
def test_a_row_of_any_values_is_an_item_or_refused(row):
    try:
        item = item_of([json.dumps(value) if isinstance(value, list | dict) else value for value in row])
    except (TypeError, ValueError):
        return
    item_digest(item)
