"""Carries out `bakeoff deploy`: what is trained, what the truth is, and which path comes when."""

import shutil
import tempfile
import time
from collections.abc import Sequence
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
from ..measures.deployment.latency import Contestant, measure_latency
from ..measures.deployment.measure import Places, prepare_places, record_cold_starts, try_float64, try_path
from ..measures.deployment.paths import ExportPath, list_paths
from ..portable import spec as portable
from ..portable.reference import Reference
from ..records.read import Record
from ..records.vocabulary import FINISHED, Figure
from ..registry.entries import Entry
from ..workers.cores import first_cores
from ..workers.session import WorkerFailed
from ..workload import data
from ..workload.spec import Spec


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


def deploy(
    chosen: Sequence[tuple[Entry, str]],
    only: Sequence[str],
    pythons: tuple[Path, ...],
    board: Board,
    timed: bool = True,
) -> Deployment:
    """Deploy by every path of the chosen backends, or by those of the names in `only`; return the records.

    Nothing is timed where `timed` is false.
    """
    entries = list({entry.name: entry.whole for entry, _ in chosen}.values())
    paths = [path for path in list_paths(entries) if not only or path.export.name in only]
    trainings = {dtype: make_training(dtype) for dtype in ("float32", "float64")}
    cores = first_cores(1)
    records: list[Record] = []
    ready: list[Contestant] = []
    with tempfile.TemporaryDirectory(prefix="bakeoff-deploy-") as folder:
        bases = _build_bases(paths, pythons, board)
        for entry in entries:
            records += _record_no_export(entry)
        for path in paths:
            write = Recorder(f"deploy {path.label}")
            with board.job(path.label) as job:
                scratch = Path(folder) / path.label.replace(":", "-")
                scratch.mkdir()
                job.outcome = _deploy_one(
                    path, bases[path.entry.label], trainings, scratch, cores, write, ready, job.say, timed
                )
            records += write.finish()
        self_test = ""
        if ready and timed:
            write = Recorder("deploy latency")
            with board.job("latency, all paths in turn") as job:
                try:
                    self_test = measure_latency(ready, trainings["float32"].x, cores, write)
                    job.outcome = self_test or "the self-test passed"
                except WorkerFailed as failed:
                    job.outcome = str(failed)
            records += write.finish()
    return Deployment(records, self_test)


def _deploy_one(
    path: ExportPath,
    base: Environment | Exception,
    trainings: dict[str, Training],
    scratch: Path,
    cores: tuple[int, ...] | None,
    write: Recorder,
    ready: list[Contestant],
    say: Any,
    timed: bool,
) -> str:
    """Measure one path but for its latency; return the outcome in words."""
    lacking = _explain_lacking(path, base)
    places: Places | None = None
    try:
        if not lacking and isinstance(base, Environment):
            say("environments")
            places = prepare_places(path, base, scratch, cores, write, say)
    except (Missing, BuildFailed) as failed:
        lacking = str(failed)
    if places is None:
        write(figures.EXPORTED, False, reason=lacking, dtype="float32", **path.keys)
        return lacking
    say("export in float32")
    contestant = try_path(path, places, trainings["float32"], find_truth, scratch, write)
    say("export in float64")
    float64 = try_float64(path, places, trainings["float64"], find_truth, scratch, write)
    if contestant is None:
        reason = next(str(each.get("reason")) for each in write.records if each["figure"] == figures.EXPORTED.name)
        return f"failed: {reason}"
    if timed:
        say("cold starts")
        record_cold_starts(contestant, trainings["float32"], write)
    ready.append(contestant)
    return f"agrees; float64 {float64}"


def _explain_lacking(path: ExportPath, base: Environment | Exception) -> str:
    if isinstance(base, Exception):
        return str(base)
    programs = path.export.compiler
    if programs and not any(shutil.which(program) for program in programs):
        return f"needs one of these programs on PATH, and found none: {', '.join(programs)}"
    return path.entry.unsupported(make_training("float32").spec)


def _build_bases(
    paths: Sequence[ExportPath], pythons: tuple[Path, ...], board: Board
) -> dict[str, Environment | Missing | BuildFailed]:
    entries = list({path.entry.label: path.entry for path in paths}.values())
    with board.job("environments") as job:
        built = environments.build_all(entries, pythons, on_event=lambda name, line: job.say(f"{name}: {line}"))
        job.outcome = "built"
    return built


def _record_no_export(entry: Entry) -> list[Record]:
    fact = entry.description.no_documented_export
    if fact is None:
        return []
    write = Recorder(f"deploy {entry.name}")
    write(figures.NO_EXPORT, fact.value, backend=entry.name, source=fact.source, asof=fact.asof)
    return write.finish()
