"""A job: one trial in one backend. It is JSON and its result is JSON, so that it can run on another machine.

What a node needs beside the job is Bakeoff itself and the means to build the backend's environment.
"""

import platform
import threading
import time
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..cluster.units import Unavailable, find_environment, select_unit
from ..common import machine
from ..common.cache import cache_folder
from ..common.errors import InputError
from ..workers import launch
from ..workers.session import Session, WorkerFailed
from ..workload.data import Splits
from ..workload.spec import Spec
from .data import splits_of
from .schedule import Schedule
from .space import Point
from .trial import COMPLETE, DIVERGED, FAILED, PRUNED, Epoch, Trained, train_trial

ATTEMPTS = 5
"""How often a job is tried whose worker dies or hangs: the machine may be at fault, or the setting."""


class Job(BaseModel):
    """One trial in one backend."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search: str = ""
    """The name of the search's folder: the same trial of another search is another job."""
    trial: int
    backend: str
    variant: str
    folder: str = ""
    """The folder of a backend from outside the project; empty for the others."""
    point: Point
    spec: Spec
    data: str = ""
    """The hash of the data where the search was planned."""
    schedule: Schedule | None = None
    prune_below: tuple[float | None, ...] = ()
    """By epoch: the validation accuracy below which the trial ends; null where there is none."""
    device: str = "cpu"
    threads: int = 1
    pythons: tuple[str, ...] = ()
    """Interpreters to build environments with, on the node that runs the job."""

    @property
    def key(self) -> tuple[int, str]:
        """What makes the job's result unique in the record of a search: the trial, and NAME:VARIANT."""
        return self.trial, f"{self.backend}:{self.variant}"

    @property
    def contestant(self) -> str:
        """NAME:VARIANT."""
        return f"{self.backend}:{self.variant}"


class Result(BaseModel):
    """What a job came to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trial: int
    backend: str
    variant: str
    outcome: str
    """complete, pruned, diverged or failed"""
    value: float | None
    """The validation accuracy after the last epoch; 0 where the trial diverged, null where it failed."""
    epochs: tuple[Epoch, ...] = ()
    training_accuracy: float | None = None
    predictions: tuple[int, ...] = ()
    floors: float | None = None
    deviation: str = ""
    conforms: bool = True
    reason: str = ""
    """Why it failed."""
    attempt: int = 1
    seconds: float = 0.0
    """From the start of the worker to its end, of the attempt that counts."""
    host: str = ""
    machine: str = ""
    """The processor and the usable cores of the host."""
    versions: dict[str, str] = {}

    @property
    def key(self) -> tuple[int, str]:
        """As that of the job."""
        return self.trial, f"{self.backend}:{self.variant}"


def run_job(text: str) -> str:
    """Run a job; return its result. A failure of the backend is a result, too."""
    job = Job.model_validate_json(text)
    attempt, again = 0, True
    while again and attempt < ATTEMPTS:
        attempt += 1
        started = time.monotonic()
        result, again = _try_job(job)
    seconds = time.monotonic() - started
    return result.model_copy(update={"attempt": attempt, "seconds": seconds}).model_dump_json()


def _try_job(job: Job) -> tuple[Result, bool]:
    """Return the result of one attempt, and whether another attempt can change it."""
    place: dict[str, Any] = {"trial": job.trial, "backend": job.backend, "variant": job.variant}
    place |= {"host": platform.node(), "machine": describe_machine()}
    unit = select_unit(f"{job.folder or job.backend}:{job.variant}")
    splits = load_same_data(job)
    network = job.spec.portable(splits.features, len(splits.classes))
    reason, found = unit.entry.unsupported(network), find_environment(unit, job.pythons)
    if reason or isinstance(found, Unavailable):
        why = found.reason if isinstance(found, Unavailable) else ""
        return Result(outcome=FAILED, value=None, reason=reason or why, **place), False
    log = cache_folder() / "logs" / f"search-{job.backend}-{job.variant}-{threading.get_ident()}.log"
    where = launch.place_of(unit.entry, unit.variant, found.python, job.threads, log=log)
    below = tuple(float("nan") if each is None else each for each in job.prune_below)
    try:
        with Session(where) as session:
            trained = train_trial(session, job.spec, job.variant, job.device, job.schedule, below)
            versions = session.versions()
    except WorkerFailed as failed:
        again = failed.kind in ("died", "hung")
        return Result(outcome=FAILED, value=None, reason=str(failed), **place), again
    return Result(**place, versions=versions, value=value_of(trained), **_describe(trained)), False


def load_same_data(job: Job) -> Splits:
    """Return the splits of a job's data. Raises InputError where this host lacks them, or has other ones."""
    try:
        splits = splits_of(job.spec)
    except InputError as error:
        raise InputError(f"{platform.node()}: {error}") from None
    if job.data not in ("", splits.hash):
        raise InputError(
            f"{platform.node()}: {job.spec.data.source} has the hash {splits.hash} here, and {job.data} where the "
            "search was planned. Put the same data there."
        )
    return splits


def value_of(trained: Trained) -> float:
    """Return what a trial is judged by: its validation accuracy after the last epoch, 0 where it diverged."""
    if trained.outcome == DIVERGED:
        return 0.0
    assert trained.outcome in (COMPLETE, PRUNED)
    return trained.epochs[-1].validation_accuracy


def _describe(trained: Trained) -> dict[str, Any]:
    return {**trained._asdict(), "conforms": trained.conforms}


@cache
def describe_machine() -> str:
    """Return the processor and the usable cores of this host."""
    return f"{machine.processor()}, {len(machine.usable_cores())} usable cores"


def describe_failure(text: str, reason: str) -> str:
    """Return the result of a job that is given up."""
    job = Job.model_validate_json(text)
    found = Result(trial=job.trial, backend=job.backend, variant=job.variant, outcome=FAILED, value=None, reason=reason)
    return found.model_dump_json()
