"""Conformance: the checks on the default and the stress spec, for one backend run one way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from ...portable import spec as portable
from ...workers.known_failures import KnownFailure
from ...workers.session import Session, WorkerFailed
from ...workload.networks import supports_all
from . import case as agreement_case
from . import diagnosis
from .case import Case, Measured
from .checks import CHECKS, ONCE_A_DTYPE, Check, Refused, Subject

Status = Literal["passes", "loses precision", "fails", "known failure", "cannot"]

REFUSAL = "refusal"
"""The one check of a case that a backend says it cannot do: that it refuses to build it."""


class Outcome(NamedTuple):
    """What one check said of one backend variant on one case."""

    check: str
    case: str
    dtype: str
    gated: bool
    status: Status
    reason: str
    """One sentence; empty where the check passes."""
    measured: Sequence[Measured] = ()
    traceback: str = ""
    explanation: str = ""
    """Where the training departs first, and the likely cause: with the first outcome that shows it."""

    @property
    def red(self) -> bool:
        """Whether this alone makes the backend not conforming."""
        return self.gated and self.status == "fails"

    @property
    def known(self) -> bool:
        """Whether it fails as the backend says it does."""
        return self.status == "known failure"

    @property
    def floors(self) -> float:
        """The worst agreement in floors; 0 where nothing was a matter of degree."""
        return max((measured.floors for measured in self.measured), default=0.0)


def check_backend(
    open_session: Callable[[], Session],
    cases: Sequence[Case],
    device: str,
    variant: str,
    at_last: Callable[[Session], None] = lambda session: None,
    cannot: Callable[[portable.Spec], str] = supports_all,
) -> Iterator[Outcome]:
    """Run every check on every case, in a worker of its own; yield the outcomes as they come.

    Where the backend says that it `cannot`, with a reason, the one check is that it refuses.

    A worker that dies or hangs ends its case, and the next case gets a fresh one. `at_last` is called with the worker
    that lives through the last case.
    """
    session: Session | None = None
    seen_dtypes: set[str] = set()
    explained: set[tuple[bool, bool]] = set()
    try:
        for case in cases:
            try:
                if session is None or not session.alive():
                    if session is not None:
                        session.close()
                    session = open_session()
                if reason := cannot(case.spec):
                    yield _refusal(session, case, device, variant, reason)
                    continue
                session.build(case.spec, device, variant)
            except WorkerFailed as failed:
                yield _failure("build", case, failed)
                if session is None:
                    return
                continue
            # On a case that is gated, or a failure would not count.
            once = ONCE_A_DTYPE if case.spec.dtype in seen_dtypes or not case.gated else frozenset()
            if case.gated:
                seen_dtypes.add(case.spec.dtype)
            subject = Subject(session, case, session.conventions, device, variant)
            yield from _check_case(subject, session, [name for name in CHECKS if name not in once], explained)
        if session is not None and session.alive():
            at_last(session)
    finally:
        if session is not None:
            session.close()


def _check_case(
    subject: Subject, session: Session, names: Sequence[str], explained: set[tuple[bool, bool]]
) -> Iterator[Outcome]:
    """Run these checks; yield the outcomes, until the worker is gone.

    The first outcome that departs is explained, the first red one and the first known failure: it takes some seconds,
    and a mistake departs on many cases. `explained` holds which of the three have been.
    """
    for name in names:
        outcome = judge(CHECKS[name], subject, session.known_failures)
        departs = outcome.status != "passes" and outcome.measured
        kind = (outcome.red, outcome.known)
        if departs and subject.trained and kind not in explained:
            sentence = diagnosis.explain(subject.seen, subject.training, subject.case, session.conventions)
            outcome = outcome._replace(explanation=sentence)
            if sentence:
                explained.add(kind)
        yield outcome
        if not session.alive():
            return


def _refusal(session: Session, case: Case, device: str, variant: str, declared: str) -> Outcome:
    """Return whether the backend refuses to build what it says it cannot do: by a ValueError, not by an accident."""

    def outcome(status: Status, reason: str, traceback: str = "") -> Outcome:
        return Outcome(REFUSAL, case.name, case.spec.dtype, case.gated, status, reason, (), traceback)

    try:
        session.build(case.spec, device, variant)
    except WorkerFailed as failed:
        if failed.kind == "raised" and failed.exception == "ValueError":
            return outcome("cannot", declared)
        reason = f"declared: {declared} Expected a ValueError that says so, got: {failed}"
        return outcome("fails", reason, failed.traceback)
    return outcome("fails", f"declared: {declared} But it builds: remove the declaration, or refuse by a ValueError")


def _failure(check: str, case: Case, failed: WorkerFailed) -> Outcome:
    return Outcome(check, case.name, case.spec.dtype, case.gated, "fails", str(failed), (), failed.traceback)


def judge(check: Check, subject: Subject, known_failures: Mapping[str, KnownFailure]) -> Outcome:
    """Run one check; return its outcome. A known failure that passes is a failure: its reason is out of date."""
    name = check.__name__.removeprefix("check_")
    case = subject.case

    def outcome(status: Status, reason: str, measured: Sequence[Measured] = (), traceback: str = "") -> Outcome:
        known = known_failures.get(name)
        if known is not None and known.applies_to(case.spec):
            if status == "fails":
                status, reason = "known failure", f"{known.reason} ({reason})"
            else:
                why = f"declared a known failure ({known.reason}), but it passes: remove the declaration"
                status, reason = "fails", f"{why}{', or narrow it' if not (known.where or known.either) else ''}"
        return Outcome(name, case.name, case.spec.dtype, case.gated, status, reason, measured, traceback)

    try:
        measured = check(subject)
    except Refused as refused:
        return outcome("fails", str(refused))
    except WorkerFailed as failed:
        return outcome("fails", str(failed), traceback=failed.traceback)
    limits: tuple[tuple[float, Status], ...] = (
        (agreement_case.NOT_CONFORMING, "fails"),
        (agreement_case.LOSES_PRECISION, "loses precision"),
    )
    for limit, status in limits:
        # The first that departs, in the order of the computation; `not <=` so that NaN departs too.
        over = next((each for each in measured if not each.floors <= limit), None)
        if over is not None:
            return outcome(status, str(over), measured)
    return outcome("passes", "", measured)


def in_words(outcomes: Sequence[Outcome]) -> str:
    """Return in words what all outcomes come to."""
    red = [outcome for outcome in outcomes if outcome.red]
    if red:
        # What is a matter of degree is explained where it departs first; anything else speaks for itself, and first.
        explained = next((outcome for outcome in red if outcome.explanation), red[0])
        first = explained if red[0].measured else red[0]
        what = first.explanation or f"{first.check}: {first.reason}"
        return f"does not conform: on {first.case} {first.dtype}, {what}"
    refused = [outcome for outcome in outcomes if outcome.status == "cannot"]
    asked = len({(outcome.case, outcome.dtype) for outcome in outcomes})
    why = f"{'; '.join(dict.fromkeys(outcome.reason.rstrip('.') for outcome in refused))}."
    if refused and len(refused) == asked:
        return f"nothing was checked: {why}"
    worst = max((outcome.floors for outcome in outcomes if outcome.gated and not outcome.known), default=0.0)
    words = f"conforms, worst {agreement_case.in_floors(worst)} floors"
    if refused:
        words += f", on {asked - len(refused)} of {asked} cases; {why[:-1]}"
    known = [outcome for outcome in outcomes if outcome.known]
    if not known:
        return words
    cases = dict.fromkeys(f"{outcome.case} {outcome.dtype}" for outcome in known)
    why = next((f" {outcome.explanation}" for outcome in known if outcome.explanation), "")
    return f"{words}; but for {len(known)} known failures, on {', '.join(cases)}: {known[0].reason}.{why}"


def cell(outcomes: Sequence[Outcome], gated_only: bool = True) -> str:
    """Return what stands in the matrix for some outcomes of one variant: the worst floors, or in a word what failed."""
    if not outcomes:
        return "-"
    if any(outcome.red for outcome in outcomes):
        return "FAILS"
    if any(outcome.status == "known failure" for outcome in outcomes):
        return "known"
    if all(outcome.status == "cannot" for outcome in outcomes):
        return "cannot"
    floors = [each.floors for each in outcomes if each.measured and (each.gated or not gated_only)]
    return agreement_case.in_floors(max(floors)) if floors else "ok"
