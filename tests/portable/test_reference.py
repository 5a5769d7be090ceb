"""The oracle is network-spec: every formula of that page is here a second time, by other means."""

import math

import numpy as np
import pytest
from bakeoff.portable.reference import Plain, Reference
from bakeoff.portable.spec import parameters, shapes

from .networks import small, some_arrays, some_order, some_rows

ACTIVATIONS = ("relu", "tanh", "sigmoid")


def loaded(spec, conventions=None, rows=40):
    """Return the oracle with some arrays and some rows."""
    reference = Reference(spec, conventions=conventions)
    reference.load(some_arrays(spec))
    reference.put(*some_rows(spec, rows))
    return reference


def assert_same_bits(arrays, expected):
    assert list(arrays) == list(expected)
    for name in expected:
        assert np.array_equal(arrays[name], expected[name]), name


# Gradients


def every_gradient():
    """Return (spec, parameter) for every activation, with batch norm and without."""
    specs = [small(activation=activation, batch_norm=norm) for activation in ACTIVATIONS for norm in (True, False)]
    return [
        pytest.param(spec, name, id="%s-%s-%s" % (spec.activation, "bn" if spec.batch_norm else "plain", name))
        for spec in specs
        for name in parameters(spec)
    ]


def loss_at(spec, arrays, x, y):
    """Return the loss of training mode at these arrays, by `forward` and `loss` alone."""
    reference = Reference(spec)
    reference.load(arrays)
    logits, _ = reference.forward(x.astype(spec.dtype))
    return reference.loss(logits, y)


@pytest.mark.parametrize(("spec", "name"), every_gradient())
def test_every_gradient_is_the_loss_s_slope_along_the_imaginary_axis(spec, name):
    """f'(p) = Im f(p + ih) / h loses no digit: the loss is computed in complex numbers, its gradient is not used."""
    arrays = some_arrays(spec)
    x, y = some_rows(spec)
    reference = Reference(spec)
    reference.load(arrays)
    gradient = reference.gradients(x, y)[name]
    h, expected = 1e-30, np.zeros_like(gradient)
    for place in np.ndindex(*gradient.shape):
        moved = {key: array.astype("complex128") for key, array in arrays.items()}
        moved[name][place] += h * 1j
        expected[place] = loss_at(spec._replace(dtype="complex128"), moved, x, y).imag / h
    assert np.abs(gradient).max() > 1e-6
    assert np.abs(gradient - expected).max() <= 1e-13 * np.abs(expected).max()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slopes_along_the_real_axis_are_the_same(activation):
    spec = small(activation=activation)
    arrays = some_arrays(spec)
    x, y = some_rows(spec)
    reference = Reference(spec)
    reference.load(arrays)
    for name, gradient in reference.gradients(x, y).items():
        place = (0,) * gradient.ndim
        ends = []
        for h in (1e-6, -1e-6):
            moved = {key: array.copy() for key, array in arrays.items()}
            moved[name][place] += h
            ends.append(loss_at(spec, moved, x, y))
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8), name


def test_the_batch_norm_gradient_goes_through_the_mean_and_the_variance():
    """Of sum(weights * z_hat) for z, where z_hat = (z - mean) / sqrt(var + epsilon)."""
    reference = Reference(small())
    rng = np.random.Generator(np.random.PCG64(0))
    z, weights = rng.standard_normal((9, 3)), rng.standard_normal((9, 3))

    def normalised(z):
        mu, var = reference.batch_statistics(z)
        return (z - mu) / np.sqrt(var + 0.1), var

    z_hat, var = normalised(z)
    gradient = reference.batch_norm_gradient(weights, var, z_hat)
    for place in np.ndindex(*z.shape):
        moved = z.astype("complex128")
        moved[place] += 1e-30j
        slope = (weights * normalised(moved)[0]).sum().imag / 1e-30
        assert gradient[place] == pytest.approx(slope, rel=1e-12, abs=1e-14)
    assert np.abs(gradient.sum(axis=0)).max() < 1e-14  # a shift of the whole batch changes nothing


def test_relu_has_derivative_zero_at_zero():
    reference = Reference(small())
    h = np.array([-1.0, -0.0, 0.0, 1e-300])
    assert reference.activation_gradient(h, reference.activation(h)).tolist() == [0, 0, 0, 1]


# Forward


def test_the_softmax_example():
    probabilities = Reference(small()).softmax(np.array([[5.0, 2.0, -1.0, 3.0]]))
    assert np.round(probabilities, 3).tolist() == [[0.842, 0.042, 0.002, 0.114]]


def test_the_loss_is_the_mean_of_logsumexp_less_the_label_s_logit():
    logits, y = [[5.0, 2.0, -1.0, 3.0], [0.5, 0.25, 0.0, -2.0]], [1, 3]
    expected = sum(math.log(sum(map(math.exp, row))) - row[label] for row, label in zip(logits, y)) / 2
    assert Reference(small()).loss(np.array(logits), np.array(y)) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_logits_give_a_finite_loss_and_probabilities(dtype):
    reference = Reference(small(dtype=dtype))
    logits = np.array([[1e4, -1e4, 0, 0], [3e4, 3e4, 0, 0]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert reference.softmax(logits).tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0, 0]]
        assert reference.loss(logits, np.array([1, 0])) == pytest.approx((2e4 + math.log(2)) / 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_sigmoid_of_large_numbers_is_zero_or_one_without_a_warning(dtype):
    reference = Reference(small(activation="sigmoid", dtype=dtype))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert reference.activation(np.array([-2000, 0, 2000], dtype)).tolist() == [0, 0.5, 1]


def test_a_row_s_probabilities_do_not_depend_on_the_rows_beside_it():
    reference = loaded(small())
    x, _ = some_rows(small())
    assert reference.predict(x[:1])[0] == pytest.approx(reference.predict(x)[0], rel=1e-13)
    assert reference.predict(x).sum(axis=1) == pytest.approx(np.ones(len(x)), rel=1e-14)


@pytest.mark.parametrize("convention", ["biased", "unbiased", "inverse_std"])
def test_test_mode_normalises_with_the_running_statistics(convention):
    spec = small(sizes=(3, 2, 2), activation="tanh")
    reference = loaded(spec, {"running_variance": convention})
    a = some_arrays(spec)
    row = [0.3, -1.2, 0.8]
    hidden = []
    for unit in range(2):
        z = sum(row[i] * a["dense0/kernel"][i, unit] for i in range(3))
        mean, var = a["norm0/running_mean"][unit], a["norm0/running_var"][unit]
        z_hat = (z - mean) * var if convention == "inverse_std" else (z - mean) / math.sqrt(var + spec.bn_epsilon)
        hidden.append(math.tanh(a["norm0/gamma"][unit] * z_hat + a["norm0/beta"][unit]))
    logits = [a["dense1/bias"][c] + sum(hidden[u] * a["dense1/kernel"][u, c] for u in range(2)) for c in range(2)]
    expected = [math.exp(logit) / sum(map(math.exp, logits)) for logit in logits]
    assert reference.predict(np.array([row]))[0] == pytest.approx(expected, rel=1e-13)


# Running statistics


@pytest.mark.parametrize("convention", ["biased", "unbiased", "inverse_std"])
def test_running_statistics_are_the_weighted_averages_of_the_batches(convention):
    spec = small()
    reference = loaded(spec, {"running_variance": convention})
    order, m = some_order(spec, 40, 3), spec.batch_size
    averages = [some_arrays(spec)["norm0/running_" + which].tolist() for which in ("mean", "var")]
    for rows in order:
        z = reference.x[rows].dot(reference.dump()["dense0/kernel"])
        reference.train(rows[None])
        for unit in range(z.shape[1]):
            mu = sum(z[:, unit].tolist()) / m
            squares = sum((value - mu) ** 2 for value in z[:, unit].tolist())
            spread = {
                "biased": squares / m,
                "unbiased": squares / (m - 1),
                "inverse_std": 1 / math.sqrt(squares / m + spec.bn_epsilon),
            }[convention]
            averages[0][unit] = 0.7 * averages[0][unit] + 0.3 * mu
            averages[1][unit] = 0.7 * averages[1][unit] + 0.3 * spread
        after = reference.dump()
        assert after["norm0/running_mean"] == pytest.approx(np.array(averages[0]), rel=1e-12)
        assert after["norm0/running_var"] == pytest.approx(np.array(averages[1]), rel=1e-12)


@pytest.mark.parametrize("convention", ["unbiased", "inverse_std"])
def test_the_running_variance_convention_changes_nothing_else(convention):
    spec = small()
    order = some_order(spec, 40, 3)
    common, other = loaded(spec), loaded(spec, {"running_variance": convention})
    assert np.array_equal(common.train(order), other.train(order))
    one, two = common.dump(), other.dump()
    assert [name for name in one if not np.array_equal(one[name], two[name])] == [
        "norm0/running_var",
        "norm1/running_var",
    ]


# Optimisers: the formulas of network-spec on one number. Each yields p after every step.


def sgd(p, gradients, s):
    for g in gradients:
        p -= s.learning_rate * g
        yield p


def momentum_average(p, gradients, s):
    v = 0.0
    for g in gradients:
        v = s.beta1 * v + (1 - s.beta1) * g
        p -= s.learning_rate * v
        yield p


def momentum_sum(p, gradients, s):
    v = 0.0
    for g in gradients:
        v = s.beta1 * v + g
        p -= s.learning_rate * v
        yield p


def momentum_nesterov_sum(p, gradients, s):
    v = 0.0
    for g in gradients:
        v = s.beta1 * v + g
        p -= s.learning_rate * (g + s.beta1 * v)
        yield p


def rmsprop_outside(p, gradients, s, start=0.0):
    square = start
    for g in gradients:
        square = s.beta2 * square + (1 - s.beta2) * g**2
        p -= s.learning_rate * g / (math.sqrt(square) + s.epsilon)
        yield p


def rmsprop_inside(p, gradients, s):
    square = 0.0
    for g in gradients:
        square = s.beta2 * square + (1 - s.beta2) * g**2
        p -= s.learning_rate * g / math.sqrt(square + s.epsilon)
        yield p


def rmsprop_outside_from_epsilon(p, gradients, s):
    return rmsprop_outside(p, gradients, s, start=s.epsilon)


def adam_algorithm_1(p, gradients, s):
    v = square = 0.0
    for t, g in enumerate(gradients, 1):
        v = s.beta1 * v + (1 - s.beta1) * g
        square = s.beta2 * square + (1 - s.beta2) * g**2
        p -= s.learning_rate * (v / (1 - s.beta1**t)) / (math.sqrt(square / (1 - s.beta2**t)) + s.epsilon)
        yield p


def adam_epsilon_hat(p, gradients, s):
    v = square = 0.0
    for t, g in enumerate(gradients, 1):
        v = s.beta1 * v + (1 - s.beta1) * g
        square = s.beta2 * square + (1 - s.beta2) * g**2
        rate = s.learning_rate * math.sqrt(1 - s.beta2**t) / (1 - s.beta1**t)
        p -= rate * v / (math.sqrt(square) + s.epsilon)
        yield p


def single_precision_power(beta, t):
    """Return beta**t as C's powf would: rounded once."""
    return float(np.float32(float(np.float32(beta)) ** t))


def single_precision_product(beta, t):
    """Return beta**t, rounded after each factor."""
    power = np.float32(1)
    for _ in range(t):
        power *= np.float32(beta)
    return float(power)


def adam_corrected(power, root):
    """Return algorithm 1 with beta**t and 1 / sqrt(1 - beta2**t) by these functions."""

    def by_hand(p, gradients, s):
        v = square = 0.0
        for t, g in enumerate(gradients, start=1):
            v = s.beta1 * v + (1 - s.beta1) * g
            square = s.beta2 * square + (1 - s.beta2) * g**2
            rate = s.learning_rate / float(np.float32(1 - power(s.beta1, t)))
            p -= rate * v / (math.sqrt(square) * root(1 - power(s.beta2, t)) + s.epsilon)
            yield p

    return by_hand


adam_float32 = adam_corrected(single_precision_power, lambda share: float(np.float32(1) / np.sqrt(np.float32(share))))
adam_float32_product = adam_corrected(single_precision_product, lambda share: 1 / math.sqrt(np.float32(share)))


OPTIMISERS = [
    ("sgd", {}, sgd),
    ("momentum", {}, momentum_average),
    ("momentum", {"momentum": "average"}, momentum_average),
    ("momentum", {"momentum": "sum"}, momentum_sum),
    ("momentum", {"momentum": "nesterov-sum"}, momentum_nesterov_sum),
    ("rmsprop", {}, rmsprop_outside),
    ("rmsprop", {"rmsprop": "outside"}, rmsprop_outside),
    ("rmsprop", {"rmsprop": "inside"}, rmsprop_inside),
    ("rmsprop", {"rmsprop": "outside-from-epsilon"}, rmsprop_outside_from_epsilon),
    ("adam", {}, adam_algorithm_1),
    ("adam", {"adam": "algorithm-1"}, adam_algorithm_1),
    ("adam", {"adam": "epsilon-hat"}, adam_epsilon_hat),
    ("adam", {"adam_bias_correction": "float32"}, adam_float32),
    ("adam", {"adam_bias_correction": "float32-product"}, adam_float32_product),
]


@pytest.mark.parametrize(
    ("optimiser", "conventions", "by_hand"),
    OPTIMISERS,
    ids=["%s-%s" % (name, "".join(conventions.values()) or "common") for name, conventions, _ in OPTIMISERS],
)
@pytest.mark.parametrize("batch_norm", [True, False], ids=["bn", "plain"])
def test_every_parameter_follows_the_optimiser_s_formula(optimiser, conventions, by_hand, batch_norm):
    spec = small(optimiser=optimiser, batch_norm=batch_norm)
    reference = loaded(spec, conventions)
    order = some_order(spec, 40, 6)
    gradients, dumps = [], [reference.dump()]
    for rows in order:
        gradients.append(reference.gradients(reference.x[rows], reference.y[rows]))
        reference.train(rows[None])
        dumps.append(reference.dump())
    for name in parameters(spec):
        for place in np.ndindex(*dumps[0][name].shape):
            expected = list(by_hand(float(dumps[0][name][place]), [float(g[name][place]) for g in gradients], spec))
            assert [d[name][place] for d in dumps[1:]] == pytest.approx(expected, rel=1e-12, abs=1e-14), name


def test_a_convention_of_another_optimiser_changes_nothing():
    spec = small(optimiser="sgd")
    order = some_order(spec, 40, 3)
    declared = {"adam": "epsilon-hat", "momentum": "sum", "rmsprop": "outside-from-epsilon"}
    common, other = loaded(spec), loaded(spec, declared)
    assert np.array_equal(common.train(order), other.train(order))
    assert_same_bits(common.dump(), other.dump())


@pytest.mark.parametrize("value", ["float32", "float32-product"])
def test_a_bias_correction_in_single_precision_changes_nothing_in_a_run_in_float32(value):
    spec = small(optimiser="adam", beta1=0.9, beta2=0.999)
    order = some_order(spec, 40, 3)
    common, other = loaded(spec), loaded(spec, {"adam_bias_correction": value})
    other.run_dtype = "float32"
    common.train(order)
    other.train(order)
    assert_same_bits(common.dump(), other.dump())


@pytest.mark.parametrize("value", ["exact", "float32", "float32-product"])
def test_the_floors_of_a_bias_correction_are_those_of_rounding(value):
    """Plain NumPy follows the convention too: or the distance between two conventions would count as rounding."""
    spec = small(optimiser="adam", beta1=0.9, beta2=0.999)
    truth, plain = (
        loaded(spec, {"adam_bias_correction": value}),
        Plain(spec, conventions={"adam_bias_correction": value}),
    )
    plain.load(truth.dump())
    plain.put(truth.x, truth.y)
    order = some_order(spec, 40, 20)
    truth.train(order)
    plain.train(order)
    for name, array in truth.dump().items():
        assert plain.dump()[name] == pytest.approx(array, rel=1e-11, abs=1e-13), name


@pytest.mark.parametrize("wrong", [{"adam": "epsilon"}, {"weight_decay": "coupled"}], ids=["value", "name"])
def test_an_unknown_convention_is_an_error(wrong):
    with pytest.raises(ValueError, match="expected one of"):
        Reference(small(), conventions=wrong)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_clipped_loss_is_of_probabilities_within_the_epsilon_of_the_run_s_dtype(dtype):
    logits, labels = np.array([[0.0, 50.0], [2.0, 1.0], [40.0, 0.0]]), np.array([0, 0, 0])
    truth = Reference(small(), conventions={"loss": "clipped"})
    truth.run_dtype = dtype
    p = [0.0, math.exp(2) / (math.exp(2) + math.exp(1)), 1.0]
    epsilon = {"float64": 2.0**-52, "float32": 2.0**-23}[dtype]
    expected = -sum(math.log(min(max(each, epsilon), 1 - epsilon)) for each in p) / 3
    assert truth.loss(logits, labels) == pytest.approx(expected, rel=1e-15)
    assert Reference(small()).loss(logits, labels) == pytest.approx((50 - math.log(p[1])) / 3, rel=1e-15)


def test_the_convention_of_the_loss_changes_nothing_else():
    spec = small()
    order = some_order(spec, 40, 3)
    common, clipped = loaded(spec), loaded(spec, {"loss": "clipped"})
    for each in (common, clipped):
        each.arrays["dense2/bias"][0] = 100.0  # so that some rows are lost beyond what float64 is clipped at
    assert np.all(common.train(order) > clipped.train(order))
    assert_same_bits(common.dump(), clipped.dump())


# The contract


def test_train_returns_the_loss_of_each_batch_before_its_step():
    spec = small()
    reference = loaded(spec)
    order = some_order(spec, 40, 3)
    for rows in order:
        before = loss_at(spec, reference.dump(), reference.x[rows], reference.y[rows])
        assert reference.train(rows[None]).tolist() == [before]


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam"])
def test_steps_taken_at_once_are_those_taken_one_by_one(optimiser):
    spec = small(optimiser=optimiser)
    order = some_order(spec, 40, 5)
    at_once, apart = loaded(spec), loaded(spec)
    losses = at_once.train(order)
    assert np.array_equal(losses, np.concatenate([apart.train(rows[None]) for rows in order]))
    assert_same_bits(at_once.dump(), apart.dump())


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam"])
def test_load_forgets_all_training(optimiser):
    spec = small(optimiser=optimiser)
    reference = loaded(spec, {"rmsprop": "outside-from-epsilon"})
    order = some_order(spec, 40, 4)
    losses, arrays = reference.train(order), reference.dump()
    reference.load(some_arrays(spec))
    assert np.array_equal(reference.train(order), losses)
    assert_same_bits(reference.dump(), arrays)


def test_load_copies_what_it_is_given():
    spec = small()
    arrays = some_arrays(spec)
    reference = Reference(spec)
    reference.load(arrays)
    for array in arrays.values():
        array[...] = 0
    assert_same_bits(reference.dump(), some_arrays(spec))


def test_put_copies_what_it_is_given():
    spec = small()
    x, y = some_rows(spec, 40)
    given, spared = loaded(spec), loaded(spec)
    given.put(x, y)
    x[...], y[...] = 0, 0
    order = some_order(spec, 40, 1)
    assert np.array_equal(given.train(order), spared.train(order))


def test_dump_returns_copies():
    spec = small()
    reference = loaded(spec)
    dumped = reference.dump()
    reference.train(some_order(spec, 40, 3))
    assert_same_bits(dumped, some_arrays(spec))
    for array in reference.dump().values():
        array[...] = 0
    assert np.abs(reference.dump()["dense0/kernel"]).max() > 0


@pytest.mark.parametrize("call", ["predict", "gradients"])
def test_predict_and_gradients_change_nothing(call):
    spec = small()
    asked, spared = loaded(spec), loaded(spec)
    x, y = some_rows(spec)
    order = some_order(spec, 40, 4)
    for rows in order:
        asked.predict(x) if call == "predict" else asked.gradients(x, y)
        assert np.array_equal(asked.train(rows[None]), spared.train(rows[None]))
        assert_same_bits(asked.dump(), spared.dump())


@pytest.mark.parametrize("convention", ["biased", "unbiased", "inverse_std"])
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam"])
def test_float32_stays_float32(optimiser, convention):
    spec = small(optimiser=optimiser, dtype="float32")
    reference = loaded(spec, {"running_variance": convention, "adam": "epsilon-hat"})
    x, y = some_rows(spec)
    losses = reference.train(some_order(spec, 40, 3))
    arrays = dict(reference.dump(), losses=losses, probabilities=reference.predict(x))
    assert {name: array.dtype for name, array in arrays.items()} == dict.fromkeys(arrays, np.dtype("float32"))
    gradients = reference.gradients(x, y)
    assert {name: g.dtype for name, g in gradients.items()} == dict.fromkeys(parameters(spec), np.dtype("float32"))


def test_gradients_and_dump_come_in_the_order_of_the_spec():
    spec = small()
    reference = loaded(spec)
    assert list(reference.dump()) == list(shapes(spec))
    assert list(reference.gradients(*some_rows(spec))) == parameters(spec)


def test_versions_name_numpy():
    assert Reference(small()).versions() == {"numpy": np.__version__}
