"""The anytime-valid interval holds its level under optional stopping, and is the one that its sources define."""

import math

import numpy as np
import pytest
from bakeoff.common.anytime import EFFECT_SCALE, critical_t, is_known_to, mean_interval, ratio_interval
from bakeoff.common.statistics import Interval
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats


@pytest.mark.parametrize("count", [3, 5, 8, 20, 60])
def test_at_its_end_the_bayes_factor_is_one_over_alpha(count):
    """The closed form agrees with the definition: the noncentral t density, averaged over the prior."""
    t = critical_t(count, 0.05, EFFECT_SCALE)

    def weighted(effect):
        return stats.nct.pdf(t, count - 1, effect * math.sqrt(count)) * stats.norm.pdf(effect, scale=EFFECT_SCALE)

    marginal, _ = integrate.quad(weighted, -18, 18, limit=400, points=[t / math.sqrt(count)])
    assert marginal / stats.t.pdf(t, count - 1) == pytest.approx(1 / 0.05, rel=1e-4)


def test_stopping_when_it_excludes_the_truth_happens_in_no_more_than_its_share():
    """Looking after every one of 60 values: 4,000 times, and at most 5 % ever exclude the true mean."""
    rng = np.random.default_rng(1)
    values = rng.normal(size=(4000, 60))
    counts = np.arange(1, 61)
    means = values.cumsum(axis=1) / counts
    squares = (values**2).cumsum(axis=1)
    spreads = np.sqrt(np.maximum(squares - counts * means**2, 0)[:, 1:] / (counts[1:] - 1))
    critical = np.array([critical_t(count, 0.05, EFFECT_SCALE) for count in counts[1:]])
    excluded = (np.abs(means[:, 1:]) > critical * spreads / np.sqrt(counts[1:])).any(axis=1)
    assert 0.005 < excluded.mean() <= 0.05


def test_one_value_excludes_nothing():
    assert mean_interval([0.3]) == Interval(0.3, -math.inf, math.inf)


def test_no_value_is_an_error():
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval([])


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=30), st.floats(-3, 3), st.floats(0.1, 10))
def test_it_moves_and_stretches_with_the_values(values, shift, scale):
    before, after = mean_interval(values), mean_interval([scale * each + shift for each in values])
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(scale * one + shift, abs=1e-6, rel=1e-6)


def test_a_ratio_and_its_inverse_have_inverse_intervals():
    logs = np.log([1.04, 1.05, 1.06, 1.05, 1.045])
    ratio, inverse = ratio_interval(logs), ratio_interval(-logs)
    assert ratio.estimate == pytest.approx(1 / inverse.estimate)
    assert (ratio.low, ratio.high) == pytest.approx((1 / inverse.high, 1 / inverse.low))


@pytest.mark.parametrize(
    ("interval", "known"),
    [((1.0, 0.981, 1.019), True), ((1.0, 0.97, 1.01), False), ((1.0, 0.99, 1.03), False), ((2.0, 1.97, 2.03), True)],
)
def test_known_to_two_per_cent(interval, known):
    assert is_known_to(Interval(*interval), 0.02) is known


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("values", [[0.1, 0.4], [0.2, 0.1, 0.4, 0.3, 0.15, 0.22]])
def test_the_interval_of_a_mean_is_its_standard_error_times_the_critical_t(values, level):
    half = np.std(values, ddof=1) / math.sqrt(len(values)) * critical_t(len(values), 1 - level, 2.0)
    mean = np.mean(values)
    assert mean_interval(values, level, 2.0) == pytest.approx((mean, mean - half, mean + half))


def test_the_interval_of_a_ratio_is_that_of_its_logarithms():
    logs = [0.02, 0.05, 0.03, 0.04, 0.035]
    assert ratio_interval(logs, 0.9) == pytest.approx(np.exp(mean_interval(logs, 0.9)))
    assert ratio_interval(logs) == pytest.approx(np.exp(mean_interval(logs)))
    assert ratio_interval([0.02]) == pytest.approx((math.exp(0.02), 0, math.inf))
    assert mean_interval([0.0, 900.0] * 4, 0.5).high < math.inf
    assert ratio_interval([0.0, 900.0] * 4, 0.5).high == math.inf  # no float holds its exponential


def test_two_values_can_exclude_something_at_a_low_level():
    mean, low, high = mean_interval([0.1, 0.4], 0.5, 2.0)
    assert mean - low == high - mean == pytest.approx(0.15 * critical_t(2, 0.5, 2.0))
    assert high < math.inf


def test_a_table_of_values_is_an_error_that_names_its_shape():
    with pytest.raises(ValueError, match=r"as an array \(n,\), got shape \(1, 2\)"):
        mean_interval([[0.1, 0.2]])


def test_an_end_that_is_as_far_as_allowed_is_known():
    assert is_known_to(Interval(1.0, 0.5, 1.5), 0.5)
