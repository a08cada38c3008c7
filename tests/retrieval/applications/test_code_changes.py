"""Changed codes: partial sums are those of the report, a moved component is moved alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse

from encoders.errors import OptionError
from encoders.registry import create
from retrieval.analysis.components import components_of, partial_sums
from retrieval.applications.code_changes import (
    Change,
    change_of,
    first_components,
    moved,
    order_of,
    standard_deviations,
)  # fmt: skip

PICTURES = np.random.default_rng(0).integers(0, 256, (40, 4, 5), dtype=np.uint8)


@pytest.mark.parametrize("spec", ["pixels+pca:6", "pixels+nmf:6", "pixels+ica:5"])
def test_the_first_components_decode_to_partial_sums(spec):
    encoder = create(spec).fit(PICTURES)
    components = components_of(encoder)
    assert change_of(encoder, components) is Change.SUM
    code = encoder.encode(PICTURES[:1])
    item = encoder.parts[0].encode(PICTURES[:1])[0]
    numbers = code.toarray()[0] if issparse(code) else code[0]
    sums = partial_sums(components, numbers, item)
    order = order_of(components, code)
    assert order.tolist() == sums.order
    for count, wanted in zip(sums.counts, sums.sums, strict=True):
        decoded = encoder.parts[1].decode(first_components(code, order, count))
        np.testing.assert_allclose(decoded[0], wanted, atol=1e-4)


def test_all_components_are_the_code_and_none_is_zero():
    for code in (np.array([[1.0, -2.0, 3.0]], np.float32), csr_array(np.array([[1.0, 0.0, 3.0]], np.float32))):
        order = np.array([1, 2, 0])
        whole, nothing = first_components(code, order, 3), first_components(code, order, 0)
        assert issparse(whole) == issparse(code)
        assert abs(whole - code).max() == 0
        assert abs(nothing).max() == 0


def test_a_moved_component_leaves_the_code_of_the_item_as_it_is():
    code = np.array([[1.0, 2.0]], np.float32)
    assert moved(code, 0, 5.0).tolist() == [[5.0, 2.0]]
    assert code.tolist() == [[1.0, 2.0]]
    for component in (-1, 2):
        with pytest.raises(OptionError, match="the code has 2 components: give one from 0 to 1"):
            moved(code, component, 0.0)


@pytest.mark.parametrize(
    ("spec", "change"),
    [("pixels+kmeans:3", Change.NONE), ("pixels", Change.NONE), ("pixels+pca:4+binarize", Change.NONE)],
)
def test_clusters_bits_and_pixels_are_not_changed(spec, change):
    encoder = create(spec).fit(PICTURES)
    assert change_of(encoder, components_of(encoder)) is change


def test_deviations_of_many_codes_are_those_of_a_sample():
    codes = np.random.default_rng(0).normal(size=(20_000, 2)).astype(np.float32) * [1, 5]
    np.testing.assert_allclose(standard_deviations(codes), [1, 5], rtol=0.05)
    np.testing.assert_array_equal(standard_deviations(codes), standard_deviations(codes))
