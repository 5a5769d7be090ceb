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


@pytest.mark.parametrize("lengths", [(40, 40), (21, 64)], ids=str)
def test_a_ratio_and_its_inverse_share_one_search(lengths):
    rng = np.random.default_rng(8)
    one, other = rng.lognormal(size=(2, sum(lengths)))
    both = resampled_medians([one / other, other / one], lengths, 300)
    for found, values in zip(both, (one / other, other / one)):
        assert sorted(found) == sort_each(values, lengths, 300)
