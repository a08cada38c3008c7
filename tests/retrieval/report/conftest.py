"""A small comparison with everything in it that a report must cope with."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from retrieval.experiment.result import Comparison, Example, Overlap, SpaceResult
from retrieval.search.result import Answer, Shown

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
