"""Facts about the reconstruction loss: the initial output, scaled counts, refused values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_digits

from encoders.errors import BadItemError, OptionError
from encoders.neural.reconstruction_loss import OUTPUT_OF_LOSS, ReconstructionLoss, chosen, scaled
from encoders.neural.training_rows import Rows
from encoders.registry import create

DIGITS = (load_digits().data[:200] / 16).astype(np.float32)
COUNTS = np.random.default_rng(0).poisson(0.7, (100, 30)).astype(np.float32)
#: Losses with what ends the output, and rows for each.
SIDES = [("squared", "linear", DIGITS), ("squared", "sigmoid", DIGITS), ("cross-entropy", "sigmoid", DIGITS)]


@pytest.mark.parametrize(("loss", "output", "rows"), SIDES)
def test_an_output_starts_at_the_mean_of_the_data(loss, output, rows):
    reconstruction = ReconstructionLoss(loss, output)
    first = reconstruction.output_of(torch.from_numpy(reconstruction.start(Rows(rows)))[None])
    np.testing.assert_allclose(first[0].numpy(), rows.mean(axis=0), atol=2e-3)


@pytest.mark.parametrize("matrix", [COUNTS, csr_array(COUNTS)])
def test_an_output_of_shares_starts_at_the_mean_of_the_shares(matrix):
    reconstruction = ReconstructionLoss("counts", "softmax")
    first = reconstruction.output_of(torch.from_numpy(reconstruction.start(Rows(scaled(matrix, "counts"))))[None])
    shares = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(first[0].numpy(), shares.mean(axis=0), atol=1e-4)


def test_the_loss_of_counts_is_the_cross_entropy_of_their_shares():
    logits = torch.randn(100, 30)
    target = torch.from_numpy(scaled(csr_array(COUNTS)).toarray())
    shares = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    expected = -(shares * torch.log_softmax(logits, dim=1).numpy()).sum(axis=1)
    np.testing.assert_allclose(
        ReconstructionLoss("counts", "softmax").value(logits, target).numpy(), expected, rtol=1e-5
    )


def test_counts_are_the_same_dense_and_sparse():
    np.testing.assert_allclose(scaled(COUNTS, "counts"), scaled(csr_array(COUNTS)).toarray(), rtol=1e-6)
    np.testing.assert_array_equal(scaled(COUNTS), COUNTS)  # dense rows are counts only where the loss says so
    assert np.isfinite(scaled(np.zeros((2, 3), dtype=np.float32), "counts")).all()


def test_a_row_without_words_costs_nothing():
    value = ReconstructionLoss("counts", "softmax").value(torch.randn(2, 5), torch.zeros(2, 5))
    assert value.tolist() == [0, 0]


def test_what_is_minimised_follows_from_the_rows():
    assert chosen("x", "auto", "auto", Rows(DIGITS)) == ReconstructionLoss("squared", "sigmoid")
    assert chosen("x", "auto", "auto", Rows(DIGITS - 1)) == ReconstructionLoss("squared", "linear")
    assert chosen("x", "auto", "auto", Rows(DIGITS), "cross-entropy") == ReconstructionLoss("cross-entropy", "sigmoid")
    assert chosen("x", "auto", "auto", Rows(csr_array(COUNTS))) == ReconstructionLoss(
        "counts", OUTPUT_OF_LOSS["counts"]
    )


def test_cross_entropy_of_counts_is_refused():
    with pytest.raises(OptionError, match="sparse rows are counts: loss=counts"):
        create("deep-ae:8-3,loss=cross-entropy").fit(csr_array(COUNTS))


def test_negative_counts_are_refused_in_learning_and_in_encoding():
    negative = csr_array(COUNTS - 3 * (COUNTS == 1))
    with pytest.raises(BadItemError, match="are word counts, but one value is -2"):
        create("deep-ae:8-3").fit(negative)
    encoder = create("deep-ae:8-3,epochs=1").fit(csr_array(COUNTS))
    with pytest.raises(BadItemError, match="are word counts, but one value is -2"):
        encoder.encode(negative)


@pytest.mark.parametrize(
    "spec", ["deep-ae:8-3,tied=true", "denoising-ae:8-3", "vae:8-3", "semantic-hash:8,hidden=8", "deep-ae:8-3,contractive=0.1"]
)  # fmt: skip
def test_every_perceptron_learns_from_sparse_counts(spec):
    encoder = create(f"{spec},epochs=3,batch-size=16").fit(csr_array(COUNTS))
    decoded = encoder.decode(encoder.encode(csr_array(COUNTS)))
    np.testing.assert_allclose(decoded.sum(axis=1), 1, atol=1e-4)
    assert np.isfinite(encoder.history.validation_loss).all()


def test_rows_that_run_backwards_in_memory_are_learnt_from():
    one, other = create("deep-ae:8-3,epochs=1"), create("deep-ae:8-3,epochs=1")
    np.testing.assert_array_equal(one.fit(DIGITS[::-1]).encode(DIGITS), other.fit(DIGITS[::-1].copy()).encode(DIGITS))


def test_a_code_wider_than_an_item_is_warned_of():
    with pytest.warns(UserWarning, match="a code has 80 numbers, an item only 64"):
        create("deep-ae:80,epochs=1").fit(DIGITS)


def test_no_widths_at_all_are_refused():
    with pytest.raises(OptionError, match="deep-ae: sizes should be whole numbers joined by '-'; got none"):
        create("deep-ae:8-3").set_params(sizes=())
