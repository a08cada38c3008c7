"""A small comparison with everything in it that a report must cope with."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from retrieval.analysis.cluster_count import READING, CountStudy
from retrieval.analysis.components import Components, partial_sums
from retrieval.analysis.dendrogram import folded
from retrieval.analysis.locality import Locality
from retrieval.analysis.posterior import aggregate
from retrieval.analysis.result import Analysis, SpaceStudy
from retrieval.experiment.result import Comparison, Example, Overlap, SpaceResult
from retrieval.search.result import Answer, Shown

LONG = "bow:2000,min-df=2+deep-ae:1000-500-250-128,epochs=60,activation=silu"
EVIL = "<script>alert(1)</script>"
BREAK_OUT = '"onmouseover="alert(2)'


def space(spec: str, values: tuple[float, float], tied: bool, curve: float, **other: object) -> SpaceResult:
    given: dict[str, object] = {
        "index": "exact",
        "dim": 784,
        "kind": "dense",
        "metric": "euclidean",
        "bytes_per_item": 3136.0,
        "fit_seconds": 0.0004,
        "encode_per_second": 1_234_567.0,
        "query_ms": 0.42,
        "bytes_on_disk_per_item": 3150.0,
    }
    given.update(other)
    rng = np.random.default_rng(0)
    return SpaceResult(
        spec=spec,
        measures={"P@10": values[0], "AP": values[1]},
        per_query={name: rng.normal(value, 0.1, 50) for name, value in zip(("P@10", "AP"), values, strict=True)},
        tied_with_best={"P@10": tied, "AP": False},
        precision_recall=np.linspace(curve, 0.1, 11),
        options=f"{spec},seed=0",
        **given,  # type: ignore[arg-type]
    )


@pytest.fixture
def three() -> list[SpaceResult]:
    """The first is tied with the best; the last is clearly behind."""
    return [
        space("pixels", (0.950, 0.61), True, 0.97),
        space(
            "pixels+pca:30",
            (0.953, 0.68),
            True,
            0.99,
            dim=30,
            bytes_per_item=120.0,
            fit_seconds=12.5,
            bytes_on_disk_per_item=392.0,
        ),
        space(
            "pixels+pca:16+binarize",
            (0.71, 0.33),
            False,
            0.9,
            kind="binary",
            metric="hamming",
            bytes_per_item=2.0,
            bytes_on_disk_per_item=14.0,
        ),
    ]


@pytest.fixture
def in_two_indexes(three: list[SpaceResult]) -> list[SpaceResult]:
    """Two spaces in two indexes, of which one gives too few answers for a curve."""
    server = "elasticsearch:http://localhost:9200/x"
    return [
        replace(row, index=index, several_indexes=True, precision_recall=curve)
        for row in three[:2]
        for index, curve in (("exact", row.precision_recall), (server, None))
    ]


@pytest.fixture
def compare(three: list[SpaceResult]) -> Callable[..., Comparison]:
    """Build a comparison of any spaces."""

    def build(spaces: list[SpaceResult] = three, **other: object) -> Comparison:
        overlaps = [
            Overlap(first.label, second.label, 0.5 + 0.1 * min(place, 4), 0.6)
            for place, first in enumerate(spaces)
            for second in spaces[place + 1 :]
        ]
        given: dict[str, object] = {
            "examples": [],
            "provenance": {"command": "nearby compare digits -s pixels"},
        }
        given.update(other)
        return Comparison("digits", "image", 1797, 50, "labels", spaces, overlaps, **given)  # type: ignore[arg-type]

    return build


@pytest.fixture
def crowded(compare: Callable[..., Comparison], three: list[SpaceResult]) -> Comparison:
    """Nine spaces whose curves end at one point, with long names."""
    return compare([replace(three[place % 3], spec=f"{LONG},seed={place}") for place in range(9)])


@pytest.fixture
def pictures(compare: Callable[..., Comparison]) -> Comparison:
    rng = np.random.default_rng(1)

    def shown(place: int) -> Shown:
        return Shown(f"digit-{place}", str(place % 10), picture=rng.integers(0, 256, (8, 8), dtype=np.uint8))

    examples = [
        Example(shown(q), [[Answer(shown(10 + a), -a, a + 0.5, a % 2 == 0) for a in range(10)] for _ in range(3)])
        for q in range(2)
    ]
    return compare(examples=examples)


@pytest.fixture
def documents(compare: Callable[..., Comparison]) -> Comparison:
    """Every text that comes from a corpus tries to break out of the page."""
    query = Shown(EVIL, BREAK_OUT, title=EVIL, snippet=f"{EVIL} {BREAK_OUT} \x00\ud800 ünïcode")
    answers = [[Answer(query, 1.0, 0.25, None if place else False) for place in range(7)] for _ in range(3)]
    provenance = {EVIL: BREAK_OUT, "command": EVIL, "versions": {"numpy": "2.4", "list": [1, None, EVIL]}}
    return compare(examples=[Example(query, answers)], provenance=provenance)


@pytest.fixture
def analysed_pictures() -> Analysis:
    """Pictures with labels, and every part of an analysis: three spaces, one of them a variational autoencoder."""
    rng = np.random.default_rng(2)
    count, shape = 60, (8, 8)
    labels = [str(n % 3) for n in range(count)]
    shown = [
        Shown(f"digit-{n}", label, picture=rng.integers(0, 256, shape, dtype=np.uint8))
        for n, label in enumerate(labels)
    ]
    spaces = [SpaceStudy(spec, 4, "euclidean") for spec in ("pixels+pca:4", "pixels+nmf:4", "pixels+vae:64-2")]
    for space, signed in zip(spaces, (True, False), strict=False):
        atoms = rng.standard_normal((4, 64)).astype(np.float32)
        atoms = atoms if signed else np.abs(atoms)
        space.components = Components(space.spec, False, atoms[0] if signed else 0 * atoms[0], atoms, shape, None)
        space.sums = [(row, partial_sums(space.components, atoms[0, :4], atoms[1])) for row in (0, 30)]
        space.maps = {method: rng.standard_normal((count, 2)) for method in ("PCA", "autoencoder, 2 units", "t-SNE")}
        space.quality = {
            method: {"NMI": 0.5, "ARI": float(signed), "purity": 0.25, "accuracy": 0.125}
            for method in ("k-means", "HAC, ward", "Gaussian mixture")
        }
    spaces[2].posterior = aggregate(
        rng.standard_normal((count, 2)), np.full((count, 2), -1.0), [np.zeros((4, 4, 1), np.uint8)] * 25
    )
    return _analysed("digits", "image", shown, labels, spaces, rng)


@pytest.fixture
def analysed_texts() -> Analysis:
    """Texts without labels: components as words, a tree with titles, maps without a legend."""
    rng = np.random.default_rng(3)
    count, vocabulary = 40, [f"word{n}" for n in range(50)]
    titles = [f"heat transfer in slip flow over plate {n} of several with a long name" for n in range(count)]
    shown = [Shown(str(n), None, EVIL if n == 3 else title) for n, title in enumerate(titles)]
    spaces = [SpaceStudy(spec, 12, "cosine") for spec in ("tfidf:5000,stop=english+lsa:12", "tfidf+nmf:12")]
    for space in spaces:
        atoms = rng.standard_normal((12, 50)).astype(np.float32)
        space.components = Components(space.spec, False, 0 * atoms[0], atoms, None, vocabulary, True)
        space.maps = {method: rng.standard_normal((count, 2)) for method in ("PCA", "t-SNE")}
    return _analysed("papers", "text", shown, [None] * count, spaces, rng)


def _analysed(
    corpus: str, modality: str, shown: list[Shown], labels: list[str | None], spaces: list[SpaceStudy],
    rng: np.random.Generator,
) -> Analysis:  # fmt: skip
    codes = rng.standard_normal((len(shown), 4)).astype(np.float32)
    merges, counts = linkage(codes, "ward"), list(range(2, 12))
    curves = {name: rng.uniform(-70_000, 70_000, len(counts)).tolist() for name in READING}
    rows = rng.integers(0, len(shown), (2, 8))
    precision = {"cluster": 0.5, "code": 0.75} if labels[0] else {}
    return Analysis(
        corpus, modality, shown, labels, spaces, widths=[2, 4, 8], notes=["no map by autoencoder"],
        lost={"pca": [0.9, 0.5, 0.25], "deep autoencoder": [0.95, 0.45, 0.3]},
        counts=CountStudy(counts, curves, dict.fromkeys(READING, 3), merges, len(shown)), tree=folded(merges, 3),
        tree_space=spaces[0].spec, latent=codes, local_space=spaces[0].spec,
        local=Locality(3, np.arange(len(shown)) % 3, [0, 30], rows, rows[::-1].copy(), precision),
        provenance={"command": f"nearby analyze {corpus}", "versions": {"numpy": "2.4"}},
    )  # fmt: skip
