"""Batches of texts: every text once, few tokens, and the same codes whatever the size of a batch."""

from __future__ import annotations

import numpy as np
import pytest
from small_models import sentence_model, shared_folder

from encoders.registry import create
from encoders.spec import write_stage
from encoders.token_batches import batches_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("batch_size", "most"), [(1, 100), (7, 100), (64, 100), (64, 5), (64, None)])
def test_every_row_is_in_one_batch_of_few_tokens(batch_size, most):
    lengths = RNG.integers(0, 40, 90)
    batches = list(batches_of(lengths, batch_size, most))
    assert sorted(np.concatenate(batches).tolist()) == list(range(90))
    for rows in batches:
        assert len(rows) <= batch_size
        assert len(rows) == 1 or most is None or len(rows) * lengths[rows].max() <= most
    longest = [lengths[rows].max() for rows in batches]
    assert longest == sorted(longest, reverse=True)


def test_codes_are_in_the_order_of_the_texts_whatever_the_batch(monkeypatch):
    words = "flow heat air tree apple pear plum cake red green text wing speed high low".split()
    texts = [" ".join(RNG.choice(words, length)) for length in RNG.permutation(np.arange(24))]
    model = str(sentence_model(shared_folder() / "batched"))
    encoder = create(write_stage("sbert", model, {})).fit(["a"])
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    for size, tokens in ((64, 2048), (5, 2048), (64, 20), (1, 2048)):
        monkeypatch.setattr("encoders.token_batches.CPU_TOKENS", tokens)
        codes = create(write_stage("sbert", model, {"batch-size": str(size)})).fit(["a"]).encode(texts)
        np.testing.assert_allclose(codes, alone, rtol=1e-5, atol=1e-5)
