"""Carries out `bakeoff deploy`: what is trained, what the truth is, and which path comes when."""

import functools
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from .. import environments
from ..common.arrays import Array, Arrays
from ..common.progress import Board
from ..environments import BuildFailed, Environment, Missing
from ..measures.agreement.floors import PERMUTATIONS, Permuted, error
from ..measures.deployment import figures
from ..measures.deployment.attempt import STEPS, Training, Truth
from ..measures.deployment.blunders import try_inputs, try_training_mode
from ..measures.deployment.checkpoints import measure_checkpoint
from ..measures.deployment.http import build_http, measure_http
from ..measures.deployment.latency import Contestant, measure_latency
from ..measures.deployment.measure import Places, prepare_places, record_cold_starts, try_float64, try_path
from ..measures.deployment.paths import ExportPath, list_paths
from ..portable import spec as portable
from ..portable.reference import Reference
from ..records.read import Record
from ..records.vocabulary import FINISHED, Figure
from ..registry.entries import Entry
from ..workers.cores import first_cores
from ..workers.launch import place_of
from ..workers.session import WorkerFailed
from ..workload import data, networks
from ..workload.spec import Spec

Say = Callable[[str], None]

CHECKPOINT_FILE = "checkpoint.py"
"""The file of a backend that saves and restores a training."""


class Deployment(NamedTuple):
    """The records of a `bakeoff deploy`, and why the self-test of its timing failed; "" where it passed."""

    records: list[Record]
    self_test: str


class Recorder:
    """Collects the records of one task."""

    def __init__(self, task: str) -> None:
        self.task, self.records = task, list[Record]()
        self.started = time.monotonic()

    def __call__(self, figure: Figure, value: Any, **keys: Any) -> None:
        """Add one record. Raises TypeError where the figure declares something else."""
        head = {"task": self.task, "attempt": 1, "time": round(time.time(), 3)}
        self.records.append({**head, **figure.record(value, **keys)})

    def finish(self) -> list[Record]:
        """Return the records, with the last one of the task."""
        self(FINISHED, time.monotonic() - self.started)
        return self.records


def make_training(dtype: str, run: Spec | None = None) -> Training:
    """Return the training before an export: STEPS steps of the default spec on the digits, in `dtype`."""
    run = run or Spec()
    seed = run.training.seed
    source = data.load(run.data, seed)
    splits = data.split(source, run)
    spec = run.portable(splits.features, len(splits.classes))._replace(dtype=dtype)
    count = len(splits.y_train)
    epochs = STEPS * spec.batch_size // count + 2
    x = np.concatenate([splits.x_train, splits.x_test])
    return Training(
        spec=spec,
        arrays=portable.initial_arrays(spec, run.network.initial_weights, seed),
        x=x.astype(dtype),
        y=np.concatenate([splits.y_train, splits.y_test]),
        order=data.batch_orders(count, spec.batch_size, epochs, seed)[:STEPS],
        raw=(x * splits.std + splits.mean).astype(dtype),
    )


def choose_trainings(entry: Entry) -> dict[str, Training]:
    """Return the training of each dtype: of the default spec, or of the most similar one that the backend supports."""
    trainings = {dtype: make_training(dtype) for dtype in ("float32", "float64")}
    if not entry.unsupported(trainings["float32"].spec):
        return trainings
    kind = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
    network = {"activation": kind.activation, "batch_norm": kind.batch_norm}
    similar = Spec.model_validate({"network": network, "optimiser": {"name": kind.optimiser}})
    return {dtype: make_training(dtype, similar) for dtype in trainings}


def find_training_floors(training: Training, conventions: dict[str, str]) -> dict[str, float]:
    """Return, by array, plain NumPy's relative rounding error after the whole training."""
    with threadpool_limits(1, user_api="blas"):
        oracle = Reference(training.spec._replace(dtype="float64"), conventions=conventions)
        oracle.run_dtype = training.spec.dtype
        oracle.load({name: array.astype(np.float64) for name, array in training.arrays.items()})
        oracle.put(training.x.astype(np.float64), training.y)
        oracle.train(training.order)
        truth = oracle.dump()
        floors = dict.fromkeys(truth, float(np.finfo(training.spec.dtype).eps) / 2)
        for seed in range(PERMUTATIONS):
            plain = Permuted(training.spec, conventions, seed)
            plain.load(training.arrays)
            plain.put(training.x, training.y)
            plain.train(training.order)
            floors = {name: max(floors[name], error(array, truth[name])) for name, array in plain.dump().items()}
    return floors


def find_truth(spec: portable.Spec, arrays: Arrays, x: Array, conventions: dict[str, str]) -> Truth:
    """Return the oracle's probabilities of x for trained arrays, and plain NumPy's rounding error on them."""
    with threadpool_limits(1, user_api="blas"):
        oracle = Reference(spec._replace(dtype="float64"), conventions=conventions)
        oracle.run_dtype = spec.dtype
        oracle.load({name: array.astype(np.float64) for name, array in arrays.items()})
        truth = oracle.predict(x.astype(np.float64))
        floor = float(np.finfo(spec.dtype).eps) / 2
        for seed in range(PERMUTATIONS):
            plain = Permuted(spec, conventions, seed)
            plain.load(arrays)
            floor = max(floor, error(plain.predict(x), truth))
    return Truth(truth, floor)


class Parts(NamedTuple):
    """What `bakeoff deploy` does beside exporting, serving and comparing."""

    timed: bool = True
    """Whether to time cold starts and calls."""
    http: bool = False
    checkpoints: bool = False
    mistakes: bool = False


def deploy(
    chosen: Sequence[tuple[Entry, str]], only: Sequence[str], pythons: tuple[Path, ...], board: Board, parts: Parts
) -> Deployment:
    """Deploy by every path of the chosen backends, or by those of the names in `only`; return the records."""
    entries = list({entry.name: entry.whole for entry, _ in chosen}.values())
    paths = [path for path in list_paths(entries) if not only or path.export.name in only]
    with tempfile.TemporaryDirectory(prefix="bakeoff-deploy-") as folder:
        deployer = Deployer(parts, first_cores(1), Path(folder), board)
        deployer.build_bases([path.entry for path in paths], pythons)
        for entry in entries:
            deployer.record_no_export(entry)
        for path in paths:
            deployer.deploy_path(path)
        if parts.checkpoints:
            for entry, variant in _first_variants(chosen, {path.entry.name for path in paths}):
                deployer.measure_checkpoint(entry, variant)
        self_test = deployer.measure_latency() if parts.timed else ""
        if parts.http:
            deployer.measure_http()
    return Deployment(deployer.records, self_test)


class Deployer:
    """One `bakeoff deploy`: its environments, its records, and the networks that passed the gate."""

    def __init__(self, parts: Parts, cores: tuple[int, ...] | None, folder: Path, board: Board) -> None:
        self.parts, self.cores, self.folder, self.board = parts, cores, folder, board
        self.records: list[Record] = []
        self.ready: list[Contestant] = []
        self.bases: dict[str, Environment | Missing | BuildFailed] = {}

    def build_bases(self, entries: Sequence[Entry], pythons: tuple[Path, ...]) -> None:
        """Build the backends' own environments."""
        unique = list({entry.label: entry for entry in entries}.values())
        with self.board.job("environments") as job:
            self.bases = environments.build_all(unique, pythons, on_event=lambda name, line: job.say(f"{name}: {line}"))
            job.outcome = "built"

    def record_no_export(self, entry: Entry) -> None:
        """Record why a framework has no documented export, where its backend says so."""
        fact = entry.description.no_documented_export
        if fact is not None:
            write = Recorder(f"deploy {entry.name}")
            write(figures.NO_EXPORT, fact.value, backend=entry.name, source=fact.source, asof=fact.asof)
            self.records += write.finish()

    def deploy_path(self, path: ExportPath) -> None:
        """Measure one path but for its latency."""
        write = Recorder(f"deploy {path.label}")
        scratch = self.folder / path.label.replace(":", "-")
        scratch.mkdir()
        with self.board.job(path.label) as job:
            places = self._prepare(path, scratch, write, job.say)
            if isinstance(places, str):
                write(figures.EXPORTED, False, reason=places, dtype="float32", **path.keys)
                job.outcome = places
            else:
                job.outcome = self._measure(path, places, scratch, write, job.say)
        self.records += write.finish()

    def _prepare(self, path: ExportPath, scratch: Path, write: Recorder, say: Say) -> Places | str:
        """Return where the path runs, or why it cannot."""
        base, programs = self.bases[path.entry.label], path.export.compiler
        if not isinstance(base, Environment):
            return str(base)
        if programs and not any(shutil.which(program) for program in programs):
            return f"needs one of these programs on PATH, and found none: {', '.join(programs)}"
        try:
            return prepare_places(path, base, scratch, self.cores, write, say)
        except (Missing, BuildFailed) as failed:
            return str(failed)

    def _measure(self, path: ExportPath, places: Places, scratch: Path, write: Recorder, say: Say) -> str:
        trainings = choose_trainings(path.entry)
        say("export in float32")
        contestant = try_path(path, places, trainings["float32"], find_truth, scratch, write)
        say("export in float64")
        float64 = try_float64(path, places, trainings["float64"], find_truth, scratch, write)
        if contestant is None:
            reason = next(str(each.get("reason")) for each in write.records if each["figure"] == figures.EXPORTED.name)
            return f"failed: {reason}"
        if self.parts.timed:
            say("cold starts")
            record_cold_starts(contestant, trainings["float32"], write)
        if self.parts.mistakes:
            say("mistakes")
            try_inputs(contestant, trainings["float32"], write)
            try_training_mode(path, places, trainings["float32"], find_truth, scratch, write)
        self.ready.append(contestant)
        return f"agrees; float64 {float64}"

    def measure_latency(self) -> str:
        """Time the networks that passed the gate, in turn; return why the self-test failed."""
        if not self.ready:
            return ""
        write = Recorder("deploy latency")
        with self.board.job("latency, all paths in turn") as job:
            try:
                self_test = measure_latency(self.ready, make_training("float32").x, self.cores, write)
                job.outcome = self_test or "the self-test passed"
            except WorkerFailed as failed:
                self_test = ""
                job.outcome = str(failed)
        self.records += write.finish()
        return self_test

    def measure_http(self) -> None:
        """Put each network that passed the gate behind the common server, one after the other."""
        if not self.ready:
            return
        with self.board.job("the server's environment") as job:
            environment = build_http(job.say)
            job.outcome = "ready"
        x = make_training("float32").x
        for contestant in self.ready:
            write = Recorder(f"deploy http {contestant.path.label}")
            scratch = self.folder / f"http-{contestant.path.label.replace(':', '-')}"
            scratch.mkdir()
            with self.board.job(f"{contestant.path.label} over HTTP") as job:
                job.outcome = measure_http(contestant, environment, x, self.cores, scratch, write) or "correct"
            self.records += write.finish()

    def measure_checkpoint(self, entry: Entry, variant: str) -> None:
        """Save, restore and go on with the training of one variant."""
        base = self.bases.get(entry.label)
        if not isinstance(base, Environment) or not (entry.folder / CHECKPOINT_FILE).is_file():
            return
        write = Recorder(f"deploy checkpoint {entry.name}:{variant}")
        folder = self.folder / f"checkpoint-{entry.name}-{variant}"
        folder.mkdir()
        labelled = functools.partial(write, backend=entry.name, variant=variant)
        place = place_of(entry, variant, base.python, cores=self.cores, log=folder.with_suffix(".log"))
        with self.board.job(f"{entry.name}:{variant} from a checkpoint") as job:
            training = choose_trainings(entry)["float32"]
            job.outcome = measure_checkpoint(place, variant, training, find_training_floors, folder, labelled)
        self.records += write.finish()


def _first_variants(chosen: Sequence[tuple[Entry, str]], names: set[str]) -> list[tuple[Entry, str]]:
    """Return the first variant of each environment of the backends of these names."""
    found: dict[str, tuple[Entry, str]] = {}
    for entry, variant in chosen:
        if entry.name in names:
            found.setdefault(entry.label, (entry, variant))
    return list(found.values())
