"""How often a run calls two equal programs different: the self-test of each mode, on an idle and on a busy machine.

    python bench/self_test.py collect FILE.jsonl --mode quick --machine idle --pairs 100 [--minutes 30]
    python bench/self_test.py report FILE.jsonl
    python bench/self_test.py names FILE.jsonl

A pair is NumPy's backend against itself, in processes of its own, by the rounds and blocks that the mode takes. With
`--quick` and by default a run has one pair, a variant and its self-test: nothing is pooled, the hardest case. With
`--budget 60s` a run has five pairs, about as many contestants as a run of the default backends, which share the 60 s.
The two of a pair are alike in all that a process gets, the length of their names included, as both copies of a run's
self-test are: pairs with names of different lengths came out different too often (bench/self_test.md).
On a busy machine two loops without a pause compete with the workers for the cores. `collect` appends a run as soon as
it is complete, and continues until the file has so many pairs of its kind, or the minutes are over. `report` prints
the table of bench/self_test.md, with an exact 95 % interval (Clopper-Pearson) of each share. `names` says whether the
division of a run's ten processes by the first part of their names separates their paces better than other halves do.
"""

import argparse
import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from bakeoff.common import machine, statistics
from bakeoff.measures.speed.rounds import HANDOVER_S
from bakeoff.runner.start import BLOCKS, BUDGET_ROUND_S, QUICK_BLOCKS, QUICK_ROUNDS, ROUNDS
from resolution import SLICE_S, contestants, measure_slices
from scipy import stats

BUDGET_S = 60.0
PAIRS = {"quick": 1, "default": 1, "budget 60s": 5}
"""The pairs of a run."""
BUDGET_CONTESTANTS = 2 * PAIRS["budget 60s"]
BUDGET_ROUNDS = int(BUDGET_S / (BUDGET_ROUND_S * BUDGET_CONTESTANTS))
BUDGET_BLOCKS = int(BUDGET_S / BUDGET_ROUNDS / (BUDGET_CONTESTANTS * (2 * SLICE_S + HANDOVER_S)))
MODES = {
    "quick": (QUICK_ROUNDS, QUICK_BLOCKS),
    "default": (ROUNDS, BLOCKS),
    "budget 60s": (BUDGET_ROUNDS, BUDGET_BLOCKS),
}
"""The rounds, and the blocks of each, as harness/runner works them out for so many contestants."""
PLACES = ("one", "two")
"""The names of the two of a pair: of one length."""
ALIKE, DIFFERENT = "alike", "5 and 6 letters"
"""The lengths of the two names; those of the first measurement were different."""
MACHINES = {"idle": 0, "busy": 2}
"""The busy loops beside."""


@contextlib.contextmanager
def busy_loops(count):
    """Run so many loops without a pause beside the caller."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def measure_run(mode):
    """Return the seconds a step of equal contestants, each a list of rounds of blocks; a pair are two of them."""
    rounds, blocks = MODES[mode]
    names = [f"{place}-{pair}" for pair in range(PAIRS[mode]) for place in PLACES]
    with tempfile.TemporaryDirectory() as folder:
        return measure_slices(contestants(dict.fromkeys(names, 0.0), 1, Path(folder)), rounds, blocks, 1)


def read(path):
    """Return the runs of a file; none where it does not exist."""
    path = Path(path)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def describe_names(run):
    """Return whether the names of a run's contestants have one length; those of the first measurement have two."""
    return ALIKE if len(set(map(len, run["measured"]))) == 1 else DIFFERENT


def collect(options):
    """Append runs until the file has so many pairs of this mode and machine, or the time is over."""
    kind = {"mode": options.mode, "machine": options.machine}
    runs = [run for run in read(options.file) if kind.items() <= run.items() and describe_names(run) == ALIKE]
    have = sum(len(run["measured"]) // 2 for run in runs)
    until = time.monotonic() + 60 * options.minutes
    with busy_loops(MACHINES[options.machine]):
        while have < options.pairs and time.monotonic() < until:
            started = datetime.now(UTC).isoformat(timespec="seconds")
            before = machine.counters()
            measured = measure_run(options.mode)
            between = machine.measure_change(before, machine.counters())._asdict()
            run = {**kind, "processor": machine.processor(), "started": started, "between": between}
            with open(options.file, "a", encoding="utf-8") as file:
                file.write(json.dumps({**run, "measured": measured}) + "\n")
            have += PAIRS[options.mode]
    print(f"{options.mode}, {options.machine}: {have} of {options.pairs} pairs", file=sys.stderr)


def judge(run):
    """Yield for each pair of a run the interval of its ratio, as the harness works it out from that run."""
    measured = [[np.array(blocks) for blocks in rounds] for rounds in run["measured"].values()]
    spread = statistics.scatter(measured)
    for first, second in zip(measured[::2], measured[1::2], strict=True):
        yield statistics.paired_ratio(second, first, spread)


def report(options):
    """Print the table: a row for each mode and machine."""
    kinds = {}
    for run in read(options.file):
        kind = (describe_names(run), run["mode"], run["machine"], run["processor"])
        kinds.setdefault(kind, []).extend(judge(run))
    print("| names | mode | machine | processor | pairs | false differences | share | 95 % interval | half-width |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for names, mode in itertools.product((ALIKE, DIFFERENT), MODES):
        for (its_names, its_mode, where, processor), found in sorted(kinds.items()):
            if (its_names, its_mode) == (names, mode):
                wrong = sum(bool(each.excludes(1)) for each in found)
                low, high = stats.binomtest(wrong, len(found)).proportion_ci()
                half = np.median([(each.high - each.low) / 2 for each in found])
                print(
                    f"| {names} | {mode} | {where} | {processor} | {len(found)} | {wrong} | {wrong / len(found):.1%} "
                    f"| {low:.1%} to {high:.1%} | {half:.2%} |"
                )


def compare_names(options):
    """Print, for names of one length and of two, how the division by name stands among all divisions into halves."""
    others = np.array(
        [[-1 if place in some else 1 for place in range(10)] for some in itertools.combinations(range(10), 5)]
    )
    for names in (ALIKE, DIFFERENT):
        squares, shares = [], []
        for run in read(options.file):
            if run["mode"] == "budget 60s" and describe_names(run) == names:
                logs = [np.log(rounds) for rounds in zip(*run["measured"].values(), strict=True)]
                paces = np.mean([np.median(each - np.median(each, axis=0), axis=1) for each in logs], axis=0)
                by_name, by_others = (np.resize([-1, 1], 10) @ paces) ** 2, (others @ paces) ** 2
                squares.append((by_name, by_others.mean()))
                shares.append(np.mean(by_others <= by_name))
        if squares:
            ratio = np.divide(*np.mean(squares, axis=0))
            best = sum(share >= 0.9 for share in shares)
            print(f"names {names}: {ratio:.1f} times the mean square of all halves; top tenth: {best} of {len(shares)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("collect")
    command.add_argument("file")
    command.add_argument("--mode", choices=MODES, required=True)
    command.add_argument("--machine", choices=MACHINES, default="idle")
    command.add_argument("--pairs", type=int, default=100, help="pairs that the file shall hold (default 100)")
    command.add_argument("--minutes", type=float, default=600, help="stop after so many minutes (default 600)")
    command.set_defaults(act=collect)
    command = commands.add_parser("report")
    command.add_argument("file")
    command.set_defaults(act=report)
    command = commands.add_parser("names")
    command.add_argument("file")
    command.set_defaults(act=compare_names)
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
