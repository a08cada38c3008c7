"""The estimated share of strange items is near the true one, and trimming by it finds them again."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.errors import OptionError
from retrieval.applications.anomaly.contamination import estimated_share, medcouple
from retrieval.applications.anomaly.detector import AnomalyDetector

DRAWS = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "skewed": lambda rng, n: rng.gamma(2, 1, n),
    "long tail": lambda rng, n: rng.lognormal(0, 1, n),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("share", [0, 0.02, 0.05, 0.1])
def test_the_share_is_found(name, share):
    rng = np.random.default_rng(0)
    usual, strange = DRAWS[name](rng, round(2000 * (1 - share))), 60 + DRAWS[name](rng, round(2000 * share))
    found = estimated_share(np.concatenate([usual, strange]))
    assert share - 0.001 <= found <= share + 0.02


def test_it_does_not_depend_on_the_unit():
    scores = np.random.default_rng(0).gamma(2, 1, 500)
    assert estimated_share(scores * 1e9 - 3e9) == estimated_share(scores)
    assert 0.01 <= estimated_share(np.append(scores, [np.finfo(float).max] * 5)) < 0.05
    with pytest.raises(OptionError, match="half of the scores are equal: give the share"):
        estimated_share(np.append(np.zeros(80), np.arange(20.0)))


def test_the_medcouple_is_that_of_its_definition():
    values = np.random.default_rng(0).gamma(2, 1, 101)
    middle = np.median(values)
    pairs = [
        ((above - middle) - (middle - below)) / (above - below)
        for above in values[values >= middle] for below in values[values <= middle] if above > below
    ]  # fmt: skip
    assert medcouple(values) == pytest.approx(np.median([*pairs, 0.0]))  # the median itself is one pair
    assert medcouple(-values) == pytest.approx(-medcouple(values))


def test_a_fit_without_a_share_estimates_it_and_says_so(normal_rows, strange_rows):
    rows = np.concatenate([normal_rows(460, 0), strange_rows(40, 1)])
    said: list[str] = []
    detector = AnomalyDetector.fit(rows, "vectors+pca:2", contaminated="auto", say=said.append)
    assert detector.record.contaminated == pytest.approx(0.08, abs=0.03)
    assert [line for line in said if "estimated" in line and "of the training items are left out" in line]
    assert [line for line in said if "of the held-out items are left out" in line]
    clean = AnomalyDetector.fit(normal_rows(460, 0), "vectors+pca:2")
    new = np.concatenate([normal_rows(300, 5), strange_rows(100, 6)])
    assert (detector.p_values(new)[300:] <= 0.02).mean() > 0.95
    assert (detector.p_values(new)[:300] <= 0.05).mean() == pytest.approx(
        (clean.p_values(new)[:300] <= 0.05).mean(), abs=0.05
    )
    with pytest.raises(OptionError, match="contaminated is a share or 'auto'"):
        AnomalyDetector.fit(rows, "vectors", contaminated="much")
