"""What the benchmarks time, and where: one network on the same arrays and rows, and a backend's place on one core."""

from pathlib import Path

from bakeoff.environments import build
from bakeoff.measures.agreement import cases
from bakeoff.measures.speed import rounds
from bakeoff.workers.cores import first_cores
from bakeoff.workers.place import Place
from bakeoff.workload import data
from bakeoff.workload.spec import default_spec, read_spec

CORES = first_cores(1)


def problem_of(path=None):
    """Return the network of a spec file with its rows, or the default one on the digits."""
    run = read_spec(Path(path)) if path else default_spec()
    splits = data.split(data.load(run.data, run.training.seed), run)
    network = run.portable(splits.features, len(splits.classes))
    case = cases.case_of("default", network, run, splits, gated=False)
    return rounds.Problem(case.spec, case.arrays, case.x, case.y, case.order)


def place_of(entry, folder):
    """Return the backend in its environment on one core with one thread; `folder` gets the worker's log."""
    worker = entry.worker
    python = build.build(entry).python
    return Place(python, entry.folder, folder / "worker.log", CORES, 1, worker.thread_variables, worker.variables)
