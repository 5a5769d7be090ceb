"""Error, floor and verdict; the oracle against arithmetic in 50 digits, derived without its gradients."""

import mpmath
import numpy as np
import pytest
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import floors
from bakeoff.measures.agreement.case import Case, Deviation, Quantity
from bakeoff.measures.agreement.floors import Permuted, error
from bakeoff.portable import spec as portable
from bakeoff.portable.reference import Reference

HALF_ULP = {"float32": 2.0**-24, "float64": 2.0**-53}
OPTIMISERS = [
    ("sgd", {}),
    ("momentum", {"momentum": "average"}),
    ("momentum", {"momentum": "sum"}),
    ("momentum", {"momentum": "nesterov-sum"}),
    ("rmsprop", {"rmsprop": "outside"}),
    ("rmsprop", {"rmsprop": "inside"}),
    ("rmsprop", {"rmsprop": "outside-from-epsilon"}),
    ("adam", {"adam": "algorithm-1"}),
    ("adam", {"adam": "epsilon-hat"}),
]


def case(dtype="float64", sizes=(6, 9, 7, 5), **changes):
    """Return a small case on random rows, under the stress spec's constants."""
    given = portable.Spec(sizes, "relu", True, 0.7, 0.1, "adam", 0.001, 0.9, 0.999, 1e-3, 8, dtype)
    spec = given._replace(**changes)
    rng = np.random.default_rng(0)
    return Case(
        name="small",
        spec=spec,
        arrays=portable.initial_arrays(spec, "he", 0),
        x=rng.standard_normal((60, sizes[0])).astype(dtype),
        y=rng.integers(0, sizes[-1], 60),
        order=rng.integers(0, 60, (100, spec.batch_size)),
        required=True,
    )


# Error and floor


def test_error_is_the_largest_difference_over_the_largest_value_of_the_truth():
    assert error(np.array([1.0, -4.5, 0.25]), np.array([1.0, -4.0, 0.0])) == 0.125


def test_error_is_absolute_where_the_truth_is_zero():
    assert error(np.array([0.0, -0.5]), np.zeros(2)) == 0.5


def test_error_is_taken_in_float64():
    assert error(np.array([1 + 2**-23], "float32"), np.ones(1)) == 2**-23


def test_the_error_of_nan_is_nan():
    assert np.isnan(error(np.array([1.0, np.nan]), np.ones(2)))


def test_floors_are_the_error_over_the_floor():
    measured = Deviation(Quantity("update", "dense0/kernel", 10), 3e-6, 1e-7)
    assert measured.floors == pytest.approx(30)
    assert str(measured) == "dense0/kernel after 10 steps: 3.0e-06 off, 30.0 floors, allowed 128"


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        (Quantity("forward", "probabilities", 0), "forward probabilities at the start"),
        (Quantity("loss", "of the batch", 1), "loss of the batch after 1 step"),
        (Quantity("running statistics", "norm1/running_var", 100), "norm1/running_var after 100 steps"),
    ],
)
def test_a_quantity_reads_as_a_phrase(quantity, sentence):
    assert str(quantity) == sentence


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_floor_is_below_half_a_unit_in_the_last_place(dtype):
    problem = case(dtype)
    measured = floors.measure(floors.training, Reference(problem.spec), problem, {})
    assert min(each.floor for each in measured) >= HALF_ULP[dtype]
    assert max(each.floor for each in measured) < 1e4 * HALF_ULP[dtype]


def test_the_floor_is_the_largest_error_of_the_permuted_runs():
    problem = case("float32")
    wide = case("float64")
    oracle = floors.training(
        Reference(wide.spec),
        Case(
            "wide",
            wide.spec,
            {n: a.astype("float64") for n, a in problem.arrays.items()},
            problem.x.astype("float64"),
            problem.y,
            problem.order,
            True,
        ),
    )
    runs = [floors.training(Permuted(problem.spec, {}, seed), problem) for seed in range(floors.PERMUTATIONS)]
    for each in floors.measure(floors.training, Reference(problem.spec), problem, {}):
        largest = max(error(run[each.quantity], oracle[each.quantity]) for run in runs)
        assert each.floor == max(largest, HALF_ULP["float32"])


def test_every_array_is_compared_at_every_checkpoint_in_the_order_of_the_computation():
    problem = case()
    measured = floors.measure(floors.training, Reference(problem.spec), problem, {})
    seen = [each.quantity for each in measured]
    assert seen[0] == Quantity("forward", "probabilities", 0)
    assert {q.array for q in seen if q.phase == "gradient"} == set(portable.parameters(problem.spec))
    for step in agreement_case.CHECKPOINTS:
        of_step = [q for q in seen if q.step == step]
        arrays = {q.array for q in of_step if q.phase in ("update", "running statistics")}
        assert arrays == set(portable.shapes(problem.spec))
        assert [of_step[0].phase, of_step[-1].phase] == ["loss", "test mode"]
    assert [q.step for q in seen] == sorted(q.step for q in seen)


# Permuted


@pytest.mark.parametrize(("optimiser", "conventions"), OPTIMISERS, ids=[f"{o}-{c}" for o, c in OPTIMISERS])
@pytest.mark.parametrize("batch_norm", [True, False], ids=["bn", "plain"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_permuted_computes_the_same_in_another_order(activation, batch_norm, optimiser, conventions):
    problem = case(activation=activation, batch_norm=batch_norm, optimiser=optimiser)
    truth = floors.training(Reference(problem.spec, conventions=conventions), problem)
    seen = floors.training(Permuted(problem.spec, conventions, seed=3), problem)
    assert list(seen) == list(truth)
    assert {str(q): error(seen[q], truth[q]) for q in truth if not error(seen[q], truth[q]) <= 1e-12} == {}


@pytest.mark.parametrize("convention", portable.CONVENTIONS["running_variance"])
def test_permuted_follows_the_running_variance_convention(convention):
    problem, conventions = case(), {"running_variance": convention}
    truth = floors.training(Reference(problem.spec, conventions=conventions), problem)
    seen = floors.training(Permuted(problem.spec, conventions, seed=4), problem)
    assert max(error(seen[q], truth[q]) for q in truth) <= 1e-12


def test_permuted_takes_every_sum_in_another_order():
    problem = case("float32")
    plain, permuted = Reference(problem.spec), Permuted(problem.spec, {}, seed=0)
    bits = [floors.training(each, problem) for each in (plain, permuted)]
    assert not all(np.array_equal(bits[0][q], bits[1][q]) for q in bits[0])
    assert any((permuted.orders[way] != np.arange(width)).any() for way, width in enumerate(problem.spec.sizes))


@pytest.mark.parametrize("declared", [{"running_variance": "unbiased"}, {"adam": "epsilon-hat"}], ids=str)
def test_a_difference_by_design_agrees_when_declared_and_not_otherwise(declared):
    problem = case()
    backend = Reference(problem.spec, conventions=declared)
    honest = floors.measure(floors.training, backend, problem, declared)
    silent = floors.measure(floors.training, backend, problem, {})
    assert max(each.floors for each in honest) <= agreement_case.LOSES_PRECISION
    assert max(each.floors for each in silent) > 1e6


# The trap of network-spec: 1 - beta**t in float32


class Float32BiasCorrection(Reference):
    """1 - beta**t in float32: wrong by 1.3e-5 for beta2 = 0.999, while the moment's own 1 - beta2 is exact."""

    def adam(self, name, g):
        s, one = self.spec, np.float32(1)
        v = self.moment[name] = s.beta1 * self.moment[name] + (1 - s.beta1) * g
        q = self.square[name] = s.beta2 * self.square[name] + (1 - s.beta2) * g**2
        v_share = one - np.float32(s.beta1) ** np.float32(self.steps)
        q_share = one - np.float32(s.beta2) ** np.float32(self.steps)
        return s.learning_rate * (v / v_share) / (np.sqrt(q / q_share) + s.epsilon)


def test_a_bias_correction_in_float32_exceeds_the_rounding():
    problem = case("float32", sizes=(64, 128, 64, 10), batch_size=64, bn_epsilon=1e-5, bn_decay=0.9, epsilon=1e-8)
    assert worst_update(Reference(problem.spec), problem) <= agreement_case.LOSES_PRECISION
    assert worst_update(Float32BiasCorrection(problem.spec), problem) > agreement_case.LOSES_PRECISION


def worst_update(backend, problem):
    measured = floors.measure(floors.training, backend, problem, {})
    return max(each.floors for each in measured if each.quantity.phase == "update")


# Fifty digits


class FiftyDigits:
    """network-spec once more, number by number; gradients are differences of the loss, not derivatives of ours."""

    def __init__(self, spec, arrays):
        self.spec = spec
        self.arrays = {name: to_mp(array) for name, array in arrays.items()}
        names = portable.parameters(spec)
        self.moment = {(name, i): mpmath.mpf(0) for name in names for i in range(self.arrays[name].size)}
        self.square = dict(self.moment)
        self.t = 0

    def loss(self, x, y):
        """Return the loss in training mode, and each normalised layer's mean and variance."""
        a, statistics = to_mp(x), []
        for layer in range(len(self.spec.sizes) - 2):
            h = a.dot(self.arrays[f"dense{layer}/kernel"])
            if self.spec.batch_norm:
                mu = h.sum(axis=0) / len(h)
                var = ((h - mu) ** 2).sum(axis=0) / len(h)
                statistics.append((mu, var))
                h = self.normalised(layer, h, mu, var)
            else:
                h = h + self.arrays[f"dense{layer}/bias"]
            a = self.activation(h)
        logits = self.output(a)
        total = sum(mpmath.log(sum(map(mpmath.exp, row))) - row[label] for row, label in zip(logits, y))
        return total / len(y), statistics

    def normalised(self, layer, z, mu, var):
        deviation = elementwise(mpmath.sqrt, var + mpmath.mpf(self.spec.bn_epsilon))
        return self.arrays[f"norm{layer}/gamma"] * ((z - mu) / deviation) + self.arrays[f"norm{layer}/beta"]

    def activation(self, h):
        functions = {
            "relu": lambda value: max(value, mpmath.mpf(0)),
            "tanh": mpmath.tanh,
            "sigmoid": lambda value: 1 / (1 + mpmath.exp(-value)),
        }
        return elementwise(functions[self.spec.activation], h)

    def output(self, a):
        last = len(self.spec.sizes) - 2
        return a.dot(self.arrays[f"dense{last}/kernel"]) + self.arrays[f"dense{last}/bias"]

    def predict(self, x):
        """Return the probabilities by the running statistics."""
        a = to_mp(x)
        for layer in range(len(self.spec.sizes) - 2):
            h = a.dot(self.arrays[f"dense{layer}/kernel"])
            if self.spec.batch_norm:
                mu, var = (self.arrays[f"norm{layer}/running_{which}"] for which in ("mean", "var"))
                h = self.normalised(layer, h, mu, var)
            else:
                h = h + self.arrays[f"dense{layer}/bias"]
            a = self.activation(h)
        powers = elementwise(mpmath.exp, self.output(a))
        return powers / powers.sum(axis=1)[:, None]

    def gradients(self, x, y):
        """Return central differences of the loss, with a step of 1e-15: exact to 30 digits."""
        step, result = mpmath.mpf(10) ** -15, {}
        for name in portable.parameters(self.spec):
            array = self.arrays[name]
            gradient = result[name] = np.empty_like(array)
            for place in np.ndindex(*array.shape):
                here, ends = array[place], []
                for sign in (1, -1):
                    array[place] = here + sign * step
                    ends.append(self.loss(x, y)[0])
                array[place] = here
                gradient[place] = (ends[0] - ends[1]) / (2 * step)
        return result

    def step(self, x, y):
        """Take one step of Adam, Algorithm 1; return the loss before it."""
        rate, beta1, beta2, epsilon, decay = (
            mpmath.mpf(getattr(self.spec, field))
            for field in ("learning_rate", "beta1", "beta2", "epsilon", "bn_decay")
        )
        loss, statistics = self.loss(x, y)
        gradients = self.gradients(x, y)
        self.t += 1
        for name, gradient in gradients.items():
            for i, g in enumerate(gradient.flat):
                v = self.moment[name, i] = beta1 * self.moment[name, i] + (1 - beta1) * g
                s = self.square[name, i] = beta2 * self.square[name, i] + (1 - beta2) * g**2
                v_hat, s_hat = v / (1 - beta1**self.t), s / (1 - beta2**self.t)
                self.arrays[name].flat[i] -= rate * v_hat / (mpmath.sqrt(s_hat) + epsilon)
        for layer, (mu, var) in enumerate(statistics):
            for which, value in (("mean", mu), ("var", var)):
                key = f"norm{layer}/running_{which}"
                self.arrays[key] = decay * self.arrays[key] + (1 - decay) * value
        return loss


def to_mp(array):
    """Return the same numbers, exactly, as an array of mpf."""
    return elementwise(mpmath.mpf, np.asarray(array, dtype=np.float64))


def elementwise(function, array):
    """Return function of every element, as an array of objects."""
    result = np.empty(array.shape, dtype=object)
    for place in np.ndindex(*array.shape):
        result[place] = function(array[place])
    return result


def off(array, truth):
    """Return max|array - truth| / max|truth|, taken in 50 digits."""
    truth = np.asarray(truth, dtype=object)
    scale = max(abs(value) for value in truth.flat)
    return float(max(abs(value) for value in (to_mp(array) - truth).flat) / scale)


@pytest.mark.parametrize("batch_norm", [True, False], ids=["bn", "plain"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_oracle_is_right_to_thirteen_digits(activation, batch_norm):
    problem = case(sizes=(3, 4, 3), activation=activation, batch_norm=batch_norm, batch_size=5)
    oracle = Reference(problem.spec)
    oracle.load(problem.arrays)
    oracle.put(problem.x, problem.y)
    with mpmath.workdps(50):
        exact = FiftyDigits(problem.spec, problem.arrays)
        x, y = problem.batch
        assert off(oracle.predict(x), exact.predict(x)) <= 1e-13
        for name, gradient in exact.gradients(x, y).items():
            assert off(oracle.gradients(x, y)[name], gradient) <= 1e-13, name
        for rows in problem.order[:10]:
            loss = exact.step(problem.x[rows], problem.y[rows])
            assert off(oracle.train(rows[None]), [loss]) <= 1e-13
        for name, array in oracle.dump().items():
            assert off(array, exact.arrays[name]) <= 1e-13, name
        assert off(oracle.predict(x), exact.predict(x)) <= 1e-13
