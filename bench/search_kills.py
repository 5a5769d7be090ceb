"""Kills a search at random moments, its driver and its workers, and checks that its record is whole.

    python bench/search_kills.py --trials 60 --workers 4 --kills 20

Every trial is a real training of plain NumPy in a worker process, in the interpreter that runs this script. A kill is
SIGKILL, of the driver or of one of its workers at random; a killed driver is started again. At the end there must be
one result for each trial, every result that was on the disk at a kill must still be there, and every setting must be
the one that an uninterrupted search tries. Prints what happened as JSON; exit code 1 where the record is not whole.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SPACE = """
spec.training.epochs = 3
spec.network.hidden = [16]
space.optimiser.learning_rate = { scale = "log", low = 1e-4, high = 0.1 }
space.optimiser.beta1 = { scale = "one-minus", low = 0.9, high = 0.999 }
"""
CONTESTANT = "numpy_plain:plain"
HOST = "127.0.0.1"


def plan_search(parent, trials, workers):
    from bakeoff.search import space
    from bakeoff.search.ledger import Ledger, Plan

    plan = Plan(file=space.parse(SPACE, "space"), contestants=(CONTESTANT,), sampler="random", trials=trials)
    with Ledger.create(Path(parent), plan.model_copy(update={"workers": workers})) as ledger:
        return ledger.folder


def use_numpy_here():
    """Run the jobs of plain NumPy in this interpreter."""
    from bakeoff.cluster import units
    from bakeoff.environments import Environment

    here = Environment(python=Path(sys.executable), folder=Path(sys.prefix), seconds=0, bytes=0, packages={})
    units.use_environment("numpy_plain", here)


def dask_setup(worker):
    """Prepare a worker of the cluster: Dask calls this as it loads the file."""
    use_numpy_here()


def make_engine(plan, cluster):
    """Return where the jobs run: here, or on the workers of a cluster (its address and the files of mutual TLS)."""
    from bakeoff.search.engine import LocalEngine

    if not cluster:
        return LocalEngine(plan.workers)
    from bakeoff.cluster.dask import Cluster, DaskEngine, Tls
    from bakeoff.search import jobs

    address, *files = cluster.split(",")
    return DaskEngine(Cluster(address, Tls(*map(Path, files)), timeout_s=60), jobs.run_job, jobs.describe_failure)


def drive(folder, cluster):
    """Carry the search out, or resume it."""
    from bakeoff.common.progress import Board
    from bakeoff.search.driver import Driver
    from bakeoff.search.ledger import Ledger
    from bakeoff.search.study import Study
    from rich.console import Console

    use_numpy_here()
    with Ledger(Path(folder)) as ledger, Board(Console()) as board:
        plan = ledger.plan
        engine = make_engine(plan, cluster)
        Driver(ledger, Study(ledger.folder, plan.file, plan.sampler, plan.seed), engine, board).carry_out()
        engine.close()


def start_cluster(parent, workers):
    from tests.cluster.machines import Machines

    found = Machines(parent / "cluster", hosts=(HOST,) * workers, preload=__file__)
    found.connect().close()
    return found


def start(folder, machines):
    command = [sys.executable, __file__, "--drive", str(folder)]
    if machines:
        command += ["--on", ",".join(map(str, (machines.address, *machines.tls)))]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def acknowledged(folder):
    """Return the results that are on the disk, as text: whole lines alone."""
    lines = (folder / "records.jsonl").read_bytes().splitlines(keepends=True)
    return {line for line in lines if line.endswith(b"\n") and b'"record":"result"' in line}


def kill_on_cluster(folder, driver, chance, machines):
    """Kill the driver or a worker of the cluster, and start it again; return as `kill` does."""
    before = acknowledged(folder)
    if chance.random() < 0.5:
        driver.kill()
        driver.wait()
        return "driver", acknowledged(folder), start(folder, machines)
    place = chance.randrange(len(machines.workers))
    machines.workers[place].kill()
    machines.workers[place].wait()
    machines.workers[place] = machines.start_worker(HOST)
    return "worker", before, driver


def kill(folder, driver, chance):
    """Kill the driver or one of its workers. Return which, the results on the disk, and the driver that runs now."""
    before, workers = acknowledged(folder), []
    until = time.monotonic() + 20 * (chance.random() < 0.5)  # a worker that runs, or 0 s: the driver
    while not workers and time.monotonic() < until and driver.poll() is None:
        workers = psutil.Process(driver.pid).children()
        time.sleep(0.01)
    if workers:
        try:
            chance.choice(workers).send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            return None, before, driver
        return "worker", before, driver
    driver.kill()
    driver.wait()
    return "driver", acknowledged(folder), start(folder, None)


def torture(folder, kills, seed, machines):
    """Kill until `kills` hit something, then let the search end; return what happened."""
    chance = random.Random(seed)
    hits = {"driver": 0, "worker": 0}
    seen = set()
    driver = start(folder, machines)
    while sum(hits.values()) < kills and driver.poll() is None:
        time.sleep(chance.uniform(0.1, 3.5))
        if driver.poll() is None:
            killed = kill_on_cluster(folder, driver, chance, machines) if machines else kill(folder, driver, chance)
            which, on_disk, driver = killed
            seen |= on_disk
            if which:
                hits[which] += 1
    while driver.wait() != 0:
        driver = start(folder, machines)
    return {"kills": hits, "seen": seen}


def examine(folder, happened):
    """Return the report: what the record has, and what it lacks."""
    from bakeoff.search.ledger import Ledger

    with Ledger(folder, write=False) as ledger:
        file, plan = ledger.plan.file, ledger.plan
        numbers = [json.loads(line)["trial"] for line in acknowledged(folder)]
        moved = [n for n, each in ledger.planned.items() if each.point != file.random_point(plan.seed, n)]
        outcomes = {each.outcome for each in ledger.results.values()}
    return {
        "trials": plan.trials,
        "results": len(numbers),
        "twice": len(numbers) - len(set(numbers)),
        "missing": sorted(set(range(plan.trials)) - set(numbers)),
        "lost": len(happened["seen"] - acknowledged(folder)),
        "other_settings": moved,
        "outcomes": sorted(outcomes),
        "kills": happened["kills"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cluster", action="store_true", help="on a Dask cluster that is started here")
    parser.add_argument("--drive", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--on", metavar="ADDRESS,CA,CERT,KEY", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        drive(options.drive, options.on)
        return 0
    with tempfile.TemporaryDirectory() as parent:
        folder = plan_search(parent, options.trials, options.workers)
        machines = start_cluster(Path(parent), options.workers) if options.cluster else None
        try:
            report = examine(folder, torture(folder, options.kills, options.seed, machines))
        finally:
            if machines:
                machines.stop()
    print(json.dumps(report))
    whole = report["results"] == options.trials and report["outcomes"] == ["complete"]
    return 0 if whole and not (report["twice"] or report["lost"] or report["other_settings"]) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main())
