"""The rule that ends a run with --until, and how seldom it calls equal programs different."""

import math

import numpy as np
import pytest
from bakeoff.common.statistics import Interval
from bakeoff.measures.speed import stopping

FAST, SLOW, COPY = ("fast", "x", False), ("slow", "x", False), ("fast", "x", True)


def times(rounds, spread, seed=0, slower=2.0):
    """Return made-up step times: processes differ by `spread`, slices by 2 %."""
    rng = np.random.default_rng(seed)

    def one(step_s):
        paces = step_s * np.exp(spread * rng.standard_normal(rounds))
        return [pace * np.exp(0.02 * rng.standard_normal(20)) for pace in paces]

    return {FAST: one(1e-3), SLOW: one(slower * 1e-3), COPY: one(1e-3)}


def test_every_ratio_to_the_fastest_and_the_self_test_are_examined():
    found = times(12, 0.002)
    precision = stopping.examine(found)
    assert precision.worst < 0.02
    found[SLOW][0] = found[SLOW][0] * 1.5
    assert stopping.examine(found) == (
        SLOW,
        stopping.measure_precision(stopping.ratio_interval(found[SLOW], found[FAST])),
    )
    found = times(12, 0.002)
    found[COPY][0] = found[COPY][0] * 1.5
    assert stopping.examine(found).contestant == COPY


def test_the_ratio_is_that_of_the_medians_of_each_round():
    ratio = stopping.ratio_interval([np.array([2.0, 2.0, 90.0])] * 5, [np.array([1.0, 1.0, 1.0])] * 5)
    assert ratio == pytest.approx((2, 2, 2))


def test_timing_goes_on_until_the_ratios_are_known():
    few, many = times(2, 0.01), times(30, 0.005)
    assert stopping.reason_to_stop(few, [10.0] * 2, 0.02, 600) == ""
    assert stopping.reason_to_stop(many, [10.0] * 30, 0.02, 6000) == stopping.PRECISION


def test_the_time_limit_leaves_no_room_for_a_round_that_would_exceed_it():
    found = times(3, 0.05)
    assert stopping.reason_to_stop(found, [10.0, 12.0, 10.0], 0.001, 45) == ""
    assert stopping.reason_to_stop(found, [10.0, 12.0, 10.0], 0.001, 43) == stopping.TIME_LIMIT


def test_one_round_is_never_enough():
    assert stopping.reason_to_stop(times(1, 0.0), [10.0], 0.5, 1) == ""
    assert stopping.examine(times(1, 0.0)).worst == math.inf


def test_a_run_in_which_nothing_was_timed_stops():
    assert stopping.reason_to_stop({}, [10.0, 10.0], 0.02, 600) == stopping.NOTHING_TIMED


def test_precision_is_the_distance_of_the_farther_end():
    assert stopping.measure_precision(Interval(2.0, 1.9, 2.04)) == pytest.approx(0.05)


def test_equal_programs_are_seldom_called_different_although_every_round_is_examined():
    false = 0
    for seed in range(200):
        every, number = times(40, 0.01, seed, slower=1.0), 2
        while True:
            found = {key: rounds[:number] for key, rounds in every.items()}
            if number == 40 or stopping.reason_to_stop(found, [1.0] * number, 0.02, 1e9):
                break
            number += 1
        false += stopping.ratio_interval(found[COPY], found[FAST]).excludes(1)
    assert false / 200 <= 0.05
