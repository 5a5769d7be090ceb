"""Measures how small a difference the timing detects, and how often it is wrong: A/A trials and planted slowdowns.

    python bench/resolution.py collect FILE.jsonl --way alternating --threads 1 --trials 10
    python bench/resolution.py collect FILE.jsonl --way pyperf --threads 1 --trials 10
    python bench/resolution.py report FILE.jsonl [FILE.jsonl ...]

`collect` appends one line for each trial, with all its measurements. After an interruption it continues: it counts the
lines of the same kind. `report` prints the table of bench/resolution.md from such files, and the table has nothing
else. No trial is left out; trials in which the host of a virtual machine took more time than `bakeoff doctor` rates
fine have rows of their own.

A trial times NumPy's backend against twins whose `wait` returns later by a planted share of the call's time: by
construction they are exactly that much slower. `SECONDS` sets the seconds of each share, of both sides together. The
time to start, to warm up and to take warm-up slices is additional. The ways:

    alternating       Bakeoff's: rounds of fresh workers that alternate in slices of 10 ms. Five equal workers and the
                      slower twins are in the same blocks, for the longest of the times; the shorter times are parts
                      of it. Every pair is read as a run: of the 30 pairs of equals in a trial, 6 share no process.
                      The pairs are also read as default runs: two rounds of 40 blocks
    sequential        one after the other, in one fresh worker each; the same slices, a bootstrap of the two medians
    pyperf            pyperf, one after the other; its own processes, its own test of significance
    pytest-benchmark  both in one process, one after the other; it has no test of significance
"""

import argparse
import gzip
import itertools
import json
import os
import secrets
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bakeoff.common import machine, statistics
from bakeoff.measures.speed import figures, ratings
from bakeoff.measures.speed import rounds as speed_rounds
from bakeoff.registry import entries
from bakeoff.runner.start import BLOCKS, ROUNDS
from bakeoff.workers.cores import first_cores
from bakeoff.workers.place import THREAD_VARIABLES, Place
from problems import problem_of

HERE = Path(__file__).resolve().parent
HERE_TOO = {**os.environ, "PYTHONPATH": str(HERE.parent)}
"""The environment of subprocesses that run in another folder: it finds a checkout that is not installed."""
BACKEND = "numpy_plain"
SLICE_S = 0.01
SECONDS = {0.0: 20, 0.02: 30, 0.01: 60}
"""The seconds of a trial, for each planted share."""
EQUALS = tuple(f"equal {number}" for number in range(1, 6))
ROUND_S = 2.5
"""Seconds of the slices of two contestants in a round. Two processes of one program differ by about 1 %, and the slices
of one process by a fraction of that, so many short rounds give a narrower interval than a few long ones."""
DEFAULT_RUN = "alternating, a default run"
"""The rounds and blocks of `bakeoff run` without options, and the scatter of processes of all contestants together."""
DEFAULT_RUN_S = 2 * SLICE_S * ROUNDS * BLOCKS
AT_ONCE_S = 1e-4
"""Seconds: a call of `train` that follows another one sooner comes after its warm-up slice, within the worker."""

TWIN = '''
"""The backend in `folder`, whose `wait` returns later, by a share of the call's time.

Not after a warm-up slice: in a pause there a second thread could fall asleep, and waking it would lengthen the slice.
"""

import importlib, sys, time, types

package = types.ModuleType("original")
package.__path__ = [{folder!r}]
sys.modules["original"] = package
adapter = importlib.import_module("original.adapter")


class Backend(adapter.Backend):
    ended = 0

    def train(self, order):
        self.started = time.perf_counter()
        self.planted = {planted} if self.started - self.ended < {at_once} else 0
        return super().train(order)

    def wait(self):
        super().wait()
        until = time.perf_counter() + self.planted * (time.perf_counter() - self.started)
        while time.perf_counter() < until:
            pass
        self.ended = time.perf_counter()
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

FORMER_NAMES = {"turns": "alternating", "blocks": "sequential"}
"""The names of two ways in the data that older versions of this program collected."""


def runner(planted, threads):
    """Return a call of 20 ms of steps in this process, for the tools that time a function."""
    cores = first_cores(threads)
    if cores:
        os.sched_setaffinity(0, cores)
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    entry = entries.read_all()[BACKEND]
    with tempfile.TemporaryDirectory() as folder:
        twin = write_twin(Path(folder), entry.folder, planted)
        module = {}
        exec(compile((twin / "adapter.py").read_text(), "adapter.py", "exec"), module)
    problem = problem_of()
    backend = module["Backend"](problem.spec)
    backend.load(problem.arrays)
    backend.put(problem.x, problem.y)
    order = problem.steps(50)

    def run():
        backend.train(order)
        backend.wait()

    run()
    return run


def write_twin(parent, folder, planted):
    """Write the twin's folder under `parent`; return it."""
    twin = parent / "twin"
    twin.mkdir(parents=True)
    (twin / "adapter.py").write_text(TWIN.format(folder=str(folder), planted=planted, at_once=AT_ONCE_S))
    return twin


# One trial of each way; its measurements are JSON


def measure_slices(contestants, rounds, blocks, threads):
    """Return the seconds a step of each contestant, a list of rounds of blocks, in alternating slices."""
    cores = first_cores(threads)
    plan = speed_rounds.Plan(
        rounds, blocks, SLICE_S, threads, cores, "cpu", secrets.randbits(32), measure_peak_and_latency=False
    )
    taken, steps = {}, {}

    def write(figure, value, **keys):
        if figure == figures.FAILED:
            raise RuntimeError(value)
        if figure == figures.SLICE:
            of_round = taken.setdefault((keys["variant"], keys["round"]), [])
            of_round.append(float(f"{value / keys['steps']:.5g}"))

    problem = problem_of()
    for number in range(1, rounds + 1):
        speed_rounds.run_round(number, contestants, problem, plan, write, steps, lambda line: None)
    return {each.variant: [taken[each.variant, number] for number in range(1, rounds + 1)] for each in contestants}


class Alike(speed_rounds.Contestant):
    """A contestant whose slices have as many steps as those of the others, as both copies of a self-test do."""

    backend_variant = (BACKEND, "plain")


def contestants(twins, threads, folder):
    """Return one contestant for each twin; `twins` maps its name to the share by which it is slower."""
    entry = entries.read_all()[BACKEND]
    place = Place(Path(sys.executable), entry.folder, folder / "worker.log", first_cores(threads), threads)
    return [
        Alike(BACKEND, name, place._replace(folder=write_twin(folder / name, entry.folder, share)))
        for name, share in twins.items()
    ]


def measure_alternating(threads, folder):
    rounds = round(max(SECONDS.values()) / ROUND_S)
    twins = {**dict.fromkeys(EQUALS, 0.0), **{str(share): share for share in SECONDS if share}}
    return measure_slices(contestants(twins, threads, folder), rounds, int(ROUND_S / (2 * SLICE_S)), threads)


def measure_each_share(measure):
    """Return a function that measures a trial: two sides for each planted share, one after the other."""

    def measure_trial(threads, folder):
        found = {}
        for share, seconds in SECONDS.items():
            (folder / str(share)).mkdir()
            found[str(share)] = measure(seconds, share, threads, folder / str(share))
        return found

    return measure_trial


def measure_sequential(seconds, planted, threads, folder):
    first, second = contestants({"first": 0.0, "second": planted}, threads, folder)
    count = int(seconds / (2 * SLICE_S))
    sides = [measure_slices([side], 1, count, threads)[side.variant] for side in (first, second)]
    return dict(zip(("first", "second"), sides))


def measure_with_pyperf(seconds, planted, threads, folder):
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
        values[name] = [[float(f"{value:.5g}") for value in run["values"]] for run in runs if "values" in run]
    return {**values, "significant": "not significant" not in said.lower()}


def measure_with_pytest_benchmark(seconds, planted, threads, folder):
    (folder / "test_train.py").write_text(PYTEST.format(bench=str(HERE), planted=planted or 1e-12, threads=threads))
    command = [sys.executable, "-m", "pytest", "-q", "test_train.py", "-p", "no:cacheprovider"]
    command += ["--benchmark-json=out.json", f"--benchmark-max-time={seconds / 2}", "--benchmark-min-rounds=5"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=HERE_TOO)
    found = json.loads((folder / "out.json").read_text())["benchmarks"]
    return {
        name: [[float(f"{value:.5g}") for value in each["stats"]["data"]]]
        for name, each in zip(("first", "second"), found)
    }


WAYS = {
    "alternating": measure_alternating,
    "sequential": measure_each_share(measure_sequential),
    "pyperf": measure_each_share(measure_with_pyperf),
    "pytest-benchmark": measure_each_share(measure_with_pytest_benchmark),
}


def collect(options):
    """Append trials to the file until there are so many of this kind."""
    kind = {"way": options.way, "threads": options.threads}
    have = sum(1 for trial in read([options.file]) if all(trial[key] == value for key, value in kind.items()))
    for number in range(have + 1, options.trials + 1):
        started = datetime.now(UTC).isoformat(timespec="seconds")
        before = machine.counters()
        with tempfile.TemporaryDirectory() as folder:
            measured = WAYS[options.way](options.threads, Path(folder))
        between = machine.measure_change(before, machine.counters())._asdict()
        with open(options.file, "a", encoding="utf-8") as file:
            trial = {**kind, "processor": machine.processor(), "started": started, "between": between}
            file.write(json.dumps({**trial, "measured": measured}) + "\n")
        print(f"{kind}: {number} of {options.trials}", file=sys.stderr, flush=True)


# The report


def read(paths):
    """Return the trials of the files, .jsonl or .jsonl.gz, with the present names of the ways."""
    trials = []
    for path in map(Path, paths):
        if path.exists():
            content = path.read_bytes()
            lines = gzip.decompress(content) if path.suffix == ".gz" else content
            trials += [json.loads(line) for line in lines.splitlines()]
    return [{**trial, "way": FORMER_NAMES.get(trial["way"], trial["way"])} for trial in trials]


class Comparison(NamedTuple):
    """Two sides of a trial, as one array (blocks,) for each round, and how they were taken."""

    way: str
    share: float
    seconds: float
    first: list
    second: list
    processes: statistics.Scatter = statistics.UNKNOWN
    significant: bool | None = None
    """The result of the way's own test of significance; None where it has none."""


def comparisons(trial):
    """Yield the comparisons of a trial."""
    way, measured = trial["way"], trial["measured"]
    if way != "alternating":
        for share, both in measured.items():
            sides = ([np.array(part) for part in both[name]] for name in ("first", "second"))
            yield Comparison(way, float(share), SECONDS[float(share)], *sides, significant=both.get("significant"))
        return
    sides = {name: [np.array(blocks) for blocks in rounds] for name, rounds in measured.items()}
    count = len(sides[EQUALS[0]])
    for share, seconds in SECONDS.items():
        if share and str(share) not in sides:  # bench/resolution.md says which trial
            continue
        pairs = [(equal, str(share)) for equal in EQUALS] if share else list(itertools.combinations(EQUALS, 2))
        rounds = round(seconds / ROUND_S)
        for begin in range(0, count, rounds):
            for pair in pairs:
                first, second = (sides[name][begin : begin + rounds] for name in pair)
                yield Comparison(way, share, seconds, first, second, statistics.scatter([first, second]))
        for begin in range(0, count, ROUNDS):
            run = {
                name: [blocks[:BLOCKS] for blocks in rounds[begin : begin + ROUNDS]] for name, rounds in sides.items()
            }
            processes = statistics.scatter(list(run.values()))
            for first, second in pairs:
                yield Comparison(DEFAULT_RUN, share, DEFAULT_RUN_S, run[first], run[second], processes)


def judge(each):
    """Return the ratio second / first, its interval's ends (NaN where it has none), and whether it excludes 1."""
    if each.way in ("alternating", DEFAULT_RUN):
        ratio = statistics.paired_ratio(each.second, each.first, each.processes)
    elif each.way == "sequential":
        ratio = statistics.unpaired_ratio(each.second, each.first)
    else:
        centre = np.mean if each.way == "pyperf" else np.median  # pyperf compares means
        estimate = centre(np.concatenate(each.second)) / centre(np.concatenate(each.first))
        return float(estimate), np.nan, np.nan, each.significant
    return ratio.estimate, ratio.low, ratio.high, ratio.excludes(1)


def report(options):
    """Print the table, by threads, planted share, way, processor, and the rating of stolen time by `bakeoff doctor`."""
    kinds = {}
    ways = [DEFAULT_RUN, *WAYS]
    for number, trial in enumerate(read(options.files)):
        stolen = ratings.rate_stolen_time(machine.Change(**trial["between"])).rating
        for each in comparisons(trial):
            place, way = list(SECONDS).index(each.share), ways.index(each.way)
            key = (trial["threads"], place, way, each.seconds, trial["processor"], stolen)
            kinds.setdefault(key, []).append((number, *judge(each)))
    heads = ["threads", "planted", "seconds", "way", "processor", "stolen time", "trials", "runs"]
    heads += ["reports a difference", "scatter of the ratio", "worst", "half-width"]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for (threads, place, way, seconds, processor, stolen), found in sorted(kinds.items()):
        share = list(SECONDS)[place]
        trials, ratios, lows, highs, said = (np.array(each) for each in zip(*found))
        off = ratios / (1 + share) - 1
        half = np.median((highs - lows) / 2)
        cells = [
            threads,
            f"{share:.0%}",
            f"{seconds:g}",
            ways[way],
            processor,
            stolen,
            len(set(trials)),
            len(found),
        ]
        cells.append("it has no test" if said[0] is None else f"{np.mean(said.astype(bool)):.1%}")
        cells += ["-" if len(found) < 2 else f"{np.std(off, ddof=1):.2%}", f"{np.abs(off).max():.1%}"]
        cells.append("-" if np.isnan(half) else f"{half:.2%}")
        print("| " + " | ".join(map(str, cells)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("collect")
    command.add_argument("file")
    command.add_argument("--way", choices=WAYS, default="alternating", help="default alternating")
    command.add_argument("--threads", type=int, default=1, help="threads of each worker (default 1)")
    command.add_argument("--trials", type=int, default=34, help="trials that the file shall hold (default 34)")
    command.set_defaults(act=collect)
    command = commands.add_parser("report")
    command.add_argument("files", nargs="+")
    command.set_defaults(act=report)
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
