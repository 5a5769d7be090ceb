"""The medians of resamples, found by counting, are those that sorting each resample gives."""

import numpy as np
import pytest
from bakeoff.common import bootstrap
from bakeoff.common.bootstrap import resampled_medians


def sort_each(values, lengths, resamples):
    rng = np.random.default_rng(0)
    rounds = np.split(values, np.cumsum(lengths)[:-1])
    return sorted(np.median(bootstrap.resample(rounds, rng)) for _ in range(resamples))


@pytest.mark.parametrize(
    "lengths", [(1,), (3,), (16, 16), (40, 40, 40), (27, 30), (64,), (65, 63), (128,) * 3, (7, 200, 33)], ids=str
)
def test_counting_gives_what_sorting_gives(lengths):
    rng = np.random.default_rng(7)
    for values in (rng.lognormal(size=sum(lengths)), rng.integers(1, 4, sum(lengths)).astype(float)):
        (found,) = resampled_medians([values], lengths, 300)
        assert sorted(found) == sort_each(values, lengths, 300)


@pytest.mark.parametrize("together", [1, 100, 2**18])
@pytest.mark.parametrize("lengths", [(3,), (16, 16), (27, 30)], ids=str)
def test_resamples_are_the_same_however_many_are_drawn_in_one_call(lengths, together, monkeypatch):
    one_by_one, many = np.random.default_rng(5), np.random.default_rng(5)
    monkeypatch.setattr(bootstrap, "DRAWN_TOGETHER", together)
    expected = [next(bootstrap._draw(lengths, one_by_one, 1)).tolist() for _ in range(25)]
    assert [each.tolist() for each in bootstrap._draw(lengths, many, 25)] == expected


def test_a_segment_is_of_neighbours_and_goes_on_at_the_other_end():
    assert bootstrap._extend(np.array([[7, 1]]), 10).tolist() == [[7, 8, 9, 0, 1, 2, 3, 4, 1, 2]]
    assert bootstrap._extend(np.array([2]), 3).tolist() == [2, 0, 1]


@pytest.mark.parametrize("lengths", [(40, 40), (21, 64)], ids=str)
def test_a_ratio_and_its_inverse_share_one_search(lengths):
    rng = np.random.default_rng(8)
    one, other = rng.lognormal(size=(2, sum(lengths)))
    both = resampled_medians([one / other, other / one], lengths, 300)
    for found, values in zip(both, (one / other, other / one)):
        assert sorted(found) == sort_each(values, lengths, 300)
