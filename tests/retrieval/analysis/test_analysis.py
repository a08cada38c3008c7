"""What an analysis finds: facts of its parts, and the page as a whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from encoders.errors import BadItemError, OptionError
from encoders.registry import create
from retrieval.analysis.analyze import analyze
from retrieval.analysis.cluster_count import study
from retrieval.analysis.cluster_quality import agreement
from retrieval.analysis.components import components_of, partial_sums
from retrieval.analysis.dendrogram import folded, medoid
from retrieval.analysis.dimension import errors_by_width
from retrieval.analysis.locality import locality
from retrieval.analysis.maps import same_label_share
from retrieval.corpora.base import Item
from retrieval.corpora.registry import open_corpus
from retrieval.corpora.sample import draw
from retrieval.report.figures.components import grid, picture_of
from retrieval.report.html.analysis import write_analysis

NEARBY = str(Path(sys.executable).parent / "nearby")


@pytest.fixture(scope="module")
def blobs():
    generator = np.random.default_rng(0)
    centres = 20 * np.eye(5, 8)
    return (np.repeat(centres, 20, axis=0) + generator.standard_normal((100, 8))).astype(np.float32)


@pytest.fixture(scope="module")
def digits():
    return list(open_corpus("digits"))[:300]


def quiet(line: str) -> None:
    pass


def test_every_criterion_finds_clear_clusters(blobs):
    found = study(blobs, range(2, 10))
    assert set(found.recommended.values()) == {5}
    best, reason = found.answer
    assert best == 5
    assert reason == "silhouette, Davies-Bouldin, gap, BIC and largest jump agree"


def test_a_criterion_at_the_edge_has_no_vote(blobs):
    found = study(blobs, range(2, 10))
    found.recommended = {"silhouette": 4, "Davies-Bouldin": 4, "gap": 9, "BIC": 9, "largest jump": 9}
    best, reason = found.answer
    assert best == 4
    assert reason.endswith("; gap, BIC and largest jump are best at 9, the largest number that was tried")


def test_clusters_of_three_items_are_not_asked_for(blobs):
    with pytest.raises(BadItemError, match="at least 4"):
        study(blobs[:3])


def test_agreement_with_labels():
    clusters, labels = np.array([0, 0, 1, 1, 2, 2]), list("aabbbb")
    found = agreement(clusters, labels)
    assert found["purity"] == 1.0
    assert found["accuracy"] == pytest.approx(4 / 6)  # the third cluster has no class of its own left
    assert agreement(np.array([2, 2, 0, 0, 0, 0]), labels) == pytest.approx(dict.fromkeys(found, 1.0))


def test_a_folded_tree_keeps_items_and_heights(blobs):
    merges = linkage(blobs, "ward")
    found = folded(merges, 5, leaves=12)
    assert sorted(np.concatenate(found.members).tolist()) == list(range(100))
    assert len(found.members) == 12
    assert len(set(found.clusters)) == 5
    # the upper merges are drawn, each above its parts, and the cut lies between the fifth cluster and the fourth
    assert [merge[4] for merge in found.merges] == pytest.approx(merges[-11:, 2])
    assert all(merge[4] >= max(merge[1], merge[3]) for merge in found.merges)
    assert merges[-5, 2] < found.cut < merges[-4, 2]
    # leaves of one cluster stand side by side
    changes = sum(a != b for a, b in zip(found.clusters, found.clusters[1:], strict=False))
    assert changes == 4
    assert medoid(blobs, np.arange(20)) < 20


@pytest.mark.parametrize("tail", ["pca:5", "nmf:6", "ica:5", "sparse-coding:10", "linear-ae:4,epochs=2"])
def test_items_are_the_sums_that_are_shown(digits, tail):
    contents = [item.content for item in digits]
    encoder = create(f"pixels+{tail}").fit(contents)
    components = components_of(encoder)
    codes = encoder.encode(contents)
    whole = encoder.stages[1].decode(codes[:1])[0]
    found = partial_sums(components, codes[0], whole)
    np.testing.assert_allclose(found.sums[-1], whole, atol=2e-4)
    assert found.errors[-1] == pytest.approx(0, abs=1e-5)
    assert components.shape == (8, 8)
    assert components.signed == (not tail.startswith("nmf"))


def test_components_of_clusters_and_of_none(digits):
    contents = [item.content for item in digits]
    clusters = components_of(create("pixels+kmeans:4").fit(contents))
    assert clusters.clusters
    np.testing.assert_allclose(clusters.atoms.mean(), np.mean(contents) / 255, atol=0.05)
    assert components_of(create("pixels+deep-ae:8-2,epochs=2").fit(contents)) is None  # not linear
    assert components_of(create("pixels+gaussian").fit(contents)) is None  # cannot be decoded
    assert components_of(create("pixels").fit(contents)) is None


def test_words_of_a_topic():
    texts = ["heat flow heat", "flow of heat", "cat dog", "dog and cat cat"] * 5
    components = components_of(create("tfidf:stop=english+nmf:2").fit(texts))
    topics = [set(components.top_words(place, 2)[0]) for place in range(2)]
    assert {"heat", "flow"} in topics
    assert {"cat", "dog"} in topics


def test_more_numbers_lose_less(blobs):
    widths, lost = errors_by_width(blobs - blobs.min(), quiet, (1, 3, 5))
    assert widths == [1, 3, 5]
    assert lost["pca"] == sorted(lost["pca"], reverse=True)
    assert lost["pca"][-1] < 0.2
    assert lost["nmf"][-1] < 0.3


def test_clusters_and_codes_answer_the_same_queries(digits):
    contents = [item.content for item in digits]
    encoder = create("pixels+pca:10").fit(contents)
    labels = [item.label for item in digits]
    found = locality(encoder.encode(contents), encoder.space, labels, 10)
    assert found.precision["code"] > found.precision["cluster"] > 0.3
    for query, rows in zip(found.queries, found.local, strict=True):
        assert query not in rows
        assert (found.clusters[rows[rows >= 0]] == found.clusters[query]).all()


def test_a_sample_is_fair_and_in_order():
    seen = np.zeros(50)
    for seed in range(400):
        drawn = draw((Item(str(n), "x") for n in range(50)), 5, seed)
        places = [int(item.id) for item in drawn]
        assert places == sorted(set(places))
        seen[places] += 1
    assert 20 < seen.min() <= seen.max() < 65  # 40 expected each


def test_signed_components_are_blue_and_orange():
    picture = picture_of(np.array([-1.0, 0.0, 1.0, 0.5]), (2, 2), signed=True)
    assert picture[0, 0].tolist() == [0, 114, 178, 255]
    assert picture[0, 1, 3] == 0  # a zero has the colour of the page, light or dark
    assert picture[1].tolist() == [[213, 94, 0, 255], [213, 94, 0, 128]]
    assert grid([picture], columns=1).tolist() == picture.tolist()
    cells = grid([np.zeros((3, 3), np.uint8)] * 5, columns=4, scale=2, gap=1)
    assert cells.shape == (13, 27, 2)
    assert cells[:6, 6, 1].max() == 0  # a gap has the colour of the page
    assert cells[:6, :6, 1].min() == 255


def test_the_page_holds_every_part(digits, tmp_path):
    class Some(type(open_corpus("digits"))):
        def items(self):
            return iter(digits[:120])

    found = analyze(Some(), [create("pixels+pca:4"), create("pixels+kmeans:4")], quiet, sample=60)
    page = write_analysis(found, tmp_path / "out").read_text()
    for key in ("count", "tree", "components", "sums", "dimension", "quality", "maps", "local", "method"):
        assert f'id="{key}"' in page
    assert "<script" not in page
    figures = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert {"dendrogram.svg", "dimension.svg", "components-0.png", "map-0-t-sne.svg"} <= figures
    assert set(found.spaces[1].quality) == {"as it is"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--part", "magic"], "no part 'magic'"),
        (["--height", "1e9", "--part", "tree"], "gives one cluster"),
        (["--clusters", "5000", "--part", "tree"], "is cut into 2 to"),
        (["-s", "tfidf"], "reads texts, but this corpus holds images"),
        (["--sample", "100000"], "looks at 4 to 2,000 items"),
    ],
)
def test_bad_requests_are_one_sentence(options, words, tmp_path):
    arguments = ["analyze", "digits", "-o", str(tmp_path / "out"), "--sample", "60", "-s", "pixels+pca:3", *options]
    if options[0] == "-s":
        arguments = [argument for argument in arguments if argument != "pixels+pca:3"][:-3] + options
    done = subprocess.run([NEARBY, *arguments], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_json_of_a_collection(tmp_path):
    place = str(tmp_path / "c")
    rows = [
        {"id": str(n), "label": "ab"[n % 2], "text": ("heat flow " if n % 2 else "cat dog ") * 3 + f"w{n % 7}"}
        for n in range(40)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    subprocess.run([NEARBY, "index", str(tmp_path / "t.jsonl"), "-s", "tfidf+lsa:3", "-o", place], check=True)
    done = subprocess.run(
        [NEARBY, "analyze", place, "-o", str(tmp_path / "out"), "--part", "quality", "--part", "components", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    value = json.loads(done.stdout)
    assert value["items"] == 40
    assert value["spaces"][0]["quality"]["k-means"]["NMI"] > 0.9
    assert "heat" in (tmp_path / "out" / "analysis.html").read_text()


def test_a_height_or_a_number_cuts_the_tree(digits):
    class Some(type(open_corpus("digits"))):
        def items(self):
            return iter(digits[:80])

    encoder = create("pixels+pca:4").fit([item.content for item in digits[:80]])
    found = analyze(Some(), [encoder], quiet, parts=("tree",), clusters=7)
    assert len(set(found.tree.clusters)) == 7
    merges = found.counts.merges[:, 2]
    height = float((merges[-3] + merges[-4]) / 2)
    assert len(set(analyze(Some(), [encoder], quiet, parts=("tree",), height=height).tree.clusters)) == 4
    with pytest.raises(OptionError, match="one cluster"):
        analyze(Some(), [encoder], quiet, parts=("tree",), height=1e6)


def test_a_map_says_how_many_neighbours_have_the_same_label(blobs):
    labels = [str(row // 20) for row in range(100)]
    assert same_label_share(blobs[:, :5], labels) == 1.0
    shuffled = np.random.default_rng(0).permutation(labels).tolist()
    assert same_label_share(blobs[:, :5], shuffled) < 0.4
    assert same_label_share(blobs, [None] * 100) is None
    assert same_label_share(blobs, ["a"] * 100) is None
    assert same_label_share(blobs[:3], ["a", "a", None]) == 0.5
