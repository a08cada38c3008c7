"""Embeddings that were computed elsewhere: every format gives the same codes, and what does not fit is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from embeddings_server import embedding, embeddings_server

from encoders.base import Encoder
from encoders.errors import ArtifactError, BadItemError, DimensionError, NearbyError, OptionError
from encoders.given.vector_file import read_vector, read_vectors
from encoders.named import Named
from encoders.registry import create
from encoders.spec import write_stage

ROWS = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
IDS = [f"d{row}" for row in range(7)]
ITEMS = [Named(f"text {name}", name) for name in reversed(IDS)]
QUERIES = np.random.default_rng(2).normal(size=(3, 5)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same vectors in every format, in an order of their own."""
    np.save(tmp_path / "v.npy", ROWS)
    np.save(tmp_path / "half.npy", ROWS.astype(np.float16))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(ROWS))
    np.save(tmp_path / "ids.npy", np.array(IDS))
    (tmp_path / "ids.txt").write_text("\n".join(IDS) + "\n")
    np.savez(tmp_path / "v.npz", vectors=ROWS, ids=np.array(IDS))
    np.savez_compressed(tmp_path / "packed.npz", vectors=ROWS, ids=np.array(IDS))
    lists = pa.array(ROWS.tolist(), pa.list_(pa.float32()))
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(ROWS.ravel()), 5)
    parquet.write_table(pa.table({"id": IDS, "vec": lists, "title": IDS}), tmp_path / "v.parquet", row_group_size=3)
    parquet.write_table(pa.table({"embedding": fixed, "key": IDS}), tmp_path / "fixed.parquet")
    lines = [
        json.dumps({"_id": name, "tags": ["a"], "embedding": row}) for name, row in zip(IDS, ROWS.tolist(), strict=True)
    ]
    (tmp_path / "v.jsonl").write_text("\n".join(lines))
    np.save(tmp_path / "q.npy", QUERIES)
    (tmp_path / "qids.txt").write_text("q0\nd1\nq2")
    return tmp_path


def given(folder: Path, file: str, **more: str) -> Encoder:
    return create(write_stage("given", str(folder / file), more))


FORMATS = {
    "v.npy": {"ids": "ids.txt"}, "fortran.npy": {"ids": "ids.npy"}, "v.npz": {}, "packed.npz": {}, "v.parquet": {},
    "fixed.parquet": {"ids": "key"}, "v.jsonl": {}, "half.npy": {"ids": "ids.txt"},
}  # fmt: skip


@pytest.mark.parametrize("file", FORMATS)
def test_every_format_gives_the_vectors_of_the_items(folder, file, monkeypatch):
    monkeypatch.chdir(folder.parent)  # files of ids are found beside the vectors
    codes = given(folder, file, **FORMATS[file]).fit_encode(ITEMS)
    np.testing.assert_allclose(codes, ROWS[::-1], rtol=1e-3 if file == "half.npy" else 0)


@pytest.mark.parametrize("file", ["v.npy", "v.npz"])
def test_files_are_mapped_not_copied(folder, file):
    matrix = read_vectors(folder / file, str(folder / "ids.txt"))._matrix
    while matrix is not None and not isinstance(matrix, np.memmap):
        matrix = matrix.base
    assert isinstance(matrix, np.memmap)


def test_the_address_form_and_the_list_form_are_one_spec(folder):
    address = create(f"given:{folder}/v.npy?ids={folder}/ids.txt&query_ids=qids.txt&queries=q.npy+truncate:3")
    listed = create(f"given:{folder}/v.npy,ids={folder}/ids.txt,queries=q.npy,query-ids=qids.txt+truncate:3")
    assert str(address) == str(listed)
    assert create(str(address)) == address


def test_a_query_is_looked_up_among_the_queries_first_and_an_item_is_itself(folder):
    encoder = given(folder, "v.npy", ids="ids.txt", queries="q.npy", **{"query-ids": "qids.txt"}).fit(ITEMS)
    asked = [Named("", query_id="q2"), Named("", "d3"), Named("", query_id="d1"), Named("", vector=np.arange(5))]
    expected = [QUERIES[2], ROWS[3], QUERIES[1], np.arange(5)]
    np.testing.assert_array_equal(encoder.encode_queries([Named("", "d1")]), ROWS[1:2])  # the item, not the query d1
    np.testing.assert_array_equal(encoder.encode_queries(asked), np.array(expected, np.float32))
    with pytest.raises(BadItemError, match=r"1 of 4 queries have no vector in .*q.npy, such as 'd3'.*queries=FILE"):
        encoder.encode_queries([Named("", query_id="d3"), *asked[:3]])  # d3 is an item, but not this query


def test_unit_length_and_metric(folder):
    encoder = given(folder, "v.npz", normalize="true", metric="dot").fit(ITEMS)
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(ITEMS), axis=1), 1, rtol=1e-6)
    assert encoder.space.metric == "dot"


def test_vectors_without_an_item_are_said_and_items_without_a_vector_refused(folder, capsys):
    given(folder, "v.npz").fit(ITEMS[:4])
    assert "given: 3 of 7 vectors in" in capsys.readouterr().err
    with pytest.raises(BadItemError, match=r"2 of 9 items have no vector in .*v.npz \('x', 'y'\)"):
        given(folder, "v.npz").fit([*ITEMS, Named("", "x"), Named("", "y")])


def test_row_numbers_are_ids_only_where_they_fit_every_item(folder):
    assert len(given(folder, "v.npy").fit_encode([Named("", str(row)) for row in range(7)])) == 7
    with pytest.raises(BadItemError, match=r"has no ids.*1 of 7 rows fit no item.*ids=FILE"):
        given(folder, "v.npy").fit([Named("", str(row)) for row in range(1, 7)])
    with pytest.raises(BadItemError, match=r"q.npy has no ids.*query-ids=FILE"):
        given(folder, "v.npz", queries="q.npy").fit(ITEMS)


def test_a_text_needs_an_encoder_and_the_error_says_how(folder):
    with pytest.raises(BadItemError, match=r"--query-vector FILE.*encoder=https://HOST/v1/embeddings&model=NAME"):
        given(folder, "v.npz").fit(ITEMS).encode_queries(["some words"])
    with pytest.raises(BadItemError, match="these items came without"):
        given(folder, "v.npz").fit(ITEMS).encode(["some words"])


def test_what_is_checked_before_a_comparison(folder):
    encoder = given(folder, "v.npz", queries="q.npy", **{"query-ids": "qids.txt"})
    encoder.require_known(IDS, [Named("", query_id="q0")])
    with pytest.raises(BadItemError, match="1 of 8 items have no vector"):
        encoder.require_known([*IDS, "d9"], [])
    with pytest.raises(BadItemError, match="1 of 2 queries have no vector"):
        encoder.require_known(IDS, [Named("", query_id="q0"), Named("", query_id="q1")])


def nan_rows() -> np.ndarray:
    rows = ROWS.copy()
    rows[2, 3] = np.nan
    return rows


BAD = {
    "other widths for items and queries": (
        lambda folder: np.save(folder / "q.npy", QUERIES[:, :4]),
        {"queries": "q.npy", "query-ids": "qids.txt"}, DimensionError, r"4 numbers, those of the items in .* 5",
    ),
    "NaN": (lambda folder: np.savez(folder / "v.npz", vectors=nan_rows(), ids=IDS), {}, BadItemError, "'d2' in .*NaN"),
    "beyond float32": (lambda folder: np.savez(folder / "v.npz", v=ROWS.astype(float) * 1e60, ids=IDS), {}, BadItemError, "infinite"),
    "one id twice": (lambda folder: np.savez(folder / "v.npz", v=ROWS, ids=["d1"] * 7), {}, BadItemError, "the id 'd1'"),
    "fewer ids": (lambda folder: np.savez(folder / "v.npz", v=ROWS, ids=IDS[:3]), {}, BadItemError, "7 vectors, but there are 3 ids"),
    "objects": (lambda folder: np.savez(folder / "v.npz", v=ROWS, ids=np.array(IDS, object)), {}, ArtifactError, "Python objects"),
    "no matrix": (lambda folder: np.savez(folder / "v.npz", v=ROWS[0], ids=IDS), {}, OptionError, "holds none"),
    "two matrices": (lambda folder: np.savez(folder / "v.npz", a=ROWS, b=ROWS, ids=IDS), {}, OptionError, "choose one with key=, of a, b"),
    "texts": (lambda folder: np.savez(folder / "v.npz", v=ROWS.astype(str), ids=IDS), {}, DimensionError, "expected numbers"),
    "no file": (lambda folder: (folder / "v.npz").unlink(), {}, ArtifactError, "there is no file .*v.npz: put it back"),
    "cut off": (lambda folder: (folder / "v.npz").write_bytes((folder / "v.npz").read_bytes()[:200]), {}, ArtifactError, "not an .npz"),
    "no file of ids": (lambda folder: None, {"ids": "nowhere.txt"}, ArtifactError, "there is no file nowhere.txt"),
    "query ids without queries": (lambda folder: None, {"query-ids": "qids.txt"}, OptionError, "name that file too"),
    "a model without an endpoint": (lambda folder: None, {"model": "m"}, OptionError, "give encoder="),
    "an endpoint without a model": (lambda folder: None, {"encoder": "http://localhost:1/v1"}, OptionError, "add model=NAME"),
    "an encoder that learns": (lambda folder: None, {"encoder": "bow"}, NearbyError, "bow"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_sentence(folder, case):
    damage, options, error, words = BAD[case]
    damage(folder)
    with pytest.raises(error, match=words) as raised:
        given(folder, "v.npz", **options).fit(ITEMS)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            '{"id": 1, "embedding": [1, 2]}\n{"id": 2, "embedding": [1]}',
            ":2: 'embedding' has 1 numbers, the first line 2",
        ),
        ('{"id": 1, "embedding": [1, 2]}\n{"id": 2}', ":2: 'embedding' is no list"),
        ('{"id": 1, "embedding": [1, "a"]}', "other values than numbers"),
        ('{"id": null, "embedding": [1, 2]}', "id 'id' should be a text"),
        ('{"id": 1, "embedding": [1, 2', ":1: not valid JSON"),
        ('{"id": 1, "embedding": [1, 1e999]}', ":1: the number at column 28 is beyond float64"),
        ("[1]", ":1: expected one JSON object"),
        ("", "holds no lines"),
    ],
)
def test_broken_lines_are_named(tmp_path, lines, words):
    (tmp_path / "v.jsonl").write_text(lines)
    with pytest.raises(NearbyError, match=words):
        read_vectors(tmp_path / "v.jsonl")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([[1.0, 2.0], [1.0]]), "row 1 has 1 numbers, the rows before it 2"),
        (pa.array([[1.0, 2.0], None]), "missing values"),
        (pa.array([[1.0, 2.0], [1.0, None]]), "missing values"),
        (pa.array([["a"], ["b"]]), "not numbers"),
    ],
)
def test_broken_columns_are_named(tmp_path, column, words):
    parquet.write_table(pa.table({"id": ["a", "b"], "vector": column}), tmp_path / "v.parquet")
    with pytest.raises(NearbyError, match=words):
        read_vectors(tmp_path / "v.parquet")


@pytest.mark.parametrize("file", ["v.npy", "v.npz", "packed.npz", "v.parquet", "v.jsonl"])
def test_damage_anywhere_is_one_sentence(folder, file):
    import random

    draw, whole, said = random.Random(3), (folder / file).read_bytes(), []
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 1, 3, 10])):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        (folder / file).write_bytes(damaged[: draw.choice([None, None, None, draw.randrange(len(whole))])])
        try:
            table = read_vectors(folder / file)
            table.rows(table.ids)
        except NearbyError as error:
            said.append(str(error))
    assert len(said) > 50
    assert not any("\n" in one for one in said)


def test_one_vector_of_a_query(folder):
    np.save(folder / "one.npy", ROWS[0])
    np.testing.assert_array_equal(read_vector(folder / "one.npy"), ROWS[0])
    with pytest.raises(DimensionError, match="holds 7 vectors"):
        read_vector(folder / "v.npy")
    encoder = given(folder, "v.npz").fit(ITEMS)
    with pytest.raises(DimensionError, match=r"has 4 numbers, the vectors in .* 5"):
        encoder.encode_queries([Named("", vector=np.zeros(4))])


def test_a_saved_encoder_opens_without_the_file_and_refuses_other_vectors(folder):
    saved = given(folder, "v.npz").fit(ITEMS).save(folder / "saved")
    more, ids = np.concatenate([ROWS, ROWS[:1] + 1]), [*IDS, "new"]
    np.savez(folder / "v.npz", vectors=more, ids=ids)  # it may grow
    np.testing.assert_array_equal(Encoder.load(saved).encode([Named("", "new")]), more[-1:])
    np.savez(folder / "v.npz", vectors=ROWS[::-1], ids=IDS)
    with pytest.raises(ArtifactError, match="are not those that this space was made of"):
        Encoder.load(saved).encode(ITEMS)
    (folder / "v.npz").unlink()
    loaded = Encoder.load(saved)
    assert loaded.space.dim == 5
    with pytest.raises(ArtifactError, match="there is no file"):
        loaded.encode(ITEMS)


def test_texts_are_encoded_by_an_endpoint_or_a_saved_encoder(folder):
    texts = [one.content for one in ITEMS]
    np.savez(folder / "v.npz", v=np.array([embedding(text) for text in texts]), ids=[one.item_id for one in ITEMS])
    with embeddings_server() as server:
        encoder = given(folder, "v.npz", encoder=server.url, model="words").fit(ITEMS)
        before = len(server.texts)
        found = encoder.encode_queries([Named("text d3"), Named("", "d3"), Named("text d4", query_id="unknown")])
        assert len(server.texts) == before + 2  # the item is looked up
        np.testing.assert_allclose(found[0], found[1], atol=1e-6)
        assert "3 texts for 12 tokens" in "".join(encoder.remarks())
        loaded = Encoder.load(encoder.save(folder / "saved"))
        np.testing.assert_allclose(loaded.encode_queries(["text d3"]), found[:1], atol=1e-6)
        endpoint = create(write_stage("endpoint", server.url, {"model": "words"})).fit(["a"]).save(folder / "endpoint")
        other = given(folder, "v.npz", encoder=str(endpoint)).fit(ITEMS)
        np.testing.assert_allclose(other.encode_queries(["text d3"]), found[:1], atol=1e-6)
        short = write_stage("endpoint", server.url, {"model": "words", "dimensions": "7"})
        with pytest.raises(DimensionError, match=r"of 7 numbers, the vectors in .* have 24"):
            given(folder, "v.npz", encoder=short).fit(ITEMS)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEARBY_CACHE", str(tmp_path / "cache"))
