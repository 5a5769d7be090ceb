"""The detection of steady state, on times whose levels are known."""

import numpy as np
import pytest
from bakeoff.measures.speed import warmup

SLICE_S = 0.02


def times(*levels, noise=0.01, seed=0):
    """Return slices at each of the levels (how many, how many times as long), with noise and a slow one in twenty."""
    rng = np.random.default_rng(seed)
    shape = np.concatenate([np.full(count, factor, float) for count, factor in levels])
    slow = np.where(rng.random(len(shape)) < 0.05, rng.uniform(1.2, 2, len(shape)), 1)
    return SLICE_S * shape * np.exp(rng.normal(0, noise, len(shape))) * slow


@pytest.mark.parametrize("seed", range(20))
def test_times_that_are_steady_from_the_first_slice_have_no_warm_up(seed):
    assert warmup.find_steady_state(times((60, 1), seed=seed)) == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("factor", [1.1, 1.5, 4, 100])
def test_the_end_of_a_warm_up_is_found(factor, seed):
    assert warmup.find_steady_state(times((12, factor), (40, 1), seed=seed)) == pytest.approx(12, abs=2)


@pytest.mark.parametrize("seed", range(5))
def test_a_program_that_becomes_slower_is_steady_at_the_slower_pace(seed):
    assert warmup.find_steady_state(times((20, 1), (40, 1.2), seed=seed)) == pytest.approx(20, abs=2)


def test_all_levels_before_the_last_are_warm_up():
    assert warmup.find_steady_state(times((10, 4), (10, 2), (10, 1.4), (30, 1))) == pytest.approx(30, abs=2)


def test_a_level_that_has_not_lasted_is_not_the_steady_state():
    assert warmup.find_steady_state(times((40, 2), (warmup.LASTED - 3, 1))) is None


def test_times_that_keep_falling_are_not_steady():
    slower = SLICE_S * 0.9 ** np.arange(60) * times((60, 1), noise=0.002) / SLICE_S
    assert warmup.find_steady_state(slower) is None


def test_levels_that_hardly_differ_count_as_one():
    alike = 1 + warmup.ALIKE / 2
    assert warmup.find_steady_state(times((30, alike), (30, 1), noise=0.001)) == 0


def test_one_slow_slice_is_not_a_level():
    slow = times((60, 1), noise=0.002, seed=3)
    slow[50] *= 30
    assert warmup.find_steady_state(slow) == 0


def test_too_few_slices_have_no_steady_state():
    assert warmup.find_steady_state(times((warmup.LEAST - 1, 1))) is None


def test_a_steady_state_is_found_with_a_clock_too_coarse_to_show_noise():
    assert warmup.find_steady_state(np.full(60, SLICE_S)) == 0
    assert warmup.find_steady_state(np.repeat([2 * SLICE_S, SLICE_S], [20, 40])) == 20


def test_the_unit_does_not_matter():
    seconds = times((15, 1.5), (40, 1))
    assert warmup.find_steady_state(seconds) == warmup.find_steady_state(1e6 * seconds)


@pytest.mark.parametrize("seed", range(5))
def test_times_that_fall_slowly_still_fall_and_steady_ones_do_not(seed):
    # As a virtual machine that compiles as it runs: from 10 ms a step to 2.5 ms, the slower the nearer it comes.
    slices = np.arange(2000)
    virtual_machine = (2.5 + 7.5 * np.exp(-slices / 400)) * times((2000, 1), seed=seed) / SLICE_S
    for taken in (warmup.LEAST + 60, 300, 900):
        assert warmup.still_falls(virtual_machine[:taken])
    assert not warmup.still_falls(times((600, 1), seed=seed))
    assert not warmup.still_falls(times((200, 1), (100, 1.2), seed=seed)), "it becomes slower"


def test_too_few_slices_do_not_fall():
    assert not warmup.still_falls(times((10, 4), (warmup.LEAST - 11, 1)))
