"""Every check catches a liar, no mutant of the oracle conforms, and the honest pass."""

import re

import pytest
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import detection, diagnosis, floors, mutants, selftest
from bakeoff.measures.agreement.case import LOSES_PRECISION, NOT_CONFORMING
from bakeoff.measures.agreement.checks import CHECKS, ONCE_A_DTYPE
from bakeoff.measures.agreement.in_process import make_subject
from bakeoff.measures.agreement.subject import Subject
from bakeoff.measures.agreement.suite import run_check
from bakeoff.portable import spec as portable
from bakeoff.portable.reference import Reference
from bakeoff.workload import networks

from backends.numpy_plain import adapter as numpy_plain

from .liars import LIARS, LeakyRelu
from .subjects import cases, check_outcome, optimiser_of

LABELS = ["default-relu-adam float64", "stress-relu-adam float64", "stress-tanh-adam float64"]
LABELS += [label.replace("64", "32") for label in LABELS]
GATE = "stress-relu-adam float64"


def test_every_check_has_a_liar():
    assert set(LIARS) == set(CHECKS)


def test_the_cases_are_those_named_here():
    assert sorted(cases()) == sorted(LABELS)


@pytest.mark.parametrize(
    ("check", "liar"), [pytest.param(c, liar, id=f"{c}-{liar.__name__}") for c in LIARS for liar in LIARS[c]]
)
def test_a_check_detects_its_liar(check, liar):
    outcome = check_outcome(check, liar, cases()[GATE])
    assert outcome.status == "fails"
    assert outcome.failed
    assert re.search(r"\d", outcome.reason), outcome.reason


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("backend", [Reference, numpy_plain.Backend], ids=["reference", "numpy_plain"])
def test_the_honest_pass_every_check(backend, label):
    tested = make_subject(backend, cases()[label])
    checks = [
        check for name, check in CHECKS.items() if name not in ONCE_A_DTYPE or label.startswith("stress-relu-adam")
    ]
    outcomes = [run_check(check, tested, ()) for check in checks]
    assert {outcome.check: outcome.reason for outcome in outcomes if outcome.status != "passes"} == {}
    assert max(outcome.floors for outcome in outcomes) <= LOSES_PRECISION


# Mutants


UNNAMED = {
    mutants.ReluSlopeOfAHalf: "activation_at_zero",
    mutants.UnshiftedSoftmax: "large_logits",
    mutants.ClippedProbabilities: "large_logits",
    mutants.undeclared("loss", "clipped"): "large_logits",
    mutants.StaleMoments: "losses",
    mutants.StaleStepCount: "losses",
}
"""Those that a fresh training from ordinary arrays does not show, and the check that catches them."""


@pytest.mark.parametrize("mutant", mutants.MISTAKES, ids=lambda mutant: mutant.__name__)
def test_every_mistake_is_detected_and_named(mutant):
    caught = selftest.catch_mistake(mutant, agreement_cases.cases(networks.pairwise_cover()))
    assert caught.case
    if mutant in UNNAMED:
        assert caught.check == UNNAMED[mutant]
    else:
        assert caught.named, caught.sentence


@pytest.mark.parametrize(
    ("mutant", "field", "dtype"),
    [
        (mutants.BatchNormEpsilonOffByOnePercent, "bn_epsilon", "float32"),
        (mutants.BatchNormEpsilonOffByOnePercent, "bn_epsilon", "float64"),
        (mutants.LearningRateOffByOnePercent, "learning_rate", "float32"),
    ],
)
def test_a_detection_floor_is_between_what_is_detected_and_what_is_not(mutant, field, dtype):
    required = [case for case in cases().values() if case.required and case.spec.dtype == dtype]
    found = detection.find_detection_floor(mutant, required)
    assert re.fullmatch(rf"{field} \d[\d.e-]* % off", found.value), found
    case = cases()[found.case]
    right = getattr(case.spec, field)
    for share, expected in ((1.1 * found.share, True), (found.share / 1.1, False)):
        assert detection.is_detected([(field, right, 1.01 * right)], case, share) is expected


def test_a_share_of_a_mistake_is_detected_down_to_its_floor():
    """Results mixed from the oracle's and a mutant's deviate by the share of the mutant's."""
    case = cases()[GATE]
    found = detection.find_detection_floor(LeakyRelu, [case])
    right, wrong = (floors.training(each(case.spec), case) for each in (Reference, LeakyRelu))
    for factor, expected in ((1.1, True), (1 / 1.1, False)):
        share = factor * found.share
        mixed = {quantity: right[quantity] + share * (wrong[quantity] - right[quantity]) for quantity in right}
        measured = floors.compare(floors.training, mixed, case, {})
        assert (max(each.floors for each in measured) > NOT_CONFORMING) is expected


def test_a_mistake_that_training_does_not_show_has_no_detection_floor():
    found = detection.find_detection_floor(mutants.UnshiftedSoftmax, [cases()[GATE]])
    assert found.describe() == "hidden"


def test_there_are_mistakes_enough():
    assert len(set(mutants.MISTAKES)) == len(mutants.MISTAKES) >= 30


@pytest.mark.parametrize("mutant", mutants.LOST_PRECISION, ids=lambda mutant: mutant.__name__)
def test_a_loss_of_precision_is_reported_and_named(mutant):
    case = cases()["default-relu-adam float32"]
    tested = make_subject(mutant, case)
    outcome = run_check(CHECKS["updates"], tested, ())
    assert outcome.status == "loses precision"
    assert LOSES_PRECISION < outcome.floors <= NOT_CONFORMING
    sentence = diagnosis.explain_deviation(tested.seen, tested.training, case, {})
    assert mutants.describe_mutant(mutant) in sentence


@pytest.mark.parametrize("mutant", mutants.LEGITIMATE, ids=lambda mutant: mutant.__name__)
def test_other_arithmetic_is_no_fault(mutant):
    measured = selftest.judge_legitimate(mutant, agreement_cases.cases(networks.pairwise_cover()))
    assert measured.expected, f"{measured.floors} floors"


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_another_order_of_every_sum_is_no_fault(seed):
    for case in agreement_cases.cases(networks.pairwise_cover()):
        measured = floors.measure(floors.training, floors.Permuted(case.spec, {}, seed), case, {})
        assert max(each.floors for each in measured) <= LOSES_PRECISION


@pytest.mark.parametrize(("convention", "value"), mutants.OTHER_CONVENTIONS, ids=lambda text: text)
def test_a_declared_convention_is_correct(convention, value):
    affected = optimiser_of(convention)
    kind = next(
        kind for kind in networks.full_matrix() if kind.optimiser == affected and kind.required and kind.batch_norm
    )
    (case,) = agreement_cases.cases([kind])
    declared = make_subject(mutants.undeclared(convention, value), case, {convention: value})
    outcomes = [run_check(check, declared, ()) for name, check in CHECKS.items() if name not in ONCE_A_DTYPE]
    assert {outcome.check: outcome.reason for outcome in outcomes if outcome.status != "passes"} == {}


# In a real worker


SPEC = portable.Spec((5, 7, 4), "relu", True, 0.9, 1e-5, "adam", 0.001, 0.9, 0.999, 1e-8, 9, "float64")


@pytest.mark.parametrize(
    ("variant", "status"), [("waits", "passes"), ("wait_returns_at_once", "fails")], ids=["waits", "returns-at-once"]
)
def test_a_wait_that_does_not_wait_is_detected_in_a_worker_too(open_session, variant, status):
    session = open_session("by_variant")
    session.build(SPEC, "cpu", variant)
    outcome = run_check(CHECKS["wait_waits"], Subject(session, cases()[GATE], {}, "cpu", variant), ())
    assert outcome.status == status, outcome.reason
