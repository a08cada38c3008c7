"""Blocks of pictures: an orthonormal transform, for pictures of every shape."""

import numpy as np
import pytest
from scipy.fft import dctn

from encoders.base import Encoder
from encoders.errors import BadItemError, OptionError
from encoders.registry import create


def pictures(*shape, count=40):
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def smooth(count=60, side=16):
    """Return pictures whose neighbouring pixels are alike."""
    walks = np.random.default_rng(1).normal(size=(count, side, side)).cumsum(axis=1).cumsum(axis=2)
    return np.clip(128 + 6 * walks, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("basis", ["dct", "pca"])
@pytest.mark.parametrize("shape", [(8, 8), (9, 5), (3, 17), (7, 10, 3), (4, 4, 3)])
def test_every_picture_returns(basis, shape):
    encoder = create(f"pixels+block-transform:4,basis={basis}").fit(pictures(*shape))
    others = pictures(*shape)[::-1]
    np.testing.assert_array_equal(encoder.decode(encoder.encode(others)), others)
    down, across = -(-shape[0] // 4), -(-shape[1] // 4)
    assert encoder.space.dim == down * across * 16 * (shape[2] if len(shape) == 3 else 1)


@pytest.mark.parametrize("spec", ["block-transform:4", "block-transform:4,basis=pca", "pca:5"])
def test_decoding_keeps_distances(spec):
    encoder = create(f"pixels+{spec}").fit(pictures(8, 12, 3)).parts[1]
    assert encoder.keeps_distances
    codes = np.random.default_rng(2).normal(size=(2, encoder.space.dim)).astype(np.float32)
    one, other = encoder.decode(codes)
    assert np.linalg.norm(one - other) == pytest.approx(np.linalg.norm(codes[0] - codes[1]), rel=1e-5)
    assert not create("pca:5,whiten=true").keeps_distances


def test_cosines_are_those_of_scipy_low_frequencies_first():
    encoder = create("pixels+block-transform:8").fit(pictures(8, 8))
    code, waves = encoder.encode(pictures(8, 8)[:1])[0], dctn(pictures(8, 8)[0] / 255, norm="ortho")
    np.testing.assert_allclose(np.sort(code), np.sort(waves.ravel()), atol=1e-5)
    np.testing.assert_allclose(
        [code[0], *sorted(code[1:3])], [waves[0, 0], *sorted([waves[0, 1], waves[1, 0]])], atol=1e-5
    )
    assert code[-1] == pytest.approx(waves[7, 7], abs=1e-5)


def test_principal_components_are_those_of_blocks_around_the_mean_block_of_their_place():
    rows = smooth()
    codes = create("pixels+block-transform:8,basis=pca").fit(rows).encode(rows).reshape(60, 4, 64)
    centred = (codes - codes.mean(axis=0)).reshape(-1, 64)
    covariance = centred.T @ centred / len(centred)
    variances = np.diag(covariance)
    assert (np.diff(variances) <= 1e-6).all(), "largest variance first"
    np.testing.assert_allclose(covariance - np.diag(variances), 0, atol=1e-4 * variances[0])


@pytest.mark.parametrize("basis", ["dct", "pca"])
def test_few_components_show_the_gist(basis, tmp_path):
    rows = smooth()
    errors = []
    for count in (1, 6, 20, 64):
        encoder = create(f"pixels+block-transform:8,basis={basis},n-components={count}").fit(rows)
        assert encoder.space.dim == 4 * count
        errors.append(np.square(encoder.reconstruct(rows).astype(float) - rows).mean())
        again = Encoder.load(encoder.save(tmp_path / f"{count}"))
        np.testing.assert_allclose(again.encode(rows), encoder.encode(rows), atol=1e-5)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0
    assert errors[1] < errors[0] / 2


def test_what_is_no_picture_is_refused():
    with pytest.raises(OptionError, match="put pixels before it"):
        create("block-transform:4").fit(np.ones((5, 16), np.float32))
    with pytest.raises(OptionError, match="n-components=17 is more than the 16 of a block"):
        create("pixels+block-transform:4,n-components=17").fit(pictures(8, 8))
    with pytest.raises(OptionError, match="has 5,120 numbers, more than 4,096"):
        create("pixels+block-transform:32").fit(pictures(8, 8, 5, count=2))
    with pytest.raises(BadItemError):
        create("pixels+block-transform:4,basis=pca").fit([])
