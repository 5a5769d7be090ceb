"""Carries out a search: plans trials, keeps every slot of the engine busy, and commits results as they come.

The driver is the only writer of the folder. The order of its writes makes a kill harmless at any time: the setting of
a trial is on the disk before a backend trains it, a result before the sampler is told of it.
"""

import time
from collections.abc import Iterator
from statistics import median

from pydantic import ValidationError

from ..common.errors import InputError
from ..common.progress import Board
from ..workload.spec import Spec
from .data import splits_of
from .engine import Engine
from .jobs import Job, Result
from .ledger import Ledger, Planned
from .space import Point, explain
from .study import Study, judge
from .trial import COMPLETE, FAILED


class Driver:
    """A search that is being carried out."""

    def __init__(self, ledger: Ledger, study: Study, engine: Engine, board: Board) -> None:
        self.ledger, self.study, self.engine, self.board = ledger, study, engine, board
        self.plan = ledger.plan
        self._in_flight: set[tuple[int, str]] = set()

    def carry_out(self) -> None:
        """Do what is not yet done. Raises ClusterLost; what was committed until then is kept."""
        self._reconcile()
        started = time.monotonic()
        jobs = self._jobs(started)
        while True:
            while len(self._in_flight) < self.engine.slots and (job := next(jobs, None)) is not None:
                self._in_flight.add(job.key)
                self.engine.submit(job.model_dump_json())
            if not self._in_flight:
                return
            self._commit(Result.model_validate_json(self.engine.next_result()))

    def _reconcile(self) -> None:
        """Tell the study what the records have and it lacks: the driver was killed in between."""
        numbers = [planned.study_trial for planned in self.ledger.planned.values()]
        self.study.abandon_unplanned(numbers)
        for trial in self.ledger.planned:
            if self.ledger.finished(trial):
                self._tell(trial)

    def _jobs(self, started: float) -> Iterator[Job]:
        """Yield the jobs that have no result: first those of planned trials, then those of new ones."""
        for trial in range(self.plan.trials):
            if self.ledger.finished(trial):
                continue
            if trial not in self.ledger.planned:
                budget = self.plan.budget_s
                if budget is not None and time.monotonic() - started > budget:
                    self.board.say(f"The budget of {budget:g} s is used up: no further trial begins.")
                    return
                self._plan_trial(trial)
            planned = self.ledger.planned[trial]
            try:
                spec, data_hash = self._prepare(planned.point)
            except InputError as error:
                self._fail(trial, str(error))
                continue
            for contestant in self.plan.contestants:
                if (trial, contestant) in self.ledger.results:
                    continue
                backend, _, variant = contestant.partition(":")
                yield Job(
                    search=self.ledger.folder.name,
                    trial=trial,
                    backend=backend,
                    variant=variant,
                    folder=self.plan.folders.get(backend, ""),
                    point=planned.point,
                    spec=spec,
                    data=data_hash,
                    schedule=self.plan.file.schedule,
                    prune_below=planned.prune_below.get(contestant, ()),
                    device=self.plan.device,
                    threads=self.plan.threads,
                    pythons=self.plan.pythons,
                )

    def _prepare(self, point: Point) -> tuple[Spec, str]:
        """Return the spec of a setting and the hash of its data. Raises InputError where no backend can train it."""
        try:
            spec = self.plan.file.spec_at(point)
        except ValidationError as error:
            raise InputError(f"a spec does not accept this setting: {explain(error)}.") from None
        return spec, splits_of(spec).hash

    def _fail(self, trial: int, reason: str) -> None:
        """Record a trial that no backend can train."""
        for contestant in self.plan.contestants:
            backend, _, variant = contestant.partition(":")
            failed = Result(trial=trial, backend=backend, variant=variant, outcome=FAILED, value=None, reason=reason)
            self._commit(failed)

    def _plan_trial(self, trial: int) -> None:
        point, number = self.study.ask(trial)
        below = {contestant: self._prune_below(contestant) for contestant in self.plan.contestants}
        self.ledger.add_plan(Planned(trial=trial, point=point, study_trial=number, prune_below=below))

    def _prune_below(self, contestant: str) -> tuple[float | None, ...]:
        """Return by epoch the median validation accuracy of the trials that this backend completed so far."""
        rule = self.plan.file.pruning
        if rule is None:
            return ()
        mine = [each for each in self.ledger.results.values() if each.key[1] == contestant]
        complete = [each.epochs for each in mine if each.outcome == COMPLETE]
        if len(complete) < rule.after_trials:
            return ()
        longest = max(map(len, complete))
        return tuple(
            median(epochs[epoch].validation_accuracy for epochs in complete if len(epochs) > epoch)
            if epoch + 1 >= rule.after_epochs
            else None
            for epoch in range(longest)
        )

    def _commit(self, result: Result) -> None:
        self._in_flight.discard(result.key)
        if not self.ledger.add_result(result):
            return
        if self.ledger.finished(result.trial):
            self._tell(result.trial)
        self._report(result)

    def _tell(self, trial: int) -> None:
        value, outcome = judge([(each.outcome, each.value) for each in self.ledger.results_of(trial)])
        self.study.tell(self.ledger.planned[trial].study_trial, value, outcome)

    def _report(self, result: Result) -> None:
        score = result.reason if result.outcome == FAILED else f"{result.value:.1%}"
        outcome = "" if result.outcome == COMPLETE else f"{result.outcome}, "
        best = find_best(self.ledger)
        so_far = ""
        if best is not None:
            value, trial = best
            so_far = f"; best so far {value:.1%}, trial {trial}"
        name = f"{result.backend}:{result.variant}"
        self.board.say(f"trial {result.trial} of {self.plan.trials}, {name}: {outcome}{score}{so_far}")


def find_best(ledger: Ledger) -> tuple[float, int] | None:
    """Return the value and the number of the best finished trial; None where there is none."""
    found = []
    for trial in ledger.planned:
        if ledger.finished(trial):
            value, outcome = judge([(each.outcome, each.value) for each in ledger.results_of(trial)])
            if value is not None and outcome == COMPLETE:
                found.append((value, trial))
    return max(found, key=lambda each: (each[0], -each[1])) if found else None
