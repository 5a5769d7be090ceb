"""What a step seems to take where slices have no warm-up slice: the same workers with and without, alternating.

    python bench/lead_in.py [--backends a,b:variant] [--threads 1] [--rounds 3] [--blocks 40]

As in a run, the workers of all variants are alive and stopped but for one, in rounds of fresh ones. In each block every
variant has a slice of about 10 ms with a warm-up slice, the same steps once before, and one without, all
in random order. Prints the paired ratio without / with and its 95 % interval for each variant: what is over 1 is what
a step pays for its worker having been stopped, and no training loop pays that.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from bakeoff.common import statistics
from bakeoff.registry import entries as registry_entries
from bakeoff.workers.cores import first_cores, reserve_cores
from bakeoff.workers.session import Session
from overhead import ready
from problems import place_of, problem_of

SLICE_S = 0.01
WARM_SLICES = 40
WAYS = (True, False)


def measure(chosen, number, options, folder, cores, fillers):
    """Return {(variant, warm-up slice or not): seconds of its slices (blocks,)} of one round."""
    rng, problem, sessions, orders = np.random.default_rng(number), problem_of(), {}, {}
    try:
        for index in rng.permutation(len(chosen)):
            entry, variant = chosen[index]
            with fillers.paused():
                place = place_of(entry, folder)._replace(cores=cores, threads=options.threads)
                session = sessions[entry.name, variant] = Session(place)
                ready(session, variant, problem)
                session.train(problem.steps(64))
                pace = min(session.train_timed(problem.steps(64)).wall_s for _ in range(3)) / 64
                order = orders[entry.name, variant] = problem.steps(max(1, round(SLICE_S / pace)))
                for _ in range(WARM_SLICES):
                    session.train(order)
            session.pause()
        slices = [(key, warm_up_slice) for key in sessions for warm_up_slice in WAYS]
        taken = {each: [] for each in slices}
        for _ in range(options.blocks):
            for index in rng.permutation(len(slices)):
                key, warm_up_slice = slices[index]
                sessions[key].resume()
                with fillers.paused():
                    trained = sessions[key].train_timed(orders[key], warm_up_slice=warm_up_slice)
                taken[key, warm_up_slice].append(trained.wall_s)
                sessions[key].pause()
    finally:
        for session in sessions.values():
            session.close()
    return {each: np.array(seconds) for each, seconds in taken.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backends", help="as of `bakeoff run`")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=40)
    options = parser.parse_args()
    entries, cores = registry_entries.read_all(), first_cores(options.threads)
    chosen = registry_entries.select(entries, options.backends or registry_entries.default_selection(entries))
    with tempfile.TemporaryDirectory() as folder, reserve_cores(cores) as fillers:
        rounds = [measure(chosen, number, options, Path(folder), cores, fillers) for number in range(options.rounds)]
    print("| backend | threads | without a warm-up slice / with one [95 %] |\n|---|---|---|")
    for entry, variant in chosen:
        own, without = ([each[(entry.name, variant), warm_up_slice] for each in rounds] for warm_up_slice in WAYS)
        ratio = statistics.paired_ratio(without, own)
        interval = f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]"
        print(f"| {entry.name}:{variant} | {options.threads} | {interval} |")


if __name__ == "__main__":
    main()
