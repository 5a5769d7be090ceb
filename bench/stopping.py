"""How often `bakeoff run --until` calls equal programs different, although it looks after every round.

    python bench/stopping.py simulate --runs 2000
    python bench/stopping.py collect FILE.jsonl --runs 20 --until 2 --rounds 20
    python bench/stopping.py report FILE.jsonl

`simulate` prints the table of bench/stopping.md: made-up runs of equal variants, with the rule of the harness
(harness/measures/speed/stopping.py). Beside it stands a usual 95 % interval (Student's t) of the same values, examined
as often. `collect` times NumPy's backend against itself in real rounds of fresh processes, and appends a run a line
with all that it measured; it goes on where it was interrupted. `report` counts the false differences among them.
"""

import argparse
import json
import secrets
import sys
import tempfile
from pathlib import Path

import numpy as np
from bakeoff.common import anytime, machine
from bakeoff.measures.speed import figures, stopping
from bakeoff.measures.speed import rounds as speed_rounds
from bakeoff.registry import entries
from bakeoff.workers.cores import first_cores
from bakeoff.workers.place import Place
from problems import problem_of
from scipy import stats

MOST_ROUNDS = 40
BLOCKS = 16
SLICE_S = 0.01
NAME = ("numpy_plain", "plain")
FIRST, SECOND = (*NAME, False), (*NAME, True)
SPREADS = (0.002, 0.005, 0.01, 0.02)
"""Of the paces of processes: on a quiet machine they differ by half a per cent, on a busy one by more than one."""
SHAPES = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "heavy tails (t, 3 degrees)": lambda rng, size: rng.standard_t(3, size) / np.sqrt(3),
    "skewed (exponential)": lambda rng, size: rng.exponential(size=size) - 1,
}
"""Of the logarithm of a process's pace, scaled to a standard deviation of 1."""


def stop(log_ratios, critical, until):
    """Return after how many rounds each run stops, and whether its interval then excludes a ratio of 1.

    `log_ratios` (runs, rounds) are made up; the half-width of an interval is `critical(rounds)` standard errors.
    """
    runs, most = log_ratios.shape
    stopped, wrong = np.full(runs, most), np.zeros(runs, bool)
    active = np.ones(runs, bool)
    for number in range(stopping.LEAST_ROUNDS, most + 1):
        part = log_ratios[:, :number]
        half_width = critical(number) * part.std(axis=1, ddof=1) / np.sqrt(number)
        ends = active & ((np.expm1(half_width) <= until) | (number == most))
        stopped[ends], wrong[ends] = number, (np.abs(part.mean(axis=1)) > half_width)[ends]
        active &= ~ends
    return stopped, wrong


def stop_by_harness(log_ratios, until):
    """Return the same of one run, by the rule of the harness itself: `simulate` compares the two."""
    for number in range(stopping.LEAST_ROUNDS, len(log_ratios) + 1):
        first = [np.array([each]) for each in np.exp(log_ratios[:number])]
        times = {FIRST: first, SECOND: [np.ones(1)] * number}
        if stopping.reason_to_stop(times, [1.0] * number, until, float("inf")) or number == len(log_ratios):
            return number, stopping.ratio_interval(first, times[SECOND]).excludes(1)
    raise ValueError("a run needs two rounds")


def simulate(options):
    """Print the share of made-up runs of equal programs that stop with a false difference."""

    def anytime_valid(number):
        return anytime.critical_t(number)

    def usual(number):
        return stats.t.ppf(0.975, number - 1)

    until = options.until / 100
    print("| paces differ by | their distribution | false differences | rounds | with a usual interval |")
    print("| --- | --- | --- | --- | --- |")
    for shape, draw in SHAPES.items():
        for spread in SPREADS:
            paces = spread * draw(np.random.default_rng(0), (2, options.runs, MOST_ROUNDS))
            log_ratios = paces[0] - paces[1]
            rounds, wrong = stop(log_ratios, anytime_valid, until)
            for run in range(5):
                assert stop_by_harness(log_ratios[run], until) == (rounds[run], wrong[run])
            naive = stop(log_ratios, usual, until)[1]
            shares = f"{wrong.mean():.1%} | {np.median(rounds):.0f} | {naive.mean():.1%}"
            print(f"| {spread:.1%} | {shape} | {shares} |".replace("%", " %"), flush=True)


def collect(options):
    """Append real A/A runs to the file, until there are so many."""
    have = len(options.file.read_text().splitlines()) if options.file.exists() else 0
    entry = entries.read_all()[NAME[0]]
    for number in range(have + 1, options.runs + 1):
        before, cores, steps = machine.counters(), first_cores(1), {}
        taken = {key: {} for key in (FIRST, SECOND)}

        def write(figure, value, taken=taken, **keys):
            if figure == figures.FAILED:
                raise RuntimeError(value)
            if figure == figures.SLICE:
                rounds = taken[(*NAME, keys["self_test"])]
                rounds.setdefault(keys["round"], []).append(float(f"{value / keys['steps']:.5g}"))

        with tempfile.TemporaryDirectory() as folder:
            place = Place(Path(sys.executable), entry.folder, Path(folder) / "worker.log", cores)
            one = speed_rounds.Contestant(*NAME, place)
            contestants = [one, one._replace(self_test=True)]
            seed = secrets.randbits(32)
            plan = speed_rounds.Plan(0, BLOCKS, SLICE_S, 1, cores, "cpu", seed, measure_peak_and_latency=False)
            for taking in range(1, options.rounds + 1):
                speed_rounds.run_round(taking, contestants, problem_of(), plan, write, steps, lambda line: None)
                times = {key: [np.array(each) for each in rounds.values()] for key, rounds in taken.items()}
                if stopping.reason_to_stop(times, [1.0] * taking, options.until / 100, float("inf")):
                    break
        between = machine.measure_change(before, machine.counters())._asdict()
        measured = {
            "until": options.until / 100,
            "first": [*taken[FIRST].values()],
            "second": [*taken[SECOND].values()],
        }
        with options.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"processor": machine.processor(), "between": between, **measured}) + "\n")
        print(f"{number} of {options.runs}: {taking} rounds", file=sys.stderr, flush=True)


def report(options):
    """Print how many of the real runs of equal programs stopped with a false difference."""
    found = []
    for line in options.file.read_text().splitlines():
        run = json.loads(line)
        first, second = ([np.array(each) for each in run[side]] for side in ("first", "second"))
        known = stopping.examine({FIRST: first, SECOND: second}).worst
        found.append((len(first), known <= run["until"], stopping.ratio_interval(first, second).excludes(1)))
    rounds, reached, wrong = np.array(found, float).T
    print(
        f"{len(found)} real runs, {int(wrong.sum())} with a false difference, {int(reached.sum())} that reached their "
        f"precision, in {np.median(rounds):.0f} rounds (median; {rounds.min():.0f} to {rounds.max():.0f})"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, act, runs in (("simulate", simulate, 2000), ("collect", collect, 20), ("report", report, 0)):
        command = commands.add_parser(name)
        command.set_defaults(act=act)
        if act is not simulate:
            command.add_argument("file", type=Path)
        if act is not report:
            command.add_argument("--runs", type=int, default=runs)
            command.add_argument("--until", type=float, default=2.0, help="per cent")
        if act is collect:
            command.add_argument("--rounds", type=int, default=20, help="at most")
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
