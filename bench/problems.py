"""The network that the benchmarks time, with its arrays and rows, and the place of a backend's worker on one core."""

from pathlib import Path

from bakeoff import environments
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
    case = cases.make_case("default", network, run, splits, required=False)
    return rounds.Problem(case.spec, case.arrays, case.x, case.y, case.order)


def place_of(entry, folder):
    """Return the backend in its environment on one core with one thread; `folder` gets the worker's log."""
    worker = entry.worker
    python = environments.build(entry).python
    return Place(python, entry.folder, folder / "worker.log", CORES, 1, worker.thread_variables, worker.variables)
