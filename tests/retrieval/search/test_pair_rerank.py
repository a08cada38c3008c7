"""A cross-encoder orders what a space finds: the scores are those of the library, the candidates those of the space."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_models import bert_config, cross_encoder_spec, tokenizer

from encoders.cross_encoder import CrossEncoder
from encoders.errors import ArtifactError, NearbyError, OptionError, QueryError, SpecError
from encoders.spec import write_stage
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.search.read_query import asked_query
from retrieval.search.request import SearchRequest

TEXTS = [
    "apple tree",
    "apple cake",
    "pear tree",
    "plum tree high",
    "flow of heat",
    "green apple",
    "apple",
    "red apple tree",
]


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    lines = [json.dumps({"_id": str(row), "text": text}) for row, text in enumerate(TEXTS)]
    (folder / "texts.jsonl").write_text("\n".join(lines))
    return LocalCollection.create(folder / "c", open_corpus(str(folder / "texts.jsonl"))).add_space("bm25")


def search(collection, text: str, rerank: str, k: int = 3, candidates: int | None = None, radius: int | None = None):
    request = SearchRequest.read((), k, (), None, None, "bm25", rerank, candidates, radius)
    return request.answer(collection, asked_query(collection, text, None)).found


def test_candidates_are_ordered_by_the_model(collection):
    from sentence_transformers import CrossEncoder as Model

    found = search(collection, "apple tree", cross_encoder_spec(), k=8)
    held = [row for row, text in enumerate(TEXTS) if {"apple", "tree"} & set(text.split())]
    scores = Model(CrossEncoder.read(cross_encoder_spec()).model, device="cpu").predict(
        [("apple tree", TEXTS[row]) for row in held], show_progress_bar=False
    )
    expected = [held[at] for at in np.argsort(-scores, kind="stable")]
    assert [answer.shown.id for answer in found.found.answers] == list(map(str, expected))
    np.testing.assert_allclose([one.score for one in found.found.answers], np.sort(scores)[::-1], rtol=1e-4)
    assert (found.held, found.items) == (len(held), len(TEXTS))


def test_only_the_candidates_are_scored_and_an_item_is_not_its_own_answer(collection):
    two = search(collection, "apple tree", cross_encoder_spec(), k=2, candidates=2)
    best = SearchRequest(k=2).answer(collection, asked_query(collection, "apple tree", None)).found[0]
    assert {one.shown.id for one in two.found.answers} == {one.shown.id for one in best.answers}
    assert "0" not in [one.shown.id for one in search(collection, "@0", cross_encoder_spec(), k=8).found.answers]


@pytest.mark.parametrize(
    ("rerank", "options", "error", "words"),
    [
        ("cross-encoder:m", {"candidates": 2}, OptionError, "--candidates 2 is smaller than -k 3"),
        ("cross-encoder:m", {"radius": 2}, OptionError, "give --candidates"),
        ("cross-encoder:m+pca:3", {}, SpecError, "without other stages"),
        ("cross-encoder:m,size=3", {}, OptionError, "has no option 'size'; its options: model, batch-size"),
        ("cross-encoder:m,batch-size=0", {}, OptionError, "batch-size should be at least 1"),
        ("cross-encoder:/no/such", {}, ArtifactError, "there is no model folder"),
    ],
)
def test_what_cannot_rank_is_refused(collection, rerank, options, error, words):
    with pytest.raises(error, match=words):
        search(collection, "apple", rerank, **options)


def test_a_model_of_several_scores_is_refused(collection, tmp_path):
    from transformers import BertForSequenceClassification

    config = bert_config()
    config.num_labels = 3
    BertForSequenceClassification(config).save_pretrained(tmp_path / "model")
    tokenizer().save_pretrained(tmp_path / "model")
    with pytest.raises(ArtifactError, match="gives 3 scores to a pair"):
        search(collection, "apple", write_stage("cross-encoder", str(tmp_path / "model"), {}))


def test_pictures_and_vectors_are_refused(tmp_path, collection):
    digits = LocalCollection.create(tmp_path / "c", open_corpus("digits")).add_space("pixels+binarize")
    request = SearchRequest.read((), 1, (), None, None, "pixels+binarize", "cross-encoder:m", None, None)
    with pytest.raises(QueryError):
        request.answer(digits, asked_query(digits, "@1", None))
    np.save(tmp_path / "q.npy", np.ones(3))
    request = SearchRequest.read((), 1, (), None, None, "bm25", "cross-encoder:m", None, None)
    with pytest.raises(NearbyError, match="reads words"):
        request.answer(collection, asked_query(collection, "", tmp_path / "q.npy"))


def test_no_client_of_the_service_chooses_what_is_loaded():
    from retrieval.service.bodies import SearchBody
    from retrieval.service.endpoints.search import _request_of
    from retrieval.service.problem import Problem

    with pytest.raises(Problem):
        _request_of(SearchBody(query=None, shortlist="bm25", rerank="cross-encoder:/any/folder"))
