"""Conformance: the checks on the default and the stress spec, for one backend run one way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

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


def standard_cases(dtypes: Sequence[str] = ("float64", "float32")) -> list[Case]:
    """Return the cases that every backend is held to: the shipped default spec and the stress spec, on digits.

    float32 on the default spec is a result, not a gate (docs/agreement.md).
    """
    run = Spec()
    splits = data.split(data.load(run.data), run)
    default = run.portable(splits.x_train.shape[1], len(splits.classes))
    cases = []
    for dtype in dtypes:
        spec = default._replace(dtype=dtype)
        cases.append(case_of("default", spec, run, splits, gated=dtype == "float64"))
        for activation in ("relu", "tanh"):
            # Constants so large that a mistake in their use stands out of the rounding.
            stress = spec._replace(activation=activation, batch_size=8, bn_epsilon=0.1, bn_decay=0.7, epsilon=1e-3)
            cases.append(case_of(f"stress-{activation}", stress, run, splits, gated=True))
    return cases


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
                    session = open_session()
                session.build(case.spec, device, variant)
            except WorkerFailed as failed:
                yield _failure("build", case, failed)
                if session is None:
                    return
                continue
            subject = Subject(session, case, session.conventions, device, variant)
            once = set() if case.spec.dtype not in seen_dtypes else ONCE_A_DTYPE
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
