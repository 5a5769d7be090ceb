"""What a check measured becomes an outcome: passes, loses precision, fails, or a known failure."""

import json

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
KNOWN = (KnownFailure("its bias correction is in float32, issue 1234", ("updates",), 1e4),)


def outcome_of(*floors, known_failures=None):
    """Return the outcome of a check that measured these floors."""

    def check_updates(subject):
        return [Deviation(QUANTITY, each * 1e-7, 1e-7) for each in floors]

    return run_check(check_updates, make_subject(Reference, cases()["stress-relu-adam float64"]), known_failures or ())


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
    assert outcome_of(130.0, known_failures=(KnownFailure("another reason", ("losses",), 1e4),)).status == "fails"


@pytest.mark.parametrize(("dtype", "status"), [("float64", "known failure"), ("float32", "fails")])
def test_a_known_failure_excuses_only_the_specs_that_it_is_declared_for(dtype, status):
    where = {"dtype": dtype, "batch_norm": True}
    known = (KnownFailure("its bias correction is in float32", ("updates",), 1e4, where),)
    assert outcome_of(130.0, known_failures=known).status == status


def test_a_known_failure_is_no_failure_where_it_is_not_declared_for():
    known = (KnownFailure("its bias correction is in float32", ("updates",), 1e4, {"dtype": "float32"}),)
    assert outcome_of(1.0, known_failures=known).status == "passes"


def test_a_known_failure_that_is_worse_than_its_ceiling_is_a_failure():
    assert outcome_of(130.0, 9e3, known_failures=KNOWN).status == "known failure"
    outcome = outcome_of(130.0, 2e4, known_failures=KNOWN)
    assert outcome.failed
    assert outcome.reason.startswith("worse than the known failure (its bias correction is in float32, issue 1234): ")
    assert outcome.reason.endswith("20,000.0 floors, allowed 10000")


def test_a_known_failure_that_is_not_a_number_is_worse_than_any_ceiling():
    assert outcome_of(130.0, float("nan"), known_failures=KNOWN).failed


def test_a_known_failure_with_floors_needs_a_ceiling():
    outcome = outcome_of(130.0, 2e4, known_failures=(KnownFailure("by design", ("updates",)),))
    assert outcome.failed
    assert "without `max_floors`, the ceiling; here the worst is 2e+04 floors" in outcome.reason


def test_a_known_failure_with_a_ceiling_excuses_no_error_of_the_worker():
    def check_updates(subject):
        raise WorkerFailed("raised", "train raised RuntimeError: no")

    subject = make_subject(Reference, cases()["stress-relu-adam float64"])
    outcome = run_check(check_updates, subject, KNOWN)
    assert outcome.failed
    assert "fails, but not as declared" in outcome.reason
    assert run_check(check_updates, subject, (KnownFailure("raises", ("updates",)),)).known


def test_a_declared_check_that_has_nothing_to_measure_does_not_count_as_passing():
    assert outcome_of(known_failures=KNOWN).status == "passes"


def test_one_reason_covers_all_the_checks_that_it_names():
    known = (KnownFailure("by design", ("forward", "gradients"), 1e17),)
    case = cases()["stress-relu-adam float64"]
    assert check_outcome("forward", LeakyRelu, case, known).known
    assert check_outcome("gradients", LeakyRelu, case, known).known


@pytest.mark.parametrize(
    ("check", "liar", "ceiling"), [("forward", LeakyRelu, 1e17), ("load_forgets", StaleStepCount, None)]
)
def test_a_liar_that_declares_its_failure_is_a_known_failure(check, liar, ceiling):
    known = (KnownFailure("by design", (check,), ceiling),)
    outcome = check_outcome(check, liar, cases()["stress-relu-adam float64"], known)
    assert outcome.status == "known failure"
    assert outcome.reason.startswith("by design (")


def test_a_failure_on_a_case_that_is_not_required_is_only_a_result():
    outcome = check_outcome("forward", LeakyRelu, cases()["default-relu-adam float32"])
    assert (outcome.status, outcome.required, outcome.failed) == ("fails", False, False)


def test_a_worker_that_fails_inside_a_check_fails_the_check_with_its_traceback():
    def check_that_dies(subject):
        raise WorkerFailed("died", "the worker was ended by SIGSEGV during train", "the worker's own traceback")

    outcome = run_check(check_that_dies, make_subject(Reference, cases()["stress-relu-adam float64"]), ())
    assert (outcome.status, outcome.reason) == ("fails", "died: the worker was ended by SIGSEGV during train")
    assert outcome.traceback == "the worker's own traceback"


# Declarations


def declared(open_session, variant="eager", **known):
    """Return the outcomes of a backend that declares this fault."""
    fault = json.dumps([{"reason": "by design", **known}])

    def opened():
        return open_session("at_import", variables={"AT_IMPORT": "", "KNOWN": fault})

    return list(check_backend(opened, list(cases().values()), "cpu", variant))


def test_an_unknown_check_in_a_declaration_is_an_error_that_names_the_nearest(open_session):
    (outcome,) = declared(open_session, checks=["update"])
    assert (outcome.check, outcome.failed) == ("declarations", True)
    assert outcome.reason == ("KNOWN_FAILURES[0] names the check `update`, which there is not. Did you mean `updates`?")


def test_a_variant_that_the_adapter_does_not_have_is_an_error_that_names_the_nearest(open_session):
    (outcome,) = declared(open_session, variant="eagre", checks=["updates"])
    assert outcome.failed
    assert outcome.reason == ("backend.toml has the variant `eagre`, and the adapter does not. Did you mean `eager`?")


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
