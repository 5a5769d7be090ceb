"""Precision, as a result: how much a backend loses in float32 on the default spec, early and at the end of training.

Early, the floors after 1, 10 and 100 steps. At the end, a distribution over seeds and not one number: relu has a kink,
one rounding moves some activation across it sooner or later, and from there two correct programs part. No gate.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...common.progress import Board
from ...portable import spec as portable
from ...registry.entries import Entry
from ...workers import launch
from ...workers.session import Session, WorkerFailed
from ...workload import data
from ...workload.networks import DEFAULT
from ...workload.spec import Spec
from . import case as agreement_case
from . import cases as agreement_cases
from . import floors as agreement_floors
from .case import NOT_CONFORMING, Case, Contract, Measured, Quantity, Seen
from .suite import Outcome

TRAINED = ("losses", "updates", "running_statistics", "test_mode")
"""The checks that look at the case's own training, after 1, 10 and 100 steps."""

PIECE = 100
"""Steps a call: a worker has only so long for an answer."""


class Precision(NamedTuple):
    """What one backend variant gives in float32 on the default spec."""

    steps: dict[int, Measured]
    """After 1, 10 and 100 steps, the quantity with most floors."""
    ends: tuple[Measured, ...]
    """The test-mode probabilities at the end of training, by seed from 0."""

    @property
    def floors(self) -> list[float]:
        """At the end of training, by seed."""
        return [each.floors for each in self.ends]

    @property
    def median(self) -> float:
        """Of the floors at the end."""
        return float(np.median(self.floors))

    @property
    def jumped(self) -> int:
        """How many seeds ended over 128 floors."""
        return sum(not floors <= NOT_CONFORMING for floors in self.floors)

    def in_words(self) -> str:
        """Return the distribution at the end: median [min, max] and the jumps."""
        low, high = min(self.floors), max(self.floors)
        return f"{self.median:.1f} floors [{low:.1f}, {high:.1f}] at the end, {self.jumped} of {len(self.ends)} jumped"

    def as_json(self) -> dict[str, Any]:
        """Return everything that was measured, for programs."""
        return {
            "steps": {step: _plain(each) for step, each in self.steps.items()},
            "seeds": [_plain(each) for each in self.ends],
            "median": self.median,
            "min": min(self.floors),
            "max": max(self.floors),
            "jumped": self.jumped,
        }


def measure_all(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    early: Case,
    ends: Sequence[Case],
    board: Board,
) -> tuple[dict[str, Precision], dict[str, str]]:
    """Measure every variant on the CPU, on the cases that `cases` returns, by the interpreters in `made`.

    Returns by NAME:VARIANT what was measured, and for those that could not be measured, why.
    """
    measured: dict[str, Precision] = {}
    unable: dict[str, str] = {}
    for entry, variant in chosen:
        name = f"{entry.name}:{variant}"
        python = made[entry.label]
        lacking = launch.explain_unavailable(entry, variant, python)
        lacking = lacking or entry.unsupported(early.spec)
        if lacking or not isinstance(python, Path):
            unable[name] = str(lacking)
            continue
        with board.job(f"{name}: precision") as job:
            try:
                with Session(launch.place_of(entry, variant, python)) as session:
                    measured[name] = measure(session, variant, early, ends, job.say)
                job.outcome = measured[name].in_words()
            except WorkerFailed as failed:
                unable[name] = job.outcome = str(failed)
    return measured, unable


def measure(session: Session, variant: str, early: Case, ends: Sequence[Case], say: Callable[[str], None]) -> Precision:
    """Measure a live backend; `say` is told what was measured last. Raises WorkerFailed."""
    session.build(early.spec, "cpu", variant)
    steps = worst(agreement_floors.measure(agreement_floors.training, session, early, session.conventions))
    measured = []
    for case in ends:
        measured += agreement_floors.measure(ending, session, case, session.conventions)
        say(f"{case.name}: {measured[-1].floors:.1f} floors at the end of training")
    return Precision(steps, tuple(measured))


def cases(seeds: int, epochs: int | None = None, run: Spec | None = None) -> tuple[Case, list[Case]]:
    """Return the case of the early floors, and one of a whole training for each seed.

    A seed draws the initial weights and the order of the rows; the splits are those of the spec. `epochs` is the
    spec's own where None, and `run` the default spec.
    """
    run = run or Spec()
    splits = data.split(data.load(run.data, run.training.seed), run)
    network = run.portable(splits.features, len(splits.classes))._replace(dtype="float32")
    early = agreement_cases.case_of(DEFAULT.name, network, run, splits, DEFAULT.required)
    return early, [_whole(run, network, splits, seed, epochs or run.training.epochs) for seed in range(seeds)]


def _whole(run: Spec, network: portable.Spec, splits: data.Splits, seed: int, epochs: int) -> Case:
    return Case(
        name=f"seed {seed}",
        spec=network,
        arrays=portable.initial_arrays(network, run.network.initial_weights, seed),
        # The test rows last: no step of the order names one, and `ending` looks at what no step named.
        x=np.concatenate([splits.x_train, splits.x_test]).astype(network.dtype),
        y=np.concatenate([splits.y_train, splits.y_test]),
        order=data.batch_orders(len(splits.y_train), network.batch_size, epochs, seed),
        gated=False,
    )


def ending(backend: Contract, case: Case) -> Seen:
    """Test-mode probabilities after every step of the order, of the rows that no step was trained on."""
    backend.load(case.arrays)
    backend.put(case.x, case.y)
    for start in range(0, len(case.order), PIECE):
        backend.train(case.order[start : start + PIECE])
    unseen = np.setdiff1d(np.arange(len(case.x)), case.order)
    return {Quantity("test mode", "probabilities", len(case.order)): backend.predict(case.x[unseen])}


def worst(measured: Iterable[Measured]) -> dict[int, Measured]:
    """Return the quantity with most floors after 1, 10 and 100 steps; no key for a step that was not measured."""
    at: dict[int, list[Measured]] = {step: [] for step in agreement_case.CHECKPOINTS}
    for each in measured:
        at.get(each.quantity.step, []).append(each)
    # Not a number is more than any.
    return {step: max(some, key=lambda each: (np.isnan(each.floors), each.floors)) for step, some in at.items() if some}


def from_outcomes(outcomes: Iterable[Outcome]) -> dict[int, Measured]:
    """Return what `worst` does, of a training on the default spec in float32 that `bakeoff check` has measured."""
    return worst(
        measured
        for outcome in outcomes
        if (outcome.case, outcome.dtype) == (DEFAULT.name, DEFAULT.dtype) and outcome.check in TRAINED
        for measured in outcome.measured
    )


def _plain(each: Measured) -> dict[str, Any]:
    return {**each.quantity._asdict(), "error": each.error, "floor": each.floor, "floors": each.floors}
