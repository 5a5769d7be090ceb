"""Measures what the harness adds to a step: the time through its worker over that of the same model.py loop alone.

    python bench/overhead.py [--backends a,b:variant] [--rounds 8] [--blocks 40] [--spec FILE]

Both loops take the order of the rows as a NumPy array. Both run in the backend's own environment, on the same core, in
alternating slices of about 20 ms, each with a warm-up slice; the idle process is stopped and this program runs on
another core. In each round both processes are fresh and have a random memory layout. The program prints the paired
ratio with its 95 % interval for each variant, or why a backend does not support the network. The exit code is 1 where a
ratio is over 1.01.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from bakeoff.common import statistics
from bakeoff.registry import entries as registry_entries
from bakeoff.workers.cores import reserve_cores
from bakeoff.workers.place import THREAD_VARIABLES, worker_environment
from bakeoff.workers.session import Session
from problems import CORES, place_of, problem_of

HERE = Path(__file__).resolve().parent
LIMIT = 1.01
WARM_SLICES = 15  # 0.6 s with their warm-up slices


class Bare:
    """The model's loop in a process of its own, without the harness."""

    def __init__(self, entry, variant, place, problem, folder, idiom=None):
        saved = folder / "problem.npz"
        np.savez(saved, x=problem.x, y=problem.y, order=problem.order, **problem.arrays)
        config = {
            "cores": place.cores,
            "threads": place.threads,
            "thread_variables": [*THREAD_VARIABLES, *place.thread_variables],
            "problem": str(saved),
            "model": str(entry.folder / "model.py"),
            "bare": str(HERE / "bare" / f"{entry.name}.py"),
            "spec": problem.spec._asdict(),
            "variant": variant,
            "idioms": str(HERE / "idioms" / f"{entry.name}.py") if idiom else None,
            "idiom": idiom,
        }
        self.log = folder / f"bare {idiom}.log"
        self.process = subprocess.Popen(
            [str(place.python), "-s", str(HERE / "bare_worker.py"), json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("wb"),
            text=True,
            env=worker_environment(place),
            start_new_session=True,
        )

    def slice(self):
        """Run one slice; return its seconds."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the bare loop ended with exit code {self.process.wait()}:\n{self.log.read_text()}")
        return float(line)

    def pause(self):
        """Stop the process until `resume`."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        """Let the process run."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def close(self):
        """End the process."""
        self.process.kill()
        self.process.wait()


def prepare(session, variant, problem):
    """Build the network, and hand over the arrays and the rows."""
    session.build(problem.spec, "cpu", variant)
    session.load(problem.arrays)
    session.put(problem.x, problem.y)


def slice_steps(place, variant, problem):
    """Return how many steps take about 20 ms.

    In a process of its own: TensorFlow's XLA takes every step 3 % longer once it has seen a second number of them.
    """
    with Session(place) as session:
        prepare(session, variant, problem)
        # So many steps that the fixed cost of a call hardly changes the time of a step.
        session.train(problem.steps(64))
        return max(1, round(0.02 / (session.train_timed(problem.steps(64)).wall_s / 64)))


def with_layout(place, seed):
    """Return the place with the memory layout that `seed` gives (layout/sitecustomize.py)."""
    path = {"PYTHONPATH": str(HERE / "layout"), "BENCH_LAYOUT": str(seed)}
    return place._replace(variables={**place.variables, **path})


class Harness:
    """The loop in the harness's worker, with the methods of `Bare`."""

    def __init__(self, place, variant, problem):
        self.session, self.order = Session(place), problem.order
        self.pause, self.resume, self.close = self.session.pause, self.session.resume, self.session.close
        prepare(self.session, variant, problem)

    def slice(self):
        """Run one slice; return its seconds."""
        return self.session.train_timed(self.order, warm_up_slice=True).wall_s


def measure(entry, variant, problem, number, blocks, folder, spinners):
    """Return the steps of a slice, and the seconds of the slices (blocks,) through the harness and bare."""
    place = place_of(entry, folder)
    steps = slice_steps(place, variant, problem)
    problem = problem._replace(order=problem.steps(steps))
    rng = np.random.default_rng(number)
    start = {
        "harness": lambda own: Harness(own, variant, problem),
        "bare": lambda own: Bare(entry, variant, own, problem, folder),
    }
    loops = {}
    try:
        for name in rng.permutation(list(start)):  # as harness/measures/speed/rounds.py starts its workers
            with spinners.paused():
                loops[name] = start[name](with_layout(place, rng.integers(0, 2**31)))
                for _ in range(WARM_SLICES):
                    loops[name].slice()
            loops[name].pause()
        times = {name: [] for name in loops}
        for _ in range(blocks):
            for name in rng.permutation(list(loops)):
                loops[name].resume()
                with spinners.paused():
                    times[name].append(loops[name].slice())
                loops[name].pause()
    finally:
        for loop in loops.values():
            loop.close()
    return steps, np.array(times["harness"]), np.array(times["bare"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", help="backends as in `bakeoff run` (default: the default backends)")
    parser.add_argument("--rounds", type=int, default=8, help="rounds, each with a fresh pair of processes (default 8)")
    parser.add_argument("--blocks", type=int, default=40, help="blocks in a round (default 40)")
    parser.add_argument("--spec", help="a spec file (default: the default network)")
    options = parser.parse_args()
    problem = problem_of(options.spec)
    over = False
    print("| backend | steps a slice | harness / bare [95 %] |\n|---|---|---|")
    entries = registry_entries.read_all()
    for entry, variant in registry_entries.select(
        entries, options.backends or registry_entries.default_selection(entries)
    ):
        if reason := entry.unsupported(problem.spec):
            print(f"| {entry.name}:{variant} | | {reason} |", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder, reserve_cores(CORES) as spinners:
            rounds = [
                measure(entry, variant, problem, number, options.blocks, Path(folder), spinners)
                for number in range(options.rounds)
            ]
        steps, harness, bare = zip(*rounds)
        ratio = statistics.paired_ratio(list(harness), list(bare), statistics.scatter([list(harness), list(bare)]))
        interval = f"{ratio.estimate:.4f} [{ratio.low:.4f}, {ratio.high:.4f}]"
        print(f"| {entry.name}:{variant} | {min(steps)} to {max(steps)} | {interval} |", flush=True)
        over |= ratio.estimate > LIMIT
    sys.exit(int(over))


if __name__ == "__main__":
    main()
