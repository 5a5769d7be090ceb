"""The reference implementations of the changed networks compute what their formulas say."""

from dataclasses import replace

import numpy as np
import pytest
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import floors
from bakeoff.measures.agreement.floors import Permuted
from bakeoff.measures.ease.changes import CONVENTIONS
from bakeoff.portable.reference import Reference
from bakeoff.workload.networks import Network

from tests.measures.ease import changed_oracles
from tests.measures.ease.changed_oracles import CONVENTION_PAGES, PAGES, cases
from tests.portable.networks import small, some_arrays, some_order, some_rows


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("convention", ["", "outside"])
def test_every_gradient_through_the_layer_is_the_slope_along_the_imaginary_axis(activation, norm, convention):
    """Outside the root, the gradient is the slope where epsilon is nothing."""
    spec = small(activation=activation, batch_norm=norm, **({"bn_epsilon": 1e-300} if convention else {}))
    page = CONVENTION_PAGES["layer", convention] if convention else PAGES["layer"]
    oracle, arrays, (x, y) = page.oracle, some_arrays(spec), some_rows(spec)
    reference = oracle(spec)
    reference.load(arrays)
    h = 1e-30
    for name, gradient in reference.gradients(x, y).items():
        expected = np.zeros_like(gradient)
        for place in np.ndindex(*gradient.shape):
            moved = {key: array.astype("complex128") for key, array in arrays.items()}
            moved[name][place] += h * 1j
            wide = oracle(spec._replace(dtype="complex128"))
            wide.load(moved)
            logits, _ = wide.forward(x.astype("complex128"))
            expected[place] = wide.loss(logits, y).imag / h
        assert np.abs(gradient).max() > 1e-6
        assert np.abs(gradient - expected).max() <= 1e-13 * np.abs(expected).max(), name


def test_rows_are_normalised_one_by_one():
    a = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    reference = PAGES["layer"].oracle(small(bn_epsilon=0.5))
    a_hat, _ = reference.normalised(a)
    assert a_hat == pytest.approx(np.array([[-1, 0, 1], [0, 0, 0]]) / np.sqrt(2 / 3 + 0.5), rel=1e-15)


def test_epsilon_outside_the_root_is_added_to_it():
    reference = CONVENTION_PAGES["layer", "outside"].oracle(small(bn_epsilon=0.5))
    a_hat, _ = reference.normalised(np.array([[1.0, 2.0, 3.0]]))
    assert a_hat == pytest.approx(np.array([[-1, 0, 1]]) / (np.sqrt(2 / 3) + 0.5), rel=1e-15)


ROOTS = {
    "": lambda total, epsilon: total**0.5 + epsilon,
    "inside": lambda total, epsilon: (total + epsilon) ** 0.5,
    "float32": lambda total, epsilon: total**0.5 + float(np.float32(epsilon)),
    "from-1e-6": lambda total, epsilon: (1e-6 + total) ** 0.5 + epsilon,
    "fixed": lambda total, epsilon: (total + 1e-16) ** 0.5,
}


def test_every_convention_of_a_change_has_a_page():
    assert set(CONVENTION_PAGES) == {(change, each) for change, found in CONVENTIONS.items() for each in found}
    assert set(ROOTS) == {"", *CONVENTIONS["optimiser"]}
    assert len({page.plain.__qualname__ for page in (*PAGES.values(), *CONVENTION_PAGES.values())}) == len(PAGES) + len(
        CONVENTION_PAGES
    ), "floors are kept by this name"


@pytest.mark.parametrize("convention", ROOTS)
def test_adagrad_divides_by_the_root_of_the_sum_of_squares(convention):
    spec = small(optimiser=changed_oracles.OPTIMISER)
    reference = (CONVENTION_PAGES["optimiser", convention] if convention else PAGES["optimiser"]).oracle(spec)
    reference.load(some_arrays(spec))
    reference.put(*some_rows(spec))
    name, total = "dense0/kernel", 0.0
    for rows in some_order(spec, len(reference.y), 3):
        p, g = reference.dump()[name], reference.gradients(reference.x[rows], reference.y[rows])[name]
        total = total + g * g
        reference.train(rows[None])
        assert reference.dump()[name] == pytest.approx(
            p - spec.learning_rate * g / ROOTS[convention](total, spec.epsilon), rel=1e-14
        )


@pytest.mark.parametrize(("change", "convention"), [*((change, "") for change in PAGES), *CONVENTION_PAGES])
def test_a_changed_problem_has_its_own_truth_and_floors(change, convention):
    (case,) = cases(change, [Network("stress", "tanh", True, "adam", "float64")], convention)
    page = case.reference_pair
    if convention:
        assert page is CONVENTION_PAGES[change, convention]
        common = floors.measure(floors.training, PAGES[change].oracle(case.spec), case, {})
        assert max(each.floors for each in common) > 1e3, "the page without the convention is not the one with it"
    honest = floors.measure(floors.training, page.plain(case.spec), case, {})
    assert max(each.floors for each in honest) < 2
    rearranged = floors.measure(floors.training, Permuted(case.spec, {}, 99, page.plain), case, {})
    assert max(each.floors for each in rearranged) < 4
    if change == "layer":
        common = floors.measure(floors.training, Reference(case.spec), case, {})
        assert max(each.floors for each in common) > 1e6, "the common network is not the changed one"
        assert floors._floors_key(floors.training, case, ()) != floors._floors_key(
            floors.training, replace(case, reference_pair=agreement_case.COMMON_REFERENCE), ()
        )
