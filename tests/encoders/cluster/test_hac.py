"""Facts about hierarchical clustering, against SciPy, fastcluster and brute force."""

from __future__ import annotations

import fastcluster
import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, is_valid_linkage
from scipy.cluster.hierarchy import linkage as scipy_linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist, pdist, squareform
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from encoders.cluster import hac
from encoders.cluster import linkage as linkage_module
from encoders.cluster.hac import HAC
from encoders.cluster.linkage import LINKAGES, cut, largest_jump, tree
from encoders.codes import Kind, Metric
from encoders.errors import BadItemError, NotInvertibleError, OptionError
from encoders.projection.pca import PCA

#: Codes of digits, in float64 so that heights may be compared to the last digits.
DIGITS = PCA(10).fit_encode(load_digits().data[:300].astype(np.float32)).astype(np.float64)
TWICE = np.concatenate([DIGITS[:80], DIGITS[:25], DIGITS[:5]])
RNG = np.random.default_rng(0)
GROUPS = RNG.normal(size=(25, 4))
SIZES = RNG.integers(1, 6, 25)
ROWS = np.concatenate([RNG.normal(size=(20, 3)) + 15 * corner for corner in np.eye(3)]).astype(np.float32)
NEW = RNG.normal(size=(30, 3)).astype(np.float32) * 4 + 6


def same_partition(first, second) -> bool:
    return adjusted_rand_score(first, second) == 1


@pytest.mark.parametrize("linkage", LINKAGES)
@pytest.mark.parametrize("points", [DIGITS, TWICE, TWICE + 1e4], ids=["digits", "duplicates", "far from the origin"])
def test_heights_are_scipys(points, linkage):
    ours = tree(points, linkage)
    np.testing.assert_allclose(ours[:, 2], scipy_linkage(points, linkage)[:, 2], rtol=1e-9, atol=1e-9)
    assert is_valid_linkage(ours)


def test_repeated_points_are_compared_once(monkeypatch):
    compared, squares = [], linkage_module.squared_distances
    monkeypatch.setattr(
        linkage_module, "squared_distances", lambda rows, points: compared.append(len(rows)) or squares(rows, points)
    )
    points = DIGITS[np.random.default_rng(0).integers(0, 12, 400)]
    found = tree(points, "average")
    assert compared == [12]
    np.testing.assert_allclose(found[:, 2], scipy_linkage(points, "average")[:, 2], rtol=1e-9, atol=1e-9)


def test_near_pairs_are_the_same_whatever_the_number_that_is_looked_at_at_a_time(monkeypatch):
    near = np.concatenate([TWICE, TWICE + 1e-7])
    expected = tree(near, "single")
    monkeypatch.setattr(linkage_module, "BLOCK", 7)
    np.testing.assert_array_equal(tree(near, "single"), expected)


@pytest.mark.parametrize("linkage", LINKAGES)
def test_the_tree_is_scipys(linkage):
    np.testing.assert_array_equal(tree(DIGITS, linkage)[:, [0, 1, 3]], scipy_linkage(DIGITS, linkage)[:, [0, 1, 3]])


@pytest.mark.parametrize("linkage", LINKAGES)
@pytest.mark.parametrize("points", [DIGITS, TWICE], ids=["digits", "duplicates"])
def test_groups_of_one_item_give_fastclusters_tree(points, linkage):
    ours, theirs = tree(points, linkage, np.ones(len(points), int)), fastcluster.linkage(points, method=linkage)
    np.testing.assert_allclose(ours[:, 2], theirs[:, 2], rtol=1e-9, atol=1e-9)
    assert is_valid_linkage(ours)
    for height in (theirs[-40:-1, 2] + theirs[-39:, 2]) / 2:
        assert same_partition(cut(ours, height=height), fcluster(theirs, height, "distance"))


@pytest.mark.parametrize("linkage", LINKAGES)
def test_a_group_is_worth_its_items(linkage):
    # the same points, each repeated: what is left after the merges at height 0 is the tree of the groups
    repeated = scipy_linkage(np.repeat(GROUPS, SIZES, axis=0), linkage)
    ours = tree(GROUPS, linkage, SIZES)
    np.testing.assert_allclose(ours[:, 2], repeated[repeated[:, 2] > 1e-12, 2], rtol=1e-9)
    for k in (2, 5, 12):
        assert same_partition(np.repeat(cut(ours, k), SIZES), fcluster(repeated, k, "maxclust"))


def test_sizes_change_ward_and_average_only():
    changed = {
        linkage for linkage in LINKAGES if not np.allclose(tree(GROUPS, linkage)[:, 2], tree(GROUPS, linkage, SIZES)[:, 2])
    }  # fmt: skip
    assert changed == {"ward", "average"}


@pytest.mark.parametrize("linkage", LINKAGES)
def test_cuts_are_scipys(linkage):
    merges = tree(DIGITS, linkage)
    for k in (1, 2, 7, 30, 299, 300):
        ours = cut(merges, k)
        assert len(np.unique(ours)) == k
        assert same_partition(ours, fcluster(merges, k, "maxclust"))
    for height in [*np.quantile(merges[:, 2], [0.1, 0.5, 0.9]), merges[150, 2]]:  # the last one exactly at a merge
        assert same_partition(cut(merges, height=height), fcluster(merges, height, "distance"))


def test_clusters_are_numbered_as_the_leaves_come():
    clusters = cut(tree(DIGITS, "average"), 12)
    first = [int(np.flatnonzero(clusters == cluster)[0]) for cluster in range(12)]
    assert first == sorted(first)


def test_a_cut_below_the_first_merge_leaves_every_leaf_alone():
    merges = tree(DIGITS, "ward")
    assert cut(merges, height=merges[0, 2] / 2).tolist() == list(range(300))


@pytest.mark.parametrize("linkage", LINKAGES)
def test_the_number_of_clusters_need_not_be_given(linkage):
    encoder = HAC(linkage=linkage).fit(ROWS)
    assert encoder.space.dim == 3 == largest_jump(encoder.merges)
    assert encoder.leaf_clusters.tolist() == [0] * 20 + [1] * 20 + [2] * 20


def test_k_and_height_cut_the_same_tree():
    merges = HAC(4).fit(ROWS).merges
    by_height = HAC(height=float(merges[-4:-2, 2].mean())).fit(ROWS)
    np.testing.assert_array_equal(by_height.leaf_clusters, HAC(4).fit(ROWS).leaf_clusters)


RULES = {
    "single": lambda new, members: cdist(new, members).min(axis=1),
    "complete": lambda new, members: cdist(new, members).max(axis=1),
    "average": lambda new, members: cdist(new, members).mean(axis=1),
    "ward": lambda new, members: (
        np.sqrt(2 * len(members) / (len(members) + 1)) * np.linalg.norm(new - members.mean(axis=0), axis=1)
    ),
}


@pytest.mark.parametrize("linkage", LINKAGES)
def test_a_new_item_follows_the_rule_of_the_linkage(linkage):
    encoder = HAC(5, linkage=linkage, codes="distances").fit(ROWS)
    expected = np.stack(
        [RULES[linkage](NEW, ROWS[encoder.leaf_clusters == cluster].astype(float)) for cluster in range(5)], axis=1
    )
    np.testing.assert_allclose(encoder.encode(NEW), expected, atol=2e-3)
    one_hot = HAC(5, linkage=linkage).fit(ROWS).encode(NEW).toarray()
    np.testing.assert_array_equal(one_hot, np.eye(5)[expected.argmin(axis=1)])


def test_the_rule_of_ward_is_the_height_at_which_the_item_would_join():
    encoder = HAC(2, codes="distances").fit(ROWS[:40])
    item = ROWS[:1] + 2
    grown = squared_error(np.concatenate([ROWS[:20], item])) - squared_error(ROWS[:20])
    assert encoder.encode(item)[0, 0] == pytest.approx(np.sqrt(2 * grown), rel=1e-4)


def test_the_squared_heights_of_ward_sum_to_twice_the_squared_error():
    assert np.square(tree(ROWS, "ward")[:, 2]).sum() == pytest.approx(2 * squared_error(ROWS))


def squared_error(rows) -> float:
    return float(np.square(rows - rows.mean(axis=0, dtype=np.float64)).sum())


def test_many_items_are_joined_into_weighted_groups_first(monkeypatch):
    rows = np.random.default_rng(3).normal(size=(3000, 4)).astype(np.float32)
    built = []
    monkeypatch.setattr(hac, "tree", lambda points, *rest: built.append(len(points)) or tree(points, *rest))
    encoder = HAC(6, max_items=500, groups=100).fit(rows)
    assert built == [len(encoder.leaves)]
    assert 90 <= len(encoder.leaves) <= 100
    assert encoder.sizes.sum() == 3000
    assert encoder.sizes.max() > 1
    whole = HAC(6, max_items=3000).fit(rows)
    assert len(whole.leaves) == 3000
    assert variance_within(encoder, rows) < 1.15 * variance_within(whole, rows)


def variance_within(encoder, rows) -> float:
    return float(np.square(rows - encoder.decode(encoder.encode(rows))).sum())


def test_a_cluster_decodes_to_the_mean_of_its_items():
    encoder = HAC(3).fit(ROWS)
    means = ROWS.reshape(3, 20, 3).mean(axis=1)
    np.testing.assert_allclose(encoder.decode(encoder.encode(ROWS))[::20], means, atol=1e-5)
    distances = HAC(3, codes="distances").fit(ROWS)
    codes = distances.encode(ROWS)
    with pytest.raises(NotInvertibleError, match="codes=indicator"):
        distances.decode(codes)


@pytest.mark.parametrize(("codes", "kind", "metric"), [("indicator", Kind.SPARSE, Metric.COSINE), ("distances", Kind.DENSE, Metric.EUCLIDEAN)])  # fmt: skip
def test_the_space_says_what_the_codes_are(codes, kind, metric):
    space = HAC(3, codes=codes).fit(ROWS).space
    assert (space.dim, space.kind, space.metric) == (3, kind, metric)


def test_a_height_that_gives_one_cluster_is_refused():
    last = float(HAC(2).fit(ROWS).merges[-1, 2])
    for height in (last, last + 1):
        with pytest.raises(OptionError, match="gives one cluster: the last merge is at"):
            HAC(height=height).fit(ROWS)
    assert HAC(height=last * 0.999).fit(ROWS).space.dim == 2


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(OptionError, match="60 items cannot form 61 clusters"):
        HAC(61).fit(ROWS)
    with pytest.raises(OptionError, match="not both"):
        HAC(3, height=1.0)
    with pytest.raises(OptionError, match="raise groups"):
        HAC(30, max_items=10, groups=10).fit(ROWS)
    with pytest.raises(BadItemError, match="reads dense codes"):
        HAC(3).fit(csr_array(ROWS))


def test_single_linkage_follows_a_chain_and_complete_does_not():
    # two parallel lines of close points: single linkage finds the lines, complete linkage cuts across them
    lines = np.array([[x, y] for y in (0.0, 3.0) for x in range(12)], dtype=np.float32)
    truth = [0] * 12 + [1] * 12
    assert HAC(2, linkage="single").fit(lines).leaf_clusters.tolist() == truth
    assert HAC(2, linkage="complete").fit(lines).leaf_clusters.tolist() != truth


def test_heights_of_single_linkage_are_the_edges_of_the_minimum_spanning_tree():
    edges = minimum_spanning_tree(squareform(pdist(DIGITS))).data
    np.testing.assert_allclose(tree(DIGITS, "single")[:, 2], np.sort(edges), rtol=1e-9)
