"""The scales: where values lie, how they are distributed, and the points of a grid."""

import math

import numpy as np
import pytest
from bakeoff.search.scales import Dimension
from bakeoff.search.space import parse
from scipy import stats

from tests.search import files

DRAWS = 2000


def drawn(text):
    """Return the values that random trials have of a single dimension."""
    found = parse(text, "space.toml")
    (name,) = found.space
    return np.array([found.random_point(7, trial)[name] for trial in range(DRAWS)])


@pytest.mark.parametrize(
    ("text", "to_uniform"),
    [
        (files.LINEAR, lambda x: (x - 0.1) / 0.8),
        (files.LOG, lambda x: np.log(x / 1e-4) / np.log(1e4)),
        (files.ONE_MINUS, lambda x: np.log((1 - x) / 0.1) / np.log(0.01)),
    ],
)
def test_random_values_are_uniform_on_their_scale(text, to_uniform):
    assert stats.kstest(to_uniform(drawn(text)), "uniform").pvalue > 0.01


@pytest.mark.parametrize("text", [files.LOG, files.ONE_MINUS])
def test_the_test_of_the_distribution_rejects_the_linear_scale(text):
    values = drawn(text)
    low, high = values.min(), values.max()
    assert stats.kstest((values - low) / (high - low), "uniform").pvalue < 1e-6


def test_the_test_of_the_distribution_rejects_the_log_scale_for_a_linear_one():
    values = drawn(files.LINEAR)
    assert stats.kstest(np.log(values / 0.1) / np.log(9), "uniform").pvalue < 1e-6


def test_the_test_of_equal_frequency_rejects_one_value_that_is_a_third_more_likely():
    values, counts = np.unique(drawn(files.CHOICE), return_counts=True)
    assert stats.chisquare(counts + np.array([DRAWS / 9, -DRAWS / 18, -DRAWS / 18])).pvalue < 1e-6
    assert len(values) == 3


def test_the_log_scale_has_as_many_values_in_each_decade():
    counts = np.histogram(np.log10(drawn(files.LOG)), bins=[-4, -3, -2, -1, 0])[0]
    assert stats.chisquare(counts).pvalue > 0.01


def test_integers_and_choices_come_equally_often():
    for text, expected in ((files.INTEGER, range(2, 9)), (files.CHOICE, ("relu", "tanh", "sigmoid"))):
        values, counts = np.unique(drawn(text), return_counts=True)
        assert set(values) == set(expected)
        assert stats.chisquare(counts).pvalue > 0.01


def test_a_value_and_its_position_are_inverse():
    for dimension in (
        Dimension(scale="linear", low=-1.0, high=3.0),
        Dimension(scale="log", low=1e-5, high=10.0),
        Dimension(scale="one-minus", low=0.5, high=0.9999),
    ):
        for position in (0.0, 0.123, 0.5, 0.99, 1.0):
            assert dimension.position_of(dimension.value_at(position)) == pytest.approx(position, abs=1e-9)


def test_a_grid_has_both_ends_and_equal_steps_on_its_scale():
    log = Dimension(scale="log", low=1e-4, high=1.0, points=5).grid()
    assert log == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])
    assert (log[0], log[-1]) == (1e-4, 1.0)
    assert Dimension(scale="one-minus", low=0.9, high=0.999).grid() == pytest.approx([0.9, 0.99, 0.999])
    assert Dimension(scale="integer", low=8, high=10, points=9).grid() == [8, 9, 10]
    assert Dimension(scale="choice", values=(1, 2, 4, 8)).grid() == [1, 2, 4, 8]


def test_beta_is_drawn_near_one_as_often_as_near_its_low_end():
    """1 - beta from 0.1 to 0.001: half of the values lie above 0.99, where a linear scale has a tenth of them."""
    values = drawn(files.ONE_MINUS)
    assert np.mean(values > 0.99) == pytest.approx(0.5, abs=0.05)
    assert math.isclose(np.mean(values < 0.99), 0.5, abs_tol=0.05)
