"""A query that is an embedding, over HTTP: for spaces whose vectors come from elsewhere, in a collection of texts."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import NearbyError, QueryError
from retrieval.collection.local import LocalCollection
from retrieval.corpora.registry import open_corpus
from retrieval.service.bodies import QueryBody, SearchBody
from retrieval.service.endpoints.search import query_of, search
from retrieval.service.operations import OperationRequest

VECTORS = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


@pytest.fixture
def collection(tmp_path):
    (tmp_path / "texts.csv").write_text("id,text\n" + "".join(f"{row},words of {row}\n" for row in range(4)))
    np.save(tmp_path / "vectors.npy", VECTORS)
    made = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "texts.csv")))
    return made.add_space("bm25").add_space(f"given:{tmp_path / 'vectors.npy'}")


def asked(collection, *vectors, **more):
    body = SearchBody(queries=[QueryBody(vector=list(map(float, vector))) for vector in vectors], **more)
    return search(collection, OperationRequest("c", body=body)).results


def test_one_or_several_embeddings_find_their_neighbours(collection):
    for wanted, result in zip((2, 0), asked(collection, VECTORS[2], VECTORS[0]), strict=True):
        words, given = result.spaces
        assert given.hits[0].id == str(wanted)
        assert "the query is a vector only" in words.note


def test_what_is_no_embedding_of_the_space_is_refused(collection):
    with pytest.raises(NearbyError, match=r"the vector of the query has 3 numbers, the vectors in .* 5"):
        asked(collection, VECTORS[0, :3], spaces=["given"])
    with pytest.raises(QueryError, match="not finite"):
        query_of(collection, QueryBody(vector=[float("nan")] * 5))


def test_a_collection_without_such_a_space_still_refuses_vectors(tmp_path):
    (tmp_path / "texts.csv").write_text("id,text\n0,some words\n1,others\n")
    made = LocalCollection.create(tmp_path / "c", open_corpus(str(tmp_path / "texts.csv"))).add_space("bm25")
    with pytest.raises(QueryError, match="the query is of modality vector, the items are of modality text"):
        query_of(made, QueryBody(vector=[1.0, 2.0]))
