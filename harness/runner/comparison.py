"""The comparison: every chosen backend on the same arrays, measured and recorded.

First, two at a time, the backends' environments are built; two at a time, each as soon as its environment is there,
the variants are checked and fully trained. Then the reference implementation measures the effect of each declared
convention. Then, with nothing else running, come the rounds of timing. A failure is recorded, and the rest continues.
"""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..common.arrays import Array
from ..common.errors import InputError
from ..common.progress import Board, Job
from ..common.safe_files import make_real_folder, read_regular, write_replacing
from ..environments import commands
from ..environments.environment import Environment
from ..measures.agreement import cached_results, convention_effects, run_checks
from ..measures.agreement import cases as agreement_cases
from ..measures.agreement import figures as agreement
from ..measures.agreement.case import Case
from ..measures.agreement.records import outcome_records
from ..measures.agreement.timed_check import TimedCheck
from ..measures.deployment import figures as deployment
from ..measures.deployment import install
from ..measures.ease import figures as ease
from ..measures.ease.measure import measure as measure_ease
from ..measures.openness import figures as openness
from ..measures.speed import figures as speed
from ..measures.speed import rounds, sweep
from ..measures.speed.contestants import Contestant, Problem
from ..measures.training import defaults, train
from ..measures.training import figures as training
from ..portable import spec as portable
from ..records import read
from ..records.store import Run, Task
from ..registry.entries import Entry
from ..workers import launch
from ..workers.place import Place
from ..workers.session import Session
from ..workload import data, networks
from ..workload.spec import Spec
from . import deployment as deployment_stage
from . import shapes, suite, timing
from .findings import Findings
from .schedule import qualify

MOST_KEPT_BYTES = 1 << 30
"""Of the probabilities that a run keeps."""
ENVIRONMENTS, CHECKS, TRAININGS, ROUNDS = "environments", "checks", "trainings", "rounds of timing"
"""The stages of a run, as its progress names them."""


class Comparison:
    """A run with what it needs: the data, the spec and the chosen backends."""

    def __init__(
        self,
        run: Run,
        spec: Spec,
        splits: data.Splits,
        chosen: Sequence[tuple[Entry, str]],
        workloads: Sequence[suite.PlannedWorkload] = (),
    ) -> None:
        self.run, self.spec, self.splits, self.chosen = run, spec, splits, chosen
        self.workloads = tuple(workloads)
        """Those that are timed beside the run's own spec."""
        self.plan: dict[str, Any] = run.header["plan"]
        self.pythons = tuple(Path(path) for path in self.plan["interpreters"])
        self.inherit = tuple(self.plan.get("inherit", ()))
        self.network = train.spec_for_backend(spec, splits)
        self.arrays = portable.initial_arrays(self.network, spec.common().network.initial_weights, spec.training.seed)
        self.order = data.batch_orders(
            len(splits.y_train), spec.training.batch_size, spec.training.epochs, spec.training.seed
        )
        self.environments: dict[str, Environment] = {}
        self.commands = commands.Commands()
        self.findings = Findings()

    def learn(self, task: Task) -> None:
        """Take in what a finished task recorded."""
        self.findings.learn(task.records)

    def carry_out(self, board: Board) -> None:
        """Do all of the run that is not yet done; write nothing into a complete one."""
        if self.run.complete:
            board.say(f"{self.run.folder} is complete: nothing is left to do.")
            return
        with board:
            self._describe(board)
            able = [(entry, variant) for entry, variant in self.chosen if self._supports(entry, board)]
            self._announce(able, board)
            qualify(
                able,
                partial(self._install, board=board),
                partial(self._check_and_train, board=board),
                self.previous_check_seconds,
                self.commands.stop,
            )
            self._measure_convention_effects(board)
            self._record_default_distances(board)
            self._time(board)
            self._time_sweep(board)
            self._time_suite(board)
            self._measure_new_shapes(board)
            deployment_stage.deploy_into(self.run.folder, self.plan.get("deploy_s"), self.chosen, self.pythons, board)
            with self.run.task(read.LAST):
                pass

    def _announce(self, able: Sequence[tuple[Entry, str]], board: Board) -> None:
        """Tell the board the stages of the work that is left, as far as the plan knows them."""
        names = [f"{entry.name}:{variant}" for entry, variant in able]
        board.expect(ENVIRONMENTS, len({entry.label for entry, _ in able}), parallel=2)
        for stage, task in ((CHECKS, "check"), (TRAININGS, "train")):
            board.expect(stage, sum(not self.run.finished(f"{task} {name}") for name in names), parallel=2)
        if able and self.plan["rounds"]:
            left = sum(not self.run.finished(f"round {number + 1}") for number in range(self.plan["rounds"]))
            board.expect(ROUNDS, left)

    # What is known without running anything

    def _describe(self, board: Board) -> None:
        if self.run.finished("describe"):
            return
        with self.run.task("describe") as task:
            for entry in {entry.name: entry for entry, _ in self.chosen}.values():
                _add_description(task, entry, board)

    # Environments, checks, training: two at a time

    def required_networks(self, entry: Entry) -> list[networks.Network]:
        """Return the networks that the backend must pass before it is timed."""
        specs = (self.spec, *(each.spec for each in self.workloads))
        required = dict.fromkeys(network for spec in specs for network in networks.required_networks(spec))
        return networks.with_supported(list(required), entry.unsupported)

    def required_cases(self, entry: Entry) -> list[Case]:
        """Return the cases of these networks."""
        return agreement_cases.cases(self.required_networks(entry))

    def previous_check_seconds(self, entry: Entry, variant: str) -> float:
        """Return the seconds that the checks took whose cached result holds; 0 where there is none."""
        environment, device = self.environments[entry.label], self.plan["device"]
        cases, threads = self.required_cases(entry), self.plan["threads"]
        key = cached_results.key(entry, variant, environment, device, cases, threads, self.inherit)
        kept = cached_results.find(key)
        return kept.seconds if kept else 0.0

    def _supports(self, entry: Entry, board: Board) -> bool:
        """Return whether the backend supports the run's network; record why it does not. Nothing of it is run then."""
        reason = entry.unsupported(self.network)
        if reason and not self.run.finished(f"spec {entry.name}"):
            with self.run.task(f"spec {entry.name}") as task:
                task.add(training.UNSUPPORTED, reason, backend=entry.name)
            board.say(f"{entry.name}: {reason}")
        return not reason

    def _install(self, entry: Entry, board: Board) -> bool:
        """Find or build the environment of a backend, or of a part of it; return whether there is one."""
        labels: list[dict[str, str]] = [{"backend": entry.name}]
        if entry.part:
            labels = [{"backend": each.name, "variant": variant} for each, variant in self.chosen if each == entry]
        with (
            board.job(f"{entry.label}: environment", ENVIRONMENTS) as job,
            self.run.task(f"environment {entry.label}") as task,
        ):
            environment, job.outcome = install.measure(entry, labels, task.add, self.pythons, job.say, self.commands)
        if environment is not None:
            self.environments[entry.label] = environment
        return environment is not None

    def _check_and_train(self, entry: Entry, variant: str, board: Board) -> None:
        name = f"{entry.name}:{variant}"
        lacking = launch.explain_unavailable(entry, variant)
        if lacking:
            with self.run.task(f"program {name}") as task:
                task.add(deployment.UNAVAILABLE, lacking, backend=entry.name, variant=variant)
            self.learn(task)
            board.say(f"{name}: {lacking}")
            return
        if not self.run.finished(f"check {name}"):
            with board.job(f"{name}: conformance", CHECKS) as job, self.run.task(f"check {name}") as task:
                self._check(entry, variant, task, job)
            self.learn(task)
        if not self.run.finished(f"train {name}"):
            with board.job(f"{name}: training", TRAININGS) as job, self.run.task(f"train {name}") as task:
                self._train(entry, variant, task, job)
            self.learn(task)

    def _check(self, entry: Entry, variant: str, task: Task, job: Job) -> None:
        place, environment = self._place(entry, variant), self.environments[entry.label]
        cases, device = self.required_cases(entry), self.plan["device"]
        result, job.outcome = run_checks.check_with_cache(entry, variant, environment, place, cases, device, job.say)
        labels = {"backend": entry.name, "variant": variant, "checked_at": result.at}
        for outcome in result.outcomes:
            task.write(outcome_records(task, outcome, labels))

    def _train(self, entry: Entry, variant: str, task: Task, job: Job) -> None:
        def record_declarations(session: Session) -> None:
            labels = {"backend": entry.name, "variant": variant}
            for name, version in session.versions().items():
                task.add(deployment.VERSION, version, of=name, **labels)
            for name, value in session.conventions.items():
                task.add(agreement.CONVENTION, value, convention=name, **labels)

        whole = train.Training(self.spec, self.splits, self.arrays, self.order, self.plan["device"])
        if (entry.name, variant) in self.findings.hung:
            job.outcome = "hung: not trained, because its checks gave no answer"
            task.add(training.FAILED, job.outcome, traceback="", backend=entry.name, variant=variant)
            return
        place = self._place(entry, variant)
        trained = train.measure(whole, place, entry.name, variant, task.add, job.say, record_declarations)
        job.outcome = trained.outcome
        if trained.probabilities is not None:
            self._keep_probabilities(entry, variant, trained.probabilities)

    # Framework defaults, conventions

    def _kept_probabilities(self, entry: Entry, variant: str) -> Path:
        return self.run.folder / "probabilities" / f"{entry.name}-{variant}.npy"

    def _keep_probabilities(self, entry: Entry, variant: str, probabilities: Array) -> None:
        """Keep the probabilities of the test rows in the run folder, where networks are to be compared."""
        if self.spec.framework_defaults:
            path = self._kept_probabilities(entry, variant)
            make_real_folder(path.parent)
            buffer = io.BytesIO()
            np.save(buffer, probabilities)
            write_replacing(path, buffer.getvalue())

    def _record_default_distances(self, board: Board) -> None:
        """Record how far apart the networks are that framework defaults give, and how far from the common spec's."""
        if not self.spec.framework_defaults or self.run.finished("defaults"):
            return
        with board.job("defaults") as job, self.run.task("defaults") as task:
            problem = convention_effects.FullTraining(self.network, self.arrays, self.splits, self.order)
            trained = {defaults.COMMON_SPEC: convention_effects.common_probabilities(problem)}
            for entry, variant in self.chosen:
                kept = self._kept_probabilities(entry, variant)
                if kept.exists():
                    trained[f"{entry.name}:{variant}"] = np.load(io.BytesIO(read_regular(kept, MOST_KEPT_BYTES)))
            defaults.record_default_distances(trained, task.add)
            job.outcome = f"{len(trained) - 1} trained networks compared with the common spec and each other"

    def _measure_convention_effects(self, board: Board) -> None:
        """Record how far each declared convention, alone, moves a backend from the common spec."""
        problem = convention_effects.FullTraining(self.network, self.arrays, self.splits, self.order)
        for name, declared in self.findings.conventions.items():
            label = f"convention effects {name}"
            if self.run.finished(label) or not convention_effects.effective_conventions(self.network, declared):
                continue
            with board.job(f"{name}: effects of conventions") as job, self.run.task(label) as task:
                job.outcome = convention_effects.record_convention_effects(problem, name, declared, task.add)

    # Timing: nothing else runs

    def _time(self, board: Board) -> None:
        contestants = self._contestants()
        if not contestants:
            return
        steps = self.findings.steps_of_slices(self.plan["slice_s"])
        plan, problem = timing.plan_rounds(self.plan, self.planned_blocks(contestants)), self._problem()
        of_all = f" of {plan.rounds}" if plan.rounds else ""
        for number in timing.list_rounds(self.run):
            with board.job(f"timing, round {number}{of_all}", ROUNDS) as job, self.run.task(f"round {number}") as task:
                rounds.run_round(number, contestants, problem, plan, task.add, steps, job.say)
                job.outcome = f"{plan.blocks} blocks of {len(contestants)} workers"
            self.learn(task)
            contestants = self._contestants()

    def _problem(self) -> Problem:
        """Return the training of the run's own spec, as it is timed."""
        x_train, y_train = self.splits.x_train.astype(self.network.dtype), self.splits.y_train
        check = TimedCheck(self.network, self.arrays, x_train, y_train)
        return Problem(self.network, self.arrays, x_train, y_train, self.order, check)

    def _measure_new_shapes(self, board: Board) -> None:
        if not self.plan.get("new_shapes"):
            return
        steps = self.findings.steps_of_slices(self.plan["slice_s"])
        shapes.measure_new_shapes(self.run, self._contestants(), self._problem(), steps, board)

    def _time_sweep(self, board: Board) -> None:
        """Time a round at every point of the spec's sweep, each variant once in a block."""
        contestants = [each for each in self._contestants() if not each.self_test]
        for number, point in enumerate(sweep.points(self.spec, self.plan["threads"]), start=1):
            if not contestants or self.run.finished(f"sweep {point.name}"):
                continue
            network = train.spec_for_backend(point.spec, self.splits)
            reasons = {entry.name: entry.unsupported(network) for entry, _ in self.chosen}
            plan = timing.plan_point(point, self.plan, number)
            with board.job(f"sweep, {point.name}") as job, self.run.task(f"sweep {point.name}") as task:
                job.outcome = timing.time_point(point, self.splits, contestants, reasons, plan, task, job.say)

    def _time_suite(self, board: Board) -> None:
        """Time every round of the workloads of a suite that is left to do."""
        contestants = self._contestants()
        if not contestants or not self.workloads:
            return
        count = self.plan["rounds"]
        left = [each for each in suite.list_rounds(self.workloads, count) if not self.run.finished(each[0])]
        for done, (name, workload, number) in enumerate(left):
            contestants = self._contestants()
            able = suite.record_support(self.run, workload, contestants, [entry for entry, _ in self.chosen])
            blocks = self.findings.workload_blocks.get(workload.name)
            position, common = self.workloads.index(workload) + 1, timing.plan_rounds(self.plan, 0)
            plan = suite.plan_round(workload, position, common, self.run.header["suite"]["budget_s"], blocks)
            steps = self.findings.workload_steps.setdefault(workload.name, {})
            time_left = suite.describe_time_left(self.findings.round_s, len(left) - done)
            title = f"{workload.name}, round {number} of {count} (workload round {done + 1} of {len(left)}{time_left})"
            with board.job(title) as job, self.run.task(name) as task:
                job.outcome = suite.time_round(workload, number, able, plan, steps, task, job.say)
            self.learn(task)

    def planned_blocks(self, contestants: Sequence[Contestant]) -> int:
        """Return the blocks of a round: as planned, or as many as fit into the budget, worked out once in a run."""
        blocks = self.plan["blocks"] if self.plan["blocks"] is not None else self.findings.blocks
        if blocks is None:
            steps = self.findings.steps_of_slices(self.plan["slice_s"])
            blocks, block_s = timing.work_out_blocks(self.plan, contestants, steps, self.findings.paces)
            with self.run.task("plan") as task:
                task.add(speed.BLOCKS, blocks, block_s=block_s, budget_s=self.plan["budget_s"])
            self.learn(task)
        return int(blocks)

    def _contestants(self) -> list[Contestant]:
        """Return the variants that are timed: not those that failed a required check or could not be trained."""
        able = [
            Contestant(
                entry.name,
                variant,
                self._place(entry, variant, timing=True),
                spec=train.spec_for_backend(self.spec, self.splits, self.findings.own_defaults.get(entry.name, ())),
                thread_names=entry.worker.thread_names,
            )
            for entry, variant in self.chosen
            if entry.label in self.environments and (entry.name, variant) not in self.findings.failed
        ]
        planned = [*able, able[0]._replace(self_test=True)] if able else []
        return [each for each in planned if each.backend_variant not in self.findings.hung]

    def _place(self, entry: Entry, variant: str, timing: bool = False) -> Place:
        cores = self.plan["cores"] if timing else None
        return launch.place_of(
            entry,
            variant,
            self.environments[entry.label].python,
            self.plan["threads"],
            cores=cores,
            log=self.run.folder / "logs" / f"{entry.name}-{variant}.log",
            inherit=self.inherit,
        )


def _add_description(task: Task, entry: Entry, board: Board) -> None:
    """Record what is known of a backend without running it: its code, its devices, the facts on its openness."""
    description = entry.description
    try:
        for figure, value, keys in measure_ease(entry):
            task.add(figure, value, **keys)
    except InputError as error:
        board.say(f"{entry.name}: its code was not counted, or not all of it: {error}")
        task.add(ease.FAILED, str(error), backend=entry.name)
    task.add(deployment.DEVICES, ", ".join(description.devices), backend=entry.name)
    task.add(deployment.PYTHON, description.python, backend=entry.name)
    for key, fact in description.openness.facts():
        keys = {"backend": entry.name, "source": fact.source, "asof": fact.asof}
        task.add(openness.FACTS[key], fact.value, **keys)
