"""Where the loss arises: in every index the losses add up to the whole, and each step loses what it should."""

from __future__ import annotations

import json

import numpy as np
import pytest

from encoders.codes import Kind, Metric, Space
from encoders.registry import create
from indexers.registry import create_index
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.evaluation.attribution import ideal_values
from retrieval.experiment import loss_runs
from retrieval.experiment.compare import compare, compare_collection, run_space
from retrieval.experiment.loss_runs import attributions
from retrieval.experiment.query_set import QuerySet
from retrieval.report.html.comparison import page
from retrieval.report.json import to_json
from retrieval.report.losses import row_losses
from retrieval.report.terminal.losses import loss_lines

N = 320
DENSE = [
    "exact",
    "faiss:Flat",
    "faiss:SQ8",
    "faiss:PQ2x3",
    "faiss:IVF8,Flat",
    "faiss:HNSW8?efSearch=4",
    "faiss:IVF8,PQ2x3",
]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    """Clusters of unequal size, so that every step loses something."""
    draw = np.random.default_rng(0)
    labels = np.sort(draw.integers(0, 8, N))
    points = (draw.normal(size=(8, 16))[labels] + 1.2 * draw.normal(size=(N, 16))).astype(np.float32)
    path = tmp_path_factory.mktemp("vectors") / "v.npz"
    np.savez(path, vectors=points, labels=labels.astype(str))
    return open_corpus(str(path))


@pytest.fixture(scope="module")
def dense(vectors):
    return compare(vectors, ["vectors"], DENSE, examples=0)


def require_sum_law(space, query_set) -> None:
    """The losses of every query and measure add up to the ideal value less the measure of the table."""
    ideal = ideal_values(query_set.relevance, list(space.per_query))
    assert list(space.loss.measures) == list(space.per_query)
    for measure, found in space.loss.measures.items():
        np.testing.assert_array_equal(sum(found.losses.values()), found.total)
        np.testing.assert_allclose(found.total, ideal[measure] - space.per_query[measure], atol=1e-11, rtol=0)


def test_in_every_dense_index_the_losses_add_up_to_the_whole(dense):
    assert [space.index for space in dense.spaces] == DENSE
    for space in dense.spaces:
        require_sum_law(space, dense.query_set)


def test_every_step_loses_what_it_should(dense):
    rows = {space.index: space.loss for space in dense.spaces}
    losses = {
        name: {step: float(values.mean()) for step, values in loss.measures["P@10"].losses.items()}
        for name, loss in rows.items()
    }
    assert len({round(one["space"], 12) for one in losses.values()}) == 1  # the space is the same in every index
    for name in ("exact", "faiss:Flat"):
        assert losses[name]["approximation"] == pytest.approx(0, abs=1e-9)
        assert rows[name].recall.mean() == 1
    assert {name for name, one in losses.items() if "quantisation" in one} == {
        "faiss:SQ8",
        "faiss:PQ2x3",
        "faiss:IVF8,PQ2x3",
    }
    # without an inverted file every code is compared: all that is lost is lost by the codes
    for name in ("faiss:SQ8", "faiss:PQ2x3"):
        assert losses[name]["approximation"] == pytest.approx(0, abs=1e-3)
    # a mean may gain by chance, but the answers to single queries change where a step is coarse, and only there
    for name, step in (
        ("faiss:PQ2x3", "quantisation"),
        ("faiss:IVF8,PQ2x3", "quantisation"),
        ("faiss:IVF8,Flat", "approximation"),
    ):
        assert np.abs(rows[name].measures["P@10"].losses[step]).mean() > 0.02, name
    assert rows["faiss:PQ2x3"].recall.mean() < rows["faiss:SQ8"].recall.mean() <= 1


def test_bytes_on_disk_stand_apart(dense, vectors, tmp_path):
    disk = {space.index: space.loss.disk for space in dense.spaces}
    assert disk["exact"].codes == 0  # the index holds them
    assert disk["faiss:PQ2x3"].codes > N * 16 * 4 > disk["faiss:PQ2x3"].index
    assert disk["faiss:PQ2x3"].items is None
    collection = (
        LocalCollection.create(tmp_path / "c", vectors)
        .add_space("vectors", "faiss:PQ2x3")
        .add_space("vectors+pca:4", "exact")
    )
    found = compare_collection(collection, examples=0)
    stored = found.spaces[0].loss.disk
    files = (collection._stored.generation / name for name in ("items.sqlite", "vectors.npy"))
    assert stored.items == sum(path.stat().st_size for path in files) > 0
    assert found.spaces[1].loss is None
    require_sum_law(found.spaces[0], found.query_set)


def test_in_binary_indexes_the_losses_add_up_to_the_whole(vectors):
    found = compare(vectors, ["vectors+binarize"], ["exact", "faiss:BHNSW8", "faiss:BIVF8", "faiss:BHash8"], examples=0)
    for space in found.spaces:
        require_sum_law(space, found.query_set)
        assert "quantisation" not in space.loss.measures["P@10"].losses
    assert found.spaces[0].loss.recall.mean() == 1
    assert found.spaces[2].loss.recall.mean() < 0.99


def test_in_sparse_indexes_the_losses_add_up_to_the_whole(tmp_path):
    draw = np.random.default_rng(1)
    rows = "".join(f"{' '.join(f'w{word}' for word in draw.integers(0, 30, 5))},{row % 4}\n" for row in range(80))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    corpus = open_corpus(str(tmp_path / "t.csv"))
    query_set, encoder = QuerySet.of(corpus), create("bm25")
    run = run_space(corpus, query_set, encoder, "sparse")
    run.index.is_exact = False  # as if it were approximate: the reference is then another inverted index
    loss_runs.attribute_losses(corpus, query_set, [run])
    for found in run.loss.measures.values():
        np.testing.assert_array_equal(sum(found.losses.values()), found.total)
        np.testing.assert_array_equal(found.losses["approximation"], 0)
    assert run.loss.recall.mean() == 1


@pytest.mark.parametrize("options", ["", ",flat", ",int8_hnsw", ",bbq_hnsw"])
def test_on_a_server_the_losses_add_up_to_the_whole(options, tmp_path, elasticsearch_url, index_name):
    draw = np.random.default_rng(4)
    labels = draw.integers(0, 5, 120)
    points = (draw.normal(size=(5, 64))[labels] + 2 * draw.normal(size=(120, 64))).astype(np.float32)
    np.savez(tmp_path / "v.npz", vectors=points, labels=labels.astype(str))
    server = f"elasticsearch:{elasticsearch_url}/{index_name}{options}"
    found = compare(open_corpus(str(tmp_path / "v.npz")), ["vectors"], ["auto", server, "faiss:SQ8"], examples=0)
    for space in found.spaces:
        require_sum_law(space, found.query_set)
    losses = found.spaces[1].loss.measures["P@10"].losses
    assert ("quantisation" in losses) == ("_" in options)
    if "_" not in options:
        assert found.spaces[1].loss.recall.mean() > 0.99


def test_words_on_a_server_are_encoded_again_for_the_exact_run(tmp_path, elasticsearch_url, index_name):
    draw = np.random.default_rng(1)
    rows = "".join(f"{' '.join(f'w{word}' for word in draw.integers(0, 30, 5))},{row % 4}\n" for row in range(60))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    server = f"elasticsearch:{elasticsearch_url}/{index_name}"
    found = compare(open_corpus(str(tmp_path / "t.csv")), ["bm25"], [server], examples=0)
    require_sum_law(found.spaces[0], found.query_set)


def test_filter_and_fusion_are_steps_like_any_other(vectors):
    query_set = QuerySet.of(vectors)
    exact = run_space(vectors, query_set, create("vectors"), "exact").rankings
    coarse = run_space(vectors, query_set, create("vectors+pca:2"), "exact").rankings
    filtered = run_space(vectors, query_set, create("vectors+select:3"), "exact").rankings
    chain = {"exact": exact, "index": coarse, "filter": filtered, "fusion": exact}
    found = attributions(query_set.relevance, chain, ["P@10", "AP@100"])
    for one in found.values():
        assert list(one.losses) == ["space", "approximation", "filter", "fusion"]
        np.testing.assert_array_equal(sum(one.losses.values()), one.total)
        np.testing.assert_array_equal(one.total, one.losses["space"])  # it ends where it began


def test_many_queries_are_a_sample(vectors, monkeypatch):
    monkeypatch.setattr(loss_runs, "MAX_QUERIES", 50)
    found = compare(vectors, ["vectors"], ["faiss:SQ8"], examples=0)
    loss = found.spaces[0].loss
    assert len(loss.queries) == len(loss.recall) == len(loss.measures["P@10"].total) == 50
    assert "mean over 50 of 320 queries" in " ".join(loss_lines(found))


def test_the_exact_run_is_made_once_for_a_space(vectors, monkeypatch):
    made = []
    whole = loss_runs.rank
    monkeypatch.setattr(loss_runs, "rank", lambda index, *more: made.append(index.name) or whole(index, *more))
    compare(vectors, ["vectors", "vectors+pca:4"], ["faiss:IVF8,Flat", "faiss:HNSW8", "faiss:SQ8"], examples=0)
    assert made == ["exact", "decoded"] * 2


def test_exact_indexes_have_no_losses_to_show(vectors):
    found = compare(vectors, ["vectors"], ["exact"], examples=0)
    assert found.spaces[0].loss is None
    assert loss_lines(found) == []
    assert to_json(found)["spaces"][0]["loss"] is None


def test_table_and_json_show_parts_that_add_up(dense):
    for row in row_losses(dense):
        assert sum(row.steps.values()) == pytest.approx(row.total, abs=1e-12)
    lines = loss_lines(dense)
    assert max(map(len, lines)) <= 100
    assert any("recall@10" in line and "approximation" in line for line in lines)
    written = json.loads(json.dumps(to_json(dense)))["spaces"][-1]["loss"]
    one = written["measures"]["P@10"]
    assert len(one["per_query"]) == N
    assert {"query", "total", "space", "quantisation", "approximation"} == one["per_query"][0].keys()
    assert written["disk_bytes"]["index"] > 0


def test_the_page_has_a_bar_for_every_row_and_no_section_without_losses(dense, vectors):
    shown = page([dense])
    assert "Where does the loss arise?" in shown
    figure = shown[shown.index("losses-bars-title") :].partition("</svg>")[0]
    for row in row_losses(dense):
        assert f"{row.space.label}: total {row.total:.3f}" in figure
        for step, loss in row.steps.items():
            assert not loss or f"{step}: {loss:.3f}</title>" in figure
    assert "Where does the loss arise?" not in page([compare(vectors, ["vectors"], ["exact"], examples=0)])


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.DOT, Metric.EUCLIDEAN])
@pytest.mark.parametrize("factory", ["SQ8", "PQ4x4", "OPQ4,PQ4x4", "HNSW8,SQ8?efSearch=300", "IVF4,SQ8?nprobe=4"])
def test_exact_search_in_the_decoded_codes_is_that_of_the_index_itself(factory, metric):
    draw = np.random.default_rng(6)
    codes, queries = (draw.normal(size=(n, 16)).astype(np.float32) * 3e20 for n in (300, 20))
    index = create_index(f"faiss:{factory}", Space(16, Kind.DENSE, metric)).fit(codes)
    index.add([str(row) for row in range(300)], codes)
    index.remove(["3", "250"])
    for one in (index, index.quantised()):
        assert len(one) == 298
    ours, theirs = index.quantised().search_rows(queries, 5), index.search_rows(queries, 5)
    assert (ours.rows == theirs.rows).mean() > 0.97
    np.testing.assert_allclose(ours.scores[:, 0], theirs.scores[:, 0], rtol=1e-3, atol=1e-3)
