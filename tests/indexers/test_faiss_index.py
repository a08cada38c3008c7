"""What holds of FAISS indexes in particular: what their factory strings and parameters may say."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from encoders.artifact import digest_of, sealed
from encoders.codes import Kind, Metric, Space
from encoders.errors import ArtifactError, BadItemError, NotFittedError, OptionError, UnsupportedSpaceError
from indexers.faiss import Faiss
from indexers.registry import create_index, load_index

SPACE = Space(16, Kind.DENSE, Metric.EUCLIDEAN)


def codes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 16), dtype=np.float32)


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("faiss", "needs a factory string"),
        ("faiss:Nonsense", "FAISS has no index 'Nonsense'"),
        ("faiss:PQ7", "multiple of the number of subquantizers"),
        ("faiss:IDMap,Flat", "leave IDMap out"),
        ("faiss:Flat?nprobe=4", "takes no search parameters; got 'nprobe'"),
        ("faiss:IVF4,Flat?nprobe=many", "positive number"),
        ("faiss:IVF4,Flat?nprobe=-1", "positive number"),
        ("faiss:IVF4,Flat?nprobe=inf", "positive number"),
    ],
)
def test_bad_descriptions_are_refused(description: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        create_index(description, SPACE)


@pytest.mark.parametrize(
    ("factory", "metric"),
    [
        ("HNSW16,PQ8", Metric.DOT),  # FAISS builds one for distances and says nothing
        ("PCA8,Flat", Metric.DOT),  # centred: the inner products are of other vectors
        ("PCA8,Flat", Metric.COSINE),
        ("PCAW8,Flat", Metric.EUCLIDEAN),
        ("L2norm,Flat", Metric.EUCLIDEAN),
    ],
)
def test_a_geometry_that_is_not_kept_is_refused(factory: str, metric: Metric) -> None:
    with pytest.raises(UnsupportedSpaceError, match=str(metric)):
        Faiss(Space(16, Kind.DENSE, metric), factory)


def test_a_rotation_keeps_the_geometry() -> None:
    index = Faiss(SPACE, "PCA16,Flat").fit(codes(100))
    index.add(["a", "b"], codes(2))
    assert index.search(codes(1), 1)[0][0].id == "a"


def test_parameters_reach_faiss() -> None:
    import faiss

    index = Faiss(SPACE, "IVF8,Flat", {"nprobe": "3"})
    assert faiss.extract_index_ivf(index._index).nprobe == 3
    index.set_parameters({"nprobe": "5"})
    assert faiss.extract_index_ivf(index._index).nprobe == 5
    assert index.description == "faiss:IVF8,Flat?nprobe=5"
    graph = faiss.downcast_index(Faiss(SPACE, "HNSW8", {"efConstruction": "77", "efSearch": "33"})._index)
    assert (graph.hnsw.efConstruction, graph.hnsw.efSearch) == (77, 33)


def test_too_few_codes_to_learn_from() -> None:
    index = Faiss(SPACE, "IVF64,Flat", {"nprobe": "4"})
    with pytest.raises(BadItemError, match=r"learns 64 clusters and needs at least that many codes, got 10"):
        index.fit(codes(10))
    with pytest.raises(NotFittedError, match="call fit"):
        index.add(["a"], codes(1))
    index.fit(codes(100)).add(["a"], codes(1))
    assert len(index) == 1


def test_learning_is_silent_and_repeatable(capfd: pytest.CaptureFixture[str]) -> None:
    found = []
    for _ in range(2):
        index = Faiss(SPACE, "IVF8,PQ4x4").fit(codes(200))
        index.add([str(row) for row in range(200)], codes(200))
        found.append(index.search(codes(5, seed=1), 5))
    assert found[0] == found[1]
    assert capfd.readouterr() == ("", "")


def test_binary_factory_strings_with_and_without_b() -> None:
    space = Space(12, Kind.BINARY, Metric.HAMMING)
    bits = np.packbits(np.eye(12, dtype=np.uint8), axis=1)
    for factory in ("Flat", "BFlat"):
        index = Faiss(space, factory)
        index.add([str(row) for row in range(12)], bits)
        assert index.search(bits[3:4], 2)[0][0] == ("3", 0)


@pytest.mark.parametrize("factory", ["Flat", "HNSW8", "IVF4,Flat", "SQ8"])
def test_almost_everything_removed(factory: str, tmp_path: Path) -> None:
    """The nearest that are left lie behind hundreds that are gone."""
    everything = codes(500)
    query = everything[:1]
    index = Faiss(SPACE, factory, {"nprobe": "4"} if "IVF" in factory else {}).fit(everything)
    index.add([str(row) for row in range(500)], everything)
    far = np.argsort(-((everything - query) ** 2).sum(axis=1))[:5].tolist()
    index.remove([str(row) for row in range(500) if row not in far])
    for opened in (index, load_index(index.save(tmp_path / "index"))):
        assert {hit.id for hit in opened.search(query, 5)[0]} == {str(row) for row in far}
        scores, rows = opened.search_rows(query, 8)
        assert sorted(rows[0].tolist()) == [-1, -1, -1, 0, 1, 2, 3, 4]
        assert np.isneginf(scores[0, 5:]).all()


@pytest.mark.parametrize("factory", ["Flat", "HNSW8", "IVF4,Flat", "PCA8,SQ8"])
@pytest.mark.parametrize("n", [1, 33])
def test_answers_are_those_of_faiss_itself(factory: str, n: int) -> None:
    """Our way into FAISS goes past its own `search`: the answers are the same, those not found too."""
    index = Faiss(SPACE, factory).fit(codes(300))
    index.add([str(row) for row in range(300)], codes(300))
    distances, rows = index._index.search(codes(n, 1), 250)
    found = index.search_rows(codes(n, 1), 250)
    assert np.array_equal(found.rows, rows)
    assert np.array_equal(found.scores, np.where(rows < 0, -np.inf, -distances))


def test_threads_that_search_together_get_arrays_of_their_own() -> None:
    index = Faiss(SPACE, "HNSW8")
    index.add([str(row) for row in range(300)], codes(300))
    queries = [codes(1, seed) for seed in range(200)]
    alone = [index.search_rows(query, 5) for query in queries]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda query: index.search_rows(query, 5), queries))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.scores, other.scores)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e18])
@pytest.mark.parametrize("place", [0, 7, 15, 40, 47])
def test_a_bad_number_is_seen_wherever_it_stands(value: float, place: int) -> None:
    index = Faiss(SPACE, "Flat")
    index.add(["a"], codes(1))
    queries = codes(3)
    queries.flat[place] = value
    with pytest.raises(BadItemError):
        index.search_rows(queries, 1)


@pytest.mark.parametrize("rows", [[0, 2**40], [-1, 3], [3, 2], [2, 2]])
def test_rows_that_an_index_does_not_have_are_refused_when_it_is_opened(tmp_path, rows):
    codes = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    index = create_index("faiss:Flat", Space(4, Kind.DENSE, Metric.EUCLIDEAN)).fit(codes)
    index.add(list("abcde"), codes)
    index.remove(list("cde"))
    index.save(tmp_path / "index")
    np.save(tmp_path / "index" / "live.npy", np.array(rows, np.int64))
    manifest = json.loads((tmp_path / "index" / "manifest.json").read_text())
    file = tmp_path / "index" / "live.npy"
    manifest["files"]["live.npy"] = {"bytes": file.stat().st_size, "sha256": digest_of(file)}
    (tmp_path / "index" / "manifest.json").write_text(json.dumps(sealed(manifest)))
    with pytest.raises(ArtifactError, match=r"live\.npy holds rows that the index does not have"):
        load_index(tmp_path / "index")


@pytest.mark.parametrize(
    ("backend", "low", "high"), [("BIVF16", "nprobe=1", "nprobe=16"), ("BHNSW32", "efSearch=1", "efSearch=400")]
)
def test_indexes_of_bits_take_search_parameters(tmp_path, backend, low, high):
    space = Space(64, Kind.BINARY, Metric.HAMMING)
    bits = np.random.default_rng(0).integers(0, 256, (2000, 8), dtype=np.uint8)
    exact = create_index("exact", space)
    exact.add([str(n) for n in range(2000)], bits)
    index = create_index(f"faiss:{backend}?{low}", space)
    index.fit(bits).add([str(n) for n in range(2000)], bits)
    true = exact.search_rows(bits[:50], 10).scores.sum()
    few = index.search_rows(bits[:50], 10).scores.sum()
    index.set_parameters(dict([high.split("=")]))
    loaded = load_index(index.save(tmp_path / "index"))
    assert few < index.search_rows(bits[:50], 10).scores.sum() == true == loaded.search_rows(bits[:50], 10).scores.sum()
    with pytest.raises(OptionError, match="should be a whole number, at least 1; got '0'"):
        index.set_parameters(dict([[high.split("=")[0], "0"]]))
