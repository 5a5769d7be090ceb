"""The comparison: every chosen backend on the same arrays, measured and written down.

First, two at a time, each backend's environment; and two at a time, as soon as theirs is there, the conformance checks
and a full training of each variant. Then, by the oracle, how far the declared conventions move the backends from the
common spec. Then, with nothing else running, the rounds of timing. What fails is a record, and the rest goes on.
"""

import concurrent.futures
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import PriorityQueue
from typing import Any

import numpy as np

from ..common import predictions, statistics
from ..common.arrays import Array, Arrays
from ..common.predictions import accuracy
from ..common.progress import Board, Job
from ..environments import build, commands, pip
from ..environments.build import Missing
from ..environments.environment import BuildFailed, Environment
from ..measures import ease
from ..measures.agreement import cached_results, convention_effects, run_checks
from ..measures.agreement import cases as agreement_cases
from ..measures.agreement.case import Case
from ..measures.agreement.records import outcome_records
from ..measures.ease import changes
from ..measures.speed import rounds, sweep
from ..measures.training import defaults
from ..portable import spec as portable
from ..records import read
from ..records.store import Run, Task
from ..registry.entries import Entry
from ..workers import launch
from ..workers.cores import first_cores
from ..workers.place import Place
from ..workers.session import Session, WorkerFailed
from ..workload import data, networks
from ..workload.spec import Spec

UNKNOWN = "unknown"
"""What an environment that was built before it was asked says of its download, and pip where it cannot tell."""

JOBS = 2
"""Environments at a time, and checks at a time. Never while timing."""
HANDOVER_S = 0.002
"""What stopping one worker, letting go of the next and asking it adds to a slice, about."""
SWEEP_TURNS = 48
"""Of the one round at each point of a sweep."""
LEAST_TURNS = statistics.LEAST_TURNS
"""Of a round, however small the budget."""


class Comparison:
    """A run with what it needs: the data, the spec and the backends chosen."""

    def __init__(self, run: Run, spec: Spec, splits: data.Splits, chosen: Sequence[tuple[Entry, str]]) -> None:
        self.run, self.spec, self.splits, self.chosen = run, spec, splits, chosen
        self.plan: dict[str, Any] = run.header["plan"]
        self.extra = tuple(Path(path) for path in self.plan["pythons"])
        self.network = spec.portable(splits.features, len(splits.classes))
        self.arrays = portable.initial_arrays(self.network, spec.common().network.initial_weights, spec.training.seed)
        self.order = data.batch_orders(
            len(splits.y_train), spec.training.batch_size, spec.training.epochs, spec.training.seed
        )
        self.environments: dict[str, Environment] = {}
        self.commands = commands.Commands()

    def carry_out(self, board: Board) -> None:
        """Do whatever of the run is not yet done; write nothing into one that is complete."""
        if self.run.complete:
            board.say(f"{self.run.folder} is complete: nothing is left to do.")
            return
        with board:
            self._describe()
            self._qualify(board)
            self._depart(board)
            self._hold_apart(board)
            self._time(board)
            self._sweep(board)
            with self.run.task(read.LAST):
                pass

    # What is known without running anything

    def _describe(self) -> None:
        if self.run.finished("describe"):
            return
        with self.run.task("describe") as task:
            for entry in {entry.name: entry for entry, _ in self.chosen}.values():
                counted = ease.measure(entry.folder / entry.description.model, entry.description.import_name)
                for figure, value, unit, more in counted.records():
                    task.add("ease", figure, value, unit, backend=entry.name, **more)
                task.add("deployment", "devices", ", ".join(entry.description.devices), "", backend=entry.name)
                task.add("deployment", "python", entry.description.python, "", backend=entry.name)
                costs = changes.costs(entry.folder, entry.description.model, entry.description.import_name)
                for quantity, each, unit, more in changes.records(costs):
                    task.add("ease", quantity, each, unit, backend=entry.name, **more)
                for key, fact in entry.description.openness.facts():
                    task.add("openness", key, fact.value, "", backend=entry.name, source=fact.source, asof=fact.asof)

    # Environments, checks, training: two at a time

    def _qualify(self, board: Board) -> None:
        entries = {entry.label: entry for entry, _ in self.chosen if not self._refused(entry, board)}
        # Building waits for the network and the disk: what is built already is checked meanwhile.
        builders, checkers = ThreadPoolExecutor(JOBS), ThreadPoolExecutor(JOBS)
        building = {builders.submit(self._environment, entry, board): entry for entry in entries.values()}
        proving: list[concurrent.futures.Future[None]] = []
        waiting: PriorityQueue[tuple[float, int, int, Entry, str]] = PriorityQueue()

        def most_urgent() -> None:
            *_, entry, variant = waiting.get_nowait()
            self._variant(entry, variant, board)

        try:
            for built in concurrent.futures.as_completed(building):
                built.result()
                entry = building[built]
                if entry.label in self.environments:
                    # What took longest to check is slowest to train, and goes first. Where nothing is known of that:
                    # the plainest is declared first and takes least to check. The one declared last goes before what
                    # waits of other backends; the plainest fills the gap that the others leave.
                    variants = [variant for each, variant in self.chosen if each.label == entry.label][::-1]
                    for plainness, variant in enumerate(variants):
                        slowness = self._checked_in(entry, variant)
                        waiting.put((-slowness, plainness, len(proving), entry, variant))
                        proving.append(checkers.submit(most_urgent))
            for checked in concurrent.futures.as_completed(proving):
                checked.result()
        except BaseException:
            self.commands.stop()
            builders.shutdown(wait=False, cancel_futures=True)
            checkers.shutdown(wait=False, cancel_futures=True)
            raise
        builders.shutdown()
        checkers.shutdown()

    def _cases(self, entry: Entry) -> list[Case]:
        """Return the cases that the backend is checked on before it is timed."""
        return agreement_cases.cases(networks.within(networks.gates(self.spec), entry.cannot))

    def _checked_in(self, entry: Entry, variant: str) -> float:
        """Return the seconds of the checks whose verdict stands from an earlier run; 0 where there is none."""
        environment, device = self.environments[entry.label], self.plan["device"]
        kept = cached_results.find(
            cached_results.key(entry, variant, environment, device, self._cases(entry), self.plan["threads"])
        )
        return kept.seconds if kept else 0.0

    def _refused(self, entry: Entry, board: Board) -> bool:
        """Return whether the backend says that it cannot do the run's network; write down why. Nothing of it is run."""
        reason = entry.cannot(self.network)
        if reason and not self.run.finished(f"spec {entry.name}"):
            with self.run.task(f"spec {entry.name}") as task:
                task.add("failure", "spec", reason, "", backend=entry.name)
            board.say(f"{entry.name}: {reason}")
        return bool(reason)

    def _environment(self, entry: Entry, board: Board) -> None:
        """Find or build the backend's environment, or the part's; write down what it cost, or why there is none."""
        labels: list[dict[str, str]] = [{"backend": entry.name}]
        if entry.part:
            labels = [{"backend": each.name, "variant": variant} for each, variant in self.chosen if each == entry]
        with board.job(f"{entry.label}: environment") as job, self.run.task(f"environment {entry.label}") as task:
            try:
                environment = build.build(entry, self.extra, job.say, self.commands)
            except (Missing, BuildFailed) as error:
                for each in labels:
                    task.add("failure", "environment", str(error), "", **each)
                job.outcome = str(error)
                return
            self.environments[entry.label] = environment
            packages = environment.packages
            download, interpreters = environment.download_bytes, environment.interpreters
            needs = pip.requires_python(environment, entry.description.package)
            for each in labels:
                task.add("deployment", "install time", environment.seconds, "s", **each)
                task.add("deployment", "install size", environment.bytes, "bytes", **each)
                task.add("deployment", "packages", len(packages), "packages", installed=packages, **each)
                task.add("deployment", "download size", *((download, "bytes") if download else (UNKNOWN, "")), **each)
                task.add("deployment", "interpreters", " ".join(interpreters) if interpreters else UNKNOWN, "", **each)
                task.add("deployment", "requires python", needs or UNKNOWN, "", **each)
            job.outcome = environment.in_words()

    def _variant(self, entry: Entry, variant: str, board: Board) -> None:
        name = f"{entry.name}:{variant}"
        lacking = launch.lacking_program(entry, variant)
        if lacking:
            with self.run.task(f"program {name}") as task:
                task.add("failure", "environment", lacking, "", backend=entry.name, variant=variant)
            board.say(f"{name}: {lacking}")
            return
        if not self.run.finished(f"check {name}"):
            with board.job(f"{name}: conformance") as job, self.run.task(f"check {name}") as task:
                self._check(entry, variant, task, job)
        if not self.run.finished(f"train {name}"):
            with board.job(f"{name}: training") as job, self.run.task(f"train {name}") as task:
                self._train(entry, variant, task, job)

    def _check(self, entry: Entry, variant: str, task: Task, job: Job) -> None:
        place, environment = self._place(entry, variant), self.environments[entry.label]
        cases, device = self._cases(entry), self.plan["device"]
        verdict, words = run_checks.check_with_cache(entry, variant, environment, place, cases, device, job.say)
        job.outcome = words
        labels = {"backend": entry.name, "variant": variant, "checked_at": verdict.at}
        for outcome in verdict.outcomes:
            task.write(outcome_records(task, outcome, labels))

    def _train(self, entry: Entry, variant: str, task: Task, job: Job) -> None:
        """Train for all epochs; write down each epoch's loss and validation accuracy, and the test accuracy."""
        labels = {"backend": entry.name, "variant": variant}
        splits = self.splits
        dtype = self.network.dtype
        x_train, x_validation, x_test = (x.astype(dtype) for x in (splits.x_train, splits.x_validation, splits.x_test))
        try:
            with Session(self._place(entry, variant)) as session:
                session.build(self._told(session.defaults), self.plan["device"], variant)
                for name, version in session.versions().items():
                    task.add("deployment", "version", version, "", of=name, **labels)
                for name, value in session.conventions.items():
                    task.add("agreement", "convention", value, "", convention=name, **labels)
                session.load(self._starting(session, task, labels))
                session.put(x_train, splits.y_train)
                epochs = np.split(self.order, self.spec.training.epochs)
                for epoch, order in enumerate(epochs, start=1):
                    trained = session.train_by_the_clock(order)
                    loss = float(trained.losses.astype(np.float64).mean())
                    score = accuracy(session.predict(x_validation), splits.y_validation)
                    task.add("training", "loss", loss, "nats", epoch=epoch, **labels)
                    task.add("training", "epoch time", trained.wall_s, "s", epoch=epoch, steps=len(order), **labels)
                    task.add("training", "validation accuracy", score, "", epoch=epoch, **labels)
                    job.say(f"epoch {epoch} of {len(epochs)}: loss {loss:.4f}, validation {score:.1%}")
                if len(epochs) == 1:  # the first call's, which compiles, is no pace to plan slices by
                    again = session.train_by_the_clock(self.order).wall_s
                    task.add("training", "pace", again, "s", steps=len(self.order), **labels)
                probabilities = session.predict(x_test)
                self._keep_probabilities(f"{entry.name}-{variant}", probabilities)
                score = accuracy(probabilities, splits.y_test)
                task.add("training", "test accuracy", score, "", **labels)
                job.outcome = f"test accuracy {score:.1%}"
        except WorkerFailed as failed:
            task.add("failure", "training", str(failed), "", traceback=failed.traceback, **labels)
            job.outcome = str(failed)

    # What is left to the frameworks

    def _told(self, own: Collection[str]) -> portable.Spec:
        """Return the network as a backend is told it that has defaults of its `own`."""
        return self.spec.portable(self.splits.features, len(self.splits.classes), own)

    def _starting(self, session: Session, task: Task, labels: dict[str, Any]) -> Arrays:
        """Return the arrays that training starts from; write down every value that was left to the framework."""
        untold = self.spec.untold
        settings = session.settings() if untold and session.defaults else {}
        common = {**self.spec.common().network.model_dump(), **self.spec.common().optimiser.model_dump()}
        arrays = self.arrays
        if "initial_weights" in untold and "initial_weights" in session.defaults:
            arrays = session.initial(self.spec.training.seed)
            settings["initial_weights"] = defaults.weights_in_words(arrays)
        for field in untold:
            own = field in session.defaults
            if field in settings or not own:
                value = settings[field] if own else common[field]
                task.add("defaults", field, value, "", own=own, **labels)
        return arrays

    def _keep_probabilities(self, name: str, probabilities: Array) -> None:
        """Keep the test rows' probabilities in the run folder, where they are to be held against each other."""
        if self.spec.untold:
            folder = self.run.folder / "probabilities"
            folder.mkdir(exist_ok=True)
            np.save(folder / f"{name}.npy", probabilities)

    def _hold_apart(self, board: Board) -> None:
        """Write down how far apart the networks ended that were left to their frameworks, and from the common spec."""
        if not self.spec.untold or self.run.finished("defaults"):
            return
        with board.job("defaults") as job, self.run.task("defaults") as task:
            problem = convention_effects.FullTraining(self.network, self.arrays, self.splits, self.order)
            ended = {"the common spec": convention_effects.common_probabilities(problem)}
            for entry, variant in self.chosen:
                kept = self.run.folder / "probabilities" / f"{entry.name}-{variant}.npy"
                if kept.exists():
                    ended[f"{entry.name}:{variant}"] = np.load(kept)
            for name, probabilities in ended.items():
                backend, _, variant = name.partition(":")
                for other, others in ended.items():
                    if variant and other != name:
                        distance = predictions.apart(probabilities, others)
                        more = {"backend": backend, "variant": variant, "other": other}
                        task.add("defaults", "apart", distance.mean, "", **distance._asdict(), **more)
            job.outcome = f"{len(ended) - 1} trained networks held against the common spec and each other"

    # Departures: the oracle alone

    def _depart(self, board: Board) -> None:
        """Write down how far each declared convention, alone, moves a backend from the common spec."""
        problem = convention_effects.FullTraining(self.network, self.arrays, self.splits, self.order)
        for name, declared in self._declared().items():
            label = f"departures {name}"
            if self.run.finished(label) or not convention_effects.effective_conventions(self.network, declared):
                continue
            with board.job(f"{name}: departures") as job, self.run.task(label) as task:
                for each in convention_effects.measure_convention_effects(problem, declared):
                    more = {**each._asdict(), "chosen": each.value}
                    del more["value"]
                    task.add("agreement", "departure", each.largest, "", backend=name, **more)
                    job.outcome = f"{each.convention} {each.value}: probabilities by up to {each.largest:.1e}"

    def _declared(self) -> dict[str, dict[str, str]]:
        """Return by backend the conventions that its workers declared in training."""
        records = read.read_records(self.run.folder)
        declared: dict[str, dict[str, str]] = {}
        for row in records[records["quantity"] == "convention"].to_dict("records"):
            declared.setdefault(str(row["backend"]), {})[str(row["convention"])] = str(row["value"])
        return declared

    # Timing: nothing else runs

    def _time(self, board: Board) -> None:
        contestants = self._contestants()
        if not contestants:
            return
        steps = self._steps_so_far()
        plan = rounds.Plan(
            self.plan["rounds"],
            self._turns(contestants, steps),
            self.plan["slice_s"],
            self.plan["threads"],
            tuple(self.plan["cores"]) if self.plan["cores"] is not None else None,
            self.plan["device"],
            self.plan["seed"],
        )
        problem = rounds.Problem(
            self.network, self.arrays, self.splits.x_train.astype(self.network.dtype), self.splits.y_train, self.order
        )
        for number in range(1, plan.rounds + 1):
            if self.run.finished(f"round {number}"):
                continue
            with board.job(f"timing, round {number} of {plan.rounds}") as job, self.run.task(f"round {number}") as task:
                rounds.run_round(number, contestants, problem, plan, task.add, steps, job.say)
                job.outcome = f"{plan.turns} turns of {len(contestants)} workers"

    def _sweep(self, board: Board) -> None:
        """Time a round at every point of the spec's sweep, each variant once in a turn."""
        contestants = [each for each in self._contestants() if not each.control]
        features, classes = self.splits.features, len(self.splits.classes)
        for number, point in enumerate(sweep.points(self.spec, self.plan["threads"]), start=1):
            if not contestants or self.run.finished(f"sweep {point.name}"):
                continue
            network = point.spec.portable(features, classes)
            training = point.spec.training
            cores = first_cores(point.threads)
            problem = rounds.Problem(
                network,
                portable.initial_arrays(network, point.spec.common().network.initial_weights, training.seed),
                self.splits.x_train.astype(network.dtype),
                self.splits.y_train,
                data.batch_orders(len(self.splits.y_train), training.batch_size, 1, training.seed),
            )
            device, seed = self.plan["device"], self.plan["seed"] + number
            plan = rounds.Plan(1, SWEEP_TURNS, self.plan["slice_s"], point.threads, cores, device, seed, beside=False)
            cannot = {entry.name: entry.cannot(network) for entry, _ in self.chosen}
            entered = [
                each._replace(place=each.place._replace(cores=cores, threads=point.threads), spec=None)
                for each in contestants
                if not cannot[each.backend]
            ]
            labels = {"axis": point.axis, "at": point.value, "operations": point.operations(features, classes)}
            with board.job(f"sweep, {point.name}") as job, self.run.task(f"sweep {point.name}") as task:
                write = partial(_swept, task, labels)
                for each in contestants:
                    if cannot[each.backend]:
                        write("sweep", "cannot", cannot[each.backend], backend=each.backend, variant=each.variant)
                rounds.run_round(1, entered, problem, plan, write, {}, job.say)
                job.outcome = f"{plan.turns} turns of {len(entered)} workers"

    def _turns(self, contestants: Sequence[rounds.Contestant], steps: Mapping[tuple[str, str], int]) -> int:
        """Return the turns of a round: as planned, or as many as fit into the budget by the paces of the training."""
        if self.plan["turns"] is not None:
            return int(self.plan["turns"])
        planned = read.planned_turns(self.run.header, read.read_records(self.run.folder))
        if planned is None:
            paces = self._paces()
            slices = [each.backend_variant for each in contestants]
            taken = [steps.get(each, 1) * paces.get(each, self.plan["slice_s"]) for each in slices]
            turn_s = sum(2 * slice_s + HANDOVER_S for slice_s in taken)  # each with its lead-in
            planned = max(LEAST_TURNS, int(self.plan["budget_s"] / self.plan["rounds"] / turn_s))
            with self.run.task("plan") as task:
                task.add("speed", "turns", planned, "turns", turn_s=turn_s, budget_s=self.plan["budget_s"])
        return planned

    def _contestants(self) -> list[rounds.Contestant]:
        """Return who is timed: no speed for a backend with a red check, nor for one that could not be trained."""
        records = read.read_records(self.run.folder)
        failed = (records["measure"] == "failure") & ~records["quantity"].str.match("speed|sweep")
        red = records["red"].eq(True) if "red" in records else False
        own: dict[str, set[str]] = {entry.name: set() for entry, _ in self.chosen}
        for row in records[records["measure"] == "defaults"].to_dict("records"):
            if row.get("own") is True:
                own[str(row["backend"])].add(str(row["quantity"]))
        out = {(row.get("backend"), row.get("variant")) for row in records[failed | red].to_dict("records")}
        able = [
            rounds.Contestant(
                entry.name,
                variant,
                self._place(entry, variant, timing=True),
                spec=self._told(own[entry.name]),
                thread_names=entry.worker.thread_names,
            )
            for entry, variant in self.chosen
            if entry.label in self.environments and (entry.name, variant) not in out
        ]
        return [*able, able[0]._replace(control=True)] if able else []

    def _paces(self) -> dict[tuple[str, str], float]:
        """Return the seconds a step of each variant's quickest epoch of training, but for the first, which compiles."""
        records = read.read_records(self.run.folder)
        paces: dict[tuple[str, str], float] = {}
        trained = records["quantity"].eq("epoch time") & records["epoch"].gt(1) | records["quantity"].eq("pace")
        for row in records[trained].to_dict("records"):
            key, pace = (str(row["backend"]), str(row["variant"])), float(row["value"]) / int(row["steps"])
            paces[key] = min(pace, paces.get(key, pace))
        return paces

    def _steps_so_far(self) -> dict[tuple[str, str], int]:
        """Return the steps of a slice: those of a round before, or else by the pace of the quickest epoch."""
        steps = {key: max(1, round(self.plan["slice_s"] / pace)) for key, pace in self._paces().items()}
        records = read.read_records(self.run.folder)
        taken = records["measure"].eq("speed") & records["quantity"].eq("slice steps")
        for row in records[taken].to_dict("records"):
            steps[str(row["backend"]), str(row["variant"])] = int(row["value"])
        return steps

    def _place(self, entry: Entry, variant: str, timing: bool = False) -> Place:
        worker = entry.worker
        cores = self.plan["cores"] if timing else None
        return Place(
            python=self.environments[entry.label].python,
            folder=entry.folder,
            log=self.run.folder / "logs" / f"{entry.name}-{variant}.log",
            cores=tuple(cores) if cores is not None else None,
            threads=self.plan["threads"],
            thread_variables=worker.threads,
            variables=worker.variables,
        )


def _swept(
    task: Task, labels: dict[str, Any], measure: str, quantity: str, value: Any, unit: str = "", **more: Any
) -> None:
    """Write a record of a round as one of the sweep, and where in the sweep it belongs."""
    if measure == "failure":
        task.add(measure, f"sweep {labels['axis']}={labels['at']}", value, unit, **more, **labels)
    else:
        task.add("sweep", quantity, value, unit, **more, **labels)
