"""More components or clusters than the items can give are refused in one sentence: what was asked, found, what to do."""

import re
from dataclasses import fields

import numpy as np
import pytest

from encoders.errors import OptionError
from encoders.registry import ENCODERS, create, encoder_class

#: Encoder -> the sentence for eight items of five numbers.
REFUSED = {
    "pca": "n-components=50 is more than 8 items of 5 numbers can give: use at most 5",
    "ica": "n-components=50 is more than 8 items of 5 numbers can give: use at most 5",
    "nmf": "n-components=50 is more than 8 items of 5 numbers can give: use at most 5",
    "lsa": "n-components=50 is more than 8 items of 5 terms can give: use at most 5",
    "select": "n-components=50 is more than the 5 components that vary: use at most 5",
    "truncate": "n-components=50 is more than the 5 of the codes: use at most 5",
    "linear-ae": "n-components=50 is more than the 5 numbers of an item: use at most 5",
    "kmeans": "8 items cannot form k=50 clusters: lower k",
    "hac": "8 items cannot form 50 clusters: lower k",
    "mixture": "n-components=50 Gaussians cannot be fitted to 8 items: use fewer",
    "nearest-density": "k=50 is more than the 8 training items: lower k",
    "pq": "m=50 is more than the 5 components of the codes: use at most 5",
}
#: What makes codes of any width, or counts parts of pictures (tested with them).
ANY_WIDTH = {
    "block-transform", "conv-ae", "deep-infomax", "disentangle", "fpn-ae", "gan", "mf", "patch-kmeans",
    "random-projection", "sparse-coding", "unet-ae",
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_too_many_are_refused_with_what_to_do(name):
    rows = np.random.default_rng(0).random((8, 5)).astype(np.float32)
    with pytest.raises(OptionError) as caught:
        create(f"{name}:50").fit(rows)
    assert str(caught.value) == f"{name}: {REFUSED[name]}"


def test_a_constant_component_is_named():
    rows = np.random.default_rng(0).random((8, 5)).astype(np.float32)
    rows[:, 2] = 1
    with pytest.raises(OptionError, match=re.escape("that vary; the other 1 are constant: use at most 4")):
        create("select:5").fit(rows)


def test_more_centroids_than_patches_are_refused_with_what_to_do():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8), np.uint8)
    with pytest.raises(OptionError, match=r"k=400 is more than \d+ patches: lower k, or raise patches"):
        create("patch-kmeans:400,patch=3,patches=20").fit(pictures)


def test_every_encoder_that_is_given_a_number_is_here():
    given = {
        name
        for name in ENCODERS
        if {"n_components", "k", "m"} & {field.name for field in fields(encoder_class(name)) if field.init}
    }
    assert given == set(REFUSED) | ANY_WIDTH


@pytest.mark.parametrize("shape", [(8, 5), (5, 8)])
def test_ica_names_itself_whichever_side_is_smaller(shape):
    with pytest.raises(OptionError, match=r"^ica: n-components=50 is more than \d items of \d numbers"):
        create("ica:50").fit(np.random.default_rng(0).random(shape))
