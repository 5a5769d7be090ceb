"""Which share of the differences that a run claims are claimed by another run, hours later.

    python bench/recurrence.py collect FOLDER --runs 10 --every 20 [-- --backends default]
    python bench/recurrence.py report FOLDER

`collect` makes runs of the default comparison (`bakeoff run`, with the options after `--`) in FOLDER, one after the
other, until it has so many complete ones; it continues where it was interrupted. `report` takes every ordered pair of
those runs: of the differences that the first claims, those whose two variants the second timed too, which share does
the second claim with the same sign, not know, or claim with the opposite sign? It prints them by the size of the
difference, and by the hours between the two runs.
"""

import argparse
import itertools
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from bakeoff.records import read
from bakeoff.report.recurrence import claimed_differences, find_again
from bakeoff.report.report import Report

SIZES = ((0.0, 0.02, "up to 2 %"), (0.02, 0.1, "2 to 10 %"), (0.1, float("inf"), "over 10 %"))
"""Of the ratio of two step times, less 1, in the run that claims it."""
HOURS = ((0.0, 1.0, "up to an hour"), (1.0, 24.0, "1 to 24 hours"), (24.0, float("inf"), "over a day"))


def complete_runs(folder):
    """Return the reports of the complete runs in a folder that timed more than one variant, oldest first."""
    states, _ = read.list_runs(folder)
    reports = [Report(state.folder) for state in reversed(states) if state.complete]
    return [each for each in reports if len(each.step_times.variants) > 1]


def collect(options):
    """Run the comparison until the folder has so many complete runs, one every so many minutes."""
    folder = Path(options.folder)
    while (have := len(complete_runs(folder))) < options.runs:
        began = time.monotonic()
        command = [sys.executable, "-m", "bakeoff", "run", "--results", str(folder), *options.options]
        code = subprocess.run(command, check=False).returncode
        if code not in (0, 3):  # 3: the self-test failed; the run is complete, and counts
            sys.exit(f"`{' '.join(command)}` ended with exit code {code}.")
        if have + 1 < options.runs:
            time.sleep(max(0.0, 60 * options.every - (time.monotonic() - began)))


def share_table(title, groups, rows):
    """Print the shares of `rows`, (value, word) a claim, by the group that the value falls into."""
    print(f"\n| {title} | claims | same sign | not known | opposite sign |")
    print("| --- | --- | --- | --- | --- |")
    for low, high, name in (*groups, (0.0, float("inf"), "all")):
        words = [word for value, word in rows if low <= value < high]
        if words:
            shares = (f"{words.count(word) / len(words):.1%}" for word in ("recurring", "undecided", "reversed"))
            print(f"| {name} | {len(words)} | {' | '.join(shares)} |")


def report(options):
    """Print the shares over all ordered pairs of runs."""
    runs = complete_runs(Path(options.folder))
    sizes, hours = [], []
    for first, second in itertools.permutations(runs, 2):
        began = [datetime.fromisoformat(each.header["created"]) for each in (first, second)]
        apart = abs((began[1] - began[0]).total_seconds()) / 3600
        found = find_again(claimed_differences(first.step_times), second.step_times)
        for word in ("recurring", "undecided", "reversed"):
            for claim in getattr(found, word):
                sizes.append((first.step_times.ratio(claim.slower, claim.faster).estimate - 1, word))
                hours.append((apart, word))
    print(f"{len(runs)} runs, {len(sizes)} claims in {len(runs) * (len(runs) - 1)} ordered pairs of runs.")
    share_table("difference", SIZES, sizes)
    share_table("between the runs", HOURS, hours)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("collect")
    command.add_argument("folder")
    command.add_argument("--runs", type=int, default=10, help="complete runs that the folder shall hold (default 10)")
    command.add_argument("--every", type=float, default=20, help="minutes from one start to the next (default 20)")
    command.add_argument("options", nargs="*", help="options of bakeoff run, after --")
    command.set_defaults(act=collect)
    command = commands.add_parser("report")
    command.add_argument("folder")
    command.set_defaults(act=report)
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
