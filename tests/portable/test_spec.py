"""The names, shapes and first values of the arrays, and the conventions."""

import numpy as np
import pytest
from bakeoff.portable.spec import CONVENTIONS, full_conventions, initial_arrays, parameters, rounded, shapes

from .networks import small


def test_a_layer_before_batch_norm_has_no_bias():
    assert list(shapes(small(sizes=(5, 7, 4))).items()) == [
        ("dense0/kernel", (5, 7)),
        ("norm0/gamma", (7,)),
        ("norm0/beta", (7,)),
        ("norm0/running_mean", (7,)),
        ("norm0/running_var", (7,)),
        ("dense1/kernel", (7, 4)),
        ("dense1/bias", (4,)),
    ]


def test_every_layer_has_a_bias_where_there_is_no_batch_norm():
    assert list(shapes(small(sizes=(5, 7, 4), batch_norm=False)).items()) == [
        ("dense0/kernel", (5, 7)),
        ("dense0/bias", (7,)),
        ("dense1/kernel", (7, 4)),
        ("dense1/bias", (4,)),
    ]


def test_a_network_without_hidden_layers_is_one_dense_layer():
    assert shapes(small(sizes=(5, 4))) == {"dense0/kernel": (5, 4), "dense0/bias": (4,)}


def test_the_parameters_are_the_arrays_that_are_trained():
    assert parameters(small(sizes=(5, 7, 4))) == [
        "dense0/kernel",
        "norm0/gamma",
        "norm0/beta",
        "dense1/kernel",
        "dense1/bias",
    ]


# The arrays that training starts from


@pytest.mark.parametrize(("name", "gain"), [("he", 2.0), ("xavier", 1.0)])
def test_kernels_are_normal_with_the_variance_of_their_name(name, gain):
    spec = small(sizes=(200, 300, 100))
    arrays = initial_arrays(spec, name, 3)
    for kernel in ("dense0/kernel", "dense1/kernel"):
        unit = arrays[kernel] * np.sqrt(arrays[kernel].shape[0] / gain)
        spread = 5 / np.sqrt(unit.size)  # five standard errors
        assert abs(unit.mean()) < spread
        assert abs(unit.var() - 1) < spread * np.sqrt(2)
        assert abs((unit**4).mean() - 3) < spread * np.sqrt(96)


def test_kernels_are_drawn_layer_by_layer_from_pcg64():
    spec = small(sizes=(5, 7, 4))
    rng = np.random.Generator(np.random.PCG64(11))
    first, second = rng.standard_normal((5, 7)) * np.sqrt(2.0 / 5), rng.standard_normal((7, 4)) * np.sqrt(2.0 / 7)
    arrays = initial_arrays(spec, "he", 11)
    assert np.array_equal(arrays["dense0/kernel"], first)
    assert np.array_equal(arrays["dense1/kernel"], second)


def test_the_first_weights_are_the_same_in_every_version_of_numpy():
    kernel = initial_arrays(small(sizes=(2, 2, 2)), "xavier", 0)["dense0/kernel"]
    assert np.allclose(kernel * np.sqrt(2), [[0.12573022, -0.13210486], [0.64042265, 0.10490012]], rtol=0, atol=5e-9)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    one, same, other = (initial_arrays(small(), "he", seed) for seed in (5, 5, 6))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["dense0/kernel"], other["dense0/kernel"])


def test_all_but_the_kernels_start_at_zero_or_one():
    arrays = initial_arrays(small(), "he", 0)
    firsts = {name.split("/")[1]: set(array.tolist()) for name, array in arrays.items() if "kernel" not in name}
    assert firsts == {"gamma": {1}, "beta": {0}, "running_mean": {0}, "running_var": {1}, "bias": {0}}


@pytest.mark.parametrize("batch_norm", [True, False], ids=["bn", "plain"])
def test_names_order_and_shapes_are_those_of_the_spec(batch_norm):
    spec = small(batch_norm=batch_norm)
    arrays = initial_arrays(spec, "he", 0)
    assert [(name, array.shape) for name, array in arrays.items()] == list(shapes(spec).items())


def test_float32_is_the_cast_of_float64():
    wide, narrow = (initial_arrays(small(dtype=dtype), "he", 7) for dtype in ("float64", "float32"))
    for name in wide:
        assert narrow[name].dtype == np.float32
        assert np.array_equal(wide[name].astype(np.float32), narrow[name])


def test_unknown_initial_weights_are_an_error():
    with pytest.raises(KeyError, match="glorot"):
        initial_arrays(small(), "glorot", 0)


# Conventions


def test_nothing_declared_is_the_common_spec():
    assert full_conventions({}) == {
        "running_variance": "biased",
        "adam": "algorithm-1",
        "momentum": "average",
        "rmsprop": "outside",
        "batch_norm_constants": "exact",
        "adam_constants": "exact",
        "adam_bias_correction": "exact",
        "momentum_constants": "exact",
        "rmsprop_constants": "exact",
        "loss": "exact",
    }


@pytest.mark.parametrize("value", CONVENTIONS["momentum"])
def test_a_declared_value_is_kept_and_the_rest_filled_in(value):
    assert full_conventions({"momentum": value}) == dict(full_conventions({}), momentum=value)


def test_an_unknown_convention_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match="unknown convention 'adamw': expected one of running_variance, adam, "):
        full_conventions({"adamw": "algorithm-1"})


def test_an_unknown_value_is_named_with_those_that_exist():
    expected = "convention adam: expected one of algorithm-1, epsilon-hat, got 'epsilon'"
    with pytest.raises(ValueError, match=expected):
        full_conventions({"adam": "epsilon"})


@pytest.mark.parametrize(
    ("convention", "optimiser", "fields"),
    [
        ("batch_norm_constants", "adam", {"bn_decay", "bn_epsilon"}),
        ("momentum_constants", "momentum", {"beta1"}),
        ("momentum_constants", "adam", set()),
        ("rmsprop_constants", "rmsprop", {"beta2", "epsilon"}),
        ("rmsprop_constants", "sgd", set()),
    ],
)
def test_the_constants_of_a_convention_are_rounded_to_single_precision_where_they_are_used(
    convention, optimiser, fields
):
    spec = small(optimiser=optimiser, bn_decay=0.9, bn_epsilon=1e-5, beta1=0.9, beta2=0.999, epsilon=1e-8)
    found = rounded(spec, full_conventions({convention: "float32"}))
    assert {field for field in spec._fields if getattr(found, field) != getattr(spec, field)} == fields
    assert all(getattr(found, field) == np.float32(getattr(spec, field)) for field in fields)
    assert all(type(getattr(found, field)) is float for field in fields), "or NumPy would round what it meets"


def test_batch_norm_s_constants_stay_where_there_is_none():
    declared = full_conventions({"batch_norm_constants": "float32"})
    for spec in (small(batch_norm=False), small(sizes=(5, 4))):
        assert rounded(spec, declared) == spec
