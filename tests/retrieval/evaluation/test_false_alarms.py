"""A measured share of false alarms: its interval holds the true share, and an excess is told from chance."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.evaluation.false_alarms import excess_p_value, wilson_interval


def test_too_many_false_alarms_are_told_from_chance():
    assert excess_p_value(0, 100, 99, 0.01) == pytest.approx(1)
    assert excess_p_value(3, 100, 99, 0.01) > 0.05  # one set of 99 can flag 3 % by chance
    assert excess_p_value(20, 100, 99, 0.01) < 1e-3


def test_the_interval_holds_the_share_in_19_of_20_samples():
    counts = np.random.default_rng(0).binomial(200, 0.05, 400)
    held = [wilson_interval(int(count), 200).low <= 0.05 <= wilson_interval(int(count), 200).high for count in counts]
    assert 0.92 < np.mean(held) < 0.98
