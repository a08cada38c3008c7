"""SPLADE: one weight for each token, as sentence-transformers computes it; the score is the inner product."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import splade_spec

from encoders.registry import create
from indexers.registry import create_index

TEXTS = ["flow of heat in the air", "apple tree", "the green apple tree is high", "plum cake"]


def test_weights_are_those_of_the_library_and_words_are_named():
    from sentence_transformers import SparseEncoder

    encoder = create(splade_spec()).fit(TEXTS)
    expected = SparseEncoder(encoder.model, device="cpu").encode_document(TEXTS, convert_to_sparse_tensor=False)
    np.testing.assert_allclose(encoder.encode(TEXTS).toarray(), np.asarray(expected), rtol=1e-4, atol=1e-5)
    assert encoder.encode(TEXTS).data.min() > 0
    assert (
        encoder.vocabulary[create(splade_spec()).fit(TEXTS)._known_model().model.tokenizer.get_vocab()["apple"]]
        == "apple"
    )


def test_the_score_is_the_inner_product():
    encoder = create(splade_spec()).fit(TEXTS)
    codes = encoder.encode(TEXTS)
    index = create_index(None, encoder.space)
    index.add(list("abcd"), codes)
    asked = encoder.encode_queries(["apple tree"])
    expected = (codes @ asked.T).toarray().ravel()
    found = {hit.id: hit.score for hit in index.search(asked, 4)[0]}
    assert found == pytest.approx(
        {name: score for name, score in zip("abcd", expected, strict=True) if score}, rel=1e-5
    )


def test_the_largest_weights_are_kept():
    whole = create(splade_spec()).fit(TEXTS).encode(TEXTS)
    few = create(f"{splade_spec()},max-words=3").fit(TEXTS).encode(TEXTS)
    assert np.diff(few.indptr).tolist() == [3] * 4
    for row in range(4):
        largest = np.sort(whole[[row]].data)[-3:]
        np.testing.assert_allclose(np.sort(few[[row]].data), largest, rtol=1e-4)
