"""Measure how much faster a search is on three workers than on one, with simulated trials on this machine.

The trials sleep, so the figure is that of the driver, the scheduler and the wire, and holds where each worker has cores
of its own. So each worker takes a trial before the clock starts: what it imports would share the cores of this machine.
The driver makes a small search before that, as the first search of a process imports and loads what later ones have.
One worker does a third of the trials: what is done once, at the start and at the end, is then as large a share of its
time as of that of three. Prints JSON; exit code 1 where the speed-up is below 2.7.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

WORKERS, LEAST = 3, 2.7


def time_search(folder, workers, trials, sleep_s):
    """Return the seconds from the first job to the last record of a search on so many workers."""
    from bakeoff.cluster.dask import DaskEngine
    from bakeoff.common.progress import Board
    from bakeoff.search import jobs
    from bakeoff.search.driver import Driver
    from bakeoff.search.ledger import Ledger
    from bakeoff.search.study import Study
    from rich.console import Console

    from tests.cluster import node_jobs
    from tests.cluster.machines import HOSTS, Machines
    from tests.search.test_driver import carry_out, make_plan

    with Ledger.create(folder / "warm-up", make_plan(trials=2)) as ledger:
        carry_out(ledger)
    machines = Machines(folder / "cluster", hosts=HOSTS[:workers], sleep_s=sleep_s)
    try:
        with Ledger.create(folder / "results", make_plan(trials=trials, contestants=("one:eager",))) as ledger:
            cluster = machines.connect()
            job = jobs.Job(trial=0, backend="one", variant="eager", point={}, spec=ledger.plan.file.spec)
            warm = [cluster.send(node_jobs.warm_up, job.model_dump_json(), [each]) for each in cluster.workers()]
            for future in warm:
                future.result()
            engine = DaskEngine(cluster, node_jobs.run, jobs.describe_failure)
            study = Study(ledger.folder, ledger.plan.file, ledger.plan.sampler, ledger.plan.seed)
            started = time.monotonic()
            Driver(ledger, study, engine, Board(Console(), quiet=True)).carry_out()
            seconds = time.monotonic() - started
            engine.close()
            assert len(ledger.results) == trials
        return seconds
    finally:
        machines.stop()


def measure_speed_up(folder, trials=60, sleep_s=2.5):
    """Return how many times faster three workers are than one, by the seconds of a trial."""
    counts = {1: max(1, trials // WORKERS), WORKERS: trials}
    paces = {
        workers: time_search(folder / str(workers), workers, count, sleep_s) / count
        for workers, count in counts.items()
    }
    speed_up = paces[1] / paces[WORKERS]
    report = {"trials": trials, "sleep_s": sleep_s, "seconds_a_trial": paces, "speed_up": round(speed_up, 2)}
    print(json.dumps(report))
    return speed_up


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--sleep", type=float, default=2.5, help="seconds of a trial")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        return 0 if measure_speed_up(Path(parent), options.trials, options.sleep) >= LEAST else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
