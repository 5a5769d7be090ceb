"""Cells: the parts of a run and of `bakeoff check` that a host of a cluster carries out, as JSON, with results as JSON.

A host builds the environments that it lacks. A cell of checks shares its host. A cell that trains or times all variants
is alone there, because its variants are compared; it is carried out by the code of a run on one machine, in a folder of
its own whose records go to the driver.
"""

import datetime
import platform
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from rich.console import Console

from ..cluster.nodes import host_name
from ..cluster.units import Unavailable, find_environment, select_unit
from ..common import machine
from ..common.errors import InputError
from ..common.progress import Board
from ..environments import Environment
from ..measures import VOCABULARY
from ..measures.agreement import cases as agreement_cases
from ..measures.agreement import run_checks, suite
from ..measures.agreement.run_checks import VariantResult
from ..measures.agreement.selection import Selection
from ..measures.agreement.serialisation import outcome_to_json
from ..records import read
from ..records.files import RECORDS_FILE
from ..records.read import Record
from ..records.store import Run
from ..registry.entries import Entry
from ..workers.cores import first_cores
from ..workers.launch import place_of
from ..workers.place import ANSWER_LIMIT_S, variables_in_force
from ..workload.networks import Network
from . import rebuild
from .comparison import Comparison
from .schedule import qualify

CELLS = "cells"
"""The stage of `bakeoff check` on a cluster, for its progress."""
TRAIN, TIME = "train", "time"
"""The stages of a run whose cells are alone on their host."""


class Section(BaseModel):
    """A value that is sent as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Host(Section):
    """The host that carried a cell out."""

    name: str
    address: str
    """By which the cluster knows it."""
    machine: dict[str, Any]
    """As in run.json, read before the cell."""

    @classmethod
    def here(cls) -> "Host":
        """Return this host."""
        return cls(name=platform.node(), address=host_name(), machine=machine.describe())


class CheckCell(Section):
    """The checks of one variant on some networks, or the measurement of its determinism."""

    run: str
    """Of which run or command it is: the same checks of another one run again."""
    number: int
    contestant: str
    """NAME:VARIANT"""
    build: str = ""
    networks: tuple[Network, ...] = ()
    checks: tuple[str, ...] = ()
    """The checks that are wanted on them; empty for all."""
    kept: bool = False
    """Whether a result that is kept on the host counts, as it does in a run."""
    determinism: bool = False
    device: str = "cpu"
    threads: int = 1
    time_limit_s: float = ANSWER_LIMIT_S
    pythons: tuple[str, ...] = ()


class CheckResult(Section):
    """What a cell of checks came to."""

    number: int
    contestant: str
    outcomes: tuple[dict[str, Any], ...] = ()
    """In the form of agreement/serialisation.py."""
    at: str = ""
    """When the checks ran, in UTC."""
    seconds: float = 0.0
    determinism: dict[str, Any] | None = None
    unmeasured: str = ""
    """Why determinism was not measured."""
    problem: str = ""
    """Why nothing was checked: the backend has no environment on the host, say."""
    failed: bool = False
    """Whether that is a failure of the host's, and not something that the host lacks."""
    host: Host | None = None


def run_check(text: str) -> str:
    """Carry out a cell of checks on this host."""
    cell = CheckCell.model_validate_json(text)
    started = time.monotonic()
    host = Host.here()
    unit = select_unit(cell.contestant, cell.build)
    environment = find_environment(unit, cell.pythons)
    if isinstance(environment, Unavailable):
        which: dict[str, Any] = {"number": cell.number, "contestant": cell.contestant}
        found = CheckResult(**which, problem=environment.reason, failed=environment.failed, host=host)
    elif cell.determinism:
        found = _measure_determinism(cell, unit.entry, unit.variant, environment, host)
    else:
        found = _check(cell, unit.entry, unit.variant, environment, host)
    return found.model_copy(update={"seconds": time.monotonic() - started}).model_dump_json()


def give_up_check(text: str, reason: str) -> str:
    """Return the result of a cell of checks that took its hosts with it."""
    cell = CheckCell.model_validate_json(text)
    return CheckResult(number=cell.number, contestant=cell.contestant, problem=reason, failed=True).model_dump_json()


def _check(cell: CheckCell, entry: Entry, variant: str, environment: Environment, host: Host) -> CheckResult:
    place = place_of(entry, variant, environment.python, cell.threads)._replace(timeout_s=cell.time_limit_s)
    cases = agreement_cases.cases(cell.networks)
    at = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    if cell.kept:
        result, _ = run_checks.check_with_cache(entry, variant, environment, place, cases, cell.device, _ignore)
        outcomes, at = list(result.outcomes), result.at
    else:
        selection = Selection((), frozenset(cell.checks))
        session = partial(run_checks.pinned_session, place)
        outcomes = list(
            suite.check_backend(session, cases, cell.device, variant, entry.unsupported, selection=selection)
        )
    as_json = tuple(map(outcome_to_json, outcomes))
    return CheckResult(number=cell.number, contestant=cell.contestant, outcomes=as_json, at=at, host=host)


def _measure_determinism(
    cell: CheckCell, entry: Entry, variant: str, environment: Environment, host: Host
) -> CheckResult:
    place = place_of(entry, variant, environment.python, cell.threads)._replace(timeout_s=cell.time_limit_s)
    found = run_checks.add_determinism(VariantResult((), None), entry, place, cell.device, variant)
    values = None
    if found.determinism is not None:
        values = {"network": found.determinism_network._asdict(), **found.determinism._asdict()}
    which: dict[str, Any] = {"number": cell.number, "contestant": cell.contestant}
    return CheckResult(**which, determinism=values, unmeasured=found.unmeasured, host=host)


def _ignore(_: str) -> None:
    """Say nothing: a host has no display."""


class RunCell(Section):
    """A part of a run that compares all variants: their training, or the rounds of one workload."""

    run: str
    """The name of the run folder."""
    header: dict[str, Any]
    """Of the run: what stands in run.json."""
    stage: Literal["train", "time"]
    workload: str = ""
    """The workload to time."""
    left_out: tuple[str, ...] = ()
    """NAME:VARIANT of those that are not timed: a check or the training failed."""
    paces: dict[str, float] = {}
    """By NAME:VARIANT, the seconds a step of the training."""

    @property
    def name(self) -> str:
        """The name of the cell in the records."""
        return f"cell {self.stage} {self.workload}".strip()


class FinishedTask(Section):
    """A task of a run that a host carried out."""

    name: str
    seconds: float
    records: tuple[dict[str, Any], ...]


class RunResult(Section):
    """What a cell of a run came to."""

    cell: str
    tasks: tuple[FinishedTask, ...] = ()
    problem: str = ""
    host: Host | None = None
    variables: dict[str, dict[str, str]] = {}
    """By NAME:VARIANT, the environment variables in force in its workers on the host."""
    seconds: float = 0.0


def run_cell(text: str) -> str:
    """Carry out a cell of a run, alone on this host."""
    cell = RunCell.model_validate_json(text)
    started, host = time.monotonic(), Host.here()
    plan = {**cell.header["plan"], "cores": first_cores(cell.header["plan"]["threads"])}
    header = {**cell.header, "machine": host.machine, "plan": plan}
    with tempfile.TemporaryDirectory(prefix="bakeoff-cell-") as parent:
        try:
            with Run.create(Path(parent), header, VOCABULARY) as run:
                work = CellComparison(run, *rebuild.rebuild(run.folder, run.header))
                work.carry_out_cell(cell)
                variables = {
                    f"{entry.name}:{variant}": work.variables(entry, variant) for entry, variant in work.chosen
                }
            result = RunResult(
                cell=cell.name, tasks=_finished_tasks(run.folder, cell.stage), host=host, variables=variables
            )
        except InputError as error:
            result = RunResult(cell=cell.name, problem=str(error), host=host)
    return result.model_copy(update={"seconds": time.monotonic() - started}).model_dump_json()


def give_up_cell(text: str, reason: str) -> str:
    """Return the result of a cell of a run that took its hosts with it."""
    return RunResult(cell=RunCell.model_validate_json(text).name, problem=reason).model_dump_json()


class CellComparison(Comparison):
    """The part of a run that is one cell."""

    def carry_out_cell(self, cell: RunCell) -> None:
        """Train, or time a workload. Raises InputError where the host lacks an environment that others have."""
        board = Board(Console(stderr=True), quiet=True)
        able = [pair for pair in self.chosen if not pair[0].unsupported(self.network)]
        if cell.stage == TRAIN:
            self._train_all(able, board)
            return
        able = [(entry, variant) for entry, variant in able if f"{entry.name}:{variant}" not in cell.left_out]
        qualify(able, partial(self._install, board=board), _pass_over, _no_estimate, self.commands.stop)
        lacking = sorted({entry.label for entry, _ in able} - set(self.environments))
        if lacking:
            raise InputError(f"{platform.node()} has no environment for {', '.join(lacking)}, which another host has.")
        self.findings.failed |= {(name.partition(":")[0], name.partition(":")[2]) for name in cell.left_out}
        self.findings.paces |= {(name.partition(":")[0], name.partition(":")[2]): s for name, s in cell.paces.items()}
        if cell.workload == self.run.header["suite"]["workloads"][0]["name"]:
            self._time(board)
            self._measure_new_shapes(board)
        else:
            self.workloads = tuple(each for each in self.workloads if each.name == cell.workload)
            self._time_suite(board)

    def _train_all(self, able: list[tuple[Entry, str]], board: Board) -> None:
        for entry, variant in able:
            with self.run.task(f"check {entry.name}:{variant}"):
                pass  # the cells of checks have done it
        install, train = partial(self._install, board=board), partial(self._check_and_train, board=board)
        qualify(able, install, train, _no_estimate, self.commands.stop)
        self._measure_convention_effects(board)

    def variables(self, entry: Entry, variant: str) -> dict[str, str]:
        """Return the environment variables in force in the workers of a variant on this host."""
        return variables_in_force(place_of(entry, variant, Path(), self.plan["threads"]))


def _pass_over(entry: Entry, variant: str) -> None:
    """Check nothing: the cells of checks have done it."""


def _no_estimate(entry: Entry, variant: str) -> float:
    return 0.0


def _finished_tasks(folder: Path, stage: str) -> tuple[FinishedTask, ...]:
    """Return what the cell measured: not the tasks of other cells, which it marked or had to repeat."""
    others = ("check ", "spec ") if stage == TRAIN else ("check ", "environment ")
    tasks: dict[str, list[Record]] = {}
    for record in read.iterate_records(folder / RECORDS_FILE, VOCABULARY):
        if not record["task"].startswith(others):
            tasks.setdefault(record["task"], []).append(record)
    return tuple(
        FinishedTask(name=name, seconds=mine[-1]["value"], records=tuple(mine[:-1])) for name, mine in tasks.items()
    )
