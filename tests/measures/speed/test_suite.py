"""Performance profiles and means of a suite, against values worked out by hand."""

import math

import pytest
from bakeoff.common.statistics import Interval
from bakeoff.measures.speed import suite

# Three variants on four workloads, in milliseconds; c has no time on the last.
#           w1   w2   w3   w4
# a          1    8    3    2
# b          2    4    3    4
# c          4    2    6    -
# fastest    1    2    3    2
RATIOS = {
    "a": {"w1": 1.0, "w2": 4.0, "w3": 1.0, "w4": 1.0},
    "b": {"w1": 2.0, "w2": 2.0, "w3": 1.0, "w4": 2.0},
    "c": {"w1": 4.0, "w2": 1.0, "w3": 2.0, "w4": math.inf},
}


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("a", [0.75, 0.75, 0.75, 1.0]),  # fastest on three of four; 4 times the fastest on the other
        ("b", [0.25, 0.25, 1.0, 1.0]),  # never worse than twice the fastest
        ("c", [0.25, 0.25, 0.5, 0.75]),  # on the workload without a time it is within no factor
    ],
)
def test_a_profile_is_the_share_of_workloads_within_a_factor(name, shares):
    assert suite.performance_profile(RATIOS[name], (1.0, 1.5, 2.0, 4.0)) == shares


def test_a_profile_never_falls_and_ends_at_the_share_that_was_timed():
    for ratios in RATIOS.values():
        shares = suite.performance_profile(ratios, suite.FACTORS)
        assert shares == sorted(shares)
        timed = sum(math.isfinite(ratio) for ratio in ratios.values()) / len(ratios)
        assert shares[-1] == timed


def exact(value):
    return Interval(value, value, value)


def test_the_mean_of_exact_ratios_is_their_geometric_mean():
    """(1 * 4 * 1 * 1) ** (1/4) = sqrt 2; (2 * 2 * 1 * 2) ** (1/4) = 8 ** 0.25."""
    mean = suite.geometric_mean([exact(ratio) for ratio in RATIOS["a"].values()])
    assert mean == pytest.approx((math.sqrt(2),) * 3)
    assert suite.geometric_mean([exact(ratio) for ratio in RATIOS["b"].values()]).estimate == pytest.approx(8**0.25)


def test_the_interval_of_a_mean_is_worked_out_by_hand():
    """Two ratios, 2 and 8: the mean is 4. In base-2 logarithms the ends are 3 and 4 below, 1.5 and 2 above.

    sqrt(3**2 + 4**2) / 2 = 2.5 and sqrt(1.5**2 + 2**2) / 2 = 1.25: the interval is 4 / 2**2.5 to 4 * 2**1.25.
    """
    ratios = [Interval(2.0, 2.0 / 2**3, 2.0 * 2**1.5), Interval(8.0, 8.0 / 2**4, 8.0 * 2**2)]
    assert suite.geometric_mean(ratios) == pytest.approx((4.0, 4 / 2**2.5, 4 * 2**1.25))


def test_equal_intervals_of_four_workloads_halve():
    """Four independent errors of the same size: the error of their mean is half as large."""
    wide = Interval(1.0, 1 / 1.21, 1.21)
    assert suite.geometric_mean([wide] * 4) == pytest.approx((1.0, 1 / 1.1, 1.1))


def test_a_mean_does_not_depend_on_the_variant_that_ratios_are_taken_to():
    times = {"a": (1.0, 8.0, 3.0), "b": (2.0, 4.0, 3.0), "c": (4.0, 2.0, 6.0)}

    def mean(one, other):
        return suite.geometric_mean([exact(x / y) for x, y in zip(times[one], times[other], strict=True)]).estimate

    assert mean("a", "b") == pytest.approx(mean("a", "c") / mean("b", "c"))


def test_a_missing_time_leaves_no_mean():
    assert all(math.isnan(each) for each in suite.geometric_mean([exact(1.0), Interval(*[math.nan] * 3)]))
    assert math.isnan(suite.geometric_mean([]).estimate)


def test_an_interval_of_which_nothing_is_known_stays_unknown():
    low, high = suite.geometric_mean([exact(1.0), Interval(1.0, 0.0, math.inf)])[1:]
    assert low < 1e-100
    assert high == math.inf


def test_equals_share_a_rank():
    assert suite.rank({("a", ""): 1.0, ("b", ""): 3.0, ("c", ""): 1.0}) == {("a", ""): 1, ("b", ""): 3, ("c", ""): 1}


@pytest.mark.parametrize(
    ("name", "corners"),
    [
        ("a", [(1.0, 0.75), (4.0, 1.0), (5.0, 1.0)]),
        ("b", [(1.0, 0.25), (2.0, 1.0), (5.0, 1.0)]),
        ("c", [(1.0, 0.25), (2.0, 0.5), (4.0, 0.75), (5.0, 0.75)]),  # what was not timed is within no factor
    ],
)
def test_the_curve_of_a_profile_has_a_corner_at_each_ratio(name, corners):
    assert suite.profile_curve(RATIOS[name], 5.0) == corners


def test_a_curve_ends_at_its_widest_factor():
    assert suite.profile_curve(RATIOS["b"], 1.5) == [(1.0, 0.25), (1.5, 0.25)]
