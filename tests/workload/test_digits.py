"""The digits in the file are those of scikit-learn, and so are their splits: the same bits."""

import numpy as np
from bakeoff.workload import data, networks
from bakeoff.workload.digits import load_digits, split_digits
from bakeoff.workload.spec import Spec


def assert_same(found, expected):
    for name, ours, theirs in zip(expected._fields, found, expected, strict=True):
        if isinstance(theirs, np.ndarray):
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), name
            assert ours.tobytes() == theirs.tobytes(), name
        else:
            assert ours == theirs, name


def test_the_digits_are_those_of_scikit_learn():
    assert_same(load_digits(), data.load(Spec().data))


def test_the_splits_are_those_that_the_bundled_spec_draws():
    run = Spec()
    assert_same(split_digits(run), data.split(data.load(run.data), run))
    assert_same(networks.default_network()[1], split_digits(run))
