"""Run the checks on the cases for one backend variant, and describe the outcomes."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ...common.toml import nearest
from ...portable import spec as portable
from ...workers.known_failures import KnownFailure, find_known_failure
from ...workers.session import Session, WorkerFailed
from ...workload.networks import supports_all
from . import case as agreement_case
from . import diagnosis
from .case import Case, Deviation
from .checks import CHECKS, ONCE_A_DTYPE, REJECTION, UNMEASURED, Check, CheckFailed
from .selection import EVERYTHING, Selection
from .subject import Subject

Status = Literal["passes", "loses precision", "fails", "known failure", "unsupported"]

OpenSession = Callable[[], AbstractContextManager[Session]]
"""Starts a fresh worker, for as long as a block lasts."""
Checked = tuple[list["Outcome"], bool]
"""The outcomes of a case, and whether its worker started."""
RunCases = Callable[[Callable[[Case], Checked], Sequence[Case]], Iterable[Checked]]
"""Applies a function to every case and gives the results in order: `map`, or the method of a pool of threads."""

Say = Callable[[str], None]
"""Takes what is going on, as one line."""
Count = Callable[[float], None]
"""Takes the seconds of each case that is done."""
HUNG = "hung: "
"""The beginning of the reason of an outcome whose worker gave no answer."""


class Outcome(NamedTuple):
    """The result of one check of one backend variant on one case."""

    check: str
    case: str
    dtype: str
    required: bool
    """Whether a failure of it makes the backend incorrect."""
    status: Status
    reason: str
    """One sentence; empty where the check passes."""
    measured: Sequence[Deviation] = ()
    traceback: str = ""
    explanation: str = ""
    """The first deviation of the training and its likely cause; only the first outcome that shows it has one."""

    @property
    def failed(self) -> bool:
        """Whether this outcome makes the backend incorrect."""
        return self.required and self.status == "fails"

    @property
    def known(self) -> bool:
        """Whether it fails as the backend declares."""
        return self.status == "known failure"

    @property
    def floors(self) -> float:
        """The largest measured deviation in floors; 0 where the check measures none."""
        return max((measured.floors for measured in self.measured), default=0.0)


def check_backend(
    open_session: OpenSession,
    cases: Sequence[Case],
    device: str,
    variant: str,
    unsupported: Callable[[portable.Spec], str] = supports_all,
    run_cases: RunCases = map,
    selection: Selection = EVERYTHING,
    say: Say = lambda line: None,
    count: Count = lambda seconds: None,
) -> Iterator[Outcome]:
    """Run every check on every case, each case in a fresh worker; yield the outcomes in the order of the cases.

    A fresh worker has built no other network before, so nothing that a framework or an adapter keeps in its process
    can pass from one case to the next. For a case that is unsupported (`unsupported` returns the reason), the only
    check is that the backend rejects it. `run_cases` is `map`, or the `map` of a pool of threads that runs some cases
    at a time. A worker that cannot be started, or that gives no answer in time, ends the checks. `selection` leaves
    some out.
    """
    planned = plan_checks(cases, unsupported, selection)
    check_case = _CaseChecker(open_session, device, variant, unsupported, planned, selection, say, count)
    for outcomes, started in run_cases(check_case, list(planned)):
        yield from outcomes
        if not started:
            return


@dataclass
class _CaseChecker:
    """Checks a case in a fresh worker. Several threads may call it at a time."""

    open_session: OpenSession
    device: str
    variant: str
    unsupported: Callable[[portable.Spec], str]
    planned: dict[Case, list[str]]
    selection: Selection
    say: Say
    count: Count
    explained: set[tuple[bool, bool]] = field(default_factory=set)
    hung: threading.Event = field(default_factory=threading.Event)

    def __call__(self, case: Case) -> Checked:
        """Return the outcomes of the case, and whether its worker started."""
        if self.selection.stopped.is_set():
            return [], True
        if self.hung.is_set():
            return [], False
        number = list(self.planned).index(case) + 1
        name = f"case {number} of {len(self.planned)}: {case.label}"
        began = time.monotonic()
        self.say(f"{name}: start of a worker")
        with ExitStack() as stack:
            try:
                session = stack.enter_context(self.open_session())
            except WorkerFailed as failed:
                outcomes, started = [_failure("build", case, failed)], False
            else:
                outcomes, started = self._check(case, session, name)
        if any(each.reason.startswith(HUNG) for each in outcomes):
            self.hung.set()
        self._note_failures(outcomes)
        self.count(time.monotonic() - began)
        return outcomes, started and not self.hung.is_set()

    def _check(self, case: Case, session: Session, name: str) -> Checked:
        if wrong := describe_wrong_declarations(session, self.variant):
            # It is wrong whatever the case is, and it decides on a case that is not required, too.
            return [Outcome("declarations", case.name, case.spec.dtype, True, "fails", wrong)], False
        if reason := self.unsupported(case.spec):
            return [_check_rejection(session, case, self.device, self.variant, reason)], True
        try:
            session.build(case.spec, self.device, self.variant)
        except WorkerFailed as failed:
            return [_failure("build", case, failed)], True
        subject = Subject(session, case, session.conventions, self.device, self.variant)
        outcomes = []
        for outcome in _check_case(subject, session, self._checks_of(case, name), self.explained):
            outcomes.append(outcome)
            self._note_failures([outcome])
        return outcomes, True

    def _checks_of(self, case: Case, name: str) -> Iterator[str]:
        """Yield the names of the checks of a case, and say each before it runs."""
        for check in self.planned[case]:
            if self.selection.stopped.is_set():
                return
            self.say(f"{name}: {check}")
            yield check

    def _note_failures(self, outcomes: Sequence[Outcome]) -> None:
        if any(outcome.failed for outcome in outcomes):
            self.selection.note_failure()


def plan_checks(
    cases: Sequence[Case],
    unsupported: Callable[[portable.Spec], str] = supports_all,
    selection: Selection = EVERYTHING,
) -> dict[Case, list[str]]:
    """Return the names of the checks of each case that has any.

    Those of ONCE_A_DTYPE go to the first required case of a dtype; where checks are selected by name and no case is
    required, to the first of all. The only check of an unsupported case is that it is rejected.
    """
    able = [case for case in cases if not unsupported(case.spec)]
    first: dict[str, Case] = {}
    for case in able:
        if case.required:
            first.setdefault(case.spec.dtype, case)
    for case in able if selection.checks else ():
        first.setdefault(case.spec.dtype, case)
    plan: dict[Case, list[str]] = {}
    for case in cases:
        every = first.get(case.spec.dtype) is case
        names = [name for name in CHECKS if every or name not in ONCE_A_DTYPE] if case in able else [REJECTION]
        plan[case] = [name for name in names if not selection.checks or name in selection.checks]
    return {case: names for case, names in plan.items() if names}


def _check_case(
    subject: Subject, session: Session, names: Iterable[str], explained: set[tuple[bool, bool]]
) -> Iterator[Outcome]:
    """Run these checks; yield the outcomes, until the worker has ended.

    An explanation takes some seconds, and a mistake shows on many cases. So only the first deviation, the first failure
    and the first known failure are explained; `explained` holds which of the three have been.
    """
    for name in names:
        outcome = run_check(CHECKS[name], subject, session.known_failures)
        deviates = outcome.status != "passes" and outcome.measured
        kind = (outcome.failed, outcome.known)
        if deviates and subject.trained and kind not in explained:
            sentence = diagnosis.explain_deviation(subject.seen, subject.training, subject.case, session.conventions)
            outcome = outcome._replace(explanation=sentence)
            if sentence:
                explained.add(kind)
        yield outcome
        try:
            session.require_alive()
        except WorkerFailed as failed:
            yield _failure(name, subject.case, failed)
        if session.closed:
            return


def describe_wrong_declarations(session: Session, variant: str) -> str:
    """Return what is wrong with the adapter's declarations: an unknown check or variant; "" where nothing is."""
    if variant not in session.variants:
        return (
            f"backend.toml has the variant `{variant}`, and the adapter does not. {nearest(variant, session.variants)}"
        )
    for place, known in enumerate(session.known_failures):
        for check in known.checks:
            if check not in CHECKS:
                return (
                    f"KNOWN_FAILURES[{place}] names the check `{check}`, which there is not. {nearest(check, CHECKS)}"
                )
    return ""


def _check_rejection(session: Session, case: Case, device: str, variant: str, declared: str) -> Outcome:
    """Return whether the backend rejects an unsupported network with a ValueError."""

    def outcome(status: Status, reason: str, traceback: str = "") -> Outcome:
        return Outcome(REJECTION, case.name, case.spec.dtype, case.required, status, reason, (), traceback)

    try:
        session.build(case.spec, device, variant)
    except WorkerFailed as failed:
        if failed.kind == "raised" and failed.exception == "ValueError":
            return outcome("unsupported", declared)
        reason = f"declared as unsupported: {declared} Expected a ValueError that says so, got: {failed}"
        return outcome("fails", reason, failed.traceback)
    return outcome(
        "fails", f"declared as unsupported: {declared} But it builds: remove the declaration, or raise a ValueError"
    )


def _failure(check: str, case: Case, failed: WorkerFailed) -> Outcome:
    return Outcome(check, case.name, case.spec.dtype, case.required, "fails", str(failed), (), failed.traceback)


def run_check(check: Check, subject: Subject, known_failures: Sequence[KnownFailure]) -> Outcome:
    """Run one check; return its outcome, with what the backend declares of it taken into account."""
    name = check.__name__.removeprefix("check_")
    case = subject.case
    known = find_known_failure(known_failures, name, case.spec)

    def outcome(status: Status, reason: str, measured: Sequence[Deviation] = (), error: str = "") -> Outcome:
        """Return the outcome; `error` is the traceback of a worker that failed."""
        if known is not None:
            has_number = bool(measured) or name in UNMEASURED
            status, reason = judge_known_failure(known, status, reason, measured, has_number)
        return Outcome(name, case.name, case.spec.dtype, case.required, status, reason, measured, error)

    try:
        measured = check(subject)
    except CheckFailed as failed:
        return outcome("fails", str(failed))
    except WorkerFailed as failed:
        return outcome("fails", str(failed), error=failed.traceback)
    limits: tuple[tuple[float, Status], ...] = (
        (agreement_case.NOT_CONFORMING, "fails"),
        (agreement_case.LOSES_PRECISION, "loses precision"),
    )
    for limit, status in limits:
        # The first deviation in the order of the computation; `not <=` includes NaN.
        over = next((each for each in measured if not each.floors <= limit), None)
        if over is not None:
            return outcome(status, str(over), measured)
    return outcome("passes", "", measured)


def judge_known_failure(
    known: KnownFailure, status: Status, reason: str, measured: Sequence[Deviation], has_number: bool
) -> tuple[Status, str]:
    """Return the status and the reason of a check that is declared to fail.

    It is a failure where it passes, where it is worse than declared, and where it fails in another way: by an error of
    the worker where floors are declared, or the other way round. `has_number` is whether the check measured anything,
    or is one that measures nothing anywhere.
    """
    if status != "fails":
        if not has_number:  # Nothing of the declaration shows on this spec.
            return status, reason
        narrow = "" if known.where or known.either else ", or narrow it"
        return "fails", f"declared a known failure ({known.reason}), but it passes: remove the declaration{narrow}"
    if measured:
        worst = max(measured, key=lambda each: math.inf if math.isnan(each.floors) else each.floors)
        if known.max_floors is None:
            needed = f"`max_floors`, the ceiling; here the worst is {worst.floors:.2g} floors ({worst})"
            return "fails", f"declared a known failure ({known.reason}) without {needed}"
        if not worst.floors <= known.max_floors:
            return "fails", f"worse than the known failure ({known.reason}): {worst.describe(known.max_floors)}"
    elif not has_number and known.max_floors is not None:
        return "fails", f"fails, but not as declared ({known.reason}; at most {known.max_floors:g} floors): {reason}"
    return "known failure", f"{known.reason} ({reason})"


def describe_outcomes(outcomes: Sequence[Outcome], partial: bool = False) -> str:
    """Return one sentence on all outcomes of a variant: correct, with reduced precision, or not, and why.

    Where they are `partial`, of some cases or checks only, a pass is no claim that the variant is correct.
    """
    failures = [outcome for outcome in outcomes if outcome.failed]
    if failures:
        # A measured deviation is explained where it first appears. Any other failure is reported as it is, and first.
        explained = next((outcome for outcome in failures if outcome.explanation), failures[0])
        first = explained if failures[0].measured else failures[0]
        what = first.explanation or f"{first.check}: {first.reason}"
        return f"correct: no; on {first.case} {first.dtype}, {what}"
    unsupported = [outcome for outcome in outcomes if outcome.status == "unsupported"]
    cases = len({(outcome.case, outcome.dtype) for outcome in outcomes})
    if not outcomes:
        return "nothing was checked: none of the selected checks belongs to a selected case."
    reasons = "; ".join(dict.fromkeys(outcome.reason.rstrip(".") for outcome in unsupported))
    if unsupported and len(unsupported) == cases:
        return f"nothing was checked: {reasons}."
    decisive = [outcome for outcome in outcomes if outcome.required and not outcome.known]
    worst = max((outcome.floors for outcome in decisive), default=0.0)
    precise = worst <= agreement_case.LOSES_PRECISION
    words = f"correct: {'yes' if precise else 'reduced precision'}"
    if partial:
        checks = len({outcome.check for outcome in outcomes})
        selected = f"{cases} case{'s' if cases > 1 else ''}, {checks} check{'s' if checks > 1 else ''}"
        words = f"{'passes' if precise else 'loses precision in'} what was selected ({selected})"
    words += f"; rounding error at most {agreement_case.format_floors(worst)} x NumPy's"
    if unsupported:
        words += f"; checked on {cases - len(unsupported)} of {cases} cases: {reasons}"
    return words + _describe_known([outcome for outcome in outcomes if outcome.known])


def _describe_known(known: Sequence[Outcome]) -> str:
    if not known:
        return ""
    places = ", ".join(dict.fromkeys(f"{outcome.case} {outcome.dtype}" for outcome in known))
    explanation = next((f" {outcome.explanation}" for outcome in known if outcome.explanation), "")
    count = f"{len(known)} known failure{'s' if len(known) > 1 else ''}"
    return f"; {count} on {places}: {known[0].reason}.{explanation}"


def format_cell(outcomes: Sequence[Outcome], required_only: bool = True) -> str:
    """Return the cell of the printed matrix for outcomes of one variant: the worst floors, or a word for the status."""
    if not outcomes:
        return "-"
    if any(outcome.failed for outcome in outcomes):
        return "FAILS"
    if any(outcome.status == "known failure" for outcome in outcomes):
        return "known"
    if all(outcome.status == "unsupported" for outcome in outcomes):
        return "unsupported"
    floors = [each.floors for each in outcomes if each.measured and (each.required or not required_only)]
    return agreement_case.format_floors(max(floors)) if floors else "ok"
