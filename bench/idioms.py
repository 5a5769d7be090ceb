"""Checks whether each variant is as fast as the other ways that its framework teaches for the same steps.

    python bench/idioms.py [--backends a,b:variant] [--rounds 6] [--blocks 40] [--spec FILE]

The other ways are in idioms/<backend>.py, each under a description. In each round the variant's own loop and every
other way have a fresh process with a random memory layout. They alternate in slices of about 20 ms on one core, each
with a warm-up slice: the same steps, untimed, before it. The program prints the ratio of each way's time to that of the
own loop with its 95 % interval: below 1, the other way is faster. The exit code is 1 where the interval of one lies
below 0.98.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from bakeoff.common import statistics
from bakeoff.registry import entries as registry_entries
from bakeoff.workers.cores import reserve_cores
from overhead import HERE, WARM_SLICES, Bare, slice_steps, with_layout
from problems import CORES, place_of, problem_of

OWN = "as it is"
"""The name of the variant's own loop."""
LIMIT = 0.98
"""The upper end of an interval below which another way is faster by more than 2 %."""


def idioms_of(entry, variant):
    """Return the names of the other ways of a variant, without importing the framework."""
    path = HERE / "idioms" / f"{entry.name}.py"
    if not path.exists():
        return []
    listed = re.search(rf'^    "{variant}": \{{(.*?)^    \}},', path.read_text(), re.MULTILINE | re.DOTALL)
    return re.findall(r'^        "([^"]+)":', listed[1], re.MULTILINE) if listed else []


def measure(entry, variant, names, problem, number, blocks, folder, spinners):
    """Return {way: seconds of its slices (blocks,)} of one round."""
    place = place_of(entry, folder)
    problem = problem._replace(order=problem.steps(slice_steps(place, variant, problem)))
    rng = np.random.default_rng(number)
    ways = {}
    try:
        for name in map(str, rng.permutation([OWN, *names])):  # as harness/measures/speed/rounds.py starts its workers
            idiom = None if name == OWN else name
            own = with_layout(place, rng.integers(0, 2**31))
            with spinners.paused():
                ways[name] = Bare(entry, variant, own, problem, folder, idiom)
                for _ in range(WARM_SLICES):
                    ways[name].slice()
            ways[name].pause()
        times = {name: [] for name in ways}
        for _ in range(blocks):
            for name in rng.permutation(list(ways)):
                ways[name].resume()
                with spinners.paused():
                    times[name].append(ways[name].slice())
                ways[name].pause()
    finally:
        for way in ways.values():
            way.close()
    return {name: np.array(taken) for name, taken in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", help="backends as in `bakeoff run` (default: the default backends)")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of fresh processes (default 6)")
    parser.add_argument("--blocks", type=int, default=40, help="blocks in a round (default 40)")
    parser.add_argument("--spec", help="a spec file (default: the default network)")
    options = parser.parse_args()
    problem = problem_of(options.spec)
    entries = registry_entries.read_all()
    faster = False
    print("| backend | another way | its time / the variant's [95 %] |\n|---|---|---|")
    for entry, variant in registry_entries.select(
        entries, options.backends or registry_entries.default_selection(entries)
    ):
        names = idioms_of(entry, variant)
        if not names:
            continue
        with tempfile.TemporaryDirectory() as folder, reserve_cores(CORES) as spinners:
            rounds = [
                measure(entry, variant, names, problem, number, options.blocks, Path(folder), spinners)
                for number in range(options.rounds)
            ]
        by_way = {name: [each[name] for each in rounds] for name in rounds[0]}
        processes = statistics.scatter(list(by_way.values()))
        for name in names:
            ratio = statistics.paired_ratio(by_way[name], by_way[OWN], processes)
            interval = f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
            print(f"| {entry.name}:{variant} | {name} | {interval} |", flush=True)
            faster |= ratio.high < LIMIT
    sys.exit(int(faster))


if __name__ == "__main__":
    main()
