"""The sentence on a failure: what deviates first, in the order of the computation, and what has the same numbers."""

import numpy as np
import pytest
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import diagnosis, mutants
from bakeoff.measures.agreement import floors as agreement_floors
from bakeoff.measures.agreement.case import Deviation, Quantity
from bakeoff.measures.agreement.cases import cases
from bakeoff.portable.reference import Reference
from bakeoff.workload.networks import Network

from .subjects import cases as standard
from .subjects import optimiser_of


def measured(phase, array, step, floors=1.0):
    return Deviation(Quantity(phase, array, step), floors * 1e-16, 1e-16)


FIRST_STEP = [
    measured("forward", "probabilities", 0),
    measured("gradient", "dense0/kernel", 0),
    measured("gradient", "dense1/kernel", 0),
    measured("loss", "of the batch", 1),
    measured("update", "dense0/kernel", 1),
    measured("running statistics", "norm0/running_mean", 1),
    measured("test mode", "probabilities", 1),
    measured("loss", "of the batch", 2),
    measured("loss", agreement_case.LATER_BATCHES, 10),
    measured("update", "dense0/kernel", 10),
]


def with_floors(**floors):
    """Return the first steps, those quantities (phase, array, step) that are named with other floors."""
    return [
        measured(*each.quantity, floors.get(f"{each.quantity.phase} {each.quantity.array}", 1.0)) for each in FIRST_STEP
    ]


def test_the_order_is_that_of_the_computation():
    order = [
        (each.quantity.phase, each.quantity.array, each.quantity.step)
        for each in diagnosis.sort_by_computation(FIRST_STEP)
    ]
    assert order == [
        ("forward", "probabilities", 0),
        ("loss", "of the batch", 1),
        ("gradient", "dense1/kernel", 0),
        ("gradient", "dense0/kernel", 0),
        ("update", "dense0/kernel", 1),
        ("running statistics", "norm0/running_mean", 1),
        ("test mode", "probabilities", 1),
        ("loss", "of the batch", 2),
        ("update", "dense0/kernel", 10),
        ("loss", agreement_case.LATER_BATCHES, 10),
    ]


def test_a_fault_goes_before_a_loss_of_precision_that_comes_earlier():
    seen = with_floors(**{"forward probabilities": 20.0, "update dense0/kernel": 1000.0})
    assert diagnosis.find_first_deviation(seen).quantity == Quantity("update", "dense0/kernel", 1)


def test_a_loss_of_precision_is_named_where_there_is_no_fault():
    assert diagnosis.find_first_deviation(with_floors(**{"forward probabilities": 20.0})).quantity.phase == "forward"


def test_nan_deviates():
    assert (
        diagnosis.find_first_deviation(with_floors(**{"test mode probabilities": float("nan")})).quantity.phase
        == "test mode"
    )


def test_without_a_deviation_there_is_no_explanation():
    assert diagnosis.find_first_deviation(FIRST_STEP) is None
    assert diagnosis.explain_deviation({}, FIRST_STEP, standard()["stress-relu-adam float64"], {}) == ""


def test_the_sentence_says_which_phases_agree_before_the_deviation():
    seen = with_floors(**{"update dense0/kernel": 1000.0})
    assert diagnosis.describe_first(diagnosis.find_first_deviation(seen), seen) == (
        "update deviates first: dense0/kernel after 1 step, 1.0e-13 off, 1,000 floors, allowed 128; "
        "forward, loss and gradient agree before it."
    )


# Causes


def explained(backend, case, conventions):
    seen = agreement_floors.training(backend, case)
    return diagnosis.explain_deviation(
        seen, agreement_floors.compare(agreement_floors.training, seen, case, conventions), case, conventions
    )


SHOWING = {"loss": Network("default", "relu", False, "sgd", "float32")}
"""Where a convention shows that not every training does: here a row's loss is 18.7, and float32 is clipped at 15.9."""


@pytest.mark.parametrize(("convention", "value"), mutants.OTHER_CONVENTIONS, ids=lambda text: text)
def test_a_convention_that_is_not_declared_is_named_with_what_to_do(convention, value):
    (case,) = cases([SHOWING.get(convention, Network("stress", "tanh", True, optimiser_of(convention), "float64"))])
    sentence = explained(Reference(case.spec, conventions={convention: value}), case, {})
    assert f"follows `{convention}: {value}`" in sentence
    assert sentence.endswith("is the rule: declare it if this is intended.")


def test_a_convention_that_is_declared_and_not_followed_is_named():
    case = standard()["stress-tanh-adam float64"]
    sentence = explained(Reference(case.spec), case, {"running_variance": "unbiased"})
    assert (
        "follows `running_variance: biased` (its results match within 0.0 floors), where `unbiased` is declared"
        in sentence
    )


def test_a_mistake_is_named_together_with_a_declared_convention():
    case = standard()["stress-tanh-adam float64"]
    declared = {"running_variance": "unbiased"}
    sentence = explained(mutants.NoBiasCorrection(case.spec, conventions=declared), case, declared)
    assert "leaves Adam's bias correction out" in sentence


def test_a_deviation_that_matches_no_suspect_is_reported_as_such():
    class Odd(Reference):
        def update(self, name, g):
            return super().update(name, g) ** 2

    case = standard()["stress-tanh-adam float64"]
    sentence = explained(Odd(case.spec), case, {})
    assert "known conventions and mistakes matches its results. Two at once match none" in sentence
    assert sentence.endswith("try a network without batch norm, --case default-tanh-adam-plain.")
    (plain,) = cases([Network("stress", "tanh", False, "adam", "float64")])
    assert explained(Odd(plain.spec), plain, {}).endswith("matches its results.")


class StatisticsInFloat32(Reference):
    """Everything is in float64 but batch norm's statistics."""

    def batch_statistics(self, z):
        return tuple(each.astype(np.float64) for each in super().batch_statistics(z.astype(np.float32)))


def test_float64_that_goes_through_float32_is_named():
    case = standard()["stress-relu-adam float64"]
    sentence = explained(StatisticsInFloat32(case.spec), case, {})
    assert sentence.startswith("loss deviates first: loss of the batch after 1 step, ")
    assert "The error is no larger than that of float32 (within " in sentence


def test_float32_is_not_named_for_a_larger_error():
    case = standard()["stress-relu-adam float64"]

    class Halved(StatisticsInFloat32):
        def batch_statistics(self, z):
            mean, var = super().batch_statistics(z)
            return mean, var * (1 + 1e-2)

    assert "None of" in explained(Halved(case.spec), case, {})
