"""Codes of quantised spaces are stored in the bytes that their space declares, and searched as if they were not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import indexers.packed_codes
from encoders.codes import Kind, Metric, Space
from encoders.errors import ArtifactError, BadItemError
from encoders.packing import Part, packed_bytes, packing_from_json, packing_to_json
from encoders.pipeline import Pipeline
from encoders.registry import create
from encoders.table.vectors import Vectors
from indexers.packed_codes import PackedCodes
from indexers.registry import create_index, load_index
from indexers.symbols import pack_symbols, unpack_symbols

ROWS = np.random.default_rng(0).standard_normal((300, 24)).astype(np.float32)
QUERIES = np.random.default_rng(1).standard_normal((5, 24)).astype(np.float32)
STAGES = ("sq8", "sq4", "pq:5", "rabitq:1", "rabitq:3", "rabitq:8")
#: Bytes of each, from its definition: components, groups, and four for each number of the item.
BYTES = {"sq8": 24, "sq4": 12, "pq:5": 5, "rabitq:1": 3 + 8, "rabitq:3": 9 + 8, "rabitq:8": 24 + 8}


def coded(stage: str, metric: str = "euclidean"):
    encoder = Pipeline((Vectors(metric), *create(f"vectors+{stage}").parts[1:])).fit(ROWS)
    return encoder, encoder.encode(ROWS), encoder.encode_queries(QUERIES)


def filled(space: Space, codes, batch: int = 77):
    index = create_index(None, space)
    for start in range(0, len(codes), batch):
        some = codes[start : start + batch]
        index.add([str(row) for row in range(start, start + len(some))], some)
    return index


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "dot"])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kept", [2**24, 0], ids=["in memory", "block by block"])
def test_packed_codes_are_searched_as_the_numbers_they_stand_for(stage, metric, kept, tmp_path, monkeypatch):
    monkeypatch.setattr(indexers.packed_codes, "KEPT_NUMBERS", kept)
    encoder, codes, queries = coded(stage, metric)
    packed, plain = filled(encoder.space, codes), filled(replace(encoder.space, packing=None), codes)
    removed = [str(row) for row in range(10, 60)]
    for index in (packed, plain):
        index.remove(removed)
        index.add(removed[:20], codes[10:30])
    packed.save(tmp_path / "index")
    loaded = load_index(tmp_path / "index")
    wanted = plain.search_rows(queries, 30)
    for index in (packed, loaded, load_index(tmp_path / "index", mmap=False)):
        np.testing.assert_array_equal(index.codes(), plain.codes())
        np.testing.assert_array_equal(index.search_rows(queries, 30).rows, wanted.rows)
        np.testing.assert_array_equal(index.search_rows(queries, 30).scores, wanted.scores)
        few = np.arange(40).reshape(5, 8)
        np.testing.assert_array_equal(index.score_rows(queries, few), plain.score_rows(queries, few))
        np.testing.assert_array_equal(
            index.search_among(queries, few, 4).rows, plain.search_among(queries, few, 4).rows
        )
    loaded.add(["new"], codes[:1])
    assert loaded.codes()[-1].tolist() == codes[0].tolist()


@pytest.mark.parametrize("stage", STAGES)
def test_the_bytes_are_those_that_the_space_declares_and_the_files_have(stage, tmp_path):
    encoder, codes, _ = coded(stage)
    assert encoder.space.bytes_per_item == BYTES[stage]
    index = filled(encoder.space, codes)
    folder = index.save(tmp_path / "index")
    header = 128
    assert (folder / "codes.npy").stat().st_size == header + len(codes) * BYTES[stage]
    assert {path.name for path in folder.iterdir()} == {"codes.npy", "symbols.npy", "ids.json", "manifest.json"}
    written = sum(path.stat().st_size for path in folder.iterdir() if path.name != "manifest.json")
    assert index.bytes_on_disk() == written


@pytest.mark.parametrize("stage", ["sq4", "rabitq:2"])
def test_rows_that_are_not_codes_are_refused_and_change_nothing(stage):
    encoder, codes, queries = coded(stage)
    index = filled(encoder.space, codes)
    with pytest.raises(BadItemError, match="encode_queries"):
        index.add([f"q{row}" for row in range(300)], encoder.encode_queries(ROWS))
    assert len(index) == 300
    index.add(["again"], codes[:1])
    np.testing.assert_array_equal(index.codes(), np.concatenate([codes, codes[:1]]))
    assert len(index.search_rows(queries, 3).rows) == 5


@pytest.mark.parametrize("bits", range(9))
def test_symbols_of_any_width_come_back(bits):
    symbols = np.random.default_rng(bits).integers(0, 2**bits, (7, 13)).astype(np.uint8)
    packed = pack_symbols(symbols, bits)
    assert packed.shape == (7, (13 * bits + 7) // 8)
    np.testing.assert_array_equal(unpack_symbols(packed, 13, bits), symbols)


@pytest.mark.parametrize("factor", [2.0**-83, 2.0**40])
def test_codes_in_another_unit_are_packed_too(factor):
    encoder = create("rabitq:3").fit(ROWS * np.float32(factor))
    codes = encoder.encode(ROWS * np.float32(factor))
    index = filled(encoder.space, codes)
    np.testing.assert_array_equal(index.codes(), codes)


def test_a_packing_is_read_as_it_is_written_and_checked():
    packing = (Part(3, 2, 8), Part(4, bits=1, scaled=True), Part(1))
    assert packed_bytes(packing) == 3 + 1 + 4 + 4
    assert packing_from_json(packing_to_json(packing), 11) == packing
    space = Space(11, Kind.DENSE, Metric.DOT, packing=packing)
    assert Space.from_json(space.to_json()) == space
    for bad in (
        [],
        [[3, 2, 9, 0]],
        [[3, 2, 32, 0]],
        [[0, 1, 8, 0]],
        [["3", 1, 8, 0]],
        [[11, 1, 0, 1]],
        "packed",
        [[1, 1, 8, 0]],
    ):
        with pytest.raises(ValueError, match="pack"):
            packing_from_json(bad, 11)


def test_an_index_whose_table_is_cut_is_refused(tmp_path):
    encoder, codes, _ = coded("sq4")
    folder = filled(encoder.space, codes).save(tmp_path / "index")
    path = folder / "symbols.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ArtifactError):
        load_index(folder)


def test_zero_rows_and_negative_zeros():
    codes = PackedCodes((Part(2, bits=2, scaled=True), Part(1, bits=1)))
    rows = np.array([[0.0, 0.0, -0.0], [0.5, -1.5, 0.0]], dtype=np.float32)
    codes.append(rows)
    np.testing.assert_array_equal(codes[:], rows)
