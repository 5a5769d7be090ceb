"""A run whose parts the hosts of a cluster carry out. This process plans, and is the only writer of the run folder.

First the variants are checked, as many at a time as the cluster has threads. Then one host trains all variants. Then
each workload is timed: all variants in all rounds on one host, which does nothing else meanwhile; other hosts time
other workloads. So a ratio is always one of times on the same host. The result of a cell is written when it has come as
a whole, and its last record says so: a part of a cell that a kill left behind is measured again, and does not count.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..cluster.dask import Cluster, ClusterLost, DaskEngine, HostEngine
from ..common.errors import InputError
from ..common.progress import Board
from ..measures import VOCABULARY
from ..measures.agreement import figures as agreement
from ..measures.agreement import suite as checks
from ..measures.agreement.records import outcome_records
from ..measures.agreement.serialisation import outcome_from_json
from ..measures.deployment import figures as deployment
from ..measures.speed import figures
from ..records import read
from ..records.store import Run
from . import cells
from .cells import TIME, TRAIN, CheckCell, CheckResult, RunCell, RunResult
from .comparison import Comparison

RUN_CHECK, RUN_CELL = cells.run_check, cells.run_cell
"""What the hosts call."""
UNLIKE = "Add such a host to the cluster, or start a new run"


class SpreadComparison(Comparison):
    """A run on the hosts of a cluster."""

    def __init__(self, run: Run, *parts: Any, cluster: Cluster) -> None:
        super().__init__(run, *parts)
        self.cluster = cluster

    def carry_out(self, board: Board) -> None:
        """Do all of the run that is not yet done. Raises InputError where the cluster is lost."""
        if self.run.complete:
            board.say(f"{self.run.folder} is complete: nothing is left to do.")
            return
        try:
            with board:
                self._describe(board)
                for entry in {entry.name: entry for entry, _ in self.chosen}.values():
                    self._supports(entry, board)
                self._check_all(board)
                self._carry_out_cells([self._cell(TRAIN)], board)
                self._carry_out_cells([self._cell(TIME, name) for name in self._workload_names()], board)
                with self.run.task(read.LAST):
                    pass
        except ClusterLost as lost:
            folder = self.run.folder
            raise InputError(
                f"{lost} What was finished is kept. Continue with: bakeoff run --resume {folder} --cluster ADDRESS"
            ) from None
        finally:
            self.cluster.close()

    # Checks: they share the hosts

    def _check_all(self, board: Board) -> None:
        planned = self._check_cells()
        engine = DaskEngine(self.cluster, RUN_CHECK, cells.give_up_check)
        for text in run_window(engine, [each.model_dump_json() for each in planned]):
            result = CheckResult.model_validate_json(text)
            self._add_check(result)
            outcomes = [outcome_from_json(each) for each in result.outcomes]
            said = result.problem or checks.describe_outcomes(outcomes)
            board.say(f"{result.contestant}: {said}{describe_place(result.host, result.seconds)}")
        self.findings.learn(read.read_records(self.run.folder, VOCABULARY))

    def _check_cells(self) -> list[CheckCell]:
        """Return a cell for each variant that is left to check."""
        return [
            CheckCell(
                run=self.run.folder.name,
                number=number,
                contestant=f"{entry.name}:{variant}",
                build=entry.build_name,
                networks=tuple(self.required_networks(entry)),
                kept=True,
                device=self.plan["device"],
                threads=self.plan["threads"],
                pythons=tuple(self.plan["interpreters"]),
            )
            for number, (entry, variant) in enumerate(self.chosen)
            if not entry.unsupported(self.network) and not self.run.finished(f"check {entry.name}:{variant}")
        ]

    def _add_check(self, result: CheckResult) -> None:
        """Record the outcomes of a variant, and who checked it; or why it was not checked."""
        backend, _, variant = result.contestant.partition(":")
        labels = {"backend": backend, "variant": variant}
        if result.problem:  # on resume it is tried again
            with self.run.task(f"environment {result.contestant}") as task:
                task.add(deployment.UNAVAILABLE, result.problem, **labels)
            return
        with self.run.task(f"check {result.contestant}") as task:
            for each in result.outcomes:
                where = {**labels, "checked_at": result.at}
                task.write(outcome_records(task, outcome_from_json(each), where))
            if result.host is not None:
                host = result.host
                task.add(agreement.HOST, host.name, address=host.address, machine=host.machine, **labels)

    # Training and timing: a host to themselves

    def _workload_names(self) -> list[str]:
        return [each["name"] for each in self.run.header["suite"]["workloads"]]

    def _cell(self, stage: str, workload: str = "") -> RunCell:
        unchecked = {name for name in self._names() if not self.run.finished(f"check {name}")}
        failed = {f"{backend}:{variant}" for backend, variant in self.findings.failed}
        untrained = set() if stage == TRAIN else {n for n in self._names() if not self.run.finished(f"train {n}")}
        return RunCell.model_validate(
            {
                "run": self.run.folder.name,
                "header": json.loads(json.dumps(self.run.header)),
                "stage": stage,
                "workload": workload,
                "left_out": sorted(unchecked | failed | untrained),
                "paces": {f"{backend}:{variant}": pace for (backend, variant), pace in self.findings.paces.items()},
            }
        )

    def _names(self) -> list[str]:
        return [f"{entry.name}:{variant}" for entry, variant in self.chosen]

    def _carry_out_cells(self, planned: Sequence[RunCell], board: Board) -> None:
        """Carry out the cells that are left, each alone on a host."""
        left = [cell for cell in planned if not self.run.finished(cell.name)]
        engine = HostEngine(self.cluster, RUN_CELL, cells.give_up_cell)
        own = ("", self._workload_names()[0])
        for cell in left:
            engine.submit(cell.model_dump_json(), self._like_the_first() if cell.workload in own else None)
        if left:
            board.say(
                f"{', '.join(cell.name for cell in left)}: on {len(self.cluster.hosts())} hosts, one at a time on each"
            )
        for _ in left:
            result = RunResult.model_validate_json(engine.next_result())
            if result.problem:
                raise InputError(f"{result.cell}: {result.problem}")
            self._add_cell(result, next(cell for cell in left if cell.name == result.cell))
            board.say(f"{result.cell}: finished{describe_place(result.host, result.seconds)}")

    def _like_the_first(self) -> list[str]:
        """Return the hosts with the machine that run.json names: the run's own spec is trained and timed on it.

        Raises InputError where there is none.
        """
        wanted = _kind(self.run.header["machine"])
        found = [host for host, each in self.cluster.describe_hosts().items() if _kind(each["machine"]) == wanted]
        if not found:
            processor, cores = wanted
            raise InputError(f"No host of the cluster has the processor {processor} with {cores} cores. {UNLIKE}.")
        return found

    def _add_cell(self, result: RunResult, cell: RunCell) -> None:
        """Record the tasks of a cell, and last of all that it is finished, and where."""
        for task in result.tasks:
            self.run.add_finished_task(task.name, task.records, task.seconds)
        assert result.host is not None
        with self.run.task(cell.name) as end:
            where = {"address": result.host.address, "machine": result.host.machine, "variables": result.variables}
            end.add(figures.HOST, result.host.name, what=cell.stage, workload=cell.workload, **where)
        self.findings.learn([record for task in result.tasks for record in task.records])


def _kind(machine: dict[str, Any]) -> tuple[Any, Any]:
    """Return what makes two machines comparable, as where a run is resumed."""
    return machine["processor"], machine["usable_threads"]


def describe_place(host: "cells.Host | None", seconds: float) -> str:
    """Return where a cell was carried out, and how long it took."""
    return "" if host is None else f" ({host.name}, {host.address}, {seconds:.1f} s)"


def run_window(engine: DaskEngine, jobs: Iterable[str]) -> Iterator[str]:
    """Yield the result of every job, as they come; a job is taken when a slot is free.

    So few jobs are under way at a time, and one killed node takes few with it.
    """
    waiting, running = iter(jobs), 0
    while True:
        while running < engine.slots and (job := next(waiting, None)) is not None:
            engine.submit(job)
            running += 1
        if not running:
            return
        yield engine.next_result()
        running -= 1
