"""Conformance: the checks on the default and the stress spec, for one backend run one way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from harness import agreement, data
from harness.agreement import Case, Measured
from harness.checks import CHECKS, ONCE_A_DTYPE, Check, Refused, Subject
from harness.portable import spec as portable
from harness.session import Session, WorkerFailed
from harness.spec import Spec

Status = Literal["passes", "loses precision", "fails", "known failure"]


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

    @property
    def red(self) -> bool:
        """Whether this alone makes the backend not conforming."""
        return self.gated and self.status == "fails"

    @property
    def floors(self) -> float:
        """The worst agreement in floors; 0 where nothing was a matter of degree."""
        return max((measured.floors for measured in self.measured), default=0.0)


def case_of(name: str, spec: portable.Spec, run: Spec, splits: data.Splits, gated: bool) -> Case:
    """Return the case of `spec` on real rows: arrays, rows and order drawn from the run's seed."""
    seed = run.training.seed
    steps = agreement.CHECKPOINTS[-1]
    rows = len(splits.y_train)
    epochs = -(-steps // (rows // spec.batch_size))
    return Case(
        name=name,
        spec=spec,
        arrays=portable.initial_arrays(spec, run.network.initial_weights, seed),
        x=splits.x_train.astype(spec.dtype),
        y=splits.y_train,
        order=data.batch_orders(rows, spec.batch_size, epochs, seed)[:steps],
        gated=gated,
    )


STRESS: dict[str, Any] = {"batch_size": 8, "bn_epsilon": 0.1, "bn_decay": 0.7, "epsilon": 1e-3}
"""Constants so large that a mistake in their use stands out of the rounding."""


def standard_cases() -> list[Case]:
    """Return the shipped default spec and the stress spec, on digits, in both dtypes.

    float32 on the default spec is a result, not a gate (docs/agreement.md).
    """
    default, splits = _default()
    cases = []
    for dtype in ("float64", "float32"):
        spec = default._replace(dtype=dtype)
        cases.append(case_of("default", spec, Spec(), splits, gated=dtype == "float64"))
        for activation in ("relu", "tanh"):
            stress = spec._replace(activation=activation, **STRESS)
            cases.append(case_of(f"stress-{activation}", stress, Spec(), splits, gated=True))
    return cases


def gate_cases(own: Spec | None = None) -> list[Case]:
    """Return the cases that a backend must pass to be timed: the standard ones that are gates.

    A spec of the user's own adds its kind of network and optimiser, under stress, where they are not among these.
    """
    cases = [case for case in standard_cases() if case.gated]
    if own is not None:
        kind = (own.network.activation, own.network.batch_norm, own.optimiser.name)
        if kind not in {(case.spec.activation, case.spec.batch_norm, case.spec.optimiser) for case in cases}:
            cases += [_kind_case(*kind, dtype) for dtype in ("float64", "float32")]
    return cases


def all_cases() -> list[Case]:
    """Return the standard cases, and one for each of the other optimisers, with and without batch norm."""
    kinds = (("sigmoid", True, "sgd"), ("tanh", False, "momentum"), ("relu", False, "rmsprop"), ("relu", False, "adam"))
    return standard_cases() + [_kind_case(*kind, "float64") for kind in kinds]


def _kind_case(activation: str, batch_norm: bool, optimiser: str, dtype: str) -> Case:
    default, splits = _default()
    spec = default._replace(activation=activation, batch_norm=batch_norm, optimiser=optimiser, dtype=dtype, **STRESS)
    name = f"stress-{activation}-{optimiser}{'' if batch_norm else '-plain'}"
    return case_of(name, spec, Spec(), splits, gated=True)


@cache
def _default() -> tuple[portable.Spec, data.Splits]:
    run = Spec()
    splits = data.split(data.load(run.data), run)
    return run.portable(splits.features, len(splits.classes)), splits


def check_backend(
    open_session: Callable[[], Session], cases: Sequence[Case], device: str, variant: str
) -> Iterator[Outcome]:
    """Run every check on every case, in a worker of its own; yield the outcomes as they come.

    A worker that dies or hangs ends its case, and the next case gets a fresh one.
    """
    session: Session | None = None
    seen_dtypes: set[str] = set()
    try:
        for case in cases:
            try:
                if session is None or not session.alive():
                    if session is not None:
                        session.close()
                    session = open_session()
                session.build(case.spec, device, variant)
            except WorkerFailed as failed:
                yield _failure("build", case, failed)
                if session is None:
                    return
                continue
            subject = Subject(session, case, session.conventions, device, variant)
            # On a case that is gated, or a failure would not count.
            once = ONCE_A_DTYPE if case.spec.dtype in seen_dtypes or not case.gated else frozenset()
            if case.gated:
                seen_dtypes.add(case.spec.dtype)
            for name, check in CHECKS.items():
                if name in once:
                    continue
                yield judge(check, subject, session.known_failures)
                if not session.alive():
                    break
    finally:
        if session is not None:
            session.close()


def _failure(check: str, case: Case, failed: WorkerFailed) -> Outcome:
    return Outcome(check, case.name, case.spec.dtype, case.gated, "fails", str(failed), (), failed.traceback)


def judge(check: Check, subject: Subject, known_failures: Mapping[str, str]) -> Outcome:
    """Run one check; return its outcome. A known failure that passes is a failure: its reason is out of date."""
    name = check.__name__.removeprefix("check_")
    case = subject.case

    def outcome(status: Status, reason: str, measured: Sequence[Measured] = (), traceback: str = "") -> Outcome:
        if name in known_failures:
            known = known_failures[name]
            if status == "fails":
                status, reason = "known failure", f"{known} ({reason})"
            else:
                status, reason = "fails", f"declared a known failure ({known}), but it passes: remove the declaration"
        return Outcome(name, case.name, case.spec.dtype, case.gated, status, reason, measured, traceback)

    try:
        measured = check(subject)
    except Refused as refused:
        return outcome("fails", str(refused))
    except WorkerFailed as failed:
        return outcome("fails", str(failed), traceback=failed.traceback)
    limits: tuple[tuple[float, Status], ...] = (
        (agreement.NOT_CONFORMING, "fails"),
        (agreement.LOSES_PRECISION, "loses precision"),
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
        return f"does not conform: {red[0].check} on {red[0].case} {red[0].dtype}: {red[0].reason}"
    worst = max((outcome.floors for outcome in outcomes if outcome.gated), default=0.0)
    return f"conforms, worst {worst:.1f} floors"


def cell(outcomes: Sequence[Outcome]) -> str:
    """Return what stands in the matrix for one check of one variant, over all cases."""
    if not outcomes:
        return "-"
    if any(outcome.red for outcome in outcomes):
        return "FAILS"
    if any(outcome.status == "known failure" for outcome in outcomes):
        return "known"
    floors = [outcome.floors for outcome in outcomes if outcome.measured and outcome.gated]
    return f"{max(floors):.1f}" if floors else "ok"
