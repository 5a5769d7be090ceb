"""Every check catches a liar, no mutant of the oracle conforms, and the honest pass."""

import re

import pytest

from backends.numpy_plain import adapter as numpy_plain
from harness.agreement import LOSES_PRECISION
from harness.checks import CHECKS, ONCE_A_DTYPE, Subject
from harness.conformance import all_cases, judge
from harness.portable import spec as portable
from harness.portable.reference import Reference

from .liars import DEPARTURES, LIARS, MUTANTS, undeclared
from .subjects import cases, judged, subject

LABELS = ["default float64", "stress-relu float64", "stress-tanh float64"]
LABELS += [label.replace("64", "32") for label in LABELS]
GATE = "stress-relu float64"


def test_every_check_has_a_liar():
    assert set(LIARS) == set(CHECKS)


def test_the_cases_are_those_named_here():
    assert sorted(cases()) == sorted(LABELS)


@pytest.mark.parametrize(
    ("check", "liar"), [pytest.param(c, liar, id=f"{c}-{liar.__name__}") for c in LIARS for liar in LIARS[c]]
)
def test_a_check_catches_its_liar(check, liar):
    outcome = judged(check, liar, cases()[GATE])
    assert outcome.status == "fails"
    assert outcome.red
    assert re.search(r"\d", outcome.reason), outcome.reason


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("backend", [Reference, numpy_plain.Backend], ids=["reference", "numpy_plain"])
def test_the_honest_pass_every_check(backend, label):
    tested = subject(backend, cases()[label])
    checks = [check for name, check in CHECKS.items() if name not in ONCE_A_DTYPE or label.startswith("stress-relu")]
    outcomes = [judge(check, tested, {}) for check in checks]
    assert {outcome.check: outcome.reason for outcome in outcomes if outcome.status != "passes"} == {}
    assert max(outcome.floors for outcome in outcomes) <= LOSES_PRECISION


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_no_mutant_of_the_oracle_conforms(mutant):
    """Caught by at least one check on a gated case."""
    assert caught(mutant, [cases()[label] for label in LABELS if label.endswith("float64")])


@pytest.mark.parametrize(("convention", "value"), DEPARTURES, ids=lambda text: text)
def test_a_departure_that_is_not_declared_does_not_conform(convention, value):
    affected = {"running_variance": "adam"}.get(convention, convention)
    problems = [case for case in all_cases() if case.spec.optimiser == affected and case.spec.dtype == "float64"]
    assert caught(undeclared(convention, value), problems)


@pytest.mark.parametrize(("convention", "value"), DEPARTURES, ids=lambda text: text)
def test_a_departure_that_is_declared_conforms(convention, value):
    affected = {"running_variance": "adam"}.get(convention, convention)
    problem = next(case for case in all_cases() if case.spec.optimiser == affected)
    backend = subject(undeclared(convention, value), problem).backend
    declared = Subject(backend, problem, {convention: value}, "cpu", "plain")
    outcomes = [judge(check, declared, {}) for name, check in CHECKS.items() if name not in ONCE_A_DTYPE]
    assert {outcome.check: outcome.reason for outcome in outcomes if outcome.status != "passes"} == {}


def caught(backend, problems):
    """Return the first gated failure (case, check, reason), or None."""
    for case in problems:
        tested = subject(backend, case)
        for name, check in CHECKS.items():
            if name != "wait_waits":
                outcome = judge(check, tested, {})
                if outcome.red:
                    return case.label, name, outcome.reason
    return None


# In a real worker


SPEC = portable.Spec((5, 7, 4), "relu", True, 0.9, 1e-5, "adam", 0.001, 0.9, 0.999, 1e-8, 9, "float64")


@pytest.mark.parametrize(
    ("variant", "status"), [("waits", "passes"), ("wait_returns_at_once", "fails")], ids=["waits", "returns-at-once"]
)
def test_a_wait_that_does_not_wait_is_caught_in_a_worker_too(open_session, variant, status):
    session = open_session("by_variant")
    session.build(SPEC, "cpu", variant)
    outcome = judge(CHECKS["wait_waits"], Subject(session, cases()[GATE], {}, "cpu", variant), {})
    assert outcome.status == status, outcome.reason
