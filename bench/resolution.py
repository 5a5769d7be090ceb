"""What timing can tell, and how often it is wrong: A/A trials, planted slowdowns, and the usual ways beside them.

    python bench/resolution.py collect FILE.jsonl --way turns --seconds 20 --trials 100
    python bench/resolution.py collect FILE.jsonl --way turns --seconds 30 --planted 0.02 --trials 40
    python bench/resolution.py collect FILE.jsonl --way pyperf --seconds 20 --trials 20
    python bench/resolution.py report FILE.jsonl [FILE.jsonl ...]

`collect` appends a trial a line, with all it measured, and goes on where it was interrupted: it counts the lines of the
same kind. `report` prints the table of docs/resolution.md from such files, and nothing else is in it.

A trial times NumPy's backend against itself, or against a twin whose `wait` returns `planted` later, as a share of what
the call took: by construction exactly that much slower. The ways, each given the same seconds of work in all:

    turns             Bakeoff's: rounds of fresh workers that take turns in slices of 20 ms
    blocks            one after the other, in one fresh worker each; the same slices, a bootstrap of the two medians
    pyperf            pyperf, one after the other; its own processes, its own test of significance
    pytest-benchmark  both in one process, one after the other; it has no test of significance
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from harness import conformance, registry, speed, statistics
from harness.session import THREAD_VARIABLES, Place, first_cores, keeping_off

HERE = Path(__file__).resolve().parent
HERE_TOO = {**os.environ, "PYTHONPATH": str(HERE.parent)}
"""So that a checkout that is not installed is found from another folder."""
BACKEND = "numpy_plain"
SLICE_S = 0.02
ROUND_S = 4.0
"""Of turns: so many rounds of fresh workers are taken as fit into the seconds, and at least four."""

TWIN = '''
"""The backend in `folder`, whose `wait` returns later, by a share of what the call took."""

import importlib, sys, time, types

package = types.ModuleType("original")
package.__path__ = [{folder!r}]
sys.modules["original"] = package
adapter = importlib.import_module("original.adapter")


class Backend(adapter.Backend):
    def train(self, order):
        self.started = time.perf_counter()
        return super().train(order)

    def wait(self):
        super().wait()
        until = time.perf_counter() + {planted} * (time.perf_counter() - self.started)
        while time.perf_counter() < until:
            pass
'''

PERF = """
import json, sys
import numpy as np, pyperf

sys.path.insert(0, {bench!r})
import resolution

run = resolution.runner({planted}, {threads})
runner = pyperf.Runner(processes={processes}, values=3, warmups=1, min_time=0.1, program_args=(__file__,))
runner.bench_func("train", run)
"""

PYTEST = """
import sys

sys.path.insert(0, {bench!r})
import pytest, resolution


@pytest.mark.parametrize("planted", [0.0, {planted}], ids=["first", "second"])
def test_train(benchmark, planted):
    benchmark(resolution.runner(planted, {threads}))
"""


def problem():
    """Return the default network on random rows."""
    case = next(each for each in conformance.cases(conformance.STANDARD) if each.label == "default-relu-adam float32")
    return speed.Problem(case.spec, case.arrays, case.x, case.y, case.order)


def runner(planted, threads):
    """Return a call of 20 ms of steps in this process, for the tools that time a function."""
    cores = first_cores(threads)
    if cores:
        os.sched_setaffinity(0, cores)
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    entry = registry.read_all()[BACKEND]
    with tempfile.TemporaryDirectory() as folder:
        twin = write_twin(Path(folder), entry.folder, planted)
        module = {}
        exec(compile((twin / "adapter.py").read_text(), "adapter.py", "exec"), module)
    given = problem()
    backend = module["Backend"](given.spec)
    backend.load(given.arrays)
    backend.put(given.x, given.y)
    order = given.steps(50)

    def run():
        backend.train(order)
        backend.wait()

    run()
    return run


def write_twin(parent, folder, planted):
    """Write the twin's folder under `parent`; return it."""
    twin = parent / "twin"
    twin.mkdir(parents=True)
    (twin / "adapter.py").write_text(TWIN.format(folder=str(folder), planted=planted))
    return twin


# One trial each way: what was measured, as JSON


def slices_of(contestants, rounds, turns, threads):
    """Return the seconds a step of each contestant, a list of rounds of turns, in interleaved slices."""
    cores = first_cores(threads)
    plan = speed.Plan(rounds, turns, SLICE_S, threads, cores, "cpu", beside=False)
    taken, steps = {}, {}

    def write(measure, quantity, value, unit="", **more):
        if measure == "failure":
            raise RuntimeError(value)
        if quantity == "slice":
            key = (more["control"], more["round"])
            taken.setdefault(key, []).append(float(f"{value / more['steps']:.6g}"))

    given = problem()
    with keeping_off(cores):
        for number in range(1, rounds + 1):
            speed.run_round(number, contestants, given, plan, write, steps, lambda line: None)
    return [[taken[side, number] for number in range(1, rounds + 1)] for side in sorted({key[0] for key in taken})]


def contestants(planted, threads, folder):
    """Return the backend, and its twin that is slower by `planted`: the same number of steps a slice for both."""
    entry = registry.read_all()[BACKEND]
    place = Place(Path(sys.executable), entry.folder, folder / "worker.log", first_cores(threads), threads)
    twins = [write_twin(folder / str(share), entry.folder, share) for share in (0.0, planted or 1e-12)]
    # Under one name, so that the slices of both have the steps of the first.
    return [
        speed.Contestant(BACKEND, "plain", place._replace(folder=twin), control=bool(index))
        for index, twin in enumerate(twins)
    ]


def turns(seconds, planted, threads, folder):
    rounds = max(4, round(seconds / ROUND_S))
    count = max(statistics.BLOCK, int(seconds / rounds / (2 * SLICE_S)))
    first, second = slices_of(contestants(planted, threads, folder), rounds, count, threads)
    return {"first": first, "second": second}


def blocks(seconds, planted, threads, folder):
    count = int(seconds / (2 * SLICE_S))
    return {
        name: slices_of([contestant], 1, count, threads)[0]
        for name, contestant in zip(("first", "second"), contestants(planted, threads, folder))
    }


def pyperf(seconds, planted, threads, folder):
    processes = max(2, round(seconds / 2 / 0.6))
    for name, share in (("first", 0.0), ("second", planted)):
        script = folder / f"{name}.py"
        script.write_text(PERF.format(bench=str(HERE), planted=share, threads=threads, processes=processes))
        command = [sys.executable, str(script), "-o", str(folder / f"{name}.json"), "--quiet", "--copy-env"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env=HERE_TOO)
    comparison = [sys.executable, "-m", "pyperf", "compare_to", "first.json", "second.json", "--verbose"]
    said = subprocess.run(comparison, check=True, capture_output=True, text=True, cwd=folder, env=HERE_TOO).stdout
    values = {}
    for name in ("first", "second"):
        runs = json.loads((folder / f"{name}.json").read_text())["benchmarks"][0]["runs"]
        values[name] = [[float(f"{value:.6g}") for value in run["values"]] for run in runs if "values" in run]
    return {**values, "significant": "Not significant" not in said and "not significant" not in said}


def pytest_benchmark(seconds, planted, threads, folder):
    (folder / "test_train.py").write_text(PYTEST.format(bench=str(HERE), planted=planted or 1e-12, threads=threads))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "test_train.py",
        "--benchmark-json=out.json",
        "-p",
        "no:cacheprovider",
    ]
    command += [f"--benchmark-max-time={seconds / 2}", "--benchmark-min-rounds=5"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=HERE_TOO)
    found = json.loads((folder / "out.json").read_text())["benchmarks"]
    return {name: [each["stats"]["data"]] for name, each in zip(("first", "second"), found)}


WAYS = {"turns": turns, "blocks": blocks, "pyperf": pyperf, "pytest-benchmark": pytest_benchmark}


def collect(options):
    """Append trials to the file until there are so many of this kind."""
    kind = {name: getattr(options, name) for name in ("way", "seconds", "planted", "threads")}
    have = sum(1 for trial in read([options.file]) if all(trial[key] == value for key, value in kind.items()))
    for number in range(have + 1, options.trials + 1):
        with tempfile.TemporaryDirectory() as folder:
            measured = WAYS[options.way](options.seconds, options.planted, options.threads, Path(folder))
        with open(options.file, "a", encoding="utf-8") as file:
            file.write(json.dumps({**kind, "trial": number, **measured}) + "\n")
        print(f"{kind}: {number} of {options.trials}", file=sys.stderr, flush=True)


# The report


def read(paths):
    """Return the trials of the files, .jsonl or .jsonl.gz."""
    trials = []
    for path in map(Path, paths):
        if path.exists():
            content = path.read_bytes()
            lines = gzip.decompress(content) if path.suffix == ".gz" else content
            trials += [json.loads(line) for line in lines.splitlines()]
    return trials


def judged(trial):
    """Return the ratio second / first, its interval's ends (NaN where the way has none), and whether 1 is excluded."""
    first, second = ([np.array(part) for part in trial[name]] for name in ("first", "second"))
    if trial["way"] == "turns":
        ratio = statistics.paired_ratio(second, first, statistics.scatter([list(first), list(second)]))
    elif trial["way"] == "blocks":
        ratio = statistics.unpaired_ratio(second, first)
    else:
        estimate = np.median(np.concatenate(second)) / np.median(np.concatenate(first))
        if trial["way"] == "pyperf":  # as it says: by means
            estimate = np.mean(np.concatenate(second)) / np.mean(np.concatenate(first))
        return float(estimate), np.nan, np.nan, trial.get("significant")
    return ratio.estimate, ratio.low, ratio.high, ratio.excludes(1)


def report(options):
    """Print the table: by way, seconds, threads and what was planted."""
    kinds = {}
    for trial in read(options.files):
        key = (trial["threads"], trial["planted"], trial["seconds"], list(WAYS).index(trial["way"]), trial["way"])
        kinds.setdefault(key, []).append(judged(trial))
    print("| threads | planted | seconds | way | trials | says different | scatter of the ratio | worst | half-width |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (threads, planted, seconds, _, way), found in sorted(kinds.items()):
        ratios, lows, highs, said = (np.array(each) for each in zip(*found))
        different = "it cannot say" if said[0] is None else f"{np.mean(said.astype(bool)):.0%}"
        half = np.median((highs - lows) / 2)
        off = ratios / (1 + planted) - 1
        print(
            f"| {threads} | {planted:.0%} | {seconds:g} | {way} | {len(found)} | {different} | {np.std(off):.2%} | "
            f"{np.abs(off).max():.1%} | {'-' if np.isnan(half) else f'{half:.2%}'} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("collect")
    command.add_argument("file")
    command.add_argument("--way", choices=WAYS, default="turns")
    command.add_argument("--seconds", type=float, default=20)
    command.add_argument("--planted", type=float, default=0.0)
    command.add_argument("--threads", type=int, default=1)
    command.add_argument("--trials", type=int, default=100)
    command.set_defaults(act=collect)
    command = commands.add_parser("report")
    command.add_argument("files", nargs="+")
    command.set_defaults(act=report)
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
