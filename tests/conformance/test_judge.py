"""What a check measured becomes an outcome: passes, loses precision, fails, or a known failure."""

import pytest
from bakeoff.measures.agreement.case import Deviation, Quantity
from bakeoff.measures.agreement.checks import CHECKS, ONCE_A_DTYPE
from bakeoff.measures.agreement.in_process import make_subject
from bakeoff.measures.agreement.mutants import LeakyRelu, StaleStepCount
from bakeoff.measures.agreement.suite import check_backend, run_check
from bakeoff.portable.reference import Reference
from bakeoff.workers.known_failures import KnownFailure
from bakeoff.workers.session import WorkerFailed

from .subjects import cases, check_outcome

QUANTITY = Quantity("update", "dense0/kernel", 10)
KNOWN = {"updates": KnownFailure("its bias correction is in float32, issue 1234")}


def outcome_of(*floors, known_failures=None):
    """Return the outcome of a check that measured these floors."""

    def check_updates(subject):
        return [Deviation(QUANTITY, each * 1e-7, 1e-7) for each in floors]

    return run_check(check_updates, make_subject(Reference, cases()["stress-relu-adam float64"]), known_failures or {})


@pytest.mark.parametrize(
    ("floors", "status"),
    [
        ((), "passes"),
        ((0.0, 15.9), "passes"),
        ((16.1,), "loses precision"),
        ((1.0, 127.0, 3.0), "loses precision"),
        ((128.1,), "fails"),
        ((float("inf"),), "fails"),
        ((float("nan"),), "fails"),
        ((1.0, float("nan"), 20.0), "fails"),
    ],
)
def test_floors_decide(floors, status):
    assert outcome_of(*floors).status == status


def test_the_reason_is_the_first_deviation():
    assert outcome_of(20.0, 130.0, 1e6).reason == "dense0/kernel after 10 steps: 1.3e-05 off, 130.0 floors, allowed 128"
    assert outcome_of(20.0, 130.0, 1e6).floors == pytest.approx(1e6)


def test_a_known_failure_that_fails_is_not_a_failure():
    outcome = outcome_of(130.0, known_failures=KNOWN)
    assert outcome.status == "known failure"
    assert outcome.reason.startswith("its bias correction is in float32, issue 1234 (dense0/kernel after 10 steps: ")
    assert not outcome.failed


@pytest.mark.parametrize("floors", [1.0, 20.0], ids=["passes", "loses-precision"])
def test_a_known_failure_that_passes_is_a_failure_because_its_reason_is_out_of_date(floors):
    outcome = outcome_of(floors, known_failures=KNOWN)
    assert outcome.status == "fails"
    assert "declared a known failure (its bias correction is in float32, issue 1234), but it passes" in outcome.reason
    assert outcome.failed


def test_a_known_failure_of_one_check_excuses_no_other():
    assert outcome_of(130.0, known_failures={"losses": KnownFailure("another reason")}).status == "fails"


@pytest.mark.parametrize(("dtype", "status"), [("float64", "known failure"), ("float32", "fails")])
def test_a_known_failure_excuses_only_the_specs_that_it_is_declared_for(dtype, status):
    known = {"updates": KnownFailure("its bias correction is in float32", {"dtype": dtype, "batch_norm": True})}
    assert outcome_of(130.0, known_failures=known).status == status


def test_a_known_failure_is_no_failure_where_it_is_not_declared_for():
    known = {"updates": KnownFailure("its bias correction is in float32", {"dtype": "float32"})}
    assert outcome_of(1.0, known_failures=known).status == "passes"


@pytest.mark.parametrize(("check", "liar"), [("forward", LeakyRelu), ("load_forgets", StaleStepCount)])
def test_a_liar_that_declares_its_failure_is_a_known_failure(check, liar):
    outcome = check_outcome(check, liar, cases()["stress-relu-adam float64"], {check: KnownFailure("by design")})
    assert outcome.status == "known failure"
    assert outcome.reason.startswith("by design (")


def test_a_failure_on_a_case_that_is_not_required_is_only_a_result():
    outcome = check_outcome("forward", LeakyRelu, cases()["default-relu-adam float32"])
    assert (outcome.status, outcome.required, outcome.failed) == ("fails", False, False)


def test_a_worker_that_fails_inside_a_check_fails_the_check_with_its_traceback():
    def check_that_dies(subject):
        raise WorkerFailed("died", "the worker was ended by SIGSEGV during train", "the worker's own traceback")

    outcome = run_check(check_that_dies, make_subject(Reference, cases()["stress-relu-adam float64"]), {})
    assert (outcome.status, outcome.reason) == ("fails", "died: the worker was ended by SIGSEGV during train")
    assert outcome.traceback == "the worker's own traceback"


# In workers


def run(open_session, variant, labels):
    return list(check_backend(lambda: open_session("by_variant"), [cases()[label] for label in labels], "cpu", variant))


def test_a_worker_that_dies_ends_its_case_and_the_next_case_gets_a_fresh_one(open_session):
    outcomes = run(open_session, "segfault", ["stress-relu-adam float64", "stress-tanh-adam float64"])
    for case in ("stress-relu-adam", "stress-tanh-adam"):
        last = [outcome for outcome in outcomes if outcome.case == case][-1]
        assert last.reason == "died: the worker was ended by SIGSEGV during aliases"
        assert last.failed


def test_a_worker_that_raises_goes_through_every_check(open_session):
    outcomes = run(open_session, "raise_error", ["stress-relu-adam float64"])
    assert [outcome.check for outcome in outcomes] == list(CHECKS)
    losses = next(outcome for outcome in outcomes if outcome.check == "losses")
    assert losses.reason == "raised: train raised ZeroDivisionError: the learning rate vanished"
    assert "Traceback" in losses.traceback


def test_an_adapter_that_cannot_be_imported_is_one_failed_outcome(open_session):
    def opened():
        return open_session("at_import", variables={"AT_IMPORT": "raise"})

    (outcome,) = check_backend(opened, list(cases().values()), "cpu", "eager")
    assert (outcome.check, outcome.status) == ("build", "fails")
    assert "libframework.so.1" in outcome.reason


def test_a_check_that_needs_one_case_for_each_dtype_runs_on_a_required_one(open_session):
    outcomes = run(
        open_session,
        "raise_error",
        ["default-relu-adam float32", "stress-relu-adam float32", "stress-tanh-adam float32"],
    )
    assert {(o.check, o.case) for o in outcomes if o.check in ONCE_A_DTYPE} == {
        (name, "stress-relu-adam") for name in ONCE_A_DTYPE
    }
